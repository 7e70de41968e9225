//! What is worth counting, told to who watches ([`TallyEvent`]).

use std::time::Duration;

use eximious::trace::{DeliveryOutcome, Happening, TallyEvent};
use eximious::world::Moment;
use eximious::{Context, var};

/// A message of some size has come.
pub(crate) fn received(cx: &mut Context, size: u64) {
    let protocol = cx.value_of(var::RECEIVED_PROTOCOL);
    cx.tell(Happening::Tally(TallyEvent::Received { protocol: protocol.bytes(), size }));
}

/// Something came of an address, by a transport, which may have asked a host.
pub(crate) fn address(
    cx: &mut Context,
    transport: &[u8],
    host: Option<&[u8]>,
    outcome: DeliveryOutcome,
) {
    cx.tell(Happening::Tally(TallyEvent::Address { transport, host, outcome }));
}

/// A message is done with that came at some time.
pub(crate) fn completed(cx: &mut Context, came: Moment) {
    let now = cx.engine().world().clock.now();
    let whole = |moment: Moment| {
        let seconds = u64::try_from(moment.seconds).unwrap_or(0);
        Duration::new(seconds, moment.nanos)
    };
    let waited = whole(now).saturating_sub(whole(came));
    cx.tell(Happening::Tally(TallyEvent::Completed { waited }));
}
