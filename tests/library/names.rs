//! Every name of the language is in the registry: `tests/language/*.tsv`.

use std::collections::BTreeSet;

use eximious::Meta;
use eximious_tests::root;

fn table(name: &str) -> Vec<Vec<String>> {
    let path = root().join(format!("tests/language/{name}.tsv"));
    let text = std::fs::read_to_string(path).expect("a table of names");
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

fn names<'a>(metas: impl Iterator<Item = &'a Meta>) -> BTreeSet<&'a str> {
    metas.flat_map(|m| [m.name].into_iter().chain(m.aliases.iter().copied())).collect()
}

#[test]
fn every_item_operator_and_condition() {
    let registry = eximious::registry();
    let items = names(registry.all_items().map(|r| &r.meta));
    let operators = names(registry.all_operators().map(|r| &r.meta));
    let conditions = names(registry.all_conditions().map(|r| &r.meta));
    let missing: Vec<String> = table("expansion")
        .into_iter()
        .filter(|row| {
            let name = row[1].as_str();
            // A family of names stands for its base.
            let base = name.trim_end_matches("_LOOKUP").trim_end_matches("_N");
            let plain = base
                .trim_end_matches("_a")
                .trim_end_matches("_d")
                .trim_end_matches("_h")
                .trim_end_matches("_l")
                .trim_end_matches("_n");
            let found =
                |set: &BTreeSet<&str>| [name, base, plain].iter().any(|name| set.contains(name));
            match row[0].as_str() {
                "item" => !found(&items),
                "operator" => !found(&operators),
                // Negation is of the grammar.
                _ => name != "!" && !found(&conditions),
            }
        })
        .map(|row| row.join(" "))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_variable() {
    let registry = eximious::registry();
    let known = names(registry.all_variables().map(|r| &r.meta));
    let missing: Vec<String> = table("variables")
        .into_iter()
        .map(|row| row[0].clone())
        // Rows with an ellipsis are open families, which the grammar tests use.
        .filter(|name| !name.contains('…') && !known.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_lookup_type() {
    let registry = eximious::registry();
    let known = names(registry.all_lookups().map(|r| &r.meta));
    let missing: Vec<String> = table("lookups")
        .into_iter()
        .map(|row| row[0].clone())
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
