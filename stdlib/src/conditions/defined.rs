//! `def`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Condition, ConditionRun, Effects, Example, Meta, TaintRule};

/// `def:variable`.
pub static DEF: Condition = Condition {
    meta: Meta::new("def", Effects::NONE, TaintRule::Result)
        .syntax("def:<variable name>")
        .summary("The variable has a value, or the header line exists.")
        .docs(
            "The name stands without a dollar. A header's name (`def:h_subject:`) ends in a \
             colon, and the condition is true if the message has such a line.",
        )
        .examples(&[Example::new("${if def:sender_ident {from $sender_ident}{none}}", "none")])
        .source("specification 11.7"),
    shape: ConditionShape::Variable,
    run: ConditionRun::Lazy(|call| call.is_defined(0)),
};
