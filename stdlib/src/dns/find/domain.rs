//! All that the `dnslookup` router does about a domain (specification 17).

use eximious_core::{Call, Fail, Str};

use super::{DnsSearch, Ending, HostsFound, by_dns};
use crate::idn;
use crate::lists::{ListOutcome, Matcher, elements};
use crate::options::opt::router::dnslookup;

/// What there is to say of a domain in `fail_defer_domains`.
const NOT_YET: &[u8] = b"missing MX, or all MXs point to missing A records, and defer requested";

/// What a `dnslookup` router wants of a domain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DomainSearch {
    /// What to look for in the DNS.
    pub search: DnsSearch,
    /// Domains that must have MX or SRV records.
    pub mx_domains: Option<Str>,
    /// Domains that are there later, where they are not now.
    pub fail_defer_domains: Option<Str>,
    /// What is put behind a domain that is not there (`widen_domains`). A router
    /// that verifies senders leaves it empty, unless `rewrite_headers` is off.
    pub widen_domains: Option<Str>,
    /// Only domains count for which this host is not the first choice, but one.
    pub check_secondary_mx: bool,
}

/// What to do with an address in the domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DomainHosts {
    /// There are hosts. The first may be this one ([`Ending::Local`]).
    Found(HostsFound),
    /// The domain has another name in full: the address is routed again with
    /// that, hosts or not.
    Renamed(String),
    /// The router declines; the text is what becomes of the address where no
    /// router takes it, if not `Unrouteable address`, and what whoever sent it is told
    /// instead, where there is advice.
    Decline(Option<Vec<u8>>, Option<Vec<u8>>),
    /// The address has to wait.
    Defer(Vec<u8>),
    /// There is no answer now: `pass_on_timeout` decides whether to wait.
    Timeout(Vec<u8>),
}

/// Finds the hosts for a domain, as a `dnslookup` router does. In
/// [`HostsFound::qualified`] is how the DNS writes the domain, whose capitals the
/// address has from then on.
///
/// # Errors
/// Where the policy forbids it, or a list can't be read.
pub fn for_domain(
    call: &mut Call<'_>,
    domain: &[u8],
    wanted: &DomainSearch,
) -> Result<DomainHosts, Fail> {
    let more = wanted.widen_domains.clone().unwrap_or_default();
    let mut widened = elements(more.bytes()).filter(|more| !more.is_empty());
    let (mut name, mut reason, mut advice) = (domain.to_vec(), None, None);
    let found = loop {
        let mut found = by_dns(call, &name, &wanted.search)?;
        if is_alabel_of(found.qualified.as_deref(), &name) {
            // It is as it was asked for.
            found.qualified = String::from_utf8(name.clone()).ok();
        }
        let message = found.message(domain);
        // Lists are asked about the domain in full.
        let full = found.qualified.as_ref().map_or(&name[..], |name| name.as_bytes());
        match found.ending {
            Ending::Found | Ending::Local => {
                if found.hosts.iter().any(|host| host.mx.is_some()) {
                    break found;
                }
                match listed(call, dnslookup::MX_DOMAINS.name(), wanted.mx_domains.as_ref(), full)?
                {
                    Some(true) => {}
                    Some(false) => break found,
                    None => return Ok(unknown(dnslookup::MX_DOMAINS.name())),
                }
            }
            Ending::Later => return Ok(DomainHosts::Timeout(message.unwrap_or_default())),
            Ending::Insecure => return Ok(DomainHosts::Defer(message.unwrap_or_default())),
            Ending::Missing => {
                reason = message.or(reason);
                advice = found.advice(domain).or(advice);
                match listed(
                    call,
                    dnslookup::FAIL_DEFER_DOMAINS.name(),
                    wanted.fail_defer_domains.as_ref(),
                    full,
                )? {
                    Some(true) => return Ok(DomainHosts::Defer(NOT_YET.into())),
                    Some(false) => {}
                    None => return Ok(unknown("fail_defer_domains option")),
                }
                // There are records: the domain is there, and needs no other name.
                if !found.hosts.is_empty() {
                    return Ok(DomainHosts::Decline(reason, advice));
                }
            }
        }
        let Some(more) = widened.next() else {
            return Ok(DomainHosts::Decline(reason, advice));
        };
        name = [domain, b".", &more[..]].concat();
    };
    if let Some(full) = &found.qualified
        && !full.as_bytes().eq_ignore_ascii_case(domain)
    {
        return Ok(DomainHosts::Renamed(full.clone()));
    }
    if wanted.check_secondary_mx && !found.removed_self && found.ending == Ending::Found {
        return Ok(DomainHosts::Decline(None, None));
    }
    Ok(DomainHosts::Found(found))
}

/// Whether a name from the DNS is how the DNS has an international one.
fn is_alabel_of(full: Option<&str>, name: &[u8]) -> bool {
    let Some(full) = full.filter(|_| !name.is_ascii()) else { return false };
    idn::domain_to_alabel(name).is_ok_and(|label| label.eq_ignore_ascii_case(full.as_bytes()))
}

fn unknown(option: &str) -> DomainHosts {
    DomainHosts::Defer(format!("lookup defer for {option}").into())
}

/// Whether a domain is in a list; `None` where that can't be said now.
fn listed(
    call: &mut Call<'_>,
    option: &'static str,
    list: Option<&Str>,
    domain: &[u8],
) -> Result<Option<bool>, Fail> {
    let Some(list) = list else { return Ok(Some(false)) };
    let domain = Str::tainted(domain);
    let mut matcher = Matcher::domain(&domain).called(option);
    let outcome = call.scoped(|call| matcher.test_written(call, list))?;
    Ok(match outcome {
        ListOutcome::Matched(_) => Some(true),
        ListOutcome::Unmatched(_) => Some(false),
        ListOutcome::Deferred(_) => None,
    })
}
