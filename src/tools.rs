//! The room of tools: what reads a configuration for a person.

pub mod check;
pub mod fmt;
