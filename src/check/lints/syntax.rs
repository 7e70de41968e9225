//! What Exim complains of when it reads the file, and when it expands a text.

use eximious_core::OptionPlace;

use crate::check::{Findings, Lint, Severity, Spot, Survey, nearest};
use crate::config::ConfigError;

/// E101.
pub(super) static SYNTAX: Lint = Lint {
    code: "E101",
    name: "syntax",
    severity: Severity::Error,
    summary: "Exim can't read the configuration.",
    docs: "The message is Exim's own. Exim stops at the first such mistake; all of them are shown \
           here.",
    bad: "queue_only = maybe\n",
    good: "queue_only = yes\n",
    run: |survey, findings| faults(survey, findings, false),
};

/// E102.
pub(super) static UNKNOWN_OPTION: Lint = Lint {
    code: "E102",
    name: "unknown-option",
    severity: Severity::Error,
    summary: "There is no such option.",
    docs: "An option is looked for in its section: a driver's options are known once `driver` is \
           set. The nearest names are offered.",
    bad: "primary_hostnam = mail.example\n",
    good: "primary_hostname = mail.example\n",
    run: |survey, findings| faults(survey, findings, true),
};

/// The faults that the reader found: those about unknown options, or the others.
fn faults(survey: &Survey<'_>, findings: &mut Findings, unknown: bool) {
    for fault in &survey.config.faults {
        let message = String::from_utf8_lossy(fault.message()).into_owned();
        let name = unknown_name(&message);
        if name.is_some() != unknown {
            continue;
        }
        let spot = spot(fault);
        match name {
            Some(name) => {
                let places: Vec<OptionPlace> = match message.starts_with("main ") {
                    true => vec![OptionPlace::Main],
                    false => survey
                        .registry
                        .all_options()
                        .map(|option| option.place)
                        .filter(|place| *place != OptionPlace::Main)
                        .collect(),
                };
                let options = survey.registry.all_options();
                let names = options.filter(|o| places.contains(&o.place)).map(|o| o.meta.name);
                let near = nearest(name, names);
                let help =
                    near.first().map_or(String::new(), |near| format!("did you mean {near}?"));
                findings.add_with(spot, message.clone(), help);
            }
            None => findings.add(spot, message),
        }
    }
}

/// The name in `main option "x" unknown`.
fn unknown_name(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("main ").unwrap_or(message).strip_prefix("option \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.starts_with(" unknown").then_some(name)
}

fn spot(fault: &ConfigError) -> Spot {
    match fault.line() {
        Some((line, file)) => Spot::Physical(line, file.to_vec()),
        None => Spot::Nowhere,
    }
}

/// E103.
pub(super) static EXPANSION: Lint = Lint {
    code: "E103",
    name: "expansion",
    severity: Severity::Error,
    summary: "A text can't be expanded.",
    docs: "Exim finds this only when it expands the text, which may be months later; where the \
           mistake stands in a branch that is not taken, it fails all the same, because Exim reads \
           what it skips. The message is the one that Exim would log.",
    bad: "begin acl\nrcpt:\n  deny message = ${if eq{$sender_helo_name}{x}{no}\n",
    good: "begin acl\nrcpt:\n  deny message = ${if eq{$sender_helo_name}{x}{no}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            for fault in tree.soft_faults.iter().chain(&tree.hard_fault) {
                if fault.only_skimmed {
                    continue;
                }
                let message = String::from_utf8_lossy(&fault.message).into_owned();
                let free = String::from_utf8_lossy(&fault.free).into_owned();
                let names = survey.registry.all_variables().map(|v| v.meta.name);
                let near = if free.is_empty() { Vec::new() } else { nearest(&free, names) };
                let help =
                    near.first().map_or(String::new(), |near| format!("did you mean ${near}?"));
                findings.add_with(text.spot(fault.span), message, help);
            }
        }
    },
};
