//! What `verify` may name.

use eximious_core::AclOptions::{self, Names, Text};
use eximious_core::{AclPhases, AclVerify, Effects, Meta, TaintRule};

const ALL: AclPhases = AclPhases::all();
/// Where a message's header is there. A real Exim takes what looks at it in the
/// ACLs of the end too.
const HEADER: AclPhases = AclPhases::DATA
    .union(AclPhases::PRDR)
    .union(AclPhases::DKIM)
    .union(AclPhases::MIME)
    .union(AclPhases::QUIT)
    .union(AclPhases::NOTQUIT)
    .union(AclPhases::NOT_SMTP)
    .union(AclPhases::NOT_SMTP_MIME);
/// Where there is a sender.
const SENDER: AclPhases = AclPhases::MAIL
    .union(AclPhases::RCPT)
    .union(AclPhases::PREDATA)
    .union(AclPhases::DATA)
    .union(AclPhases::NOT_SMTP);

/// What may follow an address's verification (44.21); the last two are the
/// former way to write parameters of `callout`.
const ADDRESS: AclOptions = Names(&[
    "callout",
    "callout=",
    "defer_ok",
    "no_details",
    "success_on_redirect",
    "callout_defer_ok",
    "check_postmaster",
]);
/// What may follow the recipient's.
const RECIPIENT: AclOptions = Names(&[
    "callout",
    "callout=",
    "defer_ok",
    "quota",
    "quota=",
    "no_details",
    "success_on_redirect",
    "callout_defer_ok",
    "check_postmaster",
]);

/// Parameters of an address's `callout=` (44.22.1); the second of each is whether a
/// time must follow.
pub const CALLOUT_PARAMETERS: [(&str, bool); 13] = [
    ("connect", true),
    ("defer_ok", false),
    ("fullpostmaster", false),
    ("hold", false),
    ("mailfrom", false),
    ("maxwait", true),
    ("no_cache", false),
    ("postmaster", false),
    ("postmaster_mailfrom", false),
    ("random", false),
    ("use_postmaster", false),
    ("use_sender", false),
    ("use_tptsender", false),
];
/// Parameters of a recipient's `quota=` (44.23), as for [`CALLOUT_PARAMETERS`].
pub const QUOTA_PARAMETERS: [(&str, bool); 3] =
    [("cachepos", true), ("cacheneg", true), ("no_cache", false)];

const fn verify(
    name: &'static str,
    syntax: &'static str,
    phases: AclPhases,
    summary: &'static str,
    docs: &'static str,
) -> AclVerify {
    let meta = Meta::new(name, Effects::NONE, TaintRule::Result).syntax(syntax).summary(summary);
    let meta = meta.docs(docs).source("specification 44.17");
    AclVerify { meta, options: AclOptions::None, address: false, phases }
}

const fn options(mut verify: AclVerify, options: AclOptions) -> AclVerify {
    verify.options = options;
    verify
}

const fn source(mut verify: AclVerify, source: &'static str) -> AclVerify {
    verify.meta.source = source;
    verify
}

/// All of them, by name.
pub static VERIFIES: &[AclVerify] = &[
    {
        let mut arc = options(
            source(
                verify(
                    "arc",
                    "verify = arc[/<list of none, fail, pass>]",
                    AclPhases::DATA,
                    "The message's ARC chain has a result listed.",
                    "The chain of signatures that forwarders left is checked when the statement \
                     comes to it. Without a list, `pass` will do; `$arc_state` has the result.",
                ),
                "experimental-spec",
            ),
            Text,
        );
        arc.meta.since = "4.91";
        arc.meta.needs = "a build with ARC";
        arc
    },
    verify(
        "certificate",
        "verify = certificate",
        ALL,
        "The client's certificate was verified.",
        "The connection must be encrypted, and the client must have sent a certificate, which \
         it is asked for only if `tls_verify_hosts` or `tls_try_verify_hosts` names it.",
    ),
    options(
        source(
            verify(
                "csa",
                "verify = csa[/<name>]",
                ALL,
                "The client may use the name that it gave, says the DNS.",
                "The domain of the client's EHLO may publish a record of client SMTP authorization, \
             which says whether a host of this address sends mail. `$csa_status` has the result. \
             Without a record it is not refused.",
            ),
            "specification 44.26",
        ),
        Text,
    ),
    verify(
        "header_names_ascii",
        "verify = header_names_ascii",
        HEADER,
        "The names of header lines are ASCII.",
        "A name may have the characters 33 to 126. Other names do no harm here, but may to what \
         comes after.",
    ),
    options(
        verify(
            "header_sender",
            "verify = header_sender[/<options>]",
            HEADER,
            "A sender in the header can be verified.",
            "One address of Sender:, Reply-To: or From: must be routable; with `/callout` its host \
             must take it. `callout=mailfrom=<address>` sets the sender of the callout, since such \
             an address need not take bounces. The options are those of `verify = sender`.",
        ),
        ADDRESS,
    ),
    verify(
        "header_syntax",
        "verify = header_syntax",
        HEADER,
        "The addresses in the header are well formed.",
        "Lines with addresses are looked at: Sender:, From:, Reply-To:, To:, Cc: and Bcc:. \
         Addresses without a domain are well formed only in local messages and from hosts that \
         may send such.",
    ),
    verify(
        "helo",
        "verify = helo",
        ALL,
        "The client is who it says it is.",
        "The name or address after HELO or EHLO belongs to the client, as `helo_verify_hosts` \
         would find. It is looked up now if it was not yet. Without TCP/IP (`-bs`) it holds.",
    ),
    options(
        verify(
            "not_blind",
            "verify = not_blind[/case_insensitive]",
            HEADER,
            "Each recipient stands in the header.",
            "Every recipient of the envelope must be in To: or Cc:, or in their Resent- forms. \
             Local parts must agree in case, unless `/case_insensitive` follows. Many messages \
             with blind recipients are quite all right.",
        ),
        Names(&["case_insensitive"]),
    ),
    options(
        verify(
            "recipient",
            "verify = recipient[/<options>]",
            AclPhases::RCPT,
            "The recipient can be routed.",
            "The routers run in verify mode; with `/callout` the next host is asked too, with \
             `/quota` the mailbox's limit. What defers does not refuse with `/defer_ok`. \
             `$address_data` has what the routers set, and `$recipient_verify_failure` why it \
             failed.",
        ),
        RECIPIENT,
    ),
    options(
        verify(
            "reverse_host_lookup",
            "verify = reverse_host_lookup[/defer_ok]",
            ALL,
            "The client's address has a name that leads back to it.",
            "The name of the address, or another name for it, must have the address in turn. With \
             `/defer_ok` a DNS that does not answer will do. Where there is no client, it holds.",
        ),
        Names(&["defer_ok"]),
    ),
    {
        let mut sender = options(
            verify(
                "sender",
                "verify = sender[=<address>][/<options>]",
                SENDER,
                "The sender, or an address given, can be routed.",
                "An empty sender will do. The routers run in verify mode; with `/callout` a host \
                 of the sender is asked whether it takes bounces. What was found is kept for the \
                 message. Slashes in an address given must be doubled; `$sender_verify_failure` \
                 has why it failed.",
            ),
            ADDRESS,
        );
        sender.address = true;
        sender
    },
];
