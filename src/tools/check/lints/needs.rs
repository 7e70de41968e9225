//! Options that mean nothing without another.

use eximious_core::OptionValue;
use eximious_stdlib::options::opt;

use crate::config::SettingUse;
use crate::tools::check::{Findings, Lint, Severity, Survey};

/// An option, and those of which one must be set with it.
const NEEDS: [(&str, &[&str]); 24] = [
    (opt::TLS_PRIVATEKEY.name(), &[opt::TLS_CERTIFICATE.name()]),
    (opt::TLS_OCSP_FILE.name(), &[opt::TLS_CERTIFICATE.name()]),
    (opt::transport::smtp::DKIM_SELECTOR.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_PRIVATE_KEY.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_CANON.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_HASH.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_IDENTITY.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_SIGN_HEADERS.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_STRICT.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (opt::transport::smtp::DKIM_TIMESTAMPS.name(), &[opt::transport::smtp::DKIM_DOMAIN.name()]),
    (
        opt::transport::appendfile::MAILDIR_TAG.name(),
        &[opt::transport::appendfile::MAILDIR_FORMAT.name()],
    ),
    (
        opt::transport::appendfile::MAILDIR_USE_SIZE_FILE.name(),
        &[opt::transport::appendfile::MAILDIR_FORMAT.name()],
    ),
    (
        opt::transport::appendfile::MAILSTORE_PREFIX.name(),
        &[opt::transport::appendfile::MAILSTORE_FORMAT.name()],
    ),
    (
        opt::transport::appendfile::MAILSTORE_SUFFIX.name(),
        &[opt::transport::appendfile::MAILSTORE_FORMAT.name()],
    ),
    (opt::transport::autoreply::ONCE_FILE_SIZE.name(), &[opt::transport::autoreply::ONCE.name()]),
    (opt::transport::autoreply::ONCE_REPEAT.name(), &[opt::transport::autoreply::ONCE.name()]),
    (opt::PERL_TAINTMODE.name(), &[opt::PERL_STARTUP.name()]),
    (opt::router::LOCAL_PART_PREFIX_OPTIONAL.name(), &[opt::router::LOCAL_PART_PREFIX.name()]),
    (opt::router::LOCAL_PART_SUFFIX_OPTIONAL.name(), &[opt::router::LOCAL_PART_SUFFIX.name()]),
    (opt::SMTP_ACCEPT_RESERVE.name(), &[opt::SMTP_RESERVE_HOSTS.name()]),
    (opt::PERL_AT_START.name(), &[opt::PERL_STARTUP.name()]),
    (opt::GECOS_NAME.name(), &[opt::GECOS_PATTERN.name()]),
    (opt::transport::SHADOW_CONDITION.name(), &[opt::transport::SHADOW_TRANSPORT.name()]),
    (
        opt::transport::appendfile::QUOTA_WARN_MESSAGE.name(),
        &[opt::transport::appendfile::QUOTA_WARN_THRESHOLD.name()],
    ),
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
            look(survey, &|name| instance.options.named(name), &instance.settings, findings);
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
