//! Tag lists (RFC 6376, section 3.2): `v=1; a=rsa-sha256; …`.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How many tags of a list are read. A list of any use has fewer.
const MOST_TAGS: usize = 100;

/// One `name=value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tag<'t> {
    /// The name, without white space around it.
    pub name: &'t [u8],
    /// The value, without white space around it.
    pub value: &'t [u8],
    /// Where the value stands in the text, white space around it included.
    pub place: Range<usize>,
}

/// A tag list.
#[derive(Clone, Debug, Default)]
pub struct TagList<'t> {
    tags: Vec<Tag<'t>>,
    /// Whether each tag is a name, an equals sign and a value.
    well_formed: bool,
    /// Whether a name stands there twice.
    duplicates: bool,
}

impl<'t> TagList<'t> {
    /// Reads a list. What is no tag, and the tag behind it, are left out, as a real Exim
    /// does; [`TagList::is_well_formed`] says so.
    pub fn read(text: &'t [u8]) -> Self {
        Self::scan(text, true)
    }

    /// The same of a key's record, where the tag behind what is none counts.
    pub fn read_record(text: &'t [u8]) -> Self {
        Self::scan(text, false)
    }

    fn scan(text: &'t [u8], loses: bool) -> Self {
        let mut list = Self { tags: Vec::new(), well_formed: true, duplicates: false };
        let (mut at, mut lost, mut blank) = (0, false, false);
        while at < text.len() && list.tags.len() < MOST_TAGS {
            let end = memchr::memchr(b';', &text[at..]).map_or(text.len(), |end| at + end);
            let piece = &text[at..end];
            let Some(equals) = memchr::memchr(b'=', piece) else {
                let empty = piece.iter().all(u8::is_ascii_whitespace);
                // One semicolon may stand behind the last tag.
                list.well_formed &= empty && !blank;
                blank |= empty;
                lost |= !empty;
                at = end + 1;
                continue;
            };
            list.well_formed &= !blank && !lost;
            let (name, place) = (piece[..equals].trim_ascii(), at + equals + 1..end);
            list.well_formed &= is_name(name);
            if !(std::mem::take(&mut lost) && loses) {
                list.duplicates |= list.tags.iter().any(|tag| tag.name == name);
                list.tags.push(Tag { name, value: text[place.clone()].trim_ascii(), place });
            }
            at = end + 1;
        }
        list.well_formed &= !lost;
        list
    }

    /// The last tag with a name; case matters.
    pub fn get(&self, name: &str) -> Option<&Tag<'t>> {
        self.tags.iter().rev().find(|tag| tag.name == name.as_bytes())
    }

    /// The value of the last tag with a name.
    pub fn value(&self, name: &str) -> Option<&'t [u8]> {
        self.get(name).map(|tag| tag.value)
    }

    /// The value of a tag without any white space in it.
    pub fn solid(&self, name: &str) -> Option<Vec<u8>> {
        self.value(name).map(solid)
    }

    /// Whether the list is one by the RFC's grammar.
    pub fn is_well_formed(&self) -> bool {
        self.well_formed
    }

    /// Whether a name stands there twice, which makes the list invalid as a whole.
    pub fn has_duplicates(&self) -> bool {
        self.duplicates
    }
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_')
}

/// A text without white space.
pub fn solid(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|c| !c.is_ascii_whitespace()).collect()
}

/// Base64, in which white space counts for nothing; none where it is not that, or not filled
/// up.
pub fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    const LAX: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
            .with_decode_allow_trailing_bits(true),
    );
    LAX.decode(solid(text)).ok()
}

/// DKIM's quoted-printable (RFC 6376, section 2.11): `=20` is a space; white space counts
/// for nothing.
pub fn unquoted(text: &[u8]) -> Vec<u8> {
    unquoted_prose(&solid(text))
}

/// The same of a text for people, whose white space stays.
pub fn unquoted_prose(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|c| char::from(*c).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'=', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &behind[2..];
            }
            _ => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

/// The number that a text begins with, in which white space counts for nothing; 0 where it
/// begins with none, the largest one where it is larger.
pub fn number(text: &[u8]) -> i64 {
    let text = solid(text);
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, &text[..]),
    };
    let digits = digits.iter().take_while(|c| c.is_ascii_digit());
    let value =
        digits.fold(0_i64, |value, c| value.saturating_mul(10).saturating_add(i64::from(c - b'0')));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let list = TagList::read(b" v=1; a = rsa-sha256 ;\r\n\tb=ab\r\n cd; x=;");
        assert_eq!(list.value("a"), Some(&b"rsa-sha256"[..]));
        assert_eq!(list.solid("b"), Some(b"abcd".to_vec()));
        assert_eq!(list.value("x"), Some(&b""[..]));
        assert!(list.value("A").is_none());
        assert!(list.is_well_formed() && !list.has_duplicates());
    }

    #[test]
    fn faults_are_seen() {
        for text in [&b"v=1;; a=b"[..], b"v=1; junk; a=b", b"v=1; =2", b"1v=2", b"junk", b";;"] {
            assert!(!TagList::read(text).is_well_formed(), "{}", text.escape_ascii());
        }
        assert!(TagList::read(b"v=1;").is_well_formed());
        let list = TagList::read(b"s=sel; junk; h=from; d=x; d=y");
        assert!(list.has_duplicates() && list.value("h").is_none());
        assert_eq!(list.value("d"), Some(&b"y"[..]));
        let record = TagList::read_record(b"v=DKIM1; junk; h=sha256; junk");
        assert!(!record.is_well_formed() && record.value("h") == Some(b"sha256"));
    }

    #[test]
    fn values_are_decoded() {
        assert_eq!(unquoted(b"some=20one =\r\n3D=4"), b"some one==4");
        assert_eq!(unbase64(b"aGVs\r\n bG8 ="), Some(b"hello".to_vec()));
        assert_eq!(unbase64(b"aGVsbG8"), None);
        assert_eq!(unbase64(b"!!"), None);
        assert_eq!(number(b"12x"), 12);
        assert_eq!(number(b"abc"), 0);
        assert_eq!(number(b"-1"), -1);
        assert_eq!(number(b"+1 \r\n\t7"), 17);
        assert_eq!(number(b"99999999999999999999999"), i64::MAX);
    }

    #[test]
    fn a_list_of_any_length_is_read_in_bounds() {
        let text = b"a=b;".repeat(1_000_000);
        assert!(TagList::read(&text).tags.len() <= MOST_TAGS);
        assert!(!TagList::read(&b";".repeat(1_000_000)).is_well_formed());
    }
}
