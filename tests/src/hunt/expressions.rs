//! Expansions, from the generator that a test has lines from, too.

use std::sync::LazyLock;

use fastrand::Rng;

use super::{Form, Quarry};
use crate::differences::Differences;
use crate::fixtures::Fixtures;
use crate::generate::Generator;
use crate::ours::Ours;
use crate::reference::{Answer, Reference};
use crate::show;

/// What lines are asked with: fixtures, and what is known to differ.
static OUTSIDE: LazyLock<(Fixtures, Differences)> =
    LazyLock::new(|| (Fixtures::new(), Differences::read()));

/// A line.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Expression);
    let line = Generator::new(rng.u64(..), OUTSIDE.0.path()).line();
    quarry.fixed(String::from_utf8_lossy(&line));
    quarry
}

/// The two answers to a line, where they differ and are not known to.
pub fn difference(line: &str) -> Vec<String> {
    let (fixtures, known) = &*OUTSIDE;
    let Some(reference) = Reference::find() else { return Vec::new() };
    let line = line.trim_end_matches('\n').as_bytes();
    let (theirs, ours) = (reference.ask(&[line.to_vec()], None), Ours::new().answer(line));
    match &theirs[..] {
        [Answer::Said(theirs)]
            if *theirs != ours && known.excuse(&fixtures.hide(line), theirs, &ours).is_none() =>
        {
            vec![format!("- {}", show(theirs)), format!("+ {}", show(&ours))]
        }
        _ => Vec::new(),
    }
}
