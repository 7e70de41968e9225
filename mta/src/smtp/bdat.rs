//! BDAT: a message in chunks (RFC 3030).

use eximious::{Message, opt, var};

use super::SmtpSession;
use super::mail_data::{MailData, Rest, Useless, header};
use super::stage::{Handled, LastRejected, Progress, Stage};
use crate::reception::{Coming, Way, parse};

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
            let mut data = self.begin_mail_data();
            data.coming = match self.flag(opt::SPOOL_WIREFORMAT) {
                true => Coming::Wire,
                false => Coming::Chunks,
            };
            self.transaction.chunks = Some(Box::new(data));
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
            self.make_room(data);
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
        if matches!(data.rest, Rest::Memory) {
            end_chunks(&mut data);
        }
        self.received(data, Some(size))
    }

    /// Refuses a message whose first line ends in a newline alone. Nothing behind it is looked
    /// at.
    fn refuse_bare_header(&mut self, data: &MailData) -> Stage {
        self.say(&[b"552 Message header not CRLF terminated"]);
        let sender = self.variable(var::SENDER_ADDRESS);
        let client = eximious::client::described_alone(&mut self.cx);
        let tail = b": Non-CRLF-terminated header, under CHUNKING: message abandoned".as_slice();
        let head = b"rejected from <".as_slice();
        let line = [head, sender.bytes(), b"> ", &client, tail].concat();
        let first = data.bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        self.log_rejected_beginning(&line, first);
        self.drop_transaction();
        Stage::COMMANDS
    }

    /// Logs why a message is refused whose header did not come to its end; the log of rejections
    /// has its envelope, and the lines that are there.
    pub(super) fn log_rejected_beginning(&mut self, line: &[u8], lines: &[u8]) {
        let line = self.log_line(line);
        // What they are has no letter yet.
        let parsed = parse(lines, Way::Smtp, false, &mut self.cx);
        self.cx.set_message(Some(Message::default()));
        let mut shown = self.rejected_header();
        if !shown.is_empty() {
            let lines = parsed.message.headers.iter();
            shown.extend(lines.flat_map(|header| [b"  ", &header.line[..]].concat()));
        }
        self.cx.engine().world().log.rejected_message(&line, &shown);
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

/// Nothing more comes of a message that is in memory.
fn end_chunks(data: &mut MailData) {
    let head = header(&data.bytes);
    data.returns = memchr::memchr_iter(b'\r', head).count() as u64;
    // A line of the header that makes it too large is read to its end.
    let is_cut = data.is_cut && head.len() == data.bytes.len();
    data.returns += u64::from(is_cut && !head.ends_with(b"\r") && !head.ends_with(b"\n"));
    if data.bytes.is_empty() {
        // There is a line in it all the same.
        data.bytes.push(b'\n');
        (data.drops_from, data.coming) = (Some(false), Coming::Chunks);
        data.count += u64::from(!data.is_too_large());
    }
    // Each line has a newline behind it, however it came: it may be the one byte too many.
    let is_open = !matches!(data.bytes.last(), Some(b'\r' | b'\n'));
    data.count += u64::from(is_open && data.coming != Coming::Wire && !data.is_too_large());
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

/// Whether the first line of a header ends in a newline alone. Where it does not, a newline
/// alone ends no line of it.
pub(super) fn has_bare_header(bytes: &[u8]) -> bool {
    let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    is_named(first) && first.ends_with(b"\n") && !first.ends_with(b"\r\n")
}
