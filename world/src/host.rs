//! This host, this process, and its standard error.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use eximious_core::world::{Clock, Host, Log, Room};

/// The system's host and this process.
#[derive(Debug)]
pub struct System {
    directory: Vec<u8>,
}

impl System {
    /// Notes the working directory.
    pub fn new() -> Self {
        let directory = std::env::current_dir().map(|d| d.into_os_string().into_vec());
        Self { directory: directory.unwrap_or_else(|_| b"/".to_vec()) }
    }
}

impl Host for System {
    fn name(&self) -> Vec<u8> {
        rustix::system::uname().nodename().to_bytes().to_vec()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        // A system that can't say has none that we could call ours.
        let found = if_addrs::get_if_addrs().unwrap_or_default();
        found.iter().map(if_addrs::Interface::ip).collect()
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
            return None;
        }
        std::env::var_os(OsStr::from_bytes(name)).map(OsStringExt::into_vec)
    }

    fn pid(&self) -> u32 {
        std::process::id()
    }

    fn ids(&self) -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    fn load(&self) -> i64 {
        let load = rustix::system::sysinfo().loads[0];
        // The kernel counts in units of 1/65536.
        (load as i64).saturating_mul(1000) >> 16
    }

    fn room(&self, path: &[u8]) -> io::Result<Room> {
        let found = rustix::fs::statvfs(OsStr::from_bytes(path))?;
        let kilobytes = found.f_bavail.saturating_mul(found.f_frsize) / 1024;
        Ok(Room {
            kilobytes: i64::try_from(kilobytes).unwrap_or(i64::MAX),
            inodes: if found.f_files == 0 {
                -1
            } else {
                i64::try_from(found.f_favail).unwrap_or(i64::MAX)
            },
        })
    }

    fn directory(&self) -> Vec<u8> {
        self.directory.clone()
    }
}

/// Logs that go to the standard error, as Exim's do when it tests.
#[derive(Debug)]
pub struct Terminal;

impl Terminal {
    fn line(line: &[u8]) {
        let clock = crate::clock::System;
        let now = clock.civil(clock.now(), None);
        let stamp = format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} ",
            now.year, now.month, now.day, now.hour, now.minute, now.second
        );
        // There is nobody to tell that the standard error is closed.
        let _ = io::stderr().write_all(&[stamp.as_bytes(), line, b"\n"].concat());
    }
}

impl Log for Terminal {
    fn main(&self, line: &[u8]) {
        Self::line(line);
    }
    fn panic(&self, line: &[u8]) {
        Self::line(line);
    }
    fn debug(&self, _: &[u8]) {}
}
