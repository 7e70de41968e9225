//! XCLIENT: a proxy that speaks SMTP itself says for whom it does (Postfix's
//! `XCLIENT_README`; `hosts_xclient`).

use std::net::{IpAddr, Ipv6Addr};

use eximious::{Str, opt, var};

use super::SmtpSession;
use super::parameters::xtext;
use super::proxy::ProxyEnds;
use super::stage::{Handled, Stage};

/// What EHLO says of it.
pub(super) const OFFER: &str = "XCLIENT ADDR NAME PORT LOGIN DESTADDR DESTPORT";

/// What is logged as the mechanism of a client whose login name the proxy told.
const MECHANISM: &str = "xclient";

/// What is known of XCLIENT in a connection.
#[derive(Debug, Default)]
pub(super) struct Xclient {
    /// Whether the host that is connected may say it, once that is known.
    permitted: Option<bool>,
    /// Whether it named the client.
    used: bool,
}

/// What a proxy said of its client.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    address: Option<IpAddr>,
    port: Option<u16>,
    name: Option<Vec<u8>>,
    login: Option<Vec<u8>>,
    target: Option<IpAddr>,
    target_port: Option<u16>,
}

impl SmtpSession {
    /// Whether the host at the other end of the connection may say XCLIENT. That it
    /// speaks for others does not change it.
    pub(super) fn may_use_xclient(&mut self) -> Result<bool, Stage> {
        if let Some(may) = self.connection.xclient.permitted {
            return Ok(may);
        }
        let set = self.cx.engine().settings().text(opt::HOSTS_XCLIENT).is_some();
        let may = set
            && self.connection.client.address.is_some()
            && self.client_in(opt::HOSTS_XCLIENT)?;
        self.connection.xclient.permitted = Some(may);
        Ok(may)
    }

    pub(super) fn xclient(&mut self, argument: &[u8]) -> Handled {
        if !self.connection.advertised.xclient {
            return Err(self.protocol_error(b"503", b"XCLIENT command used when not advertised"));
        }
        if self.transaction.envelope.is_some() {
            return Err(self.protocol_error(b"503", b"mail transaction in progress"));
        }
        let said = read(argument).map_err(|why| self.syntax_error(b"501", why.as_bytes()))?;
        let known_target = said.target.or(self.connection.client.local_address).is_some();
        let (source, source_port) = match (said.address, said.port) {
            (Some(address), Some(port)) => (address, port),
            // The client may be known from the last one.
            (address, port) if self.connection.xclient.used => {
                match address.or(self.connection.client.address) {
                    Some(address) => (address, port.unwrap_or(self.connection.client.port)),
                    None => return Err(self.syntax_error(b"501", b"missing ADDR for XCLIENT")),
                }
            }
            (None, _) => return Err(self.syntax_error(b"501", b"missing ADDR for XCLIENT")),
            _ => return Err(self.syntax_error(b"501", b"missing PORT for XCLIENT")),
        };
        let proxy = (self.variable(var::PROXY_LOCAL_ADDRESS), self.variable(var::PROXY_LOCAL_PORT));
        let outer = (
            self.connection.client.local_address.unwrap_or(source),
            self.connection.client.local_port,
        );
        let ends = ProxyEnds {
            source,
            source_port,
            target: said.target.unwrap_or(outer.0),
            target_port: said.target_port.or(outer.1).unwrap_or(0),
        };
        self.cx.set_var(var::PROXY_SESSION, Str::fixed("yes"));
        self.cx.set_var(var::SENDER_HELO_NAME, Str::EMPTY);
        eximious::client::forget_hello(&mut self.cx);
        self.cx.unset_var(var::SENDER_HOST_NAME);
        self.cx.set_var(var::SENDER_IDENT, Str::EMPTY);
        if let Some(name) = said.name {
            self.cx.set_var(var::SENDER_HOST_NAME, Str::tainted(name));
        }
        self.replace_client(ends);
        if !known_target {
            self.cx.set_var(var::PROXY_EXTERNAL_ADDRESS, Str::EMPTY);
        }
        eximious::client::describe(&mut self.cx);
        if std::mem::replace(&mut self.connection.xclient.used, true) {
            // The proxy is who is connected, and not the client before.
            self.cx.set_var(var::PROXY_LOCAL_ADDRESS, proxy.0);
            self.cx.set_var(var::PROXY_LOCAL_PORT, proxy.1);
        }
        let login = said.login.unwrap_or_default();
        let mechanism = if login.is_empty() { "" } else { MECHANISM };
        self.cx.set_var(var::SENDER_HOST_AUTHENTICATED, Str::fixed(mechanism));
        self.cx.set_var(var::AUTHENTICATED_ID, Str::tainted(login));
        self.drop_transaction();
        self.connection.advertised = Default::default();
        self.note_protocol(false);
        // For whom it speaks is welcome, or not, as who connects by himself.
        Ok(self.welcome())
    }
}

/// Reads `ADDR=192.0.2.1 PORT=1025 …`; values are xtext.
fn read(argument: &[u8]) -> Result<Said, &'static str> {
    const SYNTAX: &str = "bad command parameter syntax";
    let mut said = Said::default();
    let words = argument.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut count = 0;
    for word in words {
        count += 1;
        let equals = memchr::memchr(b'=', word).ok_or(SYNTAX)?;
        let value = xtext(&word[equals + 1..]).filter(|value| !value.is_empty()).ok_or(SYNTAX)?;
        let unknown = [b"[UNAVAILABLE]".as_slice(), b"[TEMPUNAVAIL]"]
            .iter()
            .any(|text| value.eq_ignore_ascii_case(text));
        match (word[..equals].to_ascii_uppercase().as_slice(), unknown) {
            (b"ADDR", false) => {
                said.address = Some(address(&value).ok_or("invalid address in XCLIENT ADDR")?);
            }
            (b"DESTADDR", false) => {
                let value = address(&value).ok_or("invalid address in XCLIENT DESTADDR")?;
                said.target = Some(value);
            }
            (b"PORT", false) => {
                said.port = Some(port(&value).ok_or("invalid port in XCLIENT PORT")?);
            }
            (b"DESTPORT", false) => {
                said.target_port = Some(port(&value).ok_or("invalid port in XCLIENT DESTPORT")?);
            }
            (b"NAME", false) => {
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
                if value.len() > 255 || !value.iter().all(plain) {
                    return Err("invalid name in XCLIENT NAME");
                }
                said.name = Some(value);
            }
            (b"LOGIN", false) => {
                if value.iter().any(u8::is_ascii_control) {
                    return Err(SYNTAX);
                }
                said.login = Some(value);
            }
            (b"ADDR" | b"NAME" | b"PORT" | b"LOGIN" | b"DESTADDR" | b"DESTPORT", true) => {}
            // HELO says it again.
            (b"HELO" | b"PROTO", _) => {}
            _ => return Err("unrecognized XCLIENT parameter"),
        }
    }
    if count == 0 { Err(SYNTAX) } else { Ok(said) }
}

/// An address, those of IPv6 with or without `IPV6:` before them.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    match text.get(..5).filter(|head| head.eq_ignore_ascii_case("ipv6:")) {
        Some(_) => text[5..].parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

fn port(text: &[u8]) -> Option<u16> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok()?.parse().ok();
    number.filter(|number| digits && *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_says_is_read() {
        let all = b"ADDR=192.0.2.1  port=1025 NAME=a.example LOGIN=a+2Bb DESTADDR=IPV6:::1 \
            DESTPORT=25 HELO=x PROTO=ESMTP";
        let said = read(all).unwrap();
        assert_eq!(said.address, "192.0.2.1".parse().ok());
        assert_eq!((said.port, said.target_port), (Some(1025), Some(25)));
        assert_eq!(said.target, "::1".parse().ok());
        assert_eq!(said.login.as_deref(), Some(b"a+b".as_slice()));
        assert_eq!(read(b"NAME=[UNAVAILABLE] ADDR=[tempunavail]"), Ok(Said::default()));
        for wrong in [
            "",
            " ",
            "ADDR",
            "ADDR=",
            "=x",
            "FOO=x",
            "ADDR=x",
            "ADDR=1.2.3",
            "ADDR=IPV6:1.2.3.4",
            "PORT=0",
            "PORT=65536",
            "PORT=+1",
            "PORT=x",
            "NAME=a+0Ab",
            "NAME=<x>",
            "LOGIN=a+0D",
            "LOGIN=+4",
            "ADDR=1.2.3.4 =",
            "ADDR=\u{e9}",
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
