//! Texts of messages, line by line, as nobody should write them.

use fastrand::Rng;

use crate::dice::Dice;

/// How carefully a message's lines are ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Care {
    /// As its way wants it.
    Whole,
    /// Each as it comes.
    None,
}

/// A message that is being written.
pub(super) struct Writer {
    care: Care,
    /// The end of a line.
    end: &'static [u8],
    /// Its lines, with their ends.
    pub(super) lines: Vec<Vec<u8>>,
}

const NAMES: &[&str] = &[
    "Subject",
    "subject",
    "To",
    "From",
    "X",
    "x-a",
    "Received",
    "Received",
    "Message-ID",
    "Date",
    "Cc",
    "Bcc",
    "Sender",
    "Reply-To",
    "Return-Path",
    "Resent-To",
    "Resent-From",
    "Resent-Message-Id",
    "Resent-Bcc",
    "Envelope-To",
    "Delivery-Date",
    "Content-Type",
    "Content-Length",
    "Lines",
    "Status",
];

/// Names that are none, or look like it.
const ODD_NAMES: &[&[u8]] = &[
    b"",
    b" ",
    b"X ",
    b"X\t",
    b" X",
    b"\tX",
    b"X Y",
    b"X\x01",
    b"\x7fX",
    b"caf\xe9",
    b"\xc3\xa9",
    b"X\0",
    b"\0",
    b"X\x0b",
    b"X\x0c ",
    b".X",
    b"..",
    b"From",
    b"From ",
    b">From",
    b"-",
    b"X-\"a\"",
];

/// What is no header line.
const STRAY: &[&[u8]] = &[
    b"stray",
    b"stray line",
    b"From x@y.test Mon Jan  1 00:00:00 2024",
    b"From x@y.test Thu, 01 Jan 2024 00:00:00",
    b"From ",
    b"From: ",
    b"X",
    b"=",
    b"\0",
    b"\x01: x",
    b"\xe9",
    b".",
    b" ",
    b"\t",
    b"a=b",
];

const VALUES: &[&[u8]] = &[
    b"",
    b"a",
    b"a b  c",
    b"a@l.test",
    b"a@l.test, b@l.test",
    b"<x@y.test>",
    b"A B <x@y.test> (c)",
    b"bad@@",
    b"by x with y; now",
    b"=?utf-8?q?=c3=a9_b?=",
    b"=?iso-8859-1?b?6Q==?= =?utf-8?q?a?=",
    b"=?utf-8?q?a",
    b"\xe9\xff",
    b"\xc3\xa9",
    b"a\0b",
    b"a: b",
    b":",
    b".",
    b"..",
    b"\t",
    b"text/plain; charset=utf-8",
    b"multipart/mixed; boundary=b",
];

const BODY: &[&[u8]] = &[
    b"",
    b"",
    b"a",
    b"some text",
    b"From here",
    b">From there",
    b" indented",
    b"X: y",
    b".",
    b"..",
    b"...",
    b".x",
    b". ",
    b" .",
    b".\0",
    b"\0",
    b"a\0b",
    b"\xe9\xff",
    b"\xc3\xa9",
    b"--b",
    b"--b--",
    b"\t",
    b"RSET",
    b"QUIT",
    b"BDAT 3",
];

impl Writer {
    /// Nothing yet.
    pub(super) fn new(care: Care, end: &'static [u8]) -> Self {
        Self { care, end, lines: Vec::new() }
    }

    /// A message.
    pub(super) fn message(&mut self, rng: &mut Rng) {
        if rng.chance(40) {
            return;
        }
        if rng.chance(12) {
            let line = rng.pick(&STRAY[2..5]).to_vec();
            self.line(rng, line);
        }
        for _ in 0..rng.usize(..7) {
            let line = self.field(rng);
            self.line(rng, line);
        }
        if rng.chance(8) {
            let line = rng.pick(STRAY).to_vec();
            self.line(rng, line);
        } else {
            self.line(rng, Vec::new());
        }
        for _ in 0..rng.usize(..6) {
            let line = self.text(rng);
            self.line(rng, line);
        }
        // A last line without an end.
        if rng.chance(6)
            && let Some(last) = self.lines.last_mut()
        {
            let end = last.len() - last.iter().rev().take_while(|c| b"\r\n".contains(c)).count();
            last.truncate(end);
        }
    }

    /// A line, with an end.
    fn line(&mut self, rng: &mut Rng, mut line: Vec<u8>) {
        line.extend_from_slice(self.end(rng));
        self.lines.push(line);
    }

    /// An end of a line.
    fn end(&self, rng: &mut Rng) -> &'static [u8] {
        match self.care == Care::None && rng.chance(4) {
            true => rng.pick(&[b"\r\n".as_slice(), b"\n", b"\n", b"\r", b"\r\r\n", b"\n\r\n"]),
            false => self.end,
        }
    }

    /// A header line, or what looks like it.
    fn field(&self, rng: &mut Rng) -> Vec<u8> {
        let mut line = match rng.chance(12) {
            true => rng.pick(ODD_NAMES).to_vec(),
            false => rng.pick(NAMES).as_bytes().to_vec(),
        };
        if !rng.chance(60) {
            line.push(b':');
        }
        if !rng.chance(8) {
            line.extend_from_slice(rng.pick(&[b" ".as_slice(), b" ", b" ", b"\t", b"  "]));
        }
        // The real one breaks its log's lines where it quotes an address.
        let most = if may_hold_addresses(&line) { 2 } else { 4 };
        for number in 0..rng.usize(1..most) {
            if number > 0 {
                line.extend_from_slice(rng.pick(&[b"".as_slice(), b"", b" ", b",", b";"]));
                line.extend_from_slice(self.end(rng));
                line.extend_from_slice(rng.pick(&[b" ".as_slice(), b"\t", b"  ", b" \t"]));
                if rng.chance(12) {
                    // A continuation with nothing in it.
                    line.extend_from_slice(self.end(rng));
                    line.push(b' ');
                }
            }
            match rng.chance(10) {
                true => line.extend(std::iter::repeat_n(b'a', length(rng))),
                false => line.extend_from_slice(rng.pick(VALUES)),
            }
        }
        line
    }

    /// A line of the text.
    fn text(&self, rng: &mut Rng) -> Vec<u8> {
        match rng.chance(8) {
            true => {
                let mut line = vec![b'x'; length(rng)];
                if rng.chance(4) {
                    line.insert(0, b'.');
                }
                line
            }
            false => rng.pick(BODY).to_vec(),
        }
    }
}

/// Whether a header line may be one that addresses stand in.
fn may_hold_addresses(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    let names = ["to", "from", "cc", "bcc", "sender"];
    names.iter().any(|name| text.contains(name))
}

/// How long something is that is long.
fn length(rng: &mut Rng) -> usize {
    match rng.u32(..6) {
        0 => rng.usize(70..85),
        1 => rng.usize(190..210),
        2 => rng.usize(290..310),
        3 => rng.usize(990..1010),
        4 => rng.usize(8180..8200),
        _ => rng.usize(20..2000),
    }
}
