//! The router `dnslookup` (specification, chapter 17).

use eximious_core::{DriverDef, DriverOpt, Effects, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::{DnsSearch, DomainHosts, DomainSearch, Ending, for_domain};
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::router as opt;

use super::Purpose;
use super::driver::{self, RouterRun};
use super::machine::{Machine, Note, Verdict, unless_forced};
use super::pass::RouteError;
use super::router::Router;
use super::send::Here;
use crate::config::{RouterRules, TransportUse};

/// What a search for hosts may touch.
pub(super) static HOSTS: Meta = Meta::new(
    "router",
    Effects::DNS.union(Effects::HOST).union(Effects::LOOKUP).union(Effects::FILES),
    TaintRule::Tainted,
);

/// The driver `dnslookup`.
pub(super) static DRIVER: DriverDef =
    driver::own("dnslookup", "Finds hosts for a domain in the DNS.", "17", &RouterRun::Own(run))
        .rules(&RULES);

static RULES: RouterRules =
    RouterRules { transport: TransportUse::Required, ..RouterRules::DEFAULT };

/// Finds the hosts of a domain.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    let domain = machine.address.domain.clone();
    let search = search(machine, router)?;
    let found = machine.cx.call(&HOSTS, |call| for_domain(call, domain.bytes(), &search));
    match found.map_err(|fail| RouteError::new(fail.message()))? {
        DomainHosts::Decline(note, advice) => {
            machine.note = note.map(|text| Note { text, told: true }).or(machine.note.take());
            machine.advice = advice.or(machine.advice.take());
            Ok(Verdict::Decline)
        }
        DomainHosts::Timeout(_) if router.on(opt::PASS_ON_TIMEOUT) => Ok(Verdict::Pass),
        DomainHosts::Timeout(message) | DomainHosts::Defer(message) => {
            Err(RouteError::new(message))
        }
        DomainHosts::Renamed(name) => {
            let name = Str::from(name.into_bytes()).stamped(domain.taint());
            Ok(machine.rename(number, &name, router.on(opt::dnslookup::REWRITE_HEADERS)))
        }
        DomainHosts::Found(found) => {
            if let Some(name) = &found.qualified
                && name.as_bytes() != domain.bytes()
            {
                machine.address.set_domain_case(name.as_bytes());
            }
            let here = match found.ending {
                Ending::Local if found.hosts.first().is_some_and(|host| host.mx.is_some()) => {
                    Here::Mx
                }
                Ending::Local => Here::Address,
                _ => Here::No,
            };
            machine.send_to(number, router, found.hosts, here)
        }
    }
}

/// What the router's options say of the search.
fn search(machine: &mut Machine<'_>, router: &Router) -> Result<DomainSearch, RouteError> {
    let services = match router.some_text(opt::dnslookup::CHECK_SRV) {
        None => Vec::new(),
        Some(text) => match unless_forced(text.expand(machine.cx)) {
            Ok(None) => Vec::new(),
            Ok(Some(list)) => elements(list.bytes())
                .filter(|item| !item.is_empty())
                .map(|item| Str::from(item.to_vec()).stamped(list.taint()))
                .collect(),
            Err(fail) => {
                let middle = [b" router: failed to expand \"", text.written.bytes(), b"\": "];
                return Err(RouteError::new(router.named(b"", &middle.concat(), fail.message())));
            }
        },
    };
    let list = |option: DriverOpt<Str>| router.text(option).map(|text| text.written.clone());
    // The header of a message must not be rewritten for a sender that is only
    // looked at: its domain stays as it is.
    let stays =
        machine.purpose == Purpose::VerifySender && router.on(opt::dnslookup::REWRITE_HEADERS);
    let mut is_yes = |option| match router.some_text(option) {
        Some(text) => machine.condition(router, text),
        None => Ok(false),
    };
    let search = DnsSearch {
        services,
        ipv4_only: is_yes(opt::dnslookup::IPV4_ONLY)?,
        ipv4_prefer: is_yes(opt::dnslookup::IPV4_PREFER)?,
        qualify_single: router.on(opt::dnslookup::QUALIFY_SINGLE) && !stays,
        search_parents: router.on(opt::dnslookup::SEARCH_PARENTS) && !stays,
        ignore: list(opt::IGNORE_TARGET_HOSTS),
        srv_fail_domains: router.search_list(opt::dnslookup::SRV_FAIL_DOMAINS),
        mx_fail_domains: router.search_list(opt::dnslookup::MX_FAIL_DOMAINS),
        dnssec_request: router.search_list(opt::DNSSEC_REQUEST_DOMAINS),
        dnssec_require: router.search_list(opt::DNSSEC_REQUIRE_DOMAINS),
        told: Some(1),
        ..DnsSearch::default()
    };
    Ok(DomainSearch {
        search,
        mx_domains: list(opt::dnslookup::MX_DOMAINS),
        fail_defer_domains: list(opt::dnslookup::FAIL_DEFER_DOMAINS),
        widen_domains: list(opt::dnslookup::WIDEN_DOMAINS).filter(|_| !stays),
        check_secondary_mx: router.on(opt::dnslookup::CHECK_SECONDARY_MX),
    })
}
