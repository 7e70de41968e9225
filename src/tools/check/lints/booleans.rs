//! Texts that should come to yes or no.

use eximious_grammar::expansion::{Arg, Part, Seq, Tree};
use eximious_stdlib::options::opt::authenticator::SERVER_CONDITION;

use crate::tools::check::{Findings, Lint, Severity, Survey, Text};

/// E118.
pub(super) static NOT_A_BOOLEAN: Lint = Lint {
    code: "E118",
    name: "not-a-boolean",
    severity: Severity::Error,
    summary: "A condition comes to a word that is neither yes nor no.",
    docs: "The `condition` of an ACL and the `server_condition` of an authenticator want nothing, a \
           number, `yes`, `no`, `true` or `false`. With anything else the command is refused for \
           now. One of the branches ends in such a word; white space in the braces counts, too.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny condition = ${if eq{$domain}{x}{ture}{false}}\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny condition = ${if eq{$domain}{x}{true}{false}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let acl = text.term().is_some_and(|term| term.meta.name == "condition");
            let login = text.option().is_some_and(|option| SERVER_CONDITION.is(option));
            if !acl && !login {
                continue;
            }
            match &text.tree {
                Some(tree) => outcomes(survey, text, tree, tree.root, findings),
                None => judge(text, text.text.trim_ascii(), text.whole(), findings),
            }
        }
    },
};

/// Looks at what a string can come to, as far as it is written there.
fn outcomes(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, seq: Seq, findings: &mut Findings) {
    if let Some(literal) = tree.view().literal(seq) {
        return judge(text, literal, text.spot(seq.span), findings);
    }
    let mut parts =
        tree.view().pieces(seq).iter().map(|piece| piece.part).filter(|part| match part {
            Part::Text(span) => !tree.view().text(*span).trim_ascii().is_empty(),
            _ => true,
        });
    let (Some(Part::Item(id)), None) = (parts.next(), parts.next()) else { return };
    let call = tree.view().call(id);
    let name = survey.registry.item_at(call.def).meta.name;
    if !matches!(name, "extract" | "if" | "listextract" | "lookup") {
        return;
    }
    for arg in tree.view().call_args(call) {
        if let Arg::Yes(seq) | Arg::No(seq) = arg {
            outcomes(survey, text, tree, *seq, findings);
        }
    }
}

fn judge(text: &Text<'_>, word: &[u8], spot: crate::tools::check::Spot, findings: &mut Findings) {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let known = ["yes", "no", "true", "false"];
    if word.is_empty()
        || digits.iter().all(u8::is_ascii_digit)
        || known.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word))
    {
        return;
    }
    let shown = String::from_utf8_lossy(word);
    let help = findings.offer("", &shown, known.into_iter());
    let what = text.option().map_or("a condition", |option| option.meta.name);
    findings.add_with(spot, format!("\"{shown}\" is neither yes nor no for {what}"), help);
}
