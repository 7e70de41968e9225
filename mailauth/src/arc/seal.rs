//! Seals a chain (RFC 8617, section 5.1).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{ArcResult, ArcState, ChainStatus, LONGEST_CHAIN, set};
use crate::canon::{BodyHash, BodyHashes, Canon};
use crate::crypto::{Hash, PrivateKey};
use crate::dkim::{Algorithm, Unsigned, field_name, signed_field, signed_fields, signs};

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
        let how = (self.key, algorithm.hash, Canon::Relaxed);
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
        let message = signed_field("ARC-Message-Signature", &tags, signed, how)?;
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
        let seal = signed_field("ARC-Seal", &tags, sealed, how)?;
        Ok([seal, message, results].concat())
    }
}

fn is_seal(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"arc-seal")
}

/// The names that a list stands for, of the fields of a header, as the list has them.
fn names(header: &[&[u8]], list: &[u8]) -> Vec<Vec<u8>> {
    let named = |(sign, name): (u8, &[u8])| {
        let is_so = |field: &&&[u8]| field_name(field).eq_ignore_ascii_case(name);
        let there = if sign == b' ' { 0 } else { header.iter().filter(is_so).count() };
        std::iter::repeat_n(name.to_vec(), there + usize::from(sign != b'='))
    };
    signs(list).flat_map(named).collect()
}
