//! `psl` and `regdom`: the Public Suffix List.

#[cfg(feature = "psl")]
mod list;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, LookupFind, Meta, TaintRule};

#[cfg(not(feature = "psl"))]
pub use absent::registered_domains;
#[cfg(not(feature = "psl"))]
use absent::{registered_domain, suffix};
#[cfg(feature = "psl")]
pub use list::registered_domains;
#[cfg(feature = "psl")]
use list::{registered_domain, suffix};

/// The registered domain that a domain in lower case belongs to; `None` for one that is itself
/// a public suffix.
pub type RegisteredDomain = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::FILES);

/// `${lookup{domain}psl{/file}}`.
pub static PSL: LookupDef = LookupDef {
    meta: Meta::new("psl", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<domain>}psl{<file>}}")
        .summary("The public suffix of a domain.")
        .docs(
            "The file is a Public Suffix List, as Debian's package `publicsuffix` has it. The \
             result is the part of the domain under which names are registered: `co.uk` for \
             `www.example.co.uk`, in lower case, in the form (letters or `xn--`) that the domain \
             is in. A domain of which the list knows nothing has its last component as suffix. \
             Addresses, and names with empty components, are not found.",
        )
        .since("4.100")
        .source("specification 9.3.12; https://publicsuffix.org/list/"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(suffix),
};

/// `${lookup{domain}regdom{/file}}`.
pub static REGDOM: LookupDef = LookupDef {
    meta: Meta::new("regdom", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<domain>}regdom{<file>}}")
        .summary("The registered domain that a domain belongs to.")
        .docs(
            "As `psl`, with one component more: `example.co.uk` for `www.example.co.uk`. A \
             domain that is itself a public suffix is not found.",
        )
        .since("4.100")
        .source("specification 9.3.12; https://publicsuffix.org/list/"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(registered_domain),
};

#[cfg(not(feature = "psl"))]
mod absent {
    use eximious_core::{Call, Fail, LookupFail, LookupQuery, Str};

    /// Says which feature is needed.
    pub fn registered_domains(_: &mut Call<'_>, _: &[u8]) -> Result<super::RegisteredDomain, Fail> {
        Err(crate::absent::absent("the Public Suffix List", "psl"))
    }

    type Found = Result<Option<Str>, LookupFail>;

    pub(super) fn suffix(_: &mut Call<'_>, _: &LookupQuery) -> Found {
        Err(LookupFail::Open(crate::absent::absent("the lookup type psl", "psl")))
    }

    pub(super) fn registered_domain(_: &mut Call<'_>, _: &LookupQuery) -> Found {
        Err(LookupFail::Open(crate::absent::absent("the lookup type regdom", "psl")))
    }
}
