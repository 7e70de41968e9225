//! What `-bf` and `-bF` say of filters: the cases of `tests/filters`, whose answers
//! are recorded from a real Exim. It is asked again where it is installed.
//!
//! `EXIMIOUS_RECORD=1` records what the real Exim says.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common;
use eximious_tests::filters::Filters;

#[test]
fn exim_says_what_is_recorded() {
    let Some(program) = common::reference() else { return };
    check(Path::new(&program), std::env::var_os("EXIMIOUS_RECORD").is_some());
}

#[test]
fn eximious_says_what_is_recorded() {
    check(Path::new(env!("CARGO_BIN_EXE_eximious")), false);
}

/// Asks a program all cases.
fn check(program: &Path, record: bool) {
    let files = Filters::all();
    let cases: Vec<_> =
        files.iter().flat_map(|file| file.cases.iter().map(move |c| (file, c))).collect();
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![String::new(); cases.len()]);
    let ask = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, case)) = cases.get(number) else { return };
            let answer = case.ask(program);
            answers.lock().expect("no other thread failed")[number] = answer;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(ask);
        }
    });
    let answers = answers.into_inner().expect("no thread failed");
    if record {
        let mut rest = answers.as_slice();
        for file in &files {
            let (own, others) = rest.split_at(file.cases.len());
            file.record(own);
            rest = others;
        }
        return;
    }
    let wrong: Vec<String> = cases
        .iter()
        .zip(&answers)
        .filter(|((_, case), answer)| case.answer != **answer)
        .map(|((file, case), answer)| {
            let name = file.name();
            format!("{name}:{}\nrecorded:\n{}said:\n{answer}", case.line, case.answer)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} filters", cases.len());
}
