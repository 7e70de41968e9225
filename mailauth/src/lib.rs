//! Mail authentication: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489, RFC 9989), ARC
//! (RFC 8617) and the Sender Rewriting Scheme.
//!
//! This room is pure: the bytes of a message and the answers of the DNS go in, verdicts
//! come out. It knows nothing of the language, of the configuration or of the system; who
//! uses it asks the DNS for it ([`DnsSource`]).

#[cfg(feature = "signatures")]
pub mod arc;
#[cfg(feature = "signatures")]
pub mod canon;
#[cfg(feature = "signatures")]
pub mod crypto;
#[cfg(feature = "signatures")]
pub mod dkim;
pub mod dmarc;
pub mod dns;
#[cfg(feature = "signatures")]
pub mod results;
pub mod spf;
pub mod srs;
#[cfg(feature = "signatures")]
pub mod tags;

pub use dns::{DnsQuery, DnsQueryKind, DnsResponse, DnsSource, Rdata};
