//! The room of tools: what reads a configuration for a person.

pub mod check;
pub mod complete;
pub mod fmt;
pub mod outline;
pub mod symbols;
pub mod words;
