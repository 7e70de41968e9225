//! Words where numbers are compared.

use eximious_grammar::expansion::Arg;

use crate::tools::check::{Lint, Severity};

/// E112.
pub(super) static NOT_A_NUMBER: Lint = Lint {
    code: "E112",
    name: "not-a-number",
    severity: Severity::Error,
    summary: "A word is compared as a number.",
    docs: "`<`, `<=`, `=`, `==`, `>=` and `>` want numbers on both sides, and the expansion fails \
           with anything else. A dollar sign may be missing; strings are compared with `eq`.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if >{message_size}{10M}}\n  accept\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if >{$message_size}{10M}}\n  accept\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            for condition in tree.conds() {
                let name = survey.registry.condition_at(condition.def).meta.name;
                if !matches!(name, "<" | "<=" | "=" | "==" | ">=" | ">") {
                    continue;
                }
                for arg in tree.view().cond_args(condition) {
                    let Arg::Text(seq) = arg else { continue };
                    let Some(word) = tree.view().literal(*seq).filter(|word| !number(word)) else {
                        continue;
                    };
                    let shown = String::from_utf8_lossy(word);
                    let known = survey.registry.variable_id(word.trim_ascii()).is_some();
                    let help =
                        if known { format!("write ${}", shown.trim()) } else { String::new() };
                    let message = format!("integer expected but \"{shown}\" found");
                    findings.add_with(text.spot(seq.span), message, help);
                }
            }
        }
    },
};

/// Whether a text is a number, with the suffixes that multiply; nothing is zero.
fn number(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let digits = match text {
        [digits @ .., b'k' | b'K' | b'm' | b'M' | b'g' | b'G'] => digits,
        _ => text,
    };
    match digits.strip_prefix(b"0x").or(digits.strip_prefix(b"0X")) {
        Some(hex) => !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit),
        None => digits.iter().all(u8::is_ascii_digit) && (!digits.is_empty() || text.is_empty()),
    }
}
