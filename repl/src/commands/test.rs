//! `eximious test`: runs the tests of configurations.

mod watched;

use std::collections::BTreeSet;
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
use eximious_workbench::coverage::{Coverage, CoverageCounter, CoverageReport, Universe};
use eximious_workbench::testing::{
    FileResult, RecordedTest, SessionToRecord, Suite, TestMachine, TestResult, file::TestFile,
    json_report, junit, record,
};
use serde_json::json;

use super::{flag, option};
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use watched::WatchedFiles;

const SUCCESS: ExitCode = ExitCode::SUCCESS;
const FAILURE: ExitCode = ExitCode::FAILURE;

/// The exit status, or why there is none.
type Done = Result<ExitCode, Refusal>;

/// The end of the names of test files.
const SUFFIX: &str = ".eximtest.toml";
/// How much stack a thread has.
const STACK: usize = 16 << 20;
/// How often files are looked at (`--watch`).
const PAUSE: Duration = Duration::from_millis(250);
/// How often there may be no test file before that is said.
const PATIENCE: u32 = 4;
/// Options that name files to write.
const WRITTEN: &[&str] = &["junit", "lcov", "html"];
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
             The exit status is 1 where a test fails, or none is there.",
        )
        .arg(
            Arg::new("paths")
                .value_name("PATH")
                .num_args(0..)
                .help("Test files, and folders; by default, the working one"),
        )
        .arg(option("filter", "TEXT", "Only tests whose name has this in it"))
        .arg(flag("watch", "Runs them again whenever a file changes"))
        .arg(
            flag("list", "Only names them")
                .conflicts_with_all(["watch", "junit", "coverage", "lcov", "html"]),
        )
        .arg(flag("json", "As JSON"))
        .arg(option("junit", "FILE", "Writes JUnit's XML, too; - is the standard output"))
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
    let mut machine = super::machine();
    let named: Vec<String> = matches.get_many("paths").into_iter().flatten().cloned().collect();
    let mut paths = paths(&named).map_err(Refusal::of_command)?;
    if matches.get_flag("list") {
        return listed(&paths, matches, &machine);
    }
    let watched = WatchedFiles::new(machine.files.clone());
    let watches = matches.get_flag("watch");
    if watches {
        machine.files = Arc::new(watched.clone());
    }
    loop {
        watched.forget();
        let round = round(&paths, matches, &machine);
        let code = told(&round, matches)?;
        if !watches {
            return Ok(code);
        }
        say("(waiting for a change; Ctrl-C ends it)");
        paths = changed(&watched, &paths, &named);
    }
}

/// Says something beside what is written.
fn say(text: &str) {
    // Whoever can't read it does without.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// A test of a session, in the world as it is now.
fn recorded(file: &str, matches: &ArgMatches, setup: Setup) -> Result<String, Refusal> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let macros = setup.macros.iter().map(|(name, value)| (text(name), text(value))).collect();
    let mut session = Session::start(setup, eximious_world::system())?;
    let engine = session.engine().clone();
    let path = text(session.config_file().unwrap_or_default());
    let (config, _) = session.parts();
    let config = config.cloned().unwrap_or_else(Config::default);
    let script = super::trace::script(file, &engine)?;
    let client = matches.get_one::<SocketAddr>("client").copied();
    let client = client.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let asked =
        SessionToRecord { name: file, path: &path, config, macros, client, script: &script };
    let refused = |why| Refusal::Said(format!("eximious: {why}").into());
    let RecordedTest { test, notes } =
        record(asked, &engine, &super::machine()).map_err(refused)?;
    notes.iter().for_each(|note| say(&format!("eximious: {note}")));
    test.to_toml().map_err(refused)
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
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    match found.is_empty() {
        true => Err(format!("there is no file *{SUFFIX}; help test says what is in one")),
        false => Ok(found),
    }
}

/// A test file, with those of its tests that are wanted.
fn suite(path: &str, matches: &ArgMatches, machine: &TestMachine) -> Result<Suite, String> {
    let mut suite = Suite::read(path, machine)?;
    if let Some(filter) = matches.get_one::<String>("filter") {
        suite.tests.retain(|test| test.name.contains(filter));
    }
    Ok(suite)
}

/// Names the tests.
fn listed(paths: &[String], matches: &ArgMatches, machine: &TestMachine) -> Done {
    let (mut text, mut files, mut count, mut code) = (String::new(), Vec::new(), 0, SUCCESS);
    for path in paths {
        match suite(path, matches, machine) {
            Ok(suite) => {
                let names = suite.tests.iter().map(|test| &test.name);
                names.clone().for_each(|name| text += &format!("{path}: {name}\n"));
                count += names.len();
                let tests: Vec<_> = names.map(|name| json!({ "name": name })).collect();
                files.push(json!({ "name": path, "tests": tests }));
            }
            Err(why) => {
                text += &format!("FAIL {why}\n");
                files.push(json!({ "name": path, "error": why }));
                code = FAILURE;
            }
        }
    }
    if matches.get_flag("json") {
        text = format!("{:#}\n", json!({ "version": 1, "files": files }));
    }
    super::written(text.as_bytes())?;
    Ok(if count == 0 && code == SUCCESS { nothing_fits(matches) } else { code })
}

/// Says that no test is wanted: nothing was tried, so nothing is known to be right.
fn nothing_fits(matches: &ArgMatches) -> ExitCode {
    let filter = matches.get_one::<String>("filter").map_or("", String::as_str);
    say(&format!("eximious: no test has \"{filter}\" in its name"));
    FAILURE
}

fn round(paths: &[String], matches: &ArgMatches, machine: &TestMachine) -> Round {
    let counts = matches.get_flag("coverage")
        || matches.get_one::<String>("lcov").is_some()
        || matches.get_one::<String>("html").is_some();
    let mut round = Round { files: Vec::new(), coverage: Vec::new() };
    for path in paths {
        let suite = match suite(path, matches, machine) {
            Ok(suite) => suite,
            Err(why) => {
                round.files.push(FileResult { name: path.clone(), results: Err(why) });
                continue;
            }
        };
        let config = suite.loaded().config();
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

/// Says what came of them, and writes what was asked for. A file `-` is the standard output,
/// which has nothing else then.
fn told(round: &Round, matches: &ArgMatches) -> Done {
    let counts = round.files.iter().map(FileResult::counts);
    let (passed, failed) = counts.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let reports: Vec<_> = round
        .coverage
        .iter()
        .map(|(universe, coverage)| CoverageReport::new(universe, coverage))
        .collect();
    let mut out = String::new();
    if matches.get_flag("json") {
        let mut report = json_report(&round.files);
        if matches.get_flag("coverage") {
            report["coverage"] = reports.iter().map(CoverageReport::json).collect();
        }
        out = format!("{report:#}\n");
    } else {
        round.files.iter().for_each(|file| out += &file.text());
        out += &match failed {
            0 => format!("{passed} passed\n"),
            _ => format!("{passed} passed, {failed} failed\n"),
        };
        if matches.get_flag("coverage") {
            reports.iter().for_each(|report| out += &format!("\n{}", report.text()));
        }
    }
    let file = |name: &str| matches.get_one::<String>(name);
    if let Some(file) = file("junit") {
        super::put(file, &junit(&round.files).map_err(Refusal::of_command)?)?;
    }
    if let Some(file) = file("lcov") {
        super::put(file, &reports.iter().map(CoverageReport::lcov).collect::<String>())?;
    }
    if let Some(file) = file("html") {
        super::put(file, &CoverageReport::html("coverage", &reports))?;
    }
    match WRITTEN.iter().any(|name| file(name).is_some_and(|file| file == "-")) {
        true => say(out.trim_end()),
        false => super::written(out.as_bytes())?,
    }
    Ok(match (passed, failed) {
        (0, 0) => nothing_fits(matches),
        (_, 0) => SUCCESS,
        _ => FAILURE,
    })
}

/// Waits until a file is another one than it was, or there are other test files: those.
fn changed(watched: &WatchedFiles, known: &[String], named: &[String]) -> Vec<String> {
    let mut are_missed = 0;
    loop {
        thread::sleep(PAUSE);
        match paths(named) {
            Ok(now) if now == known && watched.are_same() => are_missed = 0,
            Ok(_) => {
                // Who saves by renaming needs a moment.
                thread::sleep(PAUSE);
                if let Ok(now) = paths(named) {
                    return now;
                }
            }
            Err(why) => {
                are_missed += 1;
                if are_missed == PATIENCE {
                    say(&format!("eximious: {why}"));
                }
            }
        }
    }
}
