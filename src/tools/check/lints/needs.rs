//! Options that mean nothing without another.

use eximious_core::{DriverKind, OptionValue};
use eximious_stdlib::options::opt;
use eximious_stdlib::options::opt::transport::appendfile::{DIRECTORY, FILE};
use eximious_stdlib::options::opt::transport::queuefile;

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

/// E120.
pub(super) static MAILBOX_MISSING: Lint = Lint {
    code: "E120",
    name: "mailbox-missing",
    severity: Severity::Error,
    summary: "A router gives mail to an appendfile transport that has neither a file nor a directory.",
    docs: "Only for a redirect router, the address itself says which file is meant. For all others, \
           the transport needs `file` or `directory`; without them, each delivery is put off. \
           queuefile needs `directory`.",
    bad: "begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = appendfile\n  user = mail\n",
    good: "begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = appendfile\n  user = mail\n  file = /var/mail/$local_part_data\n",
    run: |survey, findings| {
        let without = |name: &[u8]| {
            let transports = survey.config.instances(DriverKind::Transport).iter();
            let mut named = transports.filter(|transport| transport.name.bytes() == name);
            named.find_map(|one| {
                let is_set = |option| one.options.is_set(option);
                match one.driver.as_ref()?.meta.name {
                    "appendfile" if !is_set(FILE) && !is_set(DIRECTORY) => {
                        Some("neither a file nor a directory")
                    }
                    "queuefile" if !is_set(queuefile::DIRECTORY) => Some("no directory"),
                    _ => None,
                }
            })
        };
        for text in &survey.texts {
            let names = text.option().is_some_and(|option| opt::router::TRANSPORT.is(option));
            if let Some(what) = names.then(|| without(&text.text)).flatten() {
                let name = String::from_utf8_lossy(&text.text);
                findings.add(text.whole(), format!("the transport {name} has {what}"));
            }
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
