//! A `DKIM-Signature` header field.

use std::ops::Range;

use crate::canon::{BodyHash, Canon};
use crate::crypto::{Hash, KeyType};
use crate::tags::{self, TagList};

/// How a signature was made: `rsa-sha256`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Algorithm {
    /// The type of the key.
    pub key: KeyType,
    /// The hash.
    pub hash: Hash,
}

impl Algorithm {
    /// By its name.
    pub fn named(name: &[u8]) -> Option<Self> {
        let dash = memchr::memchr(b'-', name)?;
        let (key, hash) = (KeyType::named(&name[..dash])?, Hash::named(&name[dash + 1..])?);
        Some(Self { key, hash })
    }

    /// Its name.
    pub fn name(self) -> String {
        format!("{}-{}", self.key.name(), self.hash.name())
    }
}

/// What is wrong with a signature's own text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// A tag is missing, stands there twice, or makes no sense: an identity of another domain,
    /// or fields without `From` among them.
    Tags,
    /// It is of another version of DKIM.
    Version,
}

/// A signature, as its field has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimSignature {
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
    /// `a=`.
    pub algorithm: Algorithm,
    /// `d=`: the domain that signs; empty where it does not say.
    pub domain: Vec<u8>,
    /// `s=`: which of its keys.
    pub selector: Vec<u8>,
    /// `i=`: on whose behalf, decoded.
    pub identity: Option<Vec<u8>>,
    /// `c=`, of the header.
    pub header_canon: Canon,
    /// `c=`, of the body.
    pub body_canon: Canon,
    /// `h=`: names of fields, with colons between them.
    pub headers: Vec<u8>,
    /// `l=`: how many bytes of the canonical body are signed.
    pub length: Option<u64>,
    /// `t=`: when it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// `x=`: when it expires.
    pub expires: Option<i64>,
    /// `z=`: fields as they were, decoded.
    pub copied: Option<Vec<u8>>,
    /// `bh=`, decoded; empty where it is no Base64.
    pub body_hash: Vec<u8>,
    /// `b=`, decoded; empty where it is no Base64.
    pub signature: Vec<u8>,
    /// Where the value of `b=` stands in the field.
    place: Range<usize>,
}

impl DkimSignature {
    /// Reads a field, `DKIM-Signature:` included; none where it names no algorithm that
    /// is known.
    pub fn read(field: &[u8]) -> Option<Self> {
        let (mut signature, list) = Self::tags(field)?;
        let missing = signature.is_incomplete();
        signature.flaw = match list.solid("v").as_deref() {
            Some(b"1") if missing || list.has_duplicates() || !signature.is_of_its_domain() => {
                Some(Flaw::Tags)
            }
            Some(b"1") => None,
            Some(version) if !version.is_empty() && !missing => Some(Flaw::Version),
            _ => Some(Flaw::Tags),
        };
        Some(signature)
    }

    /// Reads a field of ARC, `ARC-Message-Signature:` included, where `i=` is the number of
    /// a hop and there is no version (RFC 8617, section 4.1.2); none where it is no such
    /// signature. It must not be of seals.
    pub(crate) fn read_of_arc(field: &[u8]) -> Option<Self> {
        let (mut signature, list) = Self::tags(field)?;
        signature.identity = None;
        let canon = list.solid("c").unwrap_or_default();
        let canons = canon.split(|c| *c == b'/').filter(|name| !name.is_empty());
        let mut names = signature.headers.split(|c| *c == b':');
        let sound = list.is_well_formed()
            && !list.has_duplicates()
            && !signature.is_incomplete()
            && !signature.body_hash.is_empty()
            && canons.clone().count() < 3
            && canons.clone().all(|name| Canon::named(name).is_some())
            && !names.any(|name| name.eq_ignore_ascii_case(b"arc-seal"));
        sound.then_some(signature)
    }

    /// Whether it lacks what each has.
    fn is_incomplete(&self) -> bool {
        [&self.domain, &self.selector, &self.headers, &self.signature]
            .into_iter()
            .any(Vec::is_empty)
    }

    /// Whether it signs who the message is from, on behalf of the domain or of one below it
    /// (RFC 6376, sections 3.5 and 6.1.1).
    fn is_of_its_domain(&self) -> bool {
        let of = match self.identity.as_deref().filter(|identity| !identity.is_empty()) {
            Some(identity) => &identity[memchr::memrchr(b'@', identity).map_or(0, |at| at + 1)..],
            None => &self.domain[..],
        };
        let domain = self.domain.strip_suffix(b".").unwrap_or(&self.domain);
        let of = of.strip_suffix(b".").unwrap_or(of);
        let is_within = of.len().checked_sub(domain.len()).is_some_and(|at| {
            of[at..].eq_ignore_ascii_case(domain) && (at == 0 || of[at - 1] == b'.')
        });
        let mut names = self.headers.split(|c| *c == b':');
        is_within && names.any(|name| name.eq_ignore_ascii_case(b"from"))
    }

    /// Reads the tags of a field, without a look at whether they make sense.
    fn tags(field: &[u8]) -> Option<(Self, TagList<'_>)> {
        let start = memchr::memchr(b':', field)? + 1;
        let list = TagList::read(&field[start..]);
        let algorithm = Algorithm::named(&list.solid("a")?)?;
        let text = |name: &str| list.solid(name).unwrap_or_default();
        let date = |name: &str| list.value(name).map(tags::number).filter(|date| *date > 0);
        let length = list.value("l").filter(|length| !length.is_empty()).map(tags::number);
        let bytes = |name: &str| list.value(name).and_then(tags::unbase64).unwrap_or_default();
        let (header_canon, body_canon) = canons(&text("c"));
        let place = list.get("b").map_or(0..0, |tag| tag.place.clone());
        let signature = Self {
            flaw: None,
            algorithm,
            domain: text("d"),
            selector: text("s"),
            identity: list.value("i").map(tags::unquoted),
            header_canon,
            body_canon,
            headers: text("h"),
            length: length.and_then(|length| length.try_into().ok()),
            created: date("t"),
            expires: date("x"),
            copied: list.value("z").map(tags::unquoted),
            body_hash: bytes("bh"),
            signature: bytes("b"),
            place: place.start + start..place.end + start,
        };
        Some((signature, list))
    }

    /// The hash that it wants of the body.
    pub fn body(&self) -> BodyHash {
        BodyHash { canon: self.body_canon, hash: self.algorithm.hash, length: self.length }
    }

    /// Where its key is to be found.
    pub fn key_name(&self) -> Vec<u8> {
        [&self.selector[..], b"._domainkey.", &self.domain].concat()
    }

    /// What is signed, of a header and of the field that this was read from.
    pub(crate) fn signed(&self, header: &[&[u8]], field: &[u8]) -> Vec<u8> {
        let names = self.headers.split(|c| *c == b':');
        let mut signed = super::signed_fields(header, names, self.header_canon);
        let (before, behind) = (&field[..self.place.start], &field[self.place.end..]);
        let own = [before, behind].concat();
        self.header_canon.header(&own, &mut signed);
        signed.truncate(signed.len() - b"\r\n".len());
        signed
    }
}

/// `c=`: where it is not known as a whole, both are `simple`.
fn canons(text: &[u8]) -> (Canon, Canon) {
    let canons = match memchr::memchr(b'/', text) {
        Some(slash) => Canon::named(&text[..slash]).zip(Canon::named(&text[slash + 1..])),
        None => Canon::named(text).map(|header| (header, Canon::default())),
    };
    canons.unwrap_or_default()
}
