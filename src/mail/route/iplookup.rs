//! The router `iplookup` (specification, chapter 19).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::world::{Stream, Target};
use eximious_core::{Call, DriverDef, Effects, Meta, Str, TaintRule};
use eximious_stdlib::address::find_at;
use eximious_stdlib::dns::find::by_name;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::pattern;

use super::dnslookup::HOSTS;
use super::driver::{self, RouterRun};
use super::machine::{Machine, Verdict};
use super::pass::{ChildAddress, RouteError};
use super::router::{Router, Text};
use crate::config::{ConfigError, Instance, RouterRules, TransportUse, checks};

/// What questions to servers may touch.
static SERVERS: Meta = Meta::new("iplookup", Effects::NET, TaintRule::Tainted);

/// How many bytes of an answer count. No release of Exim that could be asked
/// (4.98.2, 4.100.1) heeds more of them, whatever the specification promises; a
/// longer answer loses its end without a word.
const LONGEST: usize = 7;
/// How many addresses of servers are tried.
const MOST_SERVERS: usize = 100;

/// The driver `iplookup`.
pub(super) static DRIVER: DriverDef =
    driver::own("iplookup", "Asks a program at a TCP or UDP port.", "19", &RouterRun::Own(run))
        .rules(&RULES);

static RULES: RouterRules =
    RouterRules { check: checked, transport: TransportUse::Forbidden, ..RouterRules::DEFAULT };

/// Renames an address to what a server answers.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    let original =
        [machine.offer.local_part.bytes(), b"@", machine.address.domain.bytes()].concat();
    let query = match router.text(opt::iplookup::QUERY) {
        Some(text) => expand(machine, router, text)?.bytes().to_vec(),
        None => [&*original, b" ", &*original].concat(),
    };
    let Some(answer) = ask(machine, router, &query)? else {
        if router.on(opt::iplookup::OPTIONAL) {
            return Ok(Verdict::Pass);
        }
        let message = router.named(b"", b" router: failed to communicate with any host", b"");
        return Err(RouteError::new(message));
    };
    let answer = Str::tainted(answer);
    let mut new = match router.text(opt::iplookup::RESPONSE_PATTERN) {
        Some(text) => {
            let pattern = text.written.bytes();
            let found =
                machine.cx.call(&SERVERS, |call| pattern::matches(call, pattern, false, &answer));
            if !found.map_err(|fail| RouteError::new(fail.message()))? {
                return Ok(Verdict::Decline);
            }
            answer
        }
        None => {
            let (first, rest) = parts(answer.bytes());
            let first = Str::tainted(first.to_vec());
            let foreign = router.text(opt::iplookup::QUERY).is_none() && *rest != *original;
            machine.cx.set_numeric(std::slice::from_ref(&first));
            if foreign {
                return Ok(Verdict::Decline);
            }
            first
        }
    };
    if let Some(text) = router.text(opt::iplookup::REROUTE) {
        new = expand(machine, router, text)?;
    }
    // What was bound is for this router alone.
    machine.cx.set_numeric(&[]);
    if find_at(new.bytes()).is_none() {
        let tail = [b" router: reroute string ", new.bytes(), b" is not of the form user@domain"];
        let message = router.named(b"", &tail.concat(), b"");
        machine.log(&message);
        return Err(RouteError::new(message));
    }
    machine.assign_errors(router)?;
    machine.assign_headers(router)?;
    let ancestor = machine.address.as_ancestor(Some(number));
    let child = machine.address.child(new, &ancestor);
    machine.children.push(ChildAddress::Address(child));
    Ok(Verdict::Accept(None))
}

fn expand(machine: &mut Machine<'_>, router: &Router, text: &Text) -> Result<Str, RouteError> {
    text.expand(machine.cx).map_err(|fail| {
        let head = [b" router: failed to expand ", text.written.bytes(), b": "].concat();
        RouteError::new(router.named(b"", &head, fail.message()))
    })
}

/// An answer up to its first white space, and what follows that.
fn parts(answer: &[u8]) -> (&[u8], &[u8]) {
    let space = |c: &u8| c.is_ascii_whitespace() || *c == b'\x0b';
    let end = answer.iter().position(space).unwrap_or(answer.len());
    (&answer[..end], answer.get(end + 1..).unwrap_or_default())
}

/// The first answer that a host has; `None` where there is none.
fn ask(
    machine: &mut Machine<'_>,
    router: &Router,
    query: &[u8],
) -> Result<Option<Vec<u8>>, RouteError> {
    let Some(list) = router.some_text(opt::iplookup::HOSTS) else { return Ok(None) };
    let Ok(port) = u16::try_from(router.get(opt::iplookup::PORT)) else { return Ok(None) };
    let protocol = router.some_text(opt::iplookup::PROTOCOL);
    let by_tcp = protocol.is_some_and(|text| text.written.bytes() == b"tcp");
    let timeout = router.timeout(opt::iplookup::TIMEOUT);
    let mut servers = 0;
    for name in elements(list.written.bytes()).filter(|name| !name.is_empty()) {
        for address in addresses(machine, &name) {
            servers += 1;
            if servers > MOST_SERVERS {
                return Ok(None);
            }
            let to = SocketAddr::new(address, port);
            let asked =
                machine.cx.call(&SERVERS, |call| question(call, by_tcp, to, query, timeout));
            match asked {
                // Nothing at all is no answer.
                Ok(answer) if !answer.is_empty() => {
                    let end = memchr::memchr(0, &answer).unwrap_or(answer.len());
                    return Ok(Some(answer[..end].to_vec()));
                }
                Ok(_) => {}
                Err(why) => return Err(RouteError::new(why)),
            }
        }
    }
    Ok(None)
}

/// The addresses of a host, as the system says; none where it does not know.
fn addresses(machine: &mut Machine<'_>, name: &[u8]) -> Vec<IpAddr> {
    let found = machine.cx.call(&HOSTS, |call| by_name(call, name, None));
    let hosts = found.map(|found| found.hosts).unwrap_or_default();
    hosts.iter().filter_map(|host| host.address).collect()
}

/// Asks one server: what it says first, which is nothing where it says nothing.
///
/// # Errors
/// Why nobody may be asked at all.
fn question(
    call: &mut Call<'_>,
    by_tcp: bool,
    to: SocketAddr,
    query: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, Vec<u8>> {
    let net = call.net().map_err(|fail| fail.message().to_vec())?;
    let answer = match by_tcp {
        true => net
            .connect(&Target::Tcp(to), timeout)
            .and_then(|mut stream| said(&mut *stream, query, timeout)),
        false => net.datagram(to, query, timeout, &mut |_| true),
    };
    let mut answer = answer.unwrap_or_default();
    answer.truncate(LONGEST);
    Ok(answer)
}

/// What comes first over a connection.
fn said(stream: &mut dyn Stream, query: &[u8], timeout: Duration) -> io::Result<Vec<u8>> {
    stream.set_deadline(timeout);
    stream.write_all(query)?;
    stream.flush()?;
    stream.set_deadline(timeout);
    let mut answer = vec![0; LONGEST];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// What must hold of its options.
fn checked(router: &Instance) -> Result<(), ConfigError> {
    if router.options.get(opt::iplookup::PORT).is_none_or(|port| port < 0) {
        return Err(router.wrong("a port must be specified"));
    }
    if !router.set(opt::iplookup::HOSTS) {
        return Err(router.wrong("a host list must be specified"));
    }
    if !matches!(router.text(opt::iplookup::PROTOCOL), None | Some(b"udp" | b"tcp")) {
        return Err(router.wrong("protocol not specified as udp or tcp"));
    }
    match router.options.some_text(opt::iplookup::RESPONSE_PATTERN) {
        Some(pattern) => checks::regex(pattern.bytes()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_at_its_first_white_space() {
        assert_eq!(parts(b"a@b x@y z"), (&b"a@b"[..], &b"x@y z"[..]));
        assert_eq!(parts(b"a@b\x0b x"), (&b"a@b"[..], &b" x"[..]));
        assert_eq!(parts(b" a"), (&b""[..], &b"a"[..]));
        assert_eq!(parts(b"a@b"), (&b"a@b"[..], &b""[..]));
        assert_eq!(parts(b""), (&b""[..], &b""[..]));
    }
}
