//! What `control` may name.

use eximious_core::{AclControl, AclPhases, Effects, Meta, TaintRule};

const ALL: AclPhases = AclPhases::all();
/// Where a message is on its way, over SMTP or not.
const MESSAGE: AclPhases = AclPhases::MAIL
    .union(AclPhases::MAILAUTH)
    .union(AclPhases::RCPT)
    .union(AclPhases::PREDATA)
    .union(AclPhases::DATA)
    .union(AclPhases::PRDR)
    .union(AclPhases::MIME)
    .union(AclPhases::DKIM)
    .union(LOCAL);
/// Where a message comes from a program of this host.
const LOCAL: AclPhases =
    AclPhases::NOT_SMTP.union(AclPhases::NOT_SMTP_MIME).union(AclPhases::NOT_SMTP_START);
/// Up to where the data of a message begins.
const EARLY: AclPhases = AclPhases::CONNECT
    .union(AclPhases::HELO)
    .union(AclPhases::STARTTLS)
    .union(AclPhases::AUTH)
    .union(AclPhases::MAIL)
    .union(AclPhases::MAILAUTH)
    .union(AclPhases::RCPT)
    .union(AclPhases::NOT_SMTP_START);

const fn control(name: &'static str, phases: AclPhases, summary: &'static str) -> AclControl {
    let meta = Meta::new(name, Effects::NONE, TaintRule::Result).summary(summary);
    AclControl { meta: meta.source("specification 44.22"), options: false, phases }
}

const fn since(mut control: AclControl, since: &'static str) -> AclControl {
    control.meta.since = since;
    control
}

const fn options(mut control: AclControl) -> AclControl {
    control.options = true;
    control
}

/// All of them, by name.
pub static CONTROLS: &[AclControl] = &[
    control(
        "allow_auth_unadvertised",
        AclPhases::CONNECT.union(AclPhases::HELO),
        "AUTH is taken though it was not offered.",
    ),
    control("bmi_run", MESSAGE, "The message is handed to Brightmail."),
    control(
        "caseful_local_part",
        AclPhases::RCPT,
        "The case of the local part counts from here on.",
    ),
    control(
        "caselower_local_part",
        AclPhases::RCPT,
        "The local part is in lower case from here on.",
    ),
    options(control(
        "cutthrough_delivery",
        MESSAGE,
        "The message goes to the next host while it arrives.",
    )),
    options(control("debug", ALL, "Writes a log for debugging from here on.")),
    control("dkim_disable_verify", EARLY.union(MESSAGE), "Signatures are not looked at."),
    control("dmarc_disable_verify", EARLY.union(MESSAGE), "DMARC is not looked at."),
    control("dmarc_enable_forensic", MESSAGE, "A report is sent where DMARC fails."),
    options(control("dscp", EARLY, "Marks the packets of the connection.")),
    control("enforce_sync", EARLY, "A client that talks too early is refused."),
    options(control(
        "fakedefer",
        MESSAGE,
        "The message is taken, and the client is told to try later.",
    )),
    options(control(
        "fakereject",
        MESSAGE,
        "The message is taken, and the client is told that it is refused.",
    )),
    options(control("freeze", MESSAGE, "The message is kept and not delivered.")),
    control("no_callout_flush", MESSAGE, "Output is not flushed before a callout."),
    control("no_delay_flush", ALL, "Output is not flushed before a delay."),
    control("no_enforce_sync", EARLY, "A client may talk too early."),
    control("no_mbox_unspool", MESSAGE, "The copy that scanners read is kept."),
    control("no_multiline_responses", EARLY, "Answers have one line."),
    control("no_pipelining", EARLY, "Pipelining is not offered."),
    options(control("queue", MESSAGE, "The message waits for a queue runner.")),
    control("queue_only", MESSAGE, "The message waits for a queue runner."),
    options(control("submission", MESSAGE, "The message is mended as one that a user submits.")),
    control("suppress_local_fixups", MESSAGE, "A local message is not mended."),
    options(control(
        "utf8_downconvert",
        MESSAGE,
        "Addresses are rewritten for hosts without SMTPUTF8.",
    )),
    since(
        options(control("wellknown", AclPhases::WELLKNOWN, "Answers WELLKNOWN with a file.")),
        "4.98",
    ),
];
