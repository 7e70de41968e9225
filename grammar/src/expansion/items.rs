//! Items: what may follow the name in `${name…}`.

use super::parser::Parser;
use super::shape::{ArgKind, ArgSpec, ItemShape};
use super::tree::{Arg, CallId, CallNode};
use crate::Span;

impl Parser<'_, '_, '_> {
    pub(super) fn item(&mut self, def: u16, shape: ItemShape, name: Span, start: usize) -> CallId {
        let from = self.tree.open_args.len();
        let left = self.left;
        let lapses = self.lapses();
        match shape {
            ItemShape::Braces { min, max } => self.braces(min, max, name, None),
            ItemShape::Peeked { min, max, complaint } => {
                self.braces(min, max, name, None);
                if !self.stopped && self.tree.open_args.len() - from > 1 {
                    self.unskippable(complaint);
                }
            }
            ItemShape::Socket { min, max } => {
                self.braces(min, max, name, Some("missing '}' closing readsocket"));
            }
            ItemShape::Staged { max } => {
                self.stage(1, 1, name);
                if !self.stopped {
                    self.braces(1, max, name, None);
                }
            }
            ItemShape::Branches(specs) => {
                self.fixed(specs, 0, "");
                self.branches(name, Some(lapses));
            }
            ItemShape::Loop { args, inside } => {
                self.fixed(args, 1, inside);
                self.end_loop(name);
            }
            ItemShape::Fixed(specs) => {
                self.fixed(specs, 1, "");
                if !self.stopped {
                    self.skip_space();
                    if !self.eat(b'}') {
                        self.stop(format!("missing }} at end of \"{}\"", self.shown(name)));
                    }
                }
            }
            ItemShape::If => {
                let condition = self.condition();
                self.tree.open_args.push(Arg::Condition(condition));
                self.branches(name, None);
                self.end_lapses(lapses);
            }
            ItemShape::Lookup => self.lookup(name, lapses),
            ItemShape::Extract => {
                self.extract();
                self.end_lapses(lapses);
            }
            ItemShape::Run => self.run(name),
        }
        if left.is_none() && self.left.is_some() && shape.is_read_at_once() {
            self.left = Some(name.end as usize);
        }
        let args = self.finish_args(from);
        let id = CallId(self.tree.calls.len() as u32);
        let span = Span::new(start, self.at);
        let closing = self.closing();
        self.tree.calls.push(CallNode { def, args, span, closing });
        id
    }

    /// From `min` to `max` strings in braces.
    fn stage(&mut self, min: u8, max: u8, name: Span) {
        for count in 0..max {
            self.skip_space();
            if !self.eat(b'{') {
                if count < min {
                    let name = self.shown(name);
                    self.stop_curly(format!("Not enough arguments for '{name}' (min is {min})"));
                }
                return;
            }
            let seq = self.braced();
            self.tree.open_args.push(Arg::Text(seq));
            if self.stopped {
                return;
            }
        }
        self.skip_space();
    }

    /// Strings in braces, then the brace that closes the item.
    fn braces(&mut self, min: u8, max: u8, name: Span, unclosed: Option<&str>) {
        self.stage(min, max, name);
        if self.stopped || self.eat(b'}') {
            return;
        }
        let name = self.shown(name);
        match unclosed {
            Some(message) => self.stop_curly(message),
            None if self.peek() == Some(b'{') => {
                self.stop(format!("Too many arguments for '{name}' (max is {max})"));
            }
            None => self.stop_curly(format!("missing '}}' after '{name}'")),
        }
    }

    /// Arguments that must be there, each with its own complaint.
    fn fixed(&mut self, specs: &[ArgSpec], ahead: usize, inside: &'static str) {
        for spec in specs {
            if self.stopped {
                return;
            }
            if spec.kind == ArgKind::Fold {
                self.lapse();
            }
            self.skip_space();
            if !self.eat(b'{') {
                self.leave(self.at + ahead);
                // A header's name is not blamed for what goes without a word.
                match spec.missing {
                    "" => self.stop(""),
                    missing => self.stop_curly(missing),
                }
                return;
            }
            match spec.kind {
                ArgKind::Text => {
                    let seq = self.braced();
                    self.tree.open_args.push(Arg::Text(seq));
                }
                ArgKind::Comparator => {
                    let seq = self.braced_literal();
                    self.tree.open_args.push(Arg::Text(seq));
                    if !self.stopped {
                        self.unskippable("condition name expected, but found \"\"");
                    }
                }
                ArgKind::Certificate => self.certificate(),
                ArgKind::Condition => {
                    let (mark, start) = (self.mark(), self.at);
                    let condition = self.condition();
                    self.wrap(mark, start, inside);
                    self.tree.open_args.push(Arg::Condition(condition));
                }
                ArgKind::Expression | ArgKind::Fold => {
                    let (mark, start) = (self.mark(), self.at);
                    let seq = self.braced();
                    // The closing brace belongs to the loop's own check.
                    if !self.stopped {
                        self.at -= 1;
                    }
                    self.wrap(mark, start, inside);
                    self.tree.open_args.push(Arg::Text(seq));
                }
            }
        }
    }

    fn end_loop(&mut self, name: Span) {
        if self.stopped {
            return;
        }
        self.skip_space();
        if !self.eat(b'}') {
            let name = self.shown(name);
            self.stop(format!(
                "missing }} at end of condition or expression inside \"{name}\"; \
                 could be an unquoted }} in the content"
            ));
            return;
        }
        self.skip_space();
        if !self.eat(b'}') {
            let name = self.shown(name);
            self.stop(format!("missing }} at end of \"{name}\""));
        }
    }

    /// `$name}` after the brace is eaten.
    fn certificate(&mut self) {
        if !self.eat(b'$') {
            self.stop("second argument of \"certextract\" must be a certificate variable");
            return;
        }
        // Escapes are read, and nothing is expanded.
        let seq = self.braced_literal();
        self.tree.open_args.push(Arg::Text(seq));
    }

    /// The two branches of an item and its closing brace. Where the item has a
    /// `$value` for the first branch, `lapses` is the mark from before it.
    pub(super) fn branches(&mut self, name: Span, lapses: Option<usize>) {
        if self.stopped {
            return;
        }
        self.skip_space();
        if self.eat(b'}') {
            lapses.inspect(|since| self.end_lapses(*since));
            return;
        }
        if lapses.is_some() {
            self.lapse();
        }
        if !self.eat(b'{') {
            self.curly_problem("'yes' part did not start with '{'");
            return;
        }
        let yes = self.braced();
        self.tree.open_args.push(Arg::Yes(yes));
        if self.stopped {
            return;
        }
        lapses.inspect(|since| self.end_lapses(*since));
        self.skip_space();
        if self.eat(b'{') {
            let no = self.braced();
            self.tree.open_args.push(Arg::No(no));
            if self.stopped {
                return;
            }
        } else if self.peek() != Some(b'}') {
            let word = self.name();
            if word.of(self.source) != b"fail" {
                let name = self.shown(name);
                self.stop(format!("syntax error in \"{name}\" item - \"fail\" expected"));
                return;
            }
            self.tree.open_args.push(Arg::ForceFail);
        }
        self.skip_space();
        if !self.eat(b'}') {
            self.curly_problem("did not close with '}'");
        }
    }

    fn curly_problem(&mut self, what: &str) {
        let rest = &self.source[self.at.min(self.source.len())..];
        let message = [
            b"curly-bracket problem in conditional yes/no parsing: ",
            what.as_bytes(),
            b"\n remaining string is '",
            rest,
            b"'",
        ]
        .concat();
        self.stop_curly(message);
    }

    /// The groups of `extract`: how many are arguments shows at run time.
    fn extract(&mut self) {
        self.skip_space();
        if self.peek() == Some(b'j') {
            let word = self.name();
            if !matches!(word.of(self.source), b"json" | b"jsons") {
                self.at = word.start as usize;
            } else {
                self.tree.open_args.push(Arg::Word(word));
                let end = self.at;
                self.skip_space();
                if self.at > end {
                    // Exim does not step over the space when it skips the item.
                    self.unskippable("missing '}' closing extract");
                }
            }
        }
        for count in 0.. {
            self.skip_space();
            if count == 5 || !self.eat(b'{') {
                break;
            }
            let seq = self.braced();
            self.tree.open_args.push(Arg::Text(seq));
            if self.stopped {
                return;
            }
        }
        let end = self.at;
        if self.eat(b'}') {
            return;
        }
        let word = self.name();
        if word.of(self.source) == b"fail" {
            self.skip_space();
            if self.eat(b'}') {
                self.tree.open_args.push(Arg::ForceFail);
                self.tree.open_args.push(Arg::Loose(end as u32));
                return;
            }
        }
        self.at = end;
        self.tree.open_args.push(Arg::Loose(end as u32));
        self.stop_curly("missing '}' closing extract");
    }
}
