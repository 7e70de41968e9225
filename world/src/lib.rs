//! The real outside: files, processes, sockets, databases, the clock.
//!
//! No other room touches them. [`system`] puts a [`World`] together.

// What organs share is not needed by each.
#![cfg_attr(
    not(all(
        feature = "dns",
        feature = "firebird",
        feature = "ldap",
        feature = "lmdb",
        feature = "mysql",
        feature = "postgres",
        feature = "redis",
        feature = "sqlite"
    )),
    allow(unused)
)]

#[cfg(not(all(
    feature = "dns",
    feature = "firebird",
    feature = "ldap",
    feature = "lmdb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlite"
)))]
mod absent;
mod as_user;
mod cdb;
mod clock;
mod databases;
mod dbm;
pub mod deadline;
#[cfg(feature = "dns")]
mod dns;
mod files;
#[cfg(feature = "sqlite")]
mod hints;
#[cfg(not(feature = "sqlite"))]
use absent as hints;
mod host;
mod hosts;
#[cfg(feature = "ldap")]
mod ldap;
#[cfg(not(feature = "ldap"))]
use absent as ldap;
mod libraries;
#[cfg(feature = "lmdb")]
mod lmdb;
#[cfg(not(feature = "lmdb"))]
use absent::lmdb;
mod logs;
mod net;
mod pool;
mod processes;
#[cfg(feature = "redis")]
mod redis;
#[cfg(not(feature = "redis"))]
use absent as redis;
pub mod rights;
mod sasl;
pub mod serving;
mod spool;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(not(feature = "sqlite"))]
use absent::sqlite;
mod tls;
mod users;
mod version;

use std::sync::Arc;

use eximious_core::World;

#[cfg(feature = "dns")]
pub use dns::Resolver;
pub use files::make_directory;
pub use logs::Logs;
pub use net::{input_connection, input_within};

/// The system that the program runs on.
pub fn system() -> World {
    World {
        clock: Arc::new(clock::System),
        random: Arc::new(clock::System),
        files: Arc::new(files::System),
        net: Arc::new(net::System),
        processes: Arc::new(processes::System),
        hints: Arc::new(hints::System::default()),
        spool: Arc::new(spool::System),
        host: Arc::new(host::System::new()),
        libraries: Arc::new(libraries::System),
        ldap: Arc::new(ldap::System::default()),
        log: Arc::new(host::Terminal),
        databases: Arc::new(databases::System::default()),
        redis: Arc::new(redis::System::default()),
        sasl: Arc::new(sasl::System),
        tls: Arc::new(tls::System::default()),
        sql: Arc::new(sql::System::default()),
        users: Arc::new(users::System::default()),
        dns: system_dns(),
    }
}

#[cfg(feature = "dns")]
fn system_dns() -> Arc<dyn eximious_core::world::Dns> {
    Arc::new(Resolver::system())
}

#[cfg(not(feature = "dns"))]
fn system_dns() -> Arc<dyn eximious_core::world::Dns> {
    Arc::new(absent::System::default())
}
