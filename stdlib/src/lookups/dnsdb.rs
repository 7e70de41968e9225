//! `dnsdb`: records of the DNS.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::unavailable;

/// `${lookup dnsdb{mx=domain}}`.
pub static DNSDB: LookupDef = LookupDef {
    meta: Meta::new("dnsdb", Effects::LOOKUP.union(Effects::DNS), TaintRule::Tainted)
        .syntax("${lookup dnsdb{><separator> <modifiers>,<type>=<domains>}}")
        .summary("Records of the DNS.")
        .docs(
            "The type is A, AAAA, CNAME, MX, NS, PTR, SOA, SPF, SRV, TLSA, TXT (where none is \
             given), or one of A+, CSA, MXH and ZNS. Several domains form a list. Records are \
             separated by newlines, or by what follows `>`; a comma after that gives the \
             separator of the fields of a record, a semicolon joins them. `defer_strict`, \
             `defer_lax` and `defer_never` say what a temporary error means, `dnssec_strict`, \
             `dnssec_lax` and `dnssec_never` what DNSSEC does, `retrans_` and `retry_` how long \
             and how often to ask.",
        )
        .needs("a resolver for all types of records")
        .source("specification 9.4.1, 9.10"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: unavailable,
};
