//! What there is in a configuration that runs can stop at.

use std::collections::BTreeSet;

use eximious::Config;
use eximious::check::nearest;
use eximious::config::ConfigPlaces;

use super::points::{Breakpoint, is_file};

/// What there is in a configuration that runs can stop at.
#[derive(Debug, Default)]
pub struct StopPlaces {
    /// ACLs, and how many statements each has.
    acls: Vec<(String, usize)>,
    routers: Vec<String>,
    files: Vec<String>,
    /// Lines at which something runs, by file.
    lines: BTreeSet<(String, u32)>,
}

impl StopPlaces {
    /// Of a configuration.
    pub fn of(config: &Config) -> Self {
        let places = ConfigPlaces::new(config);
        let mut all = Self::default();
        let mut lines = Vec::new();
        for acl in &config.acls {
            all.acls.push((acl.name.display().into_owned(), acl.statements.len()));
            for statement in &acl.statements {
                lines.push((statement.line, 0));
                let terms = statement.terms.iter();
                lines.extend(terms.map(|term| (term.line, term.span.start as usize)));
            }
        }
        for router in &config.routers {
            all.routers.push(router.name.display().into_owned());
            lines.push((router.line, 0));
            let settings = router.settings.iter();
            lines.extend(settings.map(|one| (one.line, one.name.start as usize)));
        }
        let line = |(line, offset)| {
            let place = places.of(line, offset);
            (place.file.display().into_owned(), place.line)
        };
        all.lines = lines.into_iter().map(line).collect();
        let files = config.sources.files().iter();
        all.files = files.map(|file| String::from_utf8_lossy(&file.name).into_owned()).collect();
        all
    }

    /// Why a breakpoint is never met; nothing, where it may be.
    pub fn missing(&self, point: &Breakpoint) -> Option<String> {
        match point {
            // An ACL may stand in a file of its own, which is read when it is asked.
            Breakpoint::Acl { name, .. } if name.starts_with('/') => None,
            Breakpoint::Acl { name, statement } => {
                let Some((_, count)) = self.acls.iter().find(|(own, _)| own == name) else {
                    return Some(none("ACL", name, self.acls.iter().map(|(own, _)| own.as_str())));
                };
                let wanted = statement.unwrap_or(1) as usize;
                (wanted > *count).then(|| match count {
                    1 => format!("the ACL {name} has 1 statement"),
                    _ => format!("the ACL {name} has {count} statements"),
                })
            }
            Breakpoint::Router(name) => {
                let is_there = self.routers.contains(name);
                (!is_there).then(|| none("router", name, self.routers.iter().map(String::as_str)))
            }
            Breakpoint::Refusals => None,
            Breakpoint::Line { file, line } => {
                if !self.files.iter().any(|own| is_file(file, own)) {
                    return Some(format!("{file} is no file of the configuration"));
                }
                let runs = |(own, at): &(String, u32)| at == line && is_file(file, own);
                (!self.lines.iter().any(runs)).then(|| format!("nothing runs at line {line}"))
            }
        }
    }
}

fn none<'n>(what: &str, name: &str, all: impl Iterator<Item = &'n str>) -> String {
    match nearest(name, all).first() {
        Some(near) => format!("there is no {what} {name}: did you mean {near}?"),
        None => format!("there is no {what} {name}"),
    }
}
