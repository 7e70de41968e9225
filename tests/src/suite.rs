//! Suites: lines with their answers, as data.
//!
//! `> ` begins a line as typed at `-be`, `< ` each line of its answer, `#` a
//! comment. `#! oracle: no` says that the packaged Exim can't be asked;
//! `#! message: NAME` that the lines are expanded with a message. `DIR` stands
//! for the directory of fixtures.

use std::path::{Path, PathBuf};

/// A file of lines.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Where it stands.
    pub path: PathBuf,
    /// Whether the packaged Exim can be asked.
    pub oracle: bool,
    /// The message for `-bem`, a file under `tests/data/messages`.
    pub message: Option<String>,
    /// The lines.
    pub cases: Vec<Case>,
}

/// A line and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The number of the line in its file.
    pub number: usize,
    /// What is typed.
    pub input: Vec<u8>,
    /// What is printed, without the last newline.
    pub output: Vec<u8>,
}

impl Suite {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let text =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut suite =
            Self { path: path.to_owned(), oracle: true, message: None, cases: Vec::new() };
        let mut fresh = false;
        for (index, line) in text.split(|c| *c == b'\n').enumerate() {
            if let Some(head) = line.strip_prefix(b"#!") {
                suite.directive(String::from_utf8_lossy(head).trim());
            } else if let Some(input) = line.strip_prefix(b"> ") {
                let case = Case { number: index + 1, input: input.to_vec(), output: Vec::new() };
                suite.cases.push(case);
                fresh = true;
            } else if let Some(rest) = line.strip_prefix(b"<")
                && let Some(case) = suite.cases.last_mut()
            {
                if !std::mem::take(&mut fresh) {
                    case.output.push(b'\n');
                }
                case.output.extend_from_slice(rest.strip_prefix(b" ").unwrap_or(rest));
            }
        }
        suite
    }

    fn directive(&mut self, text: &str) {
        match text.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("oracle", "no")) => self.oracle = false,
            Some(("message", name)) => self.message = Some(name.to_owned()),
            _ => panic!("{}: unknown directive {text:?}", self.path.display()),
        }
    }

    /// All suites.
    pub fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(crate::root().join("tests/suites"))
            .expect("the folder of suites")
            .filter_map(|entry| entry.ok().map(|e| e.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "txt"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }
}
