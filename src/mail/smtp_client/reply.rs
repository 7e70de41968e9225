//! Replies (RFC 5321, section 4.2).

/// How much of a reply may come in before it has its end, all lines together.
const LONGEST: usize = 4093;

/// A reply: its lines as they came, the code in front of each. One that broke off between two
/// lines ends in a line feed, and says neither yes nor that more has to come.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply {
    text: Vec<u8>,
}

/// What the first digit of a reply says (RFC 5321, section 4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReplyClass {
    /// `2yz`: it is done.
    Completed,
    /// `3yz`: more has to come.
    Intermediate,
    /// `4yz`: not now.
    Transient,
    /// `5yz`: never.
    Permanent,
    /// A digit that means nothing in this place.
    Unknown,
}

impl Reply {
    /// What its first digit says.
    pub fn class(&self) -> ReplyClass {
        match self.text[0] {
            b'2' | b'3' if self.text.ends_with(b"\n") => ReplyClass::Unknown,
            b'2' => ReplyClass::Completed,
            b'3' => ReplyClass::Intermediate,
            b'4' => ReplyClass::Transient,
            b'5' => ReplyClass::Permanent,
            _ => ReplyClass::Unknown,
        }
    }

    /// The whole of it, with line feeds between its lines.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The code of its first line.
    pub fn code(&self) -> &[u8] {
        &self.text[..3]
    }

    /// Whether it says yes.
    pub fn accepts(&self) -> bool {
        self.class() == ReplyClass::Completed
    }

    /// Whether it says no for this time.
    pub fn puts_off(&self) -> bool {
        self.class() == ReplyClass::Transient
    }

    /// Whether it says no, once and for all.
    pub fn refuses(&self) -> bool {
        self.class() == ReplyClass::Permanent
    }

    /// What stands in its last line behind the code.
    pub fn last_text(&self) -> &[u8] {
        let line = self.text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        line.get(4..).unwrap_or_default()
    }
}

/// What stands in a reply's lines behind a code, the first line left out, and those with another
/// code.
pub(super) fn further_lines<'t>(text: &'t [u8], code: &[u8]) -> impl Iterator<Item = &'t [u8]> {
    let lines = text.split(|byte| *byte == b'\n').skip(1);
    lines.filter_map(move |line| line.strip_prefix(code)).filter_map(|rest| rest.get(1..))
}

/// Makes replies of what comes in.
#[derive(Debug, Default)]
pub struct Replies {
    /// What came in, and is in no line yet.
    coming: Vec<u8>,
    /// How much of it has no end of a line.
    seen: usize,
    /// The lines of the reply at hand.
    lines: Vec<u8>,
}

/// What came in so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// A reply.
    Reply(Reply),
    /// What no reply is: the lines so far.
    Malformed(Vec<u8>),
    /// More has to come in.
    More,
}

impl Replies {
    /// Takes what came in. Ask for replies before there is more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.coming.extend_from_slice(bytes);
    }

    /// Whether nothing came in that was not asked for yet.
    pub fn is_empty(&self) -> bool {
        self.coming.is_empty() && self.lines.is_empty()
    }

    /// The next reply.
    pub fn next_reply(&mut self) -> Read {
        loop {
            let found = memchr::memchr(b'\n', &self.coming[self.seen..]);
            let Some(end) = found.map(|at| at + self.seen) else {
                self.seen = self.coming.len();
                if self.before() + self.coming.len() < LONGEST {
                    return Read::More;
                }
                let rest = std::mem::take(&mut self.coming);
                return self.malformed(&rest);
            };
            let is_long = self.before() + end >= LONGEST;
            let line: Vec<u8> = self.coming.drain(..=end).collect();
            self.seen = 0;
            let line = if is_long { &line[..] } else { line.trim_ascii_end() };
            if is_long || !is_reply(line) {
                return self.malformed(line);
            }
            self.keep(line);
            if line.get(3) != Some(&b'-') {
                return Read::Reply(Reply { text: self.take_lines() });
            }
        }
    }

    /// What came before the end, where there are whole lines: no more will come.
    pub fn break_off(&mut self) -> Option<Reply> {
        self.coming.clear();
        self.seen = 0;
        let mut text = self.take_lines();
        if text.is_empty() {
            return None;
        }
        text.push(b'\n');
        Some(Reply { text })
    }

    /// How much stands before the line that is coming.
    fn before(&self) -> usize {
        self.lines.len() + usize::from(!self.lines.is_empty())
    }

    fn keep(&mut self, line: &[u8]) {
        if !self.lines.is_empty() {
            self.lines.push(b'\n');
        }
        self.lines.extend_from_slice(line);
    }

    fn malformed(&mut self, line: &[u8]) -> Read {
        self.keep(line);
        self.seen = 0;
        let mut text = self.take_lines();
        text.truncate(LONGEST);
        Read::Malformed(text)
    }

    /// The lines so far. Strings end at a zero byte, and so does what a server said.
    fn take_lines(&mut self) -> Vec<u8> {
        let mut lines = std::mem::take(&mut self.lines);
        let end = memchr::memchr(0, &lines).unwrap_or(lines.len());
        lines.truncate(end);
        lines
    }
}

fn is_reply(line: &[u8]) -> bool {
    line.len() >= 3
        && line[..3].iter().all(u8::is_ascii_digit)
        && matches!(line.get(3), None | Some(b' ' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut replies = Replies::default();
        let mut found = Vec::new();
        for byte in bytes {
            replies.push(&[*byte]);
            match replies.next_reply() {
                Read::More => {}
                Read::Reply(reply) => {
                    found.push(String::from_utf8_lossy(reply.text()).into_owned());
                }
                Read::Malformed(text) => {
                    found.push(format!("? {}", String::from_utf8_lossy(&text)));
                }
            }
        }
        found
    }

    #[test]
    fn replies_have_lines() {
        assert_eq!(read(b"220 hi\r\n250-a\r\n250 b\r\n"), ["220 hi", "250-a\n250 b"]);
        assert_eq!(read(b"550\r\n250 x \t\n"), ["550", "250 x"]);
        assert_eq!(read(b"550-one\r\n450 two\r\n"), ["550-one\n450 two"]);
        assert_eq!(read(b"220 hi"), [""; 0]);
    }

    #[test]
    fn what_no_reply_is() {
        assert_eq!(read(b"hello\r\n250 ok\r\n"), ["? hello", "250 ok"]);
        assert_eq!(read(b"25\r\n"), ["? 25"]);
        assert_eq!(read(b"2500 x\r\n"), ["? 2500 x"]);
        assert_eq!(read(b"250-a\r\nb\r\n"), ["? 250-a\nb"]);
        assert_eq!(read(b"\r\n"), ["? "]);
    }

    #[test]
    fn a_zero_byte_ends_a_reply() {
        assert_eq!(read(b"250-a\0b\r\n250 c\r\n250 d\0\r\n"), ["250-a", "250 d"]);
        assert_eq!(read(b"\0 250\r\n25\0 x\r\n"), ["? ", "? 25"]);
    }

    #[test]
    fn endless_lines_and_endless_replies_end() {
        let mut replies = Replies::default();
        replies.push(&[b"220 ".as_slice(), &[b'x'; 10_000]].concat());
        let Read::Malformed(text) = replies.next_reply() else { panic!("it is too long") };
        assert_eq!(text.len(), LONGEST);
        let mut replies = Replies::default();
        let mut pushed = 0;
        let text = loop {
            replies.push(b"250-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
            pushed += 1;
            match replies.next_reply() {
                Read::More => assert!(pushed < 200),
                Read::Malformed(text) => break text,
                Read::Reply(_) => panic!("it has no end"),
            }
        };
        assert!(text.len() <= LONGEST);
    }
}
