//! What a release does not know, and what it treats otherwise.

use eximious_core::{AclPhases, LookupOptions, Meta, Str};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Part, Piece};

use crate::tools::check::releases::{expanded_since, gone, item_options, later, unknown};
use crate::tools::check::survey::Use;
use crate::tools::check::{Findings, Lint, Severity, Survey, TargetRelease, Text};

/// E109.
pub(super) static NOT_IN_TARGET: Lint = Lint {
    code: "E109",
    name: "not-in-target",
    severity: Severity::Error,
    summary: "The release that is meant does not know a name.",
    docs: "With `--target exim-4.98`, all that came later is named, and all that was gone by then. \
           Without it, the newest release counts, and only what is gone is named.",
    bad: "# eximious: target exim-4.98\nhosts_xclient = 127.0.0.1\n",
    good: "# eximious: target exim-4.99\nhosts_xclient = 127.0.0.1\n",
    run: |survey, findings| {
        let target = survey.target;
        for setting in survey.config.all_settings() {
            if let Some(message) = unknown(target, "option", &setting.option.meta) {
                findings.add(survey.named(setting), message);
            }
        }
        for list in &survey.config.list_uses {
            let hidden = survey.config.lines[list.line].text.starts_with(b"hide");
            if hidden && !target.has("4.94") {
                let message =
                    format!("{target} does not know hide before a list: that came with 4.94");
                findings.add(survey.line(list.line), message);
            }
        }
        for text in &survey.texts {
            let term = text.term().map(|term| &term.meta);
            if let Some(message) =
                term.and_then(|meta| unknown(target, "condition or modifier", meta))
            {
                findings.add(text.whole(), message);
            }
            arguments(survey, text, findings);
            values(survey, text, findings);
            words(survey, text, findings);
        }
    },
};

/// What stands after `control` and `verify`, and the selectors of logs.
fn arguments(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let target = survey.target;
    let place = match (text.term(), text.option()) {
        (Some(term), _) if matches!(term.meta.name, "control" | "verify") => term.meta.name,
        (_, Some(option)) if option.meta.name == "log_selector" => "log_selector",
        _ => return,
    };
    let end = text.text.iter().position(|c| matches!(c, b'/' | b'=' | b' '));
    let name = &text.text[..end.unwrap_or(text.text.len())];
    let meta = match place {
        "control" => survey.registry.acl_control(name).map(|control| control.meta),
        "verify" => survey.registry.acl_verify(name).map(|verify| verify.meta),
        _ => None,
    };
    if let Some(message) = meta.and_then(|meta| unknown(target, place, &meta)) {
        findings.add(text.whole(), message);
    }
    let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    for part in text.text.split(|c| !word(c)) {
        if let Some(since) = later(target, place, part) {
            let name = String::from_utf8_lossy(part);
            let message = format!(
                "{target} does not know the word \"{name}\" after {place}, which came with {since}"
            );
            findings.add(text.whole(), message);
        }
    }
}

/// Values that a release takes as they stand, and conditions where it does not
/// allow them yet.
fn values(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let target = survey.target;
    let since = text.option().and_then(|option| expanded_since(option.meta.name));
    if let Some(since) = since.filter(|since| !target.has(since) && text.text.contains(&b'$')) {
        findings
            .add(text.whole(), format!("{target} does not expand this: that came with {since}"));
    }
    let Use::Acl(acl, term) = text.of else { return };
    let pattern =
        term.term.meta.name == "remove_header" && text.text.trim_ascii().starts_with(b"^");
    if pattern && !target.has("4.97") {
        let message = format!("{target} takes no pattern here: that came with 4.97");
        findings.add(survey.line(term.line), message);
    }
    let (phase, since) = match term.term.meta.name {
        "encrypted" => (AclPhases::HELO, "4.97"),
        "dkim_status" => (AclPhases::DATA, "4.98"),
        _ => return,
    };
    let phases =
        survey.acl(acl.name.bytes()).map_or(AclPhases::empty(), |at| survey.acls[at].phases);
    if !target.has(since) && phases.contains(phase) && phases != AclPhases::all() {
        let (name, phase) = (term.term.meta.name, phase.called());
        let message =
            format!("{target} does not know {name} in the {phase} ACL: that came with {since}");
        findings.add(survey.line(term.line), message);
    }
}

/// What stands in an expansion.
fn words(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let Some(tree) = &text.tree else { return };
    let (registry, target) = (survey.registry, survey.target);
    let mut look = |kind: &str, meta: &Meta, span: Span| {
        if let Some(message) = unknown(target, kind, meta) {
            findings.add(text.spot(span), message);
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
        if let Part::Variable(id) | Part::Family(id, _) = part {
            look("variable", &registry.variable_at(*id).meta, *span);
        }
    }
    let mut option = |place: &str, word: &[u8], since: &str, span: Span| {
        let name = String::from_utf8_lossy(word);
        let message = format!(
            "{target} does not know the option \"{name}\" of {place}, which came with {since}"
        );
        findings.add(text.spot(span), message);
    };
    for lookup in tree.lookups() {
        let name = registry.lookup_at(lookup.def).meta.name;
        for word in LookupOptions(Str::from(tree.view().text(lookup.options))).each() {
            let full =
                (word == b"ret=full").then_some(if name == "dsearch" { "4.94" } else { "4.95" });
            let full = full.filter(|since| !target.has(since));
            if let Some(since) = full.or_else(|| later(target, "lookup", word)) {
                option(name, word, since, lookup.written);
            }
        }
    }
    for call in tree.calls() {
        let name = registry.item_at(call.def).meta.name;
        for word in item_options(name, tree, call) {
            let run = (name == "run" && !target.has("4.96")).then_some("4.96");
            if let Some(since) = run.or_else(|| later(target, name, word)) {
                option(name, word, since, call.span);
            }
        }
    }
    for op in tree.ops() {
        if tree.view().text(op.name).starts_with(b"mask_n") && !target.has("4.96") {
            option("mask", b"n", "4.96", op.name);
        }
    }
}

/// W402.
pub(super) static DIFFERS_IN_TARGET: Lint = Lint {
    code: "W402",
    name: "differs-in-target",
    severity: Severity::Warning,
    summary: "The release that is meant treats something otherwise than later ones.",
    docs: "The name is known there, and means something else. Before 4.96, `${run…}` expands the \
           whole command and splits it into words afterwards, so that a value with blanks becomes \
           several; and `match_domain`, `inlist` and their kin set no `$value`. Before 4.94, \
           `$domain_data` and `$local_part_data` are set only where a list looked something up.",
    bad: "# eximious: target exim-4.95\nsmtp_banner = ${if inlist{a}{a:b}{$value}}\n",
    good: "# eximious: target exim-4.96\nsmtp_banner = ${if inlist{a}{a:b}{$value}}\n",
    run: |survey, findings| {
        if survey.target.has("4.96") {
            return;
        }
        for text in &survey.texts {
            differences(survey, text, findings);
        }
    },
};

fn differences(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let Some(tree) = &text.tree else { return };
    let (registry, target) = (survey.registry, survey.target);
    for call in tree.calls() {
        let args = tree.view().call_args(call);
        match registry.item_at(call.def).meta.name {
            "run" => {
                let command = args.iter().find_map(|arg| match arg {
                    Arg::Text(seq) => Some(*seq),
                    _ => None,
                });
                if command.is_some_and(|seq| tree.view().text(seq.span).contains(&b'$')) {
                    let message = format!(
                        "{target} expands this command before it splits it into words; since 4.96, \
                         each word is expanded by itself"
                    );
                    findings.add(text.spot(call.span), message);
                }
            }
            "if" => {
                let condition = args.iter().find_map(|arg| match arg {
                    Arg::Condition(id) => Some(tree.view().cond(*id)),
                    _ => None,
                });
                let name = condition.map_or("", |node| registry.condition_at(node.def).meta.name);
                let sets = name.starts_with("match_") || name.starts_with("inlist");
                let yes = args.iter().find_map(|arg| match arg {
                    Arg::Yes(seq) => Some(*seq),
                    _ => None,
                });
                let value = yes.and_then(|seq| {
                    tree.view().pieces(seq).iter().find(|piece| match piece.part {
                        Part::Variable(id) => registry.variable_at(id).meta.name == "value",
                        _ => false,
                    })
                });
                if let Some(value) = value.filter(|_| sets) {
                    let message = format!("{target} does not set $value for {name}: 4.96 does");
                    findings.add(text.spot(value.span), message);
                }
            }
            _ => {}
        }
    }
    if target.has("4.94") {
        return;
    }
    for Piece { part, span } in tree.all_pieces() {
        let Part::Variable(id) = part else { continue };
        let name = registry.variable_at(*id).meta.name;
        if matches!(name, "domain_data" | "local_part_data") {
            let message = format!(
                "{target} sets ${name} only where a list looked something up; since 4.94, whatever \
                 matches sets it"
            );
            findings.add(text.spot(*span), message);
        }
    }
}

/// Whether a name that the reader does not know is one of the release that is
/// meant.
pub(super) fn once_known(target: TargetRelease, name: &str) -> bool {
    gone(name).is_some_and(|gone| target.has(gone.since) && !target.has(gone.until))
}

/// What to do about a name that went away.
pub(super) fn cure(name: &str) -> Option<String> {
    gone(name).map(|gone| format!("it went with {}: {}", gone.until, gone.cure))
}
