//! The router `dnslookup` (specification, chapter 17).

use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::{Ending, HostsFound, Reason, Search, by_dns};
use eximious_stdlib::lists::{Matcher, Outcome, elements};

use super::Purpose;
use super::conditions::{is_in, is_true};
use super::machine::{Complaint, Machine, Verdict, unless_forced};
use super::router::{Router, Text};
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
    let search = search(machine, router)?;
    let mut found = look(machine, &domain, &search)?;
    if found.ending == Ending::Missing {
        for wider in wider(machine, router) {
            let wide = Str::from([domain.bytes(), b".", &wider].concat()).stamped(domain.taint());
            let other = look(machine, &wide, &search)?;
            if other.ending != Ending::Missing {
                found = other;
                break;
            }
        }
    }
    match found.ending {
        Ending::Missing => missing(machine, router, &domain, &found),
        Ending::Later if router.on("pass_on_timeout") => Ok(Verdict::Pass),
        Ending::Later | Ending::Insecure => {
            Err(Complaint::new(found.message(domain.bytes()).unwrap_or_default()))
        }
        Ending::Found | Ending::Local => {
            let qualified = found.qualified.as_deref().unwrap_or_default();
            if !qualified.is_empty() && !qualified.as_bytes().eq_ignore_ascii_case(domain.bytes()) {
                // Nobody could rewrite the header that this sender is from.
                if machine.purpose == Purpose::VerifySender && router.on("rewrite_headers") {
                    return Ok(Verdict::Decline);
                }
                let name = Str::from(qualified.as_bytes()).stamped(domain.taint());
                return Ok(machine.rename(number, router, &name, router.on("rewrite_headers")));
            }
            if router.on("check_secondary_mx")
                && !found.removed_self
                && found.ending == Ending::Found
            {
                return Ok(Verdict::Decline);
            }
            let here = match found.ending {
                Ending::Found => Here::No,
                _ if found.hosts.first().is_some_and(|host| host.mx.is_some()) => Here::Mx,
                _ => Here::Address,
            };
            machine.send_to(number, router, found.hosts, here)
        }
    }
}

/// There are no hosts.
fn missing(
    machine: &mut Machine<'_>,
    router: &Router,
    domain: &Str,
    found: &HostsFound,
) -> Result<Verdict, Complaint> {
    let service = found.reason == Some(Reason::NoService);
    if in_list(machine, router, "fail_defer_domains", domain)? {
        let why = "missing MX, or all MXs point to missing A records, and defer requested";
        return Err(Complaint::new(why));
    }
    machine.note = found.message(domain.bytes());
    match (service, machine.note.clone()) {
        (true, Some(note)) => Ok(Verdict::Fail(Complaint::new(note))),
        _ => Ok(Verdict::Decline),
    }
}

fn look(machine: &mut Machine<'_>, domain: &Str, search: &Search) -> Result<HostsFound, Complaint> {
    let found = machine.cx.call(&HOSTS, |call| by_dns(call, domain.bytes(), search));
    found.map_err(|fail| Complaint::new(fail.message()))
}

/// What the router's options say of the search.
fn search(machine: &mut Machine<'_>, router: &Router) -> Result<Search, Complaint> {
    let domain = machine.address.domain.clone();
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
        addresses: !in_list(machine, router, "mx_domains", &domain)?,
        ipv4_only: yes(machine, router, "ipv4_only")?,
        ipv4_prefer: yes(machine, router, "ipv4_prefer")?,
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

fn yes(machine: &mut Machine<'_>, router: &Router, option: &str) -> Result<bool, Complaint> {
    let Some(text) = router.some_text(option) else { return Ok(false) };
    match unless_forced(text.expand(machine.cx)) {
        Ok(value) => Ok(value.is_some_and(|value| is_true(&value))),
        Err(fail) => Err(not_expanded(router, text, fail.message())),
    }
}

fn not_expanded(router: &Router, text: &Text, why: &[u8]) -> Complaint {
    let middle = [b" router: failed to expand \"", text.written.bytes(), b"\": "].concat();
    Complaint::new(router.named(b"", &middle, why))
}

fn in_list(
    machine: &mut Machine<'_>,
    router: &Router,
    option: &str,
    domain: &Str,
) -> Result<bool, Complaint> {
    let Some(list) = router.text(option) else { return Ok(false) };
    match is_in(machine.cx, &list.written, &mut Matcher::domain(domain)) {
        Ok(outcome) => Ok(matches!(outcome, Outcome::Matched(_))),
        Err(fail) => Err(Complaint::new(fail.message())),
    }
}

/// The domains that are tried as well. The header of a message must not be
/// rewritten for a sender that is only looked at.
fn wider(machine: &Machine<'_>, router: &Router) -> Vec<Vec<u8>> {
    let sender = machine.purpose == Purpose::VerifySender;
    if sender && router.on("rewrite_headers") {
        return Vec::new();
    }
    let Some(text) = router.some_text("widen_domains") else { return Vec::new() };
    elements(text.written.bytes()).filter(|item| !item.is_empty()).map(|i| i.to_vec()).collect()
}
