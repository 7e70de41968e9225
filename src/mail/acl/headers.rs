//! Header lines that ACLs add (specification 44.15).

use eximious_core::{AclPhases, AclTerm, Str};
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::pattern;
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};

/// Where a header line goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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

/// `add_header`.
pub(super) static ADD_HEADER: AclTerm = words::modifier(
    &TermRun::Text(add_header),
    words::meta(
        "add_header",
        "add_header = [:at_start:|:after_received:|:at_start_rfc:|:at_end:]<name: text>",
        "specification 44.15",
        "Adds lines to the header of the message.",
        "It acts when the statement comes to it, whether or not later conditions hold. The lines \
         are visible in later ACLs that see the message, and are kept if it is accepted in the \
         end. A newline begins another line; a word in colons says where it goes.",
    ),
)
.phases(words::HEADER.union(AclPhases::DKIM));

fn add_header(run: &mut Run<'_>, text: &Str) -> Answer {
    run.add_header(text);
    Answer::Yes
}

/// `remove_header`.
pub(super) static REMOVE_HEADER: AclTerm = words::modifier(
    &TermRun::Text(remove_header),
    words::meta(
        "remove_header",
        "remove_header = <list of names>",
        "specification 44.16",
        "Takes lines out of the header of the message.",
        "All lines of each name go. What begins with a circumflex is a regular expression for the \
         whole line, in which upper and lower case differ and a colon is written twice. What routers and transports add later stays. Releases after 4.98 take it in \
         the ACL for DKIM too.",
    ),
)
.phases(words::HEADER);

fn remove_header(run: &mut Run<'_>, text: &Str) -> Answer {
    for pattern in elements_with(text.bytes(), b':').filter(|one| one.starts_with(b"^")) {
        if let Err(why) = pattern::check(&pattern) {
            let head = format!("regular expression error: {why} while compiling ");
            run.logged = Some(Str::from([head.as_bytes(), &pattern].concat()));
            return Answer::Error;
        }
    }
    run.state.headers_remove.push(text.clone());
    Answer::Yes
}

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
            // It is the same wherever it was to be added.
            if !self.state.headers_add.iter().any(|one| one.line == header.line) {
                self.state.headers_add.push(header);
            }
        }
        // A list, whose separator stands twice within a member.
        let all = self.state.headers_add.iter().map(|header| {
            let line = header.line.bytes();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            line.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\n\n"[..])
        });
        let shown = all.collect::<Vec<_>>().join(&b'\n');
        self.cx.set_var(var::HEADERS_ADDED, Str::from(shown).stamped(taint));
    }
}

/// Lines, each with those that continue it; none where there is nothing but newlines, and no
/// empty ones before or behind the others.
fn logical_lines(text: &[u8]) -> Vec<&[u8]> {
    let is_text = |byte: &u8| *byte != b'\n';
    let Some(start) = text.iter().position(is_text) else { return Vec::new() };
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    let text = &text[start..end];
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
    lines
}

fn is_header(line: &[u8]) -> bool {
    line.iter().find(|byte| !matches!(byte, 33..=126) || **byte == b':') == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_continued() {
        let lines = logical_lines(b"\n\na: b\n c\nd: e\n\n f\n");
        assert_eq!(lines, [b"a: b\n c".as_slice(), b"d: e", b"\n f"]);
        assert!(logical_lines(b"\n\n").is_empty() && logical_lines(b"").is_empty());
        assert!(is_header(b"X-Y: z") && is_header(b"X:") && is_header(b": x"));
        assert!(!is_header(b"no header: x") && !is_header(b"X : y") && !is_header(b"x"));
    }
}
