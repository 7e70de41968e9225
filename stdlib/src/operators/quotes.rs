//! Quoting: `quote`, `quote_LOOKUP`, `rxquote`.

use eximious_core::{
    Call, Effects, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

use crate::lookups::quoting;

/// `${quote:…}`.
pub static QUOTE: Operator = Operator {
    meta: Meta::new("quote", Effects::NONE, TaintRule::Arguments)
        .syntax("${quote:<string>}")
        .summary("Double quotes around a string that needs them.")
        .docs(
            "An empty string needs them, and one with anything but letters, digits, `_`, `.` and \
             `-`. Inside, a backslash stands before quotes and backslashes, and line ends become \
             `\\n` and `\\r`.",
        )
        .examples(&[
            Example::new("${quote:ab\"*\"cd}", "\"ab\\\"*\\\"cd\""),
            Example::new("${quote:a.b-c_d}", "a.b-c_d"),
            Example::new("${quote:}", "\"\""),
        ])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| {
        let plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
        if !arg.is_empty() && arg.bytes().iter().all(plain) {
            return Ok(arg.clone());
        }
        let mut out = Vec::with_capacity(arg.bytes().len() + 8);
        out.push(b'"');
        for byte in arg.bytes() {
            match byte {
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                _ => out.push(*byte),
            }
        }
        out.push(b'"');
        Ok(Str::from(out))
    }),
};

/// `${quote_LOOKUP:…}`, `${quote_LOOKUP_OPTION:…}`.
pub static QUOTE_FOR: Operator = Operator {
    meta: Meta::new("quote_", Effects::NONE, TaintRule::Quoted)
        .syntax("${quote_<lookup type>:<string>}")
        .summary("A string made safe for a query of a lookup type.")
        .docs(
            "What comes from outside may stand in a query only after this. Types that look a key \
             up need no quoting, and the string stays as it is. The LDAP types have a second \
             form, `quote_ldap_dn`, for distinguished names.",
        )
        .examples(&[
            Example::new("${quote_passwd:a b}", "a b"),
            Example::new("${quote_nosuch:a b}", "Failed: unknown lookup type \"nosuch\""),
        ])
        .source("specification 11.6, 9.9"),
    run: OperatorRun::Plain(quote_for),
};

fn quote_for(call: &mut Call<'_>, arg: &Str, params: Params<'_>) -> Result<Str, Fail> {
    let params = params.unwrap_or_default();
    let mut parts = params.splitn(2, |c| *c == b'_');
    let name = parts.next().unwrap_or_default();
    let option = parts.next();
    let registry = call.registry();
    let Some(id) = registry.lookup_id(name) else {
        return Err(Fail::argument([b"unknown lookup type \"", name, b"\""].concat()));
    };
    let lookup = registry.lookup_at(id);
    let quote = match option {
        None => lookup.quote,
        Some(option) => match quoting::variant(lookup.meta.name, option) {
            Some(quote) => Some(quote),
            None => {
                let message = [b"\"", option, b"\" unrecognized after \"${quote_", name, b"\""];
                return Err(Fail::argument(message.concat()));
            }
        },
    };
    Ok(quote.map_or_else(|| arg.clone(), |quote| Str::from(quote(arg.bytes()))))
}

/// `${rxquote:…}`.
pub static RXQUOTE: Operator = Operator {
    meta: Meta::new("rxquote", Effects::NONE, TaintRule::Arguments)
        .syntax("${rxquote:<string>}")
        .summary("A string made safe for a regular expression.")
        .docs("A backslash stands before every byte that is no ASCII letter or digit.")
        .examples(&[Example::new("${rxquote:a.b*c_d}", "a\\.b\\*c\\_d")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| {
        let mut out = Vec::with_capacity(arg.bytes().len() * 2);
        for byte in arg.bytes() {
            if !byte.is_ascii_alphanumeric() {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        Ok(Str::from(out))
    }),
};
