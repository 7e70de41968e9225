//! Conditions on the state of a delivery.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

const fn bare(
    name: &'static str,
    summary: &'static str,
    examples: &'static [Example],
    run: fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>,
) -> Condition {
    Condition {
        meta: Meta::new(name, Effects::NONE, TaintRule::Result)
            .syntax(name)
            .summary(summary)
            .examples(examples)
            .source("specification 11.7"),
        shape: ConditionShape::Bare,
        run: ConditionRun::Strict(run),
    }
}

/// `first_delivery`.
pub static FIRST_DELIVERY: Condition = bare(
    "first_delivery",
    "This is the message's first delivery attempt.",
    &[Example::new("${if first_delivery{yes}{no}}", "no")],
    |_, _| Ok(false),
);
/// `queue_running`.
pub static QUEUE_RUNNING: Condition = bare(
    "queue_running",
    "A queue runner makes this delivery attempt.",
    &[Example::new("${if queue_running{yes}{no}}", "no")],
    |_, _| Ok(false),
);
