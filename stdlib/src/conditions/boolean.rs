//! `bool`, `bool_lax`: strings that stand for truth.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Condition, ConditionRun, Effects, Example, Fail, Meta, TaintRule};

use crate::number::{Leading, leading_integer};
use crate::options::yes_or_no;

/// `bool {string}`.
pub static BOOL: Condition = Condition {
    meta: Meta::new("bool", Effects::NONE, TaintRule::Result)
        .syntax("bool {<string>}")
        .summary("The string stands for truth, strictly.")
        .docs(
            "`true` and `yes`, in either case, and numbers other than zero are true; `false`, \
             `no`, zero and the empty string are false. White space around them does not count. \
             Anything else makes the expansion fail.",
        )
        .examples(&[
            Example::new("${if bool{ YES }{y}{n}}", "y"),
            Example::new("${if bool{00}{y}{n}}", "n"),
            Example::new("${if bool{foo}{y}{n}}", "Failed: unrecognised boolean value \"foo\""),
        ])
        .source("specification 11.7"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(|_, args| {
        let text = trim(args[0].bytes());
        if let Some(truth) = word(text) {
            return Ok(truth);
        }
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(Fail::argument([b"unrecognised boolean value \"", text, b"\""].concat()));
        }
        // Exim looks at the lower 32 bits.
        Ok(match leading_integer(text) {
            Leading::Number(value, _) => value as i32 != 0,
            // C's `strtol` stops at the largest and the smallest number.
            Leading::Overflow => !text.starts_with(b"-"),
            Leading::None => false,
        })
    }),
};

/// `bool_lax {string}`.
pub static BOOL_LAX: Condition = Condition {
    meta: Meta::new("bool_lax", Effects::NONE, TaintRule::Result)
        .syntax("bool_lax {<string>}")
        .summary("The string stands for truth, as a router's `condition` option reads it.")
        .docs(
            "`false`, `no`, `0` and the empty string are false, everything else is true: `00` \
             is. Case and white space around it do not count.",
        )
        .examples(&[
            Example::new("${if bool_lax{foo}{y}{n}}", "y"),
            Example::new("${if bool_lax{ no }{y}{n}}", "n"),
            Example::new("${if bool_lax{00}{y}{n}}", "y"),
        ])
        .source("specification 11.7"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(|_, args| {
        let text = trim(args[0].bytes());
        // A lone minus counts as a number without digits.
        Ok(!matches!(text, b"0" | b"-") && word(text) != Some(false))
    }),
};

/// What a word stands for, if it stands for anything.
fn word(text: &[u8]) -> Option<bool> {
    if text.is_empty() { Some(false) } else { yes_or_no(text) }
}

/// Without the white space of C's `isspace` around it.
fn trim(text: &[u8]) -> &[u8] {
    let solid = |c: &u8| !matches!(c, b' ' | 9..=13);
    let Some(start) = text.iter().position(solid) else { return b"" };
    let end = text.iter().rposition(solid).map_or(start, |last| last + 1);
    &text[start..end]
}
