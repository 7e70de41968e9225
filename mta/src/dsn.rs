//! What logs say of the reports that a client asked for (RFC 3461; the log selector
//! `dsn`).

use crate::smtp::{DsnNotify, EnvelopeSender, Recipient};

/// ` DSN=ret,envid,orcpt,notify`: the parameters that were given, of MAIL and of some
/// recipients together; nothing where there are none.
pub(crate) fn shown<'r>(
    sender: &EnvelopeSender,
    recipients: impl IntoIterator<Item = &'r Recipient>,
) -> Vec<u8> {
    let (mut original, mut notify) = (false, false);
    for recipient in recipients {
        original |= recipient.original.is_some();
        notify |= recipient.notify != DsnNotify::default();
    }
    let given = [
        (sender.returned.is_some(), "ret"),
        (sender.envelope_id.is_some(), "envid"),
        (original, "orcpt"),
        (notify, "notify"),
    ];
    let words: Vec<&str> =
        given.iter().filter(|(given, _)| *given).map(|(_, word)| *word).collect();
    match words.is_empty() {
        true => Vec::new(),
        false => [" DSN=", &words.join(",")].concat().into_bytes(),
    }
}
