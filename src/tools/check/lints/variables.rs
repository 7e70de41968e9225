//! Variables that nothing gives a value.

use std::collections::HashSet;

use eximious_grammar::expansion::{Arg, Part};

use crate::tools::check::names::word;
use crate::tools::check::survey::Use;
use crate::tools::check::{Findings, Help, Lint, Severity, Survey};

/// W302.
pub(super) static VARIABLE_NEVER_SET: Lint = Lint {
    code: "W302",
    name: "variable-never-set",
    severity: Severity::Warning,
    summary: "A variable is read, and nothing in the configuration sets it.",
    docs: "`$acl_c…` and `$acl_m…` are empty until a `set` in an ACL gives them a value, `$r_…` \
           until a router's `set` does; with `strict_acl_vars` the expansion fails. Most often one \
           of the two names is misspelt. Others come from a condition: `$spam_score` from `spam`, \
           `$dnslist_domain` from `dnslists`, `$malware_name` from `malware`.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  warn set acl_m_score = 5\n  deny condition = ${if >{$acl_m_scor}{3}}\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  warn set acl_m_score = 5\n  deny condition = ${if >{$acl_m_score}{3}}\n",
    run: |survey, findings| {
        let set = set(survey);
        results(survey, &set, findings);
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            for piece in tree.all_pieces() {
                let Part::Family(_, name) = piece.part else { continue };
                let name = tree.view().text(name);
                if set.variables.contains(name) {
                    continue;
                }
                let shown = String::from_utf8_lossy(name);
                let known = set.variables.iter().filter_map(|name| std::str::from_utf8(name).ok());
                let help = findings.offer("$", &shown, known);
                findings.add_with(text.spot(piece.span), format!("nothing sets ${shown}"), help);
            }
        }
    },
};

/// Variables that a condition of ACLs sets.
const RESULTS: [(&str, &[&str]); 8] = [
    ("csa_status", &["csa"]),
    ("dmarc_", &["dmarc_status"]),
    ("dnslist_", &["dnslists"]),
    ("malware_name", &["malware"]),
    ("regex_match_string", &["mime_regex", "regex"]),
    ("sender_rate", &["ratelimit"]),
    ("spam_", &["spam"]),
    ("spf_", &["spf", "spf_guess"]),
];

/// Variables of conditions that no ACL has, not even in lines that other macros
/// bring in.
fn results(survey: &Survey<'_>, set: &Set<'_>, findings: &mut Findings) {
    for text in &survey.texts {
        let Some(tree) = &text.tree else { continue };
        for piece in tree.all_pieces() {
            let Part::Variable(id) = piece.part else { continue };
            let name = survey.registry.variable_at(id).meta.name;
            let Some((_, conditions)) = RESULTS.iter().find(|(own, _)| name.starts_with(own))
            else {
                continue;
            };
            let there = |condition: &&str| set.words.contains(condition.as_bytes());
            if !conditions.iter().any(there) {
                let message = format!("nothing sets ${name}: no ACL has {}", conditions[0]);
                findings.add(text.spot(piece.span), message);
            }
        }
    }
}

/// Names in a configuration.
struct Set<'s> {
    /// The variables that are set.
    variables: HashSet<&'s [u8]>,
    /// Those of the conditions above that stand in a line.
    words: HashSet<&'s [u8]>,
}

/// The variables that are set, if only in a line that other macros bring in.
fn set<'s>(survey: &'s Survey<'_>) -> Set<'s> {
    let (mut set, mut words) = (HashSet::new(), HashSet::new());
    for text in &survey.texts {
        match text.of {
            Use::Acl(_, term) => set.extend(term.variable.as_ref().map(|name| name.bytes())),
            Use::Driver(_, setting) if setting.option.meta.name == "set" => {
                let words = text.text.split(|c| !word(c));
                set.extend(words.filter(|word| word.starts_with(b"r_")));
            }
            _ => {}
        }
    }
    let conditions: HashSet<&[u8]> = RESULTS
        .iter()
        .flat_map(|(_, conditions)| conditions.iter().map(|name| name.as_bytes()))
        .collect();
    for file in survey.config.sources.files() {
        let lines = file.text.split(|c| *c == b'\n').map(<[u8]>::trim_ascii_start);
        for line in lines.filter(|line| !line.starts_with(b"#")) {
            let mut before: &[u8] = b"";
            let mut at = 0;
            for one in line.split(|c| !word(c)) {
                let behind = line[at + one.len()..].trim_ascii_start();
                at += one.len() + 1;
                if one.is_empty() {
                    continue;
                }
                if before == b"set" {
                    set.insert(one);
                }
                // `spam = nobody`, `verify = csa`
                if conditions.contains(one) && (behind.starts_with(b"=") || before == b"verify") {
                    words.insert(one);
                }
                before = one;
            }
        }
    }
    Set { variables: set, words }
}

/// W212.
pub(super) static DOLLAR_MISSING: Lint = Lint {
    code: "W212",
    name: "dollar-missing",
    severity: Severity::Warning,
    summary: "The name of a variable stands where its value is meant.",
    docs: "What is compared, looked up or given to an operator is the name of a variable, without \
           the dollar sign: it stands for itself, and is the same for every message.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if eq{sender_address}{a@b.example}}\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if eq{$sender_address}{a@b.example}}\n",
    run: |survey, findings| {
        let set = set(survey);
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            let conditions = tree.conds().iter().filter(|condition| {
                let name = survey.registry.condition_at(condition.def).meta.name;
                COMPARE.contains(&name) || name.starts_with("match_")
            });
            let conditions =
                conditions.filter_map(|condition| tree.view().cond_args(condition).first());
            let lookups = tree.calls().iter().filter_map(|call| {
                let args = tree.view().call_args(call);
                args.first().filter(|_| matches!(args.get(1), Some(Arg::Lookup(_))))
            });
            let operators = tree.ops().iter().filter(|op| op.def.is_some()).map(|op| op.arg);
            let arguments = conditions.chain(lookups).filter_map(|arg| match arg {
                Arg::Text(seq) => Some(*seq),
                _ => None,
            });
            for seq in arguments.chain(operators) {
                let Some(word) = tree.view().literal(seq).filter(|word| word.contains(&b'_'))
                else {
                    continue;
                };
                if survey.registry.variable_id(word).is_some() || set.variables.contains(word) {
                    let shown = String::from_utf8_lossy(word);
                    let message = format!("\"{shown}\" is no variable without a dollar sign");
                    let help = Help::instead_of(&shown, format!("write ${shown}"));
                    findings.add_with(text.spot(seq.span), message, help);
                }
            }
        }
    },
};

/// Conditions whose first argument is a value, but for those of numbers (E112).
const COMPARE: [&str; 17] = [
    "crypteq", "eq", "eqi", "exists", "ge", "gei", "gt", "gti", "inlist", "inlisti", "isip", "le",
    "lei", "lt", "lti", "match", "isip4",
];
