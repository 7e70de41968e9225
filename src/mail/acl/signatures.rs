//! Conditions on signatures and on what a sender's domain publishes: they are known, and
//! not there yet (specification, chapter 58).

use eximious_core::{AclOptions, AclPhases, AclVerify, Effects, Runs};

use super::words;

/// `verify = arc`.
pub(super) static ARC: AclVerify = words::verify(
    Runs::NotYet,
    words::meta(
        "arc",
        "verify = arc[/<list of none, fail, pass>]",
        "experimental-spec",
        "The message's ARC chain has a result listed.",
        "The chain of signatures that forwarders left is checked when the statement comes to it. \
         Without a list, `pass` will do; `$arc_state` has the result.",
    )
    .since("4.91")
    .needs("a build with ARC"),
)
.phases(AclPhases::DATA)
.options(AclOptions::Text)
.effects(Effects::DNS);
