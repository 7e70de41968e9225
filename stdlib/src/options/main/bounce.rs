//! Main options: bounces and warnings.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("bounce_charset")
        .expanded()
        .default("us-ascii")
        .since("4.100")
        .summary("The character set that bounces and warnings claim: `us-ascii` or `UTF-8`."),
    AT.no("bounce_host_details")
        .unprinted()
        .source("experimental features (DSN extra information); eximious alone has the option")
        .summary("Whether bounces tell more of the host that refused a message.")
        .docs(
            "What a program reads of a failed address has the host's address (`Remote-MTA: \
             X-ip`), the first lines that it said (`X-Remote-MTA-smtp-greeting`, \
             `X-Remote-MTA-helo-response`) and the error as it was logged \
             (`X-Exim-Diagnostic`), as Exim has it that was built with EXPERIMENTAL_DSN_INFO.",
        ),
    AT.text("bounce_message_file").expanded().summary("A file of texts for bounces.").docs(
        "The path must be absolute. The file holds paragraphs that a line of four asterisks \
             divides, each expanded in its place.",
    ),
    AT.text("bounce_message_text").summary("A text that is put into bounces, at their beginning."),
    AT.yes("bounce_return_body").summary("Whether a bounce carries the message's body."),
    AT.size("bounce_return_linesize_limit")
        .default("998")
        .summary("The longest line of a message that a bounce carries in full.")
        .docs("A message with a longer one is treated as one that is too large."),
    AT.yes("bounce_return_message").summary("Whether a bounce carries the message at all."),
    AT.size("bounce_return_size_limit")
        .default("100K")
        .aliases(&["return_size_limit"])
        .summary("How much of a message a bounce carries; zero for no limit.")
        .docs(
            "It should be smaller than `message_size_limit`, so that the bounce itself gets \
             through.",
        ),
    AT.text("bounce_sender_authentication")
        .summary("The address that bounces name as authenticated sender."),
    AT.times("delay_warning")
        .default("1d")
        .summary("After how much time in the queue the sender is warned.")
        .docs("A list of intervals; the last difference repeats. An empty one stops warnings."),
    AT.text("delay_warning_condition")
        .expanded()
        .default(
            "${if or {{ !eq{$h_list-id:$h_list-post:$h_list-subscribe:}{} }{ \
             match{$h_precedence:}{(?i)bulk|list|junk} }{ \
             match{$h_auto-submitted:}{(?i)auto-generated|auto-replied} }} {no}{yes}}",
        )
        .summary("The expansion that says whether a warning is sent.")
        .docs(
            "`no`, `false`, `0` or nothing stops it. The default is no for lists, bulk mail and \
             automatic replies.",
        ),
    AT.hosts("dsn_advertise_hosts").summary("Hosts to which the extension DSN is offered.").docs(
        "A bounce names only those recipients for whom reports of failures are wanted (RFC \
             3461). Exim goes by what is wanted for the first of them.",
    ),
    AT.text("dsn_from")
        .expanded()
        .default("Mail Delivery System <Mailer-Daemon@$qualify_domain>")
        .summary("The From: of bounces and warnings."),
    AT.list("errors_copy")
        .expanded()
        .summary("Pairs of a pattern and addresses: who gets copies of whose bounces.")
        .docs(
            "For example `*@a.example postmaster@a.example`. The address of the bounce is \
             matched, and the rest is expanded, with `$local_part` and `$domain` for that \
             address.",
        ),
    AT.text("errors_reply_to").summary("The Reply-To: of bounces and warnings."),
    AT.text("warn_message_file")
        .expanded()
        .summary("A file of texts for warnings of delay.")
        .docs("Written like `bounce_message_file`."),
];
