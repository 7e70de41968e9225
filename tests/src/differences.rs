//! Known differences between eximious and the packaged Exim, with reasons.
//!
//! An entry in `tests/known-differences.txt`:
//!
//! ```text
//! # Why it differs.
//! > a line that shows it
//! excuses: regular expression over lines of the same sort
//! ```
//!
//! A line must still differ, or the test fails: the entry is stale. `excuses`
//! may be missing; then only the line itself is excused.

use regex::bytes::Regex;

/// A known difference.
#[derive(Debug)]
pub struct Difference {
    /// Why it differs.
    pub reason: String,
    /// A line that shows it.
    pub line: Vec<u8>,
    /// What other lines are excused by it.
    pub excuses: Option<Regex>,
}

/// The list.
#[derive(Debug)]
pub struct Differences(pub Vec<Difference>);

impl Differences {
    /// Reads it.
    pub fn read() -> Self {
        let path = crate::root().join("tests/known-differences.txt");
        let text = std::fs::read_to_string(&path).expect("the list of known differences");
        let mut list: Vec<Difference> = Vec::new();
        let mut reason = String::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                reason.push_str(comment);
                reason.push(' ');
            } else if let Some(input) = line.strip_prefix("> ") {
                assert!(!reason.is_empty(), "a difference without a reason: {input}");
                let reason = std::mem::take(&mut reason).trim().to_owned();
                list.push(Difference { reason, line: input.as_bytes().to_vec(), excuses: None });
            } else if let Some(pattern) = line.strip_prefix("excuses: ") {
                let regex = Regex::new(&format!("(?s-u){pattern}")).expect("a regular expression");
                list.last_mut().expect("a line before it").excuses = Some(regex);
            }
        }
        Self(list)
    }

    /// Why a line may differ, if it may.
    pub fn excuse(&self, line: &[u8]) -> Option<&str> {
        let matches = |d: &&Difference| {
            d.line == line || d.excuses.as_ref().is_some_and(|regex| regex.is_match(line))
        };
        self.0.iter().find(matches).map(|d| d.reason.as_str())
    }
}
