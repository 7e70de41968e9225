//! JSON, as `extract json` and `forany_json` read it: enough to find a value,
//! not to judge it. Exim's own reading is kept, loose ends included: the brace
//! that closes an object is found without looking at strings, and white space
//! after a value belongs to it.

use eximious_core::Fail;

/// The member of an object with a name, compared with case.
///
/// # Errors
/// Where braces, quotes or a colon are missing, in Exim's words.
pub fn member<'a>(text: &'a [u8], name: &[u8]) -> Result<Option<&'a [u8]>, Fail> {
    let inside = unwrap(text, b'{', b'}', "object")?;
    for pair in Values(inside) {
        let key = unwrap(pair, b'"', b'"', "string key")?;
        let quotes = pair.len() - pair.trim_ascii_start().len() + key.len() + 2;
        let rest = pair.get(quotes..).unwrap_or_default().trim_ascii_start();
        // What follows a name that is not wanted is not looked at.
        if key == name {
            let Some(value) = rest.strip_prefix(b":") else {
                return Err(Fail::argument("missing object value-separator for extract json"));
            };
            return Ok(Some(value.trim_ascii_start()));
        }
    }
    Ok(None)
}

/// The element of an array with a number, the first being 1.
///
/// # Errors
/// Where brackets are missing, or the number is not positive, in Exim's words.
pub fn element(text: &[u8], number: i64) -> Result<Option<&[u8]>, Fail> {
    let mut values = array(text)?;
    let Some(index) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)) else {
        return Err(Fail::argument("first argument of \"extract\" must be greater than zero"));
    };
    Ok(values.nth(index).map(<[u8]>::trim_ascii_end))
}

/// The values of an array.
///
/// # Errors
/// Where brackets are missing, in Exim's words.
pub fn array(text: &[u8]) -> Result<Values<'_>, Fail> {
    unwrap(text, b'[', b']', "array").map(Values)
}

/// A string value without its quotes.
///
/// # Errors
/// Where it has none, in Exim's words.
pub fn unquoted(value: &[u8]) -> Result<&[u8], Fail> {
    unwrap(value, b'"', b'"', "string result").map_err(|fail| {
        let json = fail.message().to_vec();
        fail.reworded([&json[..], b"s"].concat())
    })
}

/// What stands between a wrapper's two characters.
fn unwrap<'a>(text: &'a [u8], open: u8, close: u8, what: &str) -> Result<&'a [u8], Fail> {
    let missing = |c: u8| {
        Fail::argument(format!("missing '{}' wrapping {what} for extract json", char::from(c)))
    };
    let Some(inside) = text.trim_ascii_start().strip_prefix(&[open]) else {
        return Err(missing(open));
    };
    let (mut depth, mut at) = (0usize, 0);
    while let Some(byte) = inside.get(at) {
        match *byte {
            b'\\' => at += 1,
            c if c == close && depth == 0 => return Ok(&inside[..at]),
            c if c == close => depth -= 1,
            c if c == open => depth += 1,
            _ => {}
        }
        at += 1;
    }
    Err(missing(close))
}

/// Values between commas, with strings, brackets and braces kept together.
#[derive(Clone, Debug)]
pub struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        if text.is_empty() {
            return None;
        }
        let (mut depth, mut at, mut quoted) = (0usize, 0, false);
        while let Some(byte) = text.get(at) {
            match byte {
                b'\\' => at += 1,
                b'"' => quoted = !quoted,
                b'[' | b'{' if !quoted => depth += 1,
                b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
                b',' if depth == 0 && !quoted => {
                    self.0 = &text[at + 1..];
                    return Some(&text[..at]);
                }
                _ => {}
            }
            at += 1;
        }
        self.0 = b"";
        Some(text)
    }
}
