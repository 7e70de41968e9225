//! BDAT: a message in chunks (RFC 3030).

use eximious::{Str, opt, var};

use super::Session;
use super::mail::Before;
use super::mail_data::{Reading, header};
use super::session::Stage;
use crate::reception::without_returns;

/// A chunk that is on its way.
#[derive(Debug)]
pub(super) struct Chunk {
    /// How many bytes are still to come.
    left: u64,
    size: u64,
    last: bool,
    /// Whether it is of no use.
    ignored: bool,
}

impl Session {
    pub(super) fn chunk(&mut self, argument: &[u8], before: Before) {
        if !self.offers.chunking {
            let text = b"BDAT command used when CHUNKING not advertised";
            return self.protocol_error(b"503", text);
        }
        let mut words = argument.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(size) = words.next().and_then(number) else {
            return self.protocol_error(b"501", b"missing size for BDAT command");
        };
        self.offers.early_pipelining = false;
        // What comes in chunks is sent on otherwise.
        self.acl_state.cutthrough.end(&mut self.cx, "chunking active");
        let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"LAST"))
            && words.next().is_none();
        let chunk = Chunk { left: size, size, last, ignored: false };
        if self.chunks.is_none() {
            if !self.has_recipient("BDAT", before) || !self.may_send_message() {
                if !matches!(self.stage, Stage::Done) {
                    self.stage = Stage::Chunk(Chunk { ignored: true, ..chunk });
                }
                return;
            }
            let limit = self.may.send_bytes;
            self.chunks = Some(Reading::new(limit));
            self.reading_since = self.cx.engine().world().clock.now();
        }
        self.stage = Stage::Chunk(chunk);
    }

    /// Between the chunks of a message, nothing else may be said.
    pub(super) fn refuse_within_chunks(&mut self) {
        self.only_reset = true;
        self.protocol_error(b"503", b"only BDAT permissible after non-LAST BDAT");
    }

    /// Reads on; false where more input is needed.
    pub(super) fn go_on_chunk(&mut self) -> bool {
        let Stage::Chunk(chunk) = &mut self.stage else { return false };
        let rest = self.input.rest();
        let count = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(rest.len());
        if !chunk.ignored
            && let Some(chunks) = &mut self.chunks
        {
            chunks.keep(&rest[..count]);
        }
        chunk.left -= count as u64;
        self.progressed |= count > 0;
        self.input.take(count);
        self.ask_of_from_line(false);
        let Stage::Chunk(chunk) = &self.stage else { return false };
        if chunk.left > 0 {
            let ignored = chunk.ignored;
            match self.input.ended {
                true if ignored => self.lost(),
                true => self.lost_in_message(),
                false => {}
            }
            return self.input.ended;
        }
        let Chunk { size, last, ignored, .. } = *chunk;
        self.stage = Stage::Commands;
        if ignored {
            return true;
        }
        if !last {
            self.say(&[format!("250 {size} byte chunk received").as_bytes()]);
            return true;
        }
        let Some(reading) = &self.chunks else { return true };
        if has_bare_header(&reading.bytes) {
            self.id = Str::EMPTY;
            self.say(&[b"552 Message header not CRLF terminated"]);
            let sender = self.variable(var::SENDER_ADDRESS);
            let client = self.logged_client();
            let tail =
                b": Non-CRLF-terminated header, under CHUNKING: message abandoned".as_slice();
            self.log_rejection(
                &[b"rejected from <", sender.bytes(), b"> ", &client, tail].concat(),
            );
            self.reset_message();
            return true;
        }
        let mut reading = self.chunks.replace(Reading::new(1)).unwrap_or_default();
        // What is counted in the end is the message as it would go out again.
        reading.returns = memchr::memchr_iter(b'\r', header(&reading.bytes)).count() as u64;
        if reading.bytes.is_empty() {
            reading.drops_from = Some(false);
        }
        let head = header(&reading.bytes);
        if is_nothing_but_header(head) && self.flag(opt::SPOOL_WIREFORMAT) {
            reading.wire = Some(reading.bytes.split_off(head.len()));
        }
        // Each line has a newline behind it, however it came.
        reading.bytes = without_returns(&reading.bytes);
        if reading.bytes.last() != Some(&b'\n') {
            reading.bytes.push(b'\n');
        }
        let ends = memchr::memchr_iter(b'\n', &reading.bytes).count();
        let wire = reading.wire.as_ref().map_or(0, Vec::len);
        let total = reading.bytes.len() + ends + wire;
        self.chunk_reply = Some(format!("250- {size} byte chunk, total {total}"));
        self.received(reading);
        true
    }
}

/// A number; one that is too large for any message is still one.
fn number(word: &[u8]) -> Option<u64> {
    let digits = word.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(word).ok().filter(|_| digits)?;
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Whether a line begins with the name of a header line.
fn is_named(line: &[u8]) -> bool {
    let name = line.iter().position(|byte| !matches!(byte, 33..=57 | 59..=126));
    name.is_some_and(|end| end > 0 && line[end..].trim_ascii_start().first() == Some(&b':'))
}

/// Whether the body of a message begins where its first blank line ends, and not at a
/// line before that is no header line.
fn is_nothing_but_header(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let blank = lines.peek().is_none() && matches!(line, b"\r\n" | b"\n");
        let continued = number > 0 && matches!(line.first(), Some(b' ' | b'\t'));
        if !(continued || is_named(line) || (blank && number > 0)) {
            return false;
        }
    }
    !bytes.is_empty()
}

/// Whether a line of the header begins with one that ends in a newline alone. What is
/// no header line ends the header.
fn has_bare_header(bytes: &[u8]) -> bool {
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number > 0 && matches!(line.first(), Some(b' ' | b'\t')) {
            continue;
        }
        if !is_named(line) {
            return false;
        }
        if line.ends_with(b"\n") && !line.ends_with(b"\r\n") {
            return true;
        }
    }
    false
}
