//! Whole sites (`tests/sites`): configurations as the specification's examples and many
//! postmasters write them, with their files. Addresses are tested and verified (`-bt`,
//! `-bv`), and at least three clients talk with the server (`-bh`). What the real Exim
//! says is recorded; it is asked again where it is installed.
//!
//! ```text
//! SITES=name,name       these alone
//! EXIMIOUS_RECORD=1     with the test `exim_…`: records what the real Exim says
//! cargo nextest run -p eximious-repl --all-features sites::
//! ```

use std::path::Path;

use crate::common;
use crate::dialogues::{Asked, agree};
use eximious_tests::dialogues::{self, Difference};
use eximious_tests::{network, servers};

/// How many sites there are at least.
const MANY: usize = 100;

#[test]
fn exim_says_what_is_recorded() {
    if common::reference().is_some() && servers::program("nsd").is_some() {
        network::run("sites::inside", "exim");
    }
}

#[test]
fn eximious_says_what_is_recorded() {
    if servers::program("nsd").is_some() {
        network::run("sites::inside", "eximious");
    }
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the others start it"]
fn inside() {
    let Some(purpose) = network::purpose() else { return };
    let Some(_server) = dialogues::set_up() else { return };
    let names = std::env::var("SITES").ok().filter(|names| !names.is_empty());
    let sites = dialogues::sites(names.as_deref());
    assert!(sites.len() >= MANY || names.is_some(), "only {} sites", sites.len());
    let record = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let wrong = match purpose.as_str() {
        "exim" => {
            let program = common::reference().expect("a real Exim");
            agree(Path::new(&program), &sites, &Asked::Exim { record })
        }
        _ => {
            let program = Path::new(env!("CARGO_BIN_EXE_eximious"));
            let known = Difference::read("sites");
            agree(program, &sites, &Asked::Eximious { record: false, known })
        }
    };
    assert!(wrong.is_empty(), "{} sessions differ:\n{}", wrong.len(), wrong.join("\n"));
}
