//! `eximious fmt`: lays configurations out.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use eximious::world::Files;
use similar::TextDiff;

use crate::colour::{self, Colour};
use crate::refusal::Stop;

/// What to lay out, and what to do with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FmtRequest {
    /// Only say which files would change.
    check: bool,
    /// Only show what would change.
    diff: bool,
    colour: Colour,
    files: Vec<Vec<u8>>,
}

/// How large a file may be.
const LARGEST: u64 = 64 << 20;
/// How many lines it may have: each is a good deal more than its bytes, while it is laid
/// out and compared.
const MOST_LINES: usize = 1_000_000;
/// How long the shortest difference is looked for; after that, a longer one has
/// to do.
const PATIENCE: Duration = Duration::from_secs(5);
/// The file that is the standard input.
const STANDARD: &[u8] = b"-";

/// Reads the arguments of `fmt`.
///
/// # Errors
/// An option that it does not know.
pub fn request(arguments: &[Vec<u8>]) -> Result<FmtRequest, Stop> {
    let mut request = FmtRequest::default();
    let mut options = true;
    for argument in arguments {
        match argument.as_slice() {
            b"--check" if options => request.check = true,
            b"--diff" if options => request.diff = true,
            b"--" if options => options = false,
            _ if options && argument.starts_with(b"-") && argument != STANDARD => {
                if let Some(colour) = Colour::of_argument(argument)? {
                    request.colour = colour;
                    continue;
                }
                let head = b"eximious: fmt takes --check, --diff, --color and files, not \"";
                let head = head.as_slice();
                return Err(Stop([head, argument, b"\""].concat()));
            }
            _ => request.files.push(argument.clone()),
        }
    }
    if request.files.is_empty() {
        request.files.push(STANDARD.to_vec());
    }
    Ok(request)
}

/// Lays the files out. The exit status is 1 where one can't be read or written,
/// and where `--check` finds one that would change.
pub fn run(request: &FmtRequest) -> ExitCode {
    let files = eximious_world::system().files;
    let mut good = true;
    for name in &request.files {
        match one(request, name, &*files) {
            Ok(same) => good &= same,
            // Nobody reads what is written any more.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => return ExitCode::FAILURE,
            Err(why) => {
                let why = format!(": {why}\n");
                let message = [b"eximious: ", called(name), why.as_bytes()].concat();
                // Where the standard error is closed, the exit status has to do.
                let _ = io::stderr().write_all(&message);
                good = false;
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lays a file out; false where `--check` has something to say of it.
fn one(request: &FmtRequest, name: &[u8], files: &dyn Files) -> io::Result<bool> {
    let standard = name == STANDARD;
    let old = if standard { input()? } else { files.read(name, LARGEST)?.to_vec() };
    if memchr::memchr_iter(b'\n', &old).count() > MOST_LINES {
        let why = format!("more than {MOST_LINES} lines are no configuration");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    let new = eximious::fmt::format(&old);
    let mut out = io::stdout().lock();
    if request.diff && new != old {
        let difference = difference(called(name), &old, &new);
        match request.colour.is_on() {
            true => out.write_all(&colour::difference(&difference))?,
            false => out.write_all(&difference)?,
        }
    }
    if request.check {
        if new != old && !request.diff {
            out.write_all(&[called(name), b"\n"].concat())?;
        }
        return Ok(new == old);
    }
    if !request.diff {
        if standard {
            out.write_all(&new)?;
        } else if new != old {
            files.replace(name, &new)?;
        }
    }
    out.flush()?;
    Ok(true)
}

fn input() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "File too large"));
    }
    Ok(bytes)
}

/// What a file is called in messages.
fn called(name: &[u8]) -> &[u8] {
    if name == STANDARD { b"<standard input>" } else { name }
}

/// A unified difference.
fn difference(name: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    // A name that is not UTF-8 does not get through the library.
    let mut out = [b"--- ", name, b"\n+++ ", name, b"\n"].concat();
    for hunk in diff.unified_diff().iter_hunks() {
        // Writing to memory does not fail.
        let _ = hunk.to_writer(&mut out);
    }
    out
}
