//! What must hold of a router's options (specification, chapters 15 to 22).

use eximious_core::Str;
use eximious_stdlib::options::opt::router as opt;

use super::Instance;
use super::rules::TransportUse;
use crate::config::ConfigError;

/// What a router can do with its own host.
const SELF: [&[u8]; 5] = [b"defer", b"fail", b"freeze", b"pass", b"send"];
/// What all routers want.
pub(super) fn general(router: &Instance, all: &[Instance]) -> Result<(), ConfigError> {
    let message = match (router.router_rules().transport, router.set(opt::TRANSPORT)) {
        (TransportUse::Required, false) if !router.on(opt::VERIFY_ONLY) => {
            "a transport is required for this router"
        }
        (TransportUse::Forbidden, true) => "a transport must not be defined for this router",
        _ => {
            own_host(router)?;
            return followers(router, all);
        }
    };
    let message = [router.name.bytes(), b" router:\n  ", message.as_bytes()].concat();
    Err(ConfigError::somewhere(message))
}

fn own_host(router: &Instance) -> Result<(), ConfigError> {
    match router.text(opt::SELF) {
        Some(word) if !word.starts_with(b"reroute:") && !SELF.contains(&word) => {
            let message = [word, b" is not valid for the self option"].concat();
            Err(ConfigError::of([router.name.bytes(), b" router"].concat(), message))
        }
        _ => Ok(()),
    }
}

/// What `pass_router` and `redirect_router` name.
fn followers(router: &Instance, all: &[Instance]) -> Result<(), ConfigError> {
    let name = router.name.bytes();
    // Only a router that names another is looked for among all.
    let place = |name: &[u8]| all.iter().position(|other| other.name.bytes() == name);
    for (option, after) in [(opt::REDIRECT_ROUTER, false), (opt::PASS_ROUTER, true)] {
        let Some(wanted) = router.options.text(option).map(Str::bytes) else { continue };
        let (own, found) = (place(name), place(wanted));
        let tail: &[u8] = match found {
            None => b"\" not found for \"",
            Some(_) if after && found <= own => b"\" does not follow \"",
            Some(_) => continue,
        };
        let message = [b"new_router \"", wanted, tail, name, b"\" router"].concat();
        return Err(ConfigError::somewhere(message));
    }
    Ok(())
}
