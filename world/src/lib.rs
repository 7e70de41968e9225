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
mod brightmail;
mod cdb;
mod clock;
mod configuration;
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
mod helper;
mod host;
mod hosts;
mod interrupt;
pub use interrupt::interrupts;
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
mod mailbox;
mod memory;
mod net;
mod order;
mod permitted;
mod pool;
mod processes;
#[cfg(feature = "redis")]
mod redis;
#[cfg(not(feature = "redis"))]
use absent as redis;
pub use processes::replace_process;
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
mod web;

use std::sync::Arc;

use eximious_core::World;

pub use configuration::reading_configuration;
#[cfg(feature = "dns")]
pub use dns::Resolver;
pub use files::{files_below, make_directory, write_file};
pub use helper::{DeliveryHelper, answer_as_caller, serve_deliveries};
pub use logs::{LogFiles, TestStamps};
pub use net::{input_connection, input_within, mark_input_traffic};

/// The same world, where the hints that the superuser makes belong to a user and a group.
pub fn with_hints_of(world: World, user: u32, group: u32) -> World {
    World { hints: Arc::new(hints::SystemHints::owned_by(user, group)), ..world }
}

/// The system that the program runs on.
pub fn system() -> World {
    World {
        clock: Arc::new(clock::SystemClock),
        random: Arc::new(clock::SystemClock),
        files: Arc::new(files::SystemFiles),
        net: Arc::new(net::SystemNet),
        processes: Arc::new(processes::SystemProcesses),
        hints: Arc::new(hints::SystemHints::default()),
        spool: Arc::<spool::SystemSpool>::default(),
        brightmail: Arc::new(brightmail::SystemBrightmail),
        host: Arc::new(host::SystemHost::new()),
        libraries: Arc::new(libraries::SystemLibraries),
        ldap: Arc::new(ldap::SystemLdap::default()),
        log: Arc::new(host::Terminal),
        mailboxes: Arc::new(mailbox::SystemMailboxes),
        databases: Arc::new(databases::SystemDatabases::default()),
        redis: Arc::new(redis::SystemRedis::default()),
        sasl: Arc::new(sasl::SystemSasl),
        tls: Arc::new(tls::SystemTls::default()),
        sql: Arc::new(sql::SystemSql::default()),
        users: Arc::new(users::SystemUsers::default()),
        dns: system_dns(),
    }
}

#[cfg(feature = "dns")]
fn system_dns() -> Arc<dyn eximious_core::world::Dns> {
    Arc::new(Resolver::system())
}

#[cfg(not(feature = "dns"))]
fn system_dns() -> Arc<dyn eximious_core::world::Dns> {
    Arc::new(absent::Absent::default())
}
