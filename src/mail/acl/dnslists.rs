//! `dnslists` (specification 44.18).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use eximious_core::{AclTerm, Effects, Fail, LogSelector, Meta, Str, TaintRule};
use eximious_stdlib::dns::{self, DnsFound, How, kind};
use eximious_stdlib::ip;
use eximious_stdlib::lists::{elements, elements_with};
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};

/// The longest name that is asked for.
const LONGEST: usize = 255;
/// How many names a condition asks for at the most: who fills its list may be
/// the client.
const MOST_QUERIES: usize = 500;
/// How many answers a conversation remembers.
const MOST_REMEMBERED: usize = 2000;
/// How long it is remembered that there is no answer, in seconds.
const FRUITLESS: u32 = 3600;

static META: Meta = Meta::new(
    "dnslists",
    Effects::DNS.union(Effects::CLOCK).union(Effects::LOG),
    TaintRule::Tainted,
);

/// `dnslists`.
pub(super) static DNSLISTS: AclTerm = words::condition(
    &TermRun::Text(dnslists),
    words::meta(
        "dnslists",
        "dnslists = <domain>[[!]=|&<addresses>][/<keys>] : …",
        "specification 44.18",
        "The client, or a key, is in a list in the DNS.",
        "Without keys, the client's address is looked up with its parts in reverse; where there \
         is no client, that is an error. `=` and `&` say which answers count, `!` turns them \
         round, and only answers in 127.0.0.0/8 count at all. `$dnslist_domain`, \
         `$dnslist_matched`, `$dnslist_value` and `$dnslist_text` tell what was found.",
    ),
)
.effects(META.effects);

/// Whether the client, or a key, is in one of the lists.
fn dnslists(run: &mut Run<'_>, list: &Str) -> Answer {
    let mut unknown = Unknown::Exclude;
    let mut left = MOST_QUERIES;
    for element in elements(list.bytes()) {
        run.note_dnsbl(&[b"dnslists check: ", &*element].concat());
        if element.first() == Some(&b'+') {
            match Unknown::of(&element) {
                Some(wanted) => unknown = wanted,
                None => {
                    run.host.log(&[b"unknown item in dnslist (ignored): ", &*element].concat());
                }
            }
            continue;
        }
        match item(run, list, &Item::parse(&element), unknown, &mut left) {
            Ok(Answer::No) => {}
            Ok(answer) => return answer,
            Err(fail) => {
                run.logged = Some(Str::from(fail.message()));
                return Answer::Error;
            }
        }
    }
    Answer::No
}

/// What it means that there is no answer now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unknown {
    Include,
    Exclude,
    Defer,
}

impl Unknown {
    fn of(word: &[u8]) -> Option<Self> {
        match word.to_ascii_lowercase().as_slice() {
            b"+include_unknown" => Some(Self::Include),
            b"+exclude_unknown" => Some(Self::Exclude),
            b"+defer_unknown" => Some(Self::Defer),
            _ => None,
        }
    }
}

/// An item: `first,domain=values/keys`.
#[derive(PartialEq, Eq, Debug)]
struct Item<'i> {
    domain: &'i [u8],
    /// The list that is asked once the domain has an answer that counts.
    first: Option<&'i [u8]>,
    test: Option<Test<'i>>,
    keys: Option<&'i [u8]>,
}

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Test<'i> {
    negated: bool,
    /// All addresses have to match.
    all: bool,
    /// The values are masks.
    mask: bool,
    values: &'i [u8],
}

impl<'i> Item<'i> {
    fn parse(text: &'i [u8]) -> Self {
        let (before, keys) = match memchr::memchr(b'/', text) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        // Before an equals sign, `&` is a part of the name.
        let sign = memchr::memchr(b'=', before).or_else(|| memchr::memchr(b'&', before));
        let (names, test) = match sign {
            Some(at) => {
                let (names, signs) = before.split_at(at);
                let stripped = names.strip_suffix(b"!");
                let (negated, names) = (stripped.is_some(), stripped.unwrap_or(names));
                let (all, mask, values) = match signs {
                    [b'=', b'=', values @ ..] => (true, false, values),
                    [b'=', b'&', values @ ..] => (true, true, values),
                    [b'=', values @ ..] => (false, false, values),
                    _ => (false, true, &signs[1..]),
                };
                (names, Some(Test { negated, all, mask, values }))
            }
            None => (before, None),
        };
        let (first, domain) = match memchr::memchr(b',', names) {
            Some(at) => (Some(&names[..at]), &names[at + 1..]),
            None => (None, names),
        };
        Self { domain, first, test, keys }
    }
}

fn item(
    run: &mut Run<'_>,
    list: &Str,
    item: &Item<'_>,
    unknown: Unknown,
    left: &mut usize,
) -> Result<Answer, Fail> {
    for name in [Some(item.domain), item.first].into_iter().flatten() {
        let strange = |c: &u8| !c.is_ascii_alphanumeric() && !b"-._".contains(c);
        if name.iter().any(strange) {
            let tail = b"\" contains strange characters - is this right?";
            run.host.log(&[b"dnslists domain \"", name, tail].concat());
        }
    }
    let keys: Vec<Str> = match item.keys {
        Some(keys) => elements(keys).map(|key| Str::from(&*key).stamped(list.taint())).collect(),
        None => {
            let address = run.cx.value_of(var::SENDER_HOST_ADDRESS);
            // Nobody is connected: nobody is listed.
            if address.is_empty() {
                return Ok(Answer::No);
            }
            vec![address]
        }
    };
    let mut later = false;
    for key in &keys {
        let Some(rest) = left.checked_sub(1) else { break };
        *left = rest;
        let prefix = match ip::address(key.bytes()) {
            Some(address) => ip::reversed(address).into_bytes(),
            None => key.bytes().to_vec(),
        };
        let asked = Asked { key, prefix: &prefix, unknown };
        let mut at = item.domain;
        let last = item.first.is_none();
        let mut found = look(run, &asked, at, item.test.as_ref(), last)?;
        if let (Standing::Listed(_), Some(first)) = (&found, item.first) {
            at = first;
            found = look(run, &asked, at, None, true)?;
        }
        match found {
            Standing::Listed(entry) => {
                let means = [b"=> that means ", key.bytes(), b" is listed at ", at].concat();
                run.note_dnsbl(&means);
                run.cx.set_var(var::DNSLIST_DOMAIN, Str::from(at));
                run.cx.set_var(var::DNSLIST_MATCHED, key.clone());
                run.cx.set_var(var::DNSLIST_VALUE, Str::from(shown(&entry.addresses)));
                run.cx.set_var(var::DNSLIST_TEXT, entry.text);
                return Ok(Answer::Yes);
            }
            Standing::Unlisted => {}
            Standing::Later => later = true,
        }
    }
    Ok(if later { Answer::Later } else { Answer::No })
}

/// What is asked for at each of the domains.
struct Asked<'a> {
    key: &'a Str,
    prefix: &'a [u8],
    unknown: Unknown,
}

enum Standing {
    Listed(Entry),
    Unlisted,
    Later,
}

/// What a list says of a key.
#[derive(Clone, Debug, Default)]
struct Entry {
    addresses: Vec<IpAddr>,
    text: Str,
}

/// Whether a key is in a list, with an answer that counts. Where it is not the last one that
/// is asked, its text is nobody's concern.
fn look(
    run: &mut Run<'_>,
    asked: &Asked<'_>,
    domain: &[u8],
    test: Option<&Test<'_>>,
    last: bool,
) -> Result<Standing, Fail> {
    let name = [asked.prefix, b".", domain].concat();
    if name.len() > LONGEST {
        run.host.log(&[b"dnslist query is too long (ignored): ", &*name, b"..."].concat());
        return Ok(Standing::Unlisted);
    }
    let addresses = match known(run, &name)? {
        Known::Listed(addresses) => addresses,
        Known::Unlisted => {
            run.note_dnsbl(&[b"DNS lookup for ", &*name, b" failed"].concat());
            let key = asked.key.bytes();
            run.note_dnsbl(&[b"=> that means ", key, b" is not listed at ", domain].concat());
            return Ok(Standing::Unlisted);
        }
        Known::Later => {
            let (assumed, standing) = match asked.unknown {
                Unknown::Include => ("assumed in list", Standing::Listed(Entry::default())),
                Unknown::Exclude => ("assumed not in list", Standing::Unlisted),
                Unknown::Defer => ("returned DEFER", Standing::Later),
            };
            let head = b"DNS list lookup defer (probably timeout) for ".as_slice();
            let selector = run.cx.engine().settings().log_selector();
            let line = [head, &name, b": ", assumed.as_bytes()].concat();
            run.host.log_by_selector(selector, LogSelector::DNSLIST_DEFER, &line);
            return Ok(standing);
        }
    };
    let yielding = shown(&addresses);
    run.note_dnsbl(
        &[b"DNS lookup for ", &*name, b" succeeded (yielding ", yielding.as_bytes(), b")"].concat(),
    );
    let counts = match test {
        Some(test) => {
            // Bits mean something in answers of a list alone.
            if test.mask {
                genuine(run, asked.key, domain, &addresses);
            }
            test.counts(run, &addresses)
        }
        None => genuine(run, asked.key, domain, &addresses),
    };
    if !counts {
        return Ok(Standing::Unlisted);
    }
    let text = if last { text(run, &name)? } else { Str::EMPTY };
    Ok(Standing::Listed(Entry { addresses, text }))
}

/// Without a test, or with one of bits, answers outside of 127.0.0.0/8 are none of a list:
/// its domain may have been sold.
fn genuine(run: &mut Run<'_>, key: &Str, domain: &[u8], addresses: &[IpAddr]) -> bool {
    let mut one = false;
    for address in addresses {
        let good = matches!(address, IpAddr::V4(address) if address.is_loopback());
        one |= good;
        if !good {
            let tail = format!(" returned {address}; not in 127.0/8 and discarded");
            let head = b"DNS list lookup for ".as_slice();
            run.host.log(&[head, key.bytes(), b" at ", domain, tail.as_bytes()].concat());
        }
    }
    one
}

impl Test<'_> {
    fn counts(&self, run: &mut Run<'_>, addresses: &[IpAddr]) -> bool {
        let values: Vec<Ipv4Addr> = elements_with(self.values, b',')
            .filter_map(|value| match ip::address(&value) {
                Some(IpAddr::V4(value)) => Some(value),
                _ => None,
            })
            .collect();
        let matched = |address: &IpAddr| {
            let IpAddr::V4(address) = address else { return false };
            values.iter().any(|value| match self.mask {
                true => {
                    address.is_loopback() && address.to_bits() & value.to_bits() == value.to_bits()
                }
                false => address == value,
            })
        };
        let holds = match self.all {
            true => addresses.iter().all(matched),
            false => addresses.iter().any(matched),
        };
        if holds != self.negated {
            return true;
        }
        let why = match (self.all, self.negated) {
            (false, false) => "was no match",
            (false, true) => "was an exclude match",
            (true, false) => "was an IP address that did not match",
            (true, true) => "were no IP addresses that did not match",
        };
        let sign = match (self.all, self.mask) {
            (false, false) => "=",
            (false, true) => "&",
            (true, false) => "==",
            (true, true) => "=&",
        };
        run.note_dnsbl(b"=> but we are not accepting this block class because");
        run.note_dnsbl(&[format!("=> there {why} for {sign}").as_bytes(), self.values].concat());
        false
    }
}

/// What a conversation knows of lists.
#[derive(Default)]
struct Memory(HashMap<Vec<u8>, Remembered>);

struct Remembered {
    known: Known,
    until: i64,
    /// The text, once it was asked for.
    text: Option<Str>,
}

#[derive(Clone)]
enum Known {
    Listed(Vec<IpAddr>),
    Unlisted,
    Later,
}

/// What the DNS says of a name; it is asked again once its answer is too old.
fn known(run: &mut Run<'_>, name: &[u8]) -> Result<Known, Fail> {
    let now = now(run)?;
    if let Some(remembered) = run.cx.memory::<Memory>().0.get(name) {
        if now < remembered.until {
            let known = remembered.known.clone();
            run.note_dnsbl(b"dnslists: using result of previous lookup");
            return Ok(known);
        }
        run.note_dnsbl(b"cached data found but past valid time; ");
    }
    run.note_dnsbl(&[b"new DNS lookup for ", name].concat());
    let how = How { once: true, ..How::default() };
    let reply = run.cx.call(&META, |call| dns::query(call, name, kind::A, &how))?;
    let addresses: Vec<IpAddr> =
        reply.records().iter().filter_map(|record| record.address()).collect();
    let (known, lifetime) = match reply.found {
        DnsFound::Records { .. } if !addresses.is_empty() => {
            (Known::Listed(addresses), reply.lifetime())
        }
        DnsFound::Later | DnsFound::Broken => (Known::Later, FRUITLESS),
        _ => (Known::Unlisted, reply.fruitless_for.unwrap_or(FRUITLESS)),
    };
    run.note_dnsbl(format!("dnslists: wrote cache entry, ttl={lifetime}").as_bytes());
    let memory = &mut run.cx.memory::<Memory>().0;
    if memory.len() >= MOST_REMEMBERED {
        memory.clear();
    }
    let until = now.saturating_add(i64::from(lifetime));
    memory.insert(name.to_vec(), Remembered { known: known.clone(), until, text: None });
    Ok(known)
}

/// The first string of a name's text; empty where there is none.
fn text(run: &mut Run<'_>, name: &[u8]) -> Result<Str, Fail> {
    if let Some(Remembered { text: Some(text), .. }) = run.cx.memory::<Memory>().0.get(name) {
        return Ok(text.clone());
    }
    let reply = run.cx.call(&META, |call| dns::query(call, name, kind::TXT, &How::default()))?;
    let first = reply.records().first().and_then(|record| dns::strings(record).next());
    let text = Str::tainted(first.unwrap_or_default()).without_zero();
    if let Some(remembered) = run.cx.memory::<Memory>().0.get_mut(name) {
        remembered.text = Some(text.clone());
    }
    Ok(text)
}

fn now(run: &mut Run<'_>) -> Result<i64, Fail> {
    run.cx.call(&META, |call| call.clock().map(|clock| clock.now().seconds))
}

fn shown(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;
    use super::*;

    const ZONE: &str = "$ORIGIN example.\n\
        2.2.0.192.rbl A 127.0.0.2\n2.2.0.192.rbl TXT \"listed why\" \" more\"\n\
        3.2.0.192.rbl A 127.0.0.2\n3.2.0.192.rbl A 127.0.0.5\n3.2.0.192.rbl TXT \"first\"\n\
        4.2.0.192.rbl A 10.0.0.1\n\
        6.2.0.192.rbl TXT \"only text\"\n\
        2.2.0.192.sub A 127.0.0.9\n2.2.0.192.sub TXT \"sub text\"\n\
        a.dom.rbl A 127.0.0.7\na.dom.rbl TXT \"domain a\"\n\
        2.2.0.192.broken AGAIN\na.broken AGAIN\nb.broken A 127.0.0.1\n\
        1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.rbl A 127.0.0.6\n";
    const SHOWN: &str = "$dnslist_domain|$dnslist_matched|$dnslist_text|$dnslist_value";

    fn driver(client: &str) -> Driver {
        Driver::new().zone(ZONE).set("sender_host_address", client)
    }

    #[track_caller]
    fn said(client: &str, list: &str, said: &str) {
        let acl = format!("warn dnslists = {list}\n  logwrite = {SHOWN}\naccept");
        let mut driver = driver(client);
        driver.run(&acl);
        let logged = driver.logged();
        let own: Vec<_> = logged.iter().filter(|line| line.contains('|')).collect();
        match said {
            "" => assert!(own.is_empty(), "{list}: {logged:?}"),
            said => assert_eq!(own, [said], "{list}"),
        }
    }

    #[test]
    fn clients_and_keys_are_looked_up() {
        said("192.0.2.2", "rbl.example", "rbl.example|192.0.2.2|listed why|127.0.0.2");
        said(
            "192.0.2.3",
            "no.example : rbl.example",
            "rbl.example|192.0.2.3|first|127.0.0.2, 127.0.0.5",
        );
        said("192.0.2.6", "rbl.example", "");
        said("2001:db8::1", "rbl.example", "rbl.example|2001:db8::1||127.0.0.6");
        said("192.0.2.9", "rbl.example/a.dom", "rbl.example|a.dom|domain a|127.0.0.7");
        said("192.0.2.9", "rbl.example/b.dom::a.dom", "rbl.example|a.dom|domain a|127.0.0.7");
        said(
            "192.0.2.9",
            "rbl.example/<;b.dom;192.0.2.3;a.dom",
            "rbl.example|192.0.2.3|first|127.0.0.2, 127.0.0.5",
        );
        said("192.0.2.9", "<; rbl.example/<|2001:db8::1|x", "rbl.example|2001:db8::1||127.0.0.6");
        said("192.0.2.2", "rbl.example/", "");
        said("", "rbl.example : rbl.example/a.dom", "rbl.example|a.dom|domain a|127.0.0.7");
    }

    #[test]
    fn some_answers_count_and_others_do_not() {
        let both = "rbl.example|192.0.2.3|first|127.0.0.2, 127.0.0.5";
        for test in [
            "=127.0.0.5",
            "!==127.0.0.2",
            "&127.0.0.1,127.0.0.3",
            "!=&0.0.0.1",
            "!=",
            "==127.0.0.2,127.0.0.5",
            "=127.0.0.9, 127.0.0.2",
            "!=10.0.0.1",
        ] {
            said("192.0.2.3", &format!("rbl.example{test}"), both);
        }
        for test in [
            "==127.0.0.2",
            "=127.0.0.x",
            "=&127.0.0.1",
            "!&0.0.0.1",
            "=",
            "&",
            "&&127.0.0.1",
            "!==127.0.0.2,127.0.0.5",
            "!=127.0.0.2,127.0.0.5",
            "=2001",
        ] {
            said("192.0.2.3", &format!("rbl.example{test}"), "");
        }
        said("192.0.2.4", "rbl.example", "");
        said("192.0.2.4", "rbl.example!=127.0.0.1", "rbl.example|192.0.2.4||10.0.0.1");
    }

    #[test]
    fn a_merged_list_has_the_text_of_the_first() {
        let sub = "sub.example|192.0.2.2|sub text|127.0.0.9";
        said("192.0.2.2", "sub.example,rbl.example=127.0.0.2", sub);
        said("192.0.2.2", "sub.example,rbl.example=127.0.0.3", "");
        said("192.0.2.3", "sub.example,rbl.example", "");
    }

    #[test]
    fn without_an_answer_it_is_as_the_list_wants_it() {
        said("192.0.2.2", "broken.example", "");
        said("192.0.2.2", "+include_unknown : broken.example", "broken.example|192.0.2.2||");
        said("192.0.2.2", "+defer_unknown : broken.example/a::b", "broken.example|b||127.0.0.1");
        let mut driver = driver("192.0.2.2");
        assert_eq!(driver.run("deny dnslists = +defer_unknown : broken.example"), "Defer");
        assert_eq!(
            driver.logged(),
            [
                "DNS list lookup defer (probably timeout) for 2.2.0.192.broken.example: returned DEFER"
            ]
        );
    }

    #[test]
    fn what_is_odd_is_logged() {
        let mut driver = driver("192.0.2.4");
        driver.run("deny dnslists = +foo : rbl.example : b!d.example");
        assert_eq!(
            driver.logged(),
            [
                "unknown item in dnslist (ignored): +foo",
                "DNS list lookup for 192.0.2.4 at rbl.example returned 10.0.0.1; \
                 not in 127.0/8 and discarded",
                "dnslists domain \"b!d.example\" contains strange characters - is this right?",
            ]
        );
        driver.run(&format!("deny dnslists = rbl.example/{}", "a".repeat(300)));
        assert!(driver.logged().last().is_some_and(|line| line.contains("is too long (ignored)")));
    }

    #[test]
    fn a_conversation_asks_once() {
        let mut driver = driver("192.0.2.2");
        for _ in 0..3 {
            driver.run("deny dnslists = rbl.example : no.example");
            driver.run("deny dnslists = no.example=127.0.0.1");
        }
        let asked = driver.asked();
        assert_eq!(
            asked,
            [
                "dns A 2.2.0.192.rbl.example",
                "dns TXT 2.2.0.192.rbl.example",
                "dns A 2.2.0.192.no.example"
            ]
        );
    }

    #[test]
    fn a_list_of_many_keys_has_an_end() {
        let mut driver = driver("192.0.2.2");
        let keys: Vec<String> = (0..3000).map(|n| format!("k{n}")).collect();
        driver.run(&format!("deny dnslists = rbl.example/<;{}", keys.join(";")));
        assert_eq!(driver.asked().len(), MOST_QUERIES);
    }
}
