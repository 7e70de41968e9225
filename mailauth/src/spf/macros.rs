//! SPF's macros: `%{d}`, `%{ir}`, `%%` and their like (RFC 7208, section 7).

use std::net::IpAddr;

/// What macros make is cut off here: a record may repeat a long address ever
/// so often.
const LONGEST: usize = 16 << 10;
/// The bytes that a value may be split at.
const DELIMITERS: &[u8] = b".-+,/_=";

/// The values of letters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'s> {
    pub(super) address: IpAddr,
    local: &'s [u8],
    domain: &'s [u8],
    helo: &'s [u8],
    receiver: &'s [u8],
}

/// A part of a text.
enum Part<'t> {
    Literal(u8),
    Encoded(&'static [u8]),
    Macro { letter: u8, keep: Option<usize>, reversed: bool, delimiters: &'t [u8] },
}

/// Whether a text may stand as the value of a modifier.
pub(super) fn is_macro_string(text: &[u8]) -> bool {
    parts(text, false).is_some()
}

/// Whether a text may stand for a domain: it ends in a label that is no number,
/// or in a macro.
pub(super) fn is_domain_spec(text: &[u8]) -> bool {
    let Some(parts) = parts(text, false) else { return false };
    if matches!(parts.last(), Some(Part::Macro { .. })) {
        return true;
    }
    let text = text.strip_suffix(b".").unwrap_or(text);
    let Some(dot) = memchr::memrchr(b'.', text) else { return false };
    let label = &text[dot + 1..];
    let ends = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    label.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
        && !label.iter().all(u8::is_ascii_digit)
        && ends(label.first())
        && ends(label.last())
}

/// Whether the host's name stands in a text.
pub(super) fn needs_name(text: &[u8]) -> bool {
    text.windows(3).any(|part| matches!(part, b"%{p" | b"%{P"))
}

/// Reads a text; `None` where a macro is none. In an explanation, more letters
/// have a meaning, and there may be spaces.
fn parts(text: &[u8], in_explanation: bool) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        if *byte != b'%' {
            if !in_explanation && !matches!(byte, b'!'..=b'~') {
                return None;
            }
            parts.push(Part::Literal(*byte));
            continue;
        }
        let next = *text.get(at)?;
        at += 1;
        match next {
            b'%' => parts.push(Part::Literal(b'%')),
            b'_' => parts.push(Part::Literal(b' ')),
            b'-' => parts.push(Part::Encoded(b"%20")),
            b'{' => {
                let end = at + memchr::memchr(b'}', &text[at..])?;
                parts.push(one(&text[at..end], in_explanation)?);
                at = end + 1;
            }
            _ => return None,
        }
    }
    Some(parts)
}

/// What stands between the braces.
fn one(text: &[u8], in_explanation: bool) -> Option<Part<'_>> {
    let (letter, rest) = text.split_first()?;
    let known: &[u8] = if in_explanation { b"slodipvhcrt" } else { b"slodipvh" };
    if !known.contains(&letter.to_ascii_lowercase()) {
        return None;
    }
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(digits);
    let keep = match digits {
        b"" => None,
        // What is too large keeps all.
        digits => {
            let number = std::str::from_utf8(digits).ok()?.parse().unwrap_or(usize::MAX);
            Some(number).filter(|number| *number > 0).map(Some)?
        }
    };
    let reversed = matches!(rest.first(), Some(b'r' | b'R'));
    let delimiters = if reversed { &rest[1..] } else { rest };
    let proper = delimiters.iter().all(|c| DELIMITERS.contains(c));
    proper.then_some(Part::Macro { letter: *letter, keep, reversed, delimiters })
}

impl<'s> Subject<'s> {
    /// The values for one check.
    pub(super) fn new(
        address: IpAddr,
        local: &'s [u8],
        domain: &'s [u8],
        helo: &'s [u8],
        receiver: &'s [u8],
    ) -> Self {
        Self { address, local, domain, helo, receiver }
    }

    /// A text with its macros expanded, for a domain and with the host's name;
    /// in an explanation, with the time.
    pub(super) fn expanded(
        &self,
        text: &[u8],
        domain: &[u8],
        name: &[u8],
        explanation: Option<i64>,
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for part in parts(text, explanation.is_some())? {
            match part {
                Part::Literal(byte) => out.push(byte),
                Part::Encoded(bytes) => out.extend_from_slice(bytes),
                Part::Macro { letter, keep, reversed, delimiters } => {
                    let value = self.value(letter.to_ascii_lowercase(), domain, name, explanation);
                    let value = transformed(&value, keep, reversed, delimiters);
                    match letter.is_ascii_uppercase() {
                        true => push_encoded(&value, &mut out),
                        false => out.extend_from_slice(&value),
                    }
                }
            }
            if out.len() > LONGEST {
                return None;
            }
        }
        Some(out)
    }

    fn value(&self, letter: u8, domain: &[u8], name: &[u8], now: Option<i64>) -> Vec<u8> {
        match letter {
            b's' => [self.local, b"@", self.domain].concat(),
            b'l' => self.local.to_vec(),
            b'o' => self.domain.to_vec(),
            b'd' => domain.to_vec(),
            b'i' => match self.address {
                IpAddr::V4(address) => address.to_string().into_bytes(),
                IpAddr::V6(address) => {
                    let digits: Vec<String> = address
                        .octets()
                        .iter()
                        .map(|byte| format!("{:x}.{:x}", byte >> 4, byte & 15))
                        .collect();
                    digits.join(".").into_bytes()
                }
            },
            b'p' => name.to_vec(),
            b'v' => {
                if self.address.is_ipv4() {
                    b"in-addr".to_vec()
                } else {
                    b"ip6".to_vec()
                }
            }
            b'h' => self.helo.to_vec(),
            b'c' => self.address.to_string().into_bytes(),
            b'r' if self.receiver.is_empty() => b"unknown".to_vec(),
            b'r' => self.receiver.to_vec(),
            b't' => now.unwrap_or_default().to_string().into_bytes(),
            _ => Vec::new(),
        }
    }
}

/// Splits a value, turns its parts round, keeps the last ones, and joins them
/// with dots.
fn transformed(value: &[u8], keep: Option<usize>, reversed: bool, delimiters: &[u8]) -> Vec<u8> {
    if keep.is_none() && !reversed && delimiters.is_empty() {
        return value.to_vec();
    }
    let delimiters = if delimiters.is_empty() { b".".as_slice() } else { delimiters };
    let mut parts: Vec<&[u8]> = value.split(|c| delimiters.contains(c)).collect();
    if reversed {
        parts.reverse();
    }
    let first = parts.len().saturating_sub(keep.unwrap_or(usize::MAX));
    parts[first..].join(&b"."[..])
}

/// Bytes as they may stand in a URL.
fn push_encoded(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => out.push(*byte),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let subject = |address: &str| Subject {
            address: address.parse().unwrap(),
            local: b"strong-bad",
            domain: b"email.example.com",
            helo: b"",
            receiver: b"",
        };
        let check = |address: &str, text: &str, expanded: &str| {
            let domain = b"email.example.com";
            let made = subject(address).expanded(text.as_bytes(), domain, b"unknown", None);
            assert_eq!(
                made.map(|m| String::from_utf8(m).unwrap()).as_deref(),
                Some(expanded),
                "{text}"
            );
        };
        for (text, expanded) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%{S}%%%_%-", "strong-bad%40email.example.com% %20"),
        ] {
            check("192.0.2.3", text, expanded);
        }
        let nibbles = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2";
        check(
            "2001:db8::cb01",
            "%{ir}.%{v}._spf.%{d2}",
            &format!("{nibbles}.ip6._spf.example.com"),
        );
    }

    #[test]
    fn cve_2023_42118_odd_macros_are_none() {
        for odd in [
            "%",
            "%{",
            "%{}",
            "%{s",
            "%{0}",
            "%{s0}",
            "%{sr",
            "%{s99999999999999999999r.-+,/_=x}",
            "%{r}",
            "%{z}",
            "%a",
            "a%",
            "%{-}",
            "%{dr4}",
            "a b",
            "\u{e9}",
        ] {
            assert!(!is_macro_string(odd.as_bytes()), "{odd}");
            assert!(!is_domain_spec(odd.as_bytes()), "{odd}");
        }
        assert!(is_macro_string(b"%{s99999999999999999999r.-+,/_=}"));
        let subject = Subject::new([1, 2, 3, 4].into(), &[b'l'; 4000], b"d.example", b"", b"");
        let text = b"%{l}".repeat(1000);
        assert_eq!(subject.expanded(&text, b"d.example", b"", None), None);
    }
}
