//! Adds an item that keeps state of its own, and an operator that reaches what the
//! context was given.
//!
//! `cargo run --example item_with_state`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eximious::syntax::ItemShape;
use eximious::{Effects, Engine, Fail, Item, ItemRun, Meta, Operator, OperatorRun, Str, TaintRule};

/// Who asks: one for each context.
struct Tenant {
    name: String,
}

fn main() -> Result<(), Fail> {
    // The closure owns its state; the record is made here, and is no `static`.
    let count = AtomicU64::new(0);
    let ticket = Item {
        meta: Meta::new("ticket", Effects::NONE, TaintRule::Clean)
            .syntax("${ticket{<prefix>}}")
            .summary("The next number, with a prefix."),
        shape: ItemShape::Braces { min: 1, max: 1 },
        run: ItemRun::strict(move |_, args| {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            Ok(Str::from(format!("{}-{number}", args[0].display())))
        }),
    };
    let tenant = Operator {
        meta: Meta::new("tenant", Effects::NONE, TaintRule::Arguments)
            .syntax("${tenant:<string>}")
            .summary("A string with the name of whoever asks before it."),
        run: OperatorRun::closure(|call, arg, _| {
            let tenant = call.user_data::<Tenant>();
            let tenant = tenant.ok_or_else(|| Fail::argument("nobody asks"))?;
            Ok(Str::from(format!("{}/{}", tenant.name, arg.display())))
        }),
    };
    let engine = Engine::builder().item(ticket).operator(tenant).build();
    let rule = engine.compile("${tenant:${ticket{mail}}}");
    for name in ["north", "south"] {
        let mut cx = engine.context();
        cx.set_user_data(Arc::new(Tenant { name: name.to_owned() }));
        println!("{} {}", rule.expand(&mut cx)?.display(), rule.expand(&mut cx)?.display());
    }
    if let Err(fail) = rule.expand(&mut engine.context()) {
        println!("{fail}");
    }
    Ok(())
}
