//! Quotes what stands in an address where it has to be.

use super::reader::{is_atom, skip_comments, skip_quoted};
use crate::rfc2047;

/// A local part as it has to be written in an address: in double quotes where
/// its characters demand it.
pub fn quote_local_part(text: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte);
    let last = text.len().wrapping_sub(1);
    let dots_inside = |(place, byte): (usize, &u8)| *byte == b'.' && place > 0 && place < last;
    if !text.is_empty() && text.iter().enumerate().all(|(n, c)| plain(c) || dots_inside((n, c))) {
        return text.to_vec();
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    for byte in text {
        match byte {
            b'\n' => quoted.extend_from_slice(b"\\n"),
            b'\r' => quoted.extend_from_slice(b"\\r"),
            b'"' | b'\\' => quoted.extend_from_slice(&[b'\\', *byte]),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'"');
    quoted
}

/// A local part without its quotes and backslashes.
pub fn unquote_local_part(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            b'"' => {}
            byte => out.push(*byte),
        }
    }
    out
}

/// A name as it stands before an address in angle brackets: as it is where it is
/// a phrase (words, quoted strings, comments), in quotes where it is not, as
/// encoded words of a character set where it has other bytes than ASCII's
/// visible ones. Blanks before it go.
pub fn phrase(name: &[u8], charset: &[u8]) -> Vec<u8> {
    let name = name.trim_ascii_start();
    if name.iter().any(|c| !matches!(c, b' '..=b'~' | b'\t')) {
        return rfc2047::encode(name, charset).into_owned();
    }
    if is_phrase(name) {
        return name.to_vec();
    }
    match first_quote(name) {
        Some(at) => phrase_with_quotes(name, at),
        None => quoted(name),
    }
}

/// The same of a name that has a quote in it: what stands before that is in quotes as a
/// whole, and behind it each word that has to be. A string without an end gets one.
fn phrase_with_quotes(name: &[u8], at: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 8);
    let (head, mut rest) = name.split_at(at);
    if is_phrase(head) {
        out.extend_from_slice(head);
    } else {
        let words = head.trim_ascii_end();
        out.extend(quoted(words));
        out.extend_from_slice(&head[words.len()..]);
    }
    while let Some(byte) = rest.first() {
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = match byte {
            _ if blanks > 0 => blanks,
            b'"' => skip_quoted(rest, 0),
            b'(' if is_phrase(&rest[..skip_comments(rest, 0)]) => skip_comments(rest, 0),
            _ => {
                let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'"' | b'(');
                rest[1..].iter().position(ends).map_or(rest.len(), |end| end + 1)
            }
        };
        let (piece, tail) = rest.split_at(end.max(1));
        rest = tail;
        match byte {
            _ if is_phrase(piece) => out.extend_from_slice(piece),
            b'"' => {
                out.extend_from_slice(piece);
                if piece.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1 {
                    out.push(b'\\');
                }
                out.push(b'"');
            }
            _ => out.extend(quoted(piece)),
        }
    }
    out
}

/// Where the first quote is that no backslash stands before.
fn first_quote(text: &[u8]) -> Option<usize> {
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

/// A text in quotes, with a backslash where one has to be.
fn quoted(name: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(name.len() + 2);
    quoted.push(b'"');
    let mut rest = name;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            // What is escaped already stays so.
            (b'\\', [next, after @ ..]) => {
                quoted.extend_from_slice(&[b'\\', *next]);
                rest = after;
            }
            (b'"' | b'\\', _) => quoted.extend_from_slice(&[b'\\', *byte]),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'"');
    quoted
}

/// Whether a text consists of words, closed quoted strings and closed comments.
fn is_phrase(text: &[u8]) -> bool {
    let mut at = 0;
    let closed = |end: usize, mark: u8| end > 1 && text[end - 1] == mark;
    while let Some(byte) = text.get(at) {
        at = match byte {
            b'"' => {
                let end = skip_quoted(text, at);
                if end < at + 2 || !closed(end, b'"') || ends_escaped(&text[at..end]) {
                    return false;
                }
                end
            }
            b'(' => {
                // Together with a comment, the white space after it is passed.
                let end = skip_comments(text, at);
                let inner = text[..end].trim_ascii_end();
                if !inner.ends_with(b")") || ends_escaped(inner) || is_open(&text[at..end]) {
                    return false;
                }
                end
            }
            b' ' | b'\t' => at + 1,
            byte if is_atom(*byte) => at + 1,
            _ => return false,
        };
    }
    true
}

/// Whether the last byte has a backslash before it that is not escaped itself.
fn ends_escaped(text: &[u8]) -> bool {
    let before = text.len().saturating_sub(1);
    text[..before].iter().rev().take_while(|c| **c == b'\\').count() % 2 == 1
}

/// Whether more comments begin than end.
fn is_open(comments: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut bytes = comments.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Rules, parse};

    /// Names and local parts of any length and form are quoted into growing
    /// buffers, and what is quoted reads back as one local part.
    #[test]
    fn quoted_local_parts_read_back() {
        let long = vec![b'"'; 20_000];
        for text in [&b""[..], b"\"", b"\\", b"a\\", b"(", b"a(b", b"\xff", b".", b"a\nb", &long] {
            let quoted = quote_local_part(text);
            let address = [quoted.as_slice(), b"@example.com"].concat();
            match parse(&address, Rules::default()) {
                Ok(found) => assert_eq!(found.domain(), b"example.com"),
                Err(error) => assert!(error.message.starts_with(b"address is ridiculously long")),
            }
        }
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (name, expected) in [
            ("A B", "A B"),
            ("A. B", "\"A. B\""),
            ("A \"q\" B", "A \"q\" B"),
            ("a (b) c", "a (b) c"),
            ("O'Neil", "O'Neil"),
            ("x)", "\"x)\""),
            ("(x", "\"(x\""),
            ("a\\(b", "\"a\\(b\""),
            ("a\"b", "a\"b\""),
            ("a, b \"x\" c, d", "\"a, b\" \"x\" \"c,\" d"),
            ("a \"x\", b", "a \"x\"\",\" b"),
            ("a \"b\" c) (d) (e", "a \"b\" \"c)\" (d) \"(e\""),
            ("a \"x\\", "a \"x\\\\\""),
            ("a\\\"b", "\"a\\\"b\""),
            ("\\", "\"\\\\\""),
            ("a,b", "\"a,b\""),
            ("\u{e9} (a.b)", "=?UTF-8?Q?=C3=A9_=28a=2Eb=29?="),
            ("", ""),
        ] {
            let quoted = phrase(name.as_bytes(), b"UTF-8");
            assert_eq!(String::from_utf8_lossy(&quoted), expected, "{name}");
        }
    }

    /// A name of any bytes, empty and unbalanced ones included, goes into a
    /// growing buffer, and the address after it is the one that is read back.
    #[test]
    fn cve_2021_28010_28011_28013_28016_phrases_of_any_form() {
        let bytes = b"a \"\\().,<@\xe9\n";
        let mut names: Vec<Vec<u8>> = vec![vec![b'"'; 20_000], vec![b'('; 20_000], vec![]];
        for number in 0..bytes.len().pow(4) {
            let mut rest = number;
            let mut name = Vec::new();
            while rest > 0 {
                name.push(bytes[rest % bytes.len()]);
                rest /= bytes.len();
            }
            names.push(name);
        }
        for name in names {
            let line = [&phrase(&name, b"UTF-8"), &b" <who@example.com>"[..]].concat();
            let found = parse(&line, Rules::default());
            let text = found.map(|address| address.text);
            assert_eq!(text.as_deref(), Ok(&b"who@example.com"[..]), "{}", name.escape_ascii());
        }
    }
}
