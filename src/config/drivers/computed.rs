//! What drivers make of options when the configuration has been read: what `-bP`
//! shows is what is left then.

use eximious_core::{DriverKind, OptionDef, OptionPlace, OptionValue, Str};
use eximious_grammar::is_space;
use eximious_stdlib::options::opt::authenticator as a;
use eximious_stdlib::options::opt::{router as r, transport as t};

use super::rules::MechanismName;
use super::{Instance, authenticators};
use crate::config::values;

/// The value of an instance's option: as it is set, or as the driver has it. The
/// host's name takes the place of a name that a client needs.
pub(in crate::config) fn value(
    option: &OptionDef,
    instance: &Instance,
    host: &dyn Fn() -> Str,
) -> Option<OptionValue> {
    let set = instance.options.of(option);
    let computed = match instance.kind {
        DriverKind::Router => router(instance, option, host).or_else(|| group(instance, option)),
        DriverKind::Transport => {
            transport(instance, option, host).or_else(|| group(instance, option))
        }
        DriverKind::Authenticator => authenticator(instance, option, host),
    };
    computed.or_else(|| set.cloned()).or_else(|| values::default(option))
}

pub(crate) fn yes() -> Option<OptionValue> {
    flag(true)
}

pub(crate) fn no() -> Option<OptionValue> {
    flag(false)
}

fn flag(flag: bool) -> Option<OptionValue> {
    Some(OptionValue::Flag(flag))
}

pub(crate) fn text(text: impl Into<Str>) -> Option<OptionValue> {
    Some(OptionValue::Text(text.into()))
}

/// The group of a user that is named.
fn group(instance: &Instance, option: &OptionDef) -> Option<OptionValue> {
    let group = instance.groups.get(option.meta.name)?;
    instance.options.of(option).is_none().then(|| OptionValue::Ids(vec![*group]))
}

/// What ties an address to its local part.
const LOCAL: [&OptionDef; 7] = [
    r::CHECK_LOCAL_USER.def(),
    r::CONDITION.def(),
    r::LOCAL_PART_PREFIX.def(),
    r::LOCAL_PART_SUFFIX.def(),
    r::LOCAL_PARTS.def(),
    r::REQUIRE_FILES.def(),
    r::SENDERS.def(),
];

fn router(router: &Instance, option: &OptionDef, host: &dyn Fn() -> Str) -> Option<OptionValue> {
    if r::SELF.is(option) {
        let word = router.text(r::SELF)?.strip_prefix(b"reroute:")?;
        let word = word.trim_ascii_start();
        let word = word.strip_prefix(b"rewrite:").unwrap_or(word);
        let blank = word.iter().take_while(|c| is_space(**c)).count();
        return text(&word[blank..]);
    }
    let rules = router.router_rules();
    if let Some(value) = (rules.value)(router, option, host) {
        return Some(value);
    }
    if router.options.of(option).is_some() {
        return None;
    }
    if r::LOG_AS_LOCAL.is(option) {
        return flag(rules.logs_as_local);
    }
    if r::RETRY_USE_LOCAL_PART.is(option) {
        let value = |option: &OptionDef| router.options.of(option);
        let local = |option| !matches!(value(option), None | Some(OptionValue::Flag(false)));
        return flag(LOCAL.into_iter().any(local));
    }
    None
}

fn transport(
    transport: &Instance,
    option: &OptionDef,
    host: &dyn Fn() -> Str,
) -> Option<OptionValue> {
    let rules = transport.transport_rules();
    match option.place {
        OptionPlace::Driver(..) => (rules.value)(transport, option, host),
        _ if transport.options.of(option).is_some() => None,
        _ if t::RETRY_USE_LOCAL_PART.is(option) => flag(rules.retries_local_parts),
        _ => None,
    }
}

fn authenticator(
    authenticator: &Instance,
    option: &OptionDef,
    host: &dyn Fn() -> Str,
) -> Option<OptionValue> {
    let rules = authenticator.authenticator_rules();
    if !a::PUBLIC_NAME.is(option) {
        return (rules.value)(authenticator, option, host);
    }
    let is_set = authenticator.options.of(option).is_some();
    match rules.name {
        MechanismName::Unasked => text(authenticators::public_name(authenticator)),
        MechanismName::Own if !is_set => text(authenticators::public_name(authenticator)),
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
