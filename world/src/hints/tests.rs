use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::time::Instant;

use eximious_core::world::hints::LONGEST_KEY;

use super::*;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn main(&self, line: &[u8]) {
        self.0.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
    }
    fn panic(&self, _: &[u8]) {}
    fn debug(&self, _: &[u8]) {}
}

/// A spool directory with a store, whose file has a number of pages at the most.
struct Spool {
    directory: tempfile::TempDir,
    log: Arc<Lines>,
    store: Store,
}

impl Spool {
    fn new(most_pages: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let shared = Arc::new(Shared::new(directory.path(), None, most_pages));
        let log = Arc::new(Lines::default());
        let store = Store { shared, log: log.clone() };
        Self { directory, log, store }
    }

    /// As another process would open it.
    fn another(&self) -> Store {
        let shared = Arc::new(Shared::new(self.directory.path(), None, MOST_PAGES));
        Store { shared, log: self.log.clone() }
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("db/hints.sqlite")
    }

    fn lines(&self) -> usize {
        self.log.0.lock().unwrap().len()
    }
}

fn hint(value: &[u8], stamp: i64) -> Hint {
    Hint { value: value.to_vec(), stamp }
}

/// Adds one to a number.
fn count(store: &Store, key: &[u8]) {
    let mut change = |old: Option<&Hint>| {
        let number = old.map_or(0, |old| u64::from_le_bytes(old.value[..].try_into().unwrap()));
        Change::Put(hint(&(number + 1).to_le_bytes(), 1))
    };
    store.update(b"ratelimit", key, &mut change).unwrap();
}

fn counted(store: &Store, key: &[u8]) -> u64 {
    let value = store.get(b"ratelimit", key).unwrap().unwrap().value;
    u64::from_le_bytes(value.try_into().unwrap())
}

#[test]
fn what_was_put_there_is_found_and_removed() {
    let spool = Spool::new(MOST_PAGES);
    let store = &spool.store;
    assert_eq!(store.get(b"retry", b"k"), Ok(None));
    assert!(!spool.file().exists(), "who only reads makes no file");
    assert_eq!(store.delete(b"retry", b"k"), Ok(()));
    assert_eq!(store.tidy(b"retry", 5), Ok(0));
    for (key, stamp) in [(&b"b\0'\"\xff"[..], 5), (b"", 6), (b"a", 7)] {
        store.put(b"retry", key, hint(b"\0value", stamp)).unwrap();
    }
    store.put(b"seen", b"a", hint(b"x", 1)).unwrap();
    assert_eq!(store.get(b"retry", b"b\0'\"\xff"), Ok(Some(hint(b"\0value", 5))));
    assert_eq!(store.get(b"retry", b"b"), Ok(None));
    store.put(b"retry", b"", hint(b"", 8)).unwrap();
    let keys = |behind, count| {
        let page = store.page(b"retry", behind, count).unwrap();
        page.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys(None, 9), [&b""[..], b"a", b"b\0'\"\xff"]);
    assert_eq!(keys(Some(b""), 1), [b"a"]);
    assert_eq!(keys(Some(b"b\0'\"\xff"), 1), [b""; 0]);
    assert_eq!(store.spaces().unwrap(), [&b"retry"[..], b"seen"]);
    assert_eq!(store.tidy(b"retry", 8), Ok(2));
    assert_eq!(keys(None, 9), [b""]);
    store.delete(b"retry", b"").unwrap();
    assert_eq!(store.spaces().unwrap(), [b"seen"]);
    let long = vec![0; LONGEST_KEY + 1];
    assert_eq!(store.put(b"retry", &long, hint(b"", 0)), Err(HintsError::TooLong));
    let long = vec![0; LONGEST_VALUE + 1];
    assert_eq!(store.put(b"retry", b"k", hint(&long, 0)), Err(HintsError::TooLong));
    let mut change = |_: Option<&Hint>| Change::Put(hint(&long, 0));
    assert_eq!(store.update(b"retry", b"k", &mut change), Err(HintsError::TooLong));
    assert_eq!(spool.another().get(b"seen", b"a"), Ok(Some(hint(b"x", 1))));
    let mode = std::fs::metadata(spool.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "it is not for everybody");
}

#[test]
fn cve_2025_26794_and_67896_keys_are_no_part_of_statements() {
    let spool = Spool::new(MOST_PAGES);
    for key in [&b"'; DROP TABLE hints; --"[..], b"\") OR 1=1 --", b"x'00'", b"?1"] {
        spool.store.put(key, key, hint(key, 1)).unwrap();
        assert_eq!(spool.store.get(key, key), Ok(Some(hint(key, 1))));
    }
    assert_eq!(spool.store.spaces().unwrap().len(), 4);
}

#[test]
fn threads_count_together() {
    let spool = Spool::new(MOST_PAGES);
    let other = spool.another();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = if number % 2 == 0 { &spool.store } else { &other };
            scope.spawn(move || (0..50).for_each(|_| count(store, b"k")));
        }
    });
    assert_eq!(counted(&spool.store, b"k"), 400);
}

/// Run by the next test, as several processes.
#[test]
fn one_of_several_processes() {
    let Some(spool) = std::env::var_os("HINTS_OF_A_TEST") else { return };
    let store = Store {
        shared: Arc::new(Shared::new(Path::new(&spool), None, MOST_PAGES)),
        log: Arc::new(Lines::default()),
    };
    for number in 0..100_u8 {
        count(&store, b"k");
        store.put(b"seen", &[number], hint(b"v", 1)).unwrap();
    }
}

#[test]
fn processes_count_together_and_one_that_is_killed_keeps_nobody() {
    let spool = Spool::new(MOST_PAGES);
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hints::tests::one_of_several_processes"])
            .env("HINTS_OF_A_TEST", spool.directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut all: Vec<_> = (0..4).map(|_| start()).collect();
    let mut killed = start();
    while !all.iter_mut().any(|one| one.try_wait().unwrap().is_some()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = killed.kill();
    killed.wait().unwrap();
    for mut one in all {
        assert!(one.wait().unwrap().success());
    }
    assert!((400..=500).contains(&counted(&spool.store, b"k")));
    assert_eq!(spool.store.page(b"seen", None, 1000).unwrap().len(), 100);
    assert_eq!(spool.lines(), 0);
}

#[test]
fn torn_files_are_put_aside_and_begun_anew() {
    let whole = {
        let spool = Spool::new(MOST_PAGES);
        for number in 0..2000_u32 {
            spool.store.put(b"retry", &number.to_be_bytes(), hint(&[7; 100], 1)).unwrap();
        }
        let connection = Connection::open(spool.file()).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        std::fs::read(spool.file()).unwrap()
    };
    let mut random = fastrand::Rng::with_seed(7);
    let mut broken = 0;
    for round in 0..60 {
        let spool = Spool::new(MOST_PAGES);
        std::fs::create_dir(spool.directory.path().join("db")).unwrap();
        let mut bytes = whole.clone();
        match round % 4 {
            0 => bytes.truncate(random.usize(..bytes.len())),
            1 => (0..20).for_each(|_| bytes[random.usize(..whole.len())] ^= random.u8(1..)),
            2 => bytes[random.usize(..whole.len() / 2)..].fill(random.u8(..)),
            _ => (0..5).for_each(|_| bytes[random.usize(..200)] = random.u8(..)),
        }
        std::fs::write(spool.file(), bytes).unwrap();
        let store = &spool.store;
        for key in 0..2000_u32 {
            if let Some(found) = store.get(b"retry", &key.to_be_bytes()).unwrap() {
                assert!(found.value.len() <= LONGEST_VALUE);
            }
        }
        store.page(b"retry", None, 5000).unwrap();
        store.spaces().unwrap();
        store.tidy(b"retry", 0).unwrap();
        store.put(b"retry", b"k", hint(b"v", 2)).unwrap();
        assert_eq!(store.get(b"retry", b"k"), Ok(Some(hint(b"v", 2))), "{round}");
        broken += spool.lines();
    }
    assert!(broken > 20, "{broken}");
}

#[test]
fn a_file_that_breaks_under_everybody_is_replaced_once() {
    let spool = Spool::new(MOST_PAGES);
    let other = spool.another();
    count(&spool.store, b"k");
    count(&other, b"k");
    let log = spool.file().with_extension("sqlite-wal");
    std::fs::write(&log, b"").unwrap();
    std::fs::write(spool.file(), b"no database at all".repeat(300)).unwrap();
    std::thread::scope(|scope| {
        for store in [&spool.store, &other, &spool.store, &other] {
            scope.spawn(move || (0..50).for_each(|_| count(store, b"k")));
        }
    });
    // Who noticed nothing had counted in what is aside now.
    assert!((1..=200).contains(&counted(&spool.another(), b"k")));
    assert_eq!(spool.lines(), 1);
    assert!(spool.file().with_extension("sqlite.broken").exists());
}

#[test]
fn hints_that_were_deleted_are_begun_anew() {
    let spool = Spool::new(MOST_PAGES);
    count(&spool.store, b"k");
    std::fs::remove_dir_all(spool.directory.path().join("db")).unwrap();
    assert_eq!(spool.store.get(b"ratelimit", b"k"), Ok(None));
    count(&spool.store, b"k");
    assert_eq!(counted(&spool.store, b"k"), 1);
    std::fs::remove_file(spool.file()).unwrap();
    assert_eq!(spool.store.get(b"ratelimit", b"k"), Ok(None));
    count(&spool.store, b"k");
    assert_eq!(counted(&spool.another(), b"k"), 1);
    assert_eq!(spool.lines(), 0);
}

#[test]
fn what_is_no_file_is_put_aside() {
    let spool = Spool::new(MOST_PAGES);
    let elsewhere = spool.directory.path().join("elsewhere");
    std::fs::write(&elsewhere, b"").unwrap();
    std::fs::create_dir(spool.directory.path().join("db")).unwrap();
    symlink(&elsewhere, spool.file()).unwrap();
    count(&spool.store, b"k");
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"");
    std::fs::remove_file(spool.file()).unwrap();
    std::fs::create_dir(spool.file()).unwrap();
    count(&spool.store, b"k");
    assert_eq!((counted(&spool.store, b"k"), spool.lines()), (1, 2));
    let spool = Spool::new(MOST_PAGES);
    std::fs::create_dir(spool.directory.path().join("db")).unwrap();
    std::fs::write(spool.file(), b"another's").unwrap();
    count(&spool.store, b"k");
    assert_eq!(counted(&spool.store, b"k"), 1);
    assert_eq!(spool.lines(), 1);
}

#[test]
fn another_programs_table_is_put_aside() {
    for statements in [
        "CREATE TABLE other (x); INSERT INTO other VALUES (1)",
        "CREATE TABLE hints (space, key, stamp, value)",
        "CREATE TABLE hints (space, key, stamp, value); PRAGMA application_id = 1702390125; \
         PRAGMA user_version = 1; INSERT INTO hints VALUES (x'72', x'6b', 'soon', 'text')",
        "CREATE VIEW hints AS SELECT 1; PRAGMA application_id = 1702390125; \
         PRAGMA user_version = 1",
        "PRAGMA application_id = 1702390125; PRAGMA user_version = 2",
    ] {
        let spool = Spool::new(MOST_PAGES);
        std::fs::create_dir(spool.directory.path().join("db")).unwrap();
        Connection::open(spool.file()).unwrap().execute_batch(statements).unwrap();
        assert_eq!(spool.store.get(b"r", b"k"), Ok(None), "{statements}");
        count(&spool.store, b"k");
        assert_eq!(counted(&spool.store, b"k"), 1, "{statements}");
    }
}

#[test]
fn a_full_file_forgets_the_oldest() {
    let spool = Spool::new(100);
    for stamp in 0..3000_u32 {
        let hint = hint(&[1; 300], i64::from(stamp));
        spool.store.put(b"seen", &stamp.wrapping_mul(2_654_435_761).to_be_bytes(), hint).unwrap();
    }
    assert!(std::fs::metadata(spool.file()).unwrap().len() <= 100 * 4096);
    let kept = spool.store.page(b"seen", None, 5000).unwrap();
    assert!((500..1500).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|(_, hint)| hint.stamp >= 1500));
    assert_eq!(spool.lines(), 0);
}

#[test]
fn waits_for_locks_have_an_end() {
    let spool = Spool::new(MOST_PAGES);
    count(&spool.store, b"k");
    let other = Connection::open(spool.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(counted(&spool.store, b"k"), 1, "who reads does not wait");
    let start = Instant::now();
    let mut change = |_: Option<&Hint>| Change::Delete;
    assert_eq!(spool.store.update(b"ratelimit", b"k", &mut change), Err(HintsError::Busy));
    assert!(start.elapsed() < Duration::from_secs(20));
    drop(other);
    count(&spool.store, b"k");
}

#[test]
fn nobody_waits_for_a_lock_that_is_no_file() {
    let spool = Spool::new(MOST_PAGES);
    let lock = spool.directory.path().join("db/hints.lock");
    std::fs::create_dir(spool.directory.path().join("db")).unwrap();
    let unwanted = format!("{} is not a regular file", lock.display());
    let kinds = [
        ("pipe", &unwanted[..]),
        ("folder", "Is a directory"),
        ("link", "Too many levels of symbolic links"),
    ];
    for (kind, why) in kinds {
        match kind {
            "pipe" => assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success()),
            "folder" => std::fs::create_dir(&lock).unwrap(),
            _ => symlink("/etc/passwd", &lock).unwrap(),
        }
        let put = spool.store.put(b"r", b"k", hint(b"", 1));
        assert_eq!(put, Err(HintsError::Other(why.to_owned())));
        std::fs::remove_file(&lock).or_else(|_| std::fs::remove_dir(&lock)).unwrap();
    }
    spool.store.put(b"r", b"k", hint(b"", 1)).unwrap();
}

#[test]
fn a_function_that_panics_leaves_all_as_it_was() {
    let spool = Spool::new(MOST_PAGES);
    count(&spool.store, b"k");
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        spool.store.update(b"ratelimit", b"k", &mut |_| panic!("a test's"))
    }));
    assert!(result.is_err());
    count(&spool.store, b"k");
    assert_eq!(counted(&spool.store, b"k"), 2);
}

#[test]
fn where_nothing_may_be_written_it_says_so() {
    let shared = Arc::new(Shared::new(Path::new("/proc/self"), None, MOST_PAGES));
    let store = Store { shared, log: Arc::new(Lines::default()) };
    assert_eq!(store.get(b"r", b"k"), Ok(None));
    assert!(store.put(b"r", b"k", hint(b"", 1)).is_err());
}
