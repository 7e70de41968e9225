//! What all transports have.

use eximious_core::{DriverKind, OptionDef, Repeated};

use crate::options::At;

const AT: At = At::all(DriverKind::Transport, "specification 24");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("body_only").summary("Delivers the body without headers."),
    AT.text("current_directory").expanded().summary("The directory that a local delivery runs in."),
    AT.text("debug_print").expanded().summary("A text that is expanded and shown when debugging."),
    AT.no("delivery_date_add").summary("Adds a Delivery-date: header."),
    AT.no("disable_logging").summary("Logs neither the transport's deliveries nor its errors."),
    AT.text("driver").summary("The kind of transport."),
    AT.no("envelope_to_add").summary("Adds an Envelope-to: header, with the address that came in."),
    AT.text("event_action")
        .expanded()
        .summary("The expansion that runs on events of the transport."),
    AT.group("group")
        .expanded()
        .varies()
        .summary("The group that a local delivery runs as.")
        .docs("By default that of `user`, if a name stands there; else what the router says."),
    AT.list("headers_add")
        .expanded()
        .repeated(Repeated::Joined('\n'))
        .summary("Headers that the message gets on its way, separated by newlines.")
        .docs("Given more than once, all count. Each is expanded by itself."),
    AT.no("headers_only").summary("Delivers the headers without the body."),
    AT.list("headers_remove")
        .expanded()
        .repeated(Repeated::Joined(':'))
        .summary("Names of headers that the message loses on its way; an asterisk may end a name.")
        .docs("Given more than once, all count."),
    AT.rewrite("headers_rewrite")
        .summary(
            "Rules that rewrite addresses in headers on their way: pattern, replacement, flags.",
        )
        .docs(
            "For example `headers_rewrite = a@b c@d f : x@y w@z`: rules with colons between \
             them, each like one of the section `begin rewrite`.",
        ),
    AT.text("home_directory").expanded().summary("`$home` for a local delivery."),
    AT.no("initgroups").summary("Gives a local delivery all groups of its user."),
    AT.text("max_parallel")
        .expanded()
        .summary("How many deliveries by the transport may run at the same time."),
    AT.text("message_size_limit")
        .expanded()
        .summary("The largest message that the transport takes; zero for no limit.")
        .docs("No limit where it is unset."),
    AT.no("rcpt_include_affixes")
        .summary("Leaves prefixes and suffixes on local parts that go out by SMTP or LMTP."),
    AT.yes("retry_use_local_part")
        .varies()
        .summary("Keeps failures of the transport apart by local part.")
        .docs("On for local transports, off for smtp."),
    AT.text("return_path").expanded().summary("The sender address to deliver with."),
    AT.no("return_path_add").summary("Adds a Return-path: header."),
    AT.text("shadow_condition")
        .expanded()
        .summary("Says when the shadow transport runs; expanded.")
        .docs("Where it is unset, the shadow transport always runs."),
    AT.text("shadow_transport")
        .summary("A local transport that gets a copy of what was delivered."),
    AT.text("tpda_delivery_action")
        .expanded()
        .summary("An expansion that runs after a delivery.")
        .source("experimental features")
        .docs("What `event_action` was before: what it comes to is of no interest."),
    AT.text("tpda_host_defer_action")
        .expanded()
        .summary("An expansion that runs after an error of a host.")
        .source("experimental features")
        .docs("What `event_action` was before: what it comes to is of no interest."),
    AT.text("transport_filter")
        .expanded()
        .summary("A command that the message goes through on its way.")
        .docs(
            "It gets the whole message, headers included, and its output is delivered. It is \
             split into arguments first, and each is expanded.",
        ),
    AT.time("transport_filter_timeout")
        .default("5m")
        .summary("How long output of `transport_filter` is waited for."),
    AT.user("user")
        .expanded()
        .summary("The user that a local delivery runs as.")
        .docs("By default what the router says."),
];
