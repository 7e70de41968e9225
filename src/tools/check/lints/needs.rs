//! Options that mean nothing without another.

use eximious_core::OptionValue;

use crate::config::SettingUse;
use crate::tools::check::{Findings, Lint, Severity, Survey};

/// An option, and those of which one must be set with it.
const NEEDS: [(&str, &[&str]); 24] = [
    ("tls_privatekey", &["tls_certificate"]),
    ("tls_ocsp_file", &["tls_certificate"]),
    ("dkim_selector", &["dkim_domain"]),
    ("dkim_private_key", &["dkim_domain"]),
    ("dkim_canon", &["dkim_domain"]),
    ("dkim_hash", &["dkim_domain"]),
    ("dkim_identity", &["dkim_domain"]),
    ("dkim_sign_headers", &["dkim_domain"]),
    ("dkim_strict", &["dkim_domain"]),
    ("dkim_timestamps", &["dkim_domain"]),
    ("maildir_tag", &["maildir_format"]),
    ("maildir_use_size_file", &["maildir_format"]),
    ("mailstore_prefix", &["mailstore_format"]),
    ("mailstore_suffix", &["mailstore_format"]),
    ("once_file_size", &["once"]),
    ("once_repeat", &["once"]),
    ("perl_taintmode", &["perl_startup"]),
    ("local_part_prefix_optional", &["local_part_prefix"]),
    ("local_part_suffix_optional", &["local_part_suffix"]),
    ("smtp_accept_reserve", &["smtp_reserve_hosts"]),
    ("perl_at_start", &["perl_startup"]),
    ("gecos_name", &["gecos_pattern"]),
    ("shadow_condition", &["shadow_transport"]),
    ("quota_warn_message", &["quota_warn_threshold"]),
];

/// E107.
pub(super) static OPTION_NEEDS: Lint = Lint {
    code: "E107",
    name: "option-needs",
    severity: Severity::Error,
    summary: "An option has no effect without another one.",
    docs: "The option that is named says how something is done that nothing asks for.",
    bad: "tls_privatekey = /etc/exim/key.pem\n",
    good: "tls_certificate = /etc/exim/cert.pem\ntls_privatekey = /etc/exim/key.pem\n",
    run: |survey, findings| {
        let config = survey.config;
        look(survey, &|name| config.settings.value(name), &config.main, findings);
        for instance in config.all_instances() {
            look(survey, &|name| instance.options.get(name), &instance.settings, findings);
        }
    },
};

fn look<'o>(
    survey: &Survey<'_>,
    value: &dyn Fn(&str) -> Option<&'o OptionValue>,
    settings: &[SettingUse],
    findings: &mut Findings,
) {
    for setting in settings {
        let name = setting.option.meta.name;
        let Some((_, needed)) = NEEDS.iter().find(|(own, _)| *own == name) else { continue };
        if matches!(value(name), Some(OptionValue::Flag(false) | OptionValue::Number(0))) {
            continue;
        }
        if needed.iter().all(|other| value(other).is_none()) {
            let message = format!("{name} has no effect without {}", needed[0]);
            findings.add(survey.named(setting), message);
        }
    }
}
