//! What must hold of a transport's options (specification, chapters 24 to 30).

use std::time::Duration;

use eximious_core::DriverOpt;
use eximious_stdlib::options::opt::transport::{self as opt, appendfile, lmtp, pipe, smtp};

use super::Instance;
use crate::config::ConfigError;

/// What a transport's driver wants.
pub(super) fn own(transport: &Instance) -> Result<(), ConfigError> {
    match transport.driver_name() {
        "appendfile" => appendfile(transport),
        "autoreply" => user_has_group(transport),
        "lmtp" => lmtp(transport),
        "pipe" => pipe(transport),
        "smtp" => smtp(transport),
        _ => Ok(()),
    }
}

/// What all transports want.
pub(super) fn general(transport: &Instance) -> Result<(), ConfigError> {
    if transport.on(opt::BODY_ONLY) && transport.on(opt::HEADERS_ONLY) {
        let message = b" transport: body_only and headers_only are mutually exclusive";
        let message = [transport.name.bytes(), message.as_slice()].concat();
        return Err(ConfigError::somewhere(message));
    }
    Ok(())
}

/// A user by number needs a group beside it.
fn user_has_group(transport: &Instance) -> Result<(), ConfigError> {
    let numbered = !transport.options.ids(opt::USER).is_empty();
    if numbered && !transport.set(opt::GROUP) && !transport.groups.contains_key(opt::GROUP.name()) {
        return Err(transport.wrong_for("user set without group for the"));
    }
    Ok(())
}

fn appendfile(transport: &Instance) -> Result<(), ConfigError> {
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
    if transport.set(appendfile::FILE) && transport.set(appendfile::QUOTA_FILECOUNT) {
        let message = "quota_filecount must not be set without \"directory\"";
        return Err(transport.wrong(message));
    }
    user_has_group(transport)?;
    match transport.text(appendfile::CREATE_FILE) {
        None | Some(b"anywhere" | b"belowhome" | b"inhome") => Ok(()),
        Some(path) if path.starts_with(b"/") => Ok(()),
        Some(other) => {
            let head = b"invalid value given for \"create_file\" for the ".as_slice();
            let name = transport.name.bytes();
            Err(ConfigError::somewhere([head, name, b" transport: '", other, b"'"].concat()))
        }
    }
}

/// Whether a file is locked by `fcntl()`: unless another call is chosen.
pub(super) fn locks_by_fcntl(transport: &Instance) -> bool {
    transport
        .options
        .flag(appendfile::USE_FCNTL_LOCK)
        .unwrap_or(!transport.on(appendfile::USE_FLOCK_LOCK))
}

fn lmtp(transport: &Instance) -> Result<(), ConfigError> {
    if transport.set(pipe::COMMAND) == transport.set(lmtp::SOCKET) {
        let message = "one (and only one) of command or socket must be set for the";
        return Err(transport.wrong_for(message));
    }
    user_has_group(transport)
}

fn pipe(transport: &Instance) -> Result<(), ConfigError> {
    if transport.on(pipe::PIPE_AS_CREATOR)
        && (transport.set(opt::USER) || transport.set(opt::GROUP))
    {
        let message = "both pipe_as_creator and an explicit uid/gid are set for the";
        return Err(transport.wrong_for(message));
    }
    user_has_group(transport)?;
    if let Some(codes) = transport.text(pipe::TEMP_ERRORS)
        && codes != b"*"
        && !codes.iter().all(|c| c.is_ascii_digit() || matches!(c, b':' | b' ' | b'\t'))
    {
        let message = "temp_errors must be a list of numbers or an asterisk for the";
        return Err(transport.wrong_for(message));
    }
    let message = if transport.on(pipe::RETURN_OUTPUT) && transport.on(pipe::RETURN_FAIL_OUTPUT) {
        "both return_output and return_fail_output set for"
    } else if transport.on(pipe::LOG_OUTPUT) && transport.on(pipe::LOG_FAIL_OUTPUT) {
        "both log_output and log_fail_output set for the"
    } else if transport.on(pipe::USE_SHELL) && transport.on(pipe::RESTRICT_TO_PATH) {
        "both restrict_to_path and use_shell set for"
    } else if transport.on(pipe::USE_SHELL) && transport.set(pipe::ALLOW_COMMANDS) {
        "both allow_commands and use_shell set for"
    } else {
        return Ok(());
    };
    Err(transport.wrong_for(message))
}

fn smtp(transport: &Instance) -> Result<(), ConfigError> {
    let zero = |option: DriverOpt<Duration>| {
        transport.options.get(option).is_some_and(|time| time.is_zero())
    };
    if [smtp::COMMAND_TIMEOUT, smtp::DATA_TIMEOUT, smtp::FINAL_TIMEOUT].into_iter().any(zero) {
        return Err(transport.wrong_for("command, data, or final timeout value is zero for"));
    }
    Ok(())
}
