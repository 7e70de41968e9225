//! `lc`, `uc`.

use eximious_core::{Effects, Example, Meta, Operator, OperatorRun, TaintRule};

/// `${lc:string}`.
pub static LC: Operator = Operator {
    meta: Meta::new("lc", Effects::NONE, TaintRule::Arguments)
        .syntax("${lc:<string>}")
        .summary("Letters in lower case, as in the C locale.")
        .examples(&[Example::new("${lc:ABC}", "abc")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| Ok(arg.mapped(|byte| byte.to_ascii_lowercase()))),
};

/// `${uc:string}`.
pub static UC: Operator = Operator {
    meta: Meta::new("uc", Effects::NONE, TaintRule::Arguments)
        .syntax("${uc:<string>}")
        .summary("Letters in upper case, as in the C locale.")
        .examples(&[Example::new("${uc:abc}", "ABC")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| Ok(arg.mapped(|byte| byte.to_ascii_uppercase()))),
};
