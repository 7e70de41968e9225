//! Known differences between eximious and the packaged Exim, with reasons.
//!
//! An entry in `tests/known-differences.txt`:
//!
//! ```text
//! # Why it differs.
//! > a line that shows it
//! excuses: regular expression over lines of the same sort
//! exim: regular expression over Exim's answer to them
//! ours: regular expression over eximious's answer to them
//! ```
//!
//! A line must still differ, or the test fails: the entry is stale. `excuses`
//! may be missing; then only the line itself is excused. Where `exim` or `ours`
//! is given, another line is excused only with answers of that sort; they match
//! the whole answer.

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
    /// What Exim has to answer to them.
    pub exim: Option<Regex>,
    /// What eximious has to answer to them.
    pub ours: Option<Regex>,
}

impl Difference {
    fn covers(&self, line: &[u8], theirs: &[u8], ours: &[u8]) -> bool {
        let fits = |regex: &Option<Regex>, answer: &[u8]| {
            regex.as_ref().is_none_or(|regex| regex.is_match(answer))
        };
        self.line == line
            || self.excuses.as_ref().is_some_and(|regex| regex.is_match(line))
                && fits(&self.exim, theirs)
                && fits(&self.ours, ours)
    }
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
                let line = input.as_bytes().to_vec();
                list.push(Difference { reason, line, excuses: None, exim: None, ours: None });
            } else if let Some((name @ ("excuses" | "exim" | "ours"), pattern)) =
                line.split_once(": ")
            {
                let entry = list.last_mut().expect("a line before it");
                let (place, pattern) = match name {
                    "excuses" => (&mut entry.excuses, pattern.to_owned()),
                    "exim" => (&mut entry.exim, format!("^(?:{pattern})$")),
                    _ => (&mut entry.ours, format!("^(?:{pattern})$")),
                };
                let regex = Regex::new(&format!("(?s-u){pattern}")).expect("a regular expression");
                *place = Some(regex);
            } else {
                assert!(line.is_empty() || line.starts_with("##"), "what is this: {line}");
            }
        }
        Self(list)
    }

    /// The entry after which a line may have these answers, if there is one.
    pub fn excuse(&self, line: &[u8], theirs: &[u8], ours: &[u8]) -> Option<&Difference> {
        self.0.iter().find(|d| d.covers(line, theirs, ours))
    }
}
