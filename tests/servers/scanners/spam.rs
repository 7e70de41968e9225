//! The conditions `spam` and `dcc`, and Brightmail.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use eximious::acl::AclVerdict;
use eximious::stdlib::message::parse;
use eximious::{Config, Engine, Loaded};

use super::{End, Played, Until, Wait, judged, play, say, tcp, unix};

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
        // A little is added before the whole tenths are counted.
        (
            "Spam: False ; 1.999 / 5.0",
            "joe:true",
            AclVerdict::Deny,
            format!("2.0 20 + {tail} no action"),
        ),
        (
            "Spam: False ; 1.9989 / 5.0",
            "joe:true",
            AclVerdict::Deny,
            format!("2.0 19 + {tail} no action"),
        ),
        (
            "Spam: False ; 1 / 5.0\r\n\r\n \t",
            "joe:true",
            AclVerdict::Deny,
            format!("1.0 10 + {tail} no action"),
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

/// A server is a list by itself, which may have another separator.
#[test]
fn servers_are_lists() {
    let acl = "deny spam = joe\n message = <$spam_report>";
    let answer = "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5.4 / 5.0\r\n\r\nx\0y\r\n";
    for (list, verdict) in [
        ("@", AclVerdict::Deny),
        ("@x", AclVerdict::Deny),
        ("[@", AclVerdict::Deny),
        ("@ pri=2x weight= tmo=5s", AclVerdict::Deny),
        ("<; <, @, tmo=5s", AclVerdict::Deny),
        ("<; <: @ : pri=-1 ; 127.0.0.1 1", AclVerdict::Deny),
        ("/@", AclVerdict::Defer),
    ] {
        let played = tcp(&[End, say(answer)]);
        let place = match list {
            "[@" => played.place.replace("127.0.0.1", "127.0.0.1]"),
            _ if list.starts_with("<; <,") => played.place.replace(' ', ","),
            _ if list.starts_with("<; <:") => played.place.replace(' ', ":"),
            _ => played.place.clone(),
        };
        let options = format!("spamd_address = {}", list.replace('@', &place));
        let (was, said, _) = judged(&options, acl);
        assert_eq!(was, verdict, "{list}");
        // What stands behind a zero byte is none of the report's.
        assert_eq!(said, if verdict == AclVerdict::Deny { "<x>" } else { "" }, "{list}");
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
