//! A tree as one page that needs nothing else: the sources beside it, each node leads to
//! its line.

use serde_json::{Value, json};

use super::{node_json, on_one_line, summary};
use crate::page::{Page, TREE, escaped};
use crate::tree::TraceNode;

/// A file of the configuration.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Its name, as places say it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// How much of a file is put on a page, in bytes.
const MOST_SOURCE: usize = 4 << 20;

/// The page of a run; the title says what was asked.
pub fn page(title: &str, nodes: &[TraceNode], sources: &[SourceText]) -> String {
    let sources: Vec<_> = sources
        .iter()
        .map(|source| {
            let text = match source.text.len() > MOST_SOURCE {
                true => "",
                false => &source.text,
            };
            json!({ "name": source.name, "text": text })
        })
        .collect();
    let body = format!(
        "<header>\n<h1>{}</h1>\n\
         <label>Find <input id=\"find\" type=\"search\" placeholder=\"a name, a value (press /)\">\
         </label>\n<button id=\"open\" type=\"button\">Open all</button>\n\
         <button id=\"close\" type=\"button\">Close all</button>\n</header>\n<main>\n\
         <section id=\"tree\" class=\"tree\" role=\"tree\" aria-label=\"what happened\" \
         tabindex=\"0\"></section>\n\
         <section id=\"source\" aria-label=\"the configuration\"></section>\n</main>",
        escaped(title)
    );
    let data = json!({ "nodes": nodes_shown(nodes), "sources": sources });
    Page {
        title,
        style: include_str!("page.css"),
        body: &body,
        scripts: &[TREE, include_str!("page.js")],
        data: &data,
        asks: "'none'",
    }
    .html()
}

/// Nodes as a page shows them: the words for each come along, so that they stand once.
pub(crate) fn nodes_shown(nodes: &[TraceNode]) -> Vec<Value> {
    nodes.iter().map(shown).collect()
}

fn shown(node: &TraceNode) -> Value {
    let (what, came) = summary(node);
    let mut out = node_json(node);
    if let Value::Object(out) = &mut out {
        out.insert("what".into(), what.into());
        out.insert("came".into(), came.into());
        if !node.parts.is_empty() {
            out.insert("parts".into(), nodes_shown(&node.parts).into());
        }
        let value = node.text("value");
        if on_one_line(&value).ends_with('…') {
            out.insert("whole".into(), value.display().into_owned().into());
        }
    }
    out
}
