//! The commands that show a configuration to a person, each with its options, its page and
//! what runs it.

mod dap;
mod serve;
mod test;
mod trace;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use eximious::World;
use eximious_workbench::testing::TestMachine;

use crate::lsp;
use crate::refusal::Stop;
use crate::session::Setup;

/// A command of the workbench.
pub struct WorkbenchCommand {
    /// Its options and its page.
    pub command: fn() -> Command,
    /// Runs it, with what was typed and with what a session begins with.
    pub run: fn(&ArgMatches, Setup) -> ExitCode,
}

/// All of them.
pub const COMMANDS: &[WorkbenchCommand] = &[
    WorkbenchCommand { command: lsp::command, run: lsp::run },
    WorkbenchCommand { command: dap::command, run: dap::run },
    WorkbenchCommand { command: serve::command, run: serve::run },
    WorkbenchCommand { command: test::command, run: test::run },
    WorkbenchCommand { command: trace::command, run: trace::run },
];

/// What was typed behind the name of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkbenchWork {
    name: String,
    matches: ArgMatches,
}

/// A command with what a session begins with.
#[derive(Debug)]
pub struct WorkbenchRequest {
    /// What was typed.
    pub work: WorkbenchWork,
    /// What a session begins with.
    pub setup: Setup,
}

/// The command of a name.
fn found(name: &str) -> Option<&'static WorkbenchCommand> {
    COMMANDS.iter().find(|one| (one.command)().get_name() == name)
}

/// The names, and what each does.
pub fn names() -> impl Iterator<Item = (String, String)> {
    COMMANDS.iter().map(|one| {
        let command = (one.command)();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        (command.get_name().to_owned(), about)
    })
}

/// The page of a command.
pub fn page(name: &str) -> Option<String> {
    let command = (found(name)?.command)();
    let long = command.get_long_about().cloned();
    let mut command = whole(command);
    if let Some(long) = long {
        command = command.about(long);
    }
    Some(command.render_help().to_string())
}

fn whole(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command
        .bin_name(format!("eximious {name}"))
        .term_width(78)
        .disable_version_flag(true)
        .arg(
            Arg::new("config")
                .short('C')
                .value_name("FILE")
                .help("The configuration; by default, the one that Exim would read"),
        )
        .arg(
            Arg::new("macro")
                .short('D')
                .value_name("NAME=TEXT")
                .action(ArgAction::Append)
                .help("A macro"),
        )
}

/// What is typed behind the name of a command; nothing, where it is none of these.
///
/// # Errors
/// An option that the command does not know.
pub fn work(name: &str, rest: &[Vec<u8>]) -> Result<Option<WorkbenchWork>, Stop> {
    let Some(own) = found(name) else { return Ok(None) };
    let rest = rest.iter().map(|arg| String::from_utf8_lossy(arg).into_owned());
    let words = std::iter::once(format!("eximious {name}")).chain(rest);
    match whole((own.command)()).try_get_matches_from(words) {
        Ok(matches) => Ok(Some(WorkbenchWork { name: name.to_owned(), matches })),
        Err(why) => {
            let text = why.render().to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            debug_assert_ne!(why.kind(), ErrorKind::DisplayHelp, "it is asked for elsewhere");
            Err(Stop(format!("eximious: {}", text.trim_end()).into()))
        }
    }
}

impl WorkbenchWork {
    /// `-C`, which may stand behind the command, too.
    pub fn config(&self) -> Option<Vec<u8>> {
        Some(self.matches.get_one::<String>("config")?.clone().into_bytes())
    }

    /// `-D`, the same.
    pub fn macros(&self) -> impl Iterator<Item = &String> {
        self.matches.get_many::<String>("macro").into_iter().flatten()
    }
}

/// What this machine has for tests.
fn machine() -> TestMachine {
    let World { files, users, clock, .. } = eximious_world::system();
    TestMachine { files, users, clock }
}

/// Runs a command.
pub fn run(request: WorkbenchRequest) -> ExitCode {
    let WorkbenchRequest { work, setup } = request;
    match found(&work.name) {
        Some(own) => (own.run)(&work.matches, setup),
        None => ExitCode::FAILURE,
    }
}
