//! The option files of MySQL's clients: what they say for a group of theirs.
//!
//! Those of the system count, and those that the environment leads to, as far as
//! the configuration lets that in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use eximious_core::world::Server;

use crate::tls::TlsSettings;

/// The files that all clients read, in this order; what a later one says goes
/// before what an earlier one says.
const FILES: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// The groups that are read for all clients.
const COMMON: [&[u8]; 3] = [b"client", b"client-server", b"client-mariadb"];
/// Which group is read besides, where a server's description names none.
const GROUP: &[u8] = b"exim";
/// How deep files may include each other, and how long one may be.
const DEEPEST: u32 = 8;
const LONGEST: u64 = 1 << 20;

/// What an option file can say.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OptionFile {
    /// The socket.
    pub socket: Option<Vec<u8>>,
    /// The port.
    pub port: Option<u16>,
    /// The user.
    pub user: Option<Vec<u8>>,
    /// The database.
    pub database: Option<Vec<u8>>,
    /// How TLS is to be, where it is to be.
    pub tls: Option<TlsSettings>,
}

/// What the files say for a group.
pub fn read_options(server: &Server) -> OptionFile {
    let mut options = OptionFile::default();
    let group = server.group.as_deref().unwrap_or(GROUP);
    let port = server.variable("MYSQL_TCP_PORT").and_then(|port| std::str::from_utf8(port).ok());
    options.port = port.and_then(|port| port.parse().ok()).filter(|port| *port > 0);
    let own = [("MYSQL_HOME", "my.cnf"), ("HOME", ".my.cnf")];
    let own = own.into_iter().filter_map(|(variable, name)| {
        let directory = server.variable(variable).filter(|directory| !directory.is_empty())?;
        Some(Path::new(OsStr::from_bytes(directory)).join(name))
    });
    for file in FILES.map(PathBuf::from).into_iter().chain(own) {
        read_file(&file, group, &mut options, 0);
    }
    options
}

fn read_file(path: &Path, group: &[u8], options: &mut OptionFile, depth: u32) {
    if depth > DEEPEST {
        return;
    }
    let Ok(text) = crate::files::read(path, LONGEST) else { return };
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

/// `!include file` and `!includedir directory`; of a directory, the client's
/// library reads one file.
fn include(line: &[u8], group: &[u8], options: &mut OptionFile, depth: u32) {
    let path = |text: &[u8]| PathBuf::from(OsStr::from_bytes(text.trim_ascii()));
    let file = match line.strip_prefix(b"!includedir") {
        Some(directory) => path(directory).join("my.cnf"),
        None => match line.strip_prefix(b"!include") {
            Some(file) => path(file),
            None => return,
        },
    };
    read_file(&file, group, options, depth + 1);
}

impl OptionFile {
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
            b"database" => self.database = Some(value),
            _ if name.starts_with(b"ssl") => self.set_tls(name, &value),
            _ => {}
        }
    }
}

impl OptionFile {
    /// Whatever is said of certificates or ciphers, TLS is wanted then.
    fn set_tls(&mut self, name: &[u8], value: &[u8]) {
        let file = || Some(PathBuf::from(OsStr::from_bytes(value)));
        let name: Vec<u8> = name.iter().map(|c| if *c == b'_' { b'-' } else { *c }).collect();
        let mut tls = self.tls.take().unwrap_or_default();
        match &name[..] {
            b"ssl-ca" => tls.authorities = file(),
            b"ssl-capath" => tls.directory = file(),
            b"ssl-cert" => tls.certificate = file(),
            b"ssl-key" => tls.key = file(),
            b"ssl-cipher" => tls.ciphers = Some(String::from_utf8_lossy(value).into_owned()),
            b"ssl-verify-server-cert" => tls.named = !matches!(value, b"0" | b"off" | b"false"),
            _ => {}
        }
        tls.verified = tls.authorities.is_some() || tls.directory.is_some();
        self.tls = Some(tls).filter(|tls| *tls != TlsSettings::default());
    }
}

/// A value without the quotes around it, or a remark behind it, and with its
/// escapes read.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        value => value.split(|c| *c == b'#').next().unwrap_or_default().trim_ascii_end(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        let sub = directory.path().join("d");
        std::fs::create_dir(&sub).expect("a directory");
        std::fs::write(sub.join("my.cnf"), "[client]\nport=5\n").expect("a file");
        std::fs::write(sub.join("b.cnf"), "[client]\nport=6\n").expect("a file");
        let main = write(
            "main.cnf",
            &format!(
                "user=nobody\n# user=x\n[mysqld]\nuser=y\n[client-server]\nsocket = /s\\sx\n\
                 [exim]\nuser = \"a b\" \n database= 'd' \nport\nsocket=/s\\sx # here\n!includedir {}\n!include {}\n",
                sub.display(),
                directory.path().join("main.cnf").display(),
            ),
        );
        let read = |group: &[u8]| {
            let mut options = OptionFile::default();
            read_file(&main, group, &mut options, 0);
            options
        };
        let exim = read(b"exim");
        assert_eq!(exim.user.as_deref(), Some(&b"a b"[..]));
        assert_eq!(exim.database.as_deref(), Some(&b"d"[..]));
        assert_eq!(exim.socket.as_deref(), Some(&b"/s x"[..]));
        assert_eq!(read(b"other").user, None);
        assert_eq!((read(b"other").port, read(b"other").tls), (Some(5), None));
    }

    #[test]
    fn certificates_mean_tls() {
        let mut options = OptionFile::default();
        for line in [&b"ssl"[..], b"ssl=1", b"ssl-enforce"] {
            options.set(line);
            assert_eq!(options.tls, None);
        }
        options.set(b"ssl_ca = /ca");
        options.set(b"ssl-verify-server-cert");
        let wanted = TlsSettings {
            authorities: Some("/ca".into()),
            verified: true,
            named: true,
            ..TlsSettings::default()
        };
        assert_eq!(options.tls, Some(wanted));
    }
}
