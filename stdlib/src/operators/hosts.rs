//! Addresses of hosts: `ipv6denorm`, `ipv6norm`, `mask`, `reverse_ip`.

use std::net::{IpAddr, Ipv4Addr};

use eximious_core::{
    Call, Effects, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};
use smallvec::SmallVec;

use crate::ip;
use crate::number::decimal;

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Clean)
        .syntax(syntax)
        .summary(summary)
        .source("specification 11.6")
}

/// `${ipv6denorm:…}`.
pub static IPV6DENORM: Operator = Operator {
    meta: meta("ipv6denorm", "${ipv6denorm:<address>}", "An IPv6 address with all its digits.")
        .docs("An IPv4 address is mapped into IPv6.")
        .examples(&[Example::new("${ipv6denorm:::1}", "0000:0000:0000:0000:0000:0000:0000:0001")]),
    run: OperatorRun::Plain(|_, arg, _| Ok(Str::from(ip::longest(groups(arg)?, ":")))),
};

/// `${ipv6norm:…}`.
pub static IPV6NORM: Operator = Operator {
    meta: meta("ipv6norm", "${ipv6norm:<address>}", "An IPv6 address in its shortest form.")
        .docs(
            "Zeros at the head of groups are left out, and the longest run of zero groups is a \
             double colon. An IPv4 address is mapped into IPv6. As in Exim, what stands behind \
             the operator in the same string is lost where there is a double colon.",
        )
        .examples(&[
            Example::new("${ipv6norm:2001:0db8:0:0:1:0:0:1}", "2001:db8::1:0:0:1"),
            Example::new("${ipv6norm:1.2.3.4}", "::ffff:102:304"),
        ]),
    run: OperatorRun::Plain(|_, arg, _| {
        let mut text = ip::shortest(groups(arg)?);
        if text.contains("::") || text == ":" {
            // The program leaves a zero byte at the end, where a string ends.
            text.push('\0');
        }
        Ok(Str::from(text))
    }),
};

fn groups(arg: &Str) -> Result<[u16; 8], Fail> {
    ip::address(arg.bytes()).map(ip::groups).ok_or_else(|| not_an_address(arg.bytes()))
}

fn not_an_address(text: &[u8]) -> Fail {
    Fail::argument([b"\"", text, b"\" is not an IP address"].concat())
}

/// `${mask:…}`, `${mask_n:…}`.
pub static MASK: Operator = Operator {
    meta: meta("mask", "${mask_n:<address>/<bits>}", "The network that an address lies in.")
        .forms(&["mask_n"])
        .docs(
            "The bits after the given number are cleared. An IPv6 address comes back with dots \
             between its groups, fit for a key in a file; `mask_n` gives the shortest form with \
             colons.",
        )
        .examples(&[
            Example::new("${mask:10.111.131.206/28}", "10.111.131.192/28"),
            Example::new("${mask:2001:db8::1/32}", "2001.0db8.0000.0000.0000.0000.0000.0000/32"),
            Example::new("${mask_n:2001:db8::1/32}", "2001:db8::/32"),
        ]),
    run: OperatorRun::Plain(mask),
};

fn mask(_: &mut Call<'_>, arg: &Str, params: Params<'_>) -> Result<Str, Fail> {
    let text = arg.bytes();
    let (address, bits) = ip::network(text).ok_or_else(|| not_an_address(text))?;
    let complaint = |what: &[u8]| Fail::argument([what, b" in \"", text, b"\""].concat());
    let bits = bits.ok_or_else(|| complaint(b"missing mask value"))?;
    Ok(Str::from(match ip::masked(address, bits) {
        None => return Err(complaint(b"mask value too big")),
        Some(IpAddr::V4(network)) => return Ok(short_network(network, bits)),
        Some(network) if params.is_some_and(|p| p.starts_with(b"n")) => {
            format!("{}/{bits}", ip::shortest(ip::groups(network)))
        }
        Some(network) => format!("{}/{bits}", ip::longest(ip::groups(network), ".")),
    }))
}

/// A network of version 4.
fn short_network(network: Ipv4Addr, bits: u32) -> Str {
    let mut text: SmallVec<[u8; 32]> = SmallVec::new();
    for (number, end) in network.octets().into_iter().zip(*b".../") {
        text.extend_from_slice(decimal(number).bytes());
        text.push(end);
    }
    text.extend_from_slice(decimal(bits).bytes());
    Str::from(&*text)
}

/// `${reverse_ip:…}`.
pub static REVERSE_IP: Operator = Operator {
    meta: meta("reverse_ip", "${reverse_ip:<address>}", "An address backwards, as in DNS zones.")
        .docs(
            "An IPv4 address goes by its bytes, an IPv6 address by its hexadecimal digits. A \
             mask after a slash is passed over.",
        )
        .examples(&[
            Example::new("${reverse_ip:192.0.2.4}", "4.2.0.192"),
            Example::new(
                "${reverse_ip:2001:db8::1}",
                "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
            ),
        ]),
    run: OperatorRun::Plain(|_, arg, _| match reversible(arg.bytes()) {
        Some(address) => Ok(Str::from(ip::reversed(address))),
        None => {
            let text = arg.bytes();
            Err(Fail::argument([b"reverse_ip() not given an IP address [", text, b"]"].concat()))
        }
    }),
};

/// The address, or the one of version 4 that is written as mapped.
fn reversible(text: &[u8]) -> Option<IpAddr> {
    let (address, _) = ip::network(text)?;
    if let IpAddr::V6(mapped) = address
        && text.starts_with(b"::ffff:")
        && text.contains(&b'.')
        && let Some(mapped) = mapped.to_ipv4_mapped()
    {
        return Some(mapped.into());
    }
    Some(address)
}
