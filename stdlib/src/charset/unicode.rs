//! Unicode in its forms: UTF-8, UTF-16, UTF-32, UTF-7 and the older two.

use super::{State, Step};

/// A form of Unicode.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unicode {
    /// One to four bytes a character.
    Utf8,
    /// Letters as they are, the rest in base 64 (RFC 2152).
    Utf7,
    /// Units of two bytes.
    Two(Order, Pairs),
    /// Units of four bytes.
    Four(Order),
}

/// Which byte of a unit comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// A mark at the head tells; the less significant one where there is none.
    Marked,
    /// The less significant one.
    Little,
    /// The more significant one.
    Big,
}

/// Whether two units may make one character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pairs {
    /// They may (UTF-16).
    Yes,
    /// They may not (UCS-2).
    No,
}

/// What a byte order mark becomes.
const MARK: u32 = 0xfeff;

impl Unicode {
    /// The form with a name in capitals.
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "UTF-8" | "UTF8" | "ISO-10646/UTF-8" | "ISO-10646/UTF8" | "ISO-IR-193" => Self::Utf8,
            "UTF-7" | "UTF7" => Self::Utf7,
            "UTF-16" | "UTF16" | "UNICODE" | "CSUNICODE" => Self::Two(Order::Marked, Pairs::Yes),
            "UTF-16LE" | "UTF16LE" => Self::Two(Order::Little, Pairs::Yes),
            "UTF-16BE" | "UTF16BE" => Self::Two(Order::Big, Pairs::Yes),
            "UCS-2" | "UCS2" | "UCS-2LE" | "ISO-10646/UCS2" | "UNICODELITTLE" => {
                Self::Two(Order::Little, Pairs::No)
            }
            "UCS-2BE" | "UNICODEBIG" => Self::Two(Order::Big, Pairs::No),
            "UTF-32" | "UTF32" => Self::Four(Order::Marked),
            "UTF-32LE" | "UTF32LE" | "UCS-4LE" | "WCHAR_T" => Self::Four(Order::Little),
            "UTF-32BE" | "UTF32BE" | "UCS-4BE" | "UCS-4" | "UCS4" | "CSUCS4" | "ISO-10646"
            | "10646-1:1993" | "10646-1:1993/UCS4" | "ISO-10646/UCS4" => Self::Four(Order::Big),
            _ => return None,
        })
    }

    /// The character at the head of a text.
    pub(super) fn step(self, state: &mut State, rest: &[u8]) -> Step {
        match self {
            Self::Utf8 => utf8(rest),
            Self::Utf7 => utf7(state, rest),
            Self::Two(order, pairs) => {
                if let Some(step) = mark(state, order, rest, 2) {
                    return step;
                }
                let Some(first) = unit(state, rest, 0, 2) else { return Step::Bad };
                match (first, unit(state, rest, 2, 2)) {
                    (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) if pairs == Pairs::Yes => {
                        Step::code(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 4)
                    }
                    _ => Step::code(first, 2),
                }
            }
            Self::Four(order) => match mark(state, order, rest, 4) {
                Some(step) => step,
                None => unit(state, rest, 0, 4).map_or(Step::Bad, |code| Step::code(code, 4)),
            },
        }
    }

    /// Adds a character; false where this form does not have it.
    pub(super) fn push(self, out: &mut Vec<u8>, character: char) -> bool {
        let code = u32::from(character);
        match self {
            Self::Utf8 => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Self::Utf7 => return false,
            Self::Two(_, Pairs::No) if code > 0xffff => return false,
            Self::Two(order, _) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    put(out, order, &unit.to_be_bytes());
                }
            }
            Self::Four(order) => put(out, order, &code.to_be_bytes()),
        }
        true
    }
}

fn put(out: &mut Vec<u8>, order: Order, bytes: &[u8]) {
    if order == Order::Big {
        out.extend_from_slice(bytes);
    } else {
        out.extend(bytes.iter().rev());
    }
}

/// Looks for the mark at the head, once.
fn mark(state: &mut State, order: Order, rest: &[u8], size: usize) -> Option<Step> {
    if std::mem::replace(&mut state.begun, true) {
        return None;
    }
    state.little = order != Order::Big;
    if order != Order::Marked {
        return None;
    }
    for little in [true, false] {
        state.little = little;
        if unit(state, rest, 0, size) == Some(MARK) {
            return Some(Step::Shift(size));
        }
    }
    state.little = true;
    None
}

fn unit(state: &State, rest: &[u8], from: usize, size: usize) -> Option<u32> {
    let bytes = rest.get(from..from + size)?;
    let join = |code: u32, byte: &u8| code << 8 | u32::from(*byte);
    Some(if state.little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) })
}

fn utf8(rest: &[u8]) -> Step {
    let length = match rest.first() {
        Some(0..=0x7f) => 1,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Step::Bad,
    };
    let text = rest.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    match text.and_then(|text| text.chars().next()) {
        Some(character) => Step::one(character, length),
        None => Step::Bad,
    }
}

/// In `shift`, 0 is plain text and 1 is base 64.
fn utf7(state: &mut State, rest: &[u8]) -> Step {
    let Some(byte) = rest.first().copied() else { return Step::Bad };
    if state.shift == 0 {
        return match byte {
            b'+' if rest.get(1) == Some(&b'-') => Step::one('+', 2),
            b'+' if rest.len() > 1 => {
                *state = State { shift: 1, ..State::default() };
                Step::Shift(1)
            }
            b'\0' | b'\t' | b'\n' | b'\r' => Step::one(char::from(byte), 1),
            b'+' | b'~' | b'\\' | ..0x20 | 0x7f.. => Step::Bad,
            _ => Step::one(char::from(byte), 1),
        };
    }
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        // The end of the base 64: what is left over must be padding.
        _ if state.high == 0 && state.count < 6 && state.bits == 0 => {
            state.shift = 0;
            return Step::Shift(usize::from(byte == b'-'));
        }
        _ => return Step::Bad,
    };
    state.bits = state.bits << 6 | u32::from(digit);
    state.count += 6;
    if state.count < 16 {
        return Step::Shift(1);
    }
    state.count -= 16;
    let unit = state.bits >> state.count;
    state.bits &= (1 << state.count) - 1;
    match (std::mem::take(&mut state.high), unit) {
        (0, 0xd800..=0xdbff) => {
            state.high = unit;
            Step::Shift(1)
        }
        (0, _) => Step::code(unit, 1),
        (high, 0xdc00..=0xdfff) => {
            Step::code(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00), 1)
        }
        _ => Step::Bad,
    }
}
