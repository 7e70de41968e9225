//! Sieve scripts (RFC 5228, with the extensions that Exim has) to trees.
//!
//! A script is read once, from its start to the first thing that is wrong in it.
//! What is wrong becomes [`SieveCommand::Fault`] or [`SieveTest::Fault`] in its place, so
//! that an evaluator meets it after the commands before it, as Exim does, which
//! reads and obeys at the same time. Places are counted in Exim's lines: newlines
//! in bracketed comments, and those behind a backslash, do not count.

mod lexer;
mod parser;
mod strings;
mod tree;

pub use tree::{
    AddressPart, Arm, BodyTransform, Capabilities, Comparator, If, MatchType, Matching, Notify,
    Script, SieveCommand, SieveFault, SieveString, SieveTest, SizeOrder, Vacation,
};

/// How far a script may go. What is beyond is a fault with a wording of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SieveLimits {
    /// Bytes of the script.
    pub bytes: usize,
    /// Blocks and tests inside one another.
    pub depth: u32,
    /// Tests in the whole script.
    pub tests: u32,
    /// Actions in the whole script.
    pub actions: u32,
}

impl Default for SieveLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 100, tests: 10_000, actions: 10_000 }
    }
}

/// Which words an evaluator has beyond those that are always there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dialect {
    /// Whether `enotify` may be required (RFC 5435); otherwise it is disabled.
    pub notify: bool,
    /// Whether `vacation` may be required (RFC 5230); otherwise it is disabled.
    pub vacation: bool,
}

/// Reads a script.
pub fn parse(text: &[u8], dialect: Dialect, limits: SieveLimits) -> Script {
    // Where it is too deep already, the first block says so.
    let _level = crate::stack::level();
    parser::Parser::new(text, dialect, limits).script()
}
