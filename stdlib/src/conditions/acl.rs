//! `acl`: whether an ACL accepts.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Condition, ConditionRun, Example, Meta, TaintRule};

use crate::items::acl::{ANYTHING, answer};

/// `acl {{name}{arg}…}`.
pub static ACL: Condition = Condition {
    meta: Meta::new("acl", ANYTHING, TaintRule::Result)
        .syntax("acl {{<name>}{<argument>}…}")
        .summary("An ACL, called with arguments, accepts.")
        .docs(
            "The arguments are as those of the item `acl`. The condition is true if the ACL \
             accepts and false if it denies; `$value` is what its `message` modifier said, or \
             empty. If the ACL defers, the expansion is forced to fail.",
        )
        .examples(&[
            Example::new("${if acl{{}}{accepted}{denied}}", "denied"),
            Example::new("${if acl{{unknown}}{}{}}", "Failed: ERROR from acl \"unknown\""),
        ])
        .source("specification 11.7"),
    shape: ConditionShape::Group { min: 1, max: 10 },
    run: ConditionRun::Strict(|call, args| {
        let answer = answer(call, args)?;
        call.scope().set_value(answer.message.unwrap_or_default());
        Ok(answer.accepted)
    }),
};
