//! What to look for in the DNS.

use std::sync::Arc;

use eximious_core::trace::{TraceKinds, TracePlace};
use eximious_core::{Call, Fail, Str};

use crate::lists::{ListOutcome, Matcher};
use crate::options::opt::router;

/// What to look for in the DNS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsSearch {
    /// Services to look for first (`check_srv`), in this order.
    pub services: Vec<Str>,
    /// Whether to look for MX records.
    pub mx: bool,
    /// Whether to look for addresses of the name itself, where there are none of
    /// the others.
    pub addresses: bool,
    /// Look for IPv4 addresses alone.
    pub ipv4_only: bool,
    /// Put IPv4 addresses before IPv6.
    pub ipv4_prefer: bool,
    /// Complete a name without dots with the system's own domain.
    pub qualify_single: bool,
    /// Complete names with the domains above the system's own.
    pub search_parents: bool,
    /// What `ignore` is called where each step is shown: nothing for a list of its own.
    pub ignore_called: Option<&'static str>,
    /// Addresses that are as good as not there (`ignore_target_hosts`), as it
    /// stands in the configuration. `$host_address` is the address in it.
    pub ignore: Option<Str>,
    /// Domains for which a failing search for SRV records has found none.
    pub srv_fail_domains: Option<SearchList>,
    /// Domains for which a failing search for MX records has found none.
    pub mx_fail_domains: Option<SearchList>,
    /// Domains for which signed answers are asked for.
    pub dnssec_request: Option<SearchList>,
    /// Domains for which answers must be signed.
    pub dnssec_require: Option<SearchList>,
    /// How deep the tests of lists stand in others, to whoever is shown each step;
    /// nothing, where it is not told which lists those of domains are.
    pub told: Option<u32>,
}

/// A list of domains, as it stands in the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchList {
    /// What is written.
    pub text: Str,
    /// Where that is, where it is known.
    pub place: Option<Arc<TracePlace>>,
}

impl From<Str> for SearchList {
    fn from(text: Str) -> Self {
        Self { text, place: None }
    }
}

impl SearchList {
    /// Tests a subject; what happens meanwhile stands where the list does.
    pub(super) fn test(
        &self,
        call: &mut Call<'_>,
        matcher: &mut Matcher<'_>,
    ) -> Result<ListOutcome, Fail> {
        let Some(place) = self.place.as_ref().filter(|_| call.watched(TraceKinds::all())) else {
            return call.scoped(|call| matcher.test_written(call, &self.text));
        };
        let before = call.trace().stand_at(Some(place.clone()));
        let outcome = call.scoped(|call| matcher.test_written(call, &self.text));
        call.trace().stand_at(before);
        outcome
    }
}

impl Default for DnsSearch {
    /// As a `dnslookup` router without options.
    fn default() -> Self {
        Self {
            services: Vec::new(),
            mx: true,
            addresses: true,
            ipv4_only: false,
            ipv4_prefer: false,
            qualify_single: true,
            search_parents: false,
            ignore_called: Some(router::IGNORE_TARGET_HOSTS.name()),
            ignore: None,
            srv_fail_domains: None,
            mx_fail_domains: None,
            dnssec_request: Some(Str::fixed("*").into()),
            dnssec_require: None,
            told: None,
        }
    }
}

impl DnsSearch {
    /// For a host of a `manualroute` router (`bydns`): its addresses alone.
    pub fn for_host() -> Self {
        Self { mx: false, qualify_single: false, ..Self::default() }
    }

    /// For `name/MX` in a list of hosts: MX records alone.
    pub fn for_mx() -> Self {
        Self { addresses: false, qualify_single: false, ..Self::default() }
    }
}
