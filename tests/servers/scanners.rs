//! The conditions `malware` and `spam`, against small servers that speak the scanners'
//! protocols.

mod spam;

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
    // What comes with the first line is about the message, too.
    check("clamd:@", unix, &ask("/x: OK\n/y: Test.Virus FOUND\n"), "<Test.Virus>");
    check("clamd:@", unix, &ask("/x: OK\n/y: OK\n"), "clean");
    check("clamd:@", unix, &ask("/x: OK\0/y: Test.Virus FOUND\n"), "clean");
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
        // Each line is looked at by itself, and the last one with a name has it.
        ("cmdline:/usr/bin/printf 'a\\nvirus\\r\\nb':^virus$:^(.)$", "<b>"),
        ("cmdline:/usr/bin/printf 'a\\n\\nvirus x\\nvirus y\\nb':virus:virus (.*)", "<y>"),
        ("cmdline:/usr/bin/printf 'a\\nvirus':a.*virus:(x)", "clean"),
        ("cmdline:/usr/bin/printf 'a\\nvirus':a\\nvirus:(x)", "clean"),
        ("cmdline:/usr/bin/printf '\\n':^:(x)", "clean"),
        ("cmdline:/bin/echo virus; exit 1:virus:virus( x)?", "<unknown>"),
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
    let ask = |answer: &str| vec![Until(b"\n"), say(answer), Until(b"\n")];
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
        assert_eq!(told.ends_with("\nQUIT\n"), !answer.is_empty(), "{told}");
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
