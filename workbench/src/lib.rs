//! What shows a configuration to a person: editors, debuggers and tests of a configuration
//! stand on this room, and the program gives them a terminal, files and connections.
//!
//! Nothing here prints or touches the outside: bytes and messages come in and go out.
#![forbid(unsafe_code)]

pub mod ast;
pub mod bench;
pub mod coverage;
pub mod dap;
pub mod debugger;
pub mod dialogue;
pub mod lsp;
mod names;
mod page;
pub mod pages;
pub mod record;
pub mod serve;
pub mod testing;
pub mod trace;
pub mod tree;
pub mod variables;
