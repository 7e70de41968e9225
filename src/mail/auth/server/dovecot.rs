//! Dovecot decides (specification, chapter 37): its server's side of a mechanism
//! speaks with the client through here.
//!
//! What Dovecot and its clients say to each other are lines, whose words have tabs
//! between them. Both sides say who they are, then the client begins a request
//! (`AUTH`), goes on with it (`CONT`), and is told how it ends (`OK`, `FAIL`).

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use eximious_core::Str;
use eximious_core::world::{Stream, Target};
use eximious_stdlib::number::{Leading, leading_integer};
use eximious_stdlib::options::opt::authenticator::dovecot as opt;
use eximious_stdlib::variables::var;

use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a line may be.
const LONGEST: usize = 8191;

/// How many lines Dovecot may say of itself.
const MOST_LINES: usize = 1000;

/// The number of the one request that there is on a connection.
const REQUEST: i64 = 1;

/// The server's side of the driver `dovecot`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(Dovecot::default())
}

#[derive(Default)]
pub(super) struct Dovecot {
    socket: Option<Socket>,
}

/// A connection, with what came in and was not looked at.
struct Socket {
    stream: Box<dyn Stream>,
    pending: Vec<u8>,
}

impl AuthDriver for Dovecot {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let mut socket = Socket::open(turn)?;
        let own = socket.introduce(turn)?;
        // Something else than base 64 might add words.
        if !initial.iter().all(u8::is_ascii_graphic) && initial.contains(&b'\t') {
            return Err(AuthVerdict::Refuse);
        }
        // At once: who hears the one and answers is not to be gone before the other.
        socket.say(&[own, request(turn, initial)].concat())?;
        self.hear(turn, socket)
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let Some(mut socket) = self.socket.take() else { return Err(AuthVerdict::Refuse) };
        match line {
            b"*" => return Err(AuthVerdict::Cancelled),
            _ if line.contains(&b'\t') => return Err(AuthVerdict::Refuse),
            _ => socket.say(&[format!("CONT\t{REQUEST}\t").as_bytes(), line, b"\n"].concat())?,
        }
        self.hear(turn, socket)
    }
}

impl Dovecot {
    /// Hears what Dovecot says of the request.
    fn hear(
        &mut self,
        turn: &mut AuthTurn<'_>,
        mut socket: Socket,
    ) -> Result<AuthStep, AuthVerdict> {
        let line = socket.line()?;
        let mut words = line.split(|byte| *byte == b'\t');
        let kind = words.next().unwrap_or_default().to_ascii_uppercase();
        let (kind, number) = (&kind[..], words.next());
        if !matches!(kind, b"OK" | b"FAIL" | b"CONT") {
            return Err(protocol_error());
        }
        if !number.is_some_and(|number| begins_with(number, REQUEST)) {
            return Err(AuthVerdict::defer("authentication socket connection id mismatch"));
        }
        if kind == b"CONT" {
            let asked = words.next().unwrap_or_default();
            if words.next().is_some() {
                return Err(protocol_error());
            }
            let asked = eximious_stdlib::base64::decode(asked).ok_or_else(protocol_error)?;
            self.socket = Some(socket);
            return Ok(AuthStep::Ask(asked));
        }
        let user = words.find_map(|word| word.strip_prefix(b"user="));
        if let Some(user) = user {
            turn.give(user);
        }
        match (kind, user) {
            (b"FAIL", _) => Err(AuthVerdict::Refuse),
            (_, None) => {
                Err(AuthVerdict::defer("authentication socket protocol error, username missing"))
            }
            (_, Some(_)) => Ok(AuthStep::Done(turn.condition())),
        }
    }
}

/// The line that begins a request.
fn request(turn: &mut AuthTurn<'_>, initial: &[u8]) -> Vec<u8> {
    let mut value = |variable| turn.cx.value_of(variable);
    let (client, local) = (value(var::SENDER_HOST_ADDRESS), value(var::RECEIVED_IP_ADDRESS));
    let encrypted = !value(var::TLS_IN_CIPHER).is_empty();
    let verified = value(var::TLS_IN_CERTIFICATE_VERIFIED).bytes() == b"1";
    let mechanism = turn.authenticator.mechanism();
    let head = format!("AUTH\t{REQUEST}\t");
    let mut line = [head.as_bytes(), mechanism, b"\tservice=smtp"].concat();
    if encrypted || (!client.is_empty() && client.bytes() == local.bytes()) {
        line.extend_from_slice(b"\tsecured");
    }
    if encrypted && verified {
        line.extend_from_slice(b"\tvalid-client-cert");
    }
    let mut add = |head: &[u8], value: &Str| {
        line.extend_from_slice(&[head, value.bytes()].concat());
    };
    add(b"\trip=", &client);
    add(b"\tlip=", &local);
    line.extend_from_slice(&[b"\tnologin\tresp=", initial, b"\n"].concat());
    line
}

impl Socket {
    fn open(turn: &AuthTurn<'_>) -> Result<Self, AuthVerdict> {
        let written = turn.authenticator.text(opt::SERVER_SOCKET).unwrap_or_default();
        let net = turn.cx.engine().world().net.clone();
        let shown = written.display().into_owned();
        let target = if written.bytes().starts_with(b"/") {
            Target::Unix(written.bytes().to_vec())
        } else {
            Target::Tcp(address(&shown, &*net)?)
        };
        let mut stream = net.connect(&target, PATIENCE).map_err(|error| {
            let why = eximious_stdlib::wording::reason(&error);
            AuthVerdict::defer(match target {
                Target::Unix(_) => format!("unable to connect to UNIX socket ({shown}): {why}"),
                Target::Tcp(_) => {
                    let host = shown.split_whitespace().next().unwrap_or_default();
                    format!("failed to connect to any address for {host}: {why}")
                }
            })
        })?;
        // A path leads nowhere but to this host.
        if turn.authenticator.flag(opt::SERVER_TLS) && matches!(target, Target::Tcp(_)) {
            stream.set_deadline(PATIENCE);
            stream = net
                .secure(stream, "")
                .map_err(|why| AuthVerdict::defer(format!("TLS connect failed: {why}")))?;
        }
        Ok(Self { stream, pending: Vec::new() })
    }

    /// Hears who is there; what is to be said of who this is. A version that is not told may be
    /// any.
    fn introduce(&mut self, turn: &AuthTurn<'_>) -> Result<Vec<u8>, AuthVerdict> {
        let wanted = turn.authenticator.mechanism();
        let (mut known, mut any) = (false, false);
        for _ in 0..MOST_LINES {
            let line = self.line()?;
            let words: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
            match (&words[0].to_ascii_uppercase()[..], &words[1..]) {
                (b"VERSION", [major, _]) if begins_with(major, 1) => {
                    self.say(b"VERSION\t1\t0\n")?;
                }
                (b"VERSION", [_, _]) => return Err(wrong_version()),
                (b"MECH", [word, ..]) => {
                    any = true;
                    known |= word.eq_ignore_ascii_case(wanted);
                }
                (b"SPID", _) if !any => return Err(other_socket()),
                (b"VERSION" | b"MECH", _) | (b"DONE", [_, ..]) => return Err(protocol_error()),
                (b"DONE", _) if !known => {
                    let head = b"Dovecot did not advertise mechanism \"".as_slice();
                    return Err(AuthVerdict::defer([head, wanted, b"\" to us"].concat()));
                }
                (b"DONE", _) => {
                    let pid = turn.cx.engine().world().host.pid();
                    return Ok(format!("CPID\t{pid}\n").into_bytes());
                }
                _ => {}
            }
        }
        Err(protocol_error())
    }

    fn say(&mut self, text: &[u8]) -> Result<(), AuthVerdict> {
        self.stream.set_deadline(PATIENCE);
        self.stream
            .write_all(text)
            .map_err(|_| AuthVerdict::defer("authentication socket write error"))
    }

    fn line(&mut self) -> Result<Vec<u8>, AuthVerdict> {
        self.stream.set_deadline(PATIENCE);
        let mut piece = [0; 1024];
        let mut seen = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.pending[seen..]) {
                let rest = self.pending.split_off(seen + end + 1);
                let mut line = std::mem::replace(&mut self.pending, rest);
                line.pop();
                return Ok(line);
            }
            seen = self.pending.len();
            if seen > LONGEST {
                return Err(AuthVerdict::defer("authentication socket protocol line too long"));
            }
            match self.stream.read(&mut piece) {
                Ok(0) | Err(_) => {
                    let why = "authentication socket read error or premature eof";
                    return Err(AuthVerdict::defer(why));
                }
                Ok(count) => self.pending.extend_from_slice(&piece[..count]),
            }
        }
    }
}

/// Where Dovecot is reached by host and port.
fn address(written: &str, net: &dyn eximious_core::world::Net) -> Result<SocketAddr, AuthVerdict> {
    let invalid = || AuthVerdict::defer(format!("invalid socket '{written}'"));
    let (host, port) = written.split_once(char::is_whitespace).ok_or_else(invalid)?;
    // What stands behind the number counts for nothing.
    let port = port.trim_start();
    let end = port.find(|one: char| !one.is_ascii_digit()).unwrap_or(port.len());
    let port = port[..end].parse().map_err(|_| invalid())?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let found = match bare.parse() {
        Ok(address) => Some(address),
        Err(_) => net.resolve(bare).ok().and_then(|all| all.into_iter().next()),
    };
    let unknown = || AuthVerdict::defer(format!("no IP address found for host {host}"));
    Ok(SocketAddr::new(found.ok_or_else(unknown)?, port))
}

fn protocol_error() -> AuthVerdict {
    AuthVerdict::defer("authentication socket protocol error")
}

/// Whether a word begins with that number.
fn begins_with(word: &[u8], wanted: i64) -> bool {
    matches!(leading_integer(word), Leading::Number(number, _) if number == wanted)
}

/// It is the socket that Dovecot's own servers ask.
fn other_socket() -> AuthVerdict {
    AuthVerdict::defer(
        "authentication socket type mismatch (connected to auth-master instead of auth-client)",
    )
}

fn wrong_version() -> AuthVerdict {
    AuthVerdict::defer("authentication socket protocol version mismatch")
}
