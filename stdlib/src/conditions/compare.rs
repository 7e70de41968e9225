//! Comparisons of strings and of numbers.

use std::cmp::Ordering;

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Example, Fail, Meta, Str};

use super::record::{meta, two};
use crate::number::comparand;

fn cased(args: &[Str]) -> Ordering {
    args[0].bytes().cmp(args[1].bytes())
}

fn caseless(args: &[Str]) -> Ordering {
    compare_caseless(args[0].bytes(), args[1].bytes())
}

/// Compares without case, as Exim does: of two strings that differ in nothing
/// but their length, the first counts as the greater one, whichever it is.
pub(crate) fn compare_caseless(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.len().min(b.len());
    let ordering = lowercase(&a[..common]).cmp(lowercase(&b[..common]));
    ordering.then(if a.len() == b.len() { Ordering::Equal } else { Ordering::Greater })
}

/// The bytes without capitals.
pub(crate) fn lowercase(text: &[u8]) -> impl Iterator<Item = u8> {
    text.iter().map(u8::to_ascii_lowercase)
}

/// Each argument is read as a number before the next one is evaluated.
fn numbers(call: &mut Call<'_>) -> Result<Ordering, Fail> {
    let first = call.text(0)?;
    let first = comparand(first.bytes())?;
    let second = call.text(1)?;
    Ok(first.cmp(&comparand(second.bytes())?))
}

const fn number(meta: Meta, run: fn(&mut Call<'_>) -> Result<bool, Fail>) -> Condition {
    Condition { meta, shape: ConditionShape::Two, run: ConditionRun::Lazy(run) }
}

/// `eq`.
pub static EQ: Condition = two(
    meta(
        "eq",
        "eq {<string1>}{<string2>}",
        "The strings are equal.",
        &[Example::new("${if eq{a}{a}}", "true"), Example::new("${if eq{a}{A}{yes}{no}}", "no")],
    ),
    |_, args| Ok(args[0].bytes() == args[1].bytes()),
);
/// `eqi`.
pub static EQI: Condition = two(
    meta(
        "eqi",
        "eqi {<string1>}{<string2>}",
        "The strings are equal but for case.",
        &[Example::new("${if eqi{a}{A}}", "true")],
    ),
    |_, args| Ok(args[0].bytes().eq_ignore_ascii_case(args[1].bytes())),
);
/// `ge`.
pub static GE: Condition = two(
    meta(
        "ge",
        "ge {<string1>}{<string2>}",
        "The first string sorts after the second, or is equal.",
        &[Example::new("${if ge{b}{a}}", "true")],
    ),
    |_, args| Ok(cased(args).is_ge()),
);
/// `gei`.
pub static GEI: Condition = two(
    meta(
        "gei",
        "gei {<string1>}{<string2>}",
        "As `ge`, without case.",
        &[Example::new("${if gei{B}{a}}", "true")],
    ),
    |_, args| Ok(caseless(args).is_ge()),
);
/// `gt`.
pub static GT: Condition = two(
    meta(
        "gt",
        "gt {<string1>}{<string2>}",
        "The first string sorts after the second.",
        &[Example::new("${if gt{b}{a}}", "true")],
    ),
    |_, args| Ok(cased(args).is_gt()),
);
/// `gti`.
pub static GTI: Condition = two(
    meta(
        "gti",
        "gti {<string1>}{<string2>}",
        "As `gt`, without case.",
        &[Example::new("${if gti{B}{a}}", "true")],
    ),
    |_, args| Ok(caseless(args).is_gt()),
);
/// `le`.
pub static LE: Condition = two(
    meta(
        "le",
        "le {<string1>}{<string2>}",
        "The first string sorts before the second, or is equal.",
        &[Example::new("${if le{a}{b}}", "true")],
    ),
    |_, args| Ok(cased(args).is_le()),
);
/// `lei`.
pub static LEI: Condition = two(
    meta(
        "lei",
        "lei {<string1>}{<string2>}",
        "As `le`, without case.",
        &[Example::new("${if lei{a}{B}}", "true")],
    ),
    |_, args| Ok(caseless(args).is_le()),
);
/// `lt`.
pub static LT: Condition = two(
    meta(
        "lt",
        "lt {<string1>}{<string2>}",
        "The first string sorts before the second.",
        &[Example::new("${if lt{a}{b}}", "true")],
    ),
    |_, args| Ok(cased(args).is_lt()),
);
/// `lti`.
pub static LTI: Condition = two(
    meta(
        "lti",
        "lti {<string1>}{<string2>}",
        "As `lt`, without case.",
        &[Example::new("${if lti{a}{B}}", "true")],
    ),
    |_, args| Ok(caseless(args).is_lt()),
);
/// `=`.
pub static NUMBER_EQ: Condition = number(
    meta(
        "=",
        "= {<number1>}{<number2>}",
        "The numbers are equal.",
        &[Example::new("${if ={1K}{1024}}", "true")],
    )
    .aliases(&["=="]),
    |call| Ok(numbers(call)?.is_eq()),
);
/// `>`.
pub static NUMBER_GT: Condition = number(
    meta(
        ">",
        "> {<number1>}{<number2>}",
        "The first number is greater.",
        &[Example::new("${if >{2}{1}}", "true")],
    ),
    |call| Ok(numbers(call)?.is_gt()),
);
/// `>=`.
pub static NUMBER_GE: Condition = number(
    meta(
        ">=",
        ">= {<number1>}{<number2>}",
        "The first number is greater or equal.",
        &[Example::new("${if >={2}{2}}", "true")],
    ),
    |call| Ok(numbers(call)?.is_ge()),
);
/// `<`.
pub static NUMBER_LT: Condition = number(
    meta(
        "<",
        "< {<number1>}{<number2>}",
        "The first number is less.",
        &[Example::new("${if <{1}{2}}", "true")],
    ),
    |call| Ok(numbers(call)?.is_lt()),
);
/// `<=`.
pub static NUMBER_LE: Condition = number(
    meta(
        "<=",
        "<= {<number1>}{<number2>}",
        "The first number is less or equal.",
        &[Example::new("${if <={1}{1}}", "true")],
    ),
    |call| Ok(numbers(call)?.is_le()),
);
