use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use eximious_core::world::{Spool, SpoolData};

use super::super::SystemSpool;
use super::super::arriving::Arriving;
use super::super::commit::Commits;
use super::super::open_parts;
use super::*;
use crate::order::{Order, Orders};

const BEFORE: &[u8] = b"before";
const AFTER: &[u8] = b"after";

fn spool() -> (tempfile::TempDir, SpoolPlace) {
    let folder = tempfile::tempdir().expect("a directory");
    let spool = folder.path().as_os_str().as_bytes().to_vec();
    std::fs::create_dir(folder.path().join("input")).expect("a directory");
    (folder, SpoolPlace { spool, ..<_>::default() })
}

/// Those whose log is there.
fn commits(place: &SpoolPlace, boot: &[u8]) -> Arc<Commits> {
    let commits = Arc::new(Commits::default());
    LogFile::open(place, boot, true).expect("it is made").expect("nobody has it");
    assert_eq!(commits.ahead.begin_at(place, boot).expect("it begins"), Vec::<Vec<u8>>::new());
    commits
}

fn message(commits: &Arc<Commits>, place: &SpoolPlace, id: &str, body: &[u8]) -> Message {
    let directory = open_parts(place, b"input", None, false).expect("a directory");
    let (commits, place) = (commits.clone(), place.clone());
    let id = id.as_bytes().to_vec();
    let mut arriving = Arriving::new(commits, Arc::default(), directory, place, id.clone());
    arriving.write(&[&id, &b"-D\n"[..], body].concat()).expect("it is taken");
    arriving.message(&[&id, &b"-H\n"[..]].concat()).expect("it is written")
}

/// Keeps messages as if each came while another does.
fn keep(commits: &Arc<Commits>, place: &SpoolPlace, ids: &[&str]) {
    let _other = commits.ahead.enter();
    for id in ids {
        let body = format!("the body of {id}\n").repeat(100);
        let message = message(commits, place, id, body.as_bytes());
        commits.keep_queued(message).expect("it is kept");
    }
}

fn file(folder: &Path, id: &str, end: &str) -> PathBuf {
    folder.join("input").join([id, end].concat())
}

/// Copies the log as it is at a moment, which a later start finds.
fn stopped(folder: &Path, place: &SpoolPlace, ids: &[&str]) -> Vec<u8> {
    loop {
        let commits = commits(place, BEFORE);
        keep(&commits, place, ids);
        let state = commits.ahead.shared.locked();
        let is_whole = state.halves[state.active].count == ids.len();
        let log = std::fs::read(folder.join(file::NAME)).expect("the log");
        drop(state);
        commits.ahead.end();
        if is_whole {
            return log;
        }
        // It took so long that the first have come to the disk meanwhile.
        std::fs::remove_dir_all(folder.join("input")).expect("it was there");
        std::fs::create_dir(folder.join("input")).expect("a directory");
    }
}

/// Starts after the system did; what it puts back.
fn started(folder: &Path, place: &SpoolPlace, log: &[u8], boot: &[u8]) -> Vec<String> {
    std::fs::write(folder.join(file::NAME), log).expect("the log");
    let commits = Commits::default();
    let restored = commits.ahead.begin_at(place, boot).expect("it begins");
    let again = Commits::default();
    drop(commits);
    assert_eq!(again.ahead.begin_at(place, b"once more").expect("it begins"), [[0_u8; 0]; 0]);
    restored.into_iter().map(|id| String::from_utf8(id).expect("a name")).collect()
}

#[test]
fn many_that_come_at_once_are_all_kept() {
    let (folder, place) = spool();
    let commits = commits(&place, BEFORE);
    thread::scope(|scope| {
        for client in 0..16 {
            let (commits, place) = (&commits, &place);
            scope.spawn(move || {
                for number in 0..100 {
                    let id = format!("{client}-{number}");
                    // One in ten is so large that it has its file before.
                    let body = vec![b'x'; if number % 10 == 9 { 200_000 } else { 5_000 }];
                    let message = message(commits, place, &id, &body);
                    commits.keep_queued(message).expect("it is kept");
                }
            });
        }
    });
    commits.ahead.end();
    let spool = SystemSpool::default();
    assert_eq!(spool.entries(&place).expect("entries").len(), 1600);
    let names = std::fs::read_dir(folder.path().join("input")).expect("a directory").count();
    assert_eq!(names, 3200, "nothing else is left");
    let state = commits.ahead.shared.locked();
    assert_eq!((state.inside, state.records.len(), state.length), (0, 0, 0));
    assert!(state.last_use > 1, "both halves were used");
    assert!(state.halves.iter().all(|half| half.count == 0 && half.kept.is_empty()));
}

#[test]
fn a_message_is_locked_until_it_is_on_disk() {
    let (_folder, place) = spool();
    let commits = commits(&place, BEFORE);
    let spool = SystemSpool::default();
    // As long as one has no name, the half that it is in is not settled.
    let other = message(&commits, &place, "other", b"body");
    let record = record(&other).expect("it can be written ahead");
    let written = commits.ahead.write(record).expect("it is in the log");
    keep(&commits, &place, &["one"]);
    assert!(spool.take(&place, b"one").expect("it is there").is_none());
    drop(written);
    come_to_disk(&place, b"one");
}

/// Waits until nobody keeps a message locked.
fn come_to_disk(place: &SpoolPlace, id: &[u8]) {
    let late = Instant::now() + Duration::from_secs(30);
    while SystemSpool::default().take(place, id).expect("it is there").is_none() {
        assert!(Instant::now() < late, "it stays locked");
        thread::yield_now();
    }
}

#[test]
fn what_did_not_come_to_the_disk_is_put_back() {
    let (folder, place) = spool();
    let ids = ["gone", "empty", "bodyless", "whole", "zeros"];
    let log = stopped(folder.path(), &place, &ids);
    let wanted = ids.map(|id| ["-H", "-D"].map(|end| std::fs::read(file(folder.path(), id, end))));
    std::fs::remove_file(file(folder.path(), "gone", "-H")).expect("it was there");
    std::fs::remove_file(file(folder.path(), "gone", "-D")).expect("it was there");
    std::fs::write(file(folder.path(), "hdr.", "gone"), "half").expect("a file");
    std::fs::write(file(folder.path(), "empty", "-H"), "").expect("a file");
    std::fs::remove_file(file(folder.path(), "bodyless", "-D")).expect("it was there");
    std::fs::write(file(folder.path(), "zeros", "-D"), [0; 2000]).expect("a file");
    let restored = started(folder.path(), &place, &log, AFTER);
    assert_eq!(restored, ["gone", "empty", "bodyless", "zeros"]);
    for (id, wanted) in ids.iter().zip(wanted) {
        for (end, wanted) in ["-H", "-D"].iter().zip(wanted) {
            let now = std::fs::read(file(folder.path(), id, end)).expect("it is there");
            assert_eq!(now, wanted.expect("it was there"), "{id}{end}");
        }
    }
    let names = std::fs::read_dir(folder.path().join("input")).expect("a directory").count();
    assert_eq!(names, 2 * ids.len(), "nothing else is left");
}

#[test]
fn nothing_is_put_back_where_the_system_went_on() {
    let (folder, place) = spool();
    let log = stopped(folder.path(), &place, &["gone"]);
    for end in ["-H", "-D"] {
        std::fs::remove_file(file(folder.path(), "gone", end)).expect("it was there");
    }
    assert_eq!(started(folder.path(), &place, &log, BEFORE), [""; 0]);
    // Nor where the files are on disk: the half does not count then.
    let log = std::fs::read(folder.path().join(file::NAME)).expect("the log");
    assert_eq!(started(folder.path(), &place, &log, AFTER), [""; 0]);
    assert!(!file(folder.path(), "gone", "-H").exists());
}

#[test]
fn what_was_done_long_after_it_came_is_not_undone() {
    let (folder, place) = spool();
    stopped(folder.path(), &place, &["gone"]);
    let log = LogFile::open(&place, BEFORE, false).expect("it opens").expect("it is there");
    let mut old = file::record((&place, b"gone"), b"gone-H\n", b"gone-D\n", None);
    old[16..24].copy_from_slice(&1_000_u64.to_le_bytes());
    log.write(0, (77, BLOCK), vec![old]).expect("it is written");
    drop(log);
    for end in ["-H", "-D"] {
        std::fs::remove_file(file(folder.path(), "gone", end)).expect("it was there");
    }
    let bytes = std::fs::read(folder.path().join(file::NAME)).expect("the log");
    // The directory was changed two minutes after that, long before this system started.
    let input = std::fs::File::open(folder.path().join("input")).expect("a directory");
    input.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_120)).expect("it is set");
    assert_eq!(started(folder.path(), &place, &bytes, AFTER), [""; 0]);
    input.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_010)).expect("it is set");
    assert_eq!(started(folder.path(), &place, &bytes, AFTER), ["gone"]);
}

#[test]
fn what_came_to_no_mailbox_is_put_back() {
    let (folder, place) = spool();
    stopped(folder.path(), &place, &[]);
    let log = LogFile::open(&place, BEFORE, false).expect("it opens").expect("it is there");
    let records = ["whole", "short", "gone"].map(|id| {
        let path = folder.path().join(id).as_os_str().as_bytes().to_vec();
        let (id, mailbox) = (id.as_bytes(), InMailbox { path, length: 5 });
        file::record((&place, id), &[id, b"-H\n"].concat(), b"body", Some(&mailbox))
    });
    log.write(0, (77, BLOCK), records.into()).expect("it is written");
    drop(log);
    std::fs::write(folder.path().join("whole"), "12345").expect("a file");
    std::fs::write(folder.path().join("short"), "").expect("a file");
    let bytes = std::fs::read(folder.path().join(file::NAME)).expect("the log");
    let input = open_parts(&place, b"input", None, false).expect("a directory");
    // Where nothing is known of the order of changes, a length says nothing.
    let all = ["whole", "short", "gone"];
    let known = Orders::default().of(&input) != Order::Unknown;
    let wanted = if known { &all[1..] } else { &all };
    assert_eq!(started(folder.path(), &place, &bytes, AFTER), wanted);
    assert_eq!(std::fs::read(file(folder.path(), "gone", "-D")).expect("it is there"), b"body");
}

#[test]
fn what_somebody_has_begun_with_is_left_alone() {
    let (folder, place) = spool();
    let log = stopped(folder.path(), &place, &["begun", "rewritten", "taken"]);
    std::fs::write(file(folder.path(), "begun", "-J"), "a@b.test\n").expect("a file");
    std::fs::write(file(folder.path(), "rewritten", "-H"), "rewritten-H\nmore").expect("a file");
    std::fs::write(file(folder.path(), "taken", "-H"), "").expect("a file");
    let spool = SystemSpool::default();
    let taken = spool.take(&place, b"taken").expect("it is there").expect("nobody has it");
    assert_eq!(started(folder.path(), &place, &log, AFTER), [""; 0]);
    drop(taken);
    assert_eq!(started(folder.path(), &place, &log, AFTER), ["taken"]);
}

#[test]
fn a_log_that_breaks_off_or_is_nothing_is_read_as_far_as_it_goes() {
    let (folder, place) = spool();
    let log = stopped(folder.path(), &place, &["one", "two", "three"]);
    let ids = ["one", "two", "three"];
    let remove = || {
        for id in ids {
            let _ = std::fs::remove_file(file(folder.path(), id, "-H"));
            let _ = std::fs::remove_file(file(folder.path(), id, "-D"));
        }
    };
    let at = |text: &str| log.windows(text.len()).position(|part| part == text.as_bytes());
    let broken = |at: usize| {
        let mut log = log.clone();
        log[at] ^= 1;
        log
    };
    let second = at("two-D\n").expect("it is in the log");
    let cases = [(second, &ids[..1]), (0, &[]), (9, &[]), (4096, &[])];
    for (at, wanted) in cases {
        remove();
        assert_eq!(started(folder.path(), &place, &broken(at), AFTER), wanted, "{at}");
    }
    remove();
    // Every number may be anything.
    for at in (4096..4096 + 48).chain(0..24) {
        let mut log = log.clone();
        log[at] = 0xff;
        started(folder.path(), &place, &log, AFTER);
        remove();
    }
    let short = &log[..5000];
    assert_eq!(started(folder.path(), &place, short, AFTER), [""; 0]);
}

#[test]
fn a_name_that_leads_elsewhere_is_no_message() {
    let (folder, place) = spool();
    stopped(folder.path(), &place, &[]);
    let log = LogFile::open(&place, BEFORE, false).expect("it opens").expect("it is there");
    let evil = file::record((&place, b"../evil"), b"h", b"d", None);
    log.write(0, (77, BLOCK), vec![evil]).expect("it is written");
    drop(log);
    let bytes = std::fs::read(folder.path().join(file::NAME)).expect("the log");
    assert_eq!(started(folder.path(), &place, &bytes, AFTER), [""; 0]);
    assert!(!folder.path().join("evil-H").exists());
}

#[test]
fn one_process_has_the_log_and_the_others_go_without() {
    let (_folder, place) = spool();
    let commits = commits(&place, BEFORE);
    let other = Arc::new(Commits::default());
    assert_eq!(other.ahead.begin_at(&place, BEFORE).expect("it begins"), Vec::<Vec<u8>>::new());
    keep(&other, &place, &["one"]);
    assert_eq!(other.ahead.shared.locked().last_use, 0);
    commits.ahead.end();
    let third = Commits::default();
    third.ahead.begin_at(&place, BEFORE).expect("it begins");
    assert!(third.ahead.shared.locked().log.is_some());
    let spool = SystemSpool::default();
    assert!(spool.take(&place, b"one").expect("it is there").is_some());
}

#[test]
fn a_log_that_fails_is_done_without() {
    let (folder, place) = spool();
    let commits = commits(&place, BEFORE);
    keep(&commits, &place, &["one"]);
    come_to_disk(&place, b"one");
    // A file that can only be read stands for a disk that can't be written.
    let read_only = std::fs::File::open(folder.path().join(file::NAME)).expect("the log");
    assert!(read_only.write_all_at(b"x", 0).is_err());
    let broken = LogFile::broken(read_only, &place);
    commits.ahead.shared.locked().log = Some(Arc::new(broken));
    keep(&commits, &place, &["two", "three"]);
    assert!(commits.ahead.shared.locked().log.is_none());
    assert_eq!(SystemSpool::default().entries(&place).expect("entries").len(), 3);
    commits.ahead.end();
    let spool = SystemSpool::default();
    for id in [&b"one"[..], b"two", b"three"] {
        assert!(spool.take(&place, id).expect("it is there").is_some());
    }
}

#[test]
fn the_log_is_made_when_it_is_first_wanted() {
    let (folder, place) = spool();
    let commits = Arc::new(Commits::default());
    commits.ahead.begin_at(&place, BEFORE).expect("it begins");
    let message_of = |id| message(&commits, &place, id, b"body");
    commits.keep_queued(message_of("alone")).expect("it is kept");
    assert!(!folder.path().join(file::NAME).exists());
    let late = Instant::now() + Duration::from_secs(30);
    for number in 0.. {
        keep(&commits, &place, &[&number.to_string()]);
        if commits.ahead.shared.locked().last_use > 0 {
            break;
        }
        assert!(Instant::now() < late, "it is not made");
    }
}
