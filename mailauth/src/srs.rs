//! The Sender Rewriting Scheme, as its paper has it (M. Wong and Shevek, 2004): a sender at
//! a domain of ours, in place of one whose mail is forwarded, and the way back.
//!
//! `SRS0=HASH=DAY=domain=user` holds an address. Where that is at another forwarder's already,
//! `SRS1=HASH=forwarder==HASH=DAY=domain=user` names the first of them alone: so an address
//! does not grow with each hop, and bounces go to the first forwarder, who knows what it signed.
//! Local parts are without quotes here, both those that are given and those that are made.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Days in base 32 (RFC 4648).
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The days' stamps come back to the first after so many.
const CYCLE: i64 = 1024;
/// How many digits a database's key has.
const KEY_LENGTH: usize = 26;

/// How addresses are written and checked.
#[derive(Clone, Debug)]
pub struct Srs<'a> {
    /// What addresses are signed with: the first signs, and any may have signed.
    pub secrets: Vec<&'a [u8]>,
    /// How many Base64 digits a signature has, at most 27.
    pub hash_length: usize,
    /// How many are enough.
    pub hash_min: usize,
    /// For how many days an address is good, today not counted.
    pub max_age: i64,
    /// Whether there is a signature.
    pub hashes: bool,
    /// Whether there is a day.
    pub stamps: bool,
}

/// Why an address is not turned back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SrsFault {
    /// It is not of this kind.
    NotSrs,
    /// It begins as one, but has not all of its parts.
    Incomplete,
    /// Its signature is of none of the secrets.
    Forged,
    /// It was made too long ago, or has not been made yet.
    Expired,
}

impl SrsFault {
    /// In a few words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotSrs => "not an SRS address",
            Self::Incomplete => "incomplete",
            Self::Forged => "wrong hash",
            Self::Expired => "expired",
        }
    }
}

/// Which of the two forms a local part has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Shortcut,
    Guarded,
}

/// The form of a local part, and what comes behind its tag; that begins with a separator,
/// which may be `=`, `+` or `-`.
fn form(local_part: &[u8]) -> Option<(Form, &[u8])> {
    let (tag, rest) = local_part.split_at_checked(4)?;
    if !matches!(rest.first(), Some(b'=' | b'+' | b'-')) {
        return None;
    }
    match tag.to_ascii_uppercase().as_slice() {
        b"SRS0" => Some((Form::Shortcut, rest)),
        b"SRS1" => Some((Form::Guarded, rest)),
        _ => None,
    }
}

/// Takes what stands before the next `=`.
fn field<'t>(rest: &mut &'t [u8]) -> Option<&'t [u8]> {
    let at = memchr::memchr(b'=', rest)?;
    let (field, behind) = rest.split_at(at);
    *rest = &behind[1..];
    Some(field)
}

impl Srs<'_> {
    /// The local part of the new sender, for mail of `local_part@domain` that is forwarded
    /// on a day (since 1970).
    pub fn forward(&self, local_part: &[u8], domain: &[u8], today: i64) -> Vec<u8> {
        match form(local_part) {
            Some((Form::Shortcut, rest)) => self.guard(domain, rest),
            Some((Form::Guarded, rest)) => match self.guarded(rest) {
                Some((_, first, rest)) => self.guard(first, rest),
                None => self.shortcut(local_part, domain, today),
            },
            None => self.shortcut(local_part, domain, today),
        }
    }

    fn shortcut(&self, local_part: &[u8], domain: &[u8], today: i64) -> Vec<u8> {
        let stamp = stamp(today);
        let stamp: &[u8] = if self.stamps { &stamp } else { b"" };
        let mut out = b"SRS0=".to_vec();
        self.push_hash(&mut out, &[stamp, domain, local_part]);
        if self.stamps {
            out.extend_from_slice(stamp);
            out.push(b'=');
        }
        out.extend_from_slice(domain);
        out.push(b'=');
        out.extend_from_slice(local_part);
        out
    }

    fn guard(&self, first: &[u8], rest: &[u8]) -> Vec<u8> {
        let mut out = b"SRS1=".to_vec();
        self.push_hash(&mut out, &[first, rest]);
        out.extend_from_slice(first);
        out.push(b'=');
        out.extend_from_slice(rest);
        out
    }

    /// Turns a local part back on a day (since 1970): the local part and the domain of the
    /// address that is in it.
    ///
    /// # Errors
    /// There is none in it that counts.
    pub fn reverse(&self, local_part: &[u8], today: i64) -> Result<(Vec<u8>, Vec<u8>), SrsFault> {
        match form(local_part).ok_or(SrsFault::NotSrs)? {
            (Form::Guarded, rest) => {
                let (hash, first, rest) = self.guarded(rest).ok_or(SrsFault::Incomplete)?;
                self.verify(hash, &[first, rest])?;
                Ok(([b"SRS0", rest].concat(), first.to_vec()))
            }
            (Form::Shortcut, rest) => {
                let mut rest = &rest[1..];
                let mut next = |wanted: bool| match wanted {
                    true => field(&mut rest).ok_or(SrsFault::Incomplete),
                    false => Ok(&b""[..]),
                };
                let (hash, stamp) = (next(self.hashes)?, next(self.stamps)?);
                let domain = next(true)?;
                if domain.is_empty() || rest.is_empty() {
                    return Err(SrsFault::Incomplete);
                }
                self.verify(hash, &[stamp, domain, rest])?;
                if self.stamps {
                    let age = age(stamp, today).ok_or(SrsFault::Incomplete)?;
                    if age > self.max_age {
                        return Err(SrsFault::Expired);
                    }
                }
                Ok((rest.to_vec(), domain.to_vec()))
            }
        }
    }

    /// The parts of an address of the second form: its hash, the first forwarder, and what
    /// comes behind `SRS0` there.
    fn guarded<'t>(&self, rest: &'t [u8]) -> Option<(&'t [u8], &'t [u8], &'t [u8])> {
        let mut rest = &rest[1..];
        let hash = if self.hashes { field(&mut rest)? } else { b"" };
        let first = field(&mut rest)?;
        let whole = !first.is_empty() && matches!(rest, [b'=' | b'+' | b'-', _, ..]);
        whole.then_some((hash, first, rest))
    }

    /// The key under which a database has an address that is forwarded on a day: digits that
    /// only those can guess who have the secret. Case does not count in it.
    pub fn key(&self, address: &[u8], today: i64) -> Vec<u8> {
        let secret = self.secrets.first().copied().unwrap_or_default();
        let digest = digest(secret, &[&stamp(today), address]);
        let bits = |at: usize| {
            let byte = |n: usize| u16::from(digest.get(n).copied().unwrap_or_default());
            let pair = byte(at / 8) << 8 | byte(at / 8 + 1);
            usize::from(pair >> (11 - at % 8)) & 31
        };
        (0..KEY_LENGTH).map(|n| DIGITS[bits(n * 5)].to_ascii_lowercase()).collect()
    }

    /// The key in a local part that a database was filled for.
    ///
    /// # Errors
    /// It has none.
    pub fn key_of(local_part: &[u8]) -> Result<Vec<u8>, SrsFault> {
        match form(local_part) {
            Some((Form::Shortcut, rest)) => {
                let key = rest[1..].to_ascii_lowercase();
                let is_key = key.len() == KEY_LENGTH
                    && key.iter().all(|c| DIGITS.contains(&c.to_ascii_uppercase()));
                is_key.then_some(key).ok_or(SrsFault::Incomplete)
            }
            Some((Form::Guarded, _)) => Err(SrsFault::Incomplete),
            None => Err(SrsFault::NotSrs),
        }
    }

    fn push_hash(&self, out: &mut Vec<u8>, parts: &[&[u8]]) {
        if !self.hashes {
            return;
        }
        let secret = self.secrets.first().copied().unwrap_or_default();
        let hash = BASE64_STANDARD_NO_PAD.encode(digest(secret, parts));
        out.extend_from_slice(&hash.as_bytes()[..self.hash_length.min(hash.len())]);
        out.push(b'=');
    }

    /// Hosts on the way may have changed the case of a signature, too; and it may have been
    /// made when signatures were longer, or shorter.
    fn verify(&self, hash: &[u8], parts: &[&[u8]]) -> Result<(), SrsFault> {
        if !self.hashes {
            return Ok(());
        }
        let is_of = |secret: &&[u8]| {
            let own = BASE64_STANDARD_NO_PAD.encode(digest(secret, parts));
            own.len() >= hash.len() && same(own.as_bytes(), hash)
        };
        let long_enough = !hash.is_empty() && hash.len() >= self.hash_min;
        let good = long_enough && self.secrets.iter().any(is_of);
        good.then_some(()).ok_or(SrsFault::Forged)
    }
}

/// Whether the second text begins the first one, but for case, in a time that does not tell
/// where they differ.
fn same(whole: &[u8], head: &[u8]) -> bool {
    let pairs = whole.iter().zip(head);
    pairs.fold(0, |sum, (a, b)| sum | (a.to_ascii_lowercase() ^ b.to_ascii_lowercase())) == 0
}

fn digest(secret: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(&part.to_ascii_lowercase()));
    mac.finalize().into_bytes().into()
}

fn stamp(day: i64) -> [u8; 2] {
    let day = day.rem_euclid(CYCLE) as usize;
    [DIGITS[day >> 5], DIGITS[day & 31]]
}

/// How many days ago a stamp was made.
fn age(stamp: &[u8], today: i64) -> Option<i64> {
    let [high, low] = stamp else { return None };
    let digit = |c: &u8| DIGITS.iter().position(|d| *d == c.to_ascii_uppercase());
    let day = digit(high)? * 32 + digit(low)?;
    Some((today - day as i64).rem_euclid(CYCLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22, when `Mail::SRS` 0.31 gave these with the secret `new`.
    const DAY: i64 = 20_779;
    const FORWARDED: [(&str, &str, &str); 8] = [
        ("user", "host.example", "SRS0=1tgL=JL=host.example=user"),
        ("User", "Host.Example", "SRS0=1tgL=JL=Host.Example=User"),
        ("a=b", "c.d", "SRS0=b2y1=JL=c.d=a=b"),
        ("x+y", "c", "SRS0=CNS7=JL=c=x+y"),
        ("SRS0=abcd=AB=o.example=u", "fwd.example", "SRS1=Q6C7=fwd.example==abcd=AB=o.example=u"),
        (
            "SRS0+abcd=AB=orig.example=u",
            "fwd.example",
            "SRS1=EJGJ=fwd.example=+abcd=AB=orig.example=u",
        ),
        (
            "SRS1=zzzz=first.example==abcd=AB=orig.example=u",
            "second.example",
            "SRS1=01bN=first.example==abcd=AB=orig.example=u",
        ),
        (
            "SRS1-zzzz=first.example=+abcd=AB=orig.example=u",
            "second.example",
            "SRS1=F1cf=first.example=+abcd=AB=orig.example=u",
        ),
    ];

    fn srs() -> Srs<'static> {
        Srs {
            secrets: vec![b"new", b"old"],
            hash_length: 4,
            hash_min: 4,
            max_age: 49,
            hashes: true,
            stamps: true,
        }
    }

    fn reversed(srs: &Srs<'_>, text: &str, day: i64) -> Result<String, SrsFault> {
        let (local_part, domain) = srs.reverse(text.as_bytes(), day)?;
        Ok(String::from_utf8([&local_part[..], b"@", &domain].concat()).unwrap())
    }

    #[test]
    fn forwards_as_mail_srs() {
        for (local_part, domain, wanted) in FORWARDED {
            let found = srs().forward(local_part.as_bytes(), domain.as_bytes(), DAY);
            assert_eq!(String::from_utf8_lossy(&found), wanted);
            let back = reversed(&srs(), wanted, DAY).unwrap();
            // One that was guarded goes to the first forwarder.
            let first = local_part.starts_with("SRS1").then(|| local_part.split_once("example="));
            match first.flatten() {
                Some((_, rest)) => assert_eq!(back, format!("SRS0{rest}@first.example")),
                None => assert_eq!(back, format!("{local_part}@{domain}")),
            }
        }
    }

    #[test]
    fn secrets_age_and_change() {
        let old = Srs { secrets: vec![b"old"], ..srs() };
        let made = old.forward(b"u", b"h", DAY);
        assert_eq!(made, b"SRS0=fLV+=JL=h=u");
        assert_eq!(reversed(&srs(), "SRS0=fLV+=JL=h=u", DAY).unwrap(), "u@h");
        let lost = Srs { secrets: vec![b"new"], ..srs() };
        assert_eq!(reversed(&lost, "SRS0=fLV+=JL=h=u", DAY), Err(SrsFault::Forged));
        // Case that was lost, and a longer signature.
        assert_eq!(reversed(&srs(), "SRS0=FLV+=JL=H=U", DAY).unwrap(), "U@H");
        assert_eq!(reversed(&srs(), "srs0=MLfy9pBs=JL=h=u", DAY).unwrap(), "u@h");
        for (days, good) in [(0, true), (49, true), (50, false), (-1, false), (1024, true)] {
            let found = reversed(&srs(), "SRS0=fLV+=JL=h=u", DAY + days);
            assert_eq!(found.is_ok(), good, "{days}");
            assert!(good || found == Err(SrsFault::Expired));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, fault) in [
            ("foo", SrsFault::NotSrs),
            ("SRS0", SrsFault::NotSrs),
            ("SRS0x", SrsFault::NotSrs),
            ("SRS2=a=b=c=d", SrsFault::NotSrs),
            ("SRS0=", SrsFault::Incomplete),
            ("SRS0=a=b", SrsFault::Incomplete),
            ("SRS0=fLV+=JL==u", SrsFault::Incomplete),
            ("SRS1=a=b=c", SrsFault::Incomplete),
            ("SRS1=abcd=h==u", SrsFault::Forged),
            ("SRS0=fLV=JL=h=u", SrsFault::Forged),
            ("SRS0==JL=h=u", SrsFault::Forged),
            ("SRS0=fLV+=JK=h=u", SrsFault::Forged),
            ("SRS0=fLV+=JL=h=v", SrsFault::Forged),
        ] {
            assert_eq!(reversed(&srs(), text, DAY), Err(fault), "{text}");
        }
        // However little is enough, nothing is not.
        let none = Srs { hash_min: 0, ..srs() };
        assert_eq!(reversed(&none, "SRS0==JL=h=u", DAY), Err(SrsFault::Forged));
    }

    #[test]
    fn parts_may_be_left_out() {
        for (hashes, stamps) in [(false, true), (true, false), (false, false)] {
            let srs = Srs { hashes, stamps, ..srs() };
            for (local_part, domain, _) in FORWARDED {
                let made = srs.forward(local_part.as_bytes(), domain.as_bytes(), DAY);
                let back = srs.reverse(&made, DAY + 100);
                let expired = stamps && made.starts_with(b"SRS0");
                assert_eq!(back.is_err(), expired, "{local_part} {hashes} {stamps}");
            }
        }
    }

    #[test]
    fn keys_of_a_database() {
        let key = srs().key(b"User@host.example", DAY);
        assert_eq!((key.len(), &key), (KEY_LENGTH, &srs().key(b"user@HOST.example", DAY)));
        assert_ne!(key, srs().key(b"user@host.example", DAY + 1));
        let local_part = [b"SRS0=", &key.to_ascii_uppercase()[..]].concat();
        assert_eq!(Srs::key_of(&local_part), Ok(key));
        assert_eq!(Srs::key_of(b"SRS0=abc"), Err(SrsFault::Incomplete));
        assert_eq!(Srs::key_of(b"abc"), Err(SrsFault::NotSrs));
    }
}
