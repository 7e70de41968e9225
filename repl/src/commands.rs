//! The commands that are this program's own, each a record: its options and its page, what
//! it needs, and what runs it. The pages of help, the manual and the completions of shells
//! are made of these, and so is the reading of what was typed.

pub mod check;
mod dap;
mod fmt;
pub mod help;
pub mod hints;
pub mod list;
mod lsp;
mod manual;
mod repl;
mod serve;
mod test;
mod tlsrpt;
mod trace;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use eximious::World;
use eximious_workbench::testing::TestMachine;

use crate::refusal::{Refusal, Stop};
use crate::rights::Rights;
use crate::session::Setup;

/// A command.
pub struct CommandRecord {
    /// Its options and its page.
    pub command: fn() -> Command,
    /// What of a configuration it needs.
    pub needs: Needs,
    /// Runs it, with what was typed and with what a session begins with.
    pub run: fn(&ArgMatches, Setup) -> Result<ExitCode, Refusal>,
}

/// What a command needs of the site's configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Files that are named as configurations are, and read as texts.
    Files,
    /// The configuration, to look at, with the rights of who asks.
    Configuration,
    /// The configuration and what the server keeps, with its rights.
    Server,
}

impl CommandRecord {
    const fn new(
        command: fn() -> Command,
        needs: Needs,
        run: fn(&ArgMatches, Setup) -> Result<ExitCode, Refusal>,
    ) -> Self {
        Self { command, needs, run }
    }
}

/// All of them, by what they are for.
pub const COMMANDS: &[CommandRecord] = &[
    CommandRecord::new(check::command, Needs::Files, check::run),
    CommandRecord::new(fmt::command, Needs::Nothing, fmt::run),
    CommandRecord::new(repl::command, Needs::Configuration, repl::run),
    CommandRecord::new(trace::command, Needs::Configuration, trace::run),
    CommandRecord::new(test::command, Needs::Configuration, test::run),
    CommandRecord::new(serve::command, Needs::Configuration, serve::run),
    CommandRecord::new(lsp::command, Needs::Configuration, lsp::run),
    CommandRecord::new(dap::command, Needs::Configuration, dap::run),
    CommandRecord::new(list::command, Needs::Nothing, list::run),
    CommandRecord::new(help::command, Needs::Nothing, help::run),
    CommandRecord::new(hints::command, Needs::Server, hints::run),
    CommandRecord::new(tlsrpt::command, Needs::Server, tlsrpt::run),
];

/// What was typed behind the name of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandWork {
    name: String,
    matches: ArgMatches,
}

/// A command with what a session begins with.
#[derive(Debug)]
pub struct CommandRequest {
    /// What was typed.
    pub work: CommandWork,
    /// What a session begins with.
    pub setup: Setup,
}

/// How many lines a configuration may have: each is a good deal more than its bytes, while
/// it is laid out and compared.
const MOST_LINES: usize = 1_000_000;
/// How long a line may be: each finding shows the one that it stands in.
const LONGEST_LINE: usize = 4 << 20;

/// Why a text is no configuration that anybody wrote, or had made.
fn not_written(text: &[u8]) -> Option<String> {
    if let Some(at) = memchr::memchr(0, text) {
        let line = memchr::memchr_iter(b'\n', &text[..at]).count() + 1;
        return Some(format!("line {line} has a zero byte: that is no text, or it is UTF-16"));
    }
    if memchr::memchr_iter(b'\n', text).count() > MOST_LINES {
        return Some(format!("more than {MOST_LINES} lines are no configuration"));
    }
    let is_long = text.split(|c| *c == b'\n').any(|line| line.len() > LONGEST_LINE);
    is_long.then(|| format!("a line of more than {LONGEST_LINE} bytes is no configuration"))
}

/// A text as far as it is shown.
fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.len() > most {
        true => Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(most)])),
        false => Cow::Borrowed(text),
    }
}

/// The command of a name.
fn found(name: &str) -> Option<&'static CommandRecord> {
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

/// The commands with all their options, for pages.
pub fn all() -> impl Iterator<Item = Command> {
    COMMANDS.iter().map(whole)
}

/// The page of a command, or of the part of it that the next words name.
pub fn page(name: &str, words: &[Vec<u8>]) -> Option<String> {
    let part = words.iter().filter_map(|word| std::str::from_utf8(word).ok());
    if let Some(page) = part.filter_map(|word| page_of_part(name, word)).next() {
        return Some(page);
    }
    let mut command = whole(found(name)?);
    command.build();
    Some(rendered(command))
}

/// The page of a part of a command: `dump` of `hints`.
pub fn page_of_part(name: &str, part: &str) -> Option<String> {
    let mut command = whole(found(name)?);
    command.build();
    command.find_subcommand(part).cloned().map(rendered)
}

fn rendered(mut command: Command) -> String {
    if let Some(long) = command.get_long_about().cloned() {
        command = command.about(long);
    }
    let page = command.term_width(78).render_help().to_string();
    format!("{}\n", page.trim_end())
}

/// A command with the options that several have.
fn whole(record: &CommandRecord) -> Command {
    let command = (record.command)();
    let name = command.get_name().to_owned();
    let help = Arg::new("help").short('h').long("help").action(ArgAction::SetTrue);
    let command = command
        .bin_name(format!("eximious {name}"))
        .disable_version_flag(true)
        .disable_help_flag(true)
        .arg(help.global(true).help("Shows this page"));
    if record.needs == Needs::Nothing {
        return command;
    }
    command
        .arg(
            Arg::new("config")
                .short('C')
                .value_name("FILE")
                .value_parser(value_parser!(OsString))
                .global(true)
                .help("The configuration; by default, the one that Exim would read"),
        )
        .arg(
            Arg::new("macro")
                .short('D')
                .value_name("NAME=TEXT")
                .value_parser(value_parser!(OsString))
                .action(ArgAction::Append)
                .global(true)
                .help("A macro"),
        )
}

/// An option with a value.
fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option that stands for itself.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The value of an option, or an argument, as bytes.
fn bytes(matches: &ArgMatches, name: &str) -> Option<Vec<u8>> {
    Some(matches.get_one::<OsString>(name)?.as_bytes().to_vec())
}

/// What is typed behind the name of a command; nothing, where it is none.
///
/// # Errors
/// An option that the command does not know, or a value that it does not take.
pub fn work(name: &[u8], rest: &[Vec<u8>]) -> Result<Option<CommandWork>, Stop> {
    let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
    let Some(own) = found(name) else { return Ok(None) };
    let matches = typed(whole(own), rest)?;
    Ok(Some(CommandWork { name: name.to_owned(), matches }))
}

/// Reads what was typed behind the name of a command.
fn typed(command: Command, rest: &[Vec<u8>]) -> Result<ArgMatches, Stop> {
    let rest = rest.iter().map(|arg| OsStr::from_bytes(arg).to_owned());
    let words = std::iter::once(OsString::from_vec(b"eximious".to_vec())).chain(rest);
    command.try_get_matches_from(words).map_err(|why| {
        let text = why.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        Stop(format!("eximious: {}", text.trim_end()).into())
    })
}

impl CommandWork {
    /// `-C`, which may stand behind the command, too.
    pub fn config(&self) -> Option<Vec<u8>> {
        let known = self.matches.try_get_one::<OsString>("config").ok()??;
        Some(known.as_bytes().to_vec())
    }

    /// `-D`, the same.
    pub fn macros(&self) -> impl Iterator<Item = &[u8]> {
        let known = self.matches.try_get_many::<OsString>("macro").ok().flatten();
        known.into_iter().flatten().map(|text| text.as_bytes())
    }

    fn needs(&self) -> Needs {
        found(&self.name).map_or(Needs::Nothing, |own| own.needs)
    }

    /// Whose rights it wants.
    pub fn rights(&self) -> Rights {
        match self.asks_server() {
            true => Rights::Server,
            false => Rights::Caller,
        }
    }

    /// Whether it only looks, so that mistakes leave nothing in logs.
    pub fn is_test(&self) -> bool {
        self.needs() != Needs::Server
    }

    /// Whether it reads the site's configuration for the mail server.
    pub fn reads_configuration(&self) -> bool {
        self.asks_server()
    }

    /// Whether it asks for what the server keeps, and not for what stands in a folder that
    /// the caller names.
    fn asks_server(&self) -> bool {
        let brings = self.matches.try_get_one::<OsString>(hints::SPOOL).ok().flatten().is_some();
        self.needs() == Needs::Server && !brings
    }
}

/// Writes what a command comes to. Whoever closes the pipe has read enough.
///
/// # Errors
/// It can't be written.
fn written(text: &[u8]) -> Result<(), Refusal> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            let why = eximious::stdlib::wording::reason(&why);
            Err(Refusal::Said(format!("eximious: standard output: {why}").into_bytes()))
        }
        _ => Ok(()),
    }
}

/// Writes a file that was named; `-` is the standard output.
///
/// # Errors
/// It can't be written.
fn put(file: &str, text: &str) -> Result<(), Refusal> {
    if file == "-" {
        return written(text.as_bytes());
    }
    eximious_world::write_file(Path::new(file), text.as_bytes()).map_err(|why| {
        let why = eximious::stdlib::wording::reason(&why);
        Refusal::Said(format!("eximious: {file}: {why}").into_bytes())
    })
}

/// What this machine has for tests.
fn machine() -> TestMachine {
    let World { files, users, clock, .. } = eximious_world::system();
    TestMachine { files, users, clock }
}

/// Runs a command.
///
/// # Errors
/// It can't begin.
pub fn run(request: CommandRequest) -> Result<ExitCode, Refusal> {
    let CommandRequest { work, setup } = request;
    match found(&work.name) {
        Some(own) => (own.run)(&work.matches, setup),
        None => Ok(ExitCode::FAILURE),
    }
}
