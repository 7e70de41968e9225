//! UTF-8 and international names: `from_utf8`, `utf8clean`,
//! `utf8_domain_to_alabel` and its kin.

use eximious_core::{Call, Effects, Example, Fail, Meta, Operator, OperatorRun, Str, TaintRule};

use crate::options::opt;
use crate::printing::printing;
use crate::{idn, utf8};

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Arguments).syntax(syntax).summary(summary)
}

/// `${from_utf8:…}`.
pub static FROM_UTF8: Operator = Operator {
    meta: meta("from_utf8", "${from_utf8:<string>}", "UTF-8 in ISO-8859-1.")
        .docs(
            "Characters above 255 become underscores. What is no UTF-8 gives bytes that mean \
             nothing.",
        )
        .examples(&[Example::new("${escape:${from_utf8:\\xc3\\xa9\\xe2\\x82\\xac}}", "\\351_")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| Ok(Str::from(utf8::to_latin1(arg.bytes())))),
};

/// `${utf8clean:…}`.
pub static UTF8CLEAN: Operator = Operator {
    meta: meta("utf8clean", "${utf8clean:<string>}", "Question marks for what is no UTF-8.")
        .examples(&[Example::new("${utf8clean:a\\xffb\\xc3}", "a?b?")])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| match std::str::from_utf8(arg.bytes()) {
        Ok(_) => Ok(arg.clone()),
        Err(_) => Ok(Str::from(utf8::cleaned(arg.bytes()))),
    }),
};

/// `${utf8_domain_to_alabel:…}`.
pub static DOMAIN_TO_ALABEL: Operator = Operator {
    meta: meta(
        "utf8_domain_to_alabel",
        "${utf8_domain_to_alabel:<domain>}",
        "An international domain as DNS has it.",
    )
    .docs(
        "Letters become small, and every label with characters that are not ASCII becomes one \
         that begins with `xn--`. A domain in ASCII stays as it is.",
    )
    .examples(&[Example::new("${utf8_domain_to_alabel:Bücher.example}", "xn--bcher-kva.example")])
    .source("specification 11.6, 60.1; RFC 5891"),
    run: OperatorRun::Plain(|call, arg, _| to_alabel(call, arg, idn::domain_to_alabel)),
};

/// `${utf8_domain_from_alabel:…}`.
pub static DOMAIN_FROM_ALABEL: Operator = Operator {
    meta: meta(
        "utf8_domain_from_alabel",
        "${utf8_domain_from_alabel:<domain>}",
        "A domain from DNS in its international form.",
    )
    .examples(&[Example::new("${utf8_domain_from_alabel:xn--bcher-kva.example}", "bücher.example")])
    .source("specification 11.6, 60.1; RFC 3492"),
    run: OperatorRun::Plain(|call, arg, _| from_alabel(call, arg, idn::domain_from_alabel)),
};

/// `${utf8_localpart_to_alabel:…}`.
pub static LOCALPART_TO_ALABEL: Operator = Operator {
    meta: meta(
        "utf8_localpart_to_alabel",
        "${utf8_localpart_to_alabel:<local part>}",
        "An international local part in ASCII, as one label.",
    )
    .docs("Nothing is mapped; a local part in ASCII stays as it is.")
    .examples(&[Example::new("${utf8_localpart_to_alabel:müller}", "xn--mller-kva")])
    .source("specification 11.6, 60.1; RFC 3492"),
    run: OperatorRun::Plain(|call, arg, _| to_alabel(call, arg, idn::localpart_to_alabel)),
};

/// `${utf8_localpart_from_alabel:…}`.
pub static LOCALPART_FROM_ALABEL: Operator = Operator {
    meta: meta(
        "utf8_localpart_from_alabel",
        "${utf8_localpart_from_alabel:<local part>}",
        "A local part that was made ASCII in its international form.",
    )
    .examples(&[
        Example::new("${utf8_localpart_from_alabel:xn--mller-kva}", "müller"),
        Example::new(
            "${utf8_localpart_from_alabel:abc}",
            "Failed: error converting alabel (abc) to utf8: bad alabel prefix",
        ),
    ])
    .source("specification 11.6, 60.1; RFC 3492"),
    run: OperatorRun::Plain(|call, arg, _| from_alabel(call, arg, idn::localpart_from_alabel)),
};

type Conversion = fn(&[u8]) -> Result<Vec<u8>, &'static str>;

fn to_alabel(call: &mut Call<'_>, arg: &Str, convert: Conversion) -> Result<Str, Fail> {
    if arg.bytes().is_ascii() {
        return Ok(arg.clone());
    }
    let result = convert(arg.bytes()).map(Str::from);
    result.map_err(|why| complaint(call, arg, "utf8", "alabel", why))
}

fn from_alabel(call: &mut Call<'_>, arg: &Str, convert: Conversion) -> Result<Str, Fail> {
    let result = convert(arg.bytes()).map(Str::from);
    result.map_err(|why| complaint(call, arg, "alabel", "utf8", why))
}

fn complaint(call: &Call<'_>, arg: &Str, from: &str, to: &str, why: &str) -> Fail {
    let shown = printing(arg.bytes(), call.settings().get(opt::PRINT_TOPBITCHARS));
    let head = format!("error converting {from} (");
    let tail = format!(") to {to}: {why}");
    Fail::argument([head.as_bytes(), &shown, tail.as_bytes()].concat())
}
