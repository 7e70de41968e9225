//! Patterns of rules: each is one item of a list, expanded before it is tested
//! (specification 31.5, 32.2).

use eximious_core::{Call, Effects, Fail, FailClass, Meta, Str, TaintRule};
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::pattern::{PatternFailure, find};

use crate::Context;

/// What tests of patterns may touch.
pub(crate) static RECORD: Meta = Meta::new(
    "list",
    Effects::FILES.union(Effects::LOOKUP).union(Effects::HOST).union(Effects::LOG),
    TaintRule::Result,
);

/// Whether an address matches a pattern.
///
/// # Errors
/// The pattern can't be read.
pub(crate) fn matches(
    cx: &mut Context,
    pattern: &Str,
    matcher: &mut Matcher<'_>,
) -> Result<bool, Fail> {
    let Some(pattern) = expanded(cx, pattern, "a list") else { return Ok(false) };
    let outcome = cx.call(&RECORD, |call| matcher.test_pattern(call, &pattern))?;
    Ok(matches!(outcome, ListOutcome::Matched(_)))
}

/// Tests a subject against a list as it is written in the configuration.
///
/// # Errors
/// The list can't be read.
pub(crate) fn is_in_written(
    cx: &mut Context,
    list: &Str,
    matcher: &mut Matcher<'_>,
) -> Result<ListOutcome, Fail> {
    cx.call(&RECORD, |call: &mut Call<'_>| matcher.test_written(call, list))
}

/// Tests a subject against a list that is expanded.
///
/// # Errors
/// The list can't be read.
pub(crate) fn is_in_expanded(
    cx: &mut Context,
    list: &Str,
    matcher: &mut Matcher<'_>,
) -> Result<ListOutcome, Fail> {
    cx.call(&RECORD, |call: &mut Call<'_>| matcher.test(call, list))
}

/// Whether an address is in a list.
///
/// # Errors
/// The list can't be read.
pub(crate) fn is_in(cx: &mut Context, list: &Str, address: &Str) -> Result<bool, Fail> {
    let Some(list) = expanded(cx, list, "a list") else { return Ok(false) };
    let outcome = is_in_expanded(cx, &list, &mut Matcher::address(address))?;
    Ok(matches!(outcome, ListOutcome::Matched(_)))
}

/// Whether a text matches a regular expression that is no item of a list; the text is in
/// `$0`, whatever part of it matched, and what was captured in `$1`, ….
///
/// # Errors
/// The pattern can't be read.
pub(crate) fn matches_text(cx: &mut Context, pattern: &Str, text: &Str) -> Result<bool, Fail> {
    match expanded(cx, pattern, "for SMTP rewriting") {
        Some(pattern) => matched(cx, &pattern, text, true),
        None => Ok(false),
    }
}

/// The same, where the pattern is not expanded, and `$0` is what matched.
///
/// # Errors
/// The pattern can't be read.
pub(crate) fn matches_plainly(cx: &mut Context, pattern: &Str, text: &Str) -> Result<bool, Fail> {
    matched(cx, pattern, text, false)
}

fn matched(cx: &mut Context, pattern: &Str, text: &Str, shows_all: bool) -> Result<bool, Fail> {
    cx.call(&RECORD, |call| match find(call, pattern.bytes(), false, text) {
        Ok(Some(mut captures)) => {
            if shows_all && let Some(whole) = captures.groups.first_mut() {
                *whole = (0, text.bytes().len() as u32);
            }
            call.set_captures(captures);
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(trouble) => Err(worded(&trouble, pattern)),
    })
}

/// A pattern, expanded; nothing where that fails, which is logged unless it was
/// forced.
fn expanded(cx: &mut Context, pattern: &Str, what: &str) -> Option<Str> {
    if pattern.is_plain() {
        return Some(pattern.clone());
    }
    let engine = cx.engine().clone();
    match engine.expand_once(pattern.bytes(), cx) {
        Ok(pattern) => Some(pattern),
        Err(fail) if fail.class() == FailClass::Forced => None,
        Err(fail) => {
            let head = [b"failed to expand \"", pattern.bytes(), b"\" while checking "].concat();
            let line = [&head, what.as_bytes(), b": ", fail.message()].concat();
            cx.log().panic(&line);
            None
        }
    }
}

fn worded(trouble: &PatternFailure, pattern: &Str) -> Fail {
    match trouble {
        PatternFailure::Pattern(error) => {
            let head = format!("regular expression error: {error} while compiling ");
            Fail::argument([head.as_bytes(), pattern.bytes()].concat())
        }
        PatternFailure::Stopped(fail) => fail.clone(),
    }
}
