//! What came of tests: text, JSON, JUnit.

use std::fmt::Write;

use serde_json::{Value, json};

use super::TestResult;
use crate::debugger::why;
use crate::trace::node_json;

/// What came of the tests of a file.
#[derive(Debug)]
pub struct FileResult {
    /// The file's name.
    pub name: String,
    /// Its tests; where it can't be read, why.
    pub results: Result<Vec<TestResult>, String>,
}

impl FileResult {
    /// How many passed, and how many did not. A file that can't be read is one that did not.
    pub fn counts(&self) -> (usize, usize) {
        match &self.results {
            Ok(all) => {
                let passed = all.iter().filter(|one| one.passed()).count();
                (passed, all.len() - passed)
            }
            Err(_) => (0, 1),
        }
    }

    /// What did not come as it must, each with what decided.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let results = match &self.results {
            Ok(results) => results,
            Err(why) => {
                let _ = writeln!(out, "FAIL {why}");
                return out;
            }
        };
        for one in results.iter().filter(|one| !one.passed()) {
            let _ = writeln!(out, "FAIL {}: {}", self.name, one.name);
            for mismatch in &one.mismatches {
                let _ = writeln!(out, "  {}", mismatch.what);
                let _ = writeln!(out, "    expected: {}", indented(&mismatch.expected));
                let _ = writeln!(out, "    came:     {}", indented(&mismatch.came));
            }
            one.said.iter().for_each(|line| {
                let _ = writeln!(out, "  | {line}");
            });
            for because in why(&one.happened) {
                let _ = write!(out, "  {}", because.what);
                if let Some(place) = &because.place {
                    let _ = write!(out, "  [{place}]");
                }
                let _ = writeln!(out);
                because.parts.iter().for_each(|part| {
                    let _ = writeln!(out, "    {part}");
                });
            }
            let _ = writeln!(out);
        }
        out
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n              ")
}

/// All as JSON: `{"version": 1, "files": [{"name", "error"} or {"name", "tests": [{"name",
/// "passed", "took_us", "mismatches", "said", "happened"}]}]}`.
pub fn json_report(files: &[FileResult]) -> Value {
    let file = |file: &FileResult| match &file.results {
        Err(why) => json!({ "name": file.name, "error": why }),
        Ok(all) => {
            let tests: Vec<_> = all.iter().map(test).collect();
            json!({ "name": file.name, "tests": tests })
        }
    };
    let files: Vec<_> = files.iter().map(file).collect();
    json!({ "version": 1, "files": files })
}

fn test(one: &TestResult) -> Value {
    let mismatches: Vec<_> = one
        .mismatches
        .iter()
        .map(|m| json!({ "what": m.what, "expected": m.expected, "came": m.came }))
        .collect();
    let mut out = json!({
        "name": one.name,
        "passed": one.passed(),
        "took_us": one.took.as_micros() as u64,
    });
    if !one.passed() {
        out["mismatches"] = mismatches.into();
        out["said"] = one.said.clone().into();
        out["happened"] = one.happened.iter().map(node_json).collect::<Vec<_>>().into();
    }
    out
}

/// All as JUnit's XML.
///
/// # Errors
/// It can't be written as XML.
pub fn junit(files: &[FileResult]) -> Result<String, String> {
    use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
    let mut report = Report::new("eximious test");
    for file in files {
        let mut suite = TestSuite::new(&file.name);
        match &file.results {
            Err(why) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(why);
                suite.add_test_case(TestCase::new("the file", status));
            }
            Ok(all) => {
                for one in all {
                    let status = match one.passed() {
                        true => TestCaseStatus::success(),
                        false => {
                            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                            let what: Vec<_> = one
                                .mismatches
                                .iter()
                                .map(|m| {
                                    format!("{}: expected {}, came {}", m.what, m.expected, m.came)
                                })
                                .collect();
                            status.set_message(what.join("\n"));
                            status.set_description(one.said.join("\n"));
                            status
                        }
                    };
                    let mut case = TestCase::new(&one.name, status);
                    case.set_time(one.took);
                    suite.add_test_case(case);
                }
            }
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|why| why.to_string())
}
