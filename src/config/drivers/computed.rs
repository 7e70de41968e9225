//! What drivers make of options when the configuration has been read: what `-bP`
//! shows is what is left then.

use eximious_core::{DriverKind, OptionDef, OptionValue, Str};
use eximious_grammar::is_space;

use super::{Instance, authenticators, transports};
use crate::config::values;

/// The text of a warning that a mailbox grows full.
const QUOTA_WARNING: &str = "To: $local_part@$domain\nSubject: Your mailbox\n\nThis message is \
    automatically created by mail delivery software (Exim).\n\nThe size of your mailbox has \
    exceeded a warning threshold that is\nset by the system administrator.\n";

/// The value of an instance's option: as it is set, or as the driver has it. The
/// host's name takes the place of a name that a client needs.
pub(in crate::config) fn value(
    option: &OptionDef,
    instance: &Instance,
    host: &dyn Fn() -> Str,
) -> Option<OptionValue> {
    let name = option.meta.name;
    let set = instance.options.get(name);
    let computed = match (instance.kind, instance.driver_name()) {
        (DriverKind::Router, driver) => {
            router(instance, driver, name).or_else(|| group(instance, name))
        }
        (DriverKind::Transport, driver) => {
            transport(instance, driver, name).or_else(|| group(instance, name))
        }
        (DriverKind::Authenticator, driver) => authenticator(instance, driver, name, host),
    };
    computed.or_else(|| set.cloned()).or_else(|| values::default(option))
}

fn yes() -> Option<OptionValue> {
    Some(OptionValue::Flag(true))
}

fn no() -> Option<OptionValue> {
    Some(OptionValue::Flag(false))
}

fn text(text: impl Into<Str>) -> Option<OptionValue> {
    Some(OptionValue::Text(text.into()))
}

/// The group of a user that is named.
fn group(instance: &Instance, name: &str) -> Option<OptionValue> {
    match instance.groups.get(name) {
        Some(group) if !instance.set(name) => Some(OptionValue::Ids(vec![*group])),
        _ => None,
    }
}

/// What ties an address to its local part.
const LOCAL: [&str; 7] = [
    "check_local_user",
    "condition",
    "local_part_prefix",
    "local_part_suffix",
    "local_parts",
    "require_files",
    "senders",
];

fn router(router: &Instance, driver: &str, name: &str) -> Option<OptionValue> {
    let set = |option: &str| router.set(option);
    let on = |option: &str| router.on(option);
    match name {
        "self" => {
            let word = router.text(name)?.strip_prefix(b"reroute:")?;
            let word = word.trim_ascii_start();
            let word = word.strip_prefix(b"rewrite:").unwrap_or(word);
            let blank = word.iter().take_while(|c| is_space(**c)).count();
            text(&word[blank..])
        }
        "forbid_file" | "forbid_pipe" | "forbid_filter_reply" if on("one_time") => yes(),
        _ if set(name) => None,
        "log_as_local" => Some(OptionValue::Flag(driver == "accept")),
        "retry_use_local_part" => {
            let local = |option: &&str| set(option) && router.options.flag(option) != Some(false);
            Some(OptionValue::Flag(LOCAL.iter().any(local)))
        }
        "check_owner" if on("check_local_user") || named(router, "owners") => yes(),
        "check_group" if named(router, "owngroups") => yes(),
        // Where the group may write, it has to be a known one.
        "check_group" if on("check_local_user") => {
            let mask = router.options.number("modemask");
            Some(OptionValue::Flag(mask.is_some_and(|mask| mask & 0o20 == 0)))
        }
        _ => None,
    }
}

/// Whether a list of users or groups names any.
fn named(router: &Instance, option: &str) -> bool {
    matches!(router.options.get(option), Some(OptionValue::Ids(ids)) if !ids.is_empty())
}

fn transport(transport: &Instance, driver: &str, name: &str) -> Option<OptionValue> {
    let set = |option: &str| transport.set(option);
    let on = |option: &str| transport.on(option);
    match (driver, name) {
        ("appendfile" | "pipe", "check_string") if on("use_bsmtp") => text("."),
        ("appendfile" | "pipe", "escape_string") if on("use_bsmtp") => text(".."),
        ("appendfile", "lock_retries") if transport.options.number(name) == Some(0) => {
            Some(OptionValue::Number(1))
        }
        ("appendfile", "lock_flock_timeout") if !on("use_flock_lock") => {
            Some(OptionValue::Number(0))
        }
        ("appendfile", "lock_fcntl_timeout") if !transports::locks_by_fcntl(transport) => {
            Some(OptionValue::Number(0))
        }
        _ if set(name) => None,
        (_, "retry_use_local_part") => Some(OptionValue::Flag(driver != "smtp")),
        ("appendfile" | "pipe", "message_prefix" | "message_suffix") if on("use_bsmtp") => text(""),
        ("appendfile", "message_prefix" | "message_suffix" | "check_string" | "escape_string")
            if on("maildir_format") || on("mailstore_format") || set("directory") =>
        {
            text("")
        }
        ("appendfile", "use_lockfile")
            if locks_as_mbx(transport) || on("mbx_format") && on("use_mbx_lock") =>
        {
            no()
        }
        ("appendfile", "use_mbx_lock") if locks_as_mbx(transport) => yes(),
        ("appendfile", "use_fcntl_lock") if !transports::locks_by_fcntl(transport) => no(),
        ("appendfile", "quota_warn_message") if set("quota_warn_threshold") => text(QUOTA_WARNING),
        ("smtp", "port") => match transport.text("protocol") {
            Some(word) if word.eq_ignore_ascii_case(b"lmtp") => text("lmtp"),
            Some(word) if word.eq_ignore_ascii_case(b"smtps") => text("smtps"),
            _ => text("smtp"),
        },
        ("smtp", "protocol") => text("smtp"),
        _ => None,
    }
}

/// Whether a mailbox in MBX format gets the locks of such, since none is chosen.
fn locks_as_mbx(transport: &Instance) -> bool {
    let chosen = ["use_lockfile", "use_flock_lock", "use_fcntl_lock", "use_mbx_lock"];
    transport.on("mbx_format") && !chosen.iter().any(|option| transport.set(option))
}

fn authenticator(
    authenticator: &Instance,
    driver: &str,
    name: &str,
    host: &dyn Fn() -> Str,
) -> Option<OptionValue> {
    let set = |option: &str| authenticator.set(option);
    match (driver, name) {
        ("tls", "public_name") => text(authenticators::public_name(authenticator)),
        ("tls", "server_param" | "server_param1") => {
            let either = ["server_param", "server_param1"];
            either.iter().find_map(|option| authenticator.options.get(option)).cloned()
        }
        _ if set(name) => None,
        ("cram_md5", "client_name") if set("client_secret") => Some(OptionValue::Text(host())),
        ("cram_md5" | "cyrus_sasl", _) => None,
        (_, "public_name") => text(authenticators::public_name(authenticator)),
        _ => None,
    }
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
        let registry = crate::registry();
        let config = Config::read(b"/c", Macros::new(), &world, &registry).expect(&settings);
        let instance = config.instances(kind).first().expect("an instance");
        let option = registry.driver_option(kind, Some(instance.driver_name()), name.as_bytes());
        match value(option.expect(name), instance, &|| Str::fixed("host")) {
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
            (Transport, "driver = smtp", "port", "smtp"),
            (Transport, "driver = smtp; protocol = lmtp", "port", "lmtp"),
            (Transport, "driver = smtp", "retry_use_local_part", "false"),
            (Authenticator, "driver = plaintext", "public_name", "X"),
            (Authenticator, "driver = tls; server_param = a", "server_param1", "a"),
        ] {
            assert_eq!(shown(kind, settings, name), answer, "{settings}: {name}");
        }
    }
}
