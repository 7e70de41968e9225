//! Cases of routing: configurations, the files that belong to them, and what a
//! program says of addresses.
//!
//! A file `tests/routing/NAME.case`:
//!
//! ```text
//! +++ exim.conf
//! files and what else there has to be (`cases.rs`)
//! ? -bt a@b.test 'c d'@b.test
//! > a line of standard input
//! < a line that the program prints
//! ! a line of its error stream
//! = 0
//! ```
//!
//! `?` runs the program with these arguments, and with `-C DIR/exim.conf` where
//! they have no `-C`; `=` is the exit status. The lines `<`, `!` and `=` are what
//! is recorded. `~` is a question for eximious alone, since the real Exim hangs,
//! dies, or does not know the words; what is said to it is written by hand.

mod scenery;

pub use scenery::set_up;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cases::{self, Place, Scene, changes, words};

/// How long a program may think about a question, in seconds.
const PATIENCE: &str = "60";

/// What stands in the place of a status where the program took too long.
const TOO_LONG: i32 = 124;

/// A file of cases.
#[derive(Debug)]
pub struct Case {
    /// The file's name, without its end.
    pub name: String,
    /// What is asked, in order.
    pub questions: Vec<Question>,
    path: PathBuf,
    scene: Scene,
}

/// A run of a program.
#[derive(Debug)]
pub struct Question {
    /// The number of its line.
    pub line: usize,
    /// The line behind its sign.
    pub text: String,
    /// Whether the real Exim is asked, too.
    pub for_exim: bool,
    /// What is recorded.
    pub answer: Answer,
    input: Option<String>,
}

/// What a program said, and how it ended.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What it printed.
    pub out: String,
    /// Its error stream.
    pub err: String,
    /// Its exit status; none where a signal ended it.
    pub status: Option<i32>,
}

/// A question to which eximious says something else than what is recorded, in
/// `tests/routing/known-differences.txt`:
///
/// ```text
/// # why
/// NAME ? -bt a@b.test
/// < what it says
/// = 0
/// ```
#[derive(Debug)]
pub struct Difference {
    /// What it says.
    pub answer: Answer,
    case: String,
    question: Question,
}

impl Difference {
    /// Reads the list.
    pub fn read() -> Vec<Self> {
        let path = crate::root().join("tests/routing/known-differences.txt");
        let text = std::fs::read_to_string(path).expect("the list of known differences");
        let mut found: Vec<Self> = Vec::new();
        let mut reasoned = false;
        for line in text.lines() {
            let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
            if let Some(text) = rest.strip_prefix("? ") {
                assert!(reasoned, "a difference without a reason: {line}");
                let (case, question) = (sign.to_owned(), Question::new(0, text, false));
                found.push(Self { answer: Answer::default(), case, question });
            } else if !matches!(sign, "" | "#" | "##") {
                let last = found.last_mut().expect("a question before it");
                assert!(last.question.add(sign, rest), "what is this: {line}");
                last.answer = last.question.answer.clone();
            }
            reasoned = sign == "#" || reasoned && !line.is_empty();
        }
        found
    }

    /// Whether it is of this question.
    pub fn is_of(&self, case: &Case, question: &Question) -> bool {
        self.case == case.name && self.question.text == question.text
    }
}

/// Reads all cases, or those whose names are given with commas between them.
pub fn read(names: Option<&str>) -> Vec<Case> {
    let read = |path: PathBuf| Case::parse(&path, &cases::text(&path));
    cases::files("routing", names).into_iter().map(read).collect()
}

impl Case {
    /// Reads what stands in a file.
    pub fn parse(path: &Path, text: &str) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (path, questions) = (path.to_owned(), Vec::new());
        let mut case = Self { name, questions, path, scene: Scene::default() };
        for (index, whole) in text.split_inclusive('\n').enumerate() {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
            if matches!(sign, "?" | "~") {
                case.scene.end_of_file();
                case.questions.push(Question::new(index + 1, rest, sign == "?"));
            } else if !case.scene.add(&case.path, whole) {
                let question = case.questions.last_mut();
                let known = question.is_some_and(|question| question.add(sign, rest));
                assert!(known || line.is_empty(), "{}:{}: {line}", case.name, index + 1);
            }
        }
        case
    }

    /// A file that it needs and that is not there.
    pub fn lacks(&self) -> Option<&Path> {
        self.scene.lacks()
    }

    /// Makes the files.
    pub fn set_up(&self) -> Place {
        self.scene.set_up()
    }

    /// Puts the answers, to what the real Exim is asked, in the place of those that
    /// are recorded.
    pub fn record(&self, answers: impl IntoIterator<Item = Answer>) {
        let text = std::fs::read_to_string(&self.path).expect("a case");
        let mut answers = answers.into_iter();
        let mut pending: Option<Answer> = None;
        let mut out = String::new();
        let (mut in_file, mut asked) = (false, false);
        for whole in text.split_inclusive('\n') {
            let sign = whole.split([' ', '\n']).next().unwrap_or_default();
            in_file = sign == "+++" || in_file && !matches!(sign, "##" | "$" | "@" | "?" | "~");
            if asked && !in_file && matches!(sign, "<" | "!" | "=") {
                continue;
            }
            // What is typed stands before what is said.
            if !(asked && sign == ">")
                && let Some(answer) = pending.take()
            {
                out.push_str(&answer.recorded());
            }
            out.push_str(whole);
            asked = asked && !in_file;
            if sign == "~" {
                asked = false;
            } else if sign == "?" {
                asked = true;
                pending = answers.next();
            }
        }
        if let Some(answer) = pending {
            out.push_str(&answer.recorded());
        }
        std::fs::write(&self.path, out).expect("a case is written");
    }
}

impl Question {
    fn new(line: usize, text: &str, for_exim: bool) -> Self {
        Self { line, text: text.to_owned(), for_exim, answer: Answer::default(), input: None }
    }

    /// Takes a line that belongs to it; false where it is of no such sort.
    fn add(&mut self, sign: &str, rest: &str) -> bool {
        let text = match sign {
            ">" => self.input.get_or_insert_default(),
            "<" => &mut self.answer.out,
            "!" => &mut self.answer.err,
            "=" => {
                self.answer.status = rest.parse().ok();
                return true;
            }
            _ => return false,
        };
        text.push_str(rest);
        text.push('\n');
        true
    }

    /// What a program says to it.
    pub fn ask(&self, program: &Path, place: &Place) -> Answer {
        let mut words: Vec<String> = words(&self.text).iter().map(|w| place.fill(w)).collect();
        if !words.iter().any(|word| word == "-C") {
            let config = place.path().join("exim.conf").display().to_string();
            words.splice(0..0, ["-C".to_owned(), config]);
        }
        let mut command = Command::new("timeout");
        command.args(["-k", "1", PATIENCE]).arg(program).args(words);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir(place.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut pipe = child.stdin.take().expect("a pipe was asked for");
        let input = place.fill(self.input.as_deref().unwrap_or_default());
        let writer = std::thread::spawn(move || {
            // A program that gave up does not read.
            let _ = pipe.write_all(input.as_bytes());
        });
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("the writer ends");
        Answer {
            out: place.hide(&output.stdout),
            err: plain(&place.hide(&output.stderr)),
            status: output.status.code(),
        }
    }
}

impl Answer {
    /// As it stands in a file.
    pub fn recorded(&self) -> String {
        let mut out = String::new();
        for (sign, text) in [('<', &self.out), ('!', &self.err)] {
            for line in text.lines() {
                let space = if line.is_empty() { "" } else { " " };
                writeln!(out, "{sign}{space}{line}").expect("text");
            }
        }
        let status = self.status.map_or_else(|| "signal".to_owned(), |status| status.to_string());
        writeln!(out, "= {status}").expect("text");
        out
    }

    /// What another says differently, line by line; nothing where it says the
    /// same.
    pub fn difference(&self, other: &Self) -> Option<String> {
        // A last line without an end is recorded as one with it.
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut text = String::new();
        for (sign, wanted, said) in [('<', &self.out, &other.out), ('!', &self.err, &other.err)] {
            for change in changes(&lines(wanted), &lines(said)) {
                let (mark, line) = change;
                writeln!(text, "    {mark} {sign} {line}").expect("text");
            }
        }
        if self.status != other.status {
            let said = if other.status == Some(TOO_LONG) { " (it took too long)" } else { "" };
            writeln!(text, "    status {:?} is {:?}{said}", self.status, other.status)
                .expect("text");
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Leaves out the time in front of lines of a log, and what Exim says of how it
/// makes a connection: it depends on the system.
fn plain(text: &str) -> String {
    let left_out = r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (\[\d+\] )?|^ TFO mode .*\n";
    let regex = regex::Regex::new(left_out).expect("a regular expression");
    regex.replace_all(text, "").into_owned()
}
