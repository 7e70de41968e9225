//! The DNS.

use std::net::IpAddr;
use std::time::Duration;

/// How a query is sent (options `dns_*`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DnsOptions {
    /// How long to wait for one answer (`dns_retrans`); `None` is the
    /// system's.
    pub retransmit: Option<Duration>,
    /// How often to ask (`dns_retry`); `None` is the system's.
    pub retries: Option<u32>,
    /// Whether to ask for signed answers (`dns_dnssec_ok`, `dnssec_request_domains`).
    pub dnssec: bool,
}

/// A record, its data as it stands on the wire with names written out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsRecord {
    /// The owner's name, without a final dot.
    pub name: String,
    /// The type's number.
    pub kind: u16,
    /// How long it may be kept, seconds.
    pub ttl: u32,
    /// The data (RDATA) with compressed names expanded.
    pub data: Vec<u8>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DnsAnswer {
    /// The records of the answer section, aliases (CNAME) among them.
    pub records: Vec<DnsRecord>,
    /// Whether the server says that it has checked the signatures (AD).
    pub authentic: bool,
    /// Whether the server has authority over the zone (AA).
    pub authoritative: bool,
}

/// Why the DNS has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsError {
    /// The name does not exist. The answer's AD bit.
    NoName(bool),
    /// The name exists, without such records. The answer's AD bit.
    NoData(bool),
    /// No answer now: a timeout, SERVFAIL, REFUSED.
    Again(String),
}

/// The DNS.
pub trait Dns: Send + Sync {
    /// The records of a type (its number: 1 is A, 28 AAAA, 15 MX) at a name.
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError>;

    /// The addresses of a host, IPv6 before IPv4.
    fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let mut addresses = Vec::new();
        let mut failure = None;
        for kind in [28, 1] {
            match self.query(host, kind, &DnsOptions::default()) {
                Ok(answer) => {
                    addresses.extend(answer.records.iter().filter_map(DnsRecord::address))
                }
                Err(error @ DnsError::Again(_)) => return Err(error),
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) if addresses.is_empty() => Err(error),
            _ => Ok(addresses),
        }
    }
}

impl DnsRecord {
    /// The address that an A or AAAA record holds.
    pub fn address(&self) -> Option<IpAddr> {
        match self.kind {
            1 => <[u8; 4]>::try_from(&self.data[..]).ok().map(IpAddr::from),
            28 => <[u8; 16]>::try_from(&self.data[..]).ok().map(IpAddr::from),
            _ => None,
        }
    }
}
