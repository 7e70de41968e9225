//! `--record`: a session in the world as it is, kept as a test.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::world::{
    Child, Command, Dns, DnsAnswer, DnsError, DnsOptions, DnsRecord, Files, Finished, Fixture,
    Group, Processes, RunError, Stat, User, Users, spool::is_message_id,
};
use eximious::{Config, Engine, World};
use toml::value::{Date, Datetime, Offset, Time};

use super::file::{Case, Code, CommandGiven, Expect, GivenWorld, LookupGiven, TestFile};
use super::run::Mismatch;
use super::suite::Suite;
use super::world::TestMachine;
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
    /// What they are called, with home and numbers.
    users: BTreeMap<String, String>,
    commands: Vec<CommandGiven>,
    /// Files that can't be given, and why.
    left_out: BTreeMap<String, &'static str>,
}

/// A world that is listened to.
#[derive(Clone)]
struct Ear {
    heard: Arc<Mutex<Heard>>,
    world: World,
}

/// A session that is to become a test.
pub struct SessionToRecord<'s> {
    /// What the test is called.
    pub name: &'s str,
    /// How the test names the configuration.
    pub path: &'s str,
    /// The configuration.
    pub config: Config,
    /// Macros, as `-D` defines them.
    pub macros: BTreeMap<String, String>,
    /// The client.
    pub client: SocketAddr,
    /// What the client says.
    pub script: &'s [u8],
}

/// A test of a session.
pub struct RecordedTest {
    /// The test.
    pub test: TestFile,
    /// What whoever keeps it should know.
    pub notes: Vec<String>,
}

/// Runs a session in the world as it is, and makes a test of it: what was found out, and
/// what came of it. It is held once more as a test, and only those lines of the log are kept
/// that come again. Hints (`ratelimit`, `seen`) begin from nothing, as in every test.
///
/// # Errors
/// The test can't be run.
pub fn record(
    asked: SessionToRecord<'_>,
    engine: &Engine,
    machine: &TestMachine,
) -> Result<RecordedTest, String> {
    let SessionToRecord { name, path, config, macros, client, script } = asked;
    let ear = Ear { heard: Arc::default(), world: engine.world().clone() };
    let world = World {
        dns: Arc::new(ear.clone()),
        files: Arc::new(ear.clone()),
        users: Arc::new(ear.clone()),
        processes: Arc::new(ear.clone()),
        hints: Fixture::new().world().hints,
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
    expect.accepted = Some(accepted);
    let mut notes = notes_of(script);
    let script = String::from_utf8_lossy(script);
    let lines = script.lines().filter(|line| !line.eq_ignore_ascii_case("quit"));
    let lines: Vec<_> = lines.map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(format!("{name}: the client says nothing"));
    }
    let heard = ear.heard();
    let left_out = heard.left_out.iter().filter(|(path, _)| !own.contains(path.as_bytes()));
    notes.extend(left_out.map(|(path, why)| format!("{path} is not in the test: {why}")));
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
        users: heard.users.iter().map(|(name, rest)| format!("{name}:{rest}")).collect(),
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
        lines,
        expect,
        ..Case::default()
    };
    let config = Some(path.to_owned());
    let mut test = TestFile { config, macros, given, case: vec![case], ..TestFile::default() };
    notes.extend(replay(&mut test, machine)?);
    Ok(RecordedTest { test, notes })
}

/// What the lines of a client have in them that is not for everybody, or not for TOML.
fn notes_of(script: &[u8]) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, line) in (1..).zip(script.split(|c| *c == b'\n')) {
        if std::str::from_utf8(line).is_err() {
            notes.push(format!("line {number} is no UTF-8: the test has \u{fffd} in its place"));
        }
        if line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH ")) {
            notes.push(format!("line {number} is AUTH: what it says stands in the test"));
        }
    }
    notes
}

/// Runs a test, and leaves out what of the log does not come again: names of messages and
/// numbers of processes are others each time. Anything else that does not come is said.
fn replay(test: &mut TestFile, machine: &TestMachine) -> Result<Vec<String>, String> {
    // The configuration is where it was for the session.
    let suite = Suite::new("", test.clone(), machine)?;
    let Some(result) = suite.tests.first().map(|test| suite.run(test, None)) else {
        return Ok(Vec::new());
    };
    let log: Vec<_> = result.said.iter().filter_map(|line| line.strip_prefix("LOG: ")).collect();
    let mut notes = Vec::new();
    for case in &mut test.case {
        let lines = std::mem::take(&mut case.expect.log);
        for line in lines {
            match again(&line, &log) {
                Some(part) => case.expect.log.push(part.to_owned()),
                None => notes.push(format!("this is not logged again, and left out: {line}")),
            }
        }
    }
    let others = result.mismatches.iter().filter(|one| one.what != "log");
    notes.extend(others.map(|one| {
        let Mismatch { what, expected, came } = one;
        format!("the test fails, for something is not given: {what} was {expected}, came {came}")
    }));
    Ok(notes)
}

/// What of a line of the log comes again: all of it, or what stands behind a message's name.
fn again<'l>(line: &'l str, log: &[&str]) -> Option<&'l str> {
    let unnamed = line.split_once(' ').filter(|(name, _)| is_message_id(name.as_bytes()));
    let unnamed = unnamed.map(|(_, rest)| rest);
    [Some(line), unnamed]
        .into_iter()
        .flatten()
        .find(|part| log.iter().any(|line| line.contains(part)))
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
        let path = String::from_utf8_lossy(path).into_owned();
        match std::str::from_utf8(contents) {
            Ok(text) if text.len() <= LONGEST => {
                self.heard().files.insert(path, text.to_owned());
            }
            Ok(_) => self.heard().leave_out(path, "it is too long"),
            Err(_) => self.heard().leave_out(path, "it is no UTF-8"),
        }
    }

    fn note_user(&self, user: Option<&User>) {
        if let Some(user) = user {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let rest = format!("{}:{}:{}", text(&user.home), user.uid, user.gid);
            self.heard().users.insert(text(&user.name), rest);
        }
    }
}

impl Heard {
    fn leave_out(&mut self, path: String, why: &'static str) {
        self.left_out.insert(path, why);
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
        let user = self.world.users.user_by_id(uid)?;
        self.note_user(user.as_ref());
        Ok(user)
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
