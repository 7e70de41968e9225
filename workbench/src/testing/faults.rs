//! What is wrong with a test by itself: it could not fail, or could not pass.

use std::collections::BTreeMap;

use eximious::Registry;

use super::file::{Expect, GivenWorld};
use super::suite::{ConfigTest, Tested};

/// What may become of a session, or an ACL.
const VERDICTS: &[&str] = &["accept", "discard", "deny", "defer", "drop", "error"];

/// Where a session may be refused.
pub(super) const STAGES: &[&str] = &[
    "connect", "helo", "mail", "rcpt", "data", "auth", "starttls", "vrfy", "expn", "etrn", "quit",
    "command", "nowhere",
];

/// Looks at what is given for all, and at each test.
///
/// # Errors
/// What is wrong, and with which.
pub(super) fn look(
    given: &GivenWorld,
    tests: &[ConfigTest],
    registry: &Registry,
) -> Result<(), String> {
    if tests.is_empty() {
        return Err("there is no test in it".to_owned());
    }
    known(&given.variables, registry)?;
    tests.iter().try_for_each(|test| {
        let looked = match &test.what {
            Tested::Case(case) => known(&case.variables, registry)
                .and_then(|()| known(&case.given.variables, registry))
                .and_then(|()| expected(&case.expect, registry)),
            Tested::Expand(case) => known(&case.variables, registry)
                .and_then(|()| known(&case.given.variables, registry)),
            Tested::Route(case) => {
                let all = [case.goes.is_some(), case.fails.is_some(), case.defers.is_some()];
                match all.contains(&true) {
                    true => known(&case.variables, registry)
                        .and_then(|()| known(&case.given.variables, registry)),
                    false => Err("it expects nothing: goes, fails or defers".to_owned()),
                }
            }
        };
        looked.map_err(|why| format!("{}: {why}", test.name))
    })
}

/// Variables have to be some of the language's; those of ACLs have any name.
fn known(variables: &BTreeMap<String, String>, registry: &Registry) -> Result<(), String> {
    for name in variables.keys() {
        let bytes = name.trim_start_matches('$').as_bytes();
        if registry.variable_id(bytes).is_none() && !registry.in_family(bytes) {
            return Err(format!("there is no variable called \"{name}\""));
        }
    }
    Ok(())
}

fn expected(expect: &Expect, registry: &Registry) -> Result<(), String> {
    if *expect == Expect::default() {
        return Err("it expects nothing".to_owned());
    }
    for (what, text, all) in [("verdict", &expect.verdict, VERDICTS), ("at", &expect.at, STAGES)] {
        if let Some(text) = text
            && !all.contains(&text.as_str())
        {
            return Err(format!("{what} is one of {}, not \"{text}\"", all.join(", ")));
        }
    }
    known(&expect.variables, registry)
}
