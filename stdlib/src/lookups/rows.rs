//! Rows of a database as text (specification 9.13).

/// Adds a row to a result that may have some already. A row of one column is
/// its value; a row of more is `name=value` for each. `null` is what stands for
/// a value that is not there.
pub(super) fn push_row(
    result: &mut Option<Vec<u8>>,
    columns: &[Vec<u8>],
    row: &[Option<Vec<u8>>],
    null: &Null,
) {
    let begun = result.is_some();
    let out = result.get_or_insert_default();
    if begun {
        out.push(b'\n');
    }
    if let [value] = row {
        match (value, null) {
            (Some(value), _) => out.extend_from_slice(value),
            (None, Null::Word(word)) => out.extend_from_slice(word),
            // A single value that is not there leaves no trace, not even that
            // of a row, as long as nothing stands before it.
            (None, Null::Nothing) if !begun => *result = None,
            (None, Null::Nothing | Null::Empty) => {}
        }
        return;
    }
    for (name, value) in columns.iter().zip(row) {
        out.extend_from_slice(name);
        out.push(b'=');
        match (value, null) {
            (None, Null::Word(word)) => out.extend_from_slice(word),
            (None, Null::Nothing | Null::Empty) => out.extend_from_slice(b"\"\""),
            (Some(value), _) => quoted(out, value),
        }
        out.push(b' ');
    }
}

/// What a value looks like that is not there.
pub(super) enum Null {
    /// As this word.
    Word(&'static [u8]),
    /// As an empty value.
    Empty,
    /// As an empty value among others; alone, as nothing.
    Nothing,
}

/// A value as `${extract{name}{…}}` reads it again.
fn quoted(out: &mut Vec<u8>, value: &[u8]) {
    // For Exim, a value that begins with a zero byte is empty.
    let plain = !matches!(value.first(), None | Some(0 | b'"'))
        && !value.iter().any(|c| matches!(c, b' ' | b'\t' | b'\n' | b'\r'));
    if plain {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
