//! The program `eximious`.

mod ahead;
mod assign;
mod be;
mod caller;
mod check;
mod daemon;
mod debug;
mod filter;
mod fmt;
mod help;
mod input;
mod list;
mod logs;
mod message;
mod options;
mod output;
mod prompt;
mod queue;
mod reader;
mod retry;
mod rewrite;
mod route;
mod session;
mod show;
mod smtp;
mod submit;
mod usual;
mod version;
mod words;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::sync::Arc;

use eximious::grammar::sieve::Capabilities;
use eximious::route::Purpose;
use eximious::{Engine, Fail};

use options::{Action, Options, Stop};
use output::Output;
use session::{Refusal, Session};

fn main() -> ExitCode {
    let args: Vec<Vec<u8>> = std::env::args_os().skip(1).map(OsString::into_vec).collect();
    let options = match options::parse(&args) {
        Ok(options) => options,
        Err(Stop(message)) => return complain(&message),
    };
    // Without a word, at a terminal, it opens its prompt and introduces itself.
    let greet = args.is_empty() || args[0] == b"repl";
    if args.is_empty() && at_terminal() {
        return expand(options, greet);
    }
    match &options.action {
        Action::Usage => usage(&options),
        Action::Information => print(version::INFORMATION.as_bytes()),
        Action::SieveExtensions => print((Capabilities::NAMES.join("\n") + "\n").as_bytes()),
        Action::Version => version(options),
        Action::Expand => expand(options, greet),
        Action::List { json, kind } => {
            let engine = Engine::builder().build();
            finish(list::list(engine.registry(), *json, kind.as_deref()))
        }
        Action::Show => show(options),
        Action::Check(request) => check::run(request),
        Action::Rewrite => test_rules(options, rewrite::answer),
        Action::Retry => test_rules(options, retry::answer),
        Action::Filter => test_filters(options),
        Action::Format(request) => fmt::run(request),
        Action::Route(purpose) => test_addresses(*purpose, options),
        Action::Host(host) => speak(*host, options),
        Action::Daemon => listen(options),
        Action::Session => serve(options, smtp::local::run),
        Action::Batch => serve(options, smtp::batch::run),
        Action::Queue(listing) => {
            let listing = *listing;
            look(options, |options| queue::list(options, listing))
        }
        Action::View(view, id) => {
            let (view, id) = (*view, id.clone());
            look(options, |options| queue::view(options, view, &id))
        }
        Action::Submit => take_message(options),
        Action::Help(names) => finish(help(names)),
    }
}

fn at_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Nothing to do: say what the program is.
fn usage(options: &Options) -> ExitCode {
    log_lines(options);
    complain(version::USAGE.trim_end().as_bytes())
}

fn log_lines(options: &Options) {
    if !options.log_lines.is_empty() {
        let log = eximious_world::system().log;
        options.log_lines.iter().for_each(|line| log.main(line));
    }
}

/// As Exim's `-bV`, this reads the configuration file to find its faults.
fn version(mut options: Options) -> ExitCode {
    match Session::start(&mut options, eximious_world::system()) {
        Ok(session) => print(&version::version(session.engine().registry(), session.config_file())),
        Err(refusal) => refuse(refusal),
    }
}

fn show(mut options: Options) -> ExitCode {
    match show::show(&mut options) {
        Ok(show::Shown { printed, warnings }) => {
            warnings.iter().for_each(|line| {
                let _ =
                    io::stderr().write_all(&[b"LOG: MAIN PANIC\n  ", &line[..], b"\n"].concat());
            });
            let _ = io::stderr().write_all(&printed.refusals);
            match (print(&printed.text), printed.found) {
                (code, true) => code,
                // What is printed is the answer all the same.
                (_, false) => ExitCode::FAILURE,
            }
        }
        Err(refusal) => refuse(refusal),
    }
}

/// `-brw` and `-brt`.
fn test_rules(
    mut options: Options,
    answer: fn(&mut Session, &[Vec<u8>]) -> Result<rewrite::Answer, Fail>,
) -> ExitCode {
    log_lines(&options);
    let arguments = std::mem::take(&mut options.texts);
    let mut session = match Session::start(&mut options, eximious_world::system()) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    match answer(&mut session, &arguments) {
        Ok(rewrite::Answer { text, fine }) => match (print(&text), fine) {
            (code, true) => code,
            (_, false) => ExitCode::FAILURE,
        },
        Err(fail) => refuse(Refusal::Logged(fail.message().to_vec())),
    }
}

/// `-bt`, `-bv`, `-bvs`.
fn test_addresses(purpose: Purpose, mut options: Options) -> ExitCode {
    log_lines(&options);
    let output = Arc::new(Output::default());
    let typed = std::mem::take(&mut options.texts);
    let whole = purpose == Purpose::Test || options.verbose;
    let world = if whole { output::shown_world(&output) } else { output::world(&output) };
    let mut session = match Session::start(&mut options, world) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    match route::run(&mut session, route::Wanted { purpose, whole }, &typed, &output) {
        Ok(code) => code,
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

/// `-bh`.
fn speak(host: SocketAddr, mut options: Options) -> ExitCode {
    log_lines(&options);
    match smtp::run(host, &mut options) {
        Ok(Ok(code)) => code,
        Ok(Err(Refusal::Logged(line))) => complain(&[b"LOG: ", &line[..]].concat()),
        Ok(Err(refusal)) => refuse(refusal),
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

/// `-bd`, `-bdf`, `-bw`.
fn listen(options: Options) -> ExitCode {
    log_lines(&options);
    match daemon::run(options) {
        Ok(code) => code,
        Err(Refusal::Said(message)) if message.is_empty() => ExitCode::FAILURE,
        Err(refusal) => refuse(refusal),
    }
}

/// `-bs`, `-bS`.
fn serve(
    mut options: Options,
    run: fn(&mut Options) -> io::Result<Result<ExitCode, Refusal>>,
) -> ExitCode {
    log_lines(&options);
    match run(&mut options) {
        Ok(Ok(code)) => code,
        Ok(Err(refusal)) => refuse(refusal),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

/// `-bp`, `-Mvh` and their kin.
fn look(
    mut options: Options,
    run: impl FnOnce(&mut Options) -> Result<ExitCode, Refusal>,
) -> ExitCode {
    log_lines(&options);
    run(&mut options).unwrap_or_else(refuse)
}

/// A message from the standard input. Whoever types a single word that is almost a
/// command means that, and no recipient.
fn take_message(mut options: Options) -> ExitCode {
    if let [word] = options.texts.as_slice()
        && io::stdin().is_terminal()
    {
        let text = String::from_utf8_lossy(word);
        if let Some(near) = eximious::check::nearest(&text, options::COMMANDS.into_iter()).first() {
            let why = format!("eximious: no command \"{text}\"; did you mean \"eximious {near}\"?");
            return complain(why.as_bytes());
        }
    }
    log_lines(&options);
    match submit::run(&mut options) {
        Ok(code) => code,
        Err(refusal) => refuse(refusal),
    }
}

/// `-bf`, `-bF`.
fn test_filters(mut options: Options) -> ExitCode {
    if !options.log_lines.is_empty() {
        log_lines(&options);
        return ExitCode::SUCCESS;
    }
    let output = Arc::new(Output::default());
    let request = std::mem::take(&mut options.filter);
    let session = Session::start(&mut options, output::world(&output));
    let done =
        session.and_then(|mut session| filter::run(&mut session, &request, &options, &output));
    match done {
        Ok(code) => code,
        Err(refusal) => {
            let _ = output.flush();
            refuse(refusal)
        }
    }
}

fn expand(mut options: Options, greet: bool) -> ExitCode {
    log_lines(&options);
    let output = Arc::new(Output::default());
    let texts = std::mem::take(&mut options.texts);
    let mut session = match Session::start(&mut options, output::world(&output)) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    if !greet {
        session.hide_macros();
    }
    // Nothing is written yet, so nothing can go wrong with it.
    let _ = output.put(session.said(), b"");
    let result = if !texts.is_empty() {
        be::texts(&mut session, &texts, &output)
    } else if at_terminal() {
        prompt::run(session, greet, &options, &output)
    } else {
        be::lines(&mut session, io::stdin(), &output)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads the answers any more.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

fn help(names: &[String]) -> Result<String, String> {
    if names.is_empty() {
        return Ok(help::START.to_owned());
    }
    let engine = Engine::builder().build();
    let pages: Result<Vec<String>, String> =
        names.iter().map(|name| help::pages(engine.registry(), name)).collect();
    pages.map(|pages| pages.join("\n"))
}

fn finish(result: Result<String, String>) -> ExitCode {
    match result {
        Ok(text) => print(text.as_bytes()),
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

fn print(text: &[u8]) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(message: &[u8]) -> ExitCode {
    // Where the standard error is closed, the exit status has to do.
    let _ = io::stderr().write_all(&[message, b"\n"].concat());
    ExitCode::FAILURE
}

fn refuse(refusal: Refusal) -> ExitCode {
    match refusal {
        Refusal::Said(message) => complain(&message),
        Refusal::Logged(line) => {
            eximious_world::system().log.main(&line);
            ExitCode::FAILURE
        }
    }
}
