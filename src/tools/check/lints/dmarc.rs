//! What DMARC goes by, and is not there.

use eximious_core::OptionValue;
use eximious_stdlib::options::opt;

use crate::tools::check::{Lint, Severity, Survey, Text};

/// W222.
pub(super) static DMARC_BLIND: Lint = Lint {
    code: "W222",
    name: "dmarc-blind",
    severity: Severity::Warning,
    summary: "`dmarc_status` does not see what it goes by.",
    docs: "Without `dmarc_tld_file`, or `dmarc_tree_walk`, DMARC is off: nothing is verified. What \
           SPF says counts where an `spf` condition came before; with none in the configuration, \
           messages that only SPF would let through fail.",
    bad: "dmarc_tld_file = /etc/exim/suffixes\nacl_smtp_data = d\nbegin acl\nd:\n  \
          deny dmarc_status = reject\n  accept\n",
    good: "dmarc_tld_file = /etc/exim/suffixes\nacl_smtp_data = d\nbegin acl\nd:\n  \
           warn spf = fail\n  deny dmarc_status = reject\n  accept\n",
    run: |survey, findings| {
        let is = |text: &Text<'_>, names: &[&str]| {
            text.term().is_some_and(|term| names.contains(&term.meta.name))
        };
        let Some(first) = survey.texts.iter().find(|text| is(text, &["dmarc_status"])) else {
            return;
        };
        let message = if !is_on(survey) {
            "DMARC is off without dmarc_tld_file"
        } else if !survey.texts.iter().any(|text| is(text, &["spf", "spf_guess"])) {
            "DMARC counts SPF only where an spf condition comes before"
        } else {
            return;
        };
        findings.add(first.whole(), message);
    },
};

/// Whether the configuration says how organisations are found.
fn is_on(survey: &Survey<'_>) -> bool {
    let value = |name: &str| survey.config.settings.value(name);
    matches!(value(opt::DMARC_TREE_WALK.name()), Some(OptionValue::Flag(true)))
        || value(opt::DMARC_TLD_FILE.name()).is_some()
}
