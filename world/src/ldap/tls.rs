//! TLS, set up as the `ldap_*` options say.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use eximious_core::world::{LdapTls, Stream};
use openssl::error::ErrorStack;
use openssl::ssl::{
    HandshakeError, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslMode, SslStream,
    SslVerifyMode,
};

/// Begins TLS on a connection; an error is the library's words.
pub(super) fn begin(
    stream: Box<dyn Stream>,
    host: &str,
    settings: &LdapTls,
) -> Result<SslStream<Box<dyn Stream>>, String> {
    let context = context(settings).map_err(|error| error.to_string())?;
    let session = session(&context, host, settings.lenient).map_err(|error| error.to_string())?;
    session.connect(stream).map_err(|error| match error {
        HandshakeError::SetupFailure(error) => error.to_string(),
        HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
            stream.error().to_string()
        }
    })
}

fn context(settings: &LdapTls) -> Result<SslContext, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    // A read or write that was cut short is not tried again by the library.
    context.set_mode(SslMode::AUTO_RETRY);
    authorities(&mut context, settings)?;
    if let Some(file) = &settings.certificate {
        context.set_certificate_chain_file(path(file))?;
    }
    if let Some(file) = &settings.key {
        context.set_private_key_file(path(file), SslFiletype::PEM)?;
        context.check_private_key()?;
    }
    if let Some(ciphers) = &settings.ciphers {
        context.set_cipher_list(&String::from_utf8_lossy(ciphers))?;
    }
    let verify = if settings.lenient { SslVerifyMode::NONE } else { SslVerifyMode::PEER };
    context.set_verify(verify);
    Ok(context.build())
}

/// Whose certificates are believed: the system's, where the settings say
/// nothing.
fn authorities(context: &mut SslContextBuilder, settings: &LdapTls) -> Result<(), ErrorStack> {
    if settings.ca_file.is_none() && settings.ca_dir.is_none() {
        return context.set_default_verify_paths();
    }
    let file = settings.ca_file.as_deref().map(path);
    let directory = settings.ca_dir.as_deref().map(path);
    if let Some(file) = file {
        context.load_verify_locations(Some(file), None)?;
    }
    if let Some(directory) = directory {
        context.load_verify_locations(None, Some(directory))?;
    }
    Ok(())
}

fn session(context: &SslContext, host: &str, lenient: bool) -> Result<Ssl, ErrorStack> {
    let mut session = Ssl::new(context)?;
    match host.parse::<IpAddr>() {
        Ok(address) if !lenient => session.param_mut().set_ip(address)?,
        Ok(_) => {}
        Err(_) => {
            session.set_hostname(host)?;
            if !lenient {
                session.param_mut().set_host(host)?;
            }
        }
    }
    Ok(session)
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
