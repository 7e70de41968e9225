//! Lists: splitting, joining, and matching (specification 6.20 and chapter 10).
//!
//! A plain list is split by [`elements`] and made by [`Joiner`]. A list of
//! domains, hosts, addresses or local parts holds patterns, against which a
//! [`Matcher`] tests a subject; `match_domain` and its kin, routers and ACLs
//! use it alike.

mod address;
mod domain;
mod file;
mod host;
pub mod ip;
mod local_part;
mod lookup;
mod matcher;
mod mx;
mod named;
mod names;
mod organs;
mod planned;
mod shown;
mod split;
mod text;
mod walk;

pub use host::{HostNames, Known};
pub use matcher::{Answers, Keep, ListOutcome, Matcher, forget, swap_answers};
pub use names::Names;
pub(crate) use shown::Shown;
pub use split::{
    Elements, Joiner, append_element, change_of_separator, elements, elements_by, elements_with,
};
pub(crate) use walk::Verdict;
use walk::is_negated;
