//! Conditions and modifiers.

use eximious_core::AclTermKind::{Condition, Modifier};
use eximious_core::{
    AclOperand, AclPhases, AclTerm, AclTermKind, AclVerb, Effects, Meta, TaintRule,
};

const ALL: AclPhases = AclPhases::all();
/// Where no client is connected: there is no conversation, and not yet a
/// message.
const NO_CLIENT: AclPhases = AclPhases::NOT_SMTP.union(AclPhases::NOT_SMTP_START);
/// Where the recipient at hand has a domain and a local part.
const RECIPIENT: AclPhases = AclPhases::RCPT.union(AclPhases::PRDR).union(AclPhases::VRFY);
/// Where there is no sender of a message.
const NO_SENDER: AclPhases = AclPhases::CONNECT
    .union(AclPhases::HELO)
    .union(AclPhases::STARTTLS)
    .union(AclPhases::AUTH)
    .union(AclPhases::MAILAUTH)
    .union(AclPhases::ETRN)
    .union(AclPhases::EXPN)
    .union(AclPhases::VRFY);
/// Where all of a message is there to be scanned.
const CONTENT: AclPhases = AclPhases::DATA.union(AclPhases::PRDR).union(AclPhases::NOT_SMTP);
/// Where a part of a message is there.
const PARTS: AclPhases = AclPhases::MIME.union(AclPhases::NOT_SMTP_MIME);
/// Where the header of a message can be changed.
const HEADER: AclPhases = AclPhases::MAIL
    .union(AclPhases::RCPT)
    .union(AclPhases::PREDATA)
    .union(CONTENT)
    .union(PARTS)
    .union(AclPhases::NOT_SMTP_START);

const CONDITIONS: &str = "specification 44.17";
const MODIFIERS: &str = "specification 44.12";

const fn term(
    kind: AclTermKind,
    name: &'static str,
    syntax: &'static str,
    phases: AclPhases,
    source: &'static str,
    summary: &'static str,
    docs: &'static str,
) -> AclTerm {
    let meta = Meta::new(name, Effects::NONE, TaintRule::Result).syntax(syntax).summary(summary);
    AclTerm {
        meta: meta.docs(docs).source(source),
        kind,
        operand: AclOperand::Text,
        expanded: true,
        verbs: &AclVerb::ALL,
        phases,
    }
}

/// A term whose text is a list, which is expanded where it is matched.
const fn list(mut term: AclTerm) -> AclTerm {
    term.expanded = false;
    term
}

/// A term whose words are expanded one by one.
const fn in_words(mut term: AclTerm) -> AclTerm {
    term.expanded = false;
    term
}

const fn operand(mut term: AclTerm, operand: AclOperand) -> AclTerm {
    term.operand = operand;
    term
}

const fn until(mut term: AclTerm, until: &'static str) -> AclTerm {
    term.meta.until = until;
    term
}

const fn since(mut term: AclTerm, since: &'static str) -> AclTerm {
    term.meta.since = since;
    term
}

const fn needs(mut term: AclTerm, needs: &'static str) -> AclTerm {
    term.meta.needs = needs;
    term
}

/// All of them, by name.
pub static TERMS: &[AclTerm] = &[
    in_words(term(
        Condition,
        "acl",
        "acl = <name or text or /file> <arguments>",
        ALL,
        CONDITIONS,
        "Another ACL, with arguments perhaps, accepts.",
        "The other ACL runs in place, as a subroutine: it is one of the configuration, a file \
         whose name begins with a slash, or statements written out. What follows a name is \
         split at spaces into `$acl_arg1` to `$acl_arg9`, and `$acl_narg` counts them. Its \
         \"defer\" is that of the caller, except under `warn`; they may be 20 deep.",
    )),
    term(
        Modifier,
        "add_header",
        "add_header = [:at_start:|:after_received:|:at_start_rfc:|:at_end:]<name: text>",
        HEADER.union(AclPhases::DKIM),
        "specification 44.15",
        "Adds lines to the header of the message.",
        "It acts when the statement comes to it, whether or not later conditions hold. The lines \
         are visible in later ACLs that see the message, and are kept if it is accepted in the \
         end. A newline begins another line; a word in colons says where it goes.",
    ),
    list(since(
        term(
            Condition,
            "atrn_domains",
            "atrn_domains = <domain list>",
            AclPhases::ATRN,
            CONDITIONS,
            "Messages wait for one of the domains listed.",
            "It is for the ACL of ATRN alone, where a client asks for its mail over the same \
             connection. The list must not be tainted, and should name only domains that belong \
             to whoever has authenticated.",
        ),
        "4.99",
    )),
    list(term(
        Condition,
        "authenticated",
        "authenticated = <string list>",
        ALL.difference(NO_CLIENT).difference(AclPhases::CONNECT).difference(AclPhases::HELO),
        CONDITIONS,
        "The client has authenticated itself, with one of the names listed.",
        "The names are those of the authenticators' sections, not of users; `*` stands for any. \
         Whoever has not authenticated never matches, not even `!name`.",
    )),
    until(
        needs(
            list(term(
                Condition,
                "bmi_optin",
                "bmi_optin = <address list>",
                AclPhases::RCPT,
                "experimental-spec",
                "The recipient has opted in to Brightmail's scanning.",
                "Those recipients alone get the verdict of the scanner. It is part of an experiment \
             of former releases for a product that is no longer sold.",
            )),
            "Brightmail's library",
        ),
        "4.100",
    ),
    term(
        Condition,
        "condition",
        "condition = <text>",
        ALL,
        CONDITIONS,
        "A string expands to true.",
        "Nothing, `0`, `no` and `false` are false; a number other than zero, `yes` and `true` \
         are true. Anything else defers. Where the expansion is forced to fail, the condition \
         counts as if it were not there, with or without `!`.",
    ),
    term(
        Modifier,
        "continue",
        "continue = <text>",
        ALL,
        MODIFIERS,
        "Expands a string for what that does, and goes on.",
        "What it expands to is thrown away. It is good for a lookup that writes something, such \
         as an UPDATE of a database.",
    ),
    term(
        Modifier,
        "control",
        "control = <name>[/<options>]",
        ALL,
        MODIFIERS,
        "Changes how this message or connection is dealt with.",
        "It acts when the statement comes to it. Some controls last for the connection, others \
         for the message at hand, all of its recipients included. In which ACL one may stand \
         depends on its name: `eximious list acl-controls`.",
    ),
    needs(
        term(
            Condition,
            "dcc",
            "dcc = <text>",
            CONTENT,
            "experimental-spec",
            "Asks DCC how many others have seen the message.",
            "Checksums of the message go to a server of the Distributed Checksum Clearinghouse. \
             `$dcc_result` and `$dcc_header` then hold its answer.",
        ),
        "a server of DCC",
    ),
    term(
        Condition,
        "decode",
        "decode = default|<file or directory>",
        PARTS,
        "specification 45.4",
        "Writes a MIME part, decoded, to a file.",
        "`default` writes a numbered file to a directory of its own in the spool; a path that \
         begins with a slash names a file, or a directory to put one in; any other text is a file \
         name there. `$mime_decoded_filename` has the name then. It is false if the part can't \
         be decoded.",
    ),
    term(
        Modifier,
        "delay",
        "delay = <time>",
        ALL.difference(AclPhases::NOTQUIT),
        MODIFIERS,
        "Waits before anything else happens.",
        "Answers that are due are sent first, unless `control = no_delay_flush` came before. The \
         wait begins as soon as the statement comes to it, so that it counts where it stands \
         among the conditions. With `-bh` nobody waits.",
    ),
    list(term(
        Condition,
        "dkim_signers",
        "dkim_signers = <domain list>",
        AclPhases::DKIM,
        "specification 58.1.2",
        "The signature at hand is of a domain in the list.",
        "The ACL for DKIM runs once for each signer, a domain or an identity; this says whom the \
         statement is about. A signer may be one that was only looked for (`dkim_verify_signers`).",
    )),
    list(term(
        Condition,
        "dkim_status",
        "dkim_status = <string list>",
        AclPhases::DKIM
            .union(AclPhases::DATA)
            .union(AclPhases::PRDR)
            .union(AclPhases::MIME)
            .union(AclPhases::NOT_SMTP_MIME),
        "specification 58.1.2",
        "A signature has a status listed.",
        "The statuses are `none`, `invalid`, `fail` and `pass`. In the ACL for DKIM it is that \
         of the signer at hand; in those that run later, that of all signatures together.",
    )),
    needs(
        list(term(
            Condition,
            "dmarc_status",
            "dmarc_status = <string list>",
            AclPhases::DATA,
            "specification 58.3.3",
            "The sender's DMARC policy has a result listed.",
            "The words are `accept`, `reject`, `quarantine`, `none`, `norecord`, `nofrom`, \
             `temperror` and `off`; `!` before one turns it round. The check takes place when the \
             statement comes to it, and needs an `spf` condition before it.",
        )),
        "a build with DMARC",
    ),
    term(
        Condition,
        "dnslists",
        "dnslists = <domain>[[!]=|&<addresses>][/<keys>] : …",
        ALL,
        "specification 44.18",
        "The client, or a key, is in a list in the DNS.",
        "Without keys, the client's address is looked up with its parts in reverse; where there \
         is no client, that is an error. `=` and `&` say which answers count, `!` turns them \
         round, and only answers in 127.0.0.0/8 count at all. `$dnslist_domain`, \
         `$dnslist_matched`, `$dnslist_value` and `$dnslist_text` tell what was found.",
    ),
    list(term(
        Condition,
        "domains",
        "domains = <domain list>",
        RECIPIENT,
        CONDITIONS,
        "The recipient's domain is in the list.",
        "Where a lookup made it match, `$domain_data` has what was found, until the next such \
         condition. It has no meaning once there are several recipients, after DATA.",
    )),
    list(term(
        Condition,
        "encrypted",
        "encrypted = <string list>",
        ALL.difference(NO_CLIENT).difference(AclPhases::CONNECT),
        CONDITIONS,
        "The connection is encrypted, with a cipher in the list.",
        "`*` stands for any cipher; other names are those of the TLS library. A connection in \
         the clear never matches.",
    )),
    {
        let mut endpass = operand(
            term(
                Modifier,
                "endpass",
                "endpass",
                ALL,
                "specification 44.9",
                "From here on, a condition that fails refuses.",
                "It divides the conditions of an `accept` or `discard`: if one before it fails, \
                 the next statement is tried; if one after it fails, the ACL denies, and \
                 `message` is for that case. Two statements say the same more clearly.",
            ),
            AclOperand::None,
        );
        endpass.verbs = &[AclVerb::Accept, AclVerb::Discard];
        endpass
    },
    list(term(
        Condition,
        "hosts",
        "hosts = <host list>",
        ALL.difference(NO_CLIENT),
        CONDITIONS,
        "The client is in the list.",
        "An empty item stands for a message of this host, which comes from no other. Addresses \
         should come before names: where the client's name is needed and can't be found, the list \
         ends there without a match. Where a lookup made it match, `$host_data` has what was \
         found.",
    )),
    list(term(
        Condition,
        "local_parts",
        "local_parts = <local part list>",
        RECIPIENT,
        CONDITIONS,
        "The recipient's local part is in the list.",
        "It is in lower case unless `control = caseful_local_part` came before. Where a lookup \
         made it match, `$local_part_data` has what was found, until the next such condition.",
    )),
    term(
        Modifier,
        "log_message",
        "log_message = <text>",
        ALL,
        MODIFIERS,
        "What is logged if the statement decides.",
        "It is expanded only when the statement refuses or discards, or when all of a `warn` \
         holds, so it may stand before the conditions that fill its variables. Under `require` it \
         must. A `warn` logs the same line once per message.",
    ),
    term(
        Modifier,
        "log_reject_target",
        "log_reject_target = <list of main, reject, panic>",
        ALL,
        MODIFIERS,
        "Which logs a refusal goes to.",
        "The default is `main:reject`; an empty list logs nothing. It holds for the rest of the \
         ACL at hand, and for refusals for now as well as for good.",
    ),
    term(
        Modifier,
        "logwrite",
        "logwrite = [:<logs>:]<text>",
        ALL,
        MODIFIERS,
        "Writes a line to the log at once.",
        "The line is written when the statement comes to it, however that ends. It goes to the \
         main log; `:main,reject:` or `:panic:` before the text names others.",
    ),
    term(
        Condition,
        "malware",
        "malware = <pattern or */true>[/defer_ok][/tmo=<seconds>]",
        CONTENT,
        "specification 45.1",
        "A scanner finds malware in the message.",
        "`*` and `true` ask for any; other text is a regular expression for the name that the \
         scanner gives, which `$malware_name` has afterwards. A scanner that can't be reached \
         defers, unless `/defer_ok` follows. The scanner is named by `av_scanner`.",
    ),
    term(
        Modifier,
        "message",
        "message = <text>",
        ALL,
        MODIFIERS,
        "What the client is told if the statement decides.",
        "It is expanded only when the ACL ends with this statement; under `require` it must stand \
         before the condition that may fail. It may begin with a code, and an extended one, of \
         the right class: `550 5.7.1 no`. Under `warn` it adds a header line, as in former times.",
    ),
    term(
        Condition,
        "mime_regex",
        "mime_regex = <list of regular expressions>",
        PARTS,
        "specification 45.5",
        "A MIME part matches a regular expression.",
        "The part is decoded and its first 32 kilobytes are searched, newlines and all. \
         `$regex_match_string` has the expression that matched, `$regex1` and so on its groups.",
    ),
    term(
        Modifier,
        "queue",
        "queue = <name>",
        ALL.difference(CONTENT),
        MODIFIERS,
        "The message goes to a named queue.",
        "Its spool files stand in a directory of that name, for which runners of their own must \
         be started (`-qG<name>`). An empty name is the usual queue. It must come before the data.",
    ),
    term(
        Condition,
        "ratelimit",
        "ratelimit = <m> / <time> / <options> / <key>",
        ALL,
        "specification 44.20",
        "A client sends faster than a limit.",
        "It holds once there were more than so many events in the time, by an average that decays. \
         Options say what is counted (`per_conn`, `per_mail`, `per_rcpt`, `per_byte`, `per_cmd`, \
         `per_addr`, `unique=`, `count=`) and when (`strict`, `leaky`, `readonly`, `noupdate`). \
         Without a key it is the client's address. `$sender_rate` tells the rate.",
    ),
    list(term(
        Condition,
        "recipients",
        "recipients = <address list>",
        AclPhases::RCPT,
        CONDITIONS,
        "The recipient's address is in the list.",
        "Other than `domains` and `local_parts`, it looks at all of the address.",
    )),
    term(
        Condition,
        "regex",
        "regex = <list of regular expressions>",
        CONTENT.union(PARTS),
        "specification 45.5",
        "The message matches a regular expression.",
        "Each line of the message, or of the part before it is decoded, is searched by itself, so \
         that an expression can't reach over lines. `$regex_match_string` has the expression that \
         matched, `$regex1` and so on its groups.",
    ),
    term(
        Modifier,
        "remove_header",
        "remove_header = <list of names>",
        HEADER,
        "specification 44.16",
        "Takes lines out of the header of the message.",
        "All lines of each name go. What begins with a circumflex is a regular expression for the \
         whole line. What routers and transports add later stays. Releases after 4.98 take it in \
         the ACL for DKIM too.",
    ),
    since(
        term(
            Condition,
            "seen",
            "seen = [-]<time> / <options>",
            ALL,
            "specification 44.19",
            "A key was met before.",
            "It holds if the key was last recorded within the time; with a minus, if that is \
             longer ago. `key=` names what is looked for, the client's address without it; \
             `readonly`, `write` and `refresh=` say when it is recorded. Greylisting is made \
             of it.",
        ),
        "4.96",
    ),
    list(term(
        Condition,
        "sender_domains",
        "sender_domains = <domain list>",
        ALL.difference(NO_SENDER).difference(AclPhases::QUIT),
        CONDITIONS,
        "The sender's domain is in the list.",
        "It stands in `$sender_address_domain`, not in `$domain`, so that the list may name the \
         recipient's. Senders are easily forged.",
    )),
    list(term(
        Condition,
        "senders",
        "senders = <address list>",
        ALL.difference(NO_SENDER).difference(AclPhases::QUIT),
        CONDITIONS,
        "The sender's address is in the list.",
        "An empty item (`senders = :`) stands for bounces, whose sender is empty. Senders are \
         easily forged.",
    )),
    operand(
        term(
            Modifier,
            "set",
            "set acl_c…|acl_m… = <text>",
            ALL,
            "specification 44.10",
            "Gives a variable a value.",
            "After `acl_c` or `acl_m` comes a digit or an underscore, then letters, digits and \
             underscores. Those of the connection (`acl_c`) stay until it ends, those of the \
             message (`acl_m`) until the next; both are kept with a message that is accepted. In \
             the ACL for DKIM, `dkim_verify_status` and `dkim_verify_reason` may be set too.",
        ),
        AclOperand::Variable,
    ),
    term(
        Condition,
        "spam",
        "spam = <user>[:true][/defer_ok]",
        CONTENT,
        "specification 45.3",
        "A scanner takes the message for spam.",
        "The message goes to SpamAssassin or Rspamd at `spamd_address`, for the settings of that \
         user; it is asked once per message and user. `:true` holds whatever the verdict, so that \
         `$spam_score` and `$spam_report` are filled. No answer defers, unless `/defer_ok` \
         follows.",
    ),
    list(term(
        Condition,
        "spf",
        "spf = <string list>",
        ALL.difference(NO_SENDER).difference(NO_CLIENT),
        "specification 58.2",
        "The sender's SPF record has a result listed.",
        "The results are `pass`, `fail`, `softfail`, `none`, `neutral`, `permerror` and \
         `temperror`; `!` before one turns it round. `$spf_result`, `$spf_header_comment` and \
         `$spf_smtp_comment` tell more.",
    )),
    list(term(
        Condition,
        "spf_guess",
        "spf_guess = <string list>",
        ALL.difference(NO_SENDER).difference(NO_CLIENT),
        "specification 58.2",
        "As `spf`, with a record that is guessed.",
        "The option `spf_guess` says what the record of a domain without one could be. What it \
         finds is a guess, and no reason to refuse a message.",
    )),
    term(
        Modifier,
        "udpsend",
        "udpsend = <server> : <port> : <text>",
        ALL,
        MODIFIERS,
        "Sends a packet over UDP.",
        "The list has a host's name or address, a port, and what the packet says. `<;` at the \
         beginning changes the separator, for addresses of IPv6. No answer is waited for.",
    ),
    term(
        Condition,
        "verify",
        "verify = <what>[/<options>]",
        ALL,
        CONDITIONS,
        "Something about the client, the sender or a recipient holds.",
        "What may be verified, and in which ACL, is in `eximious list acl-verify`. After a \
         failure `$acl_verify_message` has the reason, until the end of the statement.",
    ),
];
