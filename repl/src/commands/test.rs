//! `eximious test`: runs the tests of configurations.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use eximious::Config;
use eximious::world::Files;
use eximious_workbench::coverage::{Coverage, CoverageCounter, CoverageReport, Universe};
use eximious_workbench::testing::{
    FileResult, Suite, TestMachine, TestResult, file::TestFile, json_report, junit, record,
};

use super::{flag, option};
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};

/// The end of the names of test files.
const SUFFIX: &str = ".eximtest.toml";
/// How much stack a thread has.
const STACK: usize = 16 << 20;
/// How often files are looked at (`--watch`).
const PAUSE: Duration = Duration::from_millis(250);
/// How many files are looked for below a folder.
const MOST_FILES: usize = 10_000;

/// Its options.
pub fn command() -> Command {
    Command::new("test")
        .about("runs the tests of configurations")
        .long_about(
            "Runs the tests of configurations: files NAME.eximtest.toml, or those below \
             folders, the working one by default. Each says what is there (a client, a message, \
             DNS, files, answers of look-ups, the time) and what must come of it. Nothing else \
             is there: no network, and nothing is written. docs/testing.md describes the form. \
             The exit status is 1 where a test fails.",
        )
        .arg(
            Arg::new("paths")
                .value_name("PATH")
                .num_args(0..)
                .help("Test files, and folders; by default, the working one"),
        )
        .arg(option("filter", "TEXT", "Only tests whose name has this in it"))
        .arg(flag("watch", "Runs them again whenever a file changes"))
        .arg(flag("list", "Only names them"))
        .arg(flag("json", "As JSON"))
        .arg(option("junit", "FILE", "Writes JUnit's XML, too"))
        .arg(flag("coverage", "Says what of the configurations was run"))
        .arg(option("lcov", "FILE", "Writes that for lcov"))
        .arg(option("html", "FILE", "Writes that as a page"))
        .arg(
            option(
                "record",
                "FILE",
                "Carries out the lines of an SMTP client as -bh does, and writes a test of what \
                 was found out and what came of it",
            )
            .conflicts_with_all(["watch", "list", "junit", "coverage", "lcov", "html"]),
        )
        .arg(super::trace::client("The client of --record; 127.0.0.1 by default"))
        .arg(flag("schema", "Writes the JSON schema of test files, and runs nothing"))
}

/// What the tests of one go came to.
struct Round {
    files: Vec<FileResult>,
    coverage: Vec<(Universe, Coverage)>,
    /// The files that they hang on, as they were before they were read.
    watched: Vec<(String, Look)>,
}

/// What shows that a file is another one: when it was changed, its size and its number.
type Look = Option<(i64, i64, u64, u64)>;

fn look(files: &dyn Files, path: &str) -> Look {
    let stat = files.stat(path.as_bytes(), true).ok()?;
    Some((stat.mtime, stat.mtime_nanos, stat.size, stat.inode))
}

/// Runs it.
///
/// # Errors
/// A file can't be read or written.
pub fn run(matches: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    if let Some(file) = matches.get_one::<String>("record") {
        return recorded(file, matches, setup).map(|text| crate::print(text.as_bytes()));
    }
    if matches.get_flag("schema") {
        return Ok(crate::print(format!("{:#}\n", TestFile::schema()).as_bytes()));
    }
    let machine = super::machine();
    let named: Vec<String> = matches.get_many("paths").into_iter().flatten().cloned().collect();
    loop {
        let paths = paths(&named).map_err(Refusal::of_command)?;
        let round = round(&paths, matches, &machine);
        let code = told(&round, matches)?;
        if !matches.get_flag("watch") {
            return Ok(code);
        }
        let _ = io::stderr().write_all(b"(waiting for a change; Ctrl-C ends it)\n");
        wait_for_change(&round, &*machine.files, &paths, &named);
    }
}

/// A test of a session, in the world as it is now.
fn recorded(file: &str, matches: &ArgMatches, setup: Setup) -> Result<String, Refusal> {
    let mut session = Session::start(setup, eximious_world::system())?;
    let engine = session.engine().clone();
    let path = String::from_utf8_lossy(session.config_file().unwrap_or_default()).into_owned();
    let (config, _) = session.parts();
    let config = config.cloned().unwrap_or_else(Config::default);
    let script = super::trace::script(file, &engine)?;
    let client = matches.get_one::<SocketAddr>("client").copied();
    let client = client.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let test = record(file, &path, config, &engine, client, &script);
    test.to_toml().map_err(|why| Refusal::Said(format!("eximious: {why}").into()))
}

/// The test files: those that are named, and those below folders.
fn paths(named: &[String]) -> Result<Vec<String>, String> {
    let here = [".".to_owned()];
    let mut found = Vec::new();
    for path in if named.is_empty() { &here[..] } else { named } {
        let below = eximious_world::files_below(Path::new(path), SUFFIX, MOST_FILES);
        let below =
            below.map_err(|why| format!("{path}: {}", eximious::stdlib::wording::reason(&why)))?;
        match below {
            Some(below) => found.extend(below.into_iter().map(|path| {
                let path = path.to_string_lossy().into_owned();
                path.strip_prefix("./").map(str::to_owned).unwrap_or(path)
            })),
            None => found.push(path.clone()),
        }
    }
    match found.is_empty() {
        true => Err(format!("there is no file *{SUFFIX}; help test says what is in one")),
        false => Ok(found),
    }
}

fn round(paths: &[String], matches: &ArgMatches, machine: &TestMachine) -> Round {
    let filter = matches.get_one::<String>("filter");
    let counts = matches.get_flag("coverage")
        || matches.get_one::<String>("lcov").is_some()
        || matches.get_one::<String>("html").is_some();
    let mut round = Round { files: Vec::new(), coverage: Vec::new(), watched: Vec::new() };
    for path in paths {
        round.watched.push((path.clone(), look(&*machine.files, path)));
        if matches.get_flag("watch")
            && let Ok(suite) = Suite::read(path, machine)
        {
            // It is read once more below: so no change in between is missed.
            for file in suite.loaded().config().sources.files() {
                let name = String::from_utf8_lossy(&file.name).into_owned();
                let look = look(&*machine.files, &name);
                round.watched.push((name, look));
            }
        }
        let mut suite = match Suite::read(path, machine) {
            Ok(suite) => suite,
            Err(why) => {
                round.files.push(FileResult { name: path.clone(), results: Err(why) });
                continue;
            }
        };
        if let Some(filter) = filter {
            suite.tests.retain(|test| test.name.contains(filter));
        }
        let config = suite.loaded().config();
        if matches.get_flag("list") {
            let mut out = io::stdout().lock();
            for test in &suite.tests {
                let _ = writeln!(out, "{path}: {}", test.name);
            }
            continue;
        }
        let (results, coverage) = run_all(&suite, counts);
        if counts {
            let engine = suite.loaded().engine();
            let universe = Universe::of(config, engine.registry(), engine.world());
            // Tests of the same configuration are counted together.
            match round.coverage.iter_mut().find(|(other, _)| *other == universe) {
                Some((_, known)) => known.add(&coverage),
                None => round.coverage.push((universe, coverage)),
            }
        }
        round.files.push(FileResult { name: path.clone(), results: Ok(results) });
    }
    round
}

/// Runs the tests of a file, on all processors.
fn run_all(suite: &Suite, counts: bool) -> (Vec<TestResult>, Coverage) {
    let next = AtomicUsize::new(0);
    let all = Mutex::new((Vec::new(), Coverage::default()));
    let progress = Progress::of(&suite.name);
    let work = || {
        let mut own = (Vec::new(), Coverage::default());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = suite.tests.get(number) else { break };
            progress.say(|| format!("{}: {number} of {} tests", suite.name, suite.tests.len()));
            let counter = counts.then(|| Arc::new(CoverageCounter::default()));
            let watcher = counter.clone().map(|counter| counter as Arc<_>);
            own.0.push((number, suite.run(test, watcher)));
            if let Some(counter) = counter {
                own.1.add(&counter.counted());
            }
        }
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.0.extend(own.0);
        all.1.add(&own.1);
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(suite.tests.len());
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let thread = thread::Builder::new().stack_size(STACK);
            // Where there is no room for another thread, those that there are do it.
            let _ = thread.spawn_scoped(scope, work);
        }
    });
    // No thread could be had at all.
    if next.load(Ordering::Relaxed) == 0 {
        work();
    }
    drop(progress);
    let (mut results, coverage) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    (results.into_iter().map(|(_, result)| result).collect(), coverage)
}

/// Says what came of them, and writes what was asked for.
fn told(round: &Round, matches: &ArgMatches) -> Result<ExitCode, Refusal> {
    let write = |file: &String, text: &str| {
        let written = eximious_world::write_file(Path::new(file), text.as_bytes());
        written.map_err(|why| {
            let why = eximious::stdlib::wording::reason(&why);
            Refusal::Said(format!("eximious: {file}: {why}").into_bytes())
        })
    };
    let counts = round.files.iter().map(FileResult::counts);
    let (passed, failed) = counts.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let mut out = String::new();
    if matches.get_flag("json") {
        out = format!("{:#}\n", json_report(&round.files));
    } else if !matches.get_flag("list") {
        round.files.iter().for_each(|file| out += &file.text());
        out += &match failed {
            0 => format!("{passed} passed\n"),
            _ => format!("{passed} passed, {failed} failed\n"),
        };
    }
    if let Some(file) = matches.get_one::<String>("junit") {
        let text = junit(&round.files).map_err(Refusal::of_command)?;
        write(file, &text)?;
    }
    let reports: Vec<_> = round
        .coverage
        .iter()
        .map(|(universe, coverage)| CoverageReport::new(universe, coverage))
        .collect();
    if matches.get_flag("coverage") {
        reports.iter().for_each(|report| out += &format!("\n{}", report.text()));
    }
    if let Some(file) = matches.get_one::<String>("lcov") {
        write(file, &reports.iter().map(CoverageReport::lcov).collect::<String>())?;
    }
    if let Some(file) = matches.get_one::<String>("html") {
        write(file, &CoverageReport::html("coverage", &reports))?;
    }
    super::written(out.as_bytes())?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits until a file is another one than it was, or there are other test files.
fn wait_for_change(round: &Round, files: &dyn Files, known: &[String], named: &[String]) {
    let same = || round.watched.iter().all(|(path, before)| look(files, path) == *before);
    while same() && paths(named).is_ok_and(|now| now == known) {
        thread::sleep(PAUSE);
    }
}
