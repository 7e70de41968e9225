//! `--record`: a session in the world as it is, kept as a test.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::world::{
    Child, Command, Dns, DnsAnswer, DnsError, DnsOptions, DnsRecord, Files, Finished, Group,
    Processes, RunError, Stat, User, Users,
};
use eximious::{Config, Engine, World};
use toml::value::{Date, Datetime, Offset, Time};

use super::file::{Case, Code, CommandGiven, Expect, GivenWorld, LookupGiven, TestFile};
use crate::bench::Bench;
use crate::record::Fact;
use crate::tree::TraceNode;

/// How long a file may be that is kept in a test.
const LONGEST: usize = 64 << 10;

/// What was asked of the world, and what it said.
#[derive(Default)]
struct Heard {
    zone: BTreeSet<String>,
    files: BTreeMap<String, String>,
    users: BTreeMap<String, String>,
    commands: Vec<CommandGiven>,
}

/// A world that is listened to.
#[derive(Clone)]
struct Ear {
    heard: Arc<Mutex<Heard>>,
    world: World,
}

/// Runs a session in the world as it is, and makes a test of it: what was found out, and
/// what came of it. `config` is how the test names the configuration.
pub fn record(
    name: &str,
    path: &str,
    config: Config,
    engine: &Engine,
    client: SocketAddr,
    script: &[u8],
) -> TestFile {
    let ear = Ear { heard: Arc::default(), world: engine.world().clone() };
    let world = World {
        dns: Arc::new(ear.clone()),
        files: Arc::new(ear.clone()),
        users: Arc::new(ear.clone()),
        processes: Arc::new(ear.clone()),
        ..engine.world().clone()
    };
    let own: BTreeSet<_> = config.sources.files().iter().map(|file| file.name.clone()).collect();
    let engine = engine.with_world(world);
    let mut bench = Bench::new(config, &engine);
    let cx = engine.context();
    let session = bench.session(&cx, client, script);
    let (mut lookups, mut accepted) = (Vec::new(), Vec::new());
    bench.happened().iter().for_each(|node| node.walk(&mut |node| answers(node, &mut lookups)));
    let mut expect = Expect::default();
    // The end of the connection is none of the client's lines.
    for line in session.iter().filter(|line| !line.said.reply.is_empty()) {
        let text = String::from_utf8_lossy(&line.line);
        let code = line.said.code();
        if text.to_ascii_uppercase().starts_with("RCPT") && (200..300).contains(&code) {
            let address = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            accepted.extend(address.map(|(address, _)| address.to_owned()));
        }
        if text.to_ascii_uppercase().starts_with("QUIT") || code == 421 {
            continue;
        }
        expect.code = Some(Code::Number(code));
        expect.log.extend(line.log.iter().map(|line| line.display().into_owned()));
    }
    // Names of messages are others each time.
    expect.log.retain(|line| !line.contains(" <= "));
    expect.accepted = Some(accepted);
    let script = String::from_utf8_lossy(script);
    let lines = script.lines().filter(|line| !line.eq_ignore_ascii_case("quit"));
    let heard = ear.heard();
    let clock = &engine.world().clock;
    let given = GivenWorld {
        time: datetime(clock.now().seconds),
        hostname: Some(String::from_utf8_lossy(&engine.world().host.name()).into_owned()),
        interfaces: Some(engine.world().host.addresses().iter().map(ToString::to_string).collect()),
        zone: (!heard.zone.is_empty())
            .then(|| heard.zone.iter().map(|line| format!("{line}\n")).collect()),
        files: heard
            .files
            .iter()
            .filter(|(path, _)| !own.contains(path.as_bytes()))
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect(),
        users: heard.users.iter().map(|(name, home)| format!("{name}:{home}")).collect(),
        lookup: lookups,
        command: heard.commands.clone(),
        ..GivenWorld::default()
    };
    let case = Case {
        name: name.to_owned(),
        client: Some(match client.port() {
            0 => client.ip().to_string(),
            _ => client.to_string(),
        }),
        lines: lines.map(str::to_owned).collect(),
        expect,
        ..Case::default()
    };
    TestFile { config: Some(path.to_owned()), given, case: vec![case], ..TestFile::default() }
}

/// The answers of a look-up.
fn answers(node: &TraceNode, found: &mut Vec<LookupGiven>) {
    if !node.is("lookup", "lookup") {
        return;
    }
    let kind = node.text("type").display().into_owned();
    for answer in node.parts.iter().filter(|part| part.is("lookup", "answer")) {
        let text = |name: &str| match answer.fact(name) {
            Some(Fact::Text(text)) => Some(text.display().into_owned()),
            _ => None,
        };
        let one = LookupGiven {
            kind: kind.clone(),
            key: text("key"),
            answer: text("value"),
            defer: text("failure"),
        };
        if !found.contains(&one) {
            found.push(one);
        }
    }
}

/// A moment as TOML has it.
fn datetime(seconds: i64) -> Option<Datetime> {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The reverse of what is counted where a time is read.
    let shifted = days + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let date = Date {
        year: u16::try_from(year).ok()?,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
    };
    let part = |seconds: i64| u8::try_from(seconds).ok();
    let time = Time {
        hour: part(second / 3600)?,
        minute: part(second / 60 % 60)?,
        second: Some(part(second % 60)?),
        nanosecond: None,
    };
    Some(Datetime { date: Some(date), time: Some(time), offset: Some(Offset::Z) })
}

impl Ear {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_file(&self, path: &[u8], contents: &[u8]) {
        if let (Ok(path), Ok(text)) = (std::str::from_utf8(path), std::str::from_utf8(contents))
            && text.len() <= LONGEST
        {
            self.heard().files.insert(path.to_owned(), text.to_owned());
        }
    }

    fn note_user(&self, user: Option<&User>) {
        if let Some(user) = user {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            self.heard().users.insert(text(&user.name), text(&user.home));
        }
    }
}

impl Dns for Ear {
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        let answer = self.world.dns.query(name, kind, options);
        let mut heard = self.heard();
        match &answer {
            Ok(answer) => {
                heard
                    .zone
                    .extend(answer.records.iter().chain(&answer.additional).map(DnsRecord::line));
            }
            Err(DnsError::NoData(_)) => {
                heard.zone.insert(format!("{}. BARE", name.trim_end_matches('.')));
            }
            Err(DnsError::Again(_)) => {
                heard.zone.insert(format!("{}. AGAIN", name.trim_end_matches('.')));
            }
            Err(_) => {}
        }
        answer
    }

    fn table_addresses(&self, host: &str) -> Vec<IpAddr> {
        let found = self.world.dns.table_addresses(host);
        let mut heard = self.heard();
        heard.zone.extend(found.iter().map(|address| format!("$HOST {address} {host}")));
        found
    }

    fn table_names(&self, address: IpAddr) -> Vec<String> {
        let found = self.world.dns.table_names(address);
        if !found.is_empty() {
            self.heard().zone.insert(format!("$HOST {address} {}", found.join(" ")));
        }
        found
    }
}

impl Files for Ear {
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        let files = self.world.files.clone().seen_by(uid, gid);
        let world = World { files, ..self.world.clone() };
        Arc::new(Self { heard: self.heard.clone(), world })
    }

    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        let contents = self.world.files.read(path, limit)?;
        self.note_file(path, &contents);
        Ok(contents)
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        let stat = self.world.files.stat(path, follow)?;
        // That it is there may be all that is asked.
        if let Ok(contents) = self.world.files.read(path, LONGEST as u64) {
            self.note_file(path, &contents);
        }
        Ok(stat)
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.world.files.names(path, most)
    }
}

impl Users for Ear {
    fn user(&self, name: &[u8]) -> io::Result<Option<User>> {
        let user = self.world.users.user(name)?;
        self.note_user(user.as_ref());
        Ok(user)
    }

    fn user_by_id(&self, uid: u32) -> io::Result<Option<User>> {
        self.world.users.user_by_id(uid)
    }

    fn group(&self, name: &[u8]) -> io::Result<Option<Group>> {
        self.world.users.group(name)
    }

    fn group_by_id(&self, gid: u32) -> io::Result<Option<Group>> {
        self.world.users.group_by_id(gid)
    }

    fn groups_of(&self, user: &[u8], gid: u32) -> io::Result<Vec<u32>> {
        self.world.users.groups_of(user, gid)
    }

    fn crypt(&self, password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        self.world.users.crypt(password, setting)
    }

    fn authenticate(
        &self,
        service: &[u8],
        user: &[u8],
        answers: &[Vec<u8>],
    ) -> Result<bool, Vec<u8>> {
        self.world.users.authenticate(service, user, answers)
    }
}

impl Processes for Ear {
    fn run(&self, command: &Command, timeout: Duration, limit: u64) -> Result<Finished, RunError> {
        let finished = self.world.processes.run(command, timeout, limit)?;
        let words: Vec<_> = command.argv.iter().map(|word| String::from_utf8_lossy(word)).collect();
        self.heard().commands.push(CommandGiven {
            command: words.join(" "),
            output: String::from_utf8_lossy(&finished.output).into_owned(),
            status: finished.code,
        });
        Ok(finished)
    }

    fn start(&self, command: &Command) -> io::Result<Box<dyn Child>> {
        self.world.processes.start(command)
    }

    fn launch(&self, command: &Command, ended: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self.world.processes.launch(command, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::datetime;

    #[test]
    fn moments_are_written_as_they_are_read() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_825_600, "2000-02-29T12:00:00Z"),
            (1_795_348_801, "2026-11-22T12:00:01Z"),
        ] {
            assert_eq!(datetime(seconds).unwrap().to_string(), text);
        }
    }
}
