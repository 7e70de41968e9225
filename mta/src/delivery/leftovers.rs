//! What becomes of a message's files where nobody can use them, or nobody is to deliver them
//! any more: `keep_malformed`, `preserve_message_logs`, `move_frozen_messages`
//! (specification 14).

use std::io;

use eximious::opt;
use eximious::stdlib::interval::written;
use eximious::stdlib::wording::reason;
use eximious::world::{SpoolPlace, TakenMessage};

use super::attempt::Attempt;
use super::{Attempted, Deliverer};
use crate::reception::message_id::time_of;
use crate::spool::queue::Unread;

impl Deliverer {
    /// Tells of a message that can't be read. One that makes no sense goes after a while.
    pub(super) fn unreadable(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        why: &Unread,
        taken: &mut dyn TakenMessage,
    ) -> Attempted {
        match why {
            Unread::Read(why) => {
                let is_gone = why.kind() == io::ErrorKind::NotFound;
                // Where somebody else has just delivered it, nothing of it is left.
                if !is_gone || self.engine.world().spool.size(place, id, b"-D").is_ok() {
                    let parts = [b"Error reading spool file ", id, b"-H: "].concat();
                    self.log(id, &[&parts[..], reason(why).as_bytes()].concat());
                }
                if is_gone {
                    return Attempted::Gone;
                }
            }
            Unread::Damaged(size) => {
                let name = String::from_utf8_lossy(id);
                let line = format!("Format error in spool file {name}-H: size={size}");
                self.log(id, line.as_bytes());
                self.drop_malformed(id, taken);
            }
        }
        Attempted::Unreadable
    }

    fn drop_malformed(&self, id: &[u8], taken: &mut dyn TakenMessage) {
        let most = self.engine.settings().get(opt::KEEP_MALFORMED).as_secs();
        let now = self.engine.world().clock.now().seconds;
        let age = time_of(id).and_then(|time| u64::try_from(now.saturating_sub(time)).ok());
        if age.is_none_or(|age| age <= most) {
            return;
        }
        let line = match taken.remove() {
            Ok(()) => {
                let most = written(i32::try_from(most).unwrap_or(i32::MAX));
                format!("Message removed because older than {most}")
            }
            Err(why) => format!("cannot be taken out of the spool: {}", reason(&why)),
        };
        self.log(id, line.as_bytes());
    }
}

impl Attempt<'_> {
    /// Keeps the log of a message that is done with, where that is wanted.
    pub(super) fn keep_log(&mut self) {
        if self.cx.engine().settings().get(opt::PRESERVE_MESSAGE_LOGS) {
            let kept = self.taken.keep_log();
            self.complain(b" message log can't be kept: ", kept);
        }
    }

    /// Puts a frozen message where nobody delivers it, where that is wanted.
    pub(super) fn put_aside(&mut self) {
        if self.cx.engine().settings().get(opt::MOVE_FROZEN_MESSAGES) {
            match self.taken.set_aside() {
                Ok(()) => self.log(b"moved from input, msglog to Finput, Fmsglog"),
                failed => self.complain(b"cannot be put aside: ", failed),
            }
        }
    }

    fn complain(&mut self, what: &[u8], done: io::Result<()>) {
        if let Err(why) = done {
            self.cx.log().panic(&[what, reason(&why).as_bytes()].concat());
        }
    }
}
