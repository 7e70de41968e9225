//! What the `body` test looks at (RFC 5173).

use std::borrow::Cow;

use eximious_core::Header;
use eximious_grammar::sieve::BodyTransform;
use eximious_stdlib::base64;
use eximious_stdlib::charset::{Charset, translate};

/// How deep messages and multiparts are looked into.
const MOST_DEPTH: u32 = 10;

/// How many parts are looked at.
const MOST_PARTS: usize = 500;

/// The texts that keys are looked for in.
///
/// `:raw` and `:text` are the body as it is, with plain newlines; parts of
/// `:content` are decoded, their lines end in CR LF.
pub(super) fn parts<'m>(
    headers: &[Header],
    body: &'m [u8],
    what: &BodyTransform,
) -> Vec<Cow<'m, [u8]>> {
    let BodyTransform::Content(types) = what else {
        return vec![Cow::Borrowed(body)];
    };
    let types: Vec<&[u8]> = types.iter().map(|text| text.bytes.as_slice()).collect();
    let mut found = Vec::new();
    Walk { types: &types, found: &mut found, left: MOST_PARTS }.entity(headers, body, 0);
    found
}

/// Goes through the parts of a message.
struct Walk<'w, 'm> {
    types: &'w [&'w [u8]],
    found: &'w mut Vec<Cow<'m, [u8]>>,
    left: usize,
}

impl<'m> Walk<'_, 'm> {
    fn entity(&mut self, headers: &[Header], body: &'m [u8], depth: u32) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        let kind = Kind::of(headers);
        if depth >= MOST_DEPTH {
            return;
        }
        if kind.name.starts_with(b"multipart/")
            && let Some(boundary) = &kind.boundary
        {
            self.multipart(&kind, boundary, body, depth);
        } else if kind.name == b"message/rfc822" {
            let (head, text) = divided(body);
            if self.wants(&kind.name) {
                self.found.push(with_returns(head));
            }
            self.entity(&fields(head), text, depth + 1);
        } else if self.wants(&kind.name) {
            let decoded = transferred(headers, body);
            let text = match kind.charset.as_deref().and_then(Charset::find) {
                Some(from) if kind.name.starts_with(b"text/") => match Charset::find(b"utf-8") {
                    Some(to) => Cow::Owned(translate(&decoded, from, to)),
                    None => decoded,
                },
                _ => decoded,
            };
            self.found.push(match text {
                Cow::Borrowed(text) => with_returns(text),
                Cow::Owned(text) => Cow::Owned(with_returns(&text).into_owned()),
            });
        }
    }

    /// The parts between the lines of a boundary; what stands before the first and
    /// after the last belongs to the whole.
    fn multipart(&mut self, kind: &Kind, boundary: &[u8], body: &'m [u8], depth: u32) {
        let mut around = Vec::new();
        let mut start = 0;
        let mut at = 0;
        let mut inside = false;
        let mut closed = false;
        let mut entities = Vec::new();
        for line in body.split_inclusive(|c| *c == b'\n') {
            let delimiter = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary));
            let end = delimiter.map(|rest| rest.trim_ascii_end());
            if let (Some(end @ (b"" | b"--")), false) = (end, closed) {
                // The newline before the line belongs to the boundary.
                let part = &body[start..at.max(start)];
                if inside {
                    entities.push(part.strip_suffix(b"\n").unwrap_or(part));
                } else {
                    around.extend_from_slice(part);
                }
                inside = end.is_empty();
                closed = !inside;
                start = at + line.len();
            }
            at += line.len();
        }
        let rest = &body[start..];
        if inside {
            entities.push(rest)
        } else {
            around.extend_from_slice(rest)
        }
        if self.wants(&kind.name) {
            self.found.push(Cow::Owned(with_returns(&around).into_owned()));
        }
        for entity in entities {
            let (head, text) = divided(entity);
            self.entity(&fields(head), text, depth + 1);
        }
    }

    /// Whether one of the types covers a type: the whole one, or its first half.
    fn wants(&self, name: &[u8]) -> bool {
        let half = memchr::memchr(b'/', name).map_or(name, |at| &name[..at]);
        self.types.iter().any(|wanted| {
            wanted.is_empty()
                || wanted.eq_ignore_ascii_case(name)
                || wanted.eq_ignore_ascii_case(half)
        })
    }
}

/// What a Content-Type header says.
struct Kind {
    /// In lower case.
    name: Vec<u8>,
    boundary: Option<Vec<u8>>,
    charset: Option<Vec<u8>>,
}

impl Kind {
    fn of(headers: &[Header]) -> Self {
        let header = headers.iter().find(|header| header.is(b"content-type"));
        let mut kind = Self { name: b"text/plain".to_vec(), boundary: None, charset: None };
        let Some(header) = header else { return kind };
        let value = header.value();
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let name = value[..end].trim_ascii().to_ascii_lowercase();
        if name.contains(&b'/') {
            kind.name = name;
        }
        let mut rest = &value[end..];
        while let Some(after) = rest.strip_prefix(b";") {
            let (name, text, left) = parameter(after);
            match name.to_ascii_lowercase().as_slice() {
                b"boundary" => kind.boundary = Some(text),
                b"charset" => kind.charset = Some(text),
                _ => {}
            }
            rest = left;
        }
        kind
    }
}

/// The name and value of a parameter, and what is left from the next semicolon.
fn parameter(text: &[u8]) -> (&[u8], Vec<u8>, &[u8]) {
    let stop = text.iter().position(|c| matches!(c, b'=' | b';')).unwrap_or(text.len());
    let name = text[..stop].trim_ascii();
    let Some(after) = text[stop..].strip_prefix(b"=") else {
        return (name, Vec::new(), &text[stop..]);
    };
    let after = after.trim_ascii_start();
    let Some(mut rest) = after.strip_prefix(b"\"") else {
        let end = memchr::memchr(b';', after).unwrap_or(after.len());
        return (name, after[..end].trim_ascii().to_vec(), &after[end..]);
    };
    let mut value = Vec::new();
    loop {
        match rest {
            [b'\\', byte, tail @ ..] => {
                value.push(*byte);
                rest = tail;
            }
            [] | [b'"', ..] => break,
            [byte, tail @ ..] => {
                value.push(*byte);
                rest = tail;
            }
        }
    }
    let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
    (name, value, &rest[end..])
}

/// A part's header and its text.
fn divided(part: &[u8]) -> (&[u8], &[u8]) {
    if let Some(text) = part.strip_prefix(b"\n") {
        return (b"", text);
    }
    match memchr::memmem::find(part, b"\n\n") {
        Some(end) => (&part[..end + 1], &part[end + 2..]),
        None => (part, b""),
    }
}

/// The lines of a part's header.
fn fields(head: &[u8]) -> Vec<Header> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in head.split_inclusive(|c| *c == b'\n') {
        match lines.last_mut() {
            Some(last) if matches!(line.first(), Some(b' ' | b'\t')) => last.extend(line),
            _ => lines.push(line.to_vec()),
        }
    }
    lines.into_iter().map(Header::new).collect()
}

/// A text without its transfer encoding; one that is not sound stays as it is.
fn transferred<'m>(headers: &[Header], body: &'m [u8]) -> Cow<'m, [u8]> {
    let header = headers.iter().find(|header| header.is(b"content-transfer-encoding"));
    let name = header.map(|h| h.value().trim_ascii().to_ascii_lowercase()).unwrap_or_default();
    match name.as_slice() {
        b"base64" => base64::decode(body).map_or(Cow::Borrowed(body), Cow::Owned),
        b"quoted-printable" => Cow::Owned(unquoted(body)),
        _ => Cow::Borrowed(body),
    }
}

/// Quoted-printable text, decoded (RFC 2045).
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|c| *c == b'\n') {
        let newline = line.ends_with(b"\n");
        let mut rest = line.trim_ascii_end();
        let soft = rest.ends_with(b"=");
        if soft {
            rest = &rest[..rest.len() - 1];
        }
        while let [byte, tail @ ..] = rest {
            rest = tail;
            let digit = |c: &u8| (*c as char).to_digit(16);
            match (byte, rest) {
                (b'=', [high, low, tail @ ..]) => match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => {
                        out.push((high * 16 + low) as u8);
                        rest = tail;
                    }
                    _ => out.push(b'='),
                },
                _ => out.push(*byte),
            }
        }
        if newline && !soft {
            out.push(b'\n');
        }
    }
    out
}

/// A text whose lines end in CR LF.
fn with_returns(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\n') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive(|c| *c == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use eximious_grammar::sieve::SieveString;

    use super::*;

    const MAIL: &str = "pre\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\
        Content-Transfer-Encoding: quoted-printable\n\ncaf=E9 =\nx\ny\n--b\n\
        Content-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+\n--b\n\
        Content-Type: message/rfc822\n\nSubject: in\n\ninner\n--b\n\
        Content-Type: multipart/x;\n boundary=\"c \\d\"\n\n--c d\n\nnested\n--c d--\n--b--\nend";

    fn check(types: &[&str], expected: &[&str]) {
        let headers = [Header::new("Content-Type: multipart/mixed; boundary=b\n")];
        let text =
            |text: &&str| SieveString { bytes: text.as_bytes().to_vec(), ..SieveString::default() };
        let found = parts(
            &headers,
            MAIL.as_bytes(),
            &BodyTransform::Content(types.iter().map(text).collect()),
        );
        let found: Vec<_> = found.iter().map(|part| String::from_utf8_lossy(part)).collect();
        assert_eq!(found, expected, "{types:?}");
    }

    #[test]
    fn parts_are_found_by_their_types() {
        check(&["TEXT/plain"], &["caf\u{e9} x\r\ny", "inner", "nested"]);
        check(&["text/html"], &["<b>"]);
        check(&["message"], &["Subject: in\r\n"]);
        check(&["multipart/mixed"], &["pre\r\nend"]);
        check(&["text/", "", "x"][..1], &[]);
    }
}
