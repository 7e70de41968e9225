//! Operators: `${name:…}` (specification 11.6).

mod case;
mod substrings;

use eximious_core::Operator;

/// All operators.
pub static ALL: &[&Operator] = &[
    &case::LC,
    &case::UC,
    &substrings::H,
    &substrings::LENGTH,
    &substrings::NH,
    &substrings::S,
    &substrings::STRLEN,
];
