//! `env`.

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape};
use eximious_core::{BranchOutcome, Effects, Example, Item, ItemRun, Meta, TaintRule};

use crate::environment::value;

/// `${env{name}{found}{not found}}`.
pub static ENV: Item = Item {
    meta: Meta::new("env", Effects::HOST, TaintRule::Result)
        .syntax("${env{<name>}{<found>}{<not found>}}")
        .summary("A variable of the environment.")
        .docs(
            "The environment is empty but for what the options `keep_environment` and \
             `add_environment` let in. Where the variable is there, it is in `$value` while the \
             second argument is expanded; otherwise the third is. White space in the name is \
             part of it. `TZ` follows the option `timezone`.",
        )
        .examples(&[Example::new("${env{HOME}{$value}{none}}", "none")])
        .source("specification 11.5"),
    // Exim says nothing at all where the name is missing.
    shape: ItemShape::Branches(&[ArgSpec { kind: ArgKind::Text, missing: "" }]),
    run: ItemRun::Lazy(|call| {
        let name = call.arguments(|call| call.text(0))?;
        match value(call, name.bytes())? {
            Some(value) => call.branches(BranchOutcome::Yes(value)),
            None => call.branches(BranchOutcome::No),
        }
    }),
};
