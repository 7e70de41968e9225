//! Letters of ASCII that stand for characters that a set lacks (`//TRANSLIT`): those that
//! iconv has in the locale C, in which mail servers run.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// A character's number in a line, and what stands for it and for those behind it, with tabs
/// between them.
static LETTERS: LazyLock<FxHashMap<u32, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("letters.txt").lines().filter_map(|line| line.split_once('\t'));
    let all = lines.filter_map(|(first, texts)| {
        let first = u32::from_str_radix(first, 16).ok()?;
        Some((first..).zip(texts.split('\t')))
    });
    all.flatten().collect()
});

/// What stands for a character, if anything does; that may be nothing at all.
pub(super) fn of(character: char) -> Option<&'static str> {
    LETTERS.get(&u32::from(character)).copied()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn each_character_has_its_letters() {
        for (character, letters) in [
            ('\u{a0}', Some(" ")),
            ('\u{bd}', Some(" 1/2 ")),
            ('\u{e9}', None),
            ('\u{416}', Some("ZH")),
            ('\u{200b}', Some("")),
            ('\u{20ac}', Some("EUR")),
            ('\u{1d7ff}', Some("9")),
            ('\u{1f600}', None),
        ] {
            assert_eq!(of(character), letters, "{character}");
        }
    }
}
