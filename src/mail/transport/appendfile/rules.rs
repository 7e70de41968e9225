//! What holds of the options of `appendfile` in a configuration (specification 26.2).

use eximious_core::{OptionDef, OptionValue, Str};
use eximious_stdlib::options::opt::transport::appendfile;

use super::SURROUNDINGS;
use crate::config::{ConfigError, Instance, TransportRules, computed, user_has_group};
use computed::{no, text, yes};

/// What holds of instances.
pub(in crate::mail::transport) static RULES: TransportRules = TransportRules {
    check,
    value: |transport, option, _| value(transport, option),
    // What is kept of a switch that is expanded has a line of its own.
    first_line: Some(|transport| {
        let text = transport.options.some_text(appendfile::MAILDIR_USE_SIZE_FILE);
        [b"*expand_maildir_use_size_file = ".as_slice(), text.map_or(b"", Str::bytes)].concat()
    }),
    ..TransportRules::DEFAULT
};

/// The text of a warning that a mailbox grows full.
const QUOTA_WARNING: &str = "To: $local_part@$domain\nSubject: Your mailbox\n\nThis message is \
    automatically created by mail delivery software (Exim).\n\nThe size of your mailbox has \
    exceeded a warning threshold that is\nset by the system administrator.\n";

/// What must hold of them.
fn check(transport: &Instance) -> Result<(), ConfigError> {
    if transport.set(appendfile::FILE) && transport.set(appendfile::DIRECTORY) {
        return Err(transport.wrong("only one of \"file\" or \"directory\" can be specified"));
    }
    let locks = transport.options.flag(appendfile::USE_LOCKFILE) != Some(false)
        || locks_by_fcntl(transport)
        || transport.on(appendfile::USE_FLOCK_LOCK)
        || transport.on(appendfile::USE_MBX_LOCK);
    if !locks {
        return Err(transport.wrong("no locking configured"));
    }
    if transport.set(appendfile::DIRECTORY)
        && transport.on(appendfile::MAILDIR_FORMAT)
        && transport.on(appendfile::MAILSTORE_FORMAT)
    {
        return Err(transport.wrong("only one of maildir and mailstore may be specified"));
    }
    for (is_set, name) in [
        (transport.set(appendfile::QUOTA_FILECOUNT), appendfile::QUOTA_FILECOUNT.name()),
        (transport.set(appendfile::QUOTA_DIRECTORY), appendfile::QUOTA_DIRECTORY.name()),
    ] {
        if is_set && transport.set(appendfile::FILE) {
            let message = format!("{name} must not be set without \"directory\"");
            return Err(transport.wrong(&message));
        }
        if is_set && transport.set(appendfile::DIRECTORY) && !transport.set(appendfile::QUOTA) {
            return Err(transport.wrong(&format!("quota must be set if {name} is set")));
        }
    }
    user_has_group(transport)?;
    match transport.text(appendfile::CREATE_FILE) {
        None | Some(b"" | b"anywhere" | b"belowhome" | b"inhome") => Ok(()),
        Some(path) if path.starts_with(b"/") => Ok(()),
        Some(other) => {
            let head = b"invalid value given for \"create_file\" for the ".as_slice();
            let name = transport.name.bytes();
            Err(ConfigError::somewhere([head, name, b" transport: '", other, b"'"].concat()))
        }
    }
}

/// Whether a file is locked by `fcntl()`: unless another call is chosen.
fn locks_by_fcntl(transport: &Instance) -> bool {
    transport
        .options
        .flag(appendfile::USE_FCNTL_LOCK)
        .unwrap_or(!transport.on(appendfile::USE_FLOCK_LOCK))
}

/// What others make of an option.
fn value(transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
    if let Some(value) = SURROUNDINGS.batched(transport, option) {
        return Some(value);
    }
    if appendfile::LOCK_RETRIES.is(option)
        && transport.options.get(appendfile::LOCK_RETRIES) == Some(0)
    {
        return Some(OptionValue::Number(1));
    }
    let by_fcntl = || locks_by_fcntl(transport);
    if appendfile::LOCK_FLOCK_TIMEOUT.is(option) && !transport.on(appendfile::USE_FLOCK_LOCK)
        || appendfile::LOCK_FCNTL_TIMEOUT.is(option) && !by_fcntl()
    {
        return Some(OptionValue::Number(0));
    }
    if transport.options.of(option).is_some() {
        return None;
    }
    let a_file_each = || {
        transport.on(appendfile::MAILDIR_FORMAT)
            || transport.on(appendfile::MAILSTORE_FORMAT)
            || transport.set(appendfile::DIRECTORY)
    };
    if SURROUNDINGS.is_text(option) && a_file_each() {
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
