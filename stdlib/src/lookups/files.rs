//! The files that lookups read: kept in memory while they do not change.

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use eximious_core::world::Stat;
use eximious_core::{Call, Fail, LookupFail};

use crate::wording::reason_to_open;

/// How many files a context keeps.
const KEPT: usize = 32;
/// How many bytes they take together, roughly.
const ROOM: usize = 256 << 20;

/// What was made of files, and when it was last used.
#[derive(Default)]
struct Store {
    files: HashMap<(Vec<u8>, std::any::TypeId), Kept>,
    clock: u64,
}

struct Kept {
    stat: Stat,
    view: Arc<dyn Any + Send + Sync>,
    size: usize,
    used: u64,
}

/// What a lookup makes of a file's contents.
pub(super) trait View: Sized + Send + Sync + 'static {
    /// How many times the room of the contents it takes, roughly.
    const COST: usize;
    /// A larger file is not read at all.
    const LARGEST: u64 = 1 << 30;
    /// Reads the contents.
    fn read(contents: Arc<[u8]>) -> Result<Self, LookupFail>;
}

/// Why a file has no view.
pub(super) enum Trouble {
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
pub(super) fn view<T: View>(call: &mut Call<'_>, path: &[u8]) -> Result<Arc<T>, Trouble> {
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
    let key = (path.to_vec(), std::any::TypeId::of::<T>());
    let store: &mut Store = call.memory();
    store.clock += 1;
    if let Some(kept) = store.files.get_mut(&key)
        && same(&kept.stat, &stat)
        && let Ok(view) = kept.view.clone().downcast::<T>()
    {
        kept.used = store.clock;
        return Ok(view);
    }
    let contents = files.read(path, T::LARGEST).map_err(Trouble::Outside)?;
    let size = contents.len().saturating_mul(T::COST) + 1024;
    let view = Arc::new(T::read(contents).map_err(Trouble::Lookup)?);
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
