//! What callouts have found out.

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// What a server says to something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CalloutResult {
    /// It was not asked.
    #[default]
    Unknown,
    /// Yes.
    Accept,
    /// No.
    Reject,
}

/// What is known of a domain's servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CalloutDomain {
    /// Whether they talk to us at all.
    pub result: CalloutResult,
    /// They refuse the empty sender.
    pub refuses_empty_sender: bool,
    /// What they say to the postmaster.
    pub postmaster: CalloutResult,
    /// When they said that, seconds since 1970.
    pub postmaster_at: i64,
    /// What they say to a local part that nobody has.
    pub random: CalloutResult,
    /// When they said that.
    pub random_at: i64,
}

/// What is known of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CalloutAddress {
    /// Whether its server takes mail for it.
    pub accepted: bool,
}

/// What is known of an address's quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaStanding {
    /// Whether there is room.
    pub room: bool,
}

/// The key of an address; where the sender is not the usual one, of both.
pub fn callout_key(address: &[u8], sender: Option<&[u8]>) -> Vec<u8> {
    match sender {
        None => address.to_vec(),
        Some(sender) => [address, b"/<", sender, b">"].concat(),
    }
}

impl Record for CalloutDomain {
    const SPACE: &'static str = "callout";
}

impl Coded for CalloutDomain {
    const MARK: [u8; 2] = *b"D\x01";

    fn write(&self, to: &mut Writer) {
        to.byte(self.result as u8);
        to.byte(u8::from(self.refuses_empty_sender));
        to.byte(self.postmaster as u8);
        to.long(self.postmaster_at);
        to.byte(self.random as u8);
        to.long(self.random_at);
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self {
            result: result(from)?,
            refuses_empty_sender: from.flag()?,
            postmaster: result(from)?,
            postmaster_at: from.long()?,
            random: result(from)?,
            random_at: from.long()?,
        })
    }
}

impl Record for CalloutAddress {
    const SPACE: &'static str = "callout";
}

impl Coded for CalloutAddress {
    const MARK: [u8; 2] = *b"A\x01";

    fn write(&self, to: &mut Writer) {
        to.byte(u8::from(self.accepted));
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self { accepted: from.flag()? })
    }
}

impl Record for QuotaStanding {
    const SPACE: &'static str = "callout";
}

impl Coded for QuotaStanding {
    const MARK: [u8; 2] = *b"Q\x01";

    fn write(&self, to: &mut Writer) {
        to.byte(u8::from(self.room));
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self { room: from.flag()? })
    }
}

/// The key of an address's quota.
pub fn quota_key(address: &[u8]) -> Vec<u8> {
    [b"quota ", address].concat()
}

fn result(from: &mut FieldReader<'_>) -> Option<CalloutResult> {
    use CalloutResult::{Accept, Reject, Unknown};
    [Unknown, Accept, Reject].get(usize::from(from.byte()?)).copied()
}
