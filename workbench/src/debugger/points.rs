//! Where runs are to stop.

use std::fmt;
use std::sync::Arc;

use eximious::trace::TracePlace;
use eximious::{Context, RunStop, Str};

use super::{Frame, StopPlaces};

/// A place where runs stop.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Breakpoint {
    /// An ACL: its first statement, or the one with this number, from 1.
    Acl {
        /// Its name.
        name: String,
        /// Which statement.
        statement: Option<u32>,
    },
    /// A router.
    Router(String),
    /// What is refused.
    Refusals,
    /// A line of a file; of any file whose name ends so.
    Line {
        /// The file's name, or its end.
        file: String,
        /// The line, from 1.
        line: u32,
    },
}

/// What is no breakpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BreakpointError(String);

impl fmt::Display for BreakpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BreakpointError {}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acl { name, statement: None } => write!(f, "{name}"),
            Self::Acl { name, statement: Some(number) } => write!(f, "{name}:{number}"),
            Self::Router(name) => write!(f, "router {name}"),
            Self::Refusals => f.write_str("on deny"),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
        }
    }
}

impl std::str::FromStr for Breakpoint {
    type Err = BreakpointError;

    /// `ACL`, `ACL:N` (its N-th statement), `FILE:LINE`, `router NAME`, `on deny`.
    fn from_str(text: &str) -> Result<Self, BreakpointError> {
        let text = text.trim();
        if text == "on deny" {
            return Ok(Self::Refusals);
        }
        if let Some(name) = text.strip_prefix("router ") {
            return Ok(Self::Router(name.trim().to_owned()));
        }
        if let Some((head, number)) = text.rsplit_once(':') {
            let number: u32 = match number.trim().parse() {
                Ok(number) if number > 0 => number,
                _ => return Err(BreakpointError(format!("\"{number}\" is no number from 1 on"))),
            };
            let head = head.trim();
            return Ok(match head.contains(['/', '.']) {
                true => Self::Line { file: head.to_owned(), line: number },
                false => Self::Acl { name: head.to_owned(), statement: Some(number) },
            });
        }
        if text.is_empty() || text.contains(char::is_whitespace) {
            let wanted = "ACL, ACL:N, FILE:LINE, router NAME or on deny";
            return Err(BreakpointError(format!("that is no place to stop at: {wanted}")));
        }
        Ok(Self::Acl { name: text.to_owned(), statement: None })
    }
}

/// A variable that has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Watched {
    /// Its name, without its dollar.
    pub name: String,
    /// What it was.
    pub from: Str,
    /// What it is.
    pub to: Str,
}

/// Where runs stop, all together.
#[derive(Debug, Default)]
pub struct Breakpoints {
    last: u32,
    points: Vec<(u32, Breakpoint)>,
    watched: Vec<(u32, String, Option<Str>)>,
    /// What there is to stop at.
    places: Arc<StopPlaces>,
}

/// Whether the name of a file, or its end, is that of another, or its end.
pub(super) fn is_file(name: &str, own: &str) -> bool {
    let is_end = |long: &str, short: &str| long.ends_with(&format!("/{short}"));
    own == name || is_end(name, own) || is_end(own, name.trim_start_matches('/'))
}

impl Breakpoints {
    /// Says what there is to stop at.
    pub fn know(&mut self, places: Arc<StopPlaces>) {
        self.places = places;
    }

    /// Takes over those that were set for another reading of the configuration.
    pub fn take_over(&mut self, other: Self) {
        *self = Self { places: self.places.clone(), ..other };
    }

    /// Why one is never met; nothing, where it may be.
    pub fn missing(&self, point: &Breakpoint) -> Option<String> {
        self.places.missing(point)
    }

    /// Adds one; its number.
    pub fn add(&mut self, point: Breakpoint) -> u32 {
        self.last += 1;
        self.points.push((self.last, point));
        self.last
    }

    /// Watches a variable: whoever changes it is stopped. Its number.
    pub fn watch(&mut self, name: &str) -> u32 {
        self.last += 1;
        self.watched.push((self.last, name.trim_start_matches('$').to_owned(), None));
        self.last
    }

    /// Takes one away; false where there is none of that number.
    pub fn remove(&mut self, number: u32) -> bool {
        let before = self.points.len() + self.watched.len();
        self.points.retain(|(own, _)| *own != number);
        self.watched.retain(|(own, ..)| *own != number);
        self.points.len() + self.watched.len() < before
    }

    /// These, and no others; what is watched already goes on.
    pub fn replace(&mut self, points: Vec<Breakpoint>, watched: &[String]) {
        self.points.clear();
        points.into_iter().for_each(|point| {
            self.add(point);
        });
        let names = watched.iter().map(|name| name.trim_start_matches('$'));
        let names: Vec<_> = names.collect();
        self.watched.retain(|(_, own, _)| names.contains(&own.as_str()));
        for name in names {
            if !self.watched.iter().any(|(_, own, _)| own == name) {
                self.watch(name);
            }
        }
    }

    /// All of them, as they are written, by number.
    pub fn list(&self) -> Vec<(u32, String)> {
        let points = self.points.iter().map(|(number, point)| (*number, point.to_string()));
        let watched =
            self.watched.iter().map(|(number, name, _)| (*number, format!("watch ${name}")));
        let mut all: Vec<_> = points.chain(watched).collect();
        all.sort_by_key(|(number, _)| *number);
        all
    }

    pub(super) fn stops_at_refusals(&self) -> bool {
        self.points.iter().any(|(_, point)| *point == Breakpoint::Refusals)
    }

    pub(super) fn at_step(
        &self,
        at: &RunStop<'_>,
        frame: Option<&Frame>,
        number: u32,
    ) -> Option<u32> {
        let acl = frame.and_then(|frame| frame.name.strip_prefix("acl "));
        let fits = |point: &Breakpoint| match (point, at) {
            (Breakpoint::Acl { name, statement }, RunStop::Statement { .. }) => {
                acl == Some(name) && number == statement.unwrap_or(1)
            }
            (Breakpoint::Router(name), RunStop::Router { name: own }) => own.display() == *name,
            _ => false,
        };
        self.points.iter().find(|(_, point)| fits(point)).map(|(number, _)| *number)
    }

    pub(super) fn at_line(&self, place: &TracePlace) -> Option<u32> {
        let own = place.file.display();
        let fits = |point: &Breakpoint| match point {
            Breakpoint::Line { file, line } => *line == place.line && is_file(file, &own),
            _ => false,
        };
        self.points.iter().find(|(_, point)| fits(point)).map(|(number, _)| *number)
    }

    /// Forgets what the watched variables were.
    pub(super) fn forget(&mut self) {
        self.watched.iter_mut().for_each(|(_, _, known)| *known = None);
    }

    /// Remembers what the watched variables are.
    pub(super) fn look(&mut self, cx: &mut Context) {
        for (_, name, known) in &mut self.watched {
            *known = Some(cx.value(name));
        }
    }

    /// The first watched variable that is not what it was.
    pub(super) fn changed(&mut self, cx: &mut Context) -> Option<Watched> {
        let mut found = None;
        for (_, name, known) in &mut self.watched {
            let to = cx.value(name);
            if let Some(from) = known.replace(to.clone())
                && from.bytes() != to.bytes()
                && found.is_none()
            {
                found = Some(Watched { name: name.clone(), from, to });
            }
        }
        found
    }
}
