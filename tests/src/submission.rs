//! Messages that are handed in, and what is in the spool and in the logs then.
//!
//! A file `tests/submission/NAME.case`:
//!
//! ```text
//! ## what this is about
//! +++
//! lines of a configuration, for all that follows up to the next such block
//! +++ NAME
//! lines of a file DIR/NAME, for what follows up to the next configuration
//! ? [as=USER] [alone] arguments
//! > TEXT     what comes in at the standard input
//! ~ [127.0.0.N] WHAT=ANSWER    what the next host says, or another one (see `next_host`),
//!            from this run on; the port where they listen stands for PORT in the
//!            configuration, a socket in the file system where the first one does so, too,
//!            for SOCKET, and the port of a SOCKS5 proxy before it for PROXY (see
//!            `socks_proxy`)
//! ~ scanner1=SCRIPT    what a scanner does (see `scanner`); its port stands for SCANNER1,
//!            and it listens at DIR/scanner1, too
//! @ [age=SECONDS] [wait=SECONDS] arguments    another run, with the same spool and
//!            the same input; before it, messages become so much older, or time goes by;
//!            with `hints` for arguments, what is remembered of failures is shown, and of
//!            callouts with `hints callout`; `ID` among them is the name of the oldest
//!            message in the spool, `ID2` that of the next, and where there are not so many,
//!            there is no such run
//! | what is recorded
//! ```
//!
//! `?` is a run of the program, with `-C DIR/conf` before its arguments. Arguments
//! have `\xHH` and the like, and `\s` for a space. In what comes in, `\n`, `\r`,
//! `\t`, `\0`, `\\`, `\xHH`, and `\{N:TEXT}`, which is N times TEXT. `as=nobody` has
//! a user hand it in who is not trusted; the real Exim reads the configuration as
//! its own then, because it gives up its rights with `-C`. `alone` is for eximious
//! only, since the real Exim dies of it, or writes what nobody would want.
//!
//! Names of messages, dates, times and numbers of users are left out of what is
//! recorded, and of the log of rejections Received lines.
//!
//! What the next host heard is recorded, too.
//!
//! ```text
//! SUBMISSIONS=name,name  these files alone
//! EXIMIOUS_RECORD=1      with the test `exim_…`: records what the real Exim does
//! cargo nextest run -p eximious-repl submission::
//! ```

use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use regex::Regex;

use crate::cases;
use crate::escapes::unescaped;
use crate::hints;
use crate::next_host::NextHost;
use crate::next_hosts::{Line, NextHosts};
use crate::runaway;
use crate::scanner::Scanner;
use crate::socks_proxy::SocksProxy;

/// The user that messages belong to in the spool.
const OWNER: &str = "Debian-exim";

/// A file of messages.
#[derive(Debug)]
pub struct Case {
    /// The file's name, without its end.
    pub name: String,
    path: PathBuf,
    /// What stands in the file: lines as they are, and runs.
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Line(String),
    Run(Box<Run>),
}

/// A run of the program.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where it stands in the file.
    pub line: usize,
    /// Whether the real Exim is not asked.
    pub alone: bool,
    config: String,
    files: Vec<(String, String)>,
    user: Option<String>,
    arguments: Vec<Vec<u8>>,
    input: Vec<u8>,
    /// What the next hosts say.
    answers: Vec<Line>,
    /// Further runs: by how much messages become older before each, for how long nothing
    /// happens, and its arguments.
    then: Vec<(i64, u64, Vec<Vec<u8>>)>,
    /// How it is written.
    written: Vec<String>,
    /// What is recorded.
    pub recorded: Vec<String>,
}

/// The files of messages, or some of them.
pub fn read(names: Option<&str>) -> Vec<Case> {
    let paths = cases::files("submission", names);
    paths.iter().map(|path| Case::parse(path, &cases::text(path))).collect()
}

impl Case {
    /// Reads what stands in a file.
    pub fn parse(path: &Path, text: &str) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (mut config, mut reads_config) = (String::new(), false);
        let mut files: Vec<(String, String)> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line == "+++" {
                (config, reads_config) = (String::new(), true);
                files.clear();
            } else if let Some(name) = line.strip_prefix("+++ ") {
                files.push((name.to_owned(), String::new()));
            } else if let Some(words) = line.strip_prefix("? ") {
                reads_config = false;
                let run = Run::new(number + 1, &config, words);
                parts.push(Part::Run(Box::new(Run { files: files.clone(), ..run })));
                continue;
            } else if reads_config {
                let text = files.last_mut().map_or(&mut config, |(_, text)| text);
                text.push_str(line);
                text.push('\n');
            } else if let Some(Part::Run(run)) = parts.last_mut() {
                if let Some(text) = line.strip_prefix('>') {
                    run.input.extend(unescaped(text.strip_prefix(' ').unwrap_or(text)));
                    run.written.push(line.to_owned());
                    continue;
                }
                let number = run.then.len();
                if let Some(answer) =
                    line.strip_prefix("~ ").and_then(|text| Line::read(number, text))
                {
                    run.answers.push(answer);
                    run.written.push(line.to_owned());
                    continue;
                }
                if let Some(words) = line.strip_prefix("@ ") {
                    let age = words.split(' ').find_map(|word| word.strip_prefix("age="));
                    let age = age.map_or(0, |age| age.parse().expect("a number of seconds"));
                    let wait = words.split(' ').find_map(|word| word.strip_prefix("wait="));
                    let wait = wait.map_or(0, |wait| wait.parse().expect("a number of seconds"));
                    let is_ours =
                        |word: &str| word.starts_with("age=") || word.starts_with("wait=");
                    let words = words.split(' ').filter(|word| !is_ours(word));
                    run.then.push((age, wait, words.map(unescaped).collect()));
                    run.written.push(line.to_owned());
                    continue;
                }
                if let Some(text) = line.strip_prefix('|') {
                    run.recorded.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
                    continue;
                }
            }
            parts.push(Part::Line(line.to_owned()));
        }
        Self { name, path: path.to_owned(), parts }
    }

    /// The runs, in order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.parts.iter().filter_map(|part| match part {
            Part::Run(run) => Some(&**run),
            Part::Line(_) => None,
        })
    }

    /// Writes the file again, with what the real Exim did.
    pub fn record(&self, answers: &[(usize, Vec<String>)]) {
        let mut text = String::new();
        for part in &self.parts {
            let run = match part {
                Part::Line(line) => {
                    text += &format!("{line}\n");
                    continue;
                }
                Part::Run(run) => run,
            };
            run.written.iter().for_each(|line| text += &format!("{line}\n"));
            let new = answers.iter().find(|(line, _)| *line == run.line).map(|(_, new)| new);
            for line in new.unwrap_or(&run.recorded) {
                text += &format!("| {line}\n").replace("|  \n", "|\n").replace("| \n", "|\n");
            }
        }
        std::fs::write(&self.path, text).expect("the case");
    }
}

impl Run {
    fn new(line: usize, config: &str, words: &str) -> Self {
        let (mut user, mut alone) = (None, false);
        let mut arguments = Vec::new();
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            match (word.strip_prefix("as="), word) {
                (Some(name), _) => user = Some(name.to_owned()),
                (None, "alone") => alone = true,
                (None, "''") => arguments.push(Vec::new()),
                (None, word) => arguments.push(unescaped(word)),
            }
        }
        Self {
            line,
            alone,
            config: config.to_owned(),
            files: Vec::new(),
            user,
            arguments,
            input: Vec::new(),
            answers: Vec::new(),
            then: Vec::new(),
            written: vec![format!("? {words}")],
            recorded: Vec::new(),
        }
    }

    /// Runs a program, and says what came of it.
    ///
    /// # Panics
    /// Where no program can be run, or no file be written.
    pub fn play(&self, program: &Path, real: bool) -> Vec<String> {
        let home = tempfile::TempDir::new().expect("a directory");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(home.path(), open).expect("a directory for all");
        let directory = home.path().to_str().expect("a name");
        for part in ["spool", "log", "mail"] {
            std::fs::create_dir(home.path().join(part)).expect("a directory");
        }
        let wants_proxy = self.config.contains("PROXY");
        let wants_host = ["PORT", "SOCKET"].iter().any(|word| self.config.contains(word));
        let mut next_hosts = wants_host.then(|| NextHosts::start(self.answers.clone()));
        let next_host = next_hosts.as_ref().map(NextHosts::first);
        if let Some(host) = next_host.filter(|_| self.config.contains("SOCKET")) {
            host.listen_at(&home.path().join("socket"));
        }
        let port = next_host.map_or(0, NextHost::port).to_string();
        let answers = self.answers.iter().map(Line::answer).collect();
        let proxy =
            next_host.filter(|_| wants_proxy).map(|host| SocksProxy::start(host.port(), answers));
        let scanners = self.scanners(home.path());
        let certificates = match self.config.contains("CERTS") {
            true => crate::tls::certificates().display().to_string(),
            false => "CERTS".to_owned(),
        };
        let config = scanners.iter().fold(self.config.clone(), |config, (name, scanner)| {
            config.replace(&name.to_uppercase(), &scanner.port().to_string())
        });
        let config = format!(
            "primary_hostname = mail.example\nspool_directory = {directory}/spool\n\
             log_file_path = {directory}/log/%slog\nkeep_environment =\nqueue_only\n{}",
            config
                .replace("PROXY", &proxy.as_ref().map_or(0, SocksProxy::port).to_string())
                .replace("SOCKET", "DIR/socket")
                .replace("DIR", directory)
                .replace("PORT", &port)
                .replace("CERTS", &certificates)
        );
        let path = home.path().join("conf");
        std::fs::write(&path, config).expect("a configuration");
        for (name, text) in &self.files {
            let text = text.replace("DIR", directory);
            std::fs::write(home.path().join(name), text).expect("a file");
        }
        let mut owner = OWNER;
        // Under its own name, words without a domain are commands.
        let called = home.path().join("sendmail");
        let own = program;
        let program = match real {
            true => program,
            false => {
                std::os::unix::fs::symlink(program, &called).expect("a link");
                called.as_path()
            }
        };
        let mut command = Command::new(program);
        match &self.user {
            None => {
                command.arg("-C").arg(&path);
            }
            Some(user) if real => {
                let own = "mount -t tmpfs tmpfs /etc/exim4 && cp \"$1\" /etc/exim4/exim4.conf && \
                    shift && exec \"$@\"";
                command = Command::new("unshare");
                command.args(["--mount", "sh", "-c", own, "sh"]).arg(&path);
                command.arg("setpriv").args(rights(user)).arg(program);
            }
            Some(user) => {
                owner = user;
                command = Command::new("setpriv");
                command.args(rights(user)).arg(program).arg("-C").arg(&path);
            }
        }
        // The configuration stays the superuser's.
        let owned = Command::new("chown")
            .arg(owner)
            .args([home.path(), &home.path().join("mail")])
            .args([home.path().join("spool"), home.path().join("log")])
            .status();
        assert!(owned.is_ok_and(|status| status.success()), "chown {owner}");
        let output = spoken(command, &self.arguments, &self.input, &path);
        let mut said = vec![format!("= {}", output.status.code().unwrap_or(-1))];
        show(&mut said, "out", &output.stdout, directory);
        show(&mut said, "err", &output.stderr, directory);
        for (number, (age, wait, arguments)) in self.then.iter().enumerate() {
            if let Some(hosts) = &mut next_hosts {
                hosts.turn_to(number + 1);
            }
            // Somebody may be reading them.
            if *age > 0 {
                grow_older(&home.path().join("spool"), *age);
            }
            std::thread::sleep(std::time::Duration::from_secs(*wait));
            if arguments.first().is_some_and(|word| word == b"hints") {
                let spool = home.path().join("spool");
                let hints = match arguments.get(1).is_some_and(|word| word == b"callout") {
                    true => hints::callouts(own, real, &path, &spool),
                    false => hints::retries(own, real, &path, &spool),
                };
                let hints = hints.replace(&format!(":{port}"), ":PORT");
                show(&mut said, "hints", hints.as_bytes(), directory);
                continue;
            }
            let Some(arguments) = with_id(arguments, &home.path().join("spool")) else { continue };
            let mut command = Command::new(program);
            command.arg("-C").arg(&path);
            let output = spoken(command, &arguments, &self.input, &path);
            show(&mut said, "out", &output.stdout, directory);
            show(&mut said, "err", &output.stderr, directory);
        }
        for log in ["mainlog", "rejectlog", "paniclog"] {
            let text = std::fs::read(home.path().join("log").join(log)).unwrap_or_default();
            show(&mut said, log, &text, directory);
        }
        said.extend(spool(&home.path().join("spool"), directory));
        // What stays of copies for scanners.
        mailboxes(&mut said, &home.path().join("spool/scan"), directory);
        mailboxes(&mut said, &home.path().join("mail"), directory);
        // Nobody is left who would go on in the background.
        runaway::end(&path);
        for (name, heard) in next_hosts.iter().flat_map(NextHosts::heard) {
            show(&mut said, &name, heard.as_bytes(), directory);
        }
        let asked = proxy.map(|proxy| proxy.heard().join("\n")).unwrap_or_default();
        show(&mut said, "proxy", asked.as_bytes(), directory);
        for (name, scanner) in &scanners {
            for heard in scanner.heard() {
                show(&mut said, name, &heard, directory);
            }
            let (own, shown) = (scanner.port().to_string(), name.to_uppercase());
            said.iter_mut().for_each(|line| *line = line.replace(&own, &shown));
        }
        let (own, shown) = (format!("]:{port}"), "]:PORT");
        if certificates != "CERTS" {
            said.iter_mut().for_each(|line| *line = line.replace(&certificates, "CERTS"));
        }
        if port != "0" {
            said.iter_mut().for_each(|line| *line = line.replace(&own, shown));
        }
        if !self.then.is_empty() || self.arguments.iter().any(|word| word == b"-odi") {
            // Reports of deliveries have numbers in them, of any length.
            let sizes = Regex::new(r"^((?:NAME| ) <= <> R=.* S=)\d+$").expect("a pattern");
            said.iter_mut().for_each(|line| *line = sizes.replace(line, "${1}N").into_owned());
            let longest = Regex::new(r"^(-max_received_linelength) 9\d$").expect("a pattern");
            said.iter_mut().for_each(|line| *line = longest.replace(line, "$1 N").into_owned());
        }
        said
    }
}

/// A scanner's name begins so.
const SCANNER: &str = "scanner";

impl Run {
    /// The scanners, each by its name, which begin to listen.
    fn scanners(&self, home: &Path) -> Vec<(String, Scanner)> {
        let scripts = self.answers.iter().map(Line::answer);
        let scripts = scripts.filter(|(name, _)| name.starts_with(SCANNER));
        let start = |(name, script): (String, String)| {
            let scanner = Scanner::start(&script, &home.join(&name));
            (name, scanner)
        };
        scripts.map(start).collect()
    }
}

/// The arguments of a further run, with the names of the oldest messages for `ID`, `ID2`…;
/// nothing where there are not so many messages.
fn with_id(arguments: &[Vec<u8>], spool: &Path) -> Option<Vec<Vec<u8>>> {
    let place = |word: &[u8]| match word.strip_prefix(b"ID")? {
        b"" => Some(0),
        [digit @ b'2'..=b'9'] => Some(usize::from(digit - b'1')),
        _ => None,
    };
    if !arguments.iter().any(|word| place(word).is_some()) {
        return Some(arguments.to_vec());
    }
    let entries = std::fs::read_dir(spool.join("input")).into_iter().flatten();
    let names = entries.map(|entry| entry.expect("a file").file_name().into_vec());
    let ids = names.filter_map(|name| name.strip_suffix(b"-H").map(<[u8]>::to_vec));
    let mut ids: Vec<Vec<u8>> = ids.collect();
    ids.sort_unstable();
    let named = |word: &Vec<u8>| match place(word) {
        Some(place) => ids.get(place).cloned(),
        None => Some(word.clone()),
    };
    arguments.iter().map(named).collect()
}

/// What a program says to an input, by a configuration that it is told.
fn spoken(
    mut command: Command,
    arguments: &[Vec<u8>],
    input: &[u8],
    configuration: &Path,
) -> Output {
    let arguments = arguments.iter().cloned().map(std::ffi::OsString::from_vec);
    let mut child = command
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut standard = child.stdin.take().expect("its input");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may have enough before it has read all.
            let _ = standard.write_all(input);
        });
        let (done, over) = std::sync::mpsc::channel();
        scope.spawn(move || runaway::bound(configuration, &over));
        let output = child.wait_with_output().expect("its output");
        drop(done);
        output
    })
}

/// What `setpriv` is to give a program.
fn rights(user: &str) -> [&str; 5] {
    ["--reuid", user, "--regid", "nogroup", "--clear-groups"]
}

/// Whether messages can be handed in here as they are in the cases.
pub fn lacking() -> Option<&'static str> {
    let knows = |user: &str| {
        Command::new("id").arg(user).output().is_ok_and(|output| output.status.success())
    };
    if !knows(OWNER) || !knows("nobody") {
        return Some("the users are not there");
    }
    let permitted = Command::new("unshare").args(["--mount", "true"]).output();
    match permitted.is_ok_and(|output| output.status.success()) {
        true => None,
        false => Some("a place of its own is not permitted here"),
    }
}

/// Makes messages older.
fn grow_older(spool: &Path, seconds: i64) {
    let files = std::fs::read_dir(spool.join("input")).into_iter().flatten();
    for path in files.map(|entry| entry.expect("a file").path()) {
        if !path.to_string_lossy().ends_with("-H") {
            continue;
        }
        let text = std::fs::read(&path).expect("a file");
        let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let times = String::from_utf8_lossy(lines[3]).into_owned();
        let (received, warnings) = times.split_once(' ').expect("a time and a number");
        let received: i64 = received.parse().expect("a time");
        let older = format!("{} {warnings}", received - seconds);
        lines[3] = older.as_bytes();
        std::fs::write(&path, lines.join(&b'\n')).expect("a file");
    }
}

/// The messages in the spool.
fn spool(directory: &Path, home: &str) -> Vec<String> {
    let input = std::fs::read_dir(directory.join("input")).into_iter().flatten();
    let mut messages = Vec::new();
    for entry in input {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(id) = name.strip_suffix("-H") else { continue };
        let mut said = Vec::new();
        show(&mut said, "-H", &std::fs::read(&path).expect("a file"), home);
        let body = path.with_file_name(format!("{id}-D"));
        let body = std::fs::read(body).unwrap_or_else(|why| why.to_string().into_bytes());
        show(&mut said, "-D", &body, home);
        messages.push(said);
    }
    // Lines of reports have numbers in them, of any length.
    let is_same = |line: &&String| !line.starts_with("-max_received_linelength");
    messages.sort_by_cached_key(|said: &Vec<String>| {
        said.iter().filter(is_same).cloned().collect::<Vec<_>>()
    });
    messages.concat()
}

/// What was delivered to files below a directory.
fn mailboxes(said: &mut Vec<String>, directory: &Path, home: &str) {
    static UNIQUE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\d+\.[HMPV][^/]*|1\w{5}-\w{11}-\w{4}(?:-\w{11})?\b").expect("a pattern")
    });
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => mailboxes(said, &path, home),
            false => {
                let name = path.display().to_string().replace(home, "DIR");
                let name = UNIQUE.replace_all(&name, "UNIQUE");
                show(said, &name, &std::fs::read(&path).expect("a file"), home);
            }
        }
    }
}

/// Adds a text, without what differs from run to run.
fn show(said: &mut Vec<String>, name: &str, text: &[u8], home: &str) {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"1[0-9A-Za-z]{5}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}-[0-9A-Za-z]{11}\b", "UNIQUE"),
            (r"1[0-9A-Za-z]{5}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}\b", "NAME"),
            (r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", ""),
            (r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", "TIME"),
            (r"\w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "DATE"),
            (r"\(euid=\d+ egid=\d+\)", "(euid=UID egid=GID)"),
            (r"(?m)^(\w[\w -]*) \d+ \d+\n(<.*>)\n\d+ 0$", "$1 UID GID\n$2"),
            (r"(?m)^(\w[\w -]*) \d+ \d+\n(<.*>)\n\d+ (\d+)$", "$1 UID GID\n$2\nTIME $3"),
            (r"(?m)^-(received_time|tls_resumption).*\n", ""),
            (r"(?m)^-frozen \d+", "-frozen TIME"),
            (r"\bCi=\d+", "Ci=N"),
            (r"\b(RT|QT|DT|D)=\d[\dwdhms.]*", "$1=0s"),
            (r"\d+-eximdsn-\d+", "BOUNDARY"),
            (r"(?m)^(>?From \S.*?) \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$", "$1 DATE"),
            (r"(From MAILER-DAEMON) \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", "$1 DATE"),
            (r"(Start|End) ('\w+' )?queue run: pid=\d+", "$1 ${2}queue run: pid=N"),
            (r"\(queue run pid \d+\)", "(queue run pid N)"),
            (r"(?m)^220 (\S+ ESMTP Exim) .*", "220 $1"),
            (r"(?m)^\d{3}\* (X-rewrote-|Received: ;).*\n", ""),
            (
                r"(?m)^(LOG: MAIN PANIC\n)?.*(user lost privilege for using -C|purging the env).*\n",
                "",
            ),
            (r"(?m)^ Suggested action: use keep_environment\.\n", ""),
            (r"(?m)^\d{3}(  Content-Type: multipart/report)", "NNN$1"),
            (r"\b1\d{9}\.M\d+P\d+\.", "TIME."),
            (r"(\.lock\.[\w.-]+?)\.[0-9a-f]{8}\.[0-9a-f]{8}\b", "$1.TIME.PID"),
            (r"\btemp\.\d+\.", "temp.PID."),
            (r"space=\d+ inodes=\d+", "space=N inodes=N"),
            (r"(?m)^(cwd=\S+ \d+ args:) \S+", "$1 PROGRAM"),
        ]
        .map(|(pattern, new)| (Regex::new(pattern).expect("a pattern"), new))
        .into()
    });
    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
    let mut text = text.replace(home, "DIR");
    let dated = Regex::new(r"^\d{4}-\d\d-\d\d ").expect("a pattern");
    match name {
        // What is logged is looked at there.
        "err" => {
            let lines = text.lines().filter(|line| !dated.is_match(line));
            text = lines.map(|line| format!("{line}\n")).collect();
        }
        "rejectlog" => text = without_received(&text),
        "paniclog" => {
            let lines = text.lines().filter(|line| dated.is_match(line));
            text = lines.map(|line| format!("{line}\n")).collect();
        }
        _ => {}
    }
    for (pattern, new) in PATTERNS.iter() {
        text = pattern.replace_all(&text, *new).into_owned();
    }
    let text = text.replace('\r', "").replace('\0', "^@");
    if !text.trim_matches('\n').is_empty() {
        said.push(format!("-- {name}"));
        let lines: Vec<String> =
            text.trim_end_matches('\n').lines().map(|line| line.trim_end().to_owned()).collect();
        said.extend(lines);
    }
}

/// A log of rejections without the header lines that name a program.
fn without_received(text: &str) -> String {
    let mut inside = false;
    let kept = text.lines().filter(|line| {
        inside = line.starts_with("P Received:") || inside && line.starts_with('\t');
        !inside
    });
    kept.map(|line| format!("{line}\n")).collect()
}
