//! The addresses of one host.

use std::net::IpAddr;

use eximious_core::world::DnsRecord;
use eximious_core::{Call, Fail, Str};

use super::{RANDOM, RouteHost, Search, chain, mx_to_ip, qualified, records};
use crate::dns::{self, Found, How, kind};
use crate::lists::{HostNames, Known, Matcher, Outcome};

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
    search: &'s Search,
    how: &'s How,
    require: bool,
    /// Whether what is known so far is signed; `None`, where nothing is known.
    pub(super) vouched: Option<bool>,
    /// The name as the server knows it.
    pub(super) qualified: Option<String>,
    /// Nothing was asked: no host has such a name.
    pub(super) malformed: bool,
    /// What the name is an alias for.
    alias: Option<String>,
    addresses: Vec<IpAddr>,
    ignored: bool,
}

impl<'s> Seeker<'s> {
    pub(super) fn new(search: &'s Search, require: bool, how: &'s How) -> Self {
        Self {
            search,
            how,
            require,
            vouched: None,
            qualified: None,
            malformed: false,
            alias: None,
            addresses: Vec::new(),
            ignored: false,
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
        Ok(if self.ignored { Answered::Ignored } else { Answered::Found })
    }

    /// Asks for IPv6 and IPv4 addresses.
    pub(super) fn seek(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Answered, Fail> {
        let (mut later, mut insecure) = (false, false);
        let kinds = match self.search.ipv4_only {
            true => vec![kind::A],
            false => dns::kinds(call, name)?,
        };
        self.malformed = !dns::is_proper(call, name, kind::A)?;
        for kind in kinds {
            let reply = dns::query(call, name, kind, self.how)?;
            later |= reply.found == Found::Later;
            let Found::Records { name: target, records } = &reply.found else { continue };
            if reply.secure && self.how.dnssec {
                self.vouched.get_or_insert(true);
            } else if self.require {
                insecure = true;
                continue;
            } else if self.vouched == Some(true) {
                self.vouched = Some(false);
            }
            self.qualified = qualified(&reply, 0).or(self.qualified.take());
            self.alias = Some(target.clone());
            for address in records.iter().filter_map(DnsRecord::address).take(MOST_ADDRESSES) {
                self.add(call, target.as_bytes(), address)?;
            }
            // What is there and does not count outweighs what there was no answer for.
            later &= !(self.ignored && self.addresses.is_empty());
        }
        Ok(match (self.addresses.is_empty(), later) {
            (false, _) => Answered::Found,
            (true, true) => Answered::Later,
            (true, false) if insecure => Answered::Insecure,
            (true, false) if self.ignored => Answered::Ignored,
            (true, false) => Answered::Missing,
        })
    }

    fn add(&mut self, call: &mut Call<'_>, name: &[u8], address: IpAddr) -> Result<(), Fail> {
        match is_ignored(call, self.search.ignore.as_ref(), name, address)? {
            true => self.ignored = true,
            false => self.addresses.push(address),
        }
        Ok(())
    }

    /// What was found: an entry for each address, those of a kind in any order.
    pub(super) fn hosts(self, call: &mut Call<'_>, name: &str) -> Result<Vec<RouteHost>, Fail> {
        let given = name.strip_suffix('.').unwrap_or(name);
        let host = RouteHost {
            // An alias counts, another way of writing the same does not.
            name: self.alias.filter(|n| !n.eq_ignore_ascii_case(given)).unwrap_or(given.into()),
            certificate_name: given.to_owned(),
            dnssec: self.vouched,
            ..RouteHost::default()
        };
        let mut addresses = self.addresses;
        if addresses.is_empty() {
            return Ok(vec![host]);
        }
        let random = call.with_record(&RANDOM, |call| call.random())?;
        records::shuffle(&mut addresses, &*random);
        chain::by_kind(&mut addresses, self.search.ipv4_prefer);
        Ok(addresses
            .into_iter()
            .map(|address| RouteHost { address: Some(address), ..host.clone() })
            .collect())
    }
}

/// Whether an address is one of those that are as good as not there. A list
/// that can't be looked at now has none of them.
pub(super) fn is_ignored(
    call: &mut Call<'_>,
    list: Option<&Str>,
    name: &[u8],
    address: IpAddr,
) -> Result<bool, Fail> {
    let Some(list) = list else { return Ok(false) };
    let text = Str::from(address.to_string());
    let before = call.variable("host_address").unwrap_or_default();
    call.set_variable("host_address", text.clone());
    let mut names = Target(name);
    let outcome = call
        .scoped(|call| Matcher::host(Some((text, address)), &mut names).test_written(call, list));
    call.set_variable("host_address", before);
    Ok(matches!(outcome?, Outcome::Matched(_)))
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
