//! Macros.

use std::collections::HashMap;

use crate::Macros;
use crate::tools::check::names::{Names, word};
use crate::tools::check::{Help, Lint, Severity, Spot};
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

/// W217.
pub(super) static MACRO_MISSPELT: Lint = Lint {
    code: "W217",
    name: "macro-misspelt",
    severity: Severity::Warning,
    summary: "A word in capital letters is almost the name of a macro.",
    docs: "It is none, and so it is ordinary text, of which Exim says nothing.",
    bad: "LOCAL_HOSTS = 192.0.2.0/24\nhostlist relay = LOCAL_HOST : LOCAL_HOSTS\n\
          host_lookup = +relay\n",
    good: "LOCAL_HOSTS = 192.0.2.0/24\nhostlist relay = LOCAL_HOSTS\nhost_lookup = +relay\n",
    run: |survey, findings| {
        let config = survey.config;
        let names = config.macros.iter().map(|(name, _)| String::from_utf8_lossy(name));
        let names: Vec<_> = names.filter(|name| name.len() >= SHORTEST).collect();
        for (number, line) in config.lines.iter().enumerate() {
            if names.is_empty() || Macros::is_definition(&line.text) {
                continue;
            }
            for (at, written) in capitals(&line.text) {
                if WORDS_OF_MAIL.contains(&written) {
                    continue;
                }
                let is_near = |name: &str| strsim::osa_distance(name, written) == 1;
                let Some(near) = names.iter().find(|name| is_near(name)) else { continue };
                // What is in the text of a macro was written there.
                if line.place(at).inside.is_none() {
                    let spot = Spot::Line(number, Span::new(at, at + written.len()));
                    let help = Help::instead_of(written, format!("did you mean {near}?"));
                    findings.add_with(spot, format!("there is no macro {written}"), help);
                }
            }
        }
    },
};

/// How long a name is at least that is looked for: of shorter ones, many words are near.
const SHORTEST: usize = 5;

/// What stands in capital letters in many configurations: names of protocols, commands and
/// mechanisms.
const WORDS_OF_MAIL: &[&str] = &[
    "ANONYMOUS",
    "DAEMON",
    "ESMTP",
    "ESMTPA",
    "ESMTPS",
    "ESMTPSA",
    "EXTERNAL",
    "GSSAPI",
    "HTTPS",
    "LOGIN",
    "MAILER",
    "NORMAL",
    "PLAIN",
    "SCRAM",
    "SECURE",
    "SMTPS",
    "SMTPUTF8",
    "STARTTLS",
];

/// The words of capital letters, digits and underscores, with their places.
fn capitals(text: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let words = text.split(|c| !word(c)).map(move |part| {
        let start = at;
        at += part.len() + 1;
        (start, part)
    });
    let is_one = |part: &[u8]| {
        part.len() >= SHORTEST
            && part[0].is_ascii_uppercase()
            && !part.iter().any(u8::is_ascii_lowercase)
    };
    words
        .filter(move |(_, part)| is_one(part))
        .filter_map(|(start, part)| Some((start, std::str::from_utf8(part).ok()?)))
}
