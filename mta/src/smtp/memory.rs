//! Clients share the memory of one process: before it is used up, those that need most of
//! it are asked to come back.

use super::SmtpSession;
use super::stage::Stage;

/// From here on, large transactions have to wait, in thousandths of what there is.
const TIGHT: u64 = 750;

/// From here on, no transaction begins.
const FULL: u64 = 900;

/// From here on, no connection is taken.
const USED_UP: u64 = 950;

/// How many recipients make a transaction large.
const MANY: usize = 500;

/// What is said; Exim says the same of space on disks.
const SHORTAGE: &[u8] = b"452 Memory shortage, please try later";

/// Whether the memory is used up, so that not even one more connection can be taken.
pub fn is_used_up(host: &dyn eximious::world::Host) -> bool {
    host.memory_fullness().is_some_and(|full| full >= USED_UP)
}

impl SmtpSession {
    fn is_memory_full(&self, from: u64) -> bool {
        self.cx.engine().world().host.memory_fullness().is_some_and(|full| full >= from)
    }

    /// Whether there is memory for another transaction; the client is told so if not.
    pub(super) fn check_memory(&mut self) -> Result<(), Stage> {
        match self.is_memory_full(FULL) {
            true => Err(self.tell_of_shortage()),
            false => Ok(()),
        }
    }

    /// Whether there is memory for another recipient beside so many; the client is told
    /// so if not.
    pub(super) fn check_memory_of_recipient(&mut self) -> Result<(), Stage> {
        let count = self.transaction.envelope.as_ref().map_or(0, |one| one.recipients.len());
        // It is not asked for each of them.
        if count < MANY || !count.is_multiple_of(64) || !self.is_memory_full(TIGHT) {
            return Ok(());
        }
        Err(self.tell_of_shortage())
    }

    /// Whether a header that is long already may become longer.
    pub(super) fn has_memory_for_header(&self) -> bool {
        !self.is_memory_full(TIGHT)
    }

    /// Tells the client, and the log, that there is no memory.
    pub(super) fn tell_of_shortage(&mut self) -> Stage {
        let client = self.shown_client();
        self.log(&[b"memory shortage: ".as_slice(), &client, b" is to come back"].concat());
        self.reply(&[SHORTAGE])
    }
}
