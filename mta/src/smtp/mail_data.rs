//! The bytes of a message (RFC 5321's mail data), as they come in.

use eximious::Str;
use eximious::world::Moment;

use crate::reception::{Coming, Dots, Dotted, StoredBody, whole_lines};

/// How large a message may be where no option says so.
const LARGEST: u64 = 1 << 30;

/// The lines of a message, as they come in.
#[derive(Debug)]
pub(super) struct MailData {
    /// When it began to come in.
    pub(super) began: Moment,
    /// What is there so far, without the dots that were put before dots; the header
    /// alone, once the rest goes elsewhere.
    pub(super) bytes: Vec<u8>,
    /// Where the rest goes.
    pub(super) rest: Rest,
    /// How much there has to be before anybody looks whether the rest can go elsewhere.
    pub(super) next_look: usize,
    /// How much came, kept or not.
    pub(super) count: u64,
    /// How many of those bytes were carriage returns at the end of lines, as it is told where
    /// there are too many: in chunks, those of the header.
    pub(super) returns: u64,
    /// How many were, wherever: what counts is the size of what is kept.
    ends: u64,
    /// The most that is kept.
    pub(super) limit: u64,
    /// Whether something of it was not kept, because it is too much: nothing behind it is.
    pub(super) is_cut: bool,
    /// What is known of its lines, where it comes in lines.
    dots: Dots,
    /// Whether the last byte of a chunk was a carriage return.
    returned: bool,
    /// Whether a line `From …` before the header is dropped, once that was asked.
    pub(super) drops_from: Option<bool>,
    /// How its body comes.
    pub(super) coming: Coming,
}

/// Where what comes in goes.
#[derive(Debug)]
pub(super) enum Rest {
    /// To what is there already.
    Memory,
    /// To the spool.
    Spool(Box<StoredBody>),
    /// Nowhere: the message is refused in the end.
    Nowhere(Useless),
}

/// Why a message is refused in the end, whatever comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Useless {
    /// It is too large.
    TooLarge,
    /// Its header is too long.
    LongHeader,
    /// Its header is long, and there is little memory left.
    NoMemory,
    /// A line of its header ends in a newline alone, where it came in chunks.
    BareHeader,
}

impl MailData {
    pub(super) fn new(limit: u64, window: usize, began: Moment) -> Self {
        let limit = if limit == 0 { LARGEST } else { limit };
        Self {
            began,
            bytes: Vec::new(),
            rest: Rest::Memory,
            next_look: window,
            count: 0,
            returns: 0,
            ends: 0,
            limit,
            is_cut: false,
            dots: Dots::new(),
            returned: false,
            drops_from: None,
            coming: Coming::Lines,
        }
    }

    /// Whether its body is kept as it came.
    pub(super) fn is_wire(&self) -> bool {
        self.coming == Coming::Wire
    }

    /// The name of the message, where it has one already.
    pub(super) fn id(&self) -> Option<&Str> {
        match &self.rest {
            Rest::Spool(body) => Some(body.id()),
            Rest::Memory | Rest::Nowhere(_) => None,
        }
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.count += bytes.len() as u64;
        self.give_up_too_much();
        match &mut self.rest {
            Rest::Memory if self.is_cut => return,
            Rest::Memory => {}
            Rest::Spool(body) => return body.push(bytes),
            Rest::Nowhere(_) => return,
        }
        // One byte more is enough to know that it is too much, and one may be a return.
        let room = (self.limit + self.ends + 2).saturating_sub(self.bytes.len() as u64);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.is_cut = room < bytes.len();
        self.bytes.extend_from_slice(&bytes[..room]);
    }

    /// Whether it is time to ask what becomes of a line `From …`: the first line is
    /// there, and is not continued.
    pub(super) fn has_first_line(&self) -> bool {
        memchr::memchr(b'\n', &self.bytes).is_some_and(|end| end + 1 < self.bytes.len())
    }

    /// The lines of a header that goes on, which end where it is seen that nothing continues them.
    pub(super) fn ended_lines(&self) -> &[u8] {
        let goes_on = |at: &usize| !matches!(self.bytes.get(*at), None | Some(b' ' | b'\t'));
        let mut ends = memchr::memrchr_iter(b'\n', &self.bytes).map(|at| at + 1);
        &self.bytes[..ends.find(goes_on).unwrap_or_default()]
    }

    /// The header of what is kept, without lines of it by which the message is too large.
    pub(super) fn whole_header(&self) -> &[u8] {
        let header = header(&self.bytes);
        let (mut end, mut size, mut from) = (0, 0, 0);
        for at in memchr::memchr_iter(b'\n', header).map(|at| at + 1) {
            size += (at - from) as u64 - u64::from(header[from..at].ends_with(b"\r\n"));
            from = at;
            // What continues a line is a part of it.
            if matches!(header.get(at), Some(b' ' | b'\t')) {
                continue;
            }
            if size > self.limit {
                return &header[..end];
            }
            end = at;
        }
        if self.is_cut { &header[..end] } else { header }
    }

    /// Whether there is a header; a line `From …` can stand before nothing else.
    pub(super) fn has_header(&self) -> bool {
        !matches!(self.bytes[..], [] | [b'\n', ..] | [b'\r', b'\n', ..])
    }

    /// Keeps what came in a chunk.
    pub(super) fn keep_chunk(&mut self, bytes: &[u8]) {
        let whole = memchr::memmem::find_iter(bytes, b"\r\n").count() as u64;
        let halved = self.returned && bytes.first() == Some(&b'\n');
        self.returned = bytes.last().map_or(self.returned, |last| *last == b'\r');
        self.ends += whole + u64::from(halved);
        self.keep(bytes);
    }

    /// How large what came is as it is kept.
    fn size(&self) -> u64 {
        self.count - self.ends
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.size() > self.limit
    }

    /// Takes what is there of a line; the number of bytes, and whether it ended the
    /// message. Only a dot between two ends of lines as they have to be ends it.
    pub(super) fn take(&mut self, input: &[u8]) -> (usize, bool) {
        let many = self.take_lines(input);
        if many > 0 {
            return (many, false);
        }
        let end = memchr::memchr(b'\n', input);
        let line = end.map_or(input, |end| &input[..=end]);
        if !self.dots.is_inside() && end.is_none() && line.len() < 3 {
            // It may be the last line.
            return (0, false);
        }
        let Dotted::Text(text, whole) = self.dots.take(line) else { return (line.len(), true) };
        self.keep(text);
        self.returns += u64::from(whole);
        self.ends += u64::from(whole);
        (line.len(), false)
    }

    /// Takes lines that are nothing but lines, as most are: how many bytes.
    fn take_lines(&mut self, input: &[u8]) -> usize {
        if !self.dots.is_between_whole_lines() {
            return 0;
        }
        let (taken, lines) = match &mut self.rest {
            Rest::Spool(body) => match body.push_lines(input) {
                Some(taken) => taken,
                None => return 0,
            },
            Rest::Memory => {
                let (taken, lines) = whole_lines(input, |_| {});
                // Where somebody has to look at it, lines come one by one.
                let size = self.bytes.len().saturating_add(taken);
                if size >= self.next_look || size as u64 >= self.limit {
                    return 0;
                }
                self.bytes.extend_from_slice(&input[..taken]);
                (taken, lines)
            }
            Rest::Nowhere(_) => return 0,
        };
        self.returns += lines;
        self.ends += lines;
        self.count += taken as u64;
        self.give_up_too_much();
        taken
    }

    /// Keeps no more of a body that is too large for the spool.
    fn give_up_too_much(&mut self) {
        if matches!(self.rest, Rest::Spool(_)) && self.size() > self.limit + 1 {
            self.rest = Rest::Nowhere(Useless::TooLarge);
        }
    }
}

/// The header of a message that has come, as it came.
pub(super) fn header(bytes: &[u8]) -> &[u8] {
    let ends = [b"\r\n\r\n".as_slice(), b"\n\n"];
    let found = ends.iter().filter_map(|end| {
        let at = bytes.windows(end.len()).position(|window| window == *end)?;
        Some(at + end.len())
    });
    &bytes[..found.min().unwrap_or(bytes.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut data = MailData::new(0, 100, Moment::default());
        let mut at = 0;
        while at < input.len() {
            let (count, ended) = data.take(&input[at..]);
            at += count;
            if ended {
                return Some((data.bytes, at));
            }
            if count == 0 {
                break;
            }
        }
        None
    }

    #[test]
    fn cve_2023_51766_only_a_dot_between_whole_line_ends_ends_a_message() {
        let end = b"a: b\r\n\r\nx\r\n.\r\n";
        assert_eq!(read(end), Some((b"a: b\r\n\r\nx\r\n".to_vec(), end.len())));
        for inner in [
            b"\n.\n".as_slice(),
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r\n.\r",
            b"\n.\r",
            b"\r.\r\n",
            b"\r.\n",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
        ] {
            let text = [b"a: b\r\n\r\nx", inner, b"MAIL FROM:<a@b>\r\n.\r\n"].concat();
            assert_eq!(read(&text).map(|(_, at)| at), Some(text.len()), "{inner:?}");
        }
    }

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        // A dot behind a bare newline is text, however the first line came.
        let text = b"a: b\r\n\r\nlong enough\n.\nx\r\n.\r\n";
        for limit in [0, 3] {
            let mut data = MailData::new(limit, 100, Moment::default());
            let (mut pending, mut ended) = (Vec::new(), false);
            for byte in text {
                assert!(!ended);
                pending.push(*byte);
                let (count, last) = data.take(&pending);
                pending.drain(..count);
                ended = last;
            }
            assert!(ended && pending.is_empty(), "{limit}");
            assert_eq!(data.is_too_large(), limit == 3);
        }
    }

    #[test]
    fn nothing_is_kept_behind_what_is_too_much() {
        let mut data = MailData::new(12, 100, Moment::default());
        for line in [&b"a: bc\r\n"[..], b"long: header line\r\n", b"c: d\r\n", b"e: f\r\n", b"\r\n"]
        {
            assert_eq!(data.take(line), (line.len(), false));
        }
        assert!(data.is_too_large());
        assert_eq!(data.bytes, b"a: bc\r\nlong: he");
        assert_eq!(data.whole_header(), b"a: bc\r\n");
    }

    #[test]
    fn dots_are_taken_off() {
        let (bytes, _) = read(b"a: b\r\n\r\n..\r\n.x\r\n.\r\n").unwrap();
        assert_eq!(bytes, b"a: b\r\n\r\n.\r\nx\r\n");
        assert_eq!(read(b"a: b\n.\n"), Some((b"a: b\n".to_vec(), 7)));
        assert_eq!(read(b".\r\n"), Some((Vec::new(), 3)));
        assert_eq!(read(b"a: b\r\n."), None);
    }

    #[test]
    fn lines_that_come_together_are_as_those_that_come_one_by_one() {
        let text = b"a: b\r\n\r\none\r\n..two\r\nthr\ree\r\nfour\r\nfive\nsix\r\nseven\r\n.\r\n";
        let taken = |limit, next_look, piece: usize| {
            let mut data = MailData::new(limit, next_look, Moment::default());
            let mut rest = &text[..];
            loop {
                let (count, ended) = data.take(&rest[..piece.min(rest.len())]);
                rest = &rest[count..];
                if ended {
                    assert!(rest.is_empty());
                    return (data.bytes, data.count, data.returns, data.ends, data.is_cut);
                }
                assert!(count > 0);
            }
        };
        for (limit, next_look) in [(0, 100), (0, 30), (20, 100), (41, 100), (60, 1000)] {
            // Whoever has to look finds each line by itself.
            let one_by_one = taken(limit, 0, text.len());
            assert_eq!(taken(limit, next_look, text.len()), one_by_one, "{limit} {next_look}");
        }
    }
}
