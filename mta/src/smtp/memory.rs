//! Clients share the memory of one process: before it is used up, those that need most of
//! it are asked to come back.

use std::sync::atomic::{AtomicU64, Ordering};

use eximious::trace::TraceKinds;

use super::SmtpSession;
use super::stage::Stage;

/// From here on, no connection is taken, in thousandths of what the process may have.
const USED_UP: u64 = 900;

/// Up to here, a transaction is small, and goes on as long as any can.
const SMALL: u64 = 256 * 1024;

/// How much a recipient takes beside its address, in bytes; and how often the address and
/// the bytes of a header are there while a message is worked on.
const RECIPIENT: u64 = 512;
const COPIES: u64 = 4;

/// What is said; Exim says the same of space on disks.
const SHORTAGE: &[u8] = b"452 Memory shortage, please try later";

/// What all transactions of this process take.
static USED: AtomicU64 = AtomicU64::new(0);

/// Whether the memory is used up, so that not even one more connection can be taken.
pub fn is_used_up(host: &dyn eximious::world::Host) -> bool {
    host.memory_fullness().is_some_and(|full| full >= USED_UP)
}

/// What a transaction takes, in bytes; it is free again when this goes.
#[derive(Debug, Default)]
pub(super) struct Charge(u64);

impl Charge {
    fn add(&mut self, bytes: u64) {
        self.0 += bytes;
        USED.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        USED.fetch_sub(self.0, Ordering::Relaxed);
    }
}

impl SmtpSession {
    /// How much transactions may take together: a half of what there is. Nothing, where
    /// nobody knows how much that is.
    fn room_for_transactions(&self) -> Option<u64> {
        let most = || Some(self.cx.engine().world().host.memory_limit()? / 2);
        *self.server.memory.get_or_init(most)
    }

    /// Whether there is memory for another transaction; the client is told so if not.
    pub(super) fn check_memory(&mut self) -> Result<(), Stage> {
        match self.room_for_transactions() {
            Some(room) if USED.load(Ordering::Relaxed) >= room => Err(self.tell_of_shortage()),
            _ => Ok(()),
        }
    }

    /// Whether there is memory for another recipient; the client is told so if not.
    pub(super) fn check_memory_of_recipient(&mut self, address: &[u8]) -> Result<(), Stage> {
        match self.charge(RECIPIENT + COPIES * address.len() as u64) {
            true => Ok(()),
            false => Err(self.tell_of_shortage()),
        }
    }

    /// Takes memory for so many bytes of a header; whether there is some.
    pub(super) fn charge_header(&mut self, bytes: usize) -> bool {
        self.charge(COPIES * bytes as u64)
    }

    /// Takes memory for the transaction at hand. A large one leaves a quarter to others.
    fn charge(&mut self, bytes: u64) -> bool {
        let room = self.room_for_transactions();
        let charge = &mut self.transaction.charge;
        if let Some(room) = room
            && charge.0 > SMALL
            && USED.load(Ordering::Relaxed) >= room / 4 * 3
        {
            return false;
        }
        charge.add(bytes);
        let taken = charge.0;
        if self.cx.trace().wants(TraceKinds::MEMORY) {
            let all = USED.load(Ordering::Relaxed);
            let room = room.map_or("unknown".to_owned(), |room| room.to_string());
            let text = format!("transaction: {taken} bytes; all: {all} bytes of {room}");
            self.cx.note(TraceKinds::MEMORY, text.as_bytes());
        }
        true
    }

    /// Tells the client, and the log, that there is no memory.
    pub(super) fn tell_of_shortage(&mut self) -> Stage {
        let client = self.shown_client();
        self.log(&[b"memory shortage: ".as_slice(), &client, b" is to come back"].concat());
        self.reply(&[SHORTAGE])
    }
}
