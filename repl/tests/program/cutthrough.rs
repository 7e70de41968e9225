//! Cut-through delivery (`control = cutthrough_delivery`): what the client hears, what
//! the next host hears, what is logged and what is kept, beside a real Exim where one
//! is installed. The next host is played, or a real Exim, too.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::common::onward::{
    ASKED, CUT, MESSAGE, OURS, PASS, Question, Running, ask, exim, ours, question,
};
use eximious_tests::cases::changes;
use eximious_tests::hosts::{self, Host};
use eximious_tests::servers;

/// How the next host may answer.
const HOSTS: [&str; 19] = [
    "",
    "banner=554 go away",
    "banner=450 not now",
    "banner=close",
    "MAIL=550 no",
    "MAIL=450 no",
    "RCPT=550 no such user",
    "RCPT=450-not\\n450 now",
    "RCPT=close",
    "RCPT=hello",
    "DATA=550 no data",
    "DATA=450 no data",
    "DATA=close",
    "DATA=hello",
    ".=550 no way",
    ".=450 later",
    ".=close",
    ".=hello",
    ".=354 what",
];

/// What both programs do the same way.
fn questions() -> Vec<Question> {
    let mut found = Vec::new();
    for host in HOSTS {
        for rcpt in [CUT, PASS, ASKED] {
            found.push(question(rcpt, host, "r@other"));
        }
    }
    let two = "r@other q@third";
    for rcpt in [CUT, ASKED] {
        for host in [
            "",
            "RCPT TO:<q=550 no q",
            "RCPT TO:<q=450 no q",
            ".=550 no",
            ".=450 no",
            "EHLO=250-peer\\n250-PIPELINING\\n250 HELP",
        ] {
            found.push(question(rcpt, host, two));
        }
        for (part, text) in [
            (
                "ROUTERS",
                "to:\n driver = redirect\n local_parts = q\n data = :fail: no\n allow_fail",
            ),
            (
                "ROUTERS",
                "to:\n driver = redirect\n local_parts = q\n data = :defer: no\n allow_defer",
            ),
            ("ROUTERS", "to:\n driver = redirect\n local_parts = q\n data = a@b.test,c@b.test"),
            (
                "ROUTERS",
                "to:\n driver = manualroute\n local_parts = q\n route_list = * 127.0.0.1\n \
                 self = send\n transport = smtp",
            ),
            (
                "ROUTERS",
                "to:\n driver = manualroute\n local_parts = q\n route_list = * 127.0.0.1\n \
                 self = send\n transport = other",
            ),
            ("SMTP", "max_rcpt = 1\n multi_domain = false"),
        ] {
            found.push(question(rcpt, "", two).with(part, text));
        }
    }
    found.push(question(CUT, "RCPT TO:<q=hello", two));
    let one = |rcpt: &str| question(rcpt, "", "r@other");
    let away = "to:\n driver = redirect\n local_parts = r\n data = child@other.test\n\
        on:\n driver = redirect\n local_parts = child\n data = last@other.test";
    for (part, text) in [
        ("ROUTERS", away),
        ("ROUTERS", "to:\n driver = redirect\n local_parts = r\n data = :fail: no\n allow_fail"),
        ("ROUTERS", "to:\n driver = redirect\n local_parts = r\n data = a@b.test,c@b.test"),
        ("AWAY", "headers_add = X-Router: $local_part\n headers_remove = from"),
        ("AWAY", "errors_to = e@b.test"),
        ("SMTP", "headers_remove = subject"),
        ("SMTP", "transport_filter = /bin/cat"),
        ("SMTP", "dkim_domain = a.test"),
        ("SMTP", "return_path = t@b.test"),
        ("SMTP", "headers_rewrite = *@b.test $1@c.test : *@c.test \"Name <$1@d.test>\" fw"),
        ("SMTP", "headers_rewrite = *@b.test $1@c.test\n headers_remove = subject"),
        ("SMTP", "headers_rewrite = *@b.test \"$1\""),
        ("SMTP", "event_action = ${acl {event}}"),
        ("SMTP", "event_action = ${if eq {$event_name} {msg:delivery} {${if eq}}}"),
        ("SMTP", "event_action = ${if eq {$event_name} {tcp:connect} {no}}"),
        ("SMTP", "event_action = ${if eq {$event_name} {smtp:connect} {no}}"),
        ("MAIN", "log_selector = -smtp_confirmation +sender_on_delivery +outgoing_port"),
        ("MAIN", "log_selector = +delivery_size"),
        ("MAIN", "log_selector = +deliver_time +queue_time"),
        ("MAIN", "log_selector = +queue_time_overall"),
        ("MAIN", "acl_smtp_mail = accept control = cutthrough_delivery"),
        ("MAIN", "acl_smtp_predata = deny"),
        ("MAIN", "acl_smtp_predata = accept control = freeze"),
        ("DATA", " accept message = own words"),
        ("DATA", " accept add_header = X-Data: 1"),
    ] {
        found.push(one(CUT).with(part, text));
    }
    let rewritten = "headers_rewrite = *@b.test $1@c.test : *@c.test $1@d.test q";
    found.push(one(CUT).with("SMTP", rewritten).with("MAIN", "log_selector = +address_rewrite"));
    for host in
        ["RCPT=550 no", "DATA=450 no", ".=550 no", ".=450 no", "banner=554 no", "MAIL=450 no"]
    {
        let event = "event_action = ${acl {event}}";
        found.push(question(CUT, host, "r@other").with("SMTP", event));
    }
    found.push(question(CUT, "", two).with("SMTP", "event_action = ${acl {event}}"));
    let parents = "log_selector = +all_parents";
    found.push(one(CUT).with("ROUTERS", away).with("MAIN", parents));
    found.push(question(CUT, ".=550 no", "r@other").with("ROUTERS", away));
    for more in [
        "control = fakereject",
        "control = fakedefer",
        "control = freeze",
        "control = queue",
        "control = cutthrough_delivery/foo=bar",
        "add_header = X-A: 1\n remove_header = subject\n add_header = :at_start:X-B: 2",
        "verify = recipient/callout",
        "verify = recipient/callout=use_postmaster",
        "verify = recipient/callout=use_sender,postmaster",
        "verify = recipient/callout=use_sender,random",
    ] {
        found.push(one(&format!("{CUT}\n  {more}")));
        found.push(one(&format!(" accept {more}\n  control = cutthrough_delivery")));
    }
    for acl in [
        " deny local_parts = q\n accept control = cutthrough_delivery",
        " discard local_parts = q\n accept control = cutthrough_delivery",
        " warn local_parts = q\n  control = cutthrough_delivery\n accept",
        " warn local_parts = r\n  control = cutthrough_delivery\n accept",
    ] {
        found.push(question(acl, "", two));
    }
    let envelope = "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\n";
    for client in [
        &format!("{envelope}RSET\n{envelope}{MESSAGE}"),
        &format!("{envelope}EHLO c\n{envelope}{MESSAGE}"),
        &format!("{envelope}{MESSAGE}{envelope}{MESSAGE}"),
        envelope,
        &format!("{envelope}BDAT 16 LAST\nSubject: x\n\nab\n"),
        "MAIL FROM:<s@remote.test> PRDR\nRCPT TO:<r@other.test>\nDATA\nSubject: x\n\n.\n",
        &format!("{envelope}DATA\nSubject: x\n.\n"),
        &format!("{envelope}DATA\n\n.\n"),
        &format!("{envelope}DATA\nSubject: \u{e9}\n\n{}\n\n...\n.\n", "x".repeat(5000)),
    ] {
        found.push(one(CUT).client(client));
        found.push(one(ASKED).client(client));
    }
    found
}

/// A callout that holds its connection open for those who follow.
const HOLD: &str = " accept verify = recipient/callout=use_sender,hold,no_cache";

/// What both do the same way where hosts are only asked: over a connection that is held
/// open, or out of the cache.
fn callouts() -> Vec<Question> {
    let three = "r@other q@third z@other";
    let mut found = Vec::new();
    for host in [
        "",
        "RCPT TO:<r=550 no",
        "RCPT TO:<r=450 no",
        "RCPT TO:<q=550 no",
        "RCPT TO:<q=450 no",
        "EHLO=250-peer\\n250-PIPELINING\\n250 HELP",
    ] {
        found.push(question(HOLD, host, three));
    }
    for (part, text) in [
        ("SMTP", "transport_filter = /bin/cat"),
        ("SMTP", "dkim_domain = a.test"),
        ("SMTP", "event_action = ${acl {event}}"),
        ("AWAY", "headers_add = X-A: $local_part"),
        ("ROUTERS", "to:\n driver = redirect\n local_parts = q\n data = :fail: no\n allow_fail"),
        ("ROUTERS", "to:\n driver = redirect\n local_parts = r\n data = a@b.test, c@b.test"),
        (
            "ROUTERS",
            "to:\n driver = manualroute\n local_parts = q\n route_list = * 127.0.0.1\n \
             self = send\n transport = other",
        ),
        ("DATA", " deny"),
    ] {
        found.push(question(HOLD, "", three).with(part, text));
    }
    for acl in [
        " accept verify = recipient/callout=hold,no_cache".to_owned(),
        " accept verify = recipient/callout=use_postmaster,hold,no_cache".to_owned(),
        " accept verify = recipient/callout=use_sender,hold,no_cache,postmaster".to_owned(),
        " accept verify = recipient/callout=use_sender,hold,no_cache,random".to_owned(),
        " accept verify = recipient/callout=use_sender,hold".to_owned(),
        format!(" accept local_parts = q\n  verify = recipient/callout=no_cache\n{HOLD}"),
        format!("{HOLD}\n  control = freeze"),
        " warn verify = recipient/callout=use_sender,hold,no_cache\n deny local_parts = r\n accept"
            .to_owned(),
    ] {
        found.push(question(&acl, "", three));
    }
    let envelope = "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\nRCPT TO:<r@other.test>\n";
    for acl in [
        HOLD,
        " accept verify = recipient/callout=use_sender,hold",
        " accept verify = recipient/callout",
        " require verify = recipient/callout\n accept",
        " accept verify = sender/callout",
        " accept verify = recipient/callout=postmaster",
    ] {
        for host in ["", "RCPT=550-no\\n550 such", "MAIL=550 no", "RCPT TO:<postmaster=550 no"] {
            let client = format!("{envelope}RCPT TO:<q@other.test>\n");
            found.push(question(acl, host, "r@other").client(&client));
        }
    }
    // What was learned over a connection that was held open is known later.
    let again = "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\nRCPT TO:<q@other.test>\n";
    for host in ["", "RCPT TO:<q=550 no"] {
        let client = format!("{again}RSET\nMAIL FROM:<s@remote.test>\nRCPT TO:<q@other.test>\n");
        let acl = " accept verify = recipient/callout=use_sender,hold";
        found.push(question(acl, host, "r@other").client(&client));
    }
    let client = format!("{envelope}RSET\n{envelope}{MESSAGE}{envelope}{MESSAGE}");
    found.push(question(HOLD, "", "r@other").client(&client));
    found
}

#[test]
fn messages_go_as_exims_do() {
    agree(&questions());
}

#[test]
fn hosts_are_asked_as_exim_does() {
    agree(&callouts());
}

fn agree(questions: &[Question]) {
    let Some(exim) = exim() else { return };
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(question) = questions.get(at) else { return };
                    let (theirs, ours) = (ask(Path::new(&exim), question), ours(question));
                    if theirs != ours {
                        let (parts, host) = (&question.parts, &question.host);
                        let (theirs, ours) = (theirs.lines(), ours.lines());
                        let differing: Vec<String> = changes(&theirs, &ours)
                            .into_iter()
                            .map(|(mark, line)| format!("{mark} {line}"))
                            .collect();
                        wrong.lock().expect("no test failed").push(format!(
                            "{parts:?} [{host}] {}\n{}\n",
                            question.client.escape_debug(),
                            differing.join("\n")
                        ));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no test failed");
    let (count, all) = (wrong.len(), questions.len());
    assert!(wrong.is_empty(), "{count} of {all} differ:\n{}", wrong.join("\n"));
}

/// What the real program does with these would lose a message, or send one to whom it
/// must not go: here it goes by way of the spool.
#[test]
fn nothing_is_lost() {
    let two = "r@other q@third";
    let one = |rcpt: &str| question(rcpt, "", "r@other");
    let asked = "control = cutthrough_delivery\n  verify = recipient/callout=use_sender";
    let unseen = "copy:\n driver = accept\n unseen\n transport = local";
    let split = "copy:\n driver = manualroute\n unseen\n transport = smtp\n \
        route_list = * 127.0.0.1\n self = send\n\
        more:\n driver = redirect\n data = a@other.test, b@other.test";
    for question in [
        question(CUT, "", "r@other q@local"),
        question(ASKED, "", "r@other q@local"),
        one(CUT).with("ROUTERS", unseen),
        one(ASKED).with("ROUTERS", unseen),
        one(CUT).with("ROUTERS", split),
        one(ASKED).with("ROUTERS", split),
        question(CUT, "", two).with("AWAY", "headers_add = X-A: $local_part"),
        question(&format!(" warn {asked}\n deny local_parts = q\n accept"), "", two),
        question(&format!(" warn {asked}\n discard local_parts = q\n accept"), "", two),
        question(&format!(" warn {asked}\n deny local_parts = r\n accept"), "", two),
        one(CUT).with("SMTP", "headers_add = ${if"),
        one(CUT).client(&format!(
            "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test> NOTIFY=SUCCESS\n{MESSAGE}"
        )),
    ] {
        let answer = ours(&question);
        assert_eq!(answer.kept, 1, "{question:?}\n{answer:#?}");
        assert!(!answer.main.iter().any(|line| line.contains(">>")), "{question:?}\n{answer:#?}");
        assert!(answer.client.iter().any(|line| line == "250 OK id=ID"), "{answer:#?}");
        assert!(!answer.host.iter().any(|line| line == "DATA"), "{question:?}\n{answer:#?}");
    }
}

/// A message that is judged badly is not begun to be sent, which the real program does.
#[test]
fn only_what_was_accepted_is_sent() {
    for (data, kept) in [
        (" deny message = no thanks", 0),
        (" defer", 0),
        (" discard", 0),
        (" accept control = freeze", 1),
        (" accept control = queue", 1),
        (" accept control = fakereject\n  add_header = X-A: 1", 1),
    ] {
        let answer = ours(&question(CUT, "", "r@other").with("DATA", data));
        assert!(!answer.host.iter().any(|line| line == "DATA"), "{data}: {answer:#?}");
        assert_eq!(answer.host.last().map(String::as_str), Some("QUIT"), "{data}");
        assert_eq!(answer.kept, kept, "{data}: {answer:#?}");
    }
    for client in ["DATA\nSubject: x\n\nfoo\n", ""] {
        let client = format!("MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\n{client}");
        let answer = ours(&question(CUT, "", "r@other").client(&client));
        assert_eq!(answer.host.last().map(String::as_str), Some("QUIT"), "{answer:#?}");
        assert_eq!(answer.kept, 0);
    }
}

#[test]
fn header_lines_of_transports_are_whole() {
    let added = "headers_add = X-One: $h_subject:\\nX-Two: 2\n headers_remove = from";
    let answer = ours(&question(CUT, "", "r@other").with("SMTP", added));
    let from = answer.host.iter().position(|line| line.starts_with("Subject")).unwrap();
    let wanted = ["Subject: x", "X-One: x", "X-Two: 2", "", "..dot", "no dot", ".", "QUIT"];
    assert_eq!(answer.host[from..], wanted);
}

#[test]
fn the_transport_may_name_the_sender() {
    let named = |rcpt: &str| {
        let question = question(rcpt, "", "r@other").with("SMTP", "return_path = t@b.test");
        let answer = ours(&question);
        assert_eq!(answer.kept, 0, "{answer:#?}");
        let mail = answer.host.into_iter().filter(|line| line.starts_with("MAIL"));
        mail.collect::<Vec<_>>()
    };
    let own = "MAIL FROM:<s@remote.test>";
    let other = "MAIL FROM:<t@b.test>";
    let cut = format!("{CUT}/sender=transport");
    assert_eq!(named(&cut), [other]);
    assert_eq!(named(&format!("{cut}\n verify = recipient/callout=use_tptsender")), [other]);
    // Those who name somebody else get a connection of their own.
    assert_eq!(named(&format!("{cut}\n verify = recipient/callout=use_sender")), [own, other]);
    assert_eq!(named(&format!("{CUT}\n verify = recipient/callout=use_tptsender")), [other, own]);
}

#[test]
fn what_the_client_wants_to_be_told_goes_along() {
    let offers = "EHLO=250-peer\\n250-SIZE 100000\\n250-DSN\\n250 SMTPUTF8";
    let client = format!(
        "MAIL FROM:<s@remote.test> SIZE=100 RET=HDRS ENVID=abc\n\
         RCPT TO:<r@other.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y\n\
         RCPT TO:<q@other.test> NOTIFY=NEVER\n{MESSAGE}"
    );
    let answer = ours(&question(CUT, offers, "r@other").client(&client));
    let wanted = [
        "MAIL FROM:<s@remote.test> SIZE=1124 RET=HDRS ENVID=abc",
        "RCPT TO:<r@other.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y",
        "RCPT TO:<q@other.test> NOTIFY=NEVER",
        "DATA",
    ];
    assert_eq!(answer.host[2..6], wanted);
    assert_eq!(answer.kept, 0);
}

/// Several lines of another host are one in a log, and nothing of them is a log line.
#[test]
fn answers_of_other_hosts_make_no_lines() {
    let said = "-one\\nCODE-2026-11-20 00:00:00 forged\u{1}\\nCODE \"two\"";
    for code in ["250", "450", "550"] {
        let rule = format!(".={code}{}", said.replace("CODE", code));
        let answer = ours(&question(PASS, &rule, "r@other"));
        let mark = if code == "250" { ">>" } else { "reject" };
        let line = answer.main.iter().find(|line| line.contains(mark)).unwrap();
        let rest = format!(
            "C=\"{code}-one\\\\n{code}-2026-11-20 00:00:00 forged\\\\001\\\\n{code} \\\"two\\\"\""
        );
        assert!(line.ends_with(&rest), "{line}");
        if code != "250" {
            let heard = [
                format!("{code}-one"),
                format!("{code}-2026-11-20 00:00:00 forged\\001"),
                format!("{code} \"two\""),
            ];
            let at = answer.client.iter().position(|line| *line == heard[0]).unwrap();
            assert_eq!(answer.client[at..at + 3], heard);
        }
    }
}

/// The next host hangs, or never comes to an end: the message is kept in time.
#[test]
fn next_hosts_that_hang() {
    const TIMES: &str = "command_timeout = 1s\n data_timeout = 1s\n final_timeout = 1s";
    let asked = ASKED.replace("use_sender", "1s,use_sender");
    std::thread::scope(|scope| {
        for (rule, passed) in [
            ("banner=silent", None),
            ("banner=endless", None),
            ("EHLO=endless", None),
            ("RCPT=silent", None),
            ("RCPT=endless", None),
            ("DATA=silent", Some("250 OK id=ID")),
            ("DATA=endless", Some("250 OK id=ID")),
            ("DATA=close", Some("250 OK id=ID")),
            (".=silent", Some("450 Onward transmission not accepted")),
            (".=endless", Some("450 Onward transmission not accepted")),
            (".=close", Some("450 Onward transmission not accepted")),
        ] {
            for pass in [false, true] {
                let asked = asked.clone();
                scope.spawn(move || {
                    let acl = match pass {
                        true => asked.replace("delivery", "delivery/defer=pass"),
                        // Whoever can't be asked now is taken nevertheless.
                        false => asked.replace("1s,", "1s,defer_ok,"),
                    };
                    let question = question(&acl, rule, "r@other").with("SMTP", TIMES);
                    let began = Instant::now();
                    let answer = ours(&question);
                    let lasted = began.elapsed();
                    assert!(lasted < Duration::from_secs(20), "{rule}: {lasted:?}");
                    let told = |line: &str| answer.client.iter().any(|told| told == line);
                    assert!(told("250 OK id=ID") == (answer.kept == 1), "{rule}: {answer:#?}");
                    assert!(pass || answer.kept == 1, "{rule}: {answer:#?}");
                    if let (true, Some(line)) = (pass, passed) {
                        assert!(told(line), "{rule}: {answer:#?}");
                    }
                });
            }
        }
    });
}

/// A host that takes a little of a large message, and then nothing more.
#[test]
fn next_hosts_that_do_not_read() {
    let played = servers::Played::tcp(|peer| {
        let _ = peer.write_all(b"220 peer\r\n");
        for answer in ["250 peer", "250 OK", "250 OK", "354 go on"] {
            let mut byte = [0];
            while matches!(peer.read(&mut byte), Ok(1)) && byte[0] != b'\n' {}
            let _ = peer.write_all(format!("{answer}\r\n").as_bytes());
        }
        std::thread::sleep(Duration::from_secs(30));
    });
    let large = format!("{}\n", "x".repeat(70)).repeat(300_000);
    let client = format!(
        "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\nDATA\nSubject: x\n\n{large}.\n"
    );
    let question = question(CUT, "", "r@other").client(&client).with("SMTP", "data_timeout = 1s");
    let began = Instant::now();
    let host = Host::new("");
    let running = Running::start(Path::new(OURS), &question, played.port);
    let answer = running.answer(&question, &host);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(answer.kept, 1, "{answer:#?}");
    assert!(answer.client.iter().any(|line| line == "250 OK id=ID"));
}

/// What a real Exim has that takes mail, and refuses what somebody wants refused.
const LISTENING: &str = "message_id_header_text =\nacl_smtp_rcpt = accept\n\
    acl_smtp_data = data\nbegin acl\ndata:\n \
    deny condition = ${if match{$h_subject:}{no}}\n  message = no such subjects\n accept\n";

#[test]
fn a_real_exim_takes_the_message() {
    let Some(exim) = exim() else { return };
    let (server, port) = hosts::listening(Path::new(&exim), LISTENING);
    let host = Host::new("");
    for acl in [CUT, ASKED] {
        for (subject, code) in [("yes", "250 OK id=ID"), ("no", "550 no such subjects")] {
            let client = format!(
                "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\nRCPT TO:<q@other.test>\n\
                 DATA\nSubject: {subject}\n\n.\u{e9}\n..\n...x\n.\n"
            );
            let asked = question(acl, "", "r@other").client(&client);
            let answer = Running::start(Path::new(OURS), &asked, port).answer(&asked, &host);
            assert!(answer.client.iter().any(|line| line == code), "{answer:#?}");
            assert_eq!(answer.kept, 0);
            let gone = answer.main.iter().filter(|line| line.contains(" >> ")).count();
            assert_eq!(gone, if subject == "yes" { 2 } else { 0 }, "{answer:#?}");
        }
    }
    let input = server.home().path().join("spool/input");
    let mut bodies = Vec::new();
    for entry in std::fs::read_dir(input).expect("the spool") {
        let path = entry.expect("a file").path();
        if path.to_string_lossy().ends_with("-D") {
            let text = String::from_utf8(std::fs::read(path).expect("a file")).expect("text");
            bodies.push(text.split_once('\n').expect("a line").1.to_owned());
        }
    }
    assert_eq!(bodies, ["\u{e9}\n.\n..x\n"; 2]);
}

/// A client that does not wait hears what was said already before another host is
/// asked, unless `control = no_callout_flush`.
#[test]
fn answers_are_flushed_before_callouts() {
    let flushes = |program: &Path, acl: &str, main: &str| {
        let host = Host::new("RCPT=250 ok after 2s");
        let asked = question(acl, "", "r@other").with("MAIN", main);
        let mut running = Running::start(program, &asked, host.played.port);
        let mut input = running.child.stdin.take().expect("a pipe");
        let mut out = std::io::BufReader::new(running.child.stdout.take().expect("a pipe"));
        let mut until = |end: &str| {
            let mut line = String::new();
            while !line.starts_with(end) {
                line.clear();
                let count = std::io::BufRead::read_line(&mut out, &mut line).expect("it speaks");
                assert!(count > 0, "it says {end}");
            }
        };
        input.write_all(b"EHLO client.test\r\n").expect("it hears");
        until("250 HELP");
        let envelope = b"MAIL FROM:<s@remote.test>\r\nRCPT TO:<r@other.test>\r\n";
        input.write_all(envelope).expect("it hears");
        let began = Instant::now();
        until("250 OK");
        let first = began.elapsed();
        until("250 Accepted");
        assert!(began.elapsed() >= Duration::from_secs(2));
        input.write_all(b"QUIT\r\n").expect("it hears");
        until("221");
        running.child.wait().expect("it ends");
        first < Duration::from_secs(1)
    };
    let exim = exim();
    let verify = "verify = recipient/callout=no_cache";
    std::thread::scope(|scope| {
        let earlier = "acl_smtp_helo = accept control = no_callout_flush";
        for (acl, main, wanted) in [
            (format!(" accept {verify}"), "", true),
            (format!(" accept control = no_callout_flush\n  {verify}"), "", false),
            (format!(" accept {verify}"), earlier, false),
            (CUT.to_owned(), "", true),
            (format!("{CUT}\n  control = no_callout_flush"), "", false),
        ] {
            let programs = [Some(OURS.to_owned()), exim.clone()];
            for program in programs.into_iter().flatten() {
                let (acl, flushes) = (acl.clone(), &flushes);
                scope.spawn(move || {
                    let found = flushes(Path::new(&program), &acl, main);
                    assert_eq!(found, wanted, "{program}: {acl}");
                });
            }
        }
    });
}
