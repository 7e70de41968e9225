//! Whose rights a filter has: those of the router's user, for whatever it reads, asks or runs
//! (specification 22.3).

use std::io;
use std::io::Read;
use std::mem::{replace, take};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use eximious_core::World;
use eximious_core::world::{
    Child, Command, DatabaseAnswer, DatabaseError, DatabaseQuery, Databases, Dialing, Dialogue,
    Files, Finished, ForeignAnswer, ForeignError, Host, Libraries, LocalPeer, LocalUser, Net,
    NisError, PageFault, PageOrder, PeerOrder, PipeEnd, PipeFault, PipeOrder, Processes, Room,
    RunError, Stream, Target, WebPage, WhosonError,
};
use eximious_stdlib::wording::reason;

use crate::engine::context::Caches;
use crate::{Context, Engine};

/// What the system says of what nobody can do for a user (`EPERM`).
const NOT_PERMITTED: i32 = 1;

/// What lets others than the owner write, and what keeps them from what is not theirs in a
/// directory.
const OPEN_TO_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

fn denied() -> io::Error {
    io::Error::from_raw_os_error(NOT_PERMITTED)
}

/// What a context had before it did something with a user's rights.
pub(crate) struct OwnRights {
    engine: Engine,
    caches: Caches,
    commands_user: Option<(u32, u32)>,
}

/// Does something with the rights of a user, and of its group where there is one.
pub fn with_rights_of<T>(
    cx: &mut Context,
    user: (u32, Option<u32>),
    work: impl FnOnce(&mut Context) -> T,
) -> T {
    let own = take_rights_of(cx, user);
    let done = work(cx);
    give_back(cx, own);
    done
}

/// From now on, what is expanded has the rights of a user. What is kept of files that others
/// may read is not seen meanwhile, and what is read is not kept for others.
pub(crate) fn take_rights_of(cx: &mut Context, (uid, gid): (u32, Option<u32>)) -> OwnRights {
    let engine = cx.engine().clone();
    let world = engine.world().clone();
    let files = world.files.clone().seen_by(uid, gid);
    let user =
        User { ids: (uid, gid.unwrap_or_else(|| engine.server_ids().1)), own: world.host.ids() };
    let databases =
        Arc::new(UsersDatabases { databases: world.databases, files: files.clone(), user });
    let net = Arc::new(UsersNet { net: world.net, processes: world.processes.clone(), user });
    let processes = Arc::new(UsersProcesses { processes: world.processes, user });
    let libraries = Arc::new(UsersLibraries { libraries: world.libraries, user });
    let host = Arc::new(UsersHost { host: world.host, user });
    let world = World { files, processes, databases, net, libraries, host, ..world };
    let engine = replace(&mut cx.engine, engine.with_world(world));
    let commands_user = take(&mut cx.evaluation.commands_user);
    OwnRights { engine, caches: take(&mut cx.caches), commands_user }
}

/// Puts things as they were.
pub(crate) fn give_back(cx: &mut Context, own: OwnRights) {
    cx.engine = own.engine;
    cx.caches = own.caches;
    cx.evaluation.commands_user = own.commands_user;
}

/// Whose rights are wanted, and whom this process is.
#[derive(Clone, Copy)]
struct User {
    ids: (u32, u32),
    own: (u32, u32),
}

/// Commands that run as a user where nothing else is said.
struct UsersProcesses {
    processes: Arc<dyn Processes>,
    user: User,
}

impl UsersProcesses {
    fn of_user(&self, command: &Command) -> Command {
        let identity = command.identity.or(Some(self.user.ids));
        Command { identity, as_nobody_else: true, ..command.clone() }
    }
}

impl Processes for UsersProcesses {
    fn run(&self, command: &Command, timeout: Duration, limit: u64) -> Result<Finished, RunError> {
        self.processes.run(&self.of_user(command), timeout, limit)
    }

    fn start(&self, command: &Command) -> io::Result<Box<dyn Child>> {
        self.processes.start(&self.of_user(command))
    }

    fn launch(&self, command: &Command, ended: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self.processes.launch(&self.of_user(command), ended)
    }

    fn pipe(&self, order: &PipeOrder, message: &mut dyn Read) -> Result<PipeEnd, PipeFault> {
        self.processes.pipe(order, message)
    }

    fn converse(&self, order: &PeerOrder) -> Result<Box<dyn Dialogue>, PipeFault> {
        self.processes.converse(order)
    }
}

/// Databases in files that a user may read.
struct UsersDatabases {
    databases: Arc<dyn Databases>,
    files: Arc<dyn Files>,
    user: User,
}

impl UsersDatabases {
    /// Whether a user can't have something else stand in a file's place between two looks at
    /// it: there is no link, and neither what is there nor a directory above it is the user's,
    /// or open to others.
    fn is_settled(&self, file: &[u8]) -> bool {
        let ends = memchr::memchr_iter(b'/', file).skip(1).chain([file.len()]);
        let mut places = [&b"/"[..]].into_iter().chain(ends.map(|end| &file[..end]));
        file.starts_with(b"/")
            && places.all(|place| match self.files.stat(place, false) {
                Ok(stat) => {
                    let is_closed = stat.mode & OPEN_TO_OTHERS == 0
                        || stat.is_directory() && stat.mode & STICKY != 0;
                    !stat.is_link() && stat.uid != self.user.ids.0 && is_closed
                }
                Err(why) => why.kind() == io::ErrorKind::NotFound,
            })
    }
}

impl Databases for UsersDatabases {
    fn find(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        if let Some(found) = self.databases.find_as(self.user.ids, query) {
            return found;
        }
        let (DatabaseQuery::Lmdb { file, .. }
        | DatabaseQuery::Cdb { file, .. }
        | DatabaseQuery::Dbm { file, .. }
        | DatabaseQuery::Sqlite { file, .. }) = query;
        // No more is wanted than whether it can be opened; then this process opens it.
        let refused = |why: io::Error| Err(DatabaseError::Open(reason(&why)));
        match self.files.read(file, 0) {
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => refused(why),
            _ if !self.is_settled(file) => refused(denied()),
            _ => self.databases.consult(query),
        }
    }
}

/// Connections; those to sockets in the file system are made by the user.
struct UsersNet {
    net: Arc<dyn Net>,
    processes: Arc<dyn Processes>,
    user: User,
}

impl Net for UsersNet {
    fn connect(&self, target: &Target, timeout: Duration) -> io::Result<Box<dyn Stream>> {
        let Target::Unix(path) = target else { return self.net.connect(target, timeout) };
        let (uid, gid) = self.user.ids;
        let order = PeerOrder {
            user: LocalUser { uid, gid, groups: Vec::new() },
            peer: LocalPeer::Socket(path.clone()),
            timeout,
        };
        let mut dialogue = self.processes.converse(&order)?;
        dialogue.set_deadline(timeout);
        Ok(dialogue)
    }

    fn dial(&self, to: SocketAddr, how: &Dialing, within: Duration) -> io::Result<Box<dyn Stream>> {
        self.net.dial(to, how, within)
    }

    fn datagram(
        &self,
        to: SocketAddr,
        question: &[u8],
        within: Duration,
        accept: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        self.net.datagram(to, question, within, accept)
    }

    fn send(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        self.net.send(to, datagram)
    }

    fn secure(&self, stream: Box<dyn Stream>, name: &str) -> Result<Box<dyn Stream>, String> {
        self.net.secure(stream, name)
    }

    fn fetch(&self, order: &PageOrder) -> Result<WebPage, PageFault> {
        self.net.fetch(order)
    }

    fn nis(&self, map: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, NisError> {
        self.net.nis(map, key)
    }

    fn whoson(&self, address: &[u8]) -> Result<Option<Vec<u8>>, WhosonError> {
        self.net.whoson(address)
    }

    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.net.resolve(host)
    }

    fn service(&self, name: &str) -> Option<u16> {
        self.net.service(name)
    }
}

/// Functions in shared objects: in this process they would have its rights, whoever wants
/// them, and so only who it is has them here.
struct UsersLibraries {
    libraries: Arc<dyn Libraries>,
    user: User,
}

impl Libraries for UsersLibraries {
    fn call(
        &self,
        file: &[u8],
        function: &[u8],
        args: &[Vec<u8>],
    ) -> Result<ForeignAnswer, ForeignError> {
        if self.user.own.0 == self.user.ids.0 {
            return self.libraries.call(file, function, args);
        }
        let called = self.libraries.call_as(self.user.ids, (file, function), args);
        called.unwrap_or_else(|| Err(ForeignError::Open(reason(&denied()))))
    }
}

/// The host; this process is the user.
struct UsersHost {
    host: Arc<dyn Host>,
    user: User,
}

impl Host for UsersHost {
    fn name(&self) -> Vec<u8> {
        self.host.name()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.host.addresses()
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.host.environment(name)
    }

    fn environment_names(&self) -> Vec<Vec<u8>> {
        self.host.environment_names()
    }

    fn pid(&self) -> u32 {
        self.host.pid()
    }

    fn is_running(&self, pid: u32) -> bool {
        self.host.is_running(pid)
    }

    fn ids(&self) -> (u32, u32) {
        self.user.ids
    }

    fn caller(&self) -> (u32, u32) {
        self.host.caller()
    }

    fn load(&self) -> i64 {
        self.host.load()
    }

    fn memory_limit(&self) -> Option<u64> {
        self.host.memory_limit()
    }

    fn memory_fullness(&self) -> Option<u64> {
        self.host.memory_fullness()
    }

    fn room(&self, path: &[u8]) -> io::Result<Room> {
        self.host.room(path)
    }

    fn directory(&self) -> Vec<u8> {
        self.host.directory()
    }

    fn queued(&self, name: &[u8], server: u32) -> Option<u64> {
        self.host.queued(name, server)
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::world::Stat;

    use super::*;

    /// Files by name, with their modes and owners.
    struct Told(&'static [(&'static str, u32, u32)]);

    impl Files for Told {
        fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
            self
        }

        fn read(&self, _: &[u8], _: u64) -> io::Result<Arc<[u8]>> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn stat(&self, path: &[u8], _: bool) -> io::Result<Stat> {
            let found = self.0.iter().find(|one| one.0.as_bytes() == path);
            let &(_, mode, uid) = found.ok_or(io::ErrorKind::NotFound)?;
            Ok(Stat { mode, uid, ..Stat::default() })
        }
    }

    #[test]
    fn what_a_user_can_exchange_is_not_settled() {
        let files = Arc::new(Told(&[
            ("/", 0o040_755, 0),
            ("/etc", 0o040_755, 0),
            ("/etc/db", 0o100_644, 0),
            ("/etc/mail", 0o100_640, 8),
            ("/etc/open", 0o100_646, 0),
            ("/etc/link", 0o120_777, 0),
            ("/home", 0o040_755, 5),
            ("/home/db", 0o100_644, 0),
            ("/tmp", 0o041_777, 0),
            ("/tmp/db", 0o100_644, 0),
            ("/wide", 0o040_777, 0),
            ("/wide/db", 0o100_644, 0),
        ]));
        let world = World::hermetic();
        let databases = UsersDatabases {
            databases: world.databases,
            files,
            user: User { ids: (5, 5), own: (8, 8) },
        };
        for name in ["/etc/db", "/etc/mail", "/tmp/db", "/etc/none"] {
            assert!(databases.is_settled(name.as_bytes()), "{name}");
        }
        for name in ["/etc/open", "/etc/link", "/home/db", "/wide/db", "/wide/none", "db", ""] {
            assert!(!databases.is_settled(name.as_bytes()), "{name}");
        }
    }
}
