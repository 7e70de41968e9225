//! `and`, `or` (specification 11.8).

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, TaintRule};

const INSIDE_AND: &str = " inside \"and{...}\" condition";
const INSIDE_OR: &str = " inside \"or{...}\" condition";

/// `and{{condition}{condition}…}`.
pub static AND: Condition = Condition {
    meta: Meta::new("and", Effects::NONE, TaintRule::Result)
        .syntax("and{{<condition>}{<condition>}…}")
        .summary("True if all conditions are.")
        .docs(
            "They are tested from left to right. After one that is false, the rest are parsed \
             but not tested.",
        )
        .examples(&[Example::new("${if and{{eq{a}{a}}{>{3}{2}}}{yes}{no}}", "yes")])
        .source("specification 11.8"),
    shape: ConditionShape::Conditions { inside: INSIDE_AND },
    run: ConditionRun::Lazy(|call| until(call, false, INSIDE_AND)),
};

/// `or{{condition}{condition}…}`.
pub static OR: Condition = Condition {
    meta: Meta::new("or", Effects::NONE, TaintRule::Result)
        .syntax("or{{<condition>}{<condition>}…}")
        .summary("True if any condition is.")
        .docs(
            "They are tested from left to right. After one that is true, the rest are parsed \
             but not tested.",
        )
        .examples(&[Example::new("${if or{{eq{a}{b}}{>{3}{2}}}{yes}{no}}", "yes")])
        .source("specification 11.8"),
    shape: ConditionShape::Conditions { inside: INSIDE_OR },
    run: ConditionRun::Lazy(|call| until(call, true, INSIDE_OR)),
};

/// Tests conditions up to the first with a result, and parses the rest only.
fn until(call: &mut Call<'_>, stop: bool, inside: &str) -> Result<bool, Fail> {
    let mut decided = false;
    for index in 0..call.args().len() {
        if decided {
            call.parse_only(index)?;
        } else {
            decided = call.condition(index).map_err(|fail| fail.followed_by(inside))? == stop;
        }
    }
    call.check_closed()?;
    Ok(decided == stop)
}
