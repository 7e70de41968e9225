//! JSON, as `extract json` and `forany_json` read it: enough to find a value,
//! not to judge it.

use eximious_core::Fail;

/// The member of an object with a name, compared with case.
///
/// # Errors
/// Where no braces stand around the text.
pub fn member<'a>(text: &'a [u8], name: &[u8]) -> Result<Option<&'a [u8]>, ()> {
    let inside = wrapped(text, b'{', b'}').ok_or(())?;
    for pair in Values::new(inside) {
        let Some((key, value)) = split_pair(pair) else { continue };
        if key == name {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The element of an array with a number, the first being 1, negative ones
/// counted from the end.
///
/// # Errors
/// Where no brackets stand around the text.
pub fn element(text: &[u8], number: i64) -> Result<Option<&[u8]>, ()> {
    let values = array(text)?;
    Ok(match number {
        n if n > 0 => usize::try_from(n - 1).ok().and_then(|n| values.clone().nth(n)),
        n if n < 0 => {
            let count = values.clone().count() as i64;
            count
                .checked_add(n)
                .and_then(|n| usize::try_from(n).ok())
                .and_then(|n| values.clone().nth(n))
        }
        _ => None,
    })
}

/// The values of an array.
///
/// # Errors
/// Where no brackets stand around the text.
pub fn array(text: &[u8]) -> Result<Values<'_>, ()> {
    wrapped(text, b'[', b']').map(Values::new).ok_or(())
}

/// A string value without its quotes.
///
/// # Errors
/// Where it has none, in Exim's words.
pub fn unquoted(value: &[u8]) -> Result<&[u8], Fail> {
    value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .ok_or_else(|| Fail::argument("missing '\"' wrapping string result for extract jsons"))
}

fn wrapped(text: &[u8], open: u8, close: u8) -> Option<&[u8]> {
    let text = text.trim_ascii();
    text.strip_prefix(&[open])?.strip_suffix(&[close])
}

fn split_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let quoted = pair.strip_prefix(b"\"")?;
    let end = string_end(quoted)?;
    let rest = quoted[end + 1..].trim_ascii_start().strip_prefix(b":")?;
    Some((&quoted[..end], rest.trim_ascii()))
}

/// The offset of the quote that ends a string.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Values between commas, with strings, brackets and braces kept together.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: &'a [u8],
    done: bool,
}

impl<'a> Values<'a> {
    fn new(text: &'a [u8]) -> Self {
        let rest = text.trim_ascii();
        Self { rest, done: rest.is_empty() }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.done {
            return None;
        }
        let (mut depth, mut at) = (0usize, 0);
        while let Some(byte) = self.rest.get(at) {
            match byte {
                b'"' => at += string_end(&self.rest[at + 1..]).map_or(self.rest.len(), |n| n + 1),
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b',' if depth == 0 => {
                    let value = self.rest[..at].trim_ascii();
                    self.rest = &self.rest[at + 1..];
                    return Some(value);
                }
                _ => {}
            }
            at += 1;
        }
        self.done = true;
        Some(self.rest.trim_ascii())
    }
}
