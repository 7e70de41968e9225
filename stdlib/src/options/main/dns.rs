//! Main options: the DNS, and which hosts are this one.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("allow_mx_to_ip")
        .summary("Takes an IP address on the right side of an MX record for a host."),
    AT.domains("dns_again_means_nonexist")
        .summary(r#"Domains for which "try again" from the DNS means that they don't exist."#)
        .docs("It does not count for TLSA records."),
    AT.text("dns_check_names_pattern")
        .default(r"(?i)^(?>(?(1)\.|())[^\W](?>[a-z0-9/_-]*[^\W])?)+(\.?)$")
        .summary("A regular expression that a name must match before the DNS is asked.")
        .docs("Empty, it lets all names through."),
    AT.integer("dns_cname_loops")
        .default("1")
        .since("4.92")
        .summary("How many CNAME records are followed where the resolver has not done so."),
    AT.integer("dns_csa_search_limit")
        .default("5")
        .summary("How many parents of a domain are searched for client authorization (CSA)."),
    AT.yes("dns_csa_use_reverse")
        .summary("Whether CSA looks an IP address up by its reverse name."),
    AT.integer("dns_dnssec_ok").default("-1").summary(
        "Turns DNSSEC on (1) or off (0) in questions to the DNS; -1 leaves it to the system.",
    ),
    AT.domains("dns_ipv4_lookup").summary("Domains for which only IPv4 addresses are looked up."),
    AT.time("dns_retrans").default("0s").summary(
        "How long to wait for an answer before the DNS is asked again; zero for the system's \
             time.",
    ),
    AT.integer("dns_retry")
        .default("0")
        .summary("How often the DNS is asked; zero for the system's number."),
    AT.domains("dns_trust_aa")
        .summary("Domains whose own servers' answers count as secure without a proof."),
    AT.integer("dns_use_edns0").default("-1").summary(
        "Turns EDNS0 on (1) or off (0) in questions to the DNS; -1 leaves it to the system.",
    ),
    AT.list("extra_local_interfaces")
        .summary("Addresses that are this host's though the daemon doesn't listen there."),
    AT.domains("hosts_treat_as_local")
        .summary("Names of hosts that count as this host in routing."),
];
