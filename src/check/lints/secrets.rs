//! Secrets that anybody can read.

use crate::check::survey::Use;
use crate::check::{Lint, Severity};

/// Options that hold lists of servers with passwords in them.
const SERVERS: [&str; 5] =
    ["ibase_servers", "mysql_servers", "oracle_servers", "pgsql_servers", "redis_servers"];
/// Options that hold a secret.
const SECRETS: [&str; 5] =
    ["client_password", "client_secret", "server_password", "server_secret", "srs_secrets"];

/// W601.
pub(super) static SECRET_SHOWN: Lint = Lint {
    code: "W601",
    name: "secret-shown",
    severity: Severity::Warning,
    summary: "A secret stands in the file without `hide`.",
    docs: "`exim -bP` shows the value to every user of the system. `hide` before the option's name \
           keeps it from those who do not administrate; the file itself must not be readable \
           either.",
    bad: "mysql_servers = localhost/mail/exim/secret\n",
    good: "hide mysql_servers = localhost/mail/exim/secret\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let (setting, hidden) = match text.of {
                Use::Main(setting) => {
                    (setting, survey.config.hidden.contains(setting.option.meta.name))
                }
                Use::Driver(one, setting) => {
                    (setting, one.hidden.contains(setting.option.meta.name))
                }
                _ => continue,
            };
            let name = setting.option.meta.name;
            let secret = if SERVERS.contains(&name) {
                let part = if name == "redis_servers" { 2 } else { 3 };
                text.text
                    .split(|c| *c == b'/')
                    .nth(part)
                    .is_some_and(|password| !password.trim_ascii().is_empty())
            } else {
                // What is looked up is no secret.
                SECRETS.contains(&name) && !text.text.is_empty() && !text.text.contains(&b'$')
            };
            // `^name^password`, with nothing that is looked up.
            let sent = name == "client_send"
                && text.text.starts_with(b"^")
                && !text.text.contains(&b'$')
                && text.text.split(|c| *c == b'^').nth(2).is_some_and(|word| !word.is_empty());
            let key = name == "dkim_private_key" && text.text.starts_with(b"-----BEGIN");
            if (secret || sent || key) && !hidden {
                let message = format!("{name} holds a secret that exim -bP shows to everybody");
                findings.add_with(survey.named(setting), message, format!("write hide {name} = …"));
            }
        }
    },
};
