//! The router `dnslookup` (specification, chapter 17).

use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::{DomainHosts, DomainSearch, Ending, Search, for_domain};
use eximious_stdlib::lists::elements;

use super::Purpose;
use super::machine::{Complaint, Machine, Verdict, unless_forced};
use super::router::Router;
use super::send::Here;

/// What a search for hosts may touch.
pub(super) static HOSTS: Meta = Meta::new(
    "router",
    Effects::DNS.union(Effects::HOST).union(Effects::LOOKUP).union(Effects::FILES),
    TaintRule::Tainted,
);

/// Finds the hosts of a domain.
pub(super) fn run(
    machine: &mut Machine<'_>,
    number: usize,
    router: &Router,
) -> Result<Verdict, Complaint> {
    let domain = machine.address.domain.clone();
    let wanted = wanted(machine, router)?;
    let hosts = machine.cx.call(&HOSTS, |call| for_domain(call, domain.bytes(), &wanted));
    let found = match hosts.map_err(|fail| Complaint::new(fail.message()))? {
        DomainHosts::Found(found) => found,
        DomainHosts::Decline(note) => {
            machine.note = note;
            return Ok(Verdict::Decline);
        }
        DomainHosts::Timeout(_) if router.on("pass_on_timeout") => return Ok(Verdict::Pass),
        DomainHosts::Timeout(why) | DomainHosts::Defer(why) => return Err(Complaint::new(why)),
    };
    let qualified = found.qualified.as_deref().unwrap_or_default().as_bytes();
    if !qualified.is_empty() && !qualified.eq_ignore_ascii_case(domain.bytes()) {
        // Nobody could rewrite the header that this sender is from.
        if machine.purpose == Purpose::VerifySender && router.on("rewrite_headers") {
            return Ok(Verdict::Decline);
        }
        let name = Str::from(qualified).stamped(domain.taint());
        return Ok(machine.rename(number, router, &name, router.on("rewrite_headers")));
    }
    if router.on("check_secondary_mx") && !found.removed_self && found.ending == Ending::Found {
        return Ok(Verdict::Decline);
    }
    if !qualified.is_empty() {
        machine.address.set_domain_case(qualified);
    }
    let here = match found.ending {
        Ending::Local if found.hosts.first().is_some_and(|host| host.mx.is_some()) => Here::Mx,
        Ending::Local => Here::Address,
        _ => Here::No,
    };
    machine.send_to(number, router, found.hosts, here)
}

/// What the router's options say of the search.
fn wanted(machine: &mut Machine<'_>, router: &Router) -> Result<DomainSearch, Complaint> {
    let list = |option: &str| router.text(option).map(|text| text.written.clone());
    // The header of a message must not be rewritten for a sender that is only
    // looked at.
    let widens = machine.purpose != Purpose::VerifySender || !router.on("rewrite_headers");
    Ok(DomainSearch {
        search: search(machine, router)?,
        mx_domains: list("mx_domains"),
        fail_defer_domains: list("fail_defer_domains"),
        widen_domains: list("widen_domains").filter(|_| widens),
        // A domain is only looked at when it has its full name.
        check_secondary_mx: false,
    })
}

fn search(machine: &mut Machine<'_>, router: &Router) -> Result<Search, Complaint> {
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
                return Err(Complaint::new(router.named(b"", &middle.concat(), fail.message())));
            }
        },
    };
    let list = |option: &str| router.text(option).map(|text| text.written.clone());
    Ok(Search {
        services,
        ipv4_only: yes(machine, router, "ipv4_only"),
        ipv4_prefer: yes(machine, router, "ipv4_prefer"),
        qualify_single: router.on("qualify_single"),
        search_parents: router.on("search_parents"),
        ignore: list("ignore_target_hosts"),
        srv_fail_domains: list("srv_fail_domains"),
        mx_fail_domains: list("mx_fail_domains"),
        dnssec_request: list("dnssec_request_domains"),
        dnssec_require: list("dnssec_require_domains"),
        ..Search::default()
    })
}

/// An option that is yes where it comes to anything but a word for no; that it
/// can't be expanded is logged, and means no.
fn yes(machine: &mut Machine<'_>, router: &Router, option: &str) -> bool {
    let Some(text) = router.some_text(option) else { return false };
    machine.condition(router, text)
}
