//! A message of a batch as it comes in, without the dots that were put before dots, and where in
//! it something was found to be wrong.

use eximious::{Context, opt};
use memchr::memchr_iter;

use crate::reception::{BodyBegun, Dots, Dotted, GatheredMessage, Way, longest_header};
use crate::submission::SizeBound;

/// A message that comes in.
#[derive(Debug)]
pub(super) struct BatchText {
    pub(super) message: GatheredMessage,
    /// How many lines there were before it.
    pub(super) before: u64,
    bound: SizeBound,
    /// How large it is, a line's end counting as one byte.
    size: u64,
    /// Whether what came last is a return, which may be a line's end together with a newline.
    ends_in_return: bool,
    /// In which line it was found to be too large.
    over: Option<u64>,
    dots: Dots,
}

impl BatchText {
    /// Nothing came yet of one that may be so large, and before which there were so many lines.
    pub(super) fn new(cx: &Context, limit: u64, before: u64) -> Self {
        let drops_from = cx.engine().settings().get(opt::IGNORE_FROMLINE_LOCAL);
        Self {
            message: GatheredMessage::new(cx, Way::Smtp, drops_from),
            before,
            bound: SizeBound::new(limit, longest_header(cx)),
            size: 0,
            ends_in_return: false,
            over: None,
            dots: Dots::new(),
        }
    }

    /// Takes a line, or a part of one, behind so many lines; whether it ends the message.
    pub(super) fn take(&mut self, cx: &mut Context, line: &[u8], lines: u64) -> bool {
        match self.dots.take(line) {
            Dotted::End => true,
            Dotted::Text(text, _) => {
                if self.over.is_none() && !self.look(text, lines) {
                    self.message.push(cx, b"", text);
                }
                let returns = text.ends_with(b"\r\n") || self.ends_in_return && text == b"\n";
                self.ends_in_return = text.ends_with(b"\r");
                self.size += text.len() as u64 - u64::from(returns);
                false
            }
        }
    }

    /// Takes what came of a line that never ends, behind so many lines.
    pub(super) fn take_last(&mut self, cx: &mut Context, part: &[u8], lines: u64) {
        if !part.is_empty() {
            self.take(cx, part, lines);
        }
    }

    /// Looks whether it is too large, which a line of its header shows that is not read any
    /// more.
    fn look(&mut self, text: &[u8], lines: u64) -> bool {
        let rewritten = text.strip_suffix(b"\r\n").map(|text| [text, b"\n"].concat());
        let text = match &rewritten {
            Some(text) => text,
            None if self.ends_in_return && text == b"\n" => return false,
            None => text,
        };
        let (count, is_over) = self.bound.take(text);
        if is_over {
            // What is found in a body is told of the line behind, and of the one behind that
            // where a line that is none of it ended the header.
            let newlines = memchr_iter(b'\n', &text[..count]).count() as u64;
            let behind = if self.bound.is_behind_text() { 2 } else { 1 };
            self.over = Some(lines + newlines + behind);
        }
        is_over && count == 1
    }

    /// How large it is, where that is too much.
    pub(super) fn excess(&self) -> Option<u64> {
        self.over.map(|_| self.size)
    }

    /// How many lines there were when all of it was there, of so many with the dot that ended
    /// it: a dot that ends a header is not counted, and text that does so counts once more.
    pub(super) fn ended_at(&self, cx: &mut Context, lines: u64) -> u64 {
        match self.message.body_there(cx) {
            _ if self.bound.is_over_in_header() => lines + 1,
            Some(BodyBegun::Blank) => lines,
            Some(BodyBegun::Stray) => lines + 1,
            None => lines - 1,
        }
    }

    /// Whether it was found to be too large, or its header to be too long.
    pub(super) fn is_refused(&self, cx: &mut Context) -> bool {
        self.refused_at(cx).is_some()
    }

    /// In which line that was found.
    pub(super) fn refused_at(&self, cx: &mut Context) -> Option<u64> {
        match self.message.too_long_at(cx) {
            Some(lines) => Some(self.before + lines),
            None => self.over,
        }
    }
}
