//! Variables that read the clock.

use eximious_core::{Effects, Meta, Str, TaintRule, Variable, VariableSource};

/// The records.
pub static ALL: &[Variable] = &[Variable {
    meta: Meta::new("tod_epoch", Effects::CLOCK, TaintRule::Clean)
        .syntax("$tod_epoch")
        .summary("Seconds since 1970.")
        .source("specification 11.9"),
    source: VariableSource::Computed(|call| Ok(Str::from(call.clock()?.now().seconds.to_string()))),
}];
