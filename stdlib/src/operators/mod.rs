//! Operators: `${name:…}` (specification 11.6).

pub(crate) mod addresses;
mod case;
mod rfc2047;
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
    &rfc2047::RFC2047,
    &rfc2047::RFC2047D,
    &substrings::H,
    &substrings::LENGTH,
    &substrings::NH,
    &substrings::S,
    &substrings::STRLEN,
];
