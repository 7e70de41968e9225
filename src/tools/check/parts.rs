//! Debian's configuration in parts: files below `conf.d`, of which `update-exim4.conf` makes
//! one.

use eximious_core::world::Files;

use super::{Finding, Spot, locate};
use crate::config::Config;

/// The folders of `conf.d` in the order in which they are put together, with their sections;
/// the main one has none.
const FOLDERS: [(&str, &str); 7] = [
    ("main", ""),
    ("acl", "acl"),
    ("router", "routers"),
    ("transport", "transports"),
    ("retry", "retry"),
    ("rewrite", "rewrite"),
    ("auth", "authenticators"),
];

/// How many files a folder may have.
const MOST: usize = 10_000;

/// The section that a file is a part of, where it stands in a folder of `conf.d`.
pub fn section(file: &[u8]) -> Option<&'static str> {
    let mut parts = file.rsplit(|c| *c == b'/').skip(1);
    let (folder, above) = (parts.next()?, parts.next()?);
    let found = FOLDERS.iter().find(|(name, _)| name.as_bytes() == folder && above == b"conf.d");
    found.map(|(_, section)| *section)
}

/// The folder `conf.d` that such a file is in, with the slash behind it.
pub fn folder(file: &[u8]) -> Option<&[u8]> {
    section(file)?;
    let mut slashes = memchr::memrchr_iter(b'/', file);
    slashes.next();
    slashes.next().map(|at| &file[..=at])
}

/// A configuration of one part alone, which includes it.
pub fn alone(section: &str, base: &[u8]) -> Vec<u8> {
    let begin = if section.is_empty() { String::new() } else { format!("begin {section}\n") };
    [begin.as_bytes(), b".include ", base, b"\n"].concat()
}

/// Whether a part begins its section by itself, as the first one of a folder does.
pub fn begins(text: &[u8], section: &str) -> bool {
    text.split(|c| *c == b'\n').any(|line| {
        let line = line.trim_ascii();
        eximious_grammar::config::section(line)
            .is_some_and(|name| name.of(line) == section.as_bytes())
    })
}

/// Whether a file is what `update-exim4.conf` fills where the configuration is in one piece.
pub fn is_template(file: &[u8]) -> bool {
    file.rsplit(|c| *c == b'/').next() == Some(b"exim4.conf.template")
}

/// Whether a finding of the template is of what it is when it is filled: its macro is another
/// then, and which transports are used hangs on what is filled in.
pub fn outlasts_filling(finding: &Finding) -> bool {
    !["W202", "W205"].contains(&finding.lint.code)
}

/// A configuration that includes all parts below a folder `conf.d`, as it would be put
/// together; names that Debian passes over are left out.
pub fn together(folder: &[u8], files: &dyn Files) -> Vec<u8> {
    let mut text = b"# This file was generated dynamically, as by update-exim4.conf\n".to_vec();
    for (name, _) in FOLDERS {
        let mut found = files.names(&[folder, name.as_bytes()].concat(), MOST).unwrap_or_default();
        let counts = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
        found.retain(|file| !file.is_empty() && file.iter().all(counts));
        found.sort();
        for file in found {
            text.extend([b".include ", name.as_bytes(), b"/", &file, b"\n"].concat());
        }
    }
    text
}

/// Whether a finding is of a part of a configuration, and not of what other parts give it.
pub fn stands_by_itself(config: &Config, finding: &Finding) -> bool {
    let named = ["E104", "E105", "E106", "E123", "W202", "W203", "W204", "W205", "W219", "W222"];
    // A macro may stand for the conditions of the router that takes all.
    let hangs_on_macro =
        finding.lint.code == "W206" && config.lines.iter().any(|line| may_be_macro(&line.text));
    locate(config, &finding.spot).is_some_and(|place| place.file > 0)
        && !named.contains(&finding.lint.code)
        && !names_macro(config, finding)
        && !hangs_on_macro
}

/// Whether a line may be a macro's name alone, which may stand for a router's condition.
fn may_be_macro(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    has_capitals(line) && !line.contains(&b'=') && !line.contains(&b':')
}

/// Whether what a finding complains of has a word in capitals: where no macro is called so,
/// one of another part may be.
fn names_macro(config: &Config, finding: &Finding) -> bool {
    let mut quoted = finding.message.split('"').skip(1).step_by(2).peekable();
    if quoted.peek().is_some() {
        // A text that is assigned stands for itself.
        return quoted.any(|part| has_capitals(part.split('=').next().unwrap_or(part).as_bytes()));
    }
    match &finding.spot {
        // An expansion's own faults tell what they are about, or where the parse stopped.
        Spot::Line(number, span) if finding.lint.code == "E103" => {
            let text = config.lines.get(*number).map_or(&b""[..], |line| &line.text);
            let behind = text.get(span.start as usize..).unwrap_or_default().trim_ascii_start();
            let is_word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
            let end = behind.iter().position(|c| !is_word(c)).unwrap_or(behind.len());
            has_capitals(&behind[..end])
        }
        _ if finding.lint.code == "E103" => false,
        Spot::Line(number, span) => config
            .lines
            .get(*number)
            .is_some_and(|line| line.text.get(span.range()).is_some_and(has_capitals)),
        spot => {
            let place = locate(config, spot);
            place.and_then(|place| config.sources.line(place)).is_some_and(has_capitals)
        }
    }
}

/// Whether a text has a word that may be a macro's name: of capitals, at least two.
fn has_capitals(text: &[u8]) -> bool {
    let mut words = text.split(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    words.any(|word| {
        word.len() > 1 && word[0].is_ascii_uppercase() && !word.iter().any(u8::is_ascii_lowercase)
    })
}
