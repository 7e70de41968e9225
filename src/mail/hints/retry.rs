//! When to try again what failed.

use std::net::IpAddr;

use eximious_core::world::HintsError;

use super::private::Coded;
use super::{FieldReader, HintStore, Record, Writer};

/// How much of an error's text is kept: servers say what they like.
const LONGEST_TEXT: usize = 2048;

/// What is known of something that failed and is to be tried again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Retry {
    /// The error's number: the system's, or a negative one of Exim's own.
    pub error: i32,
    /// More about it: where a server refused something for now, `A` or `M` for
    /// where its host came from, and above that the last two digits of the
    /// answer's code.
    pub detail: i32,
    /// The error in words.
    pub text: Vec<u8>,
    /// When it failed first, as all times in seconds since 1970.
    pub first_failed: i64,
    /// When it was tried last.
    pub last_try: i64,
    /// When to try next.
    pub next_try: i64,
    /// The time of the last rule for it has run out.
    pub expired: bool,
}

impl Record for Retry {
    const SPACE: &'static str = "retry";
}

impl Retry {
    /// The record of a key, unless it is older than `retry_data_expire`.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn fresh(
        store: &dyn HintStore,
        key: &[u8],
        now: i64,
        expire: i64,
    ) -> Result<Option<Self>, HintsError> {
        let found = Self::load(store, key)?;
        Ok(found.and_then(|(retry, stamp)| (now.saturating_sub(stamp) <= expire).then_some(retry)))
    }
}

impl Coded for Retry {
    const MARK: [u8; 2] = *b"R\x01";

    fn write(&self, to: &mut Writer) {
        to.int(self.error);
        to.int(self.detail);
        to.long(self.first_failed);
        to.long(self.last_try);
        to.long(self.next_try);
        to.byte(u8::from(self.expired));
        to.text(&self.text[..self.text.len().min(LONGEST_TEXT)]);
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self {
            error: from.int()?,
            detail: from.int()?,
            first_failed: from.long()?,
            last_try: from.long()?,
            next_try: from.long()?,
            expired: from.flag()?,
            text: from.text()?.to_vec(),
        })
    }
}

/// What failed, as its key names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RetryKey<'a> {
    /// The routing of a domain, or of an address where the router looked at the
    /// local part: `R:b.example`, `R:a@b.example`.
    Routing(&'a [u8]),
    /// An address that its server refused for now, from a sender:
    /// `R:a@b.example:<s@c.example>`.
    Recipient(&'a [u8], &'a [u8]),
    /// A local delivery, to an address or, where the transport does not look at
    /// the local part, to a domain: `T:a@b.example`.
    Local(&'a [u8]),
    /// A host: `T:mail.example:192.0.2.1`.
    Host {
        /// Its name; an address in square brackets where it has none.
        name: &'a [u8],
        /// Its address, if that is to be part of the key.
        address: Option<IpAddr>,
        /// Its port; 25 is left out.
        port: u16,
        /// The address that it is called from, where one is set.
        from: Option<IpAddr>,
        /// The message, where the failure is about nothing but that.
        message: Option<&'a [u8]>,
    },
}

impl RetryKey<'_> {
    /// The key.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Routing(what) => [b"R:", *what].concat(),
            Self::Recipient(address, sender) => [b"R:", *address, b":<", sender, b">"].concat(),
            Self::Local(what) => [b"T:", *what].concat(),
            Self::Host { name, address, port, from, message } => {
                let mut key = [b"T:", *name].concat();
                if let Some(address) = address {
                    key.extend(format!(":{address}").bytes());
                }
                if *port != 25 {
                    key.extend(format!(":{port}").bytes());
                }
                if let Some(from) = from {
                    key.extend(format!("/{from}").bytes());
                }
                if let Some(message) = message {
                    key.push(b':');
                    key.extend(*message);
                }
                key
            }
        }
    }
}
