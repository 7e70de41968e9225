//! Sieve filters: eximious, what is recorded, and a real Exim say the same.

use std::time::{Duration, Instant};

use eximious::Engine;
use eximious::filter::FilterEnd;
use eximious::filter::sieve::{SieveOptions, run};
use eximious::stdlib::message::parse;
use eximious_tests::reference::Reference;
use eximious_tests::sieve::Oracle;
use eximious_tests::{pigeonhole, show, sieve};

#[test]
fn scripts_come_out_as_recorded() {
    let cases = sieve::all();
    assert!(cases.len() > 600, "only {} scripts", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (said, done) = sieve::ours(case);
        if said != case.answer {
            wrong.push(format!("{}: {}", case.place, show(&said)));
        }
        let actions = sieve::actions(&done);
        if (!case.actions.is_empty() || case.answer.is_empty()) && actions != case.actions {
            wrong.push(format!("{}: does {}", case.place, show(&actions)));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn exim_says_what_is_recorded() {
    let Some(reference) = Reference::find() else { return };
    let known = |case: &sieve::Case| case.setting.oracle != Oracle::No;
    let cases: Vec<_> = sieve::all().into_iter().filter(known).collect();
    let share = cases.len().div_ceil(4);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = cases
            .chunks(share)
            .map(|cases| {
                let program = reference.program();
                scope.spawn(move || {
                    let folder = tempfile::tempdir().expect("a directory");
                    let surprises = |case: &&sieve::Case| {
                        let said = sieve::exim(program, case, folder.path());
                        let same = said.as_ref() == Some(&case.answer);
                        same != (case.setting.oracle == Oracle::Same)
                    };
                    cases.iter().filter(surprises).map(|case| case.place.clone()).collect()
                })
            })
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join().expect("a thread ends"));
        ended.collect::<Vec<Vec<String>>>().concat()
    });
    assert!(wrong.is_empty(), "Exim does not say what it should: {}", wrong.join(", "));
}

#[test]
fn pigeonhole_does_the_same() {
    let Some(program) = pigeonhole::Pigeonhole::find() else { return };
    let shared = |case: &sieve::Case| case.place.starts_with("pigeonhole.txt:");
    let cases: Vec<_> = sieve::all().into_iter().filter(shared).collect();
    assert!(cases.len() >= 40, "only {} scripts", cases.len());
    let folder = tempfile::tempdir().expect("a directory");
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), everybody).expect("permissions");
    let mut wrong = Vec::new();
    for case in &cases {
        let ours = pigeonhole::ours(&sieve::ours(case).1);
        let theirs = program.ask(case, folder.path());
        if ours != theirs {
            wrong.push(format!("{}: {ours:?} {theirs:?}", case.place));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// How a script ends, with a message.
fn ends(script: &str, message: &[u8]) -> FilterEnd {
    let mut cx = Engine::builder().build().context();
    cx.set_message(Some(parse(message)));
    cx.set_clean("sender_address", "a@b.example");
    let options = SieveOptions { test: true, work: 1 << 23, ..SieveOptions::default() };
    let began = Instant::now();
    let end = run(&mut cx, script.as_bytes(), &options).end;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    end
}

#[test]
fn hostile_scripts_end() {
    let wrong = |what: &str| FilterEnd::Error(what.as_bytes().to_vec());
    let long = format!("X: {}\n\n", "a".repeat(60_000));
    let lines = "x:\n".repeat(20_000) + "\n";
    for (script, message, expected) in [
        ("if not ".to_owned() + &"not ".repeat(200_000), "", wrong("nesting too deep in line 1")),
        ("if true {".repeat(100_000), "", wrong("nesting too deep in line 1")),
        ("if ".to_owned() + &"anyof (".repeat(100_000), "", wrong("nesting too deep in line 1")),
        ("redirect \"a@b\";".repeat(10_001), "", wrong("too many actions in line 1")),
        ("if true {}".repeat(10_001), "", wrong("too many tests in line 1")),
        (" ".repeat(2 << 20), "", wrong("script too long in line 1")),
        (
            format!("if header :matches \"x\" \"*{}b\" {{}}", "a".repeat(20_000)),
            &long,
            wrong("too much work in line 1"),
        ),
        (
            format!("if header [{}] \"q\" {{}}", ["\"x\""; 100_000].join(",")),
            &lines,
            wrong("too much work"),
        ),
        (
            format!("if header \"x\" [{}] {{}}", ["\"x\""; 200_000].join(",")),
            &long,
            wrong("too much work in line 1"),
        ),
    ] {
        assert_eq!(ends(&script, message.as_bytes()), expected, "{}", &script[..60]);
    }
}

#[test]
fn hostile_bodies_are_looked_at_once() {
    let script = "require \"body\"; if body :content \"\" :contains \"zz\" {}";
    let mut nested = String::from("Content-Type: message/rfc822\n\n").repeat(50_000);
    assert_eq!(ends(script, nested.as_bytes()), FilterEnd::Finished);
    nested = "Content-Type: multipart/mixed; boundary=a\n\n--a\n".repeat(50_000);
    assert_eq!(ends(script, nested.as_bytes()), FilterEnd::Finished);
    let many =
        String::from("Content-Type: multipart/mixed; boundary=a\n\n") + &"--a\n".repeat(200_000);
    assert_eq!(ends(script, many.as_bytes()), FilterEnd::Finished);
}
