//! What a run is shown as: lines of text ([`lines`]), JSON ([`json()`]), a page ([`page`]).

mod html;
mod json;
mod text;

use eximious::Str;
use eximious::trace::TracePlace;

pub(crate) use html::nodes_shown;
pub use html::{SourceText, page};
pub use json::{json, node_json};
pub use text::{TextStyle, lines};

use crate::record::Fact;
use crate::tree::TraceNode;

/// How a value that is shown on a line ends where it is too long for one.
const MOST_SHOWN: usize = 160;

/// What a node is in a few words, and what it came to; empty where that is nothing.
pub fn summary(node: &TraceNode) -> (String, String) {
    match node.step.kind {
        "expansion" => of_expansion(node),
        "acl" => of_acl(node),
        "route" => of_route(node),
        "list" => of_list(node),
        "lookup" => of_lookup(node),
        _ => of_others(node),
    }
}

/// Where a node stands: `file:line`.
pub fn place(node: &TraceNode) -> Option<&TracePlace> {
    node.step.place.as_ref()
}

fn of_expansion(node: &TraceNode) -> (String, String) {
    let head = on_one_line(&node.text("text")).trim_start().to_owned();
    if node.fact("skipped").is_some() {
        return (head, "skipped".to_owned());
    }
    if let Some(Fact::Truth(holds)) = node.fact("holds") {
        return (head, truth(*holds).to_owned());
    }
    if node.fact("failure").is_some() {
        return (head, format!("failed: {}", on_one_line(&node.text("failure"))));
    }
    match node.fact("value") {
        Some(Fact::Text(value)) => (head, quoted(value)),
        _ => (head, "skipped".to_owned()),
    }
}

fn of_acl(node: &TraceNode) -> (String, String) {
    let word = |name: &str| node.text(name).display().into_owned();
    match node.step.name {
        "acl" => {
            let name = word("acl");
            let head = if name.is_empty() { "acl text".to_owned() } else { format!("acl {name}") };
            (head, word("verdict"))
        }
        "statement" => {
            let came = if node.fact("denied").is_some() {
                "denied behind endpass".to_owned()
            } else {
                word("came")
            };
            (word("verb"), came)
        }
        "term" | "text" => {
            let negated = if node.fact("negated").is_some() { "!" } else { "" };
            let mut head = format!("{negated}{}", word("term"));
            let text = node.text("text");
            if node.fact("variable").is_some() {
                head = format!("{head} {}", word("variable"));
            }
            if node.fact("text").is_some() {
                head = format!("{head} = {}", on_one_line(&text));
            }
            let mut came = match node.fact("holds") {
                Some(Fact::Truth(holds)) => truth(*holds).to_owned(),
                Some(Fact::Word(word)) => (*word).to_owned(),
                _ => String::new(),
            };
            if let Some(Fact::Text(expanded)) = node.fact("expanded")
                && expanded.bytes() != text.bytes()
            {
                came = format!("{} {came}", quoted(expanded)).trim_end().to_owned();
            }
            (head, came)
        }
        "empty" => (format!("acl {} has no statements", word("acl")), "deny".to_owned()),
        "missing" => ("there is no acl".to_owned(), "deny".to_owned()),
        _ => (on_one_line(&node.text("text")), String::new()),
    }
}

fn of_route(node: &TraceNode) -> (String, String) {
    let word = |name: &str| node.text(name).display().into_owned();
    let came = || {
        let mut came = word("came");
        for (name, head) in [("why", ": "), ("transport", ", transport ")] {
            if node.fact(name).is_some() {
                came = format!("{came}{head}{}", word(name));
            }
        }
        came
    };
    match node.step.name {
        "address" => (format!("route {}", word("address")), String::new()),
        "router" => (format!("router {}", word("router")), came()),
        "precondition" => {
            let text = node.text("text");
            let value =
                if text.is_empty() { String::new() } else { format!(" = {}", on_one_line(&text)) };
            (format!("{}{value}", word("option")), String::new())
        }
        "runs" => ("runs".to_owned(), String::new()),
        "verifying" | "considering" => {
            (format!("{} {}", node.step.name, word("address")), String::new())
        }
        "generated" | "rerouted" => (node.step.name.to_owned(), word("address")),
        other => (other.to_owned(), came()),
    }
}

fn of_list(node: &TraceNode) -> (String, String) {
    let list = on_one_line(&node.text("list"));
    let subject = on_one_line(&node.text("subject"));
    let why = ["owed", "element", "why"].into_iter().find(|name| node.fact(name).is_some());
    let because = why.map(|name| format!(" ({})", on_one_line(&node.text(name))));
    let came = match node.fact("matches") {
        Some(Fact::Truth(matches)) => truth(*matches),
        _ if node.is("list", "list") => "no answer now",
        _ => "",
    };
    match node.step.name {
        "element" => (format!("element \"{}\"", on_one_line(&node.text("text"))), String::new()),
        "named" | "known" => (format!("+{list}"), format!("{came}{}", because.unwrap_or_default())),
        "unset" => (format!("{subject} in {list}"), "is not set".to_owned()),
        "forced" => (list, "forced to fail: empty".to_owned()),
        "ignored" => (node.step.name.to_owned(), on_one_line(&node.text("why"))),
        _ => (format!("{subject} in {list}"), format!("{came}{}", because.unwrap_or_default())),
    }
}

fn of_lookup(node: &TraceNode) -> (String, String) {
    let word = |name: &str| on_one_line(&node.text(name));
    let came = || match (node.fact("failure"), node.fact("value")) {
        (Some(_), _) => format!("failed: {}", word("failure")),
        (_, Some(Fact::Text(value))) => quoted(value),
        _ => "nothing".to_owned(),
    };
    match node.step.name {
        "lookup" => {
            let file = word("file");
            let space = if file.is_empty() { "" } else { " " };
            let found = match node.fact("found") {
                Some(Fact::Truth(true)) => "found",
                Some(_) => "nothing found",
                None => "",
            };
            let key = Str::from(node.text("key").bytes());
            (format!("lookup {}{space}{file} {}", word("type"), quoted(&key)), found.to_owned())
        }
        "answer" => (format!("answer for {}", word("key")), came()),
        other => (format!("{other} {}", word("key")), String::new()),
    }
}

fn of_others(node: &TraceNode) -> (String, String) {
    let word = |name: &str| on_one_line(&node.text(name));
    match (node.step.kind, node.step.name) {
        ("dns", _) => {
            let came = match (node.fact("records"), node.fact("data")) {
                (Some(Fact::Number(count)), Some(Fact::Texts(shown))) => {
                    let more = if *count > shown.len() as i64 { ", …" } else { "" };
                    let shown: Vec<_> = shown.iter().map(on_one_line).collect();
                    shown.join(", ") + more
                }
                _ => word("answer"),
            };
            (format!("dns {} {}", word("type"), word("key")), came)
        }
        ("process", _) => {
            let command = match node.fact("command") {
                Some(Fact::Texts(words)) => {
                    words.iter().map(on_one_line).collect::<Vec<_>>().join(" ")
                }
                _ => String::new(),
            };
            let came = match (node.fact("status"), node.fact("failure")) {
                (Some(Fact::Number(status)), _) => format!("status {status}"),
                (_, Some(_)) => format!("failed: {}", word("failure")),
                _ => String::new(),
            };
            (format!("command {command}"), came)
        }
        ("rewrite", _) => (format!("rewrite {} {}", word("part"), word("from")), word("to")),
        ("note", _) => (word("text"), String::new()),
        ("event", _) => (format!("event {} {}", word("name"), word("data")), word("value")),
        ("smtp", name @ ("received" | "sent")) => {
            let by_client = (name == "received") == (word("side") == "server");
            let who = if by_client { "client" } else { "server" };
            (format!("{who}: {}", word("text")), String::new())
        }
        (kind, name) => {
            let facts: Vec<_> = node.step.facts.iter().chain(&node.result).map(shown).collect();
            (format!("{kind} {name} {}", facts.join(" ")).trim_end().to_owned(), String::new())
        }
    }
}

fn shown((name, fact): &(&'static str, Fact)) -> String {
    match fact {
        Fact::Text(text) if *name == "text" => on_one_line(text),
        Fact::Text(text) => format!("{name} {}", on_one_line(text)),
        Fact::Word(word) => format!("{name} {word}"),
        Fact::Number(number) => format!("{name} {number}"),
        Fact::Truth(truth) => format!("{name} {truth}"),
        Fact::Texts(texts) => texts.iter().map(on_one_line).collect::<Vec<_>>().join(" "),
        Fact::Span(start, end) => format!("{start}–{end}"),
    }
}

fn truth(holds: bool) -> &'static str {
    if holds { "yes" } else { "no" }
}

/// A value in quotes; what comes from outside says so.
pub fn quoted(value: &Str) -> String {
    let tainted = if value.taint().is_tainted() { " (tainted)" } else { "" };
    format!("\"{}\"{tainted}", on_one_line(value))
}

/// A text on one line, cut where it is too long.
pub fn on_one_line(text: &Str) -> String {
    let mut out = String::new();
    for (at, c) in text.display().chars().enumerate() {
        if at >= MOST_SHOWN {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
