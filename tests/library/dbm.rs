//! Berkeley DB files: of any size and form, made by the programs that own the
//! format, and read as the real Exim reads them; and files that mean harm.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use eximious::world::{DatabaseAnswer, DatabaseError, DatabaseQuery, Databases};
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::{in_ci, show};
use tempfile::TempDir;

/// Feeds a program; false where it is not there, which CI does not allow.
fn feed(command: &mut Command, input: &[u8]) -> bool {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        assert!(!in_ci(), "{command:?} does not start");
        let _ = writeln!(std::io::stderr(), "LEFT OUT: {command:?} does not start");
        return false;
    };
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{command:?}");
    true
}

/// Makes a file of keys and data as `exim_dbmbuild` does.
fn build(file: &Path, text: &str, options: &[&str]) -> bool {
    feed(Command::new("/usr/sbin/exim_dbmbuild").args(options).arg("-").arg(file), text.as_bytes())
}

/// Makes a file with the library's own loader.
fn load(file: &Path, head: &str, pairs: &[(Vec<u8>, Vec<u8>)], options: &[&str]) -> bool {
    let mut dump = format!("VERSION=3\nformat=bytevalue\n{head}\nHEADER=END\n").into_bytes();
    for bytes in pairs.iter().flat_map(|(key, value)| [key, value]) {
        dump.push(b' ');
        dump.extend(bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
        dump.push(b'\n');
    }
    dump.extend_from_slice(b"DATA=END\n");
    feed(Command::new("db5.3_load").args(options).arg(file), &dump)
}

static DATABASES: LazyLock<Arc<dyn Databases>> =
    LazyLock::new(|| eximious_world::system().databases);

fn find(file: &Path, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
    let file = file.as_os_str().as_encoded_bytes();
    DATABASES.find(&DatabaseQuery::Dbm { file, key })
}

#[track_caller]
fn has(file: &Path, key: &[u8], value: &[u8]) {
    let found = find(file, key);
    let wanted = Ok(DatabaseAnswer::Value(value.to_vec()));
    assert!(found == wanted, "{} in {}: {found:?}", show(key), file.display());
}

#[track_caller]
fn lacks(file: &Path, key: &[u8]) {
    let found = find(file, key);
    assert_eq!(found, Ok(DatabaseAnswer::Missing), "{} in {}", show(key), file.display());
}

/// Both programs' answers to the same lines are the same.
#[track_caller]
fn agree(lines: &[String]) {
    let Some(reference) = Reference::find() else { return };
    let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
    let mut ours = Ours::new();
    for (line, answer) in lines.iter().zip(reference.ask(&lines, None)) {
        let answered = Answer::Said(ours.answer(line));
        assert!(answer == answered, "{}:\n{answer:?}\n{answered:?}", show(line));
    }
}

#[test]
fn files_of_all_sizes() {
    let dir = TempDir::new().expect("a directory");
    for count in [0usize, 1, 1000, 100_000] {
        let file = dir.path().join(format!("{count}.db"));
        let text: String = (0..count)
            .map(|n| format!("User{n}@example.com: mailbox {n}+{}\n", "x".repeat(n % 100)))
            .collect();
        if !build(&file, &text, &[]) {
            return;
        }
        let step = count / 1000 + 1;
        for n in (0..count).step_by(step) {
            let key = format!("user{n}@example.com\0");
            has(&file, key.as_bytes(), format!("mailbox {n}+{}\0", "x".repeat(n % 100)).as_bytes());
            lacks(&file, &key.as_bytes()[..key.len() - 1]);
        }
        let sample = (0..count).step_by(count / 100 + 1).chain([count, count + 7]);
        let name = file.display();
        let mut lines = Vec::new();
        for n in sample {
            for key in [format!("user{n}@example.com"), format!("User{n}@example.com")] {
                lines.push(format!("${{lookup{{{key}}}dbm{{{name}}}{{<$value>}}{{none}}}}"));
            }
            let key = format!("user{n}@example.com");
            lines.push(format!("${{lookup{{{key}}}dbmnz{{{name}}}{{<$value>}}{{none}}}}"));
        }
        agree(&lines);
    }
}

#[test]
fn keys_without_zero_bytes_and_in_their_case() {
    let dir = TempDir::new().expect("a directory");
    let text = "Alpha: one\nbeta: two\n\"q k\": three\n";
    for options in [&["-nozero"][..], &["-nolc"], &["-nozero", "-nolc"]] {
        let file = dir.path().join(options.concat());
        if !build(&file, text, options) {
            return;
        }
        let name = file.display();
        let mut lines = Vec::new();
        for kind in ["dbm", "dbmnz", "dbmjz"] {
            for key in ["Alpha", "alpha", "beta", "q k", "nosuch"] {
                lines.push(format!("${{lookup{{{key}}}{kind}{{{name}}}{{<$value>}}{{none}}}}"));
            }
        }
        agree(&lines);
    }
}

/// Pairs that need every form of item that a page can have.
fn pairs(count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    let mut pairs: Vec<_> = (0..count)
        .map(|n| pair(format!("key{n}\0").as_bytes(), format!("value {n}\0").as_bytes()))
        .collect();
    pairs.extend([
        pair(b"alpha\0", b"with zero\0"),
        pair(b"alpha", b"without zero"),
        pair(b"empty\0", b""),
        pair(b"cut\0", b"be\0hind\0"),
        pair(b"", b"no key\0"),
        pair(b"long\0", &[b'L'; 200_000]),
        pair(&[&[b'K'; 3000][..], b"\0"].concat(), b"long key\0"),
        pair(&[&[b'K'; 3000][..], b"x\0"].concat(), b"longer key\0"),
        pair(&[&[b'Z'; 100_000][..], b"\0"].concat(), &[b'z'; 70_000]),
    ]);
    pairs
}

#[test]
fn tables_and_trees_of_all_forms() {
    let dir = TempDir::new().expect("a directory");
    let pairs = pairs(3000);
    let forms = [
        "",
        "\ndb_lorder=4321",
        "\ndb_pagesize=512",
        "\ndb_pagesize=65536",
        "\nchksum=1",
        "\nchksum=1\ndb_lorder=4321\ndb_pagesize=1024",
    ];
    let mut lines = Vec::new();
    for kind in ["hash", "btree"] {
        for (index, form) in forms.iter().enumerate() {
            let file = dir.path().join(format!("{kind}{index}"));
            if !load(&file, &format!("type={kind}{form}"), &pairs, &[]) {
                return;
            }
            for (key, value) in &pairs {
                has(&file, key, value);
            }
            for key in ["key", "key3000\0", "key1", "a\0", "zzz\0", "\0", "K\0"] {
                lacks(&file, key.as_bytes());
            }
            lacks(&file, &[b'K'; 3000]);
            lacks(&file, &[b'Z'; 100_000]);
            let name = file.display();
            for key in ["key0", "key2999", "key3000", "alpha", "empty", "cut", "long"] {
                lines.push(format!("${{lookup{{{key}}}dbm{{{name}}}{{<$value>}}{{none}}}}"));
                lines.push(format!("${{lookup{{{key}}}dbmnz{{{name}}}{{<$value>}}{{none}}}}"));
            }
        }
    }
    agree(&lines);
}

#[test]
fn the_first_of_several_values() {
    let dir = TempDir::new().expect("a directory");
    let pair = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
    let mut pairs = pairs(100);
    for value in ["zeta\0", "alpha\0", "mu\0"] {
        pairs.push(pair("few\0", value));
    }
    for n in 0..5000 {
        pairs.push(pair("many\0", &format!("value {}\0", n + 1_000_000)));
    }
    for value in ["b", "a"] {
        pairs.push(pair("long ones\0", &value.repeat(50_000)));
    }
    let mut lines = Vec::new();
    for kind in ["hash", "btree"] {
        for form in ["duplicates=1", "duplicates=1\ndupsort=1"] {
            for size in [512, 4096] {
                let file = dir.path().join(format!("{kind}{}{size}", form.len()));
                let head = format!("type={kind}\ndb_pagesize={size}\n{form}");
                if !load(&file, &head, &pairs, &[]) {
                    return;
                }
                let sorted = form.contains("dupsort");
                has(&file, b"few\0", if sorted { b"alpha\0" } else { b"zeta\0" });
                has(&file, b"many\0", b"value 1000000\0");
                has(&file, b"key77\0", b"value 77\0");
                let name = file.display();
                for key in ["few", "many", "long ones", "key77", "alpha", "nosuch"] {
                    lines.push(format!("${{lookup{{{key}}}dbm{{{name}}}{{<$value>}}{{none}}}}"));
                }
            }
        }
    }
    agree(&lines);
}

#[test]
fn other_versions() {
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("9");
    if !load(&file, "type=hash\ndb_pagesize=512", &pairs(500), &[]) {
        return;
    }
    let bytes = std::fs::read(&file).expect("a file");
    // Until version 8 the items of a page were in no order, which the kind of
    // the page tells.
    let mut older = bytes.clone();
    older[16] = 8;
    for page in older.chunks_exact_mut(512).skip(1).filter(|page| page[25] == 13) {
        page[25] = 2;
    }
    let mut newer = bytes.clone();
    newer[16] = 10;
    for (name, bytes) in [("8", older), ("10", newer)] {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).expect("a file");
        for (key, value) in pairs(500) {
            has(&file, &key, &value);
        }
        lacks(&file, b"key500\0");
    }
    agree(&[format!("${{lookup{{key77}}dbm{{{}/8}}}}", dir.path().display())]);
    for version in [0, 6, 11, 255] {
        let mut unknown = bytes.clone();
        unknown[16] = version;
        std::fs::write(&file, unknown).expect("a file");
        let message = format!("version {version} of the format is not read");
        assert_eq!(find(&file, b"key1\0"), Err(DatabaseError::Header(message)));
    }
}

#[test]
fn what_is_no_such_file_is_refused_in_clear_words() {
    let dir = TempDir::new().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let answer = |file: &Path| {
        let name = file.display();
        let said = Ours::new().answer(format!("${{lookup{{a}}dbm{{{name}}}}}").as_bytes());
        let said = String::from_utf8(said).expect("text");
        let begin = format!("Failed: failed to open {name} as a db (v4.1+) file: ");
        said.strip_prefix(&begin).unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    let foreign = "unexpected file type or format";
    for (name, bytes) in
        [("empty", &b""[..]), ("text", b"a: b\n"), ("zeros", &[0; 5000]), ("ones", &[255; 5000])]
    {
        std::fs::write(path(name), bytes).expect("a file");
        assert_eq!(answer(&path(name)), foreign, "{name}");
    }
    for magic in [0x1357_9acdu32, 0x1357_9ace, 0x1357_9acf] {
        for magic in [magic.to_le_bytes(), magic.to_be_bytes()] {
            let bytes: Vec<u8> = magic.into_iter().chain([0; 4000]).collect();
            std::fs::write(path("gdbm"), bytes).expect("a file");
            assert_eq!(answer(&path("gdbm")), format!("{foreign} (this is a GDBM file)"));
        }
    }
    assert_eq!(answer(dir.path()), "Is a directory");
    assert_eq!(answer(&path("nosuch")), "No such file or directory");
    assert_eq!(answer(Path::new("/dev/null")), foreign);
    assert_eq!(answer(Path::new("/dev/zero")), foreign);
    let pipe = path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    assert_eq!(answer(&pipe), foreign);

    let file = path("file");
    if !load(&file, "type=hash", &pairs(10), &[]) {
        return;
    }
    let bytes = std::fs::read(&file).expect("a file");
    for (length, why) in [
        (0, foreign),
        (511, foreign),
        (512, "file size not a multiple of the pagesize"),
        (8191, "file size not a multiple of the pagesize"),
    ] {
        std::fs::write(&file, &bytes[..length]).expect("a file");
        assert_eq!(answer(&file), why);
    }
    std::fs::write(&file, &bytes[..4096]).expect("a file");
    assert_eq!(find(&file, b"alpha\0"), Err(DatabaseError::Corrupt));
    let mut other = bytes.clone();
    other[92] ^= 1;
    std::fs::write(&file, other).expect("a file");
    assert_eq!(answer(&file), "the file is made with a hash function of its own");
    if load(&path("secret"), "type=hash", &pairs(10), &["-P", "password"]) {
        assert_eq!(answer(&path("secret")), "the file is encrypted");
    }
}

#[test]
fn keys_that_are_numbers_are_no_text() {
    let dir = TempDir::new().expect("a directory");
    let records = [(b"1".to_vec(), b"one\0".to_vec()), (b"2".to_vec(), b"two\0".to_vec())];
    let mut lines = Vec::new();
    for kind in ["recno", "queue\nre_len=10", "heap"] {
        let file = dir.path().join(&kind[..4]);
        let none: &[(Vec<u8>, Vec<u8>)] = &[];
        let values: Vec<_> = records.iter().map(|(_, value)| value.clone()).collect();
        // Such a dump has values only: they pair up just as well.
        let pairs = [(values[0].clone(), values[1].clone())];
        let pairs = if kind == "heap" { none } else { &pairs[..] };
        if !load(&file, &format!("type={kind}"), pairs, &[]) {
            return;
        }
        lacks(&file, b"1\0");
        lacks(&file, b"\x01\0\0\0");
        let name = file.display();
        for key in ["1", "aaa", "aaaa"] {
            lines.push(format!("${{lookup{{{key}}}dbm{{{name}}}{{<$value>}}{{none}}}}"));
        }
    }
    agree(&lines);
}

#[test]
fn damaged_files_neither_panic_nor_hang() {
    let dir = TempDir::new().expect("a directory");
    let file: PathBuf = dir.path().join("file");
    let mut random = fastrand::Rng::with_seed(7);
    let mut pairs = pairs(300);
    pairs.retain(|(key, value)| key.len() < 5000 && value.len() < 5000);
    pairs.push((b"long\0".to_vec(), vec![b'L'; 3000]));
    for n in 0..400 {
        pairs.push((b"many\0".to_vec(), format!("value {n}\0").into_bytes()));
    }
    let begun = Instant::now();
    let (mut fine, mut refused) = (0, 0);
    for kind in ["hash", "btree"] {
        let head = format!("type={kind}\ndb_pagesize=512\nduplicates=1\ndupsort=1");
        let whole = dir.path().join(kind);
        if !load(&whole, &head, &pairs, &[]) {
            return;
        }
        let whole = std::fs::read(&whole).expect("a file");
        let heads: Vec<usize> = (0..whole.len() / 512).map(|page| page * 512).collect();
        let keys: [&[u8]; 7] =
            [b"key7\0", b"key299\0", b"many\0", b"long\0", b"alpha", b"nosuch\0", b""];
        for round in 0..1000 {
            let mut bytes = whole.clone();
            for _ in 0..random.usize(1..=8) {
                // Half of the damage where it matters most: in the first page
                // and in the heads of the others.
                let at = match random.u8(0..4) {
                    0 => random.usize(0..200),
                    1 => random.choice(&heads).copied().unwrap_or_default() + random.usize(0..64),
                    _ => random.usize(0..bytes.len()),
                };
                bytes[at] =
                    if random.bool() { random.u8(..) } else { bytes[at] ^ (1 << random.u8(0..8)) };
            }
            if round % 10 == 0 {
                bytes.truncate(random.usize(0..bytes.len()) / 512 * 512);
            }
            std::fs::write(&file, &bytes).expect("a file");
            for key in keys {
                match find(&file, key) {
                    Ok(_) => fine += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    // Both happen, or the test does not test.
    assert!(fine > 1000 && refused > 1000, "{fine} {refused}");
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[test]
fn pages_that_lead_in_a_circle() {
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("file");
    // One bucket would not hold them: many pages follow each other.
    if !load(&file, "type=hash\ndb_pagesize=512\nh_ffactor=100000", &pairs(2000), &[]) {
        return;
    }
    has(&file, b"key1999\0", b"value 1999\0");
    let whole = std::fs::read(&file).expect("a file");
    let mut circles = 0;
    for page in 1..whole.len() / 512 {
        let next = page * 512 + 16;
        if whole[page * 512 + 25] != 13 || whole[next..next + 4] == [0; 4] {
            continue;
        }
        for target in [1u32, 2, page as u32] {
            let mut bytes = whole.clone();
            bytes[next..next + 4].copy_from_slice(&target.to_le_bytes());
            std::fs::write(&file, &bytes).expect("a file");
            if find(&file, b"nosuch\0") == Err(DatabaseError::Corrupt) {
                circles += 1;
            }
        }
    }
    assert!(circles > 0);
}
