//! What comes of one pass of an address through the routers.

use eximious_core::{Fail, Str};

use super::{Address, Delivery};

/// What comes of a pass.
#[derive(Debug)]
pub struct Pass {
    /// What came of the address itself.
    pub routed: Routed,
    /// What else comes of it, in order.
    pub children: Vec<ChildAddress>,
    /// Domains for the message's header lines.
    pub renamed: Vec<Renamed>,
    /// Messages to others about it, which are sent where it is delivered.
    pub notices: Vec<RouteNotice>,
    /// The address with what is attached to it now.
    pub address: Box<Address>,
    /// The number of the router that had the last word, if one had.
    pub router: Option<usize>,
    /// Whether the first child is the address itself, which goes on behind what an `unseen`
    /// router made of it.
    pub goes_on: bool,
}

/// What came of an address.
#[derive(Debug)]
pub enum Routed {
    /// It is to be delivered so.
    Delivered(Box<Delivery>),
    /// Others stand in its place, perhaps none.
    Redirected,
    /// It is thrown away.
    Discarded {
        /// Whether a filter says so, and no `:blackhole:`.
        by_filter: bool,
    },
    /// It can't be delivered.
    Failed(RouteError),
    /// It can't be said now.
    Deferred(RouteError),
}

/// What comes of an address beside its own delivery.
#[derive(Clone, Debug)]
pub enum ChildAddress {
    /// An address, which has to be routed.
    Address(Box<Address>),
    /// A delivery to a file or a command, or an answer: it needs no router.
    Direct(Box<Delivery>),
}

impl ChildAddress {
    /// The address, of either.
    pub fn address_mut(&mut self) -> &mut Address {
        match self {
            Self::Address(address) => address,
            Self::Direct(delivery) => &mut delivery.address,
        }
    }
}

/// A domain that was found to have another name.
#[derive(Clone, PartialEq, Debug)]
pub struct Renamed {
    /// As it was written.
    pub from: Str,
    /// Its name: header lines with the other one are rewritten.
    pub to: Str,
}

/// A message about how an address was routed.
#[derive(Clone, PartialEq, Debug)]
pub struct RouteNotice {
    /// Addresses, as a header line `To:` has them; maybe tainted.
    pub to: Str,
    /// What it is about.
    pub subject: &'static [u8],
    /// Its text, lines that end with a newline.
    pub text: Vec<u8>,
}

/// Why an address is not routed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RouteError {
    /// For those who read logs, in Exim's words; `None` where there are none.
    pub message: Option<Vec<u8>>,
    /// What a look-up said that had no answer: the logs of ACLs say that instead.
    pub lookup: Option<Vec<u8>>,
    /// For the sender of the message: what `:fail:` and `:defer:` say.
    pub said: Option<Vec<u8>>,
    /// Whether the sender of the message is told nothing of it.
    pub untold: bool,
    /// Whether a bounce tells it all the same: clients are told nothing.
    pub bounced: bool,
    /// Whether a bounce tells nothing of it, though clients are told.
    pub unbounced: bool,
    /// Whether the message is to be frozen.
    pub freezes: bool,
    /// Whether the router fails all that it accepts when it verifies.
    pub forced: bool,
    /// The number that logs have for it, one of Exim's own; 0 where it has none.
    pub number: i32,
}

/// Words that queries with passwords have in them.
const QUERIES: &[&str] =
    &["mysql", "pgsql", "redis", "sqlite", "ldap:", "ldaps:", "ldapi:", "ldapdn:", "ldapm:"];

impl RouteError {
    /// What the logs of ACLs say of it: the look-up's own words, where it had some.
    pub fn why(&self) -> Option<&[u8]> {
        self.looked_up().or_else(|| self.shown())
    }

    /// What a look-up said that had no answer, if it had words.
    pub(crate) fn looked_up(&self) -> Option<&[u8]> {
        self.lookup.as_deref().filter(|why| !why.is_empty())
    }

    /// The number of errors in what a redirection is made of.
    pub const REDIRECT: i32 = -17;
    /// The number of transports that can't be had.
    pub const TRANSPORT: i32 = -30;
    /// The number of hosts that are not there.
    pub const HOST: i32 = -32;
    /// The number of a router's hosts whose addresses can't be found out now.
    pub const HOST_LATER: i32 = -36;

    /// With a message.
    pub fn new(message: impl Into<Vec<u8>>) -> Self {
        Self { message: Some(message.into()), ..Self::default() }
    }

    /// The same, where a text could not be expanded: what a look-up said in it that has no
    /// answer now is said in its own words to ACLs.
    #[must_use]
    pub(crate) fn waiting_for(self, fail: &Fail) -> Self {
        Self { lookup: fail.reason().map(<[u8]>::to_vec), ..self }
    }

    /// The same, with a number for the logs.
    #[must_use]
    pub fn numbered(self, number: i32) -> Self {
        Self { number, ..self }
    }

    /// The message as anybody may see it: an expansion with a query in it may show the
    /// password of a database.
    pub fn shown(&self) -> Option<&[u8]> {
        let message = self.message.as_deref()?;
        let has = |words: &[&str]| {
            words.iter().any(|word| memchr::memmem::find(message, word.as_bytes()).is_some())
        };
        match has(&["failed to expand", "expansion of "]) && has(QUERIES) {
            true => Some(b"Temporary internal error"),
            false => Some(message),
        }
    }
}

impl std::fmt::Display for RouteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let message = self.message.as_deref().unwrap_or(b"no message");
        f.write_str(&String::from_utf8_lossy(message))
    }
}

impl std::error::Error for RouteError {}
