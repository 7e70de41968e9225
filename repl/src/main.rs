//! The program `eximious`.

mod activity;
mod ahead;
mod assign;
mod be;
mod caller;
mod colour;
mod commands;
mod configured;
mod daemon;
mod debug;
mod deliver;
mod filter;
mod handover;
mod input;
mod logs;
mod malware;
mod message;
mod options;
mod output;
mod pretence;
mod progress;
mod prompt;
mod queue;
mod reader;
mod refusal;
mod retry;
mod rewrite;
mod rights;
mod route;
mod session;
mod show;
mod smtp;
mod starter;
mod submit;
mod suggest;
mod switches;
mod usual;
mod version;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::sync::Arc;

use eximious::grammar::sieve::Capabilities;
use eximious::route::Purpose;
use eximious::world::Command;
use eximious::{Engine, Fail, Settings, World, opt, words};
use eximious_mta::submission::settle_active_hostname;
use eximious_world::DeliveryHelper;

use options::{CalledAs, ExpandRequest, Job, Options, ReadArguments};
use output::Output;
use prompt::Beginning;
use refusal::{Refusal, Stop};
use rights::Claim;
use session::{Session, Setup};
use starter::Starter;

fn main() -> ExitCode {
    // Before anything else: later it may be somebody else.
    eximious_world::rights::caller();
    eximious_world::rights::hide_environment();
    eximious_world::serving::receive_signals();
    eximious_world::serving::keep_name();
    // Where it can't be had, nobody asks.
    let _ = eximious_world::serving::survive_asking();
    eximious_world::serving::with_room(run)
}

fn run() -> ExitCode {
    let mut args = std::env::args_os().map(OsString::into_vec);
    let called = CalledAs::named(&args.next().unwrap_or_default());
    let args: Vec<Vec<u8>> = args.collect();
    if let Some(done) = serve_another(&args) {
        // It has its orders from another process, and asks for no configuration.
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let ReadArguments { tells_version, options } = options::parse(called, &args);
    if tells_version {
        let world = eximious_world::system();
        let engine = Engine::builder().world(world).build();
        let _ = print(version::version(engine.registry(), engine.world()).as_bytes());
    }
    let Options { claim, action } = match options {
        Ok(options) => options,
        Err(Stop(message)) => return complain(&message),
    };
    // Without a word, at a terminal, it opens its prompt and introduces itself.
    let introduces_itself = args.is_empty() && called == CalledAs::Eximious && at_terminal();
    let claim = if introduces_itself { Claim::default() } else { claim };
    if let Err(refusal) = claim.begin(&eximious_world::system()) {
        return refuse(refusal);
    }
    if introduces_itself {
        return expand(ExpandRequest::default(), true);
    }
    // Those write files of the caller's.
    if !matches!(action, Job::Command(_) | Job::Expand(_)) {
        eximious_world::rights::settle_umask();
    }
    match action {
        Job::Usage(setup) => usage(setup, called),
        Job::Information => print(version::INFORMATION.as_bytes()),
        Job::SieveExtensions => print((Capabilities::NAMES.join("\n") + "\n").as_bytes()),
        Job::Version(setup) => version(setup),
        Job::Start => print(commands::help::start().as_bytes()),
        Job::Dscp => print(version::dscp().as_bytes()),
        Job::BuildAliases(request) => build_aliases(request),
        Job::Expand(request) => expand(request, false),
        Job::Show(request) => show(request),
        Job::Command(request) => commands::run(request).unwrap_or_else(refuse),
        Job::Page(page) => print(page.as_bytes()),
        Job::Rewrite(request) => test_rules(request, Session::start, rewrite::answer),
        Job::Retry(request) => test_rules(request, Session::start_tested, retry::answer),
        Job::Filter(request) => test_filters(request),
        Job::Route(request) => test_addresses(request),
        Job::Host(request) => speak(request),
        Job::Daemon(source, request) => daemon::run(source, request).unwrap_or_else(refuse),
        Job::Session(request) => served(smtp::local::run(request)),
        Job::Fetch(request) => served(smtp::customer::run(request)),
        Job::Batch(request) => served(smtp::batch::run(request)),
        Job::Queue(request) => queue::list(request).unwrap_or_else(refuse),
        Job::View(request) => queue::view(request).unwrap_or_else(refuse),
        Job::Scan(request) => malware::scan(request).unwrap_or_else(refuse),
        Job::Deliver(request) => deliver::run(request).unwrap_or_else(refuse),
        Job::Submit(request) => submit::run(request).unwrap_or_else(refuse),
        Job::Log(request) => write_log(request),
        Job::RemovePidFile(path) => {
            let (settings, world) = (Settings::default(), eximious_world::system());
            if let Some(why) = caller::refused_pid_file(&settings, &world) {
                return refuse(Refusal::Said(why));
            }
            let path = path.unwrap_or_else(|| opt::PID_FILE_PATH.default().bytes().to_vec());
            eximious_world::serving::remove_pid_file_of_parent(&path);
            ExitCode::SUCCESS
        }
    }
}

/// Works for another process, where these arguments say so: what is done for users with their
/// rights, by one who waits for whoever does it, by that one, or by the user.
fn serve_another(args: &[Vec<u8>]) -> Option<io::Result<()>> {
    let (first, rest) = args.split_first()?;
    if first == Starter::ARGUMENT.as_bytes() {
        return Some(starter::serve(rest));
    }
    if first != DeliveryHelper::ARGUMENT.as_bytes() {
        return None;
    }
    let (second, files) = rest.split_first()?;
    match std::str::from_utf8(second).ok()? {
        DeliveryHelper::KEEPS => Some(eximious_world::serve_deliveries(false, files)),
        DeliveryHelper::WORKS => Some(eximious_world::serve_deliveries(true, files)),
        DeliveryHelper::ASKS => Some(eximious_world::answer_as_caller()),
        _ => None,
    }
}

fn at_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// `-z`: administrators may.
fn write_log(request: options::LogRequest) -> ExitCode {
    let options::LogRequest { setup, line, shown } = request;
    let session = match shown {
        true => start_shown(setup),
        false => Session::start_logging(setup, eximious_world::system()),
    };
    match session {
        Ok(session) => {
            let engine = session.engine();
            if !caller::is_admin(engine.settings(), engine.world()) {
                return ExitCode::FAILURE;
            }
            session.log(&line);
            ExitCode::SUCCESS
        }
        Err(refusal) => refuse(refusal),
    }
}

/// What it is, where nothing is asked for: what is wrong with the configuration and with what
/// is said of a client has to be known before, as with Exim, where it is called so or a file is
/// named.
fn usage(setup: Setup, called: CalledAs) -> ExitCode {
    let reads = called != CalledAs::Eximious || setup.config.is_some();
    match start_shown(setup) {
        Err(refusal) if reads => refuse(refusal),
        _ => complain(version::USAGE.trim_end().as_bytes()),
    }
}

/// What `-bV` says of the configuration: it reads the file to find its faults, as Exim does.
fn version(setup: Setup) -> ExitCode {
    let named = setup.config.is_some();
    match start_shown(setup) {
        Ok(mut session) => {
            let world = session.engine().world();
            logs::note_call(session.engine().settings(), &*world.host, &*world.log);
            if !settle_active_hostname(session.context()) {
                return ExitCode::FAILURE;
            }
            print(&version::configuration(named, session.config_file()))
        }
        Err(refusal) => refuse(refusal),
    }
}

/// A session whose log lines are shown to whoever is here.
fn start_shown(setup: Setup) -> Result<Session, Refusal> {
    let world = output::test_world(&Arc::default(), setup.verbose);
    Session::start(setup, world)
}

fn show(request: show::ShowRequest) -> ExitCode {
    match show::show(request) {
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
    request: rewrite::RulesRequest,
    start: fn(Setup, World) -> Result<Session, Refusal>,
    answer: fn(&mut Session, &[Vec<u8>]) -> Result<rewrite::RewriteReport, Fail>,
) -> ExitCode {
    let world = output::test_world(&Arc::default(), request.setup.verbose);
    let mut session = match start(request.setup, world) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    session.work_in_spool();
    match answer(&mut session, &request.arguments) {
        Ok(rewrite::RewriteReport { text, fine }) => match (print(&text), fine) {
            (code, true) => code,
            (_, false) => ExitCode::FAILURE,
        },
        Err(fail) => {
            session.engine().world().log.dying(fail.message());
            ExitCode::FAILURE
        }
    }
}

/// `-bt`, `-bv`, `-bvs`.
fn test_addresses(request: route::RouteRequest) -> ExitCode {
    let route::RouteRequest { setup, purpose, addresses } = request;
    let output = Arc::new(Output::default());
    let whole = purpose == Purpose::Test || setup.verbose;
    let world = output::test_world(&output, whole);
    let mut session = match Session::start(setup, world) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    session.work_in_spool();
    match route::run(&mut session, route::Wanted { purpose, whole }, &addresses, &output) {
        Ok(code) => code,
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

/// `-bh`.
fn speak(request: smtp::HostRequest) -> ExitCode {
    match smtp::run(request) {
        Ok(Ok(code)) => code,
        Ok(Err(Refusal::Logged(line))) => complain(&[b"LOG: ", &line[..]].concat()),
        Ok(Err(refusal)) => refuse(refusal),
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

/// `-bs`, `-bS`.
fn served(done: io::Result<Result<ExitCode, Refusal>>) -> ExitCode {
    match done {
        Ok(done) => done.unwrap_or_else(refuse),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(why) => complain(format!("eximious: {why}").as_bytes()),
    }
}

/// `-bi`: runs `bi_command` as whoever called, with what `-oA` gives.
fn build_aliases(request: options::AliasRequest) -> ExitCode {
    let options::AliasRequest { setup, argument } = request;
    let mut session = match Session::start_logging(setup, eximious_world::system()) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    let settings = session.engine().settings();
    let Some(command) = settings.text(opt::BI_COMMAND) else {
        return ExitCode::SUCCESS;
    };
    let directory = Some(settings.get(opt::SPOOL_DIRECTORY).bytes().to_vec());
    let environment = match eximious::launch::environment(session.context()) {
        Ok(environment) => environment,
        Err(fail) => return complain(&[b"exim: ", fail.message()].concat()),
    };
    let argv = [Some(command.bytes().to_vec()), argument].into_iter().flatten().collect();
    let replacement = Command { argv, environment, directory, ..Command::default() };
    let why = eximious::stdlib::wording::reason(&eximious_world::replace_process(&replacement));
    complain(&[b"exim: exec '", command.bytes(), b"' failed: ", why.as_bytes()].concat())
}

/// `-bf`, `-bF`.
fn test_filters(request: filter::FilterRequest) -> ExitCode {
    let output = Arc::new(Output::default());
    filter::run(request, &output).unwrap_or_else(|refusal| {
        let _ = output.flush();
        refuse(refusal)
    })
}

fn expand(request: ExpandRequest, greet: bool) -> ExitCode {
    let ExpandRequest { setup, texts, prompt } = request;
    let output = Arc::new(Output::default());
    let again =
        Beginning { setup: setup.clone(), reading: setup.reading.clone(), output: output.clone() };
    let world = output::test_world(&output, setup.verbose);
    let mut session = match Session::start(setup, world) {
        Ok(session) => session,
        Err(refusal) => return refuse(refusal),
    };
    if !greet {
        session.hide_macros();
    }
    // Nothing is written yet, so nothing can go wrong with it.
    let _ = output.put(session.said(), b"");
    // At the prompt of its own, names of files are those of whoever types them.
    if !(greet && texts.is_empty()) {
        session.work_in_spool();
    }
    let result = if !texts.is_empty() {
        be::texts(&mut session, &texts, &output)
    } else if at_terminal() || greet {
        prompt::run(session, greet, &prompt, again)
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
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(why) => {
            let why = eximious::stdlib::wording::reason(&why);
            complain(format!("eximious: standard output: {why}").as_bytes())
        }
    }
}

fn complain(message: &[u8]) -> ExitCode {
    // Where the standard error is closed, the exit status has to do.
    let _ = io::stderr().write_all(&[message, b"\n"].concat());
    ExitCode::FAILURE
}

fn refuse(refusal: Refusal) -> ExitCode {
    match refusal {
        // It was told before.
        Refusal::Said(message) if message.is_empty() => ExitCode::FAILURE,
        Refusal::Said(message) => complain(&message),
        Refusal::Logged(line) => {
            eximious_world::system().log.main(&line);
            ExitCode::FAILURE
        }
    }
}
