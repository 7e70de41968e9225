//! The arena that a parse makes.

use super::shape::{HeaderView, LookupStyle};
use super::view::View;
use crate::Span;

/// A run of pieces that make one string.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seq {
    /// Where its first piece stands among all of them.
    pub start: u32,
    pub(crate) len: u32,
    /// Where the string stands in the source.
    pub span: Span,
}

/// A piece of a string.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Piece {
    /// What it is.
    pub part: Part,
    /// Where it stands in the source.
    pub span: Span,
}

/// What a piece of a string is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Part {
    /// Literal text, a range of [`View::text`], escapes already read.
    Text(Span),
    /// `$name` or `${name}` of a variable with a record.
    Variable(u16),
    /// A variable of an open family; the name is a range of [`View::text`].
    Family(u16, Span),
    /// A variable that the vocabulary does not know: an evaluator may still.
    /// The name is a range of [`View::text`].
    Free(Span),
    /// `$0`, `$1`, …
    Numeric(u32),
    /// `$h_name:`; the name is a range of [`View::text`].
    Header(HeaderView, Span),
    /// `${op:…}`.
    Operator(OpId),
    /// `${item…}`.
    Item(CallId),
    /// The parse ended here, with [`View::hard_fault`].
    Fault,
}

/// Index of an operator in a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpId(pub(crate) u32);
/// Index of an item in a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallId(pub(crate) u32);
/// Index of a condition in a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CondId(pub(crate) u32);
/// Index of a lookup's type in a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LookupId(pub(crate) u32);

/// `${name_params:argument}`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OpNode {
    /// The vocabulary's id; `None` where nobody knows the name.
    pub def: Option<u16>,
    /// The whole name as written, a range of the source.
    pub name: Span,
    /// Length of the base name; what follows it are the parameters.
    pub base: u32,
    /// The argument.
    pub arg: Seq,
    /// The whole operator, a range of the source.
    pub span: Span,
}

/// `${name{…}…}`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CallNode {
    /// The vocabulary's id.
    pub def: u16,
    pub(crate) args: (u32, u32),
    /// The whole item, a range of the source.
    pub span: Span,
    /// How the item ends.
    pub closing: Closing,
}

/// How an item or condition ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// With its brace.
    Closed,
    /// The parse ended inside it, or at its end: once its arguments are done,
    /// [`View::hard_fault`] is to be raised.
    Open,
}

/// A condition and its arguments.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CondNode {
    /// The vocabulary's id; meaningless in a node that is open without args.
    pub def: u16,
    /// Whether an odd number of `!` stands before it.
    pub negated: bool,
    pub(crate) args: (u32, u32),
    /// The whole condition, a range of the source.
    pub span: Span,
    /// How the condition ends.
    pub closing: Closing,
}

/// An argument of an item or a condition.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Arg {
    /// A string.
    Text(Seq),
    /// A condition.
    Condition(CondId),
    /// A word or raw text, a range of the source.
    Word(Span),
    /// The type of a lookup.
    Lookup(LookupId),
    /// A variable after `def:`; the sequence holds that one part.
    Variable(Seq),
    /// The branch for success.
    Yes(Seq),
    /// The branch for failure.
    No(Seq),
    /// The word `fail` in place of the second branch.
    ForceFail,
    /// `extract` and its kin: something other than the closing brace stands at
    /// this offset of the source, after all groups were read.
    Loose(u32),
}

/// The type word of a lookup: `partial2(.)lsearch*@,ret=full`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LookupNode {
    /// The vocabulary's id.
    pub def: u16,
    /// The style, as the vocabulary says.
    pub style: LookupStyle,
    /// The minimum of components that must stay, where `partial` is asked for.
    pub partial: Option<u8>,
    /// The text put before a shortened key, a range of the source; `None`
    /// stands for `*.`.
    pub affix: Option<Span>,
    /// `*`: try the key `*` in the end.
    pub star: bool,
    /// `*@`: try `*@domain` before that.
    pub star_at: bool,
    /// What follows the first comma, a range of the source.
    pub options: Span,
    /// The type's name as written, affixes included, a range of the source.
    pub written: Span,
}

impl LookupNode {
    /// The same node in a text where its word begins at an offset.
    pub(crate) fn shifted(mut self, by: u32) -> Self {
        let spans = [&mut self.options, &mut self.written].into_iter().chain(&mut self.affix);
        for span in spans {
            span.start += by;
            span.end += by;
        }
        self
    }
}

/// Something wrong, in Exim's words.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// Exim's wording, without what surrounding conditions add.
    pub message: Vec<u8>,
    /// Where it was met.
    pub span: Span,
    /// What a surrounding construct adds when it was only parsed, innermost
    /// first.
    pub wrappers: Vec<Wrapper>,
    /// The message where the construct is only parsed, if it differs.
    pub parse_only_message: Option<Vec<u8>>,
    /// The message where the header's name that this one blames is forgotten.
    pub unblamed: Option<Vec<u8>>,
    /// The name of a variable that nobody knows; an evaluator may.
    pub free: Vec<u8>,
    /// Whether it counts only where the construct is only parsed.
    pub counts_for_parse_only: bool,
}

/// ` inside "and{...}" condition` and the like.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wrapper {
    /// Where the surrounding construct begins.
    pub start: u32,
    /// What it adds.
    pub text: WrapperText,
}

/// The text of a [`Wrapper`]: a static frame with a name in it.
pub type WrapperText = &'static str;

impl Fault {
    /// The wording when the construct at `start` of the source is skipped.
    pub fn parse_only_message_from(&self, start: u32) -> Vec<u8> {
        let mut text = self.parse_only_message.clone().unwrap_or_else(|| self.message.clone());
        for wrapper in self.wrappers.iter().filter(|w| w.start >= start) {
            text.extend_from_slice(wrapper.text.as_bytes());
        }
        text
    }
}

/// What [`super::parse`] makes of a text.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tree {
    /// The source, and after it literal text that does not stand in it as it
    /// is meant: escapes are read.
    pub(crate) text: Vec<u8>,
    pub(crate) source_length: usize,
    /// The whole string.
    pub root: Seq,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) ops: Vec<OpNode>,
    pub(crate) calls: Vec<CallNode>,
    pub(crate) conds: Vec<CondNode>,
    pub(crate) args: Vec<Arg>,
    pub(crate) lookups: Vec<LookupNode>,
    /// Where an item that is passed over takes `$value` away.
    pub(crate) lapses: Vec<Span>,
    /// Names that nobody knows, in the order of the text.
    pub(crate) soft_faults: Vec<Fault>,
    /// What ended the parse early.
    pub(crate) hard_fault: Option<Fault>,
    /// While it is made: parts of the strings that are open, innermost last.
    pub(crate) open_pieces: Vec<Piece>,
    /// While it is made: arguments of the constructs that are open.
    pub(crate) open_args: Vec<Arg>,
    /// Whether the text holds a zero byte, where Exim's strings end.
    pub(crate) holds_zero: bool,
    /// Where the first `$h_NAME` without a colon swallowed a brace; a fault
    /// about braces after it says so.
    pub(crate) malformed_header: Option<u32>,
}

impl Tree {
    /// That of an empty text.
    pub fn empty() -> &'static Self {
        static EMPTY: Tree = Tree {
            text: Vec::new(),
            source_length: 0,
            root: Seq { start: 0, len: 0, span: Span { start: 0, end: 0 } },
            pieces: Vec::new(),
            ops: Vec::new(),
            calls: Vec::new(),
            conds: Vec::new(),
            args: Vec::new(),
            lookups: Vec::new(),
            lapses: Vec::new(),
            soft_faults: Vec::new(),
            hard_fault: None,
            open_pieces: Vec::new(),
            open_args: Vec::new(),
            holds_zero: false,
            malformed_header: None,
        };
        &EMPTY
    }

    /// What was parsed.
    pub fn source(&self) -> &[u8] {
        &self.text[..self.source_length]
    }
    /// The tree to look at.
    #[inline(always)]
    pub fn view(&self) -> View<'_> {
        View {
            text: &self.text,
            source: self.source(),
            root: self.root,
            parts: self,
            lapses: &self.lapses,
            soft_faults: &self.soft_faults,
            hard_fault: self.hard_fault.as_ref(),
            holds_zero: self.holds_zero,
            malformed_header: self.malformed_header,
        }
    }
    /// The pieces of all strings.
    pub fn all_pieces(&self) -> &[Piece] {
        &self.pieces
    }
    /// All types of lookups.
    pub fn lookups(&self) -> &[LookupNode] {
        &self.lookups
    }
    /// All items, in the order in which they end.
    pub fn calls(&self) -> &[CallNode] {
        &self.calls
    }
    /// All operators, in the order in which they end.
    pub fn ops(&self) -> &[OpNode] {
        &self.ops
    }
    /// All conditions, in the order in which they end.
    pub fn conds(&self) -> &[CondNode] {
        &self.conds
    }
    /// Whether anything is wrong with the text, or may be.
    pub(super) fn is_odd(&self) -> bool {
        !self.soft_faults.is_empty() || self.hard_fault.is_some() || self.malformed_header.is_some()
    }
    /// Empties the tree and keeps its memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.source_length = 0;
        self.root = Seq::default();
        self.pieces.clear();
        self.ops.clear();
        self.calls.clear();
        self.conds.clear();
        self.args.clear();
        self.open_pieces.clear();
        self.open_args.clear();
        self.lookups.clear();
        self.lapses.clear();
        self.soft_faults.clear();
        self.hard_fault = None;
        self.malformed_header = None;
        self.holds_zero = false;
    }
}
