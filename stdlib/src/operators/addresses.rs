//! `address`, `addresses`, `domain`, `local_part`, `quote_local_part`.

use eximious_core::{
    Call, Effects, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

use crate::address::{self, AddrSpec, Rules};
use crate::lists::Joiner;

const fn meta(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    docs: &'static str,
    examples: &'static [Example],
) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Arguments)
        .syntax(syntax)
        .summary(summary)
        .docs(docs)
        .examples(examples)
        .source("specification 11.6, RFC 5322")
}

fn one(call: &Call<'_>, text: &Str) -> Option<AddrSpec> {
    address::parse(text.bytes(), Rules::of(call.settings())).ok()
}

/// `${address:string}`.
pub static ADDRESS: Operator = Operator {
    meta: meta(
        "address",
        "${address:<string>}",
        "The address in a text as it may stand in a header line.",
        "Comments, the name before angle brackets and a source route are dropped. Where the text \
         is not one address, the result is empty.",
        &[
            Example::new(
                "${address:\"A. Person\" <person@example.com> (work)}",
                "person@example.com",
            ),
            Example::new("${address:one@example.com, two@example.com}", ""),
        ],
    ),
    run: OperatorRun::Plain(|call, arg, _| {
        Ok(one(call, arg).map(|found| Str::from(found.text)).unwrap_or_default())
    }),
};

/// `${domain:string}`.
pub static DOMAIN: Operator = Operator {
    meta: meta(
        "domain",
        "${domain:<string>}",
        "The domain of an address.",
        "The text is read as `address` reads it. Where it is not one address, or has no domain, \
         the result is empty.",
        &[Example::new("${domain:A. Person <person@example.com>}", "example.com")],
    ),
    run: OperatorRun::Plain(|call, arg, _| {
        Ok(one(call, arg).map(|found| Str::from(found.domain())).unwrap_or_default())
    }),
};

/// `${local_part:string}`.
pub static LOCAL_PART: Operator = Operator {
    meta: meta(
        "local_part",
        "${local_part:<string>}",
        "The local part of an address.",
        "The text is read as `address` reads it; quotes around a local part stay. Where it is not \
         one address, the result is empty.",
        &[
            Example::new("${local_part:A. Person <person@example.com>}", "person"),
            Example::new("${local_part:\"a b\"@example.com}", "\"a b\""),
        ],
    ),
    run: OperatorRun::Plain(|call, arg, _| {
        Ok(one(call, arg).map(|found| Str::from(found.local_part())).unwrap_or_default())
    }),
};

/// `${addresses:string}`.
pub static ADDRESSES: Operator = Operator {
    meta: meta(
        "addresses",
        "${addresses:<string>}",
        "The addresses in a text as it may stand in a `To:` header line, as a list.",
        "What stands between commas and is not an address is left out; groups are seen through. \
         The list's separator is a colon; another one stands after a `>` at the head of the text \
         (`${addresses:>& …}`). A separator inside an address is doubled. Text from outside may \
         begin with `>` as well: `${addresses:>:$h_to:}` makes sure of the separator. Use the raw \
         header (`$rh_to:`), because a decoded name may hold a comma.",
        &[
            Example::new(
                "${addresses:Chief <ceo@up.stairs>, sec@base.ment (dogsbody)}",
                "ceo@up.stairs:sec@base.ment",
            ),
            Example::new(
                "${addresses:>& team: a@b.example, \"c:d\"@e.example;}",
                "a@b.example&\"c:d\"@e.example",
            ),
        ],
    ),
    run: OperatorRun::Plain(addresses),
};

fn addresses(call: &mut Call<'_>, arg: &Str, _: Params<'_>) -> Result<Str, Fail> {
    let text = arg.bytes();
    let start = text.iter().position(|c| !c.is_ascii_whitespace() && *c != 0x0b);
    let text = &text[start.unwrap_or(text.len())..];
    let (separator, text) = match text {
        [b'>', separator, rest @ ..] => (*separator, rest),
        [b'>'] => {
            let message = "output separator missing in expanding ${addresses:>}";
            return Err(Fail::argument(message));
        }
        text => (b':', text),
    };
    let mut joined = Joiner::new(separator);
    for element in address::list(text, Rules::of(call.settings())) {
        if let Ok(found) = element.address {
            joined.push(&found.text);
        }
    }
    Ok(joined.finish())
}

/// `${quote_local_part:string}`.
pub static QUOTE_LOCAL_PART: Operator = Operator {
    meta: meta(
        "quote_local_part",
        "${quote_local_part:<string>}",
        "A text as a local part, in quotes where an address needs them.",
        "Use it whenever an address is put together from a local part that is not known \
         beforehand. Anything outside ASCII is quoted.",
        &[
            Example::new("${quote_local_part:a.b+c}", "a.b+c"),
            Example::new("${quote_local_part:a b}@example.com", "\"a b\"@example.com"),
        ],
    ),
    run: OperatorRun::Plain(|_, arg, _| Ok(Str::from(address::quote_local_part(arg.bytes())))),
};
