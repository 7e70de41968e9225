//! The spool: messages that wait, in Exim's files (specification, chapter 57).
//!
//! [`keep`] puts a message there that somebody received. [`HeaderFile`] is what its
//! `-H` file says; everything else is in `-D`.

mod decode;
mod describe;
mod encode;
mod file;
pub mod queue;
mod restore;
pub mod space;
#[cfg(test)]
mod tests;
mod tree;

use std::sync::Arc;

use eximious::stdlib::printing::printing;
use eximious::trace::{Happening, SpoolEvent};
use eximious::world::{HeldMessage, SpoolData, SpoolError, SpoolPlace, SpoolStep};
use eximious::{Context, Engine, Message, Str, opt, var};

use crate::logs;
use crate::smtp::{Received, SpoolFailure, SpoolOutcome};

pub use decode::Damage;
pub(crate) use describe::{acl_values, added_line, header_lines};
pub use file::{HeaderFile, HeaderLine, Mark, RecipientDsn, RecipientExtra, SpoolRecipient, Value};
pub use restore::{body, body_in_pieces, message, restore, restore_head};
pub(crate) use restore::{restore_from, restore_header, unfolded};
pub use tree::{Node, NonrecipientTree};

/// How large a body is at the most that is held for somebody who delivers it.
const MOST_HELD: u64 = 64 * 1024;

/// How many kilobytes and files have to be free, so that any is held.
const ROOM_FOR_ALL: i64 = 10 * 1024;
const FILES_FOR_ALL: i64 = 100;

/// Keeps a message that was received. With [`SpoolOutcome::Spooled`], it is on disk; otherwise
/// nothing of it is, and the reason is what to log.
pub fn keep(cx: &mut Context, received: &mut Received) -> SpoolOutcome {
    keep_by(cx, received, |data, header| data.keep(header))
}

/// As [`keep`], for a message that nobody is to deliver at once ([`SpoolData::keep_queued`]).
pub fn keep_queued(cx: &mut Context, received: &mut Received) -> SpoolOutcome {
    keep_by(cx, received, |data, header| data.keep_queued(header))
}

/// How the files of a message come to the disk.
type Keeping = fn(&mut dyn SpoolData, &[u8]) -> Result<(), SpoolError>;

fn keep_by(cx: &mut Context, received: &mut Received, keeping: Keeping) -> SpoolOutcome {
    // A message for nobody is done with.
    if received.recipients.is_empty() {
        return SpoolOutcome::Spooled;
    }
    match put(cx, received, keeping) {
        Ok(()) => SpoolOutcome::Spooled,
        Err(why) => SpoolOutcome::Failed(why.failure(cx)),
    }
}

fn put(cx: &mut Context, received: &mut Received, keeping: Keeping) -> Result<(), NotKept> {
    let header = describe::header_file(cx, received).encode();
    let header = header.map_err(|why| NotKept::Unexpected(why.to_string().into_bytes()))?;
    let id = received.id.clone();
    cx.tell(Happening::Spool(SpoolEvent::Writing { id: id.bytes() }));
    let message = &received.message;
    let size = (header.len() + data_head(id.bytes()).len() + message.stray.len()) as u64;
    let size = size + message.body.len();
    let kept = match &mut received.data {
        Some(data) => keeping(&mut **data, &header).map_err(NotKept::Spool),
        None => begin(cx, received.queue.bytes(), &id).and_then(|mut data| {
            let written = fill(&mut *data, message);
            written.and_then(|()| keeping(&mut *data, &header)).map_err(NotKept::Spool)
        }),
    };
    match &kept {
        Ok(()) => cx.tell(Happening::Spool(SpoolEvent::Kept { id: id.bytes(), size })),
        Err(NotKept::Spool(why)) => {
            let reason = eximious::stdlib::wording::reason(&why.why);
            let failed = SpoolEvent::Failed { id: id.bytes(), why: reason.as_bytes() };
            cx.tell(Happening::Spool(failed));
        }
        Err(NotKept::Unexpected(_)) => {}
    }
    kept
}

/// A message that is held, for who delivers it.
#[derive(Clone, Debug)]
pub struct HeldDelivery {
    /// It.
    pub message: Arc<dyn HeldMessage>,
    /// What its header file would say.
    file: HeaderFile,
}

impl HeldDelivery {
    pub(crate) fn into_parts(self) -> (Arc<dyn HeldMessage>, HeaderFile) {
        (self.message, self.file)
    }
}

/// Holds a message that was received in memory, for somebody who delivers it at once: then it is
/// announced ([`SmtpSession::announce`]), and the session concludes what came of it
/// ([`settled`]). `None` where it is to be kept, as those are that are large, all where
/// `spool_first` wants it, and those whose logs are preserved.
///
/// [`SmtpSession::announce`]: crate::smtp::SmtpSession::announce
pub fn hold(cx: &mut Context, received: &mut Received) -> Option<HeldDelivery> {
    let settings = cx.engine().settings();
    let is_wanted = settings.get(opt::SPOOL_FIRST) || settings.get(opt::PRESERVE_MESSAGE_LOGS);
    let is_large = received.message.body.len() > MOST_HELD;
    if is_wanted || is_large || received.recipients.is_empty() || !has_room(cx) {
        return None;
    }
    let file = describe::header_file(cx, received);
    let header = file.encode().ok()?;
    debug_assert_eq!(HeaderFile::decode(&header).as_ref(), Ok(&file));
    let held = match &mut received.data {
        Some(data) => data.hold(&header),
        None => {
            let mut data = begin(cx, received.queue.bytes(), &received.id).ok()?;
            fill(&mut *data, &received.message).ok()?;
            data.hold(&header)
        }
    };
    held.map(|message| HeldDelivery { message, file })
}

/// Whether there is room enough in the spool for what comes at a time, where the file system
/// tells: of what is announced, it can't be said any more that it can't be kept.
fn has_room(cx: &Context) -> bool {
    let spool = cx.engine().settings().get(opt::SPOOL_DIRECTORY);
    let room = cx.engine().world().host.room(spool.bytes());
    room.is_ok_and(|room| {
        room.kilobytes >= ROOM_FOR_ALL && (room.inodes < 0 || room.inodes >= FILES_FOR_ALL)
    })
}

/// What became of a message that was held.
pub fn settled(cx: &mut Context, outcome: Result<(), SpoolError>) -> SpoolOutcome {
    match outcome {
        Ok(()) => SpoolOutcome::Spooled,
        Err(why) => SpoolOutcome::Failed(abandoned(cx, &why)),
    }
}

/// What stands in a data file before the body: its own name, in a line.
pub(crate) fn data_head(id: &[u8]) -> Vec<u8> {
    [id, b"-D\n"].concat()
}

/// The body in a data file, with the ends of lines that it is kept with.
pub fn kept_body<'d>(id: &[u8], data: &'d [u8]) -> &'d [u8] {
    data.get(data_head(id).len()..).unwrap_or_default()
}

/// Begins the data file of a message; the body goes behind what it begins with.
pub(crate) fn begin(cx: &Context, queue: &[u8], id: &Str) -> Result<Box<dyn SpoolData>, NotKept> {
    let place = place(cx, queue).map_err(NotKept::Unexpected)?;
    let begun = cx.engine().world().spool.begin(&place, id.bytes());
    let written = begun.and_then(|mut data| data.write(&data_head(id.bytes())).map(|()| data));
    written.map_err(NotKept::Spool)
}

/// Writes a message's body behind what is there.
fn fill(data: &mut dyn SpoolData, message: &Message) -> Result<(), SpoolError> {
    data.write(&message.stray)?;
    let unreadable = |why| SpoolError { step: SpoolStep::Write, file: b"the body".to_vec(), why };
    message.body.in_pieces(unreadable, |piece| data.write(piece))
}

/// Takes a message back out of the spool, before anybody was told that it is there. False
/// where it is there still: it will be delivered, and is not to be refused.
pub(crate) fn take_back(cx: &mut Context, queue: &[u8], id: &Str) -> bool {
    let Ok(place) = place(cx, queue) else { return true };
    let world = cx.engine().world();
    let Err(why) = world.spool.remove(&place, id.bytes()) else { return true };
    let why = eximious::stdlib::wording::reason(&why);
    let line = [b"cannot be taken out of the spool: ", why.as_bytes()].concat();
    world.log.panic(&logs::named(id, &line));
    let header = world.spool.size(&place, id.bytes(), b"-H");
    header.is_err_and(|why| why.kind() == std::io::ErrorKind::NotFound)
}

/// Why a message is not kept.
#[derive(Debug)]
pub(crate) enum NotKept {
    /// Nobody can tell where, or how.
    Unexpected(Vec<u8>),
    /// The spool can't.
    Spool(SpoolError),
}

impl NotKept {
    /// What is to be logged and said of it.
    pub(crate) fn failure(self, cx: &mut Context) -> SpoolFailure {
        match self {
            Self::Unexpected(why) => SpoolFailure::broken(why),
            Self::Spool(why) => abandoned(cx, &why),
        }
    }
}

/// Begins a message's own log, by what the main log says of its arrival
/// (`<= SENDER …`), and what comes after that. Nothing depends on it.
pub fn begin_log(cx: &mut Context, queue: &[u8], id: &[u8], lines: &[&[u8]]) {
    let stamp = cx.value_of(var::TOD_LOG);
    let mut text = Vec::new();
    for line in lines {
        text.extend_from_slice(&[stamp.bytes(), b" "].concat());
        match line.strip_prefix(b"<= ").or_else(|| line.strip_prefix(b"(= ")) {
            Some(arrival) => text.extend_from_slice(&[b"Received from ", arrival].concat()),
            None => text.extend_from_slice(line),
        }
        text.push(b'\n');
    }
    add_to_log(cx, queue, id, &text);
}

/// Adds text to a message's own log as it is.
pub fn add_to_log(cx: &Context, queue: &[u8], id: &[u8], text: &[u8]) {
    if !cx.engine().settings().get(opt::MESSAGE_LOGS) {
        return;
    }
    let Ok(place) = place(cx, queue) else { return };
    let world = cx.engine().world();
    if let Err(why) = world.spool.add_to_log(&place, id, text) {
        let head = [id, b" Couldn't open message log: "].concat();
        let why = eximious::stdlib::wording::reason(&why);
        world.log.panic(&[&head[..], why.as_bytes()].concat());
    }
}

/// Where messages of a queue are.
///
/// # Errors
/// What there is to log where the spool directory can't be told.
pub fn place(cx: &Context, queue: &[u8]) -> Result<SpoolPlace, Vec<u8>> {
    place_of(cx.engine(), queue)
}

/// As [`place`], without a context.
///
/// # Errors
/// As [`place`].
pub fn place_of(engine: &Engine, queue: &[u8]) -> Result<SpoolPlace, Vec<u8>> {
    let split = engine.settings().get(opt::SPLIT_SPOOL_DIRECTORY);
    let spool = engine.settings().get(opt::SPOOL_DIRECTORY);
    if spool.is_empty() {
        return Err(b"spool_directory undefined: cannot proceed".to_vec());
    }
    Ok(SpoolPlace {
        spool: spool.bytes().to_vec(),
        queue: queue.to_vec(),
        split,
        owner: Some(engine.server_ids()),
    })
}

/// Why a message can't be kept. A disk that is full is nothing unheard of; somebody
/// should look after all else.
fn abandoned(cx: &mut Context, error: &SpoolError) -> SpoolFailure {
    let why = eximious::stdlib::wording::reason(&error.why);
    let client = match cx.value_of(var::SENDER_FULLHOST) {
        host if host.is_empty() => cx.value_of(var::SENDER_IDENT),
        host => host,
    };
    let client = client.bytes();
    let doing = match error.step {
        SpoolStep::Directory => {
            let parts = [b"Failed to create directory \"", &error.file[..], b"\": "];
            return SpoolFailure::broken([&parts.concat(), why.as_bytes()].concat());
        }
        SpoolStep::Create => {
            let parts = [b"Failed to create spool file ", &error.file[..], b": "];
            return SpoolFailure::broken([&parts.concat(), why.as_bytes()].concat());
        }
        SpoolStep::Write => {
            let head = format!("Spool write error ({why}) while receiving message from ");
            return SpoolFailure::full([head.as_bytes(), client].concat(), "while");
        }
        SpoolStep::CreateHeader => "open",
        SpoolStep::WriteHeader => "write",
        SpoolStep::Rename => "rename",
    };
    let head = format!("spool file {doing} error while receiving from ");
    SpoolFailure::full([head.as_bytes(), client, b": ", why.as_bytes()].concat(), "in")
}

impl SpoolFailure {
    /// Nothing can be kept as it is.
    fn broken(why: Vec<u8>) -> Self {
        Self { why, said: "421 Unexpected failure, please try later".into(), broken: true }
    }

    /// Another message may find room.
    fn full(why: Vec<u8>, word: &str) -> Self {
        Self { why, said: format!("451 Error {word} writing spool file"), broken: false }
    }

    /// Notes it in the logs.
    pub(crate) fn log(&self, cx: &Context, id: &Str) {
        let log = &cx.engine().world().log;
        match self.broken {
            true => log.panic(&logs::named(id, &self.why)),
            false => {
                let line = [b"Message abandoned: ", &self.why[..]].concat();
                log.main(&logs::named(id, &printing(&line, true)));
            }
        }
    }
}
