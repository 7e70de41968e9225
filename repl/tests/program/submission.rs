//! Messages that programs hand in: the cases of `tests/submission`, whose answers are
//! recorded from a real Exim, spool files and all. It is asked again where it is
//! installed. tests/src/submission.rs says how they are written and run.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common;
use eximious_tests::reference::keep_asked_again;
use eximious_tests::submission::{self, Case, Run};

#[test]
fn exim_does_what_is_recorded() {
    let Some(program) = common::reference() else { return };
    let record = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let Some(mut cases) = cases() else { return };
    if !record {
        keep_asked_again(&mut cases, |case| &case.name);
    }
    let program = Path::new(&program);
    let played = play(&cases, |run| (!run.alone).then(|| run.play(program, true)));
    if record {
        for (at, case) in cases.iter().enumerate() {
            let own = played.iter().filter(|(of, _, _)| *of == at);
            let answers: Vec<_> = own.map(|(_, run, said)| (run.line, said.clone())).collect();
            case.record(&answers);
        }
        return;
    }
    judge(&cases, played, |run| run.play(program, true));
}

#[test]
fn eximious_does_what_is_recorded() {
    let program = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let Some(cases) = cases() else { return };
    let with = |run: &Run| run.play(program, false);
    judge(&cases, play(&cases, |run| Some(with(run))), with);
}

/// Fails where something else came than what is recorded. Some cases are about seconds,
/// which a machine with other work to do lets go by between two steps: what differs is
/// asked again when nothing runs beside it.
fn judge<'c>(
    cases: &'c [Case],
    mut played: Vec<Played<'c>>,
    again: impl Fn(&'c Run) -> Vec<String>,
) {
    for (at, run, said) in &mut played {
        if run.recorded != *said {
            eprintln!("asked again: {}.case:{}", cases[*at].name, run.line);
            *said = again(run);
        }
    }
    let wrong = differing(cases, &played);
    assert!(wrong.is_empty(), "{} messages differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn cases() -> Option<Vec<Case>> {
    if let Some(why) = submission::lacking() {
        eprintln!("LEFT OUT: {why}");
        return None;
    }
    let names = std::env::var("SUBMISSIONS").ok().filter(|names| !names.is_empty());
    let cases = submission::read(names.as_deref());
    assert!(!cases.is_empty(), "no such case: {names:?}");
    Some(cases)
}

/// What came of a run of a case.
type Played<'c> = (usize, &'c Run, Vec<String>);

/// Plays all runs that somebody wants to play.
fn play<'c>(
    cases: &'c [Case],
    with: impl Fn(&'c Run) -> Option<Vec<String>> + Sync,
) -> Vec<Played<'c>> {
    let all: Vec<(usize, &Run)> = cases
        .iter()
        .enumerate()
        .flat_map(|(at, case)| case.runs().map(move |run| (at, run)))
        .collect();
    let (next, played) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((at, run)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(said) = with(run) {
                played.lock().expect("no other thread failed").push((*at, *run, said));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let mut played = played.into_inner().expect("no thread failed");
    played.sort_by_key(|(at, run, _)| (*at, run.line));
    played
}

/// Where something else came of it than what is recorded.
fn differing(cases: &[Case], played: &[Played<'_>]) -> Vec<String> {
    let wrong = played.iter().filter(|(_, run, said)| run.recorded != *said);
    wrong
        .map(|(at, run, said)| {
            let lines = |lines: &[String], mark: &str, other: &[String]| {
                let own = lines.iter().filter(|line| !other.contains(line));
                own.map(|line| format!("{mark}{line}\n")).collect::<String>()
            };
            let missing = lines(&run.recorded, "  - ", said);
            let more = lines(said, "  + ", &run.recorded);
            // Where all lines are there, they are in another order.
            let pairs = run.recorded.iter().zip(said);
            let other = pairs.filter(|_| missing.is_empty() && more.is_empty());
            let other = other.filter(|(old, new)| old != new);
            let order: String = other.map(|(old, new)| format!("  < {old}\n  > {new}\n")).collect();
            format!("{}.case:{}:\n{missing}{more}{order}", cases[*at].name, run.line)
        })
        .collect()
}
