//! Mailboxes: what a local delivery wants written, as plain data, and what came of it.
//!
//! Who writes does it with the rights of the mailbox's user, and perhaps in another
//! process. So nothing is left to be expanded in an order, and what depends on what is
//! found there is asked of the one who ordered it ([`MailboxSupply`]).

use std::fmt;
use std::io;
use std::time::Duration;

/// The user and the groups that a local delivery runs as.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct LocalUser {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The other groups (`initgroups`).
    pub groups: Vec<u32>,
}

/// What is to be written where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailboxOrder {
    /// Whose rights count.
    pub user: LocalUser,
    /// The file, or the directory: an absolute path.
    pub path: Vec<u8>,
    /// What is there.
    pub form: MailboxForm,
    /// The permissions of directories that are missing; `None` where none is made.
    pub directory_mode: Option<u32>,
    /// Where a new file or directory has to be, if it may not be anywhere.
    pub within: Option<MailboxPlace>,
    /// The permissions of files.
    pub mode: u32,
    /// The name of this host, for names of files.
    pub host: Vec<u8>,
    /// How much may be there.
    pub quota: MailboxQuota,
    /// The device on which a new file may be left to itself ([`MailboxDone::is_unsynced`]).
    pub covered: Option<u64>,
}

/// Where new files and directories have to be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxPlace {
    /// The directory.
    pub path: Vec<u8>,
    /// Whether they may be in directories below it, too.
    pub below: bool,
}

/// The form of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailboxForm {
    /// One file, to which messages are added.
    File(MailboxFile),
    /// A directory with a file for each message, as in maildir.
    Maildir {
        /// How often a name is looked for that is free.
        retries: u32,
        /// Whether the mark of a folder is made (`maildirfolder`).
        marks_folder: bool,
        /// Whether sizes are kept in a file (`maildirsize`).
        keeps_sizes: bool,
    },
    /// A directory with two files for each message, the envelope's and the message's,
    /// whose names begin with this.
    Mailstore {
        /// The name of the message.
        id: Vec<u8>,
    },
    /// A directory with a file for each message, whose name is asked for.
    Files,
}

/// How a mailbox that is one file is opened and locked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxFile {
    /// Whether an empty one begins as MBX files do.
    pub is_mbx: bool,
    /// Whether it has to be there.
    pub must_exist: bool,
    /// Whether it has to be the user's.
    pub checks_owner: bool,
    /// Whether it has to be the group's.
    pub checks_group: bool,
    /// Whether it may not have fewer permissions.
    pub refuses_narrower: bool,
    /// Whether it is given the permissions in any case.
    pub forces_mode: bool,
    /// Whether it may be a named pipe.
    pub allows_fifo: bool,
    /// Whether its name may be that of a link.
    pub allows_symlink: bool,
    /// What a file that is not empty may begin with, and whether it then is none of this
    /// transport's; anything where that is not said.
    pub formats: Option<Vec<(Vec<u8>, bool)>>,
    /// How it is locked.
    pub lock: MailboxLock,
}

/// How a mailbox that is one file is locked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxLock {
    /// Whether by a file beside it.
    pub by_file: bool,
    /// Whether by `fcntl`.
    pub by_fcntl: bool,
    /// Whether by `flock`.
    pub by_flock: bool,
    /// Whether as MBX files are: shared, with another file for whoever writes.
    pub by_mbx: bool,
    /// The permissions of lock files.
    pub file_mode: u32,
    /// How old a lock file may be, before nobody counts on it any more.
    pub file_timeout: Duration,
    /// How long to wait for `fcntl` while the file is open; not at all where it is zero.
    pub fcntl_timeout: Duration,
    /// How long to wait for `flock` while the file is open; not at all where it is zero.
    pub flock_timeout: Duration,
    /// How often locks are tried; none is had where they never are.
    pub retries: u32,
    /// How long it is from one try to the next.
    pub interval: Duration,
}

/// How much may be in a mailbox. Zero is no limit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxQuota {
    /// How many bytes.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
    /// Whether more than those bytes are refused.
    pub refuses_bytes: bool,
    /// Whether more than those files are refused.
    pub refuses_files: bool,
    /// How many bytes the message is taken to have; `None` where only what is there
    /// before it counts.
    pub adds: Option<u64>,
    /// Whether what is there is measured though nothing is refused.
    pub measures: bool,
    /// How many bytes there are, where somebody else knows.
    pub known_bytes: Option<u64>,
    /// How many files there are, where somebody else knows.
    pub known_files: Option<u64>,
    /// The directory that is measured, if not the one that is written to.
    pub directory: Option<Vec<u8>>,
    /// Whether names of files may tell their sizes.
    pub names_tell: bool,
}

/// What is told with an order, so that nobody needs to ask for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxBeforehand {
    /// The first bytes of what is to be written.
    pub bytes: Vec<u8>,
    /// Whether there are no more.
    pub is_all: bool,
    /// Whether nothing is added to the name of a file in a maildir, whatever is written.
    pub is_untagged: bool,
}

/// What the one who ordered has, and knows. Nothing else of the order's work is done while
/// it answers.
pub trait MailboxSupply {
    /// Tells what can be told before the work begins: of the bytes, no more than so many.
    fn beforehand(&mut self, most: usize) -> MailboxBeforehand {
        let _ = most;
        MailboxBeforehand::default()
    }

    /// Gives the next bytes of what is to be written; none at its end.
    ///
    /// # Errors
    /// It can't be had.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// The name of a file in a directory, from the file's number (`$inode`).
    ///
    /// # Errors
    /// Why there is none.
    fn name(&mut self, inode: u64) -> Result<Vec<u8>, MailboxFault>;

    /// What is added to the name of a file of so many bytes in a maildir.
    ///
    /// # Errors
    /// Why that is not known.
    fn tag(&mut self, written: u64) -> Result<Vec<u8>, MailboxFault>;

    /// The envelope, for a mailstore file with a name.
    ///
    /// # Errors
    /// Why there is none.
    fn envelope(&mut self, base: &[u8]) -> Result<Vec<u8>, MailboxFault>;

    /// The size that the name of a file tells, for each name.
    fn sizes(&mut self, names: &[Vec<u8>]) -> Vec<Option<u64>>;

    /// Whether what is in a directory of a maildir counts; its name is relative.
    fn counts(&mut self, directory: &[u8]) -> bool;
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxDone {
    /// The file.
    pub path: Vec<u8>,
    /// How many bytes were written.
    pub written: u64,
    /// How many bytes were there before, where that was measured.
    pub bytes_before: Option<u64>,
    /// How many files were there before, where that was measured.
    pub files_before: Option<u64>,
    /// Where in its file the message begins.
    pub offset: u64,
    /// Whether it comes to the disk when the system has it so, and whoever ordered sees to it
    /// that nothing is lost until then ([`MailboxCover`], [`UserFileWork::Settle`]).
    pub is_unsynced: bool,
}

/// What has deliveries made again that a power failure took, so that mailboxes need no sync
/// for each: many share one.
pub trait MailboxCover: Send + Sync + fmt::Debug {
    /// The device whose files need no sync, where [`MailboxCover::cover`] is asked for each.
    fn device(&self) -> Option<u64>;

    /// Has a file that is written, and has its name, made again after a power failure that takes
    /// it: the file's path and its length. False where it is to be synced instead.
    fn cover(&self, path: &[u8], length: u64) -> bool;
}

/// Why nothing was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxFault {
    /// The system's number of the error, or one of Exim's own, which are negative.
    pub number: i32,
    /// Exim's words.
    pub message: Vec<u8>,
    /// What kind of fault it is.
    pub kind: MailboxFaultKind,
}

/// Kinds of faults.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MailboxFaultKind {
    /// Any: it may be better another time.
    #[default]
    Any,
    /// There is no room in the mailbox. With it, for how many seconds nobody has read it,
    /// where that is known.
    Quota(Option<i64>),
    /// Somebody may have meddled with it: the message is to be frozen.
    Suspect,
    /// The file begins in the way of this number in the order's list.
    Format(usize),
    /// What was asked back can't be answered: an option makes no sense.
    Senseless,
    /// There is no directory for a file that is new.
    Placeless,
    /// Nobody here has the rights for it: nothing was tried.
    Untried,
}

impl MailboxFault {
    /// One of any kind.
    pub fn new(number: i32, message: impl Into<Vec<u8>>) -> Self {
        Self { number, message: message.into(), kind: MailboxFaultKind::Any }
    }

    /// What the system said, in words.
    pub fn of(error: &io::Error, message: impl Into<Vec<u8>>) -> Self {
        Self::new(error.raw_os_error().unwrap_or(0), message)
    }
}

/// What is done to a small file of a user's: a log, or a note of who had an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserFileOrder {
    /// Whose rights count.
    pub user: LocalUser,
    /// The file: an absolute path.
    pub path: Vec<u8>,
    /// What is done.
    pub work: UserFileWork,
}

/// What is done to a file of a user's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserFileWork {
    /// It is a directory, and nothing is done but to find out whether the user can be in it.
    Enter,
    /// It is read, where it has no more than so many bytes.
    Read(u64),
    /// These bytes are added to it, in one piece. A file that is not there is made, with
    /// these permissions.
    Append(u32, Vec<u8>),
    /// These bytes take the place of what is in it. A file that is not there is made, with
    /// these permissions.
    Replace(u32, Vec<u8>),
    /// It is new, and was not synced ([`MailboxDone::is_unsynced`]): it is on disk, with its
    /// name, or it is gone.
    Settle,
    /// It is a directory, which is made with these permissions where it is not there, and
    /// so is what it lies in.
    MakeDirectory(u32),
}

/// Mailboxes, and the small files that users have beside them.
pub trait Mailboxes: Send + Sync {
    /// Writes a message into a mailbox, whole or not at all: when this returns well, it is
    /// on the disk, unless it was asked for otherwise ([`MailboxOrder::covered`]).
    ///
    /// # Errors
    /// Why not. Of the message, nothing is left.
    fn write(
        &self,
        order: &MailboxOrder,
        supply: &mut dyn MailboxSupply,
    ) -> Result<MailboxDone, MailboxFault>;

    /// Reads a small file, or writes to one; what was read. Where there are no files of
    /// users, none may be looked at.
    ///
    /// # Errors
    /// What the system says.
    fn file(&self, order: &UserFileOrder) -> io::Result<Vec<u8>> {
        let _ = order;
        Err(io::ErrorKind::PermissionDenied.into())
    }

    /// Whether somebody else had users' rights, who is gone: whatever fails then was not tried.
    fn is_abandoned(&self) -> bool {
        false
    }
}

/// Numbers of Exim's own that are no errors of the system's (`== … defer (-22)`).
pub mod fault {
    /// Nobody looked whether there is a mailbox.
    pub const UNCLEAR: i32 = -3;
    /// A file is not what it should be.
    pub const NOT_REGULAR: i32 = -4;
    /// A file is another user's, or another group's.
    pub const BAD_OWNER: i32 = -6;
    /// A file has other permissions than it should.
    pub const BAD_MODE: i32 = -7;
    /// A file changed while it was looked at.
    pub const CHANGED: i32 = -8;
    /// A lock can't be had.
    pub const LOCKED: i32 = -9;
    /// A path is not absolute.
    pub const NOT_ABSOLUTE: i32 = -21;
    /// There is no room in the mailbox.
    pub const QUOTA: i32 = -22;
    /// What a file begins with belongs to a transport that is not there.
    pub const NO_FORMAT_TRANSPORT: i32 = -30;
    /// What a file begins with is not known.
    pub const NO_FORMAT: i32 = -33;
    /// A file may not be made where it is wanted.
    pub const CREATION: i32 = -34;
}

impl MailboxLock {
    /// How long a lock is waited for while the file is open.
    fn longest_wait(&self) -> Duration {
        let fcntl = if self.by_fcntl { self.fcntl_timeout } else { Duration::ZERO };
        fcntl.max(if self.by_flock { self.flock_timeout } else { Duration::ZERO })
    }

    /// Whether the file is closed while a lock is waited for.
    pub fn waits_closed(&self) -> bool {
        self.longest_wait().is_zero()
    }

    /// How often an open file is tried to be locked, so that all tries together take about
    /// as long as was asked for.
    pub fn tries(&self) -> u32 {
        let wait = self.longest_wait().as_millis();
        match wait {
            0 => self.retries,
            _ if self.retries == 0 => 0,
            wait => {
                let all = self.interval.as_millis() * u128::from(self.retries);
                u32::try_from(all.div_ceil(wait)).unwrap_or(u32::MAX).max(1)
            }
        }
    }
}
