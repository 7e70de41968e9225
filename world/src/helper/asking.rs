//! What a user may ask a database or a shared object: by a process of its own, which the
//! helper starts, as neither a library that reads a user's file nor a user's own code belongs
//! into a process that has anybody else's rights.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eximious_core::world::{
    DatabaseAnswer, DatabaseError, DatabaseQuery, Databases, Files, ForeignAnswer, ForeignError,
    Libraries, LocalPeer, LocalUser, PeerOrder, Stream,
};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::process::geteuid;

use super::wire::{read_frame, write_frame};
use super::{ByHelper, DeliveryHelper, gone};
use crate::databases::{SystemDatabases, only_reads, words};
use crate::libraries::SystemLibraries;

/// How long an answer may take, beside what a lock is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long the process may take to start.
const START: Duration = Duration::from_secs(30);
/// Files that are made are for others to read, as SQLite has them.
const UMASK: u32 = 0o022;

/// What is asked.
#[derive(Debug)]
pub(super) enum Asked {
    /// A database.
    Database { kind: DatabaseKind, file: Vec<u8>, key: Vec<u8> },
    /// A function of a shared object.
    Function { file: Vec<u8>, function: Vec<u8>, args: Vec<Vec<u8>> },
}

/// A kind of database; SQLite waits so long for a lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum DatabaseKind {
    Lmdb,
    Cdb,
    Dbm,
    Sqlite(Duration),
}

/// An answer.
#[derive(Debug)]
pub(super) enum Told {
    Found(Result<DatabaseAnswer, DatabaseError>),
    Returned(Result<ForeignAnswer, ForeignError>),
}

impl Asked {
    fn of(query: &DatabaseQuery<'_>) -> Self {
        let (kind, file, key) = match *query {
            DatabaseQuery::Lmdb { file, key } => (DatabaseKind::Lmdb, file, key),
            DatabaseQuery::Cdb { file, key } => (DatabaseKind::Cdb, file, key),
            DatabaseQuery::Dbm { file, key } => (DatabaseKind::Dbm, file, key),
            DatabaseQuery::Sqlite { file, statements, lock_timeout } => {
                (DatabaseKind::Sqlite(lock_timeout), file, statements.as_bytes())
            }
        };
        Self::Database { kind, file: file.to_vec(), key: key.to_vec() }
    }

    fn answer(&self) -> Told {
        match self {
            Self::Database { kind, file, key } => {
                let query = match *kind {
                    DatabaseKind::Lmdb => DatabaseQuery::Lmdb { file, key },
                    DatabaseKind::Cdb => DatabaseQuery::Cdb { file, key },
                    DatabaseKind::Dbm => DatabaseQuery::Dbm { file, key },
                    DatabaseKind::Sqlite(lock_timeout) => match std::str::from_utf8(key) {
                        Ok(statements) => DatabaseQuery::Sqlite { file, statements, lock_timeout },
                        Err(_) => return Told::Found(Err(DatabaseError::Corrupt)),
                    },
                };
                Told::Found(SystemDatabases::default().find(&query))
            }
            Self::Function { file, function, args } => {
                Told::Returned(SystemLibraries.call(file, function, args))
            }
        }
    }

    fn patience(&self) -> Duration {
        match self {
            Self::Database { kind: DatabaseKind::Sqlite(lock), .. } => PATIENCE + *lock,
            _ => PATIENCE,
        }
    }
}

/// Answers one question for the process that is at the other end of the standard input, with
/// the rights of who called the program and no others.
///
/// # Errors
/// What the system says, or that there was no question.
pub fn answer_as_caller() -> io::Result<()> {
    crate::rights::become_caller()?;
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    answer(&mut stream)
}

fn answer(stream: &mut UnixStream) -> io::Result<()> {
    let asked: Asked = read_frame(stream)?;
    match write_frame(stream, &asked.answer()) {
        // Nothing was written of what is too long.
        Err(why) if why.kind() == io::ErrorKind::FileTooLarge => {
            write_frame(stream, &Told::Found(Err(DatabaseError::TooMuch)))
        }
        written => written,
    }
}

impl DeliveryHelper {
    /// Asks as a user, who is neither the superuser nor this process.
    fn ask_as(&self, (uid, gid): (u32, u32), asked: &Asked) -> io::Result<Told> {
        let argv = ["/proc/self/exe", Self::ARGUMENT, Self::ASKS];
        let order = PeerOrder {
            user: LocalUser { uid, gid, groups: Vec::new() },
            peer: LocalPeer::Command {
                argv: argv.map(|word| word.as_bytes().to_vec()).to_vec(),
                environment: Vec::new(),
                directory: b"/".to_vec(),
                umask: UMASK,
                writes: false,
            },
            timeout: START,
        };
        let mut dialogue = ByHelper::conversing(self, &order)?;
        dialogue.set_deadline(asked.patience());
        write_frame(&mut dialogue, asked)?;
        read_frame(&mut dialogue)
    }

    fn found_as(
        &self,
        user: (u32, u32),
        query: &DatabaseQuery<'_>,
    ) -> Result<DatabaseAnswer, DatabaseError> {
        match self.ask_as(user, &Asked::of(query)) {
            Ok(Told::Found(found)) => found,
            Ok(Told::Returned(_)) => Err(DatabaseError::Open(words(&gone()))),
            Err(why) => Err(DatabaseError::Open(words(&why))),
        }
    }
}

/// Whether a user's rights are to be had by the helper alone.
pub(super) fn is_other(uid: u32) -> bool {
    let own = geteuid();
    uid != 0 && !own.is_root() && uid != own.as_raw()
}

/// The databases of a process that has a helper.
pub(super) struct HelpedDatabases(pub(super) Arc<DeliveryHelper>, pub(super) Arc<dyn Databases>);

impl Databases for HelpedDatabases {
    fn find(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        self.1.find(query)
    }

    fn find_as(
        &self,
        user: (u32, u32),
        query: &DatabaseQuery<'_>,
    ) -> Option<Result<DatabaseAnswer, DatabaseError>> {
        match is_other(user.0) {
            true => Some(self.0.found_as(user, query)),
            false => self.1.find_as(user, query),
        }
    }

    fn consult(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        self.1.consult(query)
    }

    fn seen_by_deliveries(&self, files: &Arc<dyn Files>) -> Option<Arc<dyn Databases>> {
        let helped = Self(self.0.clone(), self.1.clone());
        Some(Arc::new(DeliveriesDatabases { helped, files: files.clone() }))
    }
}

/// Databases as deliveries see them: those that this process may not have are asked as their
/// owner.
struct DeliveriesDatabases {
    helped: HelpedDatabases,
    files: Arc<dyn Files>,
}

impl DeliveriesDatabases {
    /// Whose rights a question takes, where they are not this process's.
    fn owner(&self, query: &DatabaseQuery<'_>) -> Option<(u32, u32)> {
        let (DatabaseQuery::Lmdb { file, .. }
        | DatabaseQuery::Cdb { file, .. }
        | DatabaseQuery::Dbm { file, .. }
        | DatabaseQuery::Sqlite { file, .. }) = query;
        let path = Path::new(OsStr::from_bytes(file));
        let refuses = |path: &Path, access| {
            accessat(CWD, path, access, AtFlags::EACCESS) == Err(rustix::io::Errno::ACCESS)
        };
        let is_refused = match query {
            // What is written goes through a file beside it, and may have to be read from there.
            DatabaseQuery::Sqlite { statements, .. } => {
                let log = [file, b"-wal".as_slice()].concat();
                let reads = only_reads(statements) && !Path::new(OsStr::from_bytes(&log)).exists();
                refuses(path, Access::READ_OK)
                    || !reads
                        && (refuses(path, Access::WRITE_OK)
                            || path.parent().is_some_and(|place| refuses(place, Access::WRITE_OK)))
            }
            _ => refuses(path, Access::READ_OK),
        };
        if !is_refused {
            return None;
        }
        let about = match self.files.stat(file, true) {
            // SQLite makes it.
            Err(_) if matches!(query, DatabaseQuery::Sqlite { .. }) => {
                self.files.stat(path.parent()?.as_os_str().as_bytes(), true)
            }
            found => found,
        };
        let owner = about.ok().map(|about| (about.uid, about.gid))?;
        is_other(owner.0).then_some(owner)
    }
}

impl Databases for DeliveriesDatabases {
    fn find(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        match self.owner(query) {
            Some(owner) => self.helped.0.found_as(owner, query),
            None => self.helped.find(query),
        }
    }

    fn find_as(
        &self,
        user: (u32, u32),
        query: &DatabaseQuery<'_>,
    ) -> Option<Result<DatabaseAnswer, DatabaseError>> {
        self.helped.find_as(user, query)
    }

    fn consult(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        self.helped.consult(query)
    }
}

/// The shared objects of a process that has a helper.
pub(super) struct HelpedLibraries(pub(super) Arc<DeliveryHelper>, pub(super) Arc<dyn Libraries>);

impl Libraries for HelpedLibraries {
    fn call(
        &self,
        file: &[u8],
        function: &[u8],
        args: &[Vec<u8>],
    ) -> Result<ForeignAnswer, ForeignError> {
        self.1.call(file, function, args)
    }

    fn call_as(
        &self,
        user: (u32, u32),
        (file, function): (&[u8], &[u8]),
        args: &[Vec<u8>],
    ) -> Option<Result<ForeignAnswer, ForeignError>> {
        if !is_other(user.0) {
            return self.1.call_as(user, (file, function), args);
        }
        let (file, function) = (file.to_vec(), function.to_vec());
        let asked = Asked::Function { file, function, args: args.to_vec() };
        Some(match self.0.ask_as(user, &asked) {
            Ok(Told::Returned(returned)) => returned,
            Ok(Told::Found(_)) => Err(ForeignError::Open(words(&gone()))),
            Err(why) => Err(ForeignError::Open(words(&why))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(asked: &Asked) -> Told {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let answering = std::thread::spawn(move || answer(&mut theirs));
        write_frame(&mut ours, asked).unwrap();
        let told = read_frame(&mut ours).unwrap();
        answering.join().unwrap().unwrap();
        told
    }

    #[test]
    fn a_question_and_its_answer_go_over_a_connection() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("x.db").into_os_string().into_encoded_bytes();
        let ask = |statements| {
            let lock_timeout = Duration::from_secs(5);
            told(&Asked::of(&DatabaseQuery::Sqlite { file: &file, statements, lock_timeout }))
        };
        let made = ask("create table t (a, b); insert into t values ('x', null)");
        let Told::Found(Ok(DatabaseAnswer::Rows(_))) = made else { panic!("{made:?}") };
        let found = ask("select * from t");
        let Told::Found(Ok(DatabaseAnswer::Rows(rows))) = found else { panic!("{found:?}") };
        assert_eq!(rows[0].columns, [b"a", b"b"]);
        assert_eq!(rows[0].rows, [[Some(b"x".to_vec()), None]]);
        let wrong = ask("nonsense");
        assert!(matches!(wrong, Told::Found(Err(DatabaseError::Other(_)))), "{wrong:?}");
        let missing = told(&Asked::of(&DatabaseQuery::Cdb { file: b"/nosuch", key: b"x" }));
        assert!(matches!(missing, Told::Found(Err(DatabaseError::Open(_)))), "{missing:?}");
        let (file, function) = (b"/nosuch.so".to_vec(), b"f".to_vec());
        let called = told(&Asked::Function { file, function, args: vec![b"x".to_vec()] });
        assert!(matches!(called, Told::Returned(Err(_))), "{called:?}");
    }

    #[test]
    fn nonsense_ends_the_one_who_answers() {
        use std::io::Write;
        for bytes in [&b"\0\0\0\x01\x09"[..], b"\xff\xff\xff\xff", b"\0\0\0\x02\0", b""] {
            let (mut ours, mut theirs) = UnixStream::pair().unwrap();
            ours.write_all(bytes).unwrap();
            drop(ours);
            assert!(answer(&mut theirs).is_err(), "{bytes:?}");
        }
    }
}
