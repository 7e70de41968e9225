//! Macros.

use std::collections::HashMap;

use crate::tools::check::names::{Names, word};
use crate::tools::check::{Lint, Severity, Spot};
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
        let defined: HashMap<&[u8], usize> = config
            .macros
            .iter()
            .zip(&config.macro_lines)
            .filter_map(|((name, _), line)| Some((name, (*line)?)))
            .collect();
        let names = Names::new(defined.keys().copied());
        for (number, line) in config.lines.iter().enumerate() {
            let mut late: Vec<(&[u8], usize)> = Vec::new();
            names.each_in(&line.text, |name, at| {
                let starts = !at.checked_sub(1).and_then(|n| line.text.get(n)).is_some_and(word);
                let known = late.iter().any(|(other, _)| *other == name);
                if starts && !known && defined.get(name).is_some_and(|line| *line > number) {
                    late.push((name, at));
                }
            });
            for (name, at) in late {
                let shown = String::from_utf8_lossy(name);
                let message = format!("the macro {shown} is defined only later");
                findings.add(Spot::Line(number, Span::new(at, at + name.len())), message);
            }
        }
    },
};

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
            if !used && !survey.left_out(name) {
                let shown = String::from_utf8_lossy(name);
                let span = Span::new(0, name.len());
                findings
                    .add(Spot::Line(*defined, span), format!("the macro {shown} is never used"));
            }
        }
    },
};
