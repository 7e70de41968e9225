//! What the tests share: suites of lines with answers, the two programs that
//! answer them, and a generator of lines.

pub mod arc;
pub mod cases;
pub mod daemons;
pub mod dialogues;
pub mod dice;
pub mod differences;
pub mod directory;
mod escapes;
pub mod filters;
pub mod firebird;
pub mod fixtures;
pub mod fuzz;
pub mod generate;
pub mod hints;
pub mod hosts;
pub mod hunt;
pub mod idents;
pub mod keys;
pub mod layouts;
pub mod ldap;
pub mod names;
pub mod network;
pub mod next_host;
pub mod next_hosts;
pub mod ours;
pub mod pigeonhole;
pub mod recorded;
pub mod reference;
pub mod routed;
pub mod routing;
mod runaway;
pub mod scanner;
pub mod servers;
pub mod sieve;
pub mod socks_proxy;
pub mod sql;
pub mod submission;
pub mod suite;
pub mod tls;

use std::io::Write;
use std::path::PathBuf;

/// The repository.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// A file of test vectors that others publish: they stand beside the checkout, or where
/// `EXIMIOUS_VECTORS` says. Where they are not there, the test says so and is left out.
pub fn vectors(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("EXIMIOUS_VECTORS").map(PathBuf::from);
    let file = named.unwrap_or_else(|| root().join("../shared/vectors")).join(name);
    if file.exists() {
        return Some(file);
    }
    let _ = writeln!(std::io::stderr(), "LEFT OUT: no vectors {name} (EXIMIOUS_VECTORS)");
    None
}

/// Whether this is the run that must not leave anything out.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Shows bytes of an answer on one line.
pub fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
