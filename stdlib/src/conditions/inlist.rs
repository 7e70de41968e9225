//! `inlist`, `inlisti`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

use crate::lists::elements;

const fn inlist(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    examples: &'static [Example],
    run: fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>,
) -> Condition {
    Condition {
        meta: Meta::new(name, Effects::NONE, TaintRule::Result)
            .syntax(syntax)
            .summary(summary)
            .docs(
                "The list's elements are plain strings. The one that is found is in `$value` \
                 inside the strings of the surrounding `if`; it comes from the list and is as \
                 clean as the list is, so that this is a way to make sure of data from outside.",
            )
            .examples(examples)
            .source("specification 11.7"),
        shape: ConditionShape::Two,
        run: ConditionRun::Strict(run),
    }
}

/// `inlist {string}{list}`.
pub static INLIST: Condition = inlist(
    "inlist",
    "inlist {<string>}{<list>}",
    "The string is an element of the list.",
    &[
        Example::new("${if inlist{b}{a:b:c}{<$value>}{no}}", "<b>"),
        Example::new("${if inlist{B}{a:b:c}{<$value>}{no}}", "no"),
    ],
    |call, args| Ok(find(call, args, |a, b| a == b)),
);

/// `inlisti {string}{list}`.
pub static INLISTI: Condition = inlist(
    "inlisti",
    "inlisti {<string>}{<list>}",
    "The string is an element of the list, but for case.",
    &[Example::new("${if inlisti{B}{a:b:c}{<$value>}{no}}", "<b>")],
    |call, args| Ok(find(call, args, <[u8]>::eq_ignore_ascii_case)),
);

fn find(call: &mut Call<'_>, args: &[Str], same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let (subject, list) = (args[0].bytes(), &args[1]);
    let Some(element) = elements(list.bytes()).find(|element| same(element, subject)) else {
        return false;
    };
    call.scope().set_value(Str::from(&*element).stamped(list.taint()));
    true
}
