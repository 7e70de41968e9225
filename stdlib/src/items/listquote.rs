//! `listquote`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Effects, Example, Item, ItemRun, Meta, Str, TaintRule};

/// `${listquote{separator}{string}}`.
pub static LISTQUOTE: Item = Item {
    meta: Meta::new("listquote", Effects::NONE, TaintRule::Result)
        .since("4.94")
        .syntax("${listquote{<separator>}{<string>}}")
        .summary("Makes a string safe to be an element of a list.")
        .docs(
            "Each separator in the string is doubled, and an empty string becomes a space, so \
             that a list with that separator reads the string back as one element. Only the \
             first byte of the first argument counts.",
        )
        .examples(&[
            Example::new("${listquote{:}{a:b}}", "a::b"),
            Example::new("[${listquote{:}{}}]", "[ ]"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Braces { min: 2, max: 2 },
    run: ItemRun::Strict(|_, args| {
        let text = &args[1];
        if text.is_empty() {
            return Ok(Str::fixed(" "));
        }
        let Some(separator) = args[0].bytes().first() else { return Ok(text.clone()) };
        let mut bytes = Vec::with_capacity(text.bytes().len());
        for byte in text.bytes() {
            bytes.push(*byte);
            if byte == separator {
                bytes.push(*byte);
            }
        }
        Ok(Str::from(bytes).stamped(text.taint()))
    }),
};
