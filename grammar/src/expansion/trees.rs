//! Many trees, one behind the other.

use super::parser::{ParseLimits, parse_behind};
use super::shape::Vocabulary;
use super::tree::{Fault, Seq, Tree};
use super::view::View;

/// Many trees, one behind the other: what is read from them in this order lies
/// close together, so that another processor gets it at little cost.
#[derive(Default, Debug)]
pub struct Trees {
    heads: Vec<Head>,
    /// The text of all.
    text: Vec<u8>,
    /// All parts, and the text of the last one.
    tree: Tree,
    odd: Vec<Odd>,
}

/// What a tree has for its own.
#[derive(Debug)]
struct Head {
    root: Seq,
    /// Where its text begins.
    text: usize,
    text_length: u32,
    source_length: u32,
    lapses: (u32, u32),
    holds_zero: bool,
    /// Where it stands among the odd ones, if it does.
    odd: Option<u32>,
}

/// What few trees have.
#[derive(Default, Debug)]
struct Odd {
    soft_faults: Vec<Fault>,
    hard_fault: Option<Fault>,
    malformed_header: Option<u32>,
}

impl Trees {
    /// Parses a text and adds its tree.
    pub fn parse(&mut self, source: &[u8], vocabulary: &dyn Vocabulary, limits: ParseLimits) {
        let lapses = self.tree.lapses.len() as u32;
        parse_behind(&mut self.tree, source, vocabulary, limits);
        let tree = &mut self.tree;
        let odd = tree.is_odd().then(|| {
            self.odd.push(Odd {
                soft_faults: std::mem::take(&mut tree.soft_faults),
                hard_fault: tree.hard_fault.take(),
                malformed_header: tree.malformed_header.take(),
            });
            (self.odd.len() - 1) as u32
        });
        self.heads.push(Head {
            root: tree.root,
            text: self.text.len(),
            text_length: tree.text.len() as u32,
            source_length: tree.source_length as u32,
            lapses: (lapses, tree.lapses.len() as u32),
            holds_zero: tree.holds_zero,
            odd,
        });
        self.text.extend_from_slice(&tree.text);
    }

    /// The tree with a number; they count from 0.
    #[inline(always)]
    pub fn get(&self, number: usize) -> Option<View<'_>> {
        let head = self.heads.get(number)?;
        let text = self.text.get(head.text..head.text + head.text_length as usize)?;
        let odd = head.odd.and_then(|odd| self.odd.get(odd as usize));
        Some(View {
            text,
            source: text.get(..head.source_length as usize)?,
            root: head.root,
            parts: &self.tree,
            lapses: self.tree.lapses.get(head.lapses.0 as usize..head.lapses.1 as usize)?,
            soft_faults: odd.map_or(&[], |odd| &odd.soft_faults),
            hard_fault: odd.and_then(|odd| odd.hard_fault.as_ref()),
            holds_zero: head.holds_zero,
            malformed_header: odd.and_then(|odd| odd.malformed_header),
        })
    }

    /// All parts, those of the last tree at the end.
    pub fn parts(&self) -> &Tree {
        &self.tree
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// How many bytes of text they have.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.text.clear();
        self.tree.clear();
        self.odd.clear();
    }
}
