//! What drivers make of options when the configuration has been read: what `-bP`
//! shows is what is left then.

use eximious_core::{
    DriverKind, DriverOpt, Expanded, Ids, OptionDef, OptionPlace, OptionValue, Str,
};
use eximious_grammar::is_space;
use eximious_stdlib::options::opt::authenticator as a;
use eximious_stdlib::options::opt::router::{self as r, redirect};
use eximious_stdlib::options::opt::transport::{self as t, appendfile, pipe, smtp};

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
    let set = instance.options.of(option);
    let computed = match instance.kind {
        DriverKind::Router => router(instance, option).or_else(|| group(instance, option)),
        DriverKind::Transport => transport(instance, option).or_else(|| group(instance, option)),
        DriverKind::Authenticator => authenticator(instance, option, host),
    };
    computed.or_else(|| set.cloned()).or_else(|| values::default(option))
}

fn yes() -> Option<OptionValue> {
    flag(true)
}

fn no() -> Option<OptionValue> {
    flag(false)
}

fn flag(flag: bool) -> Option<OptionValue> {
    Some(OptionValue::Flag(flag))
}

fn text(text: impl Into<Str>) -> Option<OptionValue> {
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

/// What `one_time` keeps from being made.
const NOT_TWICE: [DriverOpt<Expanded<bool>>; 3] =
    [redirect::FORBID_FILE, redirect::FORBID_PIPE, redirect::FORBID_FILTER_REPLY];

fn router(router: &Instance, option: &OptionDef) -> Option<OptionValue> {
    if r::SELF.is(option) {
        let word = router.text(r::SELF)?.strip_prefix(b"reroute:")?;
        let word = word.trim_ascii_start();
        let word = word.strip_prefix(b"rewrite:").unwrap_or(word);
        let blank = word.iter().take_while(|c| is_space(**c)).count();
        return text(&word[blank..]);
    }
    if NOT_TWICE.iter().any(|one| one.is(option)) && router.on(redirect::ONE_TIME) {
        return yes();
    }
    if router.options.of(option).is_some() {
        return None;
    }
    if r::LOG_AS_LOCAL.is(option) {
        return flag(router.driver_name() == "accept");
    }
    if r::RETRY_USE_LOCAL_PART.is(option) {
        let value = |option: &OptionDef| router.options.of(option);
        let local = |option| !matches!(value(option), None | Some(OptionValue::Flag(false)));
        return flag(LOCAL.into_iter().any(local));
    }
    if redirect::CHECK_OWNER.is(option) {
        let known = router.on(r::CHECK_LOCAL_USER) || named(router, redirect::OWNERS);
        return known.then_some(OptionValue::Flag(true));
    }
    if redirect::CHECK_GROUP.is(option) {
        if named(router, redirect::OWNGROUPS) {
            return yes();
        }
        // Where the group may write, it has to be a known one.
        let mask = router.options.get(redirect::MODEMASK);
        let safe = mask.is_some_and(|mask| mask & 0o20 == 0);
        return router.on(r::CHECK_LOCAL_USER).then_some(OptionValue::Flag(safe));
    }
    None
}

/// Whether a list of users or groups names any.
fn named(router: &Instance, option: DriverOpt<Ids>) -> bool {
    !router.options.ids(option).is_empty()
}

fn transport(transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
    match option.place {
        OptionPlace::Driver(_, "appendfile") => mailbox(transport, option),
        OptionPlace::Driver(_, "pipe") => pipe(transport, option),
        OptionPlace::Driver(_, "smtp") => smtp(transport, option),
        _ if transport.options.of(option).is_some() => None,
        _ if t::RETRY_USE_LOCAL_PART.is(option) => flag(transport.driver_name() != "smtp"),
        _ => None,
    }
}

/// Of `appendfile`.
fn mailbox(transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
    let (check, escape) =
        (appendfile::CHECK_STRING.is(option), appendfile::ESCAPE_STRING.is(option));
    let surrounds = appendfile::MESSAGE_PREFIX.is(option) || appendfile::MESSAGE_SUFFIX.is(option);
    let batched = transport.on(appendfile::USE_BSMTP);
    if check && batched {
        return text(".");
    }
    if escape && batched {
        return text("..");
    }
    if appendfile::LOCK_RETRIES.is(option)
        && transport.options.get(appendfile::LOCK_RETRIES) == Some(0)
    {
        return Some(OptionValue::Number(1));
    }
    let by_fcntl = || transports::locks_by_fcntl(transport);
    if appendfile::LOCK_FLOCK_TIMEOUT.is(option) && !transport.on(appendfile::USE_FLOCK_LOCK)
        || appendfile::LOCK_FCNTL_TIMEOUT.is(option) && !by_fcntl()
    {
        return Some(OptionValue::Number(0));
    }
    if transport.options.of(option).is_some() {
        return None;
    }
    if surrounds && batched {
        return text("");
    }
    let a_file_each = || {
        transport.on(appendfile::MAILDIR_FORMAT)
            || transport.on(appendfile::MAILSTORE_FORMAT)
            || transport.set(appendfile::DIRECTORY)
    };
    if (surrounds || check || escape) && a_file_each() {
        return text("");
    }
    let mbx = transport.on(appendfile::MBX_FORMAT);
    if appendfile::USE_LOCKFILE.is(option) {
        let other = locks_as_mbx(transport) || mbx && transport.on(appendfile::USE_MBX_LOCK);
        return if other { no() } else { None };
    }
    if appendfile::USE_MBX_LOCK.is(option) {
        return if locks_as_mbx(transport) { yes() } else { None };
    }
    if appendfile::USE_FCNTL_LOCK.is(option) {
        return if by_fcntl() { None } else { no() };
    }
    let warns = appendfile::QUOTA_WARN_MESSAGE.is(option)
        && transport.set(appendfile::QUOTA_WARN_THRESHOLD);
    if warns { text(QUOTA_WARNING) } else { None }
}

/// Whether a mailbox in MBX format gets the locks of such, since none is chosen.
fn locks_as_mbx(transport: &Instance) -> bool {
    let chosen = [
        appendfile::USE_LOCKFILE,
        appendfile::USE_FLOCK_LOCK,
        appendfile::USE_FCNTL_LOCK,
        appendfile::USE_MBX_LOCK,
    ];
    transport.on(appendfile::MBX_FORMAT) && !chosen.into_iter().any(|option| transport.set(option))
}

/// Of `pipe`.
fn pipe(transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
    if !transport.on(pipe::USE_BSMTP) {
        return None;
    }
    if pipe::CHECK_STRING.is(option) {
        return text(".");
    }
    if pipe::ESCAPE_STRING.is(option) {
        return text("..");
    }
    let surrounds = pipe::MESSAGE_PREFIX.is(option) || pipe::MESSAGE_SUFFIX.is(option);
    if surrounds && transport.options.of(option).is_none() { text("") } else { None }
}

/// Of `smtp`.
fn smtp(transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
    if transport.options.of(option).is_some() {
        return None;
    }
    if smtp::PORT.is(option) {
        return match transport.text(smtp::PROTOCOL) {
            Some(word) if word.eq_ignore_ascii_case(b"lmtp") => text("lmtp"),
            Some(word) if word.eq_ignore_ascii_case(b"smtps") => text("smtps"),
            _ => text("smtp"),
        };
    }
    if smtp::PROTOCOL.is(option) { text("smtp") } else { None }
}

fn authenticator(
    authenticator: &Instance,
    option: &OptionDef,
    host: &dyn Fn() -> Str,
) -> Option<OptionValue> {
    let is_name = a::PUBLIC_NAME.is(option);
    let driver = authenticator.driver_name();
    if driver == "tls" && is_name {
        return text(authenticators::public_name(authenticator));
    }
    let either = [a::tls::SERVER_PARAM, a::tls::SERVER_PARAM1];
    if either.iter().any(|one| one.is(option)) {
        let set = |option: DriverOpt<Str>| authenticator.options.of(option.def());
        return either.into_iter().find_map(set).cloned();
    }
    if authenticator.options.of(option).is_some() {
        return None;
    }
    if a::cram_md5::CLIENT_NAME.is(option) && authenticator.set(a::cram_md5::CLIENT_SECRET) {
        return Some(OptionValue::Text(host()));
    }
    match driver {
        "cram_md5" | "cyrus_sasl" => None,
        _ if is_name => text(authenticators::public_name(authenticator)),
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
