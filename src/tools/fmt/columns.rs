//! Rules for rewriting and for retries, with their parts below each other.

use eximious_grammar::config::{retry_line, rewrite_line};

use super::layout::{Kind, Row};
use super::shape::{has_begin, may_be_macro};
use crate::config::macros::trim;

/// A part that is longer does not push the others away.
const WIDEST: usize = 40;
/// How many spaces stand between two parts, at least.
const GAP: usize = 2;

/// Where the parts of a rule for rewriting begin.
pub(super) fn rewrite(line: &[u8]) -> Vec<usize> {
    let Some(form) = rewrite_line(line) else { return Vec::new() };
    let flags = form.flags.filter(|flags| flags.start < flags.end);
    let spans = [Some(form.pattern), form.replacement, flags];
    cells(line, spans.into_iter().flatten().map(|span| span.start as usize))
}

/// Where the parts of a rule for retries begin.
pub(super) fn retry(line: &[u8]) -> Vec<usize> {
    let Some(form) = retry_line(line) else { return Vec::new() };
    let Some(error) = form.error else { return Vec::new() };
    // What follows the error stays as it was written.
    let end = error.end as usize;
    let rest = line[end..].iter().position(|c| !eximious_grammar::is_space(*c));
    let starts = [Some(form.pattern.start as usize), Some(error.start as usize)];
    cells(line, starts.into_iter().flatten().chain(rest.map(|rest| end + rest)))
}

/// The beginnings, unless a macro could bring quotes that hold the white space
/// between two parts, or the rule would become the beginning of a section.
fn cells(line: &[u8], starts: impl Iterator<Item = usize>) -> Vec<usize> {
    let starts: Vec<usize> = starts.collect();
    let last = starts.last().copied().unwrap_or(0);
    let stays = may_be_macro(&line[..last]) || has_begin(line);
    if starts.len() < 2 || stays { Vec::new() } else { starts }
}

/// Aligns the rules that stand together: no blank line is between them.
pub(super) fn align(rows: &mut [Row]) {
    let mut from = 0;
    while from < rows.len() {
        let ends = |row: &Row| row.kind == Kind::Blank;
        let to = rows[from..].iter().position(ends).map_or(rows.len(), |n| from + n);
        align_block(&mut rows[from..to]);
        from = to + 1;
    }
}

fn align_block(rows: &mut [Row]) {
    // A rule alone often stands below a comment that is its heading.
    if rows.iter().filter(|row| !row.cells.is_empty()).count() < 2 {
        return;
    }
    let mut widths: Vec<usize> = Vec::new();
    for row in rows.iter().filter(|row| !row.cells.is_empty()) {
        let parts = parts(row);
        for (column, part) in parts[..parts.len() - 1].iter().enumerate() {
            let width = width(part);
            if widths.len() <= column {
                widths.push(0);
            }
            if width <= WIDEST {
                widths[column] = widths[column].max(width);
            }
        }
    }
    for row in rows.iter_mut().filter(|row| !row.cells.is_empty()) {
        let parts = parts(row);
        let mut text = Vec::with_capacity(row.text.len());
        for (column, part) in parts.iter().enumerate() {
            text.extend_from_slice(part);
            if column + 1 < parts.len() {
                let missing = widths[column].saturating_sub(width(part));
                text.resize(text.len() + missing + GAP, b' ');
            }
        }
        row.text = text;
        row.cells.clear();
    }
}

/// The parts of a rule, without the white space between them.
fn parts(row: &Row) -> Vec<&[u8]> {
    let ends = row.cells[1..].iter().copied().chain([row.text.len()]);
    let spans = row.cells.iter().zip(ends);
    spans.map(|(start, end)| trim(&row.text[*start..end])).collect()
}

/// How many characters a text has, as far as UTF-8 tells.
fn width(text: &[u8]) -> usize {
    text.iter().filter(|c| **c & 0xc0 != 0x80).count()
}
