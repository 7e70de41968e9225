//! Header lines while they are worked on: what is taken out stays where it was,
//! with a mark.

use eximious::Header;

use crate::smtp::Replaced;

/// The header lines of a message that comes in.
#[derive(Debug, Default)]
pub(super) struct Lines(pub(super) Vec<Line>);

/// One of them.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) header: Header,
    /// Whether it is no part of the message any more.
    pub(super) struck: bool,
}

impl Line {
    pub(super) fn new(header: Header) -> Self {
        Self { header, struck: false }
    }

    /// Its name; white space before the colon is none of it.
    pub(super) fn name(&self) -> &[u8] {
        self.header.name.trim_ascii_end()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }
}

impl Lines {
    pub(super) fn new(headers: Vec<Header>) -> Self {
        Self(headers.into_iter().map(Line::new).collect())
    }

    /// Lines, and those that were taken out before.
    pub(super) fn joined(headers: Vec<Header>, replaced: Vec<Replaced>) -> Self {
        let mut lines = Vec::with_capacity(headers.len() + replaced.len());
        let mut gone = replaced.into_iter().peekable();
        let struck = |one: Replaced| Line { header: one.header, struck: true };
        for (at, header) in headers.into_iter().enumerate() {
            while let Some(one) = gone.next_if(|one| one.before <= at) {
                lines.push(struck(one));
            }
            lines.push(Line::new(header));
        }
        lines.extend(gone.map(struck));
        Self(lines)
    }

    /// Those that are still there.
    pub(super) fn standing(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.0.iter().filter(|line| !line.struck)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.standing().any(|line| line.is(name))
    }

    /// Takes out all lines with a name.
    pub(super) fn strike(&mut self, name: &str) {
        self.0.iter_mut().filter(|line| line.is(name)).for_each(|line| line.struck = true);
    }

    /// Adds a line behind all others.
    pub(super) fn push(&mut self, name: &str, value: &[u8]) {
        self.0.push(Line::new(made(name, value)));
    }

    /// Adds a line before all others.
    pub(super) fn push_front(&mut self, name: &str, value: &[u8]) {
        self.0.insert(0, Line::new(made(name, value)));
    }

    /// Marks a place behind all others, for lines that are told of later.
    pub(super) fn mark(&mut self) {
        self.0.push(Line { header: Header::new(Vec::new()), struck: true });
    }

    /// What is left, and what was taken out.
    pub(super) fn split(self) -> (Vec<Header>, Vec<Replaced>) {
        let (mut headers, mut replaced) = (Vec::new(), Vec::new());
        for Line { header, struck } in self.0 {
            match struck {
                true => replaced.push(Replaced { before: headers.len(), header }),
                false => headers.push(header),
            }
        }
        (headers, replaced)
    }
}

/// A header line.
pub(super) fn made(name: &str, value: &[u8]) -> Header {
    Header::new([name.as_bytes(), b": ", value, b"\n"].concat())
}
