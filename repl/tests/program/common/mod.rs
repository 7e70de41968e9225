//! Runs programs and gathers what they say.

pub mod onward;
pub mod pairs;
pub mod spool;
pub mod started;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is behind a lock, whoever panicked with it.
pub fn locked<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a program said, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs eximious.
pub fn eximious(args: &[&str], input: &[u8]) -> Run {
    run(env!("CARGO_BIN_EXE_eximious"), args, input)
}

/// Runs a program. Bytes outside ASCII are shown as escapes; the time in front
/// of log lines is left out.
pub fn run(program: &str, args: &[&str], input: &[u8]) -> Run {
    let output = fed(Command::new(program).args(args), input);
    Run {
        status: output.status.code(),
        out: shown(&output.stdout),
        err: untimed(&shown(&output.stderr)),
    }
}

/// Runs a command with an input: how it ended, and what it wrote to both outputs.
pub fn fed(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A program that gave up does not read.
        scope.spawn(move || pipe.write_all(input));
        child.wait_with_output().unwrap()
    })
}

fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

pub fn untimed(text: &str) -> String {
    let stamp = "2001-02-03 04:05:06 ".len();
    let line = |line: &str| {
        let head = line.as_bytes().get(..stamp).unwrap_or_default();
        let timed = head.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            10 | 19 => *byte == b' ',
            13 | 16 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
        if timed && !head.is_empty() { line[stamp..].to_owned() } else { line.to_owned() }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A file with a text, which goes when its test ends.
pub fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// The real program, where it is installed. In CI it has to be.
pub fn reference() -> Option<String> {
    let named = std::env::var("EXIMIOUS_REFERENCE").ok();
    let usual = ["/usr/sbin/exim4", "/usr/sbin/exim"].map(str::to_owned);
    let found = named.into_iter().chain(usual).find(|path| std::path::Path::new(path).exists());
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "no Exim to compare with: install exim4-daemon-heavy"
    );
    found
}
