//! Clients of database servers.

use std::fmt;
use std::time::Duration;

use super::Rows;

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ServerAddress {
    /// A host, by name or address, and a port; `None` is the usual one.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: Option<u16>,
    },
    /// A Unix domain socket; empty for the client's usual one.
    Unix(Vec<u8>),
}

/// A server and how to be let in. Connections to an equal value are reused. What
/// is printed of it for debugging leaves the password out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Where it listens.
    pub address: ServerAddress,
    /// The database; for Redis its number.
    pub database: Vec<u8>,
    /// The user; empty where there is none.
    pub user: Vec<u8>,
    /// The password; empty where there is none.
    pub password: Vec<u8>,
    /// The group of settings in the client's own option file (`mysql`).
    pub group: Option<Vec<u8>>,
    /// Variables of the environment that the client's own library looks at, as
    /// far as the configuration lets them in: names and values.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Server {
    /// A variable of that environment.
    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        let found = self.environment.iter().find(|(own, _)| own == name.as_bytes());
        found.map(|(_, value)| value.as_slice())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy;
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("database", &text(&self.database))
            .field("user", &text(&self.user))
            .finish_non_exhaustive()
    }
}

/// Why a server gave no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerError {
    /// No connection: another server may be tried. The client's words.
    Connect(String),
    /// The server refused what was asked. Its words.
    Refused(Vec<u8>),
    /// The connection broke or was too slow after it had been made.
    Broken(String),
    /// The answer is longer than can be held.
    TooMuch,
    /// This world has no such client.
    Unavailable,
}

/// What an SQL server answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SqlAnswer {
    /// Rows of named columns, perhaps none.
    Rows(Rows),
    /// A statement that asks for nothing: how many rows it changed, where the
    /// server counts them.
    Changed(Option<u64>),
    /// A statement that copies a table over the connection, which nobody here
    /// follows: into the table, or out of it.
    Copy {
        /// Whether it copies into the table.
        into: bool,
    },
}

/// Kinds of SQL servers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SqlKind {
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Pgsql,
    /// Firebird, which came from InterBase.
    Firebird,
    /// Oracle. A server's host is the name of its service, as Oracle's client
    /// understands it.
    Oracle,
}

/// SQL servers.
pub trait Sql: Send + Sync {
    /// Carries out a statement, within a time.
    fn query(
        &self,
        kind: SqlKind,
        server: &Server,
        statement: &[u8],
        within: Duration,
    ) -> Result<SqlAnswer, ServerError>;
}

/// What a Redis server answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RedisReply {
    /// Nothing has that key.
    Nil,
    /// A number.
    Integer(i64),
    /// A status, such as `OK`.
    Status(Vec<u8>),
    /// A string.
    Bulk(Vec<u8>),
    /// An array, perhaps of arrays.
    Array(Vec<RedisReply>),
    /// An error: the server's words.
    Error(Vec<u8>),
}

/// Redis servers. One of a cluster that does not have a key says `MOVED`, which
/// is an answer like others: nobody follows it to a server that no list names.
pub trait Redis: Send + Sync {
    /// Carries out a command, given as its words, within a time. What a server
    /// says against a command is [`RedisReply::Error`];
    /// [`ServerError::Refused`] says that it does not give the database.
    fn command(
        &self,
        server: &Server,
        words: &[Vec<u8>],
        within: Duration,
    ) -> Result<RedisReply, ServerError>;
}
