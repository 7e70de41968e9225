//! What the page asks, and what it is answered.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious::check::{Severity, check, locate};
use eximious::complete::{Cursor, complete_line};
use eximious::outline::{Outline, OutlineSection};
use eximious::stdlib::message::{End, parse_until};
use eximious::{Config, Context, Engine, Limits, Registry, Str, var};
use serde::Deserialize;
use serde_json::{Value, json};

use super::WorkbenchPage;
use crate::bench::{AclQuestion, Bench, verdict_word};
use crate::debugger::why;
use crate::names::ConfigNames;
use crate::trace::nodes_shown;

/// How long one evaluation may take.
const LONGEST: Duration = Duration::from_secs(20);
/// How many findings, and words, are shown.
const MOST: usize = 200;

/// A question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The configuration, as it stands in the editor.
    #[serde(default)]
    text: String,
    /// Variables, from outside.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// A message, for an expression.
    #[serde(default)]
    message: String,
    what: What,
}

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    /// What is wrong with the configuration.
    Check,
    /// An expression.
    Expand(String),
    /// Where an address goes.
    Route(String),
    /// What an ACL says, or a whole session.
    Session(SessionAsked),
    /// The pages of names in which a text stands.
    Words(String),
    /// What can be typed.
    Complete(CompleteAsked),
}

/// Where something is typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteAsked {
    /// The line of the configuration, from 0; an expression is a line of its own.
    line: u32,
    /// How much of it stands before the cursor, in bytes.
    column: u32,
    /// The expression, where it is one.
    #[serde(default)]
    expression: Option<String>,
}

/// A session, or an ACL by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionAsked {
    client: String,
    helo: String,
    sender: String,
    recipients: Vec<String>,
    message: String,
    /// An ACL that is asked by itself; a session, where that is empty.
    acl: String,
}

/// The answer: an object, with `error` where there is none.
pub(super) fn answer(page: &WorkbenchPage, asked: &Asked) -> Value {
    let limits = Limits::default().deadline(LONGEST).command(LONGEST);
    let builder = Engine::builder().world(page.world.clone()).limits(limits);
    if let What::Words(wanted) = &asked.what {
        return words(builder.registry(), wanted);
    }
    let config = Config::read_text(
        page.name.as_bytes(),
        &asked.text,
        page.macros.clone(),
        &page.world,
        builder.registry(),
    );
    if let What::Complete(place) = &asked.what {
        return offers(&config, builder.registry(), &asked.text, place);
    }
    if let What::Check = asked.what {
        return findings(&config, &builder.build(), page);
    }
    if let Some(fault) = config.faults.first() {
        return json!({ "error": format!("{fault:#}") });
    }
    let engine = config.build(builder);
    let mut bench = Bench::new(config, &engine);
    let mut cx = engine.context();
    if !asked.message.is_empty() {
        let (message, _) = parse_until(asked.message.as_bytes(), End::Input);
        cx.set_message(Some(message));
    }
    for (name, value) in &asked.variables {
        cx.set(name.trim_start_matches('$'), Str::tainted(value.as_bytes()));
    }
    let lines = match &asked.what {
        What::Expand(text) => match bench.expand(&cx, text.as_bytes()) {
            Ok(value) => {
                let tainted = if value.taint().is_tainted() { "tainted" } else { "clean" };
                vec![value.display().into_owned(), format!("({tainted})")]
            }
            Err(fail) => vec![format!("Failed: {fail}")],
        },
        What::Route(address) => {
            let fates = bench.route(&cx, address.as_bytes());
            fates.iter().map(ToString::to_string).collect()
        }
        What::Session(session) => match held(&mut bench, &mut cx, session) {
            Ok(lines) => lines,
            Err(why) => return json!({ "error": why }),
        },
        What::Check | What::Words(_) | What::Complete(_) => Vec::new(),
    };
    let mut lines = lines;
    lines.extend(bench.log_lines().iter().map(|line| format!("LOG: {}", line.display())));
    let happened = bench.happened();
    let because: Vec<_> = why(&happened)
        .iter()
        .map(|one| {
            let line = one.place.as_ref().map(|place| place.line);
            let file = one.place.as_ref().and_then(|place| other_file(page, place.file.bytes()));
            json!({ "what": one.what, "file": file, "line": line, "parts": one.parts })
        })
        .collect();
    json!({ "lines": lines, "because": because, "nodes": nodes_shown(&happened) })
}

/// The name of a file that is not the one on the page.
fn other_file(page: &WorkbenchPage, name: &[u8]) -> Option<String> {
    (name != page.name.as_bytes()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Holds a session, or asks an ACL: the lines that passed.
fn held(bench: &mut Bench, cx: &mut Context, asked: &SessionAsked) -> Result<Vec<String>, String> {
    let client = if asked.client.is_empty() { "127.0.0.1" } else { &asked.client };
    let alone = client.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0));
    let client: SocketAddr =
        client.parse().or(alone).map_err(|_| format!("\"{client}\" is no address"))?;
    if !asked.acl.is_empty() {
        if bench.loaded().acl(&asked.acl).is_none() {
            return Err(format!("there is no ACL {}", asked.acl));
        }
        if !asked.message.is_empty() {
            let (message, _) = parse_until(asked.message.as_bytes(), End::Input);
            cx.set_message(Some(message));
        }
        let mut question = AclQuestion::new(asked.acl.as_str());
        question.client = client;
        question.helo.clone_from(&asked.helo);
        question.sender.clone_from(&asked.sender);
        question.recipient = asked.recipients.first().cloned();
        let decision = bench.ask_acl(cx, &question);
        let said = decision.message.map(|text| format!(": {}", text.display()));
        let word = verdict_word(decision.verdict);
        let mut lines = vec![format!("{word}{}", said.unwrap_or_default())];
        lines.extend(decision.log.iter().map(|line| format!("LOG: {line}")));
        return Ok(lines);
    }
    let no_breaks = |text: &str| text.replace(['\r', '\n'], " ");
    let helo = if asked.helo.is_empty() { "client.example" } else { &asked.helo };
    let mut script = format!("EHLO {}\n", no_breaks(helo));
    script += &format!("MAIL FROM:<{}>\n", no_breaks(&asked.sender));
    for recipient in &asked.recipients {
        script += &format!("RCPT TO:<{}>\n", no_breaks(recipient));
    }
    if !asked.message.is_empty() {
        script += "DATA\n";
        for line in asked.message.lines() {
            let dot = if line.starts_with('.') { "." } else { "" };
            script += &format!("{dot}{line}\n");
        }
        script += ".\n";
    }
    script += "QUIT\n";
    cx.set_var(var::SENDER_HOST_ADDRESS, Str::tainted(client.ip().to_string()));
    let session = bench.session(cx, client, script.as_bytes());
    Ok(session.iter().flat_map(crate::bench::SessionLine::lines).collect())
}

/// What can be typed.
fn offers(config: &Config, registry: &Registry, text: &str, asked: &CompleteAsked) -> Value {
    let cursor = match &asked.expression {
        // As the value of an option that is expanded.
        Some(expression) => {
            let column = asked.column as usize;
            let before = expression.get(..column).unwrap_or_default().to_owned();
            let (section, below_verb) = (OutlineSection::Unknown, false);
            Cursor { section, driver: None, below_verb, before }
        }
        None => {
            let outline = Outline::read(text.as_bytes(), None);
            Cursor::find(&outline, asked.line, asked.column)
        }
    };
    let found = complete_line(registry, &cursor, &ConfigNames(config));
    let shown =
        found.offers.iter().take(MOST).map(
            |offer| json!({ "text": offer.text, "kind": offer.kind, "summary": offer.summary }),
        );
    json!({ "typed": found.typed, "offers": shown.collect::<Vec<_>>() })
}

/// What is wrong with a configuration.
fn findings(config: &Config, engine: &Engine, page: &WorkbenchPage) -> Value {
    let found = check(config, engine.registry(), &page.world, None);
    let all = found.iter().take(MOST).map(|finding| {
        let severity = match finding.lint.severity {
            Severity::Error => "error",
            _ => "warning",
        };
        let place = locate(config, &finding.spot);
        let file = place.and_then(|place| config.sources.files().get(place.file as usize));
        json!({
            "code": finding.lint.code, "severity": severity, "message": finding.message,
            "help": finding.help, "file": file.and_then(|file| other_file(page, &file.name)),
            "line": place.map(|place| place.line),
        })
    });
    let acls: Vec<_> = config.acls.iter().map(|acl| acl.name.display().into_owned()).collect();
    json!({ "findings": all.collect::<Vec<_>>(), "acls": acls })
}

/// Paragraphs, each on a line of its own.
fn paragraphs(text: &str) -> String {
    let joined = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split("\n\n").map(joined).collect::<Vec<_>>().join("\n")
}

/// The words of the language in whose name or summary a text stands; those whose name begins
/// so come first.
fn words(registry: &Registry, wanted: &str) -> Value {
    let wanted = wanted.trim().trim_start_matches(['$', '{']).to_lowercase();
    let items = registry.all_items().map(|one| ("item", &one.meta));
    let operators = registry.all_operators().map(|one| ("operator", &one.meta));
    let conditions = registry.all_conditions().map(|one| ("condition", &one.meta));
    let variables = registry.all_variables().map(|one| ("variable", &one.meta));
    let lookups = registry.all_lookups().map(|one| ("lookup", &one.meta));
    let options = registry.all_options().map(|one| ("option", &one.meta));
    let terms = registry.all_acl_terms().map(|one| ("acl", &one.meta));
    let all = items.chain(operators).chain(conditions).chain(variables).chain(lookups);
    let mut found: Vec<_> = all
        .chain(options)
        .chain(terms)
        .filter(|(_, meta)| {
            meta.name.contains(&wanted) || meta.summary.to_lowercase().contains(&wanted)
        })
        .map(|(kind, meta)| {
            let rank = (meta.name != wanted, !meta.name.starts_with(&wanted), meta.name);
            (rank, kind, meta)
        })
        .collect();
    found.sort_by_key(|(rank, ..)| *rank);
    let shown = found.iter().take(MOST).map(|(_, kind, meta)| {
        json!({
            "kind": kind, "name": meta.name, "syntax": meta.syntax, "summary": meta.summary,
            "docs": paragraphs(meta.docs), "source": meta.source,
        })
    });
    json!({ "words": shown.collect::<Vec<_>>() })
}
