//! The router `ipliteral` (specification, chapter 18).

use eximious_core::DriverDef;
use std::net::IpAddr;

use eximious_core::trace::{Happening, HostEvent, ListEvent};
use eximious_stdlib::dns::local::LocalAddresses;
use eximious_stdlib::lists::ListOutcome;
use eximious_stdlib::options::opt;

use super::conditions::host_is_in;
use super::dnslookup::HOSTS;
use super::driver::{self, RouterRun};
use super::hosts::of_address;
use super::machine::{Machine, Note, Verdict};
use super::pass::RouteError;
use super::router::Router;
use super::send::Here;
use crate::config::{RouterRules, TransportUse};

/// The driver `ipliteral`.
pub(super) static DRIVER: DriverDef = driver::own(
    "ipliteral",
    "Takes domains that are addresses in brackets.",
    "18",
    &RouterRun::Own(run),
)
.rules(&RULES);

static RULES: RouterRules =
    RouterRules { transport: TransportUse::Required, ..RouterRules::DEFAULT };

/// Takes a domain that is an address in brackets.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    let domain = machine.address.domain.clone();
    let Some(address) = literal(domain.bytes()) else { return Ok(Verdict::Decline) };
    if address.is_ipv6() && machine.cx.engine().settings().get(opt::DISABLE_IPV6) {
        return Ok(Verdict::Decline);
    }
    if let Some(list) = router.some_text(opt::router::IGNORE_TARGET_HOSTS) {
        match host_is_in(machine.cx, &list.written, address) {
            Ok(ListOutcome::Matched(_)) => {
                // Where no other router takes the address, that is why.
                machine.note = Some(Note::logged("IP literal host explicitly ignored"));
                return Ok(Verdict::Decline);
            }
            Ok(ListOutcome::Unmatched(_)) => {}
            // What can't be looked up ignores nothing, and was told.
            Ok(ListOutcome::Deferred(_)) => {}
            Err(fail) => machine.log_panic(fail.message()),
        }
    } else {
        let subject = address.to_string();
        let option = Some(opt::router::IGNORE_TARGET_HOSTS.name());
        let unset = ListEvent::Unset { subject: subject.as_bytes(), option };
        machine.cx.tell(Happening::List(unset));
    }
    let host = of_address(&domain, address);
    let here = match machine.cx.call(&HOSTS, LocalAddresses::read) {
        Ok(local) if local.contains(address) => {
            machine.cx.tell(Happening::Host(HostEvent::Local));
            Here::Address
        }
        Ok(_) => Here::No,
        Err(fail) => return Err(RouteError::new(fail.message())),
    };
    machine.send_to(number, router, vec![host], here)
}

/// The address in `[1.2.3.4]`, `[ipv6:::1]`.
fn literal(domain: &[u8]) -> Option<IpAddr> {
    let inner = domain.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let lower = inner.to_ascii_lowercase();
    let text = std::str::from_utf8(&lower).ok()?;
    let v6 = text.strip_prefix("ipv6:");
    let text = v6.or_else(|| text.strip_prefix("ipv4:")).unwrap_or(text);
    text.parse().ok()
}
