//! Variables of this host and process.

use eximious_core::{Call, Effects, Fail, Meta, Str, TaintRule, Variable, VariableSource};

const fn computed(
    name: &'static str,
    summary: &'static str,
    run: fn(&mut Call<'_>) -> Result<Str, Fail>,
) -> Variable {
    Variable {
        meta: Meta::new(name, Effects::HOST, TaintRule::Clean)
            .summary(summary)
            .source("specification 11.9"),
        source: VariableSource::Computed(run),
    }
}

/// The records.
pub static ALL: &[Variable] = &[
    computed("primary_hostname", "The host's name, as configured or as the system says.", |call| {
        match &call.settings().primary_hostname {
            Some(name) => Ok(name.clone()),
            None => Ok(Str::from(call.host()?.name())),
        }
    }),
    computed("pid", "The number of this process.", |call| {
        Ok(Str::from(call.host()?.pid().to_string()))
    }),
];
