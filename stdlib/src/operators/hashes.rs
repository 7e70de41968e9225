//! Hash functions: `md5`, `sha1`, `sha2`, `sha3`.

use eximious_core::{Effects, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
#[cfg(feature = "sha3")]
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::certificate::{Input, input};
use crate::printing::{LOWER, UPPER, hexadecimal};

const CERTIFICATE: &str = "A certificate variable, where nothing else stands in the argument, \
                           gives the fingerprint of the certificate, in upper case.";

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Clean)
        .syntax(syntax)
        .summary(summary)
        .source("specification 11.6")
}

/// `${md5:…}`.
pub static MD5: Operator = Operator {
    meta: meta("md5", "${md5:<string>}", "An MD5 hash, 32 digits in lower case.")
        .docs(CERTIFICATE)
        .certificates()
        .examples(&[Example::new("${md5:abc}", "900150983cd24fb0d6963f7d28e17f72")]),
    run: OperatorRun::Plain(|call, arg, _| {
        Ok(match input(call, arg) {
            Input::Certificate(der) => upper::<Md5>(&der),
            Input::Text(text) => Str::from(&*hexadecimal(&Md5::digest(text), LOWER)),
        })
    }),
};

/// `${sha1:…}`.
pub static SHA1: Operator = Operator {
    meta: meta("sha1", "${sha1:<string>}", "A SHA-1 hash, 40 digits in upper case.")
        .docs(CERTIFICATE)
        .certificates()
        .examples(&[Example::new("${sha1:abc}", "A9993E364706816ABA3E25717850C26C9CD0D89D")]),
    run: OperatorRun::Plain(|call, arg, _| match input(call, arg) {
        Input::Certificate(der) => Ok(upper::<Sha1>(&der)),
        Input::Text(text) => Ok(upper::<Sha1>(&text)),
    }),
};

/// `${sha256:…}`.
pub static SHA256: Operator = Operator {
    meta: meta("sha256", "${sha256:<string>}", "A SHA-256 hash, 64 digits in upper case.")
        .docs(CERTIFICATE)
        .certificates()
        .examples(&[Example::new(
            "${sha256:abc}",
            "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        )]),
    run: OperatorRun::Plain(|call, arg, params| match input(call, arg) {
        Input::Certificate(der) => sha2(&der, None),
        Input::Text(text) => sha2(&text, params),
    }),
};

/// `${sha2:…}`, `${sha2_n:…}`.
pub static SHA2: Operator = Operator {
    meta: meta("sha2", "${sha2_<bits>:<string>}", "A SHA-2 hash of 256, 384 or 512 bits.")
        .since("4.93")
        .docs("Without a number it has 256 bits. Certificates are not looked into.")
        .examples(&[
            Example::new(
                "${sha2:abc}",
                "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
            ),
            Example::new("${sha2_224:abc}", "Failed: unrecognised sha2 variant"),
        ]),
    run: OperatorRun::Plain(|_, arg, params| sha2(arg.bytes(), params)),
};

/// `${sha3:…}`, `${sha3_n:…}`.
pub static SHA3: Operator = Operator {
    meta: meta("sha3", "${sha3_<bits>:<string>}", "A SHA-3 hash of 224, 256, 384 or 512 bits.")
        .docs("Without a number it has 256 bits.")
        .examples(&[Example::new(
            "${sha3_224:abc}",
            "E642824C3F8CF24AD09234EE7D3C766FC9A3A5168D0C94AD73B46FDF",
        )]),
    run: OperatorRun::Plain(|_, arg, params| sha3(arg.bytes(), params)),
};

fn sha2(text: &[u8], params: Params<'_>) -> Result<Str, Fail> {
    match params {
        None | Some(b"256") => Ok(upper::<Sha256>(text)),
        Some(b"384") => Ok(upper::<Sha384>(text)),
        Some(b"512") => Ok(upper::<Sha512>(text)),
        Some(_) => Err(Fail::argument("unrecognised sha2 variant")),
    }
}

#[cfg(feature = "sha3")]
fn sha3(text: &[u8], params: Params<'_>) -> Result<Str, Fail> {
    match params {
        Some(b"224") => Ok(upper::<Sha3_224>(text)),
        None | Some(b"256") => Ok(upper::<Sha3_256>(text)),
        Some(b"384") => Ok(upper::<Sha3_384>(text)),
        Some(b"512") => Ok(upper::<Sha3_512>(text)),
        Some(_) => Err(Fail::argument("unrecognised sha3 variant")),
    }
}

#[cfg(not(feature = "sha3"))]
fn sha3(_: &[u8], _: Params<'_>) -> Result<Str, Fail> {
    Err(crate::absent::absent("sha3", "sha3"))
}

fn upper<D: Digest>(text: &[u8]) -> Str {
    Str::from(&*hexadecimal(&D::digest(text), UPPER))
}
