//! Results of lookups, kept for a while (specification 9.8).

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use eximious_core::{LookupQuery, Str};
use rustc_hash::FxBuildHasher;

/// How many results a context keeps.
const KEPT: usize = 4096;
/// How many bytes they have together, at the most.
const LARGEST: usize = 16 << 20;

/// The results that a context has met, and what goes with a search.
#[derive(Default)]
pub(super) struct Cache {
    kept: HashMap<Slot, Kept, FxBuildHasher>,
    size: usize,
    /// How many lookups stand in each other right now.
    pub(super) depth: u32,
    /// The lookup at hand changed its database: its result is not kept, and
    /// what is known of the database is forgotten.
    pub(super) written: bool,
    /// Until when the result of the lookup at hand may be kept, in seconds
    /// since 1970; for ever, where it does not say.
    pub(super) until: Option<i64>,
    /// What the last search complained of; nothing, where it did not. Exim
    /// shows it where a list has no answer, and no reason for it.
    pub(super) complaint: Option<Vec<u8>>,
    /// What the lookup at hand leaves as such, though it does not fail; it may be nothing.
    pub(super) left: Option<Option<Vec<u8>>>,
}

/// A result, and until when it is one.
struct Kept {
    value: Option<Str>,
    until: Option<i64>,
}

/// What a result is the result of. Files and keys are short: as strings, they stand in
/// here; where they come from is of no account.
#[derive(PartialEq, Eq)]
pub(super) struct Slot {
    def: u16,
    file: Str,
    key: Str,
    options: Vec<u8>,
}

impl Slot {
    fn size(&self) -> usize {
        self.file.bytes().len() + self.key.bytes().len() + self.options.len()
    }
}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.file.bytes());
        state.write(self.key.bytes());
    }
}

impl Cache {
    /// Where a query's result is kept. Options that do not change what is
    /// found do not count.
    pub(super) fn slot(def: u16, query: &LookupQuery) -> Slot {
        let mut options = Vec::new();
        for option in query.options.each() {
            if !option.starts_with(b"cache=") && option != b"ret=key" && !option.is_empty() {
                options.extend_from_slice(option);
                options.push(b',');
            }
        }
        let (file, key) = (Str::from(query.file.bytes()), Str::from(query.key.bytes()));
        Slot { def, file, key, options }
    }

    /// A kept result. The time is asked for only where it matters.
    pub(super) fn get(&self, slot: &Slot) -> Option<(Option<Str>, Option<i64>)> {
        self.kept.get(slot).map(|kept| (kept.value.clone(), kept.until))
    }

    /// Keeps a result.
    pub(super) fn put(&mut self, slot: Slot, value: Option<Str>, until: Option<i64>) {
        let size = slot.size() + value.as_ref().map_or(0, |value| value.bytes().len());
        if self.kept.len() >= KEPT || self.size.saturating_add(size) > LARGEST {
            self.kept.clear();
            self.size = 0;
        }
        if size <= LARGEST {
            self.size += size;
            self.kept.insert(slot, Kept { value, until });
        }
    }

    /// Forgets all results.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.size = 0;
    }

    /// Forgets what is known of the database that a slot belongs to.
    pub(super) fn forget(&mut self, slot: &Slot) {
        self.kept.retain(|kept, _| kept.def != slot.def || kept.file != slot.file);
    }
}
