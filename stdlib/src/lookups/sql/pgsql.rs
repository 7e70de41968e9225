//! What is PostgreSQL's own.

use eximious_core::world::{Server, ServerAddress, ServerError, SqlAnswer, SqlKind};
use eximious_core::{Call, Str};

use crate::environment;
use crate::options::opt;

use super::super::rows::Null;
use super::super::servers::{Attempt, Kind, host_and_port, parts};
use super::{forget, next, query, written};

/// The servers.
pub(super) static KIND: Kind =
    Kind { name: "PostgreSQL", option: opt::PGSQL_SERVERS, named_in_queries: true };

const NO_CONNECTION: &str = "PGSQL connection failed: ";
const FAILED: &str = "PGSQL: query failed: ";

/// Where the client looks for a server that is described as nowhere.
const DIRECTORY: &[u8] = b"/var/run/postgresql";
/// The name of a socket ends with this and the port.
const SOCKET: &[u8] = b".s.PGSQL.";
const PORT: u16 = 5432;

/// What the client's library takes from the environment.
const VARIABLES: &[&str] = &[
    "PGAPPNAME",
    "PGCHANNELBINDING",
    "PGCONNECT_TIMEOUT",
    "PGDATABASE",
    "PGDATESTYLE",
    "PGGEQO",
    "PGGSSENCMODE",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSWORD",
    "PGREQUIREPEER",
    "PGSERVICE",
    "PGSSLCERT",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLKEY",
    "PGSSLMAXPROTOCOLVERSION",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGTARGETSESSIONATTRS",
    "PGTZ",
    "PGUSER",
];

/// Asks one server.
pub(super) fn ask(
    call: &mut Call<'_>,
    server: &[u8],
    statement: &[u8],
) -> Result<Option<Str>, Attempt> {
    let mut server = read(server)?;
    server.environment = environment::some(call, VARIABLES);
    let failed = |words: &[u8], status: &str| {
        let after = format!(" ({status}) (");
        next(FAILED, &[words, after.as_bytes(), statement, b")\n"].concat())
    };
    match query(call, SqlKind::Pgsql, &KIND, &server, statement)? {
        Ok(SqlAnswer::Rows(rows)) => written(&rows, &Null::Empty),
        Ok(SqlAnswer::Changed(count)) => {
            forget(call);
            Ok(count.map(|count| Str::from(count.to_string())))
        }
        Ok(SqlAnswer::Copy { into: true }) => Err(failed(b"", "PGRES_COPY_IN")),
        Ok(SqlAnswer::Copy { into: false }) => Err(failed(b"", "PGRES_COPY_OUT")),
        Err(ServerError::Connect(words)) => Err(next(NO_CONNECTION, words.as_bytes())),
        Err(ServerError::Refused(words)) => Err(failed(&words, "PGRES_FATAL_ERROR")),
        Err(ServerError::Broken(words)) => Err(failed(words.as_bytes(), "PGRES_FATAL_ERROR")),
        Err(ServerError::TooMuch | ServerError::Unavailable) => Err(failed(b"", "")),
    }
}

/// Reads `host::port/database/user/password`, with the path of a socket in
/// parentheses in place of the host.
fn read(text: &[u8]) -> Result<Server, Attempt> {
    let stop = |words: &str, shown: &[u8]| Attempt::Stop([words.as_bytes(), shown].concat());
    let (place, [database, user, password]) =
        parts(text).map_err(|shown| stop("incomplete pgSQL server data: ", shown))?;
    let address = if let Some(path) = place.strip_prefix(b"(") {
        let path = &path[..memchr::memchr(b')', path).unwrap_or(path.len())];
        let (directory, port) =
            socket(path).ok_or_else(|| stop("PGSQL invalid filename for socket: ", path))?;
        local(directory, Some(port))?
    } else {
        let (host, port) = host_and_port(place);
        if host.contains(&b'/') {
            return Err(stop("unexpected slash in pgSQL server hostname: ", host));
        }
        if host.is_empty() {
            local(DIRECTORY, port)?
        } else {
            let host = String::from_utf8_lossy(host).into_owned();
            ServerAddress::Tcp { host, port: port.map_or(Ok(None), number)? }
        }
    };
    Ok(Server {
        address,
        database: database.to_vec(),
        user: user.to_vec(),
        password: password.to_vec(),
        group: None,
        environment: Vec::new(),
    })
}

/// The directory of a socket, and its port.
fn socket(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = memchr::memrchr(b'/', path)?;
    let dot = memchr::memrchr(b'.', path)?;
    let port = path[dot + 1..].split(|c| *c == b'/').next()?;
    Some((&path[..slash], port))
}

/// The socket for a port in a directory.
fn local(directory: &[u8], port: Option<&[u8]>) -> Result<ServerAddress, Attempt> {
    let port = port.map_or(Ok(None), number)?.unwrap_or(PORT);
    let directory = if directory.is_empty() { DIRECTORY } else { directory };
    let path = [directory, b"/", SOCKET, port.to_string().as_bytes()].concat();
    Ok(ServerAddress::Unix(path))
}

/// A port; `None` where it is empty.
fn number(text: &[u8]) -> Result<Option<u16>, Attempt> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.trim_ascii();
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i32>().ok());
    let complain = |before: &str, after: &str| {
        next(NO_CONNECTION, &[before.as_bytes(), text, after.as_bytes()].concat())
    };
    let Some(number) = number else {
        return Err(complain("invalid integer value \"", "\" for connection option \"port\"\n"));
    };
    match u16::try_from(number) {
        Ok(port @ 1..) => Ok(Some(port)),
        _ => Err(complain("invalid port number: \"", "\"\n")),
    }
}
