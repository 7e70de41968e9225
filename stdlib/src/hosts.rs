//! Names and addresses of hosts: the client's, and those that lists name
//! (specification 10.4, 11.9, `host_lookup_order`).

mod described;
mod hello;

use std::net::IpAddr;

use eximious_core::trace::{Happening, HostEvent, ListEvent, TraceKinds};
use eximious_core::{Call, Effects, Fail, LogSelector, Meta, Str, TaintRule};

use crate::dns::find::SystemName;
use crate::dns::local::LocalAddresses;
use crate::dns::{self, DnsFound, DnsReply, How, Patience};
use crate::lists::{HostNames, Known, elements, ip};
use crate::options::opt;
use crate::variables::var;

pub use described::describe;
pub(crate) use hello::hello_verified;
pub use hello::{forget_hello, verify_hello};

/// How many names of an address are looked at. Each is asked for its addresses.
const MOST_NAMES: usize = 32;

static DNS: Meta = Meta::new("host lookup", Effects::DNS, TaintRule::Tainted);
static LOG: Meta = Meta::new("host lookup", Effects::LOG, TaintRule::Result);

/// The client of the message at hand, as host lists ask for it. Its names are
/// looked up once; what was found is in `$sender_host_name`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SendingHost;

impl HostNames for SendingHost {
    fn are_known(&mut self, call: &mut Call<'_>) -> bool {
        known_client_name(call).is_ok_and(|name| !name.is_empty())
    }

    fn names(&mut self, call: &mut Call<'_>) -> Result<Known<Vec<Str>>, Fail> {
        // A server that knows the client's name has set it.
        let set = call.value_of(var::SENDER_HOST_NAME)?;
        let names = call.memory::<State>().names.clone();
        Ok(match names {
            // That it can't be said now is, to a list, as if there were none.
            _ if set.is_empty() => Known::Missing,
            names if names.contains(&set) => Known::Found(names),
            _ => Known::Found(vec![set]),
        })
    }

    fn addresses(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail> {
        addresses(call, name)
    }
}

/// The addresses of a host by name, as the system finds them: in its own table,
/// or in the DNS, where names are completed by the search list.
///
/// # Errors
/// Where the policy forbids it.
pub fn addresses(call: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail> {
    let how = How { qualify_single: true, search_parents: true, by_system: true, ..How::default() };
    match SystemName::of(name) {
        SystemName::Address(address) => return Ok(Known::Found(vec![address])),
        SystemName::Name => {}
        // The system does not know that the DNS may have it in another form, either.
        SystemName::Nothing => {
            report_missing(call, name, true);
            return Ok(Known::Missing);
        }
    }
    let text = String::from_utf8_lossy(name).into_owned();
    let table = call.with_record(&DNS, |call| call.dns())?.table_addresses(&text);
    let hosted = dns::addresses_beside(call, &table, name, &how)?;
    if hosted.later {
        report_missing(call, name, false);
        dns::show_unset(call, name);
        let is_none = dns::means_nonexist(call, name)?;
        return Ok(if is_none { Known::Missing } else { Known::Later });
    }
    if hosted.addresses.is_empty() {
        report_missing(call, name, true);
        return Ok(Known::Missing);
    }
    let name = hosted.name.as_ref().map_or(name, |own| own.as_bytes());
    show(call, HostEvent::Addresses { name, addresses: &hosted.addresses });
    Ok(Known::Found(hosted.addresses))
}

/// What stands behind a client whose connection another program took.
pub const BY_INETD: &[u8] = b" (via inetd)";

/// What is known of how a client came.
#[derive(Default)]
struct Way {
    /// Whether another program took the connection.
    by_inetd: bool,
    /// Whether the client is a program of this system, whomever it names.
    is_program: bool,
}

/// Says that another program took the client's connection, and handed it on.
pub fn came_by_inetd(call: &mut Call<'_>) {
    call.memory::<Way>().by_inetd = true;
}

/// Says that the client is a program of this system.
pub fn is_program(call: &mut Call<'_>) {
    call.memory::<Way>().is_program = true;
}

/// Says of a host that it has no address: to whoever is shown each step, and in the log
/// of a client's conversation or of a delivery, where that is for good. False where there
/// is neither.
pub(crate) fn report_missing(call: &mut Call<'_>, name: &[u8], for_good: bool) -> bool {
    let mut line = [b"no IP address found for host ", name].concat();
    let is_set = |value: Result<Str, Fail>| value.ok().filter(|value| !value.is_empty());
    let of_message = is_set(call.value_of(var::MESSAGE_EXIM_ID)).is_some();
    let is_program = call.memory::<Way>().is_program;
    let host = is_set(call.value_of(var::SENDER_FULLHOST)).filter(|_| !is_program);
    let client = host.or_else(|| {
        let in_dialogue = is_program || is_set(call.value_of(var::SMTP_COMMAND)).is_some();
        is_set(call.value_of(var::SENDER_IDENT)).filter(|_| in_dialogue)
    });
    match client {
        None if of_message => {
            show(call, HostEvent::Missing { name, line: &line });
            if for_good {
                log(call, &line);
            }
        }
        Some(client) => {
            // What is looked for of a message is no matter of the connection.
            if !of_message {
                let way = if call.memory::<Way>().by_inetd { BY_INETD } else { b"" };
                let parts = [b" (during SMTP connection from ", client.bytes(), way, b")"];
                line.extend_from_slice(&parts.concat());
            }
            show(call, HostEvent::Missing { name, line: &line });
            if for_good {
                log(call, &line);
            }
        }
        None => return false,
    }
    true
}

/// What is known of the client.
#[derive(Default)]
struct State {
    /// The address that this is about.
    address: Vec<u8>,
    /// Whether there is no need to ask again.
    settled: bool,
    /// Only what is known counts: nothing is looked up now.
    quiet: bool,
    names: Vec<Str>,
    /// Why there is none, though there is one for its address.
    refused: Option<Vec<u8>>,
}

/// The client's name: what the DNS has for its address, if that name has the
/// address again; empty where there is none. It is looked up once, unless there
/// was no answer. The other variables of the client's host follow.
///
/// # Errors
/// Where the policy forbids it.
pub fn client_name(call: &mut Call<'_>) -> Result<Str, Fail> {
    let address = call.value_of(var::SENDER_HOST_ADDRESS)?;
    let state = call.memory::<State>();
    if state.address != address.bytes() {
        let (own, quiet) = (address.bytes().to_vec(), state.quiet);
        *state = State { settled: own.is_empty(), address: own, quiet, ..State::default() };
    }
    if !state.settled && !state.quiet {
        look_up(call, &address)?;
    }
    Ok(call.memory::<State>().names.first().cloned().unwrap_or_default())
}

/// The client's name as far as it is known, without looking it up.
///
/// # Errors
/// None, so far.
pub fn known_client_name(call: &mut Call<'_>) -> Result<Str, Fail> {
    let before = std::mem::replace(&mut call.memory::<State>().quiet, true);
    let name = call.value_of(var::SENDER_HOST_NAME);
    call.memory::<State>().quiet = before;
    name
}

/// As [`client_name`], where one that was looked for in vain is looked for again.
///
/// # Errors
/// Where the policy forbids it.
pub fn client_name_anew(call: &mut Call<'_>) -> Result<Str, Fail> {
    let state = call.memory::<State>();
    state.settled = state.settled && !state.names.is_empty();
    client_name(call)
}

/// Whether a lookup of the client's name was done, and came to an end.
pub fn is_looked_up(call: &mut Call<'_>) -> bool {
    call.memory::<State>().settled
}

/// Why the client has no name, where it was looked for one: its address leads to none, or
/// to one that does not lead back.
pub fn name_refused(call: &mut Call<'_>) -> Option<Vec<u8>> {
    call.memory::<State>().refused.clone()
}

/// What one way of looking found.
enum Names {
    Some(Vec<String>, bool),
    None,
    Later,
}

fn look_up(call: &mut Call<'_>, address: &Str) -> Result<(), Fail> {
    let Some(ip) = ip::address(address.bytes()) else { return Ok(()) };
    let ip = ip.to_canonical();
    let begin = HostEvent::Begin { address: address.bytes() };
    let outer = call.trace().begin(Happening::Host(begin));
    let looked_up = look_up_within(call, address, ip);
    call.trace().end(outer);
    looked_up
}

fn look_up_within(call: &mut Call<'_>, address: &Str, ip: IpAddr) -> Result<(), Fail> {
    let (names, secure) = match find(call, ip)? {
        Names::Some(names, secure) => (names, secure),
        Names::None => {
            log(call, &[b"no host name found for IP address ", address.bytes()].concat());
            call.memory::<State>().refused =
                Some(b"failed to find host name from IP address".to_vec());
            settle(call, Vec::new(), false);
            return Ok(());
        }
        Names::Later => {
            settle(call, Vec::new(), true);
            return Ok(());
        }
    };
    let (mut good, mut later, mut genuine) = (Vec::new(), false, secure);
    let patience = Patience::new(call);
    let how = How { of_host: true, ..How::default() };
    let first = names.first().cloned().unwrap_or_default();
    for name in names.into_iter().take(MOST_NAMES) {
        if patience.is_over(call) {
            later = true;
            break;
        }
        show_unset_lists(call, &name);
        call.trace().depth += 1;
        let hosted = dns::addresses(call, name.as_bytes(), &how);
        call.trace().leave(1);
        let hosted = hosted?;
        show_addresses(call, &name, ip, &hosted);
        if hosted.later && hosted.addresses.is_empty() {
            // It could be the client's, too: what the others are says nothing for now.
            (good, later) = (Vec::new(), true);
            break;
        }
        later |= hosted.later;
        if hosted.addresses.iter().any(|own| own.to_canonical() == ip) {
            genuine &= hosted.secure;
            good.push(Str::tainted(name.into_bytes()));
        }
    }
    if let Some(name) = good.first().cloned() {
        let dnssec = if genuine { "yes" } else { "no" };
        call.set_var(var::SENDER_HOST_DNSSEC, Str::fixed(dnssec));
        described::describe_as(call, &name)?;
    }
    later &= good.is_empty();
    if good.is_empty() && !later {
        let middle = b" does not match any IP address for ".as_slice();
        let why = [address.bytes(), middle, first.as_bytes()].concat();
        show(call, HostEvent::Refused { why: &why });
        call.memory::<State>().refused = Some(why);
    }
    settle(call, good, later);
    Ok(())
}

/// Shows a step to those who want to see each.
fn show(call: &mut Call<'_>, event: HostEvent<'_>) {
    call.trace().tell(Happening::Host(event));
}

/// The lists of domains that need signed answers are those of a router; there is
/// none here.
fn show_unset_lists(call: &mut Call<'_>, name: &str) {
    let trace = call.trace();
    let depth = trace.depth;
    for list in ["require", "request"] {
        trace.tell_at(depth + 1, Happening::List(ListEvent::Dnssec { list }));
        let unset = ListEvent::Unset { subject: name.as_bytes(), option: None };
        trace.tell_at(depth + 2, Happening::List(unset));
    }
}

/// Shows which address of a name is the client's.
fn show_addresses(call: &mut Call<'_>, name: &str, ip: IpAddr, hosted: &dns::Hosted) {
    if !hosted.addresses.is_empty()
        && call.watched(TraceKinds::HOST)
        && let Ok(here) = LocalAddresses::read(call)
        && hosted.addresses.iter().any(|one| here.contains(*one))
    {
        show(call, HostEvent::Local);
    }
    let addresses = &hosted.addresses[..];
    let name = name.as_bytes();
    show(call, HostEvent::Checked { name, addresses, client: ip, later: hosted.later });
}

/// Keeps what came of it.
fn settle(call: &mut Call<'_>, names: Vec<Str>, later: bool) {
    let digit = |set| Str::fixed(if set { "1" } else { "0" });
    call.set_var(var::HOST_LOOKUP_DEFERRED, digit(later));
    call.set_var(var::HOST_LOOKUP_FAILED, digit(names.is_empty() && !later));
    let state = call.memory::<State>();
    state.settled = !later;
    state.names = names;
}

/// Looks for names in the order of `host_lookup_order`.
fn find(call: &mut Call<'_>, ip: IpAddr) -> Result<Names, Fail> {
    let order = call.settings().get(opt::HOST_LOOKUP_ORDER);
    for way in elements(order.bytes()) {
        let found = match &*way {
            b"bydns" => {
                let found = by_dns(call, ip)?;
                if matches!(found, Names::Later) {
                    show(call, HostEvent::NoPtr);
                }
                found
            }
            b"byaddr" => {
                show(call, HostEvent::BySystem);
                let table = call.with_record(&DNS, |call| call.dns())?.table_names(ip);
                match table.is_empty() {
                    true => by_system(call, ip)?,
                    false => Names::Some(table, false),
                }
            }
            _ => Names::None,
        };
        if let Names::Some(names, _) = &found {
            show(call, HostEvent::Names { names });
        }
        if !matches!(found, Names::None) {
            return Ok(found);
        }
    }
    Ok(Names::None)
}

fn is_of_host_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
}

fn by_dns(call: &mut Call<'_>, ip: IpAddr) -> Result<Names, Fail> {
    let reply = ask(call, ip, &How { of_host: true, ..How::default() })?;
    if reply.found == DnsFound::Later {
        return Ok(Names::Later);
    }
    let mut names: Vec<String> = names_in(&reply).collect();
    // Whoever owns an address says what he likes.
    names.retain(|name| {
        let is_legal = name.bytes().all(is_of_host_name);
        if name.is_empty() {
            show(call, HostEvent::EmptyName);
        } else if !is_legal {
            show(call, HostEvent::IllegalName);
        }
        is_legal && !name.is_empty()
    });
    Ok(if names.is_empty() { Names::None } else { Names::Some(names, reply.secure) })
}

/// What the system's resolver tells: of the first name alone, and of none that can be no host's,
/// as something is wrong there for now.
fn by_system(call: &mut Call<'_>, ip: IpAddr) -> Result<Names, Fail> {
    let how = How { by_system: true, ..How::default() };
    let what = Some("gethostbyaddr");
    let reply = dns::timed(call, what, &ip.to_string(), |call| ask(call, ip, &how))?;
    let is_fit = |byte| is_of_host_name(byte) || byte == b'_';
    let first = names_in(&reply).next();
    let (found, event) = match (&reply.found, first) {
        (DnsFound::Records { .. }, Some(name)) if name.is_empty() => {
            (Names::None, HostEvent::EmptyName)
        }
        (DnsFound::Records { .. }, Some(name)) if name.bytes().all(is_fit) => {
            return Ok(Names::Some(vec![name], reply.secure));
        }
        (DnsFound::Records { .. } | DnsFound::Later, _) => {
            (Names::Later, HostEvent::NoName { why: 2 })
        }
        (DnsFound::Broken, _) => (Names::Later, HostEvent::NoName { why: 3 }),
        (DnsFound::NoName, _) => (Names::None, HostEvent::NoName { why: 1 }),
        (DnsFound::NoData, _) => (Names::None, HostEvent::NoName { why: 4 }),
    };
    show(call, event);
    Ok(found)
}

fn ask(call: &mut Call<'_>, ip: IpAddr, how: &How) -> Result<DnsReply, Fail> {
    let name = dns::reverse(ip);
    call.trace().depth += 1;
    let reply = dns::query(call, name.as_bytes(), dns::kind::PTR, how);
    call.trace().leave(1);
    reply
}

/// The names in an answer, in lower case.
fn names_in(reply: &DnsReply) -> impl Iterator<Item = String> {
    reply.records().iter().filter_map(dns::host).map(|name| name.to_ascii_lowercase())
}

/// Notes that something was not found, where that is wanted.
fn log(call: &mut Call<'_>, line: &[u8]) {
    let wanted = call.settings().log_selector();
    call.with_record(&LOG, |call| {
        if let Ok(log) = call.log() {
            log.by_selector(wanted, LogSelector::HOST_LOOKUP_FAILED, line);
        }
    });
}
