//! What variables and logs say of a signature.

use eximious_core::{LogSelector, Str, Var};
use eximious_mailauth::crypto::KeyType;
use eximious_mailauth::dkim::{DkimReason, DkimResult, DkimSignature, DkimStatus, Flaw};
use eximious_stdlib::dkim::DkimFindings;
use eximious_stdlib::variables::var;

use crate::Context;
use crate::mail::acl::AclHost;

/// What stands for no limit, and for no end.
const ENDLESS: &str = "9999999999999";

/// The variables that are about a signer.
const SHOWN: [Var; 20] = [
    var::DKIM_ALGO,
    var::DKIM_BODYLENGTH,
    var::DKIM_CANON_BODY,
    var::DKIM_CANON_HEADERS,
    var::DKIM_COPIEDHEADERS,
    var::DKIM_CREATED,
    var::DKIM_CUR_SIGNER,
    var::DKIM_DOMAIN,
    var::DKIM_EXPIRES,
    var::DKIM_HEADERNAMES,
    var::DKIM_IDENTITY,
    var::DKIM_KEY_GRANULARITY,
    var::DKIM_KEY_LENGTH,
    var::DKIM_KEY_NOSUBDOMAINS,
    var::DKIM_KEY_NOTES,
    var::DKIM_KEY_SRVTYPE,
    var::DKIM_KEY_TESTING,
    var::DKIM_SELECTOR,
    var::DKIM_VERIFY_REASON,
    var::DKIM_VERIFY_STATUS,
];

/// Those that stay for a signer that has no signature: as Exim has it, they are about the last
/// signature before.
const KEPT: [Var; 3] = [var::DKIM_DOMAIN, var::DKIM_KEY_LENGTH, var::DKIM_SELECTOR];

/// Takes all of it out of the values of the conversation.
pub(super) fn forget(cx: &mut Context) {
    SHOWN.into_iter().for_each(|var| cx.unset_var(var));
    cx.unset_var(var::DKIM_SIGNERS);
}

/// Sets the variables for a run about a signer and one of its signatures.
pub(super) fn show(cx: &mut Context, signer: &[u8], number: Option<usize>) {
    let gone = SHOWN.into_iter().filter(|var| number.is_some() || !KEPT.contains(var));
    gone.for_each(|var| cx.unset_var(var));
    cx.set_var(var::DKIM_CUR_SIGNER, Str::tainted(signer.to_vec()));
    let found = &cx.memory::<DkimFindings>().found;
    let Some(found) = number.and_then(|number| found.get(number)) else {
        cx.set_var(var::DKIM_VERIFY_STATUS, Str::fixed(DkimStatus::None.name()));
        return;
    };
    let status = if found.overridden { DkimStatus::None } else { found.result.status };
    let DkimResult { signature, reason, key, key_bits, .. } = &found.result;
    let reason = reason.filter(|_| !found.overridden).map_or("", reason_name);
    let DkimSignature { domain, selector, headers, .. } = signature;
    let bytes = |bytes: &[u8]| Str::tainted(bytes.to_vec());
    let maybe = |bytes: &Option<Vec<u8>>| Str::tainted(bytes.clone().unwrap_or_default());
    let number = |number: Option<i64>, unset: &'static str| match number {
        Some(number) => Str::from(number.to_string()),
        None => Str::fixed(unset),
    };
    let flag = |flag: bool| Str::fixed(if flag { "1" } else { "0" });
    let length = signature.length.and_then(|length| length.try_into().ok());
    let mut values = vec![
        (var::DKIM_ALGO, bytes(signature.algorithm.name().as_bytes())),
        (var::DKIM_BODYLENGTH, number(length, ENDLESS)),
        (var::DKIM_CANON_BODY, Str::fixed(signature.body_canon.name())),
        (var::DKIM_CANON_HEADERS, Str::fixed(signature.header_canon.name())),
        (var::DKIM_COPIEDHEADERS, maybe(&signature.copied)),
        (var::DKIM_CREATED, number(signature.created, "0")),
        (var::DKIM_DOMAIN, bytes(domain)),
        (var::DKIM_EXPIRES, number(signature.expires, ENDLESS)),
        (var::DKIM_HEADERNAMES, bytes(headers)),
        (var::DKIM_IDENTITY, maybe(&signature.identity)),
        (var::DKIM_KEY_LENGTH, Str::from(key_bits.to_string())),
        (var::DKIM_SELECTOR, bytes(selector)),
        (var::DKIM_VERIFY_REASON, Str::fixed(reason)),
        (var::DKIM_VERIFY_STATUS, Str::fixed(status.name())),
    ];
    if let Some(key) = key {
        values.extend([
            (var::DKIM_KEY_GRANULARITY, bytes(&key.granularity)),
            (var::DKIM_KEY_NOSUBDOMAINS, flag(key.no_subdomains)),
            (var::DKIM_KEY_NOTES, bytes(&key.notes)),
            (var::DKIM_KEY_SRVTYPE, bytes(&key.services)),
            (var::DKIM_KEY_TESTING, flag(key.testing)),
        ]);
    }
    values.into_iter().for_each(|(var, value)| cx.set_var(var, value));
}

/// As `$dkim_verify_reason` has it.
fn reason_name(reason: DkimReason) -> &'static str {
    match reason {
        DkimReason::Flaw(_) | DkimReason::HashNotAllowed => "",
        DkimReason::KeyUnavailable(_) => "pubkey_unavailable",
        DkimReason::KeyRecord => "pubkey_dns_syntax",
        DkimReason::Key => "pubkey_der_syntax",
        DkimReason::KeyTooShort => "pubkey_too_short",
        DkimReason::BodyHash => "bodyhash_mismatch",
        DkimReason::Signature => "signature_incorrect",
    }
}

/// As logs have it.
fn logged(result: &DkimResult) -> &'static str {
    let Some(reason) = result.reason else {
        return match result.status {
            DkimStatus::Pass => "verification succeeded",
            _ => "not verified",
        };
    };
    match reason {
        DkimReason::Flaw(Flaw::Tags) => "invalid - signature tag missing or invalid",
        DkimReason::Flaw(Flaw::Version) => "invalid - unsupported DKIM version",
        DkimReason::KeyUnavailable(_) => "invalid - public key record (currently?) unavailable",
        DkimReason::KeyRecord | DkimReason::Key => "invalid - syntax error in public key record",
        DkimReason::KeyTooShort => "verification failed - signature invalid (key too short)",
        DkimReason::HashNotAllowed => "verification failed - unspecified reason",
        DkimReason::BodyHash => {
            "verification failed - body hash mismatch (body probably modified in transit)"
        }
        DkimReason::Signature => {
            "verification failed - signature did not verify (headers probably modified in \
             transit)"
        }
    }
}

/// Logs what was wrong while signatures were verified.
pub(super) fn log_faults(host: &mut dyn AclHost, results: &[DkimResult]) {
    for DkimResult { signature: DkimSignature { domain, selector, .. }, reason, .. } in results {
        if matches!(
            reason,
            Some(DkimReason::KeyUnavailable(_) | DkimReason::KeyRecord | DkimReason::Key)
        ) {
            let parts = [b"DKIM: d=", &domain[..], b" s=", selector, b" [failed key import]"];
            host.log(&parts.concat());
        }
    }
    if let Some(why) = fault(results) {
        host.log(&[b"DKIM: validation error: ", why.as_bytes()].concat());
    }
}

/// What was wrong with the last key or signature, if that is still known at the end, and no
/// signature is good.
fn fault(results: &[DkimResult]) -> Option<&'static str> {
    let mut fault = None;
    for DkimResult { signature, status, reason, key, .. } in results {
        fault = match reason {
            Some(DkimReason::Key) if key.as_ref().is_some_and(|key| is_cut(&key.key)) => {
                Some("ASN1 parser: Error in DER parsing.")
            }
            Some(DkimReason::Key) if signature.algorithm.key == KeyType::Rsa => {
                Some("ASN1 parser: Error in TAG.")
            }
            Some(DkimReason::Key) => Some("The request is invalid."),
            Some(DkimReason::Signature) => Some("Public key signature verification has failed."),
            // A key that could be worked with makes it forgotten.
            Some(DkimReason::KeyTooShort | DkimReason::HashNotAllowed) => None,
            None if *status == DkimStatus::Pass => None,
            _ => fault,
        };
    }
    fault.filter(|_| results.iter().all(|one| one.status != DkimStatus::Pass))
}

/// Whether a sequence in DER is longer than what is there of it.
fn is_cut(der: &[u8]) -> bool {
    let (length, behind) = match der {
        [0x30, 0x81, one, rest @ ..] => (usize::from(*one), rest),
        [0x30, 0x82, high, low, rest @ ..] => ((usize::from(*high) << 8) | usize::from(*low), rest),
        [0x30, one, rest @ ..] if *one < 0x80 => (usize::from(*one), rest),
        _ => return false,
    };
    behind.len() < length
}

/// The line of its own that a signature gets, if that is wanted.
pub(super) fn verbose(cx: &mut Context, number: usize) -> Option<Vec<u8>> {
    if !cx.engine().settings().log_selector().contains(LogSelector::DKIM_VERBOSE) {
        return None;
    }
    let (status, reason) =
        (cx.value_of(var::DKIM_VERIFY_STATUS), cx.value_of(var::DKIM_VERIFY_REASON));
    let found = cx.memory::<DkimFindings>().found.get(number)?;
    let DkimSignature { domain, selector, algorithm, signature, .. } = &found.result.signature;
    let own = &found.result.signature;
    let mut line = b"DKIM:".to_vec();
    for (name, value) in [(" d=", domain), (" s=", selector)] {
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(if value.is_empty() { b"<UNSET>" } else { value });
    }
    let (header, body) = (own.header_canon.name(), own.body_canon.name());
    let text = format!(" c={header}/{body} a={} b={}", algorithm.name(), signature.len() * 8);
    line.extend_from_slice(text.as_bytes());
    if let Some(identity) = own.identity.as_ref().filter(|identity| !identity.is_empty()) {
        line.extend_from_slice(&[b" i=", &identity[..]].concat());
    }
    let length = own.length.and_then(|length| length.try_into().ok());
    for (name, value) in [("t", own.created), ("x", own.expires), ("l", length)] {
        if let Some(value) = value {
            line.extend_from_slice(format!(" {name}={value}").as_bytes());
        }
    }
    match found.overridden {
        true => {
            line.extend_from_slice(&[b" [", status.bytes(), b" - ", reason.bytes(), b"]"].concat())
        }
        false => line.extend_from_slice(format!(" [{}]", logged(&found.result)).as_bytes()),
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_known_until_a_key_could_be_worked_with() {
        let field = b"DKIM-Signature: v=1; a=rsa-sha256; d=d; s=s; h=From; bh=YQ==; b=YQ==";
        let fault = |reasons: &[Option<DkimReason>]| {
            let result = |reason: &Option<DkimReason>| {
                let signature = DkimSignature::read(field).expect("a signature");
                let status = if reason.is_none() { DkimStatus::Pass } else { DkimStatus::Fail };
                DkimResult { signature, status, reason: *reason, key: None, key_bits: 0 }
            };
            fault(&reasons.iter().map(result).collect::<Vec<_>>()).unwrap_or_default()
        };
        let wrong = "Public key signature verification has failed.";
        let (bad, key) = (Some(DkimReason::Signature), Some(DkimReason::Key));
        let (gone, body) = (Some(DkimReason::KeyUnavailable(false)), Some(DkimReason::BodyHash));
        assert_eq!(fault(&[bad]), wrong);
        assert_eq!(fault(&[key, bad, gone, body]), wrong);
        assert_eq!(fault(&[bad, key]), "ASN1 parser: Error in TAG.");
        assert_eq!(fault(&[bad, Some(DkimReason::KeyTooShort)]), "");
        assert_eq!(fault(&[Some(DkimReason::HashNotAllowed), bad]), wrong);
        assert_eq!(fault(&[None, bad]), "");
        assert_eq!(fault(&[bad, None]), "");
        assert_eq!(fault(&[gone, body]), "");
    }
}
