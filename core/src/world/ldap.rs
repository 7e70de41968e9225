//! LDAP servers.

use std::time::Duration;

use super::ServerAddress;

/// What is asked of an LDAP server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LdapRequest {
    /// Where it listens, and what protects the connection. Connections to an
    /// equal value are reused.
    pub server: LdapServer,
    /// Who asks; empty is anonymous.
    pub bind_dn: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
    /// How long each wait for the network may take, where the question sets a
    /// limit (`nettime=`).
    pub network: Option<Duration>,
    /// How long all of it may take.
    pub within: Duration,
    /// How many bytes the answer may have.
    pub limit: usize,
    /// What to do once bound.
    pub operation: LdapOperation,
}

/// A server, and what protects the connection to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LdapServer {
    /// Where it listens; a port that is missing is the usual one.
    pub address: ServerAddress,
    /// When TLS begins.
    pub protection: LdapProtection,
    /// How TLS is set up; of no account where there is none.
    pub tls: LdapTls,
    /// The protocol's version, 2 or 3 (`ldap_version`).
    pub version: u8,
}

/// When TLS begins on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LdapProtection {
    /// Never: `ldap://` and `ldapi://`.
    None,
    /// At once: `ldaps://`.
    Tls,
    /// When the server agrees (`ldap_start_tls`).
    StartTls,
}

/// How TLS is set up (`ldap_*` options).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LdapTls {
    /// `ldap_ca_cert_dir`.
    pub ca_dir: Option<Vec<u8>>,
    /// `ldap_ca_cert_file`.
    pub ca_file: Option<Vec<u8>>,
    /// `ldap_cert_file`.
    pub certificate: Option<Vec<u8>>,
    /// `ldap_cert_key`.
    pub key: Option<Vec<u8>>,
    /// `ldap_cipher_suite`.
    pub ciphers: Option<Vec<u8>>,
    /// Whether a server whose certificate is wrong is talked to all the same
    /// (`ldap_require_cert`: `never`, `allow`).
    pub lenient: bool,
}

/// What to do once bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LdapOperation {
    /// Nothing: that the server lets one in is what is asked for (`ldapauth`).
    Bind,
    /// A search.
    Search(LdapSearch),
}

/// A search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LdapSearch {
    /// The base.
    pub base: Vec<u8>,
    /// 0 the base itself, 1 one level, 2 the whole tree, 3 the tree below.
    pub scope: u8,
    /// How aliases are followed (`dereference=`): 0 never, 1 when searching,
    /// 2 when finding the base, 3 always.
    pub dereference: u8,
    /// How many entries the server may give (`size=`); 0 is no limit.
    pub size_limit: i32,
    /// How many seconds the server may take (`time=`); 0 is no limit.
    pub time_limit: i32,
    /// The filter, in the form of RFC 4515.
    pub filter: Vec<u8>,
    /// The attributes that are wanted; empty is all.
    pub attributes: Vec<Vec<u8>>,
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LdapEntry {
    /// Its distinguished name.
    pub dn: Vec<u8>,
    /// Its attributes with their values, in the server's order.
    pub attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

/// What an LDAP server answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LdapAnswer {
    /// The entries of a search, up to the first reference to another server.
    pub entries: Vec<LdapEntry>,
    /// Whether such a reference came.
    pub referenced: bool,
    /// How the search ended.
    pub result: LdapResult,
}

/// How an operation ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LdapResult {
    /// The code (RFC 4511, section 4.1.9): 0 is success, 49 a wrong password.
    pub code: i32,
    /// The part of the name that exists, where the server says so.
    pub matched: Vec<u8>,
    /// The server's words.
    pub message: Vec<u8>,
    /// The URLs of servers that may know more.
    pub referrals: Vec<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LdapError {
    /// No connection; the client's words. Another server may be tried, as after
    /// all of these.
    Connect(String),
    /// TLS is asked for, and this build has none; the client's words.
    NoTls(String),
    /// The connection is there, and TLS could not begin on it.
    StartTls(LdapTrouble),
    /// The server did not let one in.
    Bind(LdapTrouble),
    /// The search has no result.
    Search(LdapTrouble),
    /// The search's filter makes no sense.
    Filter,
    /// The answer is longer than can be held.
    TooMuch,
}

/// What went wrong on a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LdapTrouble {
    /// The server gave a code other than success.
    Refused(LdapResult),
    /// The connection broke, or what came is no LDAP. The client's words.
    Broken(String),
    /// It took too long.
    Late,
    /// TLS failed: the client's words.
    Tls(String),
    /// An answer to another sort of request, with this tag.
    Unexpected(u8),
    /// The end of the operation came, and is not what it should be.
    Garbled,
}

/// LDAP servers.
pub trait Ldap: Send + Sync {
    /// Binds, and does what is asked.
    ///
    /// # Errors
    /// Where the server can't be reached, does not let one in, or does not
    /// answer. A search that the server refuses is an answer with a code.
    fn request(&self, request: &LdapRequest) -> Result<LdapAnswer, LdapError>;
}
