//! `-brw`: what the rules for rewriting make of an address (specification 31.3).

use std::ops::Range;

use eximious::config::{Config, RewriteFlags};
use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::stdlib::address::{self, Rules};
use eximious::{Fail, Str};

use crate::session::{Session, Setup};

/// `-brw`, `-brt`: rules are to be tested.
#[derive(Debug)]
pub struct RulesRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// What with.
    pub arguments: Vec<Vec<u8>>,
}

/// What there is to print, and whether all went well.
pub struct RewriteReport {
    /// For the standard output.
    pub text: Vec<u8>,
    /// Whether the exit status says so.
    pub fine: bool,
}

impl RewriteReport {
    /// An answer without fault.
    pub fn fine(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into(), fine: true }
    }

    /// The answer that there is none.
    pub fn failed(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into(), fine: false }
    }
}

/// The places, in the order of lines.
const PLACES: [(&str, AddressPlace); 8] = [
    ("  sender", AddressPlace::Sender),
    ("    from", AddressPlace::From),
    ("      to", AddressPlace::To),
    ("      cc", AddressPlace::Cc),
    ("     bcc", AddressPlace::Bcc),
    ("reply-to", AddressPlace::ReplyTo),
    ("env-from", AddressPlace::EnvelopeFrom),
    ("  env-to", AddressPlace::EnvelopeTo),
];

/// The answer for an address.
///
/// # Errors
/// A pattern can't be read.
pub fn answer(session: &mut Session, arguments: &[Vec<u8>]) -> Result<RewriteReport, Fail> {
    let Some(typed) = arguments.first() else {
        return Ok(RewriteReport::failed("-brw needs an address argument\n"));
    };
    let domain = session.recipient_domain();
    session.without_sender();
    let (config, cx) = session.parts();
    let none = Config::default();
    let rewriter = Rewriter::of(config.unwrap_or(&none));
    if config.is_none_or(|config| config.rewrite.is_empty()) {
        return Ok(RewriteReport::fine("No rewrite rules are defined\n"));
    }
    let mut out = Vec::new();
    if rewriter.flags().contains(RewriteFlags::SMTP)
        && let Some(new) =
            rewriter.address(cx, &Str::tainted(typed.as_slice()), AddressPlace::SmtpTested)?
        && new.bytes() != typed
    {
        out.extend_from_slice(&[b"    SMTP: ", new.bytes(), b"\n"].concat());
    }
    if (rewriter.flags() - RewriteFlags::SMTP).is_empty() {
        return Ok(RewriteReport::fine(out));
    }
    let typed = match address::names_domain(typed) {
        true => typed.clone(),
        false => [typed, b"@".as_slice(), &domain].concat(),
    };
    let settings = cx.engine().settings();
    let rules = Rules::of(settings);
    let found = match address::parse(&typed, rules) {
        Ok(found) => found,
        Err(why) => {
            let mut message = why.message;
            if let Some(first) = message.first_mut() {
                first.make_ascii_uppercase();
            }
            let parts = [b"Syntax error in ", typed.as_slice(), b"\n", &message, b"\n"];
            out.extend_from_slice(&parts.concat());
            return Ok(RewriteReport::fine(out));
        }
    };
    // Comments and a route in an address go.
    let span = between_angles(&typed, found.span);
    let bare = [&typed[..span.start], &found.text, &typed[span.end..]].concat();
    let (working, typed) = (Str::tainted(found.text), Str::tainted(bare));
    for (name, place) in PLACES {
        let envelope = matches!(place, AddressPlace::EnvelopeFrom | AddressPlace::EnvelopeTo);
        let new = match envelope {
            true => rewriter.address(cx, &working, place)?.unwrap_or_else(|| working.clone()),
            false => match rewriter.header_item(cx, &typed, place)? {
                Some(new) => new.text,
                None => typed.clone(),
            },
        };
        let new = if new.is_empty() && envelope { Str::fixed("<>") } else { new };
        out.extend_from_slice(&[name.as_bytes(), b": ", new.bytes(), b"\n"].concat());
    }
    Ok(RewriteReport::fine(out))
}

/// Where an address stands; between angle brackets it is all that is there.
fn between_angles(typed: &[u8], address: Range<usize>) -> Range<usize> {
    let (head, tail) = (&typed[..address.start], &typed[address.end..]);
    let open = head.iter().rposition(|c| *c == b'<').map(|at| at + 1);
    let is_blank = |rest: &[u8]| matches!(rest.trim_ascii_start().first(), None | Some(b'('));
    match (open, tail.iter().position(|c| *c == b'>')) {
        (Some(open), Some(close)) if is_blank(&head[open..]) => open..address.end + close,
        _ => address,
    }
}
