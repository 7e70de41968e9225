//! The router manualroute.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Router, "manualroute", "specification 20.1");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("host_all_ignored").default("defer").summary(
        "What to do when all hosts are to be passed over: as `host_find_failed`, without \
             `ignore`.",
    ),
    AT.text("host_find_failed")
        .default("freeze")
        .summary(
            "What to do about a host that doesn't exist: `decline`, `defer`, `fail`, `freeze`, \
             `ignore`, `pass`.",
        )
        .docs(
            "`ignore` goes on to the next host; where there is none, `host_all_ignored` decides.",
        ),
    AT.expanded_no("hosts_randomize")
        .summary("Shuffles hosts; a plus sign in the list divides groups that keep their order.")
        .docs("4.98.2 doesn't expand it."),
    AT.text("route_data")
        .expanded()
        .summary("Expands to the hosts for a domain, and options.")
        .docs(
            "Either this or `route_list` is set. Nothing, or a forced failure, makes the router \
             decline.",
        ),
    AT.list("route_list")
        .summary("Rules, separated by semicolons: a domain pattern, hosts, options.")
        .docs(
            "For example `example.com mail.example.com:backup.example.com bydns; * \
             smarthost::587`. Patterns are those of a list of domains, and `$1` or `$value` may \
             stand in the hosts. The first pattern that matches counts.",
        ),
    AT.no("same_domain_copy_routing")
        .idle("what the DNS says of a domain is asked once")
        .summary("Uses the first result for all addresses of a domain."),
];
