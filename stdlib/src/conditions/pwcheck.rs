//! `pwcheck`: a daemon that saslauthd has replaced.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Condition, ConditionRun, Effects, ErrorKind, Fail, Meta, TaintRule};

/// `pwcheck {user:password}`.
pub static PWCHECK: Condition = Condition {
    meta: Meta::new("pwcheck", Effects::NONE, TaintRule::Result)
        .until("4.100")
        .syntax("pwcheck {<user>:<password>}")
        .summary("The pwcheck daemon, which is no more, accepts a password.")
        .docs(
            "Cyrus's `saslauthd` has taken the daemon's place, and the condition `saslauthd` \
             that of this one. The word is known, so that old configurations are read; a \
             string that reaches it fails and says so.",
        )
        .needs("a daemon that saslauthd has replaced")
        .source("specification 11.7, saslauthd"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(|_, _| {
        Err(Fail::error(ErrorKind::Unsupported, "support for \"pwcheck\" not compiled"))
    }),
};
