//! Questions to the DNS, asked and read as the options `dns_*` want it
//! (specification 14). Lookups, lists, names of hosts, routers and ACLs ask
//! through here.

mod ahead;
mod data;
pub mod find;
mod listed;
pub mod local;
mod source;

use std::net::IpAddr;
use std::time::Duration;

use eximious_core::trace::{DnsEvent, DnsOutcome, Happening, TraceKinds};
use eximious_core::world::{DnsAnswer, DnsError, DnsOptions, DnsRecord, DnsStanding};
use eximious_core::{Call, Effects, Fail, Meta, Str, TaintRule};
use rustc_hash::FxHashMap;

use crate::options::opt;
use crate::{event, idn, pattern};

use ahead::Ahead;
pub(crate) use ahead::{ask_ahead, forget_ahead};
pub use ahead::{foresee, forget_foreseen};
use listed::listed_as;
pub(crate) use listed::{listed, means_nonexist, show_unset};

pub use data::{host, mx, soa, srv, strings, tlsa};
pub(crate) use eximious_core::world::DnsRecord as Record;
pub use source::AuthDns;

/// Numbers of types.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A name server.
    pub const NS: u16 = 2;
    /// Another name.
    pub const CNAME: u16 = 5;
    /// The head of a zone.
    pub const SOA: u16 = 6;
    /// A name for an address.
    pub const PTR: u16 = 12;
    /// A mail server.
    pub const MX: u16 = 15;
    /// Text.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A server of a service.
    pub const SRV: u16 = 33;
    /// A certificate of a server.
    pub const TLSA: u16 = 52;
    /// The policy of senders, as it was once published.
    pub const SPF: u16 = 99;

    /// What a type is called.
    pub(super) fn name(kind: u16) -> &'static str {
        match kind {
            A => "A",
            NS => "NS",
            CNAME => "CNAME",
            SOA => "SOA",
            PTR => "PTR",
            MX => "MX",
            TXT => "TXT",
            AAAA => "AAAA",
            SRV => "SRV",
            TLSA => "TLSA",
            SPF => "SPF",
            _ => "unknown",
        }
    }
}

/// How many aliases are followed at the most, whatever `dns_cname_loops` says.
const MOST_ALIASES: i64 = 100;
/// The longest text that is looked at as a name: each byte takes four at the
/// most. What is longer is no name, for which there never is an answer.
const LONGEST_NAME: usize = 1024;
/// The longest part of one.
const LONGEST_LABEL: usize = 63;
/// How long it is remembered that nothing was found, in seconds.
const REMEMBERED: i64 = 60;
/// How many such questions are remembered.
const MOST_REMEMBERED: usize = 500;

/// How a question is asked, apart from what options say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct How {
    /// Whether to ask for signed answers, unless `dns_dnssec_ok` forbids it.
    pub dnssec: bool,
    /// How long to wait, where that is not what `dns_retrans` says.
    pub retransmit: Option<Duration>,
    /// How often to ask, where that is not what `dns_retry` says.
    pub retries: Option<u32>,
    /// Whether a name without a dot is completed by the system's own domain.
    pub qualify_single: bool,
    /// Whether names are completed by the system's search list.
    pub search_parents: bool,
    /// Whether it is the system's own library that asks, in Exim: what it does
    /// not find is no event.
    pub by_system: bool,
    /// Whether it is about a host, of which it is told where an answer takes its time
    /// (`slow_lookup_log`).
    pub of_host: bool,
    /// Whether one answer is all: where an alias leads that is not in it is not looked for.
    pub once: bool,
}

/// What came of a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsReply {
    /// What was found.
    pub found: DnsFound,
    /// Whether the answer is known to be genuine: the server has checked
    /// signatures, or has authority over a zone in `dns_trust_aa`; for an answer
    /// without records, the latter.
    pub secure: bool,
    /// The name that was asked for, as the server writes it: completed, where
    /// that was wanted. Empty, where it has neither such records nor aliases.
    pub asked: String,
    /// What the name is an alias for, where there was nothing to be found.
    pub alias: Option<String>,
    /// How long it is known that nothing is there, in seconds.
    pub fruitless_for: Option<u32>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsFound {
    /// Records of the type that was asked for, at least one.
    Records {
        /// The name that has them: that of the question, or what it is an
        /// alias for.
        name: String,
        /// The records.
        records: Vec<DnsRecord>,
    },
    /// There is no such name.
    NoName,
    /// There is the name, without such records.
    NoData,
    /// There is nothing to be found: aliases without an end.
    Broken,
    /// There is no answer now.
    Later,
}

impl DnsReply {
    /// An answer without a name, which nobody vouches for.
    pub(crate) const fn insecure(found: DnsFound) -> Self {
        Self { found, secure: false, asked: String::new(), alias: None, fruitless_for: None }
    }

    /// The records, where there are any.
    pub fn records(&self) -> &[DnsRecord] {
        match &self.found {
            DnsFound::Records { records, .. } => records,
            _ => &[],
        }
    }

    /// How long the records may be kept, in seconds; nothing else is kept.
    pub fn lifetime(&self) -> u32 {
        self.records().iter().map(|record| record.ttl).min().unwrap_or(0)
    }
}

/// What a context knows of earlier questions.
#[derive(Default)]
struct Memory {
    /// `dns_again_means_nonexist` or `dns_trust_aa` is being looked at; it may
    /// ask questions itself.
    judging: bool,
    /// Questions that nothing was found for, and until when that is known.
    fruitless: FxHashMap<Slot, (DnsReply, i64)>,
    /// What was asked before it is wanted.
    ahead: Ahead,
    /// A name, and whether it fits `dns_check_names_pattern`: of one name several
    /// things are asked.
    checked: Option<(String, bool)>,
}

/// A name, a type, and how it is asked: whether the name may be completed, whether by the system,
/// and for signed answers.
type Slot = (Vec<u8>, u16, [bool; 3]);

static DNS: Meta = Meta::new("dns", Effects::DNS, TaintRule::Tainted);
static LOG: Meta = Meta::new("dns", Effects::LOG, TaintRule::Result);
static CLOCK: Meta = Meta::new("dns", Effects::CLOCK, TaintRule::Result);

/// Asks for the records of a type at a name.
///
/// # Errors
/// Where the policy forbids it, or an option can't be read. That there is no
/// answer is no error.
pub fn query(call: &mut Call<'_>, name: &[u8], kind: u16, how: &How) -> Result<DnsReply, Fail> {
    let reply = ask(call, name, kind, how)?;
    let failure = match &reply.found {
        DnsFound::Records { .. } => return Ok(reply),
        DnsFound::NoName => "DNS_NOMATCH",
        DnsFound::NoData => "DNS_NODATA",
        DnsFound::Broken => "cname_loop",
        DnsFound::Later => "DNS_AGAIN",
    };
    if !how.by_system && event::action(call).is_some() {
        let name = reply.alias.as_ref().map_or(name, |alias| alias.as_bytes());
        let data = [failure.as_bytes(), b":", name, b":", kind::name(kind).as_bytes()].concat();
        event::raise(call, "dns:fail", Str::tainted(data));
    }
    Ok(reply)
}

/// As [`query`], without an event.
fn ask(call: &mut Call<'_>, name: &[u8], kind: u16, how: &How) -> Result<DnsReply, Fail> {
    if name.len() > LONGEST_NAME {
        return Ok(DnsReply::insecure(DnsFound::Later));
    }
    let Some(name) = ascii(name) else { return Ok(DnsReply::insecure(DnsFound::NoName)) };
    let completed = how.qualify_single || how.search_parents;
    let slot =
        (name.to_ascii_lowercase().into_bytes(), kind, [completed, how.by_system, how.dnssec]);
    let (reply, fresh) = match remembered(call, &slot) {
        Some(reply) => (reply, false),
        // What was asked before was a name.
        None if !(how.by_system || proper(call, &name, kind)?) || is_address(&name, kind) => {
            return Ok(DnsReply::insecure(DnsFound::NoName));
        }
        // The question can't be put, whatever that means for others.
        None if name.is_empty() || name.split('.').any(|label| label.len() > LONGEST_LABEL) => {
            return Ok(DnsReply::insecure(DnsFound::Later));
        }
        None => {
            let begin = DnsEvent::Begin { name: &name, kind: kind::name(kind) };
            let outer = call.trace().begin(Happening::Dns(begin));
            let reply = resolve(call, &name, kind, how);
            call.trace().end(outer);
            let reply = reply?;
            // One answer alone does not say what is at the end of aliases.
            if !how.once {
                remember(call, slot.clone(), &reply);
            }
            (reply, true)
        }
    };
    tell_answer(call, &name, kind, &reply, !fresh);
    if reply.found == DnsFound::Later {
        if fresh && !how.by_system {
            show_unset(call, name.as_bytes());
        }
        // Who looks at TLSA records must know that they could not be had, and of what the system
        // says is judged once it has said it all. What was made of an answer is known as long as
        // the answer.
        let is_judged = fresh && !how.by_system && kind != kind::TLSA;
        if is_judged && means_nonexist(call, name.as_bytes())? {
            let none = DnsReply::insecure(DnsFound::NoName);
            remember(call, slot, &none);
            return Ok(none);
        }
    }
    Ok(reply)
}

fn tell_answer(call: &mut Call<'_>, name: &str, kind: u16, reply: &DnsReply, cached: bool) {
    if !call.watched(TraceKinds::DNS) {
        return;
    }
    let (answer, records) = match &reply.found {
        DnsFound::Records { records, .. } => (DnsOutcome::Found, &records[..]),
        DnsFound::NoName => (DnsOutcome::NoName, &[][..]),
        DnsFound::NoData => (DnsOutcome::NoData, &[][..]),
        DnsFound::Later => (DnsOutcome::Later, &[][..]),
        DnsFound::Broken => (DnsOutcome::Never, &[][..]),
    };
    let kind = kind::name(kind);
    call.trace().tell(Happening::Dns(DnsEvent::End { name, kind, answer, records, cached }));
}

/// The addresses of a host. IPv6 comes first, and is left out for names in
/// `dns_ipv4_lookup`.
///
/// # Errors
/// As [`query`].
pub fn addresses(call: &mut Call<'_>, name: &[u8], how: &How) -> Result<Hosted, Fail> {
    addresses_beside(call, &[], name, how)
}

/// As [`addresses`], where some are known already; nothing is asked for more of
/// their kind.
///
/// # Errors
/// As [`query`].
pub fn addresses_beside(
    call: &mut Call<'_>,
    known: &[IpAddr],
    name: &[u8],
    how: &How,
) -> Result<Hosted, Fail> {
    let mut hosted = Hosted { name: None, addresses: Vec::new(), secure: true, later: false };
    for kind in kinds(call, name)? {
        let v6 = kind == kind::AAAA;
        let own = known.iter().filter(|address| address.is_ipv6() == v6);
        let before = hosted.addresses.len();
        hosted.addresses.extend(own);
        if hosted.addresses.len() > before {
            hosted.secure = false;
            continue;
        }
        let reply = query(call, name, kind, how)?;
        hosted.later |= match reply.found {
            DnsFound::Later => true,
            // The system knows no other word for it.
            DnsFound::Broken => how.by_system,
            // Nor can it make sense of aliases that lead to nothing.
            DnsFound::NoData => how.by_system && !reply.asked.is_empty(),
            _ => false,
        };
        if let DnsFound::Records { name, records } = &reply.found {
            hosted.name = Some(name.clone());
            hosted.secure &= reply.secure;
            hosted.addresses.extend(records.iter().filter_map(DnsRecord::address));
        }
    }
    hosted.later &= hosted.addresses.is_empty();
    hosted.secure &= !hosted.addresses.is_empty();
    Ok(hosted)
}

/// The addresses of a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosted {
    /// What the name is completed to, or an alias for, where the DNS was asked.
    pub name: Option<String>,
    /// The addresses, perhaps none.
    pub addresses: Vec<IpAddr>,
    /// Whether they are known to be genuine.
    pub secure: bool,
    /// Whether it can't be said now whether there are any.
    pub later: bool,
}

/// The types of records to ask for a host's addresses.
pub(crate) fn kinds(call: &mut Call<'_>, name: &[u8]) -> Result<Vec<u16>, Fail> {
    let without = call.settings().get(opt::DISABLE_IPV6)
        || listed(call, opt::DNS_IPV4_LOOKUP, &String::from_utf8_lossy(name))?;
    Ok(if without { vec![kind::A] } else { vec![kind::AAAA, kind::A] })
}

/// The name under which the DNS knows an address. Lists of names see it as Exim has it: that
/// of version 6 ends in a dot.
pub fn reverse(address: IpAddr) -> String {
    let zone = if address.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa." };
    format!("{}.{zone}", crate::ip::reversed(address))
}

/// A name in ASCII; `None` where it can't be one.
fn ascii(name: &[u8]) -> Option<String> {
    let name = if name.is_ascii() { name.to_vec() } else { idn::domain_to_alabel(name).ok()? };
    String::from_utf8(name).ok()
}

/// Whether a name has the form that owners of such records have.
pub(crate) fn is_proper(call: &mut Call<'_>, name: &[u8], kind: u16) -> Result<bool, Fail> {
    match ascii(name) {
        Some(name) => proper(call, &name, kind),
        None => Ok(false),
    }
}

/// Whether a name is an address, and one is asked for.
fn is_address(name: &str, kind: u16) -> bool {
    matches!(kind, kind::A | kind::AAAA) && name.parse::<IpAddr>().is_ok()
}

/// Whether a name is worth a question: it fits `dns_check_names_pattern`, and
/// is no address where one is asked for.
fn proper(call: &mut Call<'_>, name: &str, kind: u16) -> Result<bool, Fail> {
    if is_address(name, kind) {
        return Ok(false);
    }
    if matches!(kind, kind::PTR | kind::TXT) {
        return Ok(true);
    }
    let pattern = call.settings().get(opt::DNS_CHECK_NAMES_PATTERN);
    if pattern.is_empty() {
        return Ok(true);
    }
    if let Some((last, fits)) = &call.memory::<Memory>().checked
        && last == name
    {
        return Ok(*fits);
    }
    let fits = pattern::compile(call, pattern.bytes(), false)?.is_match(name.as_bytes());
    call.memory::<Memory>().checked = Some((name.to_owned(), fits));
    Ok(fits)
}

/// Asks, and follows aliases as often as `dns_cname_loops` says.
fn resolve(call: &mut Call<'_>, name: &str, kind: u16, how: &How) -> Result<DnsReply, Fail> {
    // Below zero, nothing is asked; the system goes by its own number.
    let least = if how.by_system { 0 } else { -1 };
    let aliases = match how.once {
        true => 0,
        false => call.settings().get(opt::DNS_CNAME_LOOPS).clamp(least, MOST_ALIASES),
    };
    let options = options(call, how);
    let dns = call.with_record(&DNS, |call| call.dns())?;
    let (mut asked, mut secure) = (name.to_owned(), true);
    let mut first = None;
    // What was asked ahead was asked so.
    let is_usual = How { of_host: false, once: false, ..*how } == How::default();
    for _ in 0..=aliases {
        let answer = match call.memory::<Memory>().ahead.take(&asked, kind, is_usual) {
            Some(answer) => answer,
            None => {
                let what = match kind {
                    kind::A | kind::AAAA if how.by_system => Some("gethostbyname"),
                    _ => how.of_host.then(|| kind::name(kind)),
                };
                timed(call, what, &asked, |_| dns.query(&asked, kind, &options))
            }
        };
        let (standing, empty) = match &answer {
            Ok(answer) => (&answer.standing, false),
            Err(DnsError::NoName(standing) | DnsError::NoData(standing)) => (standing, true),
            Err(DnsError::Again(_)) => return Ok(DnsReply::insecure(DnsFound::Later)),
        };
        let fruitless_for = standing.fruitless_for;
        // The server's word on signatures does not count for what is not there.
        secure &= (standing.authentic && !empty) || trusted(call, standing)?;
        let found = match answer {
            Err(DnsError::NoData(_)) => DnsFound::NoData,
            _ if empty => DnsFound::NoName,
            Err(_) => DnsFound::Later,
            Ok(answer) => {
                let own = first.get_or_insert_with(|| owner(&answer)).clone();
                match sort(answer, kind) {
                    Sorted::Done(found @ DnsFound::Records { .. }) => {
                        let reply = DnsReply { asked: own, secure, ..DnsReply::insecure(found) };
                        return Ok(reply);
                    }
                    Sorted::Done(found) => found,
                    Sorted::Alias(alias) => {
                        asked = alias;
                        continue;
                    }
                }
            }
        };
        let alias = (asked != name).then_some(asked);
        let asked = first.unwrap_or_default();
        return Ok(DnsReply { found, secure, asked, alias, fruitless_for });
    }
    if how.once {
        return Ok(DnsReply::insecure(DnsFound::NoData));
    }
    // The system, where it is asked, says nothing of it.
    if !how.by_system {
        log(call, &format!("CNAME loop for {name} encountered"));
    }
    // Who was not asked may answer another time.
    let found = if aliases < 0 { DnsFound::Later } else { DnsFound::Broken };
    Ok(DnsReply::insecure(found))
}

/// Asks, and logs that the answer took its time (`slow_lookup_log`), where it is said what
/// was asked for.
pub(crate) fn timed<T>(
    call: &mut Call<'_>,
    what: Option<&str>,
    name: &str,
    ask: impl FnOnce(&mut Call<'_>) -> T,
) -> T {
    let most = u128::try_from(call.settings().get(opt::SLOW_LOOKUP_LOG)).unwrap_or(0);
    let clock = call.with_record(&CLOCK, |call| call.clock()).ok().filter(|_| most > 0);
    let (Some(what), Some(clock)) = (what, clock) else { return ask(call) };
    let before = clock.elapsed();
    let answer = ask(call);
    let took = (clock.elapsed() - before).as_millis();
    if took > most {
        log(call, &format!("Long {what} lookup for '{name}': {took} msec"));
    }
    answer
}

fn log(call: &mut Call<'_>, line: &str) {
    call.with_record(&LOG, |call| {
        if let Ok(log) = call.log() {
            log.main(line.as_bytes());
        }
    });
}

/// The name that an answer is for, as the server writes it: of several aliases
/// in a row the last, as Exim has it.
fn owner(answer: &DnsAnswer) -> String {
    let named = |name: &str, alias: bool| {
        let mut records = answer.records.iter();
        records.find(|r| (!alias || r.kind == kind::CNAME) && r.name.eq_ignore_ascii_case(name))
    };
    let mut own = named(&answer.name, false);
    for _ in 0..MOST_ALIASES {
        let target = own.filter(|record| record.kind == kind::CNAME).and_then(host);
        let Some(next) = target.and_then(|target| named(&target, true)) else { break };
        own = Some(next);
    }
    own.map_or_else(|| answer.name.clone(), |record| record.name.clone())
}

enum Sorted {
    Done(DnsFound),
    /// There are only aliases; this is the last one.
    Alias(String),
}

/// Picks the records of the type that was asked for, or the end of the aliases.
fn sort(answer: DnsAnswer, kind: u16) -> Sorted {
    let DnsAnswer { mut name, records, .. } = answer;
    let (wanted, others): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.kind == kind);
    let mut alias = None;
    let mut aliases: Vec<_> = others.into_iter().filter(|r| r.kind == kind::CNAME).collect();
    for _ in 0..MOST_ALIASES {
        let named = |r: &DnsRecord| r.name.eq_ignore_ascii_case(&name);
        let Some(at) = aliases.iter().position(named) else { break };
        let Some(target) = host(&aliases.swap_remove(at)) else { break };
        alias = Some(target.clone());
        name = target;
    }
    match (wanted.is_empty(), alias) {
        (false, _) => Sorted::Done(DnsFound::Records { name, records: wanted }),
        (true, Some(alias)) => Sorted::Alias(alias),
        (true, None) => Sorted::Done(DnsFound::NoData),
    }
}

/// Whether an answer is of a server that is trusted with the zone.
fn trusted(call: &mut Call<'_>, standing: &DnsStanding) -> Result<bool, Fail> {
    match &standing.zone {
        Some(zone) => listed_as(call, opt::DNS_TRUST_AA, None, zone),
        None => Ok(false),
    }
}

/// What the options say of how to ask.
fn options(call: &Call<'_>, how: &How) -> DnsOptions {
    let settings = call.settings();
    let ok = settings.get(opt::DNS_DNSSEC_OK);
    let retransmit = Some(settings.get(opt::DNS_RETRANS));
    let retries = u32::try_from(settings.get(opt::DNS_RETRY)).ok();
    DnsOptions {
        retransmit: how.retransmit.or(retransmit).filter(|time| !time.is_zero()),
        retries: how.retries.or(retries).filter(|retries| *retries > 0),
        dnssec: (how.dnssec && ok != 0) || ok > 0,
        edns: settings.get(opt::DNS_USE_EDNS0) > 0,
        qualify_single: how.qualify_single,
        search_parents: how.search_parents,
    }
}

/// What came of a question a short while ago, where nothing was found.
fn remembered(call: &mut Call<'_>, slot: &Slot) -> Option<DnsReply> {
    let (reply, until) = call.memory::<Memory>().fruitless.get(slot).cloned()?;
    now(call).filter(|now| *now < until).map(|_| reply)
}

fn remember(call: &mut Call<'_>, slot: Slot, reply: &DnsReply) {
    // Aliases that lead in a circle are followed, and told of, each time.
    if matches!(reply.found, DnsFound::Records { .. } | DnsFound::Broken) {
        return;
    }
    let Some(now) = now(call) else { return };
    let fruitless = &mut call.memory::<Memory>().fruitless;
    if fruitless.len() >= MOST_REMEMBERED {
        fruitless.clear();
    }
    fruitless.insert(slot, (reply.clone(), now.saturating_add(REMEMBERED)));
}

/// The time, where the policy lets us see it.
pub(crate) fn now(call: &mut Call<'_>) -> Option<i64> {
    call.with_record(&CLOCK, |call| call.clock()).ok().map(|clock| clock.now().seconds)
}

/// How long a number of questions may take together: each has a wait of its
/// own, and who answers them may say how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(Option<i64>);

impl Patience {
    /// From now, as long as anything else outside may take.
    pub(crate) fn new(call: &mut Call<'_>) -> Self {
        let seconds = i64::try_from(call.bounds().command.as_secs()).unwrap_or(i64::MAX);
        Self(now(call).map(|now| now.saturating_add(seconds)))
    }

    /// Whether it has come to an end.
    pub(crate) fn is_over(self, call: &mut Call<'_>) -> bool {
        self.0.is_some_and(|until| now(call).is_some_and(|now| now > until))
    }
}
