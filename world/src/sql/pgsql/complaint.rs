//! What a PostgreSQL server complains of, as the client's library words it.

use super::super::wire::{Packet, WireError};

/// How much of a line is shown.
const SHOWN: usize = 60;
/// How much of it is shown to the right of the place that is meant.
const RIGHT: usize = 10;

/// The fields of an error.
#[derive(Default)]
pub struct PgsqlError<'a> {
    severity: &'a [u8],
    message: &'a [u8],
    detail: Option<&'a [u8]>,
    hint: Option<&'a [u8]>,
    context: Option<&'a [u8]>,
    position: Option<usize>,
    internal_position: Option<usize>,
    internal_query: Option<&'a [u8]>,
}

impl<'a> PgsqlError<'a> {
    /// Reads the fields.
    pub fn read(body: &'a [u8]) -> Result<Self, WireError> {
        let mut body = Packet(body);
        let mut complaint = Self::default();
        loop {
            let kind = body.byte()?;
            if kind == 0 {
                return Ok(complaint);
            }
            let text = body.text()?;
            match kind {
                b'S' => complaint.severity = text,
                b'M' => complaint.message = text,
                b'D' => complaint.detail = Some(text),
                b'H' => complaint.hint = Some(text),
                b'W' => complaint.context = Some(text),
                b'P' => complaint.position = number(text),
                b'p' => complaint.internal_position = number(text),
                b'q' => complaint.internal_query = Some(text),
                _ => {}
            }
        }
    }

    /// All of it, with the line that is meant.
    pub fn words(&self, statement: Option<&[u8]>, utf8: bool) -> Vec<u8> {
        let mut out = [self.severity, b":  ", self.message].concat();
        out.push(b'\n');
        match (self.position, self.internal_position) {
            (Some(at), _) => place(&mut out, statement.unwrap_or_default(), at, utf8),
            (None, Some(at)) => {
                place(&mut out, self.internal_query.unwrap_or_default(), at, utf8);
            }
            (None, None) => {}
        }
        for (label, text) in [
            (&b"DETAIL:  "[..], self.detail),
            (b"HINT:  ", self.hint),
            (b"QUERY:  ", self.internal_query),
            (b"CONTEXT:  ", self.context),
        ] {
            if let Some(text) = text {
                out.extend_from_slice(label);
                out.extend_from_slice(text);
                out.push(b'\n');
            }
        }
        out
    }
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|number| *number > 0)
}

/// Shows the line that a position lies in, and a caret under it. Positions
/// count from one.
fn place(out: &mut Vec<u8>, statement: &[u8], position: usize, utf8: bool) {
    let characters = cut(statement, utf8);
    let at = position - 1;
    if at > characters.len() {
        return;
    }
    let is_end = |character: &[u8]| matches!(character, b"\n" | b"\r");
    let mut line = 1;
    let mut start = 0;
    for index in 0..at {
        if is_end(characters[index]) {
            // A carriage return and a newline end one line.
            let pair = characters[index] == b"\r" && characters.get(index + 1) == Some(&&b"\n"[..]);
            if !pair {
                line += 1;
                start = index + 1;
            }
        }
    }
    let length = characters[start..].iter().position(|character| is_end(character));
    let text = &characters[start..length.map_or(characters.len(), |length| start + length)];
    let at = at - start;
    let right = text.len().min(SHOWN.max(at.saturating_add(RIGHT)));
    let left = right.saturating_sub(SHOWN);
    let mut shown = format!("LINE {line}: ").into_bytes();
    let mut caret = shown.len() + at.saturating_sub(left);
    if left > 0 {
        shown.extend_from_slice(b"...");
        caret += 3;
    }
    for character in &text[left..right] {
        shown.extend_from_slice(if *character == b"\t" { b" " } else { character });
    }
    if right < text.len() {
        shown.extend_from_slice(b"...");
    }
    out.extend_from_slice(&shown);
    out.push(b'\n');
    out.resize(out.len() + caret, b' ');
    out.extend_from_slice(b"^\n");
}

/// The characters of a text, or its bytes.
fn cut(text: &[u8], utf8: bool) -> Vec<&[u8]> {
    let mut characters = Vec::new();
    let mut start = 0;
    for end in 1..=text.len() {
        let inside = utf8 && text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80);
        if !inside {
            characters.push(&text[start..end]);
            start = end;
        }
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, position: usize, wanted: &str) {
        let mut out = Vec::new();
        place(&mut out, statement.as_bytes(), position, true);
        assert_eq!(String::from_utf8_lossy(&out), wanted, "{statement}");
    }

    #[test]
    fn the_line_is_shown() {
        check("selekt", 1, "LINE 1: selekt\n        ^\n");
        check("select 1 +", 11, "LINE 1: select 1 +\n                  ^\n");
        check("select\r\n1,\tx\nfrom t", 12, "LINE 2: 1, x\n           ^\n");
        check("select 'ü', x", 13, "LINE 1: select 'ü', x\n                    ^\n");
        check("x", 9, "");
        let long = format!("select {}, nosuch, {}", "1".repeat(60), "2".repeat(60));
        let shown = format!("...{}, nosuch, 22...", "1".repeat(48));
        check(&long, 70, &format!("LINE 1: {shown}\n{}^\n", " ".repeat(8 + 3 + 50)));
    }

    #[test]
    fn a_complaint_that_is_no_complaint() {
        assert!(PgsqlError::read(b"").is_err());
        assert!(PgsqlError::read(b"S").is_err());
        assert!(PgsqlError::read(b"SERROR").is_err());
        assert!(PgsqlError::read(b"SERROR\0").is_err());
        let complaint = PgsqlError::read(b"SERROR\0Mno\0P99999999999999999999999\0P0\0\0");
        assert_eq!(complaint.expect("a complaint").words(None, true), b"ERROR:  no\n");
    }
}
