//! Regular expressions that take too long.

use eximious_grammar::Span;
use eximious_grammar::expansion::Arg;

use crate::check::{Lint, Severity};

/// W501.
pub(super) static PATTERN_EXPLODES: Lint = Lint {
    code: "W501",
    name: "pattern-explodes",
    severity: Severity::Warning,
    summary: "A regular expression may take exponential time.",
    docs: "A repetition stands inside another: `(a+)+`, `(a|b*)*`. Some texts can be split among \
           them in so many ways that the match does not come to an end, and who sends the text \
           decides on it. Write the inner one without the repetition, or make it possessive: \
           `(a++)+`, `(?>a+)+`.",
    bad: "begin acl\nc:\n  deny condition = ${if match{$sender_helo_name}{\\N^(a+)+$\\N}}\nbegin routers\n",
    good: "begin acl\nc:\n  deny condition = ${if match{$sender_helo_name}{\\N^a+$\\N}}\nbegin routers\n",
    run: |survey, findings| {
        for text in &survey.texts {
            if let Some(tree) = &text.tree {
                for condition in tree.conds() {
                    let name = survey.registry.condition_at(condition.def).meta.name;
                    if name != "match" {
                        continue;
                    }
                    if let Some(Arg::Text(pattern)) = tree.cond_args(condition).get(1)
                        && let Some(literal) = tree.literal(*pattern)
                        && explodes(literal)
                    {
                        findings
                            .add(text.spot(pattern.span), "this pattern may take exponential time");
                    }
                }
            }
            let scans = text.term().is_some_and(|t| matches!(t.meta.name, "regex" | "mime_regex"));
            let listed = text.list.is_some() && text.text.trim_ascii_start().starts_with(b"^");
            if (scans || listed) && explodes(&text.text) {
                findings.add(
                    text.spot(Span::new(0, text.text.len())),
                    "this pattern may take exponential time",
                );
            }
        }
    },
};

/// Whether a group with a repetition in it is itself repeated.
fn explodes(pattern: &[u8]) -> bool {
    // For each open group: whether it is atomic, and whether it repeats something.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' => at += 1,
            b'[' => {
                let rest = &pattern[at + 1..];
                let first = usize::from(rest.first() == Some(&b'^'));
                // A bracket that comes first is an ordinary character.
                let from = first + usize::from(rest.get(first) == Some(&b']'));
                let mut end = from;
                while end < rest.len() && rest[end] != b']' {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                at += end.min(rest.len()) + 1;
            }
            b'(' => open.push((pattern[at + 1..].starts_with(b"?>"), false)),
            b')' => {
                let (atomic, repeats) = open.pop().unwrap_or_default();
                let repeated = endless(&pattern[at + 1..]);
                if repeats && repeated && !atomic {
                    return true;
                }
                if let Some((_, outer)) = open.last_mut() {
                    *outer |= (repeats && !atomic) || repeated;
                }
            }
            // A repetition itself, or the sign that makes it possessive.
            b'*' | b'+' | b'?' => {}
            _ => {
                if endless(&pattern[at + 1..])
                    && let Some((_, repeats)) = open.last_mut()
                {
                    *repeats = true;
                }
            }
        }
        at += 1;
    }
    false
}

/// Whether a repetition without an upper end follows, which can give back what
/// it took.
fn endless(rest: &[u8]) -> bool {
    let length = match rest.first() {
        Some(b'*' | b'+') => 1,
        Some(b'{') => match rest.iter().position(|c| *c == b'}') {
            Some(end) if rest[..end].ends_with(b",") => end + 1,
            _ => return false,
        },
        _ => return false,
    };
    rest.get(length) != Some(&b'+')
}

#[cfg(test)]
mod tests {
    use super::explodes;

    #[test]
    fn repetitions_in_repetitions_explode() {
        for pattern in ["(a+)+", "^(a|b*)*$", "((x+))+", "(a{2,})*", "([a-z]+\\.)*(b+)+"] {
            assert!(explodes(pattern.as_bytes()), "{pattern}");
        }
        for pattern in
            ["a+b+", "(ab)+", "(a++)+", "(?>a+)+", "([+*]x)+", "(\\+a)+", "(a?b)*", "(a{2})*"]
        {
            assert!(!explodes(pattern.as_bytes()), "{pattern}");
        }
    }
}
