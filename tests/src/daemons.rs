//! Daemons that a test starts, clients that speak to them, and dialogues as data.
//!
//! A case (`tests/daemon/*.case`) has a configuration, what clients do, what they
//! heard of a real Exim, and what that wrote to its logs. Whatever depends on the
//! moment or on the program's name is left out of both.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use regex::Regex;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use tempfile::TempDir;

use crate::servers::free_port;
use crate::tls::{self, Wire, Wishes};

/// How long a daemon may take to begin or to end, and a reply to come.
pub const READY: Duration = Duration::from_secs(30);

/// How long nothing is said until that counts as nothing.
const SILENCE: Duration = Duration::from_millis(1_500);

/// Whom a daemon serves as, where the superuser starts it.
const USER: &str = "Debian-exim";

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
            assert!(begun.elapsed() < READY, "{:?}: {}", self.file, daemon.said());
            sleep(Duration::from_millis(10));
        }
        let talk = talk(self.section("talk"), &daemon);
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
        let client = |clients: &mut BTreeMap<&str, Client>| -> Client {
            clients.remove(who).unwrap_or_else(|| panic!("{who} is connected"))
        };
        match (who, verb) {
            ("sleep", time) => {
                sleep(Duration::from_millis(time.parse().expect("milliseconds")));
            }
            ("signal", name) => daemon.signal(name),
            (_, "connect") => {
                let from = rest.parse().unwrap_or(Ipv4Addr::LOCALHOST);
                clients.insert(who, Client::connect(from, daemon.port));
            }
            (_, "close") => {
                let one = client(&mut clients);
                let _ = one.stream().shutdown(Shutdown::Both);
                sleep(Duration::from_millis(50));
            }
            (_, verb) => {
                let mut one = client(&mut clients);
                match verb {
                    "hears" => heard(one.hear()),
                    "waits" => {
                        let _ = one.stream().set_read_timeout(Some(SILENCE));
                        heard(one.hear());
                        let _ = one.stream().set_read_timeout(Some(READY));
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

/// What a daemon calls itself in its log, and in its banner.
const OWN_DAEMON: &str = concat!("exim 4.100-eximious-", env!("CARGO_PKG_VERSION"), " daemon");
const OWN_NAME: &str = concat!("Exim 4.100-eximious-", env!("CARGO_PKG_VERSION"));

/// A text without what depends on the moment, on the computer, or on the program's
/// name.
fn plain(text: &str, daemon: &Daemon) -> String {
    let mut out = String::new();
    // A run of the queue that a real Exim starts may not have the superuser's rights with
    // another configuration.
    for line in text.lines().filter(|line| !line.contains("lost privilege for using -C")) {
        let line = line.replace(&daemon.path().display().to_string(), "DIR");
        let line = match line.contains("eximious-certificates") {
            true => line.replace(&tls::certificates().display().to_string(), "CERTS"),
            false => line,
        };
        let line = line.replace(&daemon.port.to_string(), "PORT");
        let mut line = undated(&line).to_owned();
        for (from, to) in [
            ("exim 4.98.2 daemon", "PROGRAM daemon"),
            (OWN_DAEMON, "PROGRAM daemon"),
            ("Exim 4.98.2", "VERSION"),
            (OWN_NAME, "VERSION"),
        ] {
            line = line.replace(from, to);
        }
        let pid_ends = if line.contains("queue run:") { ' ' } else { ',' };
        for (head, stop) in [
            ("pid=", pid_ends),
            ("pid ", ':'),
            ("Ci=", ' '),
            ("load average = ", '\n'),
            ("load average ", '\n'),
            ("space=", ' '),
            ("inodes=", '\n'),
            (" VERSION ", '\n'),
            (" S=", ' '),
            ("D=", ' '),
        ] {
            line = without_value(&line, head, stop);
        }
        line = without_library(&without_ids(&line));
        // `Fri, 20 Nov 2026 17:57:28 +0000`, in a header line.
        if line.len() == 32 && line.starts_with('\t') && line[4..].starts_with(", ") {
            line = "\t(a date)".to_owned();
        }
        line = without_client_port(&line, daemon.port);
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// A line without the time before it.
pub fn undated(line: &str) -> &str {
    let stamp = line.as_bytes().get(..20).unwrap_or_default();
    let dated = stamp.len() == 20 && stamp[4] == b'-' && stamp[10] == b' ' && stamp[13] == b':';
    if dated { &line[20..] } else { line }
}

/// A line without what stands between a mark and the next stop.
fn without_value(line: &str, mark: &str, stop: char) -> String {
    let Some(at) = line.find(mark) else { return line.to_owned() };
    let start = at + mark.len();
    let end = line[start..].find(stop).map_or(line.len(), |end| start + end);
    format!("{}*{}", &line[..start], &line[end..])
}

/// A line without what each library of TLS says in its own way: a real Exim's is not
/// ours. Names of ciphers and reasons of faults are theirs, and so is how a client is
/// told of one.
pub fn without_library(line: &str) -> String {
    static FORMS: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        let form = |(form, with)| (Regex::new(form).expect("a regular expression"), with);
        LIBRARY.iter().copied().map(form).collect()
    });
    let mut line = line.to_owned();
    for (form, with) in forms {
        line = form.replace_all(&line, *with).into_owned();
    }
    line
}

const LIBRARY: &[(&str, &str)] = &[
    (r"\b(TLS1\.\d):[A-Za-z0-9_()-]+:(\d+)", "$1:CIPHER:$2"),
    (r"\bTLS_[A-Z0-9_]+\b", "CIPHER"),
    (r"\((gnutls_handshake|SSL_accept)\): .*", "(handshake): WHY"),
    (r"\((gnutls_handshake|SSL_connect)\): .*", "(handshake): WHY"),
    (r"\((recv|SSL_read)\): .*", "(read): WHY"),
    (r"\((send|SSL_write)\): .*", "(write): WHY"),
    (r"\((cert/key setup: [^)]*)\): .*", "($1): WHY"),
    (r"\((gnutls_priority_init|SSL_CTX_set_cipher_list)\(.*", "(ciphers): WHY"),
];

/// A line with `ID` for the name of each message.
pub fn without_ids(line: &str) -> String {
    let words: Vec<String> = line
        .split(' ')
        .map(|word| {
            let id = word.strip_prefix("id=").unwrap_or(word);
            let id = id.strip_suffix(';').unwrap_or(id);
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            match plain && parts == [6, 11, 4] {
                true => word.replace(id, "ID"),
                false => word.to_owned(),
            }
        })
        .collect();
    words.join(" ")
}

/// A line without the port of a client: `[127.0.0.1]:12345`.
fn without_client_port(line: &str, own: u16) -> String {
    let Some(at) = line.find("]:") else { return line.to_owned() };
    let digits = line[at + 2..].bytes().take_while(u8::is_ascii_digit).count();
    let port = &line[at + 2..at + 2 + digits];
    if digits == 0 || port == own.to_string() {
        return line.to_owned();
    }
    format!("{}]:*{}", &line[..at], &line[at + 2 + digits..])
}
