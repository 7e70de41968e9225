//! How a session with a MySQL server begins.

use std::io;

use eximious_core::world::{Server, ServerAddress, ServerError, Target};

use super::super::wire::{Packet, ServerWire, WireError};
use super::MysqlSession;
use super::frame::{Frames, MysqlError};
use super::options::{OptionFile, read_options};
use super::proof::{MysqlPlugin, NoProof};
use crate::deadline::Deadline;
use crate::hosts::addresses;
use crate::net::Connection;
use crate::tls;

/// Where a server listens that says nothing else.
const PORT: u16 = 3306;
const SOCKET: &[u8] = b"/run/mysqld/mysqld.sock";

/// What a client can do: long passwords and flags, a database from the start,
/// the protocol of 4.1, transactions, proofs by plugins, several answers. Not
/// what would let a server ask for files of this host, nor several statements
/// in one.
const CAPABILITIES: u32 = 1 | 4 | 0x200 | 0x2000 | 0x8000 | 0x2_0000 | 0x8_0000 | 0x20_0000;
const WITH_DATABASE: u32 = 8;
const TLS: u32 = 0x800;
/// What a server must be able to do.
const NEEDED: u32 = 0x200 | 0x8000;
/// The longest packet that we would take, a gigabyte: the server's own limit
/// is smaller.
const LONGEST: u32 = 1 << 30;
/// `utf8mb4_general_ci`.
const COLLATION: u8 = 45;
/// How many questions a server may ask before it lets us in.
const QUESTIONS: usize = 16;

/// The error that the client's library finds where no system call failed but
/// there is nothing to read, and where a connection can't be made at once.
const NOTHING: i32 = 11;
const IN_PROGRESS: i32 = 115;
/// What it finds where the other side is gone, and where the time is up.
const RESET: i32 = 104;
const TIMED_OUT: i32 = 110;

/// Opens a session.
pub fn open(server: &Server, deadline: Deadline) -> Result<MysqlSession, ServerError> {
    let options = read_options(server);
    let connection = connect(server, &options, deadline).map_err(ServerError::Connect)?;
    let mut wire = ServerWire::new(connection);
    wire.begin(deadline.left().unwrap_or_default());
    let mut session = MysqlSession { frames: Frames::new(wire), in_transaction: false };
    login(&mut session.frames, server, &options).map_err(|stop| {
        ServerError::Connect(match stop {
            Stop::Said(words) => words,
            Stop::Broken(at, broken) => {
                let number = match broken {
                    WireError::Slow => TIMED_OUT,
                    WireError::Reset => RESET,
                    WireError::Failed(error) => error.raw_os_error().unwrap_or(NOTHING),
                    WireError::Closed | WireError::Garbage | WireError::TooMuch => NOTHING,
                };
                format!("Lost connection to server at '{at}', system error: {number}")
            }
        })
    })?;
    Ok(session)
}

fn connect(
    server: &Server,
    options: &OptionFile,
    deadline: Deadline,
) -> Result<Connection, String> {
    let open = |target: &Target| {
        let left = deadline.left().ok_or(io::Error::from(io::ErrorKind::TimedOut))?;
        Connection::open(target, left)
    };
    let (list, port) = match &server.address {
        ServerAddress::Unix(path) => {
            let path = match &path[..] {
                [] => options.socket.as_deref().unwrap_or(SOCKET),
                path => path,
            };
            return open(&Target::Unix(path.to_vec())).map_err(|error| {
                let number = error.raw_os_error().unwrap_or(TIMED_OUT);
                let path = String::from_utf8_lossy(path);
                format!("Can't connect to local server through socket '{path}' ({number})")
            });
        }
        ServerAddress::Tcp { host, port } => (host, port.or(options.port).unwrap_or(PORT)),
    };
    let mut why = String::new();
    // A list of hosts has commas between them.
    for host in list.split(',') {
        match addresses(host) {
            Err(none) => why = format!("Unknown server host '{host}' ({})", none.number),
            Ok(found) => {
                let mut number = IN_PROGRESS;
                for address in found {
                    match open(&Target::Tcp((address, port).into())) {
                        Ok(connection) => return Ok(connection),
                        Err(error) => number = shown_number(&error),
                    }
                }
                why = format!("Can't connect to server on '{host}' ({number})");
            }
        }
    }
    Err(why)
}

/// Only what the system says at once has a number of its own.
fn shown_number(error: &io::Error) -> i32 {
    let at_once = matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidInput
    );
    error.raw_os_error().filter(|_| at_once).unwrap_or(IN_PROGRESS)
}

/// Why the server did not let us in.
enum Stop {
    Said(String),
    Broken(&'static str, WireError),
}

const GREETING: &str = "handshake: reading initial communication packet";
const PROVING: &str = "authentication";

fn login(frames: &mut Frames, server: &Server, options: &OptionFile) -> Result<(), Stop> {
    let greeting = frames.receive().map_err(|broken| Stop::Broken(GREETING, broken))?;
    if greeting.first() == Some(&0xff) {
        return Err(complaint(&greeting));
    }
    let greeting = Greeting::read(&greeting).map_err(|broken| Stop::Broken(GREETING, broken))?;
    let own = super::super::own_name();
    let user = match or(&server.user, &options.user) {
        [] => &own[..],
        user => user,
    };
    let password = &server.password[..];
    let database = or(&server.database, &options.database);
    let head = head(options.tls.is_some(), database);
    // Nobody listens on a socket, or under TLS.
    let mut private = matches!(server.address, ServerAddress::Unix(_));
    if let Some(settings) = &options.tls {
        begin_tls(frames, &server.address, settings, &greeting, &head)?;
        private = true;
    }
    // What the server proposes, where it is known; it may propose another.
    let mut plugin = MysqlPlugin::named(&greeting.plugin);
    let mut challenge = greeting.challenge.clone();
    let (name, answer) = match plugin {
        Some(known) => match known.answer(password, &challenge, private) {
            Ok(answer) => (&greeting.plugin[..], answer),
            // The greeting's challenge may not be meant for it: the server asks
            // again.
            Err(NoProof::Senseless) => (&greeting.plugin[..], Vec::new()),
            Err(none) => return Err(no_proof(&greeting.plugin, &none)),
        },
        None => (&b"mysql_native_password"[..], Vec::new()),
    };
    let response = response(head, user, database, name, &answer);
    let broken = |broken| Stop::Broken(PROVING, broken);
    frames.send(&response).map_err(broken)?;
    let mut name = name.to_vec();
    for _ in 0..QUESTIONS {
        let said = frames.receive().map_err(broken)?;
        match said.split_first() {
            Some((0, _)) => return Ok(()),
            Some((0xff, _)) => return Err(complaint(&said)),
            Some((0xfe, question)) if !question.is_empty() => {
                let mut question = Packet(question);
                name = question.text().map_err(broken)?.to_vec();
                challenge = question.0.to_vec();
                plugin = MysqlPlugin::named(&name);
                let Some(known) = plugin else { return Err(unknown(&name)) };
                let answer = known.answer(password, &challenge, private);
                let answer = answer.map_err(|none| no_proof(&name, &none))?;
                frames.send(&answer).map_err(broken)?;
            }
            Some((1, more)) => {
                let Some(known) = plugin else { return Err(unknown(&name)) };
                let answer = known.go_on(password, &challenge, more, private);
                if let Some(answer) = answer.map_err(|none| no_proof(&name, &none))? {
                    frames.send(&answer).map_err(broken)?;
                }
            }
            _ => return Err(Stop::Broken(PROVING, WireError::Garbage)),
        }
    }
    Err(Stop::Broken(PROVING, WireError::Garbage))
}

fn or<'a>(given: &'a [u8], option: &'a Option<Vec<u8>>) -> &'a [u8] {
    if given.is_empty() { option.as_deref().unwrap_or_default() } else { given }
}

fn complaint(packet: &[u8]) -> Stop {
    Stop::Said(String::from_utf8_lossy(&MysqlError::read(packet).words).into_owned())
}

fn unknown(plugin: &[u8]) -> Stop {
    let name = String::from_utf8_lossy(plugin);
    Stop::Said(format!("Authentication plugin '{name}' cannot be loaded: nobody knows it here"))
}

fn no_proof(plugin: &[u8], why: &NoProof) -> Stop {
    let name = String::from_utf8_lossy(plugin);
    let why = match why {
        NoProof::Exposed => "the password would be sent to all who listen",
        NoProof::Senseless => "the server's question makes no sense",
        NoProof::Absent => tls::ABSENT,
    };
    Stop::Said(format!("Authentication plugin '{name}' reported error: {why}"))
}

/// What a server says first.
struct Greeting {
    capabilities: u32,
    challenge: Vec<u8>,
    plugin: Vec<u8>,
}

impl Greeting {
    fn read(packet: &[u8]) -> Result<Self, WireError> {
        let mut packet = Packet(packet);
        if packet.byte()? != 10 {
            return Err(WireError::Garbage);
        }
        // The server's version, and the session's number.
        packet.text()?;
        packet.take(4)?;
        let mut challenge = packet.take(8)?.to_vec();
        packet.take(1)?;
        let low = u16::from_le_bytes(packet.array()?);
        // The server's collation and status.
        packet.take(3)?;
        let high = u16::from_le_bytes(packet.array()?);
        let capabilities = u32::from(high) << 16 | u32::from(low);
        if capabilities & NEEDED != NEEDED {
            return Err(WireError::Garbage);
        }
        let length = usize::from(packet.byte()?);
        packet.take(10)?;
        let rest = packet.take(length.saturating_sub(8).max(13))?;
        challenge.extend_from_slice(rest.strip_suffix(b"\0").unwrap_or(rest));
        let plugin = packet.0.strip_suffix(b"\0").unwrap_or(packet.0).to_vec();
        Ok(Self { capabilities, challenge, plugin })
    }
}

/// What an answer to a greeting begins with.
fn head(tls: bool, database: &[u8]) -> Vec<u8> {
    let with = if database.is_empty() { 0 } else { WITH_DATABASE };
    let tls = if tls { TLS } else { 0 };
    let mut out = (CAPABILITIES | with | tls).to_le_bytes().to_vec();
    out.extend_from_slice(&LONGEST.to_le_bytes());
    out.push(COLLATION);
    out.extend_from_slice(&[0; 23]);
    out
}

fn begin_tls(
    frames: &mut Frames,
    address: &ServerAddress,
    settings: &tls::TlsSettings,
    greeting: &Greeting,
    head: &[u8],
) -> Result<(), Stop> {
    if greeting.capabilities & TLS == 0 {
        let words = "SSL connection error: SSL is required, but the server does not support it";
        return Err(Stop::Said(words.into()));
    }
    frames.send(head).map_err(|broken| Stop::Broken(PROVING, broken))?;
    let host = match address {
        ServerAddress::Tcp { host, .. } => host,
        ServerAddress::Unix(_) => "",
    };
    // The key may stand in the certificate's file.
    let certificate = settings.certificate.as_ref();
    let key = certificate.map(|file| settings.key.as_ref().unwrap_or(file).clone());
    let settings = tls::TlsSettings { key, ..settings.clone() };
    frames.secure(&settings, host).map_err(|why| Stop::Said(format!("TLS/SSL error: {why}")))
}

fn response(head: Vec<u8>, user: &[u8], database: &[u8], plugin: &[u8], answer: &[u8]) -> Vec<u8> {
    let mut out = head;
    out.extend_from_slice(user);
    out.push(0);
    match u8::try_from(answer.len()) {
        Ok(length @ ..=0xfa) => out.push(length),
        _ => {
            out.push(0xfc);
            out.extend_from_slice(&u16::try_from(answer.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
    }
    out.extend_from_slice(answer);
    if !database.is_empty() {
        out.extend_from_slice(database);
        out.push(0);
    }
    out.extend_from_slice(plugin);
    out.push(0);
    out
}
