//! Seals messages on their way out (`arc_sign`; experimental-spec, ARC; RFC 8617).
//!
//! What is sealed are the findings of when the message arrived, as the topmost
//! `Authentication-Results` field has them, which an ACL has added.

use eximious_core::{Effects, Fail, Meta, Str, TaintRule};
use eximious_mailauth::arc::{ArcResult, ArcSealer, ArcState, ArcValidator};
use eximious_mailauth::canon::BodyHashes;
use eximious_mailauth::crypto::PrivateKey;
use eximious_mailauth::dkim::SIGN_HEADERS;
use eximious_mailauth::results::AuthResults;
use eximious_stdlib::dns::AuthDns;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::transport::smtp;

use super::signing::{self, fields, hashes, wire};
use crate::mail::transport::{Outgoing, TransportCall};

/// How long a signature is good where `expire` says nothing, in seconds: a month.
const MONTH: i64 = 30 * 24 * 60 * 60;

static META: Meta = Meta::new("arc", Effects::DNS.union(Effects::CLOCK), TaintRule::Tainted);

/// What a message is sealed with, as the option comes to.
pub(super) struct Sealing {
    key: PrivateKey,
    domain: Vec<u8>,
    selector: Vec<u8>,
    headers: Vec<u8>,
    created: Option<i64>,
    expires: Option<i64>,
}

impl Sealing {
    pub(super) fn sealer(&self) -> ArcSealer<'_> {
        ArcSealer {
            key: &self.key,
            domain: &self.domain,
            selector: &self.selector,
            headers: &self.headers,
            created: self.created,
            expires: self.expires,
        }
    }
}

/// Says in the log that the message leaves without a seal.
pub(super) fn unsealed(call: &mut TransportCall<'_>, why: &[u8]) {
    call.cx.log().panic(&[b"ARC: message could not be sealed: ", why].concat());
}

/// What the option asks for; nothing where that is nothing, or makes no sense.
pub(super) fn sealing(call: &mut TransportCall<'_>) -> Option<Sealing> {
    let found = match signing::value(call, smtp::ARC_SIGN) {
        Ok(Some(text)) => read(call, &text),
        Ok(None) => return None,
        Err(why) => Err(why),
    };
    found.map_err(|why| unsealed(call, &why)).ok()
}

fn read(call: &mut TransportCall<'_>, text: &Str) -> Result<Sealing, Vec<u8>> {
    let elements: Vec<_> = elements(text.bytes()).collect();
    let [domain, selector, key, options @ ..] = &elements[..] else {
        return Err(b"arc_sign has not an identity, a selector and a key".to_vec());
    };
    if [domain, selector, key].iter().any(|element| element.is_empty()) {
        return Err(b"arc_sign has an empty identity, selector or key".to_vec());
    }
    if options.len() > 1 {
        return Err(b"arc_sign has more than four elements".to_vec());
    }
    let (domain, selector) = (domain.to_ascii_lowercase(), selector.to_vec());
    let key = signing::key_text(call, &Str::from(&key[..]).stamped(text.taint()), b"")?;
    let key = signing::read_key(&key, b"")?;
    let headers = [SIGN_HEADERS.as_bytes(), b":=DKIM-Signature"].concat();
    let mut sealing = Sealing { key, domain, selector, headers, created: None, expires: None };
    let now = call.consignment.now;
    let options = options.iter().flat_map(|options| options.split(|c| *c == b','));
    for option in options.map(<[u8]>::trim_ascii).filter(|option| !option.is_empty()) {
        match option {
            b"timestamps" => sealing.created = Some(now),
            b"expire" => sealing.expires = Some(now.saturating_add(MONTH)),
            option => {
                let value = option.strip_prefix(b"expire=").and_then(|value| expiry(value, now));
                let Some(date) = value else {
                    return Err([b"arc_sign has an option that makes no sense: ", option].concat());
                };
                sealing.expires = Some(date);
            }
        }
    }
    Ok(sealing)
}

/// A time: in seconds since 1970, or with `+` from now on.
fn expiry(value: &[u8], now: i64) -> Option<i64> {
    let (offset, base) = match value.strip_prefix(b"+") {
        Some(offset) => (offset, now),
        None => (value, 0),
    };
    let is_number = !offset.is_empty() && offset.iter().all(u8::is_ascii_digit);
    let number: i64 = is_number.then(|| std::str::from_utf8(offset).ok()?.parse().ok())??;
    base.checked_add(number)
}

/// The seal's fields, as lines of a header.
///
/// # Errors
/// There are no findings to be sealed, or no chain that could go on.
pub(super) fn seal(
    call: &mut TransportCall<'_>,
    sealing: &Sealing,
    outgoing: &Outgoing<'_>,
    bodies: &BodyHashes,
) -> Result<Vec<u8>, Vec<u8>> {
    let header = wire(&outgoing.head);
    let fields = fields(&header);
    let value = fields.iter().find_map(|field| {
        let colon = memchr::memchr(b':', field)?;
        let is_one = field[..colon].trim_ascii().eq_ignore_ascii_case(b"authentication-results");
        is_one.then_some(&field[colon + 1..])
    });
    let value = value.ok_or("there is no Authentication-Results header line")?;
    let found = AuthResults::read(value)
        .filter(|found| found.service.eq_ignore_ascii_case(&sealing.domain))
        .ok_or("the first Authentication-Results header line is not of this identity")?;
    let chain = match found.of(b"arc") {
        Some(state) => ArcState::named(state).and_then(|state| ArcResult::reported(&fields, state)),
        None => Some(validated(call, outgoing, &fields)?),
    };
    let chain = chain.ok_or("what is said of the chain of seals is not of this one")?;
    if chain.state == ArcState::TempError {
        return Err("the keys of the chain of seals can't be had now".into());
    }
    let lines = sealing.sealer().seal(&fields, bodies, &chain, value);
    let lines = lines.map_err(|why| why.to_string())?;
    Ok(lines.into_iter().filter(|byte| *byte != b'\r').collect())
}

/// What comes of the chain now, where nobody asked when the message arrived.
fn validated(
    call: &mut TransportCall<'_>,
    outgoing: &Outgoing<'_>,
    fields: &[&[u8]],
) -> Result<ArcResult, Vec<u8>> {
    let validator = ArcValidator::new(fields);
    let bodies = hashes(validator.bodies(), outgoing).map_err(|why| why.to_string())?;
    let found = call.cx.call(&META, |call| {
        let mut dns = AuthDns::new(call);
        let found = validator.validate(fields, &bodies, &mut dns);
        dns.finish()?;
        Ok(found)
    });
    found.map_err(|fail: Fail| fail.message().to_vec())
}
