//! Header lines that ACLs add (specification 44.15).

use eximious_core::Str;
use eximious_stdlib::variables::var;

use super::machine::Run;

/// Where a header line goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderPlace {
    /// Behind all others (`:at_end:`, the default).
    End,
    /// Before all others (`:at_start:`).
    Start,
    /// Behind the Received lines at the start (`:after_received:`).
    AfterReceived,
    /// Before the first line that is neither a Received nor a Resent line
    /// (`:at_start_rfc:`).
    StartRfc,
}

/// A header line that an ACL adds.
#[derive(Clone, PartialEq, Debug)]
pub struct AddedHeader {
    /// The whole line, with a newline at its end.
    pub line: Str,
    /// Where it goes.
    pub place: HeaderPlace,
}

const PLACES: [(&[u8], HeaderPlace); 4] = [
    (b":at_start:", HeaderPlace::Start),
    (b":at_start_rfc:", HeaderPlace::StartRfc),
    (b":after_received:", HeaderPlace::AfterReceived),
    (b":at_end:", HeaderPlace::End),
];

impl Run<'_> {
    /// `add_header`: lines that are there already are not added again.
    pub(super) fn add_header(&mut self, text: &Str) {
        let (bytes, taint) = text.read();
        for line in logical_lines(bytes) {
            let found = PLACES.iter().find_map(|(word, place)| {
                line.strip_prefix(*word).map(|rest| (rest.trim_ascii_start(), *place))
            });
            let (line, place) = found.unwrap_or((line, HeaderPlace::End));
            let mut whole = match is_header(line) {
                true => line.to_vec(),
                // What is no header line becomes one.
                false => [b"X-ACL-Warn: ", line].concat(),
            };
            whole.push(b'\n');
            let header = AddedHeader { line: Str::from(whole).stamped(taint), place };
            if !self.state.headers_add.contains(&header) {
                self.state.headers_add.push(header);
            }
        }
        let all = self.state.headers_add.iter().map(|header| header.line.bytes());
        let mut shown = all.collect::<Vec<_>>().concat();
        if shown.last() == Some(&b'\n') {
            shown.pop();
        }
        self.cx.set_var(var::HEADERS_ADDED, Str::from(shown).stamped(taint));
    }
}

/// Lines, each with those that continue it.
fn logical_lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let continued = matches!(text.get(at + 1), Some(b' ' | b'\t'));
        if !continued {
            lines.push(&text[start..at]);
            start = at + 1;
        }
    }
    lines.push(&text[start..]);
    lines.retain(|line| !line.trim_ascii().is_empty());
    lines
}

fn is_header(line: &[u8]) -> bool {
    let name = line.iter().position(|byte| !(33..=126).contains(byte) || *byte == b':');
    name.is_some_and(|end| end > 0 && line[end..].trim_ascii_start().first() == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_continued() {
        let lines = logical_lines(b"a: b\n c\nd: e\n\n f");
        assert_eq!(lines, [b"a: b\n c".as_slice(), b"d: e", b"\n f"]);
        assert!(is_header(b"X-Y: z") && is_header(b"X:") && is_header(b"X : y"));
        assert!(!is_header(b"no header: x") && !is_header(b": x") && !is_header(b"x"));
    }
}
