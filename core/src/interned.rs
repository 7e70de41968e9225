//! Names that are made at run time.

use std::sync::{LazyLock, Mutex, PoisonError};

use rustc_hash::FxHashSet;

static NAMES: LazyLock<Mutex<FxHashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// A name that was made at run time, for a record of an embedder's: `Meta::new(interned(&name),
/// …)`. Each name is kept once, for as long as the program runs, so names are to come from
/// who runs the program, and not from messages.
pub fn interned(name: &str) -> &'static str {
    // Nothing is half done by a thread that panicked.
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.get(name) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(name.into());
            names.insert(kept);
            kept
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let (one, other) = (interned(&"a".repeat(3)), interned("aaa"));
        assert!(std::ptr::eq(one, other));
        assert_eq!(interned("aab"), "aab");
    }
}
