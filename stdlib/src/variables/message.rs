//! Variables that read the message.

use std::borrow::Cow;
use std::io;

use eximious_core::{Body, Call, ErrorKind, Fail, Message, Str, Variable};

use super::record::{computed, variable};
use crate::options::opt;
use crate::variables::var;
use crate::wording::reason;
use crate::{address, headers};

/// The records.
pub static ALL: &[Variable] = &[
    computed!(
        "body_linecount",
        NONE,
        Clean,
        "How many lines the body has.",
        |call| number(call, |m| m.body_lines),
        docs("In a message that is read for a test, empty lines are not counted.")
    ),
    computed!("body_zerocount", NONE, Clean, "How many zero bytes the body has.", |call| number(
        call,
        |m| m.body_zeros
    )),
    variable!(
        "headers_added",
        Slot,
        Result,
        "The header lines that the ACL has added so far.",
        docs("Separated by newlines; `add_header` adds to it.")
    ),
    variable!(
        "message_age",
        SlotWith("0"),
        Clean,
        "For how many seconds the message has been here, when this delivery attempt began."
    ),
    computed!(
        "message_body",
        NONE,
        Tainted,
        "The beginning of the body.",
        |call| body(call, Body::start),
        docs(
            "As many bytes as the option `message_body_visible` says, 500 by default. Newlines \
             are spaces there, unless `message_body_newlines` is set, and so are zero bytes."
        )
    ),
    computed!(
        "message_body_end",
        NONE,
        Tainted,
        "The end of the body.",
        |call| body(call, Body::end),
        docs("As much of it, and in the same form, as `$message_body` has of the beginning.")
    ),
    computed!(
        "message_body_size",
        NONE,
        Clean,
        "How many bytes the body has.",
        |call| number(call, |m| m.body.len()),
        docs("From the line after the blank one on; newlines count.")
    ),
    computed!(
        "message_exim_id",
        NONE,
        Clean,
        "The name that this program gave the message: `1BXTIK-0001yO-VA`.",
        |call| Ok(call.message().map(|m| m.id.clone()).unwrap_or_default()),
        docs("It is not what stands in `Message-ID:`; that is `$h_message-id:`."),
        aliases(&["message_id"])
    ),
    computed!(
        "message_headers",
        NONE,
        Tainted,
        "All header lines, with their encoded words decoded.",
        |call| Ok(call.message().map(|m| headers::all(m, call.settings())).unwrap_or_default()),
        docs(
            "Separated by newlines, white space at their ends dropped. As with `$bh_NAME:`, \
             character sets are not translated. Of very long headers it is the first 64K."
        )
    ),
    computed!(
        "message_headers_raw",
        NONE,
        Tainted,
        "All header lines, as received.",
        |call| Ok(call.message().map(headers::all_raw).unwrap_or_default()),
        docs("Of very long headers it is the first 64K.")
    ),
    computed!(
        "message_linecount",
        NONE,
        Clean,
        "How many lines the message has.",
        |call| number(call, |m| m.lines),
        docs(
            "Header and body, without the blank line between them. `${eval:$message_linecount - \
             $body_linecount}` is how long the header is."
        )
    ),
    computed!(
        "message_size",
        NONE,
        Clean,
        "How many bytes the message has.",
        |call| number(call, |m| m.size),
        docs("Header and body as received, not what is added for a delivery.")
    ),
    variable!(
        "message_smtputf8",
        SlotWith("no"),
        Clean,
        "Whether the message needs SMTPUTF8: `yes` or `no`.",
        source("specification 60")
    ),
    computed!(
        "received_count",
        NONE,
        Clean,
        "How many `Received:` lines the message has, the one that is added here included.",
        |call| number(call, |m| m.named(b"received").count() as u64 + 1),
        docs("A message in a loop collects them: `received_headers_max` is the limit.")
    ),
    computed!(
        "reply_address",
        NONE,
        Tainted,
        "What `Reply-To:` says, or `From:` where that says nothing.",
        |call| Ok(call.message().map(headers::reply_address).unwrap_or_default()),
        docs(
            "As received, without white space around it; encoded words are not decoded. Newlines \
             are spaces."
        )
    ),
    computed!("sender_address_domain", NONE, Result, "The domain of `$sender_address`.", |call| {
        let sender = call.value_of(var::SENDER_ADDRESS)?;
        let at = address::find_at(sender.bytes());
        Ok(at.map(|at| sender.slice(at + 1, usize::MAX)).unwrap_or_default())
    }),
    computed!(
        "sender_address_local_part",
        NONE,
        Result,
        "The local part of `$sender_address`.",
        |call| {
            let sender = call.value_of(var::SENDER_ADDRESS)?;
            Ok(sender.slice(0, address::find_at(sender.bytes()).unwrap_or(usize::MAX)))
        }
    ),
];

/// A number that the message has; 0 without a message.
fn number(call: &Call<'_>, of: fn(&Message) -> u64) -> Result<Str, Fail> {
    Ok(Str::from(call.message().map_or(0, of).to_string()))
}

/// A part of the body, as long as the configuration lets it be seen.
fn body(
    call: &Call<'_>,
    part: for<'b> fn(&'b Body, usize) -> io::Result<Cow<'b, [u8]>>,
) -> Result<Str, Fail> {
    let Some(message) = call.message() else { return Ok(Str::EMPTY) };
    let settings = call.settings();
    let length = usize::try_from(settings.get(opt::MESSAGE_BODY_VISIBLE)).unwrap_or(0);
    let newlines = settings.get(opt::MESSAGE_BODY_NEWLINES);
    let shown = |byte: &u8| match byte {
        b'\n' if newlines => b'\n',
        b'\n' | 0 => b' ',
        byte => *byte,
    };
    let part = part(&message.body, length).map_err(|why| {
        Fail::error(ErrorKind::Outside, format!("the body can't be read: {}", reason(&why)))
    })?;
    Ok(Str::tainted(part.iter().map(shown).collect::<Vec<u8>>()))
}
