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
    let [a, b, c] = wanted;
    let marks = |word| zeros(word ^ each(a)) | zeros(word ^ each(b)) | zeros(word ^ each(c));
    find(text, marks, |byte| wanted.contains(&byte), |far| memchr::memchr3(a, b, c, far))
}

/// Where a byte stands first.
#[inline(always)]
pub fn find_byte(text: &[u8], wanted: u8) -> Option<usize> {
    let marks = |word| zeros(word ^ each(wanted));
    find(text, marks, |byte| byte == wanted, |far| memchr::memchr(wanted, far))
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
    let is_capital = |byte: u8| byte.is_ascii_uppercase();
    find(text, capitals, is_capital, |far| far.iter().position(|c| is_capital(*c)))
}

fn each(byte: u8) -> u64 {
    ONES * u64::from(byte)
}

/// The highest bit of each byte that is zero. Above the first such byte, it may
/// be set for others too.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// Where the first byte stands whose highest bit `marks` sets in a word; the
/// rest of the text, and what is far, are searched otherwise.
#[inline(always)]
fn find(
    text: &[u8],
    marks: impl Fn(u64) -> u64,
    wanted: impl Fn(u8) -> bool,
    search: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let passed = text.len() - rest.len();
        if passed == NEAR {
            return search(rest).map(|at| NEAR + at);
        }
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return Some(passed + marked.trailing_zeros() as usize / 8);
        }
        rest = after;
    }
    let passed = text.len() - rest.len();
    rest.iter().position(|byte| wanted(*byte)).map(|at| passed + at)
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
