//! The DNS.

pub(super) mod written;

use std::net::IpAddr;
use std::time::Duration;

use super::domain;

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
    /// Whether to say that long answers are welcome (`dns_use_edns0`), also
    /// where no signed ones are asked for.
    pub edns: bool,
    /// Whether a name without a dot is completed by the system's own domain
    /// (`qualify_single`).
    pub qualify_single: bool,
    /// Whether names are completed by the system's search list
    /// (`search_parents`).
    pub search_parents: bool,
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
    /// The name that was asked for in the end, without a final dot.
    pub name: String,
    /// The records of the answer section, aliases (CNAME) among them.
    pub records: Vec<DnsRecord>,
    /// The addresses that came with the answer, of hosts that its MX records name. What is
    /// there of a name and a type is all of it (RFC 2181, section 9).
    pub additional: Vec<DnsRecord>,
    /// What the server says of its answer.
    pub standing: DnsStanding,
}

/// What a server says of an answer, a negative one included.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DnsStanding {
    /// Whether it has checked the signatures (AD).
    pub authentic: bool,
    /// The zone that it says to have authority over (AA): the owner of the
    /// first NS record in the authority section or, where there are no answers,
    /// of the first SOA record.
    pub zone: Option<String>,
    /// How long it is known that there is no answer, in seconds: what its SOA record
    /// says.
    pub fruitless_for: Option<u32>,
}

/// Why the DNS has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsError {
    /// The name does not exist.
    NoName(DnsStanding),
    /// The name exists, without such records.
    NoData(DnsStanding),
    /// No answer now: a timeout, SERVFAIL, REFUSED.
    Again(String),
}

/// The DNS.
pub trait Dns: Send + Sync {
    /// The records of a type (its number: 1 is A, 28 AAAA, 15 MX) at a name.
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError>;

    /// The answers to several questions, names and types, in their order. Who can asks them
    /// side by side, so that they take no longer than the slowest of them.
    fn query_all(
        &self,
        questions: &[(String, u16)],
        options: &DnsOptions,
    ) -> Vec<Result<DnsAnswer, DnsError>> {
        questions.iter().map(|(name, kind)| self.query(name, *kind, options)).collect()
    }

    /// The addresses that the system's own table (`/etc/hosts`) has for a name.
    fn table_addresses(&self, _host: &str) -> Vec<IpAddr> {
        Vec::new()
    }

    /// The names that the system's own table has for an address.
    fn table_names(&self, _address: IpAddr) -> Vec<String> {
        Vec::new()
    }
}

impl DnsAnswer {
    /// The first answer that there is to one of the names that a name is
    /// completed to, as the C library looks for it. Where there is none: if the
    /// name itself was asked first, what is said of that; or else, that one of
    /// them is there without such records, or that there is no answer now.
    pub fn first<N: AsRef<str>>(
        name: &str,
        candidates: impl IntoIterator<Item = N>,
        mut ask: impl FnMut(&str) -> Result<Self, DnsError>,
    ) -> Result<Self, DnsError> {
        let (mut itself, mut no_data, mut again) = (None, None, None);
        let mut no_name = None;
        for (index, candidate) in candidates.into_iter().enumerate() {
            match ask(candidate.as_ref()) {
                Ok(answer) => return Ok(answer),
                Err(error) if index == 0 && candidate.as_ref() == name => itself = Some(error),
                Err(error @ DnsError::NoData(_)) => no_data = no_data.or(Some(error)),
                Err(error @ DnsError::Again(_)) => again = again.or(Some(error)),
                Err(error @ DnsError::NoName(_)) => no_name = Some(error),
            }
        }
        let error = itself.or(no_data).or(again).or(no_name);
        Err(error.unwrap_or_else(|| DnsError::NoName(DnsStanding::default())))
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

    /// The name that the data holds at an offset, and where it ends.
    pub fn name_at(&self, offset: usize) -> Option<(String, usize)> {
        let (name, length) = domain::read(self.data.get(offset..)?)?;
        Some((name, offset + length))
    }
}
