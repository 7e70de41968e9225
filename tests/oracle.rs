//! The same lines to a real Exim and to eximious: the answers agree, but for
//! the differences that are listed with their reasons.

use eximious_tests::differences::Differences;
use eximious_tests::fixtures::Fixtures;
use eximious_tests::generate::Generator;
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::suite::Suite;
use eximious_tests::{root, show};

/// How many lines are asked again, each of a process of its own; with more,
/// something is wrong that shows without.
const MOST_DOUBTS: usize = 600;
/// How many lines a run generates, unless `EXIMIOUS_LINES` says otherwise.
const GENERATED: usize = 24_000;

fn report(wrong: &[String], total: usize, what: &str) {
    let shown = wrong.iter().take(usize::MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {total} {what} differ:\n{shown}", wrong.len());
}

fn compare(line: &[u8], theirs: &Answer, ours: &[u8]) -> Option<String> {
    match theirs {
        // Where Exim dies there is nothing to agree with.
        Answer::Crashed => None,
        Answer::Said(theirs) if theirs == ours => None,
        Answer::Said(theirs) => Some(format!(
            "{}\n    exim     {}\n    eximious {}",
            show(line),
            show(theirs),
            show(ours)
        )),
    }
}

#[test]
fn suites_agree() {
    let Some(reference) = Reference::find() else { return };
    let fixtures = Fixtures::new();
    let differences = Differences::read();
    let (mut wrong, mut total) = (Vec::new(), 0);
    for suite in Suite::all().into_iter().filter(|suite| suite.oracle) {
        let message =
            suite.message.as_ref().map(|name| root().join("tests/data/messages").join(name));
        let lines: Vec<Vec<u8>> = suite.cases.iter().map(|c| fixtures.fill(&c.input)).collect();
        let theirs = reference.ask(&lines, message.as_deref());
        let mut ours = match &message {
            Some(file) => Ours::with_message(file),
            None => Ours::new(),
        };
        for (line, theirs) in lines.iter().zip(&theirs) {
            total += 1;
            let ours = ours.answer(line);
            if differences.excuse(&fixtures.hide(line)).is_none() {
                wrong.extend(compare(line, theirs, &ours));
            }
        }
    }
    println!("{total} lines of suites asked of Exim {}", reference.version());
    report(&wrong, total, "lines");
}

#[test]
fn generated_lines_agree() {
    let Some(reference) = Reference::find() else { return };
    let fixtures = Fixtures::new();
    let differences = Differences::read();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = number("EXIMIOUS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let count = number("EXIMIOUS_LINES").map_or(GENERATED, |n| n as usize);
    println!("EXIMIOUS_SEED={seed}");
    let mut generator = Generator::new(seed, fixtures.path());
    let lines: Vec<Vec<u8>> = (0..count).map(|_| generator.line()).collect();
    let theirs = reference.ask(&lines, None);
    let (mut wrong, mut excused, mut crashed, mut failed) = (Vec::new(), 0, 0, 0);
    let mut ours = Ours::new();
    let (mut doubtful, mut doubts) = (Vec::new(), Vec::new());
    for (line, theirs) in lines.iter().zip(&theirs) {
        let ours = ours.answer_afresh(line);
        crashed += usize::from(*theirs == Answer::Crashed);
        failed += usize::from(ours.starts_with(b"Failed: "));
        if compare(line, theirs, &ours).is_none() {
            continue;
        }
        if differences.excuse(&fixtures.hide(line)).is_some() {
            excused += 1;
        } else {
            doubtful.push((line, ours));
            doubts.push(theirs.clone());
        }
    }
    // What Exim leaves behind from line to line can't be told from here: a
    // process of its own decides.
    let many = doubtful.len() > MOST_DOUBTS;
    for (index, (line, ours)) in doubtful.into_iter().enumerate() {
        let theirs = if many {
            doubts[index].clone()
        } else {
            reference.ask(std::slice::from_ref(line), None).remove(0)
        };
        wrong.extend(compare(line, &theirs, &ours));
    }
    println!(
        "{count} generated lines asked of Exim {}: {failed} fail, {excused} are known \
         differences, {crashed} kill it",
        reference.version()
    );
    // Each run meets lines that nobody has seen; what is left unexplained is
    // shown, and a few of a thousand do not stop a change that has nothing to do
    // with them.
    let report = wrong.join("\n");
    println!("{} unexplained:\n{report}", wrong.len());
    assert!(
        wrong.len() * 1000 <= count,
        "{} of {count} generated lines differ (EXIMIOUS_SEED={seed}):\n{report}",
        wrong.len()
    );
}

#[test]
fn known_differences_still_differ() {
    let Some(reference) = Reference::find() else { return };
    let fixtures = Fixtures::new();
    let differences = Differences::read();
    let mut stale = Vec::new();
    for difference in &differences.0 {
        let line = fixtures.fill(&difference.line);
        let theirs = reference.ask(std::slice::from_ref(&line), None);
        let ours = Ours::new().answer(&line);
        if theirs == [Answer::Said(ours)] {
            stale.push(show(&difference.line));
        }
    }
    assert!(stale.is_empty(), "no longer different:\n{}", stale.join("\n"));
}
