//! A message whose body goes to the spool as it comes is the one that it would be in
//! memory, and no more of it than a window is held.

use eximious::world::SpoolInMemory;

use super::*;
use crate::smtp::Received;
use crate::spool;

const CONFIG: &str = "spool_directory = /spool\nmessage_logs = false\nacl_smtp_rcpt = accept\nacl_smtp_data = d\n\
    chunking_advertise_hosts = *\nlog_selector = +received_recipients\nmessage_size_limit = 3000\n\
    ignore_fromline_hosts = *\nheader_maxsize = 500\nbegin acl\nd:\n accept logwrite = \
    s=$message_size l=$message_linecount b=$body_linecount z=$body_zerocount \
    n=$max_received_linelength m=$message_body_size <$message_body> <$message_body_end>\n";

/// The header lines of a message, its body, and what is counted of it.
type Shown = (Vec<Vec<u8>>, Vec<u8>, [u64; 5]);

/// What becomes of a message: what is said and logged, without what names it; itself,
/// and what the spool has of it.
#[derive(Debug, PartialEq)]
struct Fate {
    said: String,
    logged: Vec<String>,
    message: Option<Shown>,
    kept: Option<Vec<u8>>,
}

fn fate(config: &str, spool: Option<&SpoolInMemory>, window: usize, pieces: &[&[u8]]) -> Fate {
    let (mut session, log) = session_in(config, client(), |world| {
        if let Some(spool) = spool {
            world.spool = Arc::new(spool.clone());
        }
    });
    session.set_window(window);
    let mut said = String::new();
    let mut message = None;
    let mut take = |session: &mut SmtpSession| {
        while let Some(event) = session.next_event() {
            match event {
                Event::Reply(bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
                Event::Message(mut received) => {
                    let outcome = match spool {
                        Some(_) => spool::keep(session.context(), &mut received),
                        None => SpoolOutcome::Spooled,
                    };
                    message = Some(shown(&received));
                    session.conclude(&outcome);
                }
                Event::Close | Event::Delay { .. } => {}
            }
        }
    };
    for piece in pieces {
        session.receive(piece);
        take(&mut session);
    }
    let ends = session.input.rest().len();
    session.end_of_input();
    take(&mut session);
    assert!(ends <= 16, "{ends}");
    let files = spool.map(SpoolInMemory::files).unwrap_or_default();
    let mut data = files.iter().filter(|(name, _)| name.ends_with(b"-D"));
    let kept = data.next().map(|(_, data)| data[26..].to_vec());
    assert_eq!(data.next(), None);
    let logged = log.0.lock().unwrap().iter().map(|line| unnamed(line)).collect();
    Fate { said: unnamed(&said), logged, message, kept }
}

fn shown(received: &Received) -> Shown {
    let one = &received.message;
    let lines = one.headers.iter().map(|header| unnamed(&header.line.escape_ascii().to_string()));
    let numbers = [one.size, one.lines, one.body_lines, one.body_zeros, one.longest_line];
    let body = one.body.whole(1 << 20).unwrap().into_owned();
    (lines.map(String::into_bytes).collect(), body, numbers)
}

/// A text without names of messages.
fn unnamed(text: &str) -> String {
    let is_id = |word: &&str| word.len() == 23 && word.matches('-').count() == 2;
    let parts = text.split_inclusive([' ', '=', '\r', '>', '\\', '\n', ';']);
    parts.filter(|part| !is_id(&part.trim_end_matches([' ', '\r', '>', '\\', '\n', ';']))).collect()
}

/// Numbers that look as if they came by chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % most
    }
}

/// A text that could be a message, or almost.
fn text(chance: &mut Chance) -> Vec<u8> {
    const PARTS: [&[u8]; 22] = [
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"a: b\r\n",
        b"Subject: x",
        b"To: c@d\r\n",
        b"x",
        b"\0",
        b"From x@y Mon Jan  5 12:35 1999\r\n",
        b"..",
        b":",
        b"\r\n\r\n",
        b"a long line of text that goes on for a while\r\n",
        b"caf\xc3\xa9",
        b"\r\n ",
        b"\n\n",
        b"and another line of text which is longer than most of the others\r\n",
    ];
    let mut out = Vec::new();
    if chance.below(4) > 0 {
        out.extend_from_slice(b"From: a@b\r\nX: y\r\n");
    }
    for _ in 0..chance.below(60) {
        out.extend_from_slice(PARTS[chance.below(PARTS.len())]);
    }
    out
}

fn dotted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\r\n.\r\n");
    out
}

#[test]
fn a_message_is_the_same_wherever_its_body_goes() {
    let greeting = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n".as_slice();
    let mut chance = Chance(7);
    let (mut stored, mut kept) = (0, 0);
    for round in 0..500 {
        let text = text(&mut chance);

        let config = match round % 4 {
            0 => format!("spool_wireformat\n{CONFIG}"),
            _ => CONFIG.to_owned(),
        };
        let chunks = round % 2 == 0;
        let bytes = match chunks {
            true => [format!("BDAT {} LAST\r\n", text.len()).as_bytes(), &text].concat(),
            false => [b"DATA\r\n", &dotted(&text)[..]].concat(),
        };
        let whole = fate(&config, None, usize::MAX, &[greeting, &bytes]);
        let size = 1 + chance.below(70);
        let mut pieces = vec![greeting];
        pieces.extend(bytes.chunks(size));
        let spool = SpoolInMemory::default();
        let window = 1 + chance.below(80);
        let mut other = fate(&config, Some(&spool), window, &pieces);
        stored += usize::from(other.kept.is_some());
        if let (Some(data), Some((_, body, _))) = (other.kept.take(), &other.message) {
            kept += 1;
            assert_eq!(data, *body);
        }
        // Where a header is far too long, its end is not waited for.
        if !other.said.contains("ridiculously") {
            assert_eq!(other, whole, "{round} {size} {window} {}", bytes.escape_ascii());
        }
    }
    assert!(stored > 100 && stored == kept, "{stored} {kept}");
}
