//! The router `dnslookup` (specification, chapter 17).

use eximious_core::{DriverDef, Effects, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::{DnsSearch, DomainHosts, DomainSearch, Ending, for_domain};
use eximious_stdlib::lists::elements;

use super::Purpose;
use super::driver::{self, RouterRun};
use super::machine::{Machine, Verdict, unless_forced};
use super::pass::RouteError;
use super::router::Router;
use super::send::Here;

/// What a search for hosts may touch.
pub(super) static HOSTS: Meta = Meta::new(
    "router",
    Effects::DNS.union(Effects::HOST).union(Effects::LOOKUP).union(Effects::FILES),
    TaintRule::Tainted,
);

/// The driver `dnslookup`.
pub(super) static DRIVER: DriverDef =
    driver::own("dnslookup", "Finds hosts for a domain in the DNS.", "17", &RouterRun::Own(run));

/// Finds the hosts of a domain.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    let domain = machine.address.domain.clone();
    let search = search(machine, router)?;
    let found = machine.cx.call(&HOSTS, |call| for_domain(call, domain.bytes(), &search));
    match found.map_err(|fail| RouteError::new(fail.message()))? {
        DomainHosts::Decline(note) => {
            machine.note = note.or(machine.note.take());
            Ok(Verdict::Decline)
        }
        DomainHosts::Timeout(_) if router.on("pass_on_timeout") => Ok(Verdict::Pass),
        DomainHosts::Timeout(message) | DomainHosts::Defer(message) => {
            Err(RouteError::new(message))
        }
        DomainHosts::Renamed(name) => {
            let name = Str::from(name.into_bytes()).stamped(domain.taint());
            Ok(machine.rename(number, router, &name, router.on("rewrite_headers")))
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
    let services = match router.some_text("check_srv") {
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
    let list = |option: &str| router.text(option).map(|text| text.written.clone());
    // The header of a message must not be rewritten for a sender that is only
    // looked at: its domain stays as it is.
    let stays = machine.purpose == Purpose::VerifySender && router.on("rewrite_headers");
    let mut is_yes =
        |option| router.some_text(option).is_some_and(|text| machine.condition(router, text));
    let search = DnsSearch {
        services,
        ipv4_only: is_yes("ipv4_only"),
        ipv4_prefer: is_yes("ipv4_prefer"),
        qualify_single: router.on("qualify_single") && !stays,
        search_parents: router.on("search_parents") && !stays,
        ignore: list("ignore_target_hosts"),
        srv_fail_domains: list("srv_fail_domains"),
        mx_fail_domains: list("mx_fail_domains"),
        dnssec_request: list("dnssec_request_domains"),
        dnssec_require: list("dnssec_require_domains"),
        told: Some(1),
        ..DnsSearch::default()
    };
    Ok(DomainSearch {
        search,
        mx_domains: list("mx_domains"),
        fail_defer_domains: list("fail_defer_domains"),
        widen_domains: list("widen_domains").filter(|_| !stays),
        check_secondary_mx: router.on("check_secondary_mx"),
    })
}
