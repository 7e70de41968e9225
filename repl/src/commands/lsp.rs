//! `eximious lsp`: the server for editors, at the standard input and output.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::thread;

use clap::{Arg, ArgAction, ArgMatches, Command};
use eximious_workbench::lsp::{self, Connection, LspEnd, LspSettings, Message};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::session::Setup;

/// How large a message may be.
const LARGEST: u64 = 64 << 20;
/// How long a line of its head may be.
const LONGEST_HEAD: u64 = 8 << 10;

/// Its options.
pub fn command() -> Command {
    Command::new("lsp")
        .about("the server for editors (Language Server Protocol)")
        .long_about(
            "Serves an editor: it speaks the Language Server Protocol at its standard input and \
             output. What check finds is shown while one types, with cures; names have their \
             pages, are completed, found, and changed in all files; fmt lays files out.\n\n\
             Without -C, the file that includes the one at hand is looked for, and Debian's \
             conf.d is known. Nothing of a configuration is carried out: no command is run, and \
             nothing is looked up. The exit status is 0 where the editor takes its leave, and 1 \
             where it is gone. docs/editors.md says how editors are set up.",
        )
        // What some editors add says what it does anyway.
        .arg(Arg::new("stdio").long("stdio").num_args(0).action(ArgAction::SetTrue).hide(true))
}

/// Serves until the client goes.
///
/// # Errors
/// None.
pub fn run(_: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    let macros = setup.macros.iter().map(|(name, value)| (name.to_vec(), value.to_vec()));
    let settings = LspSettings { main: setup.config.clone(), macros: macros.collect() };
    let world = eximious_world::system();
    let (server, client) = Connection::memory();
    let Connection { sender, receiver } = client;
    let writer = thread::spawn(move || {
        for message in receiver {
            if message.write(&mut io::stdout().lock()).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        let mut input = io::BufReader::new(io::stdin());
        while let Ok(Some(body)) = next(&mut input) {
            match serde_json::from_slice::<Message>(&body) {
                Ok(message) => {
                    if sender.send(message).is_err() {
                        break;
                    }
                }
                Err(why) => complain(&why.to_string()),
            }
        }
    });
    let end = lsp::serve(&server, &world, settings);
    drop(server);
    // It ends when all that was said is written.
    let _ = writer.join();
    Ok(match end {
        LspEnd::Orderly => ExitCode::SUCCESS,
        LspEnd::Abrupt => ExitCode::FAILURE,
    })
}

/// The next message. Lines that are no head of one are passed over, and so is a message that
/// is too large.
fn next(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        match (text.split_once(':'), length) {
            (Some((name, value)), _) if name.trim().eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok();
            }
            (_, Some(length)) if text.is_empty() && length <= LARGEST => {
                let mut body = Vec::new();
                input.by_ref().take(length).read_to_end(&mut body)?;
                return Ok((body.len() as u64 == length).then_some(body));
            }
            (_, Some(large)) if text.is_empty() => {
                complain("the message is too large");
                io::copy(&mut input.by_ref().take(large), &mut io::sink())?;
                length = None;
            }
            _ => {}
        }
    }
}

/// Tells the client that something could not be read: to what it was an answer is not known.
fn complain(why: &str) {
    let error = json!({ "code": -32700, "message": why });
    let body = json!({ "jsonrpc": "2.0", "id": Value::Null, "error": error }).to_string();
    let mut out = io::stdout().lock();
    let _ = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
    let _ = out.flush();
}
