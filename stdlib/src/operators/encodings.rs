//! Bytes as text and back: `base64`, `base64d`, `hex2b64`, `xtextd`.

use eximious_core::{Effects, Example, Fail, Meta, Operator, OperatorRun, Str, TaintRule};

use crate::base64;
use crate::certificate::{Input, input};

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Arguments)
        .syntax(syntax)
        .summary(summary)
        .source("specification 11.6; RFC 4648")
}

/// `${base64:…}`.
pub static BASE64: Operator = Operator {
    meta: meta("base64", "${base64:<string>}", "A string encoded in base 64.")
        .docs(
            "A certificate variable, where nothing else stands in the argument, gives its DER \
             form encoded.",
        )
        .certificates()
        .examples(&[Example::new("${base64:abcd}", "YWJjZA==")]),
    run: OperatorRun::Plain(|call, arg, _| {
        Ok(match input(call, arg) {
            Input::Certificate(der) => base64::encoded(&der),
            Input::Text(text) => base64::encoded(&text),
        })
    }),
};

/// `${str2b64:…}`.
pub static STR2B64: Operator = Operator {
    meta: meta("str2b64", "${str2b64:<string>}", "A string encoded in base 64.")
        .docs("An older name of `base64`, without its eye for certificates.")
        .examples(&[Example::new("${str2b64:abc}", "YWJj")]),
    run: OperatorRun::Plain(|_, arg, _| Ok(base64::encoded(arg.bytes()))),
};

/// `${base64d:…}`.
pub static BASE64D: Operator = Operator {
    meta: meta("base64d", "${base64d:<string>}", "A string decoded from base 64.")
        .docs(
            "White space is passed over; padding must be there. The result ends at the first \
             zero byte.",
        )
        .examples(&[
            Example::new("${base64d:YWJj ZA==}", "abcd"),
            Example::new(
                "${base64d:YWJjZA}",
                "Failed: string \"YWJjZA\" is not well-formed for \"base64d\" operator",
            ),
        ]),
    run: OperatorRun::Plain(|_, arg, _| match base64::decode(arg.bytes()) {
        Some(mut bytes) => {
            // Only the result ends there, not the string that it stands in.
            bytes.truncate(memchr::memchr(0, &bytes).unwrap_or(bytes.len()));
            Ok(Str::from(bytes))
        }
        None => Err(malformed(arg, "base64d")),
    }),
};

/// `${hex2b64:…}`.
pub static HEX2B64: Operator = Operator {
    meta: meta("hex2b64", "${hex2b64:<digits>}", "Hexadecimal digits as base 64.")
        .docs("For what the hashing operators give.")
        .examples(&[Example::new("${hex2b64:616263}", "YWJj")]),
    run: OperatorRun::Plain(|_, arg, _| {
        let digit = |c: &u8| char::from(*c).to_digit(16).map(|n| n as u8);
        let digits: Option<Vec<u8>> = arg.bytes().iter().map(digit).collect();
        let complaint =
            |what: &[u8]| Err(Fail::argument([b"\"", arg.bytes(), b"\" ", what].concat()));
        let Some(digits) = digits else { return complaint(b"is not a hex string") };
        let pairs = digits.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return complaint(b"contains an odd number of characters");
        }
        let bytes: Vec<u8> = pairs.map(|pair| pair[0] << 4 | pair[1]).collect();
        Ok(base64::encoded(&bytes))
    }),
};

/// `${xtextd:…}`.
pub static XTEXTD: Operator = Operator {
    meta: Meta::new("xtextd", Effects::NONE, TaintRule::Arguments)
        .syntax("${xtextd:<string>}")
        .summary("A string decoded from xtext, as delivery status notifications use it.")
        .docs(
            "A plus sign and two hexadecimal digits stand for a byte; a zero byte ends the string.",
        )
        .examples(&[
            Example::new("${xtextd:ab+2Bcd+3Defg}", "ab+cd=efg"),
            Example::new(
                "${xtextd:a b}",
                "Failed: string \"a b\" is not well-formed for \"xtextd\" operator",
            ),
        ])
        .source("specification 11.6; RFC 3461, section 4"),
    run: OperatorRun::Plain(|_, arg, _| match xtext(arg.bytes()) {
        Some(bytes) => Ok(Str::from(bytes)),
        None => Err(malformed(arg, "xtextd")),
    }),
};

fn xtext(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    loop {
        match text {
            [] => return Some(out),
            [b'+', high, low, rest @ ..] => {
                let digit = |c: &u8| char::from(*c).to_digit(16);
                out.push((digit(high)? << 4 | digit(low)?) as u8);
                text = rest;
            }
            [b'+' | b'=', ..] => return None,
            [byte @ b'!'..=127, rest @ ..] => {
                out.push(*byte);
                text = rest;
            }
            _ => return None,
        }
    }
}

fn malformed(arg: &Str, name: &str) -> Fail {
    let tail = format!("\" is not well-formed for \"{name}\" operator");
    Fail::argument([b"string \"", arg.bytes(), tail.as_bytes()].concat())
}
