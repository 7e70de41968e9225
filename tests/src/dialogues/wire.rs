//! The same dialogues with a daemon, over TCP: what clients of `-bh` and of `-bs` on
//! a connection are told is what a daemon tells them, wherever it is not said in
//! `tests/dialogues/not-over-tcp.txt` why it can't be.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use regex::{Captures, Regex};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};

use super::talk::Hidden;
use super::{Case, Session, is_sent, note_lines};
use crate::cases::{Place, changes};
use crate::escapes::unescaped;

/// How long a reply may take, and a daemon to begin.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where daemons listen for IPv6: one port for each.
pub const LONG: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x99);

/// Sessions that can't be played so, by why.
#[derive(Debug)]
pub struct Unfit(Vec<String>);

impl Unfit {
    /// Reads the list: `CASE/SESSION`, or `CASE/*` for all of a file, under a reason.
    pub fn read() -> Self {
        let path = crate::root().join("tests/dialogues/not-over-tcp.txt");
        let text = std::fs::read_to_string(path).expect("the list of what is not played");
        let mut reasoned = false;
        let mut names = Vec::new();
        for line in text.lines() {
            match line.as_bytes().first() {
                None => reasoned = false,
                Some(b'#') => reasoned = true,
                Some(_) => {
                    assert!(reasoned, "a session without a reason: {line}");
                    names.push(line.to_owned());
                }
            }
        }
        Self(names)
    }

    /// Whether it has a session.
    pub fn holds(&self, case: &Case, session: &Session) -> bool {
        self.0.iter().any(|name| {
            let (file, own) = name.split_once('/').expect("CASE/SESSION");
            file == case.name && (own == "*" || own == session.name)
        })
    }

    /// Those that are in none of the cases.
    pub fn strays(&self, cases: &[Case]) -> Vec<String> {
        let known = |name: &&String| {
            let (file, own) = name.split_once('/').expect("CASE/SESSION");
            let case = cases.iter().find(|case| case.name == file);
            case.is_some_and(|case| own == "*" || case.sessions.iter().any(|one| one.name == own))
        };
        self.0.iter().filter(|name| !known(name)).cloned().collect()
    }
}

/// A daemon; it ends when this goes.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    number: u8,
}

impl Daemon {
    /// Starts one with a configuration. Its number says where it listens.
    pub fn start(program: &Path, config: &Path, number: u8) -> Option<Self> {
        let (short, long) = Self::addresses(number);
        let places = format!("<; [{}]:{} ; [{}]:{}", short.ip(), short.port(), LONG, long.port());
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
        command.arg("-C").arg(config).args(["-bdf", "-oX", &places]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir(config.parent().expect("a directory"));
        let mut daemon = Self { child: command.spawn().expect("the program starts"), number };
        let until = Instant::now() + PATIENCE;
        while !listens(short) {
            let over = daemon.child.try_wait().expect("a child").is_some();
            if over || Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(daemon)
    }

    fn addresses(number: u8) -> (SocketAddr, SocketAddr) {
        let short = SocketAddr::from((Ipv4Addr::new(198, 51, 100, number), 25));
        (short, SocketAddr::from((LONG, 2500 + u16::from(number))))
    }

    /// A connection from somewhere.
    fn connection(&self, from: SocketAddr) -> std::io::Result<TcpStream> {
        let (short, long) = Self::addresses(self.number);
        let (family, to) = match from {
            SocketAddr::V4(_) => (AddressFamily::INET, short),
            SocketAddr::V6(_) => (AddressFamily::INET6, long),
        };
        let plug = socket(family, SocketType::STREAM, None)?;
        sockopt::set_socket_reuseaddr(&plug, true)?;
        bind(&plug, &from)?;
        connect(&plug, &to)?;
        let stream = TcpStream::from(plug);
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether somebody listens there: a connection would be counted.
fn listens(at: SocketAddr) -> bool {
    let IpAddr::V4(address) = at.ip() else { return false };
    let wanted = format!("{:08X}:{:04X}", u32::from_le_bytes(address.octets()), at.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        words.get(1) == Some(&wanted.as_str()) && words.get(3) == Some(&"0A")
    })
}

impl Case {
    /// Plays over TCP what can be played so, with a daemon for each configuration:
    /// each session that was, and what differs in it.
    pub fn play_over_tcp(
        &self,
        program: &Path,
        place: &Place,
        unfit: &Unfit,
        numbers: &mut dyn FnMut() -> u8,
    ) -> Vec<(&Session, Vec<String>)> {
        let mut daemons: BTreeMap<String, Option<Daemon>> = BTreeMap::new();
        let mut played = Vec::new();
        for session in self.sessions.iter().filter(|session| !unfit.holds(self, session)) {
            let Some((config, from)) = session.on_the_wire() else { continue };
            let config = place.fill(&config);
            let daemon = daemons
                .entry(config.clone())
                .or_insert_with(|| Daemon::start(program, Path::new(&config), numbers()));
            played.push(match daemon {
                Some(daemon) => (session, session.play_over_tcp(daemon, from, place)),
                None => (session, vec!["the daemon does not start".to_owned()]),
            });
        }
        played
    }
}

impl Session {
    /// The configuration, and whence its client comes; `None` for one that is about
    /// something else than a client who connects.
    fn on_the_wire(&self) -> Option<(String, SocketAddr)> {
        let (mut config, mut from) = ("DIR/exim.conf".to_owned(), self.from);
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-C" => config = words.next()?.clone(),
                "-bh" if from.is_none() => from = Some(client(words.next()?)?),
                "-bs" if from.is_some() => {}
                _ => return None,
            }
        }
        Some((config, from?))
    }

    /// Plays it with a daemon: how what it says differs from what is recorded.
    fn play_over_tcp(&self, daemon: &Daemon, from: SocketAddr, place: &Place) -> Vec<String> {
        let mut stream = match daemon.connection(from) {
            Ok(stream) => stream,
            Err(why) => return vec![format!("no connection from {from}: {why}")],
        };
        let mut hidden = Hidden::new(place, self.sizes);
        let mut wanted: Vec<String> = Vec::new();
        let mut heard: Vec<String> = Vec::new();
        let (mut waiting, mut open) = (Vec::new(), true);
        let mut steps = self.record.as_slice();
        loop {
            // What is to be heard before the next step.
            let end = steps.iter().position(|line| sent(line).is_some()).unwrap_or(steps.len());
            let (replies, rest) = steps.split_at(end);
            let replies: Vec<&String> =
                replies.iter().filter(|line| line.starts_with("< ") || *line == "<").collect();
            wanted.extend(replies.iter().map(|line| (*line).clone()));
            let last = rest.iter().all(|line| sent(line).is_none());
            let mut bytes = Vec::new();
            if waiting.is_empty() && open {
                if last {
                    let _ = stream.shutdown(Shutdown::Write);
                }
                let most = if last { usize::MAX } else { replies.len() };
                open = hear(&mut stream, most, &mut bytes);
            }
            note_lines(&hidden.plain(&bytes), &mut heard);
            let Some((step, rest)) = rest.split_first() else { break };
            let (sign, text) = sent(step).expect("a step");
            wanted.push(step.clone());
            heard.push(step.clone());
            let filled = place.fill(text);
            match sign.ends_with('\\') {
                true => waiting.extend(unescaped(&filled)),
                false => waiting.extend([filled.as_bytes(), b"\r\n"].concat()),
            }
            if !sign.contains('&') {
                let _ = stream.write_all(&std::mem::take(&mut waiting));
            }
            steps = rest;
        }
        let (wanted, heard) = (renumbered(wanted), renumbered(heard));
        let found = changes(&wanted, &heard).into_iter();
        found.map(|(mark, line)| format!("{mark} {line}")).collect()
    }
}

/// A step's sign and text, where something is sent.
fn sent(line: &str) -> Option<(&str, &str)> {
    let (sign, text) = line.split_once(' ').unwrap_or((line, ""));
    is_sent(sign).then_some((sign, text))
}

/// `192.0.2.1`, `192.0.2.1.4000`, `2001:db8::1`.
fn client(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, 0));
    }
    let (address, port) = text.rsplit_once('.')?;
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

/// Hears so many lines, or what there is until the server has enough; false where it
/// is gone, or where nothing comes from it: then there is no use in waiting for more.
fn hear(stream: &mut TcpStream, lines: usize, into: &mut Vec<u8>) -> bool {
    let until = Instant::now() + PATIENCE;
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let mut piece = [0; 4096];
    while count(into) < lines {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        stream.set_read_timeout(Some(left)).expect("a socket");
        match stream.read(&mut piece) {
            Ok(0) => return false,
            Ok(count) => into.extend_from_slice(&piece[..count]),
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

/// Lines in which messages are numbered as they come up in replies: those of which
/// only a log speaks are not there.
fn renumbered(lines: Vec<String>) -> Vec<String> {
    let name = Regex::new(r"\bID\d+\b").expect("a regular expression");
    let mut names: Vec<String> = Vec::new();
    let mut number = |found: &Captures<'_>| {
        let at = names.iter().position(|name| *name == found[0]).unwrap_or_else(|| {
            names.push(found[0].to_owned());
            names.len() - 1
        });
        format!("ID{}", at + 1)
    };
    lines.iter().map(|line| name.replace_all(line, &mut number).into_owned()).collect()
}
