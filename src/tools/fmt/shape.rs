//! What becomes of the text of a line that begins a logical line. It is `None`
//! where the line stays as it is.

use eximious_core::{AclOperand, AclVerb, ListKind};
use eximious_grammar::is_space;

use crate::config::macros::{trim, trim_start};

/// Where a line stands, and what it says.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Where it stands; `None` where it stays.
    pub(super) indent: Option<usize>,
    /// Where what belongs to it stands.
    pub(super) inner: Option<usize>,
    /// What it says, without a backslash at its end.
    pub(super) text: Option<Vec<u8>>,
    /// Whether it begins a section.
    pub(super) begins: bool,
}

impl Shape {
    pub(super) fn at(indent: usize) -> Self {
        Self { indent: Some(indent), inner: Some(indent), text: None, begins: false }
    }
}

/// Whether the name of a macro may stand in a text: each begins with a capital
/// letter, or has one behind an underscore.
pub(super) fn may_be_macro(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_uppercase)
}

/// `NAME = text` or `NAME == text`.
pub(super) fn definition(body: &[u8], continues: bool) -> Option<Vec<u8>> {
    let (name, rest) = body.split_at(word_length(body));
    let rest = trim_start(rest).strip_prefix(b"=")?;
    let (sign, value): (&[u8], _) = match rest.strip_prefix(b"=") {
        Some(value) => (b"==", value),
        None => (b"=", rest),
    };
    let first = value.first().copied().unwrap_or(b' ');
    // The first sign could be made a double one: by what the next line begins
    // with, or by what a macro stands for.
    if first == b'=' || sign == b"=" && first.is_ascii_uppercase() {
        return None;
    }
    if continues && trim(value).is_empty() {
        return None;
    }
    Some(joined(&[name, sign], value, continues))
}

/// `name:`; without text where more follows, or where a macro may be the name.
pub(super) fn label(body: &[u8]) -> Option<Shape> {
    let (name, rest) = body.split_at(word_length(body));
    let rest = trim_start(rest).strip_prefix(b":")?;
    let letter = name.first().is_none_or(u8::is_ascii_alphabetic);
    let plain = !name.is_empty() && trim(rest).is_empty() && !may_be_macro(name);
    let text = plain.then(|| [name, b":"].concat());
    letter.then(|| Shape { text, inner: Some(2), ..Shape::at(0) })
}

/// `domainlist name = value`
pub(super) fn named_list(body: &[u8], continues: bool) -> Option<Vec<u8>> {
    let (hide, rest) = hidden(body);
    let (kind, rest) = rest.split_at(word_length(rest));
    let word = kind.strip_suffix(b"_cache").unwrap_or(kind);
    if ListKind::ALL.iter().all(|kind| kind.word().as_bytes() != word) || !spaced(rest) {
        return None;
    }
    let rest = trim_start(rest);
    let (name, rest) = rest.split_at(word_length(rest));
    let value = assigned(rest)?;
    if name.is_empty() || may_be_macro(name) {
        return None;
    }
    Some(joined(&[hide, kind, name, b"="], value, continues))
}

/// Whether a text starts as the beginning of a section does, in whatever letters.
pub(super) fn has_begin(text: &[u8]) -> bool {
    text.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"begin"))
}

/// `name = value`, or `name` alone.
pub(super) fn setting(body: &[u8], continues: bool) -> Option<Vec<u8>> {
    let (hide, rest) = hidden(body);
    let (name, rest) = rest.split_at(word_length(rest));
    if !name.first().is_some_and(u8::is_ascii_lowercase) || may_be_macro(name) {
        return None;
    }
    // With a space behind it, the word would begin a section, or hide a value.
    if name == b"hide" || has_begin(name) && name.len() == 5 {
        return None;
    }
    if rest.is_empty() && !continues {
        return Some(joined(&[hide, name], b"", false));
    }
    Some(joined(&[hide, name, b"="], assigned(rest)?, continues))
}

/// Whether a line begins with a verb.
pub(super) fn is_verb(body: &[u8]) -> bool {
    AclVerb::of(&body[..word_length(body)]).is_some()
}

/// `verb`, or `verb name = value`
pub(super) fn verb(body: &[u8], continues: bool) -> Option<Vec<u8>> {
    let (verb, rest) = body.split_at(word_length(body));
    if !spaced(rest) {
        return None;
    }
    Some([verb, b" ", &term(trim_start(rest), continues)?].concat())
}

/// A condition or modifier: `!name = value`, `set name = value`, `endpass`.
pub(super) fn term(body: &[u8], continues: bool) -> Option<Vec<u8>> {
    let negated = body.strip_prefix(b"!").map(trim_start);
    let rest = negated.unwrap_or(body);
    let (name, rest) = rest.split_at(word_length(rest));
    let known = crate::mail::acl::own_term(name)?;
    let name = if negated.is_some() { [b"!", name].concat() } else { name.to_vec() };
    match known.operand {
        AclOperand::None => (rest.is_empty() && !continues).then_some(name),
        AclOperand::Text => Some(joined(&[&name, b"="], assigned(rest)?, continues)),
        AclOperand::Variable if spaced(rest) => {
            let rest = trim_start(rest);
            let (variable, rest) = rest.split_at(word_length(rest));
            let value = assigned(rest)?;
            let plain = variable.starts_with(b"acl_") && !may_be_macro(variable);
            plain.then(|| joined(&[&name, variable, b"="], value, continues))
        }
        AclOperand::Variable => None,
    }
}

/// What follows the equals sign.
fn assigned(rest: &[u8]) -> Option<&[u8]> {
    let value = trim_start(rest).strip_prefix(b"=")?;
    // Whoever wrote two meant something else.
    (!value.starts_with(b"=")).then_some(value)
}

/// `hide`, where it stands in front, and what follows it.
fn hidden(body: &[u8]) -> (&[u8], &[u8]) {
    match body.split_at_checked(4) {
        Some((hide @ b"hide", rest)) if spaced(rest) => (hide, trim_start(rest)),
        _ => (b"", body),
    }
}

fn spaced(rest: &[u8]) -> bool {
    rest.first().is_some_and(|c| is_space(*c))
}

/// Words with one space between them, and a value, whose white space at its end
/// counts where it goes on.
fn joined(words: &[&[u8]], value: &[u8], continues: bool) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    let mut out = words.join(&b' ');
    let value = trim_start(value);
    if continues || !value.is_empty() {
        out.push(b' ');
    }
    out.extend_from_slice(value);
    out
}

/// How many bytes of a text are a word.
fn word_length(text: &[u8]) -> usize {
    text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_').unwrap_or(text.len())
}
