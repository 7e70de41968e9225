//! The outside, as a struct of organs: a test replaces one of them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

mod brightmail;
mod dns;
pub mod domain;
mod fixture;
mod hermetic;
pub mod hints;
mod host;
mod ldap;
mod log;
pub mod mailbox;
mod net;
mod pipe;
mod sasl;
mod scan;
mod servers;
pub mod spool;
mod stopwatch;
mod tls;

pub use brightmail::{Brightmail, BrightmailAction, BrightmailQuestion, BrightmailVerdict};
pub use dns::{Dns, DnsAnswer, DnsError, DnsOptions, DnsRecord, DnsStanding};
pub use fixture::Fixture;
pub use hermetic::Fixed;
pub use hints::{Change, Hint, HintStore, Hints, HintsError, HintsInMemory};
pub use host::{Host, Room};
pub use ldap::{
    Ldap, LdapAnswer, LdapEntry, LdapError, LdapOperation, LdapProtection, LdapRequest, LdapResult,
    LdapSearch, LdapServer, LdapTls, LdapTrouble,
};
pub use log::{DebugLog, Log, LogLine, LogOptions, LogPart, LogVoice, log_of};
pub use mailbox::{
    LocalUser, MailboxBeforehand, MailboxCover, MailboxDone, MailboxFault, MailboxOrder,
    MailboxSupply, Mailboxes, UserFileOrder, UserFileWork,
};
pub use net::{Dialing, Net, NisError, PageFault, PageOrder, WebPage, WhosonError};
pub use pipe::{Dialogue, LocalPeer, PeerOrder, PipeEnd, PipeFault, PipeOrder};
pub use sasl::{
    Sasl, SaslAnswers, SaslError, SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslStart,
    SaslStep, SaslValues,
};
pub use scan::{ScanDirectory, ScanFile};
pub use servers::{Redis, RedisReply, Server, ServerAddress, ServerError, Sql, SqlAnswer, SqlKind};
pub use spool::{
    HeldMessage, Spool, SpoolData, SpoolEntry, SpoolError, SpoolInMemory, SpoolPlace, SpoolStep,
    TakenMessage,
};
pub use tls::{
    Tls, TlsAuthorities, TlsBinding, TlsClient, TlsDane, TlsDemand, TlsFacts, TlsFault, TlsHeard,
    TlsProgress, TlsResumption, TlsServer, TlsSession, TlsaRecord,
};

/// The outside. No other room touches files, sockets, processes or the clock.
#[derive(Clone)]
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random numbers.
    pub random: Arc<dyn Random>,
    /// Files and directories.
    pub files: Arc<dyn Files>,
    /// Sockets.
    pub net: Arc<dyn Net>,
    /// Processes.
    pub processes: Arc<dyn Processes>,
    /// Users and groups.
    pub users: Arc<dyn Users>,
    /// This host and this process.
    pub host: Arc<dyn Host>,
    /// Databases in files.
    pub databases: Arc<dyn Databases>,
    /// SQL servers.
    pub sql: Arc<dyn Sql>,
    /// Redis servers.
    pub redis: Arc<dyn Redis>,
    /// LDAP servers.
    pub ldap: Arc<dyn Ldap>,
    /// The DNS.
    pub dns: Arc<dyn Dns>,
    /// Functions in shared objects.
    pub libraries: Arc<dyn Libraries>,
    /// Libraries that speak mechanisms of SASL.
    pub sasl: Arc<dyn Sasl>,
    /// TLS.
    pub tls: Arc<dyn Tls>,
    /// What is remembered from one message to the next.
    pub hints: Arc<dyn Hints>,
    /// What plays Brightmail AntiSpam.
    pub brightmail: Arc<dyn Brightmail>,
    /// Messages that wait.
    pub spool: Arc<dyn Spool>,
    /// Mailboxes of users.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// The logs.
    pub log: Arc<dyn Log>,
}

impl World {
    /// The hints of a spool directory.
    pub fn hint_store(&self, spool: &[u8]) -> Arc<dyn HintStore> {
        self.hints.open(spool, self.log.clone())
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// A point in time: seconds and nanoseconds since 1970 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Moment {
    /// Whole seconds.
    pub seconds: i64,
    /// Nanoseconds, below 1,000,000,000.
    pub nanos: u32,
}

/// A calendar's view of a moment in a time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Civil {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// The day of the week, 0 for Sunday.
    pub weekday: u8,
    /// The hour.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second.
    pub second: u8,
    /// Seconds east of Greenwich.
    pub offset: i32,
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
    /// About now: a microsecond that this process is not given again, as long as
    /// the clock tells the time.
    fn moment(&self) -> Moment {
        self.now()
    }
    /// How long it is since some moment that stays the same; it never goes back,
    /// whatever is done to the clock. Nothing that is said hangs on it: it bounds how
    /// long something may take, and so it runs in a world that denies everything, too.
    fn elapsed(&self) -> Duration {
        stopwatch::elapsed()
    }
    /// Waits. A clock that stands still waits for nothing.
    fn wait(&self, _: Duration) {}
    /// A moment in a zone: `None` is the system's own; a name (`UTC`,
    /// `Europe/Berlin`) or a POSIX rule otherwise.
    fn civil(&self, moment: Moment, zone: Option<&str>) -> Civil;
    /// What a zone calls itself at a moment: `UTC`, `CEST`.
    fn zone_name(&self, moment: Moment, zone: Option<&str>) -> String {
        match self.civil(moment, zone).offset {
            0 => "UTC".into(),
            offset => format!("{:+03}{:02}", offset / 3600, offset.abs() / 60 % 60),
        }
    }
}

/// Random numbers, good enough for `randint`, not for keys.
pub trait Random: Send + Sync {
    /// A number below `limit`; 0 where `limit` is 0 or 1.
    fn below(&self, limit: u64) -> u64;
}

/// What `stat` says of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stat {
    /// Type and permissions.
    pub mode: u32,
    /// The inode's number.
    pub inode: u64,
    /// The device's number.
    pub device: u64,
    /// Links to it.
    pub links: u64,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Last access, seconds since 1970.
    pub atime: i64,
    /// Last change of its contents.
    pub mtime: i64,
    /// The same, nanoseconds.
    pub mtime_nanos: i64,
    /// Last change of its state.
    pub ctime: i64,
}

impl Stat {
    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    /// Whether nobody but the superuser and its group can have written it: it is the
    /// superuser's, and others may write to it as little as another group.
    pub fn is_superusers(&self) -> bool {
        let is_closed = |bit| self.mode & bit == 0;
        self.uid == 0 && is_closed(0o002) && (self.gid == 0 || is_closed(0o020))
    }
}

/// Files and directories.
pub trait Files: Send + Sync {
    /// The contents of a file, up to `limit` bytes; more is an error.
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>>;
    /// What `stat` says; `follow` says whether of a link's target.
    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat>;
    /// The same files as another user may see them. A process that can't have that user's
    /// rights sees what both may.
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files>;
    /// The same files as a delivery may see them, which looks for the superuser as far as that
    /// is harmless; nothing where that makes no difference. What this process may not look at is
    /// looked at as its owner, and of the superuser's own files it is known what they are.
    fn seen_by_deliveries(&self) -> Option<Arc<dyn Files>> {
        None
    }
    /// The names of what is in a directory, up to a number; more is an error.
    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        let _ = (path, most);
        Err(io::ErrorKind::PermissionDenied.into())
    }
    /// Puts other contents into a file that exists, all at once: whoever reads
    /// it finds the old ones or the new ones. It keeps its owner, permissions,
    /// attributes and other names; where that can't be had at once, the file
    /// itself is written. Of a link, the target is changed.
    fn replace(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        let _ = (path, contents);
        Err(io::ErrorKind::PermissionDenied.into())
    }
    /// Adds to the end of a file, in one piece that nobody else writes into; a file that
    /// is not there is made, for its owner and group alone. No link is followed.
    fn append(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        let _ = (path, contents);
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// An open connection.
pub trait Stream: io::Read + io::Write + Send {
    /// Says that nothing more will be written.
    fn finish_writing(&mut self) -> io::Result<()>;
    /// How long all reads and writes from now on may take together; what comes
    /// later fails with [`io::ErrorKind::TimedOut`].
    fn set_deadline(&mut self, within: Duration);
    /// This side's address and port, where it has such.
    fn local_address(&self) -> Option<std::net::SocketAddr> {
        None
    }
}

/// Where to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A Unix domain socket.
    Unix(Vec<u8>),
    /// A host's address and port.
    Tcp(std::net::SocketAddr),
}

/// What to run, without a shell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Command {
    /// The program and its arguments. No path is searched for the program.
    pub argv: Vec<Vec<u8>>,
    /// The whole environment: names and values.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// The user and group that it runs as, with no other groups, if this process
    /// is the superuser's; it runs as this process otherwise.
    pub identity: Option<(u32, u32)>,
    /// Whether nobody else may run it: it is started as that user, or not at all.
    pub as_nobody_else: bool,
    /// The directory that it runs in, if not this process's. Where that can't be,
    /// the program can't be executed.
    pub directory: Option<Vec<u8>>,
}

/// How a process ended, and what it wrote.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Finished {
    /// Its exit code, 127 where it can't be executed; a negative one is the signal that ended it.
    pub code: i32,
    /// What it wrote to its standard output and error, in order.
    pub output: Vec<u8>,
}

/// Why a process could not be run to its end.
#[derive(Debug)]
pub enum RunError {
    /// There can't be another process.
    Start(io::Error),
    /// It took too long, and was ended.
    Timeout,
    /// It wrote too much, and was ended.
    TooMuch,
}

/// A process that stays up. What is written here arrives at its standard
/// input, and what it writes there is read here: a channel for both ways. When
/// the value goes, the channel closes, and the process is ended if it does not
/// end by itself soon.
pub trait Child: io::Read + io::Write + Send {
    /// How long all reads and writes from now on may take together; what comes
    /// later fails with [`io::ErrorKind::TimedOut`].
    fn set_deadline(&mut self, within: Duration);
    /// Ends it, if it still runs, and says how it ended, as in [`Finished`].
    fn end(&mut self) -> Option<i32>;
}

/// Processes.
pub trait Processes: Send + Sync {
    /// Runs a command to its end: with an empty input, in a group of its own
    /// that is ended with it, and files that it makes are for its user alone.
    fn run(&self, command: &Command, timeout: Duration, limit: u64) -> Result<Finished, RunError>;
    /// Starts a command that stays up. Its standard output goes nowhere, its
    /// standard error where this process's goes.
    fn start(&self, command: &Command) -> io::Result<Box<dyn Child>>;
    /// Starts a command that goes on by itself: with an empty input, and whatever it
    /// writes goes nowhere. When it has ended, `ended` is called, on another thread.
    ///
    /// # Errors
    /// There can't be another process, or the command can't be executed; `ended` is not
    /// called then.
    fn launch(&self, command: &Command, ended: Box<dyn FnOnce() + Send>) -> io::Result<()>;
    /// Runs a command to its end in a group of its own, with its user's rights, and gives
    /// it a message; one that it does not want to read is no error. Its output ends when
    /// all have closed it that it has started.
    ///
    /// # Errors
    /// Why it did not get the message.
    fn pipe(&self, order: &PipeOrder, message: &mut dyn io::Read) -> Result<PipeEnd, PipeFault> {
        let _ = (order, message);
        Err(PipeFault::Start(io::ErrorKind::PermissionDenied.into()))
    }
    /// Begins a dialogue with a command or whoever listens at a socket, with its user's
    /// rights. A command ends with the stream: by itself in a moment, or it is ended.
    ///
    /// # Errors
    /// Why nobody is there; [`PipeFault::Start`] where nobody listens.
    fn converse(&self, order: &PeerOrder) -> Result<Box<dyn Dialogue>, PipeFault> {
        let _ = order;
        Err(PipeFault::Start(io::ErrorKind::PermissionDenied.into()))
    }
}

/// A line of the password file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct User {
    /// The login name.
    pub name: Vec<u8>,
    /// The number.
    pub uid: u32,
    /// The first group's number.
    pub gid: u32,
    /// The full name and more.
    pub gecos: Vec<u8>,
    /// The home directory.
    pub home: Vec<u8>,
    /// The shell.
    pub shell: Vec<u8>,
}

/// A line of the group file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Group {
    /// The name.
    pub name: Vec<u8>,
    /// The number.
    pub gid: u32,
    /// The names of its members; those whose first group it is may be missing.
    pub members: Vec<Vec<u8>>,
}

/// Users and groups.
pub trait Users: Send + Sync {
    /// A user by name.
    fn user(&self, name: &[u8]) -> io::Result<Option<User>>;
    /// A user by number.
    fn user_by_id(&self, uid: u32) -> io::Result<Option<User>>;
    /// A group by name.
    fn group(&self, name: &[u8]) -> io::Result<Option<Group>>;
    /// A group by number.
    fn group_by_id(&self, gid: u32) -> io::Result<Option<Group>>;
    /// The numbers of all groups of a user, whose own group is this one, which is among them.
    fn groups_of(&self, user: &[u8], gid: u32) -> io::Result<Vec<u32>>;
    /// Checks a password against a hash as `crypt(3)` does; `None` where the
    /// system does not know the method.
    fn crypt(&self, password: &[u8], setting: &[u8]) -> Option<Vec<u8>>;
    /// Asks the system's authentication modules (PAM) about a user of a
    /// service; each of their questions gets the next answer. What they say
    /// where they say neither yes nor no is the error.
    fn authenticate(
        &self,
        service: &[u8],
        user: &[u8],
        answers: &[Vec<u8>],
    ) -> Result<bool, Vec<u8>>;
}

/// What is asked of a database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatabaseQuery<'a> {
    /// A key in an LMDB file.
    Lmdb {
        /// The file.
        file: &'a [u8],
        /// The key.
        key: &'a [u8],
    },
    /// A key in a cdb file.
    Cdb {
        /// The file.
        file: &'a [u8],
        /// The key.
        key: &'a [u8],
    },
    /// A key in a Berkeley DB file.
    Dbm {
        /// The file.
        file: &'a [u8],
        /// The key, with the zero byte at its end where the file has one.
        key: &'a [u8],
    },
    /// Statements for an SQLite file, which is made where it is not there.
    Sqlite {
        /// The file.
        file: &'a [u8],
        /// The statements, with semicolons between them.
        statements: &'a str,
        /// How long to wait for a lock.
        lock_timeout: Duration,
    },
}

/// What a statement answered: rows of named columns; a value that is null is
/// `None`. A statement that asks for nothing has no columns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<Vec<u8>>,
    /// The rows.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

/// What a database answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatabaseAnswer {
    /// Nothing has that key.
    Missing,
    /// The value of a key.
    Value(Vec<u8>),
    /// The rows of each statement.
    Rows(Vec<Rows>),
}

/// Why a database did not answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatabaseError {
    /// The file could not be opened: the system's or the database's words.
    Open(String),
    /// The file was opened, and its beginning could not be read.
    Header(String),
    /// The file is too short for its format.
    Short,
    /// The file is not what it should be.
    Corrupt,
    /// The answer is longer than can be held.
    TooMuch,
    /// Anything else: the database's words.
    Other(String),
}

/// Databases in files.
pub trait Databases: Send + Sync {
    /// Asks one.
    fn find(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError>;
    /// Asks one as a user and a group; `None` where their rights can't be had. A world that
    /// knows no rights asks as ever.
    fn find_as(
        &self,
        user: (u32, u32),
        query: &DatabaseQuery<'_>,
    ) -> Option<Result<DatabaseAnswer, DatabaseError>> {
        let _ = user;
        Some(self.find(query))
    }
    /// Asks one that nothing may be changed in, and by which no other file is reached. A world
    /// that makes no difference asks as ever.
    fn consult(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        self.find(query)
    }
    /// The databases as deliveries see them, where they may see more than this process, and
    /// the files so; `None` where they see the same.
    fn seen_by_deliveries(&self, files: &Arc<dyn Files>) -> Option<Arc<dyn Databases>> {
        let _ = files;
        None
    }
}

/// What a function of a shared object returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForeignAnswer {
    /// Its value.
    pub code: i32,
    /// The text that it left behind, if any.
    pub text: Option<Vec<u8>>,
}

/// Why a function of a shared object could not be called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ForeignError {
    /// The object could not be loaded: the system's words.
    Open(String),
    /// It has no such function: the system's words.
    Find(String),
    /// This build loads nothing.
    NotBuilt,
}

/// Functions in shared objects.
pub trait Libraries: Send + Sync {
    /// Calls a function that has the type that `dlfunc` wants.
    fn call(
        &self,
        file: &[u8],
        function: &[u8],
        args: &[Vec<u8>],
    ) -> Result<ForeignAnswer, ForeignError>;
    /// Calls a function of an object as a user and a group; `None` where their rights can't be
    /// had for it.
    fn call_as(
        &self,
        user: (u32, u32),
        of: (&[u8], &[u8]),
        args: &[Vec<u8>],
    ) -> Option<Result<ForeignAnswer, ForeignError>> {
        let _ = (user, of, args);
        None
    }
}
