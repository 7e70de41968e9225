//! `length`, `substr`, `hash`, `nhash` with fixed numbers, and `strlen`. The
//! long names are items too, which come first where no number is given.

use eximious_core::{
    Call, Effects, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

use crate::number::wrapping;
use crate::substring::{self, LARGEST_ALPHABET};

/// The numbers after a name: `_3_4`; a sign is allowed before the first. They
/// have 32 bits, and a longer one wraps round.
fn numbers(
    call: &Call<'_>,
    params: Params<'_>,
    signed: bool,
    most: usize,
) -> Result<(i32, Option<i32>), Fail> {
    let Some(params) = params else {
        return Err(Fail::argument([b"missing values after ", call.written()].concat()));
    };
    let bad = || {
        let message = [b"non-digit after underscore in \"", call.written(), b"_", params, b"\""];
        Fail::argument(message.concat())
    };
    let mut parts = params.split(|c| *c == b'_');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    if parts.next().is_some() || (second.is_some() && most < 2) {
        return Err(bad());
    }
    let (negative, unsigned) = match first.strip_prefix(b"-") {
        Some(rest) if signed => (true, rest),
        _ => (false, first),
    };
    if unsigned.is_empty() && second.is_some() {
        return Err(bad());
    }
    let value = wrapping(unsigned).ok_or_else(bad)?;
    let second = match second {
        Some(b"") => return Err(bad()),
        Some(text) => Some(wrapping(text).ok_or_else(bad)?),
        None => None,
    };
    Ok((if negative { value.wrapping_neg() } else { value }, second))
}

/// A second number: one that wrapped round below zero counts as not given.
fn given(number: Option<i32>) -> Option<i64> {
    number.filter(|n| *n >= 0).map(i64::from)
}

const fn meta(
    name: &'static str,
    aliases: &'static [&'static str],
    syntax: &'static str,
    summary: &'static str,
    examples: &'static [Example],
) -> Meta {
    meta_with(TaintRule::Arguments, name, aliases, syntax, summary, examples)
}

const fn meta_with(
    taint: TaintRule,
    name: &'static str,
    aliases: &'static [&'static str],
    syntax: &'static str,
    summary: &'static str,
    examples: &'static [Example],
) -> Meta {
    Meta::new(name, Effects::NONE, taint)
        .aliases(aliases)
        .syntax(syntax)
        .summary(summary)
        .examples(examples)
        .source("specification 11.6")
}

/// `${length_n:…}`, `${l_n:…}`.
pub static LENGTH: Operator = Operator {
    meta: meta(
        "length",
        &["l"],
        "${length_<number>:<string>}",
        "The first bytes of a string.",
        &[Example::new("${length_3:abcdef}", "abc"), Example::new("${l_3:abcdef}", "abc")],
    ),
    run: OperatorRun::Plain(|call, arg, params| {
        let (length, _) = numbers(call, params, false, 1)?;
        Ok(substring::substr(arg, 0, given(Some(length))))
    }),
};

/// `${substr_n_m:…}`, `${s_n_m:…}`.
pub static S: Operator = Operator {
    meta: meta(
        "substr",
        &["s"],
        "${substr_<start>_<length>:<string>}",
        "A part of a string.",
        &[Example::new("${substr_3_2:abcdefg}", "de"), Example::new("${s_-1:abcde}", "abcd")],
    ),
    run: OperatorRun::Plain(|call, arg, params| {
        let (start, length) = numbers(call, params, true, 2)?;
        Ok(substring::substr(arg, i64::from(start), given(length)))
    }),
};

/// `${hash_n_m:…}`, `${h_n_m:…}`.
pub static H: Operator = Operator {
    meta: meta(
        "hash",
        &["h"],
        "${hash_<n>_<m>:<string>}",
        "A textual hash of a string.",
        &[Example::new("${hash_4_62:monty python}", "fbWx"), Example::new("${h_3:monty}", "jmg")],
    ),
    run: OperatorRun::Plain(|call, arg, params| {
        let (length, alphabet) = numbers(call, params, false, 2)?;
        let alphabet = given(alphabet).unwrap_or_default() as usize;
        if alphabet > LARGEST_ALPHABET {
            return Err(Fail::argument(format!("hash count \"{alphabet}\" too big")));
        }
        let length = usize::try_from(length).map_err(|_| too_large(call, params))?;
        Ok(substring::hash(arg, length, alphabet))
    }),
};

fn too_large(call: &Call<'_>, params: Params<'_>) -> Fail {
    let params = params.unwrap_or_default();
    Fail::argument([b"value too large in \"", call.written(), b"_", params, b"\""].concat())
}

/// `${nhash_n_m:…}`, `${nh_n_m:…}`.
pub static NH: Operator = Operator {
    meta: meta_with(
        TaintRule::Clean,
        "nhash",
        &["nh"],
        "${nhash_<n>_<m>:<string>}",
        "A numeric hash of a string.",
        &[
            Example::new("${nhash_8_64:supercalifragilisticexpialidocious}", "6/33"),
            Example::new("${nh_8:abc}", "4"),
        ],
    ),
    run: OperatorRun::Plain(|call, arg, params| {
        let (first, second) = numbers(call, params, false, 2)?;
        let zero = || Fail::argument("\"0\" is zero (in \"nhash\" expansion)");
        if first == 0 || second == Some(0) {
            return Err(zero());
        }
        let second = given(second).map(|n| n as u32);
        let hash = substring::nhash(arg, first.cast_unsigned(), second);
        hash.map(Str::from).ok_or_else(|| too_large(call, params))
    }),
};

/// `${strlen:…}`.
pub static STRLEN: Operator = Operator {
    meta: Meta::new("strlen", Effects::NONE, TaintRule::Clean)
        .syntax("${strlen:<string>}")
        .summary("How many bytes a string has.")
        .examples(&[Example::new("${strlen:abc}", "3")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| Ok(Str::from(arg.bytes().len().to_string()))),
};
