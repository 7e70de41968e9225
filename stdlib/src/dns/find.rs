//! The hosts that take mail for a domain, or that a name stands for, as routers
//! find them (specification 17, 20.6 and 20.7).
//!
//! [`by_dns`] asks for SRV, MX and address records, [`by_name`] finds a host as
//! the system does. What a router does about it (decline, defer, its option
//! `self`) is its own affair; [`HostsFound::message`] has the words.

mod addresses;
mod chain;
mod domain;
mod name;
mod records;
mod search;
mod system;

use std::net::IpAddr;
use std::sync::Arc;

use eximious_core::trace::{Happening, HostEvent, ListEvent, TraceKinds};
use eximious_core::world::Random;
use eximious_core::{Call, DriverOpt, Effects, Fail, LogSelector, Meta, Str, TaintRule};

use super::local::{self, LocalAddresses};
use super::{DnsFound, DnsReply, How, Patience, kind};
use crate::lists::{ListOutcome, Matcher};
use crate::options::opt;
use crate::options::opt::router::{self, dnslookup};
use crate::variables::var;

pub use domain::{DomainHosts, DomainSearch, for_domain};
pub use name::by_name;
pub use search::{DnsSearch, SearchList};
pub(crate) use system::SystemName;

use addresses::{Answered, Seeker};
use records::Target;

/// How many hosts, each with an address, a search may find.
const MOST_HOSTS: usize = 1024;

static RANDOM: Meta = Meta::new("host lookup", Effects::RANDOM, TaintRule::Result);
static LOG: Meta = Meta::new("host lookup", Effects::LOG, TaintRule::Result);

/// An address of a host. A host with several addresses is there several times;
/// one without addresses is there once, without one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouteHost {
    /// The name: that of the record, or what it is an alias for. It is empty
    /// where a record says that there is no host.
    pub name: String,
    /// The name before aliases, which a certificate may be for.
    pub certificate_name: String,
    /// The address; `None` where the host can't be used.
    pub address: Option<IpAddr>,
    /// The preference of the MX record, or the priority of the SRV record.
    pub mx: Option<u16>,
    /// The port that the SRV record names, or the list of hosts.
    pub port: Option<u32>,
    /// Whether all that led to the address is signed; `None` where that was not
    /// asked, or nothing is known of it.
    pub dnssec: Option<bool>,
}

impl RouteHost {
    /// What `$host_port` is before the host is asked: the port, or -1 where nothing names one.
    pub fn shown_port(&self) -> String {
        self.port.map_or_else(|| "-1".to_owned(), |port| port.to_string())
    }
}

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// There are hosts, at least one of which has an address.
    Found,
    /// There are, and the first one in preference is this host: the option
    /// `self` decides.
    Local,
    /// There are none, or none with an address.
    Missing,
    /// It can't be said now whether there are any.
    Later,
    /// There are some, but the answers are not signed, as they have to be.
    Insecure,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostsFound {
    /// How the search ended.
    pub ending: Ending,
    /// The hosts in the order in which they are tried. Where the search did not
    /// end well, those that records name, without addresses.
    pub hosts: Vec<RouteHost>,
    /// The name in full, as the server knows it: what a router takes for the
    /// domain from then on, where it is another one (`one` became
    /// `one.example`).
    pub qualified: Option<String>,
    /// This host was among them, and was removed with those behind it:
    /// `check_secondary_mx` asks for that.
    pub removed_self: bool,
    /// What the records say, where there is no host to be had.
    pub reason: Option<Reason>,
    /// A name has a form that no host's name has (`syntax error in name`, as
    /// `manualroute` says).
    pub malformed: bool,
}

/// Why a domain has no hosts, where that is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// The first record has no host: `MX 0 .` (RFC 7505), `SRV 0 0 0 .`.
    NoService,
    /// No host that an MX or SRV record names has an address that counts.
    NoAddresses,
    /// As before, and the first record names an address, which it must not do.
    AddressesAsNames,
    /// The domain has a form that no domain has.
    Malformed,
}

impl HostsFound {
    pub(super) fn none(ending: Ending) -> Self {
        Self {
            ending,
            hosts: Vec::new(),
            qualified: None,
            removed_self: false,
            reason: None,
            malformed: false,
        }
    }

    /// What a sender is told where the domain's owner made a common mistake.
    pub fn advice(&self, domain: &[u8]) -> Option<Vec<u8>> {
        if self.reason != Some(Reason::AddressesAsNames) {
            return None;
        }
        let lines = [
            b"It appears that the DNS operator for ".as_slice(),
            domain,
            b"\nhas installed an invalid MX record with an IP address\n\
              instead of a domain name on the right hand side.",
        ];
        Some(lines.concat())
    }

    /// Exim's words for what the `dnslookup` router says of a domain where the
    /// search did not find hosts that can be used. Where a domain is just not
    /// there, Exim says nothing of its own (`Unrouteable address`).
    pub fn message(&self, domain: &[u8]) -> Option<Vec<u8>> {
        let fixed: &[u8] = match self.ending {
            Ending::Found => return None,
            Ending::Local if self.hosts.first().is_some_and(|host| host.mx.is_some()) => {
                b"lowest numbered MX record points to local host"
            }
            Ending::Local => b"remote host address is the local host",
            Ending::Later => b"host lookup did not complete",
            Ending::Insecure => b"host lookup done insecurely",
            Ending::Missing => match self.reason? {
                Reason::NoService => b"an MX or SRV record indicated no SMTP service",
                Reason::NoAddresses => b"all relevant MX records point to non-existent hosts",
                Reason::AddressesAsNames => {
                    b"all relevant MX records point to non-existent hosts or (invalidly) to IP \
                      addresses"
                }
                Reason::Malformed => {
                    let parts = [b"mail domain \"", domain, b"\" is syntactically invalid"];
                    return Some(parts.concat());
                }
            },
        };
        Some(fixed.to_vec())
    }
}

/// Finds hosts in the DNS: the first of SRV, MX and address records that there
/// are, as far as they are wanted.
///
/// # Errors
/// Where the policy forbids it, or a list can't be read. That there is no
/// answer is no error.
pub fn by_dns(call: &mut Call<'_>, name: &[u8], search: &DnsSearch) -> Result<HostsFound, Fail> {
    let depth = search.told.unwrap_or_default();
    call.trace().depth += depth;
    let found = search_for(call, name, search);
    call.trace().leave(depth);
    // Whoever asks afterwards hears of the last search.
    let said = found.as_ref().map_or("", |found| chain::genuine(&found.hosts));
    call.set_var(var::LOOKUP_DNSSEC_AUTHENTICATED, Str::fixed(said));
    found
}

fn search_for(call: &mut Call<'_>, name: &[u8], search: &DnsSearch) -> Result<HostsFound, Fail> {
    let (require, request) = signed(call, name, search)?;
    let patience = Patience::new(call);
    let mut finder =
        Finder { search, name, require, request, improper: false, local: None, patience };
    for service in &search.services {
        if let Some(found) = finder.services(call, service)? {
            return Ok(found);
        }
    }
    if search.mx
        && let Some(found) = finder.exchangers(call)?
    {
        return Ok(found);
    }
    if search.addresses { finder.itself(call) } else { Ok(HostsFound::none(Ending::Missing)) }
}

/// A search that is under way.
struct Finder<'s> {
    search: &'s DnsSearch,
    name: &'s [u8],
    require: bool,
    request: bool,
    /// A name that was asked for services did not fit `dns_check_names_pattern`.
    improper: bool,
    /// Known once a host has an address.
    local: Option<LocalAddresses>,
    patience: Patience,
}

impl Finder<'_> {
    fn how(&self) -> How {
        How {
            dnssec: self.request,
            qualify_single: self.search.qualify_single,
            search_parents: self.search.search_parents,
            of_host: true,
            ..How::default()
        }
    }

    /// The hosts of SRV records; `None` where there are none.
    fn services(&mut self, call: &mut Call<'_>, service: &Str) -> Result<Option<HostsFound>, Fail> {
        let lenient = (dnslookup::SRV_FAIL_DOMAINS, self.search.srv_fail_domains.as_ref());
        let prefix = [b"_", service.bytes(), b"._tcp."].concat();
        let asked = [&prefix[..], self.name].concat();
        let reply = super::query(call, &asked, kind::SRV, &self.how())?;
        let missing = reply.found == DnsFound::NoName;
        self.improper |= missing && !super::is_proper(call, &asked, kind::SRV)?;
        let records = match &reply.found {
            DnsFound::Records { records, .. } => &records[..],
            DnsFound::Broken => &[],
            DnsFound::NoName | DnsFound::NoData => return Ok(None),
            DnsFound::Later => return self.failing(call, Ending::Later, lenient),
        };
        if self.require && !reply.secure {
            self.log_insecure(call);
            // It is as if there were no answer.
            return self.failing(call, Ending::Later, lenient);
        }
        if reply.found == DnsFound::Broken {
            return Ok(Some(HostsFound::none(Ending::Missing)));
        }
        let mut targets: Vec<Target> = records.iter().filter_map(Target::srv).collect();
        if matches!(&targets[..], [only] if only.name.is_empty()) {
            return Ok(Some(self.no_service(&reply, &prefix)));
        }
        records::arrange_services(&mut targets, &*random(call));
        self.hosts(call, &targets, &reply, &prefix).map(Some)
    }

    /// The hosts of MX records; `None` where there are none.
    fn exchangers(&mut self, call: &mut Call<'_>) -> Result<Option<HostsFound>, Fail> {
        let lenient = (dnslookup::MX_FAIL_DOMAINS, self.search.mx_fail_domains.as_ref());
        let reply = super::query(call, self.name, kind::MX, &self.how())?;
        let records = match &reply.found {
            DnsFound::Records { records, .. } => &records[..],
            DnsFound::Broken => &[],
            DnsFound::NoData => return Ok(None),
            DnsFound::NoName => return self.nothing(call).map(Some),
            DnsFound::Later => return self.failing(call, Ending::Later, lenient),
        };
        if self.require && !reply.secure {
            return self.failing(call, Ending::Insecure, lenient);
        }
        if reply.found == DnsFound::Broken {
            return Ok(Some(HostsFound::none(Ending::Missing)));
        }
        let mut targets: Vec<Target> = records.iter().filter_map(Target::mx).collect();
        if matches!(&targets[..], [only] if only.name.is_empty()) {
            return Ok(Some(self.no_service(&reply, b"")));
        }
        records::arrange_exchangers(&mut targets, &*random(call));
        self.hosts(call, &targets, &reply, b"").map(Some)
    }

    /// There is no answer that counts: for some domains that means that there
    /// are no records.
    fn failing(
        &self,
        call: &mut Call<'_>,
        ending: Ending,
        (option, list): (DriverOpt<Str>, Option<&SearchList>),
    ) -> Result<Option<HostsFound>, Fail> {
        if list.is_none() {
            let unset = ListEvent::Unset { subject: self.name, option: None };
            call.trace().tell(Happening::List(unset));
        }
        let none = listed(call, Some(option.name()), list, self.name)?;
        Ok((!none).then(|| HostsFound::none(ending)))
    }

    /// The domain is not there, or can't be.
    fn nothing(&self, call: &mut Call<'_>) -> Result<HostsFound, Fail> {
        let malformed = self.improper || !super::is_proper(call, self.name, kind::MX)?;
        let reason = malformed.then_some(Reason::Malformed);
        Ok(HostsFound { malformed, reason, ..HostsFound::none(Ending::Missing) })
    }

    /// The one record names no host.
    fn no_service(&self, reply: &DnsReply, prefix: &[u8]) -> HostsFound {
        HostsFound {
            qualified: qualified(reply, prefix),
            reason: Some(Reason::NoService),
            malformed: true,
            hosts: vec![RouteHost::default()],
            ..HostsFound::none(Ending::Missing)
        }
    }

    /// Looks for the addresses of hosts that records name.
    fn hosts(
        &mut self,
        call: &mut Call<'_>,
        targets: &[Target],
        reply: &DnsReply,
        prefix: &[u8],
    ) -> Result<HostsFound, Fail> {
        // Names in records are complete.
        let how = How { dnssec: self.request, of_host: true, ..How::default() };
        // What there was for the last of those without addresses.
        let mut ending = Ending::Missing;
        let (mut hosts, mut left) = (Vec::new(), targets.len());
        let mut malformed = false;
        for target in targets {
            let mut seeker = Seeker::new(self.search, self.require, &how);
            seeker.vouched = self.request.then_some(reply.secure);
            let answered = match self.patience.is_over(call) {
                true => Answered::Later,
                false => seeker.target(call, &target.name)?,
            };
            malformed |= seeker.malformed;
            match answered {
                Answered::Found => {}
                // It is as if there were no such record, unless there is no other.
                Answered::Ignored if left > 1 => {
                    left -= 1;
                    continue;
                }
                Answered::Ignored | Answered::Missing => {}
                Answered::Later => ending = Ending::Later,
                Answered::Insecure => ending = Ending::Insecure,
            }
            let mut own = seeker.hosts(call, &target.name);
            for host in &mut own {
                (host.mx, host.port) = (Some(target.preference), target.port.map(u32::from));
            }
            hosts.extend(own);
            if hosts.len() >= MOST_HOSTS {
                hosts.truncate(MOST_HOSTS);
                break;
            }
        }
        chain::without_twins(&mut hosts);
        if !call.settings().get(opt::DISABLE_IPV6) {
            chain::mix(&mut hosts, self.search.ipv4_prefer);
        }
        let mut found = HostsFound {
            hosts,
            qualified: qualified(reply, prefix),
            malformed,
            ..HostsFound::none(ending)
        };
        self.judge(call, &mut found)?;
        if found.ending == Ending::Missing {
            let first = found.hosts.first().map_or("", |host| &host.name);
            found.reason = Some(match crate::ip::address(first.as_bytes()) {
                _ if first.is_empty() => Reason::NoService,
                Some(_) if !mx_to_ip(call) => Reason::AddressesAsNames,
                _ => Reason::NoAddresses,
            });
        }
        Ok(found)
    }

    /// Looks for this host among those that were found. It goes, and with it all
    /// that are not more preferred. Who is before it in the list decides whether
    /// there are hosts at all, even one that goes, too.
    fn judge(&mut self, call: &mut Call<'_>, found: &mut HostsFound) -> Result<(), Fail> {
        let mut own = None;
        for host in &found.hosts {
            if self.is_local(call, host)? {
                own = Some(host.mx);
                if host.mx.is_none() {
                    call.trace().tell(Happening::Host(HostEvent::Local));
                }
                break;
            }
            if host.address.is_some() {
                found.ending = Ending::Found;
            }
        }
        let Some(own) = own else { return Ok(()) };
        if found.hosts.first().is_some_and(|first| first.mx == own) {
            if own.is_some() {
                call.trace().tell(Happening::Host(HostEvent::LocalFirst));
            }
            found.ending = Ending::Local;
        } else {
            let gone = found.hosts.iter().filter(|host| host.mx >= own);
            let gone: Vec<String> = gone.map(chain::shown).collect();
            call.trace().tell(Happening::Host(HostEvent::LocalRemoved { hosts: &gone }));
            found.hosts.retain(|host| host.mx < own);
            found.removed_self = true;
        }
        Ok(())
    }

    fn is_local(&mut self, call: &mut Call<'_>, host: &RouteHost) -> Result<bool, Fail> {
        local::is_local_by(call, host, &mut self.local)
    }

    /// Looks for addresses of the name itself.
    fn itself(&mut self, call: &mut Call<'_>) -> Result<HostsFound, Fail> {
        let how = self.how();
        let mut seeker = Seeker::new(self.search, self.require, &how);
        let answered = seeker.seek(call, self.name)?;
        let malformed = seeker.malformed;
        let ending = match answered {
            Answered::Found => Ending::Found,
            Answered::Later => Ending::Later,
            Answered::Insecure => Ending::Insecure,
            Answered::Ignored | Answered::Missing => Ending::Missing,
        };
        if ending != Ending::Found {
            let reason = (self.improper && ending == Ending::Missing).then_some(Reason::Malformed);
            return Ok(HostsFound { malformed, reason, ..HostsFound::none(ending) });
        }
        let qualified = seeker.qualified.take();
        let hosts = seeker.hosts(call, &String::from_utf8_lossy(self.name));
        let mut found = HostsFound { hosts, qualified, ..HostsFound::none(ending) };
        self.judge(call, &mut found)?;
        Ok(found)
    }

    fn log_insecure(&self, call: &mut Call<'_>) {
        let line = [b"dnssec fail on SRV for ", self.name].concat();
        let wanted = call.settings().log_selector();
        call.with_record(&LOG, |call| {
            if let Ok(log) = call.log() {
                log.by_selector(wanted, LogSelector::HOST_LOOKUP_FAILED, &line);
            }
        });
    }
}

/// The name that the records are at, without what stands before the domain. One
/// that is a wild card says nothing of the domain, nor does one of another form.
fn qualified(reply: &DnsReply, prefix: &[u8]) -> Option<String> {
    let (before, name) = reply.asked.split_at_checked(prefix.len())?;
    let fits = before.as_bytes().eq_ignore_ascii_case(prefix);
    (fits && !name.is_empty() && !name.starts_with('*')).then(|| name.to_owned())
}

/// Randomness; where the policy forbids it, any order is as good as another.
fn random(call: &mut Call<'_>) -> Arc<dyn Random> {
    let random = call.with_record(&RANDOM, |call| call.random());
    random.unwrap_or_else(|_| Arc::new(AlwaysFirst))
}

struct AlwaysFirst;

impl Random for AlwaysFirst {
    fn below(&self, _limit: u64) -> u64 {
        0
    }
}

/// Whether records may name addresses in place of hosts.
fn mx_to_ip(call: &Call<'_>) -> bool {
    call.settings().get(opt::ALLOW_MX_TO_IP)
}

/// Whether answers about a domain have to be signed, and whether that is asked for.
fn signed(call: &mut Call<'_>, domain: &[u8], search: &DnsSearch) -> Result<(bool, bool), Fail> {
    let (require, request) = (search.dnssec_require.as_ref(), search.dnssec_request.as_ref());
    if search.told.is_none() || !call.watched(TraceKinds::LIST) {
        // That is the default.
        let asked = request.is_some_and(|list| list.text.bytes() == b"*");
        let require = listed(call, None, require, domain)?;
        return Ok((require, require || asked || listed(call, None, request, domain)?));
    }
    call.trace().tell(Happening::List(ListEvent::Dnssec { list: "require" }));
    let require = listed_aloud(call, router::DNSSEC_REQUIRE_DOMAINS.name(), require, domain)?;
    call.trace().tell(Happening::List(ListEvent::Dnssec { list: "request" }));
    if require {
        return Ok((true, true));
    }
    Ok((false, listed_aloud(call, router::DNSSEC_REQUEST_DOMAINS.name(), request, domain)?))
}

/// As [`listed`]; it is told what the list is called.
fn listed_aloud(
    call: &mut Call<'_>,
    option: &'static str,
    list: Option<&SearchList>,
    domain: &[u8],
) -> Result<bool, Fail> {
    call.trace().depth += 1;
    let Some(list) = list else {
        let unset = ListEvent::Unset { subject: domain, option: Some(option) };
        call.trace().tell(Happening::List(unset));
        call.trace().leave(1);
        return Ok(false);
    };
    let domain = Str::tainted(domain);
    let outcome = list.test(call, &mut Matcher::domain(&domain).called(option));
    call.trace().leave(1);
    Ok(matches!(outcome?, ListOutcome::Matched(_)))
}

/// Whether a domain is in a list, which may be told by its option's name; one that can't be
/// looked at now has nobody.
fn listed(
    call: &mut Call<'_>,
    option: Option<&'static str>,
    list: Option<&SearchList>,
    domain: &[u8],
) -> Result<bool, Fail> {
    let Some(list) = list else { return Ok(false) };
    let domain = Str::tainted(domain);
    let mut matcher = Matcher::domain(&domain);
    if let Some(option) = option {
        matcher = matcher.called(option);
    }
    Ok(matches!(list.test(call, &mut matcher)?, ListOutcome::Matched(_)))
}
