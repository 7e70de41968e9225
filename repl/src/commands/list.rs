//! `eximious list`: every word of the language.

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use eximious::check;
use eximious::{AclOptions, AclTermKind, Engine, Registry};
use serde_json::{Value, json};

use super::flag;
use crate::refusal::Refusal;
use crate::session::Setup;
use crate::words::{self, Kind, More, Word};

/// What stands for several kinds.
const GROUPS: [&str; 2] = ["options", "acl"];

/// What a list can be of, as one word each.
pub fn kinds() -> Vec<String> {
    let kinds = Kind::all().map(|kind| kind.names().replace(' ', "-"));
    GROUPS.map(str::to_owned).into_iter().chain(kinds).collect()
}

/// Its options.
pub fn command() -> Command {
    let kinds = kinds();
    let (groups, kinds) = kinds.split_at(GROUPS.len());
    let kinds = format!("A kind of word: {}, or {}", groups.join(", "), kinds.join(", "));
    Command::new("list")
        .about("all items, operators, conditions, variables, lookups, options")
        .long_about("Lists all words of the language, or those of a kind.")
        .arg(Arg::new("kind").value_name("KIND").num_args(0..).help(kinds))
        .arg(flag("json", "As JSON, with all that is known of each"))
}

/// Lists words.
///
/// # Errors
/// There is no such kind.
pub fn run(matches: &ArgMatches, _: Setup) -> Result<ExitCode, Refusal> {
    let engine = Engine::builder().build();
    // Kinds have names of several words: main options.
    let kind = matches
        .get_many::<String>("kind")
        .map(|words| words.map(String::as_str).collect::<Vec<_>>().join(" "));
    Ok(crate::finish(list(engine.registry(), matches.get_flag("json"), kind.as_deref())))
}

/// The list as text or as JSON; an error names what is not a kind.
pub fn list(registry: &Registry, json: bool, kind: Option<&str>) -> Result<String, String> {
    let words = match kind {
        None => words::all(registry),
        Some(name) => match Kind::named(name).as_slice() {
            // What help has a list of.
            [] if !json => return super::help::list(registry, name).ok_or_else(|| unknown(name)),
            [] => return Err(unknown(name)),
            kinds => kinds.iter().flat_map(|kind| words::of(registry, *kind)).collect(),
        },
    };
    if json {
        let all: Vec<Value> = words.iter().map(record).collect();
        return Ok(format!("{:#}\n", Value::Array(all)));
    }
    Ok(lines(&words))
}

/// Words as text, a line for each.
pub fn lines(words: &[Word]) -> String {
    let wide = words.iter().map(|word| written(word).len()).max().unwrap_or(0).min(28);
    let kinds = words.iter().map(|word| word.kind.name().len()).max().unwrap_or(0).max(9);
    let mut text = String::new();
    for word in words {
        let line = format!(
            "{:<kinds$}  {:<wide$}  {}",
            word.kind.name(),
            written(word),
            word.meta.summary
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn unknown(name: &str) -> String {
    let kinds: Vec<String> = Kind::all().map(|kind| kind.names()).collect();
    let near = check::nearest(name, kinds.iter().map(String::as_str));
    match near.first() {
        Some(near) => format!("\"{name}\" is not a kind of word: did you mean \"{near}\"?"),
        None => format!("\"{name}\" is not a kind of word: there are {}", kinds.join(", ")),
    }
}

fn written(word: &Word) -> String {
    let mut text = word.driver().map(|driver| format!("{driver}: ")).unwrap_or_default();
    text.push_str(word.meta.name);
    if !word.meta.aliases.is_empty() {
        let _ = write!(text, " ({})", word.meta.aliases.join(", "));
    }
    text
}

fn record(word: &Word) -> Value {
    let meta = word.meta;
    let examples: Vec<Value> = meta
        .examples
        .iter()
        .map(|example| json!({ "input": example.input, "output": example.output }))
        .collect();
    let names = [&[meta.name][..], meta.aliases, meta.forms].concat();
    let mut record = json!({
        "kind": word.kind.name(),
        "name": meta.name,
        "aliases": meta.aliases,
        "names": names,
        "syntax": meta.syntax,
        "summary": meta.summary,
        "docs": meta.docs,
        "examples": examples,
        "effects": words::effects(meta.effects),
        "taint": words::taint(meta.taint),
        "since": meta.since,
        "until": meta.until,
        "needs": meta.needs,
        "source": meta.source,
    });
    if let Some(fields) = record.as_object_mut() {
        fields.extend(more(word).into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    record
}

/// What the record of a kind has besides.
fn more(word: &Word) -> Vec<(&'static str, Value)> {
    let mut fields = match word.more {
        More::Option(option) => vec![
            ("driver", json!(word.driver())),
            ("type", json!(option.kind.name())),
            ("expanded", json!(option.expanded)),
            ("default", json!(option.default)),
        ],
        More::Term(term) => {
            let verbs: Vec<&str> = term.verbs.iter().map(|verb| verb.name()).collect();
            vec![
                ("negatable", json!(term.kind == AclTermKind::Condition)),
                ("expanded", json!(term.expanded)),
                ("verbs", json!(verbs)),
            ]
        }
        More::Verify(verify) => {
            vec![("negatable", json!(true)), ("address", json!(verify.address))]
        }
        More::Control(_) => vec![("negatable", json!(false))],
        More::Verb(_) | More::Expansion => Vec::new(),
    };
    if let Some(options) = word.acl_options() {
        let names = if let AclOptions::Names(names) = options { names } else { &[] };
        fields.push(("options", json!(names)));
        fields.push(("text", json!(options == AclOptions::Text)));
    }
    if let Some(phases) = word.phases() {
        fields.push(("acls", json!(phases.options().collect::<Vec<_>>())));
    }
    fields
}
