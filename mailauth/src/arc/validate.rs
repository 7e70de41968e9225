//! Validates a chain (RFC 8617, section 5.2).

use super::set::{self, NoChain};
use super::{ArcSet, ChainStatus};
use crate::DnsSource;
use crate::canon::{BodyHash, BodyHashes, Canon};
use crate::crypto::{Hash, PublicKey};
use crate::dkim::{Algorithm, DkimPolicy, DkimReason, DkimSignature, KeyAnswers};

/// What came of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArcState {
    /// There is none.
    None,
    /// It is broken.
    Fail,
    /// It is whole, and this is the message that its last hop got.
    Pass,
    /// A key can't be had now.
    TempError,
}

impl ArcState {
    /// By its name in an `Authentication-Results` field.
    pub fn named(name: &[u8]) -> Option<Self> {
        let all = [Self::None, Self::Fail, Self::Pass, Self::TempError];
        all.into_iter().find(|state| state.name().as_bytes() == name)
    }

    /// As `$arc_state` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fail => "fail",
            Self::Pass => "pass",
            Self::TempError => "temperror",
        }
    }
}

/// Why a chain is broken; a number is that of a hop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArcReason {
    /// A field makes no sense.
    Field(Option<usize>),
    /// A hop's fields are not all there, or are there twice.
    Incomplete(usize),
    /// It has more hops than it may have.
    TooLong,
    /// What a hop says of the chain that it got can't be.
    Status(usize),
    /// The last hop's signature of the message.
    Message(DkimReason),
    /// A hop's seal.
    Seal(usize, DkimReason),
}

/// A chain, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArcResult {
    /// What came of it.
    pub state: ArcState,
    /// Why it is broken, or can't be told.
    pub reason: Option<ArcReason>,
    /// The hops, the first one first; none where a field makes no sense.
    pub sets: Vec<ArcSet>,
    /// The first hop from which on all signatures of the message are good: nobody behind it
    /// has changed the message. 0 where the chain is broken, or the first hop's is good.
    pub oldest_pass: usize,
}

/// Validates the chain of a message. It wants hashes of the body first, and then asks for
/// all keys at once.
#[derive(Clone, Debug)]
pub struct ArcValidator {
    chain: Result<Vec<ArcSet>, NoChain>,
}

impl ArcResult {
    /// The chain in a header, of which is known what came of it when the message arrived;
    /// nothing where that can't be said of this chain.
    pub fn reported(header: &[&[u8]], state: ArcState) -> Option<Self> {
        let sets = match (set::chain(header), state) {
            (Ok(sets), ArcState::Pass | ArcState::Fail | ArcState::TempError) => sets,
            (Err(NoChain::None), ArcState::None) => Vec::new(),
            _ => return None,
        };
        Some(Self { state, reason: None, sets, oldest_pass: 0 })
    }
}

impl ArcValidator {
    /// Reads the chain in a header: its fields, each with its name, as they came.
    pub fn new(header: &[&[u8]]) -> Self {
        Self { chain: set::chain(header) }
    }

    /// The hashes of the body that are wanted.
    pub fn bodies(&self) -> impl Iterator<Item = BodyHash> {
        let sets = self.chain.as_deref().unwrap_or_default();
        sets.iter().map(|set| set.message.1.body())
    }

    /// Validates the chain in the header, which is the one that it was read from.
    pub fn validate(
        self,
        header: &[&[u8]],
        bodies: &BodyHashes,
        dns: &mut dyn DnsSource,
    ) -> ArcResult {
        let mut result =
            ArcResult { state: ArcState::Fail, reason: None, sets: Vec::new(), oldest_pass: 0 };
        let reason = match self.chain {
            Ok(sets) => {
                result.sets = sets;
                judge(&result.sets, header, bodies, dns).map(|oldest| result.oldest_pass = oldest)
            }
            Err(NoChain::None) => {
                result.state = ArcState::None;
                return result;
            }
            Err(NoChain::Field(hop)) => Err(ArcReason::Field(hop)),
            Err(NoChain::Incomplete(hop)) => Err(ArcReason::Incomplete(hop)),
            Err(NoChain::TooLong) => Err(ArcReason::TooLong),
        };
        result.reason = reason.err();
        result.state = match result.reason {
            None => ArcState::Pass,
            Some(reason) if reason.may_change() => ArcState::TempError,
            Some(_) => ArcState::Fail,
        };
        result
    }
}

impl ArcReason {
    /// Whether it may be another one at another time: the DNS has no answer now.
    fn may_change(self) -> bool {
        let (Self::Message(reason) | Self::Seal(_, reason)) = self else { return false };
        reason == DkimReason::KeyUnavailable(true)
    }
}

/// The first hop from which on all signatures of the message are good.
fn judge(
    sets: &[ArcSet],
    header: &[&[u8]],
    bodies: &BodyHashes,
    dns: &mut dyn DnsSource,
) -> Result<usize, ArcReason> {
    for (at, set) in sets.iter().enumerate() {
        let wanted = if at == 0 { ChainStatus::None } else { ChainStatus::Pass };
        if set.seal.1.status != wanted {
            return Err(ArcReason::Status(at + 1));
        }
    }
    let names = |set: &ArcSet| [set.message.1.key_name(), set.seal.1.key_name()];
    let keys = KeyAnswers::ask(sets.iter().flat_map(names), dns);
    let message = |set: &ArcSet| message(&set.message, header, bodies, &keys);
    let last = sets.last().map_or(Ok(()), message);
    last.map_err(ArcReason::Message)?;
    for (at, set) in sets.iter().enumerate().rev() {
        let algorithm = set.seal.1.algorithm;
        let sealed = sealed(&sets[..=at], header);
        let key = key(&keys, &set.seal.1.key_name(), algorithm);
        let key = key.map_err(|reason| ArcReason::Seal(at + 1, reason))?;
        if !key.verifies(algorithm.hash, &sealed, &set.seal.1.signature) {
            return Err(ArcReason::Seal(at + 1, DkimReason::Signature));
        }
    }
    let good = sets.iter().rev().take_while(|set| message(set).is_ok()).count();
    Ok(match sets.len() - good {
        0 => 0,
        broken => broken + 1,
    })
}

/// Whether a hop's signature is of this message.
fn message(
    (number, signature): &(usize, DkimSignature),
    header: &[&[u8]],
    bodies: &BodyHashes,
    keys: &KeyAnswers,
) -> Result<(), DkimReason> {
    if bodies.get(signature.body()) != Some(&signature.body_hash) {
        return Err(DkimReason::BodyHash);
    }
    let key = key(keys, &signature.key_name(), signature.algorithm)?;
    let signed = signature.signed(header, header[*number]);
    match key.verifies(signature.algorithm.hash, &signed, &signature.signature) {
        true => Ok(()),
        false => Err(DkimReason::Signature),
    }
}

/// What the last of these hops sealed: the fields of all, its own seal without the
/// signature.
fn sealed(sets: &[ArcSet], header: &[&[u8]]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let Some((last, before)) = sets.split_last() else { return sealed };
    set::push(before, header, &mut sealed);
    let (number, seal) = &last.seal;
    Canon::Relaxed.header(header[last.results], &mut sealed);
    Canon::Relaxed.header(header[last.message.0], &mut sealed);
    Canon::Relaxed.header(&seal.unsigned(header[*number]), &mut sealed);
    sealed.truncate(sealed.len() - b"\r\n".len());
    sealed
}

/// The key for a signature; a hash or a key that is not safe makes it none.
fn key(answers: &KeyAnswers, name: &[u8], algorithm: Algorithm) -> Result<PublicKey, DkimReason> {
    let record = answers.record(name)?;
    if algorithm.hash == Hash::Sha1 || !record.takes(algorithm.hash) {
        return Err(DkimReason::HashNotAllowed);
    }
    let named = |kind: &Vec<u8>| kind == algorithm.key.name().as_bytes();
    let fits = record.kind.as_ref().is_none_or(named);
    let key = record.public(algorithm.key).filter(|_| fits).ok_or(DkimReason::Key)?;
    match key.bits() >= DkimPolicy::default().least_bits(algorithm.key) {
        true => Ok(key),
        false => Err(DkimReason::KeyTooShort),
    }
}
