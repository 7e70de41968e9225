//! The real outside: files, processes, sockets, databases, the clock.
//!
//! No other room touches them. [`system`] puts a [`World`] together.

mod as_user;
mod cdb;
mod clock;
mod databases;
mod dbm;
pub mod deadline;
mod dns;
mod files;
mod hints;
mod host;
mod hosts;
mod ldap;
mod libraries;
mod lmdb;
mod logs;
mod net;
mod pool;
mod processes;
mod redis;
pub mod rights;
mod sasl;
pub mod serving;
mod spool;
mod sql;
mod sqlite;
mod tls;
mod users;
mod version;

use std::sync::Arc;

use eximious_core::World;

pub use dns::Resolver;
pub use files::make_directory;
pub use logs::LogFiles;
pub use net::{input_connection, input_within};

/// The system that the program runs on.
pub fn system() -> World {
    World {
        clock: Arc::new(clock::SystemClock),
        random: Arc::new(clock::SystemClock),
        files: Arc::new(files::SystemFiles),
        net: Arc::new(net::SystemNet),
        processes: Arc::new(processes::SystemProcesses),
        hints: Arc::new(hints::SystemHints::default()),
        spool: Arc::new(spool::SystemSpool),
        host: Arc::new(host::SystemHost::new()),
        libraries: Arc::new(libraries::SystemLibraries),
        ldap: Arc::new(ldap::SystemLdap::default()),
        log: Arc::new(host::Terminal),
        databases: Arc::new(databases::SystemDatabases::default()),
        redis: Arc::new(redis::SystemRedis::default()),
        sasl: Arc::new(sasl::SystemSasl),
        tls: Arc::new(tls::SystemTls::default()),
        sql: Arc::new(sql::SystemSql::default()),
        users: Arc::new(users::SystemUsers::default()),
        dns: Arc::new(dns::Resolver::system()),
    }
}
