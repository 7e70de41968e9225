//! Verifies the signatures of a message.

use super::{Algorithm, DkimSignature, Flaw, KeyAnswers, KeyRecord, field_name};
use crate::DnsSource;
use crate::canon::{BodyHash, BodyHashes};
use crate::crypto::{Hash, KeyType};

/// Which signatures count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimPolicy {
    /// Hashes, those of most worth first; signatures with others are as if they were not
    /// there.
    pub hashes: Vec<Hash>,
    /// Types of keys, those of most worth first; signatures with others are as if they were
    /// not there.
    pub key_types: Vec<KeyType>,
    /// The least number of bits of an RSA key.
    pub least_rsa_bits: usize,
    /// The least number of bits of an Ed25519 key.
    pub least_ed25519_bits: usize,
    /// Whether the first good signature is enough.
    pub minimal: bool,
    /// How many signatures a message may have.
    pub most: usize,
}

impl DkimPolicy {
    /// The least number of bits of a key.
    pub fn least_bits(&self, kind: KeyType) -> usize {
        match kind {
            KeyType::Rsa => self.least_rsa_bits,
            KeyType::Ed25519 => self.least_ed25519_bits,
        }
    }
}

impl Default for DkimPolicy {
    /// What RFC 8301 and a real Exim want.
    fn default() -> Self {
        Self {
            hashes: vec![Hash::Sha256, Hash::Sha512],
            key_types: vec![KeyType::Ed25519, KeyType::Rsa],
            least_rsa_bits: 1024,
            least_ed25519_bits: 250,
            minimal: false,
            most: 19,
        }
    }
}

/// A message has more signatures than it may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooMany;

/// What came of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DkimStatus {
    /// It was not looked at.
    None,
    /// It can't be verified: nothing is known of it.
    Invalid,
    /// It is not the domain's.
    Fail,
    /// It is the domain's.
    Pass,
}

impl DkimStatus {
    /// As `$dkim_verify_status` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Invalid => "invalid",
            Self::Fail => "fail",
            Self::Pass => "pass",
        }
    }
}

/// Why a signature is not good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DkimReason {
    /// Its own text.
    Flaw(Flaw),
    /// There is no key; with `true`, there may be one at another time.
    KeyUnavailable(bool),
    /// The record has no key for mail.
    KeyRecord,
    /// What the record has is no key; it may be revoked.
    Key,
    /// The key is too short.
    KeyTooShort,
    /// The key is not for the signature's hash.
    HashNotAllowed,
    /// The body is another one.
    BodyHash,
    /// The signature is of something else.
    Signature,
}

/// A signature, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimResult {
    /// The signature.
    pub signature: DkimSignature,
    /// What came of it.
    pub status: DkimStatus,
    /// Why.
    pub reason: Option<DkimReason>,
    /// The key's record, where it was read.
    pub key: Option<KeyRecord>,
    /// How many bits the key has, where it was read.
    pub key_bits: usize,
}

/// Verifies a message. It wants hashes of the body first, and then asks for all keys at
/// once.
#[derive(Clone, Debug)]
pub struct DkimVerifier {
    policy: DkimPolicy,
    /// Each with the number of its field.
    signatures: Vec<(usize, DkimSignature)>,
}

impl DkimVerifier {
    /// Reads the signatures in a header: its fields, each with its name, as they came.
    ///
    /// # Errors
    /// There are too many of them.
    pub fn new(header: &[&[u8]], policy: DkimPolicy) -> Result<Self, TooMany> {
        let mut signatures = Vec::new();
        let mut count = 0;
        for (number, field) in header.iter().enumerate() {
            if !is_signature(field) {
                continue;
            }
            count += 1;
            if count > policy.most {
                return Err(TooMany);
            }
            let counts = |signature: &DkimSignature| {
                let algorithm = signature.algorithm;
                policy.hashes.contains(&algorithm.hash) && policy.key_types.contains(&algorithm.key)
            };
            signatures.extend(DkimSignature::read(field).filter(counts).map(|one| (number, one)));
        }
        // The first of each kind come first, in the order of the kinds' worth.
        signatures.sort_by_key(|(_, signature)| {
            let Algorithm { key, hash } = signature.algorithm;
            let key = policy.key_types.iter().position(|one| *one == key);
            (key, policy.hashes.iter().position(|one| *one == hash))
        });
        Ok(Self { policy, signatures })
    }

    /// The signatures, in the order in which they are verified.
    pub fn signatures(&self) -> impl Iterator<Item = &DkimSignature> {
        self.signatures.iter().map(|(_, signature)| signature)
    }

    /// The hashes of the body that are wanted.
    pub fn bodies(&self) -> impl Iterator<Item = BodyHash> {
        self.signatures().map(DkimSignature::body)
    }

    /// Verifies the signatures in the header, which is the one that they were read from.
    pub fn verify(
        self,
        header: &[&[u8]],
        bodies: &BodyHashes,
        dns: &mut dyn DnsSource,
    ) -> Vec<DkimResult> {
        let is_sound =
            |signature: &&DkimSignature| signature.flaw.is_none() && has_body(signature, bodies);
        let sound = self.signatures().filter(is_sound);
        let answers = KeyAnswers::ask(sound.map(DkimSignature::key_name), dns);
        let mut done = false;
        let mut results = Vec::new();
        for (number, signature) in self.signatures {
            let mut result = DkimResult {
                signature,
                status: DkimStatus::None,
                reason: None,
                key: None,
                key_bits: 0,
            };
            if !(done && self.policy.minimal) {
                let judged = result.judge(&self.policy, header, number, bodies, &answers);
                (result.status, result.reason) = match judged {
                    Ok(()) => (DkimStatus::Pass, None),
                    Err(reason) => (reason.status(), Some(reason)),
                };
                done |= result.status == DkimStatus::Pass;
            }
            results.push(result);
        }
        results
    }
}

/// Whether a field is a signature.
fn is_signature(field: &[u8]) -> bool {
    field_name(field).eq_ignore_ascii_case(b"dkim-signature")
}

/// Whether a signature is of this body.
fn has_body(signature: &DkimSignature, bodies: &BodyHashes) -> bool {
    bodies.get(signature.body()) == Some(&signature.body_hash)
}

impl DkimReason {
    fn status(self) -> DkimStatus {
        match self {
            Self::Flaw(_) | Self::KeyUnavailable(_) | Self::KeyRecord | Self::Key => {
                DkimStatus::Invalid
            }
            _ => DkimStatus::Fail,
        }
    }
}

impl DkimResult {
    fn judge(
        &mut self,
        policy: &DkimPolicy,
        header: &[&[u8]],
        number: usize,
        bodies: &BodyHashes,
        answers: &KeyAnswers,
    ) -> Result<(), DkimReason> {
        // As in Exim, the body comes first, whatever else is wrong.
        if !has_body(&self.signature, bodies) {
            return Err(DkimReason::BodyHash);
        }
        if let Some(flaw) = self.signature.flaw {
            return Err(DkimReason::Flaw(flaw));
        }
        let record = answers.record(&self.signature.key_name())?;
        let algorithm = self.signature.algorithm;
        let record = self.key.insert(record);
        let key = record.public(algorithm.key).ok_or(DkimReason::Key)?;
        self.key_bits = key.bits();
        if !record.takes(algorithm.hash) {
            return Err(DkimReason::HashNotAllowed);
        }
        let signed = self.signature.signed(header, header.get(number).copied().unwrap_or_default());
        if !key.verifies(algorithm.hash, &signed, &self.signature.signature) {
            return Err(DkimReason::Signature);
        }
        if self.key_bits < policy.least_bits(algorithm.key) {
            return Err(DkimReason::KeyTooShort);
        }
        Ok(())
    }
}
