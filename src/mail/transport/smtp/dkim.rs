//! Signs messages on their way out (specification, chapter 58.1.1).

use std::io::{self, Read};

use eximious_core::{DriverOpt, FailClass, Str};
use eximious_mailauth::canon::{BodyHasher, BodyHashes, Canon};
use eximious_mailauth::crypto::{Hash, PrivateKey};
use eximious_mailauth::dkim::{DkimSigner, SIGN_HEADERS};
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::UNKNOWN;
use crate::mail::route::Text;
use crate::mail::transport::{Outgoing, TransportCall, Undelivered};

/// How large the file with a key may be.
const LARGEST_KEY: u64 = 64 * 1024;

/// What a signature is made with, as the options come to.
struct Signing {
    key: PrivateKey,
    domain: Vec<u8>,
    selector: Vec<u8>,
    identity: Option<Vec<u8>>,
    hash: Hash,
    canon: Canon,
    headers: Vec<u8>,
    times: Option<(i64, Option<i64>)>,
}

impl Signing {
    fn signer(&self) -> DkimSigner<'_> {
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

/// Puts the signatures that the options ask for before the header.
///
/// # Errors
/// One can't be made, and nothing leaves without it (`dkim_strict`).
pub(super) fn sign(
    call: &mut TransportCall<'_>,
    outgoing: &mut Outgoing<'_>,
) -> Result<(), Undelivered> {
    let Some(domains) = value(call, smtp::DKIM_DOMAIN).or_else(|why| spared(call, &why))? else {
        return Ok(());
    };
    let mut all = Vec::new();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for domain in elements(domains.bytes()) {
        let domain = domain.to_ascii_lowercase();
        if domain.is_empty() || seen.contains(&domain) {
            continue;
        }
        seen.push(domain.clone());
        let taint = domains.taint();
        call.cx.set_var(var::DKIM_DOMAIN, Str::from(&domain[..]).stamped(taint));
        let signings = of_domain(call, &domain);
        let signings = signings.or_else(|why| spared(call, &why));
        all.extend(signings?);
    }
    if all.is_empty() {
        return Ok(());
    }
    let signed = signatures(&all, outgoing).map_err(|why| why.to_string().into_bytes());
    match signed {
        Ok(lines) => {
            outgoing.head.splice(0..0, lines);
        }
        Err(why) => {
            spared::<()>(call, &why)?;
        }
    }
    Ok(())
}

/// What is to be done where something can't be told: the message leaves unsigned, unless
/// `dkim_strict` says otherwise.
fn spared<T: Default>(call: &mut TransportCall<'_>, why: &[u8]) -> Result<T, Undelivered> {
    let line = [b"DKIM: message could not be signed: ", why].concat();
    call.cx.log().panic(&line);
    let strict = value(call, smtp::DKIM_STRICT).ok().flatten();
    let is_strict = strict
        .is_some_and(|word| word.bytes() == b"1" || word.bytes().eq_ignore_ascii_case(b"true"));
    match is_strict {
        true => Err(Undelivered::new(UNKNOWN, line)),
        false => Ok(T::default()),
    }
}

/// The signatures of a domain: one for each selector.
fn of_domain(call: &mut TransportCall<'_>, domain: &[u8]) -> Result<Vec<Signing>, Vec<u8>> {
    let Some(selectors) = value(call, smtp::DKIM_SELECTOR)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for selector in elements(selectors.bytes()).filter(|selector| !selector.is_empty()) {
        let taint = selectors.taint();
        call.cx.set_var(var::DKIM_SELECTOR, Str::from(&selector[..]).stamped(taint));
        let Some(key) = key(call)? else { continue };
        let canon = value(call, smtp::DKIM_CANON)?;
        let canon = canon.as_ref().map_or(&b"relaxed"[..], Str::bytes);
        let canon =
            Canon::named(canon).ok_or_else(|| [b"unknown canonicalization ", canon].concat())?;
        let hash = value(call, smtp::DKIM_HASH)?;
        let hash = match hash.as_ref().map_or(&b"sha256"[..], Str::bytes) {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            other => return Err([b"hash ", other, b" is not to be used"].concat()),
        };
        let identity = value(call, smtp::DKIM_IDENTITY)?.map(|text| text.bytes().to_vec());
        let headers = value(call, smtp::DKIM_SIGN_HEADERS)?;
        let headers = headers.map_or_else(|| SIGN_HEADERS.into(), |text| text.bytes().to_vec());
        let times = times(call)?;
        let (domain, selector) = (domain.to_vec(), selector.to_vec());
        all.push(Signing { key, domain, selector, identity, hash, canon, headers, times });
    }
    Ok(all)
}

/// The key; nothing where the message is not to be signed with it.
fn key(call: &mut TransportCall<'_>) -> Result<Option<PrivateKey>, Vec<u8>> {
    let Some(text) = value(call, smtp::DKIM_PRIVATE_KEY)? else { return Ok(None) };
    let bytes = match text.bytes() {
        b"0" | b"false" => return Ok(None),
        name if name.starts_with(b"/") => {
            if text.taint().is_tainted() {
                let head = b"the file name for the private key comes from outside: ";
                return Err([head, name].concat());
            }
            let files = call.cx.engine().world().files.clone();
            let read = files.read(name, LARGEST_KEY).map_err(|why| {
                let why = eximious_stdlib::wording::reason(&why);
                [b"unable to open file for reading: ", name, b": ", why.as_bytes()].concat()
            });
            read?.to_vec()
        }
        pem => pem.to_vec(),
    };
    let pem = String::from_utf8_lossy(&bytes);
    PrivateKey::read(&pem).map(Some).map_err(|_| b"the private key makes no sense".to_vec())
}

/// When a signature is made, and when it expires (`dkim_timestamps`).
fn times(call: &mut TransportCall<'_>) -> Result<Option<(i64, Option<i64>)>, Vec<u8>> {
    let Some(text) = value(call, smtp::DKIM_TIMESTAMPS)? else { return Ok(None) };
    let number = std::str::from_utf8(text.bytes()).ok().and_then(|text| text.trim().parse().ok());
    let number: u32 =
        number.ok_or_else(|| [b"dkim_timestamps is no number: ", text.bytes()].concat())?;
    let now = call.consignment.now;
    Ok(Some((now, (number > 0).then(|| now.saturating_add(number.into())))))
}

/// An option's text; nothing where it comes to nothing, or is forced to fail.
fn value(call: &mut TransportCall<'_>, option: DriverOpt<Str>) -> Result<Option<Str>, Vec<u8>> {
    let Some(text) = call.transport.some_text(option).cloned() else { return Ok(None) };
    match Text::new(text).expand(call.cx) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(fail) if fail.class() == FailClass::Forced => Ok(None),
        Err(fail) => {
            let head = format!("failed to expand {}: ", option.name());
            Err([head.as_bytes(), fail.message()].concat())
        }
    }
}

/// The signatures' fields, as lines of a header.
fn signatures(all: &[Signing], outgoing: &Outgoing<'_>) -> io::Result<Vec<u8>> {
    let bodies = hashes(all, outgoing)?;
    let mut header = Vec::with_capacity(outgoing.head.len() + 64);
    push_lines(&outgoing.head, &mut header);
    let fields = fields(&header);
    let mut lines = Vec::new();
    for one in all {
        let field = one.signer().sign(&fields, &bodies);
        let field = field.map_err(|why| io::Error::other(format!("{why:?}")))?;
        lines.extend(field.iter().filter(|byte| **byte != b'\r'));
    }
    Ok(lines)
}

fn hashes(all: &[Signing], outgoing: &Outgoing<'_>) -> io::Result<BodyHashes> {
    let mut hasher = BodyHasher::new(all.iter().map(|one| one.signer().body()));
    let (mut reader, mut piece) = (outgoing.body(), vec![0; 16 * 1024]);
    let mut last = b'\n';
    loop {
        match reader.read(&mut piece)? {
            0 => break,
            count => {
                let mut lines = Vec::with_capacity(count + count / 16);
                push_lines(&piece[..count], &mut lines);
                hasher.push(&lines);
                last = piece[count - 1];
            }
        }
    }
    if last != b'\n' {
        hasher.push(b"\r\n");
    }
    Ok(hasher.finish())
}

/// Adds a text whose lines end as they do on the wire.
fn push_lines(text: &[u8], into: &mut Vec<u8>) {
    for byte in text {
        if *byte == b'\n' {
            into.push(b'\r');
        }
        into.push(*byte);
    }
}

/// The fields of a header, each with all of its lines.
fn fields(header: &[u8]) -> Vec<&[u8]> {
    let (mut fields, mut start, mut at) = (Vec::new(), 0, 0);
    while at < header.len() {
        let end = memchr::memchr(b'\n', &header[at..]).map_or(header.len(), |end| at + end + 1);
        if &header[at..end] == b"\r\n" {
            break;
        }
        at = end;
        if !matches!(header.get(at), Some(b' ' | b'\t')) {
            fields.push(&header[start..at]);
            start = at;
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use eximious_core::Message;
    use eximious_mailauth::dkim::{DkimPolicy, DkimStatus, DkimVerifier};
    use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};

    use super::*;

    /// A DNS with one key.
    struct Published(Vec<u8>);

    impl DnsSource for Published {
        fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
            let answer = || DnsResponse::Records(vec![Rdata::Text(self.0.clone())]);
            questions.iter().map(|_| answer()).collect()
        }
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
                selector: b"s".to_vec(),
                identity: None,
                hash: Hash::Sha256,
                canon,
                headers: SIGN_HEADERS.into(),
                times: Some((1_800_000_000, None)),
            };
            let message = Message::new(Vec::new(), body);
            let outgoing = Outgoing::of(head.to_vec(), &message);
            let signature = signatures(&[signing], &outgoing).unwrap();
            assert!(!signature.contains(&b'\r') && signature.ends_with(b"\n"));
            // As it comes to its receiver.
            let mut header = Vec::new();
            push_lines(&[&signature[..], head].concat(), &mut header);
            let fields = fields(&header);
            assert_eq!(fields.len(), 4);
            let verifier = DkimVerifier::new(&fields, DkimPolicy::default()).unwrap();
            let mut hasher = BodyHasher::new(verifier.bodies());
            let mut lines = Vec::new();
            push_lines(body.as_bytes(), &mut lines);
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
