//! What senders ask to hear of their messages, and what they are told: of failures, delays and
//! arrivals, of messages of all kinds, over several attempts at their delivery.

mod messages;
mod site;

use fastrand::Rng;

use super::{Form, Quarry};

/// A configuration, and a message.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## reports");
    site::make(rng, &mut quarry);
    messages::make(rng, &mut quarry);
    quarry
}
