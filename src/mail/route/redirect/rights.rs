//! Whose rights a filter has: those of the router's user, for whatever it reads or runs
//! (specification 22.3).

use std::io;
use std::io::Read;
use std::mem::{replace, take};
use std::sync::Arc;
use std::time::Duration;

use eximious_core::World;
use eximious_core::world::{
    Child, Command, DatabaseAnswer, DatabaseError, DatabaseQuery, Databases, Dialogue, Files,
    Finished, PeerOrder, PipeEnd, PipeFault, PipeOrder, Processes, RunError, Stat,
};
use eximious_stdlib::wording::reason;

use super::super::machine::Machine;
use super::super::pass::RouteError;
use super::super::router::Router;
use crate::Context;

/// Does something with the rights of the router's user. What is kept of files that others
/// may read is not seen meanwhile, and what is read is not kept for others.
pub(super) fn with_users<T>(
    machine: &mut Machine<'_>,
    router: &Router,
    work: impl FnOnce(&mut Context) -> T,
) -> Result<T, RouteError> {
    let identity = machine.identity(router)?;
    let Some(uid) = identity.uid else { return Ok(work(machine.cx)) };
    let engine = machine.cx.engine().clone();
    let world = engine.world().clone();
    let files = world.files.clone().seen_by(uid, identity.gid);
    let user = (uid, identity.gid.unwrap_or_else(|| engine.server_ids().1));
    let processes = Arc::new(UsersProcesses { processes: world.processes, user });
    let own = world.host.ids();
    let databases =
        Arc::new(UsersDatabases { databases: world.databases, files: files.clone(), user, own });
    let world = World { files, processes, databases, ..world };
    let engine = replace(&mut machine.cx.engine, engine.with_world(world));
    let caches = take(&mut machine.cx.caches);
    let done = work(machine.cx);
    machine.cx.engine = engine;
    machine.cx.caches = caches;
    Ok(done)
}

/// Commands that run as a user where nothing else is said.
struct UsersProcesses {
    processes: Arc<dyn Processes>,
    user: (u32, u32),
}

impl UsersProcesses {
    fn of_user(&self, command: &Command) -> Command {
        Command { identity: command.identity.or(Some(self.user)), ..command.clone() }
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
    user: (u32, u32),
    /// Whom this process is.
    own: (u32, u32),
}

impl UsersDatabases {
    /// Whether statements could change what the user may not.
    fn is_too_much(&self, file: &[u8]) -> bool {
        let Ok(stat) = self.files.stat(file, true) else { return true };
        may_write(&stat, self.own) && !may_write(&stat, self.user)
    }
}

/// Whether a file's mode lets somebody write it.
fn may_write(stat: &Stat, (uid, gid): (u32, u32)) -> bool {
    let bit = match (stat.uid == uid, stat.gid == gid) {
        (true, _) => 0o200,
        (false, true) => 0o020,
        (false, false) => 0o002,
    };
    uid == 0 || stat.mode & bit != 0
}

impl Databases for UsersDatabases {
    fn find(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        let (DatabaseQuery::Lmdb { file, .. }
        | DatabaseQuery::Cdb { file, .. }
        | DatabaseQuery::Dbm { file, .. }
        | DatabaseQuery::Sqlite { file, .. }) = query;
        // No more is wanted than whether it can be opened.
        match self.files.read(file, 0) {
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => {
                Err(DatabaseError::Open(reason(&why).to_string()))
            }
            _ if matches!(query, DatabaseQuery::Sqlite { .. }) && self.is_too_much(file) => {
                Err(DatabaseError::Open("unable to open database file".to_owned()))
            }
            _ => self.databases.find(query),
        }
    }
}
