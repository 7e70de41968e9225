//! Conditions on signatures and on what a sender's domain publishes: they are known, and
//! not there yet (specification, chapter 58).

use eximious_core::{AclOptions, AclPhases, AclTerm, AclVerify, Effects, Runs};

use super::words;

/// `dmarc_status`.
pub(super) static DMARC_STATUS: AclTerm = words::not_yet(
    words::meta(
        "dmarc_status",
        "dmarc_status = <string list>",
        "specification 58.3.3",
        "The sender's DMARC policy has a result listed.",
        "The words are `accept`, `reject`, `quarantine`, `none`, `norecord`, `nofrom`, \
         `temperror` and `off`; `!` before one turns it round. The check takes place when the \
         statement comes to it, and needs an `spf` condition before it.",
    )
    .needs("a build with DMARC"),
)
.phases(AclPhases::DATA)
.unexpanded()
.effects(Effects::DNS);

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
