//! Header lines that ACLs add and remove (specification 44.15), and how long a
//! header may be.

use eximious::acl::{AclState, HeaderPlace};
use eximious::stdlib::lists::elements;
use eximious::{Context, Header, Message};

use crate::options;
use crate::smtp::Replaced;

/// How long a header may be where no option says so.
const LONGEST: u64 = 1 << 20;

/// A header that is too long, with what is permitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLong {
    /// All of it (`header_maxsize`).
    Header(u64),
    /// One line of it (`header_line_maxsize`).
    Line(u64),
}

impl TooLong {
    /// What is logged of it.
    pub fn logged(self, client: &[u8]) -> Vec<u8> {
        let (head, limit): (&[u8], u64) = match self {
            Self::Header(limit) => (b"ridiculously long message header", limit),
            Self::Line(limit) => (b"overlong message header line", limit),
        };
        let tail = format!(" (more than {limit} characters): message abandoned");
        [head, b" received from ", client, tail.as_bytes()].concat()
    }
}

/// Whether a header is too long, as it came.
pub fn too_long(cx: &mut Context, message: &Message) -> Option<TooLong> {
    let whole = u64::try_from(options::number(cx, "header_maxsize", 0)).unwrap_or(0);
    let whole = if whole == 0 { LONGEST } else { whole };
    let one = u64::try_from(options::number(cx, "header_line_maxsize", 0)).unwrap_or(0);
    let mut total = 0u64;
    for header in &message.headers {
        let length = header.line.len() as u64;
        total = total.saturating_add(length);
        if total > whole {
            return Some(TooLong::Header(whole));
        }
        if one > 0 && length > one {
            return Some(TooLong::Line(one));
        }
    }
    let total = total.saturating_add(message.stray.len() as u64);
    (total > whole).then_some(TooLong::Header(whole))
}

/// Puts a line before the one at a place.
pub fn insert(message: &mut Message, replaced: &mut [Replaced], at: usize, header: Header) {
    let at = at.min(message.headers.len());
    for gone in replaced.iter_mut().filter(|gone| at == 0 || gone.before > at) {
        gone.before += 1;
    }
    message.headers.insert(at, header);
}

/// Puts the header lines of ACLs where they go, and takes others out.
pub fn apply_headers(message: &mut Message, replaced: &mut Vec<Replaced>, state: &AclState) {
    let names: Vec<_> =
        state.headers_remove.iter().flat_map(|names| elements(names.bytes())).collect();
    if !names.is_empty() {
        remove(message, replaced, |header| names.iter().any(|name| is(header, name)));
    }
    for added in &state.headers_add {
        let header = Header::new(added.line.bytes());
        let first = |goes_on: &dyn Fn(&Header) -> bool| {
            message.headers.iter().position(|one| !goes_on(one)).unwrap_or(message.headers.len())
        };
        let at = match added.place {
            HeaderPlace::Start => 0,
            HeaderPlace::End => message.headers.len(),
            HeaderPlace::AfterReceived => first(&|one| is(one, b"received")),
            HeaderPlace::StartRfc => first(&|one| {
                is(one, b"received") || one.name.to_ascii_lowercase().starts_with(b"resent-")
            }),
        };
        insert(message, replaced, at, header);
    }
}

fn is(header: &Header, name: &[u8]) -> bool {
    header.name.trim_ascii_end().eq_ignore_ascii_case(name)
}

/// Takes lines out of a message, and notes where they were.
fn remove(message: &mut Message, replaced: &mut Vec<Replaced>, goes: impl Fn(&Header) -> bool) {
    let (mut kept, mut all) = (Vec::new(), Vec::new());
    let mut gone = std::mem::take(replaced).into_iter().peekable();
    for (at, header) in std::mem::take(&mut message.headers).into_iter().enumerate() {
        while let Some(one) = gone.next_if(|one| one.before <= at) {
            all.push(Replaced { before: kept.len(), ..one });
        }
        match goes(&header) {
            true => all.push(Replaced { before: kept.len(), header }),
            false => kept.push(header),
        }
    }
    all.extend(gone.map(|one| Replaced { before: kept.len(), ..one }));
    message.headers = kept;
    *replaced = all;
}
