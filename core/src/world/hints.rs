//! What is remembered from one message to the next: retry times, rates,
//! results of callouts (specification, chapter 54.11).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use super::Log;

/// How long a key is at the most.
pub const LONGEST_KEY: usize = 4096;
/// How long a value is at the most.
pub const LONGEST_VALUE: usize = 1 << 20;
/// How long the name of a space is at the most.
pub const LONGEST_SPACE: usize = 255;

/// Stores of hints, one for each spool directory.
pub trait Hints: Send + Sync {
    /// The store of a spool directory, by an absolute path. Nothing is touched
    /// before it is asked for something; the log is told where it had to be
    /// begun anew.
    fn open(&self, spool: &[u8], log: Arc<dyn Log>) -> Arc<dyn HintStore>;
}

/// Values under keys, in spaces that are named as Exim's databases are:
/// `retry`, `callout`, `ratelimit`, `seen`, `misc`, `wait-TRANSPORT`, `tls`.
///
/// What stands there can go at any time, and nobody may depend on it. Several
/// processes and threads use a store at once; each wait for another has an end.
pub trait HintStore: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    fn get(&self, space: &[u8], key: &[u8]) -> Result<Option<Hint>, HintsError>;

    /// Reads a value, and puts another in its place, which nobody else changes
    /// in between. The function has to be quick, as others wait for it; it may
    /// not use the store, and may be called again where the store turns out to
    /// be broken.
    ///
    /// # Errors
    /// As [`HintsError`] says; then nothing is changed.
    fn update(
        &self,
        space: &[u8],
        key: &[u8],
        change: &mut dyn FnMut(Option<&Hint>) -> Change,
    ) -> Result<(), HintsError>;

    /// A number of entries, in the order of their keys, from behind one.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    fn page(
        &self,
        space: &[u8],
        behind: Option<&[u8]>,
        count: usize,
    ) -> Result<Vec<(Vec<u8>, Hint)>, HintsError>;

    /// The names of the spaces that have entries.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    fn spaces(&self) -> Result<Vec<Vec<u8>>, HintsError>;

    /// Removes what was put there before a time, and says how much it was.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    fn tidy(&self, space: &[u8], before: i64) -> Result<u64, HintsError>;

    /// Puts a value there.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    fn put(&self, space: &[u8], key: &[u8], hint: Hint) -> Result<(), HintsError> {
        self.update(space, key, &mut |_| Change::Put(hint.clone()))
    }

    /// Removes a key.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    fn delete(&self, space: &[u8], key: &[u8]) -> Result<(), HintsError> {
        self.update(space, key, &mut |_| Change::Delete)
    }
}

impl dyn HintStore + '_ {
    /// Shows all entries of a space, in the order of their keys, until the
    /// function says that it has seen enough. It may use the store: what is
    /// changed meanwhile may or may not be shown.
    ///
    /// # Errors
    /// As [`HintsError`] says.
    pub fn each(
        &self,
        space: &[u8],
        visit: &mut dyn FnMut(&[u8], &Hint) -> bool,
    ) -> Result<(), HintsError> {
        const PAGE: usize = 64;
        let mut page = self.page(space, None, PAGE)?;
        loop {
            for (key, hint) in &page {
                if !visit(key, hint) {
                    return Ok(());
                }
            }
            match page.pop() {
                Some((last, _)) => page = self.page(space, Some(&last), PAGE)?,
                None => return Ok(()),
            }
        }
    }
}

/// A value, and when it was put there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hint {
    /// The value.
    pub value: Vec<u8>,
    /// Seconds since 1970.
    pub stamp: i64,
}

/// What is to be done with an entry that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing.
    Keep,
    /// This is to take its place.
    Put(Hint),
    /// It is to go.
    Delete,
}

/// Why hints can't be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HintsError {
    /// Nothing may be kept here.
    Denied,
    /// Others kept it locked for too long.
    Busy,
    /// The key or the value is too long.
    TooLong,
    /// Anything else: the system's or the database's words.
    Other(String),
}

impl std::fmt::Display for HintsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Denied => "Permission denied",
            Self::Busy => "others keep the hints locked",
            Self::TooLong => "too long for a hint",
            Self::Other(words) => words,
        })
    }
}

impl std::error::Error for HintsError {}

/// Whether the names are of lengths that every store takes.
///
/// # Errors
/// They are not.
pub fn check_names(space: &[u8], key: &[u8]) -> Result<(), HintsError> {
    match space.len() <= LONGEST_SPACE && key.len() <= LONGEST_KEY {
        true => Ok(()),
        false => Err(HintsError::TooLong),
    }
}

/// How many entries are kept in memory at the most.
const MOST_IN_MEMORY: usize = 100_000;

/// Hints that are kept in memory, for tests and for who needs no others. All
/// spool directories share them.
#[derive(Clone, Debug, Default)]
pub struct HintsInMemory(Arc<Mutex<Entries>>);

type Entries = BTreeMap<(Vec<u8>, Vec<u8>), Hint>;

impl HintsInMemory {
    fn with<T>(&self, work: impl FnOnce(&mut Entries) -> T) -> Result<T, HintsError> {
        let mut entries =
            self.0.lock().map_err(|_| HintsError::Other("another thread panicked".into()))?;
        Ok(work(&mut entries))
    }
}

impl Hints for HintsInMemory {
    fn open(&self, _spool: &[u8], _log: Arc<dyn Log>) -> Arc<dyn HintStore> {
        Arc::new(self.clone())
    }
}

impl HintStore for HintsInMemory {
    fn get(&self, space: &[u8], key: &[u8]) -> Result<Option<Hint>, HintsError> {
        self.with(|entries| entries.get(&(space.to_vec(), key.to_vec())).cloned())
    }

    fn update(
        &self,
        space: &[u8],
        key: &[u8],
        change: &mut dyn FnMut(Option<&Hint>) -> Change,
    ) -> Result<(), HintsError> {
        check_names(space, key)?;
        let place = (space.to_vec(), key.to_vec());
        self.with(|entries| match change(entries.get(&place)) {
            Change::Keep => Ok(()),
            Change::Put(hint) if hint.value.len() > LONGEST_VALUE => Err(HintsError::TooLong),
            Change::Put(hint) => {
                if entries.len() >= MOST_IN_MEMORY {
                    forget_oldest(entries);
                }
                entries.insert(place, hint);
                Ok(())
            }
            Change::Delete => {
                entries.remove(&place);
                Ok(())
            }
        })?
    }

    fn page(
        &self,
        space: &[u8],
        behind: Option<&[u8]>,
        count: usize,
    ) -> Result<Vec<(Vec<u8>, Hint)>, HintsError> {
        let start = match behind {
            Some(key) => Bound::Excluded((space.to_vec(), key.to_vec())),
            None => Bound::Included((space.to_vec(), Vec::new())),
        };
        self.with(|entries| {
            let behind = entries.range((start, Bound::Unbounded));
            let inside = behind.take_while(|((of, _), _)| of == space).take(count);
            inside.map(|((_, key), hint)| (key.clone(), hint.clone())).collect()
        })
    }

    fn spaces(&self) -> Result<Vec<Vec<u8>>, HintsError> {
        self.with(|entries| {
            let mut names: Vec<Vec<u8>> = entries.keys().map(|(space, _)| space.clone()).collect();
            names.dedup();
            names
        })
    }

    fn tidy(&self, space: &[u8], before: i64) -> Result<u64, HintsError> {
        self.with(|entries| {
            let all = entries.len();
            entries.retain(|(of, _), hint| of != space || hint.stamp >= before);
            (all - entries.len()) as u64
        })
    }
}

/// Makes room: an eighth goes.
fn forget_oldest(entries: &mut Entries) {
    let mut stamps: Vec<i64> = entries.values().map(|hint| hint.stamp).collect();
    let eighth = stamps.len() / 8;
    let (_, &mut limit, _) = stamps.select_nth_unstable(eighth);
    let mut left = eighth.max(1);
    entries.retain(|_, hint| {
        let goes = hint.stamp <= limit && left > 0;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;

    fn hint(value: &str, stamp: i64) -> Hint {
        Hint { value: value.into(), stamp }
    }

    #[test]
    fn a_store_in_memory_does_what_a_store_does() {
        let store = World { hints: Arc::new(HintsInMemory::default()), ..World::hermetic() }
            .hint_store(b"/spool");
        assert_eq!(store.get(b"retry", b"k"), Ok(None));
        for number in 0..200 {
            let key = format!("k{number:03}");
            store.put(b"retry", key.as_bytes(), hint("v", number)).unwrap();
        }
        store.put(b"seen", b"k", hint("v", 7)).unwrap();
        assert_eq!(store.spaces().unwrap(), [b"retry".to_vec(), b"seen".to_vec()]);
        let mut keys = Vec::new();
        store
            .each(b"retry", &mut |key, hint| {
                keys.push((key.to_vec(), hint.stamp));
                true
            })
            .unwrap();
        assert_eq!(keys.len(), 200);
        assert!(keys.is_sorted());
        assert_eq!(store.tidy(b"retry", 150), Ok(150));
        assert_eq!(store.get(b"retry", b"k149"), Ok(None));
        let mut seen = None;
        store
            .update(b"retry", b"k150", &mut |old| {
                seen = old.cloned();
                Change::Delete
            })
            .unwrap();
        assert_eq!(seen, Some(hint("v", 150)));
        assert_eq!(store.get(b"retry", b"k150"), Ok(None));
        assert_eq!(store.put(b"x", &[0; 5000], hint("", 0)), Err(HintsError::TooLong));
        let long = Hint { value: vec![0; LONGEST_VALUE + 1], stamp: 0 };
        assert_eq!(store.put(b"x", b"", long), Err(HintsError::TooLong));
    }

    #[test]
    fn the_oldest_go_where_there_is_no_room() {
        let mut entries: Entries = (0..80)
            .map(|number| ((Vec::new(), vec![number]), hint("", i64::from(number / 20))))
            .collect();
        forget_oldest(&mut entries);
        assert_eq!(entries.len(), 70);
        assert!(entries.keys().all(|(_, key)| key[0] >= 10));
    }

    #[test]
    fn a_hermetic_world_has_no_hints_and_takes_none() {
        let store = World::hermetic().hint_store(b"/spool");
        assert_eq!(store.get(b"retry", b"k"), Ok(None));
        assert_eq!(store.put(b"retry", b"k", hint("v", 1)), Err(HintsError::Denied));
        assert_eq!(store.spaces(), Ok(Vec::new()));
    }
}
