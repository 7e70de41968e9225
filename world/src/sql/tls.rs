//! TLS to SQL servers.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::ssl::{
    HandshakeError, SslConnector, SslFiletype, SslMethod, SslRef, SslStream, SslVerifyMode,
};
use openssl::x509::X509VerifyResult;

use crate::net::Connection;

/// How TLS is to be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Settings {
    /// The server's host, where it has a name.
    pub host: Option<String>,
    /// A file of certificates; what the server shows must come from one of
    /// them.
    pub authorities: Option<String>,
    /// A directory of such files.
    pub directory: Option<String>,
    /// A file with a certificate of our own.
    pub certificate: Option<String>,
    /// A file with its key.
    pub key: Option<String>,
    /// The ciphers that may be used.
    pub ciphers: Option<String>,
    /// Whether the certificate must be for the host.
    pub named: bool,
}

/// Why there is no TLS.
#[derive(Debug)]
pub struct Refused(pub String);

/// Begins TLS on a connection.
pub fn begin(
    settings: &Settings,
    connection: Connection,
) -> Result<SslStream<Connection>, Refused> {
    let made = connector(settings).and_then(|connector| connector.configure());
    let mut configuration = made.map_err(|errors| Refused(reason(&errors)))?;
    let named =
        settings.host.as_ref().is_some_and(|host| host.parse::<std::net::IpAddr>().is_err());
    configuration.set_use_server_name_indication(named);
    configuration.set_verify_hostname(settings.named && settings.host.is_some());
    let host = settings.host.as_deref().unwrap_or_default();
    configuration.connect(host, connection).map_err(|error| {
        Refused(match error {
            HandshakeError::SetupFailure(errors) => reason(&errors),
            HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
                match stream.ssl().verify_result() {
                    X509VerifyResult::OK => why(stream.error()),
                    bad => bad.error_string().to_owned(),
                }
            }
        })
    })
}

/// The library's words, without the places in its source.
fn reason(errors: &ErrorStack) -> String {
    let reason = errors.errors().iter().find_map(|error| error.reason());
    reason.unwrap_or("TLS is not possible").to_owned()
}

fn why(error: &openssl::ssl::Error) -> String {
    match (error.ssl_error(), error.io_error()) {
        (Some(errors), _) => reason(errors),
        (None, Some(error)) => crate::databases::words(error),
        (None, None) => "the server closed the connection".to_owned(),
    }
}

fn connector(settings: &Settings) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    let verified = settings.authorities.is_some() || settings.directory.is_some();
    builder.set_verify(if verified { SslVerifyMode::PEER } else { SslVerifyMode::NONE });
    if verified {
        builder.load_verify_locations(
            settings.authorities.as_deref().map(std::path::Path::new),
            settings.directory.as_deref().map(std::path::Path::new),
        )?;
    }
    if let Some(certificate) = &settings.certificate {
        builder.set_certificate_chain_file(certificate)?;
        // The key may stand in the same file.
        let key = settings.key.as_ref().unwrap_or(certificate);
        builder.set_private_key_file(key, SslFiletype::PEM)?;
    }
    if let Some(ciphers) = &settings.ciphers {
        builder.set_cipher_list(ciphers)?;
    }
    Ok(builder.build())
}

/// The hash of the server's certificate that binds a proof to the connection
/// (RFC 5929, `tls-server-end-point`).
pub fn end_point(tls: &SslRef) -> Option<Vec<u8>> {
    let certificate = tls.peer_certificate()?;
    let signature = certificate.signature_algorithm().object().nid();
    let digest = match signature.signature_algorithms()?.digest {
        Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
        digest => MessageDigest::from_nid(digest)?,
    };
    certificate.digest(digest).ok().map(|digest| digest.to_vec())
}
