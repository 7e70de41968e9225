//! The items of lists, as far as they can be told before anything is expanded.

use eximious_grammar::Span;
use eximious_grammar::expansion::{Part, Piece, Tree};

/// An item of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Item {
    /// What it says, without the exclamation mark and the white space around it;
    /// a dollar sign for each byte that is expanded first.
    pub(super) text: Vec<u8>,
    /// Whether an exclamation mark stands before it.
    pub(super) negated: bool,
    /// Where it stands in the list.
    pub(super) span: Span,
}

impl Item {
    /// Whether it says what it will be.
    pub(super) fn plain(&self) -> bool {
        !self.text.iter().any(|c| matches!(c, b'$' | b'\\'))
    }
    /// The list that it names: `relays` for `+relays`.
    pub(super) fn named(&self) -> Option<&[u8]> {
        let name = self.text.strip_prefix(b"+").filter(|_| self.plain())?;
        (!name.is_empty() && name.iter().all(super::names::word)).then_some(name)
    }
}

/// The items of a list that was parsed where it is expanded.
pub(super) fn items(text: &[u8], tree: Option<&Tree>) -> Vec<Item> {
    let mut masked = text.to_vec();
    for Piece { part, span } in tree.iter().flat_map(|tree| tree.view().pieces(tree.root)) {
        if !matches!(part, Part::Text(_)) {
            let end = (span.end as usize).min(masked.len());
            masked[(span.start as usize).min(end)..end].fill(b'$');
        }
    }
    split(&masked)
}

/// The items of a list in which nothing is expanded any more.
pub(super) fn split(text: &[u8]) -> Vec<Item> {
    split_on(text, b':')
}

/// The same, where another separator is the usual one.
pub(super) fn split_on(text: &[u8], usual: u8) -> Vec<Item> {
    let (separator, start) = changed(text).unwrap_or((usual, 0));
    let mut found = Vec::new();
    let (mut item, mut from, mut at) = (Vec::new(), start, start);
    while at <= text.len() {
        match text.get(at) {
            // A separator that is doubled is an ordinary character.
            Some(c) if *c == separator && text.get(at + 1) == Some(c) => {
                item.push(*c);
                at += 1;
            }
            Some(c) if *c != separator => item.push(*c),
            _ => {
                found.extend(one(&item, text, from, at));
                item.clear();
                from = at + 1;
            }
        }
        at += 1;
    }
    found
}

/// An item that stands between two separators; none where there is nothing.
fn one(item: &[u8], text: &[u8], from: usize, to: usize) -> Option<Item> {
    let trimmed = item.trim_ascii();
    let (negated, bare) = match trimmed.strip_prefix(b"!") {
        Some(rest) => (true, rest.trim_ascii()),
        None => (false, trimmed),
    };
    let sign = |c: &u8| c.is_ascii_whitespace() || *c == b'!';
    let lead = text[from..to].iter().take_while(|c| sign(c)).count();
    let tail = text[from..to].iter().rev().take_while(|c| c.is_ascii_whitespace()).count();
    let span = Span::new(from + lead, (to - tail).max(from + lead));
    (!bare.is_empty()).then(|| Item { text: bare.to_vec(), negated, span })
}

/// What separates the items of a list, and where the first one begins.
pub(super) fn separator(text: &[u8]) -> (u8, usize) {
    changed(text).unwrap_or((b':', 0))
}

/// The separator that a list begins with: `<;`.
fn changed(text: &[u8]) -> Option<(u8, usize)> {
    let start = text.iter().take_while(|c| c.is_ascii_whitespace()).count();
    match &text[start..] {
        [b'<', own, ..] if own.is_ascii_punctuation() || own.is_ascii_control() => {
            Some((*own, start + 2))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_those_between_separators() {
        let shown = |text: &[u8]| -> Vec<String> {
            let items = split(text).into_iter();
            items
                .map(|item| {
                    let sign = if item.negated { "!" } else { "" };
                    let text = String::from_utf8_lossy(&item.text).into_owned();
                    format!("{sign}{text}@{}-{}", item.span.start, item.span.end)
                })
                .collect()
        };
        assert_eq!(shown(b" a : ! +b : : c"), ["a@1-2", "!+b@7-9", "c@14-15"]);
        assert_eq!(shown(b"<; a:b ;::1"), ["a:b@3-6", "::1@8-11"]);
        assert_eq!(shown(b"a::b : c"), ["a:b@0-4", "c@7-8"]);
        assert_eq!(shown(b""), Vec::<String>::new());
    }
}
