//! A message that a program hands in, as it comes: once it can be told where its header
//! ends, the rest goes to the spool, and no more than a small window of it is held.

use eximious::world::Moment;
use eximious::{Context, Message, Str};

use super::headers::{longest_header, too_long_at};
use super::line_ends::{LineEnds, Newlines, Returns};
use super::message_id::message_id;
use super::parse::{
    BodyBegun, Parsed, Way, body_begun, end_of_header, header_lines, parse, size_so_far,
};
use super::stored_body::{LeftBody, StoredBody};
use crate::spool::NotKept;

/// How much is held before the end of the header is looked for.
const WINDOW: usize = 64 * 1024;

/// What came in so far.
#[derive(Debug)]
pub struct GatheredMessage {
    way: Way,
    /// When it began to come.
    began: Moment,
    /// Whether a line `From …` before the header is none of it.
    drops_from: bool,
    /// Whether a last line without an end counts among the longest ones.
    counts_end: bool,
    /// All of it, or its header.
    head: Vec<u8>,
    rest: Rest,
    /// How the body began that is in the spool.
    divided: BodyBegun,
    count: u64,
    /// How much there has to be before the end of the header is looked for again.
    next_look: usize,
}

/// Where what comes in goes.
#[derive(Debug)]
enum Rest {
    /// To what is there already.
    Memory,
    Spool(Box<StoredBody>),
    /// Nowhere: its header is too long, and it is refused in the end.
    Nowhere,
}

/// A message that is there as a whole.
#[derive(Debug)]
pub(crate) struct ReadMessage {
    pub(crate) parsed: Parsed,
    /// What was stored of it already, under this name.
    ///
    /// # Errors
    /// It could not be stored.
    pub(crate) stored: Option<Result<(Str, LeftBody), NotKept>>,
}

impl GatheredMessage {
    /// Nothing came yet.
    pub fn new(cx: &Context, way: Way, drops_from: bool) -> Self {
        Self {
            way,
            began: cx.engine().world().clock.now(),
            drops_from,
            counts_end: false,
            head: Vec::new(),
            rest: Rest::Memory,
            divided: BodyBegun::Blank,
            count: 0,
            next_look: WINDOW,
        }
    }

    /// Whether a last line that has no end counts among the longest ones, as it does where
    /// no dot ends the message.
    pub(crate) fn counting_end(mut self, counts: bool) -> Self {
        self.counts_end = counts;
        self
    }

    /// When it began to come.
    pub(crate) fn began(&self) -> Moment {
        self.began
    }

    /// Takes what came of it; `queue` is where it will wait.
    pub fn push(&mut self, cx: &mut Context, queue: &[u8], bytes: &[u8]) {
        self.count += bytes.len() as u64;
        match &mut self.rest {
            Rest::Memory => self.head.extend_from_slice(bytes),
            Rest::Spool(body) => return body.push(bytes),
            Rest::Nowhere => return,
        }
        if self.head.len() < self.next_look || !cx.engine().world().spool.is_there() {
            return;
        }
        let room = usize::try_from(longest_header(cx)).unwrap_or(usize::MAX).saturating_add(WINDOW);
        if self.divide(cx, queue) {
            self.head.shrink_to_fit();
        } else if self.head.len() >= room {
            self.rest = Rest::Nowhere;
        } else {
            self.next_look = self.head.len().saturating_mul(2).min(room);
        }
    }

    /// How many bytes came.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What is held of it: all, or its header, if the rest is in the spool.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// How its body begins, if that is there.
    pub(crate) fn body_begun(&self, cx: &mut Context) -> Option<BodyBegun> {
        match self.rest {
            Rest::Spool(_) => Some(self.divided),
            _ => body_begun(&self.head, self.drops_from, cx),
        }
    }

    /// How its body began, if it has one, once all of it is there.
    pub(crate) fn body_there(&self, cx: &mut Context) -> Option<BodyBegun> {
        match self.rest {
            Rest::Spool(_) => Some(self.divided),
            // A line of a header has come to its end where something follows.
            _ => body_begun(&[&self.head, b".".as_slice()].concat(), self.drops_from, cx),
        }
    }

    /// How many lines its header has so far, with what ended it.
    pub(crate) fn header_lines(&self, cx: &mut Context) -> u64 {
        header_lines(&self.head, self.drops_from, cx)
    }

    /// How many lines there were when its header was found to be too long, if it is.
    pub(crate) fn too_long_at(&self, cx: &mut Context) -> Option<u64> {
        too_long_at(&self.head, self.drops_from, cx)
    }

    /// Its name, where its body has begun and nothing more comes in time.
    pub(crate) fn name_if_in_body(&self, cx: &mut Context) -> Str {
        match &self.rest {
            Rest::Spool(body) => body.id().clone(),
            _ if self.body_begun(cx).is_some() => message_id(cx.engine()),
            _ => Str::EMPTY,
        }
    }

    /// What it says in whole lines of its header, and how large it is, though its end is
    /// missing.
    pub(crate) fn so_far(self, cx: &mut Context) -> (Message, u64) {
        let size = match self.rest {
            Rest::Memory => size_so_far(&self.head, self.drops_from, cx),
            _ => self.count,
        };
        let end = memchr::memrchr(b'\n', &self.head).map_or(0, |at| at + 1);
        (parse(&self.head[..end], self.way, self.drops_from, cx).message, size)
    }

    /// Nothing more comes.
    pub(crate) fn finish(self, cx: &mut Context) -> ReadMessage {
        let mut parsed = parse(&self.head, self.way, self.drops_from, cx);
        if self.counts_end
            && let Some(body) = parsed.message.body.in_memory()
        {
            let line =
                body.strip_suffix(b"\n").and_then(|body| body.rsplit(|byte| *byte == b'\n').next());
            let length = line.map_or(0, <[u8]>::len) as u64;
            parsed.message.longest_line = parsed.message.longest_line.max(length);
        }
        let stored = match self.rest {
            Rest::Memory => None,
            Rest::Spool(mut body) => {
                if !self.counts_end {
                    body.leaves_end_out();
                }
                let id = body.id().clone();
                Some(body.finish().map(|left| (id, left)))
            }
            Rest::Nowhere => {
                parsed.stray = parsed.stray.saturating_add(longest_header(cx));
                None
            }
        };
        ReadMessage { parsed, stored }
    }

    /// Divides it where its header ends, if that can be told; whether it is divided.
    fn divide(&mut self, cx: &mut Context, queue: &[u8]) -> bool {
        let Some(end) = end_of_header(&self.head, self.drops_from, cx) else { return false };
        self.divided = BodyBegun::of(&end);
        let rest = self.head.split_off(end.at);
        let ends = match self.way {
            Way::Program => LineEnds::Program(Returns::default()),
            Way::Smtp => LineEnds::Smtp(Newlines::new(end.crlf)),
        };
        let mut body = StoredBody::new(cx, queue, message_id(cx.engine()), &end, ends);
        body.push(&rest);
        self.rest = Rest::Spool(Box::new(body));
        true
    }
}
