//! Functions in shared objects.

use eximious_core::world::{ForeignAnswer, ForeignError, Libraries};

/// The system's loader; it loads nothing unless the feature `dlfunc` is on.
#[derive(Debug)]
pub struct SystemLibraries;

#[cfg(feature = "dlfunc")]
impl Libraries for SystemLibraries {
    fn call(
        &self,
        file: &[u8],
        function: &[u8],
        args: &[Vec<u8>],
    ) -> Result<ForeignAnswer, ForeignError> {
        use eximious_dlfunc::{Answer, Error, call};
        match call(file, function, args) {
            Ok(Answer { code, text }) => Ok(ForeignAnswer { code, text }),
            Err(Error::Open(why)) => Err(ForeignError::Open(why)),
            Err(Error::Find(why)) => Err(ForeignError::Find(why)),
        }
    }
}

#[cfg(not(feature = "dlfunc"))]
impl Libraries for SystemLibraries {
    fn call(&self, _: &[u8], _: &[u8], _: &[Vec<u8>]) -> Result<ForeignAnswer, ForeignError> {
        Err(ForeignError::NotBuilt)
    }
}
