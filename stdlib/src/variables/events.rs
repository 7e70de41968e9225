//! Variables of the `event_action` options.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "event_data",
        Slot,
        Tainted,
        "What goes with an event: an error, a response, a banner.",
        docs(
            "Its meaning depends on `$event_name`: for `msg:delivery` the server's confirmation, \
             for `msg:host:defer` the error, for `tls:cert` the depth in the chain. Empty outside \
             of `event_action`."
        ),
        source("specification 61"),
        aliases(&["tpda_delivery_confirmation", "tpda_defer_errstr"])
    ),
    variable!(
        "event_defer_errno",
        SlotWith("0"),
        Clean,
        "The error number of a `defer` event.",
        source("specification 61"),
        aliases(&["tpda_defer_errno"])
    ),
    variable!(
        "event_name",
        Slot,
        Clean,
        "The event that `event_action` is expanded for: `msg:delivery`, `tcp:connect`, …",
        docs(
            "An `event_action` is expanded for every event; a condition on this name picks \
             those of interest: \
             `${if eq{msg:delivery}{$event_name}{${lookup pgsql{…}}}}`."
        ),
        source("specification 61")
    ),
];
