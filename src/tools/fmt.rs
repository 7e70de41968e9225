//! Lays configurations out: bytes in, bytes out.
//!
//! What is changed is white space that Exim does not look at. The style:
//!
//! | what | where |
//! |---|---|
//! | main options, named lists, macros, `begin`, labels, rules | column 0 |
//! | `.ifdef`, `.include` and their like | column 0 |
//! | options of a driver, verbs of an ACL | 2 |
//! | conditions and modifiers below a verb | 4 |
//! | continuation lines | 4 more than what they continue, and 2 more for each brace that is open |
//! | comments | where the line below them is; at the end of a block, where the line above is |
//!
//! `name = value`, `NAME == text`, `hide name = value`, `verb name = value` and
//! `!name = value` have one space between their parts. Rules for rewriting or for
//! retries that stand together have their parts below each other. Blank lines in a row
//! become one, there is one before `begin`, and none at the end. Lines end
//! without white space and with a line feed.
//!
//! White space before the backslash of a line that goes on is part of a value,
//! and stays. So does everything about which a macro could decide: macros are
//! not replaced here, and any word with a capital letter in it may be one. A
//! line that is not understood keeps its text. Names of files after `.include`
//! are not followed: such a file is taken to end its last line, and to leave the
//! section that it is included in as it is. A file that begins with a
//! label or with a verb is taken for a part of a section.

mod columns;
mod layout;
mod shape;

use crate::config::macros::trim;
use layout::{Kind, Layout, Row};

/// A configuration, or a part of one, laid out.
///
/// ```
/// let text = b"qualify_domain=a.example\nbegin routers\nlocal :\n driver   = accept\n";
/// assert_eq!(
///     eximious::fmt::format(text),
///     b"qualify_domain = a.example\n\nbegin routers\nlocal:\n  driver = accept\n"
/// );
/// ```
pub fn format(text: &[u8]) -> Vec<u8> {
    let mut layout = Layout::default();
    let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|c| *c == b'\n');
    let rows: Vec<Row> = match text.is_empty() {
        true => Vec::new(),
        false => lines.map(|line| layout.row(line)).collect(),
    };
    let mut rows = space(rows);
    comments(&mut rows);
    columns::align(&mut rows);
    write(&rows, layout.closed())
}

/// Gives comments the place of what they belong to.
fn comments(rows: &mut [Row]) {
    // The nearest line of code, unless a blank line comes first, and the nearest
    // one behind blank lines.
    let mut below: Vec<(Option<usize>, Option<usize>)> = vec![(None, None); rows.len()];
    let (mut near, mut far) = (None, None);
    for (index, row) in rows.iter().enumerate().rev() {
        below[index] = (near, far);
        match row.kind {
            Kind::Blank => near = None,
            Kind::Code => (near, far) = (Some(index), Some(index)),
            Kind::Comment | Kind::Directive => {}
        }
    }
    let mut above: Option<usize> = None;
    // The column in which a block of comments was written.
    let mut written: Option<usize> = None;
    for index in 0..rows.len() {
        match rows[index].kind {
            Kind::Blank => above = None,
            Kind::Code => above = Some(index),
            Kind::Comment | Kind::Directive => {}
        }
        if rows[index].kind != Kind::Comment {
            written = None;
            continue;
        }
        if rows[index].open {
            continue;
        }
        let column = *written.get_or_insert(rows[index].written);
        let (near, far) = below[index];
        let inner = above.map(|above| rows[above].inner);
        rows[index].indent = match (near, inner) {
            (Some(near), inner) => match (rows[near].indent, inner.flatten()) {
                // It was written with the block that ends there.
                (Some(next), Some(inner)) if inner > next && column > next => Some(inner),
                (next, _) => next,
            },
            (None, Some(inner)) => inner,
            (None, None) => far.map_or(Some(0), |far| rows[far].indent),
        };
    }
}

/// One blank line where there are several, and where a section begins.
fn space(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        if row.kind == Kind::Blank && out.last().is_some_and(|last| last.kind == Kind::Blank) {
            continue;
        }
        let begins = row.begins && row.after_code && !row.open;
        out.push(row);
        if !begins {
            continue;
        }
        let mut top = out.len() - 1;
        while top > 0 && is_attached(&out[top - 1]) {
            top -= 1;
        }
        // A line that goes on would end at a blank one.
        let safe = out[top..].iter().all(|row| !row.open);
        if safe && top > 0 && out[top - 1].kind != Kind::Blank {
            out.insert(top, Row::blank());
        }
    }
    out
}

/// The rows as text. `closed` says that no line goes on behind the last one.
fn write(rows: &[Row], closed: bool) -> Vec<u8> {
    let last = rows.iter().rposition(|row| row.kind != Kind::Blank);
    let end = if closed { last.map_or(0, |last| last + 1) } else { rows.len() };
    let mut out = Vec::new();
    for row in &rows[..end] {
        match row.indent {
            Some(indent) => out.resize(out.len() + indent, b' '),
            None => out.extend_from_slice(&row.leading),
        }
        out.extend_from_slice(&row.text);
        out.push(b'\n');
    }
    out
}

/// Whether a row belongs to the `begin` below it.
fn is_attached(row: &Row) -> bool {
    match row.kind {
        // One that is indented belongs to what is above it.
        Kind::Comment => row.written == 0,
        Kind::Directive => trim(&row.text).starts_with(b".if"),
        Kind::Blank | Kind::Code => false,
    }
}
