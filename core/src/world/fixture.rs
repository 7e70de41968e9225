//! A world made of text that stands beside a test.

mod mailboxes;
mod zones;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::{
    Dns, DnsAnswer, DnsError, DnsOptions, Files, HintsInMemory, SpoolInMemory, Stat, World,
};
use zones::Zones;

/// Files and DNS zones that are given as text, mailboxes that become files, hints and spool
/// in memory, and a record of what was asked for. All else is as in [`World::hermetic`].
///
/// ```
/// use eximious_core::world::Fixture;
/// let fixture = Fixture::new()
///     .file("/etc/aliases", "postmaster: root\n")
///     .zone("$ORIGIN example.\n@ MX 10 mail\nmail A 192.0.2.1\n");
/// let world = fixture.world();
/// assert!(world.files.read(b"/etc/aliases", 1000).is_ok());
/// assert!(world.dns.query("example", 15, &Default::default()).is_ok());
/// assert_eq!(fixture.asked(), ["read /etc/aliases", "dns MX example"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fixture(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: Mutex<BTreeMap<Vec<u8>, Arc<[u8]>>>,
    zones: Mutex<Zones>,
    hints: HintsInMemory,
    spool: SpoolInMemory,
    asked: Mutex<Vec<String>>,
}

impl Fixture {
    /// No files yet, and no names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces one.
    pub fn file(self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        if let Ok(mut files) = self.0.files.lock() {
            files.insert(path.as_bytes().to_vec(), contents.as_ref().into());
        }
        self
    }

    /// Adds records to the DNS, from lines as in a master file (RFC 1035):
    /// `name TTL IN type data`. A name without a final dot is completed by
    /// `$ORIGIN`, `@` stands for it, and a line that begins with white space has
    /// the name of the line before; parentheses join lines; `\# 3 010203` is
    /// data of any type. In place of a type, `AGAIN` says that there is no
    /// answer for the name now, and `SECURE` or `TRUSTED ZONE` that those for it
    /// are signed, or of a server with authority over that zone; types after
    /// `AGAIN` and `SECURE` limit them. `BARE` is a name without records.
    /// `$SEARCH DOMAIN…` completes names, and `$HOST ADDRESS NAME…` is a line of
    /// the system's own table.
    ///
    /// # Panics
    /// Where a line can't be read: the test is wrong.
    pub fn zone(self, text: &str) -> Self {
        match self.try_zone(text) {
            Ok(own) => own,
            Err(line) => panic!("no line of a zone: {line}"),
        }
    }

    /// As [`Fixture::zone`], for lines that somebody else wrote.
    ///
    /// # Errors
    /// The line that can't be read.
    pub fn try_zone(self, text: &str) -> Result<Self, String> {
        if let Ok(mut zones) = self.0.zones.lock() {
            zones.add(text).map_err(|line| line.to_string())?;
        }
        Ok(self)
    }

    /// The world.
    pub fn world(&self) -> World {
        let hints = Arc::new(self.0.hints.clone());
        let spool = Arc::new(self.0.spool.clone());
        World {
            files: self.0.clone(),
            dns: self.0.clone(),
            mailboxes: self.0.clone(),
            hints,
            spool,
            ..World::hermetic()
        }
    }

    /// The messages that wait in it.
    pub fn spool(&self) -> &SpoolInMemory {
        &self.0.spool
    }

    /// What was asked for so far, in order: `read PATH`, `stat PATH`, `append PATH`,
    /// `write PATH` (a mailbox), `dns TYPE NAME`, `table NAME`.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

impl Inner {
    fn note(&self, what: String) {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(what);
        }
    }

    fn find(&self, verb: &str, path: &[u8]) -> io::Result<Arc<[u8]>> {
        self.note(format!("{verb} {}", String::from_utf8_lossy(path)));
        let files = self.files.lock().map_err(|_| io::Error::other("a test panicked"))?;
        let missing = || io::Error::new(io::ErrorKind::NotFound, "No such file or directory");
        files.get(path).cloned().ok_or_else(missing)
    }
}

impl Files for Inner {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        let contents = self.find("read", path)?;
        if contents.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "File too large"));
        }
        Ok(contents)
    }

    fn stat(&self, path: &[u8], _follow: bool) -> io::Result<Stat> {
        let contents = self.find("stat", path)?;
        Ok(Stat { mode: 0o100_644, links: 1, size: contents.len() as u64, ..Stat::default() })
    }

    fn append(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.note(format!("append {}", String::from_utf8_lossy(path)));
        let mut files = self.files.lock().map_err(|_| io::Error::other("a test panicked"))?;
        let before = files.get(path).map_or(&b""[..], |before| before);
        let after = [before, contents].concat();
        files.insert(path.to_vec(), after.into());
        Ok(())
    }
}

impl Dns for Inner {
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        self.note(format!("dns {} {name}", crate::world::dns::written::type_name(kind)));
        let zones = self.zones.lock().map_err(|_| DnsError::Again("a test panicked".into()))?;
        zones.query(name, kind, options)
    }

    fn table_addresses(&self, host: &str) -> Vec<IpAddr> {
        self.note(format!("table {host}"));
        self.zones.lock().map(|zones| zones.table_addresses(host)).unwrap_or_default()
    }

    fn table_names(&self, address: IpAddr) -> Vec<String> {
        self.note(format!("table {address}"));
        self.zones.lock().map(|zones| zones.table_names(address)).unwrap_or_default()
    }
}
