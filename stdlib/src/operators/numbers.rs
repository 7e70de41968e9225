//! Numbers: `eval`, `eval10`, `randint`.

use eximious_core::{
    Call, Effects, ErrorKind, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

use crate::arithmetic::evaluate;
use crate::number::{Leading, comparand, decimal, leading_integer, trim_start};

/// `${eval:…}`.
pub static EVAL: Operator = Operator {
    meta: Meta::new("eval", Effects::NONE, TaintRule::Clean)
        .syntax("${eval:<expression>}")
        .summary("The value of an arithmetic expression.")
        .docs(
            "From the tightest to the loosest: `~` `-`, `*` `/` `%`, `+` `-`, `<<` `>>`, `&`, \
             `^`, `|`; and parentheses. Numbers are integers of 64 bits: decimal, hexadecimal \
             after `0x`, octal after `0`, with `K`, `M` or `G` after them. What comes from \
             outside is refused.",
        )
        .examples(&[
            Example::new("${eval:1+2*3}", "7"),
            Example::new("${eval:~255&0x1234}", "4608"),
            Example::new(
                "${eval:5/0}",
                "Failed: error in expression evaluation: divide by zero (after processing \"5/0\")",
            ),
        ])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| eval(arg, false)),
};

/// `${eval10:…}`.
pub static EVAL10: Operator = Operator {
    meta: Meta::new("eval10", Effects::NONE, TaintRule::Clean)
        .syntax("${eval10:<expression>}")
        .summary("As `eval`, with decimal numbers only.")
        .docs("A zero at the head of a number means nothing, as in dates and times.")
        .examples(&[Example::new("${eval10:08+1}", "9")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| eval(arg, true)),
};

fn eval(arg: &Str, decimal_only: bool) -> Result<Str, Fail> {
    let text = arg.bytes();
    if arg.taint().is_tainted() {
        let message = [b"attempt to eval tainted string '", text, b"'"].concat();
        return Err(Fail::error(ErrorKind::Taint, message));
    }
    evaluate(text, decimal_only).map(decimal).map_err(|(what, at)| {
        let head = format!("error in expression evaluation: {what} (after processing \"");
        Fail::argument([head.as_bytes(), &text[..at], b"\")"].concat())
    })
}

/// `${randint:…}`.
pub static RANDINT: Operator = Operator {
    meta: Meta::new("randint", Effects::RANDOM, TaintRule::Clean)
        .syntax("${randint:<number>}")
        .summary("A random number that is not negative, and less than the given one.")
        .docs(
            "Below zero, one and two to the 31st there is only zero: the number has 32 bits. Not \
             for keys.",
        )
        .examples(&[Example::new("${randint:1}", "0")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(randint),
};

fn randint(call: &mut Call<'_>, arg: &Str, _: Params<'_>) -> Result<Str, Fail> {
    let text = arg.bytes();
    let negative = match leading_integer(text) {
        Leading::Number(value, _) => value < 0,
        Leading::Overflow => trim_start(text).starts_with(b"-"),
        Leading::None if text.is_empty() => {
            return Err(Fail::argument("integer expected but \"\" found"));
        }
        Leading::None => false,
    };
    if negative {
        let text = trim_start(text);
        let message = [b"non-negative integer expected but \"", text, b"\" found"].concat();
        return Err(Fail::argument(message));
    }
    let limit = comparand(text)? as i32;
    let number = call.random()?.below(u64::try_from(limit).unwrap_or_default());
    Ok(Str::from(number.to_string()))
}
