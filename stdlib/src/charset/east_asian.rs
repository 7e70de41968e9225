//! The character sets of China, Japan and Korea.
//!
//! The tables are `encoding_rs`'s, which follows the web: its sets take more
//! than mail's iconv takes. So each code is cut out and checked here before it
//! is looked up.

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS};

use super::{State, Step};

/// A set of one or more bytes a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EastAsian {
    /// GB 2312, as EUC.
    Gb2312,
    /// Its extension by Microsoft.
    Gbk,
    /// Its extension to all of Unicode.
    Gb18030,
    /// Taiwan's, with ETEN's extensions.
    Big5,
    /// The same with Hong Kong's characters.
    Hkscs,
    /// JIS X 0201 and 0208, shifted.
    ShiftJis,
    /// Its extension by Microsoft.
    Cp932,
    /// JIS X 0208 and 0212, as EUC.
    EucJp,
    /// The same with escape sequences (RFC 1468).
    Iso2022Jp,
    /// KS X 1001, as EUC.
    EucKr,
    /// Its extension by Microsoft.
    Uhc,
    /// The same with shifts (RFC 1557).
    Iso2022Kr,
}

use EastAsian::{
    Big5, Cp932, EucJp, EucKr, Gb2312, Gb18030 as Gb, Gbk, Hkscs, Iso2022Jp, Iso2022Kr, ShiftJis,
    Uhc,
};

impl EastAsian {
    /// The set with a name in capitals.
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "GB2312" | "EUC-CN" | "EUCCN" | "CN-GB" | "CSGB2312" => Gb2312,
            "GBK" | "CP936" | "MS936" | "WINDOWS-936" => Gbk,
            "GB18030" => Gb,
            "BIG5" | "BIG-5" | "BIG-FIVE" | "BIGFIVE" | "CN-BIG5" | "CP950" => Big5,
            "BIG5-HKSCS" | "BIG5HKSCS" => Hkscs,
            "SHIFT_JIS" | "SHIFT-JIS" | "SJIS" | "MS_KANJI" | "CSSHIFTJIS" => ShiftJis,
            "CP932" | "MS932" | "SJIS-OPEN" | "SJIS-WIN" | "WINDOWS-31J" | "CSWINDOWS31J" => Cp932,
            "EUC-JP" | "EUCJP" | "UJIS" | "CSEUCPKDFMTJAPANESE" => EucJp,
            "ISO-2022-JP" | "ISO2022JP" | "CSISO2022JP" => Iso2022Jp,
            "EUC-KR" | "EUCKR" | "CSEUCKR" => EucKr,
            "UHC" | "CP949" | "MSCP949" => Uhc,
            "ISO-2022-KR" | "ISO2022KR" | "CSISO2022KR" => Iso2022Kr,
            _ => return None,
        })
    }

    /// The character at the head of a text.
    pub(super) fn step(self, state: &mut State, rest: &[u8]) -> Step {
        match self {
            Iso2022Jp => iso2022jp(state, rest),
            Iso2022Kr => iso2022kr(state, rest),
            _ => {
                let Some(first) = rest.first().copied() else { return Step::Bad };
                let second = rest.get(1).copied().unwrap_or_default();
                if first < 0x80 {
                    return Step::one(self.ascii(first), 1);
                }
                match self.length(first, second) {
                    Length::Single(character) => Step::one(character, 1),
                    Length::Bytes(length) => match rest.get(..length) {
                        Some(code) => self.code(code),
                        None => Step::Bad,
                    },
                    Length::None => Step::Bad,
                }
            }
        }
    }

    /// Adds a character; false where this set does not have it, or where it
    /// would need shifts.
    pub(super) fn push(self, out: &mut Vec<u8>, character: char) -> bool {
        let encoding = match self {
            Iso2022Jp | Iso2022Kr => return false,
            _ => self.encoding(),
        };
        let mut text = [0; 4];
        let (code, _, missing) = encoding.encode(character.encode_utf8(&mut text));
        // What is not read back as the same character is not in this set.
        let mut state = State::default();
        let same = matches!(
            self.step(&mut state, &code),
            Step::Text([Some(c), None], length) if c == character && length == code.len()
        );
        if same && !missing {
            out.extend_from_slice(&code);
        }
        same && !missing
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Gb2312 | Gbk => GBK,
            Gb => GB18030,
            Big5 | Hkscs => BIG5,
            ShiftJis | Cp932 => SHIFT_JIS,
            EucJp | Iso2022Jp => EUC_JP,
            EucKr | Uhc | Iso2022Kr => EUC_KR,
        }
    }

    /// What a byte below 128 is: Japan's Roman letters have two signs of their
    /// own.
    fn ascii(self, byte: u8) -> char {
        match (self, byte) {
            (ShiftJis, b'\\') => '\u{a5}',
            (ShiftJis, b'~') => '\u{203e}',
            _ => char::from(byte),
        }
    }

    /// How many bytes a code has that begins so.
    fn length(self, first: u8, second: u8) -> Length {
        let row = |first_row, last_row| {
            let pair = (first_row..=last_row).contains(&first) && (0xa1..=0xfe).contains(&second);
            if pair { Length::Bytes(2) } else { Length::None }
        };
        match self {
            Gbk if first == 0x80 => Length::Single('\u{20ac}'),
            Big5 | Hkscs if first == 0x80 => Length::Single('\u{80}'),
            Gb2312 => row(0xa1, 0xf7),
            Gb if second.is_ascii_digit() => Length::Bytes(4),
            EucJp if first == 0x8e => Length::Bytes(2),
            EucJp if first == 0x8f => Length::Bytes(3),
            EucJp | EucKr if first < 0xa0 => Length::Single(char::from(first)),
            EucJp => row(0xa1, 0xf4),
            EucKr => row(0xa1, 0xfd),
            ShiftJis | Cp932 => match first {
                0xa1..=0xdf => {
                    Length::Single(char::from_u32(0xff61 + u32::from(first - 0xa1)).unwrap_or('?'))
                }
                0x81..=0x9f | 0xe0..=0xfc => Length::Bytes(2),
                _ => Length::None,
            },
            _ if first == 0x80 || first == 0xff => Length::None,
            _ => Length::Bytes(2),
        }
    }

    /// A code of two bytes or more.
    fn code(self, code: &[u8]) -> Step {
        if self.refuses(code) {
            return Step::Bad;
        }
        let encoding = self.encoding();
        let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(code) else {
            return Step::Bad;
        };
        let mut characters = text.chars();
        let (first, second) = (characters.next(), characters.next());
        // Where a trail byte is wrong, the web reads it as a letter of its own.
        if first.is_none() || second.is_some_and(|c| c.is_ascii()) {
            return Step::Bad;
        }
        // A code for private use is one without a meaning.
        if self != Gb && first.is_some_and(|c| ('\u{e000}'..='\u{f8ff}').contains(&c)) {
            return Step::Bad;
        }
        Step::Text([first.map(|c| self.adjusted(c)), second], code.len())
    }

    /// Whether a code is one of those that the web added.
    fn refuses(self, code: &[u8]) -> bool {
        match self {
            // Rows 9 to 15 and from 85 on.
            EucJp if code.len() == 2 && code[0] != 0x8e => {
                matches!(code[0], 0xa9..=0xaf | 0xf5..)
            }
            ShiftJis => matches!(code[0], 0x85..=0x87 | 0xeb..),
            Gb2312 => {
                matches!(code, [0xa2, 0..=0xaa | 0xe3] | [0xa6, 0xd9..=0xf5] | [0xa8, 0xbb..=0xc0])
            }
            Gbk => matches!(
                code,
                [0xa2, 0xe3]
                    | [0xa3, 0xa0]
                    | [0xa6, 0xd9..=0xdf | 0xec..=0xed | 0xf3]
                    | [0xa8, 0xbc | 0xbf]
                    | [0xa9, 0x89..=0x95]
                    | [0xfe, 0x50..=0xa0]
            ),
            Big5 => matches!(code, [0..=0xa0 | 0xfa..=0xff, ..] | [0xa3, 0xc0..=0xe0]),
            _ => false,
        }
    }

    /// The same sign where the web and mail don't agree which it is.
    fn adjusted(self, character: char) -> char {
        match (self, character) {
            (Gb2312, '\u{b7}') => '\u{30fb}',
            (Gb2312, '\u{2014}') => '\u{2015}',
            (EucJp | ShiftJis | Iso2022Jp, character) => match character {
                '\u{ff5e}' => '\u{301c}',
                '\u{2225}' => '\u{2016}',
                '\u{ff0d}' => '\u{2212}',
                '\u{ffe0}' => '\u{a2}',
                '\u{ffe1}' => '\u{a3}',
                '\u{ffe2}' => '\u{ac}',
                _ => character,
            },
            _ => character,
        }
    }
}

/// How long a code is.
enum Length {
    /// One byte, which stands for this.
    Single(char),
    /// So many bytes.
    Bytes(usize),
    /// No code begins so.
    None,
}

/// `shift` is 0 for ASCII, 1 for Japan's Roman letters, 2 for JIS X 0208. An
/// escape that names another set is a control character like any other.
fn iso2022jp(state: &mut State, rest: &[u8]) -> Step {
    let shift = match rest {
        [0x1b, b'(', b'B', ..] => Some(0),
        [0x1b, b'(', b'J', ..] => Some(1),
        [0x1b, b'$', b'@' | b'B', ..] => Some(2),
        _ => None,
    };
    if let Some(shift) = shift {
        state.shift = shift;
        return Step::Shift(3);
    }
    match rest {
        [] | [0x80..=0xff, ..] | [0x1b] | [0x1b, b'(' | b'$'] => Step::Bad,
        [byte @ (0..=0x20 | 0x7f), ..] => Step::one(char::from(*byte), 1),
        [byte, ..] if state.shift == 0 => Step::one(char::from(*byte), 1),
        [byte, ..] if state.shift == 1 => Step::one(ShiftJis.ascii(*byte), 1),
        [first @ 0x21..=0x7e, second @ 0x21..=0x7e, ..] => {
            EucJp.code(&[first | 0x80, second | 0x80])
        }
        _ => Step::Bad,
    }
}

/// `shift` is 1 after SHIFT OUT. The header that names the set may stand
/// anywhere.
fn iso2022kr(state: &mut State, rest: &[u8]) -> Step {
    match rest {
        [0x1b, b'$', b')', b'C', ..] => Step::Shift(4),
        [byte @ (0x0e | 0x0f), ..] => {
            state.shift = u8::from(*byte == 0x0e);
            Step::Shift(1)
        }
        [first @ 0x21..=0x7e, second @ 0x21..=0x7e, ..] if state.shift == 1 => {
            EucKr.code(&[first | 0x80, second | 0x80])
        }
        [byte @ 0..=0x7f, ..] if state.shift == 0 && *byte != 0x1b => {
            Step::one(char::from(*byte), 1)
        }
        _ => Step::Bad,
    }
}
