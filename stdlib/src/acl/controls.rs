//! What `control` may name.

use eximious_core::AclOptions::{self, Names, Text};
use eximious_core::{AclControl, AclPhases, Effects, Meta, TaintRule};

const ALL: AclPhases = AclPhases::all();
/// Where there is a conversation to change.
const CLIENT: AclPhases = ALL.difference(AclPhases::NOT_SMTP).difference(AclPhases::NOT_SMTP_START);
/// Before the data of a message.
const BEFORE_DATA: AclPhases = AclPhases::MAIL.union(AclPhases::RCPT).union(AclPhases::PREDATA);
/// Where a message comes over SMTP, and all of it is at stake.
const RECEIVED: AclPhases =
    BEFORE_DATA.union(AclPhases::DATA).union(AclPhases::MIME).union(AclPhases::NOT_SMTP_MIME);
/// Where a message comes, over SMTP or not.
const MESSAGE: AclPhases = RECEIVED.union(AclPhases::NOT_SMTP);
/// Before the checks that begin when the data come.
const BEFORE_CHECKS: AclPhases = CLIENT.difference(AclPhases::DATA).difference(AclPhases::PRDR);

const fn control(
    name: &'static str,
    syntax: &'static str,
    phases: AclPhases,
    summary: &'static str,
    docs: &'static str,
) -> AclControl {
    let meta = Meta::new(name, Effects::NONE, TaintRule::Result).syntax(syntax).summary(summary);
    let meta = meta.docs(docs).source("specification 44.13");
    AclControl { meta, options: AclOptions::None, phases }
}

const fn options(mut control: AclControl, options: AclOptions) -> AclControl {
    control.options = options;
    control
}

const fn source(mut control: AclControl, source: &'static str) -> AclControl {
    control.meta.source = source;
    control
}

const fn needs(mut control: AclControl, needs: &'static str) -> AclControl {
    control.meta.needs = needs;
    control
}

const fn until(mut control: AclControl, until: &'static str) -> AclControl {
    control.meta.until = until;
    control
}

const fn since(mut control: AclControl, since: &'static str) -> AclControl {
    control.meta.since = since;
    control
}

/// All of them, by name.
pub static CONTROLS: &[AclControl] = &[
    control(
        "allow_auth_unadvertised",
        "control = allow_auth_unadvertised",
        AclPhases::CONNECT.union(AclPhases::HELO),
        "AUTH is taken though it was not offered.",
        "It is for clients so broken that they authenticate with a mechanism that the answer to \
         EHLO did not name, or after HELO. Every mechanism of the configuration will do then.",
    ),
    until(
        needs(
            source(
                control(
                    "bmi_run",
                    "control = bmi_run",
                    MESSAGE,
                    "The message is handed to Brightmail.",
                    "The scanner decides about the message once it is there. It is part of an \
                 experiment of former releases for a product that is no longer sold.",
                ),
                "experimental-spec",
            ),
            "Brightmail's library",
        ),
        "4.100",
    ),
    control(
        "caseful_local_part",
        "control = caseful_local_part",
        AclPhases::RCPT,
        "The case of the local part counts from here on.",
        "`$local_part` is in lower case at first; this brings back the letters that the client \
         sent, for the rest of the ACL and for this recipient. What routers do when the recipient \
         is verified is their own matter.",
    ),
    control(
        "caselower_local_part",
        "control = caselower_local_part",
        AclPhases::RCPT,
        "The local part is in lower case from here on.",
        "It takes `control = caseful_local_part` back.",
    ),
    options(
        control(
            "cutthrough_delivery",
            "control = cutthrough_delivery[/defer=spool|pass][/sender=orig|transport]",
            ALL,
            "The message goes to the next host while it arrives.",
            "It works from the ACL for RCPT on, where all recipients go to one host over one smtp \
             transport; elsewhere it is taken without effect. The next host's answer is the \
             client's, and nothing is spooled. `/defer=pass` hands an answer for now back instead \
             of spooling the message; `/sender=transport` lets the transport set the sender.",
        ),
        Names(&["defer=", "sender="]),
    ),
    options(
        control(
            "debug",
            "control = debug[/tag=<text>][/opts=<selectors>][/stop|/kill][/pretrigger=<size>]\
             [/trigger=now|paniclog]",
            ALL,
            "Writes a log for debugging from here on.",
            "The log is a file `debuglog` among the others, with the tag at its end. The selectors \
             are those of `-d`. Without a tag or selectors nothing begins, and a tag must not come \
             from outside. `/stop` ends it, `/kill` removes the file too; with `/pretrigger` the \
             last lines wait in memory until a trigger writes them: at once, or when something is \
             written to the panic log. It is about the connection, and whoever delivers its \
             messages goes on with it.",
        ),
        Names(&["tag=", "opts=", "stop", "kill", "pretrigger=", "trigger="]),
    ),
    source(
        control(
            "dkim_disable_verify",
            "control = dkim_disable_verify",
            BEFORE_CHECKS,
            "Signatures are not looked at.",
            "The message's DKIM signatures are not checked, and the ACL for DKIM does not run. It \
             saves work for clients whose messages are taken anyway.",
        ),
        "specification 58.1.2",
    ),
    needs(
        source(
            control(
                "dmarc_disable_verify",
                "control = dmarc_disable_verify",
                BEFORE_CHECKS,
                "DMARC is not looked at.",
                "The policy of the sender's domain is not asked for; `dmarc_status` is `off`. It \
                 must come before the data.",
            ),
            "specification 58.3.2",
        ),
        "a build with DMARC",
    ),
    needs(
        source(
            control(
                "dmarc_enable_forensic",
                "control = dmarc_enable_forensic",
                BEFORE_CHECKS,
                "A report is sent where DMARC fails.",
                "The report goes to the address that the domain's record names. Such reports can \
                 say more about recipients than they should, so that none are sent without this. \
                 It must come before the data.",
            ),
            "specification 58.3.2",
        ),
        "a build with DMARC",
    ),
    options(
        control(
            "dscp",
            "control = dscp/<name or number>",
            CLIENT.difference(AclPhases::NOTQUIT),
            "Marks the packets of the connection.",
            "What follows is one of the names that `-bI:dscp` lists, or a number from 0 to 0x3F. \
             Whether routers on the way look at it is up to them.",
        ),
        Text,
    ),
    control(
        "enforce_sync",
        "control = enforce_sync",
        CLIENT,
        "A client that talks too early is refused.",
        "It turns on what `smtp_enforce_sync` turns on by default, for the rest of the connection.",
    ),
    options(
        control(
            "fakedefer",
            "control = fakedefer[/<message>]",
            RECEIVED.union(AclPhases::PRDR),
            "The message is taken, and the client is told to try later.",
            "It is as `fakereject`, with 450 for 550. The client will send the message again, so \
             that one that is delivered too comes twice.",
        ),
        Text,
    ),
    options(
        control(
            "fakereject",
            "control = fakereject[/<message>]",
            RECEIVED.union(AclPhases::PRDR),
            "The message is taken, and the client is told that it is refused.",
            "The message is delivered if the ACLs accept it, and the answer to its data is 550 \
             with the text given, slashes and all. It holds for the message at hand.",
        ),
        Text,
    ),
    options(
        control(
            "freeze",
            "control = freeze[/no_tell]",
            MESSAGE,
            "The message is kept and not delivered.",
            "If it is accepted, it stays on the queue until someone thaws it. With `/no_tell` in \
             every such control, whoever `freeze_tell` names is not told.",
        ),
        Names(&["no_tell"]),
    ),
    control(
        "no_callout_flush",
        "control = no_callout_flush",
        CLIENT,
        "Output is not flushed before a callout.",
        "Answers to a client that pipelines are usually sent before a callout begins, lest it \
         lose patience. This, before the `verify`, keeps them together.",
    ),
    control(
        "no_delay_flush",
        "control = no_delay_flush",
        CLIENT,
        "Output is not flushed before a delay.",
        "Answers to a client that pipelines are usually sent before a `delay` begins. This, \
         before the `delay`, keeps them together, so that several delays look like one.",
    ),
    control(
        "no_enforce_sync",
        "control = no_enforce_sync",
        CLIENT,
        "A client may talk too early.",
        "For the rest of the connection nobody minds commands that come before the answer to \
         those before them. The ACL for the connection is the place for it, before the first \
         check.",
    ),
    control(
        "no_mbox_unspool",
        "control = no_mbox_unspool",
        RECEIVED,
        "The copy that scanners read is kept.",
        "Scanners get a copy of the message in a directory of the spool, which is usually removed \
         once they are done. Keeping it is for those who look for a mistake.",
    ),
    control(
        "no_multiline_responses",
        "control = no_multiline_responses",
        CLIENT,
        "Answers have one line.",
        "For clients that do not understand longer answers, details of a sender that can't be \
         verified are left out, and only the first line of a `message` is sent, until the \
         connection ends.",
    ),
    control(
        "no_pipelining",
        "control = no_pipelining",
        CLIENT,
        "Pipelining is not offered.",
        "It has effect before the answer to EHLO only: in the ACL for the connection or in that \
         for EHLO. `pipelining_advertise_hosts` says the same once and for all.",
    ),
    since(
        options(
            control(
                "queue",
                "control = queue[/first_pass_route]",
                MESSAGE,
                "The message waits for a queue runner.",
                "If it is accepted, no delivery begins at once. With `/first_pass_route` it is routed \
             at once, so that the runner can send what goes to one host together.",
            ),
            Names(&["first_pass_route"]),
        ),
        "4.94",
    ),
    options(
        control(
            "queue_only",
            "control = queue_only[/first_pass_route]",
            MESSAGE,
            "The message waits for a queue runner.",
            "It is `control = queue`, by its former name.",
        ),
        Names(&["first_pass_route"]),
    ),
    options(
        source(
            control(
                "submission",
                "control = submission[/sender_retain][/domain=<domain>][/name=<text>]",
                BEFORE_DATA,
                "The message is mended as one that a user submits.",
                "Header lines that miss are added (Date:, Message-ID:), and Sender: is made to \
                 name whoever authenticated, with the domain and name given; `/sender_retain` \
                 leaves it alone. It must come before the data.",
            ),
            "specification 48.1",
        ),
        Names(&["sender_retain", "domain=", "name="]),
    ),
    control(
        "suppress_local_fixups",
        "control = suppress_local_fixups",
        BEFORE_DATA.union(AclPhases::NOT_SMTP_START),
        "A local message is not mended.",
        "Sender: stays as it is and is not compared with From:, and Date:, From: and Message-ID: \
         are not added. It is for messages that a scanner of this host hands back, and must come \
         before the data.",
    ),
    options(
        source(
            control(
                "utf8_downconvert",
                "control = utf8_downconvert[/1|/0|/-1]",
                AclPhases::RCPT.union(AclPhases::VRFY),
                "Addresses are rewritten for hosts without SMTPUTF8.",
                "Domains of the envelope get their ASCII form before delivery: with 1, which is \
                 the default, always; with -1 where the next host needs it; with 0 never. The smtp \
                 transport's option of that name goes before it.",
            ),
            "specification 60.1",
        ),
        Names(&["1", "0", "-1"]),
    ),
    options(
        since(
            source(
                control(
                    "wellknown",
                    "control = wellknown/<file>",
                    AclPhases::WELLKNOWN,
                    "Answers WELLKNOWN with a file.",
                    "What the file says is sent in xtext, its size before it. An empty name, or a \
                     file that can't be read, makes the control fail. The client's argument, in \
                     `$smtp_command_argument`, must not lead to other files.",
                ),
                "specification 44.2.8",
            ),
            "4.98",
        ),
        Text,
    ),
];
