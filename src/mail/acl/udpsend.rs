//! `udpsend` (specification 44.12).

use std::net::{IpAddr, SocketAddr};

use eximious_core::{AclTerm, Effects, Fail, Meta, Str, TaintRule};
use eximious_stdlib::hosts;
use eximious_stdlib::lists::{Known, change_of_separator, ip};

use super::machine::{Answer, Run};
use super::words::{self, TermRun};

static META: Meta =
    Meta::new("udpsend", Effects::NET.union(Effects::DNS).union(Effects::LOG), TaintRule::Tainted);

/// `udpsend`.
pub(super) static UDPSEND: AclTerm = words::modifier(
    &TermRun::Text(udpsend),
    words::meta(
        "udpsend",
        "udpsend = <server> : <port> : <text>",
        words::MODIFIERS,
        "Sends a packet over UDP.",
        "The list has a host's name or address, a port, and what the packet says. `<;` at the \
         beginning changes the separator, for addresses of IPv6. No answer is waited for.",
    ),
)
.effects(META.effects);

/// Sends a packet; nobody waits for an answer.
fn udpsend(run: &mut Run<'_>, text: &Str) -> Answer {
    let bytes = text.bytes();
    let (separator, start) = change_of_separator(bytes).unwrap_or((b':', 0));
    let mut rest = bytes.get(start..).unwrap_or_default();
    let mut next = || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
        let (element, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        Some(element.trim_ascii())
    };
    let (host, port) = (next().filter(|host| !host.is_empty()), next());
    let packet = rest;
    let refused = |run: &mut Run<'_>, why: &str| {
        run.logged = Some(Str::from(format!("{why} in \"udpsend\" modifier")));
        Answer::Error
    };
    let Some(host) = host else { return refused(run, "missing destination host") };
    let Some(port) = port else { return refused(run, "missing destination port") };
    let number = std::str::from_utf8(port).unwrap_or("x");
    let Ok(port) = (if number.is_empty() { Ok(0) } else { number.parse::<u16>() }) else {
        return refused(run, "bad destination port");
    };
    let address = match address(run, host) {
        Ok(Some(address)) => address,
        Ok(None) => {
            run.logged = Some(Str::fixed("DNS lookup failed in \"udpsend\" modifier"));
            return Answer::Later;
        }
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            return Answer::Error;
        }
    };
    run.note(&[format!("udpsend [{address}]:{port} ").as_bytes(), packet].concat());
    let to = SocketAddr::new(address, port);
    let sent = run.cx.call(&META, |call| call.net().map(|net| net.send(to, packet)));
    match sent {
        Ok(Ok(())) => {
            run.note(format!("udpsend {} bytes", packet.len()).as_bytes());
            Answer::Yes
        }
        Ok(Err(why)) => {
            let why = eximious_stdlib::wording::reason(&why);
            let line = format!(
                "\"udpsend\" failed: failed to connect to any address for {address}: {why}"
            );
            run.logged = Some(Str::from(line));
            Answer::Later
        }
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            Answer::Error
        }
    }
}

/// The address of a host, if it has one.
fn address(run: &mut Run<'_>, host: &[u8]) -> Result<Option<IpAddr>, Fail> {
    if let Some(address) = ip::address(host) {
        return Ok(Some(address));
    }
    let known = run.cx.call(&META, |call| hosts::addresses(call, host))?;
    Ok(match known {
        Known::Found(addresses) => addresses.first().copied(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "missing destination host in \"udpsend\" modifier"),
            ("127.0.0.1", "missing destination port in \"udpsend\" modifier"),
            ("127.0.0.1 : 1x : a", "bad destination port in \"udpsend\" modifier"),
            ("127.0.0.1 : 70000 : a", "bad destination port in \"udpsend\" modifier"),
            ("no.such.host : 1 : x", "DNS lookup failed in \"udpsend\" modifier"),
        ] {
            Driver::new().fails(&format!("accept udpsend = {text}"), message);
        }
    }

    #[test]
    fn what_is_sent() {
        let mut driver = Driver::new().zone("h.example. A 192.0.2.7\n");
        for (text, note) in [
            ("127.0.0.1 : 1 : x : y", "udpsend [127.0.0.1]:1  x : y"),
            ("127.0.0.1 : : z", "udpsend [127.0.0.1]:0  z"),
            ("127.0.0.1 : 53", "udpsend [127.0.0.1]:53 "),
            ("<; 2001:db8::1 ; 99 ; x", "udpsend [2001:db8::1]:99  x"),
            ("h.example : 9 : x", "udpsend [192.0.2.7]:9  x"),
        ] {
            assert_eq!(driver.run(&format!("accept udpsend = {text}")), "Defer");
            assert_eq!(driver.notes(), [note]);
        }
    }
}
