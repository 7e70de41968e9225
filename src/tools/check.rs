//! What is wrong, or looks wrong, in a configuration, before it is live.
//!
//! A lint is a record ([`Lint`]): its code, its page, an example that it fires
//! on and one that it does not, and the function that looks. All of them read
//! one [`Survey`]: the configuration with each of its texts parsed.

mod cure;
mod flows;
pub(in crate::tools) mod graph;
mod items;
pub(in crate::tools) mod lints;
pub(in crate::tools) mod names;
pub mod parts;
mod releases;
mod silence;
mod survey;
pub(in crate::tools) mod uses;

use eximious_core::{Registry, World};
use eximious_grammar::Span;

use crate::config::Config;

pub use cure::{Cure, Help, cure};
pub(in crate::tools) use survey::list_of;
pub use survey::{Survey, Text, Use};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Exim would not start, or would fail when it comes there.
    Error,
    /// Exim takes it, and it is hardly what was meant.
    Warning,
}

impl Severity {
    /// `error`, `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that is looked for.
#[derive(Debug)]
pub struct Lint {
    /// Its code, which is never used again for something else: `E101`.
    pub code: &'static str,
    /// Its name: `unknown-option`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// The page: why it matters, and the cure.
    pub docs: &'static str,
    /// A configuration on which it fires.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    /// Looks for it.
    pub run: fn(&Survey<'_>, &mut Findings),
}

/// Where something was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spot {
    /// A part of a logical line, by the line's number.
    Line(usize, Span),
    /// A physical line: its number, and the file's name.
    Physical(u32, Vec<u8>),
    /// Nowhere in particular.
    Nowhere,
}

/// Something that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it is.
    pub lint: &'static Lint,
    /// What is wrong here, in one sentence.
    pub message: String,
    /// Where.
    pub spot: Spot,
    /// What to type instead, or to look at.
    pub help: Option<String>,
    /// The word of the text in whose place the help would have another.
    pub wrong: Option<String>,
}

/// For how many findings of a lint it is looked what could have been meant: in
/// a file with more mistakes, something else is wrong.
const MOST_OFFERS: usize = 200;

/// Takes what lints find.
#[derive(Debug)]
pub struct Findings {
    lint: &'static Lint,
    found: Vec<Finding>,
}

impl Findings {
    /// Adds something.
    pub fn add(&mut self, spot: Spot, message: impl Into<String>) {
        let (lint, message) = (self.lint, message.into());
        self.found.push(Finding { lint, message, spot, help: None, wrong: None });
    }
    /// What could have been meant: the question that offers the nearest name,
    /// with something before it.
    fn offer<'n>(&self, before: &str, name: &str, names: impl Iterator<Item = &'n str>) -> Help {
        match self.found.len() < MOST_OFFERS {
            true => Help::instead_of(name, did_you_mean(before, name, names)),
            false => Help::default(),
        }
    }
    /// Adds something, and its cure.
    pub fn add_with(&mut self, spot: Spot, message: impl Into<String>, help: impl Into<Help>) {
        let (help, wrong) = help.into().parts();
        let (lint, message) = (self.lint, message.into());
        self.found.push(Finding { lint, message, spot, help, wrong });
    }
}

/// A release of Exim that a configuration is meant for: `4.98`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TargetRelease {
    /// 4.
    pub major: u32,
    /// 98.
    pub minor: u32,
}

impl TargetRelease {
    /// The newest that is known.
    pub const NEWEST: Self = Self { major: 4, minor: 100 };

    /// `exim-4.98`, `4.98`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.strip_prefix("exim-").unwrap_or(text).split_once('.')?;
        let minor = minor.split('.').next()?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// Whether it is one of Exim 4, and none that is still to come.
    pub fn is_known(self) -> bool {
        self.major == Self::NEWEST.major && self <= Self::NEWEST
    }

    /// Whether something that came with a release (`since` of a record) is
    /// there; an empty text is always.
    pub fn has(self, since: &str) -> bool {
        since.is_empty() || Self::parse(since).is_none_or(|since| since <= self)
    }
}

impl std::fmt::Display for TargetRelease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exim-{}.{}", self.major, self.minor)
    }
}

/// All lints, by code.
pub fn lints() -> &'static [&'static Lint] {
    lints::ALL
}

/// Looks for everything, in the order of the places; what a comment silences is
/// left out. Where no release is given, a comment `# eximious: target exim-4.98`
/// at the head of the file says which is meant, or it is the newest.
pub fn check(
    config: &Config,
    registry: &Registry,
    world: &World,
    target: Option<TargetRelease>,
) -> Vec<Finding> {
    check_with(config, registry, world, target, &[])
}

/// As [`check`], and looks for what lints of one's own look for, too. Their codes are to
/// be none of [`lints`].
pub fn check_with(
    config: &Config,
    registry: &Registry,
    world: &World,
    target: Option<TargetRelease>,
    own: &[&'static Lint],
) -> Vec<Finding> {
    let target = target.or_else(|| silence::target(config)).unwrap_or(TargetRelease::NEWEST);
    let survey = Survey::new(config, registry, world, target);
    let mut all = Vec::new();
    for lint in lints::ALL.iter().chain(own).copied() {
        let mut findings = Findings { lint, found: Vec::new() };
        (lint.run)(&survey, &mut findings);
        all.append(&mut findings.found);
    }
    silence::apply(config, &mut all, own);
    silence::generated(config, &mut all);
    all.sort_by_cached_key(|finding| (place(config, finding), finding.lint.code));
    all
}

/// The file, line and column of a finding, for order; what is nowhere is last.
fn place(config: &Config, finding: &Finding) -> (u32, u32, u32) {
    match locate(config, &finding.spot) {
        Some(location) => (location.file, location.line, location.column),
        None => (u32::MAX, 0, 0),
    }
}

/// Where a spot lies in its file.
pub fn locate(config: &Config, spot: &Spot) -> Option<crate::config::Location> {
    match spot {
        Spot::Line(number, span) => Some(config.lines.get(*number)?.place(span.start as usize)),
        Spot::Physical(line, name) => {
            let file = config.sources.files().iter().position(|file| &file.name == name)?;
            let (file, line) = (file as u32, *line);
            Some(crate::config::Location { file, line, column: 0, inside: None })
        }
        Spot::Nowhere => None,
    }
}

/// Where a spot begins and ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Its first byte. In the text of a macro, that of the macro's name.
    pub start: crate::config::Location,
    /// The line in which it ends.
    pub end_line: u32,
    /// The byte of that line behind it.
    pub end_column: u32,
}

/// Where a spot begins and ends in its file.
pub fn extent(config: &Config, spot: &Spot) -> Option<Extent> {
    let start = locate(config, spot)?;
    let line = config.sources.line(start).unwrap_or_default();
    let whole = |start: crate::config::Location| Extent {
        start,
        end_line: start.line,
        end_column: line.trim_ascii_end().len() as u32,
    };
    let Spot::Line(number, span) = spot else {
        let blank = line.len() - line.trim_ascii_start().len();
        return Some(whole(crate::config::Location { column: blank as u32, ..start }));
    };
    let last = config.lines[*number].place(span.end.saturating_sub(1).max(span.start) as usize);
    Some(match (start.inside, last.inside) {
        (Some(number), _) => {
            let name = config.macros.iter().nth(number as usize).map_or(0, |(name, _)| name.len());
            Extent { start, end_line: start.line, end_column: start.column + name as u32 }
        }
        (None, None)
            if last.file == start.file
                && (last.line, last.column) >= (start.line, start.column) =>
        {
            let past = u32::from(span.end > span.start);
            Extent { start, end_line: last.line, end_column: last.column + past }
        }
        _ => whole(start),
    })
}

/// Up to three names that could have been meant, the nearest first: those that differ in a
/// few characters, or in the order of their words.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let farthest = name.chars().count().div_ceil(3).min(3);
    let own = name.contains('_').then(|| sorted_words(name));
    let distance = |other: &str| match &own {
        Some(own) if other.len() == name.len() && sorted_words(other) == *own => 1,
        _ => strsim::osa_distance(name, other),
    };
    let mut near: Vec<(usize, &str)> = names
        .filter(|other| other.len().abs_diff(name.len()) <= farthest * 4)
        .map(|other| (distance(other), other))
        .filter(|(distance, _)| *distance <= farthest)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, other)| other).collect()
}

/// The words of a name, of which `dmarc_verify_disable` has the same as
/// `dmarc_disable_verify`.
fn sorted_words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = name.split('_').collect();
    words.sort_unstable();
    words
}

/// The question that offers the nearest name, with something before it; empty
/// where none is near. What was not written to its end is near, too, and what is an end.
fn did_you_mean<'n>(before: &str, name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let near = nearest(name, names.iter().copied()).first().copied();
    let is_nearly = near.is_some_and(|near| strsim::osa_distance(name, near) <= 1);
    let part = |is_part: fn(&str, &str) -> bool| only(name, &names, is_part);
    let begun = if is_nearly { None } else { part(|other, name| other.starts_with(name)) };
    let found = begun.or(near).or_else(|| part(|other, name| other.ends_with(name)));
    found.map_or(String::new(), |near| format!("did you mean {before}{near}?"))
}

/// How long a part of a name is at least that says which is meant.
const LEAST_PART: usize = 5;

/// The one name of which it is a part.
fn only<'n>(name: &str, names: &[&'n str], is_part: fn(&str, &str) -> bool) -> Option<&'n str> {
    let mut found = names.iter().copied().filter(|other| {
        name.len() >= LEAST_PART && other.len() > name.len() && is_part(other, name)
    });
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered() {
        let names = ["extract", "substr", "match_ip"];
        assert_eq!(nearest("extrat", names.into_iter()), ["extract"]);
        assert!(nearest("zzz", names.into_iter()).is_empty());
        let names = ["tls_certificate", "tls_crl", "tls_certificate"];
        let meant = |name: &str| did_you_mean("", name, names.into_iter());
        assert_eq!(meant("tls_cert"), "did you mean tls_certificate?");
        assert_eq!(meant("tls_crll"), "did you mean tls_crl?");
        let names = ["dmarc_disable_verify", "dkim_disable_verify", "temperror"];
        let meant = |name: &str| did_you_mean("", name, names.into_iter());
        assert_eq!(meant("dmarc_verify_disable"), "did you mean dmarc_disable_verify?");
        assert_eq!(meant("error"), "did you mean temperror?");
        assert_eq!(meant("verify"), "");
    }

    #[test]
    fn releases_are_compared() {
        let target = TargetRelease::parse("exim-4.98").unwrap();
        assert!(
            target.has("") && target.has("4.98") && !target.has("4.99") && !target.has("4.100")
        );
        assert!(TargetRelease::parse("4.94.2").unwrap() < target);
        assert_eq!(TargetRelease::parse("x"), None);
    }
}
