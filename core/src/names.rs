//! Names of words, to be looked up by text.

/// Names, each with a number. As a hash map whose keys are short and none of an
/// attacker's choosing: a look-up takes few steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// A power of two of them, more than half empty.
    slots: Vec<Slot>,
    count: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Empty where the slot is.
    name: &'static [u8],
    ends: Ends,
    id: u16,
}

/// The first bytes of a name and its last ones: all of them, where there are few.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Ends(u64, u64);

/// How many bytes are few.
const FEW: usize = 16;

impl Names {
    /// The number of a name.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<u16> {
        let ends = Ends::of(name);
        let mut at = ends.hash(name.len());
        loop {
            // Without slots, there is no name.
            let slot = self.slots.get(at & self.slots.len().wrapping_sub(1))?;
            if slot.name.is_empty() {
                return None;
            }
            if slot.name.len() == name.len()
                && slot.ends == ends
                && (name.len() <= FEW || slot.name == name)
            {
                return Some(slot.id);
            }
            at += 1;
        }
    }

    /// Gives a name a number, whatever it had before.
    pub(crate) fn insert(&mut self, name: &'static [u8], id: u16) {
        if name.is_empty() {
            return;
        }
        if self.slots.len() <= 2 * self.count {
            self.grow();
        }
        self.put(Slot { name, ends: Ends::of(name), id });
    }

    fn put(&mut self, slot: Slot) {
        let last = self.slots.len() - 1;
        let mut at = slot.ends.hash(slot.name.len()) & last;
        while !self.slots[at].name.is_empty() && self.slots[at].name != slot.name {
            at = (at + 1) & last;
        }
        self.count += usize::from(self.slots[at].name.is_empty());
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let larger = (4 * self.slots.len()).max(64);
        let slots = std::mem::replace(&mut self.slots, vec![Slot::default(); larger]);
        self.count = 0;
        slots.into_iter().filter(|slot| !slot.name.is_empty()).for_each(|slot| self.put(slot));
    }
}

impl Ends {
    #[inline(always)]
    fn of(name: &[u8]) -> Self {
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            Self(u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            Self(u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
        } else if let (Some(first), Some(last)) = (name.first(), name.last()) {
            Self(u64::from(*first), u64::from(*last) << 8 | u64::from(name[name.len() / 2]))
        } else {
            Self(0, 0)
        }
    }

    /// Mixes them and the name's length.
    #[inline(always)]
    fn hash(self, length: usize) -> usize {
        let mixed = (self.0 ^ self.1.rotate_left(29)).wrapping_add(length as u64);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in() {
        let words = "a b c ab ba abc acc abcd abce abcdefgh abcdefghi abcdefgh_abcdefgh \
                     abcdefgh__abcdefgh abcdefghijabcdefgh = == < <=";
        let mut names = Names::default();
        assert_eq!(names.find(b"a"), None);
        for (id, word) in words.split(' ').enumerate() {
            names.insert(word.as_bytes(), id as u16);
        }
        for number in 0..1000 {
            let name: &'static str = Box::leak(format!("name{number}").into_boxed_str());
            names.insert(name.as_bytes(), number);
        }
        names.insert(b"ab", 7000);
        for (id, word) in words.split(' ').enumerate() {
            let wanted = if word == "ab" { 7000 } else { id as u16 };
            assert_eq!(names.find(word.as_bytes()), Some(wanted), "{word}");
        }
        assert_eq!(names.find(b"name999"), Some(999));
        for missing in
            ["", "name", "name1000", "abcdefgh_abcdefg", "x", "bca", "abcdefghi_abcdefgh"]
        {
            assert_eq!(names.find(missing.as_bytes()), None, "{missing}");
        }
    }
}
