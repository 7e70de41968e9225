//! What was run, beside what there is: text, lcov, and a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{BothWays, Coverage, Key, Universe};
use crate::page::{Page, TREE, escaped};

/// How much of something was run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CoverageSum {
    /// How much was.
    pub run: usize,
    /// How much there is.
    pub of: usize,
}

impl CoverageSum {
    fn count(&mut self, run: bool) {
        self.of += 1;
        self.run += usize::from(run);
    }
}

impl std::fmt::Display for CoverageSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = (self.run * 100).checked_div(self.of).unwrap_or(100);
        write!(f, "{} of {} ({percent} %)", self.run, self.of)
    }
}

/// What was run, beside what there is.
#[derive(Debug)]
pub struct CoverageReport {
    /// Statements of ACLs.
    pub statements: CoverageSum,
    /// Conditions of ACLs, each way one of its own.
    pub conditions: CoverageSum,
    /// Routers that ran.
    pub routers: CoverageSum,
    /// Conditions of `${if}`, each way one of its own.
    pub branches: CoverageSum,
    files: BTreeMap<String, FileLines>,
    sources: Vec<(String, String)>,
}

/// The lines of a file that there is something to say of.
type FileLines = BTreeMap<u32, LineReport>;

#[derive(Debug, Default)]
struct LineReport {
    /// How often it was run, where it is something that runs.
    hits: Option<u64>,
    /// Each condition there, both ways.
    conditions: Vec<(String, BothWays)>,
    /// What was not run.
    missing: Vec<String>,
}

impl CoverageReport {
    /// Compares what was run with what there is.
    pub fn new(universe: &Universe, coverage: &Coverage) -> Self {
        let mut report = Self {
            statements: CoverageSum::default(),
            conditions: CoverageSum::default(),
            routers: CoverageSum::default(),
            branches: CoverageSum::default(),
            files: BTreeMap::new(),
            sources: universe.files.clone(),
        };
        for (key, verb) in &universe.statements {
            let hits = coverage.statements.get(key).copied().unwrap_or(0);
            report.statements.count(hits > 0);
            let line = report.line(key);
            *line.hits.get_or_insert(0) += hits;
            if hits == 0 {
                line.missing.push(format!("{verb} never has its turn"));
            }
        }
        for (key, text) in &universe.terms {
            let both = coverage.terms.get(key).copied().unwrap_or_default();
            report.both(key, text, both, |report| &mut report.conditions);
        }
        for (key, name) in &universe.routers {
            let both = coverage.routers.get(key).copied().unwrap_or_default();
            report.routers.count(both.held > 0);
            let line = report.line(key);
            *line.hits.get_or_insert(0) += both.held + both.failed;
            if both.held == 0 {
                let what = if both.failed == 0 { "never has its turn" } else { "never runs" };
                line.missing.push(format!("router {name} {what}"));
            }
        }
        for ((file, line, column, text), shown) in &universe.branches {
            let key = (file.clone(), *line, *column, text.clone());
            let both = coverage.branches.get(&key).copied().unwrap_or_default();
            let place = (file.clone(), *line, *column);
            report.both(&place, shown, both, |report| &mut report.branches);
        }
        report
    }

    fn line(&mut self, (file, line, _): &Key) -> &mut LineReport {
        let file = String::from_utf8_lossy(file).into_owned();
        self.files.entry(file).or_default().entry(*line).or_default()
    }

    fn both(
        &mut self,
        key: &Key,
        text: &str,
        both: BothWays,
        sum: fn(&mut Self) -> &mut CoverageSum,
    ) {
        sum(self).count(both.held > 0);
        sum(self).count(both.failed > 0);
        let line = self.line(key);
        let missing = match (both.held, both.failed) {
            (0, 0) => Some("is never asked"),
            (0, _) => Some("never holds"),
            (_, 0) => Some("always holds"),
            _ => None,
        };
        if let Some(missing) = missing {
            line.missing.push(format!("{text} {missing}"));
        }
        line.conditions.push((text.to_owned(), both));
        // It counts as a line that runs, unless a statement on it says how often.
        let asked = both.held + both.failed;
        if line.hits.is_none_or(|hits| hits < asked) {
            line.hits = Some(asked);
        }
    }

    /// What was run, in sums, and each place that was not.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "statements  {}", self.statements);
        let _ = writeln!(out, "conditions  {}, both ways", self.conditions);
        let _ = writeln!(out, "routers     {}", self.routers);
        let _ = writeln!(out, "branches    {}, both ways", self.branches);
        for (file, lines) in &self.files {
            let missing: Vec<_> = lines.iter().filter(|(_, own)| !own.missing.is_empty()).collect();
            if missing.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n{file}:");
            for (line, own) in missing {
                own.missing.iter().for_each(|what| {
                    let _ = writeln!(out, "  line {line}: {what}");
                });
            }
        }
        out
    }

    /// The same as JSON: `{"statements": {"run", "of"}, "conditions", "routers", "branches",
    /// "missing": [{"file", "line", "what"}]}`.
    pub fn json(&self) -> Value {
        let sum = |sum: CoverageSum| json!({ "run": sum.run, "of": sum.of });
        let lines = self.files.iter().flat_map(|(file, lines)| {
            lines.iter().flat_map(move |(line, own)| {
                let place = move |what| json!({ "file": file, "line": line, "what": what });
                own.missing.iter().map(place)
            })
        });
        json!({
            "statements": sum(self.statements),
            "conditions": sum(self.conditions),
            "routers": sum(self.routers),
            "branches": sum(self.branches),
            "missing": lines.collect::<Value>(),
        })
    }

    /// As lcov's tracefile (geninfo(1)): lines, and for each condition two branches.
    pub fn lcov(&self) -> String {
        let mut out = String::new();
        for (file, lines) in &self.files {
            let _ = writeln!(out, "TN:\nSF:{file}");
            let (mut found, mut hit) = (0, 0);
            for (line, own) in lines {
                for (number, (_, both)) in own.conditions.iter().enumerate() {
                    for (way, count) in [(0, both.held), (1, both.failed)] {
                        let taken = match both.held + both.failed {
                            0 => "-".to_owned(),
                            _ => count.to_string(),
                        };
                        let _ = writeln!(out, "BRDA:{line},{number},{way},{taken}");
                        found += 1;
                        hit += usize::from(count > 0);
                    }
                }
            }
            let _ = writeln!(out, "BRF:{found}\nBRH:{hit}");
            let lines = lines.iter().filter_map(|(line, own)| Some((line, own.hits?)));
            let lines: Vec<_> = lines.collect();
            for (line, hits) in &lines {
                let _ = writeln!(out, "DA:{line},{hits}");
            }
            let hit = lines.iter().filter(|(_, hits)| *hits > 0).count();
            let _ = writeln!(out, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
        }
        out
    }

    /// A page that needs nothing else, of one or several configurations: the sources, each
    /// line with what was run of it.
    pub fn html(title: &str, reports: &[Self]) -> String {
        let sources = reports.iter().flat_map(Self::shown_sources);
        let sources: Vec<Value> = sources.collect();
        let sum = |of: fn(&Self) -> CoverageSum| {
            let sums = reports.iter().map(of);
            sums.fold(CoverageSum::default(), |sum, own| CoverageSum {
                run: sum.run + own.run,
                of: sum.of + own.of,
            })
        };
        let sums: Vec<Value> = [
            ("statements", sum(|report| report.statements)),
            ("conditions, both ways", sum(|report| report.conditions)),
            ("routers", sum(|report| report.routers)),
            ("branches, both ways", sum(|report| report.branches)),
        ]
        .iter()
        .map(|(name, sum)| json!({ "name": name, "run": sum.run, "of": sum.of }))
        .collect();
        let body = format!(
            "<h1>{}</h1>\n<div id=\"sums\"></div>\n<p>Press n for the next line that was not run \
             whole, p for the one before.</p>\n<main id=\"files\"></main>",
            escaped(title)
        );
        Page {
            title,
            style: include_str!("page.css"),
            body: &body,
            scripts: &[TREE, include_str!("page.js")],
            data: &json!({ "sums": sums, "sources": sources }),
            asks: "'none'",
        }
        .html()
    }

    fn shown_sources(&self) -> impl Iterator<Item = Value> {
        self.sources.iter().filter_map(|(name, text)| {
            let lines = self.files.get(name)?;
            let lines: serde_json::Map<_, _> = lines
                .iter()
                .map(|(line, own)| {
                    let value = json!({ "hits": own.hits, "missing": own.missing });
                    (line.to_string(), value)
                })
                .collect();
            Some(json!({ "name": name, "text": text, "lines": lines }))
        })
    }
}
