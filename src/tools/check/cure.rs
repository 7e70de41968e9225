//! What to type instead, where the help of a finding says so: for whoever changes a text.

use super::{Finding, extent};
use crate::config::Config;
use crate::tools::check::names::word;

/// What to type instead, or to look at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Help {
    text: String,
    wrong: Option<String>,
}

impl Help {
    /// Says what to type in the place of a word: `did you mean deny?`, `write deny`. Where
    /// that is a word alone, it is what [`cure`] changes.
    pub fn instead_of(wrong: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), wrong: Some(wrong.to_owned()) }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What it says, and the word that is wrong.
    pub(super) fn parts(self) -> (Option<String>, Option<String>) {
        let wrong = self.wrong.filter(|_| !self.text.is_empty());
        (Some(self.text).filter(|text| !text.is_empty()), wrong)
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self { text, wrong: None }
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

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
    let meant = meant.or_else(|| help.strip_prefix("write "))?;
    let (old, new) = (bare(finding.wrong.as_deref()?), bare(meant));
    if old.is_empty() || !new.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c)) {
        return None;
    }
    // The same word with a sign before it wants the sign.
    let new = if new == old { meant } else { new };
    if new == old {
        return None;
    }
    Some(make(only(part, old)?, old.len(), new))
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

    /// The text after a cure.
    fn cured(text: &str, cure: &Cure) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> =
            text.split('\n').map(|line| line.as_bytes().to_vec()).collect();
        let at = cure.column as usize;
        let line = &mut lines[cure.line as usize - 1];
        line.splice(at..at + cure.length as usize, cure.text.bytes());
        lines.join(&b'\n')
    }

    /// Each cure takes its finding away; and these lints have one for their example.
    #[test]
    fn what_is_cured_is_gone() {
        let mut codes = Vec::new();
        for lint in lints() {
            let (config, found) = findings(lint.bad.as_bytes());
            let own = found.iter().filter(|one| one.lint.code == lint.code);
            let before = own.clone().count();
            let Some((finding, cure)) =
                own.clone().find_map(|one| cure(&config, one).map(|cure| (one, cure)))
            else {
                continue;
            };
            let (_, after) = findings(&cured(lint.bad, &cure));
            let left = after.iter().filter(|one| one.lint.code == lint.code).count();
            assert!(left < before, "{}: {:?} by {cure:?}", lint.code, finding.message);
            codes.push(lint.code);
        }
        for code in ["E102", "E104", "E112", "E114", "E115", "W217", "W302"] {
            assert!(codes.contains(&code), "{code}: {codes:?}");
        }
        assert!(codes.len() >= 11, "{codes:?}");
    }

    /// What is changed is the word that is wrong, or nothing.
    #[test]
    fn the_wrong_word_is_changed() {
        let first = "acl_smtp_rcpt = r\nbegin acl\nr:\n  accept hosts = :\n";
        let cases = [
            ("  reject !domains = a.example\n", Some("  deny !domains = a.example\n")),
            ("  rejct domains = a.example\n", None),
            ("  deny ! !domains = a.example\n", None),
            ("  accept set acl_x = 5\n", None),
            ("  deny !domain = a.example\n", Some("  deny !domains = a.example\n")),
            ("  wran set acl_m_x = 5\n", Some("  warn set acl_m_x = 5\n")),
            ("end\n", None),
        ];
        for (line, wanted) in cases {
            let (config, found) = findings(format!("{first}{line}").as_bytes());
            let wrong = found.iter().filter(|one| one.lint.code == "E101");
            let cures: Vec<_> = wrong.filter_map(|one| cure(&config, one)).collect();
            let texts = cures.iter().map(|cure| cured(&format!("{first}{line}"), cure));
            let wanted = wanted.map(|line| format!("{first}{line}").into_bytes());
            assert_eq!(texts.collect::<Vec<_>>(), Vec::from_iter(wanted), "{line}");
        }
    }

    /// Of all the mistakes that are known to be found.
    #[test]
    fn no_cure_leaves_its_mistake() {
        let sound = include_str!("../../../tests/data/check/sound.conf");
        let mistakes = include_str!("../../../tests/data/check/mistakes.txt");
        let mut count = 0;
        for block in mistakes.split("\n\n").filter(|block| !block.contains(['␍', '␉', '⏎'])) {
            let part = |sign: char| {
                let lines = block.lines().filter_map(|line| line.strip_prefix(sign));
                lines.collect::<Vec<_>>().join("\n")
            };
            let text = sound.replacen(&part('-'), &part('+'), 1);
            let (config, found) = findings(text.as_bytes());
            for (finding, cure) in found.iter().filter_map(|one| Some((one, cure(&config, one)?))) {
                let code = finding.lint.code;
                let (_, after) = findings(&cured(&text, &cure));
                let same = |all: &[Finding]| all.iter().filter(|one| one.lint.code == code).count();
                assert!(same(&after) < same(&found), "{}: {cure:?}", finding.message);
                count += 1;
            }
        }
        assert!(count > 40, "{count}");
    }
}
