//! What happens in the language: strings, lists, look-ups, hosts, commands.

use std::net::IpAddr;

use eximious_grammar::Span;

use crate::world::DnsRecord;
use crate::{Fail, Str};

/// What a piece of a string is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the words of the language")]
pub enum TracePiece {
    /// Literal text, with its escapes.
    Text,
    Variable,
    /// `$1`.
    Numeric,
    /// `$h_…:`.
    Header,
    Operator,
    Item,
}

/// A step of the expansion of a string. Each names the whole text, and the part of it that
/// it is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ExpansionEvent<'e> {
    /// A string begins: what follows until its end is a part of it.
    Begin {
        /// The whole text.
        source: &'e [u8],
        /// The string in it.
        span: Span,
        /// Whether it is passed over, because its value is not used.
        skipped: bool,
    },
    /// A piece of a string was evaluated.
    Piece {
        /// The whole text.
        source: &'e [u8],
        /// The piece in it.
        span: Span,
        /// What it is.
        piece: TracePiece,
        /// What it came to; nothing, where it was passed over.
        value: Option<&'e Str>,
        /// Whether nothing came of the pieces before it.
        first: bool,
    },
    /// A condition was evaluated, which is no part of another one.
    Condition {
        /// The whole text.
        source: &'e [u8],
        /// The condition in it.
        span: Span,
        /// What it came to; nothing, where it was passed over.
        holds: Option<bool>,
    },
    /// A string ends.
    End {
        /// The whole text.
        source: &'e [u8],
        /// The string in it.
        span: Span,
        /// What it came to; nothing, where it was passed over.
        value: Option<&'e Str>,
    },
    /// A string can't be expanded.
    Failed {
        /// The whole text.
        source: &'e [u8],
        /// The string in it.
        span: Span,
        /// Why.
        fail: &'e Fail,
    },
}

/// A step of the test of a list.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ListEvent<'e> {
    /// A list begins: what follows until its end is a part of it.
    Begin {
        /// What is looked for.
        subject: &'e [u8],
        /// The list: its text in quotes, or the name of the option that it is.
        list: &'e [u8],
    },
    /// An element has its turn.
    Element {
        /// As it is written.
        text: &'e [u8],
    },
    /// A list ends.
    End {
        /// What was looked for.
        subject: &'e [u8],
        /// The list: its text in quotes, or the name of the option that it is.
        list: &'e [u8],
        /// What it says; nothing, where it can't say it now.
        matches: Option<bool>,
        /// The element that decided; nothing, where none did.
        element: Option<&'e [u8]>,
        /// What the decision is owed to, in words, where that is not the element as it
        /// stands: a line of a file, what was known already, a doubt.
        owed: Option<&'e [u8]>,
    },
    /// A list that is not there has nothing in it.
    Unset {
        /// What was looked for.
        subject: &'e [u8],
        /// The option; nothing, where it has no name.
        option: Option<&'e str>,
    },
    /// The expansion of a list was made to fail: nothing is in it.
    Forced {
        /// Its text.
        list: &'e [u8],
    },
    /// A list is looked at that says of which domains the DNS has to answer securely:
    /// `require` or `request`.
    Dnssec {
        /// Which.
        list: &'e str,
    },
    /// A named list begins within another list.
    SublistBegin {
        /// Its name.
        name: &'e [u8],
    },
    /// A named list ends within another list.
    SublistEnd {
        /// Its name.
        name: &'e [u8],
    },
    /// What a named list says was known already.
    Known {
        /// Its name.
        name: &'e [u8],
        /// What it says.
        matches: bool,
        /// The data with it, where it is told.
        data: Option<Option<&'e [u8]>>,
    },
    /// The data of a named list are kept.
    Kept {
        /// Its name.
        name: &'e [u8],
        /// What was looked for.
        key: &'e [u8],
        /// The data.
        data: &'e [u8],
    },
    /// An element that can't be told is passed over.
    Ignored {
        /// Why it can't be told.
        why: &'e [u8],
        /// What says so: `+ignore_unknown`, `+ignore_defer`.
        by: &'e str,
    },
}

/// A question to the DNS.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DnsEvent<'e> {
    /// It is asked.
    Begin {
        /// The name.
        name: &'e str,
        /// The type of records.
        kind: &'e str,
    },
    /// It was answered.
    End {
        /// The name.
        name: &'e str,
        /// The type of records.
        kind: &'e str,
        /// The answer.
        answer: DnsOutcome,
        /// The records of that type.
        records: &'e [DnsRecord],
        /// Whether it was known already.
        cached: bool,
    },
}

/// How the DNS answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DnsOutcome {
    /// There are records.
    Found,
    /// There is no such name.
    NoName,
    /// There is the name, without such records.
    NoData,
    /// There is no answer now.
    Later,
    /// Aliases have no end, or the name is none that can be asked for.
    Never,
}

/// A step of a look-up.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LookupEvent<'e> {
    /// A look-up begins: what follows until its end is a part of it.
    Begin {
        /// Its type.
        kind: &'e str,
        /// The file; empty where there is none.
        file: &'e [u8],
        /// The key, or the query.
        key: &'e [u8],
        /// How many components of the key have to stay, where parts of it will do.
        partial: Option<u8>,
        /// What stands before a part of the key.
        affix: &'e [u8],
        /// Whether `*` is looked for in the end, and `*@domain` before that.
        star: (bool, bool),
        /// What stands after a comma.
        options: &'e [u8],
    },
    /// One key has its turn.
    Key {
        /// The type.
        kind: &'e str,
        /// The file; empty where there is none.
        file: &'e [u8],
        /// The key, or the query.
        key: &'e [u8],
        /// What stands after a comma.
        options: &'e [u8],
        /// What the key is, beside the one that was asked for.
        part: LookupKey,
        /// Whether the answer is known already.
        cached: bool,
    },
    /// What was found for one key.
    Answer {
        /// The key, or the query.
        key: &'e [u8],
        /// What was found; why there is no answer.
        found: Result<Option<&'e Str>, &'e [u8]>,
        /// Whether it was known already.
        cached: bool,
    },
    /// A look-up ends.
    End {
        /// Whether something was found.
        found: bool,
    },
}

/// What a key is, beside the one that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum LookupKey {
    /// It is that one.
    Whole,
    /// A part of it, with something before it.
    Partial,
    /// `*`, or `*@domain`.
    Star,
}

/// A step on the way to a host's name, or its addresses.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum HostEvent<'e> {
    /// The client's name is needed for a pattern.
    NameWanted {
        /// The pattern.
        pattern: &'e [u8],
    },
    /// The name of an address is looked for.
    Begin {
        /// The address.
        address: &'e [u8],
    },
    /// The DNS can't say now what names an address has.
    NoPtr,
    /// The DNS says of an address that it has a name that no host can have.
    IllegalName,
    /// The system is asked for the names of an address.
    BySystem,
    /// The system says of an address that its name is empty.
    EmptyName,
    /// The system has no name now, or none at all.
    NoName {
        /// Why, as `<netdb.h>` numbers it (`h_errno`): 1 where there is none, 2 where there may
        /// be one later, 3 where the answer is none that can be read, 4 where there is something
        /// else.
        why: u8,
    },
    /// An address has names.
    Names {
        /// The first is the host's, the others are aliases.
        names: &'e [String],
    },
    /// A host's full name.
    Qualified {
        /// It.
        name: &'e [u8],
    },
    /// A name has addresses.
    Addresses {
        /// The name.
        name: &'e [u8],
        /// All of them.
        addresses: &'e [IpAddr],
    },
    /// A name has no address.
    Missing {
        /// The name.
        name: &'e [u8],
        /// What is said of it.
        line: &'e [u8],
    },
    /// A host is this one.
    Local,
    /// The most preferred host is this one.
    LocalFirst,
    /// Another host is this one: it goes, and with it all that are not more preferred.
    LocalRemoved {
        /// Those that go: name, address and preference, with spaces between them.
        hosts: &'e [String],
    },
    /// The addresses of a name are compared with the client's.
    Checked {
        /// The name.
        name: &'e [u8],
        /// Its addresses.
        addresses: &'e [IpAddr],
        /// The client's.
        client: IpAddr,
        /// Whether there was no answer.
        later: bool,
    },
    /// A name does not lead back to the client.
    Refused {
        /// Why.
        why: &'e [u8],
    },
    /// The name that a client gave is verified.
    Hello {
        /// It; empty where the client gave none.
        argument: &'e [u8],
    },
    /// The name that a client gave is its address.
    HelloIsAddress,
    /// The name that a client gave is one of its host's: the first, or an alias.
    HelloIsName {
        /// The alias.
        alias: Option<&'e [u8]>,
    },
    /// The addresses of the name that a client gave are looked for.
    HelloResolved {
        /// The name.
        name: &'e [u8],
    },
    /// The name that a client gave leads to it.
    HelloLeads {
        /// The name.
        name: &'e [u8],
        /// Whether the answer was signed.
        secure: bool,
    },
    /// The name that a client gave is not its own, which is let pass.
    HelloForgiven {
        /// The command.
        word: &'e [u8],
    },
}

/// A command that is run for its output.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ProcessEvent<'e> {
    /// It is started.
    Begin {
        /// The program and its arguments.
        command: &'e [Vec<u8>],
    },
    /// It has ended.
    End {
        /// Its status.
        status: i32,
        /// How many bytes it wrote.
        size: usize,
    },
    /// It can't be run, or did not end in time.
    Failed {
        /// Why.
        why: &'e [u8],
    },
}
