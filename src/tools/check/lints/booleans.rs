//! Texts that should come to yes or no.

use eximious_grammar::expansion::{Part, Piece, Tree};
use eximious_stdlib::options::opt::authenticator::SERVER_CONDITION;

use crate::tools::check::uses::outcomes;
use crate::tools::check::{Findings, Lint, Severity, Text};

/// E118.
pub(super) static NOT_A_BOOLEAN: Lint = Lint {
    code: "E118",
    name: "not-a-boolean",
    severity: Severity::Error,
    summary: "A condition comes to a word that is neither yes nor no.",
    docs: "The `condition` of an ACL and the `server_condition` of an authenticator want nothing, a \
           number, `yes`, `no`, `true` or `false`. With anything else the command is refused for \
           now. One of the branches ends in such a word; white space in the braces counts, too. What \
           stands beside an expansion is part of the word: `$domain == a.example` is a text, and \
           `${if …}}` ends in a brace.",
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
                Some(tree) => {
                    outcomes(survey, tree, tree.root, &mut |seq, word| {
                        judge(text, word, text.spot(seq.span), findings);
                    });
                    beside(text, tree, findings);
                }
                None => judge(text, text.text.trim_ascii(), text.whole(), findings),
            }
        }
    },
};

/// Text beside what is expanded that no word with it can be yes or no: `$domain == a.example`.
fn beside(text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    let pieces = tree.view().pieces(tree.root);
    if tree.view().literal(tree.root).is_some() {
        return;
    }
    let can_be = |c: &u8| {
        c.is_ascii_whitespace()
            || c.is_ascii_digit()
            || *c == b'-'
            || b"aeflnorstuy".contains(&c.to_ascii_lowercase())
    };
    for Piece { part, span } in pieces {
        let Part::Text(words) = part else { continue };
        let words = tree.view().text(*words);
        if words.iter().all(can_be) {
            continue;
        }
        let shown = String::from_utf8_lossy(words.trim_ascii()).into_owned();
        let help = match words.trim_ascii_start().first() {
            Some(b'}') => "one brace is left over",
            Some(b'=' | b'!' | b'<' | b'>') => "strings are compared so: ${if eq{…}{…}}",
            _ => "",
        };
        let message = format!("with \"{shown}\" in it, this is neither yes nor no");
        findings.add_with(text.spot(*span), message, help);
        return;
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
