//! Character sets: their names, and translation between them.
//!
//! Names are read as glibc's `iconv_open` reads them. Sets of one byte a
//! character are tables here, the East Asian ones go through `encoding_rs`,
//! which alone would read ISO 8859-1 as Windows-1252 and knows no code pages.

#[cfg(feature = "charsets")]
mod east_asian;
#[cfg(not(feature = "charsets"))]
#[path = "absent.rs"]
mod east_asian;
mod letters;
mod tables;
mod unicode;

use east_asian::EastAsian;
use tables::{TABLES, Table};
use unicode::Unicode;

/// A character set, and what is done with characters that it does not have.
#[derive(Clone, Copy, Debug)]
pub struct Charset {
    kind: Kind,
    lacking: Lacking,
    /// Whether bytes that are no character are left out (`//IGNORE`).
    skips: bool,
}

/// What is done with a character that a set does not have (`//TRANSLIT`, `//IGNORE`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lacking {
    /// The translation ends.
    Stop,
    /// It is left out.
    LeftOut,
    /// Letters that sound or look like it stand for it; where there are none, a question
    /// mark.
    Replaced,
}

/// Whether a word stands behind two slashes in a name.
fn has_word(name: &[u8], word: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(name, b"//") else { return false };
    let mut words = name[at..].split(|c| matches!(c, b'/' | b',')).map(<[u8]>::trim_ascii);
    words.any(|one| one.eq_ignore_ascii_case(word))
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// One byte a character.
    Table(&'static Table),
    /// Unicode in one of its forms.
    Unicode(Unicode),
    /// One or more bytes a character, some with shifts.
    EastAsian(EastAsian),
}

/// What a decoder found at the head of a text.
enum Step {
    /// A character, or two that stand for one code; and how many bytes that
    /// took.
    Text([Option<char>; 2], usize),
    /// A shift, and how many bytes it took.
    Shift(usize),
    /// Nothing that the character set knows.
    Bad,
}

impl Step {
    fn one(character: char, length: usize) -> Self {
        Self::Text([Some(character), None], length)
    }

    fn code(code: u32, length: usize) -> Self {
        char::from_u32(code).map_or(Self::Bad, |c| Self::one(c, length))
    }
}

/// What a decoder has to remember from one character to the next.
#[derive(Default)]
struct State {
    /// Whether the first bytes have been looked at for a byte order mark.
    begun: bool,
    /// Whether bytes come with the less significant one first.
    little: bool,
    /// The character set shifted to.
    shift: u8,
    /// Bits of a character that is not complete, and how many there are.
    bits: u32,
    count: u32,
    /// The first half of a pair that is not complete, or 0.
    high: u32,
}

impl Kind {
    /// The set with a name in capitals.
    fn find(name: &str) -> Option<Self> {
        if let Some(unicode) = Unicode::find(name) {
            return Some(Self::Unicode(unicode));
        }
        if let Some(east_asian) = EastAsian::find(name) {
            return Some(Self::EastAsian(east_asian));
        }
        Some(Self::Table(TABLES.iter().find(|table| table.names.contains(&name))?))
    }
}

impl Charset {
    /// The character set with a name; `None` where nobody knows it. Case,
    /// spaces and quotes don't matter. Behind two slashes, `TRANSLIT` and `IGNORE` say
    /// what is done with characters that it does not have; the latter passes over what is
    /// no character, too. The empty name is ASCII.
    pub fn find(name: &[u8]) -> Option<Self> {
        let skips = has_word(name, b"IGNORE");
        let lacking = match has_word(name, b"TRANSLIT") {
            true => Lacking::Replaced,
            false if skips => Lacking::LeftOut,
            false => Lacking::Stop,
        };
        Some(Self { kind: Kind::find(&normal(name))?, lacking, skips })
    }

    /// Whether a text whose head is no character could be the beginning of one.
    fn is_cut(self, rest: &[u8]) -> bool {
        match self.kind {
            Kind::Table(_) => false,
            Kind::EastAsian(_) => rest.len() == 1,
            Kind::Unicode(Unicode::Utf8) => std::str::from_utf8(rest)
                .is_err_and(|wrong| wrong.valid_up_to() == 0 && wrong.error_len().is_none()),
            // Where it would go on can't be told.
            Kind::Unicode(_) => true,
        }
    }

    fn step(self, state: &mut State, rest: &[u8]) -> Step {
        match self.kind {
            Kind::Table(table) => table.step(rest),
            Kind::Unicode(unicode) => unicode.step(state, rest),
            Kind::EastAsian(set) => set.step(state, rest),
        }
    }

    /// Adds a character; false where this set does not have it.
    fn push(self, out: &mut Vec<u8>, character: char) -> bool {
        match self.kind {
            Kind::Table(table) => table.push(out, character),
            Kind::Unicode(unicode) => unicode.push(out, character),
            Kind::EastAsian(set) => set.push(out, character),
        }
    }

    /// Adds a character, or what stands for it; false where the translation ends.
    fn put(self, out: &mut Vec<u8>, character: char) -> bool {
        self.push(out, character)
            || match self.lacking {
                Lacking::Stop => false,
                Lacking::LeftOut => true,
                Lacking::Replaced => letters::of(character)
                    .unwrap_or("?")
                    .chars()
                    .all(|letter| self.push(out, letter)),
            }
    }
}

/// Translates a text from one character set to another. From the first byte
/// on that can't be translated, all stays as it is.
pub fn translate(text: &[u8], from: Charset, to: Charset) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 2);
    let mut state = State::default();
    let mut at = 0;
    'text: while at < text.len() {
        match from.step(&mut state, &text[at..]) {
            Step::Text(characters, length) => {
                let before = out.len();
                for character in characters.into_iter().flatten() {
                    if !to.put(&mut out, character) {
                        out.truncate(before);
                        break 'text;
                    }
                }
                at += length;
            }
            Step::Shift(length) => at += length,
            Step::Bad if to.skips && !from.is_cut(&text[at..]) => at += 1,
            Step::Bad => break,
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

/// A text of a character set in Unicode.
///
/// # Errors
/// Where the first byte is that can't be translated.
pub fn decode(text: &[u8], from: Charset) -> Result<String, usize> {
    let mut out = String::with_capacity(text.len());
    let mut state = State::default();
    let mut at = 0;
    while at < text.len() {
        at += match from.step(&mut state, &text[at..]) {
            Step::Text(characters, length) => {
                out.extend(characters.into_iter().flatten());
                length
            }
            Step::Shift(length) => length,
            Step::Bad => return Err(at),
        };
    }
    Ok(out)
}

impl Table {
    fn step(&self, rest: &[u8]) -> Step {
        let Some(byte) = rest.first() else { return Step::Bad };
        let Some(index) = u16::from(*byte).checked_sub(self.first) else {
            return Step::one(char::from(*byte), 1);
        };
        match self.upper.chars().nth(usize::from(index)) {
            None | Some(tables::NOTHING) => Step::Bad,
            Some(character) => Step::one(character, 1),
        }
    }

    fn push(&self, out: &mut Vec<u8>, character: char) -> bool {
        let code = u32::from(character);
        if code < u32::from(self.first) {
            out.push(code as u8);
            return true;
        }
        let mut upper = self.upper.chars();
        match upper.position(|c| c == character && c != tables::NOTHING) {
            Some(index) => {
                out.push((usize::from(self.first) + index) as u8);
                true
            }
            None => false,
        }
    }
}

/// A name in capitals, without what does not matter in it.
fn normal(name: &[u8]) -> String {
    let mut normal = String::with_capacity(name.len());
    for byte in name {
        match byte {
            b'/' if normal.ends_with('/') => break,
            b'_' | b'-' | b'.' | b':' | b'/' | b'0'..=b'9' | b'A'..=b'Z' => {
                normal.push(char::from(*byte));
            }
            b'a'..=b'z' => normal.push(char::from(byte.to_ascii_uppercase())),
            b',' => break,
            _ => {}
        }
    }
    if normal.ends_with('/') {
        normal.pop();
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str, text: &[u8]) -> Option<Vec<u8>> {
        let (from, to) = (Charset::find(from.as_bytes())?, Charset::find(to.as_bytes())?);
        Some(translate(text, from, to))
    }

    #[test]
    fn what_has_no_counterpart_stays_with_all_behind_it() {
        let text = "\u{e9}\u{20ac}\u{e9}".as_bytes();
        let raw = b"\xe9\xe2\x82\xac\xc3\xa9".to_vec();
        assert_eq!(between("utf-8", "iso-8859-1", text), Some(raw));
        assert_eq!(between("utf-8", "iso-8859-15", text), Some(b"\xe9\xa4\xe9".to_vec()));
        assert_eq!(between("utf-8", "us-ascii", b"a\x80b"), Some(b"a\x80b".to_vec()));
    }

    #[test]
    fn what_has_no_counterpart_is_replaced_or_left_out_where_that_is_wanted() {
        let text = "J\u{fc}rgen \u{20ac}\u{4e2d} \u{430}\u{201c}\u{200b}.".as_bytes();
        for (set, expected) in [
            ("us-ascii//TRANSLIT", b"J?rgen EUR? a\".".as_slice()),
            ("us-ascii//translit//IGNORE", b"J?rgen EUR? a\"."),
            ("iso-8859-15//TRANSLIT", b"J\xfcrgen \xa4? a\"."),
            ("us-ascii//IGNORE", b"Jrgen  ."),
            ("iso-8859-1//IGNORE,TRANSLIT", b"J\xfcrgen EUR? a\"."),
            ("utf-8//TRANSLIT", text),
        ] {
            assert_eq!(between("utf-8", set, text).as_deref(), Some(expected), "{set}");
        }
        // What is no character is left out as well, unless it is only cut off.
        let cut = between("utf-8", "us-ascii//IGNORE", b"a\xe2\x82\xc3\xbcb\xffc\xc3");
        assert_eq!(cut.as_deref(), Some(b"abc\xc3".as_slice()));
    }

    #[test]
    fn names_are_read_as_iconv_reads_them() {
        for name in ["ISO-8859-1", "latin1", "iso8859-1//TRANSLIT", "\"iso 8859-1\"", "cp819"] {
            let found = between(name, "utf-8", b"\xe9");
            assert_eq!(found.as_deref(), Some("\u{e9}".as_bytes()), "{name}");
        }
        for name in ["nosuch", "iso-8859-1/x", "x-unknown", "utf-8-", "ks_c_5601-1987"] {
            assert!(Charset::find(name.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn every_table_reads_and_writes_the_same() {
        for table in TABLES {
            let name = table.names[0].as_bytes();
            let set = Charset::find(name).unwrap();
            let utf8 = Charset::find(b"utf-8").unwrap();
            for byte in 0..=255u8 {
                let there = translate(&[byte], set, utf8);
                if std::str::from_utf8(&there).is_ok() {
                    let back = translate(&there, utf8, set);
                    let again = translate(&back, set, utf8);
                    assert_eq!((back.len(), again), (1, there), "{:?} {byte}", table.names);
                }
            }
        }
    }

    #[test]
    fn any_bytes_come_to_an_end() {
        let sets = [
            "utf-7",
            "utf-16",
            "utf-32",
            "gb18030",
            "big5-hkscs",
            "euc-jp",
            "iso-2022-jp",
            "iso-2022-kr",
            "shift_jis",
            "uhc",
            "utf-8",
        ];
        for name in sets {
            for first in 0..=255u8 {
                for second in [0, b'+', b'-', b'$', b'A', 0x1b, 0x0e, 0x80, 0xa1, 0xd8, 0xfe, 0xff]
                {
                    for third in [0, b'B', 0x30, 0x80, 0xff] {
                        let text = [first, second, third, first, second];
                        between(name, "utf-8", &text).unwrap();
                        between("utf-8", name, &text).unwrap();
                    }
                }
            }
        }
    }
}
