//! Cases of filters: what a program says of a filter file that it tests.
//!
//! A file `tests/filters/NAME.txt`:
//!
//! ```text
//! # what this is about
//! ? -v
//! | the filter of a user, without its first line
//! & a system filter, without its first line
//! > the message, where it is not the usual one
//! < a line that the program prints
//! ! a line of its error stream
//! = 1
//! ```
//!
//! `?` begins a case, and has more arguments. With a filter `|` the program gets
//! `-bf`, with `&` it gets `-bF`; `$ ` before the first line of a filter means that
//! the file is as it stands here, first line and all. The lines `<`, `!` and `=`
//! are what is recorded; a status of 0 is not. What is always the same at the
//! beginning and the end of an answer is left out, or said in one word:
//! `(handled)` and `(normal)`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fixtures::replace;

/// The configuration, which gives the host a name.
const CONFIG: &str = "primary_hostname = here.test\n";
/// Who sends, and who gets, the message.
const ENVELOPE: [&str; 6] = ["-f", "from@sender.test", "-bfd", "here.test", "-bfl", "user"];
/// The message.
const MESSAGE: &str = "From: a@b\nTo: user@here.test, c@d\nSubject: hello\n\nbody text\n";
/// What is always the same, and what stands for it.
const USUAL: [(&str, &str); 4] = [
    (
        "Filtering set up at least one significant delivery or other action.\n\
         No other deliveries will occur.\n",
        "(handled)\n",
    ),
    (
        "Filtering did not set up a significant delivery.\nNormal delivery will occur.\n",
        "(normal)\n",
    ),
    (
        "Return-path copied from sender\nSender      = from@sender.test\n\
         Recipient   = user@here.test\n",
        "",
    ),
    ("Testing Exim filter file \"DIR/user\"\n\n", ""),
];

/// A file of cases.
#[derive(Debug)]
pub struct Filters {
    path: PathBuf,
    /// The cases.
    pub cases: Vec<Case>,
    /// What follows the last one.
    rest: String,
}

/// A run of a program.
#[derive(Debug, Default)]
pub struct Case {
    /// The number of its first line.
    pub line: usize,
    /// What is recorded.
    pub answer: String,
    /// The lines that are not recorded, and comments.
    asked: String,
    arguments: Vec<String>,
    user: Option<String>,
    system: Option<String>,
    message: Option<String>,
}

impl Filters {
    /// All files.
    pub fn all() -> Vec<Self> {
        let folder = crate::root().join("tests/filters");
        let entries = std::fs::read_dir(folder).expect("the cases").flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
        paths.sort();
        paths.iter().map(|path| Self::parse(path, &crate::cases::text(path))).collect()
    }

    /// Reads what stands in a file.
    pub fn parse(path: &Path, text: &str) -> Self {
        let mut cases: Vec<Case> = Vec::new();
        let mut pending = String::new();
        for (index, line) in text.lines().enumerate() {
            let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (sign, cases.last_mut()) {
                ("" | "#", _) => {
                    let _ = writeln!(pending, "{line}");
                }
                ("?", _) => {
                    let asked = format!("{}{line}\n", std::mem::take(&mut pending));
                    let arguments = rest.split_whitespace().map(unquoted).collect();
                    cases.push(Case { line: index + 1, asked, arguments, ..Case::default() });
                }
                ("<" | "!" | "=", Some(case)) => {
                    let _ = writeln!(case.answer, "{line}");
                }
                ("|" | "&" | ">", Some(case)) => {
                    let _ = writeln!(case.asked, "{line}");
                    let text = match sign {
                        "|" => &mut case.user,
                        "&" => &mut case.system,
                        _ => &mut case.message,
                    };
                    let _ = writeln!(text.get_or_insert_default(), "{rest}");
                }
                _ => panic!("{}: what is this: {line}", path.display()),
            }
        }
        Self { path: path.to_owned(), cases, rest: pending }
    }

    /// The file's name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Writes the file with other answers.
    pub fn record(&self, answers: &[String]) {
        let mut text = String::new();
        for (case, answer) in self.cases.iter().zip(answers) {
            text.push_str(&case.asked);
            text.push_str(answer);
        }
        text.push_str(&self.rest);
        std::fs::write(&self.path, text).expect("the file is written");
    }
}

fn unquoted(word: &str) -> String {
    word.trim_matches('\'').to_owned()
}

impl Case {
    /// The filters.
    pub fn texts(&self) -> Vec<&str> {
        self.user.iter().chain(&self.system).map(String::as_str).collect()
    }

    /// What a program says, in the form of the file.
    pub fn ask(&self, program: &Path) -> String {
        let directory = tempfile::TempDir::new().expect("a directory");
        let place = directory.path();
        let file = |name: &str, text: &str| {
            let path = place.join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        let mut command = Command::new(program);
        command.arg("-C").arg(file("exim.conf", CONFIG)).args(ENVELOPE);
        for (option, name, text) in [("-bF", "system", &self.system), ("-bf", "user", &self.user)] {
            if let Some(text) = text {
                let whole = match text.strip_prefix("$ ") {
                    Some(whole) => whole.to_owned(),
                    None => format!("# Exim filter\n{text}"),
                };
                // A last newline is not part of what is asked.
                let whole = whole.strip_suffix('\n').unwrap_or(&whole).to_owned();
                command.arg(option).arg(file(name, &whole));
            }
        }
        let arguments = self.arguments.iter().map(|one| one.replace("DIR", &text_of(place)));
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("its input");
        // A program that gave up does not read.
        let _ = input.write_all(self.message.as_deref().unwrap_or(MESSAGE).as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("the program ends");
        let hidden = |bytes: &[u8]| shown(&replace(bytes, text_of(place).as_bytes(), b"DIR"));
        let mut out = hidden(&output.stdout);
        for (usual, word) in USUAL {
            out = out.replace(usual, word);
        }
        let mut answer = String::new();
        for line in out.split_terminator('\n') {
            let _ = writeln!(answer, "{}", format!("< {line}").trim_end());
        }
        for line in hidden(&output.stderr).lines().map(str::trim) {
            // What debugs Exim itself.
            if !line.is_empty() && !line.starts_with("read_message_body") {
                let _ = writeln!(answer, "! {}", untimed(line));
            }
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => drop(writeln!(answer, "= {code}")),
            None => answer.push_str("= killed\n"),
        }
        answer
    }
}

/// A line of a log, without its time.
fn untimed(line: &str) -> &str {
    let stamp = "2001-02-03 04:05:06 ".len();
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    match line.split_at_checked(stamp) {
        Some((time, rest)) if digits(time) == 14 => rest,
        _ => line,
    }
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Bytes that are no visible ASCII as escapes.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\n' | b' '..=b'~' => text.push(char::from(*byte)),
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text
}
