//! `exists`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Condition, ConditionRun, Effects, Example, Meta, TaintRule};

/// `exists {file name}`.
pub static EXISTS: Condition = Condition {
    meta: Meta::new("exists", Effects::FILES, TaintRule::Result)
        .syntax("exists {<file name>}")
        .summary("A file or directory is there.")
        .docs(
            "A symbolic link is there if what it leads to is. That the test is true does not \
             make a tainted name clean.",
        )
        .examples(&[Example::new("${if exists{/nosuch}{yes}{no}}", "no")])
        .source("specification 11.7"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(|call, args| {
        let path = call.found(args[0].bytes());
        Ok(call.files()?.stat(&path, true).is_ok())
    }),
};
