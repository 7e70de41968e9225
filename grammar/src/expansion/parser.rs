//! One pass over the text, left to right, as Exim reads it.

use logos::Logos;

use super::lexer::{Token, unescape};
use super::shape::{
    ArgKind, ArgSpec, ConditionShape, HeaderView, ItemShape, VariableName, Vocabulary,
};
use super::tree::{
    Arg, CallId, CallNode, Closing, CondId, CondNode, Fault, OpId, OpNode, Part, Seq, Tree, Wrapper,
};
use crate::Span;

/// How much a text may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How deep constructs may stand in each other.
    pub depth: u32,
    /// How many bytes a text may have.
    pub length: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 160, length: 64 << 20 }
    }
}

/// Parses a whole text.
pub fn parse(source: &[u8], vocabulary: &dyn Vocabulary, limits: Limits) -> Tree {
    let mut tree = Tree::default();
    parse_into(&mut tree, source, vocabulary, limits);
    tree
}

/// Parses a whole text into a tree whose memory is used again.
pub fn parse_into(tree: &mut Tree, source: &[u8], vocabulary: &dyn Vocabulary, limits: Limits) {
    tree.clear();
    if source.len() > limits.length as usize {
        tree.hard_fault = Some(Fault {
            message: format!("string is too long (more than {} bytes)", limits.length).into_bytes(),
            span: Span::new(0, 0),
            wrappers: Vec::new(),
            skimmed: None,
            free: Vec::new(),
            only_skimmed: false,
        });
        tree.parts.push(Part::Fault);
        tree.part_spans.push(Span::default());
        tree.root = Seq { start: 0, len: 1, span: Span::default() };
        return;
    }
    let (parts, args) = std::mem::take(&mut tree.scratch);
    let mut parser = Parser {
        source,
        at: 0,
        tree,
        vocabulary,
        limits,
        depth: 0,
        parts,
        args,
        stopped: false,
        left: None,
    };
    let root = parser.sequence(Ends::Text, Dollar::Expands);
    let scratch = (parser.parts, parser.args);
    tree.scratch = scratch;
    tree.root = root;
    tree.holds_zero = memchr::memchr(0, &tree.text).is_some();
}

/// What ends a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Text,
    Brace,
}

/// Whether a dollar begins something, or stands for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dollar {
    Expands,
    Literal,
}

pub(super) struct Parser<'s, 't, 'v> {
    pub(super) source: &'s [u8],
    pub(super) at: usize,
    pub(super) tree: &'t mut Tree,
    pub(super) vocabulary: &'v dyn Vocabulary,
    limits: Limits,
    depth: u32,
    /// Parts of the strings that are open, innermost last.
    parts: Vec<(Part, Span)>,
    /// Arguments of the constructs that are open, innermost last.
    pub(super) args: Vec<Arg>,
    pub(super) stopped: bool,
    /// Where Exim stands after the first fault since this was cleared: what
    /// skips the command of a `run` goes on there.
    pub(super) left: Option<usize>,
}

pub(super) const MISPLACED: &str =
    "missing or misplaced { or } - could be header name not terminated by colon";
const EXPECTED_NAME: &str = "letter or digit expected after ${";
const LONE_DOLLAR: &str = "$ not followed by letter, digit, or {";

impl Parser<'_, '_, '_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// A name: letters, digits and underscores.
    pub(super) fn name(&mut self) -> Span {
        let start = self.at;
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        Span::new(start, self.at)
    }

    /// As [`Parser::name`], with hyphens.
    fn dashed_name(&mut self) -> Span {
        let start = self.at;
        while self.peek().is_some_and(|c| is_name(c) || c == b'-') {
            self.at += 1;
        }
        Span::new(start, self.at)
    }

    /// A name for a message.
    fn shown(&self, name: Span) -> String {
        String::from_utf8_lossy(name.of(self.source)).into_owned()
    }

    /// Ends the parse.
    pub(super) fn stop(&mut self, message: impl Into<Vec<u8>>) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        let at = self.at.min(self.source.len());
        self.leave(at);
        self.tree.hard_fault = Some(Fault {
            message: message.into(),
            span: Span::new(at, at),
            wrappers: Vec::new(),
            skimmed: None,
            free: Vec::new(),
            only_skimmed: false,
        });
    }

    /// Notes where Exim stands after a fault.
    fn leave(&mut self, at: usize) {
        self.left.get_or_insert(at);
    }

    /// As [`Parser::stop`], where Exim has looked at `ahead` bytes more.
    fn stop_behind(&mut self, message: impl Into<Vec<u8>>, ahead: usize) {
        self.leave(self.at + ahead);
        self.stop(message);
    }

    /// Ends the parse over braces, for which a header name may be to blame.
    pub(super) fn stop_curly(&mut self, message: impl Into<Vec<u8>>) {
        if self.tree.malformed_header.is_some() {
            self.stop(MISPLACED);
        } else {
            self.stop(message);
        }
    }

    fn soft(&mut self, message: Vec<u8>, span: Span, free: &[u8]) {
        self.leave(span.end as usize);
        self.tree.soft_faults.push(Fault {
            message,
            span,
            wrappers: Vec::new(),
            skimmed: None,
            free: free.to_vec(),
            only_skimmed: false,
        });
    }

    /// Notes what Exim complains of where it skips what was just read.
    fn unskippable(&mut self, complaint: &str) {
        let message = complaint.as_bytes().to_vec();
        self.soft(message, Span::new(self.at - 1, self.at), b"");
        if let Some(fault) = self.tree.soft_faults.last_mut() {
            fault.only_skimmed = true;
        }
    }

    /// How many soft faults there are; for [`Parser::wrap`].
    pub(super) fn mark(&self) -> usize {
        self.tree.soft_faults.len()
    }

    /// Adds what a construct that began at `start` says of faults inside it.
    pub(super) fn wrap(&mut self, since: usize, start: usize, text: &'static str) {
        let wrapper = Wrapper { start: start as u32, text };
        for fault in &mut self.tree.soft_faults[since..] {
            fault.wrappers.push(wrapper);
        }
        if self.stopped
            && let Some(fault) = &mut self.tree.hard_fault
        {
            fault.wrappers.push(wrapper);
        }
    }

    /// Moves what the innermost open construct gathered into the arena.
    pub(super) fn finish_args(&mut self, from: usize) -> (u32, u32) {
        let start = self.tree.args.len() as u32;
        self.tree.args.extend(self.args.drain(from..));
        (start, self.tree.args.len() as u32)
    }

    fn closing(&self) -> Closing {
        if self.stopped { Closing::Open } else { Closing::Closed }
    }

    /// `{string}` where the brace is already eaten; eats the closing one.
    pub(super) fn braced(&mut self) -> Seq {
        self.sequence(Ends::Brace, Dollar::Expands)
    }

    /// As [`Parser::braced`], with dollars that stand for themselves.
    pub(super) fn braced_literal(&mut self) -> Seq {
        self.sequence(Ends::Brace, Dollar::Literal)
    }

    /// A string that is nothing but bytes that stand for themselves: the most
    /// common one, which needs no lexer.
    fn plain(&mut self, ends: Ends) -> Option<Seq> {
        let start = self.at;
        let rest = &self.source[start..];
        let special = |c: &u8| matches!(c, b'$' | b'\\' | b'}');
        let length = match rest.iter().position(special) {
            Some(n) if ends == Ends::Brace && rest[n] == b'}' => n,
            None if ends == Ends::Text => rest.len(),
            _ => return None,
        };
        let first = self.tree.parts.len() as u32;
        let end = start + length;
        let span = Span::new(start, end);
        if length > 0 {
            let begin = self.tree.text.len();
            self.tree.text.extend_from_slice(&rest[..length]);
            self.tree.parts.push(Part::Text(Span::new(begin, begin + length)));
            self.tree.part_spans.push(span);
        }
        self.at = end + usize::from(ends == Ends::Brace);
        Some(Seq { start: first, len: u32::from(length > 0), span })
    }

    fn sequence(&mut self, ends: Ends, dollar: Dollar) -> Seq {
        if self.depth < self.limits.depth
            && let Some(seq) = self.plain(ends)
        {
            return seq;
        }
        let from = self.parts.len();
        let start = self.at;
        self.depth += 1;
        if self.depth > self.limits.depth {
            let text = format!("string is too deeply nested (more than {})", self.limits.depth);
            self.stop(text);
        } else {
            self.pieces(from, ends, dollar);
        }
        self.depth -= 1;
        let mut end = self.at;
        if !self.stopped && ends == Ends::Brace {
            end -= 1;
        }
        if self.stopped {
            self.parts.push((Part::Fault, Span::new(end, end)));
        }
        let seq = Seq {
            start: self.tree.parts.len() as u32,
            len: (self.parts.len() - from) as u32,
            span: Span::new(start.min(end), end),
        };
        for (part, span) in self.parts.drain(from..) {
            self.tree.parts.push(part);
            self.tree.part_spans.push(span);
        }
        seq
    }

    fn pieces(&mut self, from: usize, ends: Ends, dollar: Dollar) {
        let source = self.source;
        loop {
            let start = self.at;
            // What most strings are made of needs no lexer.
            let token = match source[start..] {
                [] => {
                    if ends == Ends::Brace {
                        self.unclosed();
                    }
                    return;
                }
                [b'}', ..] => {
                    self.at += 1;
                    Token::Close
                }
                [b'$', b'{', ..] => {
                    self.at += 2;
                    Token::DollarBrace
                }
                ref rest => {
                    let mut lexer = Token::lexer(rest);
                    // Every byte is covered by a token.
                    let token = lexer.next().and_then(Result::ok).unwrap_or(Token::Run);
                    self.at += lexer.span().end.max(1);
                    token
                }
            };
            match token {
                Token::Close if ends == Ends::Brace => return,
                Token::Run | Token::Close => self.text(from, start),
                Token::Escape => {
                    let byte = unescape(&source[start..self.at]);
                    self.text_bytes(from, start, &[byte]);
                }
                Token::Backslash => {
                    self.at = start;
                    self.stop("\\ at end of string");
                    return;
                }
                Token::Verbatim => {
                    let begin = self.at;
                    let length = memchr::memmem::find(&source[begin..], b"\\N");
                    let end = length.map_or(source.len(), |n| begin + n);
                    self.at = length.map_or(source.len(), |_| end + 2);
                    self.text_bytes(from, start, &source[begin..end]);
                }
                _ if dollar == Dollar::Literal => {
                    // Only the dollar: what follows it is read as text.
                    self.text(from, start);
                }
                Token::Dollar => {
                    self.at = start;
                    self.stop_behind(LONE_DOLLAR, 1);
                    return;
                }
                Token::DollarDigits => {
                    let number = decimal(&source[start + 1..self.at]);
                    self.parts.push((Part::Numeric(number), Span::new(start, self.at)));
                }
                Token::DollarLetter => {
                    self.at = start + 1;
                    let part = self.variable();
                    self.parts.push((part, Span::new(start, self.at)));
                }
                Token::DollarBrace => {
                    if let Some(part) = self.construct(start) {
                        self.parts.push((part, Span::new(start, self.at)));
                    }
                    if self.stopped {
                        return;
                    }
                }
            }
        }
    }

    fn unclosed(&mut self) {
        if self.tree.malformed_header.is_some() {
            self.stop("missing } at end of string - could be header name not terminated by colon");
        } else {
            self.stop("missing } at end of string");
        }
    }

    fn text(&mut self, from: usize, start: usize) {
        let source = self.source;
        self.text_bytes(from, start, &source[start..self.at]);
    }

    /// Adds literal text, to the part before it where that is literal too.
    fn text_bytes(&mut self, from: usize, start: usize, bytes: &[u8]) {
        let begin = self.tree.text.len();
        self.tree.text.extend_from_slice(bytes);
        let end = self.tree.text.len();
        if self.parts.len() > from
            && let Some((Part::Text(text), span)) = self.parts.last_mut()
            && text.end as usize == begin
        {
            text.end = end as u32;
            span.end = self.at as u32;
            return;
        }
        self.parts.push((Part::Text(Span::new(begin, end)), Span::new(start, self.at)));
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let begin = self.tree.text.len();
        self.tree.text.extend_from_slice(bytes);
        Span::new(begin, self.tree.text.len())
    }

    /// A variable or header after its dollar.
    fn variable(&mut self) -> Part {
        let start = self.at;
        let name = self.name();
        if let Some(part) = self.header(name) {
            return part;
        }
        let text = name.of(self.source);
        match self.vocabulary.variable(text) {
            VariableName::Known(id) => Part::Variable(id),
            VariableName::Family(id) => Part::Family(id, self.keep(text)),
            VariableName::Unknown(why) => {
                let message = [b"unknown variable name \"", text, b"\"", why.as_bytes()].concat();
                self.soft(message, Span::new(start - 1, self.at), text);
                Part::Free(self.keep(text))
            }
        }
    }

    /// `h_NAME:` and its kin, if `name` begins so; reads the rest of the name.
    pub(super) fn header(&mut self, name: Span) -> Option<Part> {
        let (view, prefix) = header_view(name.of(self.source))?;
        let start = name.start as usize + prefix;
        let mut end = start;
        let mut braces = false;
        while let Some(c) = self.source.get(end)
            && *c > b' '
            && *c != 0x7f
            && *c != b':'
        {
            braces |= *c == b'}';
            end += 1;
        }
        let colon = self.source.get(end) == Some(&b':');
        self.at = end + usize::from(colon);
        if braces {
            self.tree.malformed_header.get_or_insert(start as u32);
        }
        let text = &self.source[start..end];
        Some(Part::Header(view, self.keep(text)))
    }

    /// What stands after `${`.
    fn construct(&mut self, start: usize) -> Option<Part> {
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let digits = self.name();
                let text = digits.of(self.source);
                let count = text.iter().take_while(|c| c.is_ascii_digit()).count();
                self.at = digits.start as usize + count;
                if !self.eat(b'}') {
                    self.stop_behind("} expected after number", 1);
                    return None;
                }
                Some(Part::Numeric(decimal(&text[..count])))
            }
            Some(c) if c.is_ascii_alphabetic() => Some(self.named(start)),
            _ => {
                self.stop(EXPECTED_NAME);
                None
            }
        }
    }

    fn named(&mut self, start: usize) -> Part {
        let name = self.dashed_name();
        let text = name.of(self.source);
        if let Some((def, shape)) = self.vocabulary.item(text) {
            return Part::Item(self.item(def, shape, name, start));
        }
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                match self.vocabulary.variable(text) {
                    VariableName::Known(id) => Part::Variable(id),
                    VariableName::Family(id) => Part::Family(id, self.keep(text)),
                    VariableName::Unknown(why) => {
                        let message =
                            [b"unknown variable in \"${", text, b"}\"", why.as_bytes()].concat();
                        self.soft(message, Span::new(start, self.at), text);
                        Part::Free(self.keep(text))
                    }
                }
            }
            Some(b':') => {
                self.at += 1;
                let arg = self.braced();
                let found = self.vocabulary.operator(text);
                let span = Span::new(start, self.at);
                if found.is_none() && !self.stopped {
                    let message = [b"unknown expansion operator \"", text, b"\""].concat();
                    self.soft(message, span, b"");
                }
                let (def, base) = found.map_or((None, text.len()), |(def, base)| (Some(def), base));
                let id = OpId(self.tree.ops.len() as u32);
                self.tree.ops.push(OpNode { def, name, base: base as u32, arg, span });
                Part::Operator(id)
            }
            _ => {
                let message = [
                    b"\"${",
                    text,
                    b"\" is not a known operator (or a } is missing in a variable reference)",
                ]
                .concat();
                self.stop_behind(message, 1);
                Part::Fault
            }
        }
    }

    fn item(&mut self, def: u16, shape: ItemShape, name: Span, start: usize) -> CallId {
        let from = self.args.len();
        let left = self.left;
        match shape {
            ItemShape::Braces { min, max } => self.braces(min, max, name, None),
            ItemShape::Peeked { min, max, complaint } => {
                self.braces(min, max, name, None);
                if !self.stopped && self.args.len() - from > 1 {
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
                self.fixed(specs, 0);
                self.branches(name);
            }
            ItemShape::Loop(specs) => {
                self.fixed(specs, 1);
                self.end_loop(name);
            }
            ItemShape::Fixed(specs) => {
                self.fixed(specs, 1);
                if !self.stopped {
                    self.skip_space();
                    if !self.eat(b'}') {
                        self.stop(format!("missing }} at end of \"{}\"", self.shown(name)));
                    }
                }
            }
            ItemShape::If => {
                let condition = self.condition();
                self.args.push(Arg::Condition(condition));
                self.branches(name);
            }
            ItemShape::Lookup => self.lookup(name),
            ItemShape::Extract => self.extract(),
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
            self.args.push(Arg::Text(seq));
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
    fn fixed(&mut self, specs: &[ArgSpec], ahead: usize) {
        for spec in specs {
            if self.stopped {
                return;
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
                    self.args.push(Arg::Text(seq));
                }
                ArgKind::Comparator => {
                    let seq = self.braced_literal();
                    self.args.push(Arg::Text(seq));
                    if !self.stopped {
                        self.unskippable("condition name expected, but found \"\"");
                    }
                }
                ArgKind::Certificate => self.certificate(),
                ArgKind::Condition => {
                    let (mark, start) = (self.mark(), self.at);
                    let condition = self.condition();
                    self.wrap(mark, start, " inside \"filter\" item");
                    self.args.push(Arg::Condition(condition));
                }
                ArgKind::Expression => {
                    let (mark, start) = (self.mark(), self.at);
                    let seq = self.braced();
                    // The closing brace belongs to the loop's own check.
                    if !self.stopped {
                        self.at -= 1;
                    }
                    let text = if specs.len() == 2 {
                        " inside \"map\" item"
                    } else {
                        " inside \"reduce\" item"
                    };
                    self.wrap(mark, start, text);
                    self.args.push(Arg::Text(seq));
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
        self.args.push(Arg::Text(seq));
    }

    /// The two branches of an item and its closing brace.
    pub(super) fn branches(&mut self, name: Span) {
        if self.stopped {
            return;
        }
        self.skip_space();
        if self.eat(b'}') {
            return;
        }
        if !self.eat(b'{') {
            self.curly_problem("'yes' part did not start with '{'");
            return;
        }
        let yes = self.braced();
        self.args.push(Arg::Yes(yes));
        if self.stopped {
            return;
        }
        self.skip_space();
        if self.eat(b'{') {
            let no = self.braced();
            self.args.push(Arg::No(no));
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
            self.args.push(Arg::ForceFail);
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
                self.args.push(Arg::Word(word));
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
            self.args.push(Arg::Text(seq));
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
                self.args.push(Arg::ForceFail);
                self.args.push(Arg::Loose(end as u32));
                return;
            }
        }
        self.at = end;
        self.args.push(Arg::Loose(end as u32));
        self.stop_curly("missing '}' closing extract");
    }

    pub(super) fn push_condition(&mut self, node: CondNode) -> CondId {
        let id = CondId(self.tree.conds.len() as u32);
        self.tree.conds.push(node);
        id
    }

    /// A condition, its negations and its arguments.
    pub(super) fn condition(&mut self) -> CondId {
        let start = self.at;
        let left = self.left;
        let from = self.args.len();
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
        let source = self.source;
        let text = std::str::from_utf8(name.of(source)).unwrap_or_default();
        match shape {
            ConditionShape::Bare => {}
            ConditionShape::One | ConditionShape::Two | ConditionShape::TwoLiteral => {
                if !self.open_condition(text) {
                    return;
                }
                let first = self.braced();
                self.args.push(Arg::Text(first));
                if shape == ConditionShape::One || self.stopped {
                    return;
                }
                self.skip_space();
                if !self.eat(b'{') {
                    self.stop(format!("missing 2nd string in {{}} after \"{text}\""));
                    return;
                }
                let second = if shape == ConditionShape::Two {
                    self.braced()
                } else {
                    self.braced_literal()
                };
                self.args.push(Arg::Text(second));
            }
            ConditionShape::Group { min, max } => {
                if self.open_condition(text) {
                    self.group(min, max, text);
                }
            }
            ConditionShape::Counted { count } => self.counted(count, text),
            ConditionShape::Conditions => {
                if self.open_condition(text) {
                    self.subconditions(text, start);
                }
            }
            ConditionShape::Each => {
                if !self.open_condition(text) {
                    return;
                }
                let list = self.braced();
                self.args.push(Arg::Text(list));
                if self.stopped || !self.open_condition(text) {
                    return;
                }
                let (mark, begin) = (self.mark(), self.at);
                let condition = self.condition();
                self.wrap(mark, begin, inside_each(text));
                self.args.push(Arg::Condition(condition));
                if self.stopped {
                    return;
                }
                self.skip_space();
                if !self.eat(b'}') {
                    self.stop(format!("missing }} at end of condition inside \"{text}\""));
                }
            }
            ConditionShape::Variable => self.defined_variable(),
        }
    }

    fn open_condition(&mut self, name: &str) -> bool {
        self.skip_space();
        let found = self.eat(b'{');
        if !found {
            self.stop(format!("missing {{ after \"{name}\""));
        }
        found
    }

    fn counted(&mut self, count: u8, name: &str) {
        for _ in 0..count {
            self.skip_space();
            if !self.eat(b'{') {
                self.stop(format!("too few arguments or bracketing error for {name}"));
                return;
            }
            let seq = self.braced();
            self.args.push(Arg::Text(seq));
            if self.stopped {
                return;
            }
        }
    }

    fn group(&mut self, min: u8, max: u8, name: &str) {
        let problem = || format!("too few arguments or bracketing error for {name}");
        for count in 0..max {
            self.skip_space();
            if !self.eat(b'{') {
                if count < min {
                    self.stop(problem());
                    return;
                }
                break;
            }
            let seq = self.braced();
            self.args.push(Arg::Text(seq));
            if self.stopped {
                return;
            }
        }
        self.skip_space();
        if self.eat(b'}') {
            return;
        }
        if self.peek() == Some(b'{') {
            self.stop(format!("Too many arguments for '{name}' (max is {max})"));
        } else {
            self.stop(problem());
        }
    }

    fn subconditions(&mut self, name: &str, start: usize) {
        loop {
            self.skip_space();
            if self.eat(b'}') {
                return;
            }
            if !self.eat(b'{') {
                self.stop(format!(
                    "each subcondition inside an \"{name}{{...}}\" condition must be in its own {{}}"
                ));
                return;
            }
            let (mark, begin) = (self.mark(), self.at);
            let condition = self.condition();
            let text = if name == "and" {
                " inside \"and{...}\" condition"
            } else {
                " inside \"or{...}\" condition"
            };
            self.wrap(mark, begin.max(start), text);
            self.args.push(Arg::Condition(condition));
            if self.stopped {
                return;
            }
            self.skip_space();
            if !self.eat(b'}') {
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
            let text = name.of(self.source);
            match self.vocabulary.variable(text) {
                VariableName::Known(id) => Part::Variable(id),
                VariableName::Family(id) => Part::Family(id, self.keep(text)),
                VariableName::Unknown(why) => {
                    let message =
                        [b"unknown variable \"", text, b"\" after \"def:\"", why.as_bytes()]
                            .concat();
                    self.soft(message, Span::new(start, self.at), text);
                    Part::Free(self.keep(text))
                }
            }
        };
        let span = Span::new(start, self.at);
        let seq = Seq { start: self.tree.parts.len() as u32, len: 1, span };
        self.tree.parts.push(part);
        self.tree.part_spans.push(span);
        self.args.push(Arg::Variable(seq));
    }
}

fn inside_each(name: &str) -> &'static str {
    match name {
        "forany" => " inside \"forany\" condition",
        "forall" => " inside \"forall\" condition",
        "forany_json" => " inside \"forany_json\" condition",
        "forall_json" => " inside \"forall_json\" condition",
        "forany_jsons" => " inside \"forany_jsons\" condition",
        "forall_jsons" => " inside \"forall_jsons\" condition",
        _ => " inside list condition",
    }
}

/// Whether a byte may stand in a name.
fn is_name(byte: u8) -> bool {
    const NAMES: [bool; 256] = {
        let mut names = [false; 256];
        let mut c = 0;
        while c < 256 {
            names[c] = (c as u8).is_ascii_alphanumeric() || c == b'_' as usize;
            c += 1;
        }
        names
    };
    NAMES[usize::from(byte)]
}

/// What C's `isspace` calls white space.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 11 | 12)
}

fn decimal(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d - b'0')))
}

fn header_view(name: &[u8]) -> Option<(HeaderView, usize)> {
    const VIEWS: [(&[u8], HeaderView); 8] = [
        (b"h_", HeaderView::Decoded),
        (b"header_", HeaderView::Decoded),
        (b"rh_", HeaderView::Raw),
        (b"rheader_", HeaderView::Raw),
        (b"bh_", HeaderView::Basic),
        (b"bheader_", HeaderView::Basic),
        (b"lh_", HeaderView::List),
        (b"lheader_", HeaderView::List),
    ];
    if !matches!(name.first(), Some(b'h' | b'r' | b'b' | b'l')) {
        return None;
    }
    VIEWS.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(p, view)| (*view, p.len()))
}
