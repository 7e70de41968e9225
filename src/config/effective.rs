//! The values of an instance's options, those included that other options
//! decide.

use eximious_core::{DriverKind, OptionDef, OptionValue, Str};

use super::drivers::Instance;
use super::values;

/// What the program warns users with whose mailbox fills up, unless told
/// otherwise.
const QUOTA_WARNING: &str = "\
To: $local_part@$domain
Subject: Your mailbox

This message is automatically created by mail delivery software (Exim).

The size of your mailbox has exceeded a warning threshold that is
set by the system administrator.
";

/// The value of an option: what is forced upon it, what is set, what others
/// make of it, its default; `None` where it has none.
pub(super) fn value(option: &OptionDef, instance: &Instance) -> Option<OptionValue> {
    let name = option.meta.name;
    forced(name, instance)
        .or_else(|| instance.options.get(name).cloned())
        .or_else(|| implied(name, instance))
        .or_else(|| values::default(option))
}

/// What holds whatever is set.
fn forced(name: &str, instance: &Instance) -> Option<OptionValue> {
    use DriverKind::{Router, Transport};
    let on = |option| is_on(instance, option);
    match (instance.kind, instance.driver_name(), name) {
        (Router, _, "fail_verify_recipient" | "fail_verify_sender") => {
            later(instance, name, "fail_verify")
        }
        (Router, _, "verify_recipient" | "verify_sender") => later(instance, name, "verify"),
        (Router, "redirect", "forbid_file" | "forbid_filter_reply" | "forbid_pipe") => {
            on("one_time").then_some(OptionValue::Flag(true))
        }
        (Transport, "appendfile" | "pipe", "check_string") => on("use_bsmtp").then(|| text(".")),
        (Transport, "appendfile" | "pipe", "escape_string") => on("use_bsmtp").then(|| text("..")),
        // Without such a lock, there is nothing to wait for.
        (Transport, "appendfile", "lock_fcntl_timeout") => {
            (!fcntl_lock(instance)).then_some(OptionValue::Number(0))
        }
        (Transport, "appendfile", "lock_flock_timeout") => {
            (!on("use_flock_lock")).then_some(OptionValue::Number(0))
        }
        _ => None,
    }
}

/// What other options make of one that is not set.
fn implied(name: &str, instance: &Instance) -> Option<OptionValue> {
    use DriverKind::{Authenticator, Router, Transport};
    let on = |option| is_on(instance, option);
    let set = |option| instance.options.get(option).is_some();
    let owned = |option| matches!(instance.options.get(option), Some(OptionValue::Ids(ids)) if !ids.is_empty());
    let driver = instance.driver_name();
    let flag = match (instance.kind, driver, name) {
        (Router, _, "log_as_local") => driver == "accept",
        (Router, _, "retry_use_local_part") => {
            let asks = [
                "condition",
                "local_part_prefix",
                "local_part_suffix",
                "local_parts",
                "require_files",
                "senders",
            ];
            on("check_local_user") || asks.into_iter().any(set)
        }
        (Router, "redirect", "check_owner") => on("check_local_user") || owned("owners"),
        (Router, "redirect", "check_group") => {
            let mask = instance.options.number("modemask").unwrap_or(0o022);
            owned("owngroups") || on("check_local_user") && mask & 0o020 == 0
        }
        (Transport, _, "retry_use_local_part") => driver != "smtp",
        (Transport, "appendfile", "use_fcntl_lock") => fcntl_lock(instance),
        (Transport, "appendfile", "use_lockfile") => !mbx_lock(instance),
        (Transport, "appendfile", "use_mbx_lock") => mbx_lock(instance),
        (Transport, "appendfile", _) => return of_appendfile(name, instance),
        (Transport, "pipe", "message_prefix" | "message_suffix") => {
            return on("use_bsmtp").then(|| text(""));
        }
        (Transport, "smtp", "port") => {
            // The service has the protocol's name.
            let names = ["lmtp", "smtp", "smtps"];
            let protocol = instance.options.text("protocol")?.bytes();
            return names.into_iter().find(|name| name.as_bytes() == protocol).map(text);
        }
        (Authenticator, _, "public_name") => {
            return Some(OptionValue::Text(instance.name.clone()));
        }
        (Authenticator, "cyrus_sasl" | "gsasl", "server_mech") => {
            let own = || OptionValue::Text(instance.name.clone());
            return Some(instance.options.get("public_name").cloned().unwrap_or_else(own));
        }
        (Authenticator, "tls", "server_param") => {
            return instance.options.get("server_param1").cloned();
        }
        (Authenticator, "tls", "server_param1") => {
            return instance.options.get("server_param").cloned();
        }
        _ => return None,
    };
    Some(OptionValue::Flag(flag))
}

/// What stands around a message hangs on where it goes.
fn of_appendfile(name: &str, instance: &Instance) -> Option<OptionValue> {
    let on = |option| is_on(instance, option);
    let apart = || {
        let directory = instance.options.get("directory").is_some();
        directory || on("maildir_format") || on("mailstore_format")
    };
    match name {
        "check_string" | "escape_string" => apart().then(|| text("")),
        "message_prefix" | "message_suffix" => (apart() || on("use_bsmtp")).then(|| text("")),
        "quota_warn_message" => {
            let warns = instance.options.get("quota_warn_threshold").is_some();
            warns.then(|| text(QUOTA_WARNING))
        }
        _ => None,
    }
}

fn text(text: &'static str) -> OptionValue {
    OptionValue::Text(Str::fixed(text))
}

fn is_on(instance: &Instance, option: &str) -> bool {
    instance.options.flag(option) == Some(true)
}

fn fcntl_lock(instance: &Instance) -> bool {
    let set = instance.options.flag("use_fcntl_lock");
    set.unwrap_or_else(|| !is_on(instance, "use_flock_lock"))
}

/// Whether the locks of MBX are used because no others are spoken of.
fn mbx_lock(instance: &Instance) -> bool {
    let locks = ["use_fcntl_lock", "use_flock_lock", "use_lockfile", "use_mbx_lock"];
    is_on(instance, "mbx_format")
        && locks.into_iter().all(|lock| instance.options.get(lock).is_none())
}

/// The value of an option that is set by another as well: what is set last.
fn later(instance: &Instance, own: &str, both: &str) -> Option<OptionValue> {
    let names = [own, both];
    let last =
        instance.settings.iter().rev().find(|used| names.contains(&used.option.meta.name))?;
    instance.options.get(last.option.meta.name).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Macros};
    use eximious_core::world::Fixture;

    /// An option of the one instance of a configuration.
    fn shown(kind: DriverKind, settings: &str, name: &str) -> String {
        let settings = settings.replace("; ", "\n");
        let file = format!("begin {}s\nX:\n{settings}\n", kind.name());
        let world = Fixture::new().file("/c", file).world();
        let registry = eximious_stdlib::registry();
        let config = Config::read(b"/c", Macros::new(), &world, &registry).expect(&settings);
        let instance = config.instances(kind).first().expect("an instance");
        let option = registry.driver_option(kind, instance.driver_name(), name.as_bytes());
        match value(option.expect(name), instance) {
            Some(OptionValue::Flag(flag)) => flag.to_string(),
            Some(OptionValue::Number(number)) => number.to_string(),
            Some(OptionValue::Text(text)) => text.display().into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn some_values_hang_on_other_options() {
        use DriverKind::{Authenticator, Router, Transport};
        for (kind, settings, name, answer) in [
            (Router, "driver = redirect; data = x", "retry_use_local_part", "false"),
            (Router, "driver = redirect; data = x; condition =", "retry_use_local_part", "true"),
            (Router, "driver = redirect; data = x; check_local_user", "check_owner", "true"),
            (Router, "driver = redirect; data = x; check_local_user", "check_group", "false"),
            (Router, "driver = redirect; data = x; one_time", "forbid_pipe", "true"),
            (Router, "driver = redirect; data = x; no_verify", "verify_sender", "false"),
            (
                Router,
                "driver = redirect; data = x; no_verify; verify_sender",
                "verify_sender",
                "true",
            ),
            (Transport, "driver = appendfile; file = /x", "check_string", "From "),
            (Transport, "driver = appendfile; directory = /x", "check_string", ""),
            (Transport, "driver = appendfile; file = /x; use_bsmtp", "escape_string", ".."),
            (Transport, "driver = appendfile; file = /x; mbx_format", "use_mbx_lock", "true"),
            (Transport, "driver = appendfile; file = /x; mbx_format", "use_lockfile", "false"),
            (
                Transport,
                "driver = appendfile; file = /x; mbx_format; use_lockfile",
                "use_mbx_lock",
                "false",
            ),
            (
                Transport,
                "driver = appendfile; file = /x; lock_flock_timeout = 5s",
                "lock_flock_timeout",
                "0",
            ),
            (Transport, "driver = pipe; use_bsmtp", "message_suffix", ""),
            (Transport, "driver = smtp", "port", "25"),
            (Transport, "driver = smtp; protocol = lmtp", "port", "lmtp"),
            (Transport, "driver = smtp", "retry_use_local_part", "false"),
            (Authenticator, "driver = plaintext", "public_name", "X"),
            (Authenticator, "driver = tls; server_param = a", "server_param1", "a"),
        ] {
            assert_eq!(shown(kind, settings, name), answer, "{settings}: {name}");
        }
    }
}
