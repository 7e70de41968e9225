//! What an administrator does to a message that waits: `-Mf`, `-Mt`, `-Mrm`, `-Mmad`,
//! `-Mmd`, `-Mar`, `-Mes`, `-MG` (specification 5.2).

use std::io;

use eximious::LogSelector;
use eximious::stdlib::address::{self, Rules};
use eximious::stdlib::wording::reason;
use eximious::world::spool::is_name;
use eximious::world::{SpoolPlace, TakenMessage};

use super::Deliverer;
use crate::spool::queue::{Stored, locked, not_found};
use crate::spool::{HeaderFile, SpoolRecipient};

/// What is done to a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handling {
    /// `-Mf`: it is frozen.
    Freeze,
    /// `-Mt`: it is frozen no longer.
    Thaw,
    /// `-Mrm`: it goes, and nobody is told.
    Remove,
    /// `-Mmad`: all its recipients have got it.
    MarkAll,
    /// `-Mmd`: these have got it.
    Mark(Vec<Vec<u8>>),
    /// `-Mar`: these get it as well.
    Add(Vec<Vec<u8>>),
    /// `-Mes`: it has another sender, if one is named.
    Sender(Vec<Vec<u8>>),
    /// `-MG`: it goes into this queue; an empty name is the usual one's.
    Requeue(Vec<u8>),
}

/// What is to be said of it, and whether it was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handled {
    /// Lines for whoever asked.
    pub said: Vec<u8>,
    /// Whether it was done.
    pub done: bool,
}

impl Deliverer {
    /// Takes a message out of the queue for the user, by number, who handed it in. To anybody
    /// else nothing is done, nor told of it.
    pub fn remove_for(&self, place: &SpoolPlace, id: &[u8], owner: i64, by: &[u8]) -> Handled {
        let stored = Stored::read(self.engine.world(), place, id);
        match stored.is_ok_and(|stored| stored.file.uid == owner) {
            true => self.handle(place, id, &Handling::Remove, by),
            false => Handled { said: b"Permission denied\n".to_vec(), done: false },
        }
    }

    /// Does something to a message that waits; `by` is the login name of who asks.
    pub fn handle(&self, place: &SpoolPlace, id: &[u8], what: &Handling, by: &[u8]) -> Handled {
        let world = self.engine.world();
        let said = |parts: &[&[u8]], done| Handled { said: parts.concat(), done };
        let mut taken = match world.spool.take(place, id) {
            Ok(Some(taken)) => taken,
            Ok(None) => {
                self.log_locked(id);
                return said(&[b"Message ", id, b" is locked\n"], false);
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                return self.missing(place, id, what, by);
            }
            Err(why) => {
                let why = reason(&why);
                let parts: [&[u8]; 5] =
                    [b"Couldn't open spool file for ", id, b": ", why.as_bytes(), b"\n"];
                return said(&parts, false);
            }
        };
        let stored = match Stored::read(world, place, id) {
            Ok(stored) => stored,
            Err(why) => {
                let why = why.told(id, b"-H");
                if *what == Handling::Remove {
                    self.tell_removed(id, None, None, by);
                    let Handled { said: end, .. } = self.remove(place, id, &mut *taken, by);
                    return said(&[&why, CONTINUING, &end], false);
                }
                return said(&[&why, b"\n"], false);
            }
        };
        if *what == Handling::Remove {
            self.tell_removed(id, Some(&stored), Some(&*taken), by);
        }
        let Stored { file, journal: newly_done, .. } = stored;
        let mut work =
            Work { deliverer: self, id, by, place, file, newly_done, taken: &mut *taken };
        work.run(what)
    }

    /// Takes a message away. Where a file of it can't go, that does not make it wait on.
    fn remove(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        taken: &mut dyn TakenMessage,
        by: &[u8],
    ) -> Handled {
        let said = |parts: &[&[u8]], done| Handled {
            said: [b"Message ", id, &parts.concat(), b"\n"].concat(),
            done,
        };
        let Err(why) = taken.remove() else {
            self.log_removed(id, by);
            return said(&[b" has been removed"], true);
        };
        let why = reason(&why);
        let left = self.engine.world().spool.read(place, id, b"-D", 0);
        if left.is_err_and(|why| why.kind() == io::ErrorKind::NotFound) {
            self.log_removed(id, by);
            self.log(id, &[b"not all of its files can be removed: ", why.as_bytes()].concat());
            return said(
                &[b" has been removed, but not all of its files: ", why.as_bytes()],
                false,
            );
        }
        let words = [b"can't be removed: ", why.as_bytes()].concat();
        self.log(id, &words);
        said(&[b" ", &words], false)
    }

    fn missing(&self, place: &SpoolPlace, id: &[u8], what: &Handling, by: &[u8]) -> Handled {
        let mut said = [b"Spool data file for ", id, b" does not exist\n"].concat();
        self.log_missing(place, id);
        if *what != Handling::Remove {
            return Handled { said, done: false };
        }
        said.extend_from_slice(b"Continuing, to ensure all files removed\n");
        let world = self.engine.world();
        match Stored::read(world, place, id) {
            Ok(stored) => self.tell_removed(id, Some(&stored), None, by),
            Err(why) => said.extend_from_slice(&[&why.told(id, b"-H")[..], CONTINUING].concat()),
        }
        let end = b" has been removed or did not exist\n";
        said.extend_from_slice(&[b"Message ", id, end].concat());
        if world.spool.remove_rest(place, id).unwrap_or(false) {
            self.log_removed(id, by);
        }
        Handled { said, done: false }
    }

    /// Logs that somebody has removed a message.
    fn log_removed(&self, id: &[u8], by: &[u8]) {
        self.log(id, &[b"removed by ", by].concat());
        self.log(id, b"Completed");
    }

    /// Logs that somebody else is at a message.
    pub(super) fn log_locked(&self, id: &[u8]) {
        self.log_if(LogSelector::SKIP_DELIVERY, id, &locked(id));
    }

    /// Logs that there is no such message.
    pub(super) fn log_missing(&self, place: &SpoolPlace, id: &[u8]) {
        self.log(id, &not_found(place, id));
    }
}

/// What is said where a message goes of which a file is not what it should be.
const CONTINUING: &[u8] = b"\nContinuing to ensure all files removed\n";

/// A message at hand.
struct Work<'w> {
    deliverer: &'w Deliverer,
    id: &'w [u8],
    by: &'w [u8],
    /// The queue that it is in.
    place: &'w SpoolPlace,
    file: HeaderFile,
    /// Who has got it, or is not to get it, beside those whom the file names.
    newly_done: Vec<Vec<u8>>,
    taken: &'w mut dyn TakenMessage,
}

impl Work<'_> {
    fn run(&mut self, what: &Handling) -> Handled {
        let frozen = self.file.has("frozen");
        match what {
            Handling::Freeze if frozen => self.says(b" is already frozen", false),
            Handling::Thaw if !frozen => self.says(b" is not frozen", false),
            Handling::Freeze => {
                let now = self.deliverer.engine.world().clock.now().seconds;
                self.file.freeze(now);
                self.file.values.retain(|value| value.name != b"manual_thaw");
                self.update(b" is now frozen", &[b"frozen"])
            }
            Handling::Thaw => {
                self.file.thaw(true);
                self.update(b" is no longer frozen", &[b"unfrozen"])
            }
            Handling::Remove => {
                self.deliverer.remove(self.place, self.id, &mut *self.taken, self.by)
            }
            Handling::MarkAll => {
                let all = self.file.recipients.iter().map(|one| one.address.clone()).collect();
                self.mark_these(all)
            }
            Handling::Mark(some) if some.is_empty() => self.lacks(b"marking as delivered"),
            Handling::Mark(some) => self.mark(some),
            Handling::Add(some) if some.is_empty() => self.lacks(b"adding recipient"),
            Handling::Add(some) => self.add(some),
            Handling::Sender(some) => match &some[..] {
                [] => self.lacks(b"editing sender"),
                [sender] => self.sender(sender),
                _ => self.says(b" - only one sender address can be specified", false),
            },
            Handling::Requeue(queue) => self.requeue(queue),
        }
    }

    /// What is said has no end of its line: others may follow.
    fn requeue(&mut self, queue: &[u8]) -> Handled {
        let shown = |queue: &[u8]| match queue.is_empty() {
            true => b"input, msglog".to_vec(),
            false => [b"(", queue, b") input, msglog"].concat(),
        };
        if !queue.is_empty() && !is_name(queue) {
            return self.failed("no queue can be called that");
        }
        if let Err(why) = self.taken.requeue(queue) {
            return self.failed(&reason(&why));
        }
        let (from, to) = (shown(&self.place.queue), shown(queue));
        let line = [b"moved from ", &from[..], b" to ", &to].concat();
        self.deliverer.log(self.id, &line);
        Handled { said: [b"Message ", self.id, b" "].concat(), done: true }
    }

    fn says(&self, words: &[u8], done: bool) -> Handled {
        Handled { said: [b"Message ", self.id, words, b"\n"].concat(), done }
    }

    fn lacks(&self, doing: &[u8]) -> Handled {
        self.says(&[b" - error while ", doing, b": no address given"].concat(), false)
    }

    fn failed(&self, why: &str) -> Handled {
        self.says(format!(" can't be changed: {why}").as_bytes(), false)
    }

    fn log(&self, parts: &[&[u8]]) {
        self.deliverer.log(self.id, &[&parts.concat()[..], b" by ", self.by].concat());
    }

    /// Writes the header file, and then says so.
    fn update(&mut self, words: &[u8], logged: &[&[u8]]) -> Handled {
        self.file.not_for = self.file.not_for.with(self.newly_done.iter().map(Vec::as_slice));
        let written = match self.file.encode() {
            Ok(bytes) => self.taken.update(&bytes).map_err(|why| reason(&why)),
            Err(why) => Err(why.to_string()),
        };
        match written {
            Ok(()) => {
                logged.iter().for_each(|line| self.log(&[line]));
                self.says(words, true)
            }
            Err(why) => self.failed(&why),
        }
    }

    /// Marks recipients as typed, or as they are where all are meant. Where one of them is not
    /// to be had, the message stays as it is, and each such is told of.
    fn mark(&mut self, typed: &[Vec<u8>]) -> Handled {
        let doing = b"marking as delivered";
        let found = self.each(typed, |own, one| match own.whole(one) {
            // Two users may differ by the case of a letter alone.
            Ok(address) if own.file.recipients.iter().any(|known| known.address == address) => {
                Ok(address)
            }
            Ok(address) if address.is_empty() => Err(bad(one, b"empty address", doing)),
            Ok(_) => {
                let why: [&[u8]; 2] = [one, b" is not a recipient: message not updated"];
                Err(wrong(doing, &why))
            }
            Err(why) => Err(bad(one, &why, doing)),
        });
        match found {
            Ok(found) => self.mark_these(found),
            Err(said) => said,
        }
    }

    fn mark_these(&mut self, addresses: Vec<Vec<u8>>) -> Handled {
        let line = |one: &Vec<u8>| [b"address <", &one[..], b"> marked delivered"].concat();
        let lines: Vec<Vec<u8>> = addresses.iter().map(line).collect();
        self.newly_done.extend(addresses);
        self.update_all(&lines)
    }

    /// What becomes of each of some addresses, or what is said of all that are wrong.
    fn each(
        &self,
        typed: &[Vec<u8>],
        one: impl Fn(&Self, &[u8]) -> Result<Vec<u8>, Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, Handled> {
        let (mut right, mut complaints) = (Vec::new(), Vec::new());
        for typed in typed {
            match one(self, typed) {
                Ok(address) => right.push(address),
                Err(why) => complaints.push(why),
            }
        }
        match complaints.is_empty() {
            true => Ok(right),
            false => {
                let words = complaints.join(&b'\n');
                Err(self.says(&[b" ", &words[..]].concat(), false))
            }
        }
    }

    /// An address as it was typed, which has a domain.
    fn whole(&self, typed: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let settings = self.deliverer.engine.settings();
        let found = address::parse(typed, Rules::of(settings)).map_err(|why| why.message)?;
        match address::names_domain(&found.text) || found.text.is_empty() {
            true => Ok(found.text),
            false => Err(b"domain missing".to_vec()),
        }
    }

    fn add(&mut self, typed: &[Vec<u8>]) -> Handled {
        let doing = b"adding recipient";
        let found = self.each(typed, |own, one| match own.whole(one) {
            Ok(address) if address.is_empty() => Err(bad(one, b"empty address", doing)),
            Ok(address) => Ok(address),
            Err(why) => Err(bad(one, &why, doing)),
        });
        let found = match found {
            Ok(found) => found,
            Err(said) => return said,
        };
        let line = |one: &Vec<u8>| [b"recipient <", &one[..], b"> added"].concat();
        let lines: Vec<Vec<u8>> = found.iter().map(line).collect();
        let new = found.into_iter().map(|address| SpoolRecipient { address, more: None });
        self.file.recipients.extend(new);
        self.update_all(&lines)
    }

    /// Writes the header file with what was done, each in a line of the log.
    fn update_all(&mut self, lines: &[Vec<u8>]) -> Handled {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        self.update(b" has been modified", &lines)
    }

    fn bad(&self, typed: &[u8], why: &[u8], doing: &[u8]) -> Handled {
        self.says(&[b" ", &bad(typed, why, doing)[..]].concat(), false)
    }

    fn sender(&mut self, typed: &[u8]) -> Handled {
        let sender = match typed {
            b"<>" => Vec::new(),
            b"" => return self.bad(typed, b"empty address", b"editing sender"),
            typed => match self.whole(typed) {
                Ok(sender) => sender,
                Err(why) => return self.bad(typed, &why, b"editing sender"),
            },
        };
        let line = [b"sender address changed to <", &sender[..], b">"].concat();
        self.file.sender = sender;
        self.update(b" has been modified", &[&line])
    }
}

/// What is said where something can't be done to an address.
fn wrong(doing: &[u8], why: &[&[u8]]) -> Vec<u8> {
    [b"- error while ", doing, b":\n  ", &why.concat()].concat()
}

/// The same, where what was typed is no address.
fn bad(typed: &[u8], why: &[u8], doing: &[u8]) -> Vec<u8> {
    wrong(doing, &[b"bad address ", typed, b": ", why])
}
