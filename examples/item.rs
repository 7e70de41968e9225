//! Adds an item to the language, by the same kind of record as every built-in.
//!
//! `cargo run --example item`

use eximious::syntax::ItemShape;
use eximious::{Call, Effects, Engine, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

/// `${score{text}}`: how much a text shouts, in percent.
static SCORE: Item = Item {
    meta: Meta::new("score", Effects::NONE, TaintRule::Clean)
        .syntax("${score{<text>}}")
        .summary("How many of the letters are upper case, in percent.")
        .examples(&[Example::new("${score{Hi}}", "50")]),
    shape: ItemShape::Braces { min: 1, max: 1 },
    run: ItemRun::Strict(score),
};

fn score(_: &mut Call<'_>, args: &[Str]) -> Result<Str, Fail> {
    let letters = args[0].bytes().iter().filter(|c| c.is_ascii_alphabetic());
    let (all, upper) = letters
        .fold((0, 0), |(all, upper), c| (all + 1, upper + usize::from(c.is_ascii_uppercase())));
    if all == 0 {
        return Err(Fail::argument("score needs a letter"));
    }
    Ok(Str::from((upper * 100 / all).to_string()))
}

fn main() -> Result<(), Fail> {
    let engine = Engine::builder().item(&SCORE).build();
    let rule = engine.compile("${if >{${score{$subject}}}{80}{shouting}{fine}}");
    let mut cx = engine.context();
    for subject in ["BUY NOW", "Minutes of Tuesday"] {
        cx.set("subject", subject);
        println!("{subject}: {}", rule.expand(&mut cx)?.display());
    }
    cx.set("subject", "12:30");
    if let Err(fail) = rule.expand(&mut cx) {
        println!("{fail:#}");
    }
    Ok(())
}
