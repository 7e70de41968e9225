//! The files that lookups read: kept in memory while they do not change, once for all
//! contexts that have them in use.

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use eximious_core::world::Stat;
use eximious_core::{Call, Fail, LookupFail};

use crate::wording::reason_to_open;

/// How many files a context keeps.
const KEPT: usize = 32;
/// How many bytes they take together, roughly.
const ROOM: usize = 256 << 20;

/// A file, and what was made of it.
type Key = (Vec<u8>, TypeId);

/// What was made of files, and when it was last used.
#[derive(Default)]
struct Store {
    files: HashMap<Key, Kept>,
    clock: u64,
}

struct Kept {
    stat: Stat,
    view: Shared,
    size: usize,
    used: u64,
}

/// What a lookup makes of a file's contents.
pub(crate) trait View: Sized + Send + Sync + 'static {
    /// How many times the room of the contents it takes, roughly.
    const COST: usize;
    /// A larger file is not read at all.
    const LARGEST: u64 = 1 << 30;
    /// Reads the contents.
    fn read(contents: Arc<[u8]>) -> Result<Self, LookupFail>;
}

/// Why a file has no view.
pub(crate) enum Trouble {
    /// It can't be read.
    Outside(io::Error),
    /// It is a directory, a device, or the like.
    NotRegular,
    /// Its contents are not what they should be, or files are forbidden.
    Lookup(LookupFail),
}

impl From<Fail> for Trouble {
    fn from(fail: Fail) -> Self {
        Self::Lookup(LookupFail::Open(fail))
    }
}

impl Trouble {
    /// A failure in the words of a lookup type, given those of the system.
    pub(super) fn worded(
        self,
        call: &mut Call<'_>,
        file: &[u8],
        name: &str,
        outside: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> LookupFail {
        let message = match self {
            Self::Outside(error) => outside(reason_to_open(call, &error).as_bytes()),
            Self::NotRegular => {
                [file, b" is not a regular file (", name.as_bytes(), b" lookup)"].concat()
            }
            Self::Lookup(fail) => return fail,
        };
        LookupFail::Open(super::outside(message))
    }
}

/// What a lookup type makes of a file, from memory where the file is as it was.
pub(crate) fn view<T: View>(call: &mut Call<'_>, path: &[u8]) -> Result<Arc<T>, Trouble> {
    let files = call.files()?;
    let stat = files.stat(path, true).map_err(Trouble::Outside)?;
    if !stat.is_file() {
        // Whoever may not even open a directory is told that.
        return Err(match stat.is_directory().then(|| files.read(path, 1)) {
            Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                Trouble::Outside(error)
            }
            _ => Trouble::NotRegular,
        });
    }
    let key = (path.to_vec(), TypeId::of::<T>());
    let store: &mut Store = call.memory();
    store.clock += 1;
    if let Some(kept) = store.files.get_mut(&key)
        && same(&kept.stat, &stat)
        && let Ok(view) = kept.view.clone().downcast::<T>()
    {
        kept.used = store.clock;
        return Ok(view);
    }
    let make = || {
        let contents = files.read(path, T::LARGEST).map_err(Trouble::Outside)?;
        let size = contents.len().saturating_mul(T::COST) + 1024;
        Ok((Arc::new(T::read(contents).map_err(Trouble::Lookup)?), size))
    };
    // In worlds where files have no identity, what one was before may look the same.
    let (view, size) = match stat.inode {
        0 => make()?,
        _ => call.shared_memory::<SharedViews>().view(&key, &stat, make)?,
    };
    let store: &mut Store = call.memory();
    store.files.remove(&key);
    store.make_room(size);
    if size <= ROOM {
        let kept = Kept { stat, view: view.clone(), size, used: store.clock };
        store.files.insert(key, kept);
    }
    Ok(view)
}

/// Whether a file is as it was: when it was read does not count.
fn same(old: &Stat, new: &Stat) -> bool {
    Stat { atime: 0, ..*old } == Stat { atime: 0, ..*new }
}

impl Store {
    /// Drops what was used longest ago, until something new fits.
    fn make_room(&mut self, size: usize) {
        let total = |store: &Self| store.files.values().map(|kept| kept.size).sum::<usize>();
        while self.files.len() >= KEPT || (!self.files.is_empty() && total(self) + size > ROOM) {
            let oldest = self.files.iter().min_by_key(|(_, kept)| kept.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            self.files.remove(&key);
        }
    }
}

/// From so many files on, those that nobody has in use are forgotten.
const KNOWN: usize = 4 * KEPT;

/// How many bytes those take, roughly, that are kept when nobody has them in use.
const SPARE: usize = 32 << 20;

/// What was made of a file.
type Shared = Arc<dyn Any + Send + Sync>;

/// What contexts of an engine have made of files.
#[derive(Default)]
struct SharedViews {
    places: Mutex<HashMap<Key, Arc<Mutex<Option<SharedView>>>>>,
    /// The last ones that were made, the newest at the end.
    spare: Mutex<VecDeque<(Shared, usize)>>,
}

struct SharedView {
    stat: Stat,
    view: Weak<dyn Any + Send + Sync>,
    size: usize,
}

impl SharedViews {
    /// What somebody else has made of a file that is as it was; else it is made, and whoever
    /// wants the same waits for that.
    fn view<T: View>(
        &self,
        key: &Key,
        stat: &Stat,
        make: impl FnOnce() -> Result<(Arc<T>, usize), Trouble>,
    ) -> Result<(Arc<T>, usize), Trouble> {
        let place = self.place(key);
        let mut found = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = found.as_ref().filter(|shared| same(&shared.stat, stat))
            && let Some(Ok(view)) = shared.view.upgrade().map(Arc::downcast)
        {
            return Ok((view, shared.size));
        }
        let (view, size) = make()?;
        let weak: Weak<T> = Arc::downgrade(&view);
        let old = found.replace(SharedView { stat: *stat, view: weak, size });
        self.spare(view.clone(), size, old.and_then(|old| old.view.upgrade()));
        Ok((view, size))
    }

    /// Keeps what was made for a while, in the place of what the file was before, and of what
    /// is older.
    fn spare(&self, view: Shared, size: usize, before: Option<Shared>) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.retain(|(kept, _)| before.as_ref().is_none_or(|before| !Arc::ptr_eq(kept, before)));
        if size > SPARE {
            return;
        }
        spare.push_back((view, size));
        while spare.len() > KEPT || spare.iter().map(|(_, size)| size).sum::<usize>() > SPARE {
            spare.pop_front();
        }
    }

    fn place(&self, key: &Key) -> Arc<Mutex<Option<SharedView>>> {
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN && !known.contains_key(key) {
            known.retain(|_, place| {
                // Who holds it is at work there.
                let Ok(found) = place.try_lock() else { return true };
                found.as_ref().is_some_and(|shared| shared.view.strong_count() > 0)
            });
        }
        known.entry(key.clone()).or_default().clone()
    }
}
