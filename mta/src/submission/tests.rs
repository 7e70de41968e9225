//! Messages that mean harm, handed in.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious::world::{Log, SpoolInMemory};
use eximious::{Config, Engine, Macros, Str, World, var};

use super::{Done, Errors, Outside, SubmissionRequest, submit};
use crate::smtp::{SmtpServer, Submitter};

/// Log lines, kept.
#[derive(Default)]
struct Kept(Mutex<Vec<Vec<u8>>>);

impl Log for Kept {
    fn main(&self, line: &[u8]) {
        self.0.lock().unwrap().push(line.to_vec());
    }
    fn panic(&self, line: &[u8]) {
        self.main(line);
    }
    fn debug(&self, _: &[u8]) {}
}

/// A file system with one file.
struct OneFile(Vec<u8>);

impl eximious::world::Files for OneFile {
    fn read(&self, _: &[u8], _: u64) -> io::Result<Arc<[u8]>> {
        Ok(Arc::from(self.0.as_slice()))
    }
    fn stat(&self, _: &[u8], _: bool) -> io::Result<eximious::world::Stat> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn eximious::world::Files> {
        self
    }
}

/// An input that repeats a piece until there is enough.
struct Endless(&'static [u8], u64, usize);

impl Outside for Endless {
    fn read(&mut self, piece: &mut [u8], _: Option<Duration>) -> io::Result<usize> {
        let size = piece.len().min(usize::try_from(self.1).unwrap());
        let from = self.0.iter().copied().cycle().skip(self.2 % self.0.len());
        piece[..size].iter_mut().zip(from).for_each(|(to, byte)| *to = byte);
        (self.1, self.2) = (self.1 - size as u64, self.2 + size);
        assert!(self.2 < 1 << 31);
        Ok(size)
    }
    fn wait(&mut self, _: Duration) {}
}

/// An input that is there.
struct Given(Vec<u8>);

impl Outside for Given {
    fn read(&mut self, piece: &mut [u8], _: Option<Duration>) -> io::Result<usize> {
        let count = io::Read::read(&mut &self.0[..], piece)?;
        self.0.drain(..count);
        Ok(count)
    }
    fn wait(&mut self, _: Duration) {}
}

/// An input where nothing more comes in time.
struct Slow(Given);

impl Outside for Slow {
    fn read(&mut self, piece: &mut [u8], time: Option<Duration>) -> io::Result<usize> {
        match self.0.read(piece, time)? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            count => Ok(count),
        }
    }
    fn wait(&mut self, _: Duration) {}
}

struct Handed {
    done: Done,
    header: Vec<u8>,
    log: Vec<Vec<u8>>,
}

fn hand_in(config: &str, request: SubmissionRequest, outside: &mut dyn Outside) -> Handed {
    let (log, spool) = (Arc::new(Kept::default()), SpoolInMemory::default());
    let text = format!("primary_hostname = mx.test.ex\nspool_directory = /spool\n{config}");
    let world = World {
        log: log.clone(),
        spool: Arc::new(spool.clone()),
        files: Arc::new(OneFile(text.into_bytes())),
        ..World::hermetic()
    };
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/conf", Macros::new(), &world, builder.registry());
    let config = config.map_err(|why| String::from_utf8_lossy(&why.text()).into_owned()).unwrap();
    let engine = config.build(builder);
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let done = submit(&server, &mut engine.context(), &request, outside);
    let files = spool.files();
    let header = files.iter().find(|(name, _)| name.ends_with(b"-H"));
    let header = header.map(|(_, text)| text.clone()).unwrap_or_default();
    let log = log.0.lock().unwrap().clone();
    Handed { done, header, log }
}

fn request(arguments: &[&str]) -> SubmissionRequest {
    SubmissionRequest {
        submitter: Submitter { login: b"me".into(), name: b"Me".into(), ..Submitter::default() },
        arguments: arguments.iter().map(|text| text.as_bytes().to_vec()).collect(),
        errors: Errors::Printed,
        ..SubmissionRequest::default()
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Names of any kind are phrases in a header line of their own, and nothing else.
#[test]
fn cve_2020_28010_28011_28013_28016_names_become_phrases_whatever_they_are() {
    let long = "x".repeat(300_000);
    let open = "(".repeat(5_000);
    for name in [
        "",
        " ",
        "Me",
        "\"",
        "\\",
        "a\\",
        "\"a",
        "a\"b\"",
        "(a",
        "a)",
        "((a)",
        "a <b",
        "<x@y>",
        "a, b@c",
        "x\nBcc: other@host",
        "x\r\nBcc: other@host",
        "x\0y",
        "\u{fc}\u{e4}",
        "=?utf-8?q?",
        &open,
        &long,
    ] {
        let mut request = request(&["you@test.ex"]);
        request.submitter.called = Some(name.as_bytes().to_vec());
        let handed = hand_in("", request, &mut Given(b"Subject: x\n\nhello\n".to_vec()));
        let shown = &name[..name.len().min(20)];
        assert!(handed.done.kept, "{shown:?}");
        let address = b"me@mx.test.ex".as_slice();
        assert!(has(&handed.header, address), "{shown:?}");
        assert!(!has(&handed.header, b"\nBcc:") && !has(&handed.header, b" Bcc:"), "{shown:?}");
        // All but comments and quotes that are left open by a name is closed: what
        // stands there is one address.
        let from = handed.header.split(|byte| *byte == b'\n').find(|line| has(line, b"F From: "));
        let from = from.unwrap_or_else(|| panic!("{shown:?}"));
        let value = &from[from.iter().position(|byte| *byte == b':').unwrap() + 1..];
        let found = eximious::stdlib::address::parse(value, Default::default());
        if !name.contains('\u{fc}') && name.is_ascii() {
            assert_eq!(found.map(|found| found.text).unwrap(), address, "{shown:?}");
        }
    }
}

/// No more is read than may be kept.
#[test]
fn cve_2020_28009_an_endless_message_is_cut_off() {
    for config in ["message_size_limit = 2M\n", "message_size_limit = 1K\n"] {
        let mut endless = Endless(b"x", u64::MAX, 0);
        let handed = hand_in(config, request(&["you@test.ex"]), &mut endless);
        assert!(!handed.done.kept && handed.done.status == 1, "{config}");
        assert!(handed.header.is_empty());
    }
}

/// Ten thousand recipients are taken, and more than are permitted are not.
#[test]
fn cve_2020_28017_recipients_are_counted() {
    let many = |count: u32| {
        let list: Vec<String> = (0..count).map(|n| format!("user{n}@test.ex")).collect();
        format!("To: {}\nBcc: {}\n\nhello\n", list.join(","), list.join(",\n ")).into_bytes()
    };
    let request = SubmissionRequest { names_recipients: true, ..request(&[]) };
    let config = "begin rewrite\n*@test.ex $1@other.ex\n";
    let handed = hand_in(config, request.clone(), &mut Given(many(10_000)));
    assert!(handed.done.kept, "{:?}", handed.done);
    assert!(has(&handed.header, b"\n20000\n") && has(&handed.header, b"user9999@other.ex"));
    let handed = hand_in("header_maxsize = 10M\n", request.clone(), &mut Given(many(30_000)));
    assert!(!handed.done.kept);
    assert_eq!(handed.done.said, b"exim: message rejected: too many recipients\n");
    let wrong = format!("To: {}\n\n", "@@,".repeat(100_000)).into_bytes();
    let handed = hand_in("", request, &mut Given(wrong));
    assert!(!handed.done.kept && handed.done.said.len() < 8 << 20, "{}", handed.done.said.len());
    let arguments: Vec<String> = (0..60_000).map(|n| format!("user{n}@test.ex")).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let handed = hand_in("", super::tests::request(&arguments), &mut Given(b"\nx\n".to_vec()));
    assert_eq!(handed.done.said, b"exim: too many recipients\n");
}

/// Headers of megabytes are refused before anything is made of them.
#[test]
fn cve_2020_28020_headers_have_a_size() {
    for (piece, config) in [
        (b"X: y\n".as_slice(), ""),
        (b"Received: y\n", ""),
        (b"x", ""),
        (b"x:y\n z", ""),
        (b"To: a@b,c@d\n", ""),
        (b"Resent-From: me\n", "header_line_maxsize = 10\n"),
        (b"\r", ""),
        (b":", ""),
    ] {
        let mut endless = Endless(piece, 3 << 20, 0);
        let handed = hand_in(config, request(&["you@test.ex"]), &mut endless);
        assert!(!handed.done.kept, "{}: {:?}", piece.escape_ascii(), handed.done);
        assert!(has(&handed.done.said, b" longer than "), "{}", piece.escape_ascii());
    }
    // What has just the size is worked on. Work that grows with the square of it would
    // not come to an end here.
    for piece in [b"cc:a\n".as_slice(), b"To: ,,,\n", b"From:me\n", b"X: (((((((\n", b"To: \"\\\n"]
    {
        let count = (1 << 18) / piece.len();
        let text = [&piece.repeat(count), b"\nhello\n".as_slice()].concat();
        let handed = hand_in("", request(&["you@test.ex"]), &mut Given(text));
        assert!(handed.done.kept, "{}: {:?}", piece.escape_ascii(), handed.done);
    }
}

/// What is given does not break lines, in the spool or in the log.
#[test]
fn cve_2020_28015_28021_newlines_are_no_way_into_the_spool_and_the_log() {
    let evil = "x\n-local\nroot 0 0\n<>\r\n";
    let mut request = request(&["\"a\nb\"@test.ex", "c@test.ex"]);
    request.sender = Some(b"\"x\ny\"@test.ex".to_vec());
    request.submitter.trusted = true;
    request.given =
        [var::SENDER_IDENT, var::RECEIVED_PROTOCOL, var::AUTHENTICATED_ID, var::SENDER_HOST_NAME]
            .map(|name| (name, Str::tainted(evil)))
            .into();
    let text = b"Subject: x\nMessage-Id: <a\rb@c>\nX\r: y\n\nhello\n".to_vec();
    let handed = hand_in("log_selector = +all\n", request, &mut Given(text));
    assert!(!has(&handed.header, b"\n-local\nroot"), "{}", handed.header.escape_ascii());
    for line in &handed.log {
        assert!(!line.contains(&b'\n'), "{}", line.escape_ascii());
    }
}

/// Any bytes at all: no panic, and what is kept can be read.
#[test]
fn messages_may_be_anything() {
    let mut seed = 1u32;
    let mut random = move |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    const PIECES: [&[u8]; 24] = [
        b"From: ",
        b"To:",
        b"Bcc: a@b",
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\r",
        b" ",
        b"\t",
        b"\0",
        b"\xff",
        b"Resent-",
        b"Sender: <x",
        b"a@b, ",
        b"\"",
        b"(",
        b"<",
        b">",
        b":",
        b";",
        b".\n",
        b"me",
        b"Message-ID: <",
        b"From a@b Fri Jan  5 12:35\n",
    ];
    for _ in 0..500 {
        let text: Vec<u8> = (0..random(24))
            .flat_map(|_| PIECES[random(PIECES.len() as u32) as usize].to_vec())
            .collect();
        let mut request = request(if random(2) == 0 { &["you@test.ex"] } else { &[] });
        request.names_recipients = request.arguments.is_empty() || random(4) == 0;
        request.submitter.trusted = random(2) == 0;
        request.leaves_unqualified = random(4) == 0;
        if random(2) == 0 {
            request.errors = Errors::Mailed;
        }
        let config = match random(3) {
            0 => "begin rewrite\n*@b \"New <x@y>\" w\n*@* ${uc:$1}@z R\n",
            1 => "local_from_prefix = *-\nbounce_return_size_limit = 3\n",
            _ => "",
        };
        let handed = hand_in(config, request, &mut Given(text.clone()));
        if handed.done.kept {
            let name = handed.header.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let read = crate::spool::HeaderFile::decode(&handed.header);
            assert!(read.is_ok(), "{}: {}", text.escape_ascii(), name.escape_ascii());
        }
    }
}

/// What is given up in its body has a name already.
#[test]
fn a_message_that_takes_too_long_is_given_up() {
    let line = "timed out while reading local message";
    for (text, is_named) in [(".", false), ("a: b\n", false), ("a: b\n\nx", true)] {
        let mut slow = Slow(Given(text.into()));
        let handed = hand_in("", request(&["x@test.ex"]), &mut slow);
        assert_eq!(handed.done.said, b"exim: timed out while reading - message abandoned\n");
        let [logged] = &handed.log[..] else { panic!("{:?}", handed.log) };
        let before = logged.strip_suffix(line.as_bytes()).unwrap();
        assert_eq!(!before.is_empty(), is_named, "{text}");
    }
    let silent = "log_selector = -lost_incoming_connection\n";
    let handed = hand_in(silent, request(&["x@test.ex"]), &mut Slow(Given(Vec::new())));
    assert!(handed.log.is_empty());
}
