//! The steps of an expansion, told to those who want to see each (`control = debug`,
//! specification 44.13). Nobody else pays for it but with a look at a number.

use eximious_core::grammar::expansion::{Arg, CondId, Part, Piece, Seq, View, escape};
use eximious_core::{Fail, FailClass, Str, Trace};
use eximious_grammar::Span;

use super::Eval;
use crate::engine::debugging::DebugSelector;

/// What is told of strings that are evaluated, and of those that are passed over.
const CONSIDERING: [&str; 2] = ["╭considering: ", "├considering: "];
const SCANNING: [&str; 2] = ["╭───scanning: ", "├───scanning: "];

/// How deep passed-over strings are followed.
const MOST_SKIMMED: u32 = 100;

/// What is left of a text from a place on.
fn rest(source: &[u8], at: u32) -> &[u8] {
    source.get(at as usize..).unwrap_or_default()
}

impl Eval<'_> {
    /// Begins to tell, where somebody wants to be told, and where there is more than
    /// text.
    pub(super) fn begin_telling(&mut self) {
        let wanted = self.cx.debugging.is_some()
            && memchr::memchr2(b'$', b'\\', self.source).is_some()
            && self.cx.debugs(DebugSelector::EXPAND);
        if wanted {
            self.told = self.cx.memory.get::<Trace>().depth.max(1);
        }
    }

    /// Evaluates a string: its pieces are told on the way, and what comes of it.
    pub(super) fn told_sequence(&mut self, seq: Seq) -> Result<Str, Fail> {
        let depth = self.told;
        let conditions = std::mem::take(&mut self.conditions);
        let outer = self.cx.set_trace_depth(depth);
        self.tell(depth, CONSIDERING[0], rest(self.source, seq.span.start));
        self.told = depth + 1;
        let result = self.untold_sequence(seq);
        self.told = depth;
        self.conditions = conditions;
        match &result {
            Ok(value) => {
                self.tell(depth, "├───expanded: ", seq.span.of(self.source));
                self.tell_value(depth, "╰─────result: ", value);
            }
            Err(fail) => {
                let from = rest(self.source, seq.span.start);
                self.tell_plainly(depth, "├failed to expand: ", from);
                let forced = fail.class() == FailClass::Forced;
                let sign = if forced {
                    "├───error message: "
                } else {
                    "╰───error message: "
                };
                self.tell_plainly(depth, sign, fail.message());
                if forced {
                    self.tell_plainly(depth, "╰failure was forced", b"");
                }
            }
        }
        self.cx.set_trace_depth(outer);
        result
    }

    /// Tells what a piece came to, and what comes next; `first` says that nothing came of
    /// those before it.
    pub(super) fn tell_piece(&mut self, piece: &Piece, value: &Str, first: bool) {
        let depth = self.told - 1;
        let rest = rest(self.source, piece.span.end);
        match piece.part {
            Part::Text(_) => return self.tell_text(depth, piece.span, CONSIDERING[1]),
            // One that is not set has no value.
            Part::Numeric(_) | Part::Header(..) if value.is_empty() => {}
            Part::Operator(_) => {
                self.tell_plainly(depth, "├─────op-res: ", value.bytes());
                self.tell_taint(depth, value);
            }
            Part::Item(_) if first && rest.is_empty() => {}
            Part::Item(_) => self.tell_value(depth, "├───item-res: ", value),
            // A name in braces is read as an item would be.
            _ if piece.span.of(self.source).starts_with(b"${") => {}
            _ => self.tell_value(depth, "├──────value: ", value),
        }
        if !rest.is_empty() {
            self.tell(depth, CONSIDERING[1], rest);
        }
    }

    /// Tells literal text as it is written, in runs and escapes.
    fn tell_text(&mut self, depth: u32, span: Span, next: &str) {
        let source = self.source;
        let mut at = span.start as usize;
        while let Some(raw) = source.get(at..span.end as usize).filter(|raw| !raw.is_empty()) {
            let length = match raw {
                [b'\\', b'N', inner @ ..] => {
                    let end = memchr::memmem::find(inner, b"\\N").unwrap_or(inner.len());
                    self.tell(depth, "├──protected: ", &inner[..end]);
                    (end + 4).min(raw.len())
                }
                [b'\\', ..] => {
                    let (_, length) = escape(raw);
                    let shown = [b"'", &raw[..length.min(2)], b"'"].concat();
                    self.tell_plainly(depth, "├backslashed: ", &shown);
                    length
                }
                _ => {
                    let length = memchr::memchr(b'\\', raw).unwrap_or(raw.len());
                    self.tell(depth, "├───────text: ", &raw[..length]);
                    length
                }
            };
            at += length;
            let rest = source.get(at..).unwrap_or_default();
            if !rest.is_empty() {
                self.tell(depth, next, rest);
            }
        }
    }

    /// Tells a condition, unless it is part of another one.
    pub(super) fn tell_condition(&mut self, id: CondId, holds: bool) {
        if self.conditions > 0 || self.told == 0 {
            return;
        }
        let depth = self.told - 1;
        let text = self.tree.cond(id).span.of(self.source).trim_ascii_start();
        self.tell(depth, "├──condition: ", text);
        let word: &[u8] = if holds { b"true" } else { b"false" };
        self.tell(depth, "├─────result: ", word);
    }

    /// Tells of a string that is passed over.
    pub(super) fn tell_skimmed(&mut self, seq: Seq, depth: u32) {
        if depth > MOST_SKIMMED {
            return;
        }
        let tree: &View<'_> = self.tree;
        self.tell(depth, SCANNING[0], rest(self.source, seq.span.start));
        for piece in tree.pieces(seq) {
            match piece.part {
                Part::Text(_) => {
                    self.tell_text(depth, piece.span, SCANNING[1]);
                    continue;
                }
                Part::Operator(id) => self.tell_skimmed(tree.op(id).arg, depth + 1),
                Part::Item(id) => {
                    self.tell_skimmed_args(tree.call_args(tree.call(id)), depth);
                    self.tell(depth, "├───item-res: ", b"");
                }
                Part::Fault => return,
                _ => self.tell(depth, "├──────value: ", b""),
            }
            let rest = rest(self.source, piece.span.end);
            if !rest.is_empty() {
                self.tell(depth, SCANNING[1], rest);
            }
        }
        self.tell(depth, "├───expanded: ", seq.span.of(self.source));
        self.tell_plainly(depth, "├─────result:  ◀skipped▶", b"");
        self.tell_plainly(depth, "╰───skipping: result is not used", b"");
    }

    /// Tells of a condition that is passed over.
    pub(super) fn tell_skimmed_condition(&mut self, id: CondId) {
        let args = self.tree.cond_args(self.tree.cond(id));
        self.tell_skimmed_args(args, self.told - 1);
    }

    fn tell_skimmed_args(&mut self, args: &[Arg], depth: u32) {
        for arg in args {
            match arg {
                Arg::Text(seq) | Arg::Yes(seq) | Arg::No(seq) => {
                    self.tell_skimmed(*seq, depth + 1);
                }
                Arg::Condition(id) => {
                    let node = self.tree.cond(*id);
                    self.tell_skimmed_args(self.tree.cond_args(node), depth);
                    let text = node.span.of(self.source).trim_ascii_start();
                    self.tell(depth, "├──condition: ", text);
                    self.tell(depth, "├─────result: ", b"false");
                }
                _ => {}
            }
        }
    }

    fn tell_value(&mut self, depth: u32, sign: &str, value: &Str) {
        self.tell(depth, sign, value.bytes());
        self.tell_taint(depth, value);
    }

    fn tell_taint(&mut self, depth: u32, value: &Str) {
        if value.taint().is_tainted() {
            self.tell_plainly(depth, "           ╰──(tainted)", b"");
        }
    }

    /// Tells a line in which spaces can be seen.
    fn tell(&mut self, depth: u32, sign: &str, text: &[u8]) {
        let shown = self.cx.shown_in_debug(text).into_owned();
        self.tell_plainly(depth, sign, &shown);
    }

    fn tell_plainly(&mut self, depth: u32, sign: &str, text: &[u8]) {
        let line = [sign.as_bytes(), text].concat();
        self.cx.debug_at(DebugSelector::EXPAND, depth, &line);
    }
}
