//! Conditions that ask a service whether a password is right, and that this
//! build can't ask: `ldapauth`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{
    Call, Condition, ConditionRun, Effects, ErrorKind, Fail, Meta, Str, TaintRule,
};

const fn service(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    needs: &'static str,
) -> Condition {
    Condition {
        meta: Meta::new(name, Effects::NONE, TaintRule::Result)
            .syntax(syntax)
            .summary(summary)
            .docs("This build does not ask it: the expansion fails and says so.")
            .needs(needs)
            .source("specification 11.7"),
        shape: ConditionShape::One,
        run: ConditionRun::Strict(not_compiled),
    }
}

fn not_compiled(call: &mut Call<'_>, _: &[Str]) -> Result<bool, Fail> {
    let message = format!("support for \"{}\" not compiled", call.name());
    Err(Fail::error(ErrorKind::Unsupported, message))
}

/// `ldapauth {query}`.
pub static LDAPAUTH: Condition = service(
    "ldapauth",
    "ldapauth {<ldap query>}",
    "An LDAP server accepts the user and password of a query.",
    "the LDAP lookup",
);
