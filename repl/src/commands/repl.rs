//! `eximious repl`: the prompt.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{bytes, option};
use crate::ExpandRequest;
use crate::prompt::PromptRequest;
use crate::refusal::Refusal;
use crate::session::Setup;

/// Its options.
pub fn command() -> Command {
    let file = |name, help| option(name, "FILE", help).value_parser(value_parser!(OsString));
    Command::new("repl")
        .about("a prompt for strings, ACLs and routers, with a debugger")
        .long_about(
            "A prompt to try expressions, ACLs and routers of a configuration, with a debugger. \
             With texts, they are expanded instead. What is piped to it is shown with what comes \
             of it, as is a script. Exim's options stand before the command. docs/debugger.md \
             shows sessions.",
        )
        .arg(
            Arg::new("texts")
                .value_name("TEXT")
                .num_args(0..)
                .value_parser(value_parser!(OsString))
                .help("Expanded, one after the other, instead of what is typed"),
        )
        .arg(file("message", "Begins with a message, as :message does"))
        .arg(file("session", "Begins with lines that :save has kept").conflicts_with("texts"))
        .arg(file("script", "Carries out the lines of a file, and leaves").conflicts_with("texts"))
        .after_help(crate::prompt::page())
}

/// Opens the prompt.
///
/// # Errors
/// The configuration or the message can't be read.
pub fn run(matches: &ArgMatches, mut setup: Setup) -> Result<ExitCode, Refusal> {
    setup.message = bytes(matches, "message").or(setup.message);
    let texts = matches.get_many::<OsString>("texts").into_iter().flatten();
    let prompt =
        PromptRequest { session: bytes(matches, "session"), script: bytes(matches, "script") };
    let texts = texts.map(|text| text.as_bytes().to_vec()).collect();
    Ok(crate::expand(ExpandRequest { setup, texts, prompt }, true))
}
