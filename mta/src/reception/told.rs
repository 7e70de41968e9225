//! Lines that keep what an envelope said before rules rewrote it. They are no part of the
//! message, and stand with those that were taken out of it, as in Exim's spool.

use eximious::Str;

use super::lines::made;
use crate::smtp::Replaced;

/// Where such lines stand in a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RewrittenPlaces {
    recipients: Place,
    sender: Place,
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Place {
    /// How many lines that were taken out stand before it.
    gone: usize,
    /// How many of the message's header lines do.
    before: usize,
}

impl RewrittenPlaces {
    /// Finds the two marks among the lines that were taken out, that of the recipients first,
    /// and removes them.
    pub(super) fn take(replaced: &mut Vec<Replaced>) -> Self {
        let mut next = || {
            let at = replaced.iter().position(|one| one.header.line.is_empty());
            let gone = at.unwrap_or(replaced.len());
            let before = at.map_or(usize::MAX, |at| replaced.remove(at).before);
            Place { gone, before }
        };
        Self { recipients: next(), sender: next() }
    }

    /// Puts the lines there: recipients and the sender as they were before each change.
    pub fn tell(self, replaced: &mut Vec<Replaced>, recipients: &[Str], sender: &[Str]) {
        let line = |place: Place, name: &str, address: &Str| Replaced {
            before: place.before,
            header: made(name, address.bytes()),
        };
        let names = ["X-rewrote-sender", "X-rewrote-original-recipient"];
        let all = [(self.sender, sender), (self.recipients, recipients)];
        // What stands further behind comes first: it moves nothing else.
        for (name, (place, addresses)) in names.into_iter().zip(all) {
            let at = place.gone.min(replaced.len());
            let lines = addresses.iter().map(|address| line(place, name, address));
            replaced.splice(at..at, lines);
        }
    }
}
