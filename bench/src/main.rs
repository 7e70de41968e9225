//! eximious against a real Exim, in one run: each figure is a ratio.
//!
//! `cargo run --release -p eximious-bench` wants the program built beside it
//! (`cargo build --release`) and a real Exim; `--smoke` runs each part once,
//! `--sessions` only the part with SMTP sessions and messages, and of these `--only TEXT`
//! what has such a text in its name; `--delivery` only deliveries and the queue (of so many
//! messages as `--queue NUMBER` says); `--authentication` only DKIM and SPF, `--tls` only
//! handshakes.

mod authentication;
mod client;
mod config;
mod daemon;
mod delivery;
mod handshakes;
mod routing;
mod sessions;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eximious::{Engine, Str};

const CONDITION: &str = "${if and{{match{$sender_address}{\\N^bounce[-+]\\N}}\
    {!inlist{$sender_address_domain}{example.com:example.net:example.org:lists.example}}\
    }{yes}{no}}";

/// What `--help` shows.
const USAGE: &str = "\
Compares eximious with a real Exim, and prints ratios.

  --smoke              runs each part once
  --sessions           SMTP sessions alone
  --delivery           deliveries alone; --queue N: with so many messages that wait
  --tls                handshakes alone
  --authentication     DKIM and SPF alone
  --only TEXT          of these parts, what has TEXT in its name
";

/// The options that have a value behind them.
const VALUED: [&str; 2] = ["--only", "--queue"];

fn main() {
    let is_known = |arg: &str| USAGE.split_whitespace().any(|word| word == arg);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let arg = arg.as_str();
        if VALUED.contains(&arg) {
            args.next();
        } else if arg == "--help" || arg == "-h" {
            return print!("{USAGE}");
        } else if arg.starts_with('-') && !is_known(arg) {
            eprint!("there is no option {arg}\n\n{USAGE}");
            std::process::exit(2);
        }
    }
    let _cleaned = daemon::Cleaned;
    let smoke = std::env::args().any(|a| a == "--smoke");
    let runs = if smoke { 1 } else { 7 };
    let parts = ["--authentication", "--delivery", "--tls"];
    let is_part = std::env::args().any(|a| parts.contains(&a.as_str()));
    if !is_part {
        inside(if smoke { 1_000 } else { 2_000_000 });
    }
    let Some(exim) = find_exim() else {
        println!("no Exim to compare with (exim4-daemon-heavy)");
        return;
    };
    let Some(ours) = find_ours() else {
        println!("build the program first: cargo build --release");
        std::process::exit(1);
    };
    if std::env::args().any(|a| a == "--authentication") || authentication::is_inside() {
        return authentication::compare_both(smoke, &exim, &ours);
    }
    if std::env::args().any(|a| a == "--delivery") {
        return delivery::compare(smoke, &exim, &ours);
    }
    if std::env::args().any(|a| a == "--tls") {
        return handshakes::compare(smoke, &exim, &ours);
    }
    if std::env::args().any(|a| a == "--sessions") {
        return sessions::compare(smoke, &exim, &ours);
    }
    let mixed = Path::new(env!("CARGO_MANIFEST_DIR")).join("mixed.txt");
    let what = "100,000 mixed lines piped into -be";
    compare(what, runs, &exim, &ours, &["-be"], Some(&mixed));
    let what = format!("{what}, both into /dev/null");
    let (theirs, own) = in_turn(runs, &exim, &ours, |program| {
        let mut command = command(program, &["-be"], Some(&mixed));
        run_timed(command.stdout(Stdio::null()))
    });
    tell(&what, theirs, own);
    memory(&exim, &ours, &mixed);
    let call = ["-be", "${if match{abc}{^a(.)}{${uc:$1}}{no}}"];
    compare("one -be call with one argument", runs * 20, &exim, &ours, &call, None);
    let large = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = config::generate();
    std::fs::write(large.path(), &text).expect("the configuration is written");
    let name = large.path().to_string_lossy();
    let what = format!("-C with {} lines, -be x", text.lines().count());
    compare(&what, runs * 10, &exim, &ours, &["-C", &name, "-be", "x"], None);
    routing::compare(smoke, &exim, &ours);
    authentication::compare_both(smoke, &exim, &ours);
    handshakes::compare(smoke, &exim, &ours);
    sessions::compare(smoke, &exim, &ours);
    delivery::compare(smoke, &exim, &ours);
}

fn find_exim() -> Option<PathBuf> {
    let named = std::env::var_os("EXIMIOUS_REFERENCE").map(PathBuf::from);
    let places = ["/usr/sbin/exim4", "/usr/sbin/exim"].map(PathBuf::from);
    named.into_iter().chain(places).find(|path| path.exists())
}

/// The program beside this one.
fn find_ours() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    Some(here.with_file_name("eximious")).filter(|path| path.exists())
}

fn command(program: &Path, args: &[&str], input: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    let stdin = input
        .map_or_else(Stdio::null, |path| Stdio::from(File::open(path).expect("the file of lines")));
    // What is said goes to a file: a null device takes each line at no cost.
    let stdout = tempfile::tempfile().expect("a file for the answers");
    command.args(args).stdin(stdin).stdout(stdout).stderr(Stdio::null());
    command
}

fn run_timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    command.status().expect("the program runs");
    start.elapsed()
}

fn compare(what: &str, runs: usize, exim: &Path, ours: &Path, args: &[&str], input: Option<&Path>) {
    let (theirs, own) =
        in_turn(runs, exim, ours, |program| run_timed(&mut command(program, args, input)));
    tell(what, theirs, own);
}

/// The two in turn, so that both meet the machine as it is; medians.
fn in_turn(
    runs: usize,
    exim: &Path,
    ours: &Path,
    time: impl Fn(&Path) -> Duration,
) -> (Duration, Duration) {
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    for _ in 0..=runs {
        theirs.push(time(exim));
        own.push(time(ours));
    }
    // The first of each warms the caches.
    (median(&mut theirs[1..]), median(&mut own[1..]))
}

fn tell(what: &str, theirs: Duration, own: Duration) {
    println!(
        "{what}: exim {:.2} ms, eximious {:.2} ms, {:.1} times as fast",
        theirs.as_secs_f64() * 1e3,
        own.as_secs_f64() * 1e3,
        theirs.as_secs_f64() / own.as_secs_f64()
    );
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn memory(exim: &Path, ours: &Path, input: &Path) {
    let (theirs, own) = (peak(exim, input), peak(ours, input));
    println!(
        "peak memory of that: exim {theirs} KiB, eximious {own} KiB, {:.2} of it",
        own as f64 / theirs as f64
    );
}

/// The most memory that a run held, in KiB: the kernel keeps the high mark,
/// which is read until the process is gone.
fn peak(program: &Path, input: &Path) -> u64 {
    let mut child = command(program, &["-be"], Some(input)).spawn().expect("the program runs");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("the program ends").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = mark.and_then(|m| m.trim().split(' ').next()?.parse().ok());
        most = most.max(number.unwrap_or(0));
    }
    most
}

/// A compiled condition, evaluated again and again.
fn inside(count: u32) {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("sender_address", Str::tainted(b"bounce-1234@mail.example.edu"));
    cx.set("sender_address_domain", Str::tainted(b"mail.example.edu"));
    let rule = engine.compile(CONDITION);
    for _ in 0..1000 {
        assert_eq!(rule.expand(&mut cx).expect("the condition holds").display(), "yes");
    }
    let start = Instant::now();
    for _ in 0..count {
        std::hint::black_box(rule.expand(&mut cx)).ok();
    }
    let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(count);
    println!("a compiled condition evaluated again: {each:.0} ns");
    std::io::stdout().flush().ok();
}
