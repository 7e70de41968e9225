//! Seals a chain (RFC 8617, section 5.1).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{ArcResult, ArcState, ChainStatus, LONGEST_CHAIN, set};
use crate::canon::{BodyHash, BodyHashes, Canon};
use crate::crypto::{Hash, PrivateKey};
use crate::dkim::{Algorithm, Unsigned, folded, names, push_base64, signed_fields};

/// What a chain is sealed with.
#[derive(Clone, Copy, Debug)]
pub struct ArcSealer<'s> {
    /// The key.
    pub key: &'s PrivateKey,
    /// `d=`: the domain that seals.
    pub domain: &'s [u8],
    /// `s=`: which of its keys.
    pub selector: &'s [u8],
    /// Names of the fields that are signed, as [`DkimSigner::headers`] has them.
    ///
    /// [`DkimSigner::headers`]: crate::dkim::DkimSigner::headers
    pub headers: &'s [u8],
    /// `t=`: when it is sealed, in seconds since 1970.
    pub created: Option<i64>,
    /// `x=`: when the signature of the message expires.
    pub expires: Option<i64>,
}

impl ArcSealer<'_> {
    fn algorithm(&self) -> Algorithm {
        Algorithm { key: self.key.kind(), hash: Hash::Sha256 }
    }

    /// The hash of the body that is wanted.
    pub fn body(&self) -> BodyHash {
        BodyHash { canon: Canon::Relaxed, hash: Hash::Sha256, length: None }
    }

    /// The fields of this hop, with CRLF at the ends of their lines: `ARC-Seal`,
    /// `ARC-Message-Signature` and `ARC-Authentication-Results`. They belong before the
    /// header. `chain` is what came of the chain that the message has, `results` what an
    /// `Authentication-Results` field says behind its name.
    ///
    /// # Errors
    /// There is no number for this hop: the chain can't be read, is as long as it may be, or
    /// was broken before, which its last hop says. Or it can't be signed.
    pub fn seal(
        &self,
        header: &[&[u8]],
        bodies: &BodyHashes,
        chain: &ArcResult,
        results: &[u8],
    ) -> Result<Vec<u8>, Unsigned> {
        let body = bodies.get(self.body()).ok_or(Unsigned::NoBodyHash)?;
        let said = chain.sets.last().map(|set| set.seal.1.status);
        let is_open = match chain.state {
            ArcState::None | ArcState::Pass => true,
            ArcState::Fail => said.is_some_and(|status| status != ChainStatus::Fail),
            ArcState::TempError => false,
        };
        if !is_open || chain.sets.len() >= LONGEST_CHAIN {
            return Err(Unsigned::NoChain);
        }
        let hop = (chain.sets.len() + 1).to_string().into_bytes();
        let number = |number: i64| number.to_string().into_bytes();
        let results =
            [b"ARC-Authentication-Results: i=", &hop[..], b"; ", results.trim_ascii(), b"\r\n"];
        let results = results.concat();
        let algorithm = self.algorithm();
        let mut tags = vec![
            ("i", hop.clone()),
            ("a", algorithm.name().into_bytes()),
            ("c", b"relaxed/relaxed".to_vec()),
            ("d", self.domain.to_vec()),
            ("s", self.selector.to_vec()),
        ];
        tags.extend(self.created.map(|date| ("t", number(date))));
        tags.extend(self.expires.map(|date| ("x", number(date))));
        let names: Vec<Vec<u8>> =
            names(header, self.headers).into_iter().filter(|name| !is_seal(name)).collect();
        tags.push(("h", names.join(&b':')));
        tags.push(("bh", BASE64_STANDARD.encode(body).into_bytes()));
        let signed = signed_fields(header, names.iter().map(Vec::as_slice), Canon::Relaxed);
        let message = self.signed("ARC-Message-Signature", &tags, signed)?;
        // A broken chain is sealed without the fields of those before.
        let mut sealed = Vec::new();
        if chain.state != ArcState::Fail {
            set::push(&chain.sets, header, &mut sealed);
        }
        Canon::Relaxed.header(&results, &mut sealed);
        Canon::Relaxed.header(&message, &mut sealed);
        let mut tags = vec![
            ("i", hop),
            ("a", algorithm.name().into_bytes()),
            ("cv", chain.state.name().as_bytes().to_vec()),
            ("d", self.domain.to_vec()),
            ("s", self.selector.to_vec()),
        ];
        tags.extend(self.created.map(|date| ("t", number(date))));
        let seal = self.signed("ARC-Seal", &tags, sealed)?;
        Ok([seal, message, results].concat())
    }

    /// A field with its signature of what stands before it, and of itself.
    fn signed(
        &self,
        name: &str,
        tags: &[(&str, Vec<u8>)],
        mut signed: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        let mut field = folded(name, tags);
        Canon::Relaxed.header(&field, &mut signed);
        signed.truncate(signed.len() - b"\r\n".len());
        let signature = self.key.sign(Hash::Sha256, &signed).ok_or(Unsigned::KeyTooShort)?;
        push_base64(&mut field, BASE64_STANDARD.encode(signature).as_bytes());
        field.extend_from_slice(b"\r\n");
        Ok(field)
    }
}

fn is_seal(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"arc-seal")
}
