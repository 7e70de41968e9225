//! `expand`.

use eximious_core::{
    Call, Effects, Example, Fail, FailClass, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

/// `${expand:…}`.
pub static EXPAND: Operator = Operator {
    meta: Meta::new("expand", Effects::EXPAND, TaintRule::Result)
        .syntax("${expand:<string>}")
        .summary("Expands a string a second time.")
        .docs("What comes from outside is refused. A forced failure inside is an ordinary one here.")
        .examples(&[
            Example::new("${expand:\\${uc:abc\\}}", "ABC"),
            Example::new(
                "${expand:\\$nosuch}",
                "Failed: internal expansion of \"$nosuch\" failed: unknown variable name \"nosuch\"",
            ),
        ])
        .source("specification 11.6"),
    run: OperatorRun::Plain(expand),
};

fn expand(call: &mut Call<'_>, arg: &Str, _: Params<'_>) -> Result<Str, Fail> {
    call.expand_within(arg).map_err(|fail| {
        let head = b"internal expansion of \"";
        let message = [head, arg.bytes(), b"\" failed: ", fail.message()].concat();
        match fail.class() {
            FailClass::Forced => Fail::error(fail.kind(), message),
            FailClass::Defer | FailClass::Error => fail.reworded(message),
        }
    })
}
