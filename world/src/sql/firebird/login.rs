//! How a session with a Firebird server begins.

use std::io;

use eximious_core::world::{Server, ServerAddress, ServerError, Target};

use super::super::own_name;
use super::super::wire::{Packet, ServerWire, WireError};
use super::FirebirdSession;
use super::channel::{Channel, Failed, FirebirdRequest, is_response};
use super::srp::{SrpClient, SrpPlugin, SrpQuestion};
use crate::databases::words;
use crate::deadline::Deadline;
use crate::hosts::addresses;
use crate::net::Connection;

/// Where a server listens that says nothing else.
const PORT: u16 = 3050;
/// The host of a server that has none.
const HERE: &str = "localhost";

const CONNECT: u32 = 1;
const ACCEPT: u32 = 3;
const REJECT: u32 = 4;
const ATTACH: u32 = 19;
const CONTINUE: u32 = 92;
const ACCEPT_WITH_DATA: u32 = 94;
const ENCRYPT: u32 = 96;
const ACCEPT_ON_CONDITION: u32 = 98;

/// The protocol of Firebird 3, the first one where a password does not show.
/// Later servers speak it, too.
const VERSION: u32 = 0x800d;
/// The version of the greeting, the way numbers are written, and how requests
/// may follow each other.
const GREETING: u32 = 3;
const GENERIC: u32 = 1;
const ONE_BY_ONE: u32 = 2;
const BATCHES: u32 = 3;

/// How many questions a server may ask before it lets us in.
const QUESTIONS: usize = 8;

const PLUGINS: &[u8] = b"Srp256,Srp";
const CIPHER: &[u8] = b"Arc4";
const KEY: &[u8] = b"Symmetric";

/// Opens a session.
pub fn open(server: &Server, deadline: Deadline) -> Result<FirebirdSession, ServerError> {
    let connection = connect(server, deadline).map_err(ServerError::Connect)?;
    let mut wire = ServerWire::new(connection);
    wire.begin(deadline.left().unwrap_or_default());
    let login = Login::new(server).map_err(|why| ServerError::Connect(why.into_words()))?;
    login.run(Channel::new(wire)).map_err(|why| ServerError::Connect(why.into_words()))
}

fn connect(server: &Server, deadline: Deadline) -> Result<Connection, String> {
    let (host, port) = match &server.address {
        ServerAddress::Tcp { host, port } => (&host[..], port.unwrap_or(PORT)),
        ServerAddress::Unix(_) => return Err("the server has no such sockets".into()),
    };
    let host = if host.is_empty() { HERE } else { host };
    let found = addresses(host).map_err(|none| format!("{host}: {}", none.words))?;
    let mut why = String::new();
    for address in found {
        let left = deadline.left().ok_or(io::Error::from(io::ErrorKind::TimedOut));
        let target = Target::Tcp((address, port).into());
        match left.and_then(|left| Connection::open(&target, left)) {
            Ok(connection) => return Ok(connection),
            Err(error) => why = format!("{host}: {}", words(&error)),
        }
    }
    Err(why)
}

/// Why there is no session.
enum Stop {
    Failed(Failed),
    Said(String),
}

impl Stop {
    fn said(words: &str) -> Self {
        Self::Said(words.into())
    }

    fn into_words(self) -> String {
        match self {
            Self::Said(words) => words,
            Self::Failed(Failed::Refused(complaint)) => {
                String::from_utf8_lossy(&complaint.words()).into_owned()
            }
            Self::Failed(Failed::Broken(broken)) => super::broken_words(&broken),
        }
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<WireError> for Stop {
    fn from(broken: WireError) -> Self {
        Self::Failed(Failed::Broken(broken))
    }
}

/// Who comes, and what has been shown so far.
struct Login<'a> {
    server: &'a Server,
    /// The user's name as the server has it.
    user: Vec<u8>,
    client: SrpClient,
    key: Option<Vec<u8>>,
}

impl<'a> Login<'a> {
    fn new(server: &'a Server) -> Result<Self, Stop> {
        let mut random = [0; 32];
        let drawn = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
        let client = drawn.is_ok_and(|count| count == random.len());
        let client = client.then(|| SrpClient::new(&random)).flatten();
        let client = client.ok_or_else(|| Stop::said("there is no randomness"))?;
        if server.user.len() > MOST {
            return Err(Stop::said("the user's name is too long"));
        }
        Ok(Self { server, user: folded(&server.user), client, key: None })
    }

    fn run(mut self, mut channel: Channel) -> Result<FirebirdSession, Stop> {
        channel.send([self.greeting()])?;
        // What proves us is part of the next request, where the server says so.
        let mut proof = None;
        let mut data = Vec::new();
        let mut questions = 0..QUESTIONS;
        loop {
            questions.next().ok_or(WireError::Garbage)?;
            match channel.operation()? {
                operation @ (ACCEPT_WITH_DATA | ACCEPT_ON_CONDITION) => {
                    check_version(&accepted(&mut channel)?)?;
                    let question = asked(&mut channel)?;
                    let done = channel.number()? != 0;
                    data = channel.text()?;
                    if operation == ACCEPT_WITH_DATA {
                        if !done {
                            proof = Some(self.answer(&question)?);
                        }
                        break;
                    }
                    channel.send([self.answer(&question)?.request()])?;
                }
                CONTINUE => {
                    let question = asked_again(&mut channel)?;
                    channel.send([self.answer(&question)?.request()])?;
                }
                ACCEPT => {
                    check_version(&accepted(&mut channel)?)?;
                    break;
                }
                REJECT => return Err(Stop::said("the server speaks none of our protocols")),
                operation if is_response(operation) => {
                    data = channel.rest_of_response()?.data;
                    break;
                }
                _ => return Err(WireError::Garbage.into()),
            }
        }
        self.encrypt(&mut channel, &data)?;
        channel.send([self.attach(proof.as_ref())])?;
        loop {
            questions.next().ok_or(WireError::Garbage)?;
            match channel.operation()? {
                CONTINUE => {
                    let question = asked_again(&mut channel)?;
                    channel.send([self.answer(&question)?.request()])?;
                }
                operation if is_response(operation) => {
                    let database = channel.rest_of_response()?.handle;
                    return Ok(FirebirdSession { channel, database });
                }
                _ => return Err(WireError::Garbage.into()),
            }
        }
    }

    /// The first request: what we would like to open, as whom, and how.
    fn greeting(&self) -> FirebirdRequest {
        let mut about = Vec::new();
        let mut add = |tag: u8, value: &[u8]| push(&mut about, tag, value);
        add(9, &self.server.user);
        add(8, b"Srp256");
        add(10, PLUGINS);
        // A long one comes in pieces, each with its number.
        for (number, piece) in (0..).zip(self.client.public().chunks(MOST - 1)) {
            add(7, &[&[number], piece].concat());
        }
        // Encrypted where the server would like to be.
        add(11, &[1, 0, 0, 0]);
        add(1, &own_name());
        add(4, b"");
        add(6, b"");
        FirebirdRequest::new(CONNECT)
            .number(ATTACH)
            .number(GREETING)
            .number(GENERIC)
            .text(&self.server.database)
            .number(1)
            .text(&about)
            .number(VERSION)
            .number(GENERIC)
            .number(ONE_BY_ONE)
            .number(BATCHES)
            .number(1)
    }

    /// Answers a server that asks for our number, or for a proof.
    fn answer(&mut self, asked: &Asked) -> Result<Shown, Stop> {
        let Some(plugin) = SrpPlugin::named(&asked.plugin) else {
            // What a server asks for next that did not like our proof.
            if self.key.is_some() {
                return Err(Stop::said("Your user name and password are not defined"));
            }
            let name = String::from_utf8_lossy(&asked.plugin).into_owned();
            return Err(Stop::Said(match &name[..] {
                "" => "the server asks for no proof that we know".into(),
                name => format!("the server asks for the proof '{name}', which we don't know"),
            }));
        };
        let data = if asked.data.is_empty() {
            self.client.public()
        } else {
            let question = question(&asked.data)?;
            let password = &self.server.password;
            let proof = self.client.prove(plugin, &self.user, password, &question);
            let proof = proof.ok_or(WireError::Garbage)?;
            self.key = Some(proof.key);
            proof.shown
        };
        Ok(Shown { plugin: asked.plugin.clone(), data })
    }

    /// Goes on encrypted, where the server said that it knows how.
    fn encrypt(&self, channel: &mut Channel, data: &[u8]) -> Result<(), Stop> {
        let Some(key) = &self.key else { return Ok(()) };
        if !knows_cipher(data) {
            return Ok(());
        }
        channel.send([FirebirdRequest::new(ENCRYPT).text(CIPHER).text(KEY)])?;
        channel.encrypt(key)?;
        channel.response()?;
        Ok(())
    }

    /// Asks for the database.
    fn attach(&self, proof: Option<&Shown>) -> FirebirdRequest {
        // The version of what follows (whose values may be long), the user, and that
        // we speak dialect 3. No character set: what is stored is sent as it is.
        let mut about = vec![2];
        let mut add = |tag: u8, value: &[u8]| {
            about.push(tag);
            about.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
            about.extend_from_slice(value);
        };
        add(28, &self.server.user);
        add(63, &[3]);
        if let Some(shown) = proof {
            add(86, &shown.plugin);
            add(85, PLUGINS);
            add(84, &shown.data);
        }
        FirebirdRequest::new(ATTACH).number(0).text(&self.server.database).text(&about)
    }
}

/// The longest value that has a length of one byte.
const MOST: usize = 255;

/// Adds a value; what is longer than its length can say is cut.
fn push(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    let value = &value[..value.len().min(MOST)];
    out.push(tag);
    out.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(value);
}

/// A user's name as the server has it: in capitals, unless it is quoted.
fn folded(name: &[u8]) -> Vec<u8> {
    match name {
        [b'"', inner @ .., b'"'] => {
            let mut out = Vec::with_capacity(inner.len());
            let mut bytes = inner.iter();
            while let Some(byte) = bytes.next() {
                out.push(*byte);
                if *byte == b'"' {
                    // A quote in it stands twice.
                    bytes.next();
                }
            }
            out
        }
        name => name.to_ascii_uppercase(),
    }
}

/// What a server asks for.
struct Asked {
    data: Vec<u8>,
    plugin: Vec<u8>,
}

/// What it is shown.
struct Shown {
    data: Vec<u8>,
    plugin: Vec<u8>,
}

impl Shown {
    fn request(&self) -> FirebirdRequest {
        FirebirdRequest::new(CONTINUE).text(&self.data).text(&self.plugin).text(PLUGINS).text(b"")
    }
}

fn asked(channel: &mut Channel) -> Result<Asked, WireError> {
    Ok(Asked { data: channel.text()?, plugin: channel.text()? })
}

/// The same with a list of proofs behind it, and of keys.
fn asked_again(channel: &mut Channel) -> Result<Asked, WireError> {
    let asked = asked(channel)?;
    channel.text()?;
    channel.text()?;
    Ok(asked)
}

/// The version, the way of writing numbers, and the way of asking.
fn accepted(channel: &mut Channel) -> Result<[u32; 3], WireError> {
    Ok([channel.number()?, channel.number()?, channel.number()?])
}

fn check_version(accepted: &[u32; 3]) -> Result<(), Stop> {
    // Servers sign what is no bare version.
    if accepted[0] & 0xffff == VERSION {
        return Ok(());
    }
    Err(Stop::said("the server is older than Firebird 3, and would want the password as it is"))
}

/// A salt, and the server's number, each with its length.
fn question(data: &[u8]) -> Result<SrpQuestion<'_>, WireError> {
    let mut data = Packet(data);
    let mut part = || {
        let length = u16::from_le_bytes(data.array()?);
        data.take(usize::from(length))
    };
    Ok(SrpQuestion { salt: part()?, public: part()? })
}

/// Whether a server's list of keys and ciphers has ours.
fn knows_cipher(data: &[u8]) -> bool {
    let mut data = Packet(data);
    let mut next = || {
        let tag = data.byte().ok()?;
        let length = data.byte().ok()?;
        Some((tag, data.take(usize::from(length)).ok()?))
    };
    let mut fits = false;
    while let Some((tag, value)) = next() {
        match tag {
            0 => fits = value == KEY,
            1 if fits
                && value.split(|c| matches!(c, b' ' | b',' | b';')).any(|name| name == CIPHER) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users() {
        fn check(name: &str, wanted: &str) {
            assert_eq!(String::from_utf8_lossy(&folded(name.as_bytes())), wanted, "{name}");
        }
        check("u", "U");
        check("\"u\"", "u");
        check("\"a\"\"b\"", "a\"b");
        check("\"\"", "");
        check("\"", "\"");
        check("", "");
    }

    #[test]
    fn a_server_names_its_ciphers() {
        assert!(knows_cipher(b"\0\x09Symmetric\x01\x04Arc4"));
        assert!(knows_cipher(b"\0\x09Symmetric\x01\x14ChaCha64 ChaCha Arc4"));
        assert!(!knows_cipher(b"\0\x09Symmetric\x01\x06ChaCha"));
        assert!(!knows_cipher(b"\0\x05Other\x01\x04Arc4"));
        assert!(!knows_cipher(b"\0\x09Symmetric\x01\xffArc4"));
        assert!(!knows_cipher(b""));
    }
}
