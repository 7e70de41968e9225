//! Conditions: negations, a name, and what may follow it.

use super::bytes::is_name;
use super::parser::Parser;
use super::shape::ConditionShape;
use super::tree::{Arg, CondId, CondNode, Piece, Seq};
use crate::Span;

impl Parser<'_, '_, '_> {
    pub(super) fn push_condition(&mut self, node: CondNode) -> CondId {
        let id = CondId(self.tree.conds.len() as u32);
        self.tree.conds.push(node);
        id
    }

    /// A condition, its negations and its arguments.
    pub(super) fn condition(&mut self) -> CondId {
        let start = self.at;
        let left = self.left;
        let from = self.tree.open_args.len();
        self.depth += 1;
        let mut negated = false;
        self.skip_space();
        while self.eat(b'!') {
            negated = !negated;
            self.skip_space();
        }
        let mut def = 0;
        if self.depth > self.limits.depth {
            let text = format!("string is too deeply nested (more than {})", self.limits.depth);
            self.stop(text);
        } else if let Some((id, shape, name)) = self.condition_name() {
            def = id;
            self.condition_args(shape, name, start);
        }
        self.depth -= 1;
        if left.is_none() && self.left.is_some() {
            self.left = Some(start);
        }
        let args = self.finish_args(from);
        let closing = self.closing();
        let span = Span::new(start, self.at);
        self.push_condition(CondNode { def, negated, args, span, closing })
    }

    fn condition_name(&mut self) -> Option<(u16, ConditionShape, Span)> {
        let start = self.at;
        let name = match self.peek() {
            Some(c) if is_name(c) => self.name(),
            Some(b'=' | b'<' | b'>') => {
                self.at += 1;
                self.eat(b'=');
                Span::new(start, self.at)
            }
            _ => {
                let rest = &self.source[start.min(self.source.len())..];
                let shown = &rest[..rest.len().min(16)];
                let message = [b"condition name expected, but found \"", shown, b"\""].concat();
                self.stop(message);
                return None;
            }
        };
        match self.vocabulary.condition(name.of(self.source)) {
            Some((id, shape)) => Some((id, shape, name)),
            None => {
                let message = [b"unknown condition \"", name.of(self.source), b"\""].concat();
                self.stop(message);
                None
            }
        }
    }

    fn condition_args(&mut self, shape: ConditionShape, name: Span, start: usize) {
        match shape {
            ConditionShape::Bare => {}
            ConditionShape::One | ConditionShape::Two | ConditionShape::TwoLiteral => {
                if !self.open_condition(name) {
                    return;
                }
                let first = self.braced();
                self.tree.open_args.push(Arg::Text(first));
                if shape == ConditionShape::One || self.stopped {
                    return;
                }
                self.skip_space();
                if !self.eat(b'{') {
                    let name = self.shown(name);
                    self.stop(format!("missing 2nd string in {{}} after \"{name}\""));
                    return;
                }
                let second = if shape == ConditionShape::Two {
                    self.braced()
                } else {
                    self.braced_literal()
                };
                self.tree.open_args.push(Arg::Text(second));
            }
            ConditionShape::Group { min, max } => {
                if self.open_condition(name) {
                    self.group(min, max, name);
                }
            }
            ConditionShape::Counted { count } => self.counted(count, name),
            ConditionShape::Conditions { inside } => {
                if self.open_condition(name) {
                    self.subconditions(name, start, inside);
                }
            }
            ConditionShape::Each { inside } => {
                if !self.open_condition(name) {
                    return;
                }
                let list = self.braced();
                self.tree.open_args.push(Arg::Text(list));
                if self.stopped || !self.open_condition(name) {
                    return;
                }
                let (mark, begin) = (self.mark(), self.at);
                let condition = self.condition();
                self.wrap(mark, begin, inside);
                self.tree.open_args.push(Arg::Condition(condition));
                if self.stopped {
                    return;
                }
                self.skip_space();
                if !self.eat(b'}') {
                    let name = self.shown(name);
                    self.stop(format!("missing }} at end of condition inside \"{name}\""));
                }
            }
            ConditionShape::Variable => self.defined_variable(),
        }
    }

    fn open_condition(&mut self, name: Span) -> bool {
        self.skip_space();
        let found = self.eat(b'{');
        if !found {
            let name = self.shown(name);
            self.stop(format!("missing {{ after \"{name}\""));
        }
        found
    }

    fn counted(&mut self, count: u8, name: Span) {
        for _ in 0..count {
            self.skip_space();
            if !self.eat(b'{') {
                self.too_few(name);
                return;
            }
            let seq = self.braced();
            self.tree.open_args.push(Arg::Text(seq));
            if self.stopped {
                return;
            }
        }
    }

    fn group(&mut self, min: u8, max: u8, name: Span) {
        for count in 0..max {
            self.skip_space();
            if !self.eat(b'{') {
                if count < min {
                    self.too_few(name);
                    return;
                }
                break;
            }
            let seq = self.braced();
            self.tree.open_args.push(Arg::Text(seq));
            if self.stopped {
                return;
            }
        }
        self.skip_space();
        if self.eat(b'}') {
            return;
        }
        if self.peek() == Some(b'{') {
            let name = self.shown(name);
            self.stop(format!("Too many arguments for '{name}' (max is {max})"));
        } else {
            self.too_few(name);
        }
    }

    #[cold]
    fn too_few(&mut self, name: Span) {
        let name = self.shown(name);
        self.stop(format!("too few arguments or bracketing error for {name}"));
    }

    fn subconditions(&mut self, name: Span, start: usize, inside: &'static str) {
        loop {
            self.skip_space();
            if self.eat(b'}') {
                return;
            }
            if !self.eat(b'{') {
                let name = self.shown(name);
                self.stop(format!(
                    "each subcondition inside an \"{name}{{...}}\" condition must be in its own {{}}"
                ));
                return;
            }
            let (mark, begin) = (self.mark(), self.at);
            let condition = self.condition();
            self.wrap(mark, begin.max(start), inside);
            self.tree.open_args.push(Arg::Condition(condition));
            if self.stopped {
                return;
            }
            self.skip_space();
            if !self.eat(b'}') {
                let name = self.shown(name);
                self.stop(format!("missing }} at end of condition inside \"{name}\" group"));
                return;
            }
        }
    }

    /// `:name` after `def`.
    fn defined_variable(&mut self) {
        if !self.eat(b':') {
            self.stop("\":\" expected after \"def\"");
            return;
        }
        let start = self.at;
        let name = self.name();
        let part = if let Some(part) = self.header(name) {
            part
        } else if name.start == name.end {
            self.stop("variable name omitted after \"def:\"");
            return;
        } else {
            self.reference(name, start, ("\"", "\" after \"def:\""))
        };
        let span = Span::new(start, self.at);
        let seq = Seq { start: self.tree.pieces.len() as u32, len: 1, span };
        self.tree.pieces.push(Piece { part, span });
        self.tree.open_args.push(Arg::Variable(seq));
    }
}
