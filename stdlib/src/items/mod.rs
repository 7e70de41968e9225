//! Expansion items: `${name{…}…}` (specification 11.5).

mod extract;
mod r#if;
mod iterate;
mod lookup;
mod sg;
mod sort;
mod substrings;

use eximious_core::Item;

/// All items.
pub static ALL: &[&Item] = &[
    &extract::EXTRACT,
    &extract::LISTEXTRACT,
    &r#if::IF,
    &iterate::FILTER,
    &iterate::MAP,
    &iterate::REDUCE,
    &lookup::LOOKUP,
    &sg::SG,
    &sort::SORT,
    &substrings::HASH,
    &substrings::LENGTH,
    &substrings::NHASH,
    &substrings::SUBSTR,
];
