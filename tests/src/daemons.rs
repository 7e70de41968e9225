//! Daemons that a test starts, clients that speak to them, and dialogues as data.
//!
//! A case (`tests/daemon/*.case`) has a configuration, what clients do, what they
//! heard of a real Exim, and what that wrote to its logs. Whatever depends on the
//! moment or on the program's name is left out of both.

mod plain;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use tempfile::TempDir;

use plain::plain;
pub use plain::{undated, without_ids, without_library};

use crate::servers::free_port;
use crate::tls::{self, Wire, Wishes};

/// How long a daemon may take to begin or to end, and a reply to come.
pub const READY: Duration = Duration::from_secs(30);

/// How long nothing is said until that counts as nothing.
const SILENCE: Duration = Duration::from_millis(1_500);

/// How long nothing is logged until everything is.
const QUIET: Duration = Duration::from_millis(400);

/// Whom a daemon serves as, where the superuser starts it.
const USER: &str = "Debian-exim";

/// Whose mailboxes a test writes: this user's, or Exim's where this is the superuser.
pub fn mailbox_user() -> String {
    let whoami = Command::new("id").arg("-un").output().expect("id").stdout;
    let own = String::from_utf8_lossy(&whoami).trim().to_owned();
    if own == "root" { USER.to_owned() } else { own }
}

/// A daemon with a directory of its own; it ends when this goes.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
}

impl Daemon {
    /// Starts a program as a daemon, with a configuration that follows the usual
    /// one. `PORT` in it, and in the arguments, is the port, `DIR` the directory.
    pub fn start(program: &Path, config: &str, arguments: &[&str]) -> Self {
        let daemon = Self::begin(program, config, arguments);
        let start = Instant::now();
        // The log says it; a connection would be counted.
        while !daemon.log("main").contains("daemon started") {
            assert!(start.elapsed() < READY, "{program:?} does not start: {}", daemon.said());
            sleep(Duration::from_millis(10));
        }
        daemon
    }

    /// The same, for one that may not get far.
    pub fn begin(program: &Path, config: &str, arguments: &[&str]) -> Self {
        let folder = TempDir::with_prefix("eximious-daemon-").expect("a directory");
        let at = folder.path();
        std::fs::create_dir(at.join("spool")).expect("a directory");
        let owned = Command::new("chown").arg(USER).arg(at.join("spool")).status();
        // Where there is no such user, nobody needs the directory but the test's own.
        let _ = owned;
        run(Command::new("chmod").args(["a+rwX"]).arg(at));
        let port = free_port();
        let filled = |text: &str| {
            let text = text.replace("PORT", &port.to_string());
            let text = text.replace("DIR", &at.display().to_string());
            match text.contains("CERTS") {
                true => text.replace("CERTS", &tls::certificates().display().to_string()),
                false => text,
            }
        };
        let head = "spool_directory = DIR/spool\nlog_file_path = DIR/log/%slog\n\
            keep_environment =\nprimary_hostname = host.test\n";
        // Where nothing is said of TLS, there is none.
        let tls = if config.contains("tls_") { "" } else { "tls_advertise_hosts =\n" };
        let file = at.join("exim.conf");
        std::fs::write(&file, filled(&format!("{head}{tls}{config}"))).expect("a configuration");
        let output = std::fs::File::create(at.join("said")).expect("a file");
        let errors = output.try_clone().expect("a file");
        let usual = ["-bdf", "-oX", "127.0.0.1.PORT"];
        let arguments = if arguments.is_empty() { &usual } else { arguments };
        let mut command = Command::new(program);
        command.arg("-C").arg(&file).args(arguments.iter().map(|one| filled(one)));
        command.stdin(Stdio::null()).stdout(output).stderr(errors).current_dir("/");
        let child = command.spawn().expect("the program runs");
        Self { child, port, folder }
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Replaces a part of its configuration.
    pub fn change(&self, from: &str, to: &str) {
        let file = self.path().join("exim.conf");
        let text = std::fs::read_to_string(&file).expect("a configuration");
        assert!(text.contains(from), "{from:?} is in the configuration");
        std::fs::write(&file, text.replace(from, to)).expect("a configuration");
    }

    /// One of its logs.
    pub fn log(&self, name: &str) -> String {
        let (kind, tag) = name.split_once('.').unwrap_or((name, ""));
        let dot = if tag.is_empty() { "" } else { "." };
        let file = self.path().join(format!("log/{kind}log{dot}{tag}"));
        let bytes = std::fs::read(file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until its main log has some text.
    pub fn await_log(&self, text: &str) {
        let start = Instant::now();
        while !self.log("main").contains(text) {
            let log = self.log("main");
            assert!(start.elapsed() < READY, "{text:?} is not logged: {log}");
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until some text stands in so many lines of its main log.
    pub fn await_lines(&self, text: &str, count: usize) {
        let start = Instant::now();
        while self.log("main").lines().filter(|line| line.contains(text)).count() < count {
            let log = self.log("main");
            assert!(start.elapsed() < READY, "{text:?} is not logged {count} times: {log}");
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until its main log has as many lines as it should, and a bit for any that
    /// it should not have: how clients left is logged when they are gone.
    fn settle(&self, lines: usize) {
        let start = Instant::now();
        let mut known = 0;
        // Where nobody knows how many, it is quiet at some time.
        while lines == 0 && start.elapsed() < READY {
            sleep(QUIET);
            let count = self.log("main").len() + self.log("reject").len();
            if count == known {
                break;
            }
            known = count;
        }
        while self.log("main").lines().count() < lines && start.elapsed() < READY {
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(100));
    }

    /// What it wrote to its standard output and error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.path().join("said")).unwrap_or_default()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let number = self.pid().to_string();
        run(Command::new("kill").args(["-s", name, &number]));
    }

    /// Waits for its end, and says how that was.
    pub fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a process") {
                return status.code();
            }
            assert!(start.elapsed() < READY, "the daemon does not end");
            sleep(Duration::from_millis(10));
        }
    }

    /// A connection to it.
    pub fn client(&self) -> Client {
        Client::connect(Ipv4Addr::LOCALHOST, self.port)
    }

    /// Hands a message in along a connection of its own: what is answered, and how long that took.
    pub fn hand_in(&self, to: &[&str]) -> (String, Duration) {
        let mut client = self.client();
        client.hear();
        client.say("HELO client.test");
        let answered = client.hand_in(to);
        client.say("QUIT");
        answered
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}

/// A connection to a daemon.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<Wire>,
}

impl Client {
    /// Connects from an address of this computer.
    pub fn connect(from: Ipv4Addr, port: u16) -> Self {
        let plug = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&plug, &SocketAddr::from((from, 0))).expect("an address of this computer");
        connect(&plug, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("a daemon listens");
        let stream = TcpStream::from(plug);
        stream.set_read_timeout(Some(READY)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self { reader: BufReader::with_capacity(1024, Wire::Plain(stream)) }
    }

    /// Hands a message in: what is answered, and how long that took.
    pub fn hand_in(&mut self, to: &[&str]) -> (String, Duration) {
        self.say("MAIL FROM:<s@client.test>");
        for address in to {
            self.say(&format!("RCPT TO:<{address}>"));
        }
        self.say("DATA");
        let begin = Instant::now();
        let said = self.say("Subject: x\r\n\r\ntext\r\n.");
        (said, begin.elapsed())
    }

    /// Says something, as it is.
    pub fn send(&mut self, bytes: &[u8]) {
        // Whoever turned us away does not listen; the reply tells.
        let _ = self.reader.get_mut().write_all(bytes);
    }

    /// Hears a reply: its lines, or what came instead of one.
    pub fn hear(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut line = Vec::new();
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return text + "(end)\n",
                Ok(_) => {}
                Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => {
                    return text + "(reset)\n";
                }
                Err(why) if why.kind() == std::io::ErrorKind::Other => return text + "(alert)\n",
                Err(_) => return text + "(silence)\n",
            }
            text.push_str(&String::from_utf8_lossy(&line).replace("\r\n", "\n"));
            if line.get(3) == Some(&b' ') || line.len() < 4 {
                return text;
            }
        }
    }

    /// Says a line, and hears the reply.
    pub fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.hear()
    }

    /// Says lines, each of which has to be answered well.
    pub fn go_through(&mut self, lines: &[&str]) {
        for line in lines {
            let reply = self.say(line);
            assert!(reply.starts_with(['2', '3']), "{line}: {reply}");
        }
    }

    /// Begins TLS: what is known of it then.
    pub fn seal(&mut self, wishes: &Wishes) -> String {
        match self.reader.get_mut().seal(wishes) {
            Some(said) => format!("(tls {said})\n"),
            None => "(no tls)\n".to_owned(),
        }
    }

    /// Ends TLS; what is said then is in clear text.
    pub fn unseal(&mut self) {
        self.reader.get_mut().unseal();
    }

    /// What there is until nothing comes any more.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.reader.read_to_end(&mut bytes);
        bytes
    }

    /// The connection.
    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref().socket()
    }
}

/// A dialogue, as a file has it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it stands.
    pub file: PathBuf,
    /// What it says: the sections, by name, in their order.
    sections: Vec<(String, String)>,
}

/// All cases, or those of some names.
pub fn cases(names: Option<&str>) -> Vec<Case> {
    crate::cases::files("daemon", names).into_iter().map(Case::read).collect()
}

impl Case {
    fn read(file: PathBuf) -> Self {
        let text = std::fs::read_to_string(&file).expect("a case");
        Self::parse(file, &text)
    }

    /// One with this text.
    pub fn parse(file: PathBuf, text: &str) -> Self {
        let mut sections: Vec<(String, String)> = vec![("about".into(), String::new())];
        for line in text.lines() {
            match line.strip_prefix("--- ") {
                Some(name) => sections.push((name.to_owned(), String::new())),
                None => {
                    let last = sections.last_mut().expect("the first is there");
                    last.1.push_str(line);
                    last.1.push('\n');
                }
            }
        }
        Self { file, sections }
    }

    fn section(&self, name: &str) -> &str {
        let found = self.sections.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, text)| text)
    }

    /// Plays it to a program; what comes of it has the form of the file.
    pub fn play(&self, program: &Path) -> Self {
        let arguments: Vec<&str> = self.section("arguments").lines().collect();
        let mut daemon = Daemon::begin(program, self.section("config"), &arguments);
        let starts = !self.section("talk").is_empty();
        let begun = Instant::now();
        while starts && !daemon.log("main").contains("daemon started") {
            if daemon.child.try_wait().is_ok_and(|end| end.is_some()) {
                break;
            }
            assert!(begun.elapsed() < READY, "{:?}: {}", self.file, daemon.said());
            sleep(Duration::from_millis(10));
        }
        let is_there = daemon.log("main").contains("daemon started");
        let talk = if is_there { talk(self.section("talk"), &daemon) } else { daemon.said() };
        let end = match starts {
            // The daemon's own end is no part of a dialogue.
            true => None,
            false => daemon.ended(),
        };
        daemon.settle(self.section("main").lines().count());
        let plain = |text: String| plain(&text, &daemon);
        let sections = self.sections.iter().map(|(name, text)| {
            let text = match name.as_str() {
                "talk" => plain(talk.clone()),
                "main" | "reject" | "panic" => plain(daemon.log(name)),
                "said" => plain(daemon.said()),
                "spool" => plain(spool(&daemon.path().join("spool/input"))),
                "files" => files(&daemon.path().join("log")),
                name if name.starts_with("debug") => plain(steps(&daemon.log(name))),
                "status" => format!("{}\n", end.unwrap_or(-1)),
                _ => text.clone(),
            };
            (name.clone(), text)
        });
        Self { file: self.file.clone(), sections: sections.collect() }
    }

    /// Its text, as the file has it.
    pub fn text(&self) -> String {
        let mut out = self.section("about").to_owned();
        for (name, text) in &self.sections[1..] {
            out.push_str(&format!("--- {name}\n{text}"));
        }
        out
    }
}

/// What is kept of messages, but for when they came, in the order in which they did.
fn spool(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with("-H"));
    paths.sort();
    let mut out = String::new();
    for path in paths {
        let text = std::fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let is_kept = |line: &&str| !line.starts_with("-received_time");
        let lines = text.lines().skip(4).filter(is_kept);
        out.extend(lines.map(|line| format!("{line}\n")));
    }
    out
}

/// The files of a directory, their rights, and whether they are empty.
fn files(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut lines: Vec<String> = entries
        .map(|entry| {
            let data = entry.metadata().expect("a file");
            let mode = data.permissions().mode() & 0o777;
            let size = if data.len() == 0 { "empty" } else { "filled" };
            format!("{} {mode:o} {size}\n", entry.file_name().display())
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// The lines of a log for debugging that tell what happened, and not how it came to
/// that.
fn steps(text: &str) -> String {
    const HEADS: [&str; 14] = [
        "using ",
        "processing ",
        "check ",
        "accept: ",
        "warn: ",
        "deny: ",
        "defer: ",
        "end of ",
        "SMTP<< ",
        "SMTP>> ",
        "LOG: MAIN",
        "LOG: PANIC",
        "debug terminated",
        "DEBUG",
    ];
    let told = text.lines().filter(|line| HEADS.iter().any(|head| line.starts_with(head)));
    told.map(|line| format!("{line}\n")).collect()
}

/// What clients do, line by line, with what they hear behind it.
fn talk(script: &str, daemon: &Daemon) -> String {
    let mut out = String::new();
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    let mut patience = READY;
    for line in script.lines() {
        let mut words = line.splitn(3, ' ');
        let (who, verb) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let rest = words.next().unwrap_or("");
        if verb == "<" {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        let mut heard = |text: String| {
            for line in text.lines() {
                out.push_str(&format!("{who} < {line}\n"));
            }
        };
        match (who, verb) {
            ("sleep", time) => {
                sleep(Duration::from_millis(time.parse().expect("milliseconds")));
            }
            ("signal", name) => daemon.signal(name),
            ("patience", time) => {
                patience = Duration::from_millis(time.parse().expect("milliseconds"));
            }
            (_, "connect") => {
                let from = rest.parse().unwrap_or(Ipv4Addr::LOCALHOST);
                let client = Client::connect(from, daemon.port);
                let _ = client.stream().set_read_timeout(Some(patience));
                clients.insert(who, client);
            }
            (_, _) if !clients.contains_key(who) => heard("(left)\n".to_owned()),
            (_, "close") => {
                let Some(one) = clients.remove(who) else { continue };
                let _ = one.stream().shutdown(Shutdown::Both);
                sleep(Duration::from_millis(50));
            }
            (_, verb) => {
                let Some(mut one) = clients.remove(who) else { continue };
                match verb {
                    "hears" => heard(one.hear()),
                    "waits" => {
                        let _ = one.stream().set_read_timeout(Some(SILENCE));
                        heard(one.hear());
                        let _ = one.stream().set_read_timeout(Some(patience));
                    }
                    "starttls" => {
                        let said = one.say("STARTTLS");
                        let goes = said.starts_with("220");
                        heard(said);
                        if goes {
                            heard(one.seal(&Wishes::read(rest)));
                        }
                    }
                    "tls" => heard(one.seal(&Wishes::read(rest))),
                    "tls-ends" => one.unseal(),
                    ">" => heard(one.say(rest)),
                    ">>" => one.send(rest.replace("\\r", "\r").replace("\\n", "\n").as_bytes()),
                    _ => panic!("{line:?} is no step"),
                }
                clients.insert(who, one);
            }
        }
    }
    out
}
