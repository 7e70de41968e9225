//! Sieve scripts with what Exim says about them.
//!
//! A file `tests/sieve/NAME.txt`:
//!
//! ```text
//! ## what this is about
//! @ message plain
//! @ sender a@b.example
//! > keep;
//! < No implicit keep
//! <  fileinto `inbox'
//! = keep
//! ```
//!
//! `>` begins each line of a script, which stands behind `# Sieve filter`; `>\` one
//! with `\r`, `\0`, `\xHH` in it, and without a newline at its end. `<` begins
//! each line of what `-bf -v` prints: the result, then the notes. `=` begins each
//! line of what is to be done, which no program prints. `@` lines hold for all
//! scripts behind them: `message` (a file in `tests/sieve/messages`), or `fields`,
//! the header of a message with `\n` between its lines; `sender`, `local_part`,
//! `domain`, `prefix`, `suffix`, and what a router says: `inbox`, `user_address`,
//! `sub_address`, `vacation_directory`, `notify_owner`; `real` says that it is no
//! test. `@ oracle no` says that Exim can't be asked so, `@ oracle differs` that it
//! says something else, for a reason that stands there; `@ reset` forgets all.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use eximious::filter::sieve::{SieveOptions, run};
use eximious::filter::{FilterAction, FilterEnd, Filtered};
use eximious::stdlib::message::parse;
use eximious::trace::{Happening, TraceEvent, TraceKinds};
use eximious::{Engine, Str, World};

/// How long Exim may think about a script, in seconds.
const PATIENCE: &str = "20";

/// The first line of every script.
pub const HEAD: &[u8] = b"# Sieve filter\n";

/// A script and what is said about it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file, and the number of the script's first line in it.
    pub place: String,
    /// The script.
    pub script: Vec<u8>,
    /// Under what circumstances.
    pub setting: Setting,
    /// The result and the notes.
    pub answer: Vec<u8>,
    /// What is to be done, where that is recorded.
    pub actions: Vec<u8>,
}

/// What Exim says of a script.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Oracle {
    /// What is recorded.
    Same,
    /// Something else.
    Differs,
    /// It can't be asked.
    No,
}

/// The circumstances of a script.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The message.
    pub message: Vec<u8>,
    /// What Exim says.
    pub oracle: Oracle,
    sender: String,
    local_part: String,
    domain: String,
    prefix: String,
    suffix: String,
    options: SieveOptions,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            message: message("plain"),
            oracle: Oracle::Same,
            sender: "sender+d@s.example".into(),
            local_part: "user".into(),
            domain: "dom.example".into(),
            prefix: String::new(),
            suffix: String::new(),
            options: SieveOptions { test: true, ..SieveOptions::default() },
        }
    }
}

impl Setting {
    fn set(&mut self, line: &str) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let text = || Some(Str::from(value));
        let owned = || value.to_owned();
        match name {
            "reset" => *self = Self::default(),
            "message" => self.message = message(value),
            "fields" => {
                let header = unescaped(value.as_bytes());
                self.message = [header.as_slice(), b"\n\nbody\n"].concat();
            }
            "oracle" if value == "no" => self.oracle = Oracle::No,
            "oracle" if value == "differs" => self.oracle = Oracle::Differs,
            "sender" => self.sender = owned(),
            "local_part" => self.local_part = owned(),
            "domain" => self.domain = owned(),
            "prefix" => self.prefix = owned(),
            "suffix" => self.suffix = owned(),
            "inbox" => self.options.inbox = Str::from(value),
            "user_address" => self.options.user_address = text(),
            "sub_address" => self.options.sub_address = text(),
            "vacation_directory" => self.options.vacation_directory = text(),
            "notify_owner" => self.options.notify_owner = text(),
            "real" => self.options.test = false,
            _ => panic!("unknown setting {line:?}"),
        }
    }
}

impl Setting {
    /// The sender and the recipient.
    pub fn envelope(&self) -> (String, String) {
        let Self { prefix, local_part, suffix, domain, sender, .. } = self;
        (sender.clone(), format!("{prefix}{local_part}{suffix}@{domain}"))
    }
}

fn message(name: &str) -> Vec<u8> {
    std::fs::read(folder().join("messages").join(name)).expect("a message")
}

fn folder() -> PathBuf {
    crate::root().join("tests/sieve")
}

/// All cases, in the order of the files' names.
pub fn all() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the folder of scripts")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    paths.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Case> {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut setting = Setting::default();
    let mut cases: Vec<Case> = Vec::new();
    // Whether the next line of a script belongs to the last one.
    let mut open = false;
    for (index, line) in text.split(|c| *c == b'\n').enumerate() {
        let was_open = std::mem::replace(&mut open, false);
        let rest = line.get(2..).unwrap_or_default();
        match line.first() {
            None => {}
            Some(b'#') => {}
            Some(b'@') => setting.set(&String::from_utf8_lossy(rest)),
            Some(b'>') => {
                if !was_open {
                    let place = format!("{name}:{}", index + 1);
                    let (script, setting) = (HEAD.to_vec(), setting.clone());
                    let (answer, actions) = (Vec::new(), Vec::new());
                    cases.push(Case { place, script, setting, answer, actions });
                }
                open = true;
                if let Some(case) = cases.last_mut() {
                    match line.get(1) {
                        Some(b'\\') => case.script.extend(unescaped(rest)),
                        _ => case.script.extend([rest, b"\n"].concat()),
                    }
                }
            }
            Some(sign @ (b'<' | b'=')) => {
                let case = cases.last_mut().expect("a script before its answer");
                let to = if *sign == b'<' { &mut case.answer } else { &mut case.actions };
                to.extend([rest, b"\n"].concat());
            }
            Some(_) => panic!("{name}:{}: {}", index + 1, line.escape_ascii()),
        }
    }
    cases
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, rest) {
            (b'\\', [sign @ (b'r' | b'n' | b'0' | b'\\'), after @ ..]) => {
                out.push(match sign {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b'0' => 0,
                    _ => b'\\',
                });
                rest = after;
            }
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digit = |c: &u8| (*c as char).to_digit(16).expect("a digit") as u8;
                out.push(digit(high) * 16 + digit(low));
                rest = after;
            }
            _ => out.push(*byte),
        }
    }
    out
}

/// What eximious says, and what comes of it.
pub fn ours(case: &Case) -> (Vec<u8>, Filtered) {
    let Setting { sender, local_part, domain, prefix, suffix, options, .. } = &case.setting;
    let empty = String::new();
    let engine = Engine::builder().world(World::hermetic()).build();
    let mut cx = engine.context();
    cx.set_message(Some(parse(&case.setting.message)));
    for (name, value) in [
        ("sender_address", if sender == "<>" { &empty } else { sender }),
        ("local_part", local_part),
        ("domain", domain),
        ("local_part_prefix", prefix),
        ("local_part_suffix", suffix),
    ] {
        cx.set(name, Str::tainted(value.as_bytes()));
    }
    let notes = Arc::new(Mutex::new(Vec::new()));
    let kept = notes.clone();
    cx.observe(Arc::new(move |event: &TraceEvent<'_>| {
        if let Happening::Note { kind: TraceKinds::FILTER, text } = event.what {
            let mut kept = kept.lock().expect("nobody else panics");
            kept.extend_from_slice(text);
            kept.push(b'\n');
        }
    }));
    let done = run(&mut cx, &case.script, options);
    let mut said = match &done.end {
        FilterEnd::Error(error) => [b"Sieve error: ", error.as_slice()].concat(),
        _ if done.significant => b"No implicit keep".to_vec(),
        _ => b"Implicit keep".to_vec(),
    };
    said.push(b'\n');
    said.extend_from_slice(&notes.lock().expect("nobody else panics"));
    (said, done)
}

/// What is to be done, a line each.
pub fn actions(done: &Filtered) -> Vec<u8> {
    let mut out = String::new();
    let mut line = |parts: &[&str]| out.push_str(&(parts.join(" ") + "\n"));
    for action in &done.actions {
        match action {
            FilterAction::Keep { implicit: true, .. } => line(&["keep implicitly"]),
            FilterAction::Keep { .. } => line(&["keep"]),
            FilterAction::Discard => line(&["discard"]),
            FilterAction::FileInto { mailbox, .. } => line(&["fileinto", &show(mailbox)]),
            FilterAction::Deliver { address, .. } => line(&["redirect", &show(address)]),
            FilterAction::Mail { reply, .. } => {
                let days = reply.once_repeat.unwrap_or(0) / 86400;
                let once = reply.once.clone().unwrap_or_default();
                line(&["mail, again after", &days.to_string(), "days, see", &show(&once)]);
                for (name, value) in [
                    ("to", &reply.to),
                    ("from", &reply.from),
                    ("subject", &reply.subject),
                    ("headers", &reply.extra_headers),
                    ("text", &reply.text),
                ] {
                    line(&[&format!("  {name}:"), &show(value.as_ref().unwrap_or(&Str::EMPTY))]);
                }
            }
            FilterAction::Notify(notice) => {
                line(&["notify", &show(&notice.method)]);
                for (name, value) in [
                    ("to", &notice.to),
                    ("from", &notice.from),
                    ("subject", &notice.subject),
                    ("auto-submitted", &notice.auto_submitted),
                    ("text", &notice.body),
                ] {
                    line(&[&format!("  {name}:"), &show(value)]);
                }
            }
            other => line(&[&format!("{other:?}")]),
        }
    }
    out.into_bytes()
}

fn show(text: &Str) -> String {
    crate::show(text.bytes())
}

/// What Exim says: what it prints behind the name of the filter, then what `-v`
/// adds. `None` where it died.
pub fn exim(program: &Path, case: &Case, folder: &Path) -> Option<Vec<u8>> {
    let Setting { sender, local_part, domain, prefix, suffix, .. } = &case.setting;
    let file = folder.join("filter");
    std::fs::write(&file, &case.script).expect("a filter");
    let config = folder.join("exim.conf");
    if !config.exists() {
        let text = "qualify_domain = q.example\nprimary_hostname = h.example\n";
        let log = format!("log_file_path = {}/log-%s\n", folder.display());
        let spool = format!("spool_directory = {}/spool\n", folder.display());
        std::fs::write(&config, [text, &log, &spool].concat()).expect("a configuration");
    }
    let mut child = Command::new("timeout")
        .args([PATIENCE.as_ref(), program.as_os_str(), "-C".as_ref(), config.as_os_str()])
        .args(["-bf".as_ref(), file.as_os_str()])
        .args(["-v", "-f", sender, "-bfl", local_part, "-bfd", domain])
        .args(["-bfp", prefix, "-bfs", suffix])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Exim starts");
    let message = case.setting.message.clone();
    let mut pipe = child.stdin.take().expect("a pipe was asked for");
    let writer = std::thread::spawn(move || {
        // It may end before it has read everything.
        let _ = pipe.write_all(&message);
    });
    let output = child.wait_with_output().expect("Exim ends");
    writer.join().expect("the writer ends");
    output.status.success().then_some(())?;
    let mut lines = output.stdout.split(|c| *c == b'\n');
    lines.find(|line| line.starts_with(b"Testing Sieve filter file"))?;
    let mut said: Vec<u8> = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(&b'\n');
    said.push(b'\n');
    for line in output.stderr.split_inclusive(|c| *c == b'\n') {
        // What it says about the message is no answer.
        let besides = [b"read_message_body".as_slice(), b"LOG: MAIN", b"  qualify/rewrite"];
        if !besides.iter().any(|head| line.starts_with(head)) {
            said.extend_from_slice(line);
        }
    }
    Some(said)
}
