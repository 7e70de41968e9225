//! Messages that routers send about addresses (specification 22.7, `syntax_errors_to`).

use eximious::route::RouteNotice;

use super::Letter;
use crate::delivery::attempt::Attempt;

/// Sends one. Of one that is such a message itself, nobody is told, so that there is an end to
/// it. The line that names the message stands in the text, as Exim has it.
pub(in crate::delivery) fn notify(attempt: &mut Attempt<'_>, notice: &RouteNotice) {
    if attempt.is_own_report() && has_subject(attempt, notice.subject) {
        return;
    }
    let to: Vec<u8> =
        notice.to.bytes().iter().map(|c| if *c == b'\n' { b' ' } else { *c }).collect();
    let mut letter = Letter::new(attempt);
    letter.put(&[b"Auto-Submitted: auto-replied\n"]);
    letter.from();
    letter.put(&[b"To: ", &to, b"\nSubject: ", notice.subject, b"\n\n"]);
    letter.references();
    letter.put(&[&notice.text]);
    let text = letter.text;
    if let Ok(id) = attempt.hand_in_report(text) {
        attempt.send_notice(id);
    }
}

/// Whether the message has this subject.
fn has_subject(attempt: &Attempt<'_>, subject: &[u8]) -> bool {
    let own = attempt.message.headers.iter().find(|one| one.name.eq_ignore_ascii_case(b"Subject"));
    let value = own.and_then(|own| own.line.splitn(2, |byte| *byte == b':').nth(1));
    value.is_some_and(|value| value.trim_ascii() == subject)
}
