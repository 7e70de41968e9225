//! `headerwrap`.

use eximious_core::{
    Call, Effects, ErrorKind, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

/// `${headerwrap_cols_limit:…}`.
pub static HEADERWRAP: Operator = Operator {
    meta: Meta::new("headerwrap", Effects::NONE, TaintRule::Arguments)
        .since("4.97")
        .syntax("${headerwrap_<cols>_<limit>:<string>}")
        .summary("A string in lines, as a header wants them.")
        .docs(
            "A line ends before the given column, 80 if there is none, and the next one begins \
             with a tab, which counts for eight. It ends at white space where there is any after \
             the tenth byte, and that is dropped; otherwise in the middle of a word. What is \
             longer than the limit, 998 if there is none, is cut off; a last line is always \
             whole.",
        )
        .examples(&[
            Example::new("${headerwrap_20:one two three four five}", "one two three four\n\tfive"),
            Example::new("${headerwrap:short}", "short"),
        ])
        .source("specification 11.6"),
    run: OperatorRun::Plain(headerwrap),
};

/// How many columns a tab is counted for.
const TAB: usize = 8;

/// A line is not broken at white space before this offset.
const EARLIEST_BREAK: usize = 11;

/// How long a result may get where lines have no room for text.
const LONGEST_OF_NOTHING: usize = 64 << 10;

fn headerwrap(_: &mut Call<'_>, arg: &Str, params: Params<'_>) -> Result<Str, Fail> {
    let (columns, limit) = sizes(params.unwrap_or_default());
    let columns = if columns == 0 { usize::MAX } else { columns as usize };
    let limit = if limit == 0 { usize::MAX } else { limit as usize };
    let text = arg.bytes();
    if text.len() <= columns && !text.contains(&b'\n') {
        return Ok(arg.clone());
    }
    if columns <= TAB && limit > LONGEST_OF_NOTHING {
        let message = format!("headerwrap: lines of {columns} columns have no room for text");
        return Err(Fail::error(ErrorKind::Limit, message));
    }
    Ok(Str::from(wrapped(text, columns, limit)))
}

fn wrapped(text: &[u8], columns: usize, limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut width = columns;
    let mut rest = text;
    loop {
        let (length, next) = first_line(rest, width);
        out.extend_from_slice(&rest[..length]);
        rest = &rest[next..];
        if rest.is_empty() {
            return out;
        }
        // Only the last line may pass the limit.
        if out.len() >= limit {
            out.truncate(limit);
            return out;
        }
        out.extend_from_slice(b"\n\t");
        width = columns.saturating_sub(TAB);
    }
}

/// How long the first line is, and where the next one starts.
fn first_line(text: &[u8], width: usize) -> (usize, usize) {
    let window = &text[..text.len().min(width.saturating_add(1))];
    if let Some(end) = memchr::memchr(b'\n', window) {
        return (end, end + 1);
    }
    if text.len() <= width {
        return (text.len(), text.len());
    }
    let Some(at) = window.iter().rposition(is_space).filter(|at| *at >= EARLIEST_BREAK) else {
        return (width, width);
    };
    let end = text[1..at].iter().rposition(|c| !is_space(c)).map_or(1, |n| n + 2);
    let next = text[at..].iter().position(|c| !is_space(c)).map_or(text.len(), |n| at + n);
    (end, next)
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// The numbers after the name, as far as they can be read, with 32 bits.
fn sizes(params: &[u8]) -> (u32, u32) {
    const DEFAULTS: (u32, u32) = (80, 998);
    if params.is_empty() {
        return DEFAULTS;
    }
    // Without a first number lines are not broken.
    let (columns, rest) = number(params).unwrap_or((0, params));
    let second = memchr::memchr(b'_', rest).map(|at| &rest[at + 1..]);
    let limit = second.and_then(number).map(|(limit, _)| limit);
    (columns, limit.unwrap_or(DEFAULTS.1))
}

/// The number at the head of a text, as C's `scanf` reads an unsigned one, and
/// what stands after it.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let length = digits.iter().take_while(|c| c.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let value = digits[..length]
        .iter()
        .try_fold(0u64, |n, c| n.checked_mul(10).and_then(|n| n.checked_add(u64::from(c - b'0'))));
    let value = match value {
        Some(value) if negative => value.wrapping_neg(),
        Some(value) => value,
        None => u64::MAX,
    };
    Some((value as u32, &digits[length..]))
}
