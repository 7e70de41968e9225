//! What a server says to clients: the dialogues of `tests/dialogues`, whose
//! answers are recorded from a real Exim. It is asked again where it is
//! installed. tests/src/dialogues.rs says how they are written and run.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::common;
use eximious_tests::dialogues::wire::{self, Unfit};
use eximious_tests::dialogues::{self, Case, Difference, Session};
use eximious_tests::reference::keep_asked_again;
use eximious_tests::{network, servers};

#[test]
fn exim_says_what_is_recorded() {
    if common::reference().is_some() && servers::program("nsd").is_some() {
        network::run("dialogues::inside", "exim");
    }
}

#[test]
fn eximious_says_what_is_recorded() {
    if servers::program("nsd").is_some() {
        network::run("dialogues::inside", "eximious");
    }
}

/// What a daemon says to clients is the same, but for what is listed.
#[test]
fn eximious_says_the_same_over_tcp() {
    if servers::program("nsd").is_some() {
        network::run("dialogues::inside", "tcp");
    }
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the others start it"]
fn inside() {
    let Some(purpose) = network::purpose() else { return };
    let Some(_server) = dialogues::set_up() else { return };
    let names = std::env::var("DIALOGUES").ok().filter(|names| !names.is_empty());
    let mut cases = dialogues::read("dialogues", names.as_deref());
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
        "tcp" => over_tcp(Path::new(env!("CARGO_BIN_EXE_eximious")), &cases),
        _ => {
            let program = Path::new(env!("CARGO_BIN_EXE_eximious"));
            let record = std::env::var_os("EXIMIOUS_RECORD").is_some();
            agree(
                program,
                &cases,
                &Asked::Eximious { record, known: Difference::read("dialogues") },
            )
        }
    };
    assert!(wrong.is_empty(), "{} sessions differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is compared with the recorded dialogues.
pub enum Asked {
    /// A real Exim; what it says may be recorded.
    Exim { record: bool },
    /// eximious, and what it is known to say otherwise; what it says where it is
    /// asked alone may be recorded.
    Eximious { record: bool, known: Vec<Difference> },
}

/// Plays all sessions, and gives those that are not as they are recorded.
pub fn agree(program: &Path, cases: &[Case], asked: &Asked) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let plays = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(lacking) = case.lacks() {
                eprintln!("LEFT OUT: {} needs {}", case.name, lacking.display());
                continue;
            }
            let theirs = matches!(asked, Asked::Exim { .. });
            let play = || -> Vec<(&Session, Vec<String>)> {
                let place = case.set_up();
                let sessions = case.sessions.iter().filter(|one| one.for_exim || !theirs);
                sessions.map(|session| (session, session.play(program, &place))).collect()
            };
            let played = play();
            if matches!(asked, Asked::Exim { record: true }) {
                case.record(true, played.into_iter().map(|(_, said)| said));
                continue;
            }
            if matches!(asked, Asked::Eximious { record: true, .. }) {
                let alone = played.into_iter().filter(|(session, _)| !session.for_exim);
                case.record(false, alone.map(|(_, said)| said));
                continue;
            }
            let differing = |played: Vec<(&Session, Vec<String>)>| {
                let wrong = played.into_iter().filter_map(|(session, said)| {
                    let found = session.difference(&said);
                    let what = wrong_in(case, session, &found, asked)?;
                    let (name, line) = (&case.name, session.line);
                    let text = format!("{name}.case:{line}: {name}/{}\n{what}", session.name);
                    Some((name.clone(), line, text))
                });
                wrong.collect::<Vec<_>>()
            };
            let mut found = differing(played);
            // What is wrong is wrong again: on a busy machine, one hears the other too late.
            for _ in 0..2 {
                if !found.is_empty() {
                    found = differing(play());
                }
            }
            wrong.lock().expect("no other thread failed").extend(found);
        }
    };
    std::thread::scope(|scope| {
        // Most of the time is spent waiting for each other.
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) * 6 {
            scope.spawn(plays);
        }
    });
    let mut wrong = wrong.into_inner().expect("no thread failed");
    wrong.sort();
    wrong.into_iter().map(|(_, _, text)| text).collect()
}

/// Plays over TCP all sessions that can be, and gives those that differ.
fn over_tcp(program: &Path, cases: &[Case]) -> Vec<String> {
    // To bind to one, the system wants an address of IPv6 to be its own.
    for own in ["2001:db8::1".to_owned(), wire::LONG.to_string()] {
        network::ip(&["addr", "add", &format!("{own}/128"), "dev", "lo", "nodad"]);
    }
    let unfit = Unfit::read();
    let known = Difference::read("dialogues").into_iter().map(Difference::of_replies);
    let known: Vec<Difference> = known.filter(|one| !one.is_nothing()).collect();
    let (next, number) = (AtomicUsize::new(0), AtomicU8::new(1));
    let (wrong, count) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let plays = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if case.lacks().is_some() {
                continue;
            }
            let place = case.set_up();
            let mut numbers = || number.fetch_add(1, Ordering::Relaxed);
            for (session, found) in case.play_over_tcp(program, &place, &unfit, &mut numbers) {
                count.fetch_add(1, Ordering::Relaxed);
                let known = known.iter().find(|one| one.is_of(case, session));
                let found = match known {
                    Some(known) => known.excuses(&found).unwrap_or_default(),
                    None => found.iter().map(|line| format!("{line}\n")).collect(),
                };
                if !found.is_empty() {
                    let (name, line) = (&case.name, session.line);
                    let head = format!("{name}.case:{line}: {name}/{}\n", session.name);
                    let text = head + &found;
                    wrong.lock().expect("no other thread failed").push((name.clone(), line, text));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) * 6 {
            scope.spawn(plays);
        }
    });
    println!("{} sessions over TCP", count.into_inner());
    let mut wrong = wrong.into_inner().expect("no thread failed");
    wrong.sort();
    let mut wrong: Vec<String> = wrong.into_iter().map(|(_, _, text)| text).collect();
    if std::env::var_os("DIALOGUES").is_none() {
        let strays = unfit.strays(cases).into_iter();
        wrong.extend(strays.map(|name| format!("no such session: {name}")));
    }
    wrong
}

/// What is wrong with the differences of a session.
fn wrong_in(case: &Case, session: &Session, found: &[String], asked: &Asked) -> Option<String> {
    if let Asked::Eximious { known, .. } = asked
        && let Some(known) = known.iter().find(|one| one.is_of(case, session))
    {
        return known.excuses(found);
    }
    let text: String = found.iter().map(|line| format!("{line}\n")).collect();
    (!text.is_empty()).then_some(text)
}
