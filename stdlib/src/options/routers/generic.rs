//! What all routers have.

use eximious_core::{DriverKind, OptionDef, Repeated};

use crate::options::At;

const AT: At = At::all(DriverKind::Router, "specification 15");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("address_data")
        .expanded()
        .summary("A text that goes along with the address, as `$address_data`.")
        .docs(
            "Expanded after all conditions have passed. A forced failure makes the router \
             decline; later routers and the transport see the text.",
        ),
    AT.yes("address_test").summary("Whether the router runs in `-bt`."),
    AT.no("bmi_deliver_alternate")
        .until("4.100")
        .unprinted()
        .source("experimental features")
        .summary("Runs the router only where Brightmail wants another place for the message."),
    AT.no("bmi_deliver_default")
        .until("4.100")
        .unprinted()
        .source("experimental features")
        .summary("Runs the router only where Brightmail wants the message delivered as usual.")
        .docs("That is so where Brightmail was not asked, too."),
    AT.no("bmi_dont_deliver")
        .until("4.100")
        .unprinted()
        .source("experimental features")
        .summary("Runs the router only where Brightmail wants the message dropped."),
    AT.text("bmi_rule")
        .until("4.100")
        .unprinted()
        .source("experimental features")
        .summary("Runs the router only where one of these rules of Brightmail fired.")
        .docs("Their numbers, with colons between them."),
    AT.text("cannot_route_message")
        .expanded()
        .summary("What the error says when no router is left for an address."),
    AT.no("caseful_local_part").summary("Heeds case in local parts while the router runs."),
    AT.no("check_local_user")
        .summary("Runs the router only if the local part is a user of this system.")
        .docs(
            "It sets `$home`, and a user for deliveries; `$local_part_data` is then the name \
             without taint.",
        ),
    AT.text("condition")
        .expanded()
        .repeated(Repeated::Conjoined)
        .summary(
            "Runs the router only if this expands to neither nothing nor `0`, `no` or `false`.",
        )
        .docs(
            "Given more than once, all must hold. It is the last of the conditions to be looked \
             at.",
        ),
    AT.text("debug_print").expanded().summary("A text that is expanded and shown when debugging."),
    AT.no("disable_logging").summary("Logs neither the router's errors nor its deliveries."),
    AT.domains("dnssec_request_domains")
        .default("*")
        .summary("Domains for which lookups ask for proofs (DNSSEC)."),
    AT.domains("dnssec_require_domains")
        .summary("Domains for which lookups are believed with a proof only (DNSSEC)."),
    AT.domains("domains").summary("Runs the router only for these domains."),
    AT.text("driver").summary("The kind of router."),
    AT.no("dsn_lasthop")
        .summary("Reports success by itself, as if the next host knew nothing of reports (DSN)."),
    AT.text("errors_to").expanded().summary("The address that bounces go to from here on.").docs(
        "A forced failure, or an address that can not be verified, leaves it as it was. An \
             empty text drops errors of this address without a bounce.",
    ),
    AT.yes("expn").summary("Whether the router runs for EXPN."),
    AT.no("fail_verify")
        .unprinted()
        .summary("Sets `fail_verify_sender` and `fail_verify_recipient`."),
    AT.no("fail_verify_recipient")
        .summary("An address that the router takes is a bad recipient when it is verified."),
    AT.no("fail_verify_sender")
        .summary("An address that the router takes is a bad sender when it is verified."),
    AT.list("fallback_hosts")
        .expanded()
        .summary("Hosts to try when all others have failed for a time.")
        .docs("4.98.2 doesn't expand it."),
    AT.group("group")
        .expanded()
        .varies()
        .summary("The group for deliveries, where the transport names none.")
        .docs("By default that of `user`, if a name stands there."),
    AT.list("headers_add")
        .expanded()
        .repeated(Repeated::Joined('\n'))
        .summary("Headers that messages get, separated by newlines.")
        .docs("Given more than once, all count. A transport may still remove them."),
    AT.list("headers_remove")
        .expanded()
        .repeated(Repeated::Joined(':'))
        .summary("Names of headers that messages lose; an asterisk may end a name.")
        .docs("Given more than once, all count."),
    AT.hosts("ignore_target_hosts")
        .summary("IP addresses that are passed over when hosts are looked up."),
    AT.no("initgroups").summary("Gives deliveries all groups of their user."),
    AT.list("local_part_prefix")
        .summary("Prefixes that the local part must have; what follows counts as the local part.")
        .docs(
            "An asterisk at the beginning stands for anything: `*-real-`. The longest match \
             counts; since 4.100 a tilde in place of the asterisk takes the shortest. \
             `$local_part_prefix` has what was taken off.",
        ),
    AT.no("local_part_prefix_optional").summary("Runs the router without a prefix too."),
    AT.list("local_part_suffix")
        .summary("Suffixes that the local part must have; what is before counts as the local part.")
        .docs(
            "An asterisk at the end stands for anything: `-*`. The longest match counts; since \
             4.100 a tilde in place of the asterisk takes the shortest. `$local_part_suffix` has \
             what was taken off.",
        ),
    AT.no("local_part_suffix_optional").summary("Runs the router without a suffix too."),
    AT.local_parts("local_parts").summary("Runs the router only for these local parts."),
    AT.no("log_as_local")
        .varies()
        .summary("Logs deliveries as local ones, by the local part.")
        .docs("Set for the router accept, off for the others, where nobody says otherwise."),
    AT.expanded_yes("more").summary("Whether the next router is asked when this one declines."),
    AT.no("pass_on_timeout")
        .summary("Goes on to the next router when a lookup of hosts times out."),
    AT.text("pass_router").summary("The router that comes next after this one passes."),
    AT.text("redirect_router")
        .summary("The router that begins with the addresses that this one makes."),
    AT.list("require_files")
        .expanded()
        .summary("Files that must exist, or must not, for the router to run.")
        .docs(
            "An exclamation mark stands before those that must not; a user before a path is who \
             must be able to see it.",
        ),
    AT.no("retry_use_local_part")
        .varies()
        .summary("Keeps failures of the router apart by local part.")
        .docs(
            "On by default where `check_local_user`, `local_parts`, a prefix, a suffix, \
             `senders`, `require_files` or `condition` is set.",
        ),
    AT.text("router_home_directory").expanded().summary("`$home` while the router runs."),
    AT.text("self")
        .default("freeze")
        .summary("What to do when the first host that is found is this one.")
        .docs(
            "`freeze`, `defer`, `decline`, `send`, `pass`, `fail`, `reroute: domain` or \
             `reroute: rewrite: domain`, which rewrites headers too.",
        ),
    AT.addresses("senders").summary("Runs the router only for these senders."),
    AT.list("set")
        .repeated(Repeated::Joined(';'))
        .since("4.93")
        .summary("Values for `$r_…` variables: `name = text`.")
        .docs(
            "May be given more than once; a semicolon separates several. The variables live on \
             for the address, into its transport.",
        ),
    AT.text("translate_ip_address")
        .expanded()
        .unprinted()
        .summary("Expands to another IP address for a host, for networks of an unusual kind."),
    AT.text("transport").expanded().summary("The transport that delivers what the router takes."),
    AT.text("transport_current_directory")
        .expanded()
        .summary("The current directory of a local delivery, where the transport names none."),
    AT.text("transport_home_directory")
        .expanded()
        .summary("`$home` for a local delivery, where the transport names none."),
    AT.expanded_no("unseen")
        .summary("Goes on with a copy of the address when the router has taken it."),
    AT.user("user").expanded().summary("The user for deliveries, where the transport names none."),
    AT.yes("verify").unprinted().summary("Sets `verify_sender` and `verify_recipient`."),
    AT.no("verify_only").summary("Runs the router for verification only."),
    AT.yes("verify_recipient").summary("Whether the router runs when recipients are verified."),
    AT.yes("verify_sender").summary("Whether the router runs when senders are verified."),
];
