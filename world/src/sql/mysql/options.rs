//! The option files of MySQL's clients: what they say for a group of theirs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The files that all clients read, in this order; what a later one says goes
/// before what an earlier one says.
const FILES: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// The file of the user's own, in the home directory.
const OWN: &str = ".my.cnf";
/// The groups that are read for all clients.
const COMMON: [&[u8]; 3] = [b"client", b"client-server", b"client-mariadb"];
/// Which group is read besides, where a server's description names none.
const GROUP: &[u8] = b"exim";
/// How deep files may include each other, and how long one may be.
const DEEPEST: u32 = 8;
const LONGEST: u64 = 1 << 20;

/// What an option file can say.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// The socket.
    pub socket: Option<Vec<u8>>,
    /// The port.
    pub port: Option<u16>,
    /// The user.
    pub user: Option<Vec<u8>>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// The database.
    pub database: Option<Vec<u8>>,
}

/// What the files say for a group.
pub fn read_options(group: Option<&[u8]>) -> Options {
    let mut options = Options::default();
    let group = group.unwrap_or(GROUP);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(OWN));
    for file in FILES.iter().map(PathBuf::from).chain(home) {
        read_file(&file, group, &mut options, 0);
    }
    options
}

fn read_file(path: &Path, group: &[u8], options: &mut Options, depth: u32) {
    let fits = |path: &Path| path.metadata().is_ok_and(|m| m.is_file() && m.len() <= LONGEST);
    if depth > DEEPEST || !fits(path) {
        return;
    }
    let Ok(text) = std::fs::read(path) else { return };
    let mut counts = false;
    for line in text.split(|c| *c == b'\n') {
        let line = line.trim_ascii();
        match line.first() {
            None | Some(b'#' | b';') => {}
            Some(b'!') => include(line, group, options, depth),
            Some(b'[') => {
                let end = line.iter().position(|c| *c == b']').unwrap_or(line.len());
                let name = &line[1..end];
                counts = name == group || COMMON.contains(&name);
            }
            Some(_) if counts => options.set(line),
            Some(_) => {}
        }
    }
}

/// `!include file` and `!includedir directory`.
fn include(line: &[u8], group: &[u8], options: &mut Options, depth: u32) {
    let path = |text: &[u8]| PathBuf::from(OsStr::from_bytes(text.trim_ascii()));
    if let Some(directory) = line.strip_prefix(b"!includedir") {
        let Ok(entries) = std::fs::read_dir(path(directory)) else { return };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "cnf")) {
            read_file(file, group, options, depth + 1);
        }
    } else if let Some(file) = line.strip_prefix(b"!include") {
        read_file(&path(file), group, options, depth + 1);
    }
}

impl Options {
    /// `name = value`; in names, `-` and `_` are the same.
    fn set(&mut self, line: &[u8]) {
        let end = line.iter().position(|c| *c == b'=').unwrap_or(line.len());
        let name = line[..end].trim_ascii_end();
        let value = unquoted(line.get(end + 1..).unwrap_or_default().trim_ascii());
        match name {
            b"socket" => self.socket = Some(value),
            b"port" => {
                let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
                self.port = number.filter(|port| *port > 0);
            }
            b"user" => self.user = Some(value),
            b"password" => self.password = Some(value),
            b"database" => self.database = Some(value),
            _ => {}
        }
    }
}

/// A value without the quotes around it, and with its escapes read.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        value => value,
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'b') => out.push(8),
            Some(b's') => out.push(b' '),
            Some(other @ (b'"' | b'\'' | b'\\')) => out.push(other),
            Some(other) => out.extend_from_slice(&[b'\\', other]),
            None => out.push(b'\\'),
        }
    }
    out
}
