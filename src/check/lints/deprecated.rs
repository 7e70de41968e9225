//! Older names.

use crate::check::{Lint, Severity};

/// W401.
pub(super) static OLDER_NAME: Lint = Lint {
    code: "W401",
    name: "older-name",
    severity: Severity::Warning,
    summary: "An option has another name now.",
    docs: "The older name still works here; a later release of Exim may not know it.",
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
    },
};
