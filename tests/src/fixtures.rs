//! A directory of fixtures: what stands in `tests/data`, and files that are
//! made anew by the programs that own their formats.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The directory; it goes when this value does.
#[derive(Debug)]
pub struct Fixtures(TempDir);

impl Fixtures {
    /// Copies and makes the files.
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("eximious-").expect("a directory for fixtures");
        copy(&crate::root().join("tests/data"), dir.path());
        make(dir.path());
        Self(dir)
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts the directory in for `DIR`.
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        replace(text, b"DIR", self.path().as_os_str().as_encoded_bytes())
    }

    /// Puts `DIR` in for the directory.
    pub fn hide(&self, text: &[u8]) -> Vec<u8> {
        replace(text, self.path().as_os_str().as_encoded_bytes(), b"DIR")
    }
}

impl Default for Fixtures {
    fn default() -> Self {
        Self::new()
    }
}

/// Replaces all occurrences.
pub fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(what) {
            out.extend_from_slice(with);
            at += what.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

fn copy(from: &Path, to: &Path) {
    let Ok(entries) = std::fs::read_dir(from) else { return };
    for entry in entries.flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            std::fs::create_dir_all(&target).expect("a directory for fixtures");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a fixture");
        }
    }
}

/// Files whose formats belong to programs: `NAME.mdb` from `NAME.mdb.txt` by
/// `mdb_load`, `NAME.sqlite` from `NAME.sqlite.sql` by `sqlite3`, `NAME.cdb`
/// from `NAME.cdb.txt` by `cdb`, `NAME.dbm` from `NAME.dbm.txt` by
/// `exim_dbmbuild`, `NAME.bdb` from `NAME.bdb.txt` by `db5.3_load`.
fn make(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let source = entry.path();
        if let Some(stem) = name.strip_suffix(".mdb.txt") {
            let target = dir.join(format!("{stem}.mdb"));
            feed(Command::new("mdb_load").arg("-n").arg("-T").arg(&target), &source);
        } else if let Some(stem) = name.strip_suffix(".sqlite.sql") {
            feed(Command::new("sqlite3").arg(dir.join(format!("{stem}.sqlite"))), &source);
        } else if let Some(stem) = name.strip_suffix(".cdb.txt") {
            let target = dir.join(format!("{stem}.cdb"));
            feed(Command::new("cdb").arg("-c").arg("-m").arg(&target), &source);
        } else if let Some(stem) = name.strip_suffix(".dbm.txt") {
            let target = dir.join(format!("{stem}.dbm"));
            let mut build = Command::new("/usr/sbin/exim_dbmbuild");
            build.args(["-noduperr", "-nowarn", "-"]).arg(&target);
            feed(&mut build, &source);
        } else if let Some(stem) = name.strip_suffix(".bdb.txt") {
            let target = dir.join(format!("{stem}.bdb"));
            feed(Command::new("db5.3_load").arg(&target), &source);
        }
    }
}

fn feed(command: &mut Command, input: &Path) {
    let input = std::fs::File::open(input).expect("a fixture's source");
    match command.stdin(input).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => {}
        other => {
            assert!(!crate::in_ci(), "{command:?}: {other:?}");
            eprintln!("LEFT OUT: {command:?}: {other:?}");
        }
    }
}
