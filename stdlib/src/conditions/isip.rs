//! `isip`, `isip4`, `isip6`.

use std::net::IpAddr;

use eximious_core::{Condition, Example};

use super::record::{meta, one};
use crate::ip::address;

const DOCS: &str = "The whole string must be the address, without a mask and without white space around it. An \
     IPv6 address may name a zone: `fe80::1%eth0`.";

/// `isip {string}`.
pub static ISIP: Condition = one(
    meta(
        "isip",
        "isip {<string>}",
        "The string is an IP address.",
        &[
            Example::new("${if isip{192.0.2.1}{yes}{no}}", "yes"),
            Example::new("${if isip{2001:db8::1}{yes}{no}}", "yes"),
            Example::new("${if isip{192.0.2.0/24}{yes}{no}}", "no"),
        ],
    )
    .docs(DOCS),
    |_, args| Ok(address(args[0].bytes()).is_some()),
);

/// `isip4 {string}`.
pub static ISIP4: Condition = one(
    meta(
        "isip4",
        "isip4 {<string>}",
        "The string is an IPv4 address.",
        &[Example::new("${if isip4{::1}{yes}{no}}", "no")],
    )
    .docs(DOCS),
    |_, args| Ok(matches!(address(args[0].bytes()), Some(IpAddr::V4(_)))),
);

/// `isip6 {string}`.
pub static ISIP6: Condition = one(
    meta(
        "isip6",
        "isip6 {<string>}",
        "The string is an IPv6 address.",
        &[Example::new("${if isip6{::ffff:192.0.2.1}{yes}{no}}", "yes")],
    )
    .docs(DOCS),
    |_, args| Ok(matches!(address(args[0].bytes()), Some(IpAddr::V6(_)))),
);
