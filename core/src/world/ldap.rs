//! LDAP servers.

use std::time::Duration;

/// What is asked of an LDAP server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LdapRequest {
    /// The server: `ldap://host:port`, `ldaps://…`, `ldapi://…`.
    pub server: String,
    /// Who asks; empty is anonymous.
    pub bind_dn: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
    /// TLS, and how it is checked.
    pub tls: LdapTls,
    /// How long to wait for a connection; `None` is as long as the client's
    /// own limit says.
    pub connect_timeout: Option<Duration>,
    /// How many seconds the server may take (`time=`); 0 is no limit.
    pub time_limit: u32,
    /// How many entries it may give (`size=`); 0 is no limit.
    pub size_limit: u32,
    /// How aliases are followed (`dereference=`): 0 never, 1 when searching,
    /// 2 when finding the base, 3 always.
    pub dereference: u8,
    /// Whether referrals are followed (`referrals=`).
    pub referrals: bool,
    /// The protocol's version, 2 or 3 (`ldap_version`).
    pub version: u8,
    /// What to do once bound.
    pub operation: LdapOperation,
}

/// TLS of a connection to an LDAP server (`ldap_*` options).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LdapTls {
    /// Whether STARTTLS is used (`ldap_start_tls`).
    pub start: bool,
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
    /// `ldap_require_cert`: `never`, `allow`, `try`, `demand`, `hard`.
    pub require: Option<Vec<u8>>,
}

/// What to do once bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LdapOperation {
    /// Nothing: the answer to the bind is what is asked for (`ldapauth`).
    Bind,
    /// A search.
    Search {
        /// The base.
        base: String,
        /// 0 the base itself, 1 one level, 2 the whole tree.
        scope: u8,
        /// The filter, in the form of RFC 4515.
        filter: String,
        /// The attributes that are wanted; empty is all.
        attributes: Vec<String>,
    },
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
    /// The entries of a search.
    pub entries: Vec<LdapEntry>,
    /// The code of a result that ended the search early and left what came
    /// before it usable, such as 3 (time limit) or 4 (size limit); 0 is success.
    pub code: u32,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LdapError {
    /// No connection: another server may be tried. The client's words.
    Connect(String),
    /// The server gave this code, with these words.
    Result {
        /// The code (RFC 4511, section 4.1.9): 49 is a wrong password.
        code: u32,
        /// The server's words.
        message: String,
    },
    /// The connection broke, or took too long.
    Broken(String),
    /// The answer is longer than can be held.
    TooMuch,
}

/// LDAP servers.
pub trait Ldap: Send + Sync {
    /// Binds, and does what is asked.
    fn request(&self, request: &LdapRequest) -> Result<LdapAnswer, LdapError>;
}
