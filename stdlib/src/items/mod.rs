//! Expansion items: `${name{…}…}` (specification 11.5).

pub(crate) mod acl;
mod authresults;
mod certextract;
mod dlfunc;
mod env;
mod extract;
mod hmac;
mod r#if;
mod imapfolder;
mod iterate;
mod listquote;
mod lookup;

mod perl;
mod prvs;
mod readfile;
pub(crate) mod readsocket;
mod run;
mod sg;
mod sort;
mod srs;
mod substrings;
mod tr;

use eximious_core::Item;

pub use authresults::{AuthMechanism, DmarcAuthor, LocalMessage};
pub use perl::start as start_perl;

/// All items.
pub static ALL: &[&Item] = &[
    &acl::ACL,
    &authresults::AUTHRESULTS,
    &certextract::CERTEXTRACT,
    &dlfunc::DLFUNC,
    &env::ENV,
    &extract::EXTRACT,
    &extract::LISTEXTRACT,
    &hmac::HMAC,
    &r#if::IF,
    &imapfolder::IMAPFOLDER,
    &iterate::FILTER,
    &iterate::MAP,
    &iterate::REDUCE,
    &listquote::LISTQUOTE,
    &lookup::LOOKUP,
    &perl::PERL,
    &prvs::PRVS,
    &prvs::PRVSCHECK,
    &readfile::READFILE,
    &readsocket::READSOCKET,
    &run::RUN,
    &sg::SG,
    &sort::SORT,
    &srs::SRS_ENCODE,
    &substrings::HASH,
    &substrings::LENGTH,
    &substrings::NHASH,
    &substrings::SUBSTR,
    &tr::TR,
];
