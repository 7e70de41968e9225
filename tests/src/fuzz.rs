//! What the fuzz targets do with their bytes. A plain test drives them too,
//! with what the suites hold and what becomes of it when bytes change.

use std::sync::Arc;

use eximious::grammar::expansion::{self, ParseLimits};
use eximious::world::{Dns, DnsAnswer, DnsError, DnsOptions, DnsRecord, DnsStanding, Fixture};
use eximious::{Batch, Config, Engine, Limits, Macros, Str, World};

use crate::layouts::check;

mod auth;
mod mail;
mod tls;
mod wire;
mod workbench;

pub use auth::auth;
pub use mail::{batch, hints, journal, redirect, replies, rewrite, spool};
pub use tls::{client_hello, first_words, policies, proof, server_hello, tlsa};
pub use wire::{message, proxy, smtp};
pub use workbench::{
    debug_adapter, debug_sessions, editor_sessions, language_server, test_file, test_files, traced,
};

/// Lays out: a second time changes nothing, and the meaning stays.
pub fn format(data: &[u8]) {
    check(data);
}

/// Parses: any bytes make a tree, and the places in it lie in the text.
pub fn parse(data: &[u8]) {
    let registry = eximious::registry();
    let tree = expansion::parse(data, &registry, ParseLimits::default());
    let tree = tree.view();
    for fault in tree.faults() {
        assert!(fault.span.start <= fault.span.end && fault.span.end as usize <= data.len());
    }
    for part in tree.pieces(tree.root).iter().map(|piece| piece.span) {
        assert!(part.start <= part.end && part.end as usize <= data.len());
    }
}

/// Evaluates, in a world that denies everything: a string or a failure.
pub fn evaluate(data: &[u8]) {
    let engine = Engine::builder().limits(limits()).build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"o'tool${lc:X}\\$\xff".as_slice()));
    cx.set("domain", Str::tainted(b"Example.com".as_slice()));
    cx.set("acl_m_x", Str::from("a:b::c"));
    let rule = engine.compile(data);
    let first = rule.expand(&mut cx);
    // The same text gives the same answer, however it is compiled.
    let again = engine.expand_once(data, &mut engine.context());
    if let (Err(first), Err(again)) = (&first, &again)
        && !data.windows(4).any(|w| w == b"rand")
    {
        let same = first.message() == again.message();
        assert!(same || data.contains(&b'$'), "{first} / {again}");
    }
    if let Err(fail) = first {
        let _ = format!("{fail:#}");
    }
    // Nor does it matter what is parsed before it.
    let mut batch = Batch::default();
    [data, b"${uc:x", data].iter().for_each(|text| batch.parse(&engine, text));
    let among = batch.expand(2, &mut engine.context());
    if !data.windows(4).any(|w| w == b"rand") {
        match (&again, &among) {
            (Ok(again), Ok(among)) => assert_eq!(again, among),
            (Err(again), Err(among)) => assert_eq!(again.message(), among.message()),
            _ => panic!("{again:?} / {among:?}"),
        }
    }
}

fn limits() -> Limits {
    Limits::default().steps(20_000).length(1 << 20)
}

/// Splits and joins lists: what is joined splits into the same elements.
pub fn lists(data: &[u8]) {
    use eximious::stdlib::lists::{Joiner, elements, elements_with};
    let split = elements(data);
    let separator = split.separator();
    let found: Vec<Vec<u8>> = split.map(|e| e.into_owned()).collect();
    assert!(found.len() <= data.len() + 1);
    if separator.is_ascii_control() || separator == b' ' {
        return;
    }
    let mut joiner = Joiner::new(separator);
    found.iter().for_each(|element| joiner.push(element));
    let joined = joiner.finish();
    let again: Vec<Vec<u8>> =
        elements_with(joined.bytes(), separator).map(|e| e.into_owned()).collect();
    // A first element that is empty or begins with a separator, and a last one
    // that is empty, can't be told apart from their absence.
    if found.first().is_some_and(|e| !e.is_empty() && e[0] != separator)
        && found.last().is_some_and(|e| !e.is_empty())
        && found.iter().all(|e| e.last() != Some(&separator))
    {
        assert_eq!(again, found);
    }
}

/// Asks both engines for a pattern, in a text behind the first zero byte: they find the
/// same.
pub fn patterns(data: &[u8]) {
    use eximious::stdlib::pattern::by_both;
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (pattern, subject) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    for caseless in [false, true] {
        if let Some([pcre, regex]) = by_both(pattern, caseless, subject) {
            assert_eq!(regex, pcre, "{}", String::from_utf8_lossy(pattern));
        }
    }
}

/// Reads addresses, headers and encoded words through the operators.
pub fn addresses(data: &[u8]) {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("acl_m_x", Str::tainted(data));
    for operator in ["address", "addresses", "domain", "local_part", "rfc2047", "rfc2047d"] {
        let text = format!("${{{operator}:$acl_m_x}}");
        let _ = engine.expand_once(text.as_bytes(), &mut cx);
    }
}

/// Reads a configuration: its faults have places, and what is sound is printed and
/// used. Lines of suites are no configuration, so sections are put between them.
pub fn config(data: &[u8]) {
    use eximious::config::Printer;
    use eximious::retry::{Failure, rule};
    use eximious::rewrite::{AddressPlace, Rewriter};
    let registry = eximious::registry();
    let heads: [&[u8]; 6] = [
        b"",
        b"begin acl\na:\n",
        b"begin rewrite\n",
        b"begin retry\n",
        b"begin routers\nr:\n driver = redirect\n data = ",
        b"begin transports\nt:\n driver = smtp\n ",
    ];
    for head in heads {
        let world = Fixture::new().file("/c", [head, data].concat()).world();
        let Ok(config) = Config::read_all(b"/c", Macros::new(), &world, &registry) else { return };
        for fault in &config.faults {
            assert!(!fault.text().is_empty());
        }
        for line in &config.lines {
            let place = line.place(line.text.len() / 2);
            assert!(config.sources.line(place).is_some());
        }
        let (values_only, admin, version) = (false, false, "4");
        let (config, registry) = (&config, &registry);
        let printer = Printer { config, registry, world: &world, values_only, admin, version };
        let words = ["all", "config", "routers", "transports", "+a", "macro", "A"];
        printer.print(&words.map(|word| word.as_bytes().to_vec()));
        let engine = config.build(Engine::builder().limits(limits()));
        let mut cx = engine.context();
        let address = Str::tainted(b"x@y.example".as_slice());
        let _ = Rewriter::of(config).header_item(&mut cx, &address, AddressPlace::From);
        let error = eximious::config::RetryError::Any;
        let failure =
            Failure { key: address.clone(), alternate: None, error, sender: Some(address) };
        let _ = rule(&mut cx, config, &failure);
    }
}

/// Reads and obeys a filter, a user's and a system filter: it ends, and what is wrong
/// with it has a place in it. Nothing stays behind.
pub fn filter(data: &[u8]) {
    use eximious::filter::{FilterEnd, FilterOptions, exim};
    use eximious::grammar::filter::{Allowed, parse};
    use eximious::trace::TraceEvent;
    let parsed = parse(data, Allowed::SYSTEM);
    if let Some(fault) = &parsed.fault {
        assert!(fault.at as usize <= data.len() && !fault.message.is_empty());
        assert!(fault.line as usize <= 1 + data.iter().filter(|c| **c == b'\n').count());
    }
    let engine = Engine::builder().limits(limits()).build();
    for (system, testing) in [(false, false), (false, true), (true, true)] {
        let mut cx = engine.context();
        for (name, value) in [("local_part", "user"), ("domain", "b"), ("return_path", "x@y")] {
            cx.set_clean(name, value);
        }
        cx.set("sender_address", Str::tainted(b"x@y".as_slice()));
        let message = b"From: a@b\nTo: user@b, ${lc:X}@c, x: d@e;\nSubject: \\x (a\n\nbody";
        cx.set_message(Some(eximious::stdlib::message::parse(message)));
        let options = FilterOptions { system, testing, ..FilterOptions::default() };
        cx.observe(Arc::new(|_: &TraceEvent<'_>| ()));
        let done = exim(&mut cx, data, &options, &mut ());
        if parsed.fault.is_some() && system {
            assert!(matches!(done.end, FilterEnd::Error(_)));
        }
        assert!(cx.get("n0").is_none());
    }
}

/// Obeys Sieve scripts, with a message that somebody else wrote: whatever they
/// hold, they end, and where they are wrong there is a line that says so.
pub fn sieve(data: &[u8]) {
    use eximious::filter::FilterEnd;
    use eximious::filter::sieve::{SieveOptions, run};
    use eximious::grammar::sieve::parse;
    use eximious::stdlib::message::parse as message;
    let engine = Engine::builder().limits(limits()).build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"user".as_slice()));
    cx.set("domain", Str::tainted(b"dom.example".as_slice()));
    cx.set("sender_address", Str::tainted(b"a@b.example".as_slice()));
    let (first, second) = data.split_at(data.len() / 2);
    cx.set_message(Some(message(second)));
    let name = Some(Str::fixed("x"));
    let options = SieveOptions {
        sub_address: name.clone(),
        vacation_directory: name.clone(),
        notify_owner: name,
        work: 1 << 22,
        ..SieveOptions::default()
    };
    let all = b"require [\"body\", \"comparator-i;ascii-numeric\", \"copy\", \
        \"encoded-character\", \"enotify\", \"envelope\", \"fileinto\", \"subaddress\", \
        \"vacation\"];";
    for script in [data.to_vec(), [all, data].concat(), [all, first].concat()] {
        let read = parse(&script, options.dialect(), options.limits);
        if let Some(fault) = &read.fault {
            assert!(fault.span.end as usize <= script.len() && fault.line > 0);
        }
        let done = run(&mut cx, &script, &options);
        let again = run(&mut cx, &script, &options);
        assert_eq!(done, again);
        assert!(
            read.fault.is_some() || matches!(done.end, FilterEnd::Finished | FilterEnd::Error(_))
        );
    }
}

/// Reads data of DNS records: the same bytes are what every question finds.
pub fn records(data: &[u8]) {
    let dns = std::sync::Arc::new(Crafted(data.to_vec()));
    let world = World { dns, ..World::hermetic() };
    let engine = Engine::builder().limits(limits()).world(world).build();
    let mut cx = engine.context();
    cx.set_clean("sender_host_address", "192.0.2.1");
    for kind in
        ["a+", "cname", "csa", "mx", "mxh", "ns", "ptr", "soa", "spf", "srv", "tlsa", "txt", "zns"]
    {
        for form in ["", ">:,+ ", ">:; "] {
            let line = format!("${{lookup dnsdb{{{form}{kind}=a.b.example}}{{$value}}{{}}}}");
            let _ = engine.expand_once(line.as_bytes(), &mut cx);
        }
    }
    let line = b"$sender_host_name${if match_domain{a.example}{@mx_any}{yes}{no}}";
    let _ = engine.expand_once(line, &mut cx);
}

/// A name server whose records hold what somebody made up.
struct Crafted(Vec<u8>);

impl Dns for Crafted {
    fn query(&self, name: &str, kind: u16, _: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        let record = |kind, data: &[u8]| DnsRecord {
            name: name.to_owned(),
            kind,
            ttl: 1,
            data: data.to_vec(),
        };
        let half = &self.0[..self.0.len() / 2];
        let records = vec![record(kind, &self.0), record(5, half), record(kind, half)];
        let standing = DnsStanding::default();
        Ok(DnsAnswer { name: name.to_owned(), records, standing, ..DnsAnswer::default() })
    }
}
