//! `lookup`: a key or none, a type word with its affixes, a file or query.

use super::bytes::is_space;
use super::parser::Parser;
use super::shape::{LookupStyle, Vocabulary};
use super::tree::{Arg, LookupId, LookupNode};
use crate::Span;

impl Parser<'_, '_, '_> {
    pub(super) fn lookup(&mut self, name: Span, lapses: usize) {
        self.skip_space();
        let keyed = self.eat(b'{');
        if keyed {
            let key = self.braced();
            self.tree.open_args.push(Arg::Text(key));
            if self.stopped {
                return;
            }
            self.skip_space();
        }
        if !self.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            self.stop("missing lookup type");
            return;
        }
        let word = self.name_of(|c| c != b'{' && !is_space(c));
        self.skip_space();
        let text = word.of(self.source);
        let read = lookup_word(text, self.vocabulary)
            .and_then(|node| fits(&node, text, keyed, self.vocabulary).map(|()| node));
        let node = match read {
            Ok(node) => node.shifted(word.start),
            Err(message) => {
                self.stop(message);
                return;
            }
        };
        let id = LookupId(self.tree.lookups.len() as u32);
        self.tree.lookups.push(node);
        self.tree.open_args.push(Arg::Lookup(id));
        if !self.eat(b'{') {
            self.stop_curly("missing '{' for lookup file-or-query arg");
            return;
        }
        let file = self.braced();
        self.tree.open_args.push(Arg::Text(file));
        self.branches(name, Some(lapses));
    }
}

/// Reads a type word: `partial2(.)lsearch*@,ret=full`. The spans of the result
/// are ranges of the word. Lists use it too: `partial-lsearch;/some/file`.
///
/// # Errors
/// Exim's complaint, where the word has another form or nobody knows the type.
pub fn lookup_word(word: &[u8], vocabulary: &dyn Vocabulary) -> Result<LookupNode, Vec<u8>> {
    let format_error = || [b"format error in lookup type \"", word, b"\""].concat();
    let mut at = 0;
    let (mut partial, mut affix) = (None, None);
    if word.starts_with(b"partial") {
        at = 7;
        let digits = word[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        let count = word[at..at + digits]
            .iter()
            .fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d - b'0')));
        partial = Some(if digits == 0 { 2 } else { count.min(255) as u8 });
        at += digits;
        match word.get(at) {
            Some(b'-') => at += 1,
            Some(b'(') => {
                let close = word[at..].iter().position(|c| *c == b')').ok_or_else(format_error)?;
                let inside = at + 1..at + close;
                if !word[inside.clone()].iter().all(u8::is_ascii_punctuation) {
                    return Err(format_error());
                }
                at = inside.end + 1;
                affix = Some(Span::new(inside.start, inside.end));
            }
            _ => return Err(format_error()),
        }
    }
    let rest = &word[at..];
    let (mut name, mut options) = (rest, Span::new(word.len(), word.len()));
    let (mut star, mut star_at) = (false, false);
    if let Some(position) = rest.iter().position(|c| *c == b'*') {
        name = &rest[..position];
        star = true;
        star_at = rest.get(position + 1) == Some(&b'@');
        if let Some(comma) = rest[position..].iter().position(|c| *c == b',') {
            options.start = (at + position + comma + 1) as u32;
        }
    } else if let Some(comma) = rest.iter().position(|c| *c == b',') {
        name = &rest[..comma];
        options.start = (at + comma + 1) as u32;
    }
    let Some((def, style)) = vocabulary.lookup(name) else {
        return Err([b"unknown lookup type \"", name, b"\""].concat());
    };
    let written = Span::new(0, word.len());
    Ok(LookupNode { def, style, partial, affix, star, star_at, options, written })
}

/// Whether key, affixes and style go together.
///
/// # Errors
/// Exim's complaint, where they do not.
pub fn fits(
    node: &LookupNode,
    word: &[u8],
    keyed: bool,
    vocabulary: &dyn Vocabulary,
) -> Result<(), Vec<u8>> {
    // On a query that begins with a file's name Exim overlooks affixes.
    let affixed = node.style == LookupStyle::Query && !vocabulary.lookup_has_file(node.def);
    Err(match (node.style, keyed) {
        (LookupStyle::SingleKey, false) => {
            [b"missing {key} for single-key \"", word, b"\" lookup"].concat()
        }
        _ if affixed && node.partial.is_some() => {
            let prefix = match node.affix {
                Some(affix) => affix.end as usize + 1,
                None => word.iter().position(|c| *c == b'-').map_or(0, |n| n + 1),
            };
            let rest = &word[prefix..];
            [b"\"partial\" is not permitted for lookup type \"", rest, b"\""].concat()
        }
        _ if affixed && node.star => {
            let message = b"defaults using \"*\" or \"*@\" are not permitted for lookup type \"";
            [message, word, b"\""].concat()
        }
        (LookupStyle::Query, true) => [
            b"a single key was given for lookup type \"",
            word,
            b"\", which is not a single-key lookup type",
        ]
        .concat(),
        _ => return Ok(()),
    })
}

/// Whether a complaint is about a type's word itself. Exim remembers these, and
/// says them again where a list has no answer and no reason for it.
pub fn blames_type_word(message: &[u8]) -> bool {
    [
        &b"format error in lookup type \""[..],
        b"unknown lookup type \"",
        b"\"partial\" is not permitted for lookup type \"",
        b"defaults using \"*\" or \"*@\" are not permitted for lookup type \"",
    ]
    .iter()
    .any(|head| message.starts_with(head))
}
