use std::sync::Arc;

use eximious_core::World;
use eximious_core::world::{Fixture, Moment};

use super::*;

fn store() -> Arc<dyn HintStore> {
    Fixture::new().world().hint_store(b"/spool")
}

fn report() -> TlsReport {
    let mut report = TlsReport::default();
    let policy = ReportedPolicy { lines: vec!["3 1 1 ab".into()], ..ReportedPolicy::default() };
    let failure = ReportedFailure { result: "x".into(), ..ReportedFailure::default() };
    report.count(&policy, Some(failure.clone()));
    report.count(&policy, Some(failure));
    report.count(&policy, None);
    report
}

fn all() -> Vec<Vec<u8>> {
    let rate = Rate { at: Moment { seconds: 9, nanos: 8 }, rate: 1.5, uniques: None };
    let uniques = Some(Uniques { since: 3, bits: vec![0, 255] });
    vec![
        encode(&Retry { error: -44, text: b"no\0w".to_vec(), expired: true, ..Retry::default() }),
        encode(&CalloutDomain { random: CalloutResult::Reject, ..CalloutDomain::default() }),
        encode(&CalloutAddress { accepted: true }),
        encode(&Rate { uniques, ..rate.clone() }),
        encode(&rate),
        encode(&Seen),
        encode(&Working { pids: vec![2, 3] }),
        encode(&Waiting),
        encode(&StsRecord { id: "1".into(), text: b"x".to_vec(), ..StsRecord::default() }),
        encode(&report()),
    ]
}

/// Reads bytes as every kind, and writes again what could be read.
fn again(value: &[u8]) -> Vec<Vec<u8>> {
    fn one<R: Record>(value: &[u8]) -> Option<Vec<u8>> {
        let hint = Hint { value: value.to_vec(), stamp: 0 };
        decode::<R>(&hint).map(|(record, _)| encode(&record))
    }
    let kinds = [
        one::<Retry>(value),
        one::<CalloutDomain>(value),
        one::<CalloutAddress>(value),
        one::<Rate>(value),
        one::<Seen>(value),
        one::<Working>(value),
        one::<Waiting>(value),
        one::<StsRecord>(value),
        one::<TlsReport>(value),
    ];
    kinds.into_iter().flatten().collect()
}

#[test]
fn records_are_read_as_they_were_written_and_as_no_other() {
    for bytes in all() {
        assert_eq!(again(&bytes), [bytes]);
    }
}

#[test]
fn cve_2025_67896_hostile_records_are_no_records() {
    for bytes in all() {
        for length in 0..bytes.len() {
            assert_eq!(again(&bytes[..length]), [b""; 0], "{length} of {bytes:?}");
        }
        assert_eq!(again(&[&bytes[..], b"x"].concat()), [b""; 0]);
        for at in 0..bytes.len() {
            for byte in [0, 1, 2, 127, 128, 255] {
                let mut changed = bytes.clone();
                changed[at] = byte;
                for read in again(&changed) {
                    assert_eq!(read, changed);
                }
            }
        }
    }
    for rate in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(again(&encode(&Rate { rate, ..Rate::default() })), [b""; 0]);
    }
}

#[test]
fn records_are_kept_and_grow_old() {
    let store = store();
    let key = RetryKey::Routing(b"a.b").bytes();
    let retry = Retry { next_try: 700, ..Retry::default() };
    assert_eq!(Retry::fresh(&*store, &key, 500, 100), Ok(None));
    retry.save(&*store, &key, 500).unwrap();
    assert_eq!(Retry::fresh(&*store, &key, 600, 100), Ok(Some(retry.clone())));
    assert_eq!(Retry::fresh(&*store, &key, 601, 100), Ok(None));
    assert_eq!(Retry::load(&*store, &key), Ok(Some((retry, 500))));
    Retry::forget(&*store, &key).unwrap();
    assert_eq!(Retry::load(&*store, &key), Ok(None));
    store.put(b"retry", &key, Hint { value: b"R\x02".to_vec(), stamp: 1 }).unwrap();
    assert_eq!(Retry::load(&*store, &key), Ok(None));
}

#[test]
fn no_more_work_than_may() {
    let store = store();
    let key = host_key(b"192.0.2.1");
    let host = World::hermetic().host;
    let enter = |now| Working::enter(&*store, &*host, &key, 2, now).unwrap();
    let leave = |now| Working::leave(&*store, &*host, &key, now).unwrap();
    assert_eq!([enter(0), enter(0), enter(1)], [true, true, false]);
    leave(2);
    assert_eq!([enter(3), enter(3)], [true, false]);
    assert_eq!([enter(50_000), enter(50_000), enter(50_000)], [true, true, false]);
    leave(50_000);
    leave(50_000);
    assert_eq!(Working::load(&*store, &key), Ok(None));
    leave(50_000);
    assert_eq!(Working::load(&*store, &key), Ok(None));
    assert!(Working::enter(&*World::hermetic().hint_store(b"/"), &*host, &key, 2, 0).is_err());
}

#[test]
fn who_died_works_no_more() {
    let store = store();
    let (key, host) = (transport_key(b"smtp"), World::hermetic().host);
    // The one host's only process has the number 1.
    let gone = Working { pids: vec![7, 1, 8] };
    store.put(b"misc", &key, Hint { value: encode(&gone), stamp: 5 }).unwrap();
    let enter = || Working::enter(&*store, &*host, &key, 2, 6).unwrap();
    assert_eq!([enter(), enter()], [true, false]);
    assert_eq!(Working::load(&*store, &key).unwrap().unwrap().0.pids, [1, 1]);
}

#[test]
fn who_may_not_begin_takes_no_turn_from_another() {
    let cx = crate::Engine::builder().world(Fixture::new().world()).build().context();
    let turn = || WorkingTurn::begin(&cx, host_key(b"192.0.2.1"), 1).unwrap();
    let first = turn();
    assert!(first.is_some());
    assert!(turn().is_none() && turn().is_none());
    drop(first);
    assert!(turn().is_some());
}

#[test]
fn keys_are_exims() {
    let host = RetryKey::Host { name: b"h", address: None, port: 25, from: None, message: None };
    let at = |address: &str, port, message| RetryKey::Host {
        name: b"[127.0.0.1]",
        address: Some(address.parse().unwrap()),
        port,
        from: None,
        message,
    };
    for (key, expected) in [
        (RetryKey::Routing(b"a@b"), "R:a@b"),
        (RetryKey::Recipient(b"tmp@a.test", b"a@b"), "R:tmp@a.test:<a@b>"),
        (RetryKey::Local(b"c@local.test"), "T:c@local.test"),
        (host, "T:h"),
        (at("127.0.0.1", 25, None), "T:[127.0.0.1]:127.0.0.1"),
        (at("::1", 2598, Some(b"1xUOxv-0"[..].into())), "T:[127.0.0.1]:::1:2598:1xUOxv-0"),
    ] {
        assert_eq!(String::from_utf8_lossy(&key.bytes()), expected);
    }
    assert_eq!(callout_key(b"a@b", None), b"a@b");
    assert_eq!(callout_key(b"a@b", Some(b"c@d")), b"a@b/<c@d>");
    assert_eq!(ratelimit_key(b"1h", b"per_rcpt", true, b"k"), b"1h/per_rcpt/unique/k");
    assert_eq!(ratelimit_key(b"1h", b"per_conn", false, b"k"), b"1h/per_conn/k");
}

#[test]
fn entries_are_shown_as_exim_dumpdb_does() {
    let shown = |space: &str, key: &str, value: Vec<u8>| {
        let hint = Hint { value, stamp: 1_000_000_000 };
        let clock = World::hermetic().clock;
        let bytes = dump(space.as_bytes(), key.as_bytes(), &hint, &*clock, Some("UTC"));
        String::from_utf8(bytes).unwrap()
    };
    let retry = Retry {
        error: 111,
        detail: 65,
        text: b"Connection refused".to_vec(),
        first_failed: 1_000_000_000,
        last_try: 1_000_000_060,
        next_try: 1_000_000_900,
        expired: true,
    };
    assert_eq!(
        shown("retry", "T:h:192.0.2.1", encode(&retry)),
        "  T:h:192.0.2.1 111 65 Connection refused\n\
         09-Sep-2001 01:46:40  09-Sep-2001 01:47:40  09-Sep-2001 02:01:40 *\n"
    );
    let domain = CalloutDomain {
        result: CalloutResult::Accept,
        postmaster: CalloutResult::Reject,
        postmaster_at: 1_000_000_001,
        ..CalloutDomain::default()
    };
    assert_eq!(
        shown("callout", "a.b", encode(&domain)),
        "09-Sep-2001 01:46:40 a.b callout=accept postmaster=reject (09-Sep-2001 01:46:41) \
         random=unknown\n"
    );
    assert_eq!(
        shown("callout", "c@a.b", encode(&CalloutAddress { accepted: false })),
        "09-Sep-2001 01:46:40 c@a.b callout=reject\n"
    );
    let at = Moment { seconds: 1_000_000_000, nanos: 119_193_999 };
    let rate = Rate { at, rate: 18.9976, uniques: None };
    assert_eq!(
        shown("ratelimit", "1h/per_mail/k", encode(&rate)),
        "09-Sep-2001 01:46:40.119193 rate:     18.998 key: 1h/per_mail/k\n"
    );
    let uniques = Some(Uniques { since: 1_000_000_000, bits: vec![0; 40] });
    assert_eq!(
        shown("ratelimit", "k", encode(&Rate { uniques, ..rate })),
        "09-Sep-2001 01:46:40.119193 rate:     18.998 \
         epoch: 09-Sep-2001 01:46:40 size: 40 key: k\n"
    );
    assert_eq!(shown("seen", "k", encode(&Seen)), "k\t09-Sep-2001 01:46:40\n");
    assert_eq!(shown("misc", "k", b"\xff".to_vec()), "09-Sep-2001 01:46:40 k\n");
    assert_eq!(shown("retry", "k", b"torn".to_vec()), "09-Sep-2001 01:46:40 k\n");
}

#[test]
fn who_waits_for_a_host_is_taken_once_and_in_order() {
    let store = store();
    let hosts: [&[u8]; 2] = [b"MX.example", b"mx.example.org"];
    for id in [b"c", b"a", b"b", b"a"] {
        Waiting::note(&*store, b"smtp", hosts, id, 5).unwrap();
    }
    let standing = |id: &[u8]| match id {
        b"a" => WaitingStanding::Stale,
        b"b" => WaitingStanding::PassedBy,
        _ => WaitingStanding::Wanted,
    };
    let take = |host: &[u8]| Waiting::take(&*store, b"smtp", host, standing).unwrap();
    assert!(Waiting::is_there(&*store, b"smtp", b"mx.example", standing).unwrap());
    assert_eq!(take(b"mx.example"), Some(b"c".to_vec()));
    assert_eq!(take(b"mx.example"), None);
    assert_eq!(take(b"mx"), None);
    let mut left = Vec::new();
    let mut look = |key: &[u8], _: &Hint| {
        left.push(String::from_utf8_lossy(key).into_owned());
        true
    };
    store.each(b"wait-smtp", &mut look).unwrap();
    assert_eq!(left, ["mx.example b", "mx.example.org a", "mx.example.org b", "mx.example.org c"]);
    assert!(!Waiting::is_there(&*store, b"other", b"mx.example.org", standing).unwrap());
}

#[test]
fn many_who_wait_are_passed_by() {
    let store = store();
    for number in 0..100 {
        let id = format!("{number:03}");
        Waiting::note(&*store, b"smtp", [&b"mx"[..]], id.as_bytes(), 5).unwrap();
    }
    let last = |id: &[u8]| match id {
        b"099" => WaitingStanding::Wanted,
        _ => WaitingStanding::PassedBy,
    };
    assert_eq!(Waiting::take(&*store, b"smtp", b"mx", last).unwrap(), Some(b"099".to_vec()));
    assert_eq!(Waiting::take(&*store, b"smtp", b"mx", last).unwrap(), None);
}

#[test]
fn sessions_are_counted_within_bounds() {
    let one = &report().policies[0];
    assert_eq!((one.good, one.bad, one.failures.len(), one.failures[0].count), (1, 2, 1, 2));
    let mut report = TlsReport::default();
    for number in 0..1000 {
        let policy = ReportedPolicy { kind: (number % 50).to_string(), ..Default::default() };
        let why = "é".repeat(number);
        report.count(&policy, Some(ReportedFailure { why, ..ReportedFailure::default() }));
    }
    assert_eq!(report.policies.iter().map(|one| one.bad).sum::<i64>(), 1000);
    let failures = report.policies.iter().map(|one| one.failures.len()).max();
    assert!(report.policies.len() == 16 && failures.is_some_and(|count| count <= 100));
    let bytes = encode(&report);
    assert!(decode::<TlsReport>(&Hint { value: bytes, stamp: 0 }).is_some());
}
