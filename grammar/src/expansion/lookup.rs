//! `lookup`: a key or none, a type word with its affixes, a file or query.

use super::parser::{Parser, is_space};
use super::shape::LookupStyle;
use super::tree::{Arg, LookupId, LookupNode};
use crate::Span;

impl Parser<'_, '_, '_> {
    pub(super) fn lookup(&mut self, name: &str) {
        self.skip_space();
        let keyed = self.eat(b'{');
        if keyed {
            let key = self.braced();
            self.args.push(Arg::Text(key));
            if self.stopped {
                return;
            }
            self.skip_space();
        }
        if !self.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            self.stop("missing lookup type");
            return;
        }
        let start = self.at;
        while self.peek().is_some_and(|c| c != b'{' && !is_space(c)) {
            self.at += 1;
        }
        let word = Span::new(start, self.at);
        self.skip_space();
        let Some(node) = self.lookup_type(word) else { return };
        if !self.lookup_style(&node, keyed) {
            return;
        }
        let id = LookupId(self.tree.lookups.len() as u32);
        self.tree.lookups.push(node);
        self.args.push(Arg::Lookup(id));
        if !self.eat(b'{') {
            self.stop_curly("missing '{' for lookup file-or-query arg");
            return;
        }
        let file = self.braced();
        self.args.push(Arg::Text(file));
        self.branches(name);
    }

    /// Reads `partial2(.)lsearch*@,ret=full`.
    fn lookup_type(&mut self, word: Span) -> Option<LookupNode> {
        let source = self.source;
        let text = word.of(source);
        let base = word.start as usize;
        let mut at = 0;
        let (mut partial, mut affix) = (None, None);
        if text.starts_with(b"partial") {
            at = 7;
            let digits = text[at..].iter().take_while(|c| c.is_ascii_digit()).count();
            let count = text[at..at + digits]
                .iter()
                .fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d - b'0')));
            partial = Some(if digits == 0 { 2 } else { count.min(255) as u8 });
            at += digits;
            match text.get(at) {
                Some(b'-') => at += 1,
                Some(b'(') => {
                    let close = text[at..].iter().position(|c| *c == b')');
                    let inside = close.map(|n| at + 1..at + n);
                    let good = inside
                        .as_ref()
                        .is_some_and(|r| text[r.clone()].iter().all(u8::is_ascii_punctuation));
                    let Some(range) = inside.filter(|_| good) else {
                        self.format_error(text);
                        return None;
                    };
                    at = range.end + 1;
                    affix = Some(Span::new(base + range.start, base + range.end));
                }
                _ => {
                    self.format_error(text);
                    return None;
                }
            }
        }
        let rest = &text[at..];
        let (mut name, mut options) = (rest, Span::new(base + text.len(), base + text.len()));
        let (mut star, mut star_at) = (false, false);
        if let Some(position) = rest.iter().position(|c| *c == b'*') {
            name = &rest[..position];
            star = true;
            star_at = rest.get(position + 1) == Some(&b'@');
            if let Some(comma) = rest[position..].iter().position(|c| *c == b',') {
                options.start = (base + at + position + comma + 1) as u32;
            }
        } else if let Some(comma) = rest.iter().position(|c| *c == b',') {
            name = &rest[..comma];
            options.start = (base + at + comma + 1) as u32;
        }
        match self.vocabulary.lookup(name) {
            Some((def, style)) => Some(LookupNode {
                def,
                style,
                partial,
                affix,
                star,
                star_at,
                options,
                written: word,
            }),
            None => {
                let message = [b"unknown lookup type \"", name, b"\""].concat();
                self.stop(message);
                None
            }
        }
    }

    fn format_error(&mut self, text: &[u8]) {
        let message = [b"format error in lookup type \"", text, b"\""].concat();
        self.stop(message);
    }

    /// Whether key, affixes and style go together.
    fn lookup_style(&mut self, node: &LookupNode, keyed: bool) -> bool {
        let source = self.source;
        let written = node.written.of(source);
        let name = written.split(|c| *c == b',').next().unwrap_or_default();
        let plain = || {
            let start = name.iter().rposition(|c| matches!(c, b'-' | b')')).map_or(0, |n| n + 1);
            let end = name.iter().position(|c| *c == b'*').unwrap_or(name.len());
            &name[start.min(end)..end]
        };
        let message = match (node.style, keyed) {
            (LookupStyle::SingleKey, false) => {
                [b"missing {key} for single-key \"", plain(), b"\" lookup"].concat()
            }
            (LookupStyle::Query, _) if node.partial.is_some() => {
                [b"\"partial\" is not permitted for lookup type \"", plain(), b"\""].concat()
            }
            (LookupStyle::Query, _) if node.star => [
                b"defaults using \"*\" or \"*@\" are not permitted for lookup type \"",
                name,
                b"\"",
            ]
            .concat(),
            (LookupStyle::Query, true) => [
                b"a single key was given for lookup type \"",
                plain(),
                b"\", which is not a single-key lookup type",
            ]
            .concat(),
            _ => return true,
        };
        self.stop(message);
        false
    }
}
