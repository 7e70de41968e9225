//! Which of many names stands in a text.

use eximious_grammar::scan::find_capital;
use rustc_hash::FxHashMap;

/// Names by number, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    numbers: FxHashMap<Vec<u8>, usize>,
    /// For each first byte, the second bytes that may follow, by their lowest
    /// six bits: most places of a text are passed by at a look.
    starts: Option<Box<[u64; 256]>>,
    /// The names that begin with two bytes (one of a single byte has a zero behind it), with
    /// their numbers, in that order.
    names: FxHashMap<[u8; 2], Vec<(usize, Vec<u8>)>>,
    /// Whether there is one of a single byte.
    has_single: bool,
    /// Whether one begins with something else than a capital letter.
    has_odd: bool,
}

impl Index {
    /// Adds a name with the next number. It must not be there yet.
    pub(crate) fn add(&mut self, name: &[u8]) {
        let number = self.numbers.len();
        self.numbers.insert(name.to_vec(), number);
        let starts = self.starts.get_or_insert_with(|| Box::new([0; 256]));
        let head = match name {
            [] => return,
            [first] => {
                starts[usize::from(*first)] = u64::MAX;
                self.has_single = true;
                [*first, 0]
            }
            [first, second, ..] => {
                starts[usize::from(*first)] |= bit(*second);
                [*first, *second]
            }
        };
        self.has_odd |= !head[0].is_ascii_uppercase();
        self.names.entry(head).or_default().push((number, name.to_vec()));
    }

    /// The number of a name.
    pub(crate) fn number(&self, name: &[u8]) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The numbers of the names that a text begins with.
    fn heading<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = usize> + use<'t> {
        let first = text.first().copied().unwrap_or(0);
        let second = text.get(1).copied();
        let longer = second.and_then(|second| self.names.get(&[first, second]));
        // Where a zero follows, that is the same place.
        let single = self.has_single && second != Some(0);
        let single = if single { self.names.get(&[first, 0]) } else { None };
        let named = longer.into_iter().chain(single).flatten();
        named.filter(|(_, name)| text.starts_with(name)).map(|(number, _)| *number)
    }

    /// The lowest number, from one on, whose name stands in a text.
    pub(crate) fn first_in(&self, text: &[u8], from: usize) -> Option<usize> {
        if from >= self.numbers.len() {
            return None;
        }
        let mut lowest = None;
        self.each_in(text, |number, _| {
            if number >= from && lowest.is_none_or(|lowest| number < lowest) {
                lowest = Some(number);
            }
        });
        lowest
    }

    /// Each place of a text where a name stands: the name's number, and the
    /// place.
    pub(crate) fn each_in(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let Some(starts) = &self.starts else { return };
        let mut rest = text;
        loop {
            if !self.has_odd {
                let Some(capital) = find_capital(rest) else { return };
                rest = &rest[capital..];
            }
            let [first, after @ ..] = rest else { return };
            let second = after.first().copied().unwrap_or(0);
            if starts[usize::from(*first)] & bit(second) != 0 {
                let at = text.len() - rest.len();
                self.heading(rest).for_each(|number| found(number, at));
            }
            rest = after;
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
        assert_eq!(
            (first("Z", 0), first("Z\0", 0), first("B\0B_C", 2)),
            (Some(1), Some(1), Some(2))
        );
        assert_eq!(index.number(b"B"), Some(3));
    }

    #[test]
    fn names_may_begin_with_any_byte() {
        let mut index = Index::default();
        index.add(b"B");
        index.add(b"_odd");
        let first = |text: &str, from| index.first_in(text.as_bytes(), from);
        assert_eq!((first("B _odd", 1), first("x_oddB", 0)), (Some(1), Some(0)));
    }
}
