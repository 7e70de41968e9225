//! The body of a large message: it goes to the data file of the spool as it comes in, so
//! that whoever holds the message holds no more than a small window of it.

use eximious::stdlib::message::HeaderEnd;
use eximious::world::SpoolData;
use eximious::{Body, Context, Message, Str};

use super::{LineEnds, whole_lines};
use crate::spool::{self, NotKept};

/// How much is gathered before it is written.
const PIECE: usize = 64 * 1024;

/// A body that comes in.
#[derive(Debug)]
pub(crate) struct StoredBody {
    /// The name of the message; the file has it, too.
    id: Str,
    file: Result<Box<dyn SpoolData>, NotKept>,
    ends: LineEnds,
    /// What was not written yet.
    pending: Vec<u8>,
    length: u64,
    lines: u64,
    zeros: u64,
    /// How many bytes ended the header.
    stray: u64,
    /// The longest line so far, the longest of those that came together, and the one that has
    /// not ended yet.
    longest: u64,
    together: u64,
    line: u64,
    /// What was given out last.
    last: u8,
    /// Whether a last line without an end is no line whose length counts.
    leaves_end_out: bool,
}

/// What is left of it when all of it is there: the file, without which there is none.
#[derive(Debug)]
pub(crate) struct LeftBody {
    pub(crate) body: Body,
    pub(crate) data: Box<dyn SpoolData>,
    /// How many bytes it has behind what ended the header.
    pub(crate) size: u64,
    lines: u64,
    zeros: u64,
    longest: u64,
}

impl StoredBody {
    /// Begins behind a header: with the text that ended that without being a part of it.
    pub(crate) fn new(
        cx: &Context,
        queue: &[u8],
        id: Str,
        end: &HeaderEnd,
        ends: LineEnds,
    ) -> Self {
        let file = spool::begin(cx, queue, &id);
        let mut body = Self {
            id,
            file,
            ends,
            pending: end.stray.clone(),
            length: 0,
            lines: 0,
            zeros: 0,
            stray: 0,
            longest: 0,
            together: 0,
            line: 0,
            last: b'\n',
            leaves_end_out: false,
        };
        body.count(0);
        // Zeros in it were counted with the header.
        body.zeros = 0;
        // With all that continues it, that is one line.
        body.lines = u64::from(!end.stray.is_empty());
        body.stray = body.length;
        if end.space {
            body.push(b" ");
        }
        body
    }

    /// Has a last line that came without an end not count among the longest ones.
    pub(crate) fn leaves_end_out(&mut self) {
        self.leaves_end_out = true;
    }

    /// The name of the message.
    pub(crate) fn id(&self) -> &Str {
        &self.id
    }

    /// Whether it stays as it comes.
    pub(crate) fn is_wire(&self) -> bool {
        matches!(self.ends, LineEnds::Wire)
    }

    /// Takes what came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let from = self.pending.len();
        self.ends.push(bytes, &mut self.pending);
        self.count(from);
        self.write_much();
    }

    /// Takes the lines at the head of what came, up to the first that begins with a dot or does
    /// not end in CRLF: how many bytes and lines. None where more has to be known of them.
    pub(crate) fn push_lines(&mut self, input: &[u8]) -> Option<(usize, u64)> {
        let end = memchr::memrchr(b'\n', input)? + 1;
        let is_even = || count(b'\r', &input[..end]) == count(b'\n', &input[..end]);
        // Where each newline has its return, there is none within a line.
        if self.line > 0 || !self.ends.takes_whole_lines() || !is_even() {
            return None;
        }
        let (from, mut longest) = (self.pending.len(), self.together);
        self.pending.reserve(end);
        let (taken, lines) = whole_lines(&input[..end], |line| {
            self.pending.extend_from_slice(line);
            if let Some(last) = self.pending.last_mut() {
                *last = b'\n';
            }
            longest = longest.max(line.len() as u64 - 1);
        });
        if taken < end && count(b'\r', &input[..taken]) != lines {
            self.pending.truncate(from);
            return None;
        }
        self.together = longest;
        self.longest = self.longest.max(longest);
        if taken > 0 {
            self.last = b'\n';
        }
        self.lines += lines;
        self.length += taken as u64 - lines;
        self.zeros += count(0, &input[..taken]);
        self.write_much();
        Some((taken, lines))
    }

    /// Nothing more comes: its last line ends, too, unless it is to stay as it came. Once
    /// it has ended, nothing is done.
    pub(crate) fn end(&mut self) {
        let from = self.pending.len();
        self.ends.finish(&mut self.pending);
        if !self.is_wire() {
            let last = self.pending[from..].last().copied().unwrap_or(self.last);
            if last != b'\n' {
                self.ends.push(b"\r\n", &mut self.pending);
                if self.leaves_end_out {
                    let end = self.pending.len() - 1;
                    self.count_between(from, end);
                    let longest = self.longest;
                    self.count(end);
                    self.longest = longest;
                    return self.write();
                }
            }
        }
        self.count(from);
        self.write();
    }

    /// What is there in the end.
    ///
    /// # Errors
    /// It could not be written.
    pub(crate) fn finish(mut self) -> Result<LeftBody, NotKept> {
        self.end();
        let data = self.file?;
        let longest = self.longest.max(self.line);
        let from = spool::data_head(self.id.bytes()).len() as u64;
        let body = Body::kept(data.source(from), self.length, longest);
        let size = self.length - self.stray;
        let longest = self.ends.longest().map_or(self.longest, |one| one.max(self.together));
        let Self { lines, zeros, .. } = self;
        Ok(LeftBody { body, data, size, lines, zeros, longest })
    }

    /// Counts what was just made.
    fn count(&mut self, from: usize) {
        self.count_between(from, self.pending.len());
    }

    fn count_between(&mut self, from: usize, to: usize) {
        let made = &self.pending[from..to];
        let Some(last) = made.last() else { return };
        self.last = *last;
        self.length += made.len() as u64;
        self.zeros += count(0, made);
        let mut begins = 0;
        for end in memchr::memchr_iter(b'\n', made) {
            self.longest = self.longest.max(self.line + (end - begins) as u64);
            self.lines += 1;
            (self.line, begins) = (0, end + 1);
        }
        self.line += (made.len() - begins) as u64;
    }

    /// Writes what is gathered, if that is much.
    fn write_much(&mut self) {
        if self.pending.len() >= PIECE {
            self.write();
        }
    }

    fn write(&mut self) {
        if let Ok(file) = &mut self.file
            && let Err(why) = file.write(&self.pending)
        {
            self.file = Err(NotKept::Spool(why));
        }
        self.pending.clear();
    }
}

/// How often a byte is there.
fn count(byte: u8, bytes: &[u8]) -> u64 {
    memchr::memchr_iter(byte, bytes).count() as u64
}

impl LeftBody {
    /// Puts the body into a message that was read without it, except for what ended the
    /// header; where it stays as it came, nobody looks at its lines.
    pub(crate) fn attach(self, message: &mut Message, is_wire: bool) -> Box<dyn SpoolData> {
        if !is_wire {
            message.lines = message.lines + self.lines - message.body_lines;
            message.body_lines = self.lines;
            message.body_zeros += self.zeros;
            message.longest_line = message.longest_line.max(self.longest);
        }
        message.body = self.body;
        self.data
    }
}

#[cfg(test)]
mod tests {
    use eximious::Engine;

    use super::*;
    use crate::reception::Newlines;

    /// A body behind the header `a: b`.
    fn begun(cx: &Context) -> StoredBody {
        let ends = LineEnds::Smtp(Newlines::new(true));
        assert!(ends.takes_whole_lines());
        let end = HeaderEnd { at: 0, stray: b"\n".to_vec(), space: false, crlf: true };
        StoredBody::new(cx, b"", Str::from(&b"id"[..]), &end, ends)
    }

    /// All that it knows of what came.
    fn known(body: &StoredBody) -> (String, [u64; 5], u8) {
        let text = body.pending.escape_ascii().to_string();
        (text, [body.length, body.lines, body.zeros, body.longest, body.line], body.last)
    }

    #[test]
    fn lines_that_are_taken_together_come_to_the_same() {
        let cx = Engine::builder().build().context();
        let bytes = b"a.\r\n\0";
        let mut together = 0;
        for number in 0..5_usize.pow(7) {
            let text: Vec<u8> = (0..7)
                .map(|place| bytes[number / 5_usize.pow(place) % 5])
                .chain(*b"\r\n")
                .collect();
            let (mut one, mut other) = (begun(&cx), begun(&cx));
            one.push(&text);
            let mut at = 0;
            while let rest @ [_, ..] = &text[at..] {
                let taken = match other.push_lines(rest) {
                    Some((taken, lines)) if taken > 0 => {
                        together += lines;
                        taken
                    }
                    _ => {
                        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
                        other.push(&rest[..=end]);
                        end + 1
                    }
                };
                at += taken;
            }
            assert_eq!(known(&one), known(&other), "{}", text.escape_ascii());
        }
        assert!(together > 5_000, "{together}");
    }
}
