//! What holds of the options of `pipe` in a configuration (specification 29.5).

use eximious_stdlib::options::opt::transport::{self as opt, pipe};

use super::SURROUNDINGS;
use crate::config::{ConfigError, Instance, TransportRules, user_has_group};

/// What holds of instances.
pub(in crate::mail::transport) static RULES: TransportRules = TransportRules {
    check,
    value: |transport, option, _| SURROUNDINGS.batched(transport, option),
    ..TransportRules::DEFAULT
};

/// What must hold of them.
fn check(transport: &Instance) -> Result<(), ConfigError> {
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
