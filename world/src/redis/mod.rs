//! Redis servers.
//!
//! The crate `redis` writes the commands and reads the replies. The sockets are
//! ours: with the crate's own, each single read has a time, but a reply has
//! none, and may be of any size.

mod frame;

use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use eximious_core::world::{
    Net, Redis, RedisReply, Server, ServerAddress, ServerError, Stream, Target,
};

use crate::databases::words as plain;
use crate::deadline::Deadline;
use crate::net::{self, Connection};

/// How many connections stay open.
const KEPT: usize = 16;
/// How long a connection stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(60);
/// Where a server listens that says nothing else.
const PORT: u16 = 6379;

/// Commands after which a connection is not what it was when it was new. None
/// of them is kept for the next user, who may be in another conversation.
const CHANGING: &[&[u8]] = &[
    b"ASKING",
    b"AUTH",
    b"CLIENT",
    b"DISCARD",
    b"EXEC",
    b"HELLO",
    b"MONITOR",
    b"MULTI",
    b"PSUBSCRIBE",
    b"PSYNC",
    b"QUIT",
    b"READONLY",
    b"READWRITE",
    b"RESET",
    b"SCRIPT",
    b"SELECT",
    b"SSUBSCRIBE",
    b"SUBSCRIBE",
    b"SYNC",
    b"WATCH",
];

/// The system's way to Redis servers.
#[derive(Default)]
pub struct System(Mutex<Vec<Kept>>);

/// A connection that nobody uses just now.
struct Kept {
    server: Server,
    connection: Connection,
    since: Instant,
}

impl Redis for System {
    fn command(
        &self,
        server: &Server,
        words: &[Vec<u8>],
        within: Duration,
    ) -> Result<RedisReply, ServerError> {
        let Some(name) = words.first() else { return Ok(RedisReply::Nil) };
        let deadline = Deadline::within(within);
        let mut connection = match self.take(server) {
            Some(connection) => connection,
            None => open(server, deadline)?,
        };
        connection.set_deadline(deadline.left().unwrap_or_default());
        let reply = ask(&mut connection, words)?;
        if !CHANGING.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            self.keep(server, connection);
        }
        Ok(reply)
    }
}

impl System {
    /// A connection that is open still. One that the server has closed in the
    /// meantime, or on which it said something unasked, is not used again.
    fn take(&self, server: &Server) -> Option<Connection> {
        let mut kept = self.0.lock().ok()?;
        kept.retain(|kept| kept.since.elapsed() < IDLE && kept.connection.is_quiet());
        let at = kept.iter().rposition(|kept| kept.server == *server)?;
        Some(kept.swap_remove(at).connection)
    }

    fn keep(&self, server: &Server, connection: Connection) {
        let Ok(mut kept) = self.0.lock() else { return };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Kept { server: server.clone(), connection, since: Instant::now() });
    }
}

/// A new connection, with the database chosen.
fn open(server: &Server, deadline: Deadline) -> Result<Connection, ServerError> {
    let mut connection =
        connect(&server.address, deadline).map_err(|error| ServerError::Connect(plain(&error)))?;
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

fn connect(address: &ServerAddress, deadline: Deadline) -> io::Result<Connection> {
    let left = || deadline.left().ok_or(io::Error::from(io::ErrorKind::TimedOut));
    match address {
        ServerAddress::Unix(path) => Connection::open(&Target::Unix(path.clone()), left()?),
        ServerAddress::Tcp { host, port } => {
            let mut result = Err(io::ErrorKind::NotFound.into());
            for ip in net::System.resolve(host)? {
                let target = Target::Tcp((ip, port.unwrap_or(PORT)).into());
                result = Connection::open(&target, left()?);
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
