//! Variables that an expansion binds for a while.

use eximious_core::{Effects, Meta, TaintRule, Variable, VariableSource};

/// The records.
pub static ALL: &[Variable] = &[
    Variable {
        meta: Meta::new("value", Effects::NONE, TaintRule::Result)
            .syntax("$value")
            .summary("What a lookup, an extraction, a command or a list condition found.")
            .source("specification 11.9"),
        source: VariableSource::Computed(|call| Ok(call.scope().value.clone())),
    },
    Variable {
        meta: Meta::new("item", Effects::NONE, TaintRule::Result)
            .syntax("$item")
            .summary("The element at hand in map, filter, reduce, sort, forany and forall.")
            .source("specification 11.9"),
        source: VariableSource::Computed(|call| Ok(call.scope().item.clone())),
    },
];
