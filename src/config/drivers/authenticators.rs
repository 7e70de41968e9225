//! What must hold of an authenticator's options (specification, chapters 33 to
//! 42).

use eximious_stdlib::options::opt::authenticator as opt;

use super::Instance;
use crate::config::ConfigError;

/// What an authenticator's driver wants.
pub(super) fn own(authenticator: &Instance) -> Result<(), ConfigError> {
    if authenticator.driver_name() == "spa"
        && authenticator.set(opt::spa::CLIENT_USERNAME)
            != authenticator.set(opt::spa::CLIENT_PASSWORD)
    {
        let message = "one of client_username and client_password cannot be set without the other";
        return Err(authenticator.wrong(message));
    }
    Ok(())
}

/// What all authenticators want: a name. Most are called after their instances.
pub(super) fn general(authenticator: &Instance) -> Result<(), ConfigError> {
    match authenticator.driver_name() {
        "cram_md5" if !authenticator.set(opt::PUBLIC_NAME) => {
            Err(authenticator.wrong_for("no public name specified for the"))
        }
        _ => Ok(()),
    }
}

/// Authenticators for the same side with the same name, as far as the first pair. A
/// client can't ask for the driver tls, whatever its name is.
pub(super) fn fellows(all: &[Instance]) -> Option<ConfigError> {
    let named = |one: &&Instance| one.driver_name() != "tls";
    all.iter().enumerate().filter(|(_, one)| named(one)).find_map(|(number, one)| {
        all[number + 1..].iter().filter(named).find_map(|other| {
            let (name, same) = (public_name(one), public_name(other));
            let both = |side: fn(&Instance) -> bool| side(one) && side(other);
            let side: &[u8] = if !name.eq_ignore_ascii_case(same) {
                return None;
            } else if both(is_client) {
                b"client"
            } else if both(is_server) {
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

/// The name of the mechanism.
pub(super) fn public_name(authenticator: &Instance) -> &[u8] {
    match authenticator.text(opt::PUBLIC_NAME) {
        Some(name) if authenticator.driver_name() != "tls" => name,
        _ => authenticator.name.bytes(),
    }
}

/// Whether it has a client's side: what that needs is set.
pub(super) fn is_client(authenticator: &Instance) -> bool {
    match authenticator.driver_name() {
        "cram_md5" => authenticator.set(opt::cram_md5::CLIENT_SECRET),
        "external" => authenticator.set(opt::external::CLIENT_SEND),
        "plaintext" => authenticator.set(opt::plaintext::CLIENT_SEND),
        "gsasl" => {
            authenticator.set(opt::gsasl::CLIENT_USERNAME)
                && (authenticator.set(opt::gsasl::CLIENT_PASSWORD)
                    || authenticator.set(opt::gsasl::CLIENT_SPASSWORD))
        }
        "spa" => authenticator.set(opt::spa::CLIENT_USERNAME),
        _ => false,
    }
}

/// Whether it has a server's side: what that needs is set. Some are good for
/// nothing else, and need nothing.
pub(super) fn is_server(authenticator: &Instance) -> bool {
    match authenticator.driver_name() {
        "cram_md5" => authenticator.set(opt::cram_md5::SERVER_SECRET),
        "cyrus_sasl" | "heimdal_gssapi" => true,
        "dovecot" => authenticator.set(opt::dovecot::SERVER_SOCKET),
        "external" | "plaintext" => authenticator.set(opt::SERVER_CONDITION),
        "gsasl" => {
            authenticator.set(opt::SERVER_CONDITION)
                || authenticator.set(opt::gsasl::SERVER_PASSWORD)
                || authenticator.set(opt::gsasl::SERVER_KEY)
        }
        "spa" => authenticator.set(opt::spa::SERVER_PASSWORD),
        "tls" => [opt::tls::SERVER_PARAM, opt::tls::SERVER_PARAM1, opt::SERVER_CONDITION]
            .into_iter()
            .any(|option| authenticator.set(option)),
        _ => false,
    }
}
