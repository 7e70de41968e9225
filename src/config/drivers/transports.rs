//! What must hold of a transport's options (specification, chapters 24 to 30).

use eximious_core::OptionValue;

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
    if transport.on("body_only") && transport.on("headers_only") {
        let message = b" transport: body_only and headers_only are mutually exclusive";
        let message = [transport.name.bytes(), message.as_slice()].concat();
        return Err(ConfigError::somewhere(message));
    }
    Ok(())
}

/// A user by number needs a group beside it.
fn user_has_group(transport: &Instance) -> Result<(), ConfigError> {
    let numbered = matches!(transport.options.get("user"), Some(OptionValue::Ids(_)));
    if numbered && !transport.set("group") && !transport.groups.contains_key("group") {
        return Err(transport.wrong_for("user set without group for the"));
    }
    Ok(())
}

fn appendfile(transport: &Instance) -> Result<(), ConfigError> {
    let on = |option: &str| transport.on(option);
    let off = |option: &str| transport.options.flag(option) == Some(false);
    if transport.set("file") && transport.set("directory") {
        return Err(transport.wrong("only one of \"file\" or \"directory\" can be specified"));
    }
    let locks = !off("use_lockfile")
        || locks_by_fcntl(transport)
        || on("use_flock_lock")
        || on("use_mbx_lock");
    if !locks {
        return Err(transport.wrong("no locking configured"));
    }
    if transport.set("directory") && on("maildir_format") && on("mailstore_format") {
        return Err(transport.wrong("only one of maildir and mailstore may be specified"));
    }
    if transport.set("file") && transport.set("quota_filecount") {
        let message = "quota_filecount must not be set without \"directory\"";
        return Err(transport.wrong(message));
    }
    user_has_group(transport)?;
    match transport.text("create_file") {
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
    transport.options.flag("use_fcntl_lock").unwrap_or(!transport.on("use_flock_lock"))
}

fn lmtp(transport: &Instance) -> Result<(), ConfigError> {
    if transport.set("command") == transport.set("socket") {
        let message = "one (and only one) of command or socket must be set for the";
        return Err(transport.wrong_for(message));
    }
    user_has_group(transport)
}

fn pipe(transport: &Instance) -> Result<(), ConfigError> {
    let on = |option: &str| transport.on(option);
    if on("pipe_as_creator") && (transport.set("user") || transport.set("group")) {
        let message = "both pipe_as_creator and an explicit uid/gid are set for the";
        return Err(transport.wrong_for(message));
    }
    user_has_group(transport)?;
    if let Some(codes) = transport.text("temp_errors")
        && codes != b"*"
        && !codes.iter().all(|c| c.is_ascii_digit() || matches!(c, b':' | b' ' | b'\t'))
    {
        let message = "temp_errors must be a list of numbers or an asterisk for the";
        return Err(transport.wrong_for(message));
    }
    let message = if on("return_output") && on("return_fail_output") {
        "both return_output and return_fail_output set for"
    } else if on("log_output") && on("log_fail_output") {
        "both log_output and log_fail_output set for the"
    } else if on("use_shell") && on("restrict_to_path") {
        "both restrict_to_path and use_shell set for"
    } else if on("use_shell") && transport.set("allow_commands") {
        "both allow_commands and use_shell set for"
    } else {
        return Ok(());
    };
    Err(transport.wrong_for(message))
}

fn smtp(transport: &Instance) -> Result<(), ConfigError> {
    let zero = |option: &&str| transport.options.number(option) == Some(0);
    if ["command_timeout", "data_timeout", "final_timeout"].iter().any(zero) {
        return Err(transport.wrong_for("command, data, or final timeout value is zero for"));
    }
    Ok(())
}
