//! Targets of the core: routing, rewriting, the spool, hints.

use std::sync::Arc;

use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::route::{Purpose, Request, Routes};
use eximious::world::{Fixture, SpoolPlace};
use eximious::{Config, Engine, Macros, Str, World};

use super::limits;

/// How much a session may say and do.
pub(super) const MOST_EVENTS: usize = 100_000;

/// A configuration, and an engine with its options.
pub(super) fn loaded(text: Vec<u8>, files: &[(&str, &[u8])]) -> Option<(Config, Engine)> {
    let mut fixture = Fixture::new().file("/c", text);
    for (name, text) in files {
        fixture = fixture.file(name, *text);
    }
    let world = fixture.world();
    let builder = Engine::builder().world(world.clone()).limits(limits());
    let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).ok()?;
    let engine = config.build(builder);
    Some((config, engine))
}

/// Routes an address by redirection data, of a file that may do everything and one
/// that may do little: it ends, whatever stands there.
pub fn redirect(data: &[u8]) {
    let head = b"primary_hostname = b.example\nbegin routers\n";
    let all = b"all:\n driver = redirect\n file = /list\n allow_fail\n allow_defer\n \
        allow_filter\n allow_freeze\n user = 8\n group = 8\n file_transport = t\n \
        pipe_transport = t\n skip_syntax_errors\n";
    let few = b"few:\n driver = redirect\n file = /list\n forbid_file\n forbid_pipe\n \
        forbid_include\n one_time\n check_ancestor\n";
    let tail = b"begin transports\nt:\n driver = appendfile\n file = /dev/null\n";
    for routers in [all.as_slice(), few] {
        let text = [head.as_slice(), routers, tail].concat();
        let Some((config, engine)) = loaded(text, &[("/list", data)]) else {
            panic!("nothing is wrong with it");
        };
        let routes = Routes::new(&config, engine.registry(), engine.world());
        let mut cx = engine.context();
        let mut request = Request::new(Str::tainted(b"a@b.example".as_slice()), Purpose::Test);
        request.whole = true;
        routes.test(&mut cx, &request, &mut |_| {});
    }
}

/// Applies a rule for rewriting to addresses and to a header: what comes of an
/// address is one.
pub fn rewrite(data: &[u8]) {
    let text = [b"begin rewrite\n".as_slice(), data, b"\n"].concat();
    let Some((config, engine)) = loaded(text, &[]) else { return };
    let mut cx = engine.context();
    let rewriter = Rewriter::of(&config);
    for address in ["x@y.example", "\"a b\"@c", "x@[1.2.3.4]"] {
        let address = Str::tainted(address.as_bytes());
        for place in [AddressPlace::From, AddressPlace::EnvelopeTo] {
            if let Ok(Some(new)) = rewriter.address(&mut cx, &address, place) {
                assert!(new.bytes() == b"<>" || new.bytes().contains(&b'@'), "{}", new.display());
            }
        }
        let item = Str::tainted([b"Foo <", address.bytes(), b"> (bar)"].concat());
        let _ = rewriter.header_item(&mut cx, &item, AddressPlace::From);
        let _ = rewriter.address(&mut cx, &item, AddressPlace::Smtp);
    }
}

/// Reads header files of the spool, at whatever part of one the bytes stand: what is
/// read is written and read again as the same.
pub fn spool(data: &[u8]) {
    use eximious_mta::spool::HeaderFile;
    let head = b"1xUSRE-000000008A6-0Qit-H\nroot 0 0\n<a@b>\n1795195816 0\n".as_slice();
    let heads = [
        b"".as_slice(),
        b"1xUSRE-000000008A6-0Qit-H\n",
        head,
        &[head, b"-local\nXX\n"].concat(),
        &[head, b"XX\n1\n"].concat(),
        &[head, b"XX\n0\n\n"].concat(),
    ];
    for head in heads {
        let bytes = [head, data].concat();
        match HeaderFile::decode(&bytes) {
            Ok(file) => {
                let written = file.encode().expect("what was read");
                assert_eq!(HeaderFile::decode(&written).as_ref(), Ok(&file));
            }
            Err(damage) => assert!(damage.at <= bytes.len()),
        }
    }
}

/// Reads a message's journal: each line that was written to its end is somebody who has
/// the message, and nothing else is.
pub fn journal(data: &[u8]) {
    use eximious::world::SpoolInMemory;
    use eximious_mta::spool::queue::Stored;
    let (id, spool) = (b"1xUSRE-000000008A6-0Qit", SpoolInMemory::default());
    let place = SpoolPlace { spool: b"/s".to_vec(), ..SpoolPlace::default() };
    let header = b"1xUSRE-000000008A6-0Qit-H\nroot 0 0\n<a@b>\n1795195816 0\nXX\n1\nx@y\n\n";
    spool.put(&place.path(id, b"-H"), header);
    spool.put(&place.path(id, b"-J"), data);
    let world = World { spool: Arc::new(spool), ..World::hermetic() };
    let stored = Stored::read(&world, &place, id).expect("a message");
    let ends = data.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(stored.journal.len(), ends);
    let written: Vec<u8> =
        stored.journal.iter().flat_map(|one| [one, &b"\n"[..]].concat()).collect();
    assert!(data.starts_with(&written));
    assert!(stored.journal.iter().all(|one| stored.done().contains(&one[..])));
}

/// Reads hints of all kinds: what can be read is kept and read again as the same, and
/// everything can be shown.
pub fn hints(data: &[u8]) {
    use eximious::hints::{Record as _, Retry, dump, edited, fields};
    use eximious::world::{Hint, HintsInMemory};
    let world = World { hints: Arc::new(HintsInMemory::default()), ..World::hermetic() };
    let store = world.hint_store(b"/s");
    let hint = Hint { value: data.to_vec(), stamp: 1_795_195_816 };
    for space in ["retry", "callout", "ratelimit", "seen", "wait-smtp", "x"] {
        let space = space.as_bytes();
        assert!(dump(space, b"T:a@b", &hint, &*world.clock, None).ends_with(b"\n"));
        for field in fields(space) {
            let _ = edited(space, &hint, (field, "now+1h"), hint.stamp);
        }
    }
    store.put(Retry::SPACE.as_bytes(), b"k", hint).expect("a store");
    if let Some((retry, stamp)) = Retry::load(&*store, b"k").expect("a store") {
        retry.save(&*store, b"again", stamp).expect("a store");
        let again = Retry::load(&*store, b"again").expect("a store");
        let (again, _) = again.expect("what was written");
        assert!(retry.text.starts_with(&again.text));
        assert_eq!(Retry { text: again.text.clone(), ..retry }, again);
    }
}

/// Reads batches: each ends, and what is wrong is in a line.
pub fn batch(data: &[u8]) {
    use eximious_mta::batch::{BatchStep, BatchedSmtp};
    let mut cx = Engine::builder().build().context();
    let heads = ["", "MAIL FROM:<a@b>\n", "MAIL FROM:<>\nRCPT TO:<a@b>\nDATA\n"];
    for head in heads {
        let mut batch = BatchedSmtp::new(data.len().is_multiple_of(2));
        batch.receive(head.as_bytes());
        batch.receive(data);
        batch.end_of_input();
        for _ in 0..MOST_EVENTS {
            match batch.step(&mut cx) {
                BatchStep::Message(message) => {
                    assert!(message.text.count() <= data.len() as u64);
                    batch.taken();
                }
                BatchStep::Begins(envelope) => assert!(!envelope.recipients.is_empty()),
                BatchStep::More => panic!("there is no more"),
                BatchStep::End => break,
                BatchStep::Lost(wrong, _) | BatchStep::Failed(wrong) => {
                    assert!(!wrong.explained().is_empty() && wrong.status() > 0);
                    break;
                }
            }
        }
    }
}

/// Reads what a server says to a client, in pieces of different lengths: what comes
/// of it hangs on the bytes alone, and is bounded. A whole session with such a server
/// ends, too, and nothing of what it says gets into a log as it is.
pub fn replies(data: &[u8]) {
    use eximious::smtp_client::{Extensions, Read, Replies};
    let mut all = Vec::new();
    for length in [1, 7, 1000] {
        let (mut replies, mut said) = (Replies::default(), Vec::new());
        for piece in data.chunks(length) {
            replies.push(piece);
            loop {
                match replies.next_reply() {
                    Read::More => break,
                    Read::Malformed(text) => {
                        assert!(text.len() <= 4096);
                        said.push(text);
                    }
                    Read::Reply(reply) => {
                        assert!(reply.text().len() < 4096 && reply.code().len() == 3);
                        assert!(Extensions::read(&reply).auth.len() < 4096);
                        said.push(reply.text().to_vec());
                    }
                }
            }
        }
        all.push(said);
    }
    // A line without an end is given up where its piece ends.
    if data.split(|byte| *byte == b'\n').all(|line| line.len() < 3000) {
        assert!(all.iter().all(|said| *said == all[0]));
    }
    delivered_to(data);
}

/// Sends a message to a server that says these bytes, whatever it is told.
fn delivered_to(data: &[u8]) {
    use eximious::smtp_client::{Chunks, MailParams, Protocol, RcptParams, SmtpClient, SmtpError};
    let fine = |came: &SmtpError| {
        let logged = came.logged();
        assert!(logged.len() < 4 * 4096 + 100);
        assert!(logged.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')));
    };
    let speaks = Said { bytes: data.to_vec(), at: 0 };
    let mut client = SmtpClient::new(Box::new(speaks), eximious::smtp_client::Timeouts::default());
    let protocol = if data.len() % 3 == 1 { Protocol::Lmtp } else { Protocol::Smtp };
    let watch = &mut eximious::trace::Trace::default();
    let _ = client.banner(watch).map_err(|error| fine(&error));
    let _ = client.ehlo(watch, protocol, b"me").map_err(|error| fine(&error));
    client.use_pipelining(true);
    let params = MailParams { size: Some(9), prdr: true, smtputf8: true, ..MailParams::default() };
    let _ = client.mail(watch, b"a@b", &params).map_err(|error| fine(&error));
    for to in [b"c@d", b"e@f"] {
        let _ = client.rcpt(watch, to, &RcptParams::default()).map_err(|error| fine(&error));
    }
    let text = if data.len() % 2 == 1 { &b"x\n"[..] } else { &[b'x'; 9000] };
    let chunks = Chunks::new(b"h: v\n\n", &|| Box::new(text)).expect("it is read");
    let sent = match client.extensions().chunking {
        true => client.bdat(watch, chunks),
        false => {
            client.data(watch).and_then(|_| client.send_message(watch, &mut &b"h: v\n\nx\n"[..]))
        }
    };
    if sent.map_err(|error| fine(&error)).is_ok() {
        let verdicts = client.end_of_data(watch);
        assert!(verdicts.recipients.len() <= 2);
        for came in verdicts.recipients.iter().chain(&verdicts.message) {
            let _ = came.as_ref().map_err(fine);
        }
    }
    client.quit(watch);
}

/// A server that does not listen.
struct Said {
    bytes: Vec<u8>,
    at: usize,
}

impl std::io::Read for Said {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = &self.bytes[self.at..];
        let count = left.len().min(into.len()).min(7);
        into[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl eximious::world::Stream for Said {
    fn finish_writing(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn set_deadline(&mut self, _: std::time::Duration) {}
}
