//! The answers of a real Exim.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A real Exim, asked through a pipe.
#[derive(Clone, Debug)]
pub struct Reference {
    program: PathBuf,
    version: String,
    config: Option<PathBuf>,
    client: Option<String>,
}

/// What it answered to a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// This, without the last newline.
    Said(Vec<u8>),
    /// It died.
    Crashed,
}

/// Leaves of recorded cases those that are asked of the real one again: all, unless time is
/// short. With `EXIMIOUS_AGAIN=3` they are a third, and another one when a case has come.
pub fn keep_asked_again<C>(cases: &mut Vec<C>, name: impl Fn(&C) -> &str) {
    let every = std::env::var("EXIMIOUS_AGAIN").ok();
    let every = every.and_then(|every| every.parse::<usize>().ok()).filter(|every| *every > 1);
    let Some(every) = every else { return };
    let turn = cases.len();
    let letters = |case: &C| name(case).bytes().map(usize::from).sum::<usize>();
    cases.retain(|case| (turn + letters(case)).is_multiple_of(every));
}

/// How many lines are asked of one process.
const CHUNK: usize = 500;

impl Reference {
    /// The installed one: `EXIMIOUS_REFERENCE`, or `exim4` where Debian puts it.
    /// In CI it has to be there.
    pub fn find() -> Option<Self> {
        let named = std::env::var_os("EXIMIOUS_REFERENCE").map(PathBuf::from);
        let candidates =
            named.into_iter().chain(["/usr/sbin/exim4", "/usr/sbin/exim"].map(PathBuf::from));
        for program in candidates {
            let Ok(output) = Command::new(&program).arg("-bV").output() else { continue };
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if let Some(version) = text.strip_prefix("Exim version ") {
                let version = version.split(' ').next().unwrap_or_default().to_owned();
                return Some(Self { program, version, config: None, client: None });
            }
        }
        assert!(!crate::in_ci(), "no Exim to compare with: install exim4-daemon-heavy");
        eprintln!("LEFT OUT: no Exim to compare with (exim4-daemon-heavy)");
        None
    }

    /// The same with another configuration.
    pub fn with_config(&self, config: &Path) -> Self {
        Self { config: Some(config.to_owned()), ..self.clone() }
    }

    /// The same with the address of a client (`-oMa`).
    pub fn with_client(&self, address: &str) -> Self {
        Self { client: Some(address.to_owned()), ..self.clone() }
    }

    /// The program's file.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version, such as `4.98.2`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its answers to lines, in order; with a message, as `-bem` gives them.
    pub fn ask(&self, lines: &[Vec<u8>], message: Option<&Path>) -> Vec<Answer> {
        self.converse(lines, message).0
    }

    /// As [`Reference::ask`]; also, with which lines a new process began, which
    /// knows nothing of what the lines before left behind.
    pub fn converse(
        &self,
        lines: &[Vec<u8>],
        message: Option<&Path>,
    ) -> (Vec<Answer>, BTreeSet<usize>) {
        let mut answers = Vec::with_capacity(lines.len());
        let mut beginnings = BTreeSet::new();
        while answers.len() < lines.len() {
            let from = answers.len();
            beginnings.insert(from);
            let chunk = &lines[from..lines.len().min(from + CHUNK)];
            let said = self.chunk(chunk, message);
            let complete = said.len() == chunk.len();
            answers.extend(said.into_iter().map(Answer::Said));
            if !complete {
                // The next line killed it; go on behind that one.
                answers.push(Answer::Crashed);
            }
        }
        (answers, beginnings)
    }

    /// The answers of one process, up to the line that kills it.
    fn chunk(&self, lines: &[Vec<u8>], message: Option<&Path>) -> Vec<Vec<u8>> {
        let mut command = Command::new(&self.program);
        if let Some(config) = &self.config {
            command.arg("-C").arg(config);
        }
        if let Some(client) = &self.client {
            command.arg("-oMa").arg(client);
        }
        match message {
            Some(file) => command.arg("-bem").arg(file),
            None => command.arg("-be"),
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the reference starts");
        let mut input = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            input.extend_from_slice(line);
            input.extend_from_slice(format!("\n~~~{index}~~~\n").as_bytes());
        }
        let mut pipe = child.stdin.take().expect("a pipe was asked for");
        let writer = std::thread::spawn(move || {
            // It may die before it has read everything.
            let _ = pipe.write_all(&input);
        });
        let output = child.wait_with_output().expect("the reference ends").stdout;
        writer.join().expect("the writer ends");
        split(&output, lines.len())
    }
}

/// Cuts what was printed at the marks between lines.
fn split(output: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    let mut rest = output;
    for index in 0..count {
        let mark = format!("> ~~~{index}~~~\n");
        let Some(at) = rest.windows(mark.len()).position(|w| w == mark.as_bytes()) else { break };
        let answer = if index == 0 { from_prompt(&rest[..at]) } else { &rest[..at] };
        let answer = answer.strip_prefix(b"> ").unwrap_or(answer);
        answers.push(answer.strip_suffix(b"\n").unwrap_or(answer).to_vec());
        rest = &rest[at + mark.len()..];
    }
    answers
}

/// What is printed from the first prompt on: before it, a message that was read
/// may have been remarked on.
fn from_prompt(output: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in output.split_inclusive(|c| *c == b'\n') {
        if line.starts_with(b"> ") {
            return &output[at..];
        }
        at += line.len();
    }
    output
}
