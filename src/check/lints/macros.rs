//! Macros.

use crate::check::{Lint, Severity, Spot};
use eximious_grammar::Span;

/// W201.
pub(super) static MACRO_LATE: Lint = Lint {
    code: "W201",
    name: "macro-late",
    severity: Severity::Warning,
    summary: "A macro is used before it is defined.",
    docs: "A macro counts from its definition on. Before it, its name is ordinary text.",
    bad: "primary_hostname = MYHOST\nMYHOST = mail.example\nqualify_domain = MYHOST\n",
    good: "MYHOST = mail.example\nprimary_hostname = MYHOST\nqualify_domain = MYHOST\n",
    run: |survey, findings| {
        let config = survey.config;
        for (name, defined) in config.macros.iter().map(|(name, _)| name).zip(&config.macro_lines) {
            let Some(defined) = defined else { continue };
            for (number, line) in config.lines[..*defined].iter().enumerate() {
                let Some(at) = word(&line.text, name) else { continue };
                let shown = String::from_utf8_lossy(name);
                let message = format!("the macro {shown} is defined only later");
                findings.add(Spot::Line(number, Span::new(at, at + name.len())), message);
            }
        }
    },
};

/// Where a name stands in a line as a word of its own.
fn word(line: &[u8], name: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(line, name).find(|at| {
        let part = |c: Option<&u8>| c.is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_');
        let before = at.checked_sub(1).and_then(|n| line.get(n));
        !part(before) && !part(line.get(at + name.len()))
    })
}

/// W202.
pub(super) static MACRO_UNUSED: Lint = Lint {
    code: "W202",
    name: "macro-unused",
    severity: Severity::Warning,
    summary: "A macro is never used.",
    docs: "No line after its definition has its name in it, not even a `.ifdef`.",
    bad: "MYHOST = mail.example\nprimary_hostname = mail.example\n",
    good: "MYHOST = mail.example\nprimary_hostname = MYHOST\n",
    run: |survey, findings| {
        let config = survey.config;
        let names = config.macros.iter().map(|(name, _)| name);
        for (number, (name, defined)) in names.zip(&config.macro_lines).enumerate() {
            let Some(defined) = defined else { continue };
            let used = config.macro_uses.contains(&(number as u32));
            if !used && !super::unused::left_out(config, name) {
                let shown = String::from_utf8_lossy(name);
                let span = Span::new(0, name.len());
                findings
                    .add(Spot::Line(*defined, span), format!("the macro {shown} is never used"));
            }
        }
    },
};
