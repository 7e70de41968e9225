//! Where the hints' file stands, and how it is made and put aside.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown, lchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eximious_core::world::HintsError;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::databases::words;

/// How long to wait until another has made the file or put it aside.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Links are not followed: who may write there must not lead another elsewhere.
const NO_LINK: i32 = OFlags::NOFOLLOW.bits().cast_signed();
/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// Device and inode.
pub type FileIdentity = (u64, u64);

/// The file's name, and those of the files that belong to it.
pub struct HintsPlace {
    /// The file itself.
    pub file: PathBuf,
    directory: PathBuf,
    /// To whom it belongs if the superuser makes it, where that is known.
    owner: Option<(u32, u32)>,
    aside: PathBuf,
    lock: PathBuf,
    logs: [PathBuf; 3],
}

impl HintsPlace {
    /// Below a spool directory.
    pub fn below(spool: &Path, owner: Option<(u32, u32)>) -> Self {
        let directory = spool.join("db");
        let named = |name| directory.join(name);
        let logs =
            [named("hints.sqlite-wal"), named("hints.sqlite-shm"), named("hints.sqlite-journal")];
        Self {
            file: named("hints.sqlite"),
            aside: named("hints.sqlite.broken"),
            lock: named("hints.lock"),
            logs,
            owner,
            directory,
        }
    }

    /// Which file stands there; `None` where there is none.
    pub fn identity(&self) -> Result<Option<FileIdentity>, HintsError> {
        match fs::symlink_metadata(&self.file) {
            Ok(data) => Ok(Some((data.dev(), data.ino()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Keeps all others from making the file and from putting it aside, until
    /// the value goes.
    pub fn lock(&self) -> Result<File, HintsError> {
        self.lock_file().map_err(failed)
    }

    fn lock_file(&self) -> io::Result<File> {
        let make = || DirBuilder::new().mode(0o750).create(&self.directory);
        let made = make().or_else(|error| match (error.kind(), self.directory.parent()) {
            (ErrorKind::NotFound, Some(spool)) => {
                // Nobody has received a message here yet.
                DirBuilder::new().mode(0o750).recursive(true).create(spool)?;
                make()
            }
            _ => Err(error),
        });
        match made {
            Ok(()) => self.give(|uid, gid| lchown(&self.directory, uid, gid))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let file = match existing().open(&self.lock) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.create(&self.lock)?,
            result => result?,
        };
        if !file.metadata()?.is_file() {
            let name = self.lock.display();
            return Err(io::Error::other(format!("{name} is not a regular file")));
        }
        let end = Instant::now() + LOCK_WAIT;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file),
                Err(Errno::WOULDBLOCK) if Instant::now() < end => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(ErrorKind::TimedOut.into()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes the file, if it is not there; says whether something else was put aside for it. Only
    /// who has the lock may do that.
    pub fn make(&self) -> Result<(FileIdentity, bool), HintsError> {
        let was_other = match fs::symlink_metadata(&self.file) {
            Ok(data) if data.is_file() => return Ok(((data.dev(), data.ino()), false)),
            // A link may lead anywhere, and a pipe makes who opens it wait.
            Ok(_) => self.move_aside().map(|()| true).map_err(failed)?,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        self.remove_logs();
        let file = self.create(&self.file).map_err(failed)?;
        let data = file.metadata().map_err(failed)?;
        Ok(((data.dev(), data.ino()), was_other))
    }

    /// Puts the file aside, unless another one stands there already; says
    /// whether it was there.
    pub fn put_aside(&self, identity: FileIdentity) -> Result<bool, HintsError> {
        let _alone = self.lock()?;
        if self.identity()? != Some(identity) {
            return Ok(false);
        }
        self.move_aside().map_err(failed)?;
        self.remove_logs();
        Ok(true)
    }

    /// One broken file is kept for who wants to look at it.
    fn move_aside(&self) -> io::Result<()> {
        fs::rename(&self.file, &self.aside).or_else(|_| {
            fs::remove_dir_all(&self.aside).or_else(|_| fs::remove_file(&self.aside))?;
            fs::rename(&self.file, &self.aside)
        })
    }

    fn remove_logs(&self) {
        for log in &self.logs {
            // Most of the time it is not there.
            let _ = fs::remove_file(log);
        }
    }

    /// Opens a file, and makes it where it is not there.
    fn create(&self, path: &Path) -> io::Result<File> {
        match existing().mode(0o640).create_new(true).open(path) {
            // Another made it just now.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => existing().open(path),
            Err(error) => Err(error),
            Ok(file) => {
                self.give(|uid, gid| fchown(&file, uid, gid))?;
                Ok(file)
            }
        }
    }

    /// What the superuser makes belongs to the mail server's user, who is to use it, too;
    /// where it isn't known who that is, to whom the spool directory belongs to.
    fn give(&self, to: impl Fn(Option<u32>, Option<u32>) -> io::Result<()>) -> io::Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let (user, group) = match (self.owner, self.directory.parent()) {
            (Some(owner), _) => owner,
            (None, Some(spool)) => {
                let about = fs::metadata(spool)?;
                (about.uid(), about.gid())
            }
            (None, None) => return Ok(()),
        };
        to(Some(user), Some(group))
    }
}

fn failed(error: io::Error) -> HintsError {
    match error.kind() {
        ErrorKind::PermissionDenied => HintsError::Denied,
        ErrorKind::TimedOut => HintsError::Busy,
        _ => HintsError::Other(words(&error)),
    }
}

/// How a file is opened that is there. Who opens a pipe to read and write it waits for nobody.
fn existing() -> OpenOptions {
    let mut how = File::options();
    how.read(true).write(true).custom_flags(NO_LINK);
    how
}
