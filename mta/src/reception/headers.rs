//! Header lines that ACLs add and remove (specification 44.15), and how long a
//! header may be.

use eximious::acl::{AclState, AddedHeader, HeaderPlace};
use eximious::stdlib::lists::elements_with;
use eximious::stdlib::message::{End, parse_with};
use eximious::stdlib::pattern::CompiledPattern;
use eximious::{Context, Header, Message, Str, opt, var};

use super::envelope::sender_in_line;
use super::lines::{Line, Lines};
use super::parse::header_so_far;
use crate::smtp::Replaced;

/// A header that is too long, with what is permitted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TooLong {
    /// All of it (`header_maxsize`).
    Header(i64),
    /// One line of it (`header_line_maxsize`).
    Line(i64),
}

impl TooLong {
    /// What is logged of it: the client's host is named, or the user whose message it is.
    pub fn logged(self, cx: &mut Context) -> Vec<u8> {
        let client = match cx.value_of(var::SENDER_FULLHOST) {
            none if none.is_empty() => cx.value_of(var::SENDER_IDENT),
            host => host,
        };
        let (head, limit): (&[u8], i64) = match self {
            Self::Header(limit) => (b"ridiculously long message header", limit),
            Self::Line(limit) => (b"overlong message header line", limit),
        };
        let tail = format!(" (more than {limit} characters): message abandoned");
        [head, b" received from ", client.bytes(), tail.as_bytes()].concat()
    }
}

/// How long a header may be, in bytes (`header_maxsize`): none at all, where that is zero.
pub(crate) fn longest_header(cx: &Context) -> u64 {
    u64::try_from(cx.engine().settings().get(opt::HEADER_MAXSIZE)).unwrap_or(0)
}

/// Whether a header is too long, as it came.
/// The line that ended it without being one of it counts: `stray` is its length.
pub fn too_long(cx: &mut Context, message: &Message, stray: u64) -> Option<TooLong> {
    let whole = longest_header(cx);
    let settings = cx.engine().settings();
    let too_long = Some(TooLong::Header(settings.get(opt::HEADER_MAXSIZE)));
    let longest = settings.get(opt::HEADER_LINE_MAXSIZE);
    let one = u64::try_from(longest).unwrap_or(0);
    let mut total = 0u64;
    for header in &message.headers {
        let length = header.line.len() as u64;
        total = total.saturating_add(length);
        if total > whole {
            return too_long;
        }
        if one > 0 && length > one {
            return Some(TooLong::Line(longest));
        }
    }
    too_long.filter(|_| total.saturating_add(stray) > whole)
}

/// How many lines there were when a header was found to be too long, in a message of which so
/// much is there: that all of it is shows where it goes beyond that, and that a line is where it
/// has ended.
pub(super) fn too_long_at(bytes: &[u8], drops_from: bool, cx: &mut Context) -> Option<u64> {
    let whole = longest_header(cx);
    let longest = cx.engine().settings().get(opt::HEADER_LINE_MAXSIZE);
    let one = u64::try_from(longest).ok().filter(|longest| *longest > 0).unwrap_or(u64::MAX);
    if bytes.len() as u64 <= whole.min(one) {
        return None;
    }
    let (text, _) = header_so_far(bytes, drops_from, cx);
    let mut sender = |line: &[u8]| match drops_from {
        true => sender_in_line(cx, line),
        false => None,
    };
    let (message, senders) = parse_with(&text, End::Input, &mut sender);
    let stray = usize::from(!message.stray.is_empty());
    let (mut lines, mut total, mut rest) = (0, 0_u64, &text[..]);
    for at in 0..senders.len() + message.headers.len() + stray {
        let (line, behind) = rest.split_at(with_continuations(rest));
        rest = behind;
        let newlines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
        if let Some(at) = at.checked_sub(senders.len()) {
            let room = usize::try_from(whole - total).unwrap_or(usize::MAX);
            if line.len() > room {
                return Some(lines + newlines(&line[..room]));
            }
            total += line.len() as u64;
            let is_long = at < message.headers.len() && line.len() as u64 > one;
            if is_long && line.ends_with(b"\n") {
                return Some(lines + newlines(line));
            }
        }
        lines += newlines(line);
    }
    None
}

/// How long the line at the beginning is, with all that continues it.
fn with_continuations(text: &[u8]) -> usize {
    let goes_on = |end: usize| matches!(text.get(end + 1), Some(b' ' | b'\t'));
    let mut ends = memchr::memchr_iter(b'\n', text);
    ends.find(|end| !goes_on(*end)).map_or(text.len(), |end| end + 1)
}

/// Puts a line before all others.
pub fn put_first(message: &mut Message, replaced: &mut Vec<Replaced>, header: Header) {
    change(message, replaced, |lines| lines.0.insert(0, Line::new(header)));
}

/// Puts the header lines of ACLs where they go, and takes others out. After that,
/// nobody wants that any more.
pub fn apply_headers(message: &mut Message, replaced: &mut Vec<Replaced>, state: &mut AclState) {
    let removed = std::mem::take(&mut state.headers_remove);
    let added = std::mem::take(&mut state.headers_add);
    if removed.is_empty() && added.is_empty() {
        return;
    }
    change(message, replaced, |lines| lines.apply(&removed, &added));
}

/// The header lines, and those that others stand for, as they are with what ACLs want of them.
pub(super) fn with_wanted(
    message: &Message,
    replaced: &[Replaced],
    state: &AclState,
) -> (Vec<Header>, Vec<Replaced>) {
    let mut lines = Lines::joined(message.headers.clone(), replaced.to_vec());
    lines.apply(&state.headers_remove, &state.headers_add);
    lines.split()
}

impl Lines {
    fn apply(&mut self, removed: &[Str], added: &[AddedHeader]) {
        let names = removed.iter().flat_map(|names| elements_with(names.bytes(), b':'));
        let removed: Vec<Removed> = names.filter_map(|name| Removed::new(&name)).collect();
        for line in self.0.iter_mut().filter(|line| !line.struck) {
            line.struck = removed.iter().any(|one| one.is(line));
        }
        for added in added {
            let at = place(self, added.place);
            self.0.insert(at, Line::new(Header::new(added.line.bytes())));
        }
    }
}

/// What an ACL takes out (specification 44.16).
enum Removed {
    /// Lines of a name.
    Named(Vec<u8>),
    /// Lines of whatever looks so, from the name to the last newline.
    Like(CompiledPattern),
}

impl Removed {
    /// None of a pattern that is none: the ACL has told that.
    fn new(text: &[u8]) -> Option<Self> {
        Some(match text.starts_with(b"^") {
            true => Self::Like(CompiledPattern::new(text, false, false).ok()?),
            false => Self::Named(text.to_vec()),
        })
    }

    fn is(&self, line: &Line) -> bool {
        match self {
            Self::Named(name) => line.name().eq_ignore_ascii_case(name),
            Self::Like(pattern) => pattern.is_match(&line.header.line),
        }
    }
}

/// Where a line goes. Those that were taken out count.
fn place(lines: &Lines, place: HeaderPlace) -> usize {
    // What stands before the first Received line stays there.
    let received = |line: &Line| line.is("received");
    let resent = |line: &Line| {
        line.name().get(..7).is_some_and(|head| head.eq_ignore_ascii_case(b"resent-"))
    };
    let top = lines.0.iter().position(received).unwrap_or(0);
    let behind = |goes_on: &dyn Fn(&Line) -> bool| {
        let end = lines.0[top..].iter().position(|line| !goes_on(line));
        end.map_or(lines.0.len(), |end| top + end)
    };
    match place {
        HeaderPlace::Start => 0,
        HeaderPlace::End => lines.0.len(),
        HeaderPlace::AfterReceived => behind(&received),
        HeaderPlace::StartRfc => behind(&|line| received(line) || resent(line)),
    }
}

/// Changes a header, with those of its lines that were taken out where they were.
fn change(message: &mut Message, replaced: &mut Vec<Replaced>, work: impl FnOnce(&mut Lines)) {
    let mut lines = Lines::joined(std::mem::take(&mut message.headers), std::mem::take(replaced));
    work(&mut lines);
    (message.headers, *replaced) = lines.split();
}
