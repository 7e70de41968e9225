//! What must hold of an authenticator's options (specification, chapters 33 to
//! 42).

use eximious_stdlib::options::opt::authenticator as opt;

use super::Instance;
use super::rules::MechanismName;
use crate::config::ConfigError;

/// What all authenticators want: a name. Most are called after their instances.
pub(super) fn general(authenticator: &Instance) -> Result<(), ConfigError> {
    let needs_name = authenticator.authenticator_rules().name == MechanismName::Public;
    match needs_name && !authenticator.set(opt::PUBLIC_NAME) {
        true => Err(authenticator.wrong_for("no public name specified for the")),
        false => Ok(()),
    }
}

/// Authenticators for the same side with the same name, as far as the first pair. A
/// client can't ask for some, whatever their names are.
pub(super) fn fellows(all: &[Instance]) -> Option<ConfigError> {
    let named = |one: &&Instance| is_asked_for(one);
    all.iter().enumerate().filter(|(_, one)| named(one)).find_map(|(number, one)| {
        all[number + 1..].iter().filter(named).find_map(|other| {
            let (name, same) = (public_name(one), public_name(other));
            let both = |side: fn(&Instance) -> bool| side(one) && side(other);
            let side: &[u8] = if !name.eq_ignore_ascii_case(same) {
                return None;
            } else if both(Instance::is_client) {
                b"client"
            } else if both(Instance::is_server) {
                b"server"
            } else {
                return None;
            };
            let names = [one.name.bytes(), b" and ", other.name.bytes()].concat();
            let tail = b") have the same public name (".as_slice();
            let message = [b"two ", side, b" authenticators (", &names, tail, name, b")"].concat();
            Some(ConfigError::somewhere(message))
        })
    })
}

/// Whether a client can ask for it.
fn is_asked_for(authenticator: &Instance) -> bool {
    authenticator.authenticator_rules().name != MechanismName::Unasked
}

/// The name of the mechanism.
pub(super) fn public_name(authenticator: &Instance) -> &[u8] {
    match authenticator.text(opt::PUBLIC_NAME) {
        Some(name) if is_asked_for(authenticator) => name,
        _ => authenticator.name.bytes(),
    }
}
