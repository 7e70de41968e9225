//! `ldapauth`: asks an LDAP server whether a password is right.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

use crate::lookups::ldap;

/// `ldapauth {query}`.
pub static LDAPAUTH: Condition = Condition {
    meta: Meta::new("ldapauth", Effects::LOOKUP.union(Effects::NET), TaintRule::Result)
        .syntax("ldapauth {user=<name> pass=<password> ldap://<server>/}")
        .summary("An LDAP server accepts the user and password of a query.")
        .docs(
            "The query is one of the `ldap` lookup, with a user and a password; nothing is \
             searched. The condition is false where the server says that the password is wrong, \
             and also where the password is empty: the server is not asked then. Where it is not \
             there, or refuses for another reason, and no other server that is listed says yes \
             or no, the expansion fails.",
        )
        .examples(&[Example::new(
            "${if ldapauth{user=\"cn=me,o=here\" pass=\"\" ldap:///}{yes}{no}}",
            "no",
        )])
        .source("specification 9.11.4, 11.7"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let empty = Str::EMPTY;
    ldap::login(call, args.first().unwrap_or(&empty))
}
