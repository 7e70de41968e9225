//! Commands, and what is said of them and of replies.

use eximious_stdlib::printing::printing;

use crate::mail::smtp_client::{Extensions, RcptParams, Reply, SentCommand};

/// What is logged where nothing is known.
pub(super) fn null() -> Vec<u8> {
    b"NULL".to_vec()
}

pub(super) fn rcpt(to: &[u8]) -> Vec<u8> {
    SentCommand::rcpt(to, &RcptParams::default(), &Extensions::default()).shown().to_vec()
}

pub(super) fn was(command: &[u8], reply: &Reply) -> Vec<u8> {
    [b"response to \"", command, b"\" was: ", &line(reply.text())].concat()
}

/// What is passed on of a reply: what stands before the first byte that can't be printed.
pub(super) fn lines(text: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=b'~');
    match text.iter().position(|byte| !is_plain(byte)) {
        Some(end) => [&text[..end], b"(truncated)"].concat(),
        None => text.to_vec(),
    }
}

/// The last line of a reply that is no last word.
pub(super) fn last_line(text: &[u8]) -> Option<Vec<u8>> {
    let last = text.rsplit(|byte| *byte == b'\n').next()?;
    (last.first() == Some(&b'4') && last.len() > 4).then(|| line(last))
}

/// What came from outside, as one line of a log.
pub(super) fn line(text: &[u8]) -> Vec<u8> {
    printing(text, false)
}

pub(super) fn after(address: &[u8], reply: &Reply) -> Vec<u8> {
    let head = b"SMTP error from remote mail server after ";
    [head.as_slice(), &rcpt(address), b": ", &line(reply.text())].concat()
}
