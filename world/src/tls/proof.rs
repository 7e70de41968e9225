//! Proofs that a certificate is valid (OCSP, RFC 6960), as clients are shown them and servers
//! show them.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ocsp::{
    OcspBasicResponseRef, OcspCertId, OcspCertStatus, OcspFlag, OcspResponse, OcspResponseStatus,
    OcspStatus,
};
use openssl::ssl::SslRef;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Ref};

/// By how many seconds clocks may differ.
const LEEWAY: u32 = 5 * 60;

/// What a proof proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProofVerdict {
    /// There is none.
    None,
    /// Who issued the certificate is not known.
    Unjudged,
    /// It is none: of another certificate, out of date, by nobody who may give it.
    Bad,
    /// The certificate was revoked.
    Revoked,
    /// The certificate is valid.
    Good,
}

impl ProofVerdict {
    /// As `$tls_out_ocsp` has it.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 1,
            Self::Unjudged => 2,
            Self::Bad | Self::Revoked => 3,
            Self::Good => 4,
        }
    }
}

/// Judges what a server showed beside its certificate.
pub fn judge(ssl: &SslRef) -> ProofVerdict {
    let Some(proof) = ssl.ocsp_status().filter(|proof| !proof.is_empty()) else {
        return ProofVerdict::None;
    };
    let Some(own) = ssl.peer_certificate() else { return ProofVerdict::Unjudged };
    let shown: Vec<X509> =
        ssl.peer_cert_chain().into_iter().flatten().map(X509Ref::to_owned).collect();
    let verified: Vec<X509> =
        ssl.verified_chain().into_iter().flatten().map(X509Ref::to_owned).collect();
    // Whom the chain led to counts; where nobody looked at it, whom it says it leads to.
    let chain = if verified.len() > 1 { &verified } else { &shown };
    let Some(issuer) = chain.get(1).or_else(|| is_own_issuer(&own).then_some(&own)) else {
        return ProofVerdict::Unjudged;
    };
    judged(proof, &own, issuer, chain)
}

/// Judges a proof for a certificate, which its issuer gives, or somebody whom the issuer lets
/// do so (RFC 6960, section 4.2.2.2). Whether the issuer is believed is asked elsewhere.
fn judged(proof: &[u8], own: &X509, issuer: &X509, chain: &[X509]) -> ProofVerdict {
    let Ok(response) = OcspResponse::from_der(proof) else { return ProofVerdict::Bad };
    if response.status() != OcspResponseStatus::SUCCESSFUL {
        return ProofVerdict::Bad;
    }
    let judge = || {
        let basic = response.basic()?;
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(issuer.clone())?;
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        let store = store.build();
        let by = |givers: &[X509], flags| {
            let mut all = Stack::new()?;
            givers.iter().try_for_each(|one| all.push(one.clone()))?;
            basic.verify(&all, &store, flags)
        };
        // The library takes none that is of certificates of several issuers, as one of a whole
        // chain is. From the issuer of this one itself it is as good as any.
        by(chain, OcspFlag::empty()).or_else(|_| {
            by(std::slice::from_ref(issuer), OcspFlag::NO_CHECKS | OcspFlag::NO_INTERN)
        })?;
        let Some(status) = status_of(&basic, own, issuer) else { return Ok(ProofVerdict::Bad) };
        status.check_validity(LEEWAY, None)?;
        Ok::<_, ErrorStack>(match status.status {
            // Where it is not said until when, it is good until there is a newer one (section 2.4).
            OcspCertStatus::GOOD => ProofVerdict::Good,
            OcspCertStatus::REVOKED => ProofVerdict::Revoked,
            _ => ProofVerdict::Bad,
        })
    };
    judge().unwrap_or(ProofVerdict::Bad)
}

/// What a proof says of a certificate, by whichever digest it names it.
fn status_of<'p>(
    basic: &'p OcspBasicResponseRef,
    own: &X509Ref,
    issuer: &X509Ref,
) -> Option<OcspStatus<'p>> {
    [MessageDigest::sha1(), MessageDigest::sha256()].into_iter().find_map(|digest| {
        let name = OcspCertId::from_cert(digest, own, issuer).ok()?;
        basic.find_status(&name)
    })
}

fn is_own_issuer(certificate: &X509Ref) -> bool {
    certificate.issuer_name().try_cmp(certificate.subject_name()).is_ok_and(|order| order.is_eq())
}

/// A proof that a server has for one of its certificates.
pub struct Stapled {
    /// The certificate, as DER.
    pub certificate: Vec<u8>,
    proof: Vec<u8>,
    chain: Vec<X509>,
    /// What is wrong with it, for the log.
    fault: Option<String>,
    outdated: String,
}

impl Stapled {
    /// Reads one: the name of its file, the proofs in it, and the certificate with those behind
    /// it, as PEM. Of several proofs, one of them is of the certificate itself.
    pub fn new(file: &str, proofs: Vec<Vec<u8>>, chain: &[u8]) -> Result<Self, ErrorStack> {
        let chain = X509::stack_from_pem(chain)?;
        let Some(own) = chain.first() else { return Err(ErrorStack::get()) };
        let certificate = own.to_der()?;
        let issuer = chain.get(1).or_else(|| is_own_issuer(own).then_some(own));
        let verdict = |proof: &[u8]| Some(judged(proof, own, issuer?, &chain));
        let first = proofs.iter().position(|one| verdict(one) == Some(ProofVerdict::Good));
        let proof = proofs.into_iter().nth(first.unwrap_or(0)).unwrap_or_default();
        let why = match verdict(&proof) {
            // Without its issuer, nobody can tell here by whom it is.
            None => (!is_successful(&proof)).then_some("no proof of a responder"),
            Some(ProofVerdict::Good) => None,
            Some(ProofVerdict::Revoked) => Some("the certificate was revoked"),
            Some(_) => Some("out of date, or not for the certificate"),
        };
        let told = |why: &str| format!("OCSP proof {file} is not sent: {why}");
        let (fault, outdated) = (why.map(told), told("out of date"));
        Ok(Self { certificate, proof, chain, fault, outdated })
    }

    /// The proof, where it still proves something; else what there is to be logged.
    pub fn usable(&self) -> Result<&[u8], &str> {
        if let Some(fault) = &self.fault {
            return Err(fault);
        }
        match self.is_up_to_date() {
            true => Ok(&self.proof),
            false => Err(&self.outdated),
        }
    }

    fn is_up_to_date(&self) -> bool {
        let [own, issuer, ..] = &self.chain[..] else { return true };
        let basic = OcspResponse::from_der(&self.proof).and_then(|response| response.basic());
        let Ok(basic) = basic else { return false };
        status_of(&basic, own, issuer)
            .is_some_and(|status| status.check_validity(LEEWAY, None).is_ok())
    }
}

fn is_successful(proof: &[u8]) -> bool {
    OcspResponse::from_der(proof)
        .is_ok_and(|response| response.status() == OcspResponseStatus::SUCCESSFUL)
}
