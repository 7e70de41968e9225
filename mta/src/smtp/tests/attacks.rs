//! Clients that mean harm: nothing panics, hangs or grows without bound, and what
//! is text stays text.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use eximious::world::{Civil, Clock, Moment};

use super::super::input::LONGEST;
use super::super::stage::Stage;
use super::*;

const GREETING: &[u8] = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";

/// The messages that come of an input, and what is said.
fn messages(config: &str, input: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (mut session, _) = session(config, client());
    session.receive(input);
    let (mut found, mut out) = (Vec::new(), Vec::new());
    while let Some(event) = session.next_event() {
        match event {
            Event::Reply(bytes) => out.extend(bytes),
            Event::Message(received) => {
                found.push(received.message.body.in_memory().unwrap_or_default().to_vec());
                session.conclude(&SpoolOutcome::Spooled);
            }
            _ => {}
        }
    }
    (found, String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn cve_2023_51766_no_variant_of_an_end_smuggles_a_message() {
    let ends = [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\n.\r",
        "\r.\r\n",
        "\r.\n",
        "\r\n.\0\r\n",
        "\r\n\0.\r\n",
        "\r\n.\r\r\n",
        "\r\r\n.\n",
        "\n\r.\r\n",
        "\r\n..\r\n",
        "\r\n. \r\n",
    ];
    let offers = [
        "",
        "chunking_advertise_hosts =\n",
        "pipelining_advertise_hosts =\n",
        "chunking_advertise_hosts =\npipelining_advertise_hosts =\n",
    ];
    for offered in offers {
        for end in ends {
            let smuggled = "MAIL FROM:<evil@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: y\r\n\r\nz";
            let message = format!("Subject: x\r\n\r\ntext{end}{smuggled}\r\n.\r\n");
            let config = format!("{offered}{OPEN}");
            let input = [GREETING, b"DATA\r\n", message.as_bytes()].concat();
            let (found, _) = messages(&config, &input);
            assert_eq!(found.len(), 1, "{offered}{end:?}");
            assert!(found[0].windows(11).any(|text| text == b"evil@b>\nRCPT"[..11].as_ref()));
            if offered.contains("chunking") {
                continue;
            }
            let chunk = format!("BDAT {} LAST\r\n{message}", message.len());
            let (found, _) = messages(&config, &[GREETING, chunk.as_bytes()].concat());
            assert_eq!(found.len(), 1, "{offered}{end:?} in a chunk");
        }
    }
}

#[test]
fn cve_2017_16943_16944_a_dot_in_a_chunk_ends_nothing() {
    let text = "a: b\r\n\r\n.\r\nQUIT\r\n.\r\n";
    let input = format!("BDAT {} LAST\r\n{text}NOOP\r\n", text.len());
    let (found, said) = messages(OPEN, &[GREETING, input.as_bytes()].concat());
    assert_eq!(found, [b".\nQUIT\n.\n".to_vec()]);
    assert!(said.ends_with("250 OK\r\n"), "{said}");
    // A chunk that nobody wants is read all the same, whatever is in it.
    for config in [format!("message_size_limit = 5\n{OPEN}"), OPEN.to_owned()] {
        for head in ["", "RSET\r\n"] {
            let input = [GREETING, head.as_bytes(), input.as_bytes()].concat();
            let (_, said) = messages(&config, &input);
            assert!(!said.contains("221 ") && said.ends_with("250 OK\r\n"), "{said}");
        }
    }
}

#[test]
fn cve_2020_28019_28024_no_state_of_chunks_outlives_them() {
    let chunk = "BDAT 6\r\na: b\r\n";
    for between in [
        "RSET\r\n",
        "BDAT x\r\nRSET\r\n",
        "FOO\r\nRSET\r\n",
        "DATA\r\nRSET\r\n",
        "BDAT 0\r\nRSET\r\n",
        "BDAT 2000000000\r\nx",
        "EHLO y\r\nRSET\r\n",
        "STARTTLS\r\nRSET\r\n",
    ] {
        let input = [GREETING, chunk.as_bytes(), between.as_bytes(), GREETING].concat();
        let input = [&input, b"DATA\r\nc: d\r\n\r\n.\r\n".as_slice()].concat();
        let (whole, _) = messages(OPEN, &input);
        for body in &whole {
            assert!(body.is_empty(), "{between}");
        }
        // However it comes.
        let (mut bytewise, _) = session(OPEN, client());
        for byte in &input {
            bytewise.receive(&[*byte]);
            let _ = said(&mut bytewise);
        }
    }
}

#[test]
fn cve_2019_16928_a_long_hello_is_a_hello() {
    let (mut session, log) = session(&format!("smtp_max_unknown_commands = 9\n{OPEN}"), client());
    let _ = said(&mut session);
    for length in [511, 1023, 1024, 4096, 8191, 16000] {
        session.receive(format!("EHLO {}\r\n", "x".repeat(length)).as_bytes());
        assert!(said(&mut session).contains("250 HELP"), "{length}");
    }
    session.receive(format!("EHLO {}\r\n", "x".repeat(LONGEST)).as_bytes());
    assert!(said(&mut session).starts_with("500 unrecognized command"));
    let lines = log.0.lock().unwrap();
    assert!(lines.iter().all(|line| line.len() <= LONGEST + 512));
}

#[test]
fn cve_2010_4344_headers_of_a_rejected_message_are_logged_in_bounds() {
    let config = "acl_smtp_rcpt = accept\nacl_smtp_data = d\nbegin acl\nd:\n  \
        deny message = $h_subject:\n";
    let (mut session, log) = session(config, client());
    session.receive(&[GREETING, b"DATA\r\n"].concat());
    for number in 0..100 {
        let text = "%s%n".repeat(2000);
        session.receive(format!("X-{number}: {text}\r\n").as_bytes());
        let _ = said(&mut session);
    }
    session.receive(format!("Subject: {}\r\n\r\n.\r\n", "%s".repeat(9000)).as_bytes());
    let all = said(&mut session);
    assert!(all.contains("550"), "{all}");
    let lines = log.0.lock().unwrap().concat();
    assert!(lines.len() < 4 << 20 && !lines.contains('\0'));
}

#[test]
fn cve_2020_28009_28017_28020_numbers_and_counts_do_not_wrap_round() {
    let config = format!("recipients_max = 3\nmessage_size_limit = 4K\n{OPEN}");
    let (mut session, _) = session(&config, client());
    let _ = said(&mut session);
    session.receive(b"EHLO x\r\n");
    let _ = said(&mut session);
    for size in
        ["-1", "2147483648", "4294967297", "18446744073709551617", "99999999999999999999999"]
    {
        session.receive(format!("MAIL FROM:<a@b> SIZE={size}\r\n").as_bytes());
        assert!(said(&mut session).starts_with("552 "), "{size}");
    }
    session.receive(b"MAIL FROM:<a@b>\r\n");
    let _ = said(&mut session);
    for number in 0..20 {
        session.receive(b"RCPT TO:<c@d>\r\n");
        let answer = if number < 3 { "250 " } else { "452 " };
        assert!(said(&mut session).starts_with(answer));
    }
    // What wraps round to a small number is a large one.
    session.receive(b"BDAT 4294967297 LAST\r\nx");
    assert_eq!(said(&mut session), "");
    assert!(matches!(session.stage, Stage::Chunk(_)));
}

#[test]
fn cve_2020_28022_28023_commands_of_any_form_are_answered() {
    let words = [
        "MAIL FROM:",
        "RCPT TO:",
        "AUTH ",
        "BDAT ",
        "EHLO ",
        "ETRN ",
        "EXPN ",
        "VRFY ",
        "XCLIENT ",
        "WELLKNOWN ",
        "ATRN ",
        "HELO ",
        "STARTTLS",
        "HELP",
        "NOOP",
        "RSET",
        "DATA",
    ];
    let tails = [
        "",
        " ",
        "=",
        " =",
        "<",
        ">",
        "<>",
        "<@",
        "<>=",
        "<> =",
        "<a@b> =x",
        "<a@b> X",
        "\0",
        "\t",
        "\"",
        "\\",
        "<\"\\",
        "(",
        "<a@b> SIZE",
        "<a@b> AUTH=+",
        "<a@b> AUTH=+4",
        "<a@b> ORCPT=;",
        "<a@b> NOTIFY=,",
        "\u{7f}",
        "\u{e9}",
        ":::::",
        "0",
        "-",
        "@:",
        "<@a,@b:c@d>",
        "[",
        "[]",
        "[IPv6:",
        "a\rb",
        "LAST",
        "= = = =",
    ];
    let config = format!(
        "smtp_max_unknown_commands = 9999\nsmtp_max_synprot_errors = 9999\n\
         smtp_accept_max_nonmail = 9999\nhosts_xclient = *\nwellknown_advertise_hosts = *\n\
         dsn_advertise_hosts = *\nacl_smtp_wellknown = accept\nacl_smtp_vrfy = accept\n\
         acl_smtp_etrn = accept\nacl_smtp_expn = accept\nacl_smtp_atrn = accept\n{OPEN}"
    );
    let (mut session, log) = session(&config, client());
    let _ = said(&mut session);
    for word in words {
        for tail in tails {
            session.receive(format!("RSET\r\nEHLO x\r\n{word}{tail}\r\n").as_bytes());
            let all = said(&mut session);
            if word == "DATA" || word == "BDAT " {
                session.receive(b"\r\n.\r\n");
                let _ = said(&mut session);
            }
            let whole = |line: &str| {
                line.len() > 3 && line.bytes().take(3).all(|byte| byte.is_ascii_digit())
            };
            assert!(!all.is_empty() && all.lines().all(whole), "{word}{tail:?}: {all}");
        }
    }
    assert!(log.0.lock().unwrap().iter().all(|line| !line.contains(['\r', '\n', '\0'])));
}

#[test]
fn cve_2021_38371_2020_28018_what_comes_with_starttls_is_no_command_behind_it() {
    let config = format!("pipelining_connect_advertise_hosts =\n{OPEN}");
    let eager = Client { synchronizes: true, ..client() };
    for (client, answer, later) in [
        (eager, "554 SMTP synchronization error\n(closed)\n", ""),
        (client(), "454 TLS currently unavailable\n", "503 sender not yet given\n"),
    ] {
        let (mut session, _) = session(&config, client);
        let _ = said(&mut session);
        session.receive(b"EHLO x\r\n");
        assert!(said(&mut session).contains("STARTTLS"));
        session.receive(b"STARTTLS\r\nMAIL FROM:<evil@b>\r\nMAIL");
        assert_eq!(said(&mut session), answer);
        session.receive(b"RCPT TO:<c@d>\r\n");
        assert_eq!(said(&mut session), later);
    }
}

#[test]
fn cve_2025_26794_what_etrn_says_is_an_argument() {
    for (command, reply) in [
        ("", "458 Unable to queue messages: there are no queue runs"),
        ("smtp_etrn_command = /bin/sh -c $domain\n", "458 Internal failure"),
        ("smtp_etrn_command = /bin/sh -c \"echo '$domain'\"\n", "458 Internal failure"),
    ] {
        let config =
            format!("{command}acl_smtp_etrn = accept\nsmtp_accept_max_nonmail = 99\n{OPEN}");
        let (mut session, log) = session(&config, client());
        let _ = said(&mut session);
        for text in ["#x'; DROP TABLE tbl; --", "#\"' OR 1=1", "#`id`$(id)${run{id}}", "#%s\\"] {
            session.receive(format!("ETRN {text}\r\n").as_bytes());
            assert_eq!(said(&mut session), format!("{reply}\n"), "{command}{text}");
            let line = format!("ETRN {text} received from ");
            assert!(log.0.lock().unwrap().iter().any(|logged| logged.contains(&line)));
        }
    }
}

#[test]
fn cve_2026_45185_behind_the_end_of_the_input_nothing_is_read() {
    for head in ["BDAT 100 LAST\r\na: b\r\n", "BDAT 6\r\na: b\r\n", "DATA\r\na: b\r\n", ""] {
        let (mut session, _) = session(OPEN, client());
        session.receive(&[GREETING, head.as_bytes()].concat());
        session.end_of_input();
        assert!(said(&mut session).ends_with("(closed)\n"), "{head}");
        session.receive(b"x\r\n.\r\nRSET\r\nMAIL FROM:<evil@b>\r\n");
        assert_eq!(said(&mut session), "", "{head}");
    }
}

#[test]
fn endless_lines_take_no_memory_and_come_to_an_end() {
    let (mut session, _) = session(OPEN, client());
    let _ = said(&mut session);
    let mut closed = false;
    for _ in 0..100 {
        session.receive(&[b'x'; 8192]);
        closed |= said(&mut session).contains("(closed)");
        if closed {
            break;
        }
        assert!(session.input.rest().len() < LONGEST);
    }
    assert!(closed);
}

#[test]
fn endless_data_and_endless_chunks_take_no_memory() {
    for (head, piece) in [
        ("DATA\r\n", [b'x'; 8192]),
        ("DATA\r\na: b\r\n\r\n", [b'\n'; 8192]),
        ("DATA\r\n", [b':'; 8192]),
        ("BDAT 18446744073709551615 LAST\r\n", [b'x'; 8192]),
        ("BDAT 99999999999999999999999 LAST\r\n", [b'\n'; 8192]),
        ("RSET\r\nBDAT 99999999999999999999999 LAST\r\n", [b'\n'; 8192]),
    ] {
        let (mut session, _) = session(&format!("message_size_limit = 10K\n{OPEN}"), client());
        session.receive(&[GREETING, head.as_bytes()].concat());
        let _ = said(&mut session);
        for _ in 0..200 {
            session.receive(&piece);
            assert_eq!(said(&mut session), "");
            let kept = match &session.stage {
                Stage::Data(data) => data.bytes.capacity(),
                _ => {
                    session.transaction.chunks.as_ref().map_or(0, |chunks| chunks.bytes.capacity())
                }
            };
            assert!(kept <= 64 << 10 && session.input.rest().len() <= 8192, "{kept}");
        }
    }
}

#[test]
fn ten_thousand_recipients_are_counted() {
    let (mut session, _) = session(&format!("recipients_max = 100\n{OPEN}"), client());
    session.receive(b"EHLO x\r\nMAIL FROM:<a@b>\r\n");
    let _ = said(&mut session);
    let (mut taken, mut deferred) = (0, 0);
    for number in 0..10_000 {
        session.receive(format!("RCPT TO:<r{number}@d>\r\n").as_bytes());
        match &said(&mut session)[..4] {
            "250 " => taken += 1,
            "452 " => deferred += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((taken, deferred), (100, 9900));
}

#[test]
fn refused_recipients_leave_nothing_behind() {
    let config = "acl_smtp_rcpt = r\nbegin acl\nr:\n  warn log_message = $local_part\n  deny\n";
    let (mut session, _) = session(config, client());
    session.receive(b"EHLO x\r\nMAIL FROM:<a@b>\r\n");
    let _ = said(&mut session);
    for number in 0..3000 {
        session.receive(format!("RCPT TO:<r{number}@d>\r\n").as_bytes());
        assert!(said(&mut session).starts_with("550 "));
    }
    assert!(session.acl_state.remembered() <= 1000);
}

#[test]
fn garbage_that_is_pipelined_ends_the_connection() {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    for _ in 0..100 {
        let (mut session, log) = session(OPEN, client());
        let garbage: Vec<u8> = std::iter::repeat_with(&mut next).take(60_000).collect();
        let mut all = String::new();
        for piece in garbage.chunks(4096) {
            session.receive(piece);
            all.push_str(&said(&mut session));
        }
        session.end_of_input();
        all.push_str(&said(&mut session));
        assert!(all.ends_with("(closed)\n") && all.lines().count() < 40, "{all}");
        assert!(log.0.lock().unwrap().iter().all(|line| !line.contains(['\r', '\n', '\0'])));
    }
}

#[test]
fn a_proxy_has_to_say_who_the_client_is() {
    let config = format!(
        "hosts_proxy = 192.0.2.1\nsmtp_banner = $proxy_session $proxy_external_address \
         $sender_host_address $sender_host_port $proxy_local_address\n{OPEN}"
    );
    let told = |input: &[u8]| {
        let (mut session, _) = session(&config, client());
        assert_eq!(said(&mut session), "");
        let mut all = String::new();
        for byte in input {
            session.receive(&[*byte]);
            all.push_str(&said(&mut session));
        }
        session.end_of_input();
        all + &said(&mut session)
    };
    let good = told(b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\nHELO x\r\n");
    assert!(good.starts_with("220 yes 192.0.2.8 192.0.2.7 1234 192.0.2.1\n"), "{good}");
    assert!(good.contains("Hello x [192.0.2.7]"), "{good}");
    for wrong in [
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25 MAIL FROM:<a@b>\r\n".as_slice(),
        b"HELO x\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0cxxxxxxxxxxxx",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff\r\n",
        b"PROXY TCP4 192.0.2.7",
        b"\0\0\0\0",
    ] {
        let all = told(&[wrong, b"\r\nHELO x\r\nMAIL FROM:<a@b>\r\nDATA\r\n"].concat());
        assert!(all.starts_with("220 yes  192.0.2.1 1025\n"), "{all}");
        assert!(!all.contains("250 "), "{all}");
        assert!(all.contains("503 Command refused, required Proxy negotiation failed"), "{all}");
    }
    // Nobody else is asked.
    let (mut session, _) = session(&config.replace("192.0.2.1\n", "192.0.2.9\n"), client());
    assert!(said(&mut session).starts_with("220 no  192.0.2.1 1025"));
    session.receive(b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n");
    assert_eq!(said(&mut session), "500 unrecognized command\n");
}

/// A clock that is set by hand.
struct ByHand(AtomicI64);

impl Clock for ByHand {
    fn now(&self) -> Moment {
        Moment { seconds: self.0.load(Ordering::Relaxed), nanos: 0 }
    }
    fn civil(&self, _: Moment, _: Option<&str>) -> Civil {
        Civil { year: 2001, month: 9, day: 9, ..Civil::default() }
    }
}

#[test]
fn a_list_of_proxies_that_cannot_be_read_lets_nobody_in() {
    for list in ["+nolist", "${if", "192.0.2.9 : +nolist"] {
        let (mut session, _) = session(&format!("hosts_proxy = {list}\n{OPEN}"), client());
        let refused = "421 Unexpected failure, please try later\n";
        assert_eq!(said(&mut session), refused, "{list}");
        session.receive(b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n");
        assert_eq!(said(&mut session), refused, "{list}");
    }
}

#[test]
fn slow_clients_do_not_stay() {
    let config = format!(
        "smtp_receive_timeout = 10s\nhosts_proxy = 192.0.2.9\nacl_smtp_notquit = n\n\
         {OPEN}n:\n  accept logwrite = $smtp_notquit_reason\n"
    );
    let clock = Arc::new(ByHand(AtomicI64::new(1_000_000_000)));
    let begin = |client| session_in(&config, client, |world| world.clock = clock.clone());
    let seconds = |count| Some(Duration::from_secs(count));
    let pass = |count| clock.0.fetch_add(count, Ordering::Relaxed);
    for (head, piece, answer, reason) in [
        ("", "N", "421 mx.test.ex: SMTP command timeout", "command-timeout"),
        ("DATA\r\n", "S", "421 mx.test.ex SMTP incoming data timeout", "data-timeout"),
        ("DATA\r\na: b\r\n\r\n", "S", "421 mx.test.ex SMTP incoming data timeout", "data-timeout"),
        ("BDAT 9\r\n", "", "421 mx.test.ex SMTP incoming data timeout", "data-timeout"),
        ("BDAT 6\r\na: b\r\nBDAT 9\r\n", "", "421 Lost incoming connection", "connection-lost"),
        ("RSET\r\nBDAT 9\r\n", "", "421 mx.test.ex: SMTP command timeout", "command-timeout"),
    ] {
        let (mut session, log) = begin(client());
        session.receive(&[GREETING, head.as_bytes()].concat());
        let _ = said(&mut session);
        // Bytes that come one by one win no time.
        for left in (1..=10).rev() {
            assert_eq!(session.read_timeout(), seconds(left), "{head}{left}");
            session.receive(piece.as_bytes());
            assert_eq!(said(&mut session), "");
            pass(1);
        }
        assert_eq!(session.read_timeout(), seconds(0));
        session.time_out();
        assert!(said(&mut session).starts_with(answer), "{head}");
        assert!(log.0.lock().unwrap().iter().any(|line| line.ends_with(reason)), "{reason}");
    }
    // A whole line does.
    let (mut session, _) = begin(client());
    let _ = said(&mut session);
    pass(7);
    session.receive(b"NOOP\r\n");
    let _ = said(&mut session);
    assert_eq!(session.read_timeout(), seconds(10));
    // A proxy has three seconds for all of its header.
    let proxy = Client { address: "192.0.2.9".parse().ok(), ..client() };
    let (mut session, _) = begin(proxy);
    assert_eq!(said(&mut session), "");
    for (left, piece) in [(3, "PRO"), (2, "XY "), (1, "TCP4 192.0.2.7")] {
        assert_eq!(session.read_timeout(), seconds(left));
        session.receive(piece.as_bytes());
        assert_eq!(said(&mut session), "");
        pass(1);
    }
    assert_eq!(session.read_timeout(), seconds(0));
    session.time_out();
    assert!(said(&mut session).starts_with("220 "));
    session.receive(b" 192.0.2.8 1 2\r\nHELO x\r\n");
    let refused = "503 Command refused, required Proxy negotiation failed\n";
    assert_eq!(said(&mut session), refused.repeat(2));
}
