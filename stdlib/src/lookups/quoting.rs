//! What makes data safe in a query: one function for each kind of query
//! (specification, chapter 9).

use eximious_core::Quote;

use crate::printing::UPPER;

/// For MySQL: a backslash before quotes and backslashes, and letters for
/// white space other than a space.
pub fn mysql(text: &[u8]) -> Vec<u8> {
    backslashed(text, b"\\'")
}

/// For Oracle: as for MySQL.
pub fn oracle(text: &[u8]) -> Vec<u8> {
    backslashed(text, b"\\'")
}

/// For PostgreSQL: as for MySQL, but a single quote is doubled, because a
/// server may refuse it after a backslash.
pub fn pgsql(text: &[u8]) -> Vec<u8> {
    backslashed(text, b"''")
}

fn backslashed(text: &[u8], single_quote: &[u8; 2]) -> Vec<u8> {
    replaced(text, |byte| match byte {
        b'\n' => Some(*b"\\n"),
        b'\t' => Some(*b"\\t"),
        b'\r' => Some(*b"\\r"),
        8 => Some(*b"\\b"),
        b'\'' => Some(*single_quote),
        b'"' | b'\\' => Some([b'\\', byte]),
        _ => None,
    })
}

/// For SQLite: single quotes are doubled.
pub fn sqlite(text: &[u8]) -> Vec<u8> {
    replaced(text, |byte| (byte == b'\'').then_some(*b"''"))
}

/// For NIS+: double quotes are doubled.
pub fn nisplus(text: &[u8]) -> Vec<u8> {
    replaced(text, |byte| (byte == b'"').then_some(*b"\"\""))
}

/// For Redis: a backslash before white space and backslashes.
pub fn redis(text: &[u8]) -> Vec<u8> {
    replaced(text, |byte| matches!(byte, b' ' | 9..=13 | b'\\').then_some([b'\\', byte]))
}

fn replaced(text: &[u8], pair: impl Fn(u8) -> Option<[u8; 2]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text {
        match pair(*byte) {
            Some(pair) => out.extend_from_slice(&pair),
            None => out.push(*byte),
        }
    }
    out
}

/// For a filter in an LDAP query: RFC 4515's escapes for what has a meaning
/// there, then the escapes of a URL.
pub fn ldap(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    for byte in text {
        if matches!(byte, b'(' | b')' | b'*' | b'\\') {
            out.extend_from_slice(b"%5C");
            push_hexadecimal(*byte, &mut out);
        } else {
            push_in_url(*byte, &mut out);
        }
    }
    out
}

/// For a distinguished name in an LDAP query: RFC 4514's escapes, spaces and
/// hash signs at the head and spaces at the end included, then the escapes of
/// a URL.
pub fn ldap_dn(text: &[u8]) -> Vec<u8> {
    let head = text.iter().take_while(|c| matches!(c, b' ' | b'#')).count();
    let tail = text.iter().rposition(|c| *c != b' ').map_or(0, |n| n + 1);
    let mut out = Vec::with_capacity(text.len() * 2);
    for (at, byte) in text.iter().enumerate() {
        let special = matches!(byte, b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';');
        if special || at < head || at >= tail {
            out.extend_from_slice(b"%5C");
        }
        push_in_url(*byte, &mut out);
    }
    out
}

fn push_in_url(byte: u8, out: &mut Vec<u8>) {
    if byte.is_ascii_alphanumeric() || b"!$'-._()*+".contains(&byte) {
        out.push(byte);
    } else {
        out.push(b'%');
        push_hexadecimal(byte, out);
    }
}

fn push_hexadecimal(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[UPPER[usize::from(byte >> 4)], UPPER[usize::from(byte & 15)]]);
}

/// The function for `${quote_LOOKUP_OPTION:…}`. The LDAP types have an option
/// for distinguished names; no other type has any.
pub fn variant(lookup: &str, option: &[u8]) -> Option<Quote> {
    (matches!(lookup, "ldap" | "ldapdn" | "ldapm") && option == b"dn").then_some(ldap_dn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quote: fn(&[u8]) -> Vec<u8>, text: &str, quoted: &str) {
        assert_eq!(String::from_utf8_lossy(&quote(text.as_bytes())), quoted);
    }

    #[test]
    fn quotes_as_the_program_does() {
        check(mysql, "a'b\"c\\d\n\t\r\x08%_", "a\\'b\\\"c\\\\d\\n\\t\\r\\b%_");
        check(oracle, "it's", "it\\'s");
        check(pgsql, "a'b\"c\\d\n", "a''b\\\"c\\\\d\\n");
        check(sqlite, "it's \\ \"", "it''s \\ \"");
        check(nisplus, "a\"b", "a\"\"b");
        check(redis, "a b\"c\\d", "a\\ b\"c\\\\d");
        check(ldap, " a(bc)*, a<yz>; ", "%20a%5C28bc%5C29%5C2A%2C%20a%3Cyz%3E%3B%20");
        check(ldap_dn, " a(bc)*, a<yz>; ", "%5C%20a(bc)*%5C%2C%20a%5C%3Cyz%5C%3E%5C%3B%5C%20");
        check(ldap_dn, "# #a # ", "%5C%23%5C%20%5C%23a%20%23%5C%20");
        check(ldap_dn, "  ", "%5C%20%5C%20");
    }
}
