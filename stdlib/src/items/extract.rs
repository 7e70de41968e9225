//! `extract` in its five forms, and `listextract`.

use eximious_core::grammar::expansion::{Arg, ArgKind, ArgSpec, ItemShape, Seq};
use eximious_core::{
    Bindings, BranchOutcome, Call, Effects, ErrorKind, Example, Fail, Item, ItemRun, Meta, Str,
    TaintRule,
};

use crate::lists::{change_of_separator, elements};
use crate::number::wrapping;
use crate::{json, keyed};

/// `${extract{key}{string}…}`, `${extract{number}{separators}{string}…}`, and
/// the two over JSON.
pub static EXTRACT: Item = Item {
    meta: Meta::new("extract", Effects::NONE, TaintRule::Result)
        .syntax("${extract{<key>}{<string>}{<found>}{<not found>}}")
        .summary("A named or numbered field of a string.")
        .docs(
            "With a name, the string is `name=value` pairs; a value with white space stands in \
             double quotes. With a number, the second argument lists separator characters and \
             the third is the string; a negative number counts from the right, and 0 is the \
             whole string. `extract json` and `extract jsons` take a field of a JSON object, or \
             with a number an element of a JSON array; `jsons` takes the quotes off a string.",
        )
        .examples(&[
            Example::new("${extract{gid}{uid=1984 gid=2001}}", "2001"),
            Example::new("${extract{2}{:}{x:42:99:& Mailer::/bin/bash}}", "42"),
            Example::new("${extract{-4}{:}{x:42:99:& Mailer::/bin/bash}}", "99"),
            Example::new("${extract{Z}{A=1 B=2}{$value}{none}}", "none"),
            Example::new("${extract jsons{a}{ \\{\"a\": \"b\"\\} }}", "b"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Extract,
    run: ItemRun::Lazy(|call| call.scoped_for(Bindings::CAPTURES, extract)),
};

fn extract(call: &mut Call<'_>) -> Result<Str, Fail> {
    let args = call.args();
    let form = call.word(0);
    let first = usize::from(form.is_some());
    let groups: Vec<Seq> = args
        .iter()
        .filter_map(|arg| if let Arg::Text(seq) = arg { Some(*seq) } else { None })
        .collect();
    let argument = |call: &mut Call<'_>, number: usize| -> Result<Str, Fail> {
        if number <= groups.len() {
            return call.text(first + number - 1);
        }
        Err(call.curly(format!("missing '{{' for arg {number} of extract"), call.end()))
    };
    let (key, number, second, subject) = call.arguments(|call| {
        let key = argument(call, 1)?;
        if key.bytes().trim_ascii().is_empty() {
            return Err(Fail::argument("first argument of \"extract\" must not be empty"));
        }
        let number = field_number(key.bytes().trim_ascii());
        let second = argument(call, 2)?;
        if form.is_none() && number.is_some() {
            let subject = argument(call, 3)?;
            return Ok((key, number, second, subject));
        }
        Ok((key, number, Str::EMPTY, second))
    })?;
    let key = key.bytes().trim_ascii();
    let found = match (form, number) {
        (None, Some(number)) => fields(subject.bytes(), second.bytes(), number)
            .map(|(start, end)| subject.slice(start, end)),
        (None, None) => keyed::find(subject.bytes(), key)
            .map(|v| Str::from(v.into_owned()).stamped(subject.taint())),
        (Some(form), number) => {
            json_field(subject.bytes(), key, number, form == b"jsons")
                .map_err(|fail| {
                    // A header's name that swallowed a brace is blamed for all.
                    let message = fail.message().to_vec();
                    call.curly(message, groups.get(1).map_or(0, |seq| seq.span.end))
                })?
                .map(|v| Str::from(v).stamped(subject.taint()))
        }
    };
    let fixed = if form.is_none() && number.is_some() { 3 } else { 2 };
    let outcome = found.map_or(BranchOutcome::No, BranchOutcome::Yes);
    end(call, outcome, &groups, fixed)
}

/// The branches of an item whose arguments and branches look alike: the parse
/// left it to us to see where the ones end and the others begin.
fn end(
    call: &mut Call<'_>,
    outcome: BranchOutcome,
    groups: &[Seq],
    fixed: usize,
) -> Result<Str, Fail> {
    let args = call.args();
    let forced = args.iter().any(|a| matches!(a, Arg::ForceFail));
    let loose = args.iter().find_map(|a| if let Arg::Loose(at) = a { Some(*at) } else { None });
    let (yes, no) = (groups.get(fixed).copied(), groups.get(fixed + 1).copied());
    let success = matches!(outcome, BranchOutcome::Yes(_));
    if let (None, Some(at)) = (yes, loose) {
        call.leave_value(&outcome);
        return Err(problem(call, "'yes' part did not start with '{'", at));
    }
    let result = call.choose(outcome, yes, no, forced && no.is_none())?;
    let extra = groups.get(fixed + 2).map(|seq| seq.span.start - 1).or(loose);
    match extra {
        None => Ok(result),
        Some(_) if forced && no.is_none() => Ok(result),
        Some(at) if no.is_some() => Err(problem(call, "did not close with '}'", at)),
        Some(at) => Err(bad_word(call, success, at)),
    }
}

/// A word other than `fail`, or `fail` without a closing brace.
fn bad_word(call: &Call<'_>, success: bool, at: u32) -> Fail {
    let rest = call.source().get(at as usize..).unwrap_or_default();
    let word = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
    if &rest[..word] != b"fail" {
        let message = "syntax error in \"extract\" item - \"fail\" expected";
        return Fail::error(ErrorKind::Syntax, message);
    }
    let space = rest[word..].len() - rest[word..].trim_ascii_start().len();
    let what =
        if success { "did not close with '}'" } else { "did not close with '}' after forcedfail" };
    problem(call, what, at + (word + space) as u32)
}

fn problem(call: &Call<'_>, what: &str, at: u32) -> Fail {
    let rest = call.source().get(at as usize..).unwrap_or_default();
    let message = [
        b"curly-bracket problem in conditional yes/no parsing: ",
        what.as_bytes(),
        b"\n remaining string is '",
        rest,
        b"'",
    ]
    .concat();
    call.curly(message, at)
}

/// The number that a key is, if it is one: digits after an optional minus.
fn field_number(key: &[u8]) -> Option<i64> {
    Some(i64::from(match key.strip_prefix(b"-") {
        Some(digits) => wrapping(digits)?.wrapping_neg(),
        None => wrapping(key)?,
    }))
}

/// The range of a field between separator characters; 0 is the whole.
fn fields(subject: &[u8], separators: &[u8], number: i64) -> Option<(usize, usize)> {
    if number == 0 {
        return Some((0, subject.len()));
    }
    let is_separator = |c: &u8| separators.contains(c);
    let count = subject.iter().filter(|c| is_separator(c)).count() as i64 + 1;
    let index = if number > 0 { number - 1 } else { count.checked_add(number)? };
    if index < 0 || index >= count {
        return None;
    }
    let mut start = 0;
    for _ in 0..index {
        start += subject[start..].iter().position(is_separator)? + 1;
    }
    let end = subject[start..].iter().position(is_separator).map_or(subject.len(), |n| start + n);
    Some((start, end))
}

fn json_field(
    subject: &[u8],
    key: &[u8],
    number: Option<i64>,
    unquote: bool,
) -> Result<Option<Vec<u8>>, Fail> {
    let found = match number {
        Some(number) => json::element(subject, number)?,
        None => json::member(subject, key)?,
    };
    match found {
        Some(value) if unquote => json::unquoted(value).map(|v| Some(v.to_vec())),
        found => Ok(found.map(<[u8]>::to_vec)),
    }
}

/// `${listextract{number}{list}…}`.
pub static LISTEXTRACT: Item = Item {
    meta: Meta::new("listextract", Effects::NONE, TaintRule::Result)
        .syntax("${listextract{<number>}{<list>}{<found>}{<not found>}}")
        .summary("A numbered element of a list.")
        .docs(
            "The first element is number 1; a negative number counts from the right. The element \
             is in `$value` while the third argument is expanded. Where there is no such \
             element, the fourth is.",
        )
        .examples(&[
            Example::new("${listextract{2}{x:42:99}}", "42"),
            Example::new(
                "${listextract{-3}{<, x,42,99,& Mailer,,/bin/bash}{result: $value}}",
                "result: 42",
            ),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Branches(&[
        ArgSpec { kind: ArgKind::Text, missing: "missing '{' for arg 1 of listextract" },
        ArgSpec { kind: ArgKind::Text, missing: "missing '{' for arg 2 of listextract" },
    ]),
    run: ItemRun::Lazy(|call| call.scoped_for(Bindings::CAPTURES, listextract)),
};

fn listextract(call: &mut Call<'_>) -> Result<Str, Fail> {
    let (number, list) = call.arguments(|call| {
        let key = call.text(0)?;
        let key = key.bytes().trim_ascii();
        if key.is_empty() {
            return Err(Fail::argument("first argument of \"listextract\" must not be empty"));
        }
        let Some(number) = field_number(key) else {
            return Err(Fail::argument("first argument of \"listextract\" must be numeric"));
        };
        Ok((number, call.text(1)?))
    })?;
    let index = match number {
        0 => None,
        n if n > 0 => usize::try_from(n - 1).ok(),
        n => {
            let count = elements(list.bytes()).count() as i64;
            // One too far to the left is nothing; farther still, Exim takes
            // the first.
            match count + n {
                -1 => None,
                index => Some(usize::try_from(index).unwrap_or(0)),
            }
        }
    };
    let found = index.and_then(|n| elements(list.bytes()).nth(n));
    let found = found.or_else(|| (number > 1 && says_only_how(list.bytes())).then(|| b"<".into()));
    let outcome = found.map_or(BranchOutcome::No, |element| {
        BranchOutcome::Yes(Str::from(element.into_owned()).stamped(list.taint()))
    });
    call.branches(outcome)
}

/// Whether a list changes its separator and has nothing behind that. Exim then begins anew, and
/// finds the sign of the change where it looks for the second element or a later one.
fn says_only_how(list: &[u8]) -> bool {
    let separator = change_of_separator(list).map_or(0, |(separator, _)| separator);
    separator != 0 && elements(list).next().is_none()
}
