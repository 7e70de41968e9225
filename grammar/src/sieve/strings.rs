//! Encoded characters in strings (RFC 5228, section 2.4.2.4).

/// A string with its encoded characters replaced. What is not well formed stays
/// as it is.
///
/// # Errors
/// With Exim's words, where a number is no character.
pub(super) fn decoded(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"${") {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        match encoded(after)? {
            Some((bytes, length)) => {
                out.extend_from_slice(&bytes);
                rest = &after[length..];
            }
            None => {
                out.push(b'$');
                rest = &after[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// The bytes that stand for what begins a text, and its length.
fn encoded(text: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
    let close = |text: &[u8]| memchr::memchr(b'}', text);
    let has = |word: &[u8]| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    let (head, digits) = match () {
        // A newline is no blank here, although the RFC has it so.
        () if has(b"${hex:") => (b"${hex:".len(), 2),
        () if has(b"${unicode:") => (b"${unicode:".len(), usize::MAX),
        () => return Ok(None),
    };
    let Some(length) = close(&text[head..]) else { return Ok(None) };
    let numbers = text[head..head + length]
        .split(|c| matches!(c, b' ' | b'\t'))
        .filter(|number| !number.is_empty());
    let mut bytes = Vec::new();
    let mut any = false;
    for number in numbers {
        any = true;
        if number.len() > digits || !number.iter().all(u8::is_ascii_hexdigit) {
            return Ok(None);
        }
        let value = number.iter().fold(0u32, |value, digit| {
            let digit = (*digit as char).to_digit(16).unwrap_or(0);
            value.saturating_mul(16).saturating_add(digit)
        });
        if digits == 2 {
            bytes.push(value as u8);
        } else {
            let character = char::from_u32(value).ok_or("unicode character out of range")?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Ok(any.then_some((bytes, head + length + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_stays() {
        for (text, expected) in [
            ("a${hex: 40 4 }b", Ok("a@\u{4}b")),
            ("${hex:404}${hex:}${hex:4g}${hex:40", Ok("${hex:404}${hex:}${hex:4g}${hex:40")),
            ("$${HEX:40}${foo:40}", Ok("$@${foo:40}")),
            ("${Unicode:e9 20AC}", Ok("\u{e9}\u{20ac}")),
            ("${unicode:d800}", Err("unicode character out of range")),
            ("${unicode:fffffffff}", Err("unicode character out of range")),
            ("${hex:24 7b}hex:40}", Ok("${hex:40}")),
        ] {
            let found = decoded(text.as_bytes());
            assert_eq!(
                found.as_deref(),
                expected.map(str::as_bytes).as_ref().map(|b| *b),
                "{text}"
            );
        }
    }
}
