//! The same lines to a real Exim and to eximious: the answers agree, but for
//! the differences that are listed with their reasons.

use std::collections::BTreeMap;

use eximious_tests::differences::Differences;
use eximious_tests::fixtures::Fixtures;
use eximious_tests::generate::Generator;
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::suite::Suite;
use eximious_tests::{dice, root, show};

/// How many lines are asked again, each of a process of its own; with more,
/// something is wrong that shows without.
const MOST_DOUBTS: usize = 2000;
/// How many lines a run generates, unless `EXIMIOUS_LINES` says otherwise.
const GENERATED: usize = 24_000;

fn report(wrong: &[String], total: usize, what: &str) {
    let shown = wrong.iter().take(usize::MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {total} {what} differ:\n{shown}", wrong.len());
}

/// The two answers, where they differ. Where Exim dies there is nothing to agree
/// with.
fn difference<'a>(theirs: &'a Answer, ours: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    match theirs {
        Answer::Said(theirs) if theirs != ours => Some((theirs, ours)),
        _ => None,
    }
}

fn shown(line: &[u8], (theirs, ours): (&[u8], &[u8])) -> String {
    format!("{}\n    exim     {}\n    eximious {}", show(line), show(theirs), show(ours))
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
            if let Some((theirs, ours)) = difference(theirs, &ours)
                && differences.excuse(&fixtures.hide(line), theirs, ours).is_none()
            {
                wrong.push(shown(line, (theirs, ours)));
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
    let seed = dice::seed();
    let lines = std::env::var("EXIMIOUS_LINES").ok().and_then(|text| text.parse().ok());
    let count = lines.unwrap_or(GENERATED);
    let mut generator = Generator::new(seed, fixtures.path());
    let lines: Vec<Vec<u8>> = (0..count).map(|_| generator.line()).collect();
    let (theirs, beginnings) = reference.converse(&lines, None);
    let (mut wrong, mut crashed, mut failed, mut left_behind) = (Vec::new(), 0, 0, Vec::new());
    let mut excused: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut ours = Ours::new();
    let mut doubtful = Vec::new();
    for (index, (line, theirs)) in lines.iter().zip(theirs).enumerate() {
        if beginnings.contains(&index) {
            ours.begin();
        }
        let ours = ours.answer(line);
        crashed += usize::from(theirs == Answer::Crashed);
        failed += usize::from(ours.starts_with(b"Failed: "));
        if let Some(answers) = difference(&theirs, &ours) {
            doubtful.push((line, shown(line, answers)));
        }
    }
    assert!(doubtful.len() <= MOST_DOUBTS, "{} lines differ", doubtful.len());
    // A line that differs is asked again in a conversation of its own. If it
    // agrees there, what differs was left behind by a line before it.
    for (line, before) in doubtful {
        ours.begin();
        let (theirs, ours) = (reference.ask(std::slice::from_ref(line), None), ours.answer(line));
        let Some((theirs, ours)) = difference(&theirs[0], &ours) else {
            left_behind.push(before);
            continue;
        };
        match differences.excuse(&fixtures.hide(line), theirs, ours) {
            Some(entry) => {
                excused.entry(&entry.reason).or_default().push(shown(line, (theirs, ours)));
            }
            None => wrong.push(shown(line, (theirs, ours))),
        }
    }
    println!(
        "{count} generated lines asked of Exim {}: {failed} fail, {crashed} kill it, {} are known \
         differences",
        reference.version(),
        excused.values().map(Vec::len).sum::<usize>()
    );
    for (reason, lines) in excused {
        println!("excused {}: {reason}\n{}", lines.len(), lines.join("\n"));
    }
    println!("{} left behind:\n{}", left_behind.len(), left_behind.join("\n"));
    // Each run meets lines that nobody has seen; what is left unexplained is
    // shown, and one of five thousand does not stop a change that has nothing to
    // do with it. Nor does what is left behind: most of it is memory that Exim
    // has given back.
    let report = wrong.join("\n");
    println!("{} unexplained:\n{report}", wrong.len());
    assert!(
        wrong.len() * 5000 <= count && left_behind.len() * 200 <= count,
        "{} of {count} generated lines differ, {} by what was left behind \
         (EXIMIOUS_SEED={seed}):\n{report}",
        wrong.len(),
        left_behind.len()
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
        // What comes from outside comes from this message.
        let outside = line.windows(3).any(|part| part == b"$h_");
        let message = outside.then(|| root().join("tests/data/messages/items"));
        let theirs = reference.ask(std::slice::from_ref(&line), message.as_deref());
        let mut ours = message.map_or_else(Ours::new, |message| Ours::with_message(&message));
        let ours = ours.answer(&line);
        if theirs == [Answer::Said(ours)] {
            stale.push(show(&difference.line));
        }
    }
    assert!(stale.is_empty(), "no longer different:\n{}", stale.join("\n"));
}
