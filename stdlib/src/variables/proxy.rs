//! Variables of a connection through a proxy.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "proxy_external_address",
        Slot,
        Clean,
        "The IP address on the proxy's outer side.",
        aliases(&["proxy_target_address"]),
        docs(
            "For an incoming connection through a proxy that speaks the PROXY protocol it is \
             the client's address, as `$sender_host_address` is then too; for an outgoing one \
             through SOCKS the outer address of the proxy. `$proxy_session` without it means \
             that the proxy did not say who it speaks for."
        ),
        source("specification 59")
    ),
    variable!(
        "proxy_external_port",
        SlotWith("0"),
        Clean,
        "The port on the proxy's outer side.",
        aliases(&["proxy_target_port"]),
        source("specification 59")
    ),
    variable!(
        "proxy_local_address",
        Slot,
        Clean,
        "The IP address on the proxy's inner side.",
        aliases(&["proxy_host_address"]),
        source("specification 59")
    ),
    variable!(
        "proxy_local_port",
        SlotWith("0"),
        Clean,
        "The port on the proxy's inner side.",
        aliases(&["proxy_host_port"]),
        source("specification 59")
    ),
    variable!(
        "proxy_session",
        SlotWith("no"),
        Clean,
        "Whether the SMTP connection comes through a proxy: `yes` or `no`.",
        source("specification 59")
    ),
];
