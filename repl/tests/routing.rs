//! What `-bt`, `-bv` and `-bvs` say of addresses: the cases of `tests/routing`,
//! whose answers are recorded from a real Exim. It is asked again where it is
//! installed.
//!
//! `ROUTING=name` (or several, with commas between them) takes these cases
//! alone, `EXIMIOUS_RECORD=1` records what the real Exim says.
// Tests start programs, read files and look at the clock.
#![allow(clippy::disallowed_methods)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use eximious_tests::routing::{Answer, Case};
use eximious_tests::{names, network, root, routing, servers};

#[test]
fn exim_says_what_is_recorded() {
    if common::reference().is_some() && servers::program("nsd").is_some() {
        network::run("inside", "exim");
    }
}

#[test]
#[ignore = "-bt is not there yet"]
fn eximious_says_what_is_recorded() {
    if servers::program("nsd").is_some() {
        network::run("inside", "eximious");
    }
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the others start it"]
fn inside() {
    let Some(purpose) = network::purpose() else { return };
    let directory = tempfile::TempDir::new().expect("a directory");
    let hosts = root().join("tests/routing/hosts");
    let hosts = std::fs::read_to_string(hosts).expect("the table of hosts");
    let resolver =
        "nameserver 127.0.0.1\nsearch home.test\noptions trust-ad timeout:1 attempts:1\n";
    network::set_up(directory.path(), &[("/etc/resolv.conf", resolver), ("/etc/hosts", &hosts)]);
    // An address of this host that is not one of the loopback's.
    network::ip(&["addr", "add", "192.0.2.99/32", "dev", "lo"]);
    let Some((_server, real)) = names::real(&root().join("tests/routing/zones")) else { return };
    names::play(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)), real);
    let names = std::env::var("ROUTING").ok();
    let cases = routing::read(names.as_deref());
    assert!(!cases.is_empty(), "no such case: {names:?}");
    let record = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let wrong = match purpose.as_str() {
        "exim" => {
            let program = common::reference().expect("a real Exim");
            agree(Path::new(&program), &cases, record)
        }
        _ => agree(Path::new(env!("CARGO_BIN_EXE_eximious")), &cases, false),
    };
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Asks all questions, and gives those whose answers are not the recorded ones.
fn agree(program: &Path, cases: &[Case], record: bool) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let asks = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let place = case.set_up();
            let answers: Vec<Answer> =
                case.questions.iter().map(|question| question.ask(program, &place)).collect();
            if record {
                case.record(&answers);
                continue;
            }
            for (question, answer) in case.questions.iter().zip(&answers) {
                if let Some(difference) = question.answer.difference(answer) {
                    let line = question.line;
                    let text =
                        format!("{}.case:{line}: {}\n{difference}", case.name, question.text);
                    wrong.lock().expect("no other thread failed").push((
                        case.name.clone(),
                        line,
                        text,
                    ));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) * 2 {
            scope.spawn(asks);
        }
    });
    let mut wrong = wrong.into_inner().expect("no thread failed");
    wrong.sort();
    wrong.into_iter().map(|(_, _, text)| text).collect()
}
