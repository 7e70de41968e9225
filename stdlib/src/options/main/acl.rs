//! Main options: ACLs, one for each moment of a conversation.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("acl_not_smtp")
        .expanded()
        .summary("The ACL that judges a message handed in without SMTP, once it has been read.")
        .docs(
            "It runs before the message goes to the queue. A refusal is told to the caller, or \
             sent to the sender, as the options `-oe…` say.",
        ),
    AT.text("acl_not_smtp_mime")
        .expanded()
        .summary("The ACL that runs for each MIME part of a message handed in without SMTP."),
    AT.text("acl_not_smtp_start")
        .expanded()
        .summary("The ACL that runs before a message is read that comes without SMTP.")
        .docs(
            "Nothing of the message is known yet, and its verdict counts for nothing: it is the \
             place for controls and variables.",
        ),
    AT.text("acl_smtp_atrn").expanded().since("4.99").summary(
        "The ACL that decides on the command ATRN; without it the extension is not offered.",
    ),
    AT.text("acl_smtp_auth")
        .expanded()
        .summary("The ACL that decides whether a client may try AUTH."),
    AT.text("acl_smtp_connect")
        .expanded()
        .summary("The ACL that runs as soon as a client has connected."),
    AT.text("acl_smtp_data")
        .expanded()
        .summary("The ACL that judges a message received by SMTP, when all of it is there.")
        .docs(
            "Its refusal is the answer to the final dot, so the sender's server reports it. \
             Headers and `$message_size` are known here.",
        ),
    AT.text("acl_smtp_data_prdr")
        .expanded()
        .default("accept")
        .summary("The ACL that runs for each recipient after the data, where PRDR was agreed on.")
        .docs(
            "Each recipient gets an answer of its own; the ACL for the data runs afterwards, for \
             all together.",
        ),
    AT.text("acl_smtp_dkim")
        .expanded()
        .summary("The ACL that runs for each DKIM signature of a message.")
        .docs(
            "`dkim_verify_signers` chooses the signatures. It runs after the data has come in \
             and before the MIME and data ACLs.",
        ),
    AT.text("acl_smtp_etrn").expanded().summary(
        "The ACL that decides on the command ETRN; without it the extension is not offered.",
    ),
    AT.text("acl_smtp_expn").expanded().summary("The ACL that decides on the command EXPN."),
    AT.text("acl_smtp_helo").expanded().summary("The ACL that decides on HELO and EHLO."),
    AT.text("acl_smtp_mail")
        .expanded()
        .summary("The ACL that decides on MAIL, that is on the sender."),
    AT.text("acl_smtp_mailauth")
        .expanded()
        .summary("The ACL that says whether the AUTH parameter of a MAIL command is believed."),
    AT.text("acl_smtp_mime")
        .expanded()
        .summary("The ACL that runs for each MIME part of a message received by SMTP."),
    AT.text("acl_smtp_notquit")
        .expanded()
        .summary("The ACL that runs when a client leaves without QUIT.")
        .docs("`$smtp_notquit_reason` says how it ended. The verdict changes nothing."),
    AT.text("acl_smtp_predata")
        .expanded()
        .summary("The ACL that decides on DATA, before any of the message is read."),
    AT.text("acl_smtp_quit").expanded().summary("The ACL that runs on QUIT."),
    AT.text("acl_smtp_rcpt").expanded().summary("The ACL that decides on each recipient.").docs(
        "Where it is unset every recipient is refused: a server that relays or receives \
             needs it.",
    ),
    AT.text("acl_smtp_starttls").expanded().summary("The ACL that decides on STARTTLS."),
    AT.text("acl_smtp_vrfy").expanded().summary("The ACL that decides on the command VRFY."),
    AT.text("acl_smtp_wellknown")
        .expanded()
        .since("4.98")
        .summary("The ACL that decides on the command WELLKNOWN."),
    AT.no("strict_acl_vars")
        .summary("Makes it an error to use an ACL variable that was never set.")
        .docs("Without it such a variable is empty."),
];
