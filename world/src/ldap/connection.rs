//! A connection to an LDAP server.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use eximious_core::world::{
    LdapAnswer, LdapError, LdapProtection, LdapResult, LdapSearch, LdapServer, LdapTls,
    LdapTrouble, Net, ServerAddress, Stream, Target,
};

use super::ber;
use super::message::{self, Message, Operation};
use crate::{net, tls};

/// The usual ports.
const PORT: u16 = 389;
const TLS_PORT: u16 = 636;
/// How many bytes are read at once.
const PIECE: usize = 16 * 1024;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For each answer of the network.
    pub(super) each: Option<Duration>,
    /// For everything.
    pub(super) end: Instant,
}

impl Patience {
    /// How long the next wait may be; none is left where this is zero.
    fn next(&self) -> Duration {
        let left = self.end.saturating_duration_since(Instant::now());
        self.each.map_or(left, |each| each.min(left))
    }
}

/// Who a connection is bound as: name and password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: Vec<u8>,
    pub(super) password: Vec<u8>,
}

/// A connection.
pub(super) struct Connection {
    wire: Wire,
    /// What came and is not read yet.
    buffer: Vec<u8>,
    /// The number of the last request.
    number: i32,
    /// Who it is bound as; `None` where that is not known.
    pub(super) bound: Option<Identity>,
    /// Whether anything came since it was taken up.
    pub(super) answered: bool,
}

enum Wire {
    Plain(Box<dyn Stream>),
    Tls(tls::TlsStream<Box<dyn Stream>>),
    /// TLS could not begin.
    Gone,
}

impl Drop for Connection {
    /// Says goodbye; nobody minds if it is not heard.
    fn drop(&mut self) {
        let patience = Patience { each: None, end: Instant::now() + Duration::from_millis(100) };
        let _ = self.send(&Operation::unbind(), &patience);
    }
}

impl Connection {
    /// Connects, and begins TLS where the server is asked for it.
    pub(super) fn open(server: &LdapServer, patience: &Patience) -> Result<Self, LdapError> {
        if server.protection != LdapProtection::None && !tls::PRESENT {
            return Err(LdapError::NoTls(tls::ABSENT.into()));
        }
        let (stream, host) = connect(server, patience).map_err(LdapError::Connect)?;
        let mut connection = Self {
            wire: Wire::Plain(stream),
            buffer: Vec::new(),
            number: 0,
            bound: None,
            answered: false,
        };
        match server.protection {
            LdapProtection::None => {}
            LdapProtection::Tls => {
                connection.protect(&host, server, patience).map_err(LdapError::Connect)?;
            }
            LdapProtection::StartTls => {
                connection.agree_on_tls(patience).map_err(LdapError::StartTls)?;
                connection
                    .protect(&host, server, patience)
                    .map_err(|why| LdapError::StartTls(LdapTrouble::Tls(why)))?;
            }
        }
        Ok(connection)
    }

    /// Asks the server to begin TLS.
    fn agree_on_tls(&mut self, patience: &Patience) -> Result<(), LdapTrouble> {
        self.send(&Operation::start_tls(), patience)?;
        let result = self.result(message::EXTENDED, patience, PIECE)?;
        if result.code != 0 {
            return Err(LdapTrouble::Refused(result));
        }
        // What was sent along in the clear must not be read as if it had been
        // protected.
        if !self.buffer.is_empty() {
            return Err(LdapTrouble::Tls("more came before TLS began".into()));
        }
        Ok(())
    }

    /// Begins TLS.
    fn protect(
        &mut self,
        host: &str,
        server: &LdapServer,
        patience: &Patience,
    ) -> Result<(), String> {
        if let Wire::Plain(mut stream) = std::mem::replace(&mut self.wire, Wire::Gone) {
            stream.set_deadline(patience.next());
            self.wire = Wire::Tls(tls::begin(&settings(&server.tls), host, stream)?);
        }
        Ok(())
    }

    /// Binds.
    pub(super) fn bind(
        &mut self,
        version: u8,
        identity: &Identity,
        patience: &Patience,
    ) -> Result<(), LdapTrouble> {
        self.bound = None;
        self.send(&Operation::bind(version, &identity.name, &identity.password), patience)?;
        let result = self.result(message::BOUND, patience, PIECE)?;
        if result.code != 0 {
            return Err(LdapTrouble::Refused(result));
        }
        self.bound = Some(identity.clone());
        Ok(())
    }

    /// Searches.
    pub(super) fn search(
        &mut self,
        search: &LdapSearch,
        patience: &Patience,
        limit: usize,
    ) -> Result<LdapAnswer, LdapError> {
        let operation = Operation::search(search).ok_or(LdapError::Filter)?;
        self.send(&operation, patience).map_err(LdapError::Search)?;
        let mut answer = LdapAnswer::default();
        let mut left = limit;
        loop {
            let bytes = self.receive(patience, left)?;
            let message = Message::read(&bytes).map_err(malformed)?;
            match message.tag {
                message::ENTRY => {
                    let entry = message.entry().map_err(malformed)?;
                    let weight = message::weight(&entry).max(bytes.len());
                    left = left.checked_sub(weight).ok_or(LdapError::TooMuch)?;
                    answer.entries.push(entry);
                }
                message::DONE => {
                    let garbled = |_| LdapError::Search(LdapTrouble::Garbled);
                    answer.result = message.result().map_err(garbled)?;
                    return Ok(answer);
                }
                message::REFERENCE => {
                    answer.referenced = true;
                    return Ok(answer);
                }
                tag => return Err(LdapError::Search(LdapTrouble::Unexpected(tag))),
            }
        }
    }

    /// Sends a request, and gives it the next number.
    fn send(&mut self, operation: &Operation, patience: &Patience) -> Result<(), LdapTrouble> {
        // Numbers may be used again, once no answer is awaited.
        self.number = self.number.checked_add(1).unwrap_or(1);
        let message = operation.message(self.number);
        self.set_deadline(patience);
        let sent = match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(&message).and_then(|()| stream.flush()),
            Wire::Tls(stream) => stream.write_all(&message).and_then(|()| stream.flush()),
            Wire::Gone => Err(io::ErrorKind::NotConnected.into()),
        };
        sent.map_err(|error| trouble(&error))
    }

    /// The end of an operation that is not a search.
    fn result(
        &mut self,
        tag: u8,
        patience: &Patience,
        limit: usize,
    ) -> Result<LdapResult, LdapTrouble> {
        let broken = |_| LdapTrouble::Broken("no LDAP".into());
        let bytes = match self.receive(patience, limit) {
            Ok(bytes) => bytes,
            Err(LdapError::Search(trouble)) => return Err(trouble),
            Err(_) => return Err(LdapTrouble::Broken("the answer is too long".into())),
        };
        let message = Message::read(&bytes).map_err(broken)?;
        if message.tag != tag {
            return Err(LdapTrouble::Unexpected(message.tag));
        }
        message.result().map_err(broken)
    }

    /// The next message that answers the last request. Others are passed over:
    /// answers to requests that were given up, and notices (RFC 4511, section
    /// 4.4), after which the server hangs up.
    fn receive(&mut self, patience: &Patience, limit: usize) -> Result<Vec<u8>, LdapError> {
        let mut passed = 0usize;
        loop {
            self.set_deadline(patience);
            let length = loop {
                // What does not begin as a message does is not waited for.
                if self.buffer.first().is_some_and(|tag| *tag != message::MESSAGE) {
                    return Err(malformed(ber::Malformed));
                }
                match ber::whole(&self.buffer).map_err(malformed)? {
                    Some(length) if length > limit.saturating_sub(passed) => {
                        return Err(LdapError::TooMuch);
                    }
                    Some(length) if length <= self.buffer.len() => break length,
                    _ => self.fill().map_err(|error| LdapError::Search(trouble(&error)))?,
                }
            };
            let rest = self.buffer.split_off(length);
            let bytes = std::mem::replace(&mut self.buffer, rest);
            let number = Message::read(&bytes).map_err(malformed)?.number;
            if number == self.number {
                return Ok(bytes);
            }
            passed = passed.saturating_add(length);
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut piece = [0; PIECE];
        let count = match &mut self.wire {
            Wire::Plain(stream) => stream.read(&mut piece)?,
            Wire::Tls(stream) => stream.read(&mut piece)?,
            Wire::Gone => 0,
        };
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.answered = true;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(())
    }

    fn set_deadline(&mut self, patience: &Patience) {
        let within = patience.next();
        match &mut self.wire {
            Wire::Plain(stream) => stream.set_deadline(within),
            Wire::Tls(stream) => stream.get_mut().set_deadline(within),
            Wire::Gone => {}
        }
    }
}

/// A stream to the server, and its host's name; for an error, the system's words.
fn connect(server: &LdapServer, patience: &Patience) -> Result<(Box<dyn Stream>, String), String> {
    let (host, port) = match &server.address {
        ServerAddress::Unix(path) => {
            let target = Target::Unix(path.clone());
            let stream = net::SystemNet.connect(&target, patience.next());
            return stream.map(|stream| (stream, String::new())).map_err(|error| error.to_string());
        }
        ServerAddress::Tcp { host, port } => (host, port),
    };
    let usual = if server.protection == LdapProtection::Tls { TLS_PORT } else { PORT };
    let addresses = net::SystemNet.resolve(host).map_err(|error| error.to_string())?;
    let mut why = format!("{host} has no address");
    for address in addresses {
        let target = Target::Tcp((address, port.unwrap_or(usual)).into());
        match net::SystemNet.connect(&target, patience.next()) {
            Ok(stream) => return Ok((stream, host.clone())),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// What the `ldap_*` options say of TLS.
fn settings(said: &LdapTls) -> tls::TlsSettings {
    let path = |bytes: &Vec<u8>| PathBuf::from(OsStr::from_bytes(bytes));
    tls::TlsSettings {
        authorities: said.ca_file.as_ref().map(path),
        directory: said.ca_dir.as_ref().map(path),
        certificate: said.certificate.as_ref().map(path),
        key: said.key.as_ref().map(path),
        ciphers: said.ciphers.as_ref().map(|text| String::from_utf8_lossy(text).into_owned()),
        verified: !said.lenient,
        named: !said.lenient,
    }
}

fn trouble(error: &io::Error) -> LdapTrouble {
    match error.kind() {
        io::ErrorKind::TimedOut => LdapTrouble::Late,
        _ => LdapTrouble::Broken(error.to_string()),
    }
}

fn malformed(_: ber::Malformed) -> LdapError {
    LdapError::Search(LdapTrouble::Broken("no LDAP".into()))
}

#[cfg(all(test, not(feature = "tls")))]
mod tests {
    use super::*;

    #[test]
    fn without_tls_none_is_begun() {
        for protection in [LdapProtection::Tls, LdapProtection::StartTls] {
            let address = ServerAddress::Tcp { host: "127.0.0.1".into(), port: Some(1) };
            let server = LdapServer { address, protection, tls: LdapTls::default(), version: 3 };
            let patience = Patience { each: None, end: Instant::now() + Duration::from_secs(1) };
            let refused = Connection::open(&server, &patience).err();
            assert_eq!(refused, Some(LdapError::NoTls(tls::ABSENT.into())));
        }
    }
}
