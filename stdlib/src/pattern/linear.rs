//! Patterns that mean the same to an engine whose time grows with the text alone
//! (`regex`): read as PCRE reads them, from the documentation of its syntax
//! (pcre2pattern), and handed on as a tree. What is not known to be the same on both sides
//! is not read, and stays PCRE's: looking around, backreferences, what is possessive,
//! atomic or recursive, loops over what may be empty, and whatever is rarely written.

mod parse;

use regex_automata::meta;
use regex_syntax::hir::{Capture, Hir, Look, Repetition};

use parse::Node;

/// How much memory a pattern may take, in bytes, and how much of it each of its parts.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern, made ready.
#[derive(Debug)]
pub struct Linear {
    regex: meta::Regex,
    /// How many groups there are in the pattern.
    groups: usize,
    /// How many marks stand behind them: a dollar sign may stand before a last newline,
    /// which is no part of the match, and a mark says where it stands.
    marks: usize,
    /// Whether it can match without a byte.
    may_be_empty: bool,
}

impl Linear {
    /// A pattern, if it means the same here, and is not too large.
    pub fn new(pattern: &[u8], caseless: bool) -> Option<Self> {
        let (hir, groups, marks) = hir(pattern, caseless)?;
        let may_be_empty = hir.properties().minimum_len().is_none_or(|least| least == 0);
        let regex = meta::Builder::new().configure(config()).build_from_hir(&hir).ok()?;
        Some(Self { regex, groups, marks, may_be_empty })
    }

    /// Whether it can match without a byte.
    pub fn may_be_empty(&self) -> bool {
        self.may_be_empty
    }

    /// Looks for the first match that begins at an offset or behind it; the ranges of the
    /// groups in it, up to the last one that is set, which stay as they are where there is
    /// none.
    pub fn find(
        &self,
        subject: &[u8],
        start: usize,
        groups: &mut Vec<Option<(usize, usize)>>,
    ) -> bool {
        if start > subject.len() {
            return false;
        }
        let mut found = self.regex.create_captures();
        let input = regex_automata::Input::new(subject).range(start..);
        self.regex.search_captures(&input, &mut found);
        if !found.is_match() {
            return false;
        }
        let end = (self.groups..self.groups + self.marks)
            .find_map(|mark| found.get_group(mark))
            .map_or(usize::MAX, |mark| mark.end);
        groups.clear();
        let all = (0..self.groups).map(|group| found.get_group(group));
        groups.extend(all.map(|span| span.map(|span| (span.start, span.end.min(end)))));
        while groups.last().is_some_and(Option::is_none) {
            groups.pop();
        }
        true
    }
}

fn config() -> meta::Config {
    meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE_LIMIT))
        .onepass_size_limit(Some(SIZE_LIMIT))
        .hybrid_cache_capacity(SIZE_LIMIT)
}

/// A pattern as a tree, for those who only ask whether it matches.
pub(super) fn tree(pattern: &[u8], caseless: bool) -> Option<Hir> {
    hir(pattern, caseless).map(|(tree, ..)| tree)
}

/// A pattern as a tree, with how many groups it has, the whole match included, and how
/// many marks stand behind those.
fn hir(pattern: &[u8], caseless: bool) -> Option<(Hir, usize, usize)> {
    let (node, groups) = parse::parse(pattern, caseless)?;
    let mut marks = 0;
    let hir = translated(&node, true, groups, &mut marks)?;
    Some((hir, groups, marks))
}

/// A part of a pattern; what is the last may hold a dollar sign.
fn translated(node: &Node, is_last: bool, groups: usize, marks: &mut usize) -> Option<Hir> {
    Some(match node {
        Node::Empty => Hir::empty(),
        Node::Byte(byte) => Hir::literal([*byte]),
        Node::Class(class) => Hir::class(regex_syntax::hir::Class::Bytes(class.clone())),
        Node::Look(look) => Hir::look(*look),
        Node::Dollar => {
            if !is_last {
                return None;
            }
            let index = u32::try_from(groups + *marks).ok()?;
            *marks += 1;
            let mark = Capture { index, name: None, sub: Box::new(Hir::empty()) };
            let newline = Repetition {
                min: 0,
                max: Some(1),
                greedy: true,
                sub: Box::new(Hir::literal(*b"\n")),
            };
            let parts = [Hir::capture(mark), Hir::repetition(newline), Hir::look(Look::End)];
            Hir::concat(parts.into())
        }
        Node::Concat(nodes) => {
            let last = nodes.len().saturating_sub(1);
            let parts = nodes.iter().enumerate();
            let parts =
                parts.map(|(at, node)| translated(node, is_last && at == last, groups, marks));
            Hir::concat(parts.collect::<Option<_>>()?)
        }
        Node::Alternation(nodes) => {
            let parts = nodes.iter().map(|node| translated(node, is_last, groups, marks));
            Hir::alternation(parts.collect::<Option<_>>()?)
        }
        Node::Repeat { node, min, max, greedy } => {
            // Perl's loops end where one turn is empty, each in its own way.
            if node.may_be_empty() {
                return None;
            }
            let sub = Box::new(translated(node, false, groups, marks)?);
            Hir::repetition(Repetition { min: *min, max: *max, greedy: *greedy, sub })
        }
        Node::Group(index, node) => {
            let sub = Box::new(translated(node, is_last, groups, marks)?);
            Hir::capture(Capture { index: *index, name: None, sub })
        }
    })
}

#[cfg(test)]
mod tests;
