use super::super::driver::Driver;
use super::*;
use crate::mail::hints::Record;

fn driver() -> Driver {
    Driver::new().set("sender_host_address", "192.0.2.1")
}

#[track_caller]
fn check(driver: &mut Driver, text: &str, verdict: &str, notes: &[&str]) {
    let said = driver.run(&format!("deny ratelimit = {text}\naccept"));
    let own: Vec<String> =
        driver.notes().iter().map(|note| note.replacen("ratelimit ", "", 1)).collect();
    assert_eq!((said.as_str(), own), (verdict, notes.iter().map(|s| (*s).into()).collect()));
}

const NEW: [&str; 2] = ["creating new rate data block", "initializing new key's rate data"];

#[test]
fn rates_are_measured_and_kept() {
    let cx = &mut driver();
    let strict = "1.9 / 1h / per_cmd / strict";
    let head = "condition count=1 1.9/1h/per_cmd/192.0.2.1";
    check(cx, strict, "Accept", &[head, NEW[0], NEW[1], "db updated", "computed rate 1.0"]);
    let found = "found key in database";
    check(cx, strict, "Deny", &[head, found, "db updated", "computed rate 2.0"]);
    check(cx, strict, "Deny", &[head, found, "db updated", "computed rate 3.0"]);
    check(
        cx,
        "1.9 / 1h / per_cmd",
        "Deny",
        &[head, found, "db not updated: over the limit, but leaky", "computed rate 4.0"],
    );
    check(
        cx,
        "1.9 / 1h / per_cmd / readonly",
        "Deny",
        &[
            "condition count=0 1.9/1h/per_cmd/192.0.2.1",
            found,
            "db not updated: readonly mode",
            "computed rate 3.0",
        ],
    );
}

#[test]
fn an_event_counts_once() {
    let cx = &mut driver();
    let head = "condition count=1 1536.0/1h/per_mail/192.0.2.1";
    check(cx, "1.5K / 1h", "Accept", &[head, NEW[0], NEW[1], "db updated", "computed rate 1.0"]);
    check(cx, "1.5K / 1h", "Accept", &[head, "found pre-computed rate 1.0"]);
    cx.state.end_message(&mut cx.cx);
    check(
        cx,
        "1.5K / 1h",
        "Accept",
        &[head, "found key in database", "db updated", "computed rate 2.0"],
    );
    let conn = "condition count=1 9.0/1h/per_conn/192.0.2.1";
    check(
        cx,
        "9 / 1h / per_conn",
        "Accept",
        &[conn, NEW[0], NEW[1], "db updated", "computed rate 1.0"],
    );
    cx.state.end_message(&mut cx.cx);
    check(cx, "9 / 1h / per_conn", "Accept", &[conn, "found pre-computed rate 1.0"]);
}

#[test]
fn equal_events_count_once_with_unique() {
    let cx = &mut driver().set("local_part", "x").set("domain", "me.example");
    let text = "1.9 / 1h / per_addr / strict";
    let head = "condition count=1 1.9/1h/per_rcpt/unique/192.0.2.1";
    check(
        cx,
        text,
        "Accept",
        &[
            head,
            "creating new Bloom filter",
            "checking uniqueness of x@me.example",
            "event added to Bloom filter",
            NEW[1],
            "db updated",
            "computed rate 1.0",
        ],
    );
    check(
        cx,
        text,
        "Accept",
        &[
            head,
            "found key in database",
            "checking uniqueness of x@me.example",
            "event found in Bloom filter",
            "db updated",
            "computed rate 1.0",
        ],
    );
    cx.cx.set_clean("local_part", "y");
    check(
        cx,
        text,
        "Deny",
        &[
            head,
            "found key in database",
            "checking uniqueness of y@me.example",
            "event added to Bloom filter",
            "db updated",
            "computed rate 2.0",
        ],
    );
}

#[test]
fn keys_have_what_is_no_option() {
    let head = |driver: &mut Driver, text: &str| {
        driver.run(&format!("warn ratelimit = {text}"));
        driver.notes().first().map(|note| note.replacen("ratelimit condition ", "", 1))
    };
    let at = |phase, text: &str| head(&mut driver().at(phase), text);
    for (text, key) in [
        ("0 / 1h / / a / b", "count=1 0.0/1h/per_mail//a/b"),
        ("0 / 1h /", "count=1 0.0/1h/per_mail/192.0.2.1"),
        ("1 / 1h / unique", "count=1 1.0/1h/per_mail/unique"),
        ("1 / 1h / a // b / strict", "count=1 1.0/1h/per_mail/a / b"),
        (
            "3 / 3600s / per_conn / unique=a / readonly",
            "count=0 3.0/3600s/per_conn/unique/192.0.2.1",
        ),
        ("10 / 1h / noupdate / count=3 / leaky", "count=0 10.0/1h/per_mail/192.0.2.1"),
        ("10 / 1h / count=4.5 / k", "count=4 10.0/1h/per_mail/k"),
        ("0x10 / 1h / k", "count=1 16.0/1h/per_mail/k"),
        ("1e3 / 1h / count=", "count=0 1000.0/1h/per_mail/192.0.2.1"),
        ("inf / 1h / k", "count=1 inf/1h/per_mail/k"),
        ("1g / 1h / k", "count=1 1073741824.0/1h/per_mail/k"),
        ("/ 1h / k", "count=1 0.0/1h/per_mail/k"),
    ] {
        assert_eq!(head(&mut driver(), text).as_deref(), Some(key), "{text}");
    }
    let mail = AclPhases::MAIL;
    assert_eq!(at(mail, "1 / 1h / per_rcpt / k").as_deref(), Some("count=0 1.0/1h/per_rcpt/k"));
    assert_eq!(
        at(mail, "1 / 1h / per_addr / unique=x").as_deref(),
        Some("count=0 1.0/1h/per_rcpt/unique/192.0.2.1")
    );
    let mut driver = driver().at(AclPhases::DATA);
    driver.cx.set_clean("recipients_count", "2");
    driver.cx.set_clean("message_size", "15");
    let mut head = |text| head(&mut driver, text);
    assert_eq!(head("9 / 1h / per_rcpt / k").as_deref(), Some("count=2 9.0/1h/per_rcpt/k"));
    assert_eq!(head("9 / 1h / per_byte / k").as_deref(), Some("count=15 9.0/1h/per_mail/k"));
}

#[test]
fn mistakes_are_named() {
    for (text, message) in [
        ("", "sender rate limit not set"),
        ("1", "\"NULL\" is not a time value"),
        ("x / 1h", "\"x\" is not a positive number"),
        ("-1 / 1h", "\"-1\" is not a positive number"),
        ("1 k / 1h", "\"1 k\" is not a positive number"),
        ("1kx / 1h", "\"1kx\" is not a positive number"),
        ("nan / 1h", "\"nan\" is not a positive number"),
        ("1 / 1x", "\"1x\" is not a time value"),
        ("1 / 0s", "\"0s\" is not a time value"),
        ("1 / 1h / per_mail / per_rcpt", "conflicting per_* options"),
        ("1 / 1h / per_mail / per_mail", "conflicting per_* options"),
        ("1 / 1h / strict / leaky", "conflicting update modes"),
        ("1 / 1h / readonly / leaky", "conflicting update modes"),
        ("1 / 1h / per_mail / PER_rcpt", "conflicting per_* options"),
        ("1 / 1h / Strict / LEAKY", "conflicting update modes"),
        ("1 / 1h / strict / leaky / per_mail / per_rcpt", "conflicting per_* options"),
        ("1 / 1h / per_mail / per_rcpt / Count=x", "\"Count=x\" is not a positive number"),
        ("1 / 1h / strict / leaky / count=x", "\"count=x\" is not a positive number"),
        ("1 / 1h / count=x", "\"count=x\" is not a positive number"),
        ("1 / 1h / count=1k", "\"count=1k\" is not a positive number"),
    ] {
        let message = format!("error in arguments to \"ratelimit\" condition: {message}");
        driver().fails(&format!("warn ratelimit = {text}"), &message);
    }
    driver().at(AclPhases::MAIL).fails(
        "warn ratelimit = 1 / 1h / per_rcpt / strict",
        "error in arguments to \"ratelimit\" condition: \"per_rcpt\" must not have /leaky or \
         /strict option, or cannot be used in MAIL ACL",
    );
}

#[test]
fn variables_tell_the_rate() {
    let mut driver = driver();
    driver.run(
        "warn ratelimit = 0 / 1h / count=4.5\n\
         logwrite = $sender_rate $sender_rate_limit $sender_rate_period",
    );
    assert_eq!(driver.logged(), ["4.5 0 1h"]);
}

#[test]
fn rates_fade() {
    let at = |seconds| Moment { seconds, nanos: 0 };
    let old = Rate { at: at(1000), rate: 10.0, uniques: None };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
    close(smoothed(&old, at(1000), 60.0, 1.0), 11.0);
    close(smoothed(&old, at(1060), 60.0, 0.0), 10.0 / std::f64::consts::E);
    close(smoothed(&old, at(1060), 60.0, 1.0), (10.0 - 1.0) / std::f64::consts::E + 1.0);
    close(smoothed(&old, at(0), 60.0, 1.0), 11.0);
    // However long nothing came, an event counts for itself.
    assert_eq!(smoothed(&old, at(1_000_000), 60.0, 5.0), 5.0);
    assert_eq!(smoothed(&old, at(1_000_000), 60.0, 0.0), 0.0);
    let huge = Rate { rate: f64::MAX, ..old };
    assert!(smoothed(&huge, at(1000), 60.0, f64::MAX).is_finite());
}

#[test]
fn a_set_of_events_has_a_time() {
    let told = |age: i64| {
        let mut driver = driver();
        let engine = driver.cx.engine().clone();
        let store = engine.world().hint_store(b"/spool");
        let now = driver.cx.engine().world().clock.now().seconds;
        let mut bits = vec![0; 64];
        add(&mut bits, b"x");
        let since = now - age;
        let rate = Rate {
            at: Moment { seconds: now, nanos: 0 },
            rate: 1.0,
            uniques: Some(Uniques { since, bits }),
        };
        rate.save(&*store, b"100s/per_cmd/unique/k", now).unwrap();
        driver.run("warn ratelimit = 9 / 100s / per_cmd / unique=x / strict / k\naccept");
        driver.notes().join("\n")
    };
    for (age, is_kept) in [(-50, true), (0, true), (100, true), (101, false)] {
        let notes = told(age);
        assert_eq!(notes.contains("event found in Bloom filter"), is_kept, "{age}: {notes}");
        assert_eq!(notes.contains("discarding old Bloom filter"), !is_kept, "{age}: {notes}");
    }
}

#[test]
fn cve_2025_67896_a_set_of_events_of_any_size_is_read() {
    let mut driver = driver();
    let engine = driver.cx.engine().clone();
    let store = engine.world().hint_store(b"/spool");
    for bits in [vec![], vec![1], vec![255; 3], vec![0; 100_000]] {
        let uniques = Some(Uniques { since: 1_000_000_000, bits });
        let rate = Rate { at: Moment { seconds: 5, nanos: 0 }, rate: 1.0, uniques };
        rate.save(&*store, b"1h/per_cmd/unique/k", 5).unwrap();
        let said = driver.run("deny ratelimit = 0 / 1h / per_cmd / unique=x / strict / k");
        assert_eq!(said, "Deny");
    }
}

#[test]
fn cve_2025_67896_a_key_is_only_a_key() {
    let mut driver = driver();
    for key in ["'; DROP TABLE tbl; --", "a\\x00b", "k%s%n", "\\xff"] {
        driver.run(&format!("deny ratelimit = 5 / 1h / per_cmd / {key}\naccept"));
    }
    let long = "k".repeat(5000);
    assert_eq!(driver.run(&format!("deny ratelimit = 5 / 1h / per_cmd / {long}")), "Defer");
    for limit in ["1e308", "inf", "1e308g"] {
        driver.run(&format!("deny ratelimit = {limit} / 1h / per_cmd / unique=x / {limit}"));
        driver.run(&format!("deny ratelimit = 1 / 1h / per_cmd / count={limit} / a{limit}"));
    }
}
