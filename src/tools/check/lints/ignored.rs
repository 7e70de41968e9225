//! Options that Exim passes over without a word.

use eximious_core::{AclOptions, DriverKind, LookupOptions, OptionPlace, Str};
use eximious_grammar::Span;
use eximious_grammar::expansion::LookupStyle;
use eximious_stdlib::options::opt::transport::smtp::SOCKS_PROXY;

use crate::config::SettingUse;
use crate::tools::check::releases::item_options;
use crate::tools::check::{Findings, Lint, Severity, Survey, Text};

/// W210.
pub(super) static OPTION_IGNORED: Lint = Lint {
    code: "W210",
    name: "option-ignored",
    severity: Severity::Warning,
    summary: "An option is passed over, because nobody knows it.",
    docs: "Exim says nothing of an unknown option of a lookup, of `readsocket`, of the controls \
           `queue`, `debug` and `cutthrough_delivery` or of a proxy in `socks_proxy`: what it was \
           meant to do is not done. With `ret=ful`, a lookup gives what it gives without it. A \
           queuefile transport passes over what transports do with a message on its way: the \
           files of the spool are handed over as they are.",
    bad: "smtp_banner = ${lookup{a}lsearch,ret=ful{/etc/x}}\n",
    good: "smtp_banner = ${lookup{a}lsearch,ret=full{/etc/x}}\n",
    run: |survey, findings| {
        for transport in survey.config.instances(DriverKind::Transport) {
            if transport.driver.as_ref().is_some_and(|driver| driver.meta.name == "queuefile") {
                // All that transports have in common, but which of them it is.
                let is_passed = |setting: &&SettingUse| {
                    matches!(setting.option.place, OptionPlace::Generic(_))
                        && setting.option.meta.name != "driver"
                };
                for setting in transport.settings.iter().filter(is_passed) {
                    let message = format!("queuefile passes over {}", setting.option.meta.name);
                    findings.add(survey.named(setting), message);
                }
            }
        }
        for text in &survey.texts {
            controls(survey, text, findings);
            super::socks::unknown(text, &mut |span, option, known| {
                report(text, span, option, SOCKS_PROXY.name(), known, findings);
            });
            if text.list.is_some() {
                in_list(survey, text, findings);
            }
            let Some(tree) = &text.tree else { continue };
            for node in tree.lookups() {
                let def = survey.registry.lookup_at(node.def);
                let options = tree.view().text(node.options);
                lookup(def.meta.name, def.style, options, |option, known| {
                    report(text, node.written, option, def.meta.name, known, findings);
                });
            }
            for call in tree.calls() {
                let name = survey.registry.item_at(call.def).meta.name;
                if name != "readsocket" {
                    continue;
                }
                for option in item_options(name, tree, call) {
                    if !option.is_empty()
                        && !READSOCKET.iter().any(|one| one.as_bytes() == option)
                        && !option.starts_with(b"sni=")
                    {
                        report(text, call.span, option, name, &READSOCKET, findings);
                    }
                }
            }
        }
    },
};

const READSOCKET: [&str; 6] =
    ["cache=no", "cache=yes", "shutdown=no", "shutdown=yes", "tls=no", "tls=yes"];
/// What every lookup takes.
const CACHE: [&str; 3] = ["cache=no", "cache=no_rd", "cache=no_wr"];

/// The options of a lookup that it does not know.
fn lookup(name: &str, style: LookupStyle, options: &[u8], mut each: impl FnMut(&[u8], &[&str])) {
    let mut known: Vec<&str> = CACHE.to_vec();
    if style == LookupStyle::SingleKey {
        known.push("ret=key");
    }
    known.extend_from_slice(match name {
        "dsearch" => &["ret=full", "filter=file", "filter=dir", "filter=subdir", "key=path"][..],
        "lsearch" | "wildlsearch" | "nwildlsearch" | "iplsearch" => &["ret=full"],
        "mysql" | "pgsql" | "redis" => &["servers="],
        "sqlite" => &["file="],
        _ => &[],
    });
    // A list of servers may have commas in it.
    let servers = options.starts_with(b"servers=");
    for option in LookupOptions(Str::from(options)).each() {
        let is = |known: &&str| match known.strip_suffix('=') {
            Some(name) => {
                option.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
            }
            None => known.as_bytes() == option,
        };
        if !servers && !option.is_empty() && !option.contains(&b'$') && !known.iter().any(is) {
            each(option, &known);
        }
    }
}

/// A lookup that is an item of a list: `lsearch,ret=key;/etc/x`.
fn in_list(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let end = text.text.iter().position(|c| *c == b'$').unwrap_or(text.text.len());
    let (separator, start) = crate::tools::check::items::separator(&text.text[..end]);
    for item in text.text[start..end].split(|c| *c == separator) {
        let Some(semicolon) = item.iter().position(|c| *c == b';') else { continue };
        let word = item[..semicolon].trim_ascii();
        let word = word.strip_prefix(b"!").unwrap_or(word);
        let word = word.strip_prefix(b"net-").unwrap_or(word);
        let node = eximious_grammar::expansion::lookup_word(word, survey.registry);
        let Ok(node) = node else { continue };
        let def = survey.registry.lookup_at(node.def);
        lookup(def.meta.name, def.style, node.options.of(word), |option, known| {
            let at = memchr::memmem::find(&text.text, word).unwrap_or(0);
            report(text, Span::new(at, at + word.len()), option, def.meta.name, known, findings);
        });
    }
}

/// Options of controls that pass over what they do not know.
fn controls(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    if text.term().is_none_or(|term| term.meta.name != "control") {
        return;
    }
    let mut parts = text.text.split(|c| *c == b'/').map(<[u8]>::trim_ascii);
    let Some(control) = survey.registry.acl_control(parts.next().unwrap_or_default()) else {
        return;
    };
    let AclOptions::Names(known) = control.options else { return };
    if !super::words::IGNORANT.contains(&control.meta.name) {
        return;
    }
    for option in parts {
        if option.contains(&b'$') {
            return;
        }
        if !super::words::takes(known, option) {
            let at = memchr::memmem::find(&text.text, option).unwrap_or(0);
            let span = Span::new(at, at + option.len());
            report(text, span, option, control.meta.name, known, findings);
        }
    }
}

fn report(
    text: &Text<'_>,
    span: Span,
    option: &[u8],
    of: &str,
    known: &[&str],
    findings: &mut Findings,
) {
    let shown = String::from_utf8_lossy(option);
    let help = findings.offer("", &shown, known.iter().copied());
    findings.add_with(text.spot(span), format!("{of} passes over the option \"{shown}\""), help);
}
