//! Comments that silence lints: `# eximious: allow CODE, CODE reason`, at the end of
//! the comment lines above a line, or in any of them.

use std::collections::{HashMap, HashSet};

use super::lints::{self, comments};
use super::{Finding, Findings, Help, Lint, Spot, TargetRelease, did_you_mean, locate};
use crate::config::macros::trim;
use crate::config::{Config, Location};

/// Takes out what a comment above its place allows, and complains of comments that have no
/// effect. A reason must follow the code.
pub(super) fn apply(config: &Config, findings: &mut Vec<Finding>, own: &[&'static Lint]) {
    // Many findings may stand in one line, and many comments above it.
    let mut known: HashMap<(u32, u32), Vec<Allowed>> = HashMap::new();
    let mut used: HashSet<Allowed> = HashSet::new();
    findings.retain(|finding| {
        let Some(Location { file, line, .. }) = locate(config, &finding.spot) else { return true };
        let allowed = known.entry((file, line)).or_insert_with(|| allowed(config, file, line));
        let is_it = |one: &&Allowed| one.code == finding.lint.code || one.code == finding.lint.name;
        let by: Vec<&Allowed> = allowed.iter().filter(is_it).collect();
        used.extend(by.iter().copied().cloned());
        by.is_empty()
    });
    findings.extend(complaints(config, &used, own));
}

/// What is wrong with the comments that are meant for this, with those codes that silenced
/// something.
fn complaints(config: &Config, used: &HashSet<Allowed>, own: &[&'static Lint]) -> Vec<Finding> {
    let mut complaints = Findings { lint: &comments::COMMENT_WITHOUT_EFFECT, found: Vec::new() };
    let starts: HashSet<(u32, u32)> = config
        .lines
        .iter()
        .map(|line| line.place(0))
        .map(|place| (place.file, place.line))
        .collect();
    for (number, file) in (0u32..).zip(config.sources.files()) {
        if memchr::memmem::find(&file.text, HEAD.as_bytes()).is_none() {
            continue;
        }
        let lines = (1u32..).map_while(|line| Some((line, file.line(line)?)));
        for (line, text) in lines.filter(|(_, text)| trim(text).starts_with(b"#")) {
            let text = String::from_utf8_lossy(text);
            let Some(said) = said(&text) else { continue };
            let mut complain = |message: String, help: Help| {
                complaints.add_with(Spot::Physical(line, file.name.clone()), message, help);
            };
            if let Some(release) = said.strip_prefix("target ") {
                let release = release.trim();
                if TargetRelease::parse(release).is_none_or(|release| !release.is_known()) {
                    complain(format!("{release} is no release of Exim"), Help::default());
                }
                continue;
            }
            let Some(rest) = said.strip_prefix("allow ") else {
                let word = said.split_whitespace().next().unwrap_or_default();
                let words = ["allow", "target"].into_iter();
                let help = Help::instead_of(word, did_you_mean("", word, words));
                // What is near to neither is a remark about the program.
                if !help.is_empty() {
                    complain(format!("no comment for eximious begins with \"{word}\""), help);
                }
                continue;
            };
            let (codes, reason) = codes_and_reason(rest);
            if reason.is_empty() {
                complain("a reason must follow the code".to_owned(), Help::default());
                continue;
            }
            let follows = (line + 1..)
                .find(|line| file.line(*line).is_none_or(|text| !trim(text).starts_with(b"#")));
            let counts = follows.is_some_and(|line| starts.contains(&(number, line)));
            for code in codes {
                let mut lints = lints::ALL.iter().chain(own);
                let Some(lint) = lints.find(|lint| lint.code == code || lint.name == code) else {
                    complain(format!("no code is called \"{code}\""), Help::default());
                    continue;
                };
                let one = Allowed { file: number, line, code: code.to_owned() };
                if counts && !VARYING.contains(&lint.code) && !used.contains(&one) {
                    complain(
                        format!("there is nothing here that {code} finds"),
                        "leave it out".into(),
                    );
                }
            }
        }
    }
    complaints.found
}

/// What comments that are meant for this begin with.
const HEAD: &str = "eximious: ";

/// What is found or not by the release that is meant, or by the program's features.
const VARYING: [&str; 4] = ["E109", "W402", "W701", "W702"];

/// A code that a comment allows.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Allowed {
    /// The comment's file.
    file: u32,
    /// Its line.
    line: u32,
    code: String,
}

/// What a configuration has that was put together for any system, and does not need on this
/// one.
const SPARE: [&str; 4] = ["W202", "W203", "W204", "W205"];

/// Takes out what is true of each configuration that Debian's `update-exim4.conf` makes: its
/// parts are those of all set-ups, and few of them are in use.
pub(super) fn generated(config: &Config, findings: &mut Vec<Finding>) {
    let Some(file) = config.sources.files().first() else { return };
    let mut head = file.text.split(|c| *c == b'\n').take_while(|line| line.starts_with(b"#"));
    let made = head.any(|line| line.starts_with(b"# This file was generated dynamically"));
    if made && memchr::memmem::find(&file.text, b"update-exim4.conf").is_some() {
        findings.retain(|finding| !SPARE.contains(&finding.lint.code));
    }
}

/// The codes and names that the comments above a line allow.
fn allowed(config: &Config, number: u32, line: u32) -> Vec<Allowed> {
    let Some(file) = config.sources.file(number) else { return Vec::new() };
    let above = (1..line).rev().map_while(|line| Some((line, trim(file.line(line)?))));
    let comments = above.take_while(|(_, line)| line.starts_with(b"#") || line.ends_with(b"\\"));
    let allowed = comments.flat_map(|(line, text)| {
        let codes = allows(text).into_iter();
        codes.map(move |code| Allowed { file: number, line, code })
    });
    allowed.collect()
}

/// The release that a comment at the head of the file names.
pub(super) fn target(config: &Config) -> Option<TargetRelease> {
    let text = &config.sources.files().first()?.text;
    let lines = text.split(|c| *c == b'\n').map(trim);
    let head = lines.take_while(|line| line.is_empty() || line.starts_with(b"#"));
    let mut named = head.filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        TargetRelease::parse(said(&line)?.strip_prefix("target ")?.trim())
    });
    named.find(|release| release.is_known())
}

/// What a comment says to this program.
fn said(comment: &str) -> Option<&str> {
    comment.trim_start_matches(['#', ' ', '\t']).strip_prefix(HEAD).map(str::trim_start)
}

/// The codes that a comment allows, with commas between them, and the reason.
fn codes_and_reason(rest: &str) -> (Vec<&str>, &str) {
    let (mut codes, mut rest) = (Vec::new(), rest.trim());
    loop {
        let end = rest.find([',', ' ', '\t']).unwrap_or(rest.len());
        let (code, after) = rest.split_at(end);
        codes.push(code);
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return (codes, after),
        }
    }
}

/// The codes that a comment allows, if it says why.
fn allows(comment: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(comment);
    let rest = said(&text).and_then(|said| said.strip_prefix("allow "));
    let (codes, reason) = rest.map(codes_and_reason).unwrap_or_default();
    if reason.is_empty() { Vec::new() } else { codes.into_iter().map(str::to_owned).collect() }
}
