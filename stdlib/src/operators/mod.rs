//! Operators: `${name:…}` (specification 11.6).

pub(crate) mod addresses;
mod case;
mod substrings;

use eximious_core::Operator;

/// All operators.
pub static ALL: &[&Operator] = &[
    &addresses::ADDRESS,
    &addresses::ADDRESSES,
    &addresses::DOMAIN,
    &addresses::LOCAL_PART,
    &addresses::QUOTE_LOCAL_PART,
    &case::LC,
    &case::UC,
    &substrings::H,
    &substrings::LENGTH,
    &substrings::NH,
    &substrings::S,
    &substrings::STRLEN,
];
