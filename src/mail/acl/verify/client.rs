//! What is verified of the client: its greeting, its names, its certificate
//! (specification 44.17 and 44.26).

use std::net::IpAddr;

use eximious_core::world::DnsRecord;
use eximious_core::{AclOptions, AclVerify, Effects, Fail, Meta, Runs, Str, TaintRule};
use eximious_stdlib::dns::{self, DnsFound, How, kind};
use eximious_stdlib::hosts;
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::super::machine::{Answer, Run};
use super::super::words::{self, Asked, VerifyRun};
use crate::mail::client;

/// What stands before a domain whose clients are asked for.
const SERVICE: &str = "_client._smtp.";
/// The version of such records: their priority.
const VERSION: u16 = 1;
/// How many domains above are asked at the most, whatever the option says.
const MOST_DOMAINS: i64 = 100;

static META: Meta =
    Meta::new("verify", Effects::DNS.union(Effects::CLOCK).union(Effects::LOG), TaintRule::Tainted);

/// `verify = helo`.
pub(in crate::mail::acl) static HELO: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(helo)),
    words::meta(
        "helo",
        "verify = helo",
        "specification 44.17",
        "The client is who it says it is.",
        "The name or address after HELO or EHLO belongs to the client, as `helo_verify_hosts` \
         would find. It is looked up now if it was not yet. Without TCP/IP (`-bs`) it holds.",
    ),
)
.effects(META.effects);

/// The greeting has the client's address, or a name of it.
fn helo(run: &mut Run<'_>, _: Asked<'_>) -> Answer {
    // Once is enough for a greeting, and for a client without an address that has failed.
    let said = run.cx.value_of(var::SENDER_HELO_NAME);
    let has_address = !run.cx.value_of(var::SENDER_HOST_ADDRESS).is_empty();
    if let Some((known, holds)) = &run.state.hello
        && (*known == said || !holds && !has_address)
    {
        return Answer::from(*holds);
    }
    match client::verify_hello(run.cx) {
        Ok(holds) => {
            run.state.hello = Some((said, holds));
            Answer::from(holds)
        }
        Err(fail) => failed(run, &fail),
    }
}

/// `verify = reverse_host_lookup`.
pub(in crate::mail::acl) static REVERSE_HOST_LOOKUP: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(reverse_host_lookup)),
    words::meta(
        "reverse_host_lookup",
        "verify = reverse_host_lookup[/defer_ok]",
        "specification 44.17",
        "The client's address has a name that leads back to it.",
        "The name of the address, or another name for it, must have the address in turn. With \
         `/defer_ok` a DNS that does not answer will do. Where there is no client, it holds.",
    ),
)
.options(AclOptions::Names(&["defer_ok"]))
.effects(META.effects);

/// The client has a name that has its address.
fn reverse_host_lookup(run: &mut Run<'_>, Asked { options, .. }: Asked<'_>) -> Answer {
    let address = run.cx.value_of(var::SENDER_HOST_ADDRESS);
    if address.is_empty() {
        return Answer::Yes;
    }
    let known = run.cx.call(&META, hosts::is_looked_up);
    if !known {
        run.note(b"looking up host name to force name/address consistency check");
    }
    let found = run.cx.call(&META, |call| -> Result<(Str, bool, bool), Fail> {
        let name = hosts::client_name(call)?;
        let later = call.value_of(var::HOST_LOOKUP_DEFERRED)?.bytes() == b"1";
        let refused = hosts::name_refused(call);
        let why = refused.unwrap_or_else(|| b"failed to find host name from IP address".to_vec());
        let found = !name.is_empty();
        Ok((Str::tainted(why), found, later))
    });
    let (why, found, later) = match found {
        Ok(found) => found,
        Err(fail) => return failed(run, &fail),
    };
    if found {
        return Answer::Yes;
    }
    if later {
        if options.iter().any(|option| option == b"defer_ok") {
            return Answer::Yes;
        }
        run.logged = Some(Str::fixed("host lookup deferred for reverse lookup check"));
        return Answer::Later;
    }
    let check: &[u8] = if known { b"" } else { b" for reverse lookup check" };
    let parts = [b"host lookup failed".as_slice(), check, b" (", why.bytes(), b")"];
    run.logged = Some(Str::tainted(parts.concat()));
    Answer::No
}

/// `verify = certificate`.
pub(in crate::mail::acl) static CERTIFICATE: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(certificate)),
    words::meta(
        "certificate",
        "verify = certificate",
        "specification 44.17",
        "The client's certificate was verified.",
        "The connection must be encrypted, and the client must have sent a certificate, which it \
         is asked for only if `tls_verify_hosts` or `tls_try_verify_hosts` names it.",
    ),
);

/// The client's was verified.
fn certificate(run: &mut Run<'_>, _: Asked<'_>) -> Answer {
    if run.cx.value_of(var::TLS_IN_CERTIFICATE_VERIFIED).bytes() == b"1" {
        return Answer::Yes;
    }
    super::says(run, Str::fixed("no verified certificate"));
    // The log has it where the statement refuses.
    run.logged = None;
    Answer::No
}

/// `verify = csa`.
pub(in crate::mail::acl) static CSA: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(csa)),
    words::meta(
        "csa",
        "verify = csa[/<name>]",
        "specification 44.26",
        "The client may use the name that it gave, says the DNS.",
        "The domain of the client's EHLO may publish a record of client SMTP authorization, which \
         says whether a host of this address sends mail. `$csa_status` has the result. Without a \
         record it is not refused.",
    ),
)
.options(AclOptions::Text)
.effects(META.effects);

/// The domain of the greeting, or another one, has nothing against the client.
fn csa(run: &mut Run<'_>, asked: Asked<'_>) -> Answer {
    let domain = asked.options.first().map(Vec::as_slice);
    let address = run.cx.value_of(var::SENDER_HOST_ADDRESS);
    let Some(client) = ip::address(address.bytes()) else { return Answer::Yes };
    let domain = match domain.filter(|domain| !domain.is_empty()) {
        Some(domain) => domain.to_vec(),
        None => run.cx.value_of(var::SENDER_HELO_NAME).bytes().to_vec(),
    };
    let domain = if domain.is_empty() { address.bytes().to_vec() } else { domain };
    let (status, why) = match authorization(run, &domain, client.to_canonical()) {
        Ok(found) => found,
        Err(fail) => return failed(run, &fail),
    };
    run.cx.set_var(var::CSA_STATUS, Str::fixed(status));
    let Some(why) = why else {
        // What nobody knows is told where all else does not hold.
        if status == "unknown" {
            super::says(run, Str::fixed("client SMTP authorization unknown"));
        }
        return Answer::Yes;
    };
    super::says(run, Str::from(format!("client SMTP authorization failed ({why})")));
    Answer::No
}

/// The status, and why it is refused.
fn authorization(
    run: &mut Run<'_>,
    domain: &[u8],
    client: IpAddr,
) -> Result<(&'static str, Option<&'static str>), Fail> {
    run.cx.call(&META, |call| {
        let literal = domain.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        let domain = match ip::address(literal.unwrap_or(domain)) {
            Some(_) if !call.settings().get(opt::DNS_CSA_USE_REVERSE) => {
                return Ok(("unknown", None));
            }
            Some(address) => dns::reverse(address).into_bytes(),
            None => domain.to_vec(),
        };
        let ask = |call: &mut eximious_core::Call<'_>, name: &[u8]| {
            dns::query(call, &[SERVICE.as_bytes(), name].concat(), kind::SRV, &How::default())
        };
        let mut reply = ask(call, &domain)?;
        let mut parent = false;
        if reply.found == DnsFound::NoData {
            let limit = call.settings().get(opt::DNS_CSA_SEARCH_LIMIT);
            let limit = limit.clamp(0, MOST_DOMAINS) as usize;
            let dots: Vec<_> =
                memchr::memchr_iter(b'.', &domain).rev().skip(1).take(limit).collect();
            for dot in dots {
                let above = ask(call, domain.get(dot + 1..).unwrap_or_default())?;
                let done = match &above.found {
                    DnsFound::Records { records, .. } => records.iter().any(asserts),
                    found => *found == DnsFound::Later,
                };
                if done {
                    (reply, parent) = (above, true);
                    break;
                }
            }
        }
        let records = match &reply.found {
            DnsFound::Later => return Ok(("defer", None)),
            DnsFound::Records { records, .. } => records,
            _ => return Ok(("unknown", None)),
        };
        if parent {
            return Ok(("fail", Some("explicit authorization required")));
        }
        let usable = records.iter().filter_map(dns::srv);
        let Some((_, weight, _, target)) =
            usable.into_iter().find(|(version, weight, ..)| *version == VERSION && *weight < 3)
        else {
            return Ok(("unknown", None));
        };
        if weight < 2 {
            return Ok(("fail", Some("host name not authorized")));
        }
        let hosted = dns::addresses(call, target.as_bytes(), &How::default())?;
        let kin: Vec<IpAddr> = hosted
            .addresses
            .iter()
            .map(IpAddr::to_canonical)
            .filter(|address| address.is_ipv4() == client.is_ipv4())
            .collect();
        Ok(match (kin.contains(&client), kin.is_empty()) {
            (true, _) => ("ok", None),
            _ if hosted.later => ("defer", None),
            (_, true) => ("fail", Some("no authorized addresses")),
            _ => ("fail", Some("client address mismatch")),
        })
    })
}

/// Whether a record says that all domains below must have records.
fn asserts(record: &DnsRecord) -> bool {
    dns::srv(record).is_some_and(|(version, _, flags, _)| version == VERSION && flags & 1 != 0)
}

fn failed(run: &mut Run<'_>, fail: &Fail) -> Answer {
    run.logged = Some(Str::from(fail.message()));
    Answer::Error
}
