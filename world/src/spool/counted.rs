//! How many messages a queue has: what was counted is remembered, as long as nothing
//! changes in the directories.
//!
//! The change time of a directory tells of every name that comes and goes in it, and nobody
//! can set it. It is as fine as a tick of the system's clock, or a second or two on old file
//! systems, within which a change may hide: what was counted so soon after the last change
//! is not remembered. Who lists the queue, as each of its runs does, has counted it, too. Who
//! can't write beside the hints counts each time.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eximious_core::world::SpoolPlace;
use eximious_core::world::spool::is_message_id;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{FILE, Found, each_name, give, open_part, open_parts};

/// How long a directory has been as it is before what is in it is remembered.
const SETTLED: Duration = Duration::from_secs(3);

/// How many messages must have been counted for it to be worth a file.
const WORTH: usize = 1_000;

/// How large a file of counts is at the most: each directory takes a line.
const LARGEST: u64 = 16 << 10;

/// What is known of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Counted {
    /// Which one, and when it changed: device, number, seconds and nanoseconds.
    state: [i128; 4],
    /// How many messages' header files are in it.
    count: usize,
    /// The directories of one character below it.
    parts: Vec<u8>,
}

/// How many messages are in a queue, in all of its directories.
pub(super) fn count(place: &SpoolPlace) -> io::Result<usize> {
    let mut tally = Tally { before: remembered(place), ..Tally::default() };
    let mut count = 0;
    each_directory(place, |directory, _| {
        let counted = match tally.known(directory)? {
            Some(known) => known,
            None => tally.look_through(directory, &mut |_| {})?,
        };
        count += counted.count;
        Ok(counted.parts)
    })?;
    tally.keep(place);
    Ok(count)
}

/// Visits the names of all header files of a queue without their ends, each with the
/// directory of one character that it is in. Who does so has counted them.
pub(super) fn visit(place: &SpoolPlace, seen: &mut dyn FnMut(&[u8], Option<u8>)) -> io::Result<()> {
    let mut tally = Tally::default();
    each_directory(place, |directory, part| {
        Ok(tally.look_through(directory, &mut |id| seen(id, part))?.parts)
    })?;
    tally.keep(place);
    Ok(())
}

/// Visits the directories of a queue; the first of them names the others.
fn each_directory(
    place: &SpoolPlace,
    mut visit: impl FnMut(&OwnedFd, Option<u8>) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let top = match open_parts(place, b"input", None, false) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    for part in visit(&top, None)? {
        match open_part(&top, &[part]) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            opened => {
                visit(&opened?, Some(part))?;
            }
        }
    }
    Ok(())
}

/// A count of directories.
#[derive(Default)]
struct Tally {
    before: Vec<Counted>,
    /// What holds of directories that have not changed for a while.
    now: Vec<Counted>,
    /// How many messages were seen, and not remembered.
    looked_through: usize,
}

impl Tally {
    /// What was remembered of a directory, if it holds.
    fn known(&mut self, directory: &OwnedFd) -> io::Result<Option<Counted>> {
        let (state, _) = state(directory)?;
        let known = self.before.iter().find(|known| known.state == state).cloned();
        self.now.extend(known.clone());
        Ok(known)
    }

    /// Looks at each name in a directory; `seen` gets those of header files, without their
    /// ends.
    fn look_through(
        &mut self,
        directory: &OwnedFd,
        seen: &mut dyn FnMut(&[u8]),
    ) -> io::Result<Counted> {
        let (state, is_settled) = state(directory)?;
        let mut counted = Counted { state, count: 0, parts: Vec::new() };
        each_name(directory, |name| match name {
            [part] if part.is_ascii_alphanumeric() => counted.parts.push(*part),
            name => {
                if let Some(id) = name.strip_suffix(b"-H") {
                    counted.count += usize::from(is_message_id(id));
                    seen(id);
                }
            }
        })?;
        self.looked_through += counted.count;
        if is_settled {
            self.now.push(counted.clone());
        }
        Ok(counted)
    }

    /// Keeps what is worth it, where it was not known before. Who can't write it counts again.
    fn keep(self, place: &SpoolPlace) {
        if self.looked_through >= WORTH && self.now != remembered(place) {
            let _ = remember(place, &self.now);
        }
    }
}

/// Which directory it is and when it changed, and whether that is a while ago.
fn state(directory: &OwnedFd) -> io::Result<([i128; 4], bool)> {
    let stat = rustix::fs::fstat(directory)?;
    let (seconds, nanos) = (i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec));
    let changed = Duration::new(
        u64::try_from(seconds).unwrap_or(u64::MAX),
        u32::try_from(nanos).unwrap_or(0).min(999_999_999),
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let is_settled = now.checked_sub(changed).is_some_and(|age| age >= SETTLED);
    Ok(([i128::from(stat.st_dev), i128::from(stat.st_ino), seconds, nanos], is_settled))
}

/// The name of the file in `db`.
fn name(place: &SpoolPlace) -> Vec<u8> {
    let queue: &[u8] = if place.queue.is_empty() { b"" } else { b"-" };
    [b"counted", queue, &place.queue].concat()
}

/// The directory of the hints, which are one for all queues.
fn hints(place: &SpoolPlace) -> io::Result<OwnedFd> {
    let spool = SpoolPlace { queue: Vec::new(), ..place.clone() };
    open_parts(&spool, b"db", None, false)
}

/// What was remembered; nothing where the file can't be read, or is damaged.
fn remembered(place: &SpoolPlace) -> Vec<Counted> {
    let found = hints(place).and_then(|db| Found::open(db, &name(place), OFlags::RDONLY));
    let Ok(text) = found.and_then(|found| found.read(LARGEST)) else { return Vec::new() };
    // A line that was not written to its end does not count.
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.filter_map(|line| Counted::read(line.strip_suffix(b"\n")?)).collect()
}

/// Puts it in the place of what was remembered, whole or not at all.
fn remember(place: &SpoolPlace, known: &[Counted]) -> io::Result<()> {
    let db = hints(place)?;
    let name = name(place);
    let new = [&name[..], format!(".{}", std::process::id()).as_bytes()].concat();
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(FILE);
    let file = rustix::fs::openat(&db, &new, flags, mode)?;
    let lines: Vec<u8> = known.iter().flat_map(Counted::line).collect();
    let written = give(&file, place, mode).and_then(|()| File::from(file).write_all(&lines));
    let kept = written.and_then(|()| Ok(rustix::fs::renameat(&db, &new, &db, &name)?));
    if kept.is_err() {
        let _ = rustix::fs::unlinkat(&db, &new, AtFlags::empty());
    }
    kept
}

impl Counted {
    fn line(&self) -> Vec<u8> {
        let [device, number, seconds, nanos] = self.state;
        let head = format!("{device} {number} {seconds} {nanos} {} ", self.count);
        [head.as_bytes(), &self.parts, b"\n"].concat()
    }

    fn read(line: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let mut number = || words.next()?.parse().ok();
        let state = [number()?, number()?, number()?, number()?];
        let count = usize::try_from(number()?).ok()?;
        let parts = words.next()?.as_bytes().to_vec();
        let is_whole = words.next().is_none() && parts.iter().all(u8::is_ascii_alphanumeric);
        is_whole.then_some(Self { state, count, parts })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::thread::sleep;

    use eximious_core::world::Spool;
    use tempfile::TempDir;

    use super::super::SystemSpool;
    use super::*;

    fn spool(count: usize) -> (TempDir, SpoolPlace) {
        let folder = TempDir::new().expect("a directory");
        fs::create_dir_all(folder.path().join("input/a")).expect("a directory");
        fs::create_dir(folder.path().join("db")).expect("a directory");
        add(folder.path(), "input", 0..count);
        let spool = folder.path().as_os_str().as_bytes().to_vec();
        (folder, SpoolPlace { spool, ..SpoolPlace::default() })
    }

    fn add(folder: &Path, part: &str, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let path = folder.join(part).join(format!("1xVgrA-{number:011}-0001-H"));
            fs::write(path, "").expect("a file");
        }
    }

    fn kept(folder: &TempDir) -> Option<String> {
        fs::read_to_string(folder.path().join("db/counted")).ok()
    }

    #[test]
    fn what_has_settled_is_remembered_and_changes_are_seen() {
        let (folder, place) = spool(WORTH);
        assert_eq!(count(&place).expect("a count"), WORTH);
        assert_eq!(kept(&folder), None, "a change may hide in this moment");
        sleep(SETTLED);
        assert_eq!(count(&place).expect("a count"), WORTH);
        let lines = kept(&folder).expect("a file");
        assert_eq!(lines.lines().count(), 2, "{lines}");
        // It is believed: with another number in it, that is the answer.
        let other = lines.replace(&format!(" {WORTH} "), " 77 ");
        fs::write(folder.path().join("db/counted"), &other).expect("a file");
        assert_eq!(count(&place).expect("a count"), 77);
        add(folder.path(), "input/a", 0..1);
        assert_eq!(count(&place).expect("a count"), 78, "one directory has changed");
        add(folder.path(), "input", WORTH..WORTH + 1);
        assert_eq!(count(&place).expect("a count"), WORTH + 2);
        fs::remove_file(folder.path().join("input/1xVgrA-00000000007-0001-H")).expect("it goes");
        assert_eq!(count(&place).expect("a count"), WORTH + 1);
        fs::rename(folder.path().join("input/a"), folder.path().join("input/.a")).expect("it");
        assert_eq!(count(&place).expect("a count"), WORTH);
    }

    #[test]
    fn who_lists_a_queue_has_counted_it() {
        let (folder, place) = spool(WORTH);
        sleep(SETTLED);
        assert_eq!(SystemSpool::default().entries(&place).expect("entries").len(), WORTH);
        let lines = kept(&folder).expect("a file");
        assert!(lines.lines().any(|line| line.ends_with(&format!(" {WORTH} a"))), "{lines}");
    }

    #[test]
    fn what_is_no_message_does_not_count_and_damage_does_not_matter() {
        let (folder, place) = spool(2);
        for name in ["1xVgrA-000000001aB-0001-D", "1xVgrA-000000001aB-0001-J", "some-H", "x"] {
            fs::write(folder.path().join("input").join(name), "").expect("a file");
        }
        for text in ["", "1 2 3", "1 2 3 4 -5 a\n", "x y z 4 5 a\n", "1 2 3 4 5 a/\n", "\u{0}\n"] {
            fs::write(folder.path().join("db/counted"), text).expect("a file");
            assert_eq!(count(&place).expect("a count"), 2, "{text:?}");
        }
        assert_eq!(kept(&folder).as_deref(), Some("\u{0}\n"), "few are not worth a file");
        let none = SpoolPlace { queue: b"other".to_vec(), ..place.clone() };
        assert_eq!(count(&none).expect("a count"), 0);
        assert_eq!(SystemSpool::default().count(&place).expect("a count"), 2);
    }

    #[test]
    fn each_queue_has_its_own() {
        let (folder, place) = spool(WORTH);
        fs::create_dir_all(folder.path().join("slow/input")).expect("a directory");
        add(folder.path(), "slow/input", 0..WORTH + 5);
        let slow = SpoolPlace { queue: b"slow".to_vec(), ..place.clone() };
        for _ in 0..2 {
            assert_eq!(count(&place).expect("a count"), WORTH);
            assert_eq!(count(&slow).expect("a count"), WORTH + 5);
            sleep(SETTLED);
        }
        let names = fs::read_dir(folder.path().join("db")).expect("a directory");
        let mut names: Vec<_> = names.map(|entry| entry.expect("it").file_name()).collect();
        names.sort();
        assert_eq!(names, ["counted", "counted-slow"], "nothing else is left");
    }
}
