//! What `-bt`, `-bv` and `-bvs` say of addresses: the cases of `tests/routing`,
//! whose answers are recorded from a real Exim. It is asked again where it is
//! installed.
//!
//! `ROUTING=name` (or several, with commas between them) takes these cases
//! alone, `EXIMIOUS_RECORD=1` records what the real Exim says.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common;
use eximious_tests::reference::keep_asked_again;
use eximious_tests::routing::{Answer, Case, Difference, Question};
use eximious_tests::{network, routing, servers};

#[test]
fn exim_says_what_is_recorded() {
    if common::reference().is_some() && servers::program("nsd").is_some() {
        network::run("routing::inside", "exim");
    }
}

#[test]
fn eximious_says_what_is_recorded() {
    if servers::program("nsd").is_some() {
        network::run("routing::inside", "eximious");
    }
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the others start it"]
fn inside() {
    let Some(purpose) = network::purpose() else { return };
    let Some(_server) = routing::set_up() else { return };
    let names = std::env::var("ROUTING").ok();
    let mut cases = routing::read(names.as_deref());
    assert!(!cases.is_empty(), "no such case: {names:?}");
    let wrong = match purpose.as_str() {
        "exim" => {
            let program = common::reference().expect("a real Exim");
            let record = std::env::var_os("EXIMIOUS_RECORD").is_some();
            if !record {
                keep_asked_again(&mut cases, |case| &case.name);
            }
            agree(Path::new(&program), &cases, &Asked::Exim { record })
        }
        _ => {
            let program = Path::new(env!("CARGO_BIN_EXE_eximious"));
            agree(program, &cases, &Asked::Eximious(Difference::read()))
        }
    };
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is compared with the recorded answers.
enum Asked {
    /// A real Exim; what it says may be recorded.
    Exim { record: bool },
    /// eximious, and what it is known to say otherwise.
    Eximious(Vec<Difference>),
}

/// Asks all questions, and gives those whose answers are not the recorded ones.
fn agree(program: &Path, cases: &[Case], asked: &Asked) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let asks = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(lacking) = case.lacks() {
                eprintln!("LEFT OUT: {} needs {}", case.name, lacking.display());
                continue;
            }
            let place = case.set_up();
            let theirs = matches!(asked, Asked::Exim { .. });
            let questions = case.questions.iter().filter(|one| one.for_exim || !theirs);
            let answers: Vec<(&Question, Answer)> =
                questions.map(|question| (question, question.ask(program, &place))).collect();
            if matches!(asked, Asked::Exim { record: true }) {
                case.record(answers.into_iter().map(|(_, answer)| answer));
                continue;
            }
            let mut differing = wrong.lock().expect("no other thread failed");
            for (question, answer) in answers {
                if let Some(what) = difference(case, question, &answer, asked) {
                    let (name, line) = (&case.name, question.line);
                    let mut text = format!("{name}.case:{line}: {}\n{what}", question.text);
                    if std::env::var_os("EXIMIOUS_RECORD").is_some() {
                        // As it would stand in the list of known differences.
                        text = format!("# \n{name} ? {}\n{}", question.text, answer.recorded());
                    }
                    differing.push((name.clone(), line, text));
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

/// What an answer has that it should not have, or the other way.
fn difference(case: &Case, question: &Question, answer: &Answer, asked: &Asked) -> Option<String> {
    let recorded = question.answer.difference(answer);
    let Asked::Eximious(known) = asked else { return recorded };
    let Some(known) = known.iter().find(|one| one.is_of(case, question)) else { return recorded };
    match recorded {
        None => Some("    is a known difference no more\n".to_owned()),
        Some(_) => known.answer.difference(answer),
    }
}
