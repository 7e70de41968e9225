//! What `verify` may name.

use eximious_core::{AclPhases, AclVerify, Effects, Meta, TaintRule};

const ALL: AclPhases = AclPhases::all();
/// Where all of a message's header is there.
const HEADER: AclPhases = AclPhases::DATA.union(AclPhases::PRDR).union(AclPhases::NOT_SMTP);
/// Where there is a sender.
const SENDER: AclPhases = HEADER
    .union(AclPhases::MAIL)
    .union(AclPhases::RCPT)
    .union(AclPhases::PREDATA)
    .union(AclPhases::MIME)
    .union(AclPhases::DKIM)
    .union(AclPhases::VRFY)
    .union(AclPhases::NOT_SMTP_MIME);

const fn verify(name: &'static str, phases: AclPhases, summary: &'static str) -> AclVerify {
    let meta = Meta::new(name, Effects::NONE, TaintRule::Result).summary(summary);
    let source = "specification 44.26";
    AclVerify { meta: meta.source(source), options: false, address: false, phases }
}

const fn options(mut verify: AclVerify) -> AclVerify {
    verify.options = true;
    verify
}

/// All of them, by name.
pub static VERIFIES: &[AclVerify] = &[
    options(verify("arc", HEADER, "The message's ARC chain has a result listed.")),
    verify("certificate", ALL, "The client's certificate was verified."),
    verify("csa", ALL, "The client may use the name that it gave, says the DNS."),
    verify("header_names_ascii", HEADER, "The names of header lines are ASCII."),
    options(verify("header_sender", HEADER, "A sender in the header can be verified.")),
    verify("header_syntax", HEADER, "The addresses in the header are well formed."),
    verify("helo", ALL, "The client is who it says it is."),
    options(verify("not_blind", HEADER, "Each recipient stands in the header.")),
    options(verify(
        "recipient",
        AclPhases::RCPT.union(AclPhases::VRFY),
        "The recipient can be routed.",
    )),
    options(verify(
        "reverse_host_lookup",
        ALL,
        "The client's address has a name that leads back to it.",
    )),
    {
        let mut sender =
            options(verify("sender", SENDER, "The sender, or an address given, can be routed."));
        sender.address = true;
        sender
    },
];
