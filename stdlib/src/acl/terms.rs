//! Conditions and modifiers.

use eximious_core::AclTermKind::{Condition, Modifier};
use eximious_core::{AclOperand, AclPhases, AclTerm, AclTermKind, Effects, Meta, TaintRule};

const ALL: AclPhases = AclPhases::all();
/// From MAIL on, as long as a message is not complete.
const ENVELOPE: AclPhases = AclPhases::MAIL
    .union(AclPhases::MAILAUTH)
    .union(AclPhases::RCPT)
    .union(AclPhases::PREDATA)
    .union(MESSAGE);
/// Where a message is there.
const MESSAGE: AclPhases = AclPhases::DATA
    .union(AclPhases::PRDR)
    .union(AclPhases::MIME)
    .union(AclPhases::DKIM)
    .union(AclPhases::NOT_SMTP)
    .union(AclPhases::NOT_SMTP_MIME);
/// Where a header can still be added.
const HEADERS: AclPhases = ENVELOPE.union(AclPhases::NOT_SMTP_START);
/// Where all of a message is there to be scanned.
const CONTENT: AclPhases = AclPhases::DATA.union(AclPhases::PRDR).union(AclPhases::NOT_SMTP);
/// Where a part of a message is there.
const PARTS: AclPhases = AclPhases::MIME.union(AclPhases::NOT_SMTP_MIME);
/// Where there is one recipient.
const RECIPIENT: AclPhases =
    AclPhases::RCPT.union(AclPhases::PRDR).union(AclPhases::VRFY).union(AclPhases::EXPN);
/// Where there is a sender.
const SENDER: AclPhases = ENVELOPE.union(AclPhases::VRFY);

const fn term(
    name: &'static str,
    kind: AclTermKind,
    phases: AclPhases,
    summary: &'static str,
) -> AclTerm {
    let meta = Meta::new(name, Effects::NONE, TaintRule::Result).summary(summary);
    let source = match kind {
        Condition => "specification 44.24",
        Modifier => "specification 44.20",
    };
    AclTerm { meta: meta.source(source), kind, operand: AclOperand::Text, expanded: true, phases }
}

/// A term whose text is a list, which is expanded where it is matched.
const fn list(name: &'static str, phases: AclPhases, summary: &'static str) -> AclTerm {
    let mut term = term(name, Condition, phases, summary);
    term.expanded = false;
    term
}

const fn operand(mut term: AclTerm, operand: AclOperand) -> AclTerm {
    term.operand = operand;
    term
}

const fn since(mut term: AclTerm, since: &'static str) -> AclTerm {
    term.meta.since = since;
    term
}

/// All of them, by name.
pub static TERMS: &[AclTerm] = &[
    term("acl", Condition, ALL, "Another ACL, with arguments perhaps, accepts."),
    term("add_header", Modifier, HEADERS, "Adds lines to the header of the message."),
    since(list("atrn_domains", AclPhases::ATRN, "The domains of an ATRN are in the list."), "4.99"),
    list(
        "authenticated",
        ALL,
        "The client has authenticated itself, with one of the names listed.",
    ),
    list("bmi_optin", RECIPIENT, "The recipient has opted in to Brightmail's scanning."),
    term("condition", Condition, ALL, "A string expands to true."),
    term("continue", Modifier, ALL, "Expands a string for what that does, and goes on."),
    term("control", Modifier, ALL, "Changes how this message or connection is dealt with."),
    term("dcc", Condition, CONTENT, "Asks DCC how many others have seen the message."),
    term("decode", Condition, PARTS, "Writes a MIME part, decoded, to a file."),
    term("delay", Modifier, ALL, "Waits before anything else happens."),
    list("dkim_signers", AclPhases::DKIM, "The signature at hand is of a domain in the list."),
    list(
        "dkim_status",
        AclPhases::DKIM.union(CONTENT),
        "The signature at hand has a status listed.",
    ),
    list("dmarc_status", CONTENT, "The sender's DMARC policy has a result listed."),
    term("dnslists", Condition, ALL, "The client, or a key, is in a list in the DNS."),
    list("domains", RECIPIENT, "The recipient's domain is in the list."),
    list("encrypted", ALL, "The connection is encrypted, with a cipher in the list."),
    operand(
        term("endpass", Modifier, ALL, "From here on, a condition that fails refuses."),
        AclOperand::None,
    ),
    list("hosts", ALL, "The client is in the list."),
    list("local_parts", RECIPIENT, "The recipient's local part is in the list."),
    term("log_message", Modifier, ALL, "What is logged if the statement decides."),
    term("log_reject_target", Modifier, ALL, "Which logs a refusal goes to."),
    term("logwrite", Modifier, ALL, "Writes a line to the log at once."),
    term("malware", Condition, CONTENT, "A scanner finds malware in the message."),
    term("message", Modifier, ALL, "What the client is told if the statement decides."),
    term("mime_regex", Condition, PARTS, "A MIME part matches a regular expression."),
    term("queue", Modifier, HEADERS, "The message goes to a named queue."),
    term("ratelimit", Condition, ALL, "A client sends faster than a limit."),
    list("recipients", RECIPIENT, "The recipient's address is in the list."),
    term("regex", Condition, CONTENT.union(PARTS), "The message matches a regular expression."),
    term("remove_header", Modifier, HEADERS, "Takes lines out of the header of the message."),
    since(term("seen", Condition, ALL, "A key was met before, long enough ago."), "4.96"),
    list("sender_domains", SENDER, "The sender's domain is in the list."),
    list("senders", SENDER, "The sender's address is in the list."),
    operand(term("set", Modifier, ALL, "Gives a variable a value."), AclOperand::Variable),
    term("spam", Condition, CONTENT, "A scanner takes the message for spam."),
    term(
        "spf",
        Condition,
        ENVELOPE.union(AclPhases::HELO),
        "The sender's SPF record has a result listed.",
    ),
    term(
        "spf_guess",
        Condition,
        ENVELOPE.union(AclPhases::HELO),
        "As `spf`, with a record that is guessed.",
    ),
    term("udpsend", Modifier, ALL, "Sends a packet over UDP."),
    term("verify", Condition, ALL, "Something about the client, the sender or a recipient holds."),
];
