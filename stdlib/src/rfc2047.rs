//! Encoded words (RFC 2047), made and read.

use std::borrow::Cow;

use memchr::memmem;

use crate::base64;
use crate::charset::{Charset, translate};

/// How long an encoded word may be.
const LONGEST_WORD: usize = 75;

/// Where a word ends, with its frame or, for the first one, without it.
const FULL: usize = 67;

/// A text as encoded words that name a character set, where it needs them:
/// where it has a byte that is not printable ASCII, or one of the characters
/// that mean something in a header line.
pub fn encode<'a>(text: &'a [u8], charset: &[u8]) -> Cow<'a, [u8]> {
    if text.iter().all(|c| *c == b' ' || is_plain(*c)) {
        return Cow::Borrowed(text);
    }
    let frame = [b"=?", charset, b"?Q?"].concat();
    let mut out = Vec::with_capacity(text.len() * 3 + frame.len() + 2);
    out.extend_from_slice(&frame);
    // The first word's frame does not count, so it may be longer than the rest.
    let mut start = out.len();
    let mut half = false;
    for byte in text {
        // A pair of encoded bytes is not taken apart: it may be one letter.
        if out.len() - start > FULL && !half {
            out.extend_from_slice(b"?= ");
            start = out.len();
            out.extend_from_slice(&frame);
        }
        match byte {
            byte if *byte == b' ' || is_plain(*byte) => {
                out.push(if *byte == b' ' { b'_' } else { *byte });
                half = false;
            }
            byte => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                let digit = |n: u8| DIGITS[usize::from(n & 15)];
                out.extend_from_slice(&[b'=', digit(byte >> 4), digit(*byte)]);
                half = !half;
            }
        }
    }
    out.extend_from_slice(b"?=");
    Cow::Owned(out)
}

/// Whether a byte may stand in an encoded word as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"?=()<>@,;:\\\".[]_".contains(&byte)
}

/// What became of a text with encoded words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoded<'a> {
    /// The text, with the words decoded.
    pub text: Cow<'a, [u8]>,
    /// Exim's words about the last character set that nobody knows. The words
    /// that name it are decoded, but not translated.
    pub complaint: Option<Vec<u8>>,
}

/// Decodes the encoded words in a text. What looks like one and is not stays as
/// it is; white space between two of them goes. A zero byte becomes a question
/// mark.
///
/// With a target, words are translated to that character set; without, their
/// bytes are taken as they are. Where lengths are checked, a word that is longer
/// than the RFC allows is not one.
pub fn decode<'a>(text: &'a [u8], target: Option<&[u8]>, check_length: bool) -> Decoded<'a> {
    decode_to(text, target, check_length, b'?')
}

/// The same, but a zero byte stays one.
pub fn decode_with_zeros<'a>(
    text: &'a [u8],
    target: Option<&[u8]>,
    check_length: bool,
) -> Decoded<'a> {
    decode_to(text, target, check_length, 0)
}

/// The same for parameters of a part (MIME), where a zero byte becomes a space.
pub fn decode_with_spaces(text: &[u8], check_length: bool) -> Decoded<'_> {
    decode_to(text, None, check_length, b' ')
}

fn decode_to<'a>(
    text: &'a [u8],
    target: Option<&[u8]>,
    check_length: bool,
    zero: u8,
) -> Decoded<'a> {
    let mut words = Words { text, at: 0, close: 0, check_length };
    let Some(mut word) = words.next() else {
        return Decoded { text: Cow::Borrowed(text), complaint: None };
    };
    let mut out = Vec::with_capacity(text.len());
    let mut complaint = None;
    let mut done = 0;
    loop {
        let between = &text[done..word.start];
        if done == 0 || !between.iter().all(|c| matches!(c, b' ' | 9..=13)) {
            out.extend_from_slice(between);
        }
        let bytes = match target {
            Some(target) => translated(word.bytes, word.charset, target, &mut complaint),
            None => word.bytes,
        };
        out.extend(bytes.into_iter().map(|c| if c == 0 { zero } else { c }));
        done = word.end;
        match words.next() {
            Some(next) => word = next,
            None => break,
        }
    }
    out.extend_from_slice(&text[done..]);
    Decoded { text: Cow::Owned(out), complaint }
}

fn translated(bytes: Vec<u8>, from: &[u8], to: &[u8], complaint: &mut Option<Vec<u8>>) -> Vec<u8> {
    match (Charset::find(from), Charset::find(to)) {
        (Some(from), Some(to)) => translate(&bytes, from, to),
        _ => {
            *complaint = Some(
                [
                    b"iconv_open(\"",
                    to,
                    b"\", \"",
                    from,
                    b"\") failed: Invalid argument (maybe unsupported conversion)",
                ]
                .concat(),
            );
            bytes
        }
    }
}

/// An encoded word.
struct Word<'a> {
    /// Where it begins and ends in the text.
    start: usize,
    end: usize,
    /// The character set that it names.
    charset: &'a [u8],
    /// What it holds.
    bytes: Vec<u8>,
}

/// Finds the encoded words of a text, one after the other.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
    /// The last `?=` that was found: many openings before one closing would
    /// otherwise look for it again and again.
    close: usize,
    check_length: bool,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let start = self.at + memmem::find(&self.text[self.at..], b"=?")?;
            // What is not a word may hold one.
            self.at = start + 2;
            if let Some(word) = self.word(start) {
                self.at = word.end;
                return Some(word);
            }
        }
    }
}

impl<'a> Words<'a> {
    /// The word at a place, if there is one.
    fn word(&mut self, start: usize) -> Option<Word<'a>> {
        let text = self.text;
        let inner = start + 2;
        let mark = inner + memchr::memchr(b'?', &text[inner..])?;
        let ([encoding, b'?', ..], charset) = (&text[mark + 1..], &text[inner..mark]) else {
            return None;
        };
        let from = mark + 3;
        let to = self.closing(from)?;
        if self.check_length && to + 2 - start > LONGEST_WORD {
            return None;
        }
        let bytes = match encoding {
            // The question mark of another opening ends the search at once.
            b'b' | b'B' if memchr::memchr(b'?', &text[from..to]).is_some() => return None,
            b'b' | b'B' => base64::decode(&text[from..to])?,
            b'q' | b'Q' => quoted(&text[from..to])?,
            _ => return None,
        };
        Some(Word { start, end: to + 2, charset, bytes })
    }

    /// The first `?=` from a place on.
    fn closing(&mut self, from: usize) -> Option<usize> {
        if self.close < from {
            let found = memmem::find(&self.text[from..], b"?=");
            self.close = found.map_or(usize::MAX, |offset| from + offset);
        }
        (self.close != usize::MAX).then_some(self.close)
    }
}

/// Decodes the Q encoding; `None` where it is not well-formed.
fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b' ' | b'\t' => return None,
            b'_' => out.push(b' '),
            b'=' => {
                let ([high, low], tail) = tail.split_first_chunk()?;
                out.push(digit(*high)? << 4 | digit(*low)?);
                rest = tail;
            }
            byte => out.push(*byte),
        }
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|n| n as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8], target: Option<&[u8]>, check_length: bool) -> Vec<u8> {
        decode(text, target, check_length).text.into_owned()
    }

    #[test]
    fn a_target_is_optional() {
        let text = b"=?iso-8859-1?q?=E9?= =?nosuch?q?=E9?=";
        assert_eq!(decoded(text, None, true), b"\xe9\xe9");
        assert_eq!(decoded(text, Some(b"UTF-8"), true), b"\xc3\xa9\xe9");
        assert_eq!(decoded(text, Some(b"us-ascii"), true), b"\xe9\xe9");
    }

    #[test]
    fn long_words_count_on_request() {
        let text = [b"=?utf-8?q?", &[b'a'; 80][..], b"?="].concat();
        assert_eq!(decoded(&text, None, true), text);
        assert_eq!(decoded(&text, None, false), [b'a'; 80]);
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for length in 0..400 {
            let text: Vec<u8> = (0..length).map(|n| (n * 7 + length) as u8 | 1).collect();
            let words = encode(&text, b"UTF-8");
            assert_eq!(decoded(&words, None, false), text);
        }
    }

    /// Openings without an end, bytes that UTF-8 does not know, words that break
    /// off: linear time, no state from one text to the next.
    #[test]
    fn cve_2026_40686_words_of_any_bytes() {
        for piece in
            [&b"=?a?b?"[..], b"=?a?q?", b"=?a?q?=", b"=?", b"?=", b"=?utf-8?q?=F8=80", b"\xf8="]
        {
            let mut text = piece.repeat(100_000);
            assert_eq!(decoded(&text, Some(b"UTF-8"), false), text);
            text.extend_from_slice(b" =?utf-8?q?=C3=A9?=");
            assert!(decoded(&text, Some(b"UTF-8"), false).ends_with("\u{e9}".as_bytes()));
            assert_eq!(decoded(b"plain", Some(b"UTF-8"), false), b"plain");
        }
    }
}
