//! What must hold of a transport's options (specification, chapters 24 to 30).

use eximious_stdlib::options::opt::transport as opt;

use super::Instance;
use crate::config::ConfigError;

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
pub(crate) fn user_has_group(transport: &Instance) -> Result<(), ConfigError> {
    let numbered = !transport.options.ids(opt::USER).is_empty();
    if numbered && !transport.set(opt::GROUP) && !transport.groups.contains_key(opt::GROUP.name()) {
        return Err(transport.wrong_for("user set without group for the"));
    }
    Ok(())
}
