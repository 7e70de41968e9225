//! SPF, by records that the test publishes.

use std::time::Instant;

use eximious::Engine;
use eximious::world::Fixture;
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
