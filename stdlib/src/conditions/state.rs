//! Conditions on the state of a delivery.

use eximious_core::{Condition, Example};

use super::record::{bare, meta};

/// `first_delivery`.
pub static FIRST_DELIVERY: Condition = bare(
    meta(
        "first_delivery",
        "first_delivery",
        "This is the message's first delivery attempt.",
        &[Example::new("${if first_delivery{yes}{no}}", "no")],
    ),
    |call, _| Ok(call.message().is_some_and(|message| message.attempt.is_first)),
);
/// `queue_running`.
pub static QUEUE_RUNNING: Condition = bare(
    meta(
        "queue_running",
        "queue_running",
        "A queue runner makes this delivery attempt.",
        &[Example::new("${if queue_running{yes}{no}}", "no")],
    ),
    |call, _| Ok(call.message().is_some_and(|message| message.attempt.is_run)),
);
