//! Older names.

use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Part, Tree};
use eximious_stdlib::options::opt::{self, authenticator::tls};

use crate::tools::check::names::word;
use crate::tools::check::{Findings, Help, Lint, Severity, Spot, Survey, Text};

/// Words that stand after conditions, and what they are called now.
type OldWords = (&'static [&'static str], &'static [(&'static str, &'static str)]);
const OLD_WORDS: [OldWords; 2] = [
    (&["spf", "spf_guess"], &[("err_perm", "permerror"), ("err_temp", "temperror")]),
    (
        &["verify"],
        &[("callout_defer_ok", "callout=defer_ok"), ("check_postmaster", "callout=postmaster")],
    ),
];

/// Options that have a successor, and the release that brought it.
const OLD_OPTIONS: [(&str, &str, &str); 2] = [
    ("queue_run_in_order", opt::QUEUE_RUN_ORDER.name(), "4.100"),
    (tls::SERVER_PARAM.name(), tls::SERVER_PARAM1.name(), ""),
];

/// Variables that stand for another one, whichever way a message goes.
const OLD_VARIABLES: [(&str, &str); 5] = [
    ("tls_bits", "tls_in_bits"),
    ("tls_certificate_verified", "tls_in_certificate_verified"),
    ("tls_cipher", "tls_in_cipher"),
    ("tls_peerdn", "tls_in_peerdn"),
    ("tls_sni", "tls_in_sni"),
];

/// W401.
pub(super) static OLDER_NAME: Lint = Lint {
    code: "W401",
    name: "older-name",
    severity: Severity::Warning,
    summary: "An option, a variable or a word has another name now.",
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
                let help = Help::instead_of(older, format!("write {}", meta.name));
                findings.add_with(survey.named(setting), message, help);
            }
        }
        for text in &survey.texts {
            let name = text.term().map_or("", |term| term.meta.name);
            for (places, words) in OLD_WORDS {
                for (old, new) in words.iter().filter(|_| places.contains(&name)) {
                    if let Some(at) = word_in(&text.text, old.as_bytes()) {
                        let spot = text.spot(Span::new(at, at + old.len()));
                        renamed(spot, "", old, new, findings);
                    }
                }
            }
            if let Some(tree) = &text.tree {
                in_expansion(survey, text, tree, findings);
            }
        }
        for setting in config.all_settings() {
            let name = setting.option.meta.name;
            let found =
                OLD_OPTIONS.iter().find(|(old, _, since)| *old == name && survey.target.has(since));
            if let Some((old, new, _)) = found {
                renamed(survey.named(setting), "", old, new, findings);
            }
        }
    },
};

fn renamed(spot: Spot, sign: &str, old: &str, new: &str, findings: &mut Findings) {
    let message = format!("{sign}{old} is called {sign}{new} now");
    findings.add_with(spot, message, Help::instead_of(old, format!("write {sign}{new}")));
}

/// Variables and operators.
fn in_expansion(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    for piece in tree.all_pieces() {
        let Part::Variable(id) = piece.part else { continue };
        let meta = &survey.registry.variable_at(id).meta;
        let written = piece.span.of(tree.source());
        let written = written.strip_prefix(b"$").unwrap_or(written);
        let written = written.strip_prefix(b"{").unwrap_or(written);
        let written = written.strip_suffix(b"}").unwrap_or(written);
        let old = OLD_VARIABLES.iter().find(|(old, _)| old.as_bytes() == written);
        let alias = meta.aliases.iter().find(|old| old.as_bytes() == written);
        if let Some((old, new)) = old.copied().or(alias.map(|old| (*old, meta.name))) {
            // The number of a release has two names that are as good.
            if old != "version_number" {
                renamed(text.spot(piece.span), "$", old, new, findings);
            }
        }
    }
    for op in tree.ops() {
        if op.name.of(tree.source()) == b"str2b64" {
            renamed(text.spot(op.name), "", "str2b64", "base64", findings);
        }
    }
    for call in tree.calls() {
        // `mysql{servers=…; SELECT …}`
        let args = tree.view().call_args(call);
        let lookup = args.iter().any(|arg| matches!(arg, Arg::Lookup(_)));
        for arg in args.iter().filter(|_| lookup) {
            let Arg::Text(query) = arg else { continue };
            let source = query.span.of(tree.source());
            if source.trim_ascii_start().starts_with(b"servers=") && source.contains(&b';') {
                let message = "the servers of a query stand before its braces now";
                let help = "write ${lookup TYPE,servers=… {QUERY}}";
                findings.add_with(text.spot(query.span), message, help);
            }
        }
    }
}

/// Where a word stands in a text.
fn word_in(text: &[u8], name: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(text, name).find(|at| {
        let before = at.checked_sub(1).and_then(|n| text.get(n));
        !before.is_some_and(word) && !text.get(at + name.len()).is_some_and(word)
    })
}
