//! Files as a user may see them, where nobody here can be that user: what this process
//! reads, as far as their permissions let the user read it, too.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eximious_core::world::{Files, Stat};
use rustix::fs::{Mode, OFlags};

use crate::files::{SystemFiles, is_null, what_is_said};

/// What permissions say of reading, and of looking for names in a directory.
const READ: u32 = 0o4;
const SEARCH: u32 = 0o1;

/// The system's files, as far as a user may see them.
#[derive(Clone, Copy, Debug)]
pub struct PermittedFiles {
    uid: u32,
    gid: Option<u32>,
}

impl PermittedFiles {
    /// A user and a group by number.
    pub fn new(uid: u32, gid: Option<u32>) -> Self {
        Self { uid, gid }
    }

    /// Refuses what the permissions of a file don't give the user.
    fn ask(self, about: &fs::Metadata, what: u32) -> io::Result<()> {
        let (uid, gid) = (about.uid(), about.gid());
        let shift = if uid == self.uid {
            6
        } else if Some(gid) == self.gid {
            3
        } else {
            0
        };
        match about.mode() >> shift & what == what {
            true => Ok(()),
            false => Err(rustix::io::Errno::ACCESS.into()),
        }
    }

    /// Refuses a path to which the user finds no way.
    fn ask_way(self, path: &Path) -> io::Result<()> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        for place in above {
            let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
            self.ask(&fs::metadata(place)?, SEARCH)?;
        }
        Ok(())
    }

    /// Holds what a path leads to, and whatever takes its place then; its name as it is held.
    fn hold(self, path: &Path, follow: bool) -> io::Result<(File, PathBuf)> {
        self.ask_way(path)?;
        let flags = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let held = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC | flags, Mode::empty())?;
        let name = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
        self.ask_way(&fs::read_link(&name)?)?;
        Ok((File::from(held), name))
    }

    /// Does something with what may be read, by its name.
    fn with_readable<T>(
        self,
        path: &[u8],
        look: impl FnOnce(&[u8]) -> io::Result<T>,
    ) -> io::Result<T> {
        let (held, name) = self.hold(Path::new(OsStr::from_bytes(path)), true)?;
        let about = held.metadata()?;
        self.ask(&about, READ)?;
        match about.is_file() || about.is_dir() || is_null(&about) {
            true => look(name.as_os_str().as_bytes()),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        }
    }
}

impl Files for PermittedFiles {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }

    fn read(&self, name: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.with_readable(name, |name| SystemFiles.read(name, limit))
    }

    fn stat(&self, name: &[u8], follow: bool) -> io::Result<Stat> {
        let (held, _) = self.hold(Path::new(OsStr::from_bytes(name)), follow)?;
        Ok(what_is_said(&held.metadata()?))
    }

    fn names(&self, name: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.with_readable(name, |name| SystemFiles.names(name, most))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn kind<T>(of: io::Result<T>) -> io::ErrorKind {
        of.err().map_or(io::ErrorKind::Other, |why| why.kind())
    }

    #[test]
    fn what_the_permissions_refuse_is_not_seen() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let modes = |name: &str, mode: u32| {
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        for name in ["open", "closed", "group"] {
            fs::write(at(name), name).unwrap();
        }
        fs::create_dir(at("inner")).unwrap();
        fs::write(at("inner/open"), "inner").unwrap();
        symlink(at("closed"), at("to-closed")).unwrap();
        symlink(at("inner/open"), at("to-inner")).unwrap();
        symlink("nowhere", at("to-nowhere")).unwrap();
        modes("", 0o755);
        modes("open", 0o644);
        modes("closed", 0o600);
        modes("group", 0o640);
        modes("inner", 0o700);

        // Somebody whom none of this belongs to, who may come as far as here or not.
        let own = fs::metadata(at("open")).unwrap();
        let stranger = PermittedFiles::new(own.uid() + 1, None);
        let read = |who: PermittedFiles, name: &str| who.read(at(name).as_os_str().as_bytes(), 99);
        let stat = |name: &str, follow| stranger.stat(at(name).as_os_str().as_bytes(), follow);
        let denied = io::ErrorKind::PermissionDenied;
        if stat("open", true).is_err() {
            return;
        }
        assert_eq!(&read(stranger, "open").unwrap()[..], b"open");
        for name in
            ["closed", "group", "inner/open", "inner/none", "to-closed", "to-inner", "inner"]
        {
            assert_eq!(kind(read(stranger, name)), denied, "{name}");
        }
        assert_eq!(kind(read(stranger, "none")), io::ErrorKind::NotFound);
        assert!(stat("closed", true).is_ok() && stat("to-nowhere", false).unwrap().is_link());
        for name in ["inner/open", "inner/none", "to-inner"] {
            assert_eq!(kind(stat(name, true)), denied, "{name}");
        }
        assert_eq!(kind(stranger.names(at("inner").as_os_str().as_bytes(), 9)), denied);
        assert_eq!(stranger.names(dir.path().as_os_str().as_bytes(), 99).unwrap().len(), 7);
        assert_eq!(&read(stranger, "/dev/null").unwrap()[..], b"");

        let member = PermittedFiles::new(own.uid() + 1, Some(own.gid()));
        assert_eq!(&read(member, "group").unwrap()[..], b"group");
        assert_eq!(kind(read(member, "closed")), denied);
        let owner = PermittedFiles::new(own.uid(), None);
        assert_eq!(&read(owner, "to-inner").unwrap()[..], b"inner");
    }
}
