//! Every documented example runs, in a world that denies everything.

use eximious::{Engine, Example, Meta};

fn check(meta: &Meta, kind: &str, wrong: &mut Vec<String>) -> usize {
    let engine = Engine::builder().build();
    for Example { input, output } in meta.examples {
        let mut cx = engine.context();
        let answer = match engine.expand_once(input.as_bytes(), &mut cx) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => format!("Failed: {fail}"),
        };
        if answer != *output {
            wrong.push(format!("{kind} {}: {input}: {output:?}, but {answer:?}", meta.name));
        }
    }
    meta.examples.len()
}

#[test]
fn documented_examples_run() {
    let registry = eximious::registry();
    let mut wrong = Vec::new();
    let mut count = 0;
    for item in registry.all_items() {
        count += check(&item.meta, "item", &mut wrong);
    }
    for operator in registry.all_operators() {
        count += check(&operator.meta, "operator", &mut wrong);
    }
    for condition in registry.all_conditions() {
        count += check(&condition.meta, "condition", &mut wrong);
    }
    for variable in registry.all_variables() {
        count += check(&variable.meta, "variable", &mut wrong);
    }
    for lookup in registry.all_lookups() {
        count += check(&lookup.meta, "lookup", &mut wrong);
    }
    assert!(count > 100, "only {count} examples");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_word_has_a_page() {
    let registry = eximious::registry();
    let mut missing = Vec::new();
    let mut look = |meta: &Meta, kind: &str, examples: bool| {
        let mut lacks = Vec::new();
        for (what, text) in
            [("syntax", meta.syntax), ("summary", meta.summary), ("source", meta.source)]
        {
            if text.is_empty() {
                lacks.push(what);
            }
        }
        // A word that is not in this build can't show what it would do.
        let pure = meta.effects.is_empty() && meta.needs.is_empty();
        if examples && pure && meta.examples.is_empty() {
            lacks.push("examples");
        }
        if !lacks.is_empty() {
            missing.push(format!("{kind} {}: {}", meta.name, lacks.join(", ")));
        }
    };
    registry.all_items().for_each(|r| look(&r.meta, "item", true));
    registry.all_operators().for_each(|r| look(&r.meta, "operator", true));
    registry.all_conditions().for_each(|r| look(&r.meta, "condition", true));
    registry.all_variables().for_each(|r| look(&r.meta, "variable", false));
    registry.all_lookups().for_each(|r| look(&r.meta, "lookup", false));
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
