//! What a release does not know.

use eximious_core::Meta;
use eximious_grammar::expansion::{Part, Piece};

use crate::check::{Findings, Lint, Severity, Survey, Target, Text};
use eximious_grammar::Span;

/// E109.
pub(super) static NOT_IN_TARGET: Lint = Lint {
    code: "E109",
    name: "not-in-target",
    severity: Severity::Error,
    summary: "The release that is meant does not know a name.",
    docs: "With `--target exim-4.98`, all that came later is named. Without it, the newest release \
           counts, and nothing is.",
    bad: "# eximious: target exim-4.98\nhosts_xclient = 127.0.0.1\n",
    good: "# eximious: target exim-4.99\nhosts_xclient = 127.0.0.1\n",
    run: |survey, findings| {
        if survey.target >= Target::NEWEST {
            return;
        }
        for setting in survey.config.all_settings() {
            if !survey.target.has(setting.option.meta.since) {
                let message = unknown(survey, "option", &setting.option.meta);
                findings.add(survey.named(setting), message);
            }
        }
        for text in &survey.texts {
            if let Some(term) = text.term().filter(|term| !survey.target.has(term.meta.since)) {
                findings.add(text.whole(), unknown(survey, "condition or modifier", &term.meta));
            }
            arguments(survey, text, findings);
            words(survey, text, findings);
        }
    },
};

/// Words that came later to something older: where, the word, the release.
const LATER: [(&str, &str, &str); 18] = [
    ("control", "first_pass_route", "4.94"),
    ("control", "pretrigger", "4.96"),
    ("control", "stop", "4.96"),
    ("control", "trigger", "4.96"),
    ("log_selector", "connection_id", "4.97"),
    ("log_selector", "dmarc", "4.100"),
    ("log_selector", "dmarc_verbose", "4.100"),
    ("log_selector", "dsn", "4.100"),
    ("log_selector", "queue_time_exclusive", "4.95"),
    ("log_selector", "spf", "4.100"),
    ("log_selector", "spf_verbose", "4.100"),
    ("log_selector", "tls_on_connect", "4.99"),
    ("lookup", "cache=no", "4.95"),
    ("lookup", "cache=no_rd", "4.95"),
    ("lookup", "cache=no_wr", "4.99"),
    ("lookup", "key=path", "4.98"),
    ("lookup", "ret=full", "4.95"),
    ("verify", "quota", "4.95"),
];

/// The release with which a word came, where it stands there.
fn later(survey: &Survey<'_>, place: &str, word: &[u8]) -> Option<(&'static str, &'static str)> {
    let known = |(own, name, _): &&(&str, &str, &str)| *own == place && name.as_bytes() == word;
    let (_, name, since) = LATER.iter().find(known)?;
    (!survey.target.has(since)).then_some((*name, *since))
}

/// What stands after `control` and `verify`, and the selectors of logs.
fn arguments(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let place = match (text.term(), text.option()) {
        (Some(term), _) if matches!(term.meta.name, "control" | "verify") => term.meta.name,
        (_, Some(option)) if option.meta.name == "log_selector" => "log_selector",
        _ => return,
    };
    if place == "control" {
        let end = text.text.iter().position(|c| matches!(c, b'/' | b'=' | b' '));
        let control = survey.registry.acl_control(&text.text[..end.unwrap_or(text.text.len())]);
        if let Some(control) = control.filter(|control| !survey.target.has(control.meta.since)) {
            findings.add(text.whole(), unknown(survey, "control", &control.meta));
        }
    }
    let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    for part in text.text.split(|c| !word(c)) {
        if let Some((name, since)) = later(survey, place, part) {
            let message = format!(
                "{} does not know the word \"{name}\" after {place}, which came with {since}",
                survey.target
            );
            findings.add(text.whole(), message);
        }
    }
}

/// What stands in an expansion.
fn words(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let Some(tree) = &text.tree else { return };
    let registry = survey.registry;
    let mut look = |kind: &str, meta: &Meta, span: Span| {
        if !survey.target.has(meta.since) {
            findings.add(text.spot(span), unknown(survey, kind, meta));
        }
    };
    for call in tree.calls() {
        look("item", &registry.item_at(call.def).meta, call.span);
    }
    for (op, def) in tree.ops().iter().filter_map(|op| Some((op, op.def?))) {
        look("operator", &registry.operator_at(def).meta, op.span);
    }
    for condition in tree.conds() {
        look("condition", &registry.condition_at(condition.def).meta, condition.span);
    }
    for lookup in tree.lookups() {
        look("lookup type", &registry.lookup_at(lookup.def).meta, lookup.written);
    }
    for Piece { part, span } in tree.all_pieces() {
        if let Part::Variable(id) = part {
            look("variable", &registry.variable_at(*id).meta, *span);
        }
    }
    for lookup in tree.lookups() {
        for option in tree.view().text(lookup.options).split(|c| *c == b',').map(<[u8]>::trim_ascii)
        {
            if let Some((name, since)) = later(survey, "lookup", option) {
                let message = format!(
                    "{} does not know the lookup's option \"{name}\", which came with {since}",
                    survey.target
                );
                findings.add(text.spot(lookup.written), message);
            }
        }
    }
}

fn unknown(survey: &Survey<'_>, kind: &str, meta: &Meta) -> String {
    format!(
        "{} does not know the {kind} \"{}\", which came with {}",
        survey.target, meta.name, meta.since
    )
}
