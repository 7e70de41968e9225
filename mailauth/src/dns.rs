//! What is asked of the DNS, and what it answers.

use std::net::IpAddr;

/// Who asks the DNS for a check.
///
/// Questions come together wherever that is possible, so that they can be asked side by
/// side. Who answers waits for all of them, follows aliases, and says
/// [`DnsResponse::Later`] for what has no answer in time.
pub trait DnsSource {
    /// Asks. There is an answer for each question, in their order.
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse>;

    /// Says what may be asked next, so that the answers can be had side by side. What is not
    /// asked after all counts for nothing.
    fn prepare(&mut self, _questions: &[DnsQuery]) {}

    /// Asks one thing.
    fn ask_one(&mut self, question: DnsQuery) -> DnsResponse {
        self.ask(std::slice::from_ref(&question)).into_iter().next().unwrap_or(DnsResponse::Later)
    }
}

/// A question.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DnsQuery {
    /// The name, in the form in which it goes to the DNS; whether it is one is for
    /// whoever asks the DNS to say.
    pub name: Vec<u8>,
    /// What is wanted of it.
    pub kind: DnsQueryKind,
}

/// The type of a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DnsQueryKind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A mail server.
    Mx,
    /// The name of an address.
    Ptr,
    /// Text.
    Txt,
}

/// What the DNS answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsResponse {
    /// Records of the type that was asked for, at least one, with their aliases followed.
    Records(Vec<Rdata>),
    /// There is the name, without such records.
    NoData,
    /// There is no such name.
    NoName,
    /// There is no answer now.
    Later,
}

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rdata {
    /// Of A or AAAA.
    Address(IpAddr),
    /// Of PTR: the name, without a dot at its end.
    Host(Vec<u8>),
    /// Of MX.
    Exchange {
        /// The lower, the sooner.
        preference: u16,
        /// The host, without a dot at its end.
        host: Vec<u8>,
    },
    /// Of TXT, its strings put together.
    Text(Vec<u8>),
}

/// The name under which the DNS knows an address.
pub fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev();
            let names = nibbles.map(|byte| format!("{:x}.{:x}.", byte & 15, byte >> 4));
            names.chain(["ip6.arpa".to_owned()]).collect()
        }
    }
}

impl DnsResponse {
    /// The texts of the answer.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let records = match self {
            Self::Records(records) => &records[..],
            _ => &[],
        };
        records.iter().filter_map(|record| match record {
            Rdata::Text(text) => Some(&text[..]),
            _ => None,
        })
    }
}
