//! The router dnslookup.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Router, "dnslookup", "specification 17.3");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("check_secondary_mx")
        .summary("Declines unless this host is among the domain's MX hosts."),
    AT.list("check_srv")
        .expanded()
        .summary("Services whose SRV records are looked up before MX.")
        .docs("With `smtp-tls` a host is reached by TLS from the start."),
    AT.domains("fail_defer_domains")
        .summary("Domains without records that defer where else the router declines."),
    AT.text("ipv4_only")
        .expanded()
        .since("4.91")
        .summary("Looks up IPv4 addresses only, where this expands to something true."),
    AT.text("ipv4_prefer")
        .expanded()
        .since("4.91")
        .summary("Tries IPv4 addresses first, where this expands to something true."),
    AT.domains("mx_domains")
        .summary("Domains that must have MX or SRV records; an address is not enough."),
    AT.domains("mx_fail_domains")
        .summary("Domains for which an error in looking up MX means that there is none."),
    AT.yes("qualify_single").summary("Lets the resolver complete a domain of one word."),
    AT.yes("rewrite_headers").summary("Rewrites headers when the DNS completes a domain."),
    AT.no("same_domain_copy_routing")
        .idle("what the DNS says of a domain is asked once")
        .summary("Uses the first result for all addresses of a domain."),
    AT.no("search_parents").summary("Lets the resolver look for a domain in its parents."),
    AT.domains("srv_fail_domains")
        .summary("Domains for which an error in looking up SRV means that there is none."),
    AT.list("widen_domains").summary("Domains that are tried at the end of one that is not found."),
];
