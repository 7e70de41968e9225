//! Variables that have a value.

use eximious::{Context, Effects, Str, VariableSource};

/// Variables whose name has a part in it and that have a value, by name. What would have
/// to be looked up is left out, unless its whole name is given.
pub fn with_values(cx: &mut Context, part: &str) -> Vec<(String, Str)> {
    let part = part.trim_start_matches('$');
    let engine = cx.engine().clone();
    let mut found = Vec::new();
    for record in engine.registry().all_variables() {
        let name = record.meta.name;
        let is_quiet = record.meta.effects.is_empty() || record.meta.effects == Effects::VARS;
        let is_family = matches!(record.source, VariableSource::Family(_));
        if is_family || !name.contains(part) || (!is_quiet && name != part) {
            continue;
        }
        if let Some(Ok(value)) = cx.get(name)
            && !value.is_empty()
        {
            found.push((name.to_owned(), value));
        }
    }
    for (name, value) in cx.family(b"") {
        let name = String::from_utf8_lossy(&name).into_owned();
        if name.contains(part) && !found.iter().any(|(own, _)| *own == name) {
            found.push((name, value));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}
