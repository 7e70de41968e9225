//! How text is quoted for a lookup's query: what `${quote_NAME:…}` does.

/// For MySQL and Oracle: a backslash before quotes and itself, and letters
/// after a backslash for newline, tab, carriage return and backspace.
pub fn mysql(text: &[u8]) -> Vec<u8> {
    escaped(text, |out, byte| match control(byte) {
        Some(letter) => out.extend([b'\\', letter]),
        None if matches!(byte, b'\'' | b'"' | b'\\') => out.extend([b'\\', byte]),
        None => out.push(byte),
    })
}

/// For PostgreSQL: as [`mysql`], but a single quote is doubled.
pub fn pgsql(text: &[u8]) -> Vec<u8> {
    escaped(text, |out, byte| match control(byte) {
        Some(letter) => out.extend([b'\\', letter]),
        None if byte == b'\'' => out.extend(b"''"),
        None if matches!(byte, b'"' | b'\\') => out.extend([b'\\', byte]),
        None => out.push(byte),
    })
}

/// For Oracle.
pub fn oracle(text: &[u8]) -> Vec<u8> {
    mysql(text)
}

/// For SQLite: single quotes are doubled.
pub fn sqlite(text: &[u8]) -> Vec<u8> {
    doubled(text, b'\'')
}

/// For NIS+: double quotes are doubled.
pub fn nisplus(text: &[u8]) -> Vec<u8> {
    doubled(text, b'"')
}

/// For Redis: a backslash before white space and backslashes.
pub fn redis(text: &[u8]) -> Vec<u8> {
    escaped(text, |out, byte| {
        if byte == b'\\' || eximious_core::grammar::is_space(byte) {
            out.push(b'\\');
        }
        out.push(byte);
    })
}

/// For a filter in an LDAP query: first for LDAP, then for the URL
/// (specification 9.11.2).
pub fn ldap(text: &[u8]) -> Vec<u8> {
    escaped(text, |out, byte| match byte {
        b'*' => out.extend(b"%5C2A"),
        b'(' => out.extend(b"%5C28"),
        b')' => out.extend(b"%5C29"),
        b'\\' => out.extend(b"%5C5C"),
        byte => url(out, byte),
    })
}

/// For a distinguished name in an LDAP query: first for LDAP, then for the URL.
pub fn ldap_dn(text: &[u8]) -> Vec<u8> {
    let leading = text.iter().take_while(|c| matches!(c, b' ' | b'#')).count();
    let trailing = text.iter().rev().take_while(|c| **c == b' ').count();
    let mut out = Vec::with_capacity(text.len() + 16);
    for (at, byte) in text.iter().enumerate() {
        let special = matches!(byte, b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';');
        if special || at < leading || at >= text.len() - trailing {
            out.extend(b"%5C");
        }
        url(&mut out, *byte);
    }
    out
}

fn control(byte: u8) -> Option<u8> {
    match byte {
        b'\n' => Some(b'n'),
        b'\t' => Some(b't'),
        b'\r' => Some(b'r'),
        8 => Some(b'b'),
        _ => None,
    }
}

fn escaped(text: &[u8], mut push: impl FnMut(&mut Vec<u8>, u8)) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text {
        push(&mut out, *byte);
    }
    out
}

fn doubled(text: &[u8], quote: u8) -> Vec<u8> {
    escaped(text, |out, byte| {
        if byte == quote {
            out.push(quote);
        }
        out.push(byte);
    })
}

fn url(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || b"!$'-._()*+".contains(&byte) {
        out.push(byte);
    } else {
        out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quote: fn(&[u8]) -> Vec<u8>, text: &str, quoted: &str) {
        assert_eq!(String::from_utf8_lossy(&quote(text.as_bytes())), quoted);
    }

    #[test]
    fn sql() {
        check(mysql, "a\n\t\r\u{8}'\"\\%_", r#"a\n\t\r\b\'\"\\%_"#);
        check(pgsql, "a\n\t\r\u{8}'\"\\%_", r#"a\n\t\r\b''\"\\%_"#);
        check(sqlite, "it's \"x\" \\", "it''s \"x\" \\");
        check(redis, "a b\tc\\d'", "a\\ b\\\tc\\\\d'");
        check(nisplus, "a\"b'", "a\"\"b'");
    }

    #[test]
    fn ldap_as_in_the_specification() {
        check(ldap, " a(bc)*, a<yz>; ", "%20a%5C28bc%5C29%5C2A%2C%20a%3Cyz%3E%3B%20");
        check(ldap_dn, " a(bc)*, a<yz>; ", "%5C%20a(bc)*%5C%2C%20a%5C%3Cyz%5C%3E%5C%3B%5C%20");
        check(ldap_dn, " # a# ", "%5C%20%5C%23%5C%20a%23%5C%20");
        check(ldap_dn, "  ", "%5C%20%5C%20");
    }
}
