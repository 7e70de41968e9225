//! What may follow a word, and where the words come from.

/// The words of the language, as the parser needs them. The registry of
/// built-ins implements this; ids are the registry's own.
pub trait Vocabulary {
    /// An expansion item (`if`, `lookup`, `sg`, …): its id and shape.
    fn item(&self, name: &[u8]) -> Option<(u16, ItemShape)>;
    /// An operator, by the whole name as written before the colon. Names that
    /// contain an underscore (`quote_local_part`) come before parameters
    /// (`length_3`); the second value is the length of the base name.
    fn operator(&self, name: &[u8]) -> Option<(u16, usize)>;
    /// Whether an operator looks for the name of a certificate variable before
    /// anything else is done with its argument.
    fn operator_has_certificates(&self, id: u16) -> bool;
    /// A condition (`eq`, `match`, `>=`, …): its id and shape.
    fn condition(&self, name: &[u8]) -> Option<(u16, ConditionShape)>;
    /// A variable, without its dollar.
    fn variable(&self, name: &[u8]) -> VariableName;
    /// A lookup type, without `partial-` and default suffixes.
    fn lookup(&self, name: &[u8]) -> Option<(u16, LookupStyle)>;
    /// Whether the queries of a lookup type may begin with a file's name.
    fn lookup_has_file(&self, id: u16) -> bool;
}

/// What a vocabulary says of a variable's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VariableName {
    /// A variable with a record of its own.
    Known(u16),
    /// A member of an open family (`acl_c…`, `acl_m…`, `r_…`): the record is
    /// the family's, the name is kept.
    Family(u16),
    /// Nobody knows it. The text, if any, is added to the message.
    Unknown(&'static str),
}

/// How `$h_NAME:` wants its header line (specification 11.5, `$header_`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderView {
    /// `$h_`, `$header_`: decoded and translated to one character set.
    Decoded,
    /// `$bh_`, `$bheader_`: RFC 2047 decoded, no character set translation.
    Basic,
    /// `$rh_`, `$rheader_`: as received.
    Raw,
    /// `$lh_`, `$lheader_`: raw, a colon-separated list, one element a line.
    List,
}

/// Whether a lookup type takes a key and a file, or a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupStyle {
    /// `${lookup{key}type{file}…}`.
    SingleKey,
    /// `${lookup type{query}…}`.
    Query,
}

/// One fixed argument in braces, with what is said where it is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgSpec {
    /// How the argument is read.
    pub kind: ArgKind,
    /// Exim's message where no `{` stands.
    pub missing: &'static str,
}

/// How an argument in braces is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgKind {
    /// A string to expand.
    Text,
    /// The name of a comparison, with dollars that stand for themselves; for
    /// `sort`.
    Comparator,
    /// A condition; for `filter`.
    Condition,
    /// Like [`ArgKind::Text`], evaluated again and again; for `map`.
    Expression,
    /// Like [`ArgKind::Expression`], with a `$value` of its own; for `reduce`.
    Fold,
    /// The name of a variable that holds a certificate, with its dollar.
    Certificate,
}

/// What may follow an item's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemShape {
    /// `{…}{…}…`, from `min` to `max` of them, then the closing brace.
    Braces {
        /// How many must be there.
        min: u8,
        /// How many may be there.
        max: u8,
    },
    /// As [`ItemShape::Braces`], for an item whose second string Exim looks at
    /// even where it skips the item, when no string has a value: that fails.
    Peeked {
        /// How many must be there.
        min: u8,
        /// How many may be there.
        max: u8,
        /// What Exim says then.
        complaint: &'static str,
    },
    /// One string, then from 1 to `max` more, counted anew in messages
    /// (`prvscheck`).
    Staged {
        /// How many may follow the first.
        max: u8,
    },
    /// Fixed arguments, then the two branches: `{yes}{no}`, `{yes}fail`, or
    /// nothing.
    Branches(&'static [ArgSpec]),
    /// Fixed arguments, then the closing brace; the last is evaluated for each
    /// element of a list.
    Loop {
        /// The arguments.
        args: &'static [ArgSpec],
        /// What is added to a complaint about the form of the last:
        /// ` inside "map" item`.
        inside: &'static str,
    },
    /// Fixed arguments, then the closing brace, which Exim checks in silence
    /// of their number (`sort`).
    Fixed(&'static [ArgSpec]),
    /// A condition, then the branches: `if`.
    If,
    /// `lookup` in both forms.
    Lookup,
    /// `extract`, whose number of arguments hangs on the value of the first.
    Extract,
    /// `run`: options after a comma, a command that is split before it is
    /// expanded, then the branches.
    Run,
    /// Like [`ItemShape::Braces`], with `readsocket`'s own closing message,
    /// and a last argument that is evaluated only on failure.
    Socket {
        /// How many must be there.
        min: u8,
        /// How many may be there.
        max: u8,
    },
}

impl ItemShape {
    /// Whether Exim reads all arguments at once, and after a fault in one of
    /// them stands where they begin.
    pub(super) fn is_read_at_once(self) -> bool {
        matches!(
            self,
            Self::Braces { .. } | Self::Peeked { .. } | Self::Staged { .. } | Self::Socket { .. }
        )
    }
}

/// What may follow a condition's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConditionShape {
    /// Nothing: `first_delivery`.
    Bare,
    /// `{string}`.
    One,
    /// `{string}{string}`.
    Two,
    /// `{string}{list}`, where a dollar in the list stands for itself.
    TwoLiteral,
    /// `{{string}…}`, from `min` to `max` of them.
    Group {
        /// How many must be there.
        min: u8,
        /// How many may be there.
        max: u8,
    },
    /// `{string}{string}…`, that many of them, counted in messages as those of
    /// a group are (`inbound_srs`).
    Counted {
        /// How many there are.
        count: u8,
    },
    /// `{{condition}{condition}…}`: `and`, `or`.
    Conditions {
        /// What is added to a complaint about the form of one:
        /// ` inside "and{...}" condition`.
        inside: &'static str,
    },
    /// `{list}{condition}`: `forany` and its kin.
    Each {
        /// What is added to a complaint about the form of the condition:
        /// ` inside "forany" condition`.
        inside: &'static str,
    },
    /// `:variable`: `def`.
    Variable,
}
