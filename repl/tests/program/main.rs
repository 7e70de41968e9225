//! What the program `eximious` does, beside a real Exim where one is installed.
// Tests start programs, read files and look at the clock.
#![allow(clippy::disallowed_methods)]

mod aliases;
mod auth;
mod batch;
mod bounds;
mod called;
mod callouts;
mod checks;
mod common;
mod configurations;
mod cutthrough;
mod daemon;
mod dcc;
mod debug_log;
mod debugging;
mod deliveries;
mod dialogues;
mod dscp;
mod faults;
mod filters;
mod fmt;
mod full;
mod hunts;
mod load;
mod options;
mod pages;
mod pipe;
mod reference;
mod rights;
mod routing;
mod scram;
mod sealing;
mod spool;
mod submission;
mod swaks;
mod terminal;
mod tls;
mod whoson;
