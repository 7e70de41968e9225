//! Comments that silence a lint: `# eximious: allow CODE reason`, at the end of
//! the comment lines above a line, or in any of them.

use super::{Finding, Target, locate};
use crate::config::Config;
use crate::macros::trim;

/// Whether a comment above the place of a finding allows it. A reason must
/// follow the code.
pub(super) fn silenced(config: &Config, finding: &Finding) -> bool {
    let Some(location) = locate(config, &finding.spot) else { return false };
    let Some(file) = config.sources.file(location.file) else { return false };
    let lines: Vec<&[u8]> = file.text.split(|c| *c == b'\n').collect();
    let above = lines.get(..(location.line as usize).saturating_sub(1)).unwrap_or_default();
    let comments = above.iter().rev().map(|line| trim(line));
    comments
        .take_while(|line| line.starts_with(b"#") || line.ends_with(b"\\"))
        .any(|line| allows(line, finding))
}

/// The release that a comment at the head of the file names.
pub(super) fn target(config: &Config) -> Option<Target> {
    let text = &config.sources.files().first()?.text;
    let lines = text.split(|c| *c == b'\n').map(trim);
    let head = lines.take_while(|line| line.is_empty() || line.starts_with(b"#"));
    head.filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        Target::parse(line.trim_start_matches(['#', ' ', '\t']).strip_prefix("eximious: target ")?)
    })
    .next()
}

fn allows(comment: &[u8], finding: &Finding) -> bool {
    let text = String::from_utf8_lossy(comment);
    let Some(rest) = text.trim_start_matches(['#', ' ', '\t']).strip_prefix("eximious: allow ")
    else {
        return false;
    };
    let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    (code == finding.lint.code || code == finding.lint.name) && !reason.trim().is_empty()
}
