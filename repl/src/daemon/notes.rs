//! What others tell the daemon and ask it (`notifier_socket`): which message was handed in, and
//! how many are queued.
//!
//! Notes come to a file, where there is a path from the root, which only the mail server's user
//! and the superuser reach. Anybody may ask how many messages there are, at a name in the
//! system's table, as Exim's: such names belong to nobody.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use eximious::world::SpoolPlace;
use eximious_mta::spool::{self, queue::Stored};
use eximious_world::deadline::Deadline;
use eximious_world::serving::{self, Notifier, Tally};

use super::couriers::Couriers;
use super::line::MessageOwner;
use super::service::Service;
use super::{DaemonRequest, STACK};
use crate::handover;

/// How long a count counts, however often somebody asks.
const COUNTED_ONCE_IN: Duration = Duration::from_secs(60);

/// The configuration in force.
pub type Current = Arc<Mutex<Arc<Service>>>;

fn latest(current: &Current) -> Arc<Service> {
    current.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Where the daemon can be told and asked.
#[derive(Debug, Default)]
pub struct Notes {
    file: Option<PathBuf>,
    tally: Option<Tally>,
}

impl Notes {
    /// Begins to listen. Where that can't be, the log has it: messages that are handed in have
    /// processes of their own then, and nobody knows how many there are.
    pub fn begin(current: &Current, couriers: &Arc<Couriers>, request: &DaemonRequest) -> Self {
        // A daemon at places of its own, and with no name, is not the one that others look for.
        let is_other = request.interfaces.is_some() && request.pid_file.is_none();
        if request.unnotified || is_other {
            return Self::default();
        }
        let service = latest(current);
        let Some(name) = handover::notifier_path(&service.engine.context()) else {
            return Self::default();
        };
        let log = &service.engine.world().log;
        let tally = answer(&name, current.clone()).map_err(|why| {
            let why = eximious::stdlib::wording::reason(&why);
            log.panic(format!("daemon_notifier_socket bind: {why}").as_bytes());
        });
        let is_told = name.starts_with(b"/") || name.starts_with(b"@");
        let file = is_told.then(|| hear(&name, current.clone(), couriers.clone()));
        if let Some(Err(why)) = &file
            && tally.is_ok()
        {
            let why = eximious::stdlib::wording::reason(why);
            let head = b"cannot listen for notes at ".as_slice();
            log.main(&[head, &name, b": ", why.as_bytes()].concat());
        }
        Self { file: file.and_then(Result::ok).flatten(), tally: tally.ok() }
    }

    /// Gives the places up, for the next daemon.
    pub fn end(&self) {
        if let Some(file) = &self.file {
            let _ = std::fs::remove_file(file);
        }
        self.tally.iter().for_each(Tally::close);
    }
}

/// Answers whoever asks how many messages are queued.
fn answer(name: &[u8], current: Current) -> io::Result<Tally> {
    let tally = Tally::open(name)?;
    let answering = tally.clone();
    serving::spawn(STACK, move || {
        let mut known: Option<(Deadline, Weak<Service>, usize)> = None;
        answering.answer(|| {
            let service = latest(&current);
            // A configuration that was read anew may have another queue.
            let now = Arc::downgrade(&service);
            if let Some((until, then, count)) = &known
                && until.left().is_some()
                && then.ptr_eq(&now)
            {
                return Some(*count);
            }
            let place = spool::place(&service.engine.context(), b"").ok()?;
            let count = service.engine.world().spool.count(&place).ok()?;
            known = Some((Deadline::within(COUNTED_ONCE_IN), now, count));
            Some(count)
        });
    })?;
    Ok(tally)
}

/// Hears notes of messages that programs have handed in; where, if that is a file.
fn hear(path: &[u8], current: Current, couriers: Arc<Couriers>) -> io::Result<Option<PathBuf>> {
    let notifier = Notifier::open(path)?;
    let file = notifier.path().map(Path::to_path_buf);
    serving::spawn(STACK, move || {
        while let Ok(note) = notifier.hear() {
            let Some(message) = handover::heard(&note) else { continue };
            let service = latest(&current);
            if let Ok(place) = spool::place(&service.engine.context(), message.queue) {
                let remote = service.remote;
                let whose = whose(&service, &place, message.id);
                couriers.deliver(&service, (place, message.id.to_vec(), whose), remote);
            }
        }
    })?;
    Ok(file)
}

/// Whose a message of the spool is; nobody's where that can't be read.
fn whose(service: &Service, place: &SpoolPlace, id: &[u8]) -> MessageOwner {
    let stored = Stored::read(service.engine.world(), place, id).ok();
    let first = stored.as_ref().and_then(|stored| stored.file.recipients.first());
    let to = first.map(|first| &first.address[..]).unwrap_or_default();
    MessageOwner::of_user(stored.as_ref().map_or(-1, |stored| stored.file.uid), to)
}
