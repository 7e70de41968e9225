//! What the log of rejections has of a message besides the line (specification 53.15,
//! `rejected_header`).

use eximious::acl::AclState;
use eximious::{Context, LogSelector, Message, Opt, opt};

use super::headers::with_wanted;
use crate::smtp::Replaced;
use crate::spool::{HeaderLine, header_lines};

/// The lines that some header lines are taken away by.
const REMOVED: [(&[u8], Opt<bool>); 3] = [
    (b"return-path", opt::RETURN_PATH_REMOVE),
    (b"envelope-to", opt::ENVELOPE_TO_REMOVE),
    (b"delivery-date", opt::DELIVERY_DATE_REMOVE),
];

/// How many recipients are told of a message.
const MOST_RECIPIENTS: usize = 5;

/// The envelope and the header of a message, with those lines that others stand
/// for (`replaced`), as ACLs want it (`state`); nothing where nobody wants it.
pub(crate) fn rejected<'r>(
    cx: &Context,
    message: &Message,
    (sender, recipients): (&[u8], impl Iterator<Item = &'r [u8]>),
    replaced: &[Replaced],
    state: Option<&AclState>,
) -> Vec<u8> {
    if !cx.engine().settings().log_selector().contains(LogSelector::REJECTED_HEADER) {
        return Vec::new();
    }
    let mut out = [b"Envelope-from: <", sender, b">\n"].concat();
    let mut head: &[u8] = b"Envelope-to: <";
    let mut recipients = recipients;
    for recipient in recipients.by_ref().take(MOST_RECIPIENTS) {
        out.extend_from_slice(&[head, recipient, b">\n"].concat());
        head = b"    <";
    }
    if recipients.next().is_some() {
        out.extend_from_slice(b"    ...\n");
    }
    let lines = match state {
        None => header_lines(&message.headers, replaced),
        Some(state) => {
            let (headers, replaced) = with_wanted(message, replaced, state);
            header_lines(&headers, &replaced)
        }
    };
    for HeaderLine { kind, line } in lines {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
        let gone = |one: &(&[u8], Opt<bool>)| {
            name.eq_ignore_ascii_case(one.0) && cx.engine().settings().get(one.1)
        };
        let letter = match kind {
            _ if REMOVED.iter().any(gone) => b'*',
            letter => letter,
        };
        out.extend_from_slice(&[letter, b' ']);
        out.extend_from_slice(&line);
    }
    out
}
