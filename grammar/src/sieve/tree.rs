//! What a script is read into.

use crate::Span;

/// A script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    /// What was required.
    pub required: Capabilities,
    /// The commands after that, in order.
    pub commands: Vec<SieveCommand>,
    /// What is wrong: what the fault in the tree stands for.
    pub fault: Option<SieveFault>,
}

/// Something wrong in a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SieveFault {
    /// Exim's words, without the line.
    pub message: String,
    /// The line, as Exim counts.
    pub line: u32,
    /// Where reading ended.
    pub span: Span,
}

/// The extensions that a script requires.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// `body` (RFC 5173).
    pub body: bool,
    /// `comparator-i;ascii-numeric`.
    pub numeric: bool,
    /// `copy` (RFC 3894).
    pub copy: bool,
    /// `encoded-character`.
    pub encoded: bool,
    /// `enotify` (RFC 5435).
    pub notify: bool,
    /// `envelope`.
    pub envelope: bool,
    /// `fileinto`.
    pub fileinto: bool,
    /// `subaddress` (RFC 5233).
    pub subaddress: bool,
    /// `vacation` (RFC 5230).
    pub vacation: bool,
}

impl Capabilities {
    /// The names of all that can be required and do something, sorted.
    pub const NAMES: [&'static str; 9] = [
        "body",
        "comparator-i;ascii-numeric",
        "copy",
        "encoded-character",
        "enotify",
        "envelope",
        "fileinto",
        "subaddress",
        "vacation",
    ];
}

/// A string of a script: what it stands for, newlines as CR LF.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SieveString {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where it is written.
    pub span: Span,
}

/// A command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SieveCommand {
    /// `if`, with all that belongs to it.
    If(If),
    /// `stop;`
    Stop,
    /// `keep;`
    Keep,
    /// `discard;`
    Discard,
    /// `redirect "address";`
    Redirect {
        /// The address.
        address: SieveString,
        /// `:copy`
        copy: bool,
    },
    /// `fileinto "folder";`
    FileInto {
        /// The folder.
        folder: SieveString,
        /// `:copy`
        copy: bool,
    },
    /// `vacation "reason";`
    Vacation(Box<Vacation>),
    /// `notify "method";`
    Notify(Box<Notify>),
    /// Here the script can't be read any further.
    Fault,
}

/// `if`, `elsif` and `else`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct If {
    /// A test and a block each, in order.
    pub arms: Vec<Arm>,
    /// The block after `else`.
    pub otherwise: Vec<SieveCommand>,
}

/// A test and what is done where it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arm {
    /// The test.
    pub test: SieveTest,
    /// The block.
    pub block: Vec<SieveCommand>,
}

/// `vacation` and its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vacation {
    /// The line of its name.
    pub line: u32,
    /// `:days`
    pub days: Option<u64>,
    /// `:subject`
    pub subject: Option<SieveString>,
    /// `:from`, each with its line: every one is checked, the last one counts.
    pub from: Vec<(SieveString, u32)>,
    /// `:addresses`
    pub addresses: Vec<SieveString>,
    /// `:mime`
    pub mime: bool,
    /// `:handle`
    pub handle: Option<SieveString>,
    /// Whether `:handle` stands after the last `:from`.
    pub handle_last: bool,
    /// The text; a fault follows where there is none.
    pub reason: Option<SieveString>,
    /// Whether it can be done: it was read up to its semicolon.
    pub complete: bool,
}

/// `notify` and its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notify {
    /// `:from`
    pub from: Option<SieveString>,
    /// `:importance`
    pub importance: Option<u8>,
    /// `:options`
    pub options: Vec<SieveString>,
    /// `:message`
    pub message: Option<SieveString>,
    /// The method; a fault follows where there is none.
    pub method: Option<SieveString>,
    /// The line of the semicolon.
    pub line: u32,
    /// Whether it can be done: it was read up to its semicolon.
    pub complete: bool,
}

/// A test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SieveTest {
    /// `true` or `false`
    Constant(bool),
    /// `not`
    Not(Box<SieveTest>),
    /// `allof`
    AllOf(Vec<SieveTest>),
    /// `anyof`
    AnyOf(Vec<SieveTest>),
    /// `exists`
    Exists {
        /// The names of header fields.
        headers: Vec<SieveString>,
        /// The line where it ends.
        line: u32,
    },
    /// `size`
    Size {
        /// Which way.
        order: SizeOrder,
        /// How much, in bytes.
        limit: u64,
    },
    /// `header`
    Header {
        /// How, and with what.
        matching: Matching,
        /// The names of header fields.
        headers: Vec<SieveString>,
    },
    /// `address`
    Address {
        /// How, and with what.
        matching: Matching,
        /// The part.
        part: AddressPart,
        /// The names of header fields.
        headers: Vec<SieveString>,
    },
    /// `envelope`
    Envelope {
        /// How, and with what.
        matching: Matching,
        /// The part.
        part: AddressPart,
        /// The parts of the envelope.
        envelopes: Vec<SieveString>,
    },
    /// `body`
    Body {
        /// How, and with what.
        matching: Matching,
        /// What of the body.
        transform: BodyTransform,
    },
    /// `valid_notify_method`
    ValidNotifyMethod {
        /// The methods.
        methods: Vec<SieveString>,
    },
    /// `notify_method_capability`
    NotifyMethodCapability {
        /// How, and with what.
        matching: Matching,
        /// The method.
        method: SieveString,
        /// The capability.
        capability: SieveString,
    },
    /// Here the script can't be read any further.
    Fault,
}

/// `:over` or `:under`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SizeOrder {
    /// `:over`
    Over,
    /// `:under`
    Under,
}

/// How values are compared, and with what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matching {
    /// The comparator.
    pub comparator: Comparator,
    /// The match type.
    pub kind: MatchType,
    /// The keys.
    pub keys: Vec<SieveString>,
    /// The line where the test ends.
    pub line: u32,
}

/// A comparator (RFC 4790).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Comparator {
    /// `i;octet`
    Octet,
    /// `i;ascii-casemap`, also called `en;ascii-casemap`
    #[default]
    AsciiCasemap,
    /// `i;ascii-numeric`
    AsciiNumeric,
}

/// A match type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MatchType {
    /// `:is`
    #[default]
    Is,
    /// `:contains`
    Contains,
    /// `:matches`
    Matches,
}

/// A part of an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AddressPart {
    /// `:all`
    #[default]
    All,
    /// `:localpart`
    LocalPart,
    /// `:domain`
    Domain,
    /// `:user`
    User,
    /// `:detail`
    Detail,
}

/// What of a body is looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum BodyTransform {
    /// `:text`
    #[default]
    Text,
    /// `:raw`
    Raw,
    /// `:content`, with types.
    Content(Vec<SieveString>),
}
