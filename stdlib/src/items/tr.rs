//! `tr`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Effects, Example, Item, ItemRun, Meta, TaintRule};

/// `${tr{subject}{characters}{replacements}}`.
pub static TR: Item = Item {
    meta: Meta::new("tr", Effects::NONE, TaintRule::Result)
        .syntax("${tr{<subject>}{<characters>}{<replacements>}}")
        .summary("Replaces single bytes by others.")
        .docs(
            "Each byte of the subject that stands in the second string is replaced by the byte \
             at the same place of the third. Where a byte stands twice in the second string, \
             its last place counts. If the third string is shorter, its last byte stands in \
             for those that are missing; if it is empty, nothing changes. There are no ranges: \
             `a-z` is three bytes.",
        )
        .examples(&[
            Example::new("${tr{abcdea}{ac}{13}}", "1b3de1"),
            Example::new("${tr{a/b c}{/ }{_}}", "a_b_c"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Braces { min: 3, max: 3 },
    run: ItemRun::Strict(|_, args| {
        let (subject, from, to) = (&args[0], args[1].bytes(), args[2].bytes());
        let Some(last) = to.last() else { return Ok(subject.clone()) };
        let mut table: [u8; 256] = std::array::from_fn(|n| n as u8);
        for (place, byte) in from.iter().enumerate() {
            table[usize::from(*byte)] = *to.get(place).unwrap_or(last);
        }
        let replaced = subject.mapped(|byte| table[usize::from(byte)]);
        // What is put in may come from outside as well as what was there.
        let taint = if replaced.bytes() == subject.bytes() {
            subject.taint()
        } else {
            subject.taint().with(args[2].taint())
        };
        Ok(replaced.stamped(taint))
    }),
};
