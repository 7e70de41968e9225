//! Whether what is left without some cargo features can be built, and stays small.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// The packages that are taken in parts, and where they are built: they have few crates in
/// common, and a check of one has little for a second processor to do.
const PACKAGES: [(&str, &str, &str); 2] =
    [("eximious", "Cargo.toml", ""), ("eximious-world", "world/Cargo.toml", "parts")];
/// How many crates the language alone may take, those of this house included.
const MOST_CRATES: usize = 40;
/// These need what is not on every machine to be built, or are built with all others.
const FOREIGN: [&str; 4] = ["default", "oracle", "tls", "vendored"];

/// Checks each package without features and with each of them alone, and counts crates.
pub fn check(root: &Path) -> ExitCode {
    match (builds(root), crates(root)) {
        (true, Some(count)) if count <= MOST_CRATES => ExitCode::SUCCESS,
        (_, Some(count)) if count > MOST_CRATES => {
            eprintln!("the language alone takes {count} crates, more than {MOST_CRATES}");
            ExitCode::FAILURE
        }
        _ => ExitCode::FAILURE,
    }
}

fn builds(root: &Path) -> bool {
    let target = crate::target(root);
    std::thread::scope(|scope| {
        let checks = PACKAGES.map(|(package, manifest, folder)| {
            let target = target.join(folder);
            scope.spawn(move || builds_in_parts(root, package, manifest, &target))
        });
        // All of them, whatever came of the first.
        checks.map(|check| check.join().unwrap_or(false)).iter().all(|sound| *sound)
    })
}

fn builds_in_parts(root: &Path, package: &str, manifest: &str, target: &Path) -> bool {
    let text = std::fs::read_to_string(root.join(manifest)).unwrap_or_default();
    let alone = features(&text).into_iter().filter(|name| !FOREIGN.contains(name));
    let mut sound = true;
    for feature in std::iter::once("").chain(alone) {
        let mut command = crate::cargo(root);
        command.env("CARGO_TARGET_DIR", target);
        command.args(["check", "--quiet", "-p", package, "--no-default-features"]);
        command.args(["--features", feature]);
        let passed = command.status().is_ok_and(|status| status.success());
        if !passed {
            eprintln!("{package} does not build with the features [{feature}] alone");
        }
        sound &= passed;
    }
    sound
}

/// The names under `[features]`.
fn features(manifest: &str) -> Vec<&str> {
    let section = manifest.split("[features]\n").nth(1).unwrap_or_default();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect()
}

fn crates(root: &Path) -> Option<usize> {
    let tree = ["tree", "-e", "normal", "-p", "eximious", "--no-default-features", "--prefix"];
    let output = crate::cargo(root).args(tree).arg("none").output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let names = text.lines().filter_map(|line| line.split(" (").next());
    Some(names.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>().len())
}
