//! The way to a scanner: a connection with a time for all of it, whose answers are
//! bounded.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use eximious_core::world::{Clock, Stream, Target};
use eximious_core::{Body, BodySource, Effects, Meta, Str, TaintRule};
use eximious_stdlib::hosts;
use eximious_stdlib::lists::{Known, ip};
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::super::machine::Run;

/// How much of an answer counts.
pub(in crate::mail::acl) const MOST: usize = 32 << 10;
/// How much of a message is sent at once.
const PIECE: usize = 32 << 10;
/// How long more of an answer may take that has no end.
const QUIET: Duration = Duration::from_secs(1);

static META: Meta =
    Meta::new("scanner", Effects::NET.union(Effects::DNS).union(Effects::LOG), TaintRule::Tainted);

/// An open connection.
pub(in crate::mail::acl) struct Link {
    stream: Box<dyn Stream>,
    /// What has come, and was not asked for yet.
    held: Vec<u8>,
}

/// What came of an answer without an end of its own.
#[derive(Debug)]
pub(in crate::mail::acl) struct Answer {
    /// As much of it as there is.
    pub(in crate::mail::acl) bytes: Vec<u8>,
    /// Why that is not all.
    pub(in crate::mail::acl) cut: Option<io::Error>,
}

impl Answer {
    /// All of it, or no more of it than counts.
    ///
    /// # Errors
    /// The connection failed in the middle.
    pub(in crate::mail::acl) fn into_what_counts(self) -> io::Result<Vec<u8>> {
        match self.cut {
            Some(why) if !is_too_much(&why) => Err(why),
            _ => Ok(self.bytes),
        }
    }
}

/// What came of opening one.
pub(in crate::mail::acl) struct Reached {
    /// Whom it was tried to reach: a path, or an address and a port.
    pub(in crate::mail::acl) address: Vec<u8>,
    /// The connection, or words about it.
    pub(in crate::mail::acl) link: Result<Link, Vec<u8>>,
}

/// Opens a connection to a socket by its path, or to a host by its name or address and a
/// port or two with a hyphen between them. `$callout_address` says to whom.
fn connect(run: &mut Run<'_>, place: &[u8], time: Duration) -> Reached {
    if place.first() == Some(&b'/') {
        return connect_to_path(run, place, time);
    }
    let failed = |why: Vec<u8>| Reached { address: Vec::new(), link: Err(why) };
    let mut words = place.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (host, ports) = (words.next(), words.next().and_then(ports));
    let (Some(host), Some((first, last))) = (host, ports) else {
        return failed([b"invalid socket '", place, b"'"].concat());
    };
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    let addresses = match ip::address(host) {
        Some(address) => vec![address],
        None => match run.cx.call(&META, |call| hosts::addresses(call, host)) {
            Ok(Known::Found(addresses)) => addresses,
            Ok(_) => return failed([b"no IP address found for host ", host].concat()),
            Err(fail) => return failed(fail.message().to_vec()),
        },
    };
    let mut reached = Vec::new();
    // As where there is no such file.
    let mut why = wording::reason(&io::Error::from_raw_os_error(2));
    for port in first..=last {
        for address in &addresses {
            reached = format!("[{address}]:{port}").into_bytes();
            run.cx.set_var(var::CALLOUT_ADDRESS, Str::from(&reached[..]));
            match open(run, &Target::Tcp(SocketAddr::new(*address, port)), time) {
                Ok(link) => return Reached { address: reached, link: Ok(link) },
                Err(words) => why = words,
            }
        }
    }
    let words = [b"failed to connect to any address for ", host, b": ", why.as_bytes()].concat();
    Reached { address: reached, link: Err(words) }
}

/// Opens a connection; where that fails, it is tried once more after a while, if that is
/// wanted (`retry=`), which is no longer than the server may take.
pub(in crate::mail::acl) fn connect_with_retry(
    run: &mut Run<'_>,
    place: &[u8],
    time: Duration,
    retry: Option<Duration>,
) -> Reached {
    let reached = connect(run, place, time);
    let Some(retry) = retry.filter(|_| reached.link.is_err()) else { return reached };
    run.flush();
    run.cx.engine().world().clock.wait(retry.min(time));
    connect(run, place, time)
}

/// Opens a connection to a socket by its path.
pub(in crate::mail::acl) fn connect_to_path(
    run: &mut Run<'_>,
    path: &[u8],
    time: Duration,
) -> Reached {
    run.cx.set_var(var::CALLOUT_ADDRESS, Str::from(path));
    let link = open(run, &Target::Unix(path.to_vec()), time).map_err(|why| {
        [b"unable to connect to UNIX socket (", path, b"): ", why.as_bytes()].concat()
    });
    Reached { address: path.to_vec(), link }
}

/// Opens a connection.
pub(in crate::mail::acl) fn open(
    run: &mut Run<'_>,
    target: &Target,
    time: Duration,
) -> Result<Link, String> {
    let opened = run.cx.call(&META, |call| call.net().map(|net| net.connect(target, time)));
    match opened {
        Ok(Ok(mut stream)) => {
            stream.set_deadline(time);
            Ok(Link { stream, held: Vec::new() })
        }
        Ok(Err(why)) => Err(reason(&why)),
        Err(fail) => Err(String::from_utf8_lossy(fail.message()).into_owned()),
    }
}

/// One port or two, whatever stands behind them.
fn ports(text: &[u8]) -> Option<(u16, u16)> {
    let text = std::str::from_utf8(text).ok()?;
    let number = |text: &str| {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        Some((text[..end].parse().ok()?, end))
    };
    let (first, end) = number(text)?;
    let last = text[end..].strip_prefix('-').and_then(number).map_or(first, |(last, _)| last);
    Some((first, last))
}

/// An answer that is longer than what counts.
const TOO_MUCH: io::ErrorKind = io::ErrorKind::FileTooLarge;

/// Whether an answer was too long.
pub(super) fn is_too_much(why: &io::Error) -> bool {
    why.kind() == TOO_MUCH
}

/// The system's words.
pub(in crate::mail::acl) fn reason(why: &io::Error) -> String {
    match why.kind() {
        _ if is_timeout(why) => "Connection timed out".to_owned(),
        TOO_MUCH => "buffer too small".to_owned(),
        _ => wording::reason(why),
    }
}

pub(super) fn is_timeout(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

impl Link {
    pub(in crate::mail::acl) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends a message, a piece at a time; each has its length before it where that is
    /// wanted.
    pub(in crate::mail::acl) fn send_message(
        &mut self,
        source: &dyn BodySource,
        counted: bool,
    ) -> io::Result<()> {
        let (mut piece, mut at) = (vec![0; PIECE], 0);
        loop {
            let count = source.read_at(at, &mut piece)?;
            if count == 0 {
                return Ok(());
            }
            at += count as u64;
            if counted {
                self.stream.write_all(&(count as u32).to_be_bytes())?;
            }
            self.stream.write_all(&piece[..count])?;
        }
    }

    /// Sends a message's body.
    pub(in crate::mail::acl) fn send_body(&mut self, body: &Body) -> io::Result<()> {
        body.in_pieces(|why| why, |piece| self.stream.write_all(piece))?;
        self.stream.flush()
    }

    pub(in crate::mail::acl) fn finish_writing(&mut self) -> io::Result<()> {
        self.stream.finish_writing()
    }

    /// What comes up to one of some bytes, which is a part of it; less where the
    /// connection ends.
    ///
    /// # Errors
    /// That is too much, or the connection fails.
    pub(in crate::mail::acl) fn until(&mut self, ends: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| ends.contains(byte)) {
                return Ok(self.held.drain(..=end).collect());
            }
            if self.held.len() >= MOST {
                return Err(TOO_MUCH.into());
            }
            if !self.more()? {
                return Ok(std::mem::take(&mut self.held));
            }
        }
    }

    /// What has come already, and was not asked for yet.
    pub(in crate::mail::acl) fn held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// A line without its end; nothing where the connection ends.
    pub(in crate::mail::acl) fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = self.until(b"\n")?;
        if line.is_empty() {
            return Ok(None);
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(line))
    }

    /// So many bytes.
    ///
    /// # Errors
    /// There are fewer, or that is too much.
    pub(in crate::mail::acl) fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if count > MOST {
            return Err(TOO_MUCH.into());
        }
        while self.held.len() < count {
            if !self.more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.held.drain(..count).collect())
    }

    /// All that comes until the connection ends.
    pub(in crate::mail::acl) fn all(&mut self) -> Answer {
        let mut read = self.more();
        while let Ok(true) = read {
            read = if self.held.len() < MOST { self.more() } else { Err(TOO_MUCH.into()) };
        }
        self.answered(read.err())
    }

    /// What comes until the connection ends, or nothing more does for a moment; in so much
    /// time that has to happen.
    pub(in crate::mail::acl) fn answer(&mut self, clock: &dyn Clock, time: Duration) -> Answer {
        let mut read = self.more();
        let began = clock.elapsed();
        while let Ok(true) = read {
            self.stream.set_deadline(QUIET);
            let took = clock.elapsed().saturating_sub(began);
            read = match self.held.len() < MOST {
                false => Err(TOO_MUCH.into()),
                true if took > time => Err(io::ErrorKind::TimedOut.into()),
                true => match self.more() {
                    Err(why) if is_timeout(&why) => Ok(false),
                    read => read,
                },
            };
        }
        self.answered(read.err())
    }

    fn answered(&mut self, cut: Option<io::Error>) -> Answer {
        Answer { bytes: std::mem::take(&mut self.held), cut }
    }

    /// Reads more; whether there was any.
    fn more(&mut self) -> io::Result<bool> {
        let mut piece = [0; 4096];
        let count = loop {
            match self.stream.read(&mut piece) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.held.extend_from_slice(&piece[..count]);
        Ok(count > 0)
    }
}
