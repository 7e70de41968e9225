//! `length`, `substr`, `hash`, `nhash`: items that are operators too.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::number::parameter;
use crate::substring::{self, LARGEST_ALPHABET};

const THREE: ItemShape = ItemShape::Braces { min: 2, max: 3 };

/// The subject is the last argument; the numbers stand before it.
fn split(args: &[Str]) -> (&Str, &[Str]) {
    match args {
        [numbers @ .., subject] => (subject, numbers),
        [] => unreachable!("the shape asks for two arguments"),
    }
}

fn second(numbers: &[Str], name: &str) -> Result<Option<i64>, Fail> {
    numbers.get(1).map(|n| parameter(n.bytes(), name, false)).transpose()
}

/// `${length{number}{string}}`.
pub static LENGTH: Item = Item {
    meta: Meta::new("length", Effects::NONE, TaintRule::Arguments)
        .syntax("${length{<number>}{<string>}}")
        .summary("The first bytes of a string.")
        .docs("Not to be confused with `strlen`. Where the number is fixed, `${length_3:…}` is shorter.")
        .examples(&[Example::new("${length{3}{abcdef}}", "abc")])
        .source("specification 11.5"),
    shape: ItemShape::Braces { min: 2, max: 2 },
    run: ItemRun::Strict(|_, args| {
        let (subject, numbers) = split(args);
        let length = parameter(numbers[0].bytes(), "length", false)?;
        Ok(substring::substr(subject, 0, Some(length)))
    }),
};

/// `${substr{start}{length}{string}}`.
pub static SUBSTR: Item = Item {
    meta: Meta::new("substr", Effects::NONE, TaintRule::Arguments)
        .syntax("${substr{<start>}{<length>}{<string>}}")
        .summary("A part of a string.")
        .docs(
            "The first byte has offset 0; a negative start counts from the end. Without a \
             length, the rest of the string is taken, or, with a negative start, what stands \
             before it.",
        )
        .examples(&[
            Example::new("${substr{3}{2}{abcdefg}}", "de"),
            Example::new("${substr{-5}{2}{1234567}}", "34"),
            Example::new("${substr{-1}{abcde}}", "abcd"),
        ])
        .source("specification 11.5"),
    shape: THREE,
    run: ItemRun::Strict(|_, args| {
        let (subject, numbers) = split(args);
        let start = parameter(numbers[0].bytes(), "substr", true)?;
        let length = second(numbers, "substr")?;
        Ok(substring::substr(subject, start, length))
    }),
};

/// `${hash{length}{alphabet}{string}}`.
pub static HASH: Item = Item {
    meta: Meta::new("hash", Effects::NONE, TaintRule::Arguments)
        .syntax("${hash{<n>}{<m>}{<string>}}")
        .summary("A textual hash of n characters from the first m letters and digits.")
        .docs(
            "A string that is not longer than n comes back as it is. Without m, or where it is \
             zero, it is 26, so that there are lower case letters only; the most is 62.",
        )
        .examples(&[
            Example::new("${hash{3}{monty}}", "jmg"),
            Example::new("${hash{5}{monty}}", "monty"),
            Example::new("${hash{4}{62}{monty python}}", "fbWx"),
        ])
        .source("specification 11.5"),
    shape: THREE,
    run: ItemRun::Strict(|_, args| {
        let (subject, numbers) = split(args);
        parameter(numbers[0].bytes(), "hash", true)?;
        let alphabet = second(numbers, "hash")?.unwrap_or_default() as usize;
        if alphabet > LARGEST_ALPHABET {
            return Err(Fail::argument(format!("hash count \"{alphabet}\" too big")));
        }
        let length = parameter(numbers[0].bytes(), "hash", false)?;
        Ok(substring::hash(subject, length as usize, alphabet))
    }),
};

/// `${nhash{n}{m}{string}}`.
pub static NHASH: Item = Item {
    meta: Meta::new("nhash", Effects::NONE, TaintRule::Clean)
        .syntax("${nhash{<n>}{<m>}{<string>}}")
        .summary("A numeric hash below n, or a pair of them below n and m.")
        .docs("The pair is one number below n times m, divided by m: quotient and remainder.")
        .examples(&[
            Example::new("${nhash{8}{64}{supercalifragilisticexpialidocious}}", "6/33"),
            Example::new("${nhash{8}{abc}}", "4"),
        ])
        .source("specification 11.5"),
    shape: THREE,
    run: ItemRun::Strict(nhash),
};

fn nhash(_: &mut Call<'_>, args: &[Str]) -> Result<Str, Fail> {
    let (subject, numbers) = split(args);
    let first = parameter(numbers[0].bytes(), "nhash", true)? as i32;
    let modulus = second(numbers, "nhash")?.map(|n| n as u32);
    let complaint = |number: &Str, what: &str| {
        let what = format!("\" is {what} (in \"nhash\" expansion)");
        Fail::argument([b"\"", number.bytes(), what.as_bytes()].concat())
    };
    if first == 0 {
        return Err(complaint(&numbers[0], "zero"));
    }
    if modulus == Some(0) {
        return Err(complaint(&numbers[1], "zero"));
    }
    let hash = substring::nhash(subject, first.cast_unsigned(), modulus);
    hash.map(Str::from).ok_or_else(|| complaint(&numbers[0], "too large"))
}
