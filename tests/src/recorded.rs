//! Files of questions with recorded answers, which Exim is asked again where the
//! system lets us.

use std::fmt::Write;
use std::path::Path;

use eximious::World;

use crate::reference::Reference;

/// Questions that one configuration answers.
pub trait Group {
    /// The words at the head of a line that asks.
    const ASKS: &[&str];

    /// What Exim answers.
    fn exim(&self, reference: &Reference, directory: &Path) -> Vec<String>;
    /// What we answer.
    fn ours(&self, world: World, directory: &Path) -> Vec<String>;
    /// What the file says.
    fn recorded(&self) -> Vec<String>;
    /// Notes what differs between two lists of answers.
    fn compare(&self, wanted: &[String], said: &[String], wrong: &mut Vec<String>);
    /// The lines of an answer, as the file has them.
    fn answer_lines(answer: &str) -> Vec<&str>;
}

/// Holds Exim's answers against ours and against those of the file. With
/// `EXIMIOUS_RECORD` set, they are written to the file instead.
pub fn hold<G: Group>(groups: &[G], file: &Path, reference: &Reference, directory: &Path) {
    let records = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    for group in groups {
        let theirs = group.exim(reference, directory);
        let ours = group.ours(eximious_world::system(), directory);
        group.compare(&theirs, &ours, &mut wrong);
        if !records {
            group.compare(&theirs, &group.recorded(), &mut wrong);
        }
        answers.extend(theirs);
    }
    if records {
        record::<G>(file, &answers);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Puts the answers into the file, below the lines that they belong to.
fn record<G: Group>(file: &Path, answers: &[String]) {
    let text = std::fs::read_to_string(file).expect("the answers");
    let mut answers = answers.iter();
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with('<')) {
        writeln!(out, "{line}").expect("text");
        if G::ASKS.iter().any(|word| line.starts_with(word)) {
            for line in G::answer_lines(answers.next().expect("an answer")) {
                writeln!(out, "< {line}").expect("text");
            }
        }
    }
    std::fs::write(file, out).expect("the answers are written");
}
