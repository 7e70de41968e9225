//! Entries: the time before a line, and how long it may be.

use eximious_core::world::{Civil, Clock, Moment};

/// How long a line may be, with its time.
pub const LONGEST: usize = 8189;

/// What stands at the end of a line that was too long; an empty line follows.
const CUT: &[u8] = b"**** log string overflowed log buffer ****\n\n";

/// What stands at the end of an arrival's line that was too long, for its recipients.
const ARRIVAL_CUT: &[u8] = b"<trunc>\n";

/// How long an entry with the header of a message may be.
const LONGEST_HEADER: usize = 8191;

/// How much stays of a longer one.
const HEADER_KEPT: usize = 8090;

/// What stands at the end of a header that was too long.
const HEADER_CUT: &[u8] = b"\n*** truncated ***\n";

/// How much of a line the time and what follows it may take.
const STAMP: usize = 64;

/// The day and the month, as names of files have them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Dates {
    /// `20261120`
    pub day: String,
    /// `202611`
    pub month: String,
}

/// What stands before lines, and the last of it: most lines come in the same
/// second as another.
#[derive(Default, Debug)]
pub struct Stamps {
    /// The time zone; without one, the system's.
    pub zone: Option<String>,
    /// Whether it is shown.
    pub shows_zone: bool,
    /// Whether seconds have decimal places.
    pub millis: bool,
    /// Whether the process is named.
    pub pid: bool,
    second: Option<i64>,
    time: String,
    offset: String,
    dates: Dates,
}

impl Stamps {
    /// A line with the time before it, and its end.
    pub fn stamped(&mut self, clock: &dyn Clock, line: &[u8]) -> Vec<u8> {
        let now = clock.now();
        self.look(clock, now);
        let mut entry = Vec::with_capacity(line.len() + STAMP);
        entry.extend_from_slice(self.time.as_bytes());
        if self.millis {
            entry.extend_from_slice(format!(".{:03}", now.nanos / 1_000_000).as_bytes());
        }
        entry.extend_from_slice(self.offset.as_bytes());
        entry.push(b' ');
        entry.extend(self.behind_time(line));
        if entry.len() > LONGEST + 1 {
            let notice = if is_arrival(line) { ARRIVAL_CUT } else { CUT };
            entry.truncate(LONGEST - notice.len());
            entry.extend_from_slice(notice);
        }
        entry
    }

    /// The same without the time.
    pub fn behind_time(&self, line: &[u8]) -> Vec<u8> {
        let mut entry = Vec::with_capacity(line.len() + 16);
        if let Some(number) = self.pid() {
            entry.extend_from_slice(format!("[{number}] ").as_bytes());
        }
        entry.extend_from_slice(line);
        entry.push(b'\n');
        entry
    }

    /// The number before lines, where the process is named. A connection is a thread here, and its
    /// number does what that of a process does elsewhere: it says which lines belong together.
    pub fn pid(&self) -> Option<i32> {
        self.pid.then(crate::serving::thread_number)
    }

    /// Today.
    pub fn dates(&mut self, clock: &dyn Clock) -> Dates {
        self.look(clock, clock.now());
        self.dates.clone()
    }

    fn look(&mut self, clock: &dyn Clock, now: Moment) {
        if self.second == Some(now.seconds) {
            return;
        }
        self.second = Some(now.seconds);
        let Civil { year, month, day, hour, minute, second, offset, .. } =
            clock.civil(now, self.zone.as_deref());
        self.time = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        let (sign, away) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
        if self.shows_zone {
            self.offset = format!(" {sign}{:02}{:02}", away / 60, away % 60);
        }
        let month = format!("{year:04}{month:02}");
        self.dates = Dates { day: format!("{month}{day:02}"), month };
    }
}

/// Whether a line tells that a message came: its name and an arrow to the left.
fn is_arrival(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').nth(1) == Some(b"<=")
}

/// A line in which nothing begins that looks like another: what follows a newline
/// is indented. More than can be written is left out.
pub fn bounded(line: &[u8]) -> Vec<u8> {
    let line = &line[..line.len().min(LONGEST)];
    let plain = memchr::memchr3(b'\n', b'\r', 0, line).unwrap_or(line.len());
    let mut out = Vec::with_capacity(line.len() + 16);
    out.extend_from_slice(&line[..plain]);
    for byte in &line[plain..] {
        if out.ends_with(b"\n") && !matches!(byte, b' ' | b'\t') {
            out.push(b' ');
        }
        match byte {
            b'\r' | 0 => {}
            _ => out.push(*byte),
        }
    }
    out
}

/// An entry with the header of a message behind it.
pub fn with_header(entry: &[u8], header: &[u8]) -> Vec<u8> {
    let mut whole = [entry, header].concat();
    if whole.len() > LONGEST_HEADER {
        whole.truncate(HEADER_KEPT);
        whole.extend_from_slice(HEADER_CUT);
    }
    whole
}

#[cfg(test)]
mod tests {
    use eximious_core::world::Fixed;

    use super::*;

    #[test]
    fn times_have_what_was_asked_for() {
        let clock = crate::clock::SystemClock;
        let mut stamps = Stamps { zone: Some("UTC".into()), ..Stamps::default() };
        stamps.look(&clock, Moment { seconds: 1_000_000_000, nanos: 0 });
        assert_eq!(stamps.time, "2001-09-09 01:46:40");
        assert_eq!((&*stamps.dates.day, &*stamps.dates.month), ("20010909", "200109"));
        let mut stamps =
            Stamps { zone: Some("<-0330>3:30".into()), shows_zone: true, ..Stamps::default() };
        stamps.look(&clock, Moment { seconds: 1_000_000_000, nanos: 0 });
        assert_eq!(stamps.time + &stamps.offset, "2001-09-08 22:16:40 -0330");
        let fixed = Fixed(Moment { seconds: 1_000_000_000, nanos: 0 });
        let mut stamps = Stamps { millis: true, shows_zone: true, ..Stamps::default() };
        let line = stamps.stamped(&fixed, b"x");
        assert!(line.ends_with(b".000 +0000 x\n"), "{}", String::from_utf8_lossy(&line));
    }
}
