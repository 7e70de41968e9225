//! What a statement begins with.

use eximious_core::{AclPhases, AclVerb, AclVerbDef, Effects, Meta, TaintRule};

const ALL: AclPhases = AclPhases::all();
/// Where the ACL can refuse: nobody can be kept from leaving.
const REFUSES: AclPhases = ALL.difference(AclPhases::QUIT).difference(AclPhases::NOTQUIT);
/// Where there are recipients to discard.
const RECIPIENTS: AclPhases = AclPhases::MAIL
    .union(AclPhases::RCPT)
    .union(AclPhases::DATA)
    .union(AclPhases::PRDR)
    .union(AclPhases::MIME)
    .union(AclPhases::DKIM)
    .union(AclPhases::NOT_SMTP)
    .union(AclPhases::NOT_SMTP_MIME);

const fn verb(
    verb: AclVerb,
    phases: AclPhases,
    syntax: &'static str,
    summary: &'static str,
    docs: &'static str,
) -> AclVerbDef {
    let meta = Meta::new(verb.name(), Effects::NONE, TaintRule::Result).syntax(syntax);
    AclVerbDef { meta: meta.summary(summary).docs(docs).source("specification 44.9"), verb, phases }
}

/// All of them, by name.
pub static VERBS: &[AclVerbDef] = &[
    verb(
        AclVerb::Accept,
        ALL,
        "accept <conditions>",
        "Lets pass, where all conditions hold.",
        "If one fails, the next statement is tried; after `endpass` a failure denies. `message` \
         changes what the client is told, with a code that begins with 2.",
    ),
    verb(
        AclVerb::Defer,
        REFUSES,
        "defer <conditions>",
        "Refuses for now, where all conditions hold.",
        "The client gets a code that begins with 4 and may try again. A message that does not \
         come over SMTP is refused for good.",
    ),
    verb(
        AclVerb::Deny,
        REFUSES,
        "deny <conditions>",
        "Refuses, where all conditions hold.",
        "The client gets a code that begins with 5. Each ACL ends with a `deny` without \
         conditions, written or not.",
    ),
    verb(
        AclVerb::Discard,
        RECIPIENTS,
        "discard <conditions>",
        "Lets pass and throws away, where all conditions hold.",
        "The client is told that all went well. In the ACL for RCPT the recipient at hand is \
         dropped, in the others all of them.",
    ),
    verb(
        AclVerb::Drop,
        REFUSES.difference(AclPhases::MAILAUTH),
        "drop <conditions>",
        "Refuses and closes the connection, where all conditions hold.",
        "It is as `deny`, and the connection ends after the answer.",
    ),
    verb(
        AclVerb::Require,
        REFUSES,
        "require <conditions>",
        "Refuses, where a condition does not hold.",
        "If all hold, the next statement is tried. `message` must stand before the condition that \
         it is for, since nothing after a failure is looked at.",
    ),
    verb(
        AclVerb::Warn,
        ALL,
        "warn <conditions>",
        "Goes on, whatever holds.",
        "Where all conditions hold, `log_message` is logged. Modifiers act as the statement comes \
         to them. A condition that defers ends the statement, not the ACL.",
    ),
];
