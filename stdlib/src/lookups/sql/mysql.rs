//! What is MySQL's own.

use eximious_core::world::{Server, ServerAddress, SqlKind};
use eximious_core::{Call, Str};

use crate::environment;
use crate::number::leading_int;
use crate::options::opt;

use super::super::servers::{Attempt, Kind, host_and_port, parts};
use super::{Words, next, plainly};

/// The servers.
pub(super) static KIND: Kind =
    Kind { name: "MySQL", option: opt::MYSQL_SERVERS, named_in_queries: true };

/// Exim ends them with a newline.
const WORDS: Words = Words {
    no_connection: "MYSQL connection failed: ",
    failed: "MYSQL: query failed: ",
    end: "\n",
};

/// What the client's library takes from the environment: where option files
/// are, and a port.
const VARIABLES: &[&str] = &["HOME", "MYSQL_HOME", "MYSQL_TCP_PORT"];

/// Asks one server.
pub(super) fn ask(
    call: &mut Call<'_>,
    server: &[u8],
    statement: &[u8],
) -> Result<Option<Str>, Attempt> {
    let mut server = read(server)?;
    server.environment = environment::some(call, VARIABLES);
    plainly(call, SqlKind::Mysql, (&KIND, &WORDS), &server, statement)
}

/// Reads `host::port(socket)[group]/database/user/password`.
fn read(text: &[u8]) -> Result<Server, Attempt> {
    let (place, [database, user, password]) = parts(text)
        .map_err(|shown| Attempt::Stop([b"incomplete MySQL server data: ", shown].concat()))?;
    let (place, group) = cut(place, b'[', b']');
    let (place, socket) = cut(place, b'(', b')');
    let (host, port) = host_and_port(place);
    if host.contains(&b'/') {
        return Err(Attempt::Stop([b"unexpected slash in MySQL server hostname: ", host].concat()));
    }
    let address = if matches!(host, b"" | b"localhost") {
        if socket.is_some_and(<[u8]>::is_empty) {
            let words = b"Can't connect to local server through socket '' (111)";
            return Err(next(WORDS.no_connection, words));
        }
        ServerAddress::Unix(socket.unwrap_or_default().to_vec())
    } else {
        let host = String::from_utf8_lossy(host).into_owned();
        let port = match port.and_then(leading_int).map_or(0, |(port, _)| port) {
            ..0 => {
                let words = format!("Unknown server host '{host}' (-8)");
                return Err(next(WORDS.no_connection, words.as_bytes()));
            }
            // What is too long for a port is cut, by the system's resolver.
            port => port as u16,
        };
        ServerAddress::Tcp { host, port: Some(port).filter(|port| *port > 0) }
    };
    Ok(Server {
        address,
        database: database.to_vec(),
        user: user.to_vec(),
        password: password.to_vec(),
        group: group.filter(|group| !group.is_empty()).map(<[u8]>::to_vec),
        environment: Vec::new(),
    })
}

/// What stands before a bracket, and what in it.
fn cut(text: &[u8], open: u8, close: u8) -> (&[u8], Option<&[u8]>) {
    let Some(at) = memchr::memchr(open, text) else { return (text, None) };
    let inner = &text[at + 1..];
    let end = memchr::memchr(close, inner).unwrap_or(inner.len());
    (&text[..at], Some(&inner[..end]))
}
