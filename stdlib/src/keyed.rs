//! `name=value` pairs, as `extract` reads them.

use std::borrow::Cow;

use eximious_core::grammar::is_space;

/// The value of a name, compared without case; `None` where it is not there.
/// An equals sign or white space stands between name and value; a value in
/// double quotes may hold white space and escapes.
pub fn find<'a>(text: &'a [u8], key: &[u8]) -> Option<Cow<'a, [u8]>> {
    let mut rest = text;
    loop {
        rest = unspaced(rest);
        if rest.is_empty() {
            return None;
        }
        let length = rest.iter().position(|c| *c == b'=' || is_space(*c)).unwrap_or(rest.len());
        let name = &rest[..length];
        rest = unspaced(&rest[length..]);
        if let [b'=', after @ ..] = rest {
            rest = unspaced(after);
        }
        let (value, after) = value(rest);
        if name.eq_ignore_ascii_case(key) {
            return Some(value);
        }
        rest = after;
    }
}

/// What follows the white space at the head of a text.
fn unspaced(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|c| !is_space(*c)).unwrap_or(text.len());
    &text[start..]
}

/// A value at the head of a text, and what follows it.
pub fn value(text: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let [b'"', quoted @ ..] = text else {
        let length = text.iter().position(|c| is_space(*c)).unwrap_or(text.len());
        return (Cow::Borrowed(&text[..length]), &text[length..]);
    };
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = quoted.get(at) {
        match byte {
            b'"' => return (Cow::Owned(out), &quoted[at + 1..]),
            b'\\' => {
                let (byte, used) = eximious_core::grammar::escape(&quoted[at..]);
                out.push(byte);
                at += used;
            }
            byte => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    (Cow::Owned(out), b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_white_space_separates() {
        assert_eq!(find(b"a=1\x0bb=2\x0c\x0bc=3", b"c").as_deref(), Some(&b"3"[..]));
        assert_eq!(find(b"\x0b\x0b", b"c"), None);
    }
}
