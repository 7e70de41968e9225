//! `eximious fmt`: lays configurations out.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use eximious::world::Files;
use similar::TextDiff;

use super::flag;
use crate::colour::{self, Colour};
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::Setup;

/// What to do with files.
struct Layout {
    /// Only say which files would change.
    check: bool,
    /// Only show what would change.
    diff: bool,
    colour: Colour,
}

/// How large a file may be.
const LARGEST: u64 = 64 << 20;
/// How long the shortest difference is looked for; after that, a longer one has
/// to do.
const PATIENCE: Duration = Duration::from_secs(5);
/// The file that is the standard input.
const STANDARD: &[u8] = b"-";

/// Its options.
pub fn command() -> Command {
    Command::new("fmt")
        .about("lays configurations out")
        .long_about(
            "Lays configurations out: the files are changed, the standard input (or -) goes to \
             the standard output. Macros, conditions, inclusions and comments stay. The exit \
             status is 1 where a file can't be read or written, and where --check finds one \
             that would change.",
        )
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .num_args(0..)
                .value_parser(value_parser!(OsString))
                .help("What is laid out; by default, the standard input"),
        )
        .arg(flag("check", "Only says which files would change; the exit status is 1 then"))
        .arg(flag("diff", "Only shows what would change"))
        .arg(Colour::argument())
}

/// Lays the files out.
///
/// # Errors
/// None.
pub fn run(matches: &ArgMatches, _: Setup) -> Result<ExitCode, Refusal> {
    let request = Layout {
        check: matches.get_flag("check"),
        diff: matches.get_flag("diff"),
        colour: Colour::of(matches),
    };
    let named = matches.get_many::<OsString>("files").into_iter().flatten();
    let mut named: Vec<&[u8]> = named.map(|name| name.as_bytes()).collect();
    if named.is_empty() {
        named.push(STANDARD);
    }
    let files = eximious_world::system().files;
    let mut good = true;
    for name in named {
        match one(&request, name, &*files) {
            Ok(same) => good &= same,
            // Nobody reads what is written any more.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::FAILURE),
            Err(why) => {
                let why = format!(": {}\n", eximious::stdlib::wording::reason(&why));
                let message = [b"eximious: ", called(name), why.as_bytes()].concat();
                // Where the standard error is closed, the exit status has to do.
                let _ = io::stderr().write_all(&message);
                good = false;
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lays a file out; false where `--check` has something to say of it.
fn one(request: &Layout, name: &[u8], files: &dyn Files) -> io::Result<bool> {
    let standard = name == STANDARD;
    let old = if standard { input()? } else { files.read(name, LARGEST)?.to_vec() };
    if let Some(why) = super::not_written(&old) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    let name_shown = String::from_utf8_lossy(called(name));
    let progress = Progress::of(format!("laying out {name_shown}"));
    let new = eximious::fmt::format(&old);
    let changes = (request.diff && new != old).then(|| difference(called(name), &old, &new));
    drop(progress);
    let mut out = io::stdout().lock();
    if let Some(difference) = changes {
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
