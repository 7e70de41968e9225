//! A tree as one page that needs nothing else: the sources beside it, each node leads to
//! its line.

use serde_json::{Value, json};

use super::{node_json, on_one_line, summary};
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
    let nodes: Vec<_> = nodes.iter().map(shown).collect();
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
    let data = json!({ "title": title, "nodes": nodes, "sources": sources });
    filled(include_str!("page.html"), title, &data)
        .replace("{{style}}", include_str!("page.css"))
        .replace("{{script}}", include_str!("page.js"))
}

/// A page with its title and its data, which can't end the script that they stand in, nor
/// be taken for a part of the page.
pub(crate) fn filled(page: &str, title: &str, data: &Value) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find("{{") {
        let (head, tail) = rest.split_at(at);
        out += head;
        let end = tail.find("}}").map_or(tail.len(), |end| end + 2);
        match &tail[..end] {
            "{{title}}" => out += &escaped(title),
            // No place of a page is named in it.
            "{{data}}" => out += &within_script(data).replace("{{", "{\\u007b"),
            other => out += other,
        }
        rest = &tail[end..];
    }
    out + rest
}

/// A node as the page has it: the words for it come along, so that they stand once.
fn shown(node: &TraceNode) -> Value {
    let (what, came) = summary(node);
    let mut out = node_json(node);
    if let Value::Object(out) = &mut out {
        out.insert("what".into(), what.into());
        out.insert("came".into(), came.into());
        out.remove("parts");
        if !node.parts.is_empty() {
            let parts: Vec<_> = node.parts.iter().map(shown).collect();
            out.insert("parts".into(), parts.into());
        }
        let value = node.text("value");
        if on_one_line(&value).ends_with('…') {
            out.insert("whole".into(), value.display().into_owned().into());
        }
    }
    out
}

/// JSON as the text of a script: no end tag, and no comment, is in it.
fn within_script(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
