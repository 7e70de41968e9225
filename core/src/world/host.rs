//! This host and this process.

use std::io;

/// Free room on a file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Room {
    /// Kilobytes.
    pub kilobytes: i64,
    /// Inodes; negative where the file system does not count them.
    pub inodes: i64,
}

/// This host and this process.
pub trait Host: Send + Sync {
    /// The host's name, qualified where the system can tell.
    fn name(&self) -> Vec<u8>;
    /// The addresses of its interfaces.
    fn addresses(&self) -> Vec<std::net::IpAddr>;
    /// A variable of the environment.
    fn environment(&self, name: &[u8]) -> Option<Vec<u8>>;
    /// The names of all variables of the environment.
    fn environment_names(&self) -> Vec<Vec<u8>>;
    /// This process's number.
    fn pid(&self) -> u32;
    /// The number that the system knows this thread by; the process's, where it knows none.
    fn thread(&self) -> u32 {
        self.pid()
    }
    /// Whether there is a process with a number.
    fn is_running(&self, pid: u32) -> bool {
        pid == self.pid()
    }
    /// The user and group whose rights the program has.
    fn ids(&self) -> (u32, u32);
    /// The user and group that called the program. They are others where the program is
    /// installed set-uid, or where the superuser called it and it gave its rights up.
    fn caller(&self) -> (u32, u32) {
        self.ids()
    }
    /// The load average, times 1000.
    fn load(&self) -> i64;
    /// How much memory this process may have, in bytes; nothing, where nobody knows.
    fn memory_limit(&self) -> Option<u64> {
        None
    }
    /// How full the memory is that this process may have, in thousandths; nothing, where
    /// there is no limit.
    fn memory_fullness(&self) -> Option<u64> {
        None
    }
    /// Free room where a path lies.
    fn room(&self, path: &[u8]) -> io::Result<Room>;
    /// The working directory at the start.
    fn directory(&self) -> Vec<u8>;
    /// How many messages are queued, as the daemon says that has a notifier socket of this
    /// name; nothing where there is none, or it does not say so soon. `server` is the mail
    /// server's user, who is believed.
    fn queued(&self, name: &[u8], server: u32) -> Option<u64> {
        let _ = (name, server);
        None
    }
}
