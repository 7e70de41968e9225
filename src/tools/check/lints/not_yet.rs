//! Words that are known, and do nothing here yet.

use eximious_core::{DriverKind, Meta, OptionEffect, OptionValue};

use crate::config::SettingUse;
use crate::tools::check::survey::Use;
use crate::tools::check::{Findings, Lint, Severity, Spot, Survey, Text};

/// W701.
pub(super) static NOT_YET: Lint = Lint {
    code: "W701",
    name: "not-yet",
    severity: Severity::Warning,
    summary: "eximious knows the word, and does nothing for it yet.",
    docs: "The word is right, and a real Exim does what it says. Where eximious runs the \
           configuration, an ACL that comes to it ends there with an error, which defers what it \
           is about; an authenticator or router with such a driver does the same, and \
           so does a transport. An option that does nothing yet is passed over. \
           `COMPATIBILITY.md` lists them as *not yet*.",
    bad: "acl_smtp_rcpt = r\nbegin acl\nr:\n  deny bmi_optin = *\n",
    good: "acl_smtp_data = d\nbegin acl\nd:\n  deny condition = ${if >{$message_size}{1M}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            if let Use::Acl(_, line) = text.of {
                match line.term.run.is_not_yet() {
                    true => warn(text, &line.term.meta, "", findings),
                    false => named(survey, text, line.term.meta.name, findings),
                }
            }
        }
        for setting in &survey.config.main {
            let value = survey.config.settings.value(setting.option.meta.name);
            passed_over(setting, value, findings);
        }
        for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
            for instance in survey.config.instances(kind) {
                for setting in &instance.settings {
                    let value = instance.options.of(setting.option);
                    passed_over(setting, value, findings);
                }
                let driver = instance.driver.as_ref().filter(|driver| driver.run.is_not_yet());
                if let Some(driver) = driver {
                    let message = format!(
                        "the {} driver \"{}\" does nothing yet",
                        kind.name(),
                        driver.meta.name
                    );
                    findings.add(survey.line(instance.line), message);
                }
            }
        }
    },
};

/// An option that is set to something, and does nothing yet.
fn passed_over(setting: &SettingUse, value: Option<&OptionValue>, findings: &mut Findings) {
    let is_off = match value {
        None | Some(OptionValue::Flag(false)) => true,
        Some(OptionValue::Text(text)) => text.is_empty(),
        Some(_) => false,
    };
    if is_off || setting.option.effect != OptionEffect::NotYet {
        return;
    }
    let spot = Spot::Line(setting.line, setting.name);
    findings.add(spot, format!("the option \"{}\" does nothing yet", setting.option.meta.name));
}

/// What `control` and `verify` name.
fn named(survey: &Survey<'_>, text: &Text<'_>, word: &str, findings: &mut Findings) {
    let end = text.text.iter().position(|c| matches!(c, b'/' | b'=' | b' ' | b'\t'));
    let name = &text.text[..end.unwrap_or(text.text.len())];
    let (meta, not_yet) = match word {
        "control" => match survey.registry.acl_control(name) {
            Some(control) => (control.meta, control.run.is_not_yet()),
            None => return,
        },
        "verify" => match survey.registry.acl_verify(&name.to_ascii_lowercase()) {
            Some(verify) => (verify.meta, verify.run.is_not_yet()),
            None => return,
        },
        _ => return,
    };
    if not_yet {
        warn(text, &meta, &format!("{word} = "), findings);
    }
}

fn warn(text: &Text<'_>, meta: &Meta, head: &str, findings: &mut Findings) {
    let message =
        format!("\"{head}{}\" does nothing yet: an ACL that comes to it defers", meta.name);
    findings.add(text.whole(), message);
}
