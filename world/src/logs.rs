//! The log files, and the system's log (specification 53).
//!
//! Each entry is one write to a file that is open for appending, so that lines of
//! several processes don't mix. A file is looked at by its name before each write:
//! one that was moved away is opened anew. An entry is bounded, and breaks no line
//! that its writer did not break.

mod debugging;
mod entry;
mod facts;
mod file;
mod names;
mod syslog;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eximious_core::world::{Clock, DebugLog, Log, LogLine, LogOptions, LogVoice};

use entry::Stamps;
use file::LogFile;
use names::{LogKind, LogNames};
use syslog::{Priority, Syslog};

/// The logs that a configuration asks for.
#[derive(Debug)]
pub struct LogFiles {
    names: Option<LogNames>,
    rejections: bool,
    /// Whether what goes to several logs goes to the system's for each.
    duplicates: bool,
    panics_shown: bool,
    /// The file with objects of JSON.
    json: Option<Vec<u8>>,
    /// Whom files belong to, where this process may decide.
    owner: (u32, u32),
    stamps: Mutex<Stamps>,
    main_file: LogFile,
    reject_file: LogFile,
    panic_file: LogFile,
    json_file: LogFile,
    syslog: Option<Mutex<Syslog>>,
    /// Whether what was written last to the main log is not there.
    broken: AtomicBool,
    /// The same of the panic log: that it can't be written is told once.
    panic_broken: AtomicBool,
}

impl LogFiles {
    /// The logs of a configuration; files that are made belong to a user and
    /// group, if this process may give them away.
    pub fn new(options: &LogOptions, owner: (u32, u32)) -> Self {
        let (names, to_syslog, complaint) =
            names::destinations(options.file_path.bytes(), options.spool_directory.bytes());
        let stamps = stamps(options);
        let mut for_system = self::stamps(options);
        for_system.pid &= options.syslog_shows_pid;
        let syslog = to_syslog.then(|| {
            Mutex::new(Syslog::new(
                options.syslog_facility.bytes(),
                options.syslog_name.bytes().to_vec(),
                for_system,
                options.syslog_shows_time,
            ))
        });
        let logs = Self {
            names,
            rejections: options.rejections,
            duplicates: options.syslog_duplicates,
            panics_shown: true,
            json: Some(options.json_file.bytes().to_vec()).filter(|name| name.starts_with(b"/")),
            owner,
            stamps: Mutex::new(stamps),
            main_file: LogFile::default(),
            reject_file: LogFile::default(),
            panic_file: LogFile::default(),
            json_file: LogFile::default(),
            syslog,
            broken: AtomicBool::new(false),
            panic_broken: AtomicBool::new(false),
        };
        if let Some(complaint) = complaint {
            logs.panic(&complaint);
        }
        logs
    }

    /// The same, for a process whose standard error is nobody's.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.panics_shown = false;
        self
    }

    /// Opens the main log, where that is a file, and has room made for so many bytes more.
    ///
    /// # Errors
    /// The main log can't be opened, or there is no room.
    pub fn probe(&self, room: usize) -> io::Result<()> {
        let Some(names) = &self.names else { return Ok(()) };
        let name = names.of(LogKind::Main, &self.stamps().dates(&crate::clock::SystemClock));
        let opened = self.main_file.reopen(&name, self.owner, room);
        let named = |why: io::Error| {
            let (name, words) = (String::from_utf8_lossy(&name), crate::databases::words(&why));
            io::Error::new(why.kind(), format!("{name}: {words}"))
        };
        opened.map_err(named)
    }

    fn stamps(&self) -> MutexGuard<'_, Stamps> {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The logs that rejections go to.
    fn of_rejections(&self) -> &'static [LogKind] {
        match self.rejections {
            true => &[LogKind::Main, LogKind::Reject],
            false => &[LogKind::Main],
        }
    }

    /// Writes an entry to some of the logs.
    fn write(&self, line: &[u8], header: Option<&[u8]>, to: &[LogKind]) {
        self.write_parts((line, None), header, to);
    }

    /// The same of a line whose parts are known, perhaps.
    fn write_parts(
        &self,
        (line, parts): (&[u8], Option<&LogLine>),
        header: Option<&[u8]>,
        to: &[LogKind],
    ) {
        let clock = crate::clock::SystemClock;
        let whole = line;
        let line = entry::bounded(line);
        let full = self.stamps().stamped(&clock, &line);
        if self.panics_shown && to.contains(&LogKind::Panic) {
            show(&full);
        }
        for kind in to {
            let with_header;
            let text = match header.filter(|_| *kind == LogKind::Reject) {
                Some(header) => {
                    with_header = entry::with_header(&full, header);
                    &with_header
                }
                None => &full,
            };
            let written = self.write_file(*kind, text, &clock);
            if !written && *kind == LogKind::Main && !to.contains(&LogKind::Panic) {
                // What can't be told there is told here.
                self.write_file(LogKind::Panic, text, &clock);
            }
        }
        if let Some(name) = &self.json {
            let pid = self.stamps().pid();
            let entry = match parts {
                Some(parts) => facts::entry(&clock, to, pid, parts),
                None => facts::entry(&clock, to, pid, &LogLine::plain(whole)),
            };
            if let Err(why) = self.json_file.append(name, self.owner, &entry) {
                let why = crate::databases::words(&why);
                let tail = format!("\": {why}");
                let complaint = [b"Cannot open JSON log file \"", &name[..], tail.as_bytes()];
                let complaint = self.stamps().stamped(&clock, &complaint.concat());
                self.write_file(LogKind::Panic, &complaint, &clock);
            }
        }
        let Some(syslog) = &self.syslog else { return };
        let mut syslog = syslog.lock().unwrap_or_else(PoisonError::into_inner);
        // Once, with the header if there is one, and as the worst of them.
        let worst = to.iter().copied().min_by_key(|kind| kind.priority() as u32);
        let once = worst.as_slice();
        let entry = syslog.stamped(&clock, &line);
        for kind in if self.duplicates { to } else { once } {
            let text = match header.filter(|_| *kind == LogKind::Reject) {
                Some(header) => &entry::with_header(&entry, header),
                None => &entry,
            };
            syslog.write(kind.priority(), text, &clock);
        }
    }

    /// Writes an entry to a file; whether it is there. Where the main log can't be written, the
    /// panic log tells why; the system's log is the last resort.
    fn write_file(&self, kind: LogKind, text: &[u8], clock: &dyn Clock) -> bool {
        let Some(names) = &self.names else { return true };
        let name = names.of(kind, &self.stamps().dates(clock));
        let file = match kind {
            LogKind::Main => &self.main_file,
            LogKind::Reject => &self.reject_file,
            LogKind::Panic | LogKind::Debug => &self.panic_file,
        };
        let written = file.append(&name, self.owner, text);
        if kind == LogKind::Main {
            self.broken.store(written.is_err(), Ordering::SeqCst);
        }
        let is_known =
            kind == LogKind::Panic && self.panic_broken.swap(written.is_err(), Ordering::SeqCst);
        let Err(why) = written else { return true };
        let complaint = self.stamps().stamped(clock, &cannot_open(kind, &name, &why));
        if self.panics_shown && !is_known {
            show(&complaint);
        }
        match kind {
            LogKind::Panic | LogKind::Debug => {
                let mut last = Syslog::new(b"", b"exim".to_vec(), Stamps::default(), true);
                last.write(Priority::Critical, &complaint, clock);
                last.write(Priority::Critical, text, clock);
            }
            LogKind::Main | LogKind::Reject => {
                self.write_file(LogKind::Panic, &complaint, clock);
            }
        }
        false
    }
}

/// What stands before lines.
fn stamps(options: &LogOptions) -> Stamps {
    let mut stamps = Stamps::default();
    stamps.zone = options.timezone.as_ref().map(|zone| zone.display().into_owned());
    stamps.shows_zone = options.shows_zone;
    stamps.millis = options.shows_millis;
    stamps.pid = options.shows_pid;
    stamps
}

fn cannot_open(kind: LogKind, name: &[u8], why: &io::Error) -> Vec<u8> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let why = crate::databases::words(why);
    let tail = format!("\": {why}: euid={} egid={}", user.as_raw(), group.as_raw());
    [b"Cannot open ", kind.word(), b" log file \"", name, tail.as_bytes()].concat()
}

/// There is nobody to tell that the standard error is closed.
fn show(text: &[u8]) {
    let _ = io::stderr().write_all(text);
}

/// What a test of a session shows before lines for logs: of the time what is finer than
/// seconds, the zone and the process, as far as `log_selector` and `log_timezone` say.
#[derive(Debug)]
pub struct TestStamps(Mutex<Stamps>);

impl TestStamps {
    /// Those of a configuration.
    pub fn new(options: &LogOptions) -> Self {
        Self(Mutex::new(stamps(options)))
    }

    /// What stands before a line now.
    pub fn now(&self) -> Vec<u8> {
        const SECONDS: usize = "2001-02-03 04:05:06 ".len();
        let mut stamps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = stamps.stamped(&crate::clock::SystemClock, b"");
        line.trim_ascii_end().get(SECONDS..).map_or_else(Vec::new, |rest| [rest, b" "].concat())
    }
}

impl Log for LogFiles {
    fn main(&self, line: &[u8]) {
        self.write(line, None, &[LogKind::Main]);
    }

    fn told(&self, voice: LogVoice, line: &LogLine) {
        let to: &[LogKind] = match voice {
            LogVoice::Main | LogVoice::Selected(_) => &[LogKind::Main],
            LogVoice::Panic => &[LogKind::Main, LogKind::Panic],
        };
        self.write_parts((line.text(), Some(line)), None, to);
    }

    fn told_rejection(&self, line: &LogLine, header: &[u8]) {
        let header = Some(header).filter(|header| !header.is_empty());
        self.write_parts((line.text(), Some(line)), header, self.of_rejections());
    }

    fn panic(&self, line: &[u8]) {
        self.write(line, None, &[LogKind::Main, LogKind::Panic]);
    }

    fn panic_alone(&self, line: &[u8]) {
        self.write(line, None, &[LogKind::Panic]);
    }

    fn rejection(&self, line: &[u8]) {
        self.rejected_message(line, b"");
    }

    fn rejection_alone(&self, line: &[u8]) {
        self.rejected_message_alone(line, b"");
    }

    fn rejected_message_alone(&self, line: &[u8], header: &[u8]) {
        if self.rejections {
            let header = Some(header).filter(|header| !header.is_empty());
            self.write(line, header, &[LogKind::Reject]);
        }
    }

    fn rejected_message(&self, line: &[u8], header: &[u8]) {
        let header = Some(header).filter(|header| !header.is_empty());
        self.write(line, header, self.of_rejections());
    }

    fn debug(&self, _: &[u8]) {}

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    fn opens(&self) -> bool {
        self.write_file(LogKind::Main, b"", &crate::clock::SystemClock)
    }

    fn open_debug_log(&self, tag: &[u8]) -> Option<Result<Arc<dyn DebugLog>, Vec<u8>>> {
        let dates = self.stamps().dates(&crate::clock::SystemClock);
        // It is a file, though the others go to the system's log.
        let mut name =
            self.names.clone().unwrap_or_else(LogNames::built_in).of(LogKind::Debug, &dates);
        name.extend_from_slice(tag);
        let opened = debugging::File::open(name.clone(), tag, self.owner);
        Some(opened.map_err(|why| cannot_open(LogKind::Debug, &name, &why)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use eximious_core::Str;

    use super::*;

    fn logs(folder: &Path, change: impl FnOnce(&mut LogOptions)) -> LogFiles {
        let mut options = LogOptions {
            file_path: Str::from(format!("{}/%slog", folder.display())),
            json_file: Str::EMPTY,
            spool_directory: Str::EMPTY,
            timezone: None,
            shows_zone: false,
            shows_millis: false,
            shows_pid: false,
            rejections: true,
            syslog_facility: Str::EMPTY,
            syslog_name: Str::fixed("exim"),
            syslog_shows_pid: true,
            syslog_shows_time: true,
            syslog_duplicates: true,
        };
        change(&mut options);
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        LogFiles::new(&options, own).silent()
    }

    fn read(folder: &Path, name: &str) -> String {
        String::from_utf8(fs::read(folder.join(name)).unwrap_or_default()).unwrap()
    }

    /// What stands behind the times.
    fn lines(folder: &Path, name: &str) -> Vec<String> {
        read(folder, name).lines().map(|line| line[20..].to_owned()).collect()
    }

    #[test]
    fn each_line_goes_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let logs = logs(&folder.join("a/b"), |_| {});
        logs.main(b"one");
        logs.rejection(b"two");
        logs.panic(b"three");
        logs.panic_alone(b"four");
        logs.rejected_message(b"five", b"Envelope-from: <x@y>\nP Received: z\n");
        let folder = folder.join("a/b");
        assert_eq!(lines(&folder, "mainlog"), ["one", "two", "three", "five"]);
        assert_eq!(lines(&folder, "paniclog"), ["three", "four"]);
        let rejected = read(&folder, "rejectlog");
        assert!(rejected.ends_with(" five\nEnvelope-from: <x@y>\nP Received: z\n"), "{rejected}");
        let mode = fs::metadata(folder.join("mainlog")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o750);
    }

    #[test]
    fn a_log_that_was_moved_away_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let logs = logs(folder, |_| {});
        logs.main(b"one");
        fs::rename(folder.join("mainlog"), folder.join("mainlog.1")).unwrap();
        logs.main(b"two");
        fs::remove_file(folder.join("mainlog")).unwrap();
        logs.main(b"three");
        assert_eq!(lines(folder, "mainlog.1"), ["one"]);
        assert_eq!(lines(folder, "mainlog"), ["three"]);
    }

    #[test]
    fn no_rejections_are_kept_where_nobody_wants_them() {
        let folder = tempfile::tempdir().unwrap();
        let logs = logs(folder.path(), |options| options.rejections = false);
        logs.rejection(b"one");
        logs.rejection_alone(b"two");
        assert_eq!(lines(folder.path(), "mainlog"), ["one"]);
        assert!(!folder.path().join("rejectlog").exists());
    }

    #[test]
    fn cve_2020_28007_the_superusers_log_follows_no_link() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let target = folder.join("target");
        fs::write(&target, "untouched").unwrap();
        symlink(&target, folder.join("mainlog")).unwrap();
        fs::hard_link(&target, folder.join("rejectlog")).unwrap();
        let logs = logs(folder, |_| {});
        logs.main(b"one");
        logs.rejection_alone(b"two");
        assert_eq!(read(folder, "target"), "untouched");
        let told = read(folder, "paniclog");
        assert!(told.contains("Cannot open main log file"), "{told}");
        assert!(told.contains("Cannot open reject log file"), "{told}");
    }

    #[test]
    fn links_lead_where_the_owner_of_the_logs_may_write() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let owner = match rustix::process::geteuid().as_raw() {
            0 => 65534,
            own => own,
        };
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        let logs = LogFiles { owner: (owner, owner), ..logs(folder, |_| {}) };
        for (name, mode, link) in [("own", 0o600, "mainlog"), ("other", 0o400, "rejectlog")] {
            let target = folder.join(name);
            fs::write(&target, "").unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
            std::os::unix::fs::chown(&target, Some(owner), None).unwrap();
            symlink(&target, folder.join(link)).unwrap();
        }
        logs.main(b"one");
        logs.main(b"two");
        logs.rejection_alone(b"three");
        assert_eq!(lines(folder, "own"), ["one", "two"]);
        assert_eq!(read(folder, "other"), "");
        assert!(read(folder, "paniclog").contains("Cannot open reject log file"));
        // A log that was put aside is left behind a link, too.
        fs::rename(folder.join("own"), folder.join("old")).unwrap();
        logs.main(b"three");
        assert_eq!(lines(folder, "old"), ["one", "two"]);
        assert_eq!(lines(folder, "own"), ["three"]);
    }

    #[test]
    fn cve_2010_4344_entries_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let logs = logs(folder, |_| {});
        logs.main(&b"x".repeat(1 << 20));
        logs.rejected_message(b"two", &b"  X-foo: some filler text\n".repeat(100_000));
        logs.main(b"three\n2001-01-01 00:00:00 forged\r\nmore\n indented");
        let main = read(folder, "mainlog");
        let first = main.lines().next().unwrap();
        assert_eq!(first.len(), 8187);
        assert!(first.ends_with("x**** log string overflowed log buffer ****"), "{first}");
        assert!(
            main.ends_with(" three\n 2001-01-01 00:00:00 forged\n more\n indented\n"),
            "{main}"
        );
        let rejected = read(folder, "rejectlog");
        assert!(rejected.len() < 8192 && rejected.ends_with("\n*** truncated ***\n"));
    }

    #[test]
    fn room_is_made_where_there_is_some() {
        let folder = tempfile::tempdir().unwrap();
        let logs = logs(folder.path(), |_| {});
        logs.probe(4096).unwrap();
        logs.main(b"one");
        assert_eq!(lines(folder.path(), "mainlog"), ["one"]);
        fs::remove_file(folder.path().join("mainlog")).unwrap();
        symlink("/dev/null", folder.path().join("mainlog")).unwrap();
        assert!(logs.probe(4096).is_ok() || rustix::process::geteuid().is_root());
        fs::remove_file(folder.path().join("mainlog")).unwrap();
        fs::create_dir(folder.path().join("mainlog")).unwrap();
        let why = logs.probe(0).unwrap_err().to_string();
        let name = folder.path().join("mainlog");
        assert_eq!(why, format!("{}: Is a directory", name.display()));
    }

    #[test]
    fn nothing_that_is_no_file_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.join("mainlog"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        logs(folder, |_| {}).main(b"one");
        assert!(read(folder, "paniclog").contains("Cannot open main log file"));
    }
}
