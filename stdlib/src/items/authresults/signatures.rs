//! What `authresults` says of a message's signatures.

use eximious_core::{Buf, Call, Fail, Str};
use eximious_mailauth::arc::ArcState;
use eximious_mailauth::dkim::{DkimReason, DkimResult, Flaw};

use super::{NEXT, property};
use crate::arc::ArcFindings;
use crate::dkim::DkimFindings;
use crate::variables::var;

/// What came of each of the message's signatures.
pub(super) fn dkim(call: &mut Call<'_>, line: &mut Buf) -> Result<(), Fail> {
    if call.memory::<DkimFindings>().found.is_empty() {
        return Ok(());
    }
    let (status, reason) =
        (call.value_of(var::DKIM_VERIFY_STATUS)?, call.value_of(var::DKIM_VERIFY_REASON)?);
    for found in &call.memory::<DkimFindings>().found {
        line.push_bytes(NEXT);
        line.push_bytes(b"dkim=");
        let DkimResult { signature, key_bits, .. } = &found.result;
        let (verdict, comment) = judged(&found.result);
        if found.overridden {
            line.push_bytes(b"policy (");
            line.push(&status);
            line.push_bytes(b" - ");
            line.push(&reason);
            line.push_bytes(b")");
        } else {
            line.push_bytes(verdict);
            if !comment.is_empty() {
                line.push_bytes(b" (");
                line.push_bytes(comment);
                if found.result.reason == Some(DkimReason::KeyTooShort) {
                    line.push_bytes(format!(": {key_bits} bits").as_bytes());
                }
                line.push_bytes(b")\n\t\t");
            }
        }
        let tainted = |text: &[u8]| Str::tainted(text.to_vec());
        property(line, " header.d=", &tainted(&signature.domain));
        property(line, " header.i=", &tainted(signature.identity.as_deref().unwrap_or_default()));
        property(line, " header.s=", &tainted(&signature.selector));
        property(line, " header.a=", &tainted(signature.algorithm.name().as_bytes()));
    }
    Ok(())
}

/// What came of the message's chain of seals, where that was asked (RFC 8617, section 4.1).
pub(super) fn arc(call: &mut Call<'_>, line: &mut Buf) -> Result<(), Fail> {
    let Some(found) = &call.memory::<ArcFindings>().found else { return Ok(()) };
    let (state, oldest) = (found.state.name(), found.oldest_pass);
    let last = found.sets.last().map(|set| set.message.1.selector.clone());
    let hops = found.sets.len();
    line.push_bytes(NEXT);
    line.push_bytes(format!("arc={state}").as_bytes());
    let Some(selector) = last else { return Ok(()) };
    line.push_bytes(format!(" (i={hops})").as_bytes());
    property(line, " header.s=", &Str::tainted(selector));
    if found.state == ArcState::Pass {
        line.push_bytes(format!(" arc.oldest-pass={oldest}").as_bytes());
    }
    let address = call.value_of(var::SENDER_HOST_ADDRESS)?;
    property(line, " smtp.remote-ip=", &address);
    Ok(())
}

/// A signature's result, and why, in the words of the line.
fn judged(result: &DkimResult) -> (&'static [u8], &'static [u8]) {
    let Some(reason) = result.reason else {
        return (result.status.name().as_bytes(), b"");
    };
    match reason {
        DkimReason::Flaw(Flaw::Tags) => (b"neutral", b"signature tag missing or invalid"),
        DkimReason::Flaw(Flaw::Version) => (b"neutral", b"unsupported DKIM version"),
        DkimReason::KeyUnavailable(_) => (b"tmperror", b"pubkey unavailable"),
        DkimReason::KeyRecord | DkimReason::Key => {
            (b"neutral", b"public key record import problem")
        }
        DkimReason::KeyTooShort => (b"fail", b"public key too short"),
        DkimReason::HashNotAllowed => (b"fail", b"unspecified reason"),
        DkimReason::BodyHash => (b"fail", b"body hash mismatch; body probably modified in transit"),
        DkimReason::Signature => {
            (b"fail", b"signature did not verify; headers probably modified in transit")
        }
    }
}
