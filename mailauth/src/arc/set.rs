//! The fields of one hop (RFC 8617, section 4.1): what it found out
//! (`ARC-Authentication-Results`), its signature of the message
//! (`ARC-Message-Signature`), and its seal of the chain (`ARC-Seal`).

use std::ops::Range;

use crate::canon::Canon;
use crate::dkim::{Algorithm, DkimSignature, field_name};
use crate::tags::{self, TagList};

/// How many hops a chain may have (RFC 8617, section 4.2.1).
pub const LONGEST_CHAIN: usize = 50;

/// What a hop says of the chain that it got (`cv=`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainStatus {
    /// There was none.
    None,
    /// It was broken.
    Fail,
    /// It was good.
    Pass,
}

impl ChainStatus {
    /// By its name in a seal.
    pub fn named(name: &[u8]) -> Option<Self> {
        match &name.to_ascii_lowercase()[..] {
            b"none" => Some(Self::None),
            b"fail" => Some(Self::Fail),
            b"pass" => Some(Self::Pass),
            _ => None,
        }
    }

    /// Its name in a seal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fail => "fail",
            Self::Pass => "pass",
        }
    }
}

/// A seal, as its field has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArcSeal {
    /// `a=`.
    pub algorithm: Algorithm,
    /// `d=`: the domain that seals.
    pub domain: Vec<u8>,
    /// `s=`: which of its keys.
    pub selector: Vec<u8>,
    /// `cv=`.
    pub status: ChainStatus,
    /// `t=`: when it was sealed, in seconds since 1970.
    pub created: Option<i64>,
    /// `b=`, decoded.
    pub signature: Vec<u8>,
    /// Where the value of `b=` stands in the field.
    place: Range<usize>,
}

impl ArcSeal {
    /// Reads a field, `ARC-Seal:` included; none where it is no seal. Fields are never
    /// chosen by a seal: `h=` makes it none.
    pub fn read(field: &[u8]) -> Option<Self> {
        let start = memchr::memchr(b':', field)? + 1;
        let list = TagList::read(&field[start..]);
        if !list.is_well_formed() || list.has_duplicates() || list.get("h").is_some() {
            return None;
        }
        let text = |name: &str| list.solid(name).filter(|value| !value.is_empty());
        let place = list.get("b")?.place.clone();
        Some(Self {
            algorithm: Algorithm::named(&text("a")?)?,
            domain: text("d")?,
            selector: text("s")?,
            status: ChainStatus::named(list.value("cv")?)?,
            created: list.value("t").map(tags::number).filter(|date| *date > 0),
            signature: list.value("b").and_then(tags::unbase64)?,
            place: place.start + start..place.end + start,
        })
    }

    /// Where its key is to be found.
    pub fn key_name(&self) -> Vec<u8> {
        [&self.selector[..], b"._domainkey.", &self.domain].concat()
    }

    /// The field without the value of `b=`.
    pub(super) fn unsigned(&self, field: &[u8]) -> Vec<u8> {
        [&field[..self.place.start], &field[self.place.end..]].concat()
    }
}

/// The fields of one hop, each with the number of its place in the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArcSet {
    /// `ARC-Authentication-Results`.
    pub results: usize,
    /// `ARC-Message-Signature`.
    pub message: (usize, DkimSignature),
    /// `ARC-Seal`.
    pub seal: (usize, ArcSeal),
}

/// Adds the fields of hops to what is sealed (RFC 8617, section 5.1.1): each hop's results,
/// signature and seal in this order.
pub(super) fn push(sets: &[ArcSet], header: &[&[u8]], into: &mut Vec<u8>) {
    for set in sets {
        for place in [set.results, set.message.0, set.seal.0] {
            Canon::Relaxed.header(header[place], into);
        }
    }
}

/// Why there is no chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoChain {
    /// No field is ARC's.
    None,
    /// A field makes no sense: the number of its hop, if that can be told.
    Field(Option<usize>),
    /// A hop's fields are not all there, or are there twice.
    Incomplete(usize),
    /// The chain is longer than it may be.
    TooLong,
}

/// A kind of field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Results,
    Message,
    Seal,
}

impl Kind {
    fn of(field: &[u8]) -> Option<Self> {
        match &field_name(field).to_ascii_lowercase()[..] {
            b"arc-authentication-results" => Some(Self::Results),
            b"arc-message-signature" => Some(Self::Message),
            b"arc-seal" => Some(Self::Seal),
            _ => None,
        }
    }
}

/// The places of a hop's fields, as they are found.
#[derive(Clone, Copy, Default)]
struct Places {
    results: Option<usize>,
    message: Option<usize>,
    seal: Option<usize>,
}

/// The chain of a header, the first hop first.
pub(super) fn chain(header: &[&[u8]]) -> Result<Vec<ArcSet>, NoChain> {
    let mut found: Vec<Places> = Vec::new();
    for (number, field) in header.iter().enumerate() {
        let Some(kind) = Kind::of(field) else { continue };
        let hop = hop(field, kind).ok_or(NoChain::Field(None))?;
        if hop > LONGEST_CHAIN {
            return Err(NoChain::TooLong);
        }
        if found.len() < hop {
            found.resize(hop, Places::default());
        }
        let places = &mut found[hop - 1];
        let place = match kind {
            Kind::Results => &mut places.results,
            Kind::Message => &mut places.message,
            Kind::Seal => &mut places.seal,
        };
        if place.replace(number).is_some() {
            return Err(NoChain::Incomplete(hop));
        }
    }
    if found.is_empty() {
        return Err(NoChain::None);
    }
    let whole = |(at, places): (usize, &Places)| {
        let Places { results: Some(results), message: Some(message), seal: Some(seal) } = *places
        else {
            return Err(NoChain::Incomplete(at + 1));
        };
        let flawed = NoChain::Field(Some(at + 1));
        Ok(ArcSet {
            results,
            message: (message, DkimSignature::read_of_arc(header[message]).ok_or(flawed)?),
            seal: (seal, ArcSeal::read(header[seal]).ok_or(flawed)?),
        })
    };
    found.iter().enumerate().map(whole).collect()
}

/// `i=`: the number of a field's hop, from 1 on.
fn hop(field: &[u8], kind: Kind) -> Option<usize> {
    let start = memchr::memchr(b':', field)? + 1;
    let value = &field[start..];
    let number = match kind {
        // The list of results is none of tags, but begins with one.
        Kind::Results => {
            let end = memchr::memchr(b';', value)?;
            let list = TagList::read(&value[..end]);
            list.solid("i")?
        }
        Kind::Message | Kind::Seal => TagList::read(value).solid("i")?,
    };
    let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    let number = is_number.then(|| std::str::from_utf8(&number).ok()?.parse().ok())??;
    (number > 0).then_some(number)
}
