//! `rfc2047`, `rfc2047d`.

use eximious_core::{Effects, Example, Fail, Meta, Operator, OperatorRun, Str, TaintRule};

use crate::options::opt;
use crate::rfc2047::{decode, encode};

/// `${rfc2047:string}`.
pub static RFC2047: Operator = Operator {
    meta: Meta::new("rfc2047", Effects::NONE, TaintRule::Arguments)
        .syntax("${rfc2047:<string>}")
        .summary("A text for a header line, as encoded words where it needs them.")
        .docs(
            "The text is taken to be in the character set of the option `headers_charset`. It \
             stays as it is if it holds only printable ASCII and none of \
             `? = ( ) < > @ , ; : \\ \" . [ ] _`.",
        )
        .examples(&[
            Example::new("${rfc2047:no need}", "no need"),
            Example::new("${rfc2047:caf\u{e9} au lait}", "=?UTF-8?Q?caf=C3=A9_au_lait?="),
        ])
        .source("specification 11.6, RFC 2047"),
    run: OperatorRun::Plain(|call, arg, _| {
        let charset = call.settings().get(opt::HEADERS_CHARSET);
        Ok(Str::from(encode(arg.bytes(), charset.bytes()).into_owned()))
    }),
};

/// `${rfc2047d:string}`.
pub static RFC2047D: Operator = Operator {
    meta: Meta::new("rfc2047d", Effects::NONE, TaintRule::Arguments)
        .syntax("${rfc2047d:<string>}")
        .summary("A text with its encoded words decoded.")
        .docs(
            "The result is in the character set of the option `headers_charset`. What can't be \
             decoded stays as it is; a character set that nobody knows is an error. `$h_NAME:` \
             decodes by itself. A word longer than 75 bytes is not one, unless the option \
             `check_rfc2047_length` is off.",
        )
        .examples(&[
            Example::new("${rfc2047d:=?iso-8859-1?q?caf=E9?=}", "caf\u{e9}"),
            Example::new("${rfc2047d:=?utf-8?b?Y2Fm?= =?utf-8?q?=C3=A9?=}", "caf\u{e9}"),
        ])
        .source("specification 11.6, RFC 2047"),
    run: OperatorRun::Plain(|call, arg, _| {
        let settings = call.settings();
        let target = settings.get(opt::HEADERS_CHARSET);
        let found =
            decode(arg.bytes(), Some(target.bytes()), settings.get(opt::CHECK_RFC2047_LENGTH));
        match found.complaint {
            Some(complaint) => Err(Fail::argument(complaint)),
            None => Ok(Str::from(found.text.into_owned())),
        }
    }),
};
