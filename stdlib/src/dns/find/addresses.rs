//! The addresses of one host.

use std::net::IpAddr;

use eximious_core::world::DnsRecord;
use eximious_core::{Call, Fail, Str};

use super::{DnsSearch, RouteHost, chain, mx_to_ip, qualified, random, records};
use crate::dns::{self, DnsFound, How, kind};
use crate::lists::{HostNames, Known, ListOutcome, Matcher};

/// How many addresses of a host count.
const MOST_ADDRESSES: usize = 256;

/// What came of looking for addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answered {
    Found,
    /// There are some, of which none counts.
    Ignored,
    Missing,
    Later,
    Insecure,
}

/// Looks for the addresses of one host.
pub(super) struct Seeker<'s> {
    search: &'s DnsSearch,
    how: &'s How,
    require: bool,
    /// Whether what is known so far is signed; `None`, where nothing is known.
    pub(super) vouched: Option<bool>,
    /// The name as the server knows it.
    pub(super) qualified: Option<String>,
    /// Nothing was asked: no host has such a name.
    pub(super) malformed: bool,
    /// What the name is an alias for, or is completed to.
    alias: Option<String>,
    addresses: Vec<IpAddr>,
}

impl<'s> Seeker<'s> {
    pub(super) fn new(search: &'s DnsSearch, require: bool, how: &'s How) -> Self {
        Self {
            search,
            how,
            require,
            vouched: None,
            qualified: None,
            malformed: false,
            alias: None,
            addresses: Vec::new(),
        }
    }

    /// Looks for those of a host that a record names.
    pub(super) fn target(&mut self, call: &mut Call<'_>, name: &str) -> Result<Answered, Fail> {
        let Some(address) = crate::ip::address(name.as_bytes()) else {
            return self.seek(call, name.as_bytes());
        };
        if !mx_to_ip(call) {
            return Ok(Answered::Missing);
        }
        self.add(call, name.as_bytes(), address)?;
        Ok(if self.addresses.is_empty() { Answered::Ignored } else { Answered::Found })
    }

    /// Asks for IPv6 and IPv4 addresses. Where there are none, what is said of
    /// the kind that was asked for last counts most.
    pub(super) fn seek(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Answered, Fail> {
        let kinds = match self.search.ipv4_only {
            true => vec![kind::A],
            false => dns::kinds(call, name)?,
        };
        self.malformed = !dns::is_proper(call, name, kind::A)?;
        let (mut last, mut later) = (Answered::Missing, false);
        for kind in kinds {
            let asked = self.alias.clone().map_or_else(|| name.to_vec(), String::into_bytes);
            last = self.seek_kind(call, &asked, kind)?;
            later |= last == Answered::Later;
        }
        Ok(match last {
            _ if !self.addresses.is_empty() => Answered::Found,
            Answered::Missing if later => Answered::Later,
            last => last,
        })
    }

    fn seek_kind(&mut self, call: &mut Call<'_>, name: &[u8], kind: u16) -> Result<Answered, Fail> {
        let reply = dns::query(call, name, kind, self.how)?;
        let records = match &reply.found {
            DnsFound::Records { records, .. } => &records[..],
            DnsFound::Later => return Ok(Answered::Later),
            // To Exim it is an answer that holds no address.
            DnsFound::Broken => &[],
            DnsFound::NoName | DnsFound::NoData => return Ok(Answered::Missing),
        };
        if reply.secure && self.how.dnssec {
            self.vouched.get_or_insert(true);
        } else if self.require {
            return Ok(Answered::Insecure);
        } else if self.vouched == Some(true) {
            self.vouched = Some(false);
        }
        self.qualified = self.qualified.take().or(qualified(&reply, b""));
        let own = records.first().map_or("", |record| &record.name);
        let before = self.addresses.len();
        for address in records.iter().filter_map(DnsRecord::address).take(MOST_ADDRESSES) {
            self.add(call, name, address)?;
        }
        if self.addresses.len() > before {
            // Another way of writing the same is no alias.
            let given = name.strip_suffix(b".").unwrap_or(name);
            if !own.as_bytes().eq_ignore_ascii_case(given) {
                self.alias = Some(own.to_owned());
            }
            return Ok(Answered::Found);
        }
        Ok(match &self.search.ignore {
            Some(_) => Answered::Ignored,
            None => Answered::Missing,
        })
    }

    fn add(&mut self, call: &mut Call<'_>, name: &[u8], address: IpAddr) -> Result<(), Fail> {
        let (list, called) = (self.search.ignore.as_ref(), self.search.ignore_called);
        if !is_ignored(call, list, called, name, address)? {
            self.addresses.push(address);
        }
        Ok(())
    }

    /// What was found: an entry for each address, those of a kind in any order.
    pub(super) fn hosts(self, call: &mut Call<'_>, name: &str) -> Vec<RouteHost> {
        let given = name.strip_suffix('.').unwrap_or(name);
        let host = RouteHost {
            name: self.alias.unwrap_or_else(|| given.to_owned()),
            certificate_name: given.to_owned(),
            dnssec: self.vouched,
            ..RouteHost::default()
        };
        let mut addresses = self.addresses;
        if addresses.is_empty() {
            return vec![host];
        }
        records::shuffle(&mut addresses, &*random(call));
        chain::by_kind(&mut addresses, self.search.ipv4_prefer);
        addresses
            .into_iter()
            .map(|address| RouteHost { address: Some(address), ..host.clone() })
            .collect()
    }
}

/// Whether an address is one of those that are as good as not there. A list
/// that can't be looked at now has none of them.
pub(super) fn is_ignored(
    call: &mut Call<'_>,
    list: Option<&Str>,
    called: Option<&'static str>,
    name: &[u8],
    address: IpAddr,
) -> Result<bool, Fail> {
    let Some(list) = list else { return Ok(false) };
    let mut names = Target(name);
    let mut matcher = Matcher::other_host((address.to_string().into(), address), &mut names);
    if let Some(called) = called {
        matcher = matcher.called(called);
    }
    let outcome = call.scoped(|call| matcher.test_written(call, list));
    Ok(matches!(outcome?, ListOutcome::Matched(_)))
}

/// The host whose addresses are looked at: its name is known.
struct Target<'n>(&'n [u8]);

impl HostNames for Target<'_> {
    fn names(&mut self, _call: &mut Call<'_>) -> Result<Known<Vec<Str>>, Fail> {
        Ok(Known::Found(vec![Str::tainted(self.0)]))
    }

    fn addresses(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail> {
        crate::hosts::addresses(call, name)
    }
}
