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

use eximious::stdlib::printing::printing;
use eximious::trace::{Happening, SpoolEvent};
use eximious::world::{SpoolError, SpoolPlace, SpoolStep};
use eximious::{Context, Str, opt, var};

use crate::logs;
use crate::smtp::{Received, SpoolFailure, SpoolOutcome};

pub use decode::Damage;
pub(crate) use describe::header_lines;
pub use file::{HeaderFile, HeaderLine, Mark, RecipientDsn, RecipientExtra, SpoolRecipient, Value};
pub use restore::{body, message, restore};
pub use tree::{Node, NonrecipientTree};

/// Keeps a message that was received. With [`SpoolOutcome::Spooled`], it is on disk; otherwise
/// nothing of it is, and the reason is what to log.
pub fn keep(cx: &mut Context, received: &Received) -> SpoolOutcome {
    // A message for nobody is done with.
    if received.recipients.is_empty() {
        return SpoolOutcome::Spooled;
    }
    let place = match place(cx, received.queue.bytes()) {
        Ok(place) => place,
        Err(why) => return SpoolOutcome::Failed(SpoolFailure::broken(why)),
    };
    let id = received.id.bytes();
    let header = match describe::header_file(cx, received).encode() {
        Ok(header) => header,
        Err(why) => {
            return SpoolOutcome::Failed(SpoolFailure::broken(why.to_string().into_bytes()));
        }
    };
    let first = [id, b"-D\n"].concat();
    let message = &received.message;
    let data = [first.as_slice(), &message.stray, &message.body];
    cx.tell(Happening::Spool(SpoolEvent::Writing { id }));
    match cx.engine().world().spool.keep(&place, id, &data, &header) {
        Ok(()) => {
            let size = data.iter().map(|part| part.len()).sum::<usize>() + header.len();
            cx.tell(Happening::Spool(SpoolEvent::Kept { id, size: size as u64 }));
            SpoolOutcome::Spooled
        }
        Err(why) => {
            let reason = eximious::stdlib::wording::reason(&why.why);
            let failed = SpoolEvent::Failed { id, why: reason.as_bytes() };
            cx.tell(Happening::Spool(failed));
            SpoolOutcome::Failed(abandoned(cx, &why))
        }
    }
}

/// Begins a message's own log, by what the main log says of its arrival
/// (`<= SENDER …`), and what comes after that. Nothing depends on it.
pub fn begin_log(cx: &mut Context, queue: &[u8], id: &[u8], lines: &[&[u8]]) {
    if !cx.engine().settings().get(opt::MESSAGE_LOGS) {
        return;
    }
    let Ok(place) = place(cx, queue) else { return };
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
    let world = cx.engine().world();
    if let Err(why) = world.spool.add_to_log(&place, id, &text) {
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
    let split = cx.engine().settings().get(opt::SPLIT_SPOOL_DIRECTORY);
    let (settings, world) = (cx.engine().settings(), cx.engine().world());
    let spool = settings.get(opt::SPOOL_DIRECTORY);
    if spool.is_empty() {
        return Err(b"spool_directory undefined: cannot proceed".to_vec());
    }
    Ok(SpoolPlace {
        spool: spool.bytes().to_vec(),
        queue: queue.to_vec(),
        split,
        owner: Some(eximious::stdlib::options::server_ids(settings, &*world.users, &*world.host)),
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
