//! Authenticators.

use crate::config::Instance;
use crate::tools::check::items::split;
use crate::tools::check::survey::Use;
use crate::tools::check::{Lint, Severity, uses};
use eximious_core::DriverKind;
use eximious_stdlib::options::opt::authenticator as opt;
use eximious_stdlib::options::opt::transport::smtp::HOSTS_REQUIRE_AUTH;

/// E115.
pub(super) static UNKNOWN_AUTHENTICATOR: Lint = Lint {
    code: "E115",
    name: "unknown-authenticator",
    severity: Severity::Error,
    summary: "A list of authenticators names one that does not exist.",
    docs: "`authenticated` is compared with the name of the authenticator that a client used: not \
           with its `public_name`, and not with the name of a user. What is compared with anything \
           else never holds.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny !authenticated = plian\nbegin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = ${if eq{$auth2}{x}}\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny !authenticated = plain\nbegin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = ${if eq{$auth2}{x}}\n",
    run: |survey, findings| {
        let all = survey.config.instances(DriverKind::Authenticator);
        uses::of_authenticators(survey, &mut |name, spot| {
            if all.iter().any(|one| name.eq_ignore_ascii_case(one.name.bytes())) {
                return;
            }
            let shown = String::from_utf8_lossy(name);
            let names = all.iter().filter_map(|one| std::str::from_utf8(one.name.bytes()).ok());
            let help = findings.offer("", &shown, names);
            findings.add_with(spot, format!("no authenticator is called \"{shown}\""), help);
        });
    },
};

/// E116.
pub(super) static ANYBODY_LOGS_IN: Lint = Lint {
    code: "E116",
    name: "anybody-logs-in",
    severity: Severity::Error,
    summary: "An authenticator accepts any password.",
    docs: "Its `server_condition` holds whatever the client sends. Where those who have \
           authenticated may relay, everybody may. Look the password up, and compare it: with \
           `crypteq`, `pam`, `saslauthd` or the like.",
    bad: "begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = yes\n",
    good: "begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  server_condition = ${if saslauthd{{$auth2}{$auth3}}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Use::Driver(instance, setting) = text.of else { continue };
            let own = opt::SERVER_CONDITION.is(setting.option)
                && instance.authenticator_rules().by_condition;
            if own && super::relay::constant(&text.text) == Some(true) {
                let name = instance.name.display();
                findings.add(text.whole(), format!("{name} accepts any password"));
            }
        }
    },
};

/// E123.
pub(super) static NOBODY_LOGS_IN: Lint = Lint {
    code: "E123",
    name: "nobody-logs-in",
    severity: Severity::Error,
    summary: "A transport must log in, and no authenticator is a client's.",
    docs: "With `hosts_require_auth`, nothing is delivered to such a host without a login, and the \
           mail waits. A login takes an authenticator with a client's side: `client_send` of \
           `plaintext`, `client_name` and `client_secret` of `cram_md5`, and the like.",
    bad: "begin transports\nt:\n  driver = smtp\n  hosts_require_auth = *\n",
    good: "begin transports\nt:\n  driver = smtp\n  hosts_require_auth = *\nbegin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  client_send = ${lookup{$host}lsearch{/etc/exim/passwd}}\n",
    run: |survey, findings| {
        let all = survey.config.instances(DriverKind::Authenticator);
        if all.iter().any(Instance::is_client) {
            return;
        }
        for text in &survey.texts {
            let own = text.option().is_some_and(|option| HOSTS_REQUIRE_AUTH.is(option));
            if own && !text.text.contains(&b'$') && !split(&text.text).is_empty() {
                let message = "hosts must be logged in to, and no authenticator is a client's";
                findings.add(text.whole(), message);
            }
        }
    },
};
