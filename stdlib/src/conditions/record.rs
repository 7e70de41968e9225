//! Records of conditions that have no effects, from what differs.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

/// What a condition does with its evaluated arguments.
type Run = fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>;

/// What a condition without effects says of itself.
pub(super) const fn meta(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    examples: &'static [Example],
) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Result)
        .syntax(syntax)
        .summary(summary)
        .examples(examples)
        .source("specification 11.7")
}

/// A condition on nothing.
pub(super) const fn bare(meta: Meta, run: Run) -> Condition {
    Condition { meta, shape: ConditionShape::Bare, run: ConditionRun::Strict(run) }
}

/// A condition on one string.
pub(super) const fn one(meta: Meta, run: Run) -> Condition {
    Condition { meta, shape: ConditionShape::One, run: ConditionRun::Strict(run) }
}

/// A condition on two strings.
pub(super) const fn two(meta: Meta, run: Run) -> Condition {
    Condition { meta, shape: ConditionShape::Two, run: ConditionRun::Strict(run) }
}
