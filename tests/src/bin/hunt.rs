//! Hunts for faults beside a real Exim: `cargo xtask hunt KIND --seed N [--count N]`
//! starts it.

use std::path::PathBuf;
use std::process::ExitCode;

use eximious_tests::hunt::{Find, Kind, Programs, hunt};
use eximious_tests::network;
use eximious_tests::reference::Reference;

/// Where the program is that is hunted in.
const PROGRAM: &str = "EXIMIOUS_PROGRAM";

/// How many questions are asked where nobody says it.
const COUNT: u64 = 100;

/// What is wanted.
struct Wanted {
    kind: Kind,
    seed: u64,
    count: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(wanted) = read(&arguments) else {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: cargo xtask hunt KIND --seed N [--count N]");
        eprintln!("KIND is one of: {}", kinds.join(", "));
        return ExitCode::from(2);
    };
    if network::purpose().is_some() {
        return inside(&wanted);
    }
    let Some(mut again) = network::inside("hunt") else {
        eprintln!("a network of its own, which the programs are asked in, is not permitted here");
        return ExitCode::from(2);
    };
    match again.args(arguments).status().ok().and_then(|status| status.code()) {
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
        None => ExitCode::from(2),
    }
}

fn read(arguments: &[String]) -> Option<Wanted> {
    let (kind, mut rest) = arguments.split_first()?;
    let mut wanted = Wanted { kind: Kind::named(kind)?, seed: 1, count: COUNT };
    while let [name, value, more @ ..] = rest {
        let number = value.parse().ok()?;
        match name.as_str() {
            "--seed" => wanted.seed = number,
            "--count" => wanted.count = number,
            _ => return None,
        }
        rest = more;
    }
    rest.is_empty().then_some(wanted)
}

/// The hunt itself, in a network of its own.
fn inside(wanted: &Wanted) -> ExitCode {
    let Some(exim) = Reference::find() else { return ExitCode::from(2) };
    let Some(eximious) = std::env::var_os(PROGRAM).map(PathBuf::from) else {
        eprintln!("{PROGRAM} does not say where eximious is");
        return ExitCode::from(2);
    };
    let Some(_server) = wanted.kind.set_up() else {
        eprintln!("no name server is installed (nsd)");
        return ExitCode::from(2);
    };
    let programs = Programs { exim: exim.program(), eximious: &eximious };
    let tell = |find: &Find| println!("## seed {}\n{}", find.seed, find.text);
    let seeds = wanted.seed..wanted.seed.saturating_add(wanted.count);
    let finds = hunt(wanted.kind, seeds, &programs, tell);
    println!("{} of {} questions differ", finds.len(), wanted.count);
    if finds.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
