//! Where a host is spoken to, and from where: `interface`, `port`, `protocol`, and the
//! lists that a host may be in.

use std::net::IpAddr;
use std::time::Duration;

use eximious_core::trace::{Happening, ListEvent};
use eximious_core::{Call, DriverOpt, Effects, Fail, FailClass, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::hosts;
use eximious_stdlib::lists::{HostNames, Known, Matcher, elements, ip};
use eximious_stdlib::options::opt::transport::smtp;

use crate::Context;
use crate::mail::smtp_client::{Endpoint, Protocol};
use crate::mail::transport::Transport;

static SERVICE: Meta = Meta::new("smtp transport", Effects::NET, TaintRule::Tainted);

/// Reads a transport's options for a connection. Beside it stands what is wrong with
/// them; the rest is left as it is by default then.
pub(crate) fn endpoint(
    cx: &mut Context,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
    asker: &Asker<'_>,
) -> (Endpoint, Option<Vec<u8>>) {
    let Some(transport) = transport else {
        return (Endpoint::default().at(host), None);
    };
    let usual = Endpoint::default().port;
    let (endpoint, wrong) = endpoint_at(cx, transport, usual, host, address, asker);
    if wrong.is_some() {
        return (endpoint, wrong);
    }
    match port(cx, transport, asker) {
        Ok(port) => (Endpoint { port, ..endpoint }.at(host), None),
        Err(why) => (endpoint, Some(why)),
    }
}

/// The same, where the port is known already.
pub(crate) fn endpoint_at(
    cx: &mut Context,
    transport: &Transport,
    port: u16,
    host: &RouteHost,
    address: IpAddr,
    asker: &Asker<'_>,
) -> (Endpoint, Option<Vec<u8>>) {
    let mut endpoint = Endpoint { port, ..Endpoint::default() };
    let protocol = value(cx, transport, smtp::PROTOCOL).map_err(|fail| {
        let head = b"failed to expand transport's protocol value: ".as_slice();
        [head, fail.message()].concat()
    });
    let from = protocol.and_then(|text| {
        endpoint.protocol = match text {
            Some(text) if text.bytes().eq_ignore_ascii_case(b"lmtp") => Protocol::Lmtp,
            Some(text) if text.bytes().eq_ignore_ascii_case(b"smtps") => Protocol::Smtps,
            _ => Protocol::Smtp,
        };
        interface(cx, transport, address, asker)
    });
    let wrong = from.map(|interface| endpoint.interface = interface).err();
    (endpoint.at(host), wrong)
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { interface: None, port: 25, protocol: Protocol::Smtp }
    }
}

impl Endpoint {
    /// At the port that a host names, where it does.
    fn at(mut self, host: &RouteHost) -> Self {
        if let Some(port) = host.port.and_then(|port| u16::try_from(port).ok()) {
            self.port = port;
        }
        self
    }
}

/// How long a connection may take to be there. Zero leaves it to the system, which has an end
/// for it that is shorter than this.
pub(crate) fn connect_timeout(transport: &Transport) -> Duration {
    match transport.get(smtp::CONNECT_TIMEOUT) {
        Duration::ZERO => Duration::from_secs(3600),
        within => within,
    }
}

fn value(
    cx: &mut Context,
    transport: &Transport,
    option: DriverOpt<Str>,
) -> Result<Option<Str>, Fail> {
    transport.expand_some(cx, option).transpose()
}

/// Who wants a connection, as it is named where the options make no sense.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker<'n> {
    Callout,
    /// A delivery, by the transport of this name.
    Delivery(&'n Str),
}

impl std::fmt::Display for Asker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Callout => f.write_str("callout"),
            Self::Delivery(name) => write!(f, "{} transport", name.display()),
        }
    }
}

fn interface(
    cx: &mut Context,
    transport: &Transport,
    to: IpAddr,
    asker: &Asker<'_>,
) -> Result<Option<IpAddr>, Vec<u8>> {
    let text = match value(cx, transport, smtp::INTERFACE) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(fail) if fail.class() == FailClass::Forced => return Ok(None),
        Err(fail) => {
            let head = format!("failed to expand \"interface\" option for {asker}: ");
            return Err([head.as_bytes(), fail.message()].concat());
        }
    };
    if text.taint().is_tainted() {
        let written = transport.text(smtp::INTERFACE).map_or(&b""[..], Str::bytes);
        let head = [b"attempt to use tainted value '", text.bytes(), b"' from '", written].concat();
        cx.log().panic(&[&head[..], b"' for interface"].concat());
        let why = format!("failed to expand \"interface\" option for {asker}: configuration error");
        return Err(why.into_bytes());
    }
    for item in elements(text.bytes()) {
        match ip::address(&item) {
            Some(address) if address.is_ipv4() == to.is_ipv4() => return Ok(Some(address)),
            Some(_) => {}
            None => {
                let tail = format!(
                    "\" is not a valid IP address for the \"interface\" option for {asker}"
                );
                return Err([b"\"".as_slice(), &item, tail.as_bytes()].concat());
            }
        }
    }
    Ok(None)
}

/// A whole number as C writes them: behind `0x` with sixteen digits, behind `0` with eight. One
/// that is too large is the largest.
fn as_in_c(text: &str) -> Option<u64> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    let are_digits = !digits.is_empty() && digits.chars().all(|one| one.is_digit(radix));
    are_digits.then(|| u64::from_str_radix(digits, radix).unwrap_or(u64::MAX))
}

/// The port where hosts are that name none.
pub(crate) fn port(
    cx: &mut Context,
    transport: &Transport,
    asker: &Asker<'_>,
) -> Result<u16, Vec<u8>> {
    let text = match transport.expand(cx, smtp::PORT).transpose() {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Endpoint::default().port),
        Err(fail) => {
            let text = transport.text(smtp::PORT).map_or(&b""[..], Str::bytes);
            let what = match asker {
                Asker::Callout => b"\"port\" option".to_vec(),
                Asker::Delivery(_) => [b"\"", text, b"\" (\"port\" option)"].concat(),
            };
            let tail = format!(" for {asker}: ");
            let head = b"failed to expand ".as_slice();
            return Err([head, &what, tail.as_bytes(), fail.message()].concat());
        }
    };
    let words = text.bytes();
    let name = std::str::from_utf8(words).unwrap_or_default();
    if words.first().is_some_and(u8::is_ascii_digit) {
        let Some(number) = as_in_c(name) else {
            let head = format!("invalid port number for {asker}: ");
            return Err([head.as_bytes(), words].concat());
        };
        if let Ok(port) = u16::try_from(number) {
            return Ok(port);
        }
        let tail = format!("\" for {asker}");
        return Err([b"invalid integer \"", words, tail.as_bytes()].concat());
    }
    let found = cx.call(&SERVICE, |call| call.net().map(|net| net.service(name))).ok().flatten();
    let tail = format!("\" is not defined for {asker}");
    found.ok_or_else(|| [b"TCP port \"", words, tail.as_bytes()].concat())
}

/// Whether a list of a transport's has a host in it; where that can't be told, it has not.
pub(crate) fn is_listed(
    cx: &mut Context,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
    option: DriverOpt<Str>,
) -> bool {
    listing(cx, transport, host, address, option).unwrap_or(false)
}

/// The same; what can't be looked up is an error, and why. A list that can't be expanded has
/// nobody in it, as in Exim.
pub(crate) fn listing(
    cx: &mut Context,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
    option: DriverOpt<Str>,
) -> Result<bool, Vec<u8>> {
    let text = address.to_string();
    let Some((transport, list)) = transport.and_then(|one| Some((one, one.text(option)?))) else {
        let unset = ListEvent::Unset { subject: text.as_bytes(), option: Some(option.name()) };
        cx.tell(Happening::List(unset));
        return Ok(false);
    };
    let mut names = Server { name: Str::tainted(host.name.as_bytes()) };
    let subject = (Str::tainted(text.into_bytes()), address);
    let mut matcher = Matcher::other_host(subject, &mut names).called(option.name());
    let outcome = transport.on_behalf_of(cx, option.name(), |cx| cx.is_in(list, &mut matcher));
    outcome.map_err(|fail| fail.message().to_vec())?.told()
}

/// A server, as lists ask for it.
struct Server {
    name: Str,
}

impl HostNames for Server {
    fn names(&mut self, _: &mut Call<'_>) -> Result<Known<Vec<Str>>, Fail> {
        Ok(Known::Found(vec![self.name.clone()]))
    }

    fn addresses(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail> {
        hosts::addresses(call, name)
    }
}
