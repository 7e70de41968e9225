//! Looks for bytes in texts that are mostly too short for a search that has to
//! be set up: eight bytes at a time.

/// How far a search goes before it pays to set up another one.
const NEAR: usize = 128;

/// One in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The highest bit of each byte.
const TOPS: u64 = ONES << 7;

/// Where the first of three bytes stands.
pub fn find_of_three(text: &[u8], wanted: [u8; 3]) -> Option<usize> {
    let near = &text[..text.len().min(NEAR)];
    let found = find(near, |word| {
        zeros(word ^ each(wanted[0]))
            | zeros(word ^ each(wanted[1]))
            | zeros(word ^ each(wanted[2]))
    });
    if found.is_some() || near.len() == text.len() {
        return found;
    }
    let [a, b, c] = wanted;
    memchr::memchr3(a, b, c, &text[NEAR..]).map(|at| NEAR + at)
}

/// Where a byte stands first.
pub fn find_byte(text: &[u8], wanted: u8) -> Option<usize> {
    let near = &text[..text.len().min(NEAR)];
    let found = find(near, |word| zeros(word ^ each(wanted)));
    if found.is_some() || near.len() == text.len() {
        return found;
    }
    memchr::memchr(wanted, &text[NEAR..]).map(|at| NEAR + at)
}

/// Whether there is a capital letter of ASCII.
pub fn holds_capital(text: &[u8]) -> bool {
    // Carries stay inside their bytes: the highest bits are left out.
    let capitals = |word: u64| {
        let low = word & !TOPS;
        let from_a = low + each(0x80 - b'A');
        let beyond_z = low + each(0x80 - b'Z' - 1);
        from_a & !beyond_z & !word & TOPS
    };
    find(text, capitals).is_some()
}

fn each(byte: u8) -> u64 {
    ONES * u64::from(byte)
}

/// The highest bit of each byte that is zero. Above the first such byte, it may
/// be set for others too.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// Where the first byte stands whose highest bit a function sets.
#[inline]
fn find(text: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return Some(at + first(marked));
        }
        at += 8;
    }
    if rest.is_empty() {
        return None;
    }
    // The last bytes, with some again that were looked at, or with such as no
    // search is for.
    let (word, skipped) = match text.last_chunk::<8>() {
        Some(last) => (u64::from_le_bytes(*last), 8 - rest.len()),
        None => (short(rest), 0),
    };
    let marked = marks(word) >> (8 * skipped);
    let found = first(marked);
    (marked != 0 && found < rest.len()).then_some(at + found)
}

fn first(marked: u64) -> usize {
    marked.trailing_zeros() as usize / 8
}

/// Fewer than eight bytes as a word, zeros above them.
fn short(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
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
            let capital = text.iter().any(u8::is_ascii_uppercase);
            assert_eq!(holds_capital(&text), capital, "{text:?}");
        }
    }
}
