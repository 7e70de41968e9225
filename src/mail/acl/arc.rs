//! `verify = arc`: the chain of seals that a message's former hops have left
//! (experimental-spec, ARC; RFC 8617). It is validated when an ACL first asks, once for a
//! message.

use eximious_core::{AclOptions, AclPhases, AclVerify, Effects, Fail, Meta, Runs, Str, TaintRule};
use eximious_mailauth::arc::{ArcReason, ArcResult, ArcState, ArcValidator};
use eximious_mailauth::dkim::DkimReason;
use eximious_stdlib::arc::ArcFindings;
use eximious_stdlib::dns::AuthDns;
use eximious_stdlib::variables::var;

use super::dkim::{DkimArrival, hash_body};
use super::machine::{Answer, Run};
use super::words::{self, Asked, VerifyRun};
use crate::Context;

static META: Meta = Meta::new("verify", Effects::DNS.union(Effects::CLOCK), TaintRule::Tainted);

/// `verify = arc`.
pub(super) static ARC: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(arc)),
    words::meta(
        "arc",
        "verify = arc[/<list of none, fail, pass>]",
        "experimental-spec",
        "The message's ARC chain has a result listed.",
        "The chain of signatures that forwarders left is checked when the statement comes to it, \
         once for a message. Without a list, `pass` will do. `$arc_state`, `$arc_state_reason`, \
         `$arc_domains` and `$arc_oldest_pass` tell more. It defers where a key can't be had \
         now.",
    )
    .since("4.91"),
)
.phases(AclPhases::DATA)
.options(AclOptions::Text)
.effects(META.effects);

/// Forgets what is about the message: another one may follow.
pub(super) fn end_message(cx: &mut Context) {
    *cx.memory::<ArcFindings>() = ArcFindings::default();
    [var::ARC_DOMAINS, var::ARC_OLDEST_PASS, var::ARC_STATE, var::ARC_STATE_REASON]
        .into_iter()
        .for_each(|var| cx.unset_var(var));
}

fn arc(run: &mut Run<'_>, asked: Asked<'_>) -> Answer {
    if run.cx.memory::<ArcFindings>().found.is_none() {
        match find(run) {
            Ok(found) => run.cx.memory::<ArcFindings>().found = Some(found),
            Err(why) => {
                run.logged = Some(Str::from(why));
                return Answer::Later;
            }
        }
    }
    let Some(found) = &run.cx.memory::<ArcFindings>().found else { return Answer::Error };
    let (state, reason) = (found.state, reason(found));
    if state == ArcState::TempError {
        run.logged = Some(Str::from([b"ARC: ", reason.as_bytes()].concat()));
        return Answer::Later;
    }
    let list = asked.options.first().map_or(&b"pass"[..], Vec::as_slice);
    let mut wanted = list.split(|c| *c == b':').map(<[u8]>::trim_ascii);
    Answer::from(wanted.any(|name| name.eq_ignore_ascii_case(state.name().as_bytes())))
}

/// Validates the chain, and sets the variables.
fn find(run: &mut Run<'_>) -> Result<ArcResult, Vec<u8>> {
    let header = DkimArrival::header(run.cx);
    let fields: Vec<&[u8]> = header.iter().map(Vec::as_slice).collect();
    let validator = ArcValidator::new(&fields);
    let bodies = hash_body(run.cx, validator.bodies())?;
    run.host.flush();
    let found = run.cx.call(&META, |call| {
        let mut dns = AuthDns::new(call);
        let found = validator.validate(&fields, &bodies, &mut dns);
        dns.finish()?;
        Ok(found)
    });
    let found = found.map_err(|fail: Fail| fail.message().to_vec())?;
    let domains: Vec<&[u8]> = found.sets.iter().map(|set| &set.seal.1.domain[..]).collect();
    let domains = Str::tainted(domains.join(&b':'));
    let cx = &mut *run.cx;
    cx.set_var(var::ARC_STATE, Str::fixed(found.state.name()));
    cx.set_var(var::ARC_STATE_REASON, Str::from(reason(&found)));
    cx.set_var(var::ARC_DOMAINS, domains);
    if found.state == ArcState::Pass {
        // Exim's document has a hop's number there; RFC 8617 has 0 where all are good.
        let oldest = found.oldest_pass.max(1);
        cx.set_var(var::ARC_OLDEST_PASS, Str::from(oldest.to_string()));
    }
    Ok(found)
}

/// Why a chain is broken, for a person.
fn reason(found: &ArcResult) -> String {
    match found.reason {
        None => String::new(),
        Some(ArcReason::Field(None)) => "a field has no number of a hop".into(),
        Some(ArcReason::Field(Some(hop))) => format!("a field of i={hop} makes no sense"),
        Some(ArcReason::Incomplete(hop)) => format!("i={hop} has not one field of each kind"),
        Some(ArcReason::TooLong) => "too many hops".into(),
        Some(ArcReason::Status(hop)) => format!("i={hop} cv"),
        Some(ArcReason::Message(reason)) => {
            format!("i={} (AMS): {}", found.sets.len(), words_of(reason))
        }
        Some(ArcReason::Seal(hop, reason)) => format!("i={hop} (AS): {}", words_of(reason)),
    }
}

fn words_of(reason: DkimReason) -> &'static str {
    match reason {
        DkimReason::Flaw(_) => "a tag makes no sense",
        DkimReason::KeyUnavailable(true) => "no answer about the key now",
        DkimReason::KeyUnavailable(false) => "no key",
        DkimReason::KeyRecord | DkimReason::Key => "the key makes no sense",
        DkimReason::KeyTooShort => "the key is too short",
        DkimReason::HashNotAllowed => "the hash is not allowed",
        DkimReason::BodyHash => "the body is another one",
        DkimReason::Signature => "the signature is of something else",
    }
}
