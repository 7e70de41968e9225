//! Hashes, keys and signatures. Signatures are verified by `ring`, which is fast; what it
//! refuses (RSA keys of less than 1024 bits) and what it can't do (sign with small keys,
//! or with SHA-1) is the work of `rsa`.

use ring::signature::{self as signatures, KeyPair as _, RsaParameters, RsaPublicKeyComponents};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1::der::Decode as _;
use rsa::pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use rsa::pkcs8::{DecodePrivateKey as _, PrivateKeyInfoRef, SecretDocument};
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::tags;

/// The largest RSA key that is worked with, in bits.
const LARGEST_KEY: usize = 8192;
/// The smallest RSA key that `ring` takes, in bits.
const SMALLEST_FAST_KEY: usize = 1024;
/// The smallest one at all.
const SMALLEST_KEY: usize = 256;
/// The length of an Ed25519 key, in bytes.
const ED25519_KEY: usize = 32;
/// A larger exponent of an RSA key makes work, and nothing else.
const LARGEST_EXPONENT: usize = 33;

/// A hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hash {
    /// SHA-1, which is not safe any more.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A type of keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyType {
    /// RSA, with PKCS #1 version 1.5.
    Rsa,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

impl Hash {
    /// By its name in a signature.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"sha1" => Some(Self::Sha1),
            b"sha256" => Some(Self::Sha256),
            b"sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its name in a signature.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The hash of bytes.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(self);
        hasher.push(bytes);
        hasher.finish()
    }

    fn padding(self) -> Pkcs1v15Sign {
        match self {
            Self::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
            Self::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Self::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        }
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Self::Sha1 => &signatures::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &signatures::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            Self::Sha512 => &signatures::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        }
    }
}

impl KeyType {
    /// By its name in a signature or in a key's record.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"rsa" => Some(Self::Rsa),
            b"ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Its name there.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// A hash in the making.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// SHA-1.
    Sha1(Sha1),
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// Begins.
    pub fn new(hash: Hash) -> Self {
        match hash {
            Hash::Sha1 => Self::Sha1(Sha1::new()),
            Hash::Sha256 => Self::Sha256(Sha256::new()),
            Hash::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The hash.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey(Key);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Key {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// A key as a record of the DNS has it, decoded: an RSA key in DER (of PKCS #1, or
    /// with its algorithm), an Ed25519 key as it is; RFC 8463's drafts had that with its
    /// algorithm, too.
    pub fn read(kind: KeyType, bytes: &[u8]) -> Option<Self> {
        let inner = SubjectPublicKeyInfoRef::from_der(bytes).ok();
        let inner = inner.as_ref().and_then(|info| info.subject_public_key.as_bytes());
        let bytes = inner.unwrap_or(bytes);
        match kind {
            // One that is longer verifies nothing.
            KeyType::Ed25519 => {
                (bytes.len() >= ED25519_KEY).then(|| Self(Key::Ed25519(bytes.to_vec())))
            }
            KeyType::Rsa => {
                let key = rsa::pkcs1::RsaPublicKeyRef::from_der(bytes).ok()?;
                let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
                let fits = (SMALLEST_KEY..=LARGEST_KEY).contains(&bit_length(modulus))
                    && bit_length(exponent) <= LARGEST_EXPONENT;
                let (modulus, exponent) = (modulus.to_vec(), exponent.to_vec());
                fits.then_some(Self(Key::Rsa { modulus, exponent }))
            }
        }
    }

    /// How many bits it has.
    pub fn bits(&self) -> usize {
        match &self.0 {
            Key::Rsa { modulus, .. } => bit_length(modulus),
            Key::Ed25519(_) => 256,
        }
    }

    /// Whether a signature of some bytes is this key's.
    pub fn verifies(&self, hash: Hash, signed: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Key::Ed25519(key) => {
                let key = signatures::UnparsedPublicKey::new(&signatures::ED25519, key);
                key.verify(&hash.of(signed), signature).is_ok()
            }
            Key::Rsa { modulus, exponent } if bit_length(modulus) >= SMALLEST_FAST_KEY => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(hash.parameters(), signed, signature).is_ok()
            }
            Key::Rsa { modulus, exponent } => {
                let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
                let bounds = SMALLEST_KEY..=SMALLEST_FAST_KEY;
                let (n, e) = (number(modulus), number(exponent));
                RsaPublicKey::new_with_size_limits(n, e, bounds).is_ok_and(|key| {
                    key.verify(hash.padding(), &hash.of(signed), signature).is_ok()
                })
            }
        }
    }
}

fn bit_length(bytes: &[u8]) -> usize {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let first = bytes.get(zeros).copied().unwrap_or_default();
    (bytes.len() - zeros) * 8 - if first == 0 { 0 } else { first.leading_zeros() as usize }
}

/// A private key.
pub struct PrivateKey(Secret);

enum Secret {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(signatures::Ed25519KeyPair),
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.kind()).finish()
    }
}

/// A text holds no private key that can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoKey;

impl std::fmt::Display for NoKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a private key for RSA or Ed25519 in PEM")
    }
}

impl std::error::Error for NoKey {}

/// The first private key that a text has in PEM: its label, and what is between its lines.
fn block(text: &str) -> Option<(&str, SecretDocument)> {
    const DASHES: &str = "-----";
    let mut rest = text;
    loop {
        let (label, behind) = rest.split_once("-----BEGIN ")?.1.split_once(DASHES)?;
        if label.ends_with("PRIVATE KEY") {
            let (inner, end) = behind.split_once("-----END ")?;
            let is_ended = end.strip_prefix(label)?.starts_with(DASHES);
            let bytes = tags::unbase64(inner.as_bytes()).filter(|_| is_ended)?;
            return Some((label, SecretDocument::try_from(bytes).ok()?));
        }
        rest = behind;
    }
}

impl PrivateKey {
    /// Reads a key in PEM: PKCS #8, or PKCS #1 for RSA. Other text may stand around it, and its
    /// lines may be of any length.
    ///
    /// # Errors
    /// It is none.
    pub fn read(pem: &str) -> Result<Self, NoKey> {
        const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
        let (label, document) = block(pem).ok_or(NoKey)?;
        let key = match label {
            "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_der(document.as_bytes()).ok(),
            "PRIVATE KEY" => {
                let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| NoKey)?;
                if info.algorithm.oid == ED25519 {
                    let der = document.as_bytes();
                    let pair = signatures::Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
                    return pair.map(|pair| Self(Secret::Ed25519(pair))).map_err(|_| NoKey);
                }
                RsaPrivateKey::from_pkcs8_der(document.as_bytes()).ok()
            }
            _ => None,
        };
        let key = key.ok_or(NoKey)?;
        match key.size() * 8 <= LARGEST_KEY {
            true => Ok(Self(Secret::Rsa(Box::new(key)))),
            false => Err(NoKey),
        }
    }

    /// Its type.
    pub fn kind(&self) -> KeyType {
        match &self.0 {
            Secret::Rsa(_) => KeyType::Rsa,
            Secret::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// The public half, as a record of the DNS has it after `p=`, before Base64.
    pub fn public(&self) -> Vec<u8> {
        match &self.0 {
            Secret::Rsa(key) => {
                let key = RsaPublicKey::from(&**key);
                rsa::pkcs8::EncodePublicKey::to_public_key_der(&key)
                    .map(rsa::pkcs8::Document::into_vec)
                    .unwrap_or_default()
            }
            Secret::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Signs bytes; none where the key is too short for the hash.
    pub fn sign(&self, hash: Hash, bytes: &[u8]) -> Option<Vec<u8>> {
        let hashed = hash.of(bytes);
        match &self.0 {
            Secret::Rsa(key) => key.sign(hash.padding(), &hashed).ok(),
            Secret::Ed25519(pair) => Some(pair.sign(&hashed).as_ref().to_vec()),
        }
    }
}
