//! Signs messages on their way out (specification, chapter 58.1.1).

use eximious_core::Str;
use eximious_mailauth::canon::{BodyHashes, Canon};
use eximious_mailauth::crypto::{Hash, PrivateKey};
use eximious_mailauth::dkim::{DkimSigner, SIGN_HEADERS};
use eximious_stdlib::lists::{Joiner, elements};
use eximious_stdlib::number::{Leading, leading_integer};
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::UNKNOWN;
use super::signing::{self, fields, set, wire};
use crate::mail::transport::{TransportCall, Undelivered};

/// What a signature is made with, as the options come to; the key is read when all of them have.
pub(super) struct Signing<K = PrivateKey> {
    key: K,
    domain: Vec<u8>,
    selector: Vec<u8>,
    identity: Option<Vec<u8>>,
    hash: Hash,
    canon: Canon,
    headers: Vec<u8>,
    times: Option<(i64, Option<i64>)>,
}

impl Signing<Vec<u8>> {
    fn with_key(self) -> Result<Signing, Vec<u8>> {
        let Self { key, domain, selector, identity, hash, canon, headers, times } = self;
        let key = signing::read_key(&key, b"DKIM: ")?;
        Ok(Signing { key, domain, selector, identity, hash, canon, headers, times })
    }
}

impl Signing {
    pub(super) fn signer(&self) -> DkimSigner<'_> {
        DkimSigner {
            key: &self.key,
            domain: &self.domain,
            selector: &self.selector,
            identity: self.identity.as_deref(),
            hash: self.hash,
            header_canon: self.canon,
            body_canon: self.canon,
            length: None,
            headers: &self.headers,
            created: self.times.map(|(created, _)| created),
            expires: self.times.and_then(|(_, expires)| expires),
        }
    }
}

/// Whether the options are there without which none of them is looked at.
pub(super) fn is_asked(call: &TransportCall<'_>) -> bool {
    let needed = [smtp::DKIM_DOMAIN, smtp::DKIM_SELECTOR, smtp::DKIM_PRIVATE_KEY];
    needed.into_iter().all(|option| call.transport.text(option).is_some())
}

/// What the options ask for: all signatures, or none where one of them can't be told.
///
/// # Errors
/// That can't be told, and nothing leaves without a signature (`dkim_strict`).
pub(super) fn signings(call: &mut TransportCall<'_>) -> Result<Vec<Signing>, Undelivered> {
    if !is_asked(call) {
        return Ok(Vec::new());
    }
    let domains = set(call, smtp::DKIM_DOMAIN).or_else(|why| spared(call, &why))?;
    let Some(domains) = domains.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let (mut all, mut seen): (Vec<_>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for domain in elements(domains.bytes()) {
        let domain = domain.to_ascii_lowercase();
        if domain.is_empty() || seen.contains(&domain) {
            continue;
        }
        seen.push(domain.clone());
        let taint = domains.taint();
        call.cx.set_var(var::DKIM_DOMAIN, Str::from(&domain[..]).stamped(taint));
        match of_domain(call, &domain) {
            Ok(signings) => all.extend(signings),
            Err(why) => return spared(call, &why),
        }
    }
    let all: Result<Vec<Signing>, _> = all.into_iter().map(Signing::with_key).collect();
    all.or_else(|why| spared(call, &why))
}

/// What is to be done where something can't be told: the message leaves unsigned, unless
/// `dkim_strict` says otherwise.
pub(super) fn spared<T: Default>(
    call: &mut TransportCall<'_>,
    why: &[u8],
) -> Result<T, Undelivered> {
    call.cx.log().panic(why);
    let strict = set(call, smtp::DKIM_STRICT).ok().flatten();
    let is_strict = strict
        .is_some_and(|word| word.bytes() == b"1" || word.bytes().eq_ignore_ascii_case(b"true"));
    match is_strict {
        true => {
            let head: &[u8] = b"DKIM: message could not be signed";
            let tail: &[u8] = b", and dkim_strict is set. Deferring message delivery.";
            call.log(&[head, tail].concat());
            Err(Undelivered::new(UNKNOWN, [head, b": ", why].concat()))
        }
        false => Ok(T::default()),
    }
}

/// The signatures of a domain: one for each selector.
fn of_domain(
    call: &mut TransportCall<'_>,
    domain: &[u8],
) -> Result<Vec<Signing<Vec<u8>>>, Vec<u8>> {
    let Some(selectors) = set(call, smtp::DKIM_SELECTOR)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for selector in elements(selectors.bytes()).filter(|selector| !selector.is_empty()) {
        let taint = selectors.taint();
        call.cx.set_var(var::DKIM_SELECTOR, Str::from(&selector[..]).stamped(taint));
        let canon = set(call, smtp::DKIM_CANON)?;
        let canon = canon.as_ref().map_or(&b"relaxed"[..], Str::bytes);
        let canon = Canon::named(canon).unwrap_or_else(|| {
            let head = b"DKIM: unknown canonicalization method '".as_slice();
            let line = [head, canon, b"', defaulting to 'relaxed'.\n"].concat();
            call.log(&line);
            Canon::Relaxed
        });
        let some = |text: Option<Str>| text.filter(|text| !text.is_empty());
        let headers = some(set(call, smtp::DKIM_SIGN_HEADERS)?);
        let Some(key) = key(call)? else { continue };
        let hash = set(call, smtp::DKIM_HASH)?;
        let identity = some(set(call, smtp::DKIM_IDENTITY)?).map(|text| text.bytes().to_vec());
        let names = |text: Str| elements(text.bytes()).collect::<Vec<_>>().join(&b':');
        let headers = headers.map_or_else(|| SIGN_HEADERS.into(), names);
        let times = times(call)?;
        let hash = match hash.as_ref().map_or(&b"sha256"[..], Str::bytes) {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            b"sha1" => return Err(b"DKIM: sha1 is no hash to sign with (RFC 8301)".to_vec()),
            other => return Err([b"DKIM: unrecognised hashname '", other, b"'"].concat()),
        };
        let (domain, selector) = (domain.to_vec(), selector.to_vec());
        all.push(Signing { key, domain, selector, identity, hash, canon, headers, times });
    }
    Ok(all)
}

/// The text of the key; nothing where the message is not to be signed with it.
fn key(call: &mut TransportCall<'_>) -> Result<Option<Vec<u8>>, Vec<u8>> {
    match set(call, smtp::DKIM_PRIVATE_KEY)? {
        Some(text) if !matches!(text.bytes(), b"" | b"0" | b"false") => {
            signing::key_text(call, &text, b"DKIM: ").map(Some)
        }
        _ => Ok(None),
    }
}

/// When a signature is made, and when it expires (`dkim_timestamps`).
fn times(call: &mut TransportCall<'_>) -> Result<Option<(i64, Option<i64>)>, Vec<u8>> {
    let Some(text) = set(call, smtp::DKIM_TIMESTAMPS)? else { return Ok(None) };
    let now = call.consignment.now;
    Ok(Some((now, lifetime(text.bytes()).map(|seconds| now.saturating_add(seconds)))))
}

/// How many seconds a signature is good for; for ever where that is 0, or no number, or one
/// that is too large.
fn lifetime(text: &[u8]) -> Option<i64> {
    match leading_integer(text) {
        Leading::Number(seconds, _) if seconds != 0 => Some(seconds),
        _ => None,
    }
}

/// The signatures' fields, as lines of a header.
pub(super) fn signatures(
    all: &[Signing],
    header: &[u8],
    bodies: &BodyHashes,
) -> Result<Vec<u8>, Vec<u8>> {
    let header = wire(header);
    let fields = fields(&header);
    let mut lines = Vec::new();
    for one in all {
        let field = one.signer().sign(&fields, bodies).map_err(|why| why.to_string())?;
        lines.extend(field.iter().filter(|byte| **byte != b'\r'));
    }
    Ok(lines)
}

/// What a log says of them.
pub(super) fn logged(all: &[Signing]) -> Vec<u8> {
    let mut names = Joiner::new(b':');
    for name in all.iter().flat_map(|one| [&one.domain, &one.selector]) {
        names.push(name);
    }
    match all.is_empty() {
        true => Vec::new(),
        false => [b" DKIM=", names.finish().bytes()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::Message;
    use eximious_mailauth::canon::BodyHasher;
    use eximious_mailauth::dkim::{DkimPolicy, DkimStatus, DkimVerifier};
    use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};

    use super::*;
    use crate::mail::transport::Outgoing;

    /// A DNS with one key.
    struct Published(Vec<u8>);

    impl DnsSource for Published {
        fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
            let answer = || DnsResponse::Records(vec![Rdata::Text(self.0.clone())]);
            questions.iter().map(|_| answer()).collect()
        }
    }

    #[test]
    fn lifetimes_are_numbers() {
        let texts = ["", "x", "0", "5", "+5", "-5", " 7x", "99999999999"];
        let found = texts.map(|text| lifetime(text.as_bytes()).unwrap_or_default());
        assert_eq!(found, [0, 0, 0, 5, 5, -5, 7, 99_999_999_999]);
    }

    #[test]
    fn what_leaves_is_what_was_signed() {
        let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dkim/rsa2048.pem"));
        let head = b"From: a@b.test\nSubject:  two\n\tlines\nTo: c@d.test\n\n";
        for (canon, body) in [
            (Canon::Relaxed, "one\n\n.dot  \nno end"),
            (Canon::Simple, "one\n\n.dot  \n\n\n"),
            (Canon::Simple, ""),
        ] {
            let key = PrivateKey::read(pem).unwrap();
            let public = eximious_stdlib::base64::encode(&key.public());
            let signing = Signing {
                key,
                domain: b"b.test".to_vec(),
                selector: b"s:t".to_vec(),
                identity: None,
                hash: Hash::Sha256,
                canon,
                headers: SIGN_HEADERS.into(),
                times: Some((1_800_000_000, None)),
            };
            let message = Message::new(Vec::new(), body);
            let outgoing = Outgoing::of(head.to_vec(), &message);
            let hashes = signing::hashes([signing.signer().body()].into_iter(), &outgoing);
            assert_eq!(logged(std::slice::from_ref(&signing)), b" DKIM=b.test:s::t");
            let signature = signatures(&[signing], head, &hashes.unwrap()).unwrap();
            assert!(!signature.contains(&b'\r') && signature.ends_with(b"\n"));
            // As it comes to its receiver.
            let header = wire(&[&signature[..], head].concat());
            let fields = fields(&header);
            assert_eq!(fields.len(), 4);
            let verifier = DkimVerifier::new(&fields, DkimPolicy::default()).unwrap();
            let mut hasher = BodyHasher::new(verifier.bodies());
            let mut lines = wire(body.as_bytes());
            if !body.is_empty() && !body.ends_with('\n') {
                lines.extend_from_slice(b"\r\n");
            }
            hasher.push(&lines);
            let mut dns = Published([b"v=DKIM1; p=", &public[..]].concat());
            let results = verifier.verify(&fields, &hasher.finish(), &mut dns);
            let found: Vec<_> = results.iter().map(|one| (one.status, one.reason)).collect();
            assert_eq!(found, [(DkimStatus::Pass, None)], "{canon:?} {body:?}");
        }
    }
}
