//! The site's configuration, which the superuser alone may read: a program that is installed
//! set-uid reads it for whoever calls it, and a daemon that has given the superuser's rights up
//! has it read by the process that has them.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eximious_core::World;
use eximious_core::world::{Files, Stat};
use rustix::fs::OFlags;

use crate::as_user::as_the_lender;
use crate::files::{bounded, what_is_said};
use crate::rights::are_put_aside;

/// The same world for reading the site's configuration: where the superuser's rights were put
/// aside ([`crate::rights::put_aside`]), files are read with them that nobody else may read,
/// as long as they and all that was read before are the superuser's, and nobody else can have
/// written them; where there is a helper, it reads those that it was started with.
pub fn reading_configuration(world: &World) -> World {
    let files = world.files.clone();
    World {
        files: Arc::new(ConfigurationFiles { files, is_trusted: AtomicBool::new(true) }),
        ..world.clone()
    }
}

/// Whether nobody but the superuser can have written a file.
pub(crate) fn is_superusers(about: &Stat) -> bool {
    about.is_file() && about.is_superusers()
}

struct ConfigurationFiles {
    files: Arc<dyn Files>,
    is_trusted: AtomicBool,
}

fn open(path: &[u8]) -> io::Result<(File, Stat)> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    let path = Path::new(OsStr::from_bytes(path));
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = what_is_said(&file.metadata()?);
    Ok((file, about))
}

impl ConfigurationFiles {
    /// Whether something may be asked with the superuser's rights that was denied without.
    fn is_denied(&self, why: &io::Error) -> bool {
        why.kind() == io::ErrorKind::PermissionDenied && self.is_trusted.load(Ordering::Relaxed)
    }

    fn seen_by_superuser(&self) -> Arc<dyn Files> {
        self.files.clone().seen_by(0, None)
    }
}

impl Files for ConfigurationFiles {
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        self.files.clone().seen_by(uid, gid)
    }

    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        let (file, about) = match open(path) {
            Err(why) if self.is_denied(&why) && are_put_aside() => {
                let lent = as_the_lender(|| open(path)).ok();
                lent.filter(|(_, about)| is_superusers(about)).ok_or(why)?
            }
            Err(why) if self.is_denied(&why) => {
                return self.seen_by_superuser().read(path, limit).map_err(|_| why);
            }
            opened => opened?,
        };
        if !is_superusers(&about) {
            // What it has included says nothing of what the superuser wants.
            self.is_trusted.store(false, Ordering::Relaxed);
            return self.files.read(path, limit);
        }
        Ok(bounded(file, about.size, limit)?.into())
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        match self.files.stat(path, follow) {
            Err(why) if self.is_denied(&why) && are_put_aside() => {
                let path = Path::new(OsStr::from_bytes(path));
                let look = || if follow { path.metadata() } else { path.symlink_metadata() };
                as_the_lender(look).map(|about| what_is_said(&about)).map_err(|_| why)
            }
            Err(why) if self.is_denied(&why) => {
                self.seen_by_superuser().stat(path, follow).map_err(|_| why)
            }
            found => found,
        }
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.files.names(path, most)
    }

    fn replace(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.files.replace(path, contents)
    }

    fn append(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.files.append(path, contents)
    }
}
