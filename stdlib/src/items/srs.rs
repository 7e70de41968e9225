//! `srs_encode`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::address::Rules;
use crate::srs;

/// `${srs_encode{secret}{return path}{domain}}`.
pub static SRS_ENCODE: Item = Item {
    meta: Meta::new("srs_encode", Effects::CLOCK, TaintRule::Result)
        .since("4.95")
        .syntax("${srs_encode{<secret>}{<return path>}{<domain>}}")
        .summary("A sender at a domain of ours, in place of one whose mail is forwarded.")
        .docs(
            "The new address holds the old one, the day and a signature with the secret, so that \
             a bounce can be told from a forgery and sent on: the condition `inbound_srs` turns \
             it round. An empty return path stays empty. The domain is the one that the message \
             was sent to.",
        )
        .examples(&[
            Example::new("${srs_encode{secret}{a@b.c}{d.e}}", "SRS0=a979=jw=b.c=a@d.e"),
            Example::new("[${srs_encode{secret}{}{d.e}}]", "[]"),
            Example::new("${srs_encode{secret}{@c}{d.e}}", "Failed: no local part"),
        ])
        .source("specification 58.2.1"),
    shape: ItemShape::Braces { min: 3, max: 3 },
    run: ItemRun::Strict(|call, args| {
        let (return_path, domain) = (&args[1], &args[2]);
        if return_path.is_empty() {
            return Ok(Str::EMPTY);
        }
        let day = call.clock()?.now().seconds.div_euclid(86_400);
        let rules = Rules::of(call.settings());
        let (path, secret) = (return_path.bytes(), args[0].bytes());
        let text = srs::encode(path, domain.bytes(), secret, day, rules)
            .map_err(|error| Fail::argument(error.message))?;
        Ok(Str::from(text).stamped(return_path.taint().with(domain.taint())))
    }),
};
