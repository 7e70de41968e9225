//! SPF, by records that the test publishes.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use eximious::Engine;
use eximious::world::{Dns, DnsAnswer, DnsError, DnsOptions, Fixture};
use eximious_mailauth::spf::{Sender, Verdict, check};
use eximious_mailauth::{DnsQuery, DnsQueryKind, DnsResponse, DnsSource, Rdata};
use eximious_tests::ours::Ours;
use eximious_tests::root;

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/data/spf").join(name)).expect("a file")
}

/// What the lookup answers, with these records.
fn ask(fixture: &Fixture, sender: &str, client: &str) -> String {
    let mut ours = Ours::with_engine(Engine::builder().world(fixture.world()).build());
    ours.set("sender_address", sender);
    let line = format!("${{lookup{{$sender_address}}spf{{{client}}}{{$value}}{{nothing}}}}");
    String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned()
}

#[test]
fn senders_and_clients() {
    let fixture = Fixture::new().zone(&read("zone"));
    let mut count = 0;
    for line in read("answers.txt").lines() {
        let line = line.split(" # ").next().unwrap_or_default();
        let [sender, client, verdict] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        assert_eq!(ask(&fixture, sender, client), verdict, "{line}");
        count += 1;
    }
    assert!(count > 300, "{count}");
    assert_eq!(ask(&fixture, "user@all.test", "1.2.3"), "nothing");
    assert_eq!(ask(&fixture, "user@all.test", ""), "nothing");
    assert_eq!(ask(&fixture, "", "1.2.3.4"), "nothing");
}

#[test]
fn names_in_utf8_are_checked_by_those_that_the_dns_has() {
    let zone = "$ORIGIN test.\nxn--mller-kva TXT \"v=spf1 ip4:192.0.2.9 -all\"\n";
    let fixture = Fixture::new().zone(zone);
    for (sender, client, verdict) in [
        ("x@m\u{fc}ller.test", "192.0.2.7", "fail"),
        ("x@m\u{fc}ller.test", "192.0.2.9", "pass"),
        ("j\u{fc}rgen@M\u{dc}LLER.test", "192.0.2.7", "fail"),
        ("m\u{fc}ller.test", "192.0.2.7", "fail"),
        ("x@n\u{f6}.test", "192.0.2.7", "none"),
        ("x@-\u{fc}.test", "192.0.2.7", "none"),
    ] {
        assert_eq!(ask(&fixture, sender, client), verdict, "{sender} {client}");
    }
}

#[test]
fn what_has_no_answer_now_is_asked_for_later() {
    let zone = "$ORIGIN test.\na TXT \"v=spf1 a:later.test -all\"\nlater AGAIN\nb TXT \"v=spf1 \
                include:later.test -all\"\nc TXT \"v=spf1 ip4:1.2.3.4 a:later.test -all\"\n";
    let fixture = Fixture::new().zone(zone);
    for (sender, verdict) in [
        ("a@a.test", "temperror"),
        ("a@b.test", "temperror"),
        ("a@c.test", "pass"),
        ("a@later.test", "temperror"),
    ] {
        assert_eq!(ask(&fixture, sender, "1.2.3.4"), verdict, "{sender}");
    }
}

/// A DNS by a table, and what it is asked at once.
#[derive(Default)]
struct Rounds {
    asked: Vec<Vec<String>>,
    /// What it need not ask any more.
    prepared: Vec<String>,
}

fn named(questions: &[DnsQuery]) -> Vec<String> {
    let named = |one: &DnsQuery| format!("{} {:?}", String::from_utf8_lossy(&one.name), one.kind);
    questions.iter().map(named).collect()
}

impl DnsSource for Rounds {
    fn prepare(&mut self, questions: &[DnsQuery]) {
        self.asked.push(named(questions));
        self.prepared.extend(named(questions));
    }

    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        let mut new = named(questions);
        new.retain(|one| !self.prepared.contains(one));
        if !new.is_empty() {
            self.asked.push(new);
        }
        let answer = |question: &DnsQuery| {
            let exchange = |host: &[u8]| Rdata::Exchange { preference: 1, host: host.to_vec() };
            let found = match (&question.name[..], question.kind) {
                (b"d.test", DnsQueryKind::Txt) => {
                    let text = b"v=spf1 a mx include:i.test exists:%{p}.test ip4:9.9.9.9 \
                        redirect=r.test";
                    vec![Rdata::Text(text.to_vec())]
                }
                (b"d.test", DnsQueryKind::Mx) => vec![exchange(b"m1.test"), exchange(b"m2.test")],
                (b"i.test", DnsQueryKind::Txt) => {
                    vec![Rdata::Text(b"v=spf1 ip4:1.2.3.4 a:never.test mx:never.test".to_vec())]
                }
                (_, DnsQueryKind::A) => vec![Rdata::Address("8.8.8.8".parse().unwrap())],
                _ => return DnsResponse::NoName,
            };
            DnsResponse::Records(found)
        };
        questions.iter().map(answer).collect()
    }
}

#[test]
fn terms_are_asked_side_by_side() {
    let mut dns = Rounds::default();
    let sender = Sender {
        address: "1.2.3.4".parse().unwrap(),
        helo: b"h.test",
        mailbox: b"u@d.test",
        receiver: b"me.test",
        now: 0,
    };
    assert_eq!(check(&mut dns, &sender, None).verdict, Verdict::Pass);
    let rounds: Vec<String> = dns.asked.iter().map(|round| round.join(", ")).collect();
    assert_eq!(
        rounds,
        ["d.test Txt", "d.test A, d.test Mx, i.test Txt, r.test Txt", "m1.test A, m2.test A",]
    );
}

/// A DNS in which nothing is.
struct Nothing;

impl DnsSource for Nothing {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        vec![DnsResponse::NoName; questions.len()]
    }
}

#[test]
fn a_guess_may_find_nothing() {
    // What can't have a record has none, either.
    for mailbox in [&b"u@nothing.test"[..], b"postmaster@nowhere", b"u@[1.2.3.4]"] {
        let sender = Sender {
            address: "1.2.3.4".parse().unwrap(),
            helo: b"h.test",
            mailbox,
            receiver: b"me.test",
            now: 0,
        };
        let checked = check(&mut Nothing, &sender, Some(b"v=spf1 a/24 mx/24 ptr ?all"));
        assert!(checked.guessed);
        assert_eq!(checked.verdict, Verdict::Neutral);
    }
}

/// CVE-2023-42118: records and senders that are made to hurt.
#[test]
fn cve_2023_42118_hostile_records_end() {
    let long = "a".repeat(4000);
    let mut zone = String::from("$ORIGIN test.\n");
    // Each includes ten others, ten deep.
    for level in 0..10 {
        let next = level + 1;
        let many = format!("include:i{next}.test ").repeat(10);
        zone.push_str(&format!(
            "i{level} TXT \"v=spf1 \" \"{}\" \"{}\"\n",
            &many[..80],
            &many[80..]
        ));
    }
    zone.push_str("m TXT \"v=spf1 exists:%{s}%{s}%{s}%{s}%{s}%{s}%{l}%{l}%{l}%{l}.test -all\"\n");
    zone.push_str(
        "p TXT \"v=spf1 exists:%{p}.%{p}.%{p}.test exists:%{P99999999999r-+_,}.x.test -all\"\n",
    );
    let fixture = Fixture::new().zone(&zone);
    let begun = Instant::now();
    for sender in
        ["x@i0.test", "x@m.test", "x@p.test", &format!("{long}@m.test"), &format!("x@{long}.test")]
    {
        let verdict = ask(&fixture, sender, "1.2.3.4");
        assert!(["permerror", "fail", "(invalid)"].contains(&&*verdict), "{sender}: {verdict}");
    }
    let asked = fixture.asked().len();
    assert!(asked < 100, "{asked} questions");
    assert!(begun.elapsed().as_secs() < 5);
}

/// A name server that gives the addresses of the hosts of MX records with these.
struct Generous {
    zones: Arc<dyn Dns>,
    asked: Mutex<Vec<String>>,
}

impl Dns for Generous {
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        self.asked.lock().unwrap().push(format!("{name} {kind}"));
        let mut answer = self.zones.query(name, kind, options)?;
        if kind == 15 {
            // One address of nobody is among them.
            for host in ["m1.test", "m3.test", "else.test"] {
                let found = self.zones.query(host, 1, options)?;
                answer.additional.extend(found.records);
            }
        }
        Ok(answer)
    }
}

#[test]
fn addresses_that_come_with_mx_records_are_not_asked_for() {
    let zone = "$ORIGIN test.\nd TXT \"v=spf1 a mx -all\"\nd A 8.8.8.8\nd MX 1 m1\nd MX 2 m2\n\
        d MX 3 m3\nm1 A 1.1.1.1\nm2 A 2.2.2.2\nm3 A 3.3.3.3\nm3 A 3.3.3.4\nelse A 4.4.4.4\nd AAAA 2001:db8::9\nm1 AAAA 2001:db8::1\n\
        m2 AAAA 2001:db8::2\nm3 AAAA 2001:db8::3\n";
    for (client, verdict) in [
        ("1.1.1.1", "pass"),
        ("2.2.2.2", "pass"),
        ("3.3.3.4", "pass"),
        ("4.4.4.4", "fail"),
        ("2001:db8::7", "fail"),
    ] {
        let fixture = Fixture::new().zone(zone);
        let mut world = fixture.world();
        let generous = Generous { zones: world.dns.clone(), asked: Mutex::default() };
        let generous = Arc::new(generous);
        world.dns = generous.clone();
        let mut ours = Ours::with_engine(Engine::builder().world(world).build());
        let line = format!("${{lookup{{x@d.test}}spf{{{client}}}{{$value}}{{nothing}}}}");
        assert_eq!(String::from_utf8_lossy(&ours.answer(line.as_bytes())), verdict, "{client}");
        let mut asked = generous.asked.lock().unwrap().clone();
        asked.sort();
        let wanted: &[&str] = match client {
            // The answer has none of that kind, which may be for want of room.
            "2001:db8::7" => &["d.test 15", "d.test 16", "d.test 28", "m1.test 28", "m2.test 28"],
            // The first one is enough.
            "1.1.1.1" => &["d.test 1", "d.test 15", "d.test 16"],
            _ => &["d.test 1", "d.test 15", "d.test 16", "m2.test 1"],
        };
        let known: Vec<&str> = asked.iter().map(String::as_str).collect();
        assert!(known.starts_with(&wanted[..3]), "{client}: {asked:?}");
        assert!(wanted.iter().all(|one| known.contains(one)), "{client}: {asked:?}");
        assert!(!known.contains(&"m1.test 1") && !known.contains(&"m3.test 1"), "{asked:?}");
    }
}
