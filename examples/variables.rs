//! Expands a string with variables of one's own.
//!
//! `cargo run --example variables`

use eximious::{Engine, Fail};

fn main() -> Result<(), Fail> {
    let engine = Engine::builder().build();
    // Parsed once; a name that the language lacks is a variable of ours.
    let greeting = engine.compile(
        "${if match{$customer}{\\N^(\\w+) (\\w+)$\\N}{Dear $2, $1}{Dear customer}} (${eval:$cents/100})",
    );
    let mut cx = engine.context();
    for (customer, cents) in [("Ada Lovelace", "1250"), ("ACME", "99")] {
        // What comes from outside is tainted: it may be looked at, but never
        // expanded, nor used as the name of a file.
        cx.set("customer", customer);
        cx.set_clean("cents", cents);
        println!("{}", greeting.expand(&mut cx)?.display());
    }
    let attack = engine.compile("${expand:$customer}");
    cx.set("customer", "${run{/bin/sh}}");
    match attack.expand(&mut cx) {
        Ok(value) => println!("expanded to {value:?}"),
        Err(fail) => println!("refused: {fail}"),
    }
    Ok(())
}
