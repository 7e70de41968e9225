//! The conditions `malware` and `spam`, against small servers that speak the scanners'
//! protocols.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use eximious::acl::AclVerdict;
use eximious::stdlib::message::parse;
use eximious::{Config, Engine, Loaded};
use tempfile::TempDir;

/// What a server does with a connection.
#[derive(Clone)]
enum Step {
    /// Reads up to these bytes.
    Until(&'static [u8]),
    /// Reads so many.
    Count(usize),
    /// Reads to the end.
    End,
    /// Writes.
    Say(Vec<u8>),
    /// Says nothing for a while.
    Wait,
}

use Step::{Count, End, Say, Until, Wait};

fn say(text: impl Into<Vec<u8>>) -> Step {
    Say(text.into())
}

/// Plays a server, and gives what it was told.
fn play(mut stream: impl Read + Write, steps: &[Step]) -> Vec<u8> {
    let mut told = Vec::new();
    for step in steps {
        let from = told.len();
        let done = |told: &[u8]| match step {
            Until(end) => told[from..].ends_with(end),
            Count(count) => told.len() - from >= *count,
            _ => false,
        };
        match step {
            Say(text) => drop(stream.write_all(text)),
            Wait => thread::sleep(Duration::from_secs(3)),
            _ => {
                let mut byte = [0];
                while !done(&told) && matches!(stream.read(&mut byte), Ok(1)) {
                    told.push(byte[0]);
                }
            }
        }
    }
    told
}

/// Where a server listens, and what it was told.
struct Played {
    place: String,
    told: Receiver<Vec<u8>>,
    _home: TempDir,
}

fn unix(steps: &[Step]) -> Played {
    let (home, steps) = (TempDir::new().unwrap(), steps.to_vec());
    let path = home.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let (send, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = send.send(play(stream, &steps));
        }
    });
    Played { place: path.display().to_string(), told, _home: home }
}

fn tcp(steps: &[Step]) -> Played {
    let (home, steps) = (TempDir::new().unwrap(), steps.to_vec());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let place = format!("127.0.0.1 {}", listener.local_addr().unwrap().port());
    let (send, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = send.send(play(stream, &steps));
        }
    });
    Played { place, told, _home: home }
}

/// What the ACL for the data says of a message, and what it has to say.
fn judged(options: &str, acl: &str) -> (AclVerdict, String, TempDir) {
    judged_of(options, acl, b"Subject: x\n\nbody\n")
}

/// The same of a message of one's own. The scanners may read the copy.
pub(crate) fn judged_of(options: &str, acl: &str, message: &[u8]) -> (AclVerdict, String, TempDir) {
    let spool = TempDir::new().unwrap();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(spool.path(), all).unwrap();
    let text = format!(
        "spool_directory = {}\nprimary_hostname = me.test\n{options}\nacl_smtp_rcpt = accept\n\
         acl_smtp_data = data\nbegin acl\ndata:\n  {acl}\n  accept\n",
        spool.path().display()
    );
    let config = Config::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let loaded: Loaded = Engine::builder().world(eximious_world::system()).build().load(config);
    let mut conversation = loaded.conversation("192.0.2.1".parse().unwrap());
    conversation.mail("a@b.test");
    conversation.rcpt("c@me.test");
    let mut message = parse(message);
    message.id = "1xUub9-000000006pZ-1rM0".into();
    message.recipients = vec!["c@me.test".into()];
    let decision = conversation.data(message);
    let said = decision.message.map(|text| text.display().into_owned()).unwrap_or_default();
    (decision.verdict, said, spool)
}

/// What `malware` finds with a scanner; a text in parentheses where it defers.
fn found(scanner: &str, played: &Played) -> String {
    let options = format!("av_scanner = {}", scanner.replace('@', &played.place));
    let acl = "deny malware = */tmo=2s\n message = <$malware_name> $callout_address";
    let (verdict, said, spool) = judged(&options, acl);
    let left = std::fs::read_dir(spool.path().join("scan")).map(Iterator::count);
    assert_eq!(left.unwrap_or(0), 0, "a copy was left behind");
    match verdict {
        AclVerdict::Accept => "clean".into(),
        AclVerdict::Deny => {
            let address = played.place.replace("127.0.0.1 ", "[127.0.0.1]:");
            assert!(said.ends_with(&address) || scanner.starts_with("cmdline"), "{said}");
            said[..said.rfind('>').map_or(0, |end| end + 1)].to_owned()
        }
        AclVerdict::Defer => "(later)".into(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(scanner: &str, play: fn(&[Step]) -> Played, steps: &[Step], expected: &str) -> String {
    let played = play(steps);
    let begin = Instant::now();
    assert_eq!(found(scanner, &played), expected, "{scanner}");
    assert!(begin.elapsed() < Duration::from_secs(10));
    let told = played.told.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
    String::from_utf8_lossy(&told).into_owned()
}

#[test]
fn clamd() {
    let ask = |answer: &str| vec![Until(b"\n"), say(answer)];
    let told = check("clamd:@", unix, &ask("/x: OK\n"), "clean");
    assert!(
        told.starts_with("SCAN /") && told.ends_with("/1xUub9-000000006pZ-1rM0.eml\n"),
        "{told}"
    );
    check("clamd:@", unix, &ask("/x: Test.Virus FOUND\n"), "<Test.Virus>");
    check("clamd:@", unix, &ask("/x: Test.Virus(abcd:12) FOUND\0"), "<Test.Virus>");
    check("clamd:@", unix, &ask("/x: A B (abcd:12) FOUND\0"), "<A B >");
    check("clamd:@", unix, &ask("/x: FOUND\0"), "<unknown>");
    check("clamd:@:local", tcp, &ask("/x: Test.Virus FOUND\n"), "<Test.Virus>");
    for wrong in ["/x: Access denied. ERROR\n", "foo\n", "", "/x: maybe\n", "OK\n"] {
        check("clamd:@", unix, &ask(wrong), "(later)");
    }
    check("clamd:@", unix, &[Until(b"\n"), Wait], "(later)");
    check("clamd:@", unix, &[Until(b"\n"), Say(vec![b'x'; 1 << 20])], "(later)");
    let stream = |answer: &str| vec![Until(b"body\n\0\0\0\0"), say(answer)];
    let told = check("clamd:@", tcp, &stream("stream: Test.Virus FOUND\0"), "<Test.Virus>");
    assert!(told.starts_with("zINSTREAM\0\0\0"), "{told}");
    assert!(told.contains("X-Envelope-From: <a@b.test>\nX-Envelope-To: c@me.test\n"), "{told}");
    check("clamd:@", tcp, &stream("stream: OK\0"), "clean");
    check("clamd:@", tcp, &stream("INSTREAM size limit exceeded. ERROR\0"), "(later)");
    // One server that is not there, and one that is.
    let played = tcp(&stream("stream: Test.Virus FOUND\0"));
    assert_eq!(found("clamd:127.0.0.1 1:@", &played), "<Test.Virus>");
}

#[test]
fn sophie() {
    let ask = |answer: &str| vec![Until(b"\n"), say(answer)];
    let told = check("sophie:@", unix, &ask("1:Test\n"), "<Test>");
    assert!(told.ends_with("/scan/1xUub9-000000006pZ-1rM0\n"), "{told}");
    check("sophie:@", unix, &ask("0\n"), "clean");
    check("sophie:@", unix, &ask("0"), "clean");
    check("sophie:@", unix, &ask("1:\n"), "<unknown>");
    for wrong in ["-1", "-1:bad\n", "", "xyz\n", "01"] {
        check("sophie:@", unix, &ask(wrong), "(later)");
    }
}

#[test]
fn sock() {
    let scanner = "sock:@:SCAN %s:VIRUS:VIRUS (.*) found";
    let ask = |answer: &str| vec![Until(b".eml"), say(answer)];
    check(scanner, unix, &ask("VIRUS Test found\n"), "<Test>");
    check(scanner, tcp, &ask("line\nVIRUS Test found\n"), "<Test>");
    check(scanner, unix, &ask("VIRUS\n"), "<unknown>");
    check(scanner, unix, &ask("nothing\n"), "clean");
    check(scanner, unix, &ask(""), "(later)");
    check(scanner, unix, &[Until(b".eml"), Wait], "(later)");
    check("sock:@:x:(:y", unix, &ask("x"), "(later)");
    // Half an answer says what it has, and not what it has not.
    let long = "line\n".repeat(20_000);
    check(scanner, unix, &ask(&format!("VIRUS Test found\n{long}")), "<Test>");
    for answer in [&long, &format!("{long}VIRUS Test found\n")] {
        check(scanner, unix, &ask(answer), "(later)");
    }
    check(scanner, unix, &[Until(b".eml"), say("line\n"), Wait], "clean");
    // A command that `printf` would not take is not sent.
    for command in ["%s %s", "%d%s", "%s%"] {
        let steps = [Until(b"x"), say("VIRUS Test found\n")];
        check(&format!("sock:@:{command}:VIRUS:VIRUS (.*) found"), unix, &steps, "(later)");
    }
    let steps = [Until(b"%s"), say("VIRUS Test found\n")];
    check("sock:@:%%s:VIRUS:VIRUS (.*) found", unix, &steps, "<Test>");
}

#[test]
fn cmdline() {
    let nobody = || unix(&[]);
    for (scanner, expected) in [
        ("cmdline:/bin/echo virus Test.V %s:virus:virus (\\S+)", "<Test.V>"),
        ("cmdline:/bin/echo virus %s:virus:none(x)", "<unknown>"),
        ("cmdline:/bin/ls -R %s:eml:(eml)", "<eml>"),
        ("cmdline:/bin/echo clean %s:virus:(x)", "clean"),
        ("cmdline:/bin/false %s:virus:(x)", "(later)"),
        ("cmdline:/nonex %s:virus:(x)", "(later)"),
        ("cmdline:/bin/sleep 5:virus:(x)", "(later)"),
        ("cmdline:/bin/echo:virus", "(later)"),
    ] {
        assert_eq!(found(scanner, &nobody()), expected, "{scanner}");
    }
}

#[test]
fn fsecure() {
    let mut begin = Vec::new();
    for _ in 0..4 {
        begin.extend([Until(b"\n"), say("OK\tServer configured.\n")]);
    }
    let ask = |answer: &str| [&begin[..], &[Until(b"\n"), say(answer)]].concat();
    let told = check("fsecure:@", unix, &ask("CLEAN\t/x\nOK\tScan ok.\n"), "clean");
    assert!(told.starts_with("CONFIGURE\tARCHIVE\t1\nCONFIGURE\tTIMEOUT\t0\n"), "{told}");
    assert!(told.ends_with("/1xUub9-000000006pZ-1rM0.eml\n"), "{told}");
    for word in ["INFECTED", "ARCHIVE_INFECTED"] {
        let answer = format!("{word}\t/x\tTest.Virus\tengine\nOK\tScan ok.\n");
        check("fsecure:@", unix, &ask(&answer), "<Test.Virus>");
    }
    for wrong in ["SCAN_FAILURE\t/x\t0x1\tbad\nOK\tScan ok.\n", "ERROR\tx\n", "", "CLEAN\t/x\n"] {
        check("fsecure:@", unix, &ask(wrong), "(later)");
    }
}

#[test]
fn avast() {
    let ask = |answer: &str| {
        let answer = format!("210 SCAN DATA\r\n{answer}");
        vec![say("220 DAEMON\r\n"), Until(b"\n"), say(answer), Until(b"QUIT\n")]
    };
    let told = check("avast:@", unix, &ask("SCAN /x\t[+]0.0\r\n200 SCAN OK\r\n"), "clean");
    assert!(told.ends_with("/1xUub9-000000006pZ-1rM0\nQUIT\n"), "{told}");
    for (answer, expected) in [
        ("SCAN /x\t[L]0.0\t0 Test.Virus\r\n200 SCAN OK\r\n", "<Test.Virus>"),
        ("SCAN /x\t[L]0.0\t0 Test\\-Virus\r\n200 SCAN OK\r\n", "<Test-Virus>"),
        ("SCAN /x\t[+]0.0\r\nSCAN /x|>a\t[L]0.0\t0 T\r\n200 SCAN OK\r\n", "<T>"),
        ("SCAN /x\t[E]0.0\tError 41 bad\r\n200 SCAN OK\r\n", "<bad>"),
        ("451 engine\r\n", "(later)"),
        ("SCAN /x\t[T]0.0\r\n200 SCAN OK\r\n", "(later)"),
        ("SCAN /x\r\n200 SCAN OK\r\n", "(later)"),
        ("SCAN /x\t[+]0.0\r\njunk\r\n200 SCAN OK\r\n", "(later)"),
        ("junk\r\nSCAN /x\t[L]0.0\t0 T\r\n200 SCAN OK\r\n", "<T>"),
    ] {
        check("avast:@", tcp, &ask(answer), expected);
    }
    check("avast:@", unix, &[say("220 x\r\n"), Until(b"\n")], "(later)");
    check("avast:@", unix, &[say("garbage\r\n"), Until(b"\n")], "(later)");
    let steps = [
        say("220 DAEMON\r\n"),
        Until(b"FLAGS -fullfiles\n"),
        say("210 FLAGS DATA\r\nFLAGS x\r\n200 FLAGS OK\r\n"),
        Until(b"\n"),
        say("210 SCAN DATA\r\nSCAN /x\t[E]0.0\tError 41 bad\r\n200 SCAN OK\r\n"),
        Until(b"QUIT\n"),
    ];
    check("avast:@:FLAGS -fullfiles:pass_unscanned", unix, &steps, "clean");
}

#[test]
fn f_prot() {
    let ask = |answer: &str| {
        let answer = format!("HTTP/1.0 200 OK\r\n\r\n<fprot-results version=\"1.0\">{answer}\r\n");
        vec![Until(b"\r\n\r\n"), say(answer)]
    };
    check("f-protd:@", tcp, &ask("<summary code=\"7\">clean</summary>"), "clean");
    let infected = "<detected>\r\n<name>Test.V</name>\r\n</detected><summary code=\"11\">";
    check("f-protd:@", tcp, &ask(infected), "<Test.V>");
    let long = format!("<summary code=\"7\">{}", "line\n".repeat(20_000));
    for wrong in ["", "<summary code=\"2\">not scanned</summary>", &long] {
        check("f-protd:@", tcp, &ask(wrong), "(later)");
    }
    check("f-protd:@", tcp, &ask(&format!("{infected}{long}")), "<Test.V>");
    let ask = |answer: &str| vec![Until(b"\n"), say(answer)];
    for (answer, expected) in [
        ("0 <clean> /x\n", "clean"),
        ("1 <infected: Test.V> /x\n", "<Test.V>"),
        ("1 <contains infected objects: Test.V> /x->y\n", "<Test.V>"),
        ("1 <infected: A B->x> /x\n", "<A B->x>"),
        ("1 <infected: A: B> /x\n", "<A: B>"),
        ("1 <infected: > /x\n", "<unknown>"),
        ("64 <skipped> /x\n", "clean"),
        ("64 <skipped>\n", "(later)"),
        ("256 <a: b> /x\n", "(later)"),
        ("32 <error> /x\n", "(later)"),
        ("x\n", "(later)"),
        ("", "(later)"),
    ] {
        let told = check("f-prot6d:@", tcp, &ask(answer), expected);
        assert!(told.starts_with("SCAN FILE /"), "{told}");
    }
}

#[test]
fn drweb() {
    let numbers =
        |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    let report = b"infected with Test.V\0";
    let infected = [&numbers(&[0x20, 1, report.len() as u32]), &report[..]].concat();
    for (answer, expected) in [
        (numbers(&[0x10_0000, 0]), "clean"),
        (numbers(&[0, 0]), "clean"),
        (infected, "<Test.V>"),
        (numbers(&[0x40, 0]), "<unknown>"),
        (numbers(&[1, 0]), "(later)"),
        (numbers(&[0x20, 1, 0x7fff_ffff]), "(later)"),
        (numbers(&[0x20]), "(later)"),
        (Vec::new(), "(later)"),
    ] {
        let told = check("drweb:@", unix, &[Count(20), Say(answer)], expected);
        assert!(told.starts_with("\0\0\0\x01\0\x08\0\x01\0\0\0"), "{told:?}");
    }
    let told = check("drweb:@", tcp, &[Until(b"body\n"), Say(numbers(&[0x10_0000, 0]))], "clean");
    assert!(told.contains("X-Envelope-From"), "{told:?}");
}

#[test]
fn kaspersky() {
    let ask =
        |answer: &str| vec![say("201 ready\r\n"), Until(b"\n"), say(answer), Until(b"QUIT\r\n")];
    for (answer, expected) in [
        ("300-scanning\r\n220 clean\r\n", "clean"),
        ("322-Test.Virus /x\r\n230 infected\r\n", "<Test.Virus>"),
        ("241 error\r\n", "(later)"),
        ("521 unreadable\r\n", "(later)"),
        ("", "(later)"),
    ] {
        check("aveserver:@", unix, &ask(answer), expected);
    }
    check("aveserver:@", unix, &[say("500 no\r\n")], "(later)");
    let coded =
        |code: u16, rest: &[u8]| vec![Until(b"\0"), Say([&code.to_ne_bytes(), rest].concat())];
    let report = b"/x infected: Test.V\n";
    let reported = [&(report.len() as u32).to_ne_bytes()[..], report].concat();
    for (steps, expected) in [
        (coded(0x30, b""), "clean"),
        (coded(0x134, &reported), "<Test.V>"),
        (coded(0x334, &[&[0; 4][..], &reported].concat()), "<Test.V>"),
        (coded(0x34, b""), "<unknown>"),
        (coded(0x134, &[0xff; 4]), "(later)"),
        (coded(0x37, b""), "(later)"),
        (vec![Until(b"\0")], "(later)"),
    ] {
        check("kavdaemon:@", unix, &steps, expected);
    }
}

/// What `spam` says of a message, and its variables.
fn spam(options: &str, played: &Played, user: &str) -> (AclVerdict, String) {
    let options = format!("spamd_address = {} {options}", played.place);
    let acl = format!(
        "warn spam = {user}\n  deny spam = {user}\n message = $spam_score $spam_score_int \
         $spam_bar <$spam_report> $spam_action"
    );
    let (verdict, said, _) = judged(&options, &acl);
    (verdict, said)
}

#[test]
fn spamassassin() {
    let answer = |line: &str| {
        vec![End, say(format!("SPAMD/1.1 0 EX_OK\r\n{line}\r\n\r\nreport\r\nline 2\r\n"))]
    };
    let tail = "<report\n line 2>";
    for (line, user, verdict, said) in [
        ("Spam: True ; 5.4 / 5.0", "joe", AclVerdict::Deny, format!("5.4 54 +++++ {tail} reject")),
        ("Spam: False ; -2.35 / 5.0", "joe", AclVerdict::Accept, String::new()),
        (
            "Spam: False ; -2.35 / 5.0",
            "joe:true",
            AclVerdict::Deny,
            format!("-2.4 -23 -- {tail} no action"),
        ),
        (
            "Spam: False ; 0.49 / 5.0",
            "joe:true",
            AclVerdict::Deny,
            format!("0.5 4 / {tail} no action"),
        ),
        (
            "Spam: True ; 60 / 5.0",
            "joe",
            AclVerdict::Deny,
            format!("60.0 600 {} {tail} reject", "+".repeat(51)),
        ),
        ("Spam: True ; x / 5.0", "joe", AclVerdict::Defer, String::new()),
        ("X: y", "joe/defer_ok", AclVerdict::Accept, String::new()),
    ] {
        for play in [unix, tcp] {
            let played = play(&answer(line));
            assert_eq!(spam("", &played, user), (verdict, said.clone()), "{line}");
            let told = played.told.recv_timeout(Duration::from_secs(5)).unwrap();
            let told = String::from_utf8_lossy(&told);
            assert!(
                told.starts_with("REPORT SPAMC/1.2\r\nUser: joe\r\nContent-length: "),
                "{told}"
            );
            // It is asked once.
            if verdict == AclVerdict::Deny {
                assert!(played.told.recv_timeout(Duration::from_millis(50)).is_err());
            }
        }
    }
    let played = tcp(&[End, Wait]);
    assert_eq!(spam("tmo=1s", &played, "joe").0, AclVerdict::Defer);
    // Nobody's settings, where something stands behind the name.
    for (user, verdict) in [(":true", AclVerdict::Deny), ("${if eq{a}{b}{x}}", AclVerdict::Accept)]
    {
        let played = unix(&answer("Spam: False ; 1.0 / 5.0"));
        assert_eq!(spam("", &played, user).0, verdict, "{user}");
        let told = played.told.recv_timeout(Duration::from_millis(200)).unwrap_or_default();
        let is_asked = told.starts_with(b"REPORT SPAMC/1.2\r\nUser: \r\n");
        assert_eq!(is_asked, verdict == AclVerdict::Deny, "{user}");
    }
}

/// A server that begins to listen after a while, at a port that nobody listens at before.
fn late(answer: &'static str, until: &'static [u8]) -> String {
    let port = eximious_tests::servers::free_port();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let ask = if until.is_empty() { End } else { Until(until) };
        play(stream, &[ask, say(answer)]);
    });
    format!("127.0.0.1 {port}")
}

#[test]
fn a_server_that_is_not_there_yet_is_tried_once_more() {
    let spam = "deny spam = joe\n message = <$spam_score>";
    let answer = "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5.4 / 5.0\r\n\r\nx\r\n";
    for (retry, verdict) in [("retry=2s", AclVerdict::Deny), ("", AclVerdict::Defer)] {
        let options = format!("spamd_address = {} {retry}", late(answer, b""));
        assert_eq!(judged(&options, spam).0, verdict, "spamd {retry}");
    }
    let malware = "deny malware = */tmo=10s\n message = <$malware_name>";
    for (retry, verdict) in [(" retry=2s", AclVerdict::Deny), ("", AclVerdict::Defer)] {
        let place = late("stream: Test.Virus FOUND\0", b"body\n\0\0\0\0");
        let options = format!("av_scanner = clamd:{place}{retry}");
        assert_eq!(judged(&options, malware).0, verdict, "clamd {retry}");
    }
    // It does not wait longer than it may take.
    let begin = Instant::now();
    let options = "spamd_address = 127.0.0.1 1 tmo=1s retry=1h";
    assert_eq!(judged(options, spam).0, AclVerdict::Defer);
    assert!(begin.elapsed() < Duration::from_secs(60));
}

/// What is made of numbers here may be expanded, and the words of a report may not.
#[test]
fn scores_are_not_from_outside() {
    let answer = "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5.4 / 5.0\r\n\r\nreport\r\n";
    for (variable, verdict) in [
        ("spam_score", AclVerdict::Deny),
        ("spam_score_int", AclVerdict::Deny),
        ("spam_bar", AclVerdict::Deny),
        ("spam_action", AclVerdict::Deny),
        ("spam_report", AclVerdict::Error),
    ] {
        let played = tcp(&[End, say(answer)]);
        let options = format!("spamd_address = {}", played.place);
        let acl = format!(
            "deny spam = joe\n condition = ${{if eq{{${{expand:${variable}}}}}{{}}{{no}}{{yes}}}}"
        );
        assert_eq!(judged(&options, &acl).0, verdict, "{variable}");
    }
}

#[test]
fn rspamd() {
    let answer = "RSPAMD/1.3 0 EX_OK\r\nMetric: default; False; 3.25 / 10.00 / 0.0\r\n\
        Action: add header\r\nSymbol: NAME(1.00)\r\n\r\n";
    let played = tcp(&[Until(b"body\n"), say(answer)]);
    let (verdict, said) = spam("variant=rspamd", &played, "joe:true");
    let report = "<Action: add header\n Symbol: NAME(1.00)>";
    assert_eq!((verdict, said), (AclVerdict::Deny, format!("3.2 32 +++ {report} add header")));
    let told = played.told.recv_timeout(Duration::from_secs(5)).unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.starts_with("CHECK RSPAMC/1.3\r\nContent-length: "), "{told}");
    assert!(
        told.contains("From: <a@b.test>\r\nRecipient-Number: 1\r\nRcpt: <c@me.test>\r\n"),
        "{told}"
    );
}

/// What `dcc` says with a daemon, and the variables behind it.
fn dcc(played: &Played, options: &str, acl: &str) -> (AclVerdict, String) {
    let options = format!("dccifd_address = {}\n{options}", played.place);
    let message = "message = <$dcc_result> <$dcc_header>";
    let (verdict, said, _) = judged(&options, &format!("{acl}\n {message}"));
    (verdict, said)
}

#[test]
fn dccifd() {
    let header = "X-DCC-me-Metrics: me.test 1234; bulk Body=many\n\tFuz1=many";
    let answer = |word: &str| say(format!("{word}\n{word}\n{header}\n"));
    let played = unix(&[End, answer("A")]);
    let told = format!("<A> <{header}>");
    assert_eq!(dcc(&played, "", "deny dcc = *"), (AclVerdict::Deny, told));
    let asked = played.told.recv_timeout(Duration::from_secs(5)).unwrap();
    let wanted = "header\n192.0.2.1\n\na@b.test\nc@me.test\n\nSubject: x\n\nbody\n";
    assert_eq!(String::from_utf8_lossy(&asked), wanted);
    // What the configuration has the daemon see in the place of the truth.
    let played = tcp(&[End, answer("S")]);
    let acl = "warn set acl_m_dcc_override_client_ip = 198.51.100.7\n \
               set acl_m_dcc_add_header = X-Seen: yes\n  deny dcc = *";
    assert_eq!(dcc(&played, "", acl).0, AclVerdict::Deny);
    let asked = played.told.recv_timeout(Duration::from_secs(5)).unwrap();
    let wanted = "header\n198.51.100.7\n\na@b.test\nc@me.test\n\nSubject: x\nX-Seen: yes\n\nbody\n";
    assert_eq!(String::from_utf8_lossy(&asked), wanted);
    // It rejects, or delays; what can't be told now defers, unless that is not wanted.
    for (word, plain, patient) in [
        ("R", AclVerdict::Accept, AclVerdict::Accept),
        ("G", AclVerdict::Accept, AclVerdict::Accept),
        ("T", AclVerdict::Defer, AclVerdict::Accept),
        ("nonsense", AclVerdict::Defer, AclVerdict::Accept),
    ] {
        let played = unix(&[End, answer(word)]);
        assert_eq!(dcc(&played, "", "deny dcc = *").0, plain, "{word}");
        assert_eq!(dcc(&played, "", "deny dcc = */defer_ok").0, patient, "{word}");
    }
    // The line goes to the message where that is wanted.
    let played = unix(&[End, answer("A")]);
    let acl = "warn dcc = *\n  deny condition = ${if def:headers_added}\n \
               logwrite = <$headers_added>";
    assert_eq!(dcc(&played, "", acl).0, AclVerdict::Accept);
    assert_eq!(dcc(&played, "dcc_direct_add_header", acl).0, AclVerdict::Deny);
}

/// What `control = bmi_run` leaves in `$acl_m_bmi_verdicts`, and what is logged.
fn bmi(place: &str) -> (String, Vec<String>) {
    let text = format!(
        "primary_hostname = me.test\nbmi_config_file = {place}\nacl_smtp_mail = mail\n\
         acl_smtp_rcpt = accept\nacl_smtp_data = data\nbegin acl\nmail:\n  accept control = \
         bmi_run\ndata:\n  accept message = <$acl_m_bmi_verdicts>\n"
    );
    let config = Config::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let loaded: Loaded = Engine::builder().world(eximious_world::system()).build().load(config);
    let mut conversation = loaded.conversation("192.0.2.1".parse().unwrap());
    conversation.mail("a@b.test");
    conversation.rcpt("c@me.test");
    conversation.rcpt("d@me.test");
    let mut message = parse(b"Subject: x\n\nbody\n");
    message.recipients = vec!["c@me.test".into(), "d@me.test".into()];
    let decision = conversation.data(message);
    assert_eq!(decision.verdict, AclVerdict::Accept);
    let said = decision.message.map(|text| text.display().into_owned()).unwrap_or_default();
    (said, decision.log)
}

#[test]
fn brightmail() {
    let answer = "default\ndrop\tAA==\tBB==\t3,7\n";
    let played = unix(&[End, say(answer)]);
    let (said, log) = bmi(&played.place);
    assert_eq!(log, [""; 0]);
    assert_eq!(said, "<c@me.test\tdefault\nd@me.test\tdrop\tAA==\tBB==\t3,7\n>");
    let told = played.told.recv_timeout(Duration::from_secs(5)).unwrap();
    let wanted = "BMI/1\nclient 192.0.2.1\nhelo \nsender a@b.test\nrecipient c@me.test\n\
                  recipient d@me.test\n\nSubject: x\n\nbody\n";
    assert_eq!(String::from_utf8_lossy(&told), wanted);
    for wrong in ["", "default\n", "default\ndefault", "default\nx\n", "drop\ndrop\ndrop\n"] {
        let played = unix(&[End, say(wrong)]);
        let (said, log) = bmi(&played.place);
        let logged = format!("bmi_run: {}: an answer that makes no sense", played.place);
        assert_eq!((&said[..], &log[..]), ("<>", &[logged][..]), "{wrong:?}");
    }
    let (said, log) = bmi("/nowhere/socket");
    assert_eq!((&said[..], log.len()), ("<>", 1), "{log:?}");
    assert_eq!(bmi("").1, ["bmi_run: bmi_config_file does not name a socket"]);
}
