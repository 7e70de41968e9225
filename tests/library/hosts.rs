//! What asks the DNS, with zones of the test's own and nothing else outside.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious::world::{
    Civil, Clock, Dns, DnsAnswer, DnsError, DnsOptions, DnsRecord, DnsStanding, Fixture, Log,
    Moment,
};
use eximious::{Builder, Context, Effects, Engine, ListKind, NamedList, Settings, Str, World, opt};

const ZONE: &str = "
$ORIGIN example.
host A 192.0.2.1
host AAAA 2001:db8::1
other A 192.0.2.2
@ MX 10 host
short 0 TXT \"for now\"
long 300 TXT \"for a while\"
down AGAIN
1.2.0.192.in-addr.arpa. PTR host
1.2.0.192.in-addr.arpa. PTR other
2.2.0.192.in-addr.arpa. PTR host
3.2.0.192.in-addr.arpa. PTR down
4.2.0.192.in-addr.arpa. AGAIN
";

fn builder(fixture: &Fixture) -> Builder {
    Engine::builder().world(fixture.world())
}

fn answer(cx: &mut Context, line: &str) -> String {
    let engine = cx.engine().clone();
    match engine.expand_once(line.as_bytes(), cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

#[test]
fn a_name_is_looked_up_once_and_when_it_is_needed() {
    let fixture = Fixture::new().zone(ZONE);
    let mut cx = builder(&fixture).build().context();
    cx.set_clean("sender_host_address", "192.0.2.1");
    let branch = "${if eq{a}{a}{$sender_host_address}{$sender_host_name}}";
    assert_eq!(answer(&mut cx, branch), "192.0.2.1");
    assert_eq!(fixture.asked(), [""; 0]);
    assert_eq!(answer(&mut cx, "$sender_host_name"), "host.example");
    let asked = fixture.asked();
    assert_eq!(
        asked,
        [
            "dns PTR 1.2.0.192.in-addr.arpa",
            "dns AAAA host.example",
            "dns A host.example",
            "dns AAAA other.example",
            "dns A other.example",
        ]
    );
    assert_eq!(answer(&mut cx, "$sender_host_name"), "host.example");
    assert_eq!(fixture.asked(), asked);
    assert_eq!(answer(&mut cx, "$sender_fullhost"), "host.example [192.0.2.1]");
    // Another client.
    cx.set_clean("sender_host_address", "192.0.2.2");
    assert_eq!(answer(&mut cx, "$sender_host_name|$host_lookup_failed"), "|1");
    cx.set_clean("sender_host_address", "192.0.2.3");
    let state = "$sender_host_name|$host_lookup_failed|$host_lookup_deferred";
    assert_eq!(answer(&mut cx, state), "|0|1");
}

#[test]
fn a_name_that_is_set_is_not_looked_up() {
    let fixture = Fixture::new().zone(ZONE);
    let mut cx = builder(&fixture).build().context();
    cx.set_clean("sender_host_address", "192.0.2.1");
    cx.set("sender_host_name", Str::tainted(b"set.example"));
    assert_eq!(answer(&mut cx, "$sender_host_name"), "set.example");
    assert_eq!(answer(&mut cx, "${authresults{me}}").lines().count(), 2);
    assert_eq!(fixture.asked(), [""; 0]);
}

#[test]
fn what_the_dns_says_is_tainted() {
    let fixture = Fixture::new().zone(ZONE);
    let mut cx = builder(&fixture).build().context();
    cx.set_clean("sender_host_address", "192.0.2.1");
    assert!(cx.get("sender_host_name").unwrap().unwrap().taint().is_tainted());
    assert!(answer(&mut cx, "${expand:${lookup dnsdb{long.example}}}").starts_with("Failed: "));
}

#[test]
fn a_policy_that_forbids_the_dns_is_heeded() {
    let fixture = Fixture::new().zone(ZONE);
    let mut cx = builder(&fixture).forbid(Effects::DNS).build().context();
    cx.set_clean("sender_host_address", "192.0.2.1");
    for line in [
        "$sender_host_name",
        "${lookup dnsdb{long.example}}",
        "${if match_domain{example}{@mx_any}{yes}{no}}",
    ] {
        let said = answer(&mut cx, line);
        assert!(said.contains("not permitted"), "{line}: {said}");
    }
    assert_eq!(answer(&mut cx, "${if match_domain{example}{a:example}{yes}{no}}"), "yes");
    assert_eq!(fixture.asked(), [""; 0]);
}

#[test]
fn answers_are_kept_as_long_as_their_records() {
    let fixture = Fixture::new().zone(ZONE);
    let mut cx = builder(&fixture).build().context();
    for _ in 0..3 {
        assert_eq!(answer(&mut cx, "${lookup dnsdb{long.example}}"), "for a while");
    }
    assert_eq!(fixture.asked().len(), 1);
    for _ in 0..3 {
        assert_eq!(answer(&mut cx, "${lookup dnsdb{short.example}}"), "for now");
    }
    assert_eq!(fixture.asked().len(), 4);
    // That nothing was found is remembered.
    for _ in 0..3 {
        assert_eq!(
            answer(&mut cx, "${lookup dnsdb{a=down.example}{yes}{no}}"),
            "Failed: lookup of \"a=down.example\" gave DEFER: "
        );
        assert_eq!(answer(&mut cx, "${lookup dnsdb{a=no.example}{yes}{no}}"), "no");
    }
    assert_eq!(fixture.asked().len(), 6);
}

#[test]
fn options_that_ask_the_dns_themselves_end() {
    let fixture = Fixture::new().zone(ZONE);
    for option in [opt::DNS_AGAIN_MEANS_NONEXIST, opt::DNS_IPV4_LOOKUP, opt::HOSTS_TREAT_AS_LOCAL] {
        let mut settings = Settings::default();
        let text = Str::fixed("@mx_any : ${lookup dnsdb{a=down.example}} : +own");
        settings.set(option, text);
        let list = NamedList::new(Str::fixed("@mx_primary : dnsdb;a=down.example"));
        settings.lists.insert(ListKind::Domain, "own", list);
        let mut cx = builder(&fixture).settings(settings).build().context();
        cx.set_clean("sender_host_address", "192.0.2.3");
        let _ = answer(&mut cx, "${lookup dnsdb{a=down.example}}");
        let _ = answer(&mut cx, "${if match_domain{example}{@mx_any}{yes}{no}}");
        let _ = answer(&mut cx, "$sender_host_name");
    }
}

#[test]
fn cve_2022_37452_thousands_of_names_for_an_address_are_bounded() {
    let mut zone = String::new();
    for number in 0..5000 {
        writeln!(zone, "1.2.0.192.in-addr.arpa. PTR n{number}.example.").unwrap();
    }
    writeln!(zone, "n3.example. A 192.0.2.1").unwrap();
    let fixture = Fixture::new().zone(&zone);
    let mut cx = builder(&fixture).build().context();
    cx.set_clean("sender_host_address", "192.0.2.1");
    assert_eq!(answer(&mut cx, "$sender_host_name"), "n3.example");
    assert!(fixture.asked().len() < 100);
    assert_eq!(answer(&mut cx, "${strlen:${lookup dnsdb{ptr=192.0.2.1}}}"), "68889");
}

#[test]
fn thousands_of_mail_servers_are_bounded() {
    let mut zone = String::new();
    for number in 0..5000 {
        writeln!(zone, "example. MX 10 n{number}.example.").unwrap();
    }
    let fixture = Fixture::new().zone(&zone);
    let mut cx = builder(&fixture).build().context();
    assert_eq!(answer(&mut cx, "${if match_domain{example}{@mx_any}{yes}{no}}"), "no");
    assert!(fixture.asked().len() < 200);
}

#[test]
fn cve_2012_5671_long_text_records_are_bounded() {
    let string = "x".repeat(255);
    let zone = format!("long. TXT {}\n", format!("\"{string}\" ").repeat(256));
    let fixture = Fixture::new().zone(&zone);
    let mut cx = builder(&fixture).build().context();
    assert_eq!(answer(&mut cx, "${strlen:${lookup dnsdb{>:; txt=long}}}"), "65280");
    assert_eq!(answer(&mut cx, "${strlen:${lookup dnsdb{txt=long}}}"), "255");
}

#[test]
fn names_of_a_million_labels_are_not_walked() {
    let fixture = Fixture::new().zone(ZONE);
    let mut cx = builder(&fixture).build().context();
    let long = format!("{}!", "a.".repeat(500_000));
    for kind in ["zns", "soa", "csa", "a", "txt", "ptr"] {
        let said = answer(&mut cx, &format!("${{lookup dnsdb{{{kind}={long}}}{{yes}}{{no}}}}"));
        assert!(said.ends_with("gave DEFER: "), "{kind}: {}", &said[said.len() - 20..]);
    }
    assert_eq!(fixture.asked(), [""; 0]);
}

/// A server that takes ten seconds to say that there is nothing, and the clock of that world.
struct Slow {
    passed: AtomicI64,
    says: DnsError,
}

impl Dns for Slow {
    fn query(&self, name: &str, kind: u16, _: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        let record = |number: u8| {
            // A preference, for mail servers, and a name.
            let preference = if kind == 15 { vec![0, number] } else { Vec::new() };
            let data = [&preference[..], &[1, b'a' + number % 26, 0]].concat();
            DnsRecord { name: name.to_owned(), kind, ttl: 60, data }
        };
        if matches!(kind, 12 | 15) {
            let records = (0..60).map(record).collect();
            let standing = DnsStanding::default();
            return Ok(DnsAnswer {
                name: name.to_owned(),
                records,
                standing,
                ..DnsAnswer::default()
            });
        }
        self.passed.fetch_add(10, Ordering::Relaxed);
        Err(self.says.clone())
    }
}

impl Clock for Slow {
    fn now(&self) -> Moment {
        Moment { seconds: self.passed.load(Ordering::Relaxed), nanos: 0 }
    }
    fn civil(&self, _: Moment, _: Option<&str>) -> Civil {
        Civil::default()
    }
}

#[test]
fn all_questions_together_have_an_end() {
    let list = (0..1000).map(|n| format!("n{n}.example")).collect::<Vec<_>>().join(":");
    let silence = || DnsError::Again("silence".into());
    let nothing = DnsError::NoName(DnsStanding::default());
    for (line, says, seconds) in [
        ("${if match_domain{example}{@mx_any}{yes}{no}}".to_owned(), silence(), 60..=90),
        ("$sender_host_name".to_owned(), nothing, 60..=90),
        // The first of a client's names that is not to be had ends it: its A and its AAAA.
        ("$sender_host_name".to_owned(), silence(), 20..=20),
        (format!("${{lookup dnsdb{{a={list}}}}}"), silence(), 60..=90),
    ] {
        let slow = Arc::new(Slow { passed: AtomicI64::new(0), says });
        let world = World { dns: slow.clone(), clock: slow.clone(), ..World::hermetic() };
        let mut cx = Engine::builder().world(world).build().context();
        cx.set_clean("sender_host_address", "192.0.2.1");
        let _ = answer(&mut cx, &line);
        let took = slow.now().seconds;
        assert!(seconds.contains(&took), "{line}: {took}");
    }
}

/// A server that takes 30 milliseconds for mail servers, and 5 for all else, by a clock that
/// knows that; and what is logged.
struct Late {
    dns: Arc<dyn Dns>,
    passed: AtomicI64,
    lines: Mutex<Vec<String>>,
}

impl Dns for Late {
    fn query(&self, name: &str, kind: u16, how: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        self.passed.fetch_add(if kind == 15 { 30 } else { 5 }, Ordering::Relaxed);
        self.dns.query(name, kind, how)
    }
}

impl Clock for Late {
    fn now(&self) -> Moment {
        Moment::default()
    }
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::Relaxed).unsigned_abs())
    }
    fn civil(&self, _: Moment, _: Option<&str>) -> Civil {
        Civil::default()
    }
}

impl Log for Late {
    fn main(&self, line: &[u8]) {
        self.lines.lock().expect("a log").push(String::from_utf8_lossy(line).into_owned());
    }
    fn panic(&self, line: &[u8]) {
        self.main(line);
    }
    fn debug(&self, _: &[u8]) {}
}

#[test]
fn answers_that_take_their_time_are_logged() {
    for (most, wanted) in [
        (0, &[][..]),
        (13, &["Long MX lookup for 'example': 30 msec"]),
        (30, &[]),
        (
            4,
            &[
                "Long MX lookup for 'example': 30 msec",
                "Long AAAA lookup for 'host.example': 5 msec",
                "Long A lookup for 'host.example': 5 msec",
            ],
        ),
    ] {
        let fixture = Fixture::new().zone(ZONE).world();
        let late = Arc::new(Late {
            dns: fixture.dns.clone(),
            passed: AtomicI64::new(0),
            lines: Mutex::default(),
        });
        let world = World { dns: late.clone(), clock: late.clone(), log: late.clone(), ..fixture };
        let mut settings = Settings::default();
        settings.set(opt::SLOW_LOOKUP_LOG, most);
        let mut cx = Engine::builder().world(world).settings(settings).build().context();
        // What is not about a host is not told.
        let text =
            "${if match_domain{example}{@mx_any}{y}{n}}${lookup dnsdb{mx=nosuch.example}{yes}{no}}";
        assert_eq!(answer(&mut cx, text), "nno");
        assert_eq!(*late.lines.lock().expect("a log"), wanted, "{most}");
    }
}
