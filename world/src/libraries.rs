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
        use eximious_dlfunc::{DlfuncError, FunctionResult, call};
        match call(file, function, args) {
            Ok(FunctionResult { code, text }) => Ok(ForeignAnswer { code, text }),
            Err(DlfuncError::Open(why)) => Err(ForeignError::Open(why)),
            Err(DlfuncError::Find(why)) => Err(ForeignError::Find(why)),
        }
    }
}

#[cfg(not(feature = "dlfunc"))]
impl Libraries for SystemLibraries {
    fn call(&self, _: &[u8], _: &[u8], _: &[Vec<u8>]) -> Result<ForeignAnswer, ForeignError> {
        Err(ForeignError::NotBuilt)
    }
}
