//! `acl`: what an ACL says, as a string.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{AclAnswer, Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::variables::var;

/// What calling an ACL may do: its conditions may look at anything.
pub(crate) const ANYTHING: Effects = Effects::VARS.union(Effects::LOG);

/// `${acl{name}{arg}…}`.
pub static ACL: Item = Item {
    meta: Meta::new("acl", ANYTHING, TaintRule::Result)
        .syntax("${acl{<name>}{<argument>}…}")
        .summary("The message of an ACL that is called with arguments.")
        .docs(
            "Up to nine arguments are in `$acl_arg1` to `$acl_arg9` while the ACL runs, and their \
             number is in `$acl_narg`; what was there before is put back. If the ACL accepts or \
             denies, the result is what its `message` modifier said, or empty. If it defers, \
             the expansion is forced to fail. An ACL that nobody knows makes it fail.",
        )
        .examples(&[
            Example::new("[${acl{}}]", "[]"),
            Example::new("${acl{unknown}}", "Failed: ERROR from acl \"unknown\""),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Braces { min: 1, max: 10 },
    run: ItemRun::Strict(|call, args| Ok(answer(call, args)?.message.unwrap_or_default())),
};

/// Calls an ACL: its name, then its arguments.
///
/// # Errors
/// What the ACL fails with, or that nobody knows it.
pub(crate) fn answer(call: &mut Call<'_>, args: &[Str]) -> Result<AclAnswer, Fail> {
    let Some((name, args)) = args.split_first() else {
        return Err(Fail::argument("an ACL's name is missing"));
    };
    if name.bytes().trim_ascii().is_empty() {
        // An ACL without a verb denies.
        return Ok(AclAnswer { accepted: false, message: None });
    }
    let mut saved = Vec::with_capacity(var::ACL_ARGS.len() + 1);
    for var in var::ACL_ARGS.into_iter().chain([var::ACL_NARG]) {
        saved.push((var, call.value_of(var)?));
    }
    for (place, var) in var::ACL_ARGS.into_iter().enumerate() {
        call.set_var(var, args.get(place).cloned().unwrap_or_default());
    }
    call.set_var(var::ACL_NARG, Str::from(args.len().to_string()));
    let result = call.call_acl(name, args);
    for (var, value) in saved {
        call.set_var(var, value);
    }
    result
}
