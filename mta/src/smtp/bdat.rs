//! BDAT: a message in chunks (RFC 3030).

use eximious::{opt, var};

use super::SmtpSession;
use super::large::Coming;
use super::mail_data::{MailData, Rest, Useless, header};
use super::stage::{Handled, LastRejected, Progress, Stage};
use crate::reception::{Newlines, Way, parse};

/// A chunk that is on its way.
#[derive(Debug)]
pub(super) struct Chunk {
    /// How many bytes are still to come.
    left: u64,
    size: u64,
    last: bool,
    /// Whether it is a message's first one.
    first: bool,
    /// Whether it is of no use.
    ignored: bool,
}

impl SmtpSession {
    pub(super) fn bdat(&mut self, argument: &[u8], last_rejected: LastRejected) -> Handled {
        if !self.connection.advertised.chunking {
            let text = b"BDAT command used when CHUNKING not advertised";
            return Err(self.protocol_error(b"503", text));
        }
        let mut words = argument.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(size) = words.next().and_then(number) else {
            return Err(self.refuse_without_size());
        };
        self.connection.advertised.early_pipelining = false;
        // What comes in chunks is sent on otherwise.
        self.acl_state.cutthrough.end(&mut self.cx, "chunking active");
        let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"LAST"))
            && words.next().is_none();
        let first = self.transaction.chunks.is_none();
        let chunk = Chunk { left: size, size, last, first, ignored: false };
        if first {
            let required = self.requires_recipient("BDAT", last_rejected);
            match required.and_then(|()| self.requires_few_recipients()) {
                Ok(()) => {}
                Err(Stage::Done) => return Err(Stage::Done),
                Err(_) => return Err(Stage::Chunk(Chunk { ignored: true, ..chunk })),
            }
            self.transaction.chunks = Some(Box::new(self.begin_mail_data()));
        } else if size == 0 && !last {
            self.name_chunks();
            self.transaction.only_rset = true;
            return Err(self.protocol_error(b"504", b"zero size for BDAT command"));
        }
        Ok(Stage::Chunk(chunk))
    }

    /// Without a size, nobody knows where the next command begins: what came in chunks so far
    /// is no message. It counts as a command that is out of place.
    fn refuse_without_size(&mut self) -> Stage {
        self.name_chunks();
        let within_chunks = self.transaction.chunks.is_some();
        let stage = self.protocol_error(b"501", b"missing size for BDAT command");
        if within_chunks {
            self.drop_transaction();
        }
        stage
    }

    /// Between the chunks of a message, nothing else may be said.
    pub(super) fn refuse_within_chunks(&mut self) -> Stage {
        self.name_chunks();
        self.transaction.only_rset = true;
        self.protocol_error(b"503", b"only BDAT permissible after non-LAST BDAT")
    }

    /// Has the logs name the message that comes in chunks, if its header is there.
    pub(super) fn name_chunks(&mut self) {
        if let Some(data) = self.transaction.chunks.take() {
            self.name_if_in_body(&data);
            self.transaction.chunks = Some(data);
        }
    }

    /// Asks what becomes of a line `From …` before the header of what came in chunks.
    pub(super) fn settle_from_line_of_chunks(&mut self, ended: bool) {
        if let Some(mut data) = self.transaction.chunks.take() {
            self.settle_from_line(&mut data, ended);
            self.transaction.chunks = Some(data);
        }
    }

    /// Reads on.
    pub(super) fn go_on_chunk(&mut self, mut chunk: Chunk) -> Progress {
        let rest = self.input.rest();
        let count = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(rest.len());
        if !chunk.ignored
            && let Some(data) = &mut self.transaction.chunks
        {
            data.keep_chunk(&rest[..count]);
        }
        chunk.left -= count as u64;
        self.connection.read_timer.progressed |= count > 0;
        self.input.take(count);
        self.settle_from_line_of_chunks(false);
        let mut data = match chunk.ignored {
            true => None,
            false => self.transaction.chunks.take(),
        };
        if let Some(data) = &mut data {
            self.make_room(data, Coming::Chunks);
        }
        match data {
            None if chunk.left == 0 => Progress::Next(Stage::COMMANDS),
            None if self.input.ended => Progress::Next(self.connection_lost()),
            None => Progress::Wait(Stage::Chunk(chunk)),
            // For the rest of what is too large, nobody waits.
            Some(data) if chunk.left == 0 && (chunk.last || data.is_too_large()) => {
                Progress::Next(self.received_chunks(*data, chunk.size))
            }
            Some(data) if self.input.ended && data.is_too_large() && self.has_begun(&data) => {
                Progress::Next(self.received(*data, None))
            }
            Some(data) if chunk.left > 0 && self.input.ended && is_bare(&data) => {
                Progress::Next(self.refuse_bare_header(&data))
            }
            Some(data) if chunk.left > 0 && self.input.ended => {
                Progress::Next(self.connection_lost_in_message(*data))
            }
            // It is a character behind such a line that shows it.
            Some(data) if chunk.left == 0 && shows_bare_header(&data) => {
                Progress::Next(self.refuse_bare_header(&data))
            }
            Some(data) => {
                self.transaction.chunks = Some(data);
                match chunk.left {
                    0 => {
                        let said = format!("250 {} byte chunk received", chunk.size);
                        Progress::Next(self.reply(&[said.as_bytes()]))
                    }
                    _ => Progress::Wait(Stage::Chunk(chunk)),
                }
            }
        }
    }

    /// The client took too long within a chunk. Behind the first one, this is as if it were
    /// gone.
    pub(super) fn chunk_timed_out(&mut self, chunk: &Chunk) -> Stage {
        match self.transaction.chunks.take() {
            None => self.command_timed_out(),
            Some(data) if chunk.first => self.data_timed_out(Some(&data)),
            Some(data) if is_bare(&data) => {
                let _ = self.refuse_bare_header(&data);
                self.command_timed_out()
            }
            Some(data) => self.connection_lost_in_message(*data),
        }
    }

    /// The last chunk is there; it has this size.
    fn received_chunks(&mut self, mut data: MailData, size: u64) -> Stage {
        if is_bare(&data) {
            return self.refuse_bare_header(&data);
        }
        let total = match &mut data.rest {
            Rest::Nowhere(_) => data.bytes.len() as u64,
            Rest::Memory => self.end_chunks(&mut data),
            Rest::Spool(body) => {
                body.end();
                let (length, lines) = body.size();
                let lines = if body.is_wire() { 0 } else { lines };
                data.bytes = kept(&data);
                on_the_wire(&data.bytes) + length + lines + u64::from(lacks_blank_line(&data.bytes))
            }
        };
        let said = format!("250- {size} byte chunk, total {total}");
        self.received(data, Some(said))
    }

    /// Gives a message in memory the lines that it is kept with; how large it would go
    /// out again.
    fn end_chunks(&mut self, data: &mut MailData) -> u64 {
        // What is counted in the end is the message as it would go out again.
        let head = header(&data.bytes);
        data.returns = memchr::memchr_iter(b'\r', head).count() as u64;
        // A line of the header that makes it too large is read to its end.
        let is_cut = data.is_cut && head.len() == data.bytes.len();
        data.returns += u64::from(is_cut && !head.ends_with(b"\r") && !head.ends_with(b"\n"));
        if data.bytes.is_empty() {
            data.drops_from = Some(false);
        }
        let head = header(&data.bytes);
        if is_nothing_but_header(head) && self.flag(opt::SPOOL_WIREFORMAT) {
            data.wire = Some(data.bytes.split_off(head.len()));
        }
        // Each line has a newline behind it, however it came.
        data.bytes = kept(data);
        if data.bytes.last() != Some(&b'\n') {
            data.bytes.push(b'\n');
            // It may be the one byte too many.
            data.count += u64::from(!data.is_too_large());
        }
        let wire = data.wire.as_ref().map_or(0, Vec::len) as u64;
        on_the_wire(&data.bytes) + wire + u64::from(lacks_blank_line(&data.bytes))
    }

    /// Refuses a message whose first line ends in a newline alone. Nothing behind it is looked
    /// at.
    fn refuse_bare_header(&mut self, data: &MailData) -> Stage {
        self.connection.last_id = Default::default();
        self.say(&[b"552 Message header not CRLF terminated"]);
        let sender = self.variable(var::SENDER_ADDRESS);
        let client = eximious::client::described_alone(&mut self.cx);
        let tail = b": Non-CRLF-terminated header, under CHUNKING: message abandoned".as_slice();
        let line = data.bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let parsed = parse(line, Way::Smtp, false, &mut self.cx);
        self.cx.set_message(Some(parsed.message));
        let head = b"rejected from <".as_slice();
        self.log_rejected_message(&[head, sender.bytes(), b"> ", &client, tail].concat());
        self.drop_transaction();
        Stage::COMMANDS
    }
}

/// Whether a line of the header ends in a newline alone.
fn is_bare(data: &MailData) -> bool {
    match data.rest {
        Rest::Nowhere(Useless::BareHeader) => true,
        Rest::Memory => has_bare_header(&data.bytes),
        _ => false,
    }
}

/// Whether it is known by now, with the header's end to come.
fn shows_bare_header(data: &MailData) -> bool {
    let seen = data.bytes.strip_suffix(b"\n").unwrap_or(&data.bytes);
    matches!(data.rest, Rest::Memory) && has_bare_header(seen)
}

/// What came, with the lines that are kept of it.
fn kept(data: &MailData) -> Vec<u8> {
    Newlines::of_chunks(data.drops_from == Some(true)).all(&data.bytes)
}

/// How large lines are that go out by SMTP.
fn on_the_wire(text: &[u8]) -> u64 {
    (text.len() + memchr::memchr_iter(b'\n', text).count()) as u64
}

/// Whether text follows a header without the blank line between them, which is counted all
/// the same.
fn lacks_blank_line(text: &[u8]) -> bool {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    let of_header = |(number, line): &(usize, &[u8])| {
        *number > 0 && matches!(line.first(), Some(b' ' | b'\t')) || is_named(line)
    };
    let first = lines.find(|line| !of_header(line));
    first.is_some_and(|(_, line)| !matches!(line, b"\n" | b"\r\n"))
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
/// line before that is no header line; and each line ends in CRLF.
pub(super) fn is_nothing_but_header(bytes: &[u8]) -> bool {
    let whole = memchr::memmem::find_iter(bytes, b"\r\n").count();
    let ends = |byte| memchr::memchr_iter(byte, bytes).count();
    if ends(b'\r') != whole || ends(b'\n') != whole {
        return false;
    }
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

/// Whether the first line of a header ends in a newline alone. Where it does not, a newline
/// alone ends no line of it.
pub(super) fn has_bare_header(bytes: &[u8]) -> bool {
    let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    is_named(first) && first.ends_with(b"\n") && !first.ends_with(b"\r\n")
}
