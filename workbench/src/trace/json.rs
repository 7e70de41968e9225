//! A tree as JSON. The form is documented (`docs/trace.md`) and stays: names may come, none
//! goes or changes its meaning while `version` is the same.

use eximious::Str;
use eximious::trace::TracePlace;
use serde_json::{Map, Value, json as object};

use crate::record::Fact;
use crate::tree::TraceNode;

/// The version of the form.
const VERSION: u32 = 1;

/// A whole record: `{"version": 1, "complete": …, "nodes": […]}`.
pub fn json(nodes: &[TraceNode], is_complete: bool) -> Value {
    let nodes: Vec<_> = nodes.iter().map(node_json).collect();
    object!({ "version": VERSION, "complete": is_complete, "nodes": nodes })
}

/// A node: `kind`, `name`, `place`, `took_us`, `facts`, `result`, `parts`; what there is none of is left
/// out.
pub fn node_json(node: &TraceNode) -> Value {
    let mut out = Map::new();
    out.insert("kind".into(), node.step.kind.into());
    out.insert("name".into(), node.step.name.into());
    if let Some(place) = &node.step.place {
        out.insert("place".into(), place_json(place));
    }
    if let Some(took) = node.took {
        out.insert("took_us".into(), (took.as_micros() as u64).into());
    }
    for (name, facts) in [("facts", &node.step.facts), ("result", &node.result)] {
        if !facts.is_empty() {
            let facts = facts.iter().map(|(name, fact)| ((*name).to_owned(), fact_json(fact)));
            out.insert(name.into(), Value::Object(facts.collect()));
        }
    }
    if !node.parts.is_empty() {
        out.insert("parts".into(), node.parts.iter().map(node_json).collect::<Vec<_>>().into());
    }
    Value::Object(out)
}

pub(crate) fn place_json(place: &TracePlace) -> Value {
    let mut out = Map::new();
    out.insert("file".into(), place.file.display().into_owned().into());
    out.insert("line".into(), place.line.into());
    if place.column > 0 {
        out.insert("column".into(), place.column.into());
    }
    if let Some(name) = &place.inside {
        out.insert("macro".into(), name.display().into_owned().into());
    }
    Value::Object(out)
}

/// A text that is tainted is `{"text": …, "taint": "tainted"}`, others are strings.
fn fact_json(fact: &Fact) -> Value {
    match fact {
        Fact::Text(text) => text_json(text),
        Fact::Word(word) => (*word).into(),
        Fact::Number(number) => (*number).into(),
        Fact::Truth(truth) => (*truth).into(),
        Fact::Texts(texts) => texts.iter().map(text_json).collect::<Vec<_>>().into(),
        Fact::Span(start, end) => vec![*start, *end].into(),
    }
}

fn text_json(text: &Str) -> Value {
    let shown = text.display().into_owned();
    match text.taint().is_tainted() {
        true => object!({ "text": shown, "taint": "tainted" }),
        false => shown.into(),
    }
}
