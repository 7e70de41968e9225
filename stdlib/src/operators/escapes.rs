//! What does not print, made visible: `escape`, `escape8bit`, `hexquote`.

use eximious_core::{Effects, Example, Meta, Operator, OperatorRun, Str, TaintRule};

use crate::options::opt;
use crate::printing::{LOWER, octal, printing};

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Arguments)
        .syntax(syntax)
        .summary(summary)
        .source("specification 11.6")
}

/// `${escape:…}`.
pub static ESCAPE: Operator = Operator {
    meta: meta("escape", "${escape:<string>}", "Escapes for what does not print.")
        .docs(
            "Control characters other than a tab become `\\n` and its kin or three octal digits. \
             So do bytes above 127, unless the option `print_topbitchars` is set. Backslashes \
             stay as they are.",
        )
        .examples(&[Example::new("${escape:a\\nb\\x01\\xe9}", "a\\nb\\001\\351")]),
    run: OperatorRun::Plain(|call, arg, _| {
        Ok(Str::from(printing(arg.bytes(), call.settings().get(opt::PRINT_TOPBITCHARS))))
    }),
};

/// `${escape8bit:…}`.
pub static ESCAPE8BIT: Operator = Operator {
    meta: meta("escape8bit", "${escape8bit:<string>}", "Escapes for bytes above 126.")
        .docs("Bytes above 126 and backslashes become three octal digits; other control characters stay.")
        .examples(&[Example::new("${escape8bit:a\\\\\\xe9}", "a\\134\\351")]),
    run: OperatorRun::Plain(|_, arg, _| {
        let mut out = Vec::with_capacity(arg.bytes().len());
        for byte in arg.bytes() {
            match byte {
                127.. | b'\\' => octal(*byte, &mut out),
                _ => out.push(*byte),
            }
        }
        Ok(Str::from(out))
    }),
};

/// `${hexquote:…}`.
pub static HEXQUOTE: Operator = Operator {
    meta: meta("hexquote", "${hexquote:<string>}", "Hexadecimal escapes for what does not print.")
        .docs("All but the bytes 33 to 126 become `\\xNN`: a space too, a backslash not.")
        .examples(&[Example::new("${hexquote:a b\\x7f}", "a\\x20b\\x7f")]),
    run: OperatorRun::Plain(|_, arg, _| {
        let mut out = Vec::with_capacity(arg.bytes().len());
        for byte in arg.bytes() {
            match byte {
                33..=126 => out.push(*byte),
                _ => {
                    let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                    out.extend_from_slice(&[b'\\', b'x', LOWER[high], LOWER[low]]);
                }
            }
        }
        Ok(Str::from(out))
    }),
};
