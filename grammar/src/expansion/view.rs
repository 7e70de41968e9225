//! A tree as one looks at it, wherever its parts are kept.

use super::tree::{
    Arg, CallId, CallNode, CondId, CondNode, Fault, LookupId, LookupNode, OpId, OpNode, Part,
    Piece, Seq, Tree,
};
use crate::Span;

/// A tree to look at: one of its own ([`super::Tree`]) or one among many
/// ([`super::Trees`]), whose parts may stand among those of others.
#[derive(Clone, Copy, Debug)]
pub struct View<'t> {
    pub(super) text: &'t [u8],
    pub(super) source: &'t [u8],
    /// The whole string.
    pub root: Seq,
    /// What has its parts.
    pub(super) parts: &'t Tree,
    /// Where an item that is passed over takes `$value` away.
    pub(super) lapses: &'t [Span],
    /// Names that nobody knows, in the order of the text.
    pub soft_faults: &'t [Fault],
    /// What ended the parse early.
    pub hard_fault: Option<&'t Fault>,
    /// Whether the text holds a zero byte, where Exim's strings end.
    pub holds_zero: bool,
    /// Where the first `$h_NAME` without a colon swallowed a brace; a fault
    /// about braces after it says so.
    pub malformed_header: Option<u32>,
}

impl<'t> View<'t> {
    /// What was parsed.
    pub fn source(&self) -> &'t [u8] {
        self.source
    }
    /// The pieces of a string.
    #[inline(always)]
    pub fn pieces(&self, seq: Seq) -> &'t [Piece] {
        &self.parts.pieces[seq.start as usize..(seq.start + seq.len) as usize]
    }
    /// An operator.
    pub fn op(&self, id: OpId) -> &'t OpNode {
        &self.parts.ops[id.0 as usize]
    }
    /// An item.
    pub fn call(&self, id: CallId) -> &'t CallNode {
        &self.parts.calls[id.0 as usize]
    }
    /// A condition.
    pub fn cond(&self, id: CondId) -> &'t CondNode {
        &self.parts.conds[id.0 as usize]
    }
    /// A lookup's type.
    pub fn lookup(&self, id: LookupId) -> &'t LookupNode {
        &self.parts.lookups[id.0 as usize]
    }
    /// The arguments of an item.
    pub fn call_args(&self, call: &CallNode) -> &'t [Arg] {
        &self.parts.args[call.args.0 as usize..call.args.1 as usize]
    }
    /// The arguments of a condition.
    pub fn cond_args(&self, cond: &CondNode) -> &'t [Arg] {
        &self.parts.args[cond.args.0 as usize..cond.args.1 as usize]
    }
    /// Literal text or a name. The source is the beginning of all text.
    pub fn text(&self, span: Span) -> &'t [u8] {
        span.of(self.text)
    }
    /// The text, where a string is nothing but literal text.
    pub fn literal(&self, seq: Seq) -> Option<&'t [u8]> {
        match self.pieces(seq) {
            [] => Some(b""),
            [Piece { part: Part::Text(span), .. }] => Some(self.text(*span)),
            _ => None,
        }
    }
    /// What is wrong with the text: names that nobody knows, then what ended
    /// the parse.
    pub fn faults(&self) -> impl Iterator<Item = &'t Fault> + use<'t> {
        self.soft_faults.iter().chain(self.hard_fault)
    }
}
