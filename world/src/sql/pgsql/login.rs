//! How a session with a PostgreSQL server begins.

use std::net::IpAddr;

use eximious_core::world::{Server, ServerAddress, ServerError, Target};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS as BOUND, ScramSha256,
};

use super::super::wire::{Packet, ServerWire, WireError};
use super::complaint::PgsqlError;
use super::conninfo::{self, ConnInfo, TlsMode};
use super::{CLOSED, PgsqlSession, message, receive, words};
use crate::deadline::Deadline;
use crate::hosts::addresses;
use crate::net::Connection;
use crate::tls;

/// Where a server listens that says nothing else.
const PORT: u16 = 5432;
/// The version of the protocol: 3.0.
const VERSION: u32 = 3 << 16;
/// What asks for TLS.
const TLS: u32 = 80_877_103;
/// How many rounds of hashing a server may ask for. Its own choice is 4096.
const MOST_ROUNDS: u32 = 1_000_000;

/// Opens a session.
pub fn open(server: &Server, deadline: Deadline) -> Result<PgsqlSession, ServerError> {
    let settings = conninfo::read(server).map_err(ServerError::Connect)?;
    let left = deadline.left().unwrap_or_default();
    let deadline = settings.timeout.map_or(deadline, |time| Deadline::within(time.min(left)));
    if settings.tls == TlsMode::Require && !tls::PRESENT {
        return Err(ServerError::Connect(
            "sslmode value \"require\" invalid when SSL support is not compiled in\n".into(),
        ));
    }
    let mut all = String::new();
    for place in places(&settings) {
        let place = match place {
            Ok(place) => place,
            Err(words) => {
                all.push_str(&words);
                continue;
            }
        };
        let first = matches!(settings.tls, TlsMode::Prefer | TlsMode::Require);
        let otherwise = match attempt(&settings, &place, first, deadline) {
            Ok(session) => return Ok(session),
            Err(Tried::Absent(words)) => {
                all.push_str(&words);
                continue;
            }
            Err(Tried::Refused(words)) => {
                all.push_str(&words);
                settings.tls == TlsMode::Allow && tls::PRESENT && place.host.is_some()
            }
            // A server that lets nobody in under TLS may do so without.
            Err(Tried::RefusedUnderTls(words)) => {
                all.push_str(&words);
                settings.tls == TlsMode::Prefer
            }
        };
        if otherwise {
            match attempt(&settings, &place, !first, deadline) {
                Ok(session) => return Ok(session),
                Err(
                    Tried::Absent(words) | Tried::Refused(words) | Tried::RefusedUnderTls(words),
                ) => all.push_str(&words),
            }
        }
        break;
    }
    Err(ServerError::Connect(all))
}

/// Where a server may be.
struct Place {
    target: Target,
    /// The host, where TLS is possible.
    host: Option<String>,
    /// What the client's library calls it.
    shown: String,
    /// What that asks where nobody is there.
    hint: &'static str,
}

const LOCAL: &str = "\tIs the server running locally and accepting connections on that socket?\n";
const REMOTE: &str = "\tIs the server running on that host and accepting TCP/IP connections?\n";

/// All places, in their order, and why there is none for a host. A list of
/// hosts has commas between them.
fn places(settings: &ConnInfo) -> Vec<Result<Place, String>> {
    let (list, port) = match &settings.server.address {
        ServerAddress::Unix(path) => {
            let shown = String::from_utf8_lossy(path);
            let shown = format!("connection to server on socket \"{shown}\"");
            let target = Target::Unix(path.clone());
            return vec![Ok(Place { target, host: None, shown, hint: LOCAL })];
        }
        ServerAddress::Tcp { host, port } => (host, port.unwrap_or(PORT)),
    };
    if let Some(address) = settings.address {
        let shown = format!("connection to server at \"{address}\", port {port}");
        let target = Target::Tcp((address, port).into());
        return vec![Ok(Place { target, host: Some(list.clone()), shown, hint: REMOTE })];
    }
    let mut places = Vec::new();
    for host in list.split(',') {
        match addresses(host) {
            Ok(found) => places.extend(found.into_iter().map(|address| {
                let shown =
                    format!("connection to server at {}, port {port}", named(host, address));
                let target = Target::Tcp((address, port).into());
                Ok(Place { target, host: Some(host.to_owned()), shown, hint: REMOTE })
            })),
            Err(none) => {
                let why = &none.words;
                places.push(Err(format!(
                    "could not translate host name \"{host}\" to address: {why}\n"
                )));
            }
        }
    }
    places
}

fn named(host: &str, address: IpAddr) -> String {
    let text = address.to_string();
    if text == host { format!("\"{host}\"") } else { format!("\"{host}\" ({text})") }
}

/// Why an address gave no session.
enum Tried {
    /// Nobody is there: another of the host's addresses is tried.
    Absent(String),
    /// There was a server.
    Refused(String),
    /// There was a server, and TLS.
    RefusedUnderTls(String),
}

fn attempt(
    settings: &ConnInfo,
    place: &Place,
    tls: bool,
    deadline: Deadline,
) -> Result<PgsqlSession, Tried> {
    let shown = &place.shown;
    let Some(left) = deadline.left() else {
        return Err(Tried::Absent(format!("{shown} failed: timeout expired\n")));
    };
    let connection = Connection::open(&place.target, left).map_err(|error| {
        Tried::Absent(match error.kind() {
            std::io::ErrorKind::TimedOut => format!("{shown} failed: timeout expired\n"),
            _ => format!("{shown} failed: {}\n{}", words(&error), place.hint),
        })
    })?;
    let mut session =
        PgsqlSession { wire: ServerWire::new(connection), utf8: false, in_transaction: false };
    session.wire.begin(deadline.left().unwrap_or_default());
    let host = place.host.as_deref().filter(|_| tls && tls::PRESENT);
    login(&mut session, settings, host).map_err(|stop| {
        let words = |why: &str| format!("{shown} failed: {why}");
        match stop {
            Stop::Tls(why) => Tried::RefusedUnderTls(words(&why)),
            Stop::Server(why) if session.wire.tls().is_some() => {
                Tried::RefusedUnderTls(words(&why))
            }
            Stop::Server(why) | Stop::Said(why) => Tried::Refused(words(&why)),
            Stop::Broken(WireError::Closed | WireError::Reset) => Tried::Refused(words(CLOSED)),
            Stop::Broken(WireError::Slow) => Tried::Refused(words("timeout expired\n")),
            Stop::Broken(WireError::TooMuch | WireError::Garbage) => {
                Tried::Refused(words("unexpected response from server\n"))
            }
            Stop::Broken(WireError::Failed(error)) => {
                Tried::Refused(words(&format!("{}\n", super::words(&error))))
            }
        }
    })?;
    Ok(session)
}

/// Why the server did not let us in.
enum Stop {
    /// The client itself says so.
    Said(String),
    /// The server says so.
    Server(String),
    /// There is no TLS.
    Tls(String),
    Broken(WireError),
}

impl From<WireError> for Stop {
    fn from(broken: WireError) -> Self {
        Self::Broken(broken)
    }
}

fn said<T>(words: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Said(words.into()))
}

/// `host` is the server's, where TLS is to be asked for.
fn login(session: &mut PgsqlSession, settings: &ConnInfo, host: Option<&str>) -> Result<(), Stop> {
    let server = &settings.server;
    if let Some(host) = host {
        ask_tls(&mut session.wire, host, settings.tls)?;
    }
    let user = if server.user.is_empty() { super::super::own_name() } else { server.user.clone() };
    session.wire.send(&startup(&user, settings))?;
    let mut proof = None;
    let mut known = false;
    loop {
        let (tag, body) = receive(&mut session.wire)?;
        match tag {
            b'R' => {
                authenticate(&mut session.wire, server, &user, &body, &mut proof)?;
                known = body.starts_with(&[0; 4]);
            }
            b'E' => {
                let words = PgsqlError::read(&body)?.words(None, session.utf8);
                let words = String::from_utf8_lossy(&words).into_owned();
                // Behind the proof of a password, TLS is not to blame.
                return Err(if known { Stop::Said(words) } else { Stop::Server(words) });
            }
            b'S' => session.parameter(&body)?,
            b'K' | b'N' => {}
            b'Z' => return Ok(()),
            _ => {
                let tag = char::from(tag);
                return said(format!(
                    "expected authentication request from server, but received {tag}\n"
                ));
            }
        }
    }
}

/// Asks whether the server speaks TLS, and goes on so or without. As the
/// client's library has it, any certificate will do: this is against those who
/// listen, not against those who pretend.
fn ask_tls(wire: &mut ServerWire, host: &str, mode: TlsMode) -> Result<(), Stop> {
    wire.send(&[8u32.to_be_bytes(), TLS.to_be_bytes()].concat())?;
    match wire.array::<1>()? {
        [b'N'] if mode == TlsMode::Require => {
            said("server does not support SSL, but SSL was required\n")
        }
        [b'N'] => Ok(()),
        [b'S'] => {
            let begun = wire.secure(&tls::TlsSettings::default(), host);
            begun.map_err(|why| Stop::Tls(format!("SSL error: {why}\n")))
        }
        [b'E'] => said("server sent an error response during SSL exchange\n"),
        [other] => {
            let shown = char::from(other);
            said(format!("received invalid response to SSL negotiation: {shown}\n"))
        }
    }
}

fn startup(user: &[u8], settings: &ConnInfo) -> Vec<u8> {
    let mut body = VERSION.to_be_bytes().to_vec();
    let database = &settings.server.database[..];
    let database = if database.is_empty() { user } else { database };
    // Text goes to the server and comes back as the bytes that it is.
    let encoding = [&b"client_encoding"[..], b"SQL_ASCII"];
    let own = [b"user", user, b"database", database];
    let others = settings.parameters.iter();
    let others = others.flat_map(|(name, value)| [name.as_bytes(), &value[..]]);
    for text in own.into_iter().chain(others).chain(encoding) {
        body.extend_from_slice(text);
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), &body[..]].concat()
}

/// Answers a question about who we are.
fn authenticate(
    wire: &mut ServerWire,
    server: &Server,
    user: &[u8],
    body: &[u8],
    proof: &mut Option<ScramSha256>,
) -> Result<(), Stop> {
    let mut body = Packet(body);
    let kind = u32::from_be_bytes(body.array()?);
    if matches!(kind, 3 | 5 | 10) && server.password.is_empty() {
        return said("fe_sendauth: no password supplied\n");
    }
    let answer = match kind {
        0 => return Ok(()),
        3 => message(b'p', &[&server.password, b"\0"]),
        5 => {
            let hash = md5_hash(user, &server.password, body.array()?);
            message(b'p', &[hash.as_bytes(), b"\0"])
        }
        10 => {
            let offered = |name: &str| body.0.split(|c| *c == 0).any(|n| n == name.as_bytes());
            let plain = |binding| (SCRAM_SHA_256, binding);
            let (mechanism, binding) = match wire.tls() {
                None => plain(ChannelBinding::unsupported()),
                Some(_) if !offered(BOUND) => plain(ChannelBinding::unrequested()),
                // What is proved counts for this connection only.
                Some(tls) => tls.end_point().map_or_else(
                    || plain(ChannelBinding::unsupported()),
                    |hash| (BOUND, ChannelBinding::tls_server_end_point(hash)),
                ),
            };
            if !offered(mechanism) {
                return said("none of the server's SASL authentication mechanisms are supported\n");
            }
            let begun = ScramSha256::new(&server.password, binding);
            let first = begun.message().to_vec();
            *proof = Some(begun);
            let length = u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes();
            message(b'p', &[mechanism.as_bytes(), b"\0", &length, &first])
        }
        11 => {
            let Some(proof) = proof else { return Err(WireError::Garbage.into()) };
            if rounds(body.0).is_none_or(|rounds| rounds > MOST_ROUNDS) {
                return said("malformed SCRAM message (invalid iteration count)\n");
            }
            if let Err(error) = proof.update(body.0) {
                return said(format!("malformed SCRAM message ({error})\n"));
            }
            message(b'p', &[proof.message()])
        }
        12 => {
            let checked = proof.take().is_some_and(|mut proof| proof.finish(body.0).is_ok());
            // A server that does not know the password is not the one.
            if !checked {
                return said("incorrect server signature\n");
            }
            return Ok(());
        }
        other => return said(format!("authentication method {other} not supported\n")),
    };
    Ok(wire.send(&answer)?)
}

/// How many rounds of hashing a server asks for: `r=…,s=…,i=4096`.
fn rounds(message: &[u8]) -> Option<u32> {
    let rounds = message.split(|c| *c == b',').find_map(|part| part.strip_prefix(b"i="))?;
    std::str::from_utf8(rounds).ok()?.parse().ok()
}
