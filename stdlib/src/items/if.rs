//! `if`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{
    BranchOutcome, Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule,
};

/// `${if condition {yes}{no}}`.
pub static IF: Item = Item {
    meta: Meta::new("if", Effects::NONE, TaintRule::Result)
        .syntax("${if <condition> {<string1>}{<string2>}}")
        .summary("One string or another, after a condition.")
        .docs(
            "If the condition is true, the first string is expanded and replaces the item, \
             otherwise the second. The second string may be missing, or be the word `fail`, \
             which makes the whole expansion fail. With no string at all, a true condition \
             gives `true` and a false one nothing. `$0`, `$1`, … and `$value`, where the \
             condition sets them, hold inside the strings and are put back afterwards.",
        )
        .examples(&[
            Example::new("${if eq{a}{a}{yes}{no}}", "yes"),
            Example::new("${if eq{a}{b}{yes}fail}", "Failed: \"if\" failed and \"fail\" requested"),
            Example::new("${if >{3}{2}}", "true"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::If,
    run: ItemRun::Lazy(run),
};

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    call.scoped(|call| {
        let outcome = if call.condition(0)? {
            BranchOutcome::Plain(Str::fixed("true"))
        } else {
            BranchOutcome::Unmet
        };
        call.branches(outcome)
    })
}
