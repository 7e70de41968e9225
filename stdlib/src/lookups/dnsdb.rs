//! `dnsdb`: records of the DNS.

mod csa;
mod query;

use std::net::IpAddr;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::DnsRecord;
use eximious_core::{
    Buf, Call, Effects, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use super::cache::Cache;
use crate::dns::{self, DnsFound, DnsReply, How, Patience, kind};
use crate::lists::elements;
use crate::variables::var;
use query::{Deferral, Fields, Query, Signed, Type};

/// `${lookup dnsdb{mx=domain}}`.
pub static DNSDB: LookupDef = LookupDef {
    meta: Meta::new("dnsdb", Effects::LOOKUP.union(Effects::DNS), TaintRule::Tainted)
        .syntax("${lookup dnsdb{><separator> <modifiers>,<type>=<domains>}}")
        .summary("Records of the DNS.")
        .docs(
            "The type is A, AAAA, CNAME, MX, NS, PTR, SOA, SPF, SRV, TLSA or TXT, and TXT where \
             none is given; or one of these: A+ for AAAA and then A, MXH for the hosts of MX \
             without their preferences, ZNS for NS of the domain or of the next one above it that \
             has any, CSA for an authorization by SRV (`Y`, `N`, `X` or `?`, and a host). SOA is \
             looked for upwards, too. An address after PTR or CSA is turned into a name.\n\n\
             Several domains form a list. Records are separated by newlines, or by what follows \
             `>`; a comma after that gives the separator of the fields of a record, a semicolon \
             joins them. Without one, fields are separated by spaces, TXT gives the first string \
             alone, SPF joins them, and SOA gives the server alone. Where the separator of records \
             occurs in an address it is doubled.\n\n\
             Modifiers stand before the type, each with a comma after it. `defer_strict`: no \
             answer for one domain is none for all; `defer_lax`: unless another has one; \
             `defer_never`: it counts as no record. `dnssec_strict`: what is not known to be \
             genuine counts as no answer; `dnssec_lax`: signed answers are asked for; \
             `dnssec_never`: they are not. `$lookup_dnssec_authenticated` says what came of it. \
             `retrans_5s` is how long to wait, `retry_3` how often to ask. An answer is kept for \
             as long as its records may be.",
        )
        .source("specification 9.4.1, 9.10"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(find),
};

fn find(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let query =
        Query::read(query.key.bytes()).map_err(|why| LookupFail::Defer(why.as_bytes().to_vec()))?;
    let mut out = Output { query: &query, text: Buf::default(), any: false };
    let mut lifetime: Option<u32> = None;
    // That one domain has no answer counts where no other has any record.
    let mut later = false;
    let single = query.kind == Type::Ptr && address(query.domains).is_some();
    let domains: Vec<Vec<u8>> = match single {
        true => vec![query.domains.to_vec()],
        false => elements(query.domains).map(std::borrow::Cow::into_owned).collect(),
    };
    let patience = Patience::new(call);
    for domain in &domains {
        if patience.is_over(call) {
            return Err(deferred());
        }
        let name = match (query.kind, address(domain)) {
            (Type::Ptr | Type::Csa, Some(address)) => dns::reverse(address).into_bytes(),
            _ => domain.clone(),
        };
        for kind in query.kind.numbers() {
            let reply = ask(call, &query, &name, *kind)?;
            note(call, query.signed, &reply.answer);
            let doubtful = query.signed == Signed::Strict && !reply.answer.secure;
            match &reply.answer.found {
                DnsFound::Later if query.deferral == Deferral::Strict => return Err(deferred()),
                DnsFound::Later => later |= query.deferral == Deferral::Lax,
                DnsFound::Records { .. } | DnsFound::Broken if doubtful => match query.deferral {
                    Deferral::Strict => return Err(deferred()),
                    deferral => later |= deferral == Deferral::Lax,
                },
                DnsFound::Records { records, .. } => {
                    let own = reply.answer.lifetime();
                    lifetime = Some(lifetime.map_or(own, |least| least.min(own)));
                    out.records(records, reply.parent);
                }
                DnsFound::NoName | DnsFound::NoData | DnsFound::Broken => {}
            }
        }
    }
    let found = out.finish();
    if found.is_none() && later {
        return Err(deferred());
    }
    keep(call, lifetime);
    Ok(found)
}

fn deferred() -> LookupFail {
    LookupFail::Defer(Vec::new())
}

/// What came of a question of a type that may ask more than one.
struct Answer {
    answer: DnsReply,
    /// Whether the records are those of a domain above (CSA).
    parent: bool,
}

/// Asks for one domain.
fn ask(call: &mut Call<'_>, query: &Query<'_>, name: &[u8], kind: u16) -> Result<Answer, Fail> {
    let how = How {
        dnssec: query.signed != Signed::Never,
        retransmit: query.retransmit,
        retries: query.retries,
        ..How::default()
    };
    match query.kind {
        Type::Csa => csa::ask(call, name, &how),
        Type::Zns | Type::Soa => {
            let mut name = name;
            loop {
                let answer = dns::query(call, name, kind, &how)?;
                let parent = memchr::memchr(b'.', name).map(|dot| &name[dot + 1..]);
                match (&answer.found, parent) {
                    (DnsFound::NoName | DnsFound::NoData, Some(parent)) if !parent.is_empty() => {
                        name = parent;
                    }
                    _ => return Ok(Answer { answer, parent: false }),
                }
            }
        }
        _ => Ok(Answer { answer: dns::query(call, name, kind, &how)?, parent: false }),
    }
}

/// Sets `$lookup_dnssec_authenticated`.
fn note(call: &mut Call<'_>, signed: Signed, reply: &DnsReply) {
    let said = match (signed, reply.secure) {
        (Signed::Never, _) => "",
        _ if reply.found == DnsFound::Later => return,
        (_, true) => "yes",
        (_, false) => "no",
    };
    call.set_var(var::LOOKUP_DNSSEC_AUTHENTICATED, Str::fixed(said));
}

/// Says until when the result may be kept. That nothing was found is for the
/// DNS to remember: the lookup says anew whether that is genuine.
fn keep(call: &mut Call<'_>, lifetime: Option<u32>) {
    let lifetime = lifetime.unwrap_or(0);
    let until = dns::now(call).map_or(0, |now| now.saturating_add(lifetime.into()));
    call.memory::<Cache>().until = Some(until);
}

fn address(text: &[u8]) -> Option<IpAddr> {
    crate::ip::address(text)
}

/// The records as text.
struct Output<'q> {
    query: &'q Query<'q>,
    text: Buf,
    any: bool,
}

impl Output<'_> {
    fn finish(self) -> Option<Str> {
        self.any.then(|| self.text.finish())
    }

    /// Adds records. A record without text makes no difference before the first
    /// one with text.
    fn records(&mut self, records: &[DnsRecord], parent: bool) {
        for record in records {
            let Some(text) = self.record(record, parent) else { continue };
            if self.any {
                self.text.push_bytes(&[self.query.separator]);
            }
            self.any |= !text.is_empty();
            self.text.push_bytes(&text);
        }
    }

    /// One record; nothing where its data is not what it should be.
    fn record(&self, record: &DnsRecord, parent: bool) -> Option<Vec<u8>> {
        let fields = self.query.fields;
        // Where there is no separator, Exim drops what is behind the first
        // number, but for the host.
        let (space, joined) = match fields {
            Fields::Default => (" ".to_owned(), false),
            Fields::Separated(byte) => (char::from(byte).to_string(), false),
            Fields::Joined => (String::new(), true),
        };
        let text = match record.kind {
            kind::A | kind::AAAA => doubled(&record.address()?.to_string(), self.query.separator),
            kind::TXT | kind::SPF => return Some(self.strings(record)),
            kind::TLSA => {
                let ([usage, selector, matching], data) = dns::tlsa(record)?;
                if joined {
                    return Some(usage.to_string().into_bytes());
                }
                let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{usage}{space}{selector}{space}{matching}{space}{digits}")
            }
            kind::MX if self.query.kind == Type::Mxh => dns::mx(record)?.1,
            kind::MX => {
                let (preference, host) = dns::mx(record)?;
                format!("{preference}{space}{host}")
            }
            kind::SRV if self.query.kind == Type::Csa => csa::text(record, parent)?,
            kind::SRV => {
                let (priority, weight, port, host) = dns::srv(record)?;
                match joined {
                    true => format!("{priority}{host}"),
                    false => format!("{priority}{space}{weight}{space}{port}{space}{host}"),
                }
            }
            kind::SOA => {
                let (server, mailbox, numbers) = dns::soa(record)?;
                match fields {
                    Fields::Separated(_) => {
                        let numbers = numbers.map(|number| format!("{space}{number}")).concat();
                        format!("{server}{space}{mailbox}{numbers}")
                    }
                    Fields::Default | Fields::Joined => server,
                }
            }
            _ => dns::host(record)?,
        };
        Some(latin(&text))
    }

    fn strings(&self, record: &DnsRecord) -> Vec<u8> {
        let mut strings = dns::strings(record);
        match self.query.fields {
            Fields::Default if record.kind == kind::TXT => {
                strings.next().unwrap_or_default().to_vec()
            }
            Fields::Default | Fields::Joined => strings.collect::<Vec<_>>().concat(),
            Fields::Separated(byte) => strings.collect::<Vec<_>>().join(&[byte][..]),
        }
    }
}

/// An address in which the separator of records is doubled.
fn doubled(text: &str, separator: u8) -> String {
    let separator = char::from(separator);
    text.chars().flat_map(|c| [Some(c), (c == separator).then_some(c)]).flatten().collect()
}

/// Bytes of a text in which a separator may stand that is no ASCII.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}
