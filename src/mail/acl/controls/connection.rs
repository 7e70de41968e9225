//! Controls of the connection: they last until it ends.

use eximious_core::{AclControl, AclPhases, Effects};
use eximious_stdlib::variables::var;

use super::super::machine::{Answer, Run};
use super::super::words::{self, ControlRun, Setting};
use super::{PLAIN, kept};

/// `control = allow_auth_unadvertised`.
pub(in crate::mail::acl) static ALLOW_AUTH_UNADVERTISED: AclControl = words::control(
    &PLAIN,
    words::meta(
        "allow_auth_unadvertised",
        "control = allow_auth_unadvertised",
        "specification 44.13",
        "AUTH is taken though it was not offered.",
        "It is for clients so broken that they authenticate with a mechanism that the answer to \
         EHLO did not name, or after HELO. Every mechanism of the configuration will do then.",
    ),
)
.phases(AclPhases::CONNECT.union(AclPhases::HELO))
.of_connection();

/// `control = caseful_local_part`.
pub(in crate::mail::acl) static CASEFUL_LOCAL_PART: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: caseful },
    words::meta(
        "caseful_local_part",
        "control = caseful_local_part",
        "specification 44.13",
        "The case of the local part counts from here on.",
        "`$local_part` is in lower case at first; this brings back the letters that the client \
         sent, for the rest of the ACL and for this recipient. What routers do when the recipient \
         is verified is their own matter.",
    ),
)
.effects(Effects::VARS)
.phases(AclPhases::RCPT)
.of_connection();

fn caseful(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    if let Some(part) = run.state.cased_local_part.clone() {
        run.cx.set_var(var::LOCAL_PART, part);
    }
    kept(run, setting)
}

/// `control = caselower_local_part`.
pub(in crate::mail::acl) static CASELOWER_LOCAL_PART: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: caselower },
    words::meta(
        "caselower_local_part",
        "control = caselower_local_part",
        "specification 44.13",
        "The local part is in lower case from here on.",
        "It takes `control = caseful_local_part` back.",
    ),
)
.effects(Effects::VARS)
.phases(AclPhases::RCPT)
.of_connection();

fn caselower(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    let part = run.cx.value_of(var::LOCAL_PART);
    run.cx.set_var(var::LOCAL_PART, part.lowercased());
    kept(run, setting)
}

/// `control = enforce_sync`.
pub(in crate::mail::acl) static ENFORCE_SYNC: AclControl = words::control(
    &PLAIN,
    words::meta(
        "enforce_sync",
        "control = enforce_sync",
        "specification 44.13",
        "A client that talks too early is refused.",
        "It turns on what `smtp_enforce_sync` turns on by default, for the rest of the connection.",
    ),
)
.phases(words::CLIENT)
.of_connection();

/// `control = no_callout_flush`.
pub(in crate::mail::acl) static NO_CALLOUT_FLUSH: AclControl = words::control(
    &PLAIN,
    words::meta(
        "no_callout_flush",
        "control = no_callout_flush",
        "specification 44.13",
        "Output is not flushed before a callout.",
        "Answers to a client that pipelines are usually sent before a callout begins, lest it \
         lose patience. This, before the `verify`, keeps them together.",
    ),
)
.phases(words::CLIENT)
.of_connection();

/// `control = no_delay_flush`.
pub(in crate::mail::acl) static NO_DELAY_FLUSH: AclControl = words::control(
    &PLAIN,
    words::meta(
        "no_delay_flush",
        "control = no_delay_flush",
        "specification 44.13",
        "Output is not flushed before a delay.",
        "Answers to a client that pipelines are usually sent before a `delay` begins. This, \
         before the `delay`, keeps them together, so that several delays look like one.",
    ),
)
.phases(words::CLIENT)
.of_connection();

/// `control = no_enforce_sync`.
pub(in crate::mail::acl) static NO_ENFORCE_SYNC: AclControl = words::control(
    &PLAIN,
    words::meta(
        "no_enforce_sync",
        "control = no_enforce_sync",
        "specification 44.13",
        "A client may talk too early.",
        "For the rest of the connection nobody minds commands that come before the answer to \
         those before them. The ACL for the connection is the place for it, before the first \
         check.",
    ),
)
.phases(words::CLIENT)
.of_connection();

/// `control = no_multiline_responses`.
pub(in crate::mail::acl) static NO_MULTILINE_RESPONSES: AclControl = words::control(
    &PLAIN,
    words::meta(
        "no_multiline_responses",
        "control = no_multiline_responses",
        "specification 44.13",
        "Answers have one line.",
        "For clients that do not understand longer answers, details of a sender that can't be \
         verified are left out, and only the first line of a `message` is sent, until the \
         connection ends.",
    ),
)
.phases(words::CLIENT)
.of_connection();

/// `control = no_pipelining`.
pub(in crate::mail::acl) static NO_PIPELINING: AclControl = words::control(
    &PLAIN,
    words::meta(
        "no_pipelining",
        "control = no_pipelining",
        "specification 44.13",
        "Pipelining is not offered.",
        "It has effect before the answer to EHLO only: in the ACL for the connection or in that \
         for EHLO. `pipelining_advertise_hosts` says the same once and for all.",
    ),
)
.phases(words::CLIENT)
.of_connection();
