//! Conditions that ask a service whether a password is right, and that this
//! build can't ask: `pam`, `pwcheck`, `radius`.

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

/// `pam {user:string:…}`.
pub static PAM: Condition = service(
    "pam",
    "pam {<user>:<string>:…}",
    "The system's authentication modules accept a user and the answers to their questions.",
    "PAM",
);
/// `pwcheck {user:password}`.
pub static PWCHECK: Condition = service(
    "pwcheck",
    "pwcheck {<user>:<password>}",
    "The pwcheck daemon, which is no more, accepts a password.",
    "a daemon that saslauthd has replaced",
);
/// `radius {user:password}`.
pub static RADIUS: Condition = service(
    "radius",
    "radius {<user>:<password>}",
    "A Radius server accepts a user and password.",
    "a Radius client",
);
