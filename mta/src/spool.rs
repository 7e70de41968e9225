//! The spool: messages that wait, in Exim's files (specification, chapter 57).
//!
//! [`keep`] puts a message there that somebody received. [`HeaderFile`] is what its
//! `-H` file says; everything else is in `-D`.

mod decode;
mod describe;
mod encode;
mod file;
mod tree;

use eximious::world::{SpoolError, SpoolPlace, SpoolStep};
use eximious::{Context, OptionPlace, OptionValue, Str};

use crate::smtp::{Received, Taken};

pub use decode::Damage;
pub(crate) use describe::kind;
pub use file::{HeaderFile, HeaderLine, Mark, SpoolRecipient, Value};
pub use tree::{Node, Tree};

/// Keeps a message that was received. With [`Taken::Yes`], it is on disk; otherwise
/// nothing of it is, and the reason is what to log.
pub fn keep(cx: &mut Context, received: &Received) -> Taken {
    // A message for nobody is done with.
    if received.recipients.is_empty() {
        return Taken::Yes;
    }
    let place = match place(cx, received.queue.bytes()) {
        Ok(place) => place,
        Err(why) => return Taken::Later(why),
    };
    let id = received.id.bytes();
    let header = match describe::header_file(cx, received).encode() {
        Ok(header) => header,
        Err(why) => return Taken::Later(why.to_string().into_bytes()),
    };
    let first = [id, b"-D\n"].concat();
    let message = &received.message;
    let data = [first.as_slice(), &message.stray, &message.body];
    match cx.engine().world().spool.keep(&place, id, &data, &header) {
        Ok(()) => Taken::Yes,
        Err(why) => Taken::Later(in_words(&why)),
    }
}

/// Where messages of a queue are.
///
/// # Errors
/// What there is to log where the spool directory can't be told.
pub fn place(cx: &mut Context, queue: &[u8]) -> Result<SpoolPlace, Vec<u8>> {
    let spool = variable(cx, "spool_directory");
    if spool.is_empty() {
        return Err(b"spool_directory undefined: cannot proceed".to_vec());
    }
    let number = |cx: &mut Context, name| -> Option<u32> {
        std::str::from_utf8(variable(cx, name).bytes()).ok()?.parse().ok()
    };
    let owner = number(cx, "exim_uid").zip(number(cx, "exim_gid"));
    Ok(SpoolPlace {
        spool: spool.bytes().to_vec(),
        queue: queue.to_vec(),
        split: flag(cx, "split_spool_directory"),
        owner,
    })
}

fn variable(cx: &mut Context, name: &str) -> Str {
    cx.get(name).and_then(Result::ok).unwrap_or_default()
}

fn flag(cx: &Context, name: &'static str) -> bool {
    let engine = cx.engine();
    match engine.settings().options.get(name) {
        Some(OptionValue::Flag(set)) => *set,
        _ => {
            let record = engine.registry().option(OptionPlace::Main, name.as_bytes());
            record.and_then(|record| record.default) == Some("true")
        }
    }
}

fn in_words(error: &SpoolError) -> Vec<u8> {
    let what: &[u8] = match error.step {
        SpoolStep::Create => b"Failed to create spool file ",
        SpoolStep::Write => b"Error while writing spool file ",
        SpoolStep::Rename => b"Failed to rename spool file ",
    };
    let why = eximious::stdlib::wording::reason(&error.why);
    [what, &error.file, b": ", why.as_bytes()].concat()
}
