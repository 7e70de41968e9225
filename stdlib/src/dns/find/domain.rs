//! All that the `dnslookup` router does about a domain (specification 17).

use eximious_core::{Call, Fail, Str};

use super::{Ending, HostsFound, Search, by_dns};
use crate::lists::{Matcher, Outcome, elements};

/// What a `dnslookup` router wants of a domain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DomainSearch {
    /// What to look for in the DNS.
    pub search: Search,
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
    /// The router declines; the text is what becomes of the address where no
    /// router takes it, if not `Unrouteable address`.
    Decline(Option<&'static str>),
    /// The address has to wait.
    Defer(String),
    /// There is no answer now: `pass_on_timeout` decides whether to wait.
    Timeout(&'static str),
}

/// Finds the hosts for a domain, as a `dnslookup` router does. If
/// [`HostsFound::qualified`] is another domain, the address is routed again with
/// that.
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
    let mut name = domain.to_vec();
    let found = loop {
        let found = by_dns(call, &name, &wanted.search)?;
        match widened.next() {
            Some(more) if found.ending == Ending::Missing => {
                name = [domain, b".", &more[..]].concat();
            }
            _ => break found,
        }
    };
    let message = found.message();
    Ok(match found.ending {
        Ending::Found | Ending::Local => {
            let has_mx = found.hosts.iter().any(|host| host.mx.is_some());
            if !has_mx {
                match listed(call, wanted.mx_domains.as_ref(), &name)? {
                    Some(true) => return Ok(DomainHosts::Decline(None)),
                    Some(false) => {}
                    None => return Ok(DomainHosts::Defer("lookup defer for mx_domains".into())),
                }
            }
            let secondary = found.removed_self || found.ending == Ending::Local;
            if wanted.check_secondary_mx && !secondary {
                return Ok(DomainHosts::Decline(None));
            }
            DomainHosts::Found(found)
        }
        Ending::Missing => match listed(call, wanted.fail_defer_domains.as_ref(), domain)? {
            Some(false) => DomainHosts::Decline(message),
            Some(true) => DomainHosts::Defer(
                "missing MX, or all MXs point to missing A records, and defer requested".into(),
            ),
            None => DomainHosts::Defer("lookup defer for fail_defer_domains option".into()),
        },
        Ending::Later => DomainHosts::Timeout(message.unwrap_or_default()),
        Ending::Insecure => DomainHosts::Defer(message.unwrap_or_default().into()),
    })
}

/// Whether a domain is in a list; `None` where that can't be said now.
fn listed(call: &mut Call<'_>, list: Option<&Str>, domain: &[u8]) -> Result<Option<bool>, Fail> {
    let Some(list) = list else { return Ok(Some(false)) };
    let domain = Str::tainted(domain);
    let outcome = call.scoped(|call| Matcher::domain(&domain).test_written(call, list))?;
    Ok(match outcome {
        Outcome::Matched(_) => Some(true),
        Outcome::Unmatched(_) => Some(false),
        Outcome::Deferred(_) => None,
    })
}
