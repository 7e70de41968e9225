//! Comments that silence a lint: `# eximious: allow CODE reason`, at the end of
//! the comment lines above a line, or in any of them.

use std::collections::HashMap;

use super::{Finding, TargetRelease, locate};
use crate::config::macros::trim;
use crate::config::{Config, Location};

/// Takes out what a comment above its place allows. A reason must follow the
/// code.
pub(super) fn apply(config: &Config, findings: &mut Vec<Finding>) {
    // Many findings may stand in one line, and many comments above it.
    let mut known: HashMap<(u32, u32), Vec<String>> = HashMap::new();
    findings.retain(|finding| {
        let Some(Location { file, line, .. }) = locate(config, &finding.spot) else { return true };
        let allowed = known.entry((file, line)).or_insert_with(|| allowed(config, file, line));
        !allowed.iter().any(|code| code == finding.lint.code || code == finding.lint.name)
    });
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
fn allowed(config: &Config, file: u32, line: u32) -> Vec<String> {
    let Some(file) = config.sources.file(file) else { return Vec::new() };
    let above = (1..line).rev().map_while(|number| file.line(number)).map(trim);
    let comments = above.take_while(|line| line.starts_with(b"#") || line.ends_with(b"\\"));
    comments.filter_map(allows).collect()
}

/// The release that a comment at the head of the file names.
pub(super) fn target(config: &Config) -> Option<TargetRelease> {
    let text = &config.sources.files().first()?.text;
    let lines = text.split(|c| *c == b'\n').map(trim);
    let head = lines.take_while(|line| line.is_empty() || line.starts_with(b"#"));
    head.filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        TargetRelease::parse(
            line.trim_start_matches(['#', ' ', '\t']).strip_prefix("eximious: target ")?,
        )
    })
    .next()
}

/// The code that a comment allows.
fn allows(comment: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(comment);
    let rest = text.trim_start_matches(['#', ' ', '\t']).strip_prefix("eximious: allow ")?;
    let (code, reason) = rest.split_once(char::is_whitespace)?;
    (!reason.trim().is_empty()).then(|| code.to_owned())
}
