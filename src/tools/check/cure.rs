//! What to type instead, where the help of a finding says so: for whoever changes a text.

use super::{Finding, extent};
use crate::config::Config;
use crate::tools::check::names::word;

/// A part of a line, and what takes its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cure {
    /// The file's number.
    pub file: u32,
    /// The line, from 1.
    pub line: u32,
    /// The first byte in the line, from 0.
    pub column: u32,
    /// How many bytes are replaced.
    pub length: u32,
    /// What takes their place.
    pub text: String,
}

/// What a finding's help would have one type; `None` where it takes more than a word, or
/// where it can't be told which.
pub fn cure(config: &Config, finding: &Finding) -> Option<Cure> {
    let help = finding.help.as_deref()?;
    let extent = extent(config, &finding.spot)?;
    if extent.start.inside.is_some() {
        return None;
    }
    let line = config.sources.line(extent.start)?;
    let (start, end) = (extent.start.column as usize, extent.end_column as usize);
    let end = if extent.end_line == extent.start.line { end.min(line.len()) } else { line.len() };
    let part = line.get(start..end)?;
    let make = |at: usize, length: usize, text: &str| Cure {
        file: extent.start.file,
        line: extent.start.line,
        column: (start + at) as u32,
        length: length as u32,
        text: text.to_owned(),
    };
    if help.starts_with("write hide ") {
        let blank = line.len() - line.trim_ascii_start().len();
        return Some(Cure { column: blank as u32, ..make(0, 0, "hide ") });
    }
    let colon = "a name has a colon behind it: ";
    if let Some(name) = help.strip_prefix(colon) {
        return (part == name.strip_suffix(':')?.as_bytes()).then(|| make(part.len(), 0, ":"));
    }
    let meant = help.strip_prefix("did you mean ").and_then(|rest| rest.strip_suffix('?'));
    let new = bare(meant.or_else(|| help.strip_prefix("write "))?);
    if !new.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c)) {
        return None;
    }
    let named = finding.message.split('"').skip(1).step_by(2);
    let words = finding.message.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '"'));
    let olds = named.chain(words).map(bare).filter(|old| !old.is_empty() && *old != new);
    // Of the words of the message that stand in the line, the nearest is meant.
    let found =
        olds.filter_map(|old| Some((strsim::osa_distance(old, new), old, only(part, old)?)));
    let (_, old, at) = found.min_by_key(|(distance, old, _)| (*distance, old.len()))?;
    Some(make(at, old.len(), new))
}

/// A name without what stands before it.
fn bare(name: &str) -> &str {
    let name = name.strip_prefix("begin ").unwrap_or(name);
    name.trim_start_matches(['$', '+', '-', '!', '{'])
}

/// Where a word stands in a text, if that is but once.
fn only(text: &[u8], name: &str) -> Option<usize> {
    let name = name.as_bytes();
    let mut found = memchr::memmem::find_iter(text, name).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        !before.is_some_and(word) && !text.get(at + name.len()).is_some_and(word)
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Macros;
    use crate::check::{Finding, check, lints};

    fn findings(text: &[u8]) -> (Config, Vec<Finding>) {
        let (world, registry) = (eximious_core::World::hermetic(), crate::registry());
        let config = Config::read_text(b"/c", text, Macros::new(), &world, &registry);
        let found = check(&config, &registry, &world, None);
        (config, found)
    }

    /// Each cure takes its finding away; and these lints have one for their example.
    #[test]
    fn what_is_cured_is_gone() {
        let mut cured = Vec::new();
        for lint in lints() {
            let (config, found) = findings(lint.bad.as_bytes());
            let own = found.iter().filter(|one| one.lint.code == lint.code);
            let before = own.clone().count();
            let Some((finding, cure)) =
                own.clone().find_map(|one| cure(&config, one).map(|cure| (one, cure)))
            else {
                continue;
            };
            let mut lines: Vec<Vec<u8>> =
                lint.bad.split('\n').map(|line| line.as_bytes().to_vec()).collect();
            let at = cure.column as usize;
            let line = &mut lines[cure.line as usize - 1];
            line.splice(at..at + cure.length as usize, cure.text.bytes());
            let (_, after) = findings(&lines.join(&b'\n'));
            let left = after.iter().filter(|one| one.lint.code == lint.code).count();
            assert!(left < before, "{}: {:?} by {cure:?}", lint.code, finding.message);
            cured.push(lint.code);
        }
        for code in ["E102", "E104", "E114", "E115", "W217", "W302"] {
            assert!(cured.contains(&code), "{code}: {cured:?}");
        }
        assert!(cured.len() >= 11, "{cured:?}");
    }
}
