//! What `$h_NAME:` and its kin give (specification 11.5, `$header_`).

use std::borrow::Cow;

use eximious_core::grammar::expansion::HeaderView;
use eximious_core::{Header, Message, Settings, Str};

use crate::address::is_space;
use crate::options::opt;
use crate::rfc2047::decode;

/// How long the text of several header lines may get before words in it are
/// decoded. What joins the last two lines does not count.
const MOST_BYTES: usize = 0x10000;

/// Header lines that hold addresses, in lower case: several of them make one
/// list.
const ADDRESSES: &[&[u8]] = &[
    b"bcc",
    b"cc",
    b"from",
    b"reply-to",
    b"resent-bcc",
    b"resent-cc",
    b"resent-from",
    b"resent-sender",
    b"resent-to",
    b"sender",
    b"to",
];

/// The header lines with a name, as a view wants them. Tainted: whoever sent the
/// message wrote them.
pub fn value(message: &Message, view: HeaderView, name: &[u8], settings: &Settings) -> Str {
    let lines = message.named(name).map(Header::value);
    let text = match view {
        HeaderView::Raw => raw(lines),
        HeaderView::List => list(lines),
        HeaderView::Basic | HeaderView::Decoded => {
            let holds_addresses =
                ADDRESSES.iter().any(|address| name.eq_ignore_ascii_case(address));
            joined(lines, if holds_addresses { b",\n" } else { b"\n" })
        }
    };
    let target = match view {
        HeaderView::Raw | HeaderView::List => return outside(text),
        HeaderView::Basic => None,
        HeaderView::Decoded => Some(settings.get(opt::HEADERS_CHARSET)),
    };
    outside(decoded(text, target.as_ref().map(Str::bytes), settings))
}

/// All header lines, names included, for `$message_headers`.
pub fn all(message: &Message, settings: &Settings) -> Str {
    let text = joined(message.headers.iter().map(|h| h.line.as_slice()), b"\n");
    outside(decoded(text, None, settings))
}

/// All header lines as received, for `$message_headers_raw`.
pub fn all_raw(message: &Message) -> Str {
    outside(raw(message.headers.iter().map(|h| h.line.as_slice())))
}

/// The address to answer to: `Reply-To:` where it says something, or `From:`.
pub fn reply_address(message: &Message) -> Str {
    for name in [&b"reply-to"[..], b"from"] {
        let text = raw(message.named(name).map(Header::value));
        let text = trim(&text);
        if !text.is_empty() {
            let flat = |c: &u8| if *c == b'\n' { b' ' } else { *c };
            return outside(text.iter().map(flat).collect());
        }
    }
    Str::EMPTY
}

/// A character set that nobody knows leaves the bytes as they are.
fn decoded(text: Vec<u8>, target: Option<&[u8]>, settings: &Settings) -> Vec<u8> {
    let words = match decode(&text, target, settings.get(opt::CHECK_RFC2047_LENGTH)).text {
        Cow::Owned(words) => Some(words),
        Cow::Borrowed(_) => None,
    };
    words.unwrap_or(text)
}

/// Nothing at all comes from nobody.
fn outside(text: Vec<u8>) -> Str {
    if text.is_empty() { Str::EMPTY } else { Str::tainted(text) }
}

fn clipped<'a>(text: &'a [u8], before: &[u8]) -> &'a [u8] {
    &text[..text.len().min(MOST_BYTES.saturating_sub(before.len()))]
}

/// One after the other, with their newlines.
fn raw<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        let line = clipped(line, &out);
        out.extend_from_slice(line);
    }
    out
}

/// Trimmed, with something between those that are not empty.
fn joined<'a>(lines: impl Iterator<Item = &'a [u8]>, between: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines.map(trim).filter(|line| !line.is_empty()) {
        if out.len() >= MOST_BYTES {
            break;
        }
        let line = clipped(line, &out);
        if !out.is_empty() {
            out.extend_from_slice(between);
        }
        out.extend_from_slice(line);
    }
    out
}

/// The elements of a list with colons, each without its last newline.
fn list<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        if out.len() >= MOST_BYTES {
            break;
        }
        let line = clipped(line.strip_suffix(b"\n").unwrap_or(line), &out);
        if !out.is_empty() {
            out.push(b':');
        }
        for byte in line {
            out.push(*byte);
            if *byte == b':' {
                out.push(b':');
            }
        }
    }
    out
}

fn trim(text: &[u8]) -> &[u8] {
    let Some(start) = text.iter().position(|c| !is_space(*c)) else { return b"" };
    let end = text.iter().rposition(|c| !is_space(*c)).map_or(start, |n| n + 1);
    &text[start..end]
}
