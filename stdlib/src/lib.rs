//! Every name in Exim's language, one record each.
//!
//! A family of words has a folder; a word that is more than a line or two has
//! a file of its own. [`registry`] puts them together.
#![forbid(unsafe_code)]

#[cfg(not(all(feature = "json", feature = "psl", feature = "sha3", feature = "x509")))]
mod absent;
pub mod acl;
pub mod address;
#[cfg(feature = "signatures")]
pub mod arc;
mod arithmetic;
pub mod at_work;
pub mod base64;
pub mod certificate;
pub mod charset;
pub mod command;
pub mod conditions;
#[cfg(feature = "signatures")]
pub mod dkim;
pub mod dns;
pub mod environment;
pub mod event;
pub mod headers;
pub mod hosts;
#[cfg(feature = "idn")]
pub mod idn;
#[cfg(not(feature = "idn"))]
#[path = "idn/absent.rs"]
pub mod idn;
pub mod interval;
pub mod ip;
pub mod items;
pub mod json;
pub mod keyed;
pub mod lists;
pub mod lookups;
pub mod mac;
pub mod message;
pub mod number;
pub mod operators;
pub mod options;
pub mod pattern;
pub mod ports;
pub mod printing;
pub mod provenance;
mod radius;
pub mod references;
pub mod rfc2047;
pub mod srs;
pub mod substring;
pub mod utf8;
pub mod variables;
pub mod wording;
#[cfg(feature = "x509")]
pub mod x509;

use eximious_core::Registry;

/// The whole standard library.
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    registry
        .items(items::ALL.iter().copied())
        .operators(operators::ALL.iter().copied())
        .conditions(conditions::ALL.iter().copied())
        .lookups(lookups::ALL.iter().copied());
    for family in variables::ALL {
        registry.variables(*family);
    }
    for family in options::ALL.iter().copied().flatten() {
        registry.options(family);
    }
    registry
}
