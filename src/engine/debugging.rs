//! What happens, in Exim's words: the lines that `-d`, the comments of a test (`-bh`) and
//! the log for debugging (`control = debug`) make of the stream of events
//! ([`crate::trace`]). Here stand those of the language; `mail` knows those of mail.

mod expansion;
mod hosts;
mod lists;
mod lookups;
mod selector;

use std::borrow::Cow;

use eximious_core::trace::{Happening, TraceEvent};
use eximious_stdlib::printing::visible_spaces;

pub use selector::{DebugSelector, DebugSelectorDef};

/// A text of what happens; it may have several lines.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DebugLine<'l> {
    /// It is told where one of these is selected.
    pub by: DebugSelector,
    /// Whether a test (`-bh`) shows it.
    pub tested: bool,
    /// How deep it stands.
    pub depth: u32,
    /// The text.
    pub text: &'l [u8],
}

/// Who gets the lines.
pub struct DebugWriter<'w> {
    /// Whether spaces are shown, and whether what is drawn needs more than ASCII.
    pub(crate) is_plain: bool,
    /// Whether lists are told, so that what is told within one stands deeper.
    tells_lists: bool,
    put: &'w mut dyn FnMut(DebugLine<'_>),
}

impl<'w> DebugWriter<'w> {
    /// Lines go there; some say by the selector what letters there are.
    pub fn new(selector: DebugSelector, put: &'w mut dyn FnMut(DebugLine<'_>)) -> Self {
        let is_plain = selector.has(DebugSelector::NO_UTF8);
        Self { is_plain, tells_lists: selector.has(DebugSelector::LISTS), put }
    }

    /// The same for a test, whose comments tell of lists.
    #[must_use]
    pub fn for_test(self) -> Self {
        Self { tells_lists: true, ..self }
    }

    /// How deep an event stands among what is told.
    pub(crate) fn depth_of(&self, event: &TraceEvent<'_>) -> u32 {
        match self.tells_lists {
            true => event.depth,
            false => event.depth.saturating_sub(event.in_lists),
        }
    }

    /// A text that is told where something of these is selected.
    pub(crate) fn told(&mut self, by: DebugSelector, depth: u32, parts: &[&[u8]]) {
        (self.put)(DebugLine { by, tested: false, depth, text: &parts.concat() });
    }

    /// The same; tests show it, too.
    pub(crate) fn tested(&mut self, by: DebugSelector, depth: u32, parts: &[&[u8]]) {
        (self.put)(DebugLine { by, tested: true, depth, text: &parts.concat() });
    }

    /// A text as it is told: its spaces and tabs can be seen, unless that is not wanted.
    pub(crate) fn visible<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_plain {
            return Cow::Borrowed(text);
        }
        let shown = visible_spaces(text);
        match memchr::memchr(b'\t', &shown) {
            None => shown,
            Some(_) => {
                let parts: Vec<&[u8]> = shown.split(|byte| *byte == b'\t').collect();
                Cow::Owned(parts.join("␉".as_bytes()))
            }
        }
    }
}

/// Makes lines of what happens in the language; false for anything else.
pub(crate) fn write(event: &TraceEvent<'_>, out: &mut DebugWriter<'_>) -> bool {
    let depth = out.depth_of(event);
    match &event.what {
        Happening::Expansion(step) => expansion::write(step, depth, out),
        Happening::List(step) => lists::write(step, depth, out),
        Happening::Lookup(step) => lookups::write(step, depth, out),
        Happening::Dns(step) => lookups::write_dns(step, depth, out),
        Happening::Process(step) => lookups::write_process(step, depth, out),
        Happening::Host(step) => hosts::write(step, out),
        _ => return false,
    }
    true
}

/// A text's lines, each as deep as the step that it is about. Every fourth column has
/// a mark, so that the eye finds what stands in what.
pub fn indented(head: &[u8], depth: u32, text: &[u8]) -> Vec<u8> {
    marked(head, depth, text, "╎")
}

/// The same in ASCII.
pub(crate) fn indented_plainly(depth: u32, text: &[u8]) -> Vec<u8> {
    marked(b"", depth, text, "!")
}

fn marked(head: &[u8], depth: u32, text: &[u8], mark: &str) -> Vec<u8> {
    let mut head = head.to_vec();
    for column in 1..=depth {
        let sign = if column % 4 == 0 { mark } else { " " };
        head.extend_from_slice(sign.as_bytes());
    }
    let mut out = Vec::with_capacity(head.len() + text.len() + 1);
    for line in text.split(|byte| *byte == b'\n') {
        for part in [&head[..], line, b"\n"] {
            out.extend_from_slice(part);
        }
    }
    out
}
