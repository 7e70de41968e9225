//! `match`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Condition, ConditionRun, Effects, Example, Meta, TaintRule};

use crate::pattern::matches;

/// `match {string}{regex}`.
pub static MATCH: Condition = Condition {
    meta: Meta::new("match", Effects::NONE, TaintRule::Result)
        .syntax("match {<string>}{<regex>}")
        .summary("A regular expression matches the string.")
        .docs(
            "The expression may match anywhere unless it is anchored. `\\N…\\N` protects it from \
             expansion. After a match, `$0`, `$1`, … hold what the groups matched, inside the \
             strings of the surrounding `if`.",
        )
        .examples(&[Example::new("${if match{abc}{^a(.)}{$1}{no}}", "b")])
        .source("specification 11.7"),
    shape: ConditionShape::Two,
    run: ConditionRun::Strict(|call, args| matches(call, args[1].bytes(), false, &args[0])),
};
