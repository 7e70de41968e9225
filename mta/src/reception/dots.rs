//! Lines as they come by SMTP, where a dot by itself ends a message.

/// What is known of the line at hand, and of the one before.
#[derive(Debug)]
pub(crate) struct Dots {
    /// Whether a line is coming of which the beginning was there.
    inside: bool,
    /// Whether what came last was a carriage return.
    returned: bool,
    /// Whether lines end in a newline alone, once the first has come.
    plain: Option<bool>,
    /// Whether the line before ended as lines have to.
    ended_well: bool,
}

/// What a line is, or a part of one.
pub(crate) enum Dotted<'l> {
    /// Text, without the dot that was put before it; and whether CRLF ends it.
    Text(&'l [u8], bool),
    /// The end of the message.
    End,
}

impl Dots {
    /// Before a message.
    pub(crate) fn new() -> Self {
        Self { inside: false, returned: false, plain: None, ended_well: true }
    }

    /// Whether a line is coming of which the beginning was there.
    pub(crate) fn is_inside(&self) -> bool {
        self.inside
    }

    /// Whether a line may begin, and CRLF has to end it.
    pub(crate) fn is_between_whole_lines(&self) -> bool {
        !self.inside && self.ended_well && self.plain == Some(false)
    }

    /// Takes a line with its newline, or a part of one. Only a dot between two ends of lines
    /// as they have to be ends the message.
    pub(crate) fn take<'l>(&mut self, line: &'l [u8]) -> Dotted<'l> {
        let ends = line.last() == Some(&b'\n');
        // Its carriage return may have come before.
        let whole = line.ends_with(b"\r\n") || (line == b"\n" && self.inside && self.returned);
        if ends && self.plain.is_none() {
            self.plain = Some(!whole);
        }
        let plain = self.plain == Some(true);
        let begins = !self.inside && self.ended_well;
        if begins && (line == b".\r\n" || (plain && line == b".\n")) {
            return Dotted::End;
        }
        self.inside = !ends;
        if ends {
            self.ended_well = plain || whole;
        }
        self.returned = line.last() == Some(&b'\r');
        let text = if begins { line.strip_prefix(b".").unwrap_or(line) } else { line };
        Dotted::Text(text, whole)
    }
}

/// The lines at the head of what came, up to the first that begins with a dot or does not end
/// in CRLF: how many bytes and lines. `each` gets them, with the return.
pub(crate) fn whole_lines(input: &[u8], mut each: impl FnMut(&[u8])) -> (usize, u64) {
    let (mut taken, mut lines) = (0, 0);
    for end in memchr::memchr_iter(b'\n', input) {
        let line = &input[taken..end];
        if line.first() == Some(&b'.') || line.last() != Some(&b'\r') {
            break;
        }
        each(line);
        (taken, lines) = (end + 1, lines + 1);
    }
    (taken, lines)
}
