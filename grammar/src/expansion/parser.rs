//! One pass over the text, left to right, as Exim reads it.

use logos::Logos;

use super::bytes::{is_dashed_name, is_name, is_space, is_special, special};
use super::header::header_view;
use super::lexer::{Token, unescape};
use super::shape::{VariableName, Vocabulary};
use super::tree::{Closing, Fault, OpId, OpNode, Part, Piece, Seq, Tree, Wrapper};
use crate::Span;
use crate::scan::find_byte;

/// How much a text may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseLimits {
    /// How deep constructs may stand in each other.
    pub depth: u32,
    /// How many bytes a text may have.
    pub length: u32,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self { depth: 160, length: 64 << 20 }
    }
}

/// Parses a whole text.
pub fn parse(source: &[u8], vocabulary: &dyn Vocabulary, limits: ParseLimits) -> Tree {
    let mut tree = Tree::default();
    parse_into(&mut tree, source, vocabulary, limits);
    tree
}

/// Parses a whole text into a tree whose memory is used again.
pub fn parse_into(
    tree: &mut Tree,
    source: &[u8],
    vocabulary: &dyn Vocabulary,
    limits: ParseLimits,
) {
    tree.clear();
    parse_behind(tree, source, vocabulary, limits);
}

/// Parses a whole text into a tree whose parts stand behind those of others,
/// which have nothing odd.
pub(super) fn parse_behind(
    tree: &mut Tree,
    source: &[u8],
    vocabulary: &dyn Vocabulary,
    limits: ParseLimits,
) {
    tree.text.clear();
    tree.text.extend_from_slice(source);
    tree.source_length = source.len();
    if source.len() > limits.length as usize {
        tree.hard_fault = Some(Fault {
            message: format!("string is too long (more than {} bytes)", limits.length).into_bytes(),
            span: Span::new(0, 0),
            wrappers: Vec::new(),
            parse_only_message: None,
            unblamed: None,
            free: Vec::new(),
            counts_for_parse_only: false,
        });
        tree.pieces.push(Piece { part: Part::Fault, span: Span::default() });
        tree.root = Seq { start: tree.pieces.len() as u32 - 1, len: 1, span: Span::default() };
        return;
    }
    let mut parser =
        Parser { source, at: 0, tree, vocabulary, limits, depth: 0, stopped: false, left: None };
    let root = parser.string(Ends::Text, Dollar::Expands);
    tree.root = root;
    tree.holds_zero = find_byte(&tree.text, 0).is_some();
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
    pub(super) limits: ParseLimits,
    pub(super) depth: u32,
    pub(super) stopped: bool,
    /// Where Exim stands after the first fault since this was cleared: what
    /// skips the command of a `run` goes on there.
    pub(super) left: Option<usize>,
}

pub(super) const MISPLACED: &str =
    "missing or misplaced { or } - could be header name not terminated by colon";
/// How many bytes of a name count.
const LONGEST_NAME: usize = 255;
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
        self.name_of(is_name)
    }

    /// As [`Parser::name`], with hyphens.
    fn dashed_name(&mut self) -> Span {
        self.name_of(is_dashed_name)
    }

    /// A name of certain bytes. Of a longer one than Exim has room for, the rest
    /// is passed over.
    pub(super) fn name_of(&mut self, belongs: impl Fn(u8) -> bool) -> Span {
        let (source, start) = (self.source, self.at);
        let mut end = start;
        while let Some(c) = source.get(end)
            && belongs(*c)
        {
            end += 1;
        }
        self.at = end;
        Span::new(start, end.min(start + LONGEST_NAME))
    }

    /// A name for a message.
    pub(super) fn shown(&self, name: Span) -> String {
        String::from_utf8_lossy(name.of(self.source)).into_owned()
    }

    /// Ends the parse.
    #[cold]
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
            parse_only_message: None,
            unblamed: None,
            free: Vec::new(),
            counts_for_parse_only: false,
        });
    }

    /// Notes where Exim stands after a fault.
    pub(super) fn leave(&mut self, at: usize) {
        self.left.get_or_insert(at);
    }

    /// As [`Parser::stop`], where Exim has looked at `ahead` bytes more.
    pub(super) fn stop_behind(&mut self, message: impl Into<Vec<u8>>, ahead: usize) {
        self.leave(self.at + ahead);
        self.stop(message);
    }

    #[cold]
    pub(super) fn soft(&mut self, message: Vec<u8>, span: Span, free: &[u8]) {
        self.leave(span.end as usize);
        self.tree.soft_faults.push(Fault {
            message,
            span,
            wrappers: Vec::new(),
            parse_only_message: None,
            unblamed: None,
            free: free.to_vec(),
            counts_for_parse_only: false,
        });
    }

    /// Notes what Exim complains of where it skips what was just read.
    pub(super) fn unskippable(&mut self, complaint: &str) {
        let message = complaint.as_bytes().to_vec();
        self.soft(message, Span::new(self.at - 1, self.at), b"");
        if let Some(fault) = self.tree.soft_faults.last_mut() {
            fault.counts_for_parse_only = true;
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
        let Tree { args, open_args, .. } = &mut *self.tree;
        let start = args.len() as u32;
        move_from(open_args, from, args);
        (start, args.len() as u32)
    }

    pub(super) fn closing(&self) -> Closing {
        if self.stopped { Closing::Open } else { Closing::Closed }
    }

    /// `{string}` where the brace is already eaten; eats the closing one.
    pub(super) fn braced(&mut self) -> Seq {
        self.string(Ends::Brace, Dollar::Expands)
    }

    /// As [`Parser::braced`], with dollars that stand for themselves.
    pub(super) fn braced_literal(&mut self) -> Seq {
        self.string(Ends::Brace, Dollar::Literal)
    }

    #[inline(always)]
    fn string(&mut self, ends: Ends, dollar: Dollar) -> Seq {
        if self.peek() == Some(b'$') {
            return self.sequence(ends, dollar);
        }
        match self.plain(ends) {
            Some(seq) => seq,
            None => self.sequence(ends, dollar),
        }
    }

    /// A string that is nothing but bytes that stand for themselves: the most
    /// common one, which needs no lexer.
    #[inline(never)]
    fn plain(&mut self, ends: Ends) -> Option<Seq> {
        let start = self.at;
        let rest = &self.source[start..];
        if self.depth >= self.limits.depth {
            return None;
        }
        let length = match special(rest) {
            Some(n) if ends == Ends::Brace && rest[n] == b'}' => n,
            None if ends == Ends::Text => rest.len(),
            _ => return None,
        };
        let first = self.tree.pieces.len() as u32;
        let end = start + length;
        let span = Span::new(start, end);
        if length > 0 {
            self.tree.pieces.push(Piece { part: Part::Text(span), span });
        }
        self.at = end + usize::from(ends == Ends::Brace);
        Some(Seq { start: first, len: u32::from(length > 0), span })
    }

    #[inline(never)]
    fn sequence(&mut self, ends: Ends, dollar: Dollar) -> Seq {
        let from = self.tree.open_pieces.len();
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
            self.push(Part::Fault, end, end);
        }
        let Tree { pieces, open_pieces, .. } = &mut *self.tree;
        let first = pieces.len();
        move_from(open_pieces, from, pieces);
        let len = (pieces.len() - first) as u32;
        Seq { start: first as u32, len, span: Span::new(start.min(end), end) }
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
                [b'$', c, ..] if c.is_ascii_alphabetic() => {
                    self.at += 2;
                    Token::DollarLetter
                }
                [c, ref rest @ ..] if !is_special(c) => {
                    self.at += 1 + special(rest).unwrap_or(rest.len());
                    Token::Run
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
                    let begin = self.tree.text.len();
                    self.tree.text.push(byte);
                    self.literal(from, start, Span::new(begin, begin + 1));
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
                    self.literal(from, start, Span::new(begin, end));
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
                    self.push(Part::Numeric(number), start, self.at);
                }
                Token::DollarLetter => {
                    self.at = start + 1;
                    let part = self.variable();
                    self.push(part, start, self.at);
                }
                Token::DollarBrace => {
                    if let Some(part) = self.construct(start) {
                        self.push(part, start, self.at);
                    }
                    if self.stopped {
                        return;
                    }
                }
            }
        }
    }

    fn push(&mut self, part: Part, start: usize, end: usize) {
        self.tree.open_pieces.push(Piece { part, span: Span::new(start, end) });
    }

    /// Adds what was just read as it is written.
    fn text(&mut self, from: usize, start: usize) {
        self.literal(from, start, Span::new(start, self.at));
    }

    /// Adds literal text, a range of the tree's text, to the part before it
    /// where that is literal too.
    fn literal(&mut self, from: usize, start: usize, text: Span) {
        let Tree { text: all, open_pieces, .. } = &mut *self.tree;
        if open_pieces.len() > from
            && let Some(Piece { part: Part::Text(before), span }) = open_pieces.last_mut()
        {
            span.end = self.at as u32;
            if before.end != text.start {
                // They do not stand together yet.
                *before = joined(all, *before, text);
                return;
            }
            before.end = text.end;
            return;
        }
        self.push(Part::Text(text), start, self.at);
    }

    /// A variable or header after its dollar.
    fn variable(&mut self) -> Part {
        let start = self.at;
        let name = self.name();
        if let Some(part) = self.header(name) {
            return part;
        }
        self.reference(name, start - 1, ("name \"", "\""))
    }

    /// A variable by its name, which is read already, in a construct that began
    /// at `start`; and what stands around the name in a complaint.
    pub(super) fn reference(
        &mut self,
        name: Span,
        start: usize,
        (before, after): (&str, &str),
    ) -> Part {
        let text = name.of(self.source);
        match self.vocabulary.variable(text) {
            VariableName::Known(id) => Part::Variable(id),
            VariableName::Family(id) => Part::Family(id, name),
            VariableName::Unknown(why) => {
                let (before, after, why) = (before.as_bytes(), after.as_bytes(), why.as_bytes());
                let message = [b"unknown variable ", before, text, after, why].concat();
                self.soft(message, Span::new(start, self.at), text);
                Part::Free(name)
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
        Some(Part::Header(view, Span::new(start, end)))
    }

    /// What stands after `${`.
    fn construct(&mut self, start: usize) -> Option<Part> {
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                }
                let number = decimal(&self.source[start..self.at]);
                if !self.eat(b'}') {
                    self.stop_behind("} expected after number", 1);
                    return None;
                }
                Some(Part::Numeric(number))
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
                self.reference(name, start, ("in \"${", "}\""))
            }
            Some(b':') => {
                self.at += 1;
                let found = self.vocabulary.operator(text);
                // Whose argument may be the name of a variable alone wants the
                // brace behind that before anything in it counts.
                if self.peek() == Some(b'$')
                    && found.is_some_and(|(def, _)| self.vocabulary.operator_has_certificates(def))
                    && !closes(&self.source[self.at..])
                {
                    self.unclosed();
                    return Part::Fault;
                }
                let arg = self.braced();
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
}

/// Whether there is a closing brace in a text that no backslash escapes, and
/// that does not stand between `\N` and `\N`.
fn closes(mut text: &[u8]) -> bool {
    while let Some(at) = memchr::memchr2(b'}', b'\\', text) {
        if text[at] == b'}' {
            return true;
        }
        let protected = text.get(at + 1) == Some(&b'N');
        text = text.get(at + 2..).unwrap_or_default();
        if protected {
            let end = memchr::memmem::find(text, b"\\N").map_or(text.len(), |end| end + 2);
            text = &text[end..];
        }
    }
    false
}

/// Moves the last of what is open to what is done. They are too few for a copy
/// of the whole.
fn move_from<T: Copy>(open: &mut Vec<T>, from: usize, done: &mut Vec<T>) {
    for one in &open[from..] {
        done.push(*one);
    }
    open.truncate(from);
}

/// Puts a text behind one that stands somewhere before it; the range of both.
fn joined(all: &mut Vec<u8>, before: Span, text: Span) -> Span {
    let range = |span: Span| span.start as usize..span.end as usize;
    let length = before.end - before.start + text.end - text.start;
    // Only the last text that was put together has its end there.
    let start = if before.end as usize == all.len() {
        before.start
    } else {
        let start = all.len() as u32;
        all.extend_from_within(range(before));
        start
    };
    all.extend_from_within(range(text));
    Span { start, end: start + length }
}

fn decimal(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d - b'0')))
}
