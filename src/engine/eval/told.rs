//! The steps of an expansion, told to those who want to see each ([`crate::trace`]).
//! Nobody else pays for it but with a look at a number.

use eximious_core::grammar::expansion::{Arg, CondId, Part, Piece, Seq, View};
use eximious_core::trace::{ExpansionEvent, Happening, TraceKinds, TracePiece};
use eximious_core::{Fail, Str};

use super::Eval;

/// How deep passed-over strings are followed.
const MOST_PARSE_ONLY: u32 = 100;

impl Eval<'_> {
    /// Begins to tell, where there is more than text.
    pub(super) fn begin_telling(&mut self) {
        if memchr::memchr2(b'$', b'\\', self.source).is_some() {
            self.told = self.cx.trace.depth.max(1);
        }
    }

    /// Evaluates a string: its pieces are told on the way, and what comes of it.
    pub(super) fn told_sequence(&mut self, seq: Seq) -> Result<Str, Fail> {
        let (depth, source, span) = (self.told, self.source, seq.span);
        let conditions = std::mem::take(&mut self.conditions);
        let trace = &mut self.cx.trace;
        let before = std::mem::replace(&mut trace.depth, depth);
        let begin = ExpansionEvent::Begin { source, span, skipped: false };
        let outer = trace.begin(Happening::Expansion(begin));
        self.told = depth + 1;
        let result = self.untold_sequence(seq);
        self.told = depth;
        self.conditions = conditions;
        let trace = &mut self.cx.trace;
        trace.end(outer);
        trace.tell_at(
            depth,
            Happening::Expansion(match &result {
                Ok(value) => ExpansionEvent::End { source, span, value: Some(value) },
                Err(fail) => ExpansionEvent::Failed { source, span, fail },
            }),
        );
        trace.depth = before;
        if span == self.tree.root.span {
            self.tell_cost();
        }
        result
    }

    /// Tells what the evaluation has taken up to here.
    fn tell_cost(&mut self) {
        if self.cx.trace.wants(TraceKinds::MEMORY) {
            let (steps, bytes) = self.cx.evaluation.budget.used(&self.cx.engine);
            let text = format!("expansion: {steps} steps, {bytes} bytes");
            self.cx.note(TraceKinds::MEMORY, text.as_bytes());
        }
    }

    /// Tells what a piece came to; `first` says that nothing came of those before it.
    pub(super) fn tell_piece(&mut self, piece: &Piece, value: &Str, first: bool) {
        let Some(kind) = kind_of(piece) else { return };
        let (source, span) = (self.source, piece.span);
        let value = Some(value);
        let event = ExpansionEvent::Piece { source, span, piece: kind, value, first };
        self.tell(self.told - 1, event);
    }

    /// Tells a condition, unless it is part of another one.
    pub(super) fn tell_condition(&mut self, id: CondId, holds: bool) {
        if self.conditions > 0 || self.told == 0 {
            return;
        }
        let (source, span) = (self.source, self.tree.cond(id).span);
        let holds = Some(holds);
        self.tell(self.told - 1, ExpansionEvent::Condition { source, span, holds });
    }

    /// Tells of a string that is passed over.
    pub(super) fn tell_parse_only(&mut self, seq: Seq, depth: u32) {
        if depth > MOST_PARSE_ONLY {
            return;
        }
        let tree: &View<'_> = self.tree;
        let (source, span) = (self.source, seq.span);
        let begin = ExpansionEvent::Begin { source, span, skipped: true };
        let outer = self.cx.trace.begin_at(depth, Happening::Expansion(begin));
        for piece in tree.pieces(seq) {
            match piece.part {
                Part::Operator(id) => self.tell_parse_only(tree.op(id).arg, depth + 1),
                Part::Item(id) => {
                    self.tell_parse_only_args(tree.call_args(tree.call(id)), depth);
                }
                _ => {}
            }
            let Some(kind) = kind_of(piece) else {
                return self.cx.trace.end(outer);
            };
            let (span, first) = (piece.span, false);
            let event = ExpansionEvent::Piece { source, span, piece: kind, value: None, first };
            self.tell(depth, event);
        }
        self.cx.trace.end(outer);
        self.tell(depth, ExpansionEvent::End { source, span, value: None });
    }

    /// Tells of a condition that is passed over.
    pub(super) fn tell_parse_only_condition(&mut self, id: CondId) {
        let args = self.tree.cond_args(self.tree.cond(id));
        self.tell_parse_only_args(args, self.told - 1);
    }

    fn tell_parse_only_args(&mut self, args: &[Arg], depth: u32) {
        for arg in args {
            match arg {
                Arg::Text(seq) | Arg::Yes(seq) | Arg::No(seq) => {
                    self.tell_parse_only(*seq, depth + 1);
                }
                Arg::Condition(id) => {
                    let node = self.tree.cond(*id);
                    self.tell_parse_only_args(self.tree.cond_args(node), depth);
                    let (source, span) = (self.source, node.span);
                    let event = ExpansionEvent::Condition { source, span, holds: None };
                    self.tell(depth, event);
                }
                _ => {}
            }
        }
    }

    fn tell(&mut self, depth: u32, event: ExpansionEvent<'_>) {
        self.cx.trace.tell_at(depth, Happening::Expansion(event));
    }
}

/// What a piece is; nothing, where the parse could not go on.
fn kind_of(piece: &Piece) -> Option<TracePiece> {
    Some(match piece.part {
        Part::Text(_) => TracePiece::Text,
        Part::Numeric(_) => TracePiece::Numeric,
        Part::Header(..) => TracePiece::Header,
        Part::Operator(_) => TracePiece::Operator,
        Part::Item(_) => TracePiece::Item,
        Part::Fault => return None,
        _ => TracePiece::Variable,
    })
}
