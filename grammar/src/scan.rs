//! Looks for bytes in texts that are mostly too short for a search that has to
//! be set up: eight bytes at a time.

/// How far a search goes before it pays to set up another one.
const NEAR: usize = 128;

/// One in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The highest bit of each byte.
const TOPS: u64 = ONES << 7;

/// Where the first of three bytes stands.
#[inline]
pub fn find_of_three(text: &[u8], wanted: [u8; 3]) -> Option<usize> {
    let [a, b, c] = wanted;
    find(text, |word| marks_of_three(word, wanted), |far| memchr::memchr3(a, b, c, far))
}

/// The same among eight bytes.
#[inline(always)]
pub(crate) fn find_of_three_in(text: [u8; 8], wanted: [u8; 3]) -> Option<usize> {
    let marked = marks_of_three(u64::from_le_bytes(text), wanted);
    (marked != 0).then(|| first(marked))
}

#[inline(always)]
fn marks_of_three(word: u64, [a, b, c]: [u8; 3]) -> u64 {
    zeros(word ^ each(a)) | zeros(word ^ each(b)) | zeros(word ^ each(c))
}

/// Where a byte stands first.
#[inline]
pub fn find_byte(text: &[u8], wanted: u8) -> Option<usize> {
    let marks = |word| zeros(word ^ each(wanted));
    find(text, marks, |far| memchr::memchr(wanted, far))
}

/// Where the first capital letter of ASCII stands.
pub fn find_capital(text: &[u8]) -> Option<usize> {
    // Carries stay inside their bytes: the highest bits are left out.
    let capitals = |word: u64| {
        let low = word & !TOPS;
        let from_a = low + each(0x80 - b'A');
        let beyond_z = low + each(0x80 - b'Z' - 1);
        from_a & !beyond_z & !word & TOPS
    };
    find(text, capitals, |far| far.iter().position(u8::is_ascii_uppercase))
}

fn each(byte: u8) -> u64 {
    ONES * u64::from(byte)
}

/// The highest bit of each byte that is zero. Above the first such byte, it may
/// be set for others too.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// Where the first byte stands whose highest bit `marks` sets in a word; what is far is
/// searched otherwise.
#[inline(always)]
fn find(
    text: &[u8],
    marks: impl Fn(u64) -> u64,
    search: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    let Some(last) = text.last_chunk::<8>() else {
        let marked = marks(few(text));
        let at = first(marked);
        // Behind the text there are zeros.
        return (marked != 0 && at < text.len()).then_some(at);
    };
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let passed = text.len() - rest.len();
        if passed == NEAR {
            return search(rest).map(|at| NEAR + at);
        }
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return Some(passed + first(marked));
        }
        rest = after;
    }
    // What was passed already has none.
    let marked = marks(u64::from_le_bytes(*last));
    (marked != 0).then(|| text.len() - 8 + first(marked))
}

/// Fewer than eight bytes, as a word.
#[inline(always)]
fn few(text: &[u8]) -> u64 {
    if let (Some(head), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (head, last) = (u32::from_le_bytes(*head), u32::from_le_bytes(*last));
        return u64::from(head) | u64::from(last) << (8 * (text.len() - 4));
    }
    let (Some(head), Some(last)) = (text.first(), text.last()) else { return 0 };
    let middle = text.len() / 2;
    let byte = |byte: u8, at: usize| u64::from(byte) << (8 * at);
    byte(*head, 0) | byte(text[middle], middle) | byte(*last, text.len() - 1)
}

/// Which byte of a word the first mark is in.
fn first(marked: u64) -> usize {
    marked.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of all lengths up to a few words, with one byte changed.
    fn texts() -> impl Iterator<Item = Vec<u8>> {
        (0..300usize).flat_map(|length| {
            let step = 1 + length / 24;
            (0..length).step_by(step).flat_map(move |at| {
                [0, b'$', b'A', b'Z', b'@', b'[', b'}', 0x80 | b'A', 0xff, b'%'].map(|byte| {
                    let mut text = vec![b'x'; length];
                    text[at] = byte;
                    if at + 3 < length {
                        text[at + 3] = byte ^ 1;
                    }
                    text
                })
            })
        })
    }

    #[test]
    fn finds_what_a_plain_search_finds() {
        for text in texts().chain([Vec::new()]) {
            for byte in [0, b'$', b'x', 0x81] {
                assert_eq!(find_byte(&text, byte), memchr::memchr(byte, &text), "{text:?}");
            }
            let three = [b'$', b'\\', b'}'];
            let plain = text.iter().position(|c| three.contains(c));
            assert_eq!(find_of_three(&text, three), plain, "{text:?}");
            let capital = text.iter().position(u8::is_ascii_uppercase);
            assert_eq!(find_capital(&text), capital, "{text:?}");
        }
    }
}
