//! Filters of searches: from their written form (RFC 4515), as OpenLDAP's
//! library reads it, to the protocol's.
//!
//! The library is laxer than the RFC: the outermost parentheses may be missing,
//! white space may stand around filters in a list, and a backslash may stand
//! before `*`, `(`, `)` and itself, as in LDAP's second version.

use super::ber::put;

/// How deep filters may stand in each other.
const DEEPEST: u32 = 100;

/// The protocol's form; `None` where the filter makes no sense.
pub(super) fn encode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if text.first() == Some(&b'(') {
        let rest = group(text, 0, &mut out)?;
        return rest.is_empty().then_some(out);
    }
    test(text, &mut out)?;
    Some(out)
}

/// A filter in parentheses at the head of a text; what follows it.
fn group<'a>(text: &'a [u8], depth: u32, out: &mut Vec<u8>) -> Option<&'a [u8]> {
    if depth > DEEPEST {
        return None;
    }
    let inner = unspaced(text.strip_prefix(b"(")?);
    let tag = match inner.first()? {
        b'&' => 0xa0,
        b'|' => 0xa1,
        b'!' => 0xa2,
        _ => {
            let end = closing(inner)?;
            test(&inner[..end], out)?;
            return Some(&inner[end + 1..]);
        }
    };
    let mut rest = unspaced(&inner[1..]);
    let mut parts = Vec::new();
    let mut count = 0;
    while rest.first() != Some(&b')') {
        rest = unspaced(group(rest, depth + 1, &mut parts)?);
        count += 1;
    }
    if tag == 0xa2 && count != 1 {
        return None;
    }
    put(out, tag, &parts);
    rest.strip_prefix(b")")
}

/// Where the parenthesis is that closes a test.
fn closing(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b')' => return Some(at),
            b'(' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// A single test, such as `uid=fred`.
fn test(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let equals = text.iter().position(|c| *c == b'=')?;
    let (name, value) = (&text[..equals], &text[equals + 1..]);
    let (tag, name) = match name.split_last() {
        Some((b'>', name)) => (0xa5, name),
        Some((b'<', name)) => (0xa6, name),
        Some((b'~', name)) => (0xa8, name),
        Some((b':', name)) => return extensible(name, value, out),
        _ => return equality(name, value, out),
    };
    let mut body = Vec::new();
    put(&mut body, 4, description(name)?);
    put(&mut body, 4, &unescaped(value)?);
    put(out, tag, &body);
    Some(())
}

/// `name=value`, where stars stand for anything.
fn equality(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let name = description(name)?;
    if value == b"*" {
        put(out, 0x87, name);
        return Some(());
    }
    let pieces = at_stars(value);
    let mut body = Vec::new();
    put(&mut body, 4, name);
    if let [whole] = pieces[..] {
        put(&mut body, 4, &unescaped(whole)?);
        put(out, 0xa3, &body);
        return Some(());
    }
    let mut parts = Vec::new();
    let last = pieces.len() - 1;
    for (number, piece) in pieces.iter().enumerate() {
        let tag = match number {
            0 => 0x80,
            number if number == last => 0x82,
            _ => 0x81,
        };
        match (piece, number) {
            ([], number) if number == 0 || number == last => {}
            ([], _) => return None,
            _ => put(&mut parts, tag, &unescaped(piece)?),
        }
    }
    put(&mut body, 0x30, &parts);
    put(out, 0xa4, &body);
    Some(())
}

/// The pieces between stars that no backslash stands before.
fn at_stars(value: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(byte) = value.get(at) {
        match byte {
            b'\\' => at += 2,
            b'*' => {
                pieces.push(&value[start..at]);
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    pieces.push(&value[start..]);
    pieces
}

/// `name:dn:rule:=value`.
fn extensible(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let colon = name.iter().position(|c| *c == b':').unwrap_or(name.len());
    let (name, rest) = name.split_at(colon);
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (dn, rule) = match rest.get(..2).filter(|word| word.eq_ignore_ascii_case(b"dn")) {
        Some(_) if rest.len() == 2 => (true, &rest[2..]),
        Some(_) if rest[2] == b':' => (true, &rest[3..]),
        _ => (false, rest),
    };
    if name.is_empty() && rule.is_empty() {
        return None;
    }
    let mut body = Vec::new();
    if !rule.is_empty() {
        is_name(rule).then(|| put(&mut body, 0x81, rule))?;
    }
    if !name.is_empty() {
        put(&mut body, 0x82, description(name)?);
    }
    put(&mut body, 0x83, &unescaped(value)?);
    if dn {
        put(&mut body, 0x84, &[0xff]);
    }
    put(out, 0xa9, &body);
    Some(())
}

/// An attribute's name, perhaps with options behind semicolons.
fn description(text: &[u8]) -> Option<&[u8]> {
    let mut parts = text.split(|c| *c == b';');
    let word = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
    };
    (parts.next().is_some_and(is_name) && parts.all(word)).then_some(text)
}

/// Whether it is a word, or a number with dots.
fn is_name(text: &[u8]) -> bool {
    match text.first() {
        Some(first) if first.is_ascii_alphabetic() => {
            text.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
        }
        Some(_) => text
            .split(|c| *c == b'.')
            .all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit)),
        None => false,
    }
}

/// A value without its escapes; `None` where one is wrong, or where something
/// stands there that needs one.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'(' | b')' | b'*' => return None,
            b'\\' => match bytes.next()? {
                escaped @ (b'(' | b')' | b'*' | b'\\') => out.push(*escaped),
                high => out.push(hex(*high)? << 4 | hex(*bytes.next()?)?),
            },
            byte => out.push(*byte),
        }
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

fn unspaced(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|c| !matches!(c, b' ' | b'\t' | b'\n'));
    &text[start.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, encoded: &[u8]) {
        let found = encode(text.as_bytes()).expect("a filter");
        assert_eq!(found.escape_ascii().to_string(), encoded.escape_ascii().to_string(), "{text}");
    }

    #[test]
    fn tests_have_the_protocols_form() {
        check("uid=fred", b"\xa3\x0b\x04\x03uid\x04\x04fred");
        check("( uid=fred )", b"\xa3\x0c\x04\x03uid\x04\x05fred ");
        check("(a=*)", b"\x87\x01a");
        check("(a=b*)", b"\xa4\x08\x04\x01a0\x03\x80\x01b");
        check("(a=*b)", b"\xa4\x08\x04\x01a0\x03\x82\x01b");
        check("(a=*b*)", b"\xa4\x08\x04\x01a0\x03\x81\x01b");
        check("(a=b*c*d)", b"\xa4\x0e\x04\x01a0\t\x80\x01b\x81\x01c\x82\x01d");
        check("(a=b*\\2a)", b"\xa4\x0b\x04\x01a0\x06\x80\x01b\x82\x01*");
        check("(a>=b)", b"\xa5\x06\x04\x01a\x04\x01b");
        check("(a<=)", b"\xa6\x05\x04\x01a\x04\x00");
        check("(a~=b)", b"\xa8\x06\x04\x01a\x04\x01b");
        check("(a=b\\*c)", b"\xa3\x08\x04\x01a\x04\x03b*c");
        check("(a=b\\00c)", b"\xa3\x08\x04\x01a\x04\x03b\0c");
        check("(a;lang-en==b)", b"\xa3\x0f\x04\ta;lang-en\x04\x02=b");
        check("(1.2.3=b)", b"\xa3\x0a\x04\x051.2.3\x04\x01b");
    }

    #[test]
    fn rules_of_comparison() {
        check("(a:=b)", b"\xa9\x06\x82\x01a\x83\x01b");
        check("(a::=b)", b"\xa9\x06\x82\x01a\x83\x01b");
        check("(a:DN:=b)", b"\xa9\x09\x82\x01a\x83\x01b\x84\x01\xff");
        check("(a:dn:1.2:=b)", b"\xa9\x0e\x81\x031.2\x82\x01a\x83\x01b\x84\x01\xff");
        check("(:1.2:=b)", b"\xa9\x08\x81\x031.2\x83\x01b");
    }

    #[test]
    fn filters_stand_in_filters() {
        check("(&)", b"\xa0\x00");
        check("(| (a=b) (c=d) )", b"\xa1\x10\xa3\x06\x04\x01a\x04\x01b\xa3\x06\x04\x01c\x04\x01d");
        check("(!(a=b))", b"\xa2\x08\xa3\x06\x04\x01a\x04\x01b");
    }

    #[test]
    fn what_makes_no_sense() {
        for text in [
            "",
            "uid",
            "()",
            "((a=b))",
            "(a=b) ",
            " (a=b)",
            "(a = b)",
            "(=x)",
            "(a=**)",
            "(a=b)(c=d)",
            "a=b)",
            "(a=b))",
            "((a=b)",
            "(!)",
            "(!a=b)",
            "(!(a=b)(c=d))",
            "(&a=b)",
            "&(a=b)",
            "(a>b)",
            "(:=b)",
            "(:dn:=b)",
            "(a:dn:1.2:x:=b)",
            "(a=b\\5)",
            "(a=b\\)",
            "(a=b(c)d)",
            "(a b=c)",
            "(a_b=c)",
            "(1a=c)",
            "(a>=*)",
            "(a:=*)",
            "(&(a=b)",
            "(a;=b)",
            "(1.2.=c)",
            "\\",
            "(\\",
            "(a=\\",
            "(&(a=b)x)",
        ] {
            assert_eq!(encode(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn depth_has_an_end() {
        let deep = |count: usize| ["(!".repeat(count), "(a=b)".into(), ")".repeat(count)].concat();
        assert!(encode(deep(100).as_bytes()).is_some());
        assert_eq!(encode(deep(101).as_bytes()), None);
        assert_eq!(encode("(&".repeat(1_000_000).as_bytes()), None);
    }
}
