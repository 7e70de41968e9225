//! Tests for features that no Exim has.

use std::borrow::Cow;
use std::collections::HashSet;

use eximious_core::{DriverKind, OptionPlace, Registry};

use crate::Macros;
use crate::config::conditional;
use crate::tools::check::names::word;
use crate::tools::check::{Help, Lint, Severity, Spot};

/// W215.
pub(super) static FEATURE_MISSPELT: Lint = Lint {
    code: "W215",
    name: "feature-misspelt",
    severity: Severity::Warning,
    summary: "A test for a feature names none.",
    docs: "`.ifdef _HAVE_…`, `_OPT_…`, `_DRIVER_…` and their kin ask whether Exim knows a word. A \
           name that is nearly one of them is never defined, and the lines behind it never count, \
           without a word about it.",
    bad: "queue_only\n.ifdef _HAVE_CONTENT_SCANING\nspamd_address = 127.0.0.1 783\n.endif\n",
    good: "queue_only\n.ifdef _HAVE_CONTENT_SCANNING\nspamd_address = 127.0.0.1 783\n.endif\n",
    run: |survey, findings| {
        let mut known: Option<HashSet<String>> = None;
        for file in survey.config.sources.files() {
            for (index, line) in file.text.split(|c| *c == b'\n').enumerate() {
                let line = crate::config::macros::trim_start(line);
                let Some((directive, Some(b' '))) = conditional(line) else { continue };
                let words = line[directive.len()..].split(|c| !word(c));
                for name in words.filter(|name| name.starts_with(b"_")) {
                    // A macro whose name stands in a longer one counts, too.
                    let applied = survey.config.macros.apply(name, survey.registry);
                    let (Ok(Cow::Borrowed(_)), Ok(name)) = (applied, std::str::from_utf8(name))
                    else {
                        continue;
                    };
                    let known = known.get_or_insert_with(|| names(survey.registry));
                    // What no name is near to may be of another release or build.
                    if known.contains(name) {
                        continue;
                    }
                    let Some(nearest) = nearest(name, known) else { continue };
                    let spot = Spot::Physical(index as u32 + 1, file.name.clone());
                    let message = format!("{name} is no macro that Exim defines");
                    let help = Help::instead_of(name, format!("did you mean {nearest}?"));
                    findings.add_with(spot, message, help);
                }
            }
        }
    },
};

/// The name of the same kind that may have been meant.
fn nearest<'k>(name: &str, known: &'k HashSet<String>) -> Option<&'k str> {
    // `_HAVE_X`: the words after the head tell names apart.
    let farthest = if name.len() >= 16 { 2 } else { 1 };
    let near = known
        .iter()
        .filter(|known| known.len().abs_diff(name.len()) <= farthest && head(known) == head(name))
        .map(|known| (strsim::osa_distance(name, known), known.as_str()))
        .filter(|(distance, _)| *distance <= farthest);
    near.min().map(|(_, known)| known)
}

/// The first word, which says what kind of thing it is about.
fn head(name: &str) -> &str {
    name.trim_start_matches('_').split('_').next().unwrap_or_default()
}

/// Words that other builds and releases define.
const OTHERS: &[&str] = &[
    "_HAVE_ARC",
    "_HAVE_BRIGHTMAIL",
    "_HAVE_CLIENT_SOCKS",
    "_HAVE_CONTENT_SCANNING",
    "_HAVE_DANE",
    "_HAVE_DCC",
    "_HAVE_DKIM",
    "_HAVE_DMARC",
    "_HAVE_DSN",
    "_HAVE_DSN_INFO",
    "_HAVE_GNUTLS",
    "_HAVE_HINTS_BDB",
    "_HAVE_HINTS_GDBM",
    "_HAVE_HINTS_NDBM",
    "_HAVE_HINTS_SQLITE",
    "_HAVE_HINTS_TDB",
    "_HAVE_LMDB",
    "_HAVE_LOCAL_SCAN",
    "_HAVE_MALWARE_AVAST",
    "_HAVE_MALWARE_CLAMD",
    "_HAVE_MALWARE_CMDLINE",
    "_HAVE_MALWARE_DRWEB",
    "_HAVE_MALWARE_FPROT6D",
    "_HAVE_MALWARE_FPROTD",
    "_HAVE_MALWARE_FSECURE",
    "_HAVE_MALWARE_KAV",
    "_HAVE_MALWARE_MKSD",
    "_HAVE_MALWARE_SOCK",
    "_HAVE_MALWARE_SOPHIE",
    "_HAVE_MOVE_FROZEN_MESSAGES",
    "_HAVE_PIPECONNECT",
    "_HAVE_QUEUE_RAMP",
    "_HAVE_QUEUEFILE",
    "_HAVE_REQUIRETLS",
    "_HAVE_SOCKS",
    "_HAVE_TCP_FASTOPEN",
];

/// All that may be asked for: what is defined here, and what the words of the
/// registry would be called where they are known.
fn names(registry: &Registry) -> HashSet<String> {
    let own = Macros::builtin(registry, true).into_iter();
    let mut names: HashSet<String> =
        own.filter_map(|(name, _)| String::from_utf8(name).ok()).collect();
    let mut add = |head: &str, name: &str| {
        names.insert(format!("{head}{}", name.trim_end_matches('_').to_ascii_uppercase()));
    };
    for lookup in registry.all_lookups() {
        add("_HAVE_LOOKUP_", lookup.meta.name);
    }
    for term in registry.all_acl_terms() {
        add("_ACL_COND_", term.meta.name);
        add("_ACL_MOD_", term.meta.name);
    }
    for driver in registry.all_drivers() {
        let kind = driver.kind.name().to_ascii_uppercase();
        add(&format!("_DRIVER_{kind}_"), driver.meta.name);
        let place = OptionPlace::Driver(driver.kind, driver.meta.name);
        let head = format!("_OPT_{kind}_{}_", driver.meta.name.to_ascii_uppercase());
        registry.options_of(place).for_each(|option| add(&head, option.meta.name));
    }
    for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
        let head = format!("_OPT_{}S_", kind.name().to_ascii_uppercase());
        let options = registry.options_of(OptionPlace::Generic(kind));
        options.for_each(|option| add(&head, option.meta.name));
    }
    registry.options_of(OptionPlace::Main).for_each(|option| add("_OPT_MAIN_", option.meta.name));
    names.extend(OTHERS.iter().map(|name| (*name).to_owned()));
    names
}
