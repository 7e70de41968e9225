//! Dialogues: configurations, and what passes between a client and the server's
//! side of SMTP.
//!
//! A file `tests/dialogues/NAME.case`:
//!
//! ```text
//! ## what this is about
//! +++ exim.conf
//! files and what else there has to be (`cases.rs`); the directories DIR/spool
//! and DIR/log are there in any case
//! ? greeting -bh 192.0.2.1
//! > EHLO client.test
//! >& MAIL FROM:<a@b.test>
//! > RCPT TO:<c@d.test>
//! >\ NOOP\n\x00\{100:ab}\r\n
//! ```
//!
//! `?` is a session: its name, of which there is one in a file, and the arguments
//! for the program, which gets `-C DIR/exim.conf` where there is no `-C`. `~` is
//! one with eximious alone, since the real Exim hangs, dies, or does not know
//! the words; what comes back is written by hand. What the client sends:
//!
//! - `>` a line, with CRLF; all that comes back is waited for. (The server is
//!   known to wait for more when it sleeps in a read of its input and there is
//!   nothing left to be read.)
//! - `>&` a line that goes out in one piece with what is sent next.
//! - `>\`, `>&\` the same for bytes without an end: `\r`, `\n`, `\t`, `\0`, `\\`,
//!   `\xHH`, and `\{N:TEXT}`, which is N times TEXT.
//! - `& log/main*` files that are shown when the session is over, and go then.
//!
//! When all is sent the input ends, unless the server has had enough before.
//! Everything else is what is recorded, of each step by itself:
//!
//! - `<` a line of the standard output that ends in CRLF; `*` one that ends in LF
//! - `!` a line of the standard error
//! - `.` here the input ended, since the server still waited
//! - `x` here the server was gone
//! - `|` a line of a file
//! - `=` the exit status
//!
//! Behind the name may stand `from=192.0.2.1:4000`: then the standard input and
//! output are a TCP connection from there to 192.0.2.99, port 25 (a port of the
//! system's choice without one), as inetd does it for `-bs`.
//!
//! Names of messages, dates, versions and how long something took are left out
//! of what is recorded. So are sizes of messages that have the usual `Received:`
//! field, in which the version is: a case in which `received_header_text` is set
//! shows them.
//!
//! Everything runs in a network of its own (`network.rs`) in which the zones of
//! `tests/dialogues/zones` are served, and all of 192.0.2.0/24, 198.51.100.0/24
//! and 2001:db8::/32 is this host.
//!
//! ```text
//! DIALOGUES=name,name   these files alone
//! EXIMIOUS_RECORD=1     with the test `exim_…`: records what the real Exim says;
//!                       with `eximious_…`, what eximious says where it is asked alone
//! cargo nextest run -p eximious-repl dialogues::
//! ```

mod talk;
pub mod wire;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::cases::{self, Place, Scene, changes, words};
use crate::escapes::unescaped;
use crate::servers::Server;
use crate::{idents, names, network};

/// A file of dialogues.
#[derive(Debug)]
pub struct Case {
    /// The file's name, without its end.
    pub name: String,
    /// The sessions, in order.
    pub sessions: Vec<Session>,
    path: PathBuf,
    scene: Scene,
    /// What stands in the file before each session, and behind the last.
    between: Vec<String>,
}

/// A session with a program.
#[derive(Debug)]
pub struct Session {
    /// The number of its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Whether the real Exim is asked, too.
    pub for_exim: bool,
    /// What was said, and what is sent: the lines as they stand in the file.
    pub record: Vec<String>,
    head: String,
    arguments: Vec<String>,
    from: Option<SocketAddr>,
    /// Whether sizes of messages are shown.
    sizes: bool,
    /// Whether what is the same of every session is left out.
    brief: bool,
}

/// A session in which eximious says something else than what is recorded, in
/// `known-differences.txt` beside the cases:
///
/// ```text
/// # why
/// CASE/SESSION
/// - < what is recorded and not said
/// + < what is said and not recorded
/// ```
#[derive(Debug)]
pub struct Difference {
    place: String,
    lines: Vec<String>,
}

impl Difference {
    /// Reads the list of a folder of `tests/`.
    pub fn read(folder: &str) -> Vec<Self> {
        let path = crate::root().join("tests").join(folder).join("known-differences.txt");
        let text = std::fs::read_to_string(path).expect("the list of known differences");
        let mut found: Vec<Self> = Vec::new();
        let mut reasoned = false;
        for line in text.lines() {
            match line.as_bytes().first() {
                None => reasoned = false,
                Some(b'#') => reasoned = true,
                Some(b'-' | b'+') => {
                    found.last_mut().expect("a session before it").lines.push(line.to_owned());
                }
                Some(_) => {
                    assert!(reasoned, "a difference without a reason: {line}");
                    found.push(Self { place: line.to_owned(), lines: Vec::new() });
                }
            }
        }
        found
    }

    /// Whether it is of this session.
    pub fn is_of(&self, case: &Case, session: &Session) -> bool {
        self.place.split_once('/') == Some((&case.name, &session.name))
    }

    /// The same, of what a client hears alone.
    pub fn of_replies(mut self) -> Self {
        self.lines.retain(|line| line[1..].starts_with(" <"));
        self
    }

    /// Whether no line is left of it.
    pub fn is_nothing(&self) -> bool {
        self.lines.is_empty()
    }

    /// What is wrong with a difference that was found, if something is.
    pub fn excuses(&self, found: &[String]) -> Option<String> {
        if found.is_empty() {
            return Some("    is a known difference no more\n".to_owned());
        }
        let mut text = String::new();
        for (mark, line) in changes(&self.lines, found) {
            writeln!(text, "    known {mark} {line}").expect("text");
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Reads all files of a folder of `tests/`, or those whose names are given with commas
/// between them.
pub fn read(folder: &str, names: Option<&str>) -> Vec<Case> {
    let read = |path: PathBuf| Case::parse(&path, &cases::text(&path));
    cases::files(folder, names).into_iter().map(read).collect()
}

/// Reads `tests/sites`: whole sites, of which each is tried in several ways. What a test of
/// a session says of every client, and of options that are unset, is left out.
pub fn sites(names: Option<&str>) -> Vec<Case> {
    let mut cases = read("sites", names);
    for session in cases.iter_mut().flat_map(|case| &mut case.sessions) {
        session.brief = true;
    }
    cases
}

impl Case {
    /// Reads what stands in a file.
    pub fn parse(path: &Path, text: &str) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let mut case = Self {
            name,
            sessions: Vec::new(),
            path: path.to_owned(),
            scene: Scene::default(),
            between: vec![String::new()],
        };
        let mut in_session = false;
        for (index, whole) in text.split_inclusive('\n').enumerate() {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let sign = line.split(' ').next().unwrap_or_default();
            if matches!(sign, "?" | "~") {
                case.scene.end_of_file();
                case.sessions.push(Session::new(index + 1, line));
                case.between.push(String::new());
                in_session = true;
            } else if in_session && is_of_session(sign) {
                case.sessions.last_mut().expect("a session").record.push(line.to_owned());
            } else {
                in_session = in_session && sign.is_empty();
                let known = case.scene.add(path, whole);
                assert!(known || line.is_empty(), "{}:{}: {line}", case.name, index + 1);
                case.between.last_mut().expect("one").push_str(whole);
            }
        }
        let sizes = case.scene.mentions("received_header_text");
        let mut names = std::collections::BTreeSet::new();
        for session in &mut case.sessions {
            session.sizes = sizes;
            let (name, line) = (&session.name, session.line);
            assert!(names.insert(name.clone()), "{}:{line}: one more {name}", case.name);
        }
        case
    }

    /// A file that it needs and that is not there.
    pub fn lacks(&self) -> Option<&Path> {
        self.scene.lacks()
    }

    /// Makes the files.
    pub fn set_up(&self) -> Place {
        let place = self.scene.set_up();
        for name in ["spool", "log"] {
            let path = place.path().join(name);
            std::fs::create_dir_all(&path).expect("a directory");
            // The real one has a user of its own for what it writes.
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            std::fs::set_permissions(&path, all).expect("rights");
        }
        place
    }

    /// Puts what was said in the place of what is recorded, in order of the
    /// sessions: those that the real Exim is asked, or the others.
    pub fn record(&self, of_exim: bool, said: impl IntoIterator<Item = Vec<String>>) {
        let mut said = said.into_iter();
        let mut out = self.between[0].clone();
        for (session, behind) in self.sessions.iter().zip(&self.between[1..]) {
            let new = if session.for_exim == of_exim { said.next() } else { None };
            writeln!(out, "{}", session.head).expect("text");
            for line in new.as_ref().unwrap_or(&session.record) {
                writeln!(out, "{line}").expect("text");
            }
            out.push_str(behind);
        }
        std::fs::write(&self.path, out).expect("a case is written");
    }
}

/// Makes a network of this program's own (`network.rs`) the one that dialogues are played
/// in: the files of `tests/dialogues/system` lie over those of the system, addresses are
/// this host's own, the zones are served. What serves them ends when the value does;
/// none where no name server is installed.
pub fn set_up() -> Option<Server> {
    set_up_with(&crate::root().join("tests/dialogues/zones"))
}

/// As [`set_up`], with the zones of another directory.
pub fn set_up_with(zones: &Path) -> Option<Server> {
    network::dress(&crate::root().join("tests/dialogues/system"));
    for network in ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"] {
        network::ip(&["route", "add", "local", network, "dev", "lo"]);
    }
    idents::play();
    let (server, real) = names::real(zones)?;
    names::play(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)), real);
    Some(server)
}

/// What clients send: each line of all cases, and all lines of each session.
pub fn inputs() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for session in read("dialogues", None).iter().flat_map(|case| &case.sessions) {
        let mut all = Vec::new();
        for line in &session.record {
            let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
            if is_sent(sign) {
                let bytes = match sign.ends_with('\\') {
                    true => unescaped(rest),
                    false => [rest.as_bytes(), b"\r\n"].concat(),
                };
                all.extend_from_slice(&bytes);
                inputs.push(bytes);
            }
        }
        inputs.push(all);
    }
    inputs
}

/// Whether a line that begins so is part of a session.
fn is_of_session(sign: &str) -> bool {
    is_sent(sign) || matches!(sign, "&" | "<" | "*" | "!" | "." | "x" | "|" | "=")
}

fn is_sent(sign: &str) -> bool {
    matches!(sign, ">" | ">&" | ">\\" | ">&\\")
}

impl Session {
    fn new(line: usize, head: &str) -> Self {
        let mut words = words(head).into_iter().skip(1).peekable();
        let name = words.next().expect("a session's name");
        assert!(!name.starts_with('-'), "{line}: a session without a name");
        let from = words.next_if(|word| word.starts_with("from="));
        let from = from.map(|word| {
            let text = &word["from=".len()..];
            text.parse().or_else(|_| text.parse().map(|host| SocketAddr::new(host, 0)))
        });
        Self {
            line,
            name,
            for_exim: head.starts_with('?'),
            record: Vec::new(),
            head: head.to_owned(),
            arguments: words.collect(),
            from: from.map(|from| from.expect("an address")),
            sizes: false,
            brief: false,
        }
    }

    /// Plays it with a program: what the record would be.
    pub fn play(&self, program: &Path, place: &Place) -> Vec<String> {
        let mut arguments: Vec<String> = self.arguments.iter().map(|w| place.fill(w)).collect();
        if !arguments.iter().any(|word| word == "-C") {
            let config = place.path().join("exim.conf").display().to_string();
            arguments.splice(0..0, ["-C".to_owned(), config]);
        }
        let mut talk = talk::Talk::start(program, &arguments, place, self.from);
        let mut hidden = talk::Hidden::new(place, self.sizes);
        let mut lines = Vec::new();
        let mut waiting = Vec::new();
        let mut gone = false;
        let own = || self.record.iter().map(|line| (line, line.split_once(' ')));
        talk.wait().show(&mut hidden, &mut lines);
        for (line, parts) in own() {
            let (sign, rest) = parts.unwrap_or((line, ""));
            if !is_sent(sign) {
                continue;
            }
            note_end(&talk, &mut gone, &mut lines);
            lines.push(line.clone());
            let filled = place.fill(rest);
            match sign.ends_with('\\') {
                true => waiting.extend(unescaped(&filled)),
                false => waiting.extend([filled.as_bytes(), b"\r\n"].concat()),
            }
            if !sign.contains('&') {
                talk.send(&std::mem::take(&mut waiting));
                talk.wait().show(&mut hidden, &mut lines);
            }
        }
        note_end(&talk, &mut gone, &mut lines);
        if !gone {
            lines.push(".".to_owned());
            talk.send(&waiting);
            talk.finish().show(&mut hidden, &mut lines);
        }
        let status = talk.status();
        let written = own().filter_map(|(line, _)| line.strip_prefix("| == "));
        talk::await_files(place, written);
        for (line, parts) in own() {
            if let Some(("&", pattern)) = parts {
                lines.push(line.clone());
                talk::show_files(place, pattern, &mut hidden, &mut lines);
            }
        }
        lines.push(format!("= {status}"));
        sort_removals(&mut lines);
        if self.brief {
            leave_out_the_usual(&mut lines);
        }
        lines
    }

    /// What was said and is not recorded (`+`), and the other way (`-`).
    pub fn difference(&self, said: &[String]) -> Vec<String> {
        changes(&self.record, said)
            .into_iter()
            .map(|(mark, line)| format!("{mark} {line}"))
            .collect()
    }
}

/// Notes lines of the standard output.
fn note_lines(text: &str, lines: &mut Vec<String>) {
    for line in text.split_terminator('\n') {
        lines.push(match line.strip_suffix('\r') {
            Some(line) => talk::signed('<', line),
            None => talk::signed('*', line),
        });
    }
}

/// The real program takes the files of a directory away in the order that the file system
/// has them in, which is another one each time.
fn sort_removals(lines: &mut [String]) {
    let is_removal = |line: &String| line.starts_with("! >>> unspool_mbox(): unlinking ");
    lines.chunk_by_mut(|a, b| is_removal(a) && is_removal(b)).for_each(<[String]>::sort);
}

/// Leaves out what a test says of every session.
fn leave_out_the_usual(lines: &mut Vec<String>) {
    const EVERYBODY: &str = "list element: *";
    let text = |line: &str| line.trim_start_matches(['!', '>', ' ', '╎']).to_owned();
    lines.retain(|line| {
        let is_heading = line == "*" || line.starts_with("* **** ");
        !is_heading && !line.ends_with("? no (option unset)")
    });
    let mut kept = Vec::new();
    let mut rest = lines.as_slice();
    while let Some((line, behind)) = rest.split_first() {
        let asked = text(line);
        let asks = asked.starts_with("host in ") && asked.ends_with("_advertise_hosts?");
        let everybody = format!("{asked} yes (matched \"*\")");
        rest = match behind {
            [element, said, behind @ ..]
                if asks && text(element) == EVERYBODY && text(said) == everybody =>
            {
                behind
            }
            _ => {
                kept.push(line.clone());
                behind
            }
        };
    }
    *lines = kept;
}

/// Notes that the server is gone, once.
fn note_end(talk: &talk::Talk, gone: &mut bool, lines: &mut Vec<String>) {
    if talk.is_over() && !std::mem::replace(gone, true) {
        lines.push("x".to_owned());
    }
}
