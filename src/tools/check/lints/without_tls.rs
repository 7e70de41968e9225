//! TLS that is asked for, in a build that has none.

use eximious_core::{DriverKind, OptionValue};
use eximious_stdlib::options::opt::{self, transport::smtp};

use crate::config::SettingUse;
use crate::tools::check::{Findings, Lint, Severity, Spot};

/// Options that want TLS where they say anything.
const WANT_TLS: [&str; 9] = [
    opt::TLS_CERTIFICATE.name(),
    opt::TLS_PRIVATEKEY.name(),
    opt::TLS_ON_CONNECT_PORTS.name(),
    opt::TLS_ADVERTISE_HOSTS.name(),
    smtp::HOSTS_REQUIRE_TLS.name(),
    smtp::HOSTS_REQUIRE_DANE.name(),
    smtp::HOSTS_REQUIRE_OCSP.name(),
    smtp::TLS_VERIFY_HOSTS.name(),
    smtp::TLS_VERIFY_CERTIFICATES.name(),
];

/// W702.
pub(super) static WITHOUT_TLS: Lint = Lint {
    code: "W702",
    name: "without-tls",
    severity: Severity::Warning,
    summary: "The configuration asks for TLS, and this build has none.",
    docs: "The program was built without its cargo feature `tls`. Clients are not offered TLS, \
           whatever `tls_certificate` and `tls_advertise_hosts` say; ports where TLS comes first \
           keep the daemon from starting; and what has to go to a host under TLS \
           (`hosts_require_tls`, `hosts_require_dane`, `protocol = smtps`) waits. In a file for \
           several builds, `.ifdef _HAVE_TLS` keeps such lines from others.",
    bad: "tls_certificate = /etc/exim/cert.pem\n",
    good: ".ifdef _HAVE_TLS\ntls_certificate = /etc/exim/cert.pem\n.endif\n",
    run: |survey, findings| {
        if survey.world.tls.is_there() {
            return;
        }
        let config = survey.config;
        for setting in &config.main {
            look(setting, config.settings.value(setting.option.meta.name), findings);
        }
        for instance in config.instances(DriverKind::Transport) {
            for setting in &instance.settings {
                look(setting, instance.options.of(setting.option), findings);
            }
        }
    },
};

/// An option that says something that only TLS can do.
fn look(setting: &SettingUse, value: Option<&OptionValue>, findings: &mut Findings) {
    let name = setting.option.meta.name;
    let wants = match value {
        Some(OptionValue::Text(text)) if name == smtp::PROTOCOL.name() => text.bytes() == b"smtps",
        Some(OptionValue::Text(text)) => {
            WANT_TLS.contains(&name) && !text.bytes().trim_ascii().is_empty()
        }
        _ => false,
    };
    if wants {
        let message = format!("\"{name}\" asks for TLS, which is not in this build");
        findings.add(Spot::Line(setting.line, setting.name), message);
    }
}
