use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::*;
use crate::dns::Rdata;

/// Texts by name; `?` has no answer, and an empty one means that there is the name.
struct Zone(HashMap<&'static str, Vec<&'static str>>, usize);

impl Zone {
    fn new(texts: &[(&'static str, &'static str)]) -> Self {
        let mut zone: HashMap<_, Vec<_>> = HashMap::new();
        texts.iter().for_each(|(name, text)| zone.entry(*name).or_default().push(*text));
        Self(zone, 0)
    }
}

impl DnsSource for Zone {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        self.1 += questions.len();
        let answer = |question: &DnsQuery| {
            let name = std::str::from_utf8(&question.name).expect("a name");
            match self.0.get(name) {
                None => DnsResponse::NoName,
                Some(texts) if texts == &["?"] => DnsResponse::Later,
                Some(texts) if question.kind != DnsQueryKind::Txt || texts == &[""] => {
                    DnsResponse::NoData
                }
                Some(texts) => {
                    let texts = texts.iter().map(|text| Rdata::Text(text.as_bytes().to_vec()));
                    DnsResponse::Records(texts.collect())
                }
            }
        };
        questions.iter().map(answer).collect()
    }
}

/// The last two components, or three below `co.uk`.
fn registered(name: &[u8]) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = name.split(|c| *c == b'.').collect();
    let count = if name.ends_with(b"co.uk") { 3 } else { 2 };
    let start = parts.len().checked_sub(count)?;
    Some(parts[start..].join(&b'.'))
}

struct Message<'a> {
    authors: &'a [&'a str],
    spf: Option<(Verdict, &'a str)>,
    dkim: &'a [(&'a str, SignatureStatus)],
    walked: bool,
    sample: u8,
}

const PLAIN: Message<'static> =
    Message { authors: &["a.test"], spf: None, dkim: &[], walked: false, sample: 0 };

fn run(texts: &[(&'static str, &'static str)], message: &Message<'_>) -> DmarcResult {
    let mut zone = Zone::new(texts);
    let authors: Vec<&[u8]> = message.authors.iter().map(|one| one.as_bytes()).collect();
    let signatures = message.dkim.iter().map(|(domain, status)| SignatureFound {
        domain: domain.as_bytes(),
        selector: b"s",
        status: *status,
    });
    let signatures: Vec<_> = signatures.collect();
    let subject = DmarcSubject {
        spf: message.spf.map(|(verdict, name)| (verdict, name.as_bytes())),
        signatures: &signatures,
        organisations: match message.walked {
            true => Organisations::Walked,
            false => Organisations::Listed(&registered),
        },
        sample: message.sample,
    };
    let result = dmarc_check(&mut zone, &authors, &subject);
    assert!(zone.1 < 200, "{} questions", zone.1);
    result
}

const PASS: SignatureStatus = SignatureStatus::Pass;
const REJECT: (&str, &str) = ("_dmarc.a.test", "v=DMARC1; p=reject; sp=quarantine; np=none");

#[test]
fn alignment() {
    use DmarcStatus::{Accept, Reject};
    let strict = ("_dmarc.a.test", "v=DMARC1; p=reject; adkim=s; aspf=s");
    for (texts, spf, dkim, status) in [
        (REJECT, None, None, Reject),
        (REJECT, Some((Verdict::Pass, "a.test")), None, Accept),
        (REJECT, Some((Verdict::Pass, "A.Test.")), None, Accept),
        (REJECT, Some((Verdict::Pass, "x.a.test")), None, Accept),
        (REJECT, Some((Verdict::Pass, "xa.test")), None, Reject),
        (REJECT, Some((Verdict::Pass, "test")), None, Reject),
        (REJECT, Some((Verdict::SoftFail, "a.test")), None, Reject),
        (REJECT, Some((Verdict::None, "a.test")), None, Reject),
        (REJECT, None, Some(("a.test", PASS)), Accept),
        (REJECT, None, Some(("x.y.a.test", PASS)), Accept),
        (REJECT, None, Some(("b.test", PASS)), Reject),
        (REJECT, None, Some(("a.test", SignatureStatus::Fail)), Reject),
        (REJECT, None, Some(("a.test", SignatureStatus::PermError)), Reject),
        (strict, Some((Verdict::Pass, "a.test")), None, Accept),
        (strict, Some((Verdict::Pass, "x.a.test")), None, Reject),
        (strict, None, Some(("x.a.test", PASS)), Reject),
    ] {
        let dkim: Vec<_> = dkim.into_iter().collect();
        for walked in [false, true] {
            let result = run(&[texts], &Message { spf, dkim: &dkim, walked, ..PLAIN });
            assert_eq!(result.status, status, "{texts:?} {spf:?} {dkim:?} {walked}");
            assert_eq!(result.used, b"a.test");
            let aligned = result.spf_aligned || result.dkim_aligned;
            assert_eq!(aligned, status == Accept);
        }
    }
}

#[test]
fn what_cannot_be_said_now_is_no_verdict() {
    use DmarcStatus::{Accept, TempError};
    let open = Message { spf: Some((Verdict::TempError, "a.test")), ..PLAIN };
    assert_eq!(run(&[REJECT], &open).status, TempError);
    let open = Message { dkim: &[("a.test", SignatureStatus::TempError)], ..PLAIN };
    assert_eq!(run(&[REJECT], &open).status, TempError);
    let good = Message { spf: Some((Verdict::Pass, "a.test")), ..open };
    assert_eq!(run(&[REJECT], &good).status, Accept);
    for walked in [false, true] {
        let message = Message { authors: &["x.a.test"], walked, ..PLAIN };
        let silent = [("_dmarc.a.test", "?")];
        assert_eq!(run(&silent, &message).status, TempError);
        let silent = [("_dmarc.x.a.test", "?"), REJECT];
        assert_eq!(run(&silent, &message).status, TempError);
    }
}

#[test]
fn policies_of_domains_below() {
    use DmarcStatus::{NoRecord, None, Quarantine, Reject};
    let here = ("x.a.test", "");
    let author =
        |name: &'static str| Message { authors: std::slice::from_ref(leak(name)), ..PLAIN };
    assert_eq!(run(&[REJECT, here], &author("x.a.test")).status, Quarantine);
    assert_eq!(run(&[REJECT], &author("x.a.test")).status, None);
    assert_eq!(run(&[REJECT], &author("b.test")).status, NoRecord);
    let own = ("_dmarc.x.a.test", "v=DMARC1; p=reject");
    let result = run(&[("_dmarc.a.test", "v=DMARC1; p=none"), own], &author("x.a.test"));
    assert_eq!((result.status, &result.used[..]), (Reject, &b"x.a.test"[..]));
    // A registered domain below a suffix of two components.
    let uk = ("_dmarc.a.co.uk", "v=DMARC1; p=reject");
    assert_eq!(run(&[uk], &author("x.y.a.co.uk")).status, Reject);
    assert_eq!(run(&[("_dmarc.co.uk", "v=DMARC1; p=reject")], &author("a.co.uk")).status, NoRecord);
    // Of several records none counts; other texts are nobody's business.
    let twice = [REJECT, ("_dmarc.a.test", "v=DMARC1; p=none")];
    assert_eq!(run(&twice, &PLAIN).status, NoRecord);
    assert_eq!(run(&[REJECT, ("_dmarc.a.test", "v=spf1 -all")], &PLAIN).status, Reject);
}

fn leak(name: &'static str) -> &'static &'static str {
    Box::leak(Box::new(name))
}

#[test]
fn some_of_a_hundred() {
    use DmarcStatus::{None, Quarantine, Reject};
    for (text, sample, status) in [
        ("v=DMARC1; p=reject; pct=50", 49, Reject),
        ("v=DMARC1; p=reject; pct=50", 50, Quarantine),
        ("v=DMARC1; p=quarantine; pct=0", 0, None),
        ("v=DMARC1; p=reject; pct=100", 99, Reject),
    ] {
        let result = run(&[("_dmarc.a.test", text)], &Message { sample, ..PLAIN });
        assert_eq!(result.status, status, "{text} {sample}");
        assert_eq!(result.policy.map(DmarcPolicy::name), text.split([' ', ';', '=']).nth(4));
    }
    let walked = Message { walked: true, sample: 99, ..PLAIN };
    assert_eq!(run(&[("_dmarc.a.test", "v=DMARC1; p=reject; pct=0")], &walked).status, Reject);
    assert_eq!(run(&[("_dmarc.a.test", "v=DMARC1; p=reject; t=y")], &walked).status, Quarantine);
}

#[test]
fn the_way_up() {
    use DmarcStatus::{Accept, NoRecord, Reject};
    let check =
        |texts: &[(&'static str, &'static str)], author: &'static str, spf: &'static str| {
            let authors = [author];
            let spf = Some((Verdict::Pass, spf));
            let result = run(texts, &Message { authors: &authors, spf, walked: true, ..PLAIN });
            (result.status, String::from_utf8(result.used).expect("a name"))
        };
    let suffix = ("_dmarc.co.test", "v=DMARC1; p=reject; psd=y");
    let own = ("_dmarc.a.co.test", "v=DMARC1; p=reject");
    let unit = ("_dmarc.u.a.co.test", "v=DMARC1; p=reject; psd=n");
    assert_eq!(check(&[suffix], "a.co.test", "b.co.test"), (Reject, "co.test".into()));
    assert_eq!(check(&[suffix], "x.a.co.test", "y.a.co.test"), (Accept, "co.test".into()));
    assert_eq!(check(&[suffix, own], "x.a.co.test", "y.a.co.test"), (Accept, "a.co.test".into()));
    assert_eq!(check(&[own, unit], "x.u.a.co.test", "y.a.co.test").0, Reject);
    assert_eq!(check(&[own, unit], "x.u.a.co.test", "y.u.a.co.test").0, Accept);
    assert_eq!(check(&[own, unit], "x.a.co.test", "y.u.a.co.test").0, Reject);
    assert_eq!(check(&[], "x.a.co.test", "y.a.co.test"), (NoRecord, String::new()));
    let top = ("_dmarc.test", "v=DMARC1; p=reject");
    let long = "a.b.c.d.e.f.g.h.i.j.k.test";
    assert_eq!(check(&[top], long, "b.example"), (Reject, "test".into()));
    // What is between the domain itself and the last seven components is not asked.
    let far = ("_dmarc.b.c.d.e.f.g.h.i.j.k.test", "v=DMARC1; p=reject");
    assert_eq!(check(&[far], long, "b.example").0, NoRecord);
}

/// The examples of RFC 9989, sections 4.10 and 4.10.2.
#[test]
fn the_way_up_in_the_words_of_the_rfc() {
    let up = |texts: &[(&'static str, &'static str)], name: &str| {
        let mut zone = Zone::new(texts);
        let way = Way::up(&mut zone, name.as_bytes()).expect("an answer");
        (String::from_utf8(way.organisation(name.as_bytes())).expect("a name"), zone.1)
    };
    let plain = "v=DMARC1; p=none";
    let start = "a.mail.example.com";
    let both = [("_dmarc.mail.example.com", plain), ("_dmarc.example.com", plain)];
    assert_eq!(up(&both, start), ("example.com".into(), 4));
    let unit = [("_dmarc.mail.example.com", "v=DMARC1; p=none; psd=n"), both[1]];
    assert_eq!(up(&unit, start), ("mail.example.com".into(), 2));
    assert_eq!(up(&[("_dmarc.com", "v=DMARC1; p=none; psd=y")], start).0, "example.com");
    // A suffix that the walk starts at is its own organisation.
    assert_eq!(up(&[("_dmarc.com", "v=DMARC1; p=none; psd=y")], "com"), ("com".into(), 1));
    // Of several records at a name, none counts; nor does what is no policy.
    let several = [both[0], both[1], ("_dmarc.example.com", "v=DMARC1; p=reject")];
    assert_eq!(up(&several, start).0, "mail.example.com");
    assert_eq!(
        up(&[both[0], ("_dmarc.example.com", "v=DMARC1; p=x")], start).0,
        "mail.example.com"
    );
    assert_eq!(up(&[], start), (start.into(), 4));
    // Eight questions for the longest name: one, and seven from seven components on.
    let long = "a.b.c.d.e.f.g.h.i.j.mail.example.com";
    let asked = |name: &'static str| up(&[(name, plain)], long).0 == name["_dmarc.".len()..];
    assert_eq!(up(&[], long).1, 8);
    for name in [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ] {
        assert!(asked(name), "{name}");
    }
    assert!(!asked("_dmarc.f.g.h.i.j.mail.example.com"));
    assert_eq!(up(&[], "b.c.d.e.f.mail.example.com").1, 8);
}

#[test]
fn what_is_no_policy_is_not_looked_for_above() {
    use DmarcStatus::{NoRecord, Quarantine};
    let void = ("_dmarc.x.a.test", "v=DMARC1; p=perhaps");
    let more = ("_dmarc.x.a.test", "v=DMARC1; p=none");
    for walked in [false, true] {
        let message = Message { authors: &["x.a.test"], walked, ..PLAIN };
        let exists = ("x.a.test", "");
        assert_eq!(run(&[REJECT, exists, void], &message).status, NoRecord, "{walked}");
        // Two records are none, after RFC 9989, and no DMARC at all, after RFC 7489.
        let two = run(&[REJECT, exists, more, more], &message).status;
        assert_eq!(two, if walked { Quarantine } else { NoRecord });
        let other = ("_dmarc.x.a.test", "v=spf1 -all");
        assert_eq!(run(&[REJECT, exists, other, other], &message).status, Quarantine);
    }
}

#[test]
fn authors() {
    use DmarcStatus::{Accept, NoFrom, Reject};
    let with = |authors: &[&str], spf| run(&[REJECT], &Message { authors, spf, ..PLAIN });
    assert_eq!(with(&[], None).status, NoFrom);
    assert_eq!(with(&["[192.0.2.1]", "", ".."], None).status, NoFrom);
    // The worst of several counts, so that a second author hides nothing.
    let good = Some((Verdict::Pass, "a.test"));
    assert_eq!(with(&["b.test", "a.test"], None).status, Reject);
    assert_eq!(with(&["a.test", "a.test"], good).status, Accept);
    let many: Vec<String> = (0..10_000).map(|n| format!("d{n}.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    with(&many, None);
    let signed: Vec<_> = many.iter().map(|name| (*name, PASS)).collect();
    for walked in [false, true] {
        run(&[REJECT], &Message { dkim: &signed, walked, ..PLAIN });
    }
}

#[test]
fn a_record_of_the_history() {
    let texts =
        [("_dmarc.a.test", "v=DMARC1; p=reject; sp=none; pct=9; aspf=s; rua=mailto:r@a.test")];
    let mut zone = Zone::new(&texts);
    let signatures =
        [SignatureFound { domain: b"a.test", selector: b"s 1\n", status: SignatureStatus::Fail }];
    let subject = DmarcSubject {
        spf: Some((Verdict::Pass, b"b.test")),
        signatures: &signatures,
        organisations: Organisations::Listed(&registered),
        sample: 0,
    };
    let result = dmarc_check(&mut zone, &[b"a.test"], &subject);
    let history = History {
        job: b"1abcde-000000001aB-2cde",
        reporter: b"me.test",
        received: 1_700_000_000,
        address: Ipv4Addr::new(192, 0, 2, 1).into(),
        sender: b"b.test",
    };
    let text = history.record(&subject, &result).expect("a record");
    assert_eq!(
        String::from_utf8(text).expect("text"),
        "job 1abcde-000000001aB-2cde\nreporter me.test\nreceived 1700000000\nipaddr 192.0.2.1\n\
         from a.test\nmfrom b.test\nspf 0\ndkim a.test s?1? 7\npdomain a.test\npolicy 16\n\
         rua mailto:r@a.test\npct 9\nadkim 114\naspf 115\np 114\nsp 110\nalign_dkim 5\n\
         align_spf 5\narc 6\narc_policy 2 json:[]\naction 0\n"
    );
}

#[test]
fn reports_go_to_those_who_want_them() {
    let named: Vec<Vec<u8>> = [
        "mailto:own@a.test!10m",
        "mailto:sub@x.a.test",
        "MAILTO:wants@b.test?subject=x",
        "mailto:silent@c.test",
        "mailto:later@d.test",
        "https://a.test/",
        "mailto:two@a.test@a.test",
        "mailto:a%0d%0aBcc:x@a.test",
        "mailto:@a.test",
    ]
    .map(|uri| uri.as_bytes().to_vec())
    .to_vec();
    let texts = [
        ("a.test._report._dmarc.b.test", "v=DMARC1; ruf=mailto:other@b.test"),
        ("a.test._report._dmarc.c.test", "v=spf1 -all"),
        ("a.test._report._dmarc.d.test", "?"),
        REJECT,
    ];
    for organisations in [Organisations::Listed(&registered), Organisations::Walked] {
        let told = report_recipients(&mut Zone::new(&texts), &named, b"a.test", organisations);
        let told: Vec<&str> = told.iter().map(|one| std::str::from_utf8(one).unwrap()).collect();
        assert_eq!(told, ["own@a.test", "sub@x.a.test", "wants@b.test"]);
    }
}

#[test]
fn reports_are_whole() {
    let report = FailureReport {
        from: b"Reports <r@me.test>",
        to: &[b"x@a.test".to_vec(), b"y@a.test".to_vec()],
        reporter: b"me.test",
        boundary: b"b0undary",
        author: b"a.test",
        id: b"1abcde-000000001aB-2cde",
        sender: b"s@a.test\r\nBcc: z@a.test",
        source: Some(Ipv4Addr::new(192, 0, 2, 1).into()),
        arrived: b"Sun, 22 Nov 2026 02:00:00 +0000",
        results: b"me.test; dmarc=fail header.from=a.test",
        dkim_aligned: false,
        spf_aligned: false,
        signature: Some((b"a.test", b"sel")),
    };
    let header: [&[u8]; 2] = [b"From: x@a.test\r\n", b"Subject: \xe9\n folded\n"];
    let text = report.message(header);
    let wanted = b"From: Reports <r@me.test>
To: x@a.test, y@a.test
Subject: DMARC failure report for a.test from me.test
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
\tboundary=\"b0undary\"

--b0undary
Content-Type: text/plain; charset=us-ascii

This is a report on a message that is not authentic by the DMARC policy of
a.test. It was received by me.test as 1abcde-000000001aB-2cde.
Its header follows; its body is not part of this report.

--b0undary
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: eximious/0.1.0
Version: 1
Original-Envelope-Id: 1abcde-000000001aB-2cde
Original-Mail-From: <s@a.test>
Arrival-Date: Sun, 22 Nov 2026 02:00:00 +0000
Source-IP: 192.0.2.1
Reported-Domain: a.test
Authentication-Results: me.test; dmarc=fail header.from=a.test
Auth-Failure: dmarc
Identity-Alignment: dkim, spf
DKIM-Domain: a.test
DKIM-Selector: sel

--b0undary
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 8bit

From: x@a.test
Subject: \xe9
 folded

--b0undary--
";
    assert_eq!(text.escape_ascii().to_string(), wanted.escape_ascii().to_string());
    let long = vec![b'x'; 60_000];
    let bounded = report.message([&long[..], &long, &long]);
    assert!(bounded.len() < 70_000 && bounded.ends_with(b"--b0undary--\n"));
}
