//! The plainest lines, which are most of a configuration: told without the
//! grammar, which needs ten times as long. What is not plain is left to it, and
//! tests hold the two against each other.

use crate::{Span, is_space};

use super::{After, Label, Setting, Statement};

/// The words with which a line of the main section may begin that is no setting.
const LISTS: [&[u8]; 4] = [b"addresslist", b"domainlist", b"hostlist", b"localpartlist"];

/// Whether a line has the word that begins a section, in whatever letters, and a space.
pub fn begins_section(line: &[u8]) -> bool {
    line.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"begin "))
}

/// `name = value`, or a name alone.
pub(super) fn setting(line: &[u8]) -> Option<Setting> {
    let end = word_end(line, 0);
    let word = &line[..end];
    if word.is_empty() || word == b"hide" || LISTS.iter().any(|list| word.starts_with(list)) {
        return None;
    }
    let at = space_end(line, end);
    let after = match line.get(at) {
        None => After::Nothing,
        Some(b'=') => After::Value(Span::new(space_end(line, at + 1), line.len())),
        Some(_) => return None,
    };
    Some(Setting { hidden: false, name: Span::new(0, end), after })
}

/// `name:`
pub(super) fn label(line: &[u8]) -> Option<Label> {
    let end = word_end(line, 0);
    let plain = line.first()?.is_ascii_alphabetic() && &line[end..] == b":";
    plain.then_some(Label { name: Span::new(0, end), junk: None })
}

/// A verb or a condition, with what follows it.
pub(super) fn statement(line: &[u8]) -> Statement {
    let negated = line.first() == Some(&b'!');
    let start = if negated { space_end(line, 1) } else { 0 };
    let end = word_end(line, start);
    Statement {
        negated,
        word: Span::new(start, end),
        rest: Span::new(space_end(line, end), line.len()),
    }
}

/// Whether a line of the ACLs is a label, whatever follows its colon.
pub(super) fn is_label(line: &[u8]) -> bool {
    let end = word_end(line, 0);
    line.first().is_some_and(u8::is_ascii_alphabetic)
        && line.get(space_end(line, end)) == Some(&b':')
}

fn word_end(line: &[u8], start: usize) -> usize {
    let rest = &line[start..];
    start + rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count()
}

fn space_end(line: &[u8], start: usize) -> usize {
    start + line[start..].iter().take_while(|c| is_space(**c)).count()
}
