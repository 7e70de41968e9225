//! Intervals of time: `time_eval`, `time_interval`.

use eximious_core::{Effects, Example, Fail, Meta, Operator, OperatorRun, Str, TaintRule};

use crate::interval::{seconds, written};
use crate::number::wrapping;

/// `${time_eval:…}`.
pub static TIME_EVAL: Operator = Operator {
    meta: Meta::new("time_eval", Effects::NONE, TaintRule::Clean)
        .syntax("${time_eval:<interval>}")
        .summary("An interval such as `2d4h5m` as a number of seconds.")
        .docs("The units are `w`, `d`, `h`, `m` and `s`, in any order.")
        .examples(&[Example::new("${time_eval:2d4h5m}", "187500")])
        .source("specification 11.6, 6.16"),
    run: OperatorRun::Plain(|_, arg, _| {
        seconds(arg.bytes()).map(|n| Str::from(n.to_string())).ok_or_else(|| {
            let tail = b"\" is not an Exim time interval in \"time_eval\" operator";
            Fail::argument([b"string \"", arg.bytes(), tail].concat())
        })
    }),
};

/// `${time_interval:…}`.
pub static TIME_INTERVAL: Operator = Operator {
    meta: Meta::new("time_interval", Effects::NONE, TaintRule::Clean)
        .syntax("${time_interval:<seconds>}")
        .summary("A number of seconds as an interval such as `1w3d4h2m6s`.")
        .docs("The number has 32 bits, and wraps round.")
        .examples(&[
            Example::new("${time_interval:1000000}", "1w4d13h46m40s"),
            Example::new("${time_interval:0}", "0s"),
        ])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| {
        wrapping(arg.bytes()).map(|n| Str::from(written(n))).ok_or_else(|| {
            let tail = b"\" is not a positive number in \"time_interval\" operator";
            Fail::argument([b"string \"", arg.bytes(), tail].concat())
        })
    }),
};
