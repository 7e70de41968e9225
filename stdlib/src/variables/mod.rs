//! Variables: `$name` (specification 11.9).

mod clock;
mod families;
mod host;
mod scope;

use eximious_core::Variable;

/// All variables, by family.
pub static ALL: &[&[Variable]] = &[clock::ALL, families::ALL, host::ALL, scope::ALL];
