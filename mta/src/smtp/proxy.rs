//! The header of the PROXY protocol, versions 1 and 2, that a proxy sends before the
//! client may say anything (specification 59.1; HAProxy's `proxy-protocol.txt`).
//!
//! The parser is strict where Exim guesses: an address has to be one of the family
//! that is named, a port a number of 1 to 5 digits, and a body at least as long as
//! its family needs. Whoever fails here is told so by every reply.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use eximious::world::{Moment, TlsFault};
use eximious::{Str, opt, var};

use super::SmtpSession;
use super::connection::Barred;
use super::stage::{Progress, Stage};

/// What version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, the command, the family, and the length of what follows.
const FIXED: usize = 16;

/// How long a line of version 1 is at the most, its end included.
const LONGEST_LINE: usize = 107;

/// How long the rest of version 2 may be. Addresses need 216 bytes at the most; what
/// proxies put behind them, names and certificates' subjects, fits as well.
const LONGEST_BODY: usize = 4096;

/// Who speaks through a proxy, and with whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProxyEnds {
    /// The client's address.
    pub source: IpAddr,
    /// The client's port.
    pub source_port: u16,
    /// The address that it connected to, the proxy's outer one.
    pub target: IpAddr,
    /// The port that it connected to.
    pub target_port: u16,
}

/// What stands at the head of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyHeader {
    /// Too little is there to tell.
    Partial,
    /// It is no header, or a wrong one; that many bytes of it are there.
    Wrong(usize),
    /// A header of that many bytes. A proxy may speak for itself, or not know for
    /// whom it speaks: then there are no ends.
    Whole(usize, Option<ProxyEnds>),
}

/// Reads the header of either version.
pub fn parse(input: &[u8]) -> ProxyHeader {
    let begins = |head: &[u8]| input.iter().zip(head).all(|(one, other)| one == other);
    if begins(SIGNATURE) {
        match input.len() < FIXED {
            true => ProxyHeader::Partial,
            false => binary(input),
        }
    } else if begins(b"PROXY") {
        line(input)
    } else {
        ProxyHeader::Wrong(input.len())
    }
}

/// Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 1234 25`, and CRLF.
fn line(input: &[u8]) -> ProxyHeader {
    let Some(end) = memchr::memchr(b'\n', &input[..input.len().min(LONGEST_LINE)]) else {
        return match input.len() < LONGEST_LINE {
            true => ProxyHeader::Partial,
            false => ProxyHeader::Wrong(input.len()),
        };
    };
    let words = input[..end].strip_suffix(b"\r").and_then(|line| line.strip_prefix(b"PROXY "));
    let ends = words.and_then(|words| std::str::from_utf8(words).ok()).and_then(|words| {
        let mut words = words.split(' ');
        let family = words.next()?;
        if family == "UNKNOWN" {
            return Some(None);
        }
        let address = |text: &str| match family {
            "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        };
        let (source, target) = (address(words.next()?)?, address(words.next()?)?);
        let (source_port, target_port) = (port(words.next()?)?, port(words.next()?)?);
        let ends = ProxyEnds { source, source_port, target, target_port };
        words.next().is_none().then_some(Some(ends))
    });
    match ends {
        Some(ends) => ProxyHeader::Whole(end + 1, ends),
        None => ProxyHeader::Wrong(end + 1),
    }
}

fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

/// Version 2, whose fixed part is there.
fn binary(input: &[u8]) -> ProxyHeader {
    let wrong = ProxyHeader::Wrong(input.len());
    let length = usize::from(u16::from_be_bytes([input[14], input[15]]));
    if input[12] >> 4 != 2 {
        // How long the rest of another version is, nobody knows.
        return ProxyHeader::Wrong(FIXED);
    }
    if length > LONGEST_BODY {
        return wrong;
    }
    let Some(body) = input.get(FIXED..FIXED + length) else { return ProxyHeader::Partial };
    let whole = |ends| ProxyHeader::Whole(FIXED + length, ends);
    match (input[12] & 15, input[13]) {
        // The proxy speaks for itself: what else it says does not count.
        (0, _) => whole(None),
        (1, 0x11) => match body.first_chunk::<12>() {
            Some([a, b, c, d, e, f, g, h, ports @ ..]) => {
                whole(Some(between([*a, *b, *c, *d].into(), [*e, *f, *g, *h].into(), *ports)))
            }
            None => wrong,
        },
        (1, 0x21) => {
            let (addresses, _) = body.as_chunks::<16>();
            match (addresses, body.get(32..).and_then(<[u8]>::first_chunk::<4>)) {
                ([source, target, ..], Some(ports)) => {
                    whole(Some(between((*source).into(), (*target).into(), *ports)))
                }
                _ => wrong,
            }
        }
        _ => wrong,
    }
}

fn between(source: IpAddr, target: IpAddr, [a, b, c, d]: [u8; 4]) -> ProxyEnds {
    let (source_port, target_port) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    ProxyEnds { source, source_port, target, target_port }
}

impl SmtpSession {
    /// Waits for a header where the client is a proxy.
    pub(super) fn expect_proxy(&mut self) -> Stage {
        self.cx.set_var(var::PROXY_SESSION, Str::fixed("yes"));
        Stage::Proxy(self.now())
    }

    /// Looks at what came.
    pub(super) fn go_on_proxy(&mut self, began: Moment) -> Progress {
        let header = parse(self.input.rest());
        // A record of a handshake of TLS.
        let begins_tls = self.input.rest().first() == Some(&0x16);
        match header {
            ProxyHeader::Partial if !self.input.ended => {
                return Progress::Wait(Stage::Proxy(began));
            }
            ProxyHeader::Partial | ProxyHeader::Wrong(_) => {
                let count = match header {
                    ProxyHeader::Wrong(count) => count,
                    _ => self.input.rest().len(),
                };
                self.input.take(count);
                self.connection.barred = Some(Barred::ProxyFailed);
            }
            ProxyHeader::Whole(count, ends) => {
                self.input.take(count);
                if let Some(ends) = ends {
                    self.replace_client(ends);
                }
                let _ = eximious::client::look_up_name(&mut self.cx);
                eximious::client::describe(&mut self.cx);
            }
        }
        match self.welcome() {
            // What TLS would begin with is gone with the header that it is not.
            Stage::TlsHandshake(handshake) if begins_tls => {
                let fault = TlsFault::new("SSL_accept", "TLS began where a PROXY header was due");
                Progress::Next(self.give_up_tls(&handshake, &fault, true))
            }
            stage => Progress::Next(stage),
        }
    }

    /// No header came in time.
    pub(super) fn proxy_timed_out(&mut self) -> Stage {
        self.input.clear();
        self.connection.barred = Some(Barred::ProxyFailed);
        self.welcome()
    }

    /// How much longer a header may take.
    pub(super) fn proxy_timeout(&self, began: Moment) -> Duration {
        let timeout = self.cx.engine().settings().get(opt::PROXY_PROTOCOL_TIMEOUT);
        timeout.saturating_sub(since(began, self.now()))
    }

    /// The client is somebody else than who connected.
    pub(super) fn replace_client(&mut self, ends: ProxyEnds) {
        let ProxyEnds { source, source_port, target, target_port } = ends;
        let own = self.variable(var::SENDER_HOST_ADDRESS);
        let own_port = self.variable(var::SENDER_HOST_PORT);
        self.cx.set_var(var::PROXY_LOCAL_ADDRESS, own);
        self.cx.set_var(var::PROXY_LOCAL_PORT, own_port);
        self.cx.set_var(var::PROXY_EXTERNAL_ADDRESS, target.to_canonical().to_string());
        self.cx.set_var(var::PROXY_EXTERNAL_PORT, target_port.to_string());
        self.cx.set_var(var::SENDER_HOST_ADDRESS, source.to_canonical().to_string());
        self.cx.set_var(var::SENDER_HOST_PORT, source_port.to_string());
        self.connection.client.address = Some(source);
        self.connection.client.port = source_port;
    }
}

/// How much time went by between two moments.
pub(super) fn since(then: Moment, now: Moment) -> Duration {
    let at = |moment: Moment| {
        let seconds = u64::try_from(moment.seconds).unwrap_or(0);
        Duration::new(seconds, moment.nanos.min(999_999_999))
    };
    at(now).saturating_sub(at(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_2(command: u8, family: u8, length: u16, body: &[u8]) -> Vec<u8> {
        [SIGNATURE, &[command, family][..], &length.to_be_bytes(), body].concat()
    }

    fn ends(source: &str, target: &str, ports: (u16, u16)) -> Option<ProxyEnds> {
        let (source, target) = (source.parse().unwrap(), target.parse().unwrap());
        Some(ProxyEnds { source, source_port: ports.0, target, target_port: ports.1 })
    }

    /// Each header is partial at every length but its own.
    fn is_whole(header: &[u8], ends: Option<ProxyEnds>) {
        for end in 0..header.len() {
            assert_eq!(parse(&header[..end]), ProxyHeader::Partial, "{end}");
        }
        let more = [header, b"EHLO x\r\n"].concat();
        assert_eq!(parse(&more), ProxyHeader::Whole(header.len(), ends));
    }

    #[test]
    fn headers_of_version_1() {
        is_whole(b"PROXY UNKNOWN\r\n", None);
        is_whole(b"PROXY UNKNOWN ffff::1 x 65536\r\n", None);
        is_whole(
            b"PROXY TCP4 192.0.2.7 192.0.2.8 65535 1\r\n",
            ends("192.0.2.7", "192.0.2.8", (65535, 1)),
        );
        is_whole(
            b"PROXY TCP6 2001:DB8:0:0::7 ::1 1234 25\r\n",
            ends("2001:db8::7", "::1", (1234, 25)),
        );
    }

    #[test]
    fn headers_of_version_2() {
        let four = [192, 0, 2, 7, 192, 0, 2, 8, 4, 210, 0, 25];
        let between = ends("192.0.2.7", "192.0.2.8", (1234, 25));
        is_whole(&version_2(0x21, 0x11, 12, &four), between);
        let extended = [&four[..], &[1, 0, 3, b'a', b'b', b'c']].concat();
        is_whole(&version_2(0x21, 0x11, 18, &extended), between);
        let mut six = [0; 36];
        (six[15], six[31], six[33], six[35]) = (1, 2, 3, 4);
        is_whole(&version_2(0x21, 0x21, 36, &six), ends("::1", "::2", (3, 4)));
        is_whole(&version_2(0x20, 0x00, 0, b""), None);
        is_whole(&version_2(0x20, 0xff, 3, b"abc"), None);
        is_whole(
            &version_2(0x21, 0x11, 4096, &[7; 4096]),
            ends("7.7.7.7", "7.7.7.7", (1799, 1799)),
        );
    }

    #[test]
    fn cve_2023_42117_addresses_of_a_proxy_are_read_in_bounds() {
        for line in [
            "PROXY",
            "PROXY ",
            "PROXY TCP4",
            "PROXY TCP4 ",
            "PROXY TCP4 192.0.2.7",
            "PROXY TCP4 192.0.2.7 192.0.2.8",
            "PROXY TCP4 192.0.2.7 192.0.2.8 12",
            "PROXY TCP4 192.0.2.7 192.0.2.8 12 ",
            "PROXY TCP4 192.0.2.7 192.0.2.8 12 25 ",
            "PROXY TCP4 192.0.2.7 192.0.2.8 12 25 9",
            "PROXY TCP4  192.0.2.7 192.0.2.8 12 25",
            "PROXY TCP4 192.0.2.777 192.0.2.8 12 25",
            "PROXY TCP4 192.0.2 192.0.2.8 12 25",
            "PROXY TCP4 192.0.2.07 192.0.2.8 12 25",
            "PROXY TCP4 1.2.3.4.5.6.7.8 192.0.2.8 12 25",
            "PROXY TCP4 ::1 ::2 12 25",
            "PROXY TCP6 192.0.2.7 192.0.2.8 12 25",
            "PROXY TCP6 1:2:3:4:5:6:7:8:9:a:b:c 2001:db8::8 12 25",
            "PROXY TCP6 :::::::::::::::::::: ::1 12 25",
            "PROXY TCP6 ::1%eth0 ::1 12 25",
            "PROXY TCP6 [::1] [::2] 12 25",
            "PROXY TCP6 ::ffff:1.2.3.4.5 ::1 12 25",
            "PROXY TCP5 192.0.2.7 192.0.2.8 12 25",
            "PROXY UNKNOWNX",
            "PROXY TCP4 192.0.2.7 192.0.2.8 0 25",
            "PROXY TCP4 192.0.2.7 192.0.2.8 65536 25",
            "PROXY TCP4 192.0.2.7 192.0.2.8 -1 25",
            "PROXY TCP4 192.0.2.7 192.0.2.8 +1 25",
            "PROXY TCP4 192.0.2.7 192.0.2.8 012 25",
            "PROXY TCP4 192.0.2.7 192.0.2.8 12a 25",
            "PROXY TCP4 192.0.2.7 192.0.2.8 99999999999999999999999999 25",
            "PROXY \u{e9}",
        ] {
            let whole = format!("{line}\r\n");
            assert_eq!(parse(whole.as_bytes()), ProxyHeader::Wrong(whole.len()), "{line}");
        }
        // A line ends in both, and soon.
        let plain = b"PROXY TCP4 192.0.2.7 192.0.2.8 12 25\n";
        assert_eq!(parse(plain), ProxyHeader::Wrong(plain.len()));
        let long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 92], b"\r\n"].concat();
        assert_eq!(parse(&long), ProxyHeader::Wrong(long.len()));
        assert_eq!(parse(b"proxy TCP4"), ProxyHeader::Wrong(10));
        for (header, body) in [
            ([0x21, 0x11], [0u8; 11].as_slice()),
            ([0x21, 0x11], &[]),
            ([0x21, 0x21], &[0; 35]),
            ([0x21, 0x00], &[]),
            ([0x21, 0x12], &[0; 12]),
            ([0x21, 0x31], &[0; 216]),
            ([0x21, 0x41], &[0; 12]),
            ([0x21, 0xff], &[0; 64]),
            ([0x22, 0x11], &[0; 12]),
            ([0x21, 0x11], &[0; 4097]),
        ] {
            let length = u16::try_from(body.len()).unwrap();
            let whole = version_2(header[0], header[1], length, body);
            assert_eq!(parse(&whole), ProxyHeader::Wrong(whole.len()), "{header:x?}");
        }
        for version in [0x11, 0x31] {
            assert_eq!(parse(&version_2(version, 0x11, 12, &[0; 12])), ProxyHeader::Wrong(16));
        }
        // It says how much follows, and nothing does.
        assert_eq!(parse(&version_2(0x21, 0x11, 4096, &[])), ProxyHeader::Partial);
        assert!(matches!(parse(&version_2(0x21, 0x11, 65535, &[])), ProxyHeader::Wrong(16)));
    }
}
