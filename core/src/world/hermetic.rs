//! A world that denies everything, with a fixed clock and seeded randomness.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{
    Brightmail, BrightmailQuestion, BrightmailVerdict, Change, Child, Civil, Clock, Command,
    DatabaseAnswer, DatabaseError, DatabaseQuery, Databases, Dns, DnsAnswer, DnsError, DnsOptions,
    Files, Finished, ForeignAnswer, ForeignError, Group, Hint, HintStore, Hints, HintsError, Host,
    Ldap, LdapAnswer, LdapError, LdapRequest, Libraries, Log, MailboxDone, MailboxFault,
    MailboxOrder, MailboxSupply, Mailboxes, Moment, Net, Processes, Random, Redis, RedisReply,
    Room, RunError, Sasl, SaslError, SaslSession, SaslStart, Server, ServerError, Spool, SpoolData,
    SpoolError, SpoolPlace, SpoolStep, Sql, SqlAnswer, SqlKind, Stat, Stream, Target, Tls,
    TlsClient, TlsFault, TlsServer, TlsSession, User, Users, World,
};

impl World {
    /// A world that denies everything. The clock stands at 2001-09-09 01:46:40
    /// UTC, random numbers come from a fixed seed, and the logs keep what they
    /// are told.
    pub fn hermetic() -> Self {
        let closed = Arc::new(Closed);
        Self {
            clock: Arc::new(Fixed(Moment { seconds: 1_000_000_000, nanos: 0 })),
            random: Arc::new(Seeded(AtomicU64::new(0x9e37_79b9_7f4a_7c15))),
            files: closed.clone(),
            net: closed.clone(),
            processes: closed.clone(),
            users: closed.clone(),
            host: closed.clone(),
            databases: closed.clone(),
            libraries: closed.clone(),
            sasl: closed.clone(),
            tls: closed.clone(),
            sql: closed.clone(),
            redis: closed.clone(),
            ldap: closed.clone(),
            dns: closed.clone(),
            hints: closed.clone(),
            brightmail: closed.clone(),
            spool: closed.clone(),
            mailboxes: closed,
            log: Arc::new(Kept::default()),
        }
    }
}

/// A clock that stands still, in UTC.
#[derive(Debug)]
pub struct Fixed(pub Moment);

impl Clock for Fixed {
    fn now(&self) -> Moment {
        self.0
    }
    fn civil(&self, moment: Moment, _zone: Option<&str>) -> Civil {
        civil_utc(moment.seconds)
    }
}

/// Proleptic Gregorian date of a second in UTC.
fn civil_utc(seconds: i64) -> Civil {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year: year as i32,
        month: month as u8,
        day: (day_of_year - (153 * shifted + 2) / 5 + 1) as u8,
        weekday: (days + 4).rem_euclid(7) as u8,
        hour: (rest / 3600) as u8,
        minute: (rest / 60 % 60) as u8,
        second: (rest % 60) as u8,
        offset: 0,
    }
}

/// Numbers from a seed (splitmix64).
#[derive(Debug)]
struct Seeded(AtomicU64);

impl Random for Seeded {
    fn below(&self, limit: u64) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if limit == 0 { 0 } else { z % limit }
    }
}

/// Says no to everything.
struct Closed;

fn denial() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "Permission denied")
}

fn denied<T>() -> io::Result<T> {
    Err(denial())
}

impl Files for Closed {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }
    fn read(&self, _: &[u8], _: u64) -> io::Result<Arc<[u8]>> {
        denied()
    }
    fn stat(&self, _: &[u8], _: bool) -> io::Result<Stat> {
        denied()
    }
}

impl Mailboxes for Closed {
    fn write(
        &self,
        _: &MailboxOrder,
        _: &mut dyn MailboxSupply,
    ) -> Result<MailboxDone, MailboxFault> {
        const EACCES: i32 = 13;
        Err(MailboxFault::new(EACCES, denial().to_string()))
    }
}

impl Net for Closed {
    fn connect(&self, _: &Target, _: Duration) -> io::Result<Box<dyn Stream>> {
        denied()
    }
    fn datagram(
        &self,
        _: SocketAddr,
        _: &[u8],
        _: Duration,
        _: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        denied()
    }
    fn send(&self, _: SocketAddr, _: &[u8]) -> io::Result<()> {
        denied()
    }
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        denied()
    }
    fn service(&self, _: &str) -> Option<u16> {
        None
    }
}

impl Processes for Closed {
    fn run(&self, _: &Command, _: Duration, _: u64) -> Result<Finished, RunError> {
        denied().map_err(RunError::Start)
    }
    fn start(&self, _: &Command) -> io::Result<Box<dyn Child>> {
        denied()
    }
    fn launch(&self, _: &Command, _: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        denied()
    }
}

impl Users for Closed {
    fn user(&self, _: &[u8]) -> io::Result<Option<User>> {
        Ok(None)
    }
    fn user_by_id(&self, _: u32) -> io::Result<Option<User>> {
        Ok(None)
    }
    fn group(&self, _: &[u8]) -> io::Result<Option<Group>> {
        Ok(None)
    }
    fn group_by_id(&self, _: u32) -> io::Result<Option<Group>> {
        Ok(None)
    }
    fn groups_of(&self, _: &[u8], gid: u32) -> io::Result<Vec<u32>> {
        Ok(vec![gid])
    }
    fn crypt(&self, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn authenticate(&self, _: &[u8], _: &[u8], _: &[Vec<u8>]) -> Result<bool, Vec<u8>> {
        Err(b"Permission denied".to_vec())
    }
}

impl Host for Closed {
    fn name(&self) -> Vec<u8> {
        b"localhost".to_vec()
    }
    fn addresses(&self) -> Vec<IpAddr> {
        Vec::new()
    }
    fn environment(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn environment_names(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
    fn pid(&self) -> u32 {
        1
    }
    fn ids(&self) -> (u32, u32) {
        (0, 0)
    }
    fn load(&self) -> i64 {
        0
    }
    fn room(&self, _: &[u8]) -> io::Result<Room> {
        denied()
    }
    fn directory(&self) -> Vec<u8> {
        b"/".to_vec()
    }
}

impl Databases for Closed {
    fn find(&self, _: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        Err(DatabaseError::Open("Permission denied".into()))
    }
}

impl Tls for Closed {
    fn serve(&self, _: &TlsServer) -> Result<Box<dyn TlsSession>, TlsFault> {
        Err(TlsFault::new("TLS", "Permission denied"))
    }
    fn connect(&self, _: &TlsClient) -> Result<Box<dyn TlsSession>, TlsFault> {
        Err(TlsFault::new("TLS", "Permission denied"))
    }
}

impl Sasl for Closed {
    fn start(&self, _: &SaslStart) -> Result<Box<dyn SaslSession>, SaslError> {
        Err(SaslError::Unavailable("denied".into()))
    }
}

impl Libraries for Closed {
    fn call(&self, _: &[u8], _: &[u8], _: &[Vec<u8>]) -> Result<ForeignAnswer, ForeignError> {
        Err(ForeignError::Open("Permission denied".into()))
    }
}

impl Dns for Closed {
    fn query(&self, _: &str, _: u16, _: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        Err(DnsError::Again("the DNS is not there".into()))
    }
}

impl Sql for Closed {
    fn query(
        &self,
        _: SqlKind,
        _: &Server,
        _: &[u8],
        _: Duration,
    ) -> Result<SqlAnswer, ServerError> {
        Err(ServerError::Unavailable)
    }
}

impl Redis for Closed {
    fn command(&self, _: &Server, _: &[Vec<u8>], _: Duration) -> Result<RedisReply, ServerError> {
        Err(ServerError::Unavailable)
    }
}

impl Ldap for Closed {
    fn request(&self, _: &LdapRequest) -> Result<LdapAnswer, LdapError> {
        Err(LdapError::Connect("LDAP is not there".into()))
    }
}

impl Brightmail for Closed {
    fn judge(&self, _: &[u8], _: &BrightmailQuestion<'_>) -> io::Result<Vec<BrightmailVerdict>> {
        denied()
    }
}

impl Hints for Closed {
    fn open(&self, _: &[u8], _: Arc<dyn Log>) -> Arc<dyn HintStore> {
        Arc::new(Closed)
    }
}

impl HintStore for Closed {
    fn get(&self, _: &[u8], _: &[u8]) -> Result<Option<Hint>, HintsError> {
        Ok(None)
    }
    fn update(
        &self,
        _: &[u8],
        _: &[u8],
        _: &mut dyn FnMut(Option<&Hint>) -> Change,
    ) -> Result<(), HintsError> {
        Err(HintsError::Denied)
    }
    fn page(
        &self,
        _: &[u8],
        _: Option<&[u8]>,
        _: usize,
    ) -> Result<Vec<(Vec<u8>, Hint)>, HintsError> {
        Ok(Vec::new())
    }
    fn spaces(&self) -> Result<Vec<Vec<u8>>, HintsError> {
        Ok(Vec::new())
    }
    fn tidy(&self, _: &[u8], _: i64) -> Result<u64, HintsError> {
        Ok(0)
    }
}

impl Spool for Closed {
    fn is_there(&self) -> bool {
        false
    }
    fn begin(&self, place: &SpoolPlace, id: &[u8]) -> Result<Box<dyn SpoolData>, SpoolError> {
        let file = place.path(id, b"-D");
        Err(SpoolError { step: SpoolStep::Create, file, why: denial() })
    }
    fn read(&self, _: &SpoolPlace, _: &[u8], _: &[u8], _: u64) -> io::Result<Vec<u8>> {
        denied()
    }
    fn remove(&self, _: &SpoolPlace, _: &[u8]) -> io::Result<()> {
        denied()
    }
    fn size(&self, _: &SpoolPlace, _: &[u8], _: &[u8]) -> io::Result<u64> {
        denied()
    }
    fn message_log(&self, _: &SpoolPlace, _: &[u8], _: u64) -> io::Result<Vec<u8>> {
        denied()
    }
    fn add_to_log(&self, _: &SpoolPlace, _: &[u8], _: &[u8]) -> io::Result<()> {
        denied()
    }
    fn visit(&self, _: &SpoolPlace, _: &mut dyn FnMut(&[u8], Option<u8>)) -> io::Result<()> {
        denied()
    }
}

/// Logs that keep what they are told.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Vec<u8>>>);

impl Kept {
    fn keep(&self, line: &[u8]) {
        if let Ok(mut lines) = self.0.lock()
            && lines.len() < 10_000
        {
            lines.push(line.to_vec());
        }
    }
}

impl Log for Kept {
    fn main(&self, line: &[u8]) {
        self.keep(line);
    }
    fn panic(&self, line: &[u8]) {
        self.keep(line);
    }
    fn debug(&self, text: &[u8]) {
        self.keep(text);
    }
}
