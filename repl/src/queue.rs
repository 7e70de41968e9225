//! What waits in the spool: `-bp` and its kin, `-Mvh` and its kin (specification
//! 5.2).

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use eximious::stdlib::wording;
use eximious::world::SpoolPlace;
use eximious::{Context, LogSelector, opt};
use eximious_mta::spool;
use eximious_mta::spool::queue::{Listing, Stored, Unread, list as listed, locked, not_found};

use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use crate::{caller, complain, print};

/// `-bp` and its kin: the messages that wait are to be listed.
#[derive(Debug)]
pub struct ListRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// `-qG`: the named queue.
    pub queue: Vec<u8>,
    /// Which messages, and what of them.
    pub listing: Listing,
    /// Only these.
    pub named: Vec<Vec<u8>>,
}

/// `-Mvh` and its kin: a file of a message is to be printed.
#[derive(Debug)]
pub struct ViewRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// `-qG`: the named queue.
    pub queue: Vec<u8>,
    /// What of the message.
    pub view: MessagePart,
    /// The message's name.
    pub id: Vec<u8>,
    /// Whether others are named behind it.
    pub names_others: bool,
}

/// What of a message is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessagePart {
    /// `-Mvb`: the file with its body.
    Body,
    /// `-Mvc`: the message as it would be sent.
    Whole,
    /// `-Mvh`: the file with its envelope and header.
    Header,
    /// `-Mvl`: its log.
    Log,
}

/// Lists messages: those that are named, or all.
pub fn list(request: ListRequest) -> Result<ExitCode, Refusal> {
    let ListRequest { setup, queue, listing, named } = request;
    let (cx, place) = at(&queue, Session::start_logging(setup, eximious_world::system())?)?;
    let needs_admin = cx.engine().settings().get(opt::QUEUE_LIST_REQUIRES_ADMIN);
    if needs_admin && !is_admin(&cx) {
        return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
    }
    match listed(cx.engine().world(), &place, listing, &named) {
        Ok(text) => Ok(print(&text)),
        Err(why) => {
            let why = wording::reason(&why);
            let input = place.path(b"", b"");
            Ok(complain(&[b"exim: ", &input[..], b": ", why.as_bytes()].concat()))
        }
    }
}

/// Why a message may have no log of its own.
const NO_LOGS: &[u8] =
    b"(No message logs are being created because the message_logs option is false.)";

/// Prints a file of a message.
pub fn view(request: ViewRequest) -> Result<ExitCode, Refusal> {
    let ViewRequest { setup, queue, view, id, names_others } = request;
    let id = id.as_slice();
    let (cx, place) = at(&queue, Session::start_logging(setup, eximious_world::system())?)?;
    if !is_admin(&cx) && !queue.is_empty() {
        return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
    }
    if !is_admin(&cx) {
        return Ok(tell(b"Permission denied"));
    }
    if names_others && view != MessagePart::Whole {
        return Ok(tell(b"*** Only one message can be listed at once"));
    }
    let world = cx.engine().world();
    let (what, end): (&str, &[u8]) = match view {
        MessagePart::Body => ("input", b"-D"),
        MessagePart::Header => ("input", b"-H"),
        MessagePart::Log => ("msglog", b""),
        MessagePart::Whole => return Ok(whole(&cx, &place, id)),
    };
    Ok(match world.spool.open(&place, id, end) {
        Ok(mut file) => print_all(&mut |out| io::copy(&mut file, out).map(drop)),
        Err(why) => {
            let why = wording::reason(&why);
            let head = format!("Failed to open {what} file for ");
            let ended = tell(&[head.as_bytes(), id, end, b": ", why.as_bytes()].concat());
            if view == MessagePart::Log && !cx.engine().settings().get(opt::MESSAGE_LOGS) {
                tell(NO_LOGS);
            }
            ended
        }
    })
}

/// A message as it would be sent.
fn whole(cx: &Context, place: &SpoolPlace, id: &[u8]) -> ExitCode {
    let world = cx.engine().world();
    if let Ok(None) = world.spool.take(place, id) {
        let (log, wanted) = (&world.log, cx.engine().settings().log_selector());
        if log.hears(wanted, LogSelector::SKIP_DELIVERY) {
            let line = [id, b" ", &locked(id)].concat();
            log.by_selector(wanted, LogSelector::SKIP_DELIVERY, &line);
        }
        return tell(&[b"Message ", id, b" is locked"].concat());
    }
    let mut data = match world.spool.open(place, id, b"-D") {
        Ok(data) => data,
        Err(why) if why.kind() == ErrorKind::NotFound => {
            world.log.main(&[id, b" ", &not_found(place, id)].concat());
            return tell(&[b"Spool data file for ", id, b" does not exist"].concat());
        }
        Err(why) => return tell(&Unread::Read(why).told(id, b"-D")),
    };
    match Stored::read(world, place, id) {
        Ok(stored) => print_all(&mut |out| {
            out.write_all(&stored.header())?;
            let mut each = |piece: &[u8]| out.write_all(piece);
            spool::body_in_pieces(&stored.file, &mut *data, &mut each)
        }),
        Err(why) => tell(&why.told(id, b"-H")),
    }
}

/// Prints what does not have to be in memory as a whole.
fn print_all(write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> ExitCode {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) if why.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(why) => {
            let why = wording::reason(&why);
            complain(format!("eximious: standard output: {why}").as_bytes())
        }
    }
}

/// Says on the standard output, as Exim does, that there is nothing to print.
fn tell(text: &[u8]) -> ExitCode {
    print(&[text, b"\n"].concat());
    ExitCode::FAILURE
}

/// A session's context, and the place of a queue.
fn at(queue: &[u8], session: Session) -> Result<(Context, SpoolPlace), Refusal> {
    let (_, cx) = session.into_parts();
    let place = spool::place(&cx, queue).map_err(Refusal::Logged)?;
    Ok((cx, place))
}

fn is_admin(cx: &Context) -> bool {
    caller::is_admin(cx.engine().settings(), cx.engine().world())
}
