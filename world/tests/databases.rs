//! Database files, made by the programs that own their formats, asked and
//! damaged.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery, Rows, World};
use tempfile::TempDir;

/// Runs a program with an input; false where it is not there, which must not
/// be in CI.
fn made_by(command: &mut Command, input: &str) -> bool {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        assert!(std::env::var_os("CI").is_none(), "{command:?} can't be run");
        eprintln!("LEFT OUT: {command:?} can't be run");
        return false;
    };
    child.stdin.take().expect("a pipe was asked for").write_all(input.as_bytes()).expect("a pipe");
    assert!(child.wait().expect("it ends").success(), "{command:?}");
    true
}

fn lmdb(dir: &Path, input: &str) -> Option<String> {
    let file = dir.join("map.mdb");
    made_by(Command::new("mdb_load").arg("-n").arg("-T").arg(&file), input)
        .then(|| file.to_str().expect("a name").to_owned())
}

fn cdb(dir: &Path, input: &str) -> Option<String> {
    let file = dir.join("keys.cdb");
    made_by(Command::new("cdb").arg("-c").arg(&file), input)
        .then(|| file.to_str().expect("a name").to_owned())
}

fn sqlite(dir: &Path, input: &str) -> Option<String> {
    let file = dir.join("db.sqlite");
    made_by(Command::new("sqlite3").arg(&file), input)
        .then(|| file.to_str().expect("a name").to_owned())
}

type Asked = Result<DatabaseAnswer, DatabaseError>;

fn ask_lmdb(world: &World, file: &str, key: &str) -> Asked {
    world.databases.find(&DatabaseQuery::Lmdb { file: file.as_bytes(), key: key.as_bytes() })
}

fn ask_cdb(world: &World, file: &str, key: &str) -> Asked {
    world.databases.find(&DatabaseQuery::Cdb { file: file.as_bytes(), key: key.as_bytes() })
}

fn ask_sqlite(world: &World, file: &str, statements: &str) -> Asked {
    let lock_timeout = Duration::from_millis(200);
    let file = file.as_bytes();
    world.databases.find(&DatabaseQuery::Sqlite { file, statements, lock_timeout })
}

fn value(text: &str) -> Asked {
    Ok(DatabaseAnswer::Value(text.as_bytes().to_vec()))
}

fn first_column(answer: Asked) -> Vec<String> {
    let Ok(DatabaseAnswer::Rows(answers)) = answer else { panic!("{answer:?}") };
    let values = answers.into_iter().flat_map(|rows: Rows| rows.rows);
    let text = |row: Vec<Option<Vec<u8>>>| String::from_utf8(row[0].clone().expect("a value"));
    values.map(|row| text(row).expect("UTF-8")).collect()
}

/// Numbers that come again, for damage.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Damages copies of a file and asks each. An answer of any sort will do.
fn survives_damage(file: &str, rounds: usize, ask: impl Fn(&World, &str)) {
    let sound = std::fs::read(file).expect("the file");
    let dir = TempDir::new().expect("a directory");
    let world = eximious_world::system();
    let mut numbers = Numbers(1);
    for round in 0..rounds {
        let mut bytes = sound.clone();
        for _ in 0..=numbers.below(12) {
            // Lengths and offsets stand at the beginning of a page.
            let at = match numbers.below(3) {
                0 => numbers.below(bytes.len()),
                1 => numbers.below(bytes.len()) / 4096 * 4096 + numbers.below(64),
                _ => numbers.below(8192),
            };
            let last = bytes.len() - 1;
            bytes[at.min(last)] = [0, 1, 0x7f, 0x80, 0xff, 13][numbers.below(6)];
        }
        if numbers.below(5) == 0 {
            bytes.truncate(numbers.below(bytes.len()));
        }
        // A name for each round: what is open stays open.
        let path = dir.path().join(format!("damaged{round}"));
        std::fs::write(&path, &bytes).expect("a copy");
        let begun = Instant::now();
        ask(&world, path.to_str().expect("a name"));
        assert!(begun.elapsed() < Duration::from_secs(10), "round {round} takes too long");
        std::fs::remove_file(&path).expect("the copy");
    }
}

/// Keys and values of many lengths, some longer than a page.
fn many() -> Vec<(String, String)> {
    (0..3000)
        .map(|n| {
            let times = [1, 2, 30, 700, 3000][if n % 100 == 0 { n / 100 % 5 } else { n % 2 }];
            (format!("key{n}"), format!("value {n} ").repeat(times).trim_end().to_owned())
        })
        .collect()
}

#[test]
fn lmdb_finds_what_mdb_load_wrote() {
    let dir = TempDir::new().expect("a directory");
    let records = many();
    let text: String = records.iter().map(|(key, value)| format!("{key}\n{value}\n")).collect();
    let Some(file) = lmdb(dir.path(), &text) else { return };
    let world = eximious_world::system();
    for (key, wanted) in &records {
        assert_eq!(ask_lmdb(&world, &file, key), value(wanted), "{key}");
    }
    for key in ["a", "key", "key1x", "key3000", "zzz", &"k".repeat(511), &"k".repeat(5000)] {
        assert_eq!(ask_lmdb(&world, &file, key), Ok(DatabaseAnswer::Missing), "{key}");
    }
    // What is added is found, although the file is open.
    assert!(lmdb(dir.path(), "added\nlater\n").is_some());
    assert_eq!(ask_lmdb(&world, &file, "added"), value("later"));
    assert_eq!(ask_lmdb(&world, &file, "key1"), value(&records[1].1));
    // Another file under the same name is another file.
    std::fs::remove_file(&file).expect("the file");
    assert!(lmdb(dir.path(), "a\nnew\n").is_some());
    assert_eq!(ask_lmdb(&world, &file, "a"), value("new"));
    assert_eq!(ask_lmdb(&world, &file, "key1"), Ok(DatabaseAnswer::Missing));
    std::fs::remove_file(&file).expect("the file");
    let gone = DatabaseError::Open("No such file or directory".into());
    assert_eq!(ask_lmdb(&world, &file, "a"), Err(gone));
}

#[test]
fn lmdb_serves_threads_and_worlds_alike() {
    let dir = TempDir::new().expect("a directory");
    let Some(file) = lmdb(dir.path(), "a\nalpha\nb\nbeta\n") else { return };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let world = eximious_world::system();
                for _ in 0..500 {
                    assert_eq!(ask_lmdb(&world, &file, "b"), value("beta"));
                }
            });
        }
    });
}

#[test]
fn lmdb_survives_damage() {
    let dir = TempDir::new().expect("a directory");
    let text: String = many().into_iter().map(|(key, value)| format!("{key}\n{value}\n")).collect();
    let Some(file) = lmdb(dir.path(), &text) else { return };
    survives_damage(&file, 400, |world, file| {
        for key in ["key1", "key1500", "key2999", "key100", "nosuch", "aaa", "zzz"] {
            let _ = ask_lmdb(world, file, key);
        }
    });
}

#[test]
fn lmdb_with_several_values_of_a_key_is_refused() {
    let dir = TempDir::new().expect("a directory");
    let head = "VERSION=3\nformat=print\ntype=btree\nmapsize=1048576\nduplicates=1\ndupsort=1\n\
                db_pagesize=4096\nHEADER=END\n";
    let text = format!("{head} a\n 1\n a\n 2\n b\n 3\nDATA=END\n");
    let file = dir.path().join("map.mdb");
    if !made_by(Command::new("mdb_load").arg("-n").arg(&file), &text) {
        return;
    }
    let world = eximious_world::system();
    let file = file.to_str().expect("a name");
    assert!(matches!(ask_lmdb(&world, file, "a"), Err(DatabaseError::Other(_))));
    assert_eq!(ask_lmdb(&world, file, "b"), value("3"));
}

#[test]
fn cdb_finds_what_cdb_wrote() {
    let dir = TempDir::new().expect("a directory");
    let records = many();
    let record = |(key, value): &(String, String)| {
        format!("+{},{}:{key}->{value}\n", key.len(), value.len())
    };
    let text: String = records.iter().map(record).collect();
    let Some(file) = cdb(dir.path(), &format!("{text}+4,6:key1->second\n\n")) else { return };
    let world = eximious_world::system();
    for (key, wanted) in &records {
        assert_eq!(ask_cdb(&world, &file, key), value(wanted), "{key}");
    }
    for key in ["", "a", "key", "key3000"] {
        assert_eq!(ask_cdb(&world, &file, key), Ok(DatabaseAnswer::Missing), "{key}");
    }
}

#[test]
fn cdb_survives_damage() {
    let dir = TempDir::new().expect("a directory");
    let text: String =
        (0..300).map(|n| format!("+{},2:key{n}->ab\n", 3 + n.to_string().len())).collect();
    let Some(file) = cdb(dir.path(), &format!("{text}\n")) else { return };
    survives_damage(&file, 2000, |world, file| {
        for key in ["key1", "key100", "key299", "nosuch", ""] {
            let _ = ask_cdb(world, file, key);
        }
    });
}

#[test]
fn cdb_that_lies_about_its_lengths_is_an_error_at_once() {
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("lies.cdb");
    let world = eximious_world::system();
    // All tables claim as many slots as numbers go, then as few records as
    // make a record of four gigabytes.
    for (slots, length) in [(u32::MAX, 0), (0x2000_0001, 0), (1, u32::MAX)] {
        let mut bytes = Vec::new();
        for _ in 0..256 {
            bytes.extend(2048u32.to_le_bytes());
            bytes.extend(slots.to_le_bytes());
        }
        let hash = b"a".iter().fold(5381u32, |h, c| h.wrapping_mul(33) ^ u32::from(*c));
        bytes.extend(hash.to_le_bytes());
        bytes.extend(2056u32.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(b"a");
        std::fs::write(&file, &bytes).expect("a file");
        let begun = Instant::now();
        let answer = ask_cdb(&world, file.to_str().expect("a name"), "a");
        assert_eq!(answer, Err(DatabaseError::Corrupt));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn cdb_says_what_is_wrong_with_a_file() {
    let dir = TempDir::new().expect("a directory");
    let world = eximious_world::system();
    let ask = |name: &str| ask_cdb(&world, dir.path().join(name).to_str().expect("a name"), "a");
    assert_eq!(ask("nosuch"), Err(DatabaseError::Open("No such file or directory".into())));
    assert_eq!(ask(""), Err(DatabaseError::Header("Is a directory".into())));
    std::fs::write(dir.path().join("short"), [b'a'; 2047]).expect("a file");
    assert_eq!(ask("short"), Err(DatabaseError::Short));
    std::fs::write(dir.path().join("zeros"), [0; 2048]).expect("a file");
    assert_eq!(ask("zeros"), Ok(DatabaseAnswer::Missing));
    // A pipe that nobody writes to must not make it wait.
    let pipe = dir.path().join("pipe");
    if Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        assert_eq!(ask("pipe"), Err(DatabaseError::Short));
    }
}

#[test]
fn sqlite_is_consulted_by_one_select() {
    let dir = TempDir::new().unwrap();
    let Some(file) = sqlite(dir.path(), "create table t(x); insert into t values(7);") else {
        return;
    };
    let world = eximious_world::system();
    let consult = |file: &str, statements: &str| {
        let lock_timeout = Duration::from_secs(5);
        let file = file.as_bytes();
        world.databases.consult(&DatabaseQuery::Sqlite { file, statements, lock_timeout })
    };
    let Ok(DatabaseAnswer::Rows(rows)) = consult(&file, "select x from t") else { panic!() };
    assert_eq!(rows[0].rows, [[Some(b"7".to_vec())]]);
    let other = dir.path().join("other").display().to_string();
    for statements in [
        format!("attach '{other}' as o"),
        format!("vacuum into '{other}'"),
        format!("select 1; attach '{other}' as o"),
        "insert into t values(8)".to_owned(),
        "pragma temp_store_directory = '/'".to_owned(),
    ] {
        assert!(matches!(consult(&file, &statements), Err(DatabaseError::Open(_))), "{statements}");
    }
    assert!(consult(&other, "select 1").is_err());
    assert!(!Path::new(&other).exists());
}

#[test]
fn sqlite_carries_statements_out() {
    let dir = TempDir::new().expect("a directory");
    let text = "create table t(a, b); insert into t values(1, 'one'), (2, NULL), (1.5, x'4100');";
    let Some(file) = sqlite(dir.path(), text) else { return };
    let world = eximious_world::system();
    let Ok(DatabaseAnswer::Rows(answers)) = ask_sqlite(&world, &file, "select * from t; select 1")
    else {
        panic!("rows");
    };
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].columns, [b"a".to_vec(), b"b".to_vec()]);
    let some = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(answers[0].rows[0], [some("1"), some("one")]);
    assert_eq!(answers[0].rows[1], [some("2"), None]);
    assert_eq!(answers[0].rows[2], [some("1.5"), some("A")]);
    let count = "select count(*) from t";
    assert_eq!(first_column(ask_sqlite(&world, &file, count)), ["3"]);
    assert_eq!(first_column(ask_sqlite(&world, &file, "delete from t where a=1")).len(), 0);
    assert_eq!(first_column(ask_sqlite(&world, &file, count)), ["2"]);
    // What another program writes is seen, and so is another file.
    assert!(sqlite(dir.path(), "insert into t values(9, 9);").is_some());
    assert_eq!(first_column(ask_sqlite(&world, &file, count)), ["3"]);
    std::fs::remove_file(&file).expect("the file");
    assert!(sqlite(dir.path(), "create table t(a);").is_some());
    assert_eq!(first_column(ask_sqlite(&world, &file, count)), ["0"]);
    assert!(matches!(ask_sqlite(&world, &file, "selekt"), Err(DatabaseError::Other(_))));
    // An answer has a bound.
    let endless = "with recursive c(x) as (values(1) union all select x+1 from c) \
                   select x || hex(zeroblob(1000)) from c";
    assert_eq!(ask_sqlite(&world, &file, endless), Err(DatabaseError::TooMuch));
}

#[test]
fn sqlite_leaves_nothing_behind_for_the_next_query() {
    let dir = TempDir::new().expect("a directory");
    let Some(file) = sqlite(dir.path(), "create table t(a);") else { return };
    let world = eximious_world::system();
    for statements in [
        "begin; insert into t values(1)",
        "create temp table t(a); insert into t values(5)",
        "attach ':memory:' as o",
        "select 1; pragma case_sensitive_like=on",
    ] {
        assert!(ask_sqlite(&world, &file, statements).is_ok(), "{statements}");
        let count = ask_sqlite(&world, &file, "select count(*) from t");
        assert_eq!(first_column(count), ["0"], "{statements}");
    }
    assert!(ask_sqlite(&world, &file, "attach ':memory:' as o").is_ok());
    assert_eq!(first_column(ask_sqlite(&world, &file, "select 'a' like 'A'")), ["1"]);
}

#[test]
fn sqlite_waits_for_a_lock_and_not_for_ever() {
    let dir = TempDir::new().expect("a directory");
    let Some(file) = sqlite(dir.path(), "create table t(a);") else { return };
    let holder = rusqlite::Connection::open(&file).expect("the file");
    holder.execute_batch("begin exclusive").expect("a lock");
    let world = eximious_world::system();
    let begun = Instant::now();
    let answer = ask_sqlite(&world, &file, "insert into t values(1)");
    assert_eq!(answer, Err(DatabaseError::Other("database is locked".into())));
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert!(begun.elapsed() < Duration::from_secs(5));
    holder.execute_batch("commit").expect("the lock's end");
    assert!(ask_sqlite(&world, &file, "insert into t values(1)").is_ok());
}

#[test]
fn sqlite_survives_damage_and_names_that_are_not_utf8() {
    let dir = TempDir::new().expect("a directory");
    let text = "create table t(a, b text); create index i on t(a); with recursive c(x) as \
                (values(1) union all select x+1 from c where x<3000) \
                insert into t select x, 'value '||x from c;";
    let Some(file) = sqlite(dir.path(), text) else { return };
    let ask = |world: &World, file: &str| {
        for statements in ["select * from t where a=5", "select * from t", "delete from t"] {
            let _ = ask_sqlite(world, file, statements);
        }
    };
    survives_damage(&file, 150, ask);
    // A column's name in a damaged schema.
    let bytes = std::fs::read(&file).expect("the file");
    let at = bytes.windows(7).position(|w| w == b"b text)").expect("the schema");
    let mut bytes = bytes;
    bytes[at] = 0xff;
    std::fs::write(&file, bytes).expect("the file");
    let world = eximious_world::system();
    let answer = ask_sqlite(&world, &file, "select * from t where a=5");
    assert_eq!(answer, Err(DatabaseError::Other("a column's name is not UTF-8".into())));
}

#[test]
fn users_of_the_system() {
    let world = eximious_world::system();
    let root = world.users.user(b"root").expect("users").expect("root");
    assert_eq!((root.uid, root.gid), (0, 0));
    assert_eq!(world.users.user_by_id(0).expect("users"), Some(root));
    for name in [&b"nosuchuser"[..], b"", b"\xff", b"ro\0ot"] {
        assert_eq!(world.users.user(name).expect("users"), None);
    }
}
