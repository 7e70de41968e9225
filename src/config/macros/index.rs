//! Which of many names stands in a text.

use rustc_hash::FxHashMap;

/// Names by number, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    numbers: FxHashMap<Vec<u8>, usize>,
    /// The lengths that names have, each once.
    lengths: Vec<usize>,
    /// For each first byte, the second bytes that may follow, by their lowest
    /// six bits: most places of a text are passed by at a look.
    starts: Vec<u64>,
}

impl Index {
    /// Adds a name with the next number. It must not be there yet.
    pub(crate) fn add(&mut self, name: &[u8]) {
        let number = self.numbers.len();
        self.numbers.insert(name.to_vec(), number);
        if !self.lengths.contains(&name.len()) {
            self.lengths.push(name.len());
        }
        self.starts.resize(256, 0);
        match name {
            [] => {}
            [first] => self.starts[usize::from(*first)] = u64::MAX,
            [first, second, ..] => self.starts[usize::from(*first)] |= bit(*second),
        }
    }

    /// The number of a name.
    pub(crate) fn number(&self, name: &[u8]) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The lowest number, from one on, whose name stands in a text.
    pub(crate) fn first_in(&self, text: &[u8], from: usize) -> Option<usize> {
        if from >= self.numbers.len() {
            return None;
        }
        let mut lowest = None;
        for (at, first) in text.iter().enumerate() {
            let seconds = self.starts[usize::from(*first)];
            if seconds == 0 || seconds & bit(text.get(at + 1).copied().unwrap_or(0)) == 0 {
                continue;
            }
            let rest = &text[at..];
            let found = self.lengths.iter().filter_map(|length| self.number(rest.get(..*length)?));
            let found = found.filter(|number| *number >= from).min();
            lowest = lowest.into_iter().chain(found).min();
        }
        lowest
    }
}

impl Index {
    /// Each place of a text where a name stands: the name's number, and the
    /// place.
    pub(crate) fn each_in(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        for (at, first) in text.iter().enumerate() {
            let seconds = self.starts.get(usize::from(*first)).copied().unwrap_or(0);
            if seconds & bit(text.get(at + 1).copied().unwrap_or(0)) == 0 {
                continue;
            }
            let rest = &text[at..];
            let numbers =
                self.lengths.iter().filter_map(|length| self.number(rest.get(..*length)?));
            numbers.for_each(|number| found(number, at));
        }
    }
}

fn bit(byte: u8) -> u64 {
    1 << (byte & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_number_is_found_wherever_it_stands() {
        let mut index = Index::default();
        for name in ["LONGER", "Z", "B_C", "B"] {
            index.add(name.as_bytes());
        }
        let first = |text: &str, from| index.first_in(text.as_bytes(), from);
        assert_eq!(first("xB_C LONGER", 0), Some(0));
        assert_eq!(first("xB_C LONGER", 1), Some(2));
        assert_eq!(first("xB_C LONGER", 3), Some(3));
        assert_eq!(first("xB_C LONGER", 4), None);
        assert_eq!(first("LONGE", 0), None);
        assert_eq!(first("endZ", 0), Some(1));
        assert_eq!(first("", 0), None);
        assert_eq!(Index::default().first_in(b"A", 0), None);
        assert_eq!(index.number(b"B"), Some(3));
    }
}
