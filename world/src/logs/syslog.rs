//! The system's log (specification 53.4), over its socket.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use eximious_core::world::{Civil, Clock};

use super::entry::Stamps;

/// Where it listens.
const SOCKET: &str = "/dev/log";

/// How long a line may be; longer ones are split.
const LONGEST: usize = 870;

/// How long to wait until it takes a line, while it is behind.
const PATIENCE: Duration = Duration::from_secs(1);

/// How important a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// `LOG_ALERT`
    Alert = 1,
    /// `LOG_CRIT`
    Critical = 2,
    /// `LOG_NOTICE`
    Notice = 5,
    /// `LOG_INFO`
    Info = 6,
}

/// Facilities, by their numbers.
const FACILITIES: [(&[u8], u32); 20] = [
    (b"kern", 0),
    (b"user", 1),
    (b"mail", 2),
    (b"daemon", 3),
    (b"auth", 4),
    (b"syslog", 5),
    (b"lpr", 6),
    (b"news", 7),
    (b"uucp", 8),
    (b"cron", 9),
    (b"authpriv", 10),
    (b"ftp", 11),
    (b"local0", 16),
    (b"local1", 17),
    (b"local2", 18),
    (b"local3", 19),
    (b"local4", 20),
    (b"local5", 21),
    (b"local6", 22),
    (b"local7", 23),
];

/// `LOG_MAIL`
const MAIL: u32 = 2;

/// What is said of each line, and the socket.
#[derive(Debug)]
pub struct Syslog {
    facility: u32,
    program: Vec<u8>,
    stamps: Stamps,
    /// Whether lines have a time of their own.
    shows_time: bool,
    path: String,
    socket: Option<UnixDatagram>,
    /// Whether it did not take the last line in time.
    is_late: bool,
}

impl Syslog {
    /// A facility by its name, the program's name, what stands before lines, and whether that
    /// begins with the time.
    pub fn new(facility: &[u8], program: Vec<u8>, stamps: Stamps, shows_time: bool) -> Self {
        let lower = facility.to_ascii_lowercase();
        let name = lower.strip_prefix(b"log_").unwrap_or(&lower);
        let is = |(known, _): &&(&[u8], u32)| *known == name;
        let facility = FACILITIES.iter().find(is).map_or(MAIL, |(_, number)| *number);
        let path = SOCKET.into();
        Self { facility, program, stamps, shows_time, path, socket: None, is_late: false }
    }

    /// A line as it stands in this log.
    pub fn stamped(&mut self, clock: &dyn Clock, line: &[u8]) -> Vec<u8> {
        match self.shows_time {
            true => self.stamps.stamped(clock, line),
            false => self.stamps.behind_time(line),
        }
    }

    /// Writes an entry, in as many pieces as it needs. Nobody waits for long for a system's
    /// log that does not listen, and nobody is told.
    pub fn write(&mut self, priority: Priority, entry: &[u8], clock: &dyn Clock) {
        let number = self.facility << 3 | priority as u32;
        let Civil { month, day, hour, minute, second, .. } = clock.civil(clock.now(), None);
        let month = MONTHS.get(usize::from(month).wrapping_sub(1)).unwrap_or(&"Jan");
        let mut head =
            format!("<{number}>{month} {day:2} {hour:02}:{minute:02}:{second:02} ").into_bytes();
        head.extend_from_slice(&self.program);
        head.extend_from_slice(format!("[{}]: ", std::process::id()).as_bytes());
        for piece in pieces(entry) {
            self.send(&[&head[..], &piece].concat());
        }
    }

    /// Sends a datagram. A server that was started anew has another socket.
    fn send(&mut self, datagram: &[u8]) {
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = connect(&self.path);
            }
            let Some(socket) = &self.socket else { return };
            match socket.send(datagram) {
                Err(why) if why.kind() == std::io::ErrorKind::WouldBlock => {
                    // From now on it is not waited for, until it takes one again.
                    self.is_late = socket.set_nonblocking(true).is_ok();
                    return;
                }
                Err(_) => self.socket = None,
                Ok(_) if self.is_late => {
                    self.is_late = socket.set_nonblocking(false).is_err();
                    return;
                }
                Ok(_) => return,
            }
        }
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn connect(path: &str) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    socket.set_write_timeout(Some(PATIENCE)).ok()?;
    Some(socket)
}

/// An entry in pieces: one for each line, and one for what is too long. Where there
/// are several, they are counted; a backslash says that a line ended.
fn pieces(entry: &[u8]) -> Vec<Vec<u8>> {
    let entry = entry.strip_suffix(b"\n").unwrap_or(entry);
    let mut pieces: Vec<(&[u8], bool)> = Vec::new();
    for line in entry.split(|byte| *byte == b'\n') {
        let mut rest = line;
        while rest.len() > LONGEST {
            let (piece, after) = rest.split_at(LONGEST);
            pieces.push((piece, false));
            rest = after;
        }
        pieces.push((rest, true));
    }
    let count = pieces.len();
    if count == 1 {
        return vec![entry.to_vec()];
    }
    let numbered = pieces.into_iter().enumerate().map(|(index, (piece, ends))| {
        // One that ends with a newline of the entry's is followed by another line.
        let sign = if ends && index + 1 < count { '\\' } else { '/' };
        [format!("[{}{sign}{count}] ", index + 1).as_bytes(), piece].concat()
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use eximious_core::world::{Fixed, Moment};

    use super::*;

    #[test]
    fn long_entries_are_counted_pieces() {
        let entry = [b"x".repeat(LONGEST + 3), b"\ny\nz\n".to_vec()].concat();
        let pieces = pieces(&entry);
        assert!(pieces[0].starts_with(b"[1/4] xxx"));
        assert_eq!(pieces[1..], [b"[2\\4] xxx".to_vec(), b"[3\\4] y".into(), b"[4/4] z".into()]);
        assert_eq!(super::pieces(b"abc\n"), [b"abc".to_vec()]);
    }

    #[test]
    fn lines_go_to_the_socket() {
        let clock = Fixed(Moment { seconds: 1_000_000_000, nanos: 0 });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let server = UnixDatagram::bind(&path).unwrap();
        let mut log = Syslog::new(b"local3", b"mail".to_vec(), Stamps::default(), false);
        log.path = path.to_str().unwrap().into();
        log.write(Priority::Notice, b"hello\n", &clock);
        let mut buffer = [0; 100];
        let count = server.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..count]);
        let end = format!(" mail[{}]: hello", std::process::id());
        assert!(text.starts_with("<157>") && text.ends_with(&end), "{text}");
        // Nobody listens any more: nothing is waited for.
        drop(server);
        log.write(Priority::Info, b"more\n", &clock);
    }
}
