//! Command lines: a program and its arguments, split into words (specification
//! 29.3).

use eximious_core::grammar::expansion::{escape, is_space};
use eximious_core::{ErrorKind, Fail, Str};

/// How many words a command may have, as in Exim.
pub const MOST_WORDS: usize = 60;

/// The words of a command line; `None` where there are too many. White space
/// stands between them. A word that begins with a double quote goes on to the
/// next one, escapes in it are read; one that begins with a single quote goes
/// on to the next one as it is. A quote further inside stands for itself, and
/// what follows a closing quote at once is another word.
pub fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let Some(start) = rest.iter().position(|c| !is_space(*c)) else { return Some(words) };
        if words.len() == MOST_WORDS {
            return None;
        }
        let (word, length) = word(&rest[start..]);
        words.push(word);
        rest = &rest[start + length..];
    }
}

/// The words of a command line, each expanded on its own. `owner` is whose line
/// it is, where something is said of it.
///
/// # Errors
/// There are too many words, or one can't be expanded.
pub fn expanded(
    line: &[u8],
    owner: &str,
    expand: impl FnMut(&Str) -> Result<Str, Fail>,
) -> Result<Vec<Str>, Fail> {
    each(line, owner, expand, |_, _| Ok(()))
}

/// As [`expanded`], for a command that must not get tainted words.
///
/// # Errors
/// As there, and where a word is tainted.
pub fn untainted(
    line: &[u8],
    owner: &str,
    expand: impl FnMut(&Str) -> Result<Str, Fail>,
) -> Result<Vec<Str>, Fail> {
    each(line, owner, expand, |number, word| {
        // Nothing is nothing from outside: the sender of a report is none.
        if word.is_empty() || !word.taint().is_tainted() {
            return Ok(());
        }
        let head = format!("Tainted arg {number} for {owner} command: '").into_bytes();
        Err(Fail::error(ErrorKind::Taint, [&head, word.bytes(), b"'"].concat()))
    })
}

fn each(
    line: &[u8],
    owner: &str,
    mut expand: impl FnMut(&Str) -> Result<Str, Fail>,
    check: impl Fn(usize, &Str) -> Result<(), Fail>,
) -> Result<Vec<Str>, Fail> {
    let mut argv = Vec::new();
    for word in words(line).ok_or_else(|| too_many(line, owner))? {
        let text = expand(&cut_at_zero(Str::from(word.as_slice()))).map_err(|fail| {
            let head = [b"Expansion of \"", word.as_slice(), b"\" from command \"", line].concat();
            let tail = [b"\" in ", owner.as_bytes(), b" failed: ", fail.message()].concat();
            fail.reworded([head, tail].concat())
        })?;
        check(argv.len(), &text)?;
        argv.push(text);
    }
    Ok(argv)
}

/// What is said of a command line with too many words.
pub fn too_many(line: &[u8], owner: &str) -> Fail {
    let head = [b"Too many arguments in command \"", line, b"\" in "].concat();
    Fail::error(ErrorKind::Limit, [&head, owner.as_bytes()].concat())
}

/// A process's arguments end at a zero byte, and so does what it writes.
pub fn cut_at_zero(text: Str) -> Str {
    match memchr::memchr(0, text.bytes()) {
        Some(end) => text.slice(0, end),
        None => text,
    }
}

/// The word at the head of a text, and how many bytes it takes.
fn word(text: &[u8]) -> (Vec<u8>, usize) {
    match text {
        [b'"', quoted @ ..] => {
            let (word, length) = double_quoted(quoted);
            (word, 1 + length)
        }
        [b'\'', quoted @ ..] => match quoted.iter().position(|c| *c == b'\'') {
            Some(end) => (quoted[..end].to_vec(), end + 2),
            None => (quoted.to_vec(), text.len()),
        },
        _ => {
            let end = text.iter().position(|c| is_space(*c)).unwrap_or(text.len());
            (text[..end].to_vec(), end)
        }
    }
}

/// What stands before the closing quote, escapes read; without one, all of it.
fn double_quoted(text: &[u8]) -> (Vec<u8>, usize) {
    let mut word = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return (word, at + 1),
            b'\\' => {
                let (byte, length) = escape(&text[at..]);
                word.push(byte);
                at += length;
            }
            byte => {
                word.push(*byte);
                at += 1;
            }
        }
    }
    (word, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        let found = words(line.as_bytes()).unwrap_or_default();
        found.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect()
    }

    #[test]
    fn quotes_count_at_the_head_of_a_word() {
        assert_eq!(
            split(r#" /bin/x  "a b" 'c d' e"f g"h "#),
            ["/bin/x", "a b", "c d", "e\"f", "g\"h"]
        );
        assert_eq!(split(r#""a"b 'c''d'"#), ["a", "b", "c", "d"]);
        assert_eq!(split(r#""" '' x"#), ["", "", "x"]);
    }

    #[test]
    fn escapes_are_read_in_double_quotes_alone() {
        assert_eq!(split(r#""a\tb\x41\101\\n" 'a\tb' a\tb"#), ["a\tbAA\\n", r"a\tb", r"a\tb"]);
        assert_eq!(split(r#""a\"b" x"#), ["a\"b", "x"]);
    }

    #[test]
    fn an_open_quote_takes_the_rest() {
        assert_eq!(split(r#""a b \"#), ["a b \\"]);
        assert_eq!(split("'a b"), ["a b"]);
        assert_eq!(split(r#"""#), [""]);
        assert_eq!(split("  "), [""; 0]);
    }

    #[test]
    fn there_is_an_end_to_words() {
        assert_eq!(words(&b"a ".repeat(60)).map(|w| w.len()), Some(60));
        assert_eq!(words(&b"a ".repeat(61)), None);
    }
}
