//! Dialogues, from text: `> ` what the client sends, `< ` what it is told.

mod attacks;

use std::sync::{Arc, Mutex};

use eximious::world::Log;
use eximious::{Config, Engine, Macros, World};

use super::{Client, Event, SmtpServer, SmtpSession, SpoolOutcome, Submitter};

mod auth;
mod foresight;
mod large;
mod transactions;

/// Log lines, kept.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Log for Kept {
    fn main(&self, line: &[u8]) {
        self.0.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
    }
    fn panic(&self, line: &[u8]) {
        self.main(line);
    }
    fn debug(&self, _: &[u8]) {}
}

/// A file system with one file.
struct OneFile(Vec<u8>);

impl eximious::world::Files for OneFile {
    fn read(&self, _: &[u8], _: u64) -> std::io::Result<Arc<[u8]>> {
        Ok(Arc::from(self.0.as_slice()))
    }
    fn stat(&self, _: &[u8], _: bool) -> std::io::Result<eximious::world::Stat> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn eximious::world::Files> {
        self
    }
}

fn session(config: &str, client: Client) -> (SmtpSession, Arc<Kept>) {
    session_in(config, client, |_| {})
}

/// A session in a world of which something is changed.
fn session_in(
    config: &str,
    client: Client,
    change: impl FnOnce(&mut World),
) -> (SmtpSession, Arc<Kept>) {
    let log = Arc::new(Kept::default());
    let text = format!("primary_hostname = mx.test.ex\nexim_version = 1\n{config}");
    let files = Arc::new(OneFile(text.into_bytes()));
    let mut world = World { log: log.clone(), files, ..World::hermetic() };
    change(&mut world);
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/conf", Macros::new(), &world, builder.registry());
    let config = config.map_err(|why| String::from_utf8_lossy(&why.text()).into_owned()).unwrap();
    let engine = config.build(builder);
    let server = Arc::new(SmtpServer::new(&config, &engine));
    (SmtpSession::new(server, engine.context(), client), log)
}

fn client() -> Client {
    Client { address: "192.0.2.1".parse().ok(), port: 1025, ..Client::default() }
}

/// What is said until more input is needed.
fn said(session: &mut SmtpSession) -> String {
    let mut out = Vec::new();
    while let Some(event) = session.next_event() {
        match event {
            Event::Reply(bytes) => out.extend(bytes),
            Event::Message(_) => session.conclude(&SpoolOutcome::Spooled),
            Event::Close => out.extend(b"(closed)\r\n"),
            Event::Delay { time, .. } => out.extend(format!("(waits {time:?})\r\n").bytes()),
        }
    }
    String::from_utf8_lossy(&out).replace("\r\n", "\n")
}

/// Plays a dialogue, each line when everything before it was answered. What is
/// told has its extensions and names of messages left out.
fn play(config: &str, dialogue: &str) {
    let (mut session, _) = session(config, client());
    let mut shown = said(&mut session);
    let mut expected = String::new();
    for line in dialogue.lines().map(str::trim) {
        if let Some(line) = line.strip_prefix('>') {
            let line = line.trim_start();
            compare(&shown, &mut expected);
            session.receive(format!("{line}\r\n").as_bytes());
            shown = said(&mut session);
        } else if let Some(line) = line.strip_prefix("< ") {
            expected.push_str(&format!("{line}\n"));
        }
    }
    compare(&shown, &mut expected);
}

fn compare(shown: &str, expected: &mut String) {
    let short: Vec<&str> = shown
        .lines()
        .filter(|line| !line.starts_with("250-") || line.contains("Hello"))
        .map(|line| line.split(" id=").next().unwrap_or(line))
        .filter(|line| *line != "250 HELP" && !line.starts_with("220 "))
        .collect();
    let wanted: Vec<&str> = expected.lines().collect();
    assert_eq!(short, wanted);
    expected.clear();
}

const OPEN: &str = "acl_smtp_rcpt = a\nbegin acl\na:\n  accept\n";

#[test]
fn a_message_is_taken() {
    play(
        OPEN,
        "> EHLO x
         < 250-mx.test.ex Hello x [192.0.2.1]
         > MAIL FROM:<a@b>
         < 250 OK
         > RCPT TO:<c@d>
         < 250 Accepted
         > DATA
         < 354 Enter message, ending with \".\" on a line by itself
         > Subject: x
         > ..
         > .
         < 250 OK
         > QUIT
         < 221 mx.test.ex closing connection
         < (closed)",
    );
}

#[test]
fn without_an_acl_for_recipients_nothing_is_taken() {
    play(
        "",
        "> HELO x
         < 250 mx.test.ex Hello x [192.0.2.1]
         > MAIL FROM:<>
         < 250 OK
         > RCPT TO:<c@d>
         < 550 Administrative prohibition
         > DATA
         < 503-All RCPT commands were rejected with this error:
         < 503-Administrative prohibition
         < 503 valid RCPT command must precede DATA",
    );
}

#[test]
fn an_acl_sees_the_message() {
    let config = "acl_smtp_rcpt = accept\nacl_smtp_data = d\nbegin acl\nd:\n  deny condition = \
        ${if eq{$h_subject:}{spam}}\n    message = 554 5.7.1 no $message_body\n  accept delay = 3s\n";
    let dialogue = |subject: &str, answer: &str| {
        format!(
            "> HELO x
             < 250 mx.test.ex Hello x [192.0.2.1]
             > MAIL FROM:<a@b>
             < 250 OK
             > RCPT TO:<c@d>
             < 250 Accepted
             > DATA
             < 354 Enter message, ending with \".\" on a line by itself
             > Subject: {subject}
             > \x20
             > body
             > .
             {answer}"
        )
    };
    let config = format!("sender_unqualified_hosts = *\n{config}");
    play(&config, &dialogue("ham", "< (waits 3s)\n< 250 OK"));
    let (mut session, log) = session(&config, client());
    let _ = said(&mut session);
    session.receive(
        b"HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: spam\r\n\r\nbody\r\n.\r\n",
    );
    assert!(said(&mut session).ends_with("554 5.7.1 no body \n"));
    let lines = log.0.lock().unwrap().join("\n");
    assert!(lines.contains("H=(x) [192.0.2.1] F=<a@b> rejected after DATA: 554 5.7.1 no body"));
}

#[test]
fn input_may_come_byte_by_byte_and_end_anywhere() {
    let all = b"EHLO x\r\nMAIL FROM:<a@b> SIZE=3\r\nRCPT TO:<c@d>\r\nDATA\r\na: b\r\n\r\n.\r\n\
        MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\nabcBDAT 6 LAST\r\n: d\r\n\r\nQUIT\r\n";
    let (mut whole, _) = session(OPEN, client());
    whole.receive(all);
    let whole = said(&mut whole);
    let (mut parts, _) = session(OPEN, client());
    let mut told = String::new();
    for byte in all.iter() {
        parts.receive(&[*byte]);
        told.push_str(&said(&mut parts));
    }
    assert_eq!(told, whole);
    for end in 0..all.len() {
        let (mut cut, _) = session(OPEN, client());
        cut.receive(&all[..end]);
        cut.end_of_input();
        assert!(said(&mut cut).ends_with("(closed)\n"), "{end}");
    }
}

#[test]
fn who_does_not_wait_is_turned_away() {
    let eager = Client { synchronizes: true, ..client() };
    let config = format!("pipelining_connect_advertise_hosts =\n{OPEN}");
    let (mut early, log) = session(&config, eager.clone());
    early.receive(b"EHLO x\r\n");
    assert_eq!(said(&mut early), "554 SMTP synchronization error\n(closed)\n");
    assert_eq!(
        log.0.lock().unwrap().join("\n"),
        "SMTP protocol synchronization error (input sent without waiting for greeting): rejected \
         connection from H=[192.0.2.1] input=\"EHLO x\\r\\n\""
    );
    let (mut late, _) = session(&config, eager);
    let _ = said(&mut late);
    late.receive(b"EHLO x\r\n");
    let _ = said(&mut late);
    late.receive(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nNOOP\r\nQUIT\r\n");
    let said = said(&mut late);
    assert_eq!(said, "250 OK\n250 Accepted\n554 SMTP synchronization error\n(closed)\n");
}

/// A network in which one host says who its users are.
struct OneAnswer(&'static [u8]);

impl eximious::world::Net for OneAnswer {
    fn connect(
        &self,
        target: &eximious::world::Target,
        _: std::time::Duration,
    ) -> std::io::Result<Box<dyn eximious::world::Stream>> {
        assert_eq!(*target, eximious::world::Target::Tcp("192.0.2.1:113".parse().unwrap()));
        Ok(Box::new(Answering { said: Vec::new(), answer: self.0 }))
    }
    fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        Ok(Vec::new())
    }
    fn service(&self, _: &str) -> Option<u16> {
        None
    }
}

struct Answering {
    said: Vec<u8>,
    answer: &'static [u8],
}

impl std::io::Read for Answering {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        assert_eq!(self.said, b"1025 , 25\r\n");
        // One byte at a time is as good as all.
        let Some((first, rest)) = self.answer.split_first() else { return Ok(0) };
        self.answer = rest;
        into[0] = *first;
        Ok(1)
    }
}

impl std::io::Write for Answering {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.said.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl eximious::world::Stream for Answering {
    fn finish_writing(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn set_deadline(&mut self, within: std::time::Duration) {
        assert_eq!(within, std::time::Duration::from_secs(5));
    }
}

#[test]
fn the_clients_host_says_who_the_user_is() {
    let config = format!("rfc1413_query_timeout = 5s\nrfc1413_hosts = *\n{OPEN}");
    for (answer, greeting) in [
        (b"1025, 25 : USERID : UNIX : joe\r\n".as_slice(), "mx.test.ex Hello joe at x [192.0.2.1]"),
        (b"1025, 25 : USERID : UNIX : j\x07\n", "mx.test.ex Hello j\\007 at x [192.0.2.1]"),
        (b"25, 1025 : USERID : UNIX : joe\r\n", "mx.test.ex Hello x [192.0.2.1]"),
        (b"1025, 25 : USERID : UNIX : joe", "mx.test.ex Hello x [192.0.2.1]"),
        (&[b'x'; 5000], "mx.test.ex Hello x [192.0.2.1]"),
    ] {
        let client = Client { local_port: Some(25), ..client() };
        let (mut session, _) =
            session_in(&config, client, |world| world.net = Arc::new(OneAnswer(answer)));
        let _ = said(&mut session);
        session.receive(b"HELO x\r\n");
        assert_eq!(said(&mut session), format!("250 {greeting}\n"));
    }
}

/// A host whose ports nobody reaches.
struct Unreached;

impl eximious::world::Net for Unreached {
    fn connect(
        &self,
        _: &eximious::world::Target,
        _: std::time::Duration,
    ) -> std::io::Result<Box<dyn eximious::world::Stream>> {
        Err(std::io::ErrorKind::TimedOut.into())
    }
    fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        Ok(Vec::new())
    }
    fn service(&self, _: &str) -> Option<u16> {
        None
    }
}

#[test]
fn a_host_that_does_not_say_who_the_user_is_may_be_logged() {
    for (selector, line) in
        [("+ident_timeout", "ident connection to 192.0.2.1 timed out"), ("-ident_timeout", "")]
    {
        let config = format!(
            "log_selector = {selector}\nrfc1413_query_timeout = 5s\nrfc1413_hosts = *\n{OPEN}"
        );
        let client = Client { local_port: Some(25), ..client() };
        let (mut session, log) =
            session_in(&config, client, |world| world.net = Arc::new(Unreached));
        let _ = said(&mut session);
        assert_eq!(log.0.lock().unwrap().join("\n"), line);
    }
}

#[test]
fn commands_from_outside_are_never_expanded_and_never_break_the_log() {
    let config = format!("smtp_max_synprot_errors = 99\nhelo_accept_junk_hosts = *\n{OPEN}");
    let (mut session, log) = session(&config, client());
    session.receive(b"EHLO ${run{x}}\rLOG\r\nMAIL FROM:<${primary_hostname}@b>\r\n");
    session.receive(b"RCPT TO:<${if eq{a}{a}{b}}@d>\r\nVRFY $pid\r\nETRN $pid\r\n");
    let said = said(&mut session);
    assert!(said.contains("Hello ${run{x}}"), "{said}");
    session.receive(b"\x00\xff\xfe\r\nMAIL FROM:\x01\x02 =\r\nBDAT 18446744073709551615 LAST\r\n");
    let _ = super::tests::said(&mut session);
    assert!(log.0.lock().unwrap().iter().all(|line| !line.contains(['\r', '\n'])));
}
