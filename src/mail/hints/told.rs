//! Hints as a conversation uses them: what is opened, read and kept is told.

use std::sync::Arc;

use eximious_core::trace::{Happening, HintEvent};
use eximious_core::world::{HintStore, HintsError};
use eximious_stdlib::options::opt;

use super::Record;
use crate::Context;

/// The hints of the configuration's spool, one conversation's records of which are told.
#[derive(Clone)]
pub(crate) struct ToldHints {
    store: Arc<dyn HintStore>,
    /// What time it is, in seconds since 1970.
    now: i64,
}

impl ToldHints {
    /// Opens the hints that hold such records.
    pub(crate) fn open<R: Record>(cx: &mut Context, now: i64) -> Self {
        let engine = cx.engine();
        let spool = engine.settings().get(opt::SPOOL_DIRECTORY);
        let store = engine.world().hint_store(spool.bytes());
        cx.tell(Happening::Hint(HintEvent::Open { space: R::SPACE }));
        Self { store, now }
    }

    /// As [`Record::load`].
    pub(crate) fn load<R: Record>(
        &self,
        cx: &mut Context,
        key: &[u8],
    ) -> Result<Option<(R, i64)>, HintsError> {
        let found = R::load(&*self.store, key);
        match &found {
            Ok(found) => self.tell_read::<R>(cx, key, found.as_ref().map(|(_, stamp)| *stamp)),
            Err(error) => fail::<R>(cx, error),
        }
        found
    }

    /// As [`Record::save`], with a time of its own.
    pub(crate) fn save<R: Record>(
        &self,
        cx: &mut Context,
        record: &R,
        key: &[u8],
        stamp: i64,
    ) -> Result<(), HintsError> {
        let saved = record.save(&*self.store, key, stamp);
        match &saved {
            Ok(()) => cx.tell(Happening::Hint(HintEvent::Write { space: R::SPACE, key })),
            Err(error) => fail::<R>(cx, error),
        }
        saved
    }

    /// As [`Record::change`].
    pub(crate) fn change<R: Record>(
        &self,
        cx: &mut Context,
        key: &[u8],
        mut change: impl FnMut(Option<(R, i64)>) -> Option<Option<R>>,
    ) -> Result<(), HintsError> {
        let (mut stamp, mut writes) = (None, false);
        let done = R::change(&*self.store, key, self.now, |old| {
            stamp = old.as_ref().map(|(_, stamp)| *stamp);
            let new = change(old);
            writes = new.is_some();
            new
        });
        match &done {
            Ok(()) => {
                self.tell_read::<R>(cx, key, stamp);
                if writes {
                    cx.tell(Happening::Hint(HintEvent::Write { space: R::SPACE, key }));
                }
            }
            Err(error) => fail::<R>(cx, error),
        }
        done
    }

    fn tell_read<R: Record>(&self, cx: &mut Context, key: &[u8], stamp: Option<i64>) {
        let age = stamp.map(|stamp| self.now.saturating_sub(stamp));
        cx.tell(Happening::Hint(HintEvent::Read { space: R::SPACE, key, age }));
    }
}

fn fail<R: Record>(cx: &mut Context, error: &HintsError) {
    let why = error.to_string();
    cx.tell(Happening::Hint(HintEvent::Failed { space: R::SPACE, why: &why }));
}
