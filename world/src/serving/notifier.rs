//! A socket where other programs tell a daemon that something waits for it.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;

use rustix::io::Errno;

/// How long a message may be.
const LONGEST: usize = 4096;

/// A daemon's end.
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    path: Option<PathBuf>,
}

impl Notifier {
    /// Opens the socket at a path from the root, or, where that begins with `@`, in the
    /// system's table of names. At a path, nobody but the user of this process, and the
    /// superuser, reaches it.
    ///
    /// # Errors
    /// What the system says; somebody else listens there. What stands at the path and is no
    /// socket stays there.
    pub fn open(path: &[u8]) -> io::Result<Self> {
        if let Some(name) = path.strip_prefix(b"@") {
            let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
            return Ok(Self { socket, path: None });
        }
        let path = PathBuf::from(from_root(path)?);
        // One that nobody listens at is left over from an earlier daemon.
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket()) {
            if UnixDatagram::unbound()?.connect(&path).is_ok() {
                return Err(Errno::ADDRINUSE.into());
            }
            std::fs::remove_file(&path)?;
        }
        let socket = UnixDatagram::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path: Some(path) })
    }

    /// Waits for a message.
    ///
    /// # Errors
    /// What the system says.
    pub fn hear(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; LONGEST];
        let length = self.socket.recv(&mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Where it is, if it is a file.
    pub fn path(&self) -> Option<&std::path::Path> {
        self.path.as_deref()
    }
}

/// Tells a daemon something; nothing waits.
///
/// # Errors
/// Nobody listens there, or has no room for more.
pub fn notify(path: &[u8], message: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    let sent = match path.strip_prefix(b"@") {
        Some(name) => socket.send_to_addr(message, &SocketAddr::from_abstract_name(name)?)?,
        None => socket.send_to(message, from_root(path)?)?,
    };
    match sent == message.len() {
        true => Ok(()),
        false => Err(io::ErrorKind::WriteZero.into()),
    }
}

/// A path, where it does not hang on the directory at hand, which is anybody's.
fn from_root(path: &[u8]) -> io::Result<&OsStr> {
    match path.starts_with(b"/") {
        true => Ok(OsStr::from_bytes(path)),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let name = format!("@eximious-notifier-{}", std::process::id());
        let here = std::env::temp_dir().join(&name[1..]);
        for path in [name.as_bytes(), here.as_os_str().as_bytes()] {
            assert!(notify(path, b"x").is_err());
            let notifier = Notifier::open(path).unwrap();
            notify(path, b"deliver it").unwrap();
            assert_eq!(notifier.hear().unwrap(), b"deliver it");
            // Where nobody hears, no sender waits.
            while notify(path, &[b'x'; LONGEST]).is_ok() {}
            assert!(Notifier::open(path).is_err(), "somebody listens there");
        }
        assert!(Notifier::open(&name.as_bytes()[1..]).is_err(), "it is no path from the root");
        // One that is left over is no hindrance; a file is.
        let path = here.as_os_str().as_bytes();
        drop(Notifier::open(path).unwrap());
        std::fs::remove_file(&here).unwrap();
        std::fs::write(&here, "mine").unwrap();
        assert!(Notifier::open(path).is_err());
        assert_eq!(std::fs::read(&here).unwrap(), b"mine");
        std::fs::remove_file(&here).unwrap();
    }
}
