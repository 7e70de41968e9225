//! Notices of messages that freeze (specification 14, `freeze_tell`).

use eximious::opt;

use super::Letter;
use crate::delivery::attempt::{Attempt, Undone};
use crate::delivery::log::Subject;
use crate::reception::frozen::notice_header;

/// Tells whoever wants to know that the message is frozen: the notice's name. Of reports
/// that were made here, nothing is told, so that there is an end to it.
pub(in crate::delivery) fn tell_frozen(
    attempt: &mut Attempt<'_>,
    by: &[u8],
    failed: &[Undone],
) -> Option<Vec<u8>> {
    let to = attempt.cx.engine().settings().get(opt::FREEZE_TELL);
    if to.is_empty() || attempt.is_own_report() {
        return None;
    }
    let (id, sender) = (attempt.id.clone(), attempt.file().sender.clone());
    let why = match &attempt.frozen_why[..] {
        [] => Vec::new(),
        why => [&b".\n"[..], &in_lines(why)].concat(),
    };
    let header = notice_header(&mut attempt.cx, &to, Some(&attempt.message));
    let mut letter = Letter::new(attempt);
    letter.put(&[
        &header,
        b"Subject: Message frozen\n\nMessage ",
        &id,
        b" has been frozen",
        by,
        &why,
        b".\nThe sender is <",
        &sender,
        b">.\n\n",
    ]);
    let mut left = letter.attempt.waiting().to_vec();
    left.extend_from_slice(failed);
    left.sort_by_key(|one| std::cmp::Reverse(one.order));
    if !left.is_empty() {
        letter.put(&[b"The following address(es) have yet to be delivered:\n"]);
    }
    for one in &left {
        let subject = Subject::undelivered(&one.address, None, one.is_direct);
        let address = letter.attempt.named_with_parent(&subject);
        let words = letter.attempt.printed(&one.why.worded());
        let colon: &[u8] = if words.is_empty() { b"" } else { b": " };
        letter.put(&[b"  ", &address, colon, &words, b"\n"]);
    }
    let text = letter.text;
    attempt.hand_in_report(text).ok()
}

/// A text that was escaped, line by line.
fn in_lines(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    for at in memchr::memmem::find_iter(text, b"\\n") {
        out[at..at + 2].copy_from_slice(b" \n");
    }
    out
}
