//! A client against a scripted peer, which is slow, wrong, endless, or gone. Time passes
//! only where the script says so.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious_core::Trace;
use eximious_core::trace::{Happening, SmtpEvent, TraceEvent, TraceKinds, TraceObserver};
use eximious_core::world::{
    Fixture, Stream, TlsFacts, TlsFault, TlsHeard, TlsProgress, TlsSession,
};

use super::*;
use crate::mail::auth::client::AuthOutcome;
use crate::mail::auth::{Authenticator, Authenticators};
use crate::{Config, Context, Engine, Macros};

const SECOND: Duration = Duration::from_secs(1);

/// What a peer does next.
#[derive(Clone)]
enum Step {
    Says(Vec<u8>),
    /// Says this again and again, at once.
    Endless(&'static [u8]),
    /// Says a byte a second.
    Slowly(Vec<u8>),
    /// Says nothing any more.
    Silent,
    /// Closes.
    Gone,
}

/// What went on.
#[derive(Default)]
struct Seen {
    written: Vec<u8>,
    reads: usize,
}

struct Peer {
    script: VecDeque<Step>,
    seen: Arc<Mutex<Seen>>,
    left: Duration,
}

impl Read for Peer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.seen.lock().unwrap().reads += 1;
        let (mut bytes, takes) = match self.script.front_mut() {
            None | Some(Step::Gone) => return Ok(0),
            Some(Step::Silent) => return Err(io::ErrorKind::TimedOut.into()),
            Some(Step::Endless(bytes)) => (bytes.to_vec(), usize::MAX),
            Some(Step::Says(bytes)) => (std::mem::take(bytes), usize::MAX),
            Some(Step::Slowly(bytes)) => (std::mem::take(bytes), 1),
        };
        if takes == 1 {
            self.left = self.left.saturating_sub(SECOND);
            if self.left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let rest = bytes.split_off(bytes.len().min(takes).min(into.len()));
        into[..bytes.len()].copy_from_slice(&bytes);
        match self.script.front_mut() {
            Some(Step::Says(left) | Step::Slowly(left)) if !rest.is_empty() => *left = rest,
            Some(Step::Endless(_)) => {}
            _ => drop(self.script.pop_front()),
        }
        Ok(bytes.len())
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.seen.lock().unwrap().written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Peer {
    fn finish_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn set_deadline(&mut self, within: Duration) {
        self.left = within;
    }
}

/// What a client was told to do, as lines.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    /// What a client tells, and the lines that it becomes.
    fn begin() -> (Trace, Self) {
        let (mut trace, notes) = (Trace::default(), Self::default());
        trace.observe(Arc::new(notes.clone()));
        (trace, notes)
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl TraceObserver for Notes {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::SMTP
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let Happening::Smtp(event) = &event.what else { return };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.0.lock().unwrap().push(match event {
            SmtpEvent::Held { text: line } => format!("|{}", text(line)),
            SmtpEvent::Sent { text: line, .. } => format!(">{}", text(line)),
            SmtpEvent::Step { text: step } => text(step),
            SmtpEvent::Flushed { count } => format!("={count}"),
            SmtpEvent::Received { text: lines, .. } => format!("<{}", text(lines)),
            SmtpEvent::Closed { history } => format!(".{}", text(history)),
            other => format!("{other:?}"),
        });
    }
}

fn says(text: &str) -> Step {
    Step::Says(text.replace('\n', "\r\n").into_bytes())
}

fn client(script: Vec<Step>) -> (SmtpClient, Arc<Mutex<Seen>>) {
    let seen = Arc::<Mutex<Seen>>::default();
    let peer = Peer { script: script.into(), seen: seen.clone(), left: Duration::ZERO };
    let timeouts = Timeouts { command: 30 * SECOND, data: 60 * SECOND, last: 90 * SECOND };
    (SmtpClient::new(Box::new(peer), timeouts), seen)
}

/// A client of a server that has greeted, and then follows a script.
fn open(extensions: &str, script: Vec<Step>) -> (SmtpClient, Arc<Mutex<Seen>>) {
    let greeting = match extensions {
        "" => "220 hi\n250 me\n".to_owned(),
        some => format!("220 hi\n250-me\n250-{}\n250 HELP\n", some.replace(' ', "\n250-")),
    };
    let script = [vec![says(&greeting)], script].concat();
    let (mut client, seen) = client(script);
    client.banner(&mut Trace::default()).unwrap();
    client.ehlo(&mut Trace::default(), Protocol::Smtp, b"c").unwrap();
    client.use_pipelining(true);
    seen.lock().unwrap().written.clear();
    (client, seen)
}

fn written(seen: &Arc<Mutex<Seen>>) -> String {
    String::from_utf8(seen.lock().unwrap().written.clone()).unwrap()
}

/// A small message, and what came of it as text.
fn deliver(client: &mut SmtpClient, trace: &mut Trace) -> Result<(), SmtpError> {
    client.banner(trace)?;
    client.ehlo(trace, Protocol::Smtp, b"c")?;
    client.mail(trace, b"a@x", &MailParams { size: Some(5), ..MailParams::default() })?;
    client.rcpt(trace, b"b@y", &RcptParams::default())?;
    client.data(trace)?;
    client.send_message(trace, &mut &b"h: v\n\n.x\n"[..])?;
    client.end_of_data(trace).message.expect("it is SMTP")?;
    client.quit(trace);
    Ok(())
}

const GOOD: &str = "220 hi\n250-me\n250 SIZE 1000\n250 a\n250 b\n354 go\n250 id=1\n221 bye\n";

#[test]
fn a_message_goes_and_each_step_is_told() {
    let (mut client, seen) = client(vec![says(GOOD)]);
    let (mut trace, notes) = Notes::begin();
    deliver(&mut client, &mut trace).unwrap();
    assert_eq!(
        written(&seen),
        "EHLO c\r\nMAIL FROM:<a@x> SIZE=5\r\nRCPT TO:<b@y>\r\nDATA\r\n\
         h: v\r\n\r\n..x\r\n.\r\nQUIT\r\n"
    );
    let told = [
        "<220 hi",
        ">EHLO c",
        "=8",
        "<250-me\n250 SIZE 1000",
        ">MAIL FROM:<a@x> SIZE=5",
        "=24",
        "<250 a",
        ">RCPT TO:<b@y>",
        "=15",
        "<250 b",
        ">DATA",
        "=6",
        "<354 go",
        "  SMTP>> (writing message)",
        ">.",
        "<250 id=1",
        ">QUIT",
        "=6",
        "<221 bye",
        ".220:EHLO:250-:MAIL:250:RCPT:250:DATA:354:.:250:QUIT:221",
    ];
    assert_eq!(notes.lines(), told);
}

#[test]
fn a_server_may_be_gone_at_any_byte() {
    let all = GOOD.replace('\n', "\r\n");
    let ends: Vec<usize> = all.match_indices('\n').map(|(at, _)| at + 1).collect();
    for cut in 0..all.len() {
        let (mut client, _) = client(vec![Step::Says(all.as_bytes()[..cut].to_vec()), Step::Gone]);
        let came = deliver(&mut client, &mut Trace::default());
        // Whether QUIT is answered does not matter any more.
        if cut >= ends[6] {
            came.unwrap();
            continue;
        }
        let error = came.unwrap_err();
        assert_eq!(error.cause, Cause::Closed, "{cut}");
        let commands = [
            SmtpCommand::Connect,
            SmtpCommand::Hello,
            SmtpCommand::Hello,
            SmtpCommand::Mail,
            SmtpCommand::Rcpt,
            SmtpCommand::Data,
            SmtpCommand::EndOfData,
        ];
        let heard = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(error.command, commands[heard], "{cut}");
    }
}

#[test]
fn each_no_says_where_it_was_said() {
    let check = |replies: &str, logged: &str, permanent: bool| {
        let (mut client, _) = client(vec![says(replies), Step::Gone]);
        let error = deliver(&mut client, &mut Trace::default()).unwrap_err();
        assert_eq!(error.to_string(), logged);
        assert_eq!((error.is_permanent(), error.ends_connection()), (permanent, false));
    };
    let after = |what: &str| format!("SMTP error from remote mail server after {what}");
    check("554 go away\n", &after("initial connection: 554 go away"), true);
    check("220 hi\n500 what\n421 later\n", &after("HELO c: 421 later"), false);
    check("220 hi\n250 me\n550 no\n", &after("MAIL FROM:<a@x>: 550 no"), true);
    check(
        "220 hi\n250 me\n250 a\n450-not\n450 now\n",
        &after("RCPT TO:<b@y>: 450-not\\n450 now"),
        false,
    );
    // Neither a yes nor a no is no yes.
    check("220 hi\n250 me\n354 a\n", &after("MAIL FROM:<a@x>: 354 a"), false);
    check("220 hi\n250 me\n250 a\n250 b\n250 go\n", &after("DATA: 250 go"), false);
    check("220 hi\n250 me\n250 a\n250 b\n354 go\n552 big\n", &after("end of data: 552 big"), true);
    check("220 hi\n250 me\n999 a\n", &after("MAIL FROM:<a@x>: 999 a"), false);
}

#[test]
fn old_servers_are_greeted_in_the_old_way() {
    let (mut client, seen) = client(vec![says("220 hi\n502 what\n250-me\n250 PIPELINING\n")]);
    client.banner(&mut Trace::default()).unwrap();
    client.ehlo(&mut Trace::default(), Protocol::Smtp, b"c").unwrap();
    client.use_pipelining(true);
    assert_eq!(written(&seen), "EHLO c\r\nHELO c\r\n");
    assert_eq!((client.hello_said(), client.pipelines()), (Some(Hello::Helo), false));
    assert_eq!(client.extensions(), &Extensions::default());
}

#[test]
fn a_reply_has_one_time_for_all_of_it() {
    let slow = "220-a banner that takes long\r\n220 whole\r\n";
    let (mut client, seen) = client(vec![Step::Slowly(slow.as_bytes().to_vec())]);
    let error = client.banner(&mut Trace::default()).unwrap_err();
    assert_eq!(error.to_string(), "SMTP timeout after initial connection");
    assert_eq!(seen.lock().unwrap().reads, 30);
    // Each reply has its own.
    let (mut client, _) = self::client(
        ["220 a banner in time\r\n", "250 and so is this\r\n"]
            .map(|text| Step::Slowly(text.as_bytes().to_vec()))
            .to_vec(),
    );
    client.banner(&mut Trace::default()).unwrap();
    client.ehlo(&mut Trace::default(), Protocol::Smtp, b"c").unwrap();
}

#[test]
fn what_has_no_end_is_given_up() {
    for endless in [b"220-on and on\r\n".as_slice(), b"2", b"220 x", b"\0", b"220-\r\n"] {
        let (mut client, seen) = client(vec![Step::Endless(endless)]);
        let error = client.banner(&mut Trace::default()).unwrap_err();
        let Cause::Malformed(text) = &error.cause else { panic!("{error}") };
        assert!(text.len() <= 4096, "{endless:?}");
        assert!(seen.lock().unwrap().reads <= 4096 + 2, "{endless:?}");
    }
}

#[test]
fn what_no_reply_is_is_told_and_named() {
    for (bytes, logged) in [
        ("hello\n", "Malformed SMTP reply in response to initial connection: hello"),
        ("220-a\nb\n", "Malformed SMTP reply in response to initial connection: 220-a\\nb"),
        ("22\n", "Malformed SMTP reply in response to initial connection: 22"),
    ] {
        let (mut client, _) = client(vec![says(bytes)]);
        let (mut trace, notes) = Notes::begin();
        let error = client.banner(&mut trace).unwrap_err();
        assert_eq!(error.to_string(), logged);
        assert_eq!(notes.lines().len(), 1);
    }
    // The control characters of a reply do not get into logs.
    let (mut client, _) = client(vec![says("550 \u{1b}[2J\n")]);
    let error = client.banner(&mut Trace::default()).unwrap_err();
    assert!(error.logged().iter().all(|byte| *byte >= b' '), "{error}");
}

#[test]
fn answers_to_commands_that_go_together_stay_apart() {
    let (mut client, seen) =
        open("PIPELINING", vec![says("550 no\n503 first\n250 reset\n"), Step::Gone]);
    let (mut trace, notes) = Notes::begin();
    let mail = SentCommand::mail(b"a", &MailParams::default(), client.extensions());
    let rcpt = SentCommand::rcpt(b"b", &RcptParams::default(), client.extensions());
    client.queue(&mut trace, mail);
    assert_eq!(written(&seen), "");
    client.send(&mut trace, rcpt).unwrap();
    assert_eq!(written(&seen), "MAIL FROM:<a>\r\nRCPT TO:<b>\r\n");
    assert!(client.answer(&mut trace).unwrap().refuses());
    client.skip_answer(&mut trace);
    assert_eq!(client.last().said, b"MAIL FROM:<a>");
    assert_eq!(client.last().heard, b"550 no");
    client.rset(&mut trace).unwrap();
    // Nothing more was asked.
    assert_eq!(client.answer(&mut trace).unwrap_err().cause, Cause::NothingAsked);
    let told = ["|MAIL FROM:<a>", ">RCPT TO:<b>", "=28", "<550 no", "<503 first", ">RSET", "=6"];
    assert_eq!(notes.lines()[..7], told);
}

#[test]
fn a_whole_envelope_may_go_at_once() {
    let (mut client, seen) = open("PIPELINING", vec![says(&format!("{ENVELOPE}250 all\n"))]);
    let trace = &mut Trace::default();
    client.queue(trace, SentCommand::mail(b"a", &MailParams::default(), client.extensions()));
    for to in [b"1", b"2", b"3"] {
        client.queue(trace, SentCommand::rcpt(to, &RcptParams::default(), client.extensions()));
    }
    client.send(trace, SentCommand::data()).unwrap();
    let classes = [0; 5].map(|_| client.answer(trace).unwrap().class());
    let yes = ReplyClass::Completed;
    assert_eq!(classes, [yes, yes, ReplyClass::Permanent, yes, ReplyClass::Intermediate]);
    client.send_message(&mut Trace::default(), &mut &b"x\n"[..]).unwrap();
    client.end_of_data(trace).message.unwrap().unwrap();
    let sent = "MAIL FROM:<a>\r\nRCPT TO:<1>\r\nRCPT TO:<2>\r\nRCPT TO:<3>\r\nDATA\r\nx\r\n.\r\n";
    assert_eq!(written(&seen), sent);
}

#[test]
fn a_message_that_can_not_be_read_has_no_end() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 3 {
                return Err(io::Error::other("disk on fire"));
            }
            into[..4].copy_from_slice(b"abc\n");
            Ok(4)
        }
    }
    let (mut client, seen) = open("CHUNKING", Vec::new());
    let error = client.send_message(&mut Trace::default(), &mut Broken(0)).unwrap_err();
    assert_eq!(error.cause, Cause::Source("disk on fire".to_owned()));
    assert!(error.ends_connection());
    assert!(!written(&seen).contains("\r\n.\r\n"));
    let Err(why) = Chunks::new(b"a: b\n\n", &|| Box::new(Broken(0))) else { panic!("it is read") };
    assert_eq!(why.to_string(), "disk on fire");
}

#[test]
fn chunks_are_as_long_as_they_say() {
    let text = "a line, and .dots\n.\n".repeat(10_000);
    let wire = text.replace('\n', "\r\n");
    let (mut client, seen) = open("CHUNKING", vec![says("250 1\n250 all\n")]);
    let mut chunks = Chunks::new(b"a: b\n\n", &|| Box::new(text.as_bytes())).unwrap();
    client.first_chunk(&mut Trace::default(), &mut chunks).unwrap();
    assert_eq!(written(&seen), "BDAT 8\r\na: b\r\n\r\n");
    assert_eq!(client.answer(&mut Trace::default()).unwrap().text(), b"250 1");
    let sent = client.last_chunk(&mut Trace::default(), chunks).unwrap();
    assert_eq!(sent, 8 + wire.len() as u64);
    assert_eq!(written(&seen)[16..], format!("BDAT {} LAST\r\n{wire}", wire.len()));
    let verdicts = client.end_of_data(&mut Trace::default());
    assert_eq!(verdicts.message.unwrap().unwrap().text(), b"250 all");

    // A short message is one, and a line without an end has one on the wire.
    let (mut client, seen) = open("CHUNKING", vec![says("250 all\n")]);
    let mut chunks = Chunks::new(b"", &|| Box::new(&b"x"[..])).unwrap();
    client.first_chunk(&mut Trace::default(), &mut chunks).unwrap();
    assert_eq!(written(&seen), "BDAT 3 LAST\r\nx\r\n");
}

#[test]
fn the_first_chunk_goes_with_what_waits() {
    let (mut client, seen) = open("CHUNKING", vec![says("250 a\n250 b\n552 too much\n")]);
    let none = Extensions::default();
    let trace = &mut Trace::default();
    client.queue(trace, SentCommand::mail(b"a@x", &MailParams::default(), &none));
    client.queue(trace, SentCommand::rcpt(b"b@x", &RcptParams::default(), &none));
    assert_eq!(written(&seen), "");
    let text = "x".repeat(9000);
    let mut chunks = Chunks::new(b"\n", &|| Box::new(text.as_bytes())).unwrap();
    client.first_chunk(trace, &mut chunks).unwrap();
    assert_eq!(written(&seen), "MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nBDAT 2\r\n\r\n");
    let answers = [(); 3].map(|()| client.answer(trace).unwrap().code().to_vec());
    assert_eq!(answers, [b"250", b"250", b"552"]);
    assert_eq!(client.last().said, b"sending data block");
}

#[test]
fn a_message_that_changes_is_not_sent_to_its_end() {
    let reads = std::cell::Cell::new(0);
    let body = || -> Box<dyn io::Read> {
        reads.set(reads.get() + 1);
        Box::new(io::repeat(b'x').take(10_000 * reads.get()))
    };
    let mut chunks = Chunks::new(b"\n", &body).unwrap();
    let (mut client, _) = open("CHUNKING", vec![says("250 1\n")]);
    client.first_chunk(&mut Trace::default(), &mut chunks).unwrap();
    client.answer(&mut Trace::default()).unwrap();
    let error = client.last_chunk(&mut Trace::default(), chunks).unwrap_err();
    assert!(matches!(error.cause, Cause::Source(_)), "{error}");
}

/// Names three recipients, of whom two are taken, and sends a message.
fn to_three(client: &mut SmtpClient, prdr: bool) -> Verdicts {
    let params = MailParams { prdr, ..MailParams::default() };
    client.mail(&mut Trace::default(), b"a", &params).unwrap();
    let taken = [b"1", b"2", b"3"]
        .map(|to| client.rcpt(&mut Trace::default(), to, &RcptParams::default()).is_ok());
    assert_eq!(taken, [true, false, true]);
    client.data(&mut Trace::default()).unwrap();
    client.send_message(&mut Trace::default(), &mut &b"x\n"[..]).unwrap();
    client.end_of_data(&mut Trace::default())
}

const ENVELOPE: &str = "250 a\n250 1\n550 2\n250 3\n354 go\n";

#[test]
fn lmtp_and_prdr_judge_each_recipient() {
    let texts = |verdicts: &Verdicts| {
        let all = verdicts.recipients.iter().chain(&verdicts.message);
        all.map(|one| match one {
            Ok(reply) => String::from_utf8_lossy(reply.text()).into_owned(),
            Err(error) => error.to_string(),
        })
        .collect::<Vec<_>>()
    };
    let script = says(&format!("220 hi\n250 me\n{ENVELOPE}250 one\n552 full\n"));
    let (mut lmtp, seen) = client(vec![script]);
    lmtp.banner(&mut Trace::default()).unwrap();
    lmtp.ehlo(&mut Trace::default(), Protocol::Lmtp, b"c").unwrap();
    let verdicts = to_three(&mut lmtp, false);
    let refused = "SMTP error from remote mail server after end of data: 552 full";
    assert_eq!(texts(&verdicts), ["250 one", refused]);
    assert!(verdicts.message.is_none());
    assert!(written(&seen).starts_with("LHLO c\r\n"));

    let script = says(&format!("{ENVELOPE}353 each\n250 one\n552 full\n250 done\n"));
    let (mut prdr, seen) = open("PRDR", vec![script]);
    assert_eq!(texts(&to_three(&mut prdr, true)), ["250 one", refused, "250 done"]);
    assert!(written(&seen).starts_with("MAIL FROM:<a> PRDR\r\n"));
    // A server may judge the message as a whole all the same, and 353 means nothing where
    // it was not asked for.
    let (mut whole, _) = open("PRDR", vec![says(&format!("{ENVELOPE}250 all\n"))]);
    assert_eq!(texts(&to_three(&mut whole, true)), ["250 all"]);
    // Nothing more is waited for behind what ends it.
    for last in ["421 closing", "what"] {
        let script = says(&format!("{ENVELOPE}353 each\n{last}\n"));
        let (mut ended, _) = open("PRDR", vec![script, Step::Silent]);
        let said = texts(&to_three(&mut ended, true));
        assert!(said.len() == 3 && said.iter().all(|one| one.ends_with(last)), "{said:?}");
    }
    let (mut odd, _) = open("PRDR", vec![says(&format!("{ENVELOPE}353 each\n"))]);
    let refused = "SMTP error from remote mail server after end of data: 353 each";
    assert_eq!(texts(&to_three(&mut odd, false)), [refused]);
}

#[test]
fn who_was_silent_once_is_not_waited_for_again() {
    let script = says(&format!("220 hi\n250 me\n{ENVELOPE}250 one\n"));
    let (mut lmtp, seen) = client(vec![script, Step::Silent]);
    lmtp.banner(&mut Trace::default()).unwrap();
    lmtp.ehlo(&mut Trace::default(), Protocol::Lmtp, b"c").unwrap();
    let verdicts = to_three(&mut lmtp, false);
    // What was heard before counts.
    assert!(verdicts.recipients[0].is_ok());
    assert_eq!(verdicts.recipients[1].as_ref().unwrap_err().cause, Cause::Timeout);
    let reads = seen.lock().unwrap().reads;
    let before = written(&seen);
    assert_eq!(lmtp.rset(&mut Trace::default()).unwrap_err().cause, Cause::Timeout);
    lmtp.quit(&mut Trace::default());
    assert_eq!(seen.lock().unwrap().reads, reads);
    assert_eq!(written(&seen), before);
}

#[test]
fn a_connection_may_have_several_messages() {
    let script = says(&format!("{ENVELOPE}250 all\n250 reset\n{ENVELOPE}250 all\n"));
    let (mut client, _) = open("", vec![script]);
    to_three(&mut client, false).message.unwrap().unwrap();
    client.rset(&mut Trace::default()).unwrap();
    to_three(&mut client, false).message.unwrap().unwrap();
}

/// TLS that seals nothing.
#[derive(Default)]
struct Plain {
    coming: Vec<u8>,
    going: Vec<u8>,
}

impl TlsSession for Plain {
    fn receive(&mut self, bytes: &[u8]) {
        self.coming.extend_from_slice(bytes);
    }

    fn end_of_input(&mut self) {}

    fn shake(&mut self) -> TlsProgress {
        TlsProgress::Done(Box::default())
    }

    fn read(&mut self, into: &mut Vec<u8>) -> TlsHeard {
        into.append(&mut self.coming);
        TlsHeard::More
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), TlsFault> {
        self.going.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) {}

    fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.going)
    }
}

#[test]
fn cve_2021_38371_replies_before_tls_do_not_count_under_it() {
    for injected in ["220 go\n250-me\n250 AUTH PLAIN\n", "220 go\n2"] {
        let (mut client, _) = open("STARTTLS", vec![says(injected), says("250 really me\n")]);
        client.starttls(&mut Trace::default()).unwrap();
        let fault = client.begin_tls(Box::new(Plain::default())).unwrap_err();
        assert_eq!(fault.logged(), "TLS session: synch error before connect");
    }
}

#[test]
fn what_was_said_in_clear_text_is_forgotten() {
    let says = vec![says("220 go\n"), says("250 really me\n")];
    let (mut client, _) = open("STARTTLS", says);
    client.starttls(&mut Trace::default()).unwrap();
    assert_eq!(client.begin_tls(Box::new(Plain::default())).unwrap(), TlsFacts::default());
    assert_eq!(client.extensions(), &Extensions::default());
    let reply = client.ehlo(&mut Trace::default(), Protocol::Smtp, b"c").unwrap();
    assert_eq!(reply.text(), b"250 really me");
    assert!(client.extensions().auth.is_empty());
}

/// A context, and an authenticator in it.
fn authenticator(options: &str) -> (Context, Arc<Authenticator>) {
    let text = format!("begin authenticators\np:\n driver = plaintext\n {options}");
    let world = Fixture::new().file("/c", text).world();
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/c", Macros::default(), &world, builder.registry()).unwrap();
    let one = Authenticators::new(&config).iter().next().cloned().unwrap();
    (config.build(builder).context(), one)
}

#[test]
fn secrets_are_said_to_the_server_alone() {
    let (mut cx, one) = authenticator("public_name = PLAIN\n client_send = ^user^secret\n");
    let (mut client, seen) = open("AUTH", vec![says("235 welcome\n")]);
    let (_, outcome, _) = client.auth(&mut cx, &one).unwrap();
    assert_eq!(outcome, AuthOutcome::Accepted);
    assert_eq!(written(&seen), "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    assert_eq!(client.last().said, b"AUTH PLAIN ****************");
    let (mut client, _) = open("AUTH", vec![Step::Gone]);
    let error = client.auth(&mut cx, &one).unwrap_err();
    assert!(!error.to_string().contains("AHVz"), "{error}");
    // Who asks on and on is given up.
    let (mut client, seen) = open("AUTH", vec![Step::Endless(b"334 \r\n")]);
    client.auth(&mut cx, &one).unwrap();
    assert!(seen.lock().unwrap().reads < 100);
}

/// Who has given an authenticator up can go on with another one, whatever is said to that.
#[test]
fn no_sense_in_the_answer_to_giving_up() {
    let (mut cx, one) = authenticator("public_name = LOGIN\n client_send = : u\n");
    for after in [says("junk\n"), says("501 ok\n"), Step::Gone] {
        let (mut client, seen) = open("AUTH", vec![says("334 %%\n"), after]);
        let (_, outcome, _) = client.auth(&mut cx, &one).unwrap();
        assert!(matches!(outcome, AuthOutcome::Cancelled(_)), "{outcome:?}");
        assert_eq!(written(&seen), "AUTH LOGIN\r\n*\r\n");
    }
    let (mut client, _) = open("AUTH", vec![says("334 %%\n"), Step::Silent]);
    assert_eq!(client.auth(&mut cx, &one).unwrap_err().cause, Cause::Timeout);
}
