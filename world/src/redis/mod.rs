//! Redis servers.
//!
//! The crate `redis` writes the commands and reads the replies. The sockets are
//! ours: with the crate's own, each single read has a time, but a reply has
//! none, and may be of any size.

mod frame;

use std::io::{self, Write};
use std::time::Duration;

use eximious_core::world::{Redis, RedisReply, Server, ServerAddress, ServerError, Stream, Target};

use crate::databases::words as plain;
use crate::deadline::Deadline;
use crate::hosts::addresses;
use crate::net::Connection;
use crate::pool::Pool;

/// Where a server listens that says nothing else.
const PORT: u16 = 6379;

/// Commands after which a connection is not what it was when it was new.
const CHANGING: &[&[u8]] = &[
    b"ASKING",
    b"AUTH",
    b"CLIENT",
    b"DISCARD",
    b"EXEC",
    b"MULTI",
    b"READONLY",
    b"READWRITE",
    b"SCRIPT",
    b"SELECT",
    b"UNWATCH",
    b"WATCH",
];

/// Commands after which nothing more can be asked on a connection, or not in
/// the protocol that is spoken here.
const ENDING: &[&[u8]] = &[
    b"HELLO",
    b"MONITOR",
    b"PSUBSCRIBE",
    b"PSYNC",
    b"QUIT",
    b"RESET",
    b"SSUBSCRIBE",
    b"SUBSCRIBE",
    b"SYNC",
];

/// The system's way to Redis servers.
#[derive(Default)]
pub struct SystemRedis(Pool<Server, Connection>);

impl Redis for SystemRedis {
    fn command(
        &self,
        server: &Server,
        words: &[Vec<u8>],
        within: Duration,
    ) -> Result<RedisReply, ServerError> {
        let Some(name) = words.first() else { return Ok(RedisReply::Nil) };
        let deadline = Deadline::within(within);
        let (mut connection, own) = match self.0.take(server, Connection::is_quiet) {
            Some(kept) => kept,
            None => (open(server, deadline)?, false),
        };
        connection.set_deadline(deadline.left().unwrap_or_default());
        let reply = ask(&mut connection, words)?;
        let is = |word: &&[u8]| name.eq_ignore_ascii_case(word);
        // Who was not let in may be the next time.
        let out = matches!(&reply, RedisReply::Error(words) if words.starts_with(b"NOAUTH"));
        if !out && !ENDING.iter().any(is) {
            self.0.keep(server, connection, own || CHANGING.iter().any(is));
        }
        Ok(reply)
    }
}

/// A new connection, with the database chosen.
fn open(server: &Server, deadline: Deadline) -> Result<Connection, ServerError> {
    let mut connection = connect(&server.address, deadline).map_err(ServerError::Connect)?;
    if !server.password.is_empty() {
        // A server that wants none refuses a password. One that wants another
        // says so to all that comes now.
        ask(&mut connection, &[b"AUTH".as_slice(), &server.password[..]])?;
    }
    if !server.database.is_empty()
        && let RedisReply::Error(words) =
            ask(&mut connection, &[b"SELECT".as_slice(), &server.database[..]])?
    {
        return Err(ServerError::Refused(words));
    }
    Ok(connection)
}

fn connect(address: &ServerAddress, deadline: Deadline) -> Result<Connection, String> {
    let to = |target: &Target| {
        let left = deadline.left().ok_or(io::Error::from(io::ErrorKind::TimedOut));
        left.and_then(|left| Connection::open(target, left)).map_err(|error| plain(&error))
    };
    match address {
        ServerAddress::Unix(path) => to(&Target::Unix(path.clone())),
        ServerAddress::Tcp { host, port } => {
            let mut result = Err(String::new());
            for ip in addresses(host).map_err(|none| none.words)? {
                result = to(&Target::Tcp((ip, port.unwrap_or(PORT)).into()));
                if result.is_ok() {
                    break;
                }
            }
            result
        }
    }
}

/// Sends a command and waits for its reply.
fn ask(connection: &mut Connection, words: &[impl AsRef<[u8]>]) -> Result<RedisReply, ServerError> {
    let mut command = redis::Cmd::with_capacity(words.len(), 0);
    for word in words {
        command.arg(word.as_ref());
    }
    connection
        .write_all(&command.get_packed_command())
        .map_err(|error| ServerError::Broken(plain(&error)))?;
    frame::reply(connection)
}
