//! The configuration's options: their records, and their values.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Effects, Meta, Str, TaintRule};

/// Where an option may stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OptionPlace {
    /// The main section.
    Main,
    /// Every driver of a kind.
    Generic(DriverKind),
    /// One driver: `Driver(DriverKind::Transport, "smtp")`.
    Driver(DriverKind, &'static str),
}

/// Kinds of drivers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DriverKind {
    /// `begin routers`.
    Router,
    /// `begin transports`.
    Transport,
    /// `begin authenticators`.
    Authenticator,
}

impl DriverKind {
    /// What Exim calls one of them: `router`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Transport => "transport",
            Self::Authenticator => "authenticator",
        }
    }
}

/// A driver: what an instance in the routers, transports or authenticators can
/// be (specification 6.21).
#[derive(Clone, Copy, Debug)]
pub struct DriverDef {
    /// What it says of itself.
    pub meta: Meta,
    /// What it drives.
    pub kind: DriverKind,
}

impl DriverDef {
    /// A record with its one line, and where it is specified.
    pub const fn new(
        kind: DriverKind,
        name: &'static str,
        summary: &'static str,
        source: &'static str,
    ) -> Self {
        let meta = Meta::new(name, Effects::NONE, TaintRule::Result);
        Self { meta: meta.summary(summary).source(source), kind }
    }
}

/// How an option's value is written, and what it means (specification 6.13 to
/// 6.21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OptionKind {
    /// `name`, `no_name`, `not_name`, `name = yes`.
    Bool,
    /// A boolean, or a string that is expanded to one at run time.
    ExpandedBool,
    /// A number; `K`, `M` and `G` multiply it, `0x` and `0` set its base.
    Integer,
    /// A number that is shown with K, M or G where it can be.
    Size,
    /// A number of kilobytes: `10` and `10K` are the same.
    Kilobytes,
    /// A number in base eight.
    Octal,
    /// A number with up to three decimal places, kept as thousandths.
    Fixed,
    /// `5d3h`: an interval, kept in seconds.
    Time,
    /// Intervals with colons between them.
    TimeList,
    /// Text.
    Text,
    /// A list whose elements have no further meaning.
    List,
    /// A list of domains.
    DomainList,
    /// A list of hosts.
    HostList,
    /// A list of addresses.
    AddressList,
    /// A list of local parts.
    LocalPartList,
    /// A user, by name or number; expanded where the record says so.
    User,
    /// A group, by name or number.
    Group,
    /// A list of users.
    UserList,
    /// A list of groups.
    GroupList,
    /// A rule for rewriting (`headers_rewrite`).
    Rewrite,
}

/// What happens where an option is set again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// It is an error.
    Refused,
    /// All must hold (`condition`).
    Condition,
    /// The values are lines (`headers_add`).
    Lines,
    /// The values are elements of one list, with this separator
    /// (`headers_remove`, `set`).
    List(char),
}

/// An option of the configuration (specification 14 to 42).
#[derive(Clone, Copy, Debug)]
pub struct OptionDef {
    /// What it says of itself. Its `aliases` are older names that still work,
    /// with a warning.
    pub meta: Meta,
    /// Where it may stand.
    pub place: OptionPlace,
    /// How its value is written.
    pub kind: OptionKind,
    /// Whether its text is expanded when it is used.
    pub expanded: bool,
    /// Its value where it is not set, as it would be written; `None` where it
    /// then has none, or one that the program computes.
    pub default: Option<&'static str>,
    /// What happens where it is set again.
    pub repeat: Repeat,
    /// Whether `-bP` leaves it out.
    pub unprinted: bool,
}

impl OptionDef {
    /// A record with what has no default.
    pub const fn new(place: OptionPlace, name: &'static str, kind: OptionKind) -> Self {
        Self {
            meta: Meta::new(name, Effects::NONE, TaintRule::Result),
            place,
            kind,
            expanded: false,
            default: None,
            repeat: Repeat::Refused,
            unprinted: false,
        }
    }
    /// Says that its text is expanded when it is used.
    pub const fn expanded(mut self) -> Self {
        self.expanded = true;
        self
    }
    /// Sets the value that it has where it is not set.
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }
    /// Sets what happens where it is set again.
    pub const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }
    /// Sets older names.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.meta.aliases = aliases;
        self
    }
    /// Sets the one line.
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.meta.summary = summary;
        self
    }
    /// Sets the page.
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.meta.docs = docs;
        self
    }
    /// Sets the release that brought it.
    pub const fn since(mut self, since: &'static str) -> Self {
        self.meta.since = since;
        self
    }
    /// Sets why it has no effect in this build.
    pub const fn needs(mut self, needs: &'static str) -> Self {
        self.meta.needs = needs;
        self
    }
    /// Sets where it is specified.
    pub const fn source(mut self, source: &'static str) -> Self {
        self.meta.source = source;
        self
    }
    /// Says that `-bP` leaves it out.
    pub const fn unprinted(mut self) -> Self {
        self.unprinted = true;
        self
    }
}

/// The value of an option.
#[derive(Clone, PartialEq, Debug)]
pub enum OptionValue {
    /// A boolean.
    Flag(bool),
    /// A number: of bytes, of thousandths, of seconds, or a plain one.
    Number(i64),
    /// Seconds with colons between them.
    Times(Vec<i64>),
    /// Text, as it stands after quotes and escapes have been read.
    Text(Str),
    /// Users or groups, by number.
    Ids(Vec<u32>),
}

/// Values of options, by name. One that is not there has its record's default.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Options(BTreeMap<&'static str, OptionValue>);

impl Options {
    /// Sets a value.
    pub fn set(&mut self, name: &'static str, value: OptionValue) {
        self.0.insert(name, value);
    }
    /// A value, if it is set.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.get(name)
    }
    /// All that are set, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
    /// A text that is set and not empty.
    pub fn text(&self, name: &str) -> Option<&Str> {
        match self.get(name) {
            Some(OptionValue::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
    /// A boolean, if it is set.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(OptionValue::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }
    /// A number, if it is set.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(OptionValue::Number(number)) => Some(*number),
            _ => None,
        }
    }
    /// An interval, if it is set and not negative.
    pub fn time(&self, name: &str) -> Option<Duration> {
        self.number(name).and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
    }
}
