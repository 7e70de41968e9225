//! The real outside: files, processes, sockets, databases, the clock.
//!
//! No other room touches them. [`system`] puts a [`World`] together.

mod clock;
mod deadline;
mod files;
mod host;
mod libraries;
mod net;
mod processes;
mod users;

use std::sync::Arc;

use eximious_core::World;

pub use files::make_directory;

/// The system that the program runs on.
pub fn system() -> World {
    World {
        clock: Arc::new(clock::System),
        random: Arc::new(clock::System),
        files: Arc::new(files::System),
        net: Arc::new(net::System),
        processes: Arc::new(processes::System),
        host: Arc::new(host::System::new()),
        users: Arc::new(users::System),
        libraries: Arc::new(libraries::System),
        log: Arc::new(host::Terminal),
        ..World::hermetic()
    }
}
