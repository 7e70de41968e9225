//! Variables that an expansion binds for a while.

use eximious_core::{Effects, Example, Meta, TaintRule, Variable, VariableSource};

/// The records.
pub static ALL: &[Variable] = &[
    Variable {
        meta: Meta::new("value", Effects::NONE, TaintRule::Result)
            .syntax("$value")
            .summary("What a lookup, an extraction, a command or a list condition found.")
            .docs(
                "Bound for the branch that a successful `lookup`, `extract`, `run`, `if match…` \
                 or the like picks, and for the second argument of `reduce`; afterwards it is \
                 what it was before. So nested items each see their own. It is as tainted as \
                 what was found.",
            )
            .examples(&[
                Example::new("${extract{2}{:}{a:b:c}{<$value>}{none}}", "<b>"),
                Example::new("${reduce{1:2:3}{0}{${eval:$value + $item}}}", "6"),
            ])
            .source("specification 11.5, 11.9"),
        source: VariableSource::Computed(|call| Ok(call.scope().value().clone())),
    },
    Variable {
        meta: Meta::new("item", Effects::NONE, TaintRule::Result)
            .syntax("$item")
            .summary("The element at hand in map, filter, reduce, sort, forany and forall.")
            .docs(
                "Bound for each element in turn, with the list's taint. It is data: what it holds \
                 is not expanded again. Nested items each see their own, and outside of them it \
                 is empty.",
            )
            .examples(&[Example::new("${map{a:b}{<$item>}}", "<a>:<b>")])
            .source("specification 11.5, 11.9"),
        source: VariableSource::Computed(|call| Ok(call.scope().item().clone())),
    },
];
