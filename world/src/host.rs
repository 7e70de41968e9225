//! This host, this process, and its standard error.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use dns_lookup::{AddrFamily, AddrInfoHints, getaddrinfo};
use eximious_core::world::{Clock, Host, Log, Room};
use nix::sys::socket::SockaddrStorage;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::rights;

/// `AI_CANONNAME`: with the addresses, the name that they belong to.
const WITH_NAME: i32 = 2;

/// The system's host and this process.
#[derive(Debug)]
pub struct SystemHost {
    directory: Vec<u8>,
    /// The name, asked for once: it may take the DNS to find it.
    name: OnceLock<Vec<u8>>,
    /// The addresses, and when they were asked for.
    addresses: Mutex<Option<(Instant, Vec<IpAddr>)>>,
}

/// How long the addresses of interfaces are taken to be what they were: each
/// list that names `@[]` asks for them.
const SAME_ADDRESSES: Duration = Duration::from_secs(1);

impl SystemHost {
    /// Notes the working directory.
    pub fn new() -> Self {
        let directory = std::env::current_dir().map(|d| d.into_os_string().into_vec());
        let directory = directory.unwrap_or_else(|_| b"/".to_vec());
        Self { directory, name: OnceLock::new(), addresses: Mutex::default() }
    }
}

impl Host for SystemHost {
    fn name(&self) -> Vec<u8> {
        self.name.get_or_init(qualified_name).clone()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let mut known = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, addresses)) = &*known
            && then.elapsed() < SAME_ADDRESSES
        {
            return addresses.clone();
        }
        // A system that can't say has none that we could call ours.
        let found = nix::ifaddrs::getifaddrs().ok().into_iter().flatten();
        let addresses: Vec<_> = found.filter_map(|interface| ip(&interface.address?)).collect();
        *known = Some((Instant::now(), addresses.clone()));
        addresses
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
            return None;
        }
        rights::variable(OsStr::from_bytes(name)).map(OsStringExt::into_vec)
    }

    fn environment_names(&self) -> Vec<Vec<u8>> {
        rights::environment().into_iter().map(|(name, _)| name.into_vec()).collect()
    }

    fn pid(&self) -> u32 {
        std::process::id()
    }

    fn thread(&self) -> u32 {
        u32::try_from(crate::serving::thread_number()).unwrap_or_else(|_| self.pid())
    }

    fn is_running(&self, pid: u32) -> bool {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        // One that may not be asked is there.
        number.is_some_and(|number| test_kill_process(number) != Err(Errno::SRCH))
    }

    fn ids(&self) -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    fn caller(&self) -> (u32, u32) {
        let caller = crate::rights::caller();
        (caller.uid, caller.gid)
    }

    fn load(&self) -> i64 {
        // In a container, this file may know better than the kernel.
        if let Some(load) = std::fs::read("/proc/loadavg").ok().and_then(|text| thousandths(&text))
        {
            return load;
        }
        let load = rustix::system::sysinfo().loads[0];
        // The kernel counts in units of 1/65536.
        (load as i64).saturating_mul(1000) >> 16
    }

    fn memory_limit(&self) -> Option<u64> {
        crate::memory::limit()
    }

    fn memory_fullness(&self) -> Option<u64> {
        crate::memory::fullness()
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

    fn queued(&self, name: &[u8], server: u32) -> Option<u64> {
        crate::serving::queued(name, server)
    }
}

/// The number at the head of a text, times a thousand: `0.50 0.40 …` is 500.
fn thousandths(text: &[u8]) -> Option<i64> {
    let word = text.split(u8::is_ascii_whitespace).next()?;
    let load: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    Some((load * 1000.0).round() as i64)
}

/// What the system calls this host; where that is a single word, the name that
/// the file of hosts has for it, or else the name service. The file comes
/// first, because the resolver asks name servers for the families of addresses
/// that it lacks, and that may take long.
fn qualified_name() -> Vec<u8> {
    let name = rustix::system::uname().nodename().to_bytes().to_vec();
    if name.contains(&b'.') {
        return name;
    }
    let hosts = std::fs::read("/etc/hosts").unwrap_or_default();
    if let Some(found) = name_in_hosts(&hosts, &name) {
        return found.to_vec();
    }
    let Ok(text) = std::str::from_utf8(&name) else { return name };
    [AddrFamily::Inet6, AddrFamily::Inet]
        .into_iter()
        .find_map(|family| canonical_name(text, family))
        .map_or(name, String::into_bytes)
}

/// The first name of the first line that has a name.
fn name_in_hosts<'a>(hosts: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    hosts.split(|c| *c == b'\n').find_map(|line| {
        let line = line.split(|c| *c == b'#').next()?;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let _address = words.next()?;
        let first = words.next()?;
        let found =
            first.eq_ignore_ascii_case(name) || words.any(|word| word.eq_ignore_ascii_case(name));
        found.then_some(first)
    })
}

fn canonical_name(host: &str, family: AddrFamily) -> Option<String> {
    let hints =
        AddrInfoHints { flags: WITH_NAME, address: family.into(), ..AddrInfoHints::default() };
    getaddrinfo(Some(host), None, Some(hints)).ok()?.flatten().find_map(|found| found.canonname)
}

/// The IP address in an interface's address, which may be of another family.
fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

/// Logs that go to the standard error, as Exim's do when it tests.
#[derive(Debug)]
pub struct Terminal;

impl Terminal {
    fn line(line: &[u8]) {
        let clock = crate::clock::SystemClock;
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
    fn is_one(&self) -> bool {
        true
    }
    fn debug(&self, _: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_canonical_name() {
        let hosts = b"127.0.0.1 localhost\n# 10.0.0.1 old.example mail\n\
            127.0.1.1\tmail.example.com  Mail # me\n::1 mail\n";
        assert_eq!(name_in_hosts(hosts, b"mail"), Some(b"mail.example.com".as_slice()));
        assert_eq!(name_in_hosts(hosts, b"localhost"), Some(b"localhost".as_slice()));
        assert_eq!(name_in_hosts(hosts, b"127.0.0.1"), None);
        assert_eq!(name_in_hosts(hosts, b"old"), None);
    }
}
