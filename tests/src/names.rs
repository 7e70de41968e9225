//! A name server that a test plays itself: it hands questions on to a real one,
//! but for names under `odd`, whose answers are what no real one would say.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::keys;
use crate::servers::{Home, Server, free_port};

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const TLSA: u16 = 52;

/// Flags of an answer: it is one, recursion was and can be had.
const ANSWER: u16 = 0x8180;
/// The server has authority.
const AA: u16 = 0x0400;
/// The answer is cut.
const TC: u16 = 0x0200;
/// The server has checked signatures.
const AD: u16 = 0x0020;

/// Starts a real server (`nsd`) with the zones in a directory, each in a file
/// that has its name; `root` is the zone above all.
pub fn real(zones: &Path) -> Option<(Server, u16)> {
    let program = crate::servers::program("nsd")?;
    let home = Home::new("daemon");
    let port = free_port();
    let place = |name: &str| home.path().join(name).display().to_string();
    let mut config = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  username: \"\"\n  chroot: \"\"\n  \
         zonelistfile: \"{}\"\n  pidfile: \"{}\"\n  xfrdfile: \"\"\n  zonesdir: \"{}\"\n  \
         xfrdir: \"{}\"\n  database: \"\"\n  server-count: 1\n  round-robin: no\n\
         remote-control:\n  control-enable: no\n",
        place("list"),
        place("pid"),
        home.path().display(),
        home.path().display(),
    );
    for entry in std::fs::read_dir(zones).expect("the zones").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        home.write(&name, std::fs::read(entry.path()).expect("a zone"));
        let zone = if name == "root" { "." } else { &name };
        config += &format!("zone:\n  name: {zone}\n  zonefile: {name}\n");
    }
    let config = home.write("conf", config);
    let mut command = home.command(&program);
    command.arg("-d").arg("-c").arg(config);
    let ready = move || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    Some((Server::start(home, &mut command, ready), port))
}

/// Plays the server at an address, for as long as the program runs. `real` is
/// the port of the one that knows the rest.
pub fn play(at: SocketAddr, real: u16) -> SocketAddr {
    let (datagrams, connections) = both(at);
    let at = datagrams.local_addr().expect("an address");
    let datagrams = Arc::new(datagrams);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = datagrams.recv_from(&mut buffer) {
            let (asked, socket) = (buffer[..length].to_vec(), datagrams.clone());
            std::thread::spawn(move || {
                if let Some(answer) = answer(&asked, false, real) {
                    let _ = socket.send_to(&answer, peer);
                }
            });
        }
    });
    std::thread::spawn(move || {
        while let Ok((mut peer, _)) = connections.accept() {
            std::thread::spawn(move || {
                while let Some(asked) = framed(&mut peer) {
                    let Some(answer) = answer(&asked, true, real) else { return };
                    let length = (answer.len() as u16).to_be_bytes();
                    let _ = peer.write_all(&[&length[..], &answer].concat());
                }
            });
        }
    });
    at
}

/// Two sockets at one address. The system picks a port for one of them, which
/// somebody else may have for the other.
fn both(at: SocketAddr) -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let datagrams = UdpSocket::bind(at).expect("a socket");
        let own = datagrams.local_addr().expect("an address");
        if let Ok(connections) = TcpListener::bind(own) {
            return (datagrams, connections);
        }
    }
    panic!("no port is free at {at}");
}

fn framed(peer: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    peer.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    peer.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// What the real server says.
fn hand_on(asked: &[u8], connected: bool, real: u16) -> Option<Vec<u8>> {
    if connected {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, real)).ok()?;
        let length = (asked.len() as u16).to_be_bytes();
        server.write_all(&[&length[..], asked].concat()).ok()?;
        return framed(&mut server);
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    socket.send_to(asked, (Ipv4Addr::LOCALHOST, real)).ok()?;
    let mut buffer = [0; 65535];
    let length = socket.recv(&mut buffer).ok()?;
    Some(buffer[..length].to_vec())
}

/// A question.
struct Asked<'b> {
    bytes: &'b [u8],
    name: String,
    kind: u16,
    /// Where the question ends in the message.
    end: usize,
}

/// An answer in the making.
struct Said {
    flags: u16,
    code: u16,
    answers: Vec<Vec<u8>>,
    authorities: Vec<Vec<u8>>,
}

impl Default for Said {
    fn default() -> Self {
        Self { flags: ANSWER, code: 0, answers: Vec::new(), authorities: Vec::new() }
    }
}

impl Said {
    fn code(code: u16) -> Self {
        Self { code, ..Self::default() }
    }
    fn answers(answers: Vec<Vec<u8>>) -> Self {
        Self { answers, ..Self::default() }
    }
    fn flags(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }
    fn authority(mut self, record: Vec<u8>) -> Self {
        self.authorities.push(record);
        self
    }

    fn message(&self, asked: &Asked<'_>) -> Vec<u8> {
        let counts = [1, self.answers.len() as u16, self.authorities.len() as u16, 0];
        let mut out = asked.bytes[..2].to_vec();
        out.extend_from_slice(&(self.flags | self.code).to_be_bytes());
        out.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        out.extend_from_slice(&asked.bytes[12..asked.end]);
        out.extend(self.answers.iter().chain(&self.authorities).flatten());
        out
    }
}

fn read(bytes: &[u8]) -> Option<Asked<'_>> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(bytes.get(at..at + length)?).into_owned());
        at += length;
    }
    let kind = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
    Some(Asked { bytes, name: labels.join("."), kind, end: at + 4 })
}

fn name(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

fn record(owner: &str, kind: u16, data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    let mut out = name(owner);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
    out
}

fn shorts(numbers: &[u16], host: &str) -> Vec<u8> {
    let mut out: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    out.extend(name(host));
    out
}

fn head(owner: &str) -> Vec<u8> {
    record(owner, SOA, [name("ns.odd"), name("h.odd"), vec![0; 20]].concat())
}

/// The answer to a question; none where there is silence.
fn answer(bytes: &[u8], connected: bool, real: u16) -> Option<Vec<u8>> {
    let asked = read(bytes)?;
    let lower = asked.name.to_ascii_lowercase();
    if let Some(said) = reverse(&asked, &lower) {
        return Some(said.message(&asked));
    }
    let Some(under) = lower.strip_suffix(".odd") else { return hand_on(bytes, connected, real) };
    let word = under.rsplit('.').next().unwrap_or_default();
    match word {
        "timeout" => None,
        "garbage" => Some(b"\x01\x02\x03garbage".to_vec()),
        "wrongid" => {
            let mut message = address(&asked, [192, 0, 2, 1]).message(&asked);
            message[0] ^= 0xff;
            Some(message)
        }
        "wrongquestion" => {
            let mut message = address(&asked, [192, 0, 2, 1]).message(&asked);
            message[13] ^= 1;
            Some(message)
        }
        "badlength" => {
            let mut message = address(&asked, [192, 0, 2, 1]).message(&asked);
            message.truncate(message.len() - 2);
            Some(message)
        }
        "badcount" => {
            let mut message = address(&asked, [192, 0, 2, 1]).message(&asked);
            message[7] = 9;
            Some(message)
        }
        _ => Some(odd(&asked, word, under, connected).message(&asked)),
    }
}

/// Names for addresses that a server of zones would not have as they are.
fn reverse(asked: &Asked<'_>, lower: &str) -> Option<Said> {
    let said = match (lower, asked.kind) {
        ("137.2.0.192.in-addr.arpa", _) => {
            Said::answers(vec![record(&asked.name, PTR, name("MiXeD.Reverse.Odd"))])
        }
        ("149.2.0.192.in-addr.arpa", _) => Said::code(2),
        ("138.2.0.192.in-addr.arpa", _) => {
            Said::answers(vec![record(&asked.name, PTR, name("x.secure.odd"))]).flags(AD)
        }
        ("mixed.reverse.odd", A) => address(asked, [192, 0, 2, 137]),
        ("x.secure.odd", A) => address(asked, [192, 0, 2, 138]).flags(AD),
        ("mixed.reverse.odd" | "x.secure.odd", _) => Said::default(),
        _ => return None,
    };
    Some(said)
}

fn address(asked: &Asked<'_>, octets: [u8; 4]) -> Said {
    Said::answers(vec![record(&asked.name, A, octets)])
}

/// What is said of a name under `odd`, by the label before that.
fn odd(asked: &Asked<'_>, word: &str, under: &str, connected: bool) -> Said {
    let own = &asked.name[..];
    let one = |kind: u16, data: &[u8]| Said::answers(vec![record(own, kind, data)]);
    let alias = |to: &str| Said::answers(vec![record(own, CNAME, name(to))]);
    let hosted = "MiXeD.Case.Odd";
    let depth = under.split('.').count() - 1;
    match (word, asked.kind) {
        ("servfail", _) => Said::code(2),
        ("refused", _) => Said::code(5),
        ("notimp", _) => Said::code(4),
        ("formerr", _) => Said::code(1),
        ("nodata", _) => Said::default(),
        ("cut", _) if connected => address(asked, [192, 0, 2, 1]),
        ("cut" | "huge", _) if !connected => Said::default().flags(TC),
        ("cutagain", _) => address(asked, [192, 0, 2, 1]).flags(TC),
        ("huge", _) => Said::answers(
            (0..1500u16).map(|n| record(own, A, [10, 0, (n >> 8) as u8, n as u8])).collect(),
        ),
        ("loop", _) => alias("loop2.odd"),
        ("loop2", _) => alias("loop.odd"),
        ("self", _) => alias("self.odd"),
        ("chain1", _) => alias("chain2.odd"),
        ("chain2", _) => alias("chain3.odd"),
        ("chain3", _) => alias("chain4.odd"),
        ("chain4", A) => address(asked, [192, 0, 2, 44]),
        ("ad", A) => address(asked, [192, 0, 2, 77]).flags(AD),
        ("ad", TXT) => one(TXT, b"\x02ad").flags(AD),
        ("ad", _) => Said::default().flags(AD),
        ("adnone", _) => Said::code(3).flags(AD),
        ("aa", _) => {
            let authority = record("aa.odd", NS, name("ns.aa.odd"));
            address(asked, [192, 0, 2, 78]).flags(AA).authority(authority)
        }
        ("aasoa", _) => Said::default().flags(AA).authority(head("aasoa.odd")),
        ("badtxt", _) => one(TXT, b"\x0aabc"),
        ("badtxts", _) => {
            Said::answers(vec![record(own, TXT, b"\x0aabc"), record(own, TXT, b"\x02ok")])
        }
        ("zerotxt", _) => one(TXT, b""),
        ("badmx", _) => one(MX, b"\0"),
        ("bada", _) => one(A, b"\x01\x02\x03"),
        ("badptr", _) => one(PTR, b"\xc0\xff"),
        ("badsoa", SOA) => one(SOA, &[name("a.b"), name("c.d"), vec![0; 2]].concat()),
        ("badsrv", _) => one(SRV, b"\0\x01\0\x02"),
        ("badtlsa", _) => one(TLSA, b"\x03\x01"),
        ("othername", A) => Said::answers(vec![record("elsewhere.example", A, [192, 0, 2, 1])]),
        ("case", MX) => one(MX, &shorts(&[5], hosted)),
        ("case", SRV) => one(SRV, &shorts(&[1, 2, 3], hosted)),
        ("case", PTR | CNAME | NS) => one(asked.kind, &name(hosted)),
        ("bytes", PTR) => Said::answers(vec![
            record(own, PTR, b"\x05a b.c\x03\xff\0(\0"),
            record(own, PTR, b"\x06$@;\\\"x\0"),
        ]),
        ("noaaaa", AAAA) => Said::code(2),
        ("noaaaa", A) => address(asked, [192, 0, 2, 99]),
        // Keys of DKIM.
        ("keys", TXT) => {
            let texts = keys::records(under).into_iter().map(|strings| {
                let string = |text: String| [&[text.len() as u8], text.as_bytes()].concat();
                record(own, TXT, strings.into_iter().flat_map(string).collect::<Vec<u8>>())
            });
            let said = Said::answers(texts.collect());
            match (said.answers.is_empty(), said.answers.concat().len() > 450) {
                (true, _) => Said::code(3),
                (_, true) if !connected => Said::default().flags(TC),
                _ => said,
            }
        }
        // Authorizations of clients: the name is there at each depth.
        ("above", SRV) if depth == 2 => one(SRV, &shorts(&[1, 2, 0], "two.odd")),
        ("above", SRV) if depth == 3 => one(SRV, &shorts(&[2, 2, 1], "three.odd")),
        ("above", SRV) if depth == 4 => one(SRV, &shorts(&[1, 0, 1], "four.odd")),
        ("above" | "case" | "bytes" | "noaaaa" | "othername" | "badsoa" | "chain4", _) => {
            Said::default()
        }
        _ => Said::code(3),
    }
}
