//! Expansion strings: `${if eq{$domain}{example.com}{yes}{no}}`.
//!
//! [`parse`] makes a flat arena ([`Tree`]) in one pass. Exim finds an error
//! when it reaches it, from left to right, and also parses what it skips; so
//! the first error that stops a parse ends the tree there
//! ([`View::hard_fault`]), while a name that nobody knows is noted in passing
//! ([`View::soft_faults`]) and the parse goes on.

mod blame;
mod bytes;
mod conditions;
mod header;
mod items;
mod lapses;
mod lexer;
mod lookup;
mod parser;
mod run;
mod shape;
mod tree;
mod trees;
mod view;

pub use bytes::is_space;
pub use lexer::escape;
pub use lookup::{blames_type_word, fits, lookup_word};
pub use parser::{ParseLimits, parse, parse_into};
pub use shape::{
    ArgKind, ArgSpec, ConditionShape, HeaderView, ItemShape, LookupStyle, VariableName, Vocabulary,
};
pub use tree::{
    Arg, CallId, CallNode, Closing, CondId, CondNode, Fault, LookupId, LookupNode, OpId, OpNode,
    Part, Piece, Seq, Tree, Wrapper, WrapperText,
};
pub use trees::Trees;
pub use view::View;
