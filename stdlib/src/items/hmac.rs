//! `hmac`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::mac;
use crate::printing::{LOWER, hexadecimal};

/// `${hmac{hash}{secret}{string}}`.
pub static HMAC: Item = Item {
    meta: Meta::new("hmac", Effects::NONE, TaintRule::Clean)
        .syntax("${hmac{<md5 or sha1>}{<secret>}{<string>}}")
        .summary("A message authentication code, in hexadecimal digits.")
        .docs(
            "Who knows the secret can check with the code that the string is the one that was \
             signed. The hash is `md5` or `sha1`, in lower case.",
        )
        .examples(&[
            Example::new(
                "${hmac{md5}{somesecret}{mail.example.com 2002-10-17 11:30:59}}",
                "dd97e3ba5d1a61b5006108f8c8252953",
            ),
            Example::new("${hmac{sha1}{a}{b}}", "6657855686823986c874362731139752014cb60b"),
        ])
        .source("specification 11.5, RFC 2104"),
    shape: ItemShape::Braces { min: 3, max: 3 },
    run: ItemRun::Strict(|_, args| {
        let (secret, text) = (args[1].bytes(), &[args[2].bytes()][..]);
        match args[0].bytes() {
            b"md5" => Ok(Str::from(&*hexadecimal(&mac::md5(secret, text), LOWER))),
            b"sha1" => Ok(Str::from(&*hexadecimal(&mac::sha1(secret, text), LOWER))),
            other => {
                let message = [b"hmac algorithm \"", other, b"\" is not recognised"].concat();
                Err(Fail::argument(message))
            }
        }
    }),
};
