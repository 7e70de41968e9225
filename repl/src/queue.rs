//! What waits in the spool: `-bp` and its kin, `-Mvh` and its kin (specification
//! 5.2).

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use eximious::stdlib::wording;
use eximious::world::SpoolPlace;
use eximious::{Context, opt};
use eximious_mta::spool;
use eximious_mta::spool::queue::{self, Listing, Stored, Unread};

use crate::options::{Options, View};
use crate::session::{Refusal, Session};
use crate::{caller, complain, print};

/// How much of a file is printed at the most.
const LARGEST: u64 = 1 << 30;

/// Lists messages: those that are named, or all.
pub fn list(options: &mut Options, listing: Listing) -> Result<ExitCode, Refusal> {
    let named = std::mem::take(&mut options.texts);
    let (cx, place) = start(options)?;
    let needs_admin = cx.engine().settings().get(opt::QUEUE_LIST_REQUIRES_ADMIN);
    if needs_admin && !is_admin(&cx) {
        return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
    }
    match queue::list(cx.engine().world(), &place, listing, &named) {
        Ok(text) => Ok(print(&text)),
        Err(why) => {
            let why = wording::reason(&why);
            let input = place.path(b"", b"");
            Ok(complain(&[b"exim: ", &input[..], b": ", why.as_bytes()].concat()))
        }
    }
}

/// Prints a file of a message.
pub fn view(options: &mut Options, view: View, id: &[u8]) -> Result<ExitCode, Refusal> {
    if !options.texts.is_empty() && view != View::Whole {
        return Ok(tell(b"*** Only one message can be listed at once"));
    }
    let (cx, place) = start(options)?;
    if !is_admin(&cx) {
        return Ok(tell(b"Permission denied"));
    }
    let world = cx.engine().world();
    let failed = |what: &str, end: &[u8], why: &io::Error| {
        let why = wording::reason(why);
        let head = format!("Failed to open {what} file for ");
        tell(&[head.as_bytes(), id, end, b": ", why.as_bytes()].concat())
    };
    let end: &[u8] = match view {
        View::Body => b"-D",
        View::Header => b"-H",
        View::Log => {
            return Ok(match world.spool.message_log(&place, id, LARGEST) {
                Ok(text) => print(&text),
                Err(why) => failed("msglog", b"", &why),
            });
        }
        View::Whole => return Ok(whole(&cx, &place, id)),
    };
    Ok(match world.spool.read(&place, id, end, LARGEST) {
        Ok(text) => print(&text),
        Err(why) => failed("input", end, &why),
    })
}

/// A message as it would be sent.
fn whole(cx: &Context, place: &SpoolPlace, id: &[u8]) -> ExitCode {
    let world = cx.engine().world();
    let data = match world.spool.read(place, id, b"-D", LARGEST) {
        Ok(data) => data,
        Err(why) if why.kind() == ErrorKind::NotFound => {
            return tell(&[b"Spool data file for ", id, b" does not exist"].concat());
        }
        Err(why) => return unread(id, b"-D", Some(&why)),
    };
    match Stored::read(world, place, id) {
        Ok(stored) => {
            let body = data.get(id.len() + 3..).unwrap_or_default();
            print(&[stored.header(), spool::body(&stored.file, body)].concat())
        }
        Err(Unread::Read(why)) => unread(id, b"-H", Some(&why)),
        Err(Unread::Damaged(_)) => unread(id, b"-H", None),
    }
}

fn unread(id: &[u8], end: &[u8], why: Option<&io::Error>) -> ExitCode {
    let (what, why) = match why {
        Some(why) => ("read", format!(": {}", wording::reason(why))),
        None => ("format", String::new()),
    };
    let head = format!("Spool {what} error for ");
    tell(&[head.as_bytes(), id, end, why.as_bytes()].concat())
}

/// Says on the standard output, as Exim does, that there is nothing to print.
fn tell(text: &[u8]) -> ExitCode {
    print(&[text, b"\n"].concat());
    ExitCode::FAILURE
}

fn start(options: &mut Options) -> Result<(Context, SpoolPlace), Refusal> {
    let queue = std::mem::take(&mut options.queue);
    let session = Session::start(options, eximious_world::system())?;
    let (_, cx) = session.into_parts();
    let place = spool::place(&cx, &queue).map_err(Refusal::Logged)?;
    Ok((cx, place))
}

fn is_admin(cx: &Context) -> bool {
    caller::is_admin(cx.engine().settings(), cx.engine().world())
}
