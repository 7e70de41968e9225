//! `spf`: whether a host may send for an address.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, Effects, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use eximious_mailauth::spf::{Sender, check};

use super::cache::Cache;
use crate::address;
use crate::dns::{self, AuthDns};
use crate::options::opt;

/// `${lookup{address}spf{client address}}`.
pub static SPF: LookupDef = LookupDef {
    meta: Meta::new("spf", Effects::LOOKUP.union(Effects::DNS), TaintRule::Clean)
        .syntax("${lookup{<mail address>}spf{<client address>}}")
        .summary("The result of an SPF check.")
        .docs(
            "The key is a mail address, or a domain, and the file the IP address of a client. \
             What the domain publishes says whether that client may send for it; the answer is \
             `pass`, `fail`, `softfail`, `neutral`, `none` where the domain publishes nothing, \
             `permerror` where that makes no sense, `temperror` where the DNS has no answer now, \
             and `(invalid)` for what is no domain. A client that is this host itself always \
             passes. Nothing is found for a client that is no address.",
        )
        .source("specification 9.3.13, 58.2; RFC 7208"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(find),
};

fn find(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let client = std::str::from_utf8(query.file.bytes()).ok().and_then(|text| text.parse().ok());
    let Some(client) = client else { return Ok(None) };
    let receiver = call.settings().get(opt::PRIMARY_HOSTNAME);
    let now = dns::now(call).unwrap_or_default();
    let mailbox = &address::with_domain_in_ascii(query.key.bytes());
    let sender = Sender { address: client, helo: b"", mailbox, receiver: receiver.bytes(), now };
    let mut asked = AuthDns::new(call);
    let checked = check(&mut asked, &sender, None);
    asked.finish()?;
    // The DNS remembers for as long as its records may be kept.
    call.memory::<Cache>().until = Some(now);
    Ok(Some(Str::fixed(checked.verdict.name())))
}
