//! Intervals of time: `time_eval`, `time_interval`.

use eximious_core::{Effects, Example, Fail, Meta, Operator, Str, TaintRule};

use crate::number::{Leading, leading_integer};

/// The units, from the longest on, with their seconds.
const UNITS: [(u8, u32); 5] =
    [(b'w', 604_800), (b'd', 86_400), (b'h', 3600), (b'm', 60), (b's', 1)];

/// `${time_eval:…}`.
pub static TIME_EVAL: Operator = Operator {
    meta: Meta::new("time_eval", Effects::NONE, TaintRule::Clean)
        .syntax("${time_eval:<interval>}")
        .summary("An interval such as `2d4h5m` as a number of seconds.")
        .docs("The units are `w`, `d`, `h`, `m` and `s`, in any order.")
        .examples(&[Example::new("${time_eval:2d4h5m}", "187500")])
        .source("specification 11.6, 6.16"),
    run: |_, arg, _| {
        seconds(arg.bytes()).map(|n| Str::from(n.to_string())).ok_or_else(|| {
            let tail = b"\" is not an Exim time interval in \"time_eval\" operator";
            Fail::argument([b"string \"", arg.bytes(), tail].concat())
        })
    },
};

/// The sum of numbers with units. It has 32 bits, and wraps round; where it is
/// negative then, the text is no interval.
fn seconds(mut text: &[u8]) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let mut sum = 0i32;
    while let [first, ..] = text {
        if !first.is_ascii_digit() {
            return None;
        }
        let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
        let number = match leading_integer(&text[..digits]) {
            Leading::Number(number, _) => number as i32,
            Leading::Overflow | Leading::None => i64::MAX as i32,
        };
        let unit = text.get(digits)?;
        let (_, length) = UNITS.iter().find(|(letter, _)| letter == unit)?;
        sum = sum.wrapping_add(number.wrapping_mul(*length as i32));
        text = &text[digits + 1..];
    }
    (sum >= 0).then_some(sum)
}

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
    run: |_, arg, _| {
        let number = arg.bytes().iter().try_fold(0i32, |n, c| {
            c.is_ascii_digit().then(|| n.wrapping_mul(10).wrapping_add(i32::from(c - b'0')))
        });
        number.map(|n| Str::from(interval(n))).ok_or_else(|| {
            let tail = b"\" is not a positive number in \"time_interval\" operator";
            Fail::argument([b"string \"", arg.bytes(), tail].concat())
        })
    },
};

fn interval(seconds: i32) -> String {
    if seconds == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    if seconds < 0 {
        text.push('-');
    }
    let mut rest = seconds.unsigned_abs();
    for (letter, length) in UNITS {
        if rest >= length {
            text.push_str(&(rest / length).to_string());
            text.push(char::from(letter));
            rest %= length;
        }
    }
    text
}
