//! TLS by OpenSSL.

use std::io::{self, Read, Write};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use openssl::ssl::{
    HandshakeError, SslConnector, SslFiletype, SslMethod, SslStream, SslVerifyMode,
};
use openssl::x509::X509VerifyResult;
use openssl::x509::store::X509StoreBuilder;

use super::TlsSettings;
use super::session::forget_errors;

/// A stream under TLS.
pub struct TlsStream<S>(SslStream<S>);

/// Begins TLS on a stream to a host, whose name is empty where it has none. An
/// error is the library's words.
pub fn begin<S: Read + Write>(
    settings: &TlsSettings,
    host: &str,
    stream: S,
) -> Result<TlsStream<S>, String> {
    let made = connector(settings).and_then(|connector| connector.configure());
    let mut configuration = made.map_err(|errors| reason(&errors))?;
    configuration.set_use_server_name_indication(!host.is_empty());
    configuration.set_verify_hostname(settings.named && !host.is_empty());
    configuration.connect(host, stream).map(TlsStream).map_err(|error| match error {
        HandshakeError::SetupFailure(errors) => reason(&errors),
        HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
            match stream.ssl().verify_result() {
                X509VerifyResult::OK => why(stream.error()),
                bad => bad.error_string().to_owned(),
            }
        }
    })
}

/// Seals bytes for the owner of an RSA key (PEM), with OAEP.
pub fn seal(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, String> {
    let seal = || -> Result<Vec<u8>, ErrorStack> {
        let key = PKey::public_key_from_pem(key)?.rsa()?;
        let mut out = vec![0; key.size() as usize];
        let length = key.public_encrypt(bytes, &mut out, Padding::PKCS1_OAEP)?;
        out.truncate(length);
        Ok(out)
    };
    seal().map_err(|errors| reason(&errors))
}

impl<S> TlsStream<S> {
    /// What is under TLS.
    pub fn get_ref(&self) -> &S {
        self.0.get_ref()
    }

    /// What is under TLS, to change how long it waits.
    pub fn get_mut(&mut self) -> &mut S {
        self.0.get_mut()
    }

    /// How many bytes have come and are not read yet.
    pub fn pending(&self) -> usize {
        self.0.ssl().pending()
    }

    /// The hash of the server's certificate that binds a proof to the
    /// connection (RFC 5929, `tls-server-end-point`).
    pub fn end_point(&self) -> Option<Vec<u8>> {
        let certificate = self.0.ssl().peer_certificate()?;
        let signature = certificate.signature_algorithm().object().nid();
        let digest = match signature.signature_algorithms()?.digest {
            Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
            digest => MessageDigest::from_nid(digest)?,
        };
        certificate.digest(digest).ok().map(|digest| digest.to_vec())
    }
}

impl<S: Read + Write> Read for TlsStream<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        forget_errors();
        self.0.read(into)
    }
}

impl<S: Read + Write> Write for TlsStream<S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        forget_errors();
        self.0.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn connector(settings: &TlsSettings) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_verify(if settings.verified { SslVerifyMode::PEER } else { SslVerifyMode::NONE });
    let (file, directory) = (settings.authorities.as_deref(), settings.directory.as_deref());
    if file.is_some() || directory.is_some() {
        // The system's count no more.
        builder.set_cert_store(X509StoreBuilder::new()?.build());
        builder.load_verify_locations(file, directory)?;
    }
    if let Some(certificate) = &settings.certificate {
        builder.set_certificate_chain_file(certificate)?;
    }
    if let Some(key) = &settings.key {
        builder.set_private_key_file(key, SslFiletype::PEM)?;
        builder.check_private_key()?;
    }
    if let Some(ciphers) = &settings.ciphers {
        builder.set_cipher_list(ciphers)?;
    }
    Ok(builder.build())
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
