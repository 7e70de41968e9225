//! What an embedder sets variables to.

use eximious_core::Str;

/// What a variable may be set to ([`Context::set`](crate::Context::set)).
pub trait IntoValue {
    /// The value, tainted unless it says itself that it is not.
    fn into_value(self) -> Str;
}

impl IntoValue for Str {
    fn into_value(self) -> Str {
        self
    }
}
impl IntoValue for &Str {
    fn into_value(self) -> Str {
        self.clone()
    }
}

/// What has no taint of its own.
macro_rules! from_outside {
    ($($kind:ty),*) => {
        $(impl IntoValue for $kind {
            fn into_value(self) -> Str {
                Str::tainted(self)
            }
        })*
    };
}
from_outside!(&str, String, &[u8], Vec<u8>);

impl<const N: usize> IntoValue for &[u8; N] {
    fn into_value(self) -> Str {
        Str::tainted(self)
    }
}
impl IntoValue for &String {
    fn into_value(self) -> Str {
        Str::tainted(self.as_str())
    }
}
