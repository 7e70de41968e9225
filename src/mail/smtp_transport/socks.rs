//! `socks_proxy`: connections by way of SOCKS5 proxies (specification 59.2; RFC 1928, RFC
//! 1929).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::world::Stream;
use eximious_core::{Effects, Meta, Str, TaintRule, Var};
use eximious_stdlib::lists::{elements, elements_by, ip};
use eximious_stdlib::number::leading_int;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::{Peer, UNWANTED};
use crate::Context;

static PROXY: Meta = Meta::new("socks proxy", Effects::NET, TaintRule::Tainted);

/// The protocol's version.
const VERSION: u8 = 5;
/// Methods of authentication: none, and a name with a password.
const NONE: u8 = 0;
const NAMED: u8 = 2;
/// What stands for none of those that are offered.
const NO_METHOD: u8 = 255;

/// The system's numbers of errors, as logs have them.
const NO_ENTRY: i32 = 2;
const DENIED: i32 = 13;
const BUSY: i32 = 16;
const INVALID: i32 = 22;
const INPUT_OUTPUT: i32 = 5;
const PROTOCOL: i32 = 71;
const UNREACHABLE: i32 = 101;
const ABORTED: i32 = 103;

/// A proxy, as the option names it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct SocksProxy {
    /// Its address; there may be a text that is none.
    address: Option<IpAddr>,
    port: u16,
    /// Whether it wants a name and a password.
    asks_who: bool,
    name: Vec<u8>,
    password: Vec<u8>,
    /// How long a connection to it may take.
    timeout: Duration,
    /// Those with the highest come first, …
    priority: i32,
    /// … and of those with the same, the heavier ones more often.
    weight: u64,
}

impl SocksProxy {
    /// Reads one: a list by itself, with spaces between its elements. Nothing where it has none.
    fn read(text: &[u8]) -> Option<Self> {
        let mut words = elements_by(text, b' ');
        let mut proxy = Self {
            address: ip::address(&words.next()?),
            port: 1080,
            asks_who: false,
            name: Vec::new(),
            password: Vec::new(),
            timeout: Duration::from_secs(5),
            priority: 1,
            weight: 1,
        };
        for word in words {
            let Some(at) = memchr::memchr(b'=', &word) else { continue };
            let (name, value) = (&word[..at], &word[at + 1..]);
            // What is no number is zero.
            let number = || leading_int(value).map_or(0, |(number, _)| number);
            match name {
                b"auth" => proxy.asks_who = value == b"name",
                b"name" => proxy.name = value.to_vec(),
                b"pass" => proxy.password = value.to_vec(),
                // A wrong one is not the usual one.
                b"port" => proxy.port = u16::try_from(number()).unwrap_or(0),
                b"tmo" => {
                    let seconds = u64::try_from(number());
                    proxy.timeout = seconds.map_or(proxy.timeout, Duration::from_secs);
                }
                b"pri" => proxy.priority = number(),
                b"weight" => proxy.weight = u64::try_from(number()).unwrap_or(proxy.weight),
                _ => {}
            }
        }
        Some(proxy)
    }
}

/// The proxies of a list; nothing where it has none, or one of them is empty.
fn all(list: &[u8]) -> Option<Vec<SocksProxy>> {
    let proxies: Vec<SocksProxy> =
        elements(list).map(|item| SocksProxy::read(&item)).collect::<Option<_>>()?;
    (!proxies.is_empty()).then_some(proxies)
}

/// Takes the next one out of a list: one of those with the highest priority, by chance, but
/// the heavier the likelier. `chance` gives a number below another.
fn next(left: &mut Vec<SocksProxy>, chance: impl FnOnce(u64) -> u64) -> Option<SocksProxy> {
    let highest = left.iter().map(|one| one.priority).max()?;
    let alike = || left.iter().enumerate().filter(|(_, one)| one.priority == highest);
    let all = alike().fold(0_u64, |sum, (_, one)| sum.saturating_add(one.weight));
    let mut drawn = if all == 0 { 0 } else { chance(all) };
    let mut at = alike().next()?.0;
    for (place, one) in alike() {
        at = place;
        if drawn < one.weight {
            break;
        }
        drawn -= one.weight;
    }
    Some(left.remove(at))
}

impl Peer<'_> {
    /// The proxies by way of which the host is reached, as the option has them; nothing
    /// where it is not set.
    ///
    /// # Errors
    /// The option can't be expanded, which is logged, or names no proxy: no other way is taken
    /// then.
    pub(super) fn proxies(&mut self) -> io::Result<Option<Str>> {
        let Some(transport) = self.transport else { return Ok(None) };
        match transport.expand(self.cx, smtp::SOCKS_PROXY) {
            None => Ok(None),
            Some(Ok(list)) if all(list.bytes()).is_some() => Ok(Some(list)),
            Some(Ok(_)) => Err(io::Error::from_raw_os_error(NO_ENTRY)),
            Some(Err(_)) => {
                let head = b"Bad expansion for socks_proxy in ".as_slice();
                (self.log)(&[head, transport.name.bytes()].concat());
                Err(io::Error::from_raw_os_error(NO_ENTRY))
            }
        }
    }

    /// Connects to a host by way of the first proxy that can be reached: the connection, and
    /// the proxy's end of it.
    ///
    /// # Errors
    /// None can, or the one that can does not want to.
    pub(super) fn connect_by_proxy(
        &mut self,
        list: &Str,
        to: SocketAddr,
        interface: Option<IpAddr>,
        within: Duration,
    ) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        let mut left = all(list.bytes()).unwrap_or_default();
        let world = self.cx.engine().world().clone();
        while let Some(proxy) = next(&mut left, |below| world.random.below(below)) {
            let time = if proxy.timeout.is_zero() { within } else { proxy.timeout.min(within) };
            match self.reach(&proxy, interface, time) {
                Ok(mut stream) => {
                    stream.set_deadline(within);
                    let outer = negotiate(&mut *stream, &proxy, to, &mut |line| (self.log)(line))?;
                    let inner = SocketAddr::new(proxy.address.unwrap_or(to.ip()), proxy.port);
                    if !self.verifies {
                        show_proxy(self.cx, Some((inner, outer)));
                    }
                    return Ok((stream, inner));
                }
                Err(Hindrance::Event) => return Err(io::Error::from_raw_os_error(UNWANTED)),
                Err(Hindrance::Net(why)) => {
                    let why = match why.kind() {
                        io::ErrorKind::TimedOut => "Connection timed out".to_owned(),
                        _ => wording::reason(&why),
                    };
                    let line = format!("socks_sock_connect: {why}");
                    self.cx.log().main(line.as_bytes());
                }
            }
        }
        Err(io::Error::from_raw_os_error(BUSY))
    }

    /// Connects to a proxy. Whoever is told of the connection sees its address, to its end.
    fn reach(
        &mut self,
        proxy: &SocksProxy,
        interface: Option<IpAddr>,
        within: Duration,
    ) -> Result<Box<dyn Stream>, Hindrance> {
        let unreachable = || Hindrance::Net(io::Error::from_raw_os_error(UNREACHABLE));
        let address = proxy.address.ok_or_else(unreachable)?;
        let kept = [var::HOST_ADDRESS, var::HOST_PORT].map(|var| (var, self.cx.value_of(var)));
        self.cx.set_var(var::HOST_ADDRESS, address.to_string());
        self.cx.set_var(var::HOST_PORT, proxy.port.to_string());
        let connected = match self.event("tcp:connect", b"") {
            Some(_) => Err(Hindrance::Event),
            None => self.dial_proxy(SocketAddr::new(address, proxy.port), interface, within),
        };
        if connected.is_err() || self.verifies {
            kept.into_iter().for_each(|(var, value)| self.cx.set_var(var, value));
        }
        connected
    }

    fn dial_proxy(
        &mut self,
        to: SocketAddr,
        interface: Option<IpAddr>,
        within: Duration,
    ) -> Result<Box<dyn Stream>, Hindrance> {
        let from = interface.filter(|own| own.is_ipv4() == to.is_ipv4());
        let how = self.dialing(from);
        let connected =
            self.cx.call(&PROXY, |call| call.net().map(|net| net.dial(to, &how, within)));
        match connected {
            Ok(connected) => {
                if let Err(why) = &connected {
                    self.log_unbound(&how, why);
                }
                connected.map_err(Hindrance::Net)
            }
            Err(fail) => Err(Hindrance::Net(io::Error::other(fail.to_string()))),
        }
    }
}

/// What variables tell of a proxy that is between: its inner end, which this side sees, and
/// its outer one, as far as that is known.
pub(crate) const PROXY_VARIABLES: [Var; 5] = [
    var::PROXY_SESSION,
    var::PROXY_LOCAL_ADDRESS,
    var::PROXY_LOCAL_PORT,
    var::PROXY_EXTERNAL_ADDRESS,
    var::PROXY_EXTERNAL_PORT,
];

/// Has variables tell of a proxy that a connection goes through, or of none.
pub(crate) fn show_proxy(cx: &mut Context, ends: Option<(SocketAddr, Option<SocketAddr>)>) {
    PROXY_VARIABLES.into_iter().for_each(|var| cx.unset_var(var));
    let Some((inner, outer)) = ends else { return };
    cx.set_var(var::PROXY_SESSION, Str::fixed("yes"));
    cx.set_var(var::PROXY_LOCAL_ADDRESS, inner.ip().to_string());
    cx.set_var(var::PROXY_LOCAL_PORT, inner.port().to_string());
    if let Some(outer) = outer {
        cx.set_var(var::PROXY_EXTERNAL_ADDRESS, outer.ip().to_string());
        cx.set_var(var::PROXY_EXTERNAL_PORT, outer.port().to_string());
    }
}

/// Why there is no connection to a proxy.
enum Hindrance {
    /// An event's handler does not want it.
    Event,
    /// The network's reason.
    Net(io::Error),
}

/// Asks a proxy to connect to a host: from where it does, where it tells that by an address.
/// What is strange about it is for the panic log.
fn negotiate(
    stream: &mut dyn Stream,
    proxy: &SocksProxy,
    to: SocketAddr,
    log: &mut dyn FnMut(&[u8]),
) -> io::Result<Option<SocketAddr>> {
    let failed = io::Error::from_raw_os_error;
    let method = if proxy.asks_who { NAMED } else { NONE };
    stream.write_all(&[VERSION, 1, method])?;
    let [version, chosen] = heard(stream)?;
    if version != VERSION {
        return Err(failed(PROTOCOL));
    }
    match chosen {
        NONE => {}
        NAMED => {
            let mut request = vec![1];
            for text in [&proxy.name, &proxy.password] {
                request.push(u8::try_from(text.len()).map_err(|_| failed(INVALID))?);
                request.extend_from_slice(text);
            }
            stream.write_all(&request)?;
            let [version, status] = heard(stream).map_err(|_| failed(DENIED))?;
            if version != 1 || status != 0 {
                log(b"socks auth failed");
                return Err(failed(DENIED));
            }
        }
        other => {
            log(format!("Unrecognised socks auth method {other}").as_bytes());
            // That none would do is said in another way than that another one is wanted.
            let is_none = other == NO_METHOD;
            return Err(failed(if is_none { PROTOCOL } else { INPUT_OUTPUT }));
        }
    }
    let mut request = vec![VERSION, 1, 0];
    match to.ip() {
        IpAddr::V4(address) => {
            request.push(1);
            request.extend(address.octets());
        }
        IpAddr::V6(address) => {
            request.push(4);
            request.extend(address.octets());
        }
    }
    request.extend(to.port().to_be_bytes());
    stream.write_all(&request)?;
    let [version, reply, _, form] = heard(stream)?;
    if version != VERSION {
        return Err(failed(PROTOCOL));
    }
    if reply != 0 {
        return Err(failed(number_of(reply)));
    }
    let outer: Option<IpAddr> = match form {
        1 => Some(heard::<4>(stream)?.into()),
        4 => Some(heard::<16>(stream)?.into()),
        3 => {
            let [length] = heard(stream)?;
            for _ in 0..length {
                heard::<1>(stream)?;
            }
            None
        }
        _ => return Err(failed(PROTOCOL)),
    };
    let port = u16::from_be_bytes(heard(stream)?);
    Ok(outer.map(|address| SocketAddr::new(address, port)))
}

fn heard<const N: usize>(stream: &mut dyn Stream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map_err(|why| match why.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::from_raw_os_error(ABORTED),
        _ => why,
    })?;
    Ok(bytes)
}

/// The system's number of what a proxy's reply says.
fn number_of(reply: u8) -> i32 {
    match reply {
        1 => 5,
        2 => DENIED,
        3 => UNREACHABLE,
        4 => 113,
        5 => 111,
        6 => 125,
        7 => 95,
        8 => 97,
        _ => PROTOCOL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> SocksProxy {
        SocksProxy::read(text).unwrap()
    }

    #[test]
    fn a_proxy_is_read_with_its_options() {
        let proxy = read(b"10.0.0.1 auth=name name=me pass=a=b port=99 tmo=7 x=1");
        assert_eq!(proxy.address, Some("10.0.0.1".parse().unwrap()));
        assert!(proxy.asks_who && proxy.port == 99 && proxy.timeout.as_secs() == 7);
        assert_eq!((&proxy.name[..], &proxy.password[..]), (&b"me"[..], &b"a=b"[..]));
        let odd = read(b"nowhere port=99999999999 weight=-1 pri= tmo");
        assert_eq!((odd.address, odd.port, odd.weight, odd.priority), (None, 0, 1, 0));
        let other = read(b"<, 10.0.0.1, port=99x, name= a b , pri=2x");
        assert_eq!((other.port, &other.name[..], other.priority), (99, &b" a b"[..], 2));
    }

    #[test]
    fn a_list_has_no_empty_proxies() {
        let count = |list| all(list).map(|all| all.len());
        assert_eq!((count(b"10.0.0.1 : 10.0.0.2 : "), count(b"<;<, 10.0.0.1")), (Some(2), Some(1)));
        for list in [&b""[..], b" ", b" : 10.0.0.1", b":"] {
            assert_eq!(count(list), None);
        }
    }

    #[test]
    fn the_highest_come_first_and_the_heavy_often() {
        let all = || -> Vec<SocksProxy> {
            [&b"10.0.0.1 pri=1"[..], b"10.0.0.2 pri=2 weight=3", b"10.0.0.3 pri=2", b"10.0.0.4"]
                .map(read)
                .to_vec()
        };
        let last = |one: SocksProxy| match one.address {
            Some(IpAddr::V4(address)) => address.octets()[3],
            _ => 0,
        };
        for (drawn, first) in [(0, 2), (2, 2), (3, 3)] {
            assert_eq!(next(&mut all(), |_| drawn).map(last), Some(first));
        }
        let mut left = all();
        let order: Vec<u8> = (0..4).filter_map(|_| next(&mut left, |_| 0).map(last)).collect();
        assert_eq!(order, [2, 3, 1, 4]);
        assert!(next(&mut left, |_| 0).is_none());
        let mut weightless = vec![read(b"10.0.0.9 weight=0")];
        assert_eq!(next(&mut weightless, |_| panic!("no chance")).map(last), Some(9));
    }
}
