//! The world that tests run in: what is given, and nothing else.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use eximious::world::{
    Child, Civil, Clock, Command, Files, Finished, Fixture, Group, Host, Moment, Processes, Room,
    RunError, Stat, User, Users,
};
use eximious::{Builder, LookupDef, LookupFail, LookupFind, Registry, Str, World};
use toml::value::{Datetime, Offset};

use super::file::{CommandGiven, GivenWorld, LookupGiven};

/// The number of the first user that is given.
const FIRST_USER: u32 = 10_000;

/// What this machine has for tests: files that may be read, and hashes of passwords.
#[derive(Clone)]
pub struct TestMachine {
    /// Its files.
    pub files: Arc<dyn Files>,
    /// Its users, of whom nothing but `crypt` is asked.
    pub users: Arc<dyn Users>,
    /// Its clock, for time zones.
    pub clock: Arc<dyn Clock>,
}

/// The world of what is given.
///
/// # Errors
/// What of it can't be read.
pub fn world(given: &GivenWorld, machine: &TestMachine) -> Result<World, String> {
    let mut fixture = Fixture::new();
    for (path, text) in &given.files {
        fixture = fixture.file(path, text);
    }
    if let Some(zone) = &given.zone {
        fixture = fixture.try_zone(zone).map_err(|line| format!("no line of a zone: {line}"))?;
    }
    let world = fixture.world();
    let files = Arc::new(GivenFiles {
        own: world.files.clone(),
        machine: machine.files.clone(),
        read: given.read.clone(),
    });
    let addresses: Result<Vec<IpAddr>, _> = match &given.interfaces {
        Some(all) => all.iter().map(|one| one.parse()).collect(),
        None => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
    };
    let addresses = addresses.map_err(|_| "interfaces wants IP addresses".to_owned())?;
    let name = given.hostname.clone().unwrap_or_else(|| "localhost".to_owned()).into_bytes();
    let moment = match &given.time {
        Some(time) => moment(time).ok_or("time wants a date, a time and an offset")?,
        None => world.clock.now(),
    };
    Ok(World {
        files,
        users: Arc::new(GivenUsers { list: users(given)?, machine: machine.users.clone() }),
        host: Arc::new(GivenHost { name, addresses }),
        clock: Arc::new(Still { moment, machine: machine.clock.clone() }),
        processes: Arc::new(GivenCommands(given.command.clone())),
        ..world
    })
}

/// What look-ups answer in a context: it is left there for them.
pub struct GivenAnswers(pub Vec<LookupGiven>);

/// The words of the language, with look-ups of these types that answer what is left in the
/// context.
///
/// # Errors
/// A type that there is none of.
pub fn with_lookups(
    mut builder: Builder,
    registry: &Registry,
    kinds: &BTreeSet<String>,
) -> Result<Builder, String> {
    for kind in kinds {
        let id = registry.lookup_id(kind.as_bytes());
        let id = id.ok_or_else(|| format!("there is no look-up type \"{kind}\""))?;
        let mut record = LookupDef::clone(registry.lookup_at(id));
        let name = kind.clone();
        record.find = LookupFind::closure(move |call, query| {
            let Some(answers) = call.user_data::<GivenAnswers>() else { return Ok(None) };
            let key = query.key.bytes();
            let fits = |one: &&LookupGiven| {
                one.kind == name && one.key.as_ref().is_none_or(|own| own.as_bytes() == key)
            };
            match answers.0.iter().find(fits) {
                Some(LookupGiven { defer: Some(why), .. }) => {
                    Err(LookupFail::Defer(why.clone().into_bytes()))
                }
                Some(LookupGiven { answer: Some(answer), .. }) => {
                    Ok(Some(Str::tainted(answer.as_bytes())))
                }
                _ => Ok(None),
            }
        });
        builder = builder.lookup(record);
    }
    Ok(builder)
}

/// What a moment is called.
fn moment(time: &Datetime) -> Option<Moment> {
    let (date, clock) = (time.date?, time.time?);
    let minutes = match time.offset? {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let second = i64::from(clock.hour) * 3600
        + i64::from(clock.minute) * 60
        + i64::from(clock.second.unwrap_or(0));
    let days = days(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let seconds = days * 86_400 + second - minutes * 60;
    Some(Moment { seconds, nanos: clock.nanosecond.unwrap_or(0) })
}

/// Days since 1970 of a date of the Gregorian calendar: years begin in March, so that the
/// day that comes every four years is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let in_era = year.rem_euclid(400);
    let in_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
}

fn wrong(user: &str) -> String {
    format!("users wants NAME, NAME:HOME or NAME:HOME:UID:GID, not \"{user}\"")
}

fn users(given: &GivenWorld) -> Result<Vec<User>, String> {
    let user = |(number, text): (u32, &String)| {
        let parts: Vec<_> = text.split(':').collect();
        let id = |part: &str| part.parse::<u32>().map_err(|_| wrong(text));
        let (name, home, uid, gid) = match parts[..] {
            [name] => (name, format!("/home/{name}"), number, number),
            [name, home] => (name, home.to_owned(), number, number),
            [name, home, uid, gid] => (name, home.to_owned(), id(uid)?, id(gid)?),
            _ => return Err(wrong(text)),
        };
        Ok(User {
            name: name.as_bytes().to_vec(),
            uid,
            gid,
            gecos: name.as_bytes().to_vec(),
            home: home.into_bytes(),
            shell: b"/bin/sh".to_vec(),
        })
    };
    (FIRST_USER..).zip(&given.users).map(user).collect()
}

/// Files that are given, and those of the machine that may be read.
struct GivenFiles {
    own: Arc<dyn Files>,
    machine: Arc<dyn Files>,
    read: Vec<String>,
}

impl GivenFiles {
    /// Whether a file of the machine may be read.
    fn may(&self, path: &[u8]) -> bool {
        if path.windows(3).any(|part| part == b"/..") {
            return false;
        }
        self.read.iter().any(|own| {
            let own = own.as_bytes();
            let folder = own.strip_suffix(b"/").unwrap_or(own);
            path == folder || path.strip_prefix(folder).is_some_and(|rest| rest[0] == b'/')
        })
    }

    fn of<T>(&self, path: &[u8], ask: impl Fn(&dyn Files) -> io::Result<T>) -> io::Result<T> {
        match ask(&*self.own) {
            Err(why) if why.kind() == io::ErrorKind::NotFound && self.may(path) => {
                ask(&*self.machine)
            }
            answer => answer,
        }
    }
}

impl Files for GivenFiles {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }

    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.of(path, |files| files.read(path, limit))
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        self.of(path, |files| files.stat(path, follow))
    }

    fn append(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.own.append(path, contents)
    }
}

/// Users that are given.
struct GivenUsers {
    list: Vec<User>,
    machine: Arc<dyn Users>,
}

impl Users for GivenUsers {
    fn user(&self, name: &[u8]) -> io::Result<Option<User>> {
        Ok(self.list.iter().find(|user| user.name == name).cloned())
    }

    fn user_by_id(&self, uid: u32) -> io::Result<Option<User>> {
        Ok(self.list.iter().find(|user| user.uid == uid).cloned())
    }

    fn group(&self, name: &[u8]) -> io::Result<Option<Group>> {
        let user = self.list.iter().find(|user| user.name == name);
        Ok(user.map(|user| Group { name: user.name.clone(), gid: user.gid, members: Vec::new() }))
    }

    fn group_by_id(&self, gid: u32) -> io::Result<Option<Group>> {
        let user = self.list.iter().find(|user| user.gid == gid);
        Ok(user.map(|user| Group { name: user.name.clone(), gid, members: Vec::new() }))
    }

    fn groups_of(&self, _: &[u8], gid: u32) -> io::Result<Vec<u32>> {
        Ok(vec![gid])
    }

    fn crypt(&self, password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        self.machine.crypt(password, setting)
    }

    fn authenticate(&self, _: &[u8], _: &[u8], _: &[Vec<u8>]) -> Result<bool, Vec<u8>> {
        Err(b"tests ask no authentication modules".to_vec())
    }
}

/// The host that is given.
struct GivenHost {
    name: Vec<u8>,
    addresses: Vec<IpAddr>,
}

impl Host for GivenHost {
    fn name(&self) -> Vec<u8> {
        self.name.clone()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.clone()
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

    // There is always enough.
    fn room(&self, _: &[u8]) -> io::Result<Room> {
        Ok(Room { kilobytes: 1 << 40, inodes: 1 << 40 })
    }

    fn directory(&self) -> Vec<u8> {
        b"/".to_vec()
    }
}

/// A clock that stands still; what its time is called in a time zone, the machine knows.
struct Still {
    moment: Moment,
    machine: Arc<dyn Clock>,
}

impl Clock for Still {
    fn now(&self) -> Moment {
        self.moment
    }

    fn civil(&self, moment: Moment, zone: Option<&str>) -> Civil {
        self.machine.civil(moment, Some(zone.unwrap_or("UTC")))
    }
}

/// Commands that are given.
struct GivenCommands(Vec<CommandGiven>);

impl Processes for GivenCommands {
    fn run(&self, command: &Command, _: Duration, _: u64) -> Result<Finished, RunError> {
        let words: Vec<_> = command.argv.iter().map(|word| String::from_utf8_lossy(word)).collect();
        let line = words.join(" ");
        match self.0.iter().find(|own| own.command == line) {
            Some(own) => Ok(Finished { code: own.status, output: own.output.clone().into_bytes() }),
            None => Err(RunError::Start(io::Error::new(
                io::ErrorKind::NotFound,
                format!("no command \"{line}\" is given"),
            ))),
        }
    }

    fn start(&self, _: &Command) -> io::Result<Box<dyn Child>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn launch(&self, _: &Command, _: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_since_1970() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-22T13:00:00+01:00", 1_795_348_800),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            let time: Datetime = text.parse().unwrap();
            assert_eq!(moment(&time).map(|found| found.seconds), Some(seconds), "{text}");
        }
        assert_eq!(moment(&"2026-11-22".parse().unwrap()), None);
    }
}
