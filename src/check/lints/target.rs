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
        let config = survey.config;
        let instances =
            config.routers.iter().chain(&config.transports).chain(&config.authenticators);
        let settings = config.main.iter().chain(instances.flat_map(|one| &one.settings));
        for setting in settings {
            if !survey.target.has(setting.option.meta.since) {
                let message = unknown(survey, "option", &setting.option.meta);
                findings.add(survey.named(setting), message);
            }
        }
        for text in &survey.texts {
            if let Some(term) = text.term().filter(|term| !survey.target.has(term.meta.since)) {
                findings.add(text.whole(), unknown(survey, "condition or modifier", &term.meta));
            }
            words(survey, text, findings);
        }
    },
};

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
}

fn unknown(survey: &Survey<'_>, kind: &str, meta: &Meta) -> String {
    format!(
        "{} does not know the {kind} \"{}\", which came with {}",
        survey.target, meta.name, meta.since
    )
}
