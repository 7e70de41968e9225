//! `isip`, `isip4`, `isip6`.

use std::net::IpAddr;

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

use crate::ip::address;

const fn isip(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    examples: &'static [Example],
    run: fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>,
) -> Condition {
    Condition {
        meta: Meta::new(name, Effects::NONE, TaintRule::Result)
            .syntax(syntax)
            .summary(summary)
            .docs(
                "The whole string must be the address, without a mask and without white space \
                 around it. An IPv6 address may name a zone: `fe80::1%eth0`.",
            )
            .examples(examples)
            .source("specification 11.7"),
        shape: ConditionShape::One,
        run: ConditionRun::Strict(run),
    }
}

/// `isip {string}`.
pub static ISIP: Condition = isip(
    "isip",
    "isip {<string>}",
    "The string is an IP address.",
    &[
        Example::new("${if isip{192.0.2.1}{yes}{no}}", "yes"),
        Example::new("${if isip{2001:db8::1}{yes}{no}}", "yes"),
        Example::new("${if isip{192.0.2.0/24}{yes}{no}}", "no"),
    ],
    |_, args| Ok(address(args[0].bytes()).is_some()),
);

/// `isip4 {string}`.
pub static ISIP4: Condition = isip(
    "isip4",
    "isip4 {<string>}",
    "The string is an IPv4 address.",
    &[Example::new("${if isip4{::1}{yes}{no}}", "no")],
    |_, args| Ok(matches!(address(args[0].bytes()), Some(IpAddr::V4(_)))),
);

/// `isip6 {string}`.
pub static ISIP6: Condition = isip(
    "isip6",
    "isip6 {<string>}",
    "The string is an IPv6 address.",
    &[Example::new("${if isip6{::ffff:192.0.2.1}{yes}{no}}", "yes")],
    |_, args| Ok(matches!(address(args[0].bytes()), Some(IpAddr::V6(_)))),
);
