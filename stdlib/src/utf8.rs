//! UTF-8 (RFC 3629) that may be broken.

/// The text with every broken sequence replaced by a question mark. As in the
/// program, overlong forms of three and four bytes count as whole, and a byte
/// above 127 that ends a sequence too early goes with it.
pub fn cleaned(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = text.get(at) {
        let more = match first {
            0..=0x7f => {
                out.push(*first);
                at += 1;
                continue;
            }
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => {
                out.push(b'?');
                at += 1;
                continue;
            }
        };
        let tail = &text[at + 1..text.len().min(at + 1 + more)];
        let good = tail.iter().take_while(|c| matches!(c, 0x80..=0xbf)).count();
        let whole = &text[at..at + 1 + good];
        at += whole.len();
        if good == more && is_character(whole) {
            out.extend_from_slice(whole);
            continue;
        }
        out.push(b'?');
        if good < tail.len() && !tail[good].is_ascii() {
            at += 1;
        }
    }
    out
}

/// Whether a sequence stands for a character: no surrogate, and not too high.
fn is_character(sequence: &[u8]) -> bool {
    match sequence {
        [0xed, second, _] => *second < 0xa0,
        [0xf4, second, ..] => *second < 0x90,
        [first, ..] => *first < 0xf5,
        [] => false,
    }
}

/// The text in ISO-8859-1. Characters above 255 become underscores. What is no
/// UTF-8 gives bytes that mean nothing, but always the same ones: every byte
/// from 192 on takes as many bytes with it as it announces, whatever they are.
pub fn to_latin1(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = text.get(at) {
        at += 1;
        let (bits, more) = match first {
            0xc0..=0xdf => (0x1f, 1),
            0xe0..=0xef => (0x0f, 2),
            0xf0..=0xf7 => (0x07, 3),
            0xf8..=0xfb => (0x03, 4),
            0xfc..=0xff => (0x01, 5),
            _ => {
                out.push(*first);
                continue;
            }
        };
        let mut value = u32::from(first & bits);
        for offset in 0..more {
            let byte = text.get(at + offset).copied().unwrap_or_default();
            value = value << 6 | u32::from(byte & 0x3f);
        }
        at += more;
        out.push(u8::try_from(value).unwrap_or(b'_'));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sequences that end too early or announce more than there is, on every
    /// prefix: nothing outside of the text can show in the result.
    #[test]
    fn cve_2026_40686_utf8_operators_stay_inside_their_text() {
        let bytes = [0x00, 0x41, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xf8, 0xfd, 0xff];
        for a in bytes {
            for b in bytes {
                for c in bytes {
                    let text = [a, b, c, a, b];
                    for end in 0..=text.len() {
                        let text = &text[..end];
                        let clean = cleaned(text);
                        assert!(clean.len() <= text.len());
                        assert_eq!(cleaned(&clean), clean);
                        assert!(to_latin1(text).len() <= text.len());
                    }
                }
            }
        }
    }
}
