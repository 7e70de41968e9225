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
        dns: Arc::new(dns::Resolver::system()),
    }
}
