//! How much a built-in may do.

use super::{Bounds, Call};
use crate::Fail;

impl Call<'_> {
    /// How long and how much may be waited for.
    pub fn bounds(&self) -> Bounds {
        self.machine.bounds()
    }

    /// Counts bytes that a built-in looks at or makes beyond its arguments and its
    /// result, which are counted anyway: each round of a loop over them is to do so.
    ///
    /// # Errors
    /// The evaluation has done as much as it may, or was called off.
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<(), Fail> {
        self.machine.charge(bytes, 0)
    }

    /// As [`Call::charge`], for a match of a pattern, which may take long.
    ///
    /// # Errors
    /// As [`Call::charge`].
    #[inline]
    pub fn charge_match(&mut self, bytes: usize) -> Result<(), Fail> {
        self.machine.charge(bytes, 512)
    }

    /// Checks the length of a string while it is put together.
    ///
    /// # Errors
    /// It is longer than a string may be, or all that are held together are.
    pub fn check_length(&self, length: usize) -> Result<(), Fail> {
        self.machine.check_length(length)
    }

    /// Does one of several rounds, of which only what it comes to is held, and only as
    /// long as the next one takes: `bytes` are what the others have come to.
    pub fn round<T>(&mut self, bytes: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = *self.machine.held();
        *self.machine.held() = before.saturating_add(bytes);
        let result = work(self);
        *self.machine.held() = before;
        result
    }
}
