//! Commands, each reached by its word; and transactions, which end as a whole.

use super::super::command::Command;
use super::super::stage::{LastRejected, Stage};
use super::super::transaction::Transaction;
use super::*;

/// A line with a command, and what it is answered where nothing was said before but
/// EHLO.
fn line_and_reply(command: Command) -> (&'static str, &'static str) {
    match command {
        Command::Atrn => ("ATRN x", "502 ATRN command used when not advertised\n"),
        Command::Auth => ("AUTH PLAIN", "503 AUTH command used when not advertised\n"),
        Command::Bdat => ("BDAT", "501 missing size for BDAT command\n"),
        Command::Data => ("DATA", "503 valid RCPT command must precede DATA\n"),
        Command::Ehlo => ("EHLO y", "250-mx.test.ex Hello y [192.0.2.1]\n250-"),
        Command::Etrn => ("ETRN #x", "458 Administrative prohibition\n"),
        Command::Expn => ("EXPN x", "550 Administrative prohibition\n"),
        Command::Helo => ("HELO y", "250 mx.test.ex Hello y [192.0.2.1]\n"),
        Command::Help => ("HELP", "214-Commands supported:\n214 AUTH HELO"),
        Command::Mail => ("MAIL FROM:<>", "250 OK\n"),
        Command::Noop => ("NOOP x", "250 OK\n"),
        Command::Quit => ("QUIT", "221 mx.test.ex closing connection\n(closed)\n"),
        Command::Rcpt => ("RCPT TO:<c@d>", "503 sender not yet given\n"),
        Command::Rset => ("RSET", "250 Reset OK\n"),
        Command::StartTls => ("STARTTLS", "503 STARTTLS command used when not advertised\n"),
        Command::Vrfy => ("VRFY c@d", "252 Administrative prohibition\n"),
        Command::WellKnown => ("WELLKNOWN x", "554 not permitted\n"),
        Command::Xclient => ("XCLIENT x", "503 XCLIENT command used when not advertised\n"),
    }
}

#[test]
fn every_command_is_reached() {
    for command in Command::ALL {
        let (line, reply) = line_and_reply(command);
        for line in [line.to_owned(), line.to_ascii_lowercase()] {
            assert_eq!(Command::parse(line.as_bytes()).map(|(found, _)| found), Some(command));
            let (mut session, _) = session("tls_advertise_hosts =\n", client());
            session.receive(b"EHLO x\r\n");
            let _ = said(&mut session);
            session.receive(format!("{line}\r\n").as_bytes());
            let said = said(&mut session);
            assert!(said.starts_with(reply), "{line}: {said}");
            assert_eq!(session.connection.history, [Command::Ehlo, command]);
        }
    }
}

#[test]
fn all_commands_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = Command::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(names.len(), Command::ALL.len());
}

/// Whether nothing is left of a transaction, neither in the session nor in the values of
/// its conversation.
fn is_dropped(session: &mut SmtpSession) -> bool {
    let shown = |session: &mut SmtpSession| {
        let names = ["sender_address", "rcpt_count", "recipients_count", "message_exim_id"];
        names.map(|name| session.context().value(name))
    };
    let mut fresh = super::session(PICKY, client()).0;
    let none = format!("{:?}", Transaction::default());
    shown(session) == shown(&mut fresh) && format!("{:?}", session.transaction) == none
}

const PICKY: &str = "message_size_limit = 200\nsmtp_max_synprot_errors = 9\nacl_smtp_mail = m\n\
    acl_smtp_rcpt = r\nacl_smtp_data = d\nheader_line_maxsize = 99\nprdr_enable = yes\n\
    begin acl\nm:\n  deny senders = no@b\n  accept\nr:\n  deny local_parts = no\n  \
    discard local_parts = bin\n  accept\n\
    d:\n  deny condition = ${if match{$h_subject:}{spam}}\n  accept\n";

#[test]
fn whatever_ends_a_transaction_drops_all_of_it() {
    let begun = "MAIL FROM:<a@b> SIZE=5\r\nRCPT TO:<no@d>\r\nRCPT TO:<bin@d>\r\nRCPT TO:<c@d>\r\n";
    let large = "x".repeat(250);
    let chunk = |text: &str| format!("BDAT {} LAST\r\n{text}", text.len());
    let data = |text: &str| format!("DATA\r\n{text}\r\n.\r\n");
    let ends: [(&str, String, &str); 13] = [
        ("", "RSET\r\n".into(), "250 Reset OK\n"),
        ("", "HELO y\r\n".into(), "[192.0.2.1]\n"),
        ("", "EHLO y\r\n".into(), "250 HELP\n"),
        ("BDAT 3\r\na: ", "RSET\r\n".into(), "250 Reset OK\n"),
        ("BDAT 3\r\na: MAIL FROM:<a@b>\r\n", "RSET\r\n".into(), "250 Reset OK\n"),
        ("", chunk("Subject: x\r\n\r\n"), "\n250 OK id="),
        ("", chunk("Subject: spam\r\n\r\n"), "550 Administrative prohibition\n"),
        ("", chunk("Subject: x\n\n"), "552 Message header not CRLF terminated\n"),
        ("", chunk(&large), "552 Message size exceeds maximum permitted\n"),
        ("", data("Subject: x\r\n"), "250 OK id="),
        ("", data("Subject: spam\r\n"), "550 Administrative prohibition\n"),
        ("", data(&format!("a: {}", &large[..150])), "552 A message header line is too long\n"),
        ("", data(&large), "552 Message size exceeds maximum permitted\n"),
    ];
    for (between, end, reply) in ends {
        let (mut session, _) = session(PICKY, client());
        session.receive(format!("EHLO x\r\n{begun}{between}").as_bytes());
        let _ = said(&mut session);
        let transaction = &session.transaction;
        let envelope = transaction.envelope.as_ref().unwrap();
        assert_eq!((transaction.asked.all, envelope.recipients.len()), (3, 1), "{between}");
        assert!(transaction.refusals.said.is_some() && envelope.discarded.is_some());
        assert_eq!(transaction.chunks.is_some(), !between.is_empty());
        assert_eq!(transaction.only_rset, between.contains("MAIL"));
        session.receive(end.as_bytes());
        let said = said(&mut session);
        assert!(said.contains(reply), "{between}{end}: {said}");
        assert!(is_dropped(&mut session), "{between}{end}: {:?}", session.transaction);
    }
}

#[test]
fn a_sender_that_is_refused_begins_nothing() {
    let (mut session, _) = session(PICKY, client());
    session.receive(b"EHLO x\r\nRCPT TO:<c@d>\r\n");
    let _ = said(&mut session);
    assert!(session.transaction.refusals.said.is_some());
    session.receive(b"MAIL FROM:<no@b> SIZE=5\r\n");
    assert_eq!(said(&mut session), "550 Administrative prohibition\n");
    assert!(is_dropped(&mut session), "{:?}", session.transaction);
    // What was sent with it is no mistake of the client's.
    assert!(matches!(session.stage, Stage::Commands(LastRejected::Mail)));
    session.receive(b"RCPT TO:<c@d>\r\nDATA\r\nNOOP\r\n");
    let expected = "503 sender not yet given\n503-All RCPT commands were rejected with this \
        error:\n503-503 sender not yet given\n503 Valid RCPT command must precede DATA\n250 OK\n";
    assert_eq!(said(&mut session), expected);
    assert!(matches!(session.stage, Stage::Commands(LastRejected::Nothing)));
}

#[test]
fn nothing_is_said_of_the_chunks_of_a_message_before() {
    for wrong in ["Subject: spam\r\n\r\n".to_owned(), "x".repeat(250), "Subject: x\n\n".into()] {
        let envelope = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
        let (mut session, _) = session(PICKY, client());
        let refused = format!("EHLO x\r\n{envelope}BDAT {} LAST\r\n{wrong}", wrong.len());
        session.receive(refused.as_bytes());
        let _ = said(&mut session);
        session.receive(format!("{envelope}DATA\r\nSubject: x\r\n.\r\n").as_bytes());
        let (mut lines, said) = (Vec::new(), said(&mut session));
        lines.extend(said.lines().map(|line| line.split(" id=").next().unwrap_or(line)));
        let go_on = "354 Enter message, ending with \".\" on a line by itself";
        assert_eq!(lines, ["250 OK", "250 Accepted", go_on, "250 OK"], "{wrong}");
    }
}

#[test]
fn who_is_lost_in_a_message_is_told_of_by_either_selector() {
    let logged = |selector: &str, text: &str, breaks: bool| {
        let config = format!("log_selector = {selector}\nacl_smtp_rcpt = accept\n");
        let (mut session, kept) = session(&config, client());
        let head = "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
        session.receive(format!("{head}{text}").as_bytes());
        let _ = said(&mut session);
        match breaks {
            true => session.input_failed(&std::io::ErrorKind::ConnectionReset.into()),
            false => session.end_of_input(),
        }
        let _ = said(&mut session);
        kept.0.lock().unwrap().clone()
    };
    let has = |lines: &[String], text: &str| lines.iter().any(|line| line.contains(text));
    let nothing = "-smtp_connection -lost_incoming_connection";
    let lost = "lost while reading message data";
    for one in ["+smtp_connection -lost_incoming_connection", "+lost_incoming_connection"] {
        assert!(has(&logged(one, "a: b\r\n", false), lost), "{one}");
    }
    assert!(!has(&logged(nothing, "a: b\r\n", false), lost));
    // A connection that breaks in a header has its message given up, whoever wants to know.
    let abandoned = "Message abandoned: Input read error (";
    let lines = logged(nothing, "a: b\r\n", true);
    assert!(has(&lines, abandoned) && !has(&lines, lost), "{lines:?}");
    for text in ["", "a: b\r\n\r\nc"] {
        let lines = logged("+smtp_connection", text, true);
        assert!(has(&lines, lost) && !has(&lines, abandoned), "{lines:?}");
    }
}

/// Whose connection was handed on is no more believed than who did that.
#[test]
fn who_hands_a_connection_on_sends_what_comes_along_it() {
    for (trusted, from, sender, added) in [
        (true, "From: c@d", "a@b", ""),
        (false, "From: c@d", "me@mx.test.ex", "Sender: Me <me@mx.test.ex>\n"),
        (false, "From: me", "me@mx.test.ex", ""),
        (false, "Subject: x", "me@mx.test.ex", ""),
    ] {
        let (login, name) = (b"me".to_vec(), b"Me".to_vec());
        let user = Submitter { login, name, trusted, ..Submitter::default() };
        let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 1025));
        let (mut session, _) = session(OPEN, Client::handed_on(peer, user));
        let text = format!(
            "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n{from}\r\nSender: e@f\r\n\r\n.\r\n"
        );
        session.receive(text.as_bytes());
        let received = std::iter::from_fn(|| session.next_event()).find_map(|event| match event {
            Event::Message(received) => Some(received),
            _ => None,
        });
        let received = received.unwrap();
        assert_eq!(received.sender.address.bytes(), sender.as_bytes(), "{from}");
        assert_eq!(received.provenance.local, !trusted);
        let headers = received.message.headers.iter().skip(1).flat_map(|header| &header.line);
        let headers = String::from_utf8(headers.copied().collect()).unwrap();
        let kept = if trusted { "Sender: e@f\n" } else { added };
        assert_eq!(headers, format!("{from}\n{kept}"));
    }
}
