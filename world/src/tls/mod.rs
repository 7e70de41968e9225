//! TLS, where this build has it (the cargo feature `tls`): it is OpenSSL's, which
//! must stand where one builds. [`begin`] is for servers that lookups ask, [`SystemTls`]
//! for SMTP.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod made;
#[cfg(feature = "tls")]
mod openssl;
#[cfg(feature = "tls")]
mod primes;
#[cfg(feature = "tls")]
mod proof;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod settings;
#[cfg(feature = "tls")]
mod switches;
#[cfg(feature = "tls")]
mod tickets;

use std::path::PathBuf;

#[cfg(not(feature = "tls"))]
pub use absent::{SystemTls, TlsStream, begin, seal};
#[cfg(feature = "tls")]
pub use openssl::{TlsStream, begin, seal};
#[cfg(feature = "tls")]
pub use settings::SystemTls;

/// Whether this build has TLS.
pub const PRESENT: bool = cfg!(feature = "tls");
/// What is said where it has none and needs it.
pub const ABSENT: &str = "TLS is not in this build (cargo feature tls)";

/// How TLS is to be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TlsSettings {
    /// A file of certificates; what the server shows must come from one of
    /// them. The system's count where neither file nor directory is given.
    pub authorities: Option<PathBuf>,
    /// A directory of such files.
    pub directory: Option<PathBuf>,
    /// A file with a certificate of our own.
    pub certificate: Option<PathBuf>,
    /// A file with its key.
    pub key: Option<PathBuf>,
    /// The ciphers that may be used.
    pub ciphers: Option<String>,
    /// Whether a server is believed only with a certificate from an authority.
    pub verified: bool,
    /// Whether the certificate must be for the host.
    pub named: bool,
}
