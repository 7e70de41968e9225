//! Lists: splitting and joining (specification 6.20).

use std::borrow::Cow;

use eximious_core::Str;
use eximious_core::grammar::is_space;
use eximious_core::grammar::scan::find_byte;
use smallvec::SmallVec;

/// Reads a list, element by element.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    separator: u8,
}

/// A list's elements. A change of separator (`<; `) at its head is obeyed.
pub fn elements(list: &[u8]) -> Elements<'_> {
    elements_by(list, b':')
}

/// The same of a list that has another separator than a colon where it doesn't change it.
pub fn elements_by(list: &[u8], separator: u8) -> Elements<'_> {
    match change_of_separator(list) {
        Some((separator, length)) => Elements { rest: &list[length..], separator },
        None => Elements { rest: list, separator },
    }
}

/// The separator that a list's head asks for, and how long that head is.
pub fn change_of_separator(list: &[u8]) -> Option<(u8, usize)> {
    let start = skip_space(list, 0, 0);
    match &list[start..] {
        [b'<', separator, ..] if is_separator(*separator) => Some((*separator, start + 2)),
        // Exim takes the end of the list for the separator: nothing is left.
        [b'<'] => Some((0, start + 1)),
        _ => None,
    }
}

/// A list's elements, with a separator that can't be changed.
pub fn elements_with(list: &[u8], separator: u8) -> Elements<'_> {
    Elements { rest: list, separator }
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii_punctuation() || byte.is_ascii_control()
}

fn skip_space(text: &[u8], from: usize, but: u8) -> usize {
    text[from..].iter().position(|c| !is_space(*c) || *c == but).map_or(text.len(), |n| from + n)
}

impl Elements<'_> {
    /// The separator in force.
    pub fn separator(&self) -> u8 {
        self.separator
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Cow<'a, [u8]>;

    #[inline(always)]
    fn next(&mut self) -> Option<Cow<'a, [u8]>> {
        let separator = self.separator;
        let text = &self.rest[skip_space(self.rest, 0, separator)..];
        if text.is_empty() {
            self.rest = text;
            return None;
        }
        let end = find_byte(text, separator).unwrap_or(text.len());
        // A control character as separator can't be doubled.
        if text.get(end + 1) == Some(&separator) && !separator.is_ascii_control() {
            return Some(self.gathered(text));
        }
        self.rest = text.get(end + 1..).unwrap_or_default();
        Some(Cow::Borrowed(trim_end(&text[..end])))
    }
}

impl<'a> Elements<'a> {
    /// An element that has doubled separators in it, at the head of a text.
    #[cold]
    fn gathered(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let separator = self.separator;
        let mut bytes = Vec::new();
        let (mut from, mut end) = (0, text.len());
        while let Some(offset) = find_byte(&text[from..], separator) {
            let at = from + offset;
            if text.get(at + 1) != Some(&separator) {
                end = at;
                break;
            }
            bytes.extend_from_slice(&text[from..=at]);
            from = at + 2;
        }
        self.rest = text.get(end + 1..).unwrap_or_default();
        bytes.extend_from_slice(&text[from..end]);
        bytes.truncate(trim_end(&bytes).len());
        Cow::Owned(bytes)
    }
}

/// Without the white space at the end, but for what a backslash protects.
fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|c| !is_space(*c)).map_or(0, |n| n + 1);
    let protected = end > 0 && text[end - 1] == b'\\' && end < text.len();
    &text[..end + usize::from(protected)]
}

/// Adds an element to a list, with separators in it doubled; in front, empty ones vanish.
pub fn append_element(list: &mut Vec<u8>, element: &[u8], separator: u8) {
    if !list.is_empty() {
        list.push(separator);
    }
    for byte in element {
        list.push(*byte);
        if *byte == separator {
            list.push(separator);
        }
    }
}

/// Makes a list, element by element, as `map` and its kin do: separators in
/// elements are doubled, and elements that would be lost get a space.
#[derive(Clone, Debug)]
pub struct Joiner {
    /// Most lists are short.
    list: SmallVec<[u8; 64]>,
    separator: u8,
    begun: bool,
}

impl Joiner {
    /// An empty list with a separator.
    pub fn new(separator: u8) -> Self {
        Self { list: SmallVec::new(), separator, begun: false }
    }

    /// How many bytes it has so far.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds an element.
    pub fn push(&mut self, element: &[u8]) {
        let separator = self.separator;
        if self.begun {
            self.list.push(separator);
            if element.is_empty() || element[0] == separator {
                self.list.push(b' ');
            }
        }
        self.begun = true;
        let mut rest = element;
        while let Some(at) = find_byte(rest, separator) {
            self.list.extend_from_slice(&rest[..=at]);
            self.list.push(separator);
            rest = &rest[at + 1..];
        }
        self.list.extend_from_slice(rest);
    }

    /// The list.
    pub fn finish(self) -> Str {
        Str::from(self.list.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(list: &str) -> Vec<String> {
        elements(list.as_bytes()).map(|e| String::from_utf8(e.into_owned()).unwrap()).collect()
    }

    #[test]
    fn splits_as_the_specification_says() {
        assert_eq!(split("a : b::c : d"), ["a", "b:c", "d"]);
        assert_eq!(split("<; a;b:c;; d"), ["a", "b:c; d"]);
        assert_eq!(split(":a:"), ["", "a"]);
        assert_eq!(split("<\n a\n\nb"), ["a", "", "b"]);
        assert_eq!(split(""), [""; 0]);
        assert_eq!(split("a\\  : b\\"), ["a\\ ", "b\\"]);
    }

    #[test]
    fn what_is_joined_splits_again() {
        let mut list = Joiner::new(b':');
        for element in ["a:b", "", ":c", "d"] {
            list.push(element.as_bytes());
        }
        assert_eq!(split(&list.finish().display()), ["a:b", "", ":c", "d"]);
    }
}
