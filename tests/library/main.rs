//! What the library does by itself, in files and in programs that it starts; where a real
//! Exim is installed, it is asked the same.

mod acl_words;
mod arc;
mod certificates;
mod check;
mod commands;
mod dbm;
mod depth;
mod examples;
mod extensions;
mod fmt;
mod hostile;
mod hosts;
mod items;
mod library;
mod lists;
mod lookups;
mod messages;
mod names;
mod once;
mod operators;
mod options;
mod oracle;
mod patterns;
mod perl;
mod places;
mod set_options;
mod sieve;
mod signatures;
mod spf;
mod spf_vectors;
mod srs;
mod suites;
mod unwaited;
mod used;
mod variables;
