//! Older names.

use eximious_grammar::Span;

use crate::check::names::word;
use crate::check::{Lint, Severity};

/// Words that stand after conditions, and what they are called now.
type OldWords = (&'static [&'static str], &'static [(&'static str, &'static str)]);
const OLD_WORDS: [OldWords; 2] = [
    (&["spf", "spf_guess"], &[("err_perm", "permerror"), ("err_temp", "temperror")]),
    (
        &["verify"],
        &[("callout_defer_ok", "callout=defer_ok"), ("check_postmaster", "callout=postmaster")],
    ),
];

/// W401.
pub(super) static OLDER_NAME: Lint = Lint {
    code: "W401",
    name: "older-name",
    severity: Severity::Warning,
    summary: "An option or a word has another name now.",
    docs: "The older name still works here; a later release of Exim may not know it. The results \
           `err_perm` and `err_temp` of `spf` are such names: since 4.91, Exim does not know them.",
    bad: "proxy_required_hosts = 192.0.2.1\n",
    good: "hosts_proxy = 192.0.2.1\n",
    run: |survey, findings| {
        let config = survey.config;
        for setting in config.all_settings() {
            let written = setting.name.of(&config.lines[setting.line].text);
            let meta = &setting.option.meta;
            let plain = written.strip_prefix(b"no_").or(written.strip_prefix(b"not_"));
            let older = meta
                .aliases
                .iter()
                .find(|alias| alias.as_bytes() == written || Some(alias.as_bytes()) == plain);
            if let Some(older) = older {
                let message = format!("{older} is called {} now", meta.name);
                findings.add_with(survey.named(setting), message, format!("write {}", meta.name));
            }
        }
        for text in &survey.texts {
            let name = text.term().map_or("", |term| term.meta.name);
            let Some((_, olds)) = OLD_WORDS.iter().find(|(places, _)| places.contains(&name))
            else {
                continue;
            };
            for (old, new) in olds.iter() {
                if let Some(at) = word_in(&text.text, old.as_bytes()) {
                    let spot = text.spot(Span::new(at, at + old.len()));
                    findings.add_with(
                        spot,
                        format!("{old} is called {new} now"),
                        format!("write {new}"),
                    );
                }
            }
        }
    },
};

/// Where a word stands in a text.
fn word_in(text: &[u8], name: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(text, name).find(|at| {
        let before = at.checked_sub(1).and_then(|n| text.get(n));
        !before.is_some_and(word) && !text.get(at + name.len()).is_some_and(word)
    })
}
