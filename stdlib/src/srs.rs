//! The Sender Rewriting Scheme (specification 58.2.1): an address in the local
//! part of another, with a day and a signature.
//!
//! `SRS0=HHHH=DD=domain=local`: the first two bytes of an HMAC-MD5 over the
//! address, the day since 1970 modulo 1024 as two characters in base 32, and
//! the address turned round.

use crate::address::{self, AddressError, Rules};
use crate::mac;

/// How many days an encoded address is accepted.
const LIFE: i64 = 10;
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The address for a return path, at a domain of ours.
///
/// # Errors
/// Where the return path is no address, with Exim's words.
pub fn encode(
    return_path: &[u8],
    domain: &[u8],
    secret: &[u8],
    day: i64,
    rules: Rules,
) -> Result<Vec<u8>, AddressError> {
    let address = address::parse(return_path, rules)?;
    let day = day.rem_euclid(1024) as usize;
    let stamp = [DIGITS[day >> 5], DIGITS[day & 31]];
    let quoted = address.local_part().contains(&b'"');
    let mut out = Vec::with_capacity(return_path.len() + domain.len() + 20);
    if quoted {
        out.push(b'"');
    }
    out.extend_from_slice(b"SRS0=");
    out.extend_from_slice(&signature(secret, return_path));
    out.push(b'=');
    out.extend_from_slice(&stamp);
    out.push(b'=');
    out.extend_from_slice(address.domain());
    out.push(b'=');
    out.extend(address.local_part().iter().filter(|c| **c != b'"'));
    if quoted {
        out.push(b'"');
    }
    out.push(b'@');
    out.extend_from_slice(domain);
    Ok(out)
}

/// An encoded address, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded<'a> {
    hash: &'a [u8],
    stamp: [u8; 2],
    domain: &'a [u8],
    local_part: &'a [u8],
    quoted: bool,
}

impl<'a> Encoded<'a> {
    /// Takes a local part apart; `None` where it is not of that form.
    pub fn of(text: &'a [u8]) -> Option<Self> {
        // Exim quotes the local part that it finds if anything in the whole
        // needs quotes.
        let quoted = !text.iter().copied().all(is_atom);
        let (word, rest) = text.split_at_checked(5)?;
        if !word.eq_ignore_ascii_case(b"SRS0=") {
            return None;
        }
        let mut parts = rest.splitn(4, |c| *c == b'=');
        let (hash, stamp, domain) = (parts.next()?, parts.next()?, parts.next()?);
        let local_part = parts.next()?;
        // A newline at the end is passed over, as `$` in a pattern does.
        let local_part = local_part.strip_suffix(b"\n").unwrap_or(local_part);
        let stamp: [u8; 2] = stamp.try_into().ok()?;
        let digits = stamp.iter().all(|c| DIGITS.contains(&c.to_ascii_lowercase()));
        (!hash.is_empty() && digits && !local_part.contains(&b'\n')).then_some(Self {
            hash,
            stamp,
            domain,
            local_part,
            quoted,
        })
    }

    /// The address that was encoded, in lower case.
    pub fn address(&self) -> Vec<u8> {
        let quote: &[u8] = if self.quoted { b"\"" } else { b"" };
        [quote, self.local_part, quote, b"@", self.domain].concat().to_ascii_lowercase()
    }

    /// Whether the signature is right and the day is not too long ago.
    pub fn is_valid(&self, secret: &[u8], today: i64) -> bool {
        let digit = |c: u8| DIGITS.iter().position(|d| *d == c);
        let (Some(high), Some(low)) = (digit(self.stamp[0]), digit(self.stamp[1])) else {
            return false;
        };
        let age = (today - (high * 32 + low) as i64).rem_euclid(1024);
        mac::same(&signature(secret, &self.address()), self.hash) && age <= LIFE
    }
}

/// The four digits over an address, whose case does not count.
fn signature(secret: &[u8], address: &[u8]) -> [u8; 4] {
    let digest = mac::md5(secret, &[&address.to_ascii_lowercase()]);
    let digits = mac::hex(&digest[..2]);
    [digits[0], digits[1], digits[2], digits[3]]
}

/// What may stand in a local part without quotes, dots included.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20, when a real Exim gave these.
    const DAY: i64 = 20_777;

    fn encoded(return_path: &str) -> String {
        let rules = Rules::default();
        let found = encode(return_path.as_bytes(), b"d.e", b"secret", DAY, rules).unwrap();
        String::from_utf8(found).unwrap()
    }

    #[test]
    fn encodes_as_exim() {
        assert_eq!(encoded("a@b.c"), "SRS0=a979=jj=b.c=a@d.e");
        assert_eq!(encoded("A@B.C"), "SRS0=a979=jj=B.C=A@d.e");
        assert_eq!(encoded("a"), "SRS0=b0eb=jj==a@d.e");
        assert_eq!(encoded("\"a\".\"b\"@c"), "\"SRS0=2301=jj=c=a.b\"@d.e");
        // The signature is over what was given, not over the address in it.
        assert_eq!(encoded("<a@b>"), "SRS0=2b67=jj=b=a@d.e");
    }

    #[test]
    fn decodes_as_exim() {
        let check = |text: &str, day: i64| {
            let parts = Encoded::of(text.as_bytes()).unwrap();
            (String::from_utf8(parts.address()).unwrap(), parts.is_valid(b"secret", day))
        };
        assert_eq!(check("SRS0=a979=jj=b.c=a", DAY), ("a@b.c".into(), true));
        assert_eq!(check("srs0=a979=jj=B.c=A", DAY), ("a@b.c".into(), true));
        assert!(!check("SRS0=a979=JJ=b.c=a", DAY).1);
        assert!(!check("SRS0=a979e=jj=b.c=a", DAY).1);
        assert_eq!(check("SRS0=a979=jj=b.c=a@x.y", DAY).0, "\"a@x.y\"@b.c");
        for (days, valid) in [(-1, false), (0, true), (10, true), (11, false), (1024, true)] {
            assert_eq!(check("SRS0=a979=jj=b.c=a", DAY + days).1, valid, "{days}");
        }
        for text in ["", "SRS0=", "SRS0=a=jj=b", "SRS0==jj=b=a", "SRS0=a=j1=b=a", "SRS1=a=jj=b=c"] {
            assert_eq!(Encoded::of(text.as_bytes()), None, "{text}");
        }
    }
}
