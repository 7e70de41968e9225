//! `pam`: asks the system's authentication modules.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{
    Call, Condition, ConditionRun, Effects, ErrorKind, Example, Fail, Meta, Str, TaintRule,
};

use crate::lists::elements;

/// What the modules know the program by: `/etc/pam.d/exim`.
const SERVICE: &[u8] = b"exim";

/// `pam {user:string:…}`.
pub static PAM: Condition = Condition {
    meta: Meta::new("pam", Effects::HOST.union(Effects::FOREIGN), TaintRule::Result)
        .syntax("pam {<user>:<string>:…}")
        .summary(
            "The system's authentication modules accept a user and the answers to their questions.",
        )
        .docs(
            "The first string is the user, the others are the answers to what the modules of the \
             service `exim` (`/etc/pam.d/exim`) ask, one after the other: most ask for a password \
             and nothing else. White space around a string is left out, and a colon in it is \
             doubled: `${if pam{$auth1 : ${listquote{:}{$auth2}}}}`. When the strings have run \
             out, one question more gets an empty answer. A wrong password, a user whom nobody \
             knows and an account that has expired make it false, and so does an empty user; \
             anything else that the modules say fails the expansion. The modules run in this \
             process; many want it to be root's.",
        )
        .examples(&[Example::new("${if pam{ : secret}{yes}{no}}", "no")])
        .source("specification 11.7"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let mut strings = elements(args[0].bytes()).map(std::borrow::Cow::into_owned);
    let user = strings.next().unwrap_or_default();
    let answers: Vec<Vec<u8>> = strings.collect();
    let users = call.users()?;
    if user.is_empty() {
        return Ok(false);
    }
    users.authenticate(SERVICE, &user, &answers).map_err(|why| Fail::error(ErrorKind::Outside, why))
}
