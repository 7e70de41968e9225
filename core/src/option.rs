//! The configuration's options: their records, and their values.

use std::any::Any;

use rustc_hash::FxHashMap;

use crate::opt::{IdsOption, OptionType, SwitchOption, TextOption};
use crate::{DriverOpt, Effects, Meta, Runs, Str, TaintRule};

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

impl std::fmt::Display for DriverKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A driver: what an instance in the routers, transports or authenticators can
/// be (specification 6.21).
#[derive(Clone, Debug)]
pub struct DriverDef {
    /// What it says of itself.
    pub meta: Meta,
    /// What it drives.
    pub kind: DriverKind,
    /// The options that it has to itself.
    pub options: &'static [OptionDef],
    /// What it does.
    pub run: Runs,
    /// What holds of its instances in a configuration, beside their options' types. The room
    /// that reads configurations knows the type.
    pub rules: Option<&'static (dyn Any + Send + Sync)>,
}

impl DriverDef {
    /// A record with its one line, where it is specified, and what it does.
    pub const fn new(
        kind: DriverKind,
        name: &'static str,
        summary: &'static str,
        source: &'static str,
        run: Runs,
    ) -> Self {
        let meta = Meta::new(name, Effects::NONE, TaintRule::Result);
        Self::of(kind, meta.summary(summary).source(source), run)
    }

    /// A record with what it says of itself, and what it does.
    pub const fn of(kind: DriverKind, meta: Meta, run: Runs) -> Self {
        Self { meta, kind, options: &[], run, rules: None }
    }

    /// Sets what holds of its instances in a configuration.
    pub const fn rules<T: Any + Send + Sync>(mut self, rules: &'static T) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Sets what a build must have for it.
    pub const fn needs(mut self, needs: &'static str) -> Self {
        self.meta = self.meta.needs(needs);
        self
    }

    /// Sets the options that it has to itself.
    pub const fn options(mut self, options: &'static [OptionDef]) -> Self {
        self.options = options;
        self
    }
}

/// How an option's value is written, and what it means (specification 6.12 to
/// 6.20).
///
/// `-bP` shows values as the variants say. A line is `name = value`; a value
/// after `hide` is `<value not displayable>` for those who don't administer
/// the system, whatever its kind. With `-n` the value alone is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OptionKind {
    /// `name`, `no_name`, `not_name`, `name = yes`; `true`, `no` and `false`
    /// will do, in any case, and `name =` is yes. `-bP` shows `name` or
    /// `no_name`, with `-n` too.
    Bool,
    /// A boolean, or a text with a dollar sign in it that is expanded to one
    /// when it is needed. `-bP` shows `name`, `no_name` or `name = text`.
    ExpandedBool,
    /// A number of 32 bits; `K`, `M` and `G` multiply it, `0x` and `0` set its
    /// base. `-bP` shows it in full: `2K` is `2048`.
    Integer,
    /// The same, a size in bytes. `-bP` shows whole numbers of `M` or `K` so:
    /// `1G` is `1024M`, 1025 is `1025`, zero is `0`.
    Size,
    /// A number of kilobytes, of 64 bits: `10` and `10K` are the same, and `T`
    /// is allowed. `-bP` shows whole numbers of `T`, `G` or `M` so, all others
    /// with `K`; zero is `0`.
    Kilobytes,
    /// A number in base eight. `-bP` shows it with a zero before it: `022`.
    Octal,
    /// A number with up to three decimal places, kept as thousandths; further
    /// ones are dropped. `-bP` shows at least one place: `1.0`, `1.25`; and
    /// `name =`, with nothing after it, where it is unset, with `-n` too.
    Fixed,
    /// `5d3h`: an interval, kept in seconds. `-bP` shows it in the largest
    /// units: 90 seconds are `1m30s`, seven days `1w`, none `0s`.
    Time,
    /// An interval, or a text with a dollar sign in it that is expanded to one.
    ExpandedTime,
    /// Intervals with colons between them; no other separator will do. `-bP`
    /// shows each as an interval, colons between them and nothing else. `0s`
    /// and nothing make an empty one, which is `name = `.
    TimeList,
    /// Text, perhaps in quotes. `-bP` shows what the quotes and escapes came
    /// to: newlines, tabs, returns as `\n`, `\t`, `\r`, other characters
    /// that don't print as `\001`, backslashes as they are. Where it is unset
    /// or empty, that is `name = ` with a space after it.
    Text,
    /// What is logged (`+name`, `-name`); shown as text.
    LogSelector,
    /// A list whose elements have no further meaning; shown as text, just as
    /// the lists below are.
    List,
    /// A list of domains.
    DomainList,
    /// A list of hosts.
    HostList,
    /// A list of addresses.
    AddressList,
    /// A list of local parts.
    LocalPartList,
    /// A user, by name or number. Where the record says that it is expanded, a
    /// text with a dollar sign waits for its use. `-bP` shows the name of a
    /// number that has one; unset, it is `name = `.
    User,
    /// A group, in the same way.
    Group,
    /// Users with colons between them, by name or number. Where the record
    /// says that it is expanded, this happens at once. `-bP` shows names where
    /// there are some, colons between them; unset or empty, `name =` with
    /// nothing after it.
    UserList,
    /// Groups, in the same way.
    GroupList,
    /// A rule for rewriting (`headers_rewrite`); shown as text.
    Rewrite,
}

impl OptionKind {
    /// What it is called in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool | Self::ExpandedBool => "boolean",
            Self::Integer => "integer",
            Self::Size => "size",
            Self::Kilobytes => "kilobytes",
            Self::Octal => "octal integer",
            Self::Fixed => "fixed-point number",
            Self::Time | Self::ExpandedTime => "time",
            Self::TimeList => "time list",
            Self::Text | Self::LogSelector => "string",
            Self::List => "string list",
            Self::DomainList => "domain list",
            Self::HostList => "host list",
            Self::AddressList => "address list",
            Self::LocalPartList => "local part list",
            Self::User => "user",
            Self::Group => "group",
            Self::UserList => "user list",
            Self::GroupList => "group list",
            Self::Rewrite => "rewriting rule",
        }
    }
}

/// What a second setting of an option does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Repeated {
    /// It is an error.
    Never,
    /// The texts become one list, with this separator between its elements; a
    /// setting that begins with a separator of its own (`<;`) is written anew.
    Joined(char),
    /// Both must hold: `${if and{{bool_lax{…}}{bool_lax{…}}}}`.
    Conjoined,
}

/// An option of the configuration (specification 14 to 42).
#[derive(Clone, Copy, Debug)]
pub struct OptionDef {
    /// What it says of itself. Its `aliases` are other names that work: setting
    /// both is no error, and the later one counts.
    pub meta: Meta,
    /// Where it may stand.
    pub place: OptionPlace,
    /// How its value is written.
    pub kind: OptionKind,
    /// Whether its text is expanded when it is used.
    pub expanded: bool,
    /// Its value where it is not set: a text as it is, without quotes and
    /// escapes; all else as `-bP` shows it, booleans as `true` and `false`.
    pub default: Option<&'static str>,
    /// Whether the default depends on other options, on the driver or on the
    /// system: `default` is then the one in the plainest case, and `docs` say
    /// what decides.
    pub varies: bool,
    /// What a second setting does.
    pub repeated: Repeated,
    /// Whether `-bP` leaves it out of its lists: it only sets others, or belongs
    /// to a part that few programs are built with.
    pub unprinted: bool,
    /// Whether anything here acts on it.
    pub effect: OptionEffect,
}

/// Whether something acts on an option.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OptionEffect {
    /// It does what it is for.
    #[default]
    Acts,
    /// It is read and shown, and does nothing yet.
    NotYet,
    /// It is read and shown, and there is nothing for it to do here: why.
    Never(&'static str),
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
            varies: false,
            repeated: Repeated::Never,
            unprinted: false,
            effect: OptionEffect::Acts,
        }
    }
    /// Says that it does nothing yet.
    pub const fn not_yet(mut self) -> Self {
        self.effect = OptionEffect::NotYet;
        self
    }
    /// Says that there is nothing for it to do, and why.
    pub const fn idle(mut self, why: &'static str) -> Self {
        self.effect = OptionEffect::Never(why);
        self
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
    /// Says that something else decides on the default.
    pub const fn varies(mut self) -> Self {
        self.varies = true;
        self
    }
    /// Sets what a second setting does.
    pub const fn repeated(mut self, repeated: Repeated) -> Self {
        self.repeated = repeated;
        self
    }
    /// Sets other names.
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
    /// Sets the release that no longer has it.
    pub const fn until(mut self, until: &'static str) -> Self {
        self.meta.until = until;
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
    /// Says that `-bP` leaves it out of its lists.
    pub const fn unprinted(mut self) -> Self {
        self.unprinted = true;
        self
    }
}

impl OptionDef {
    /// Whether a value is of its kind.
    pub fn takes(&self, value: &OptionValue) -> bool {
        use OptionKind as Kind;
        match (self.kind, value) {
            (Kind::Bool | Kind::ExpandedBool, OptionValue::Flag(_)) => true,
            (Kind::ExpandedBool | Kind::ExpandedTime, OptionValue::Text(_)) => true,
            (Kind::Integer | Kind::Size, OptionValue::Text(_)) => self.expanded,
            (Kind::Integer | Kind::Size, OptionValue::Number(_)) => !self.expanded,
            (
                Kind::Kilobytes | Kind::Octal | Kind::Fixed | Kind::Time | Kind::ExpandedTime,
                OptionValue::Number(_),
            ) => true,
            (Kind::TimeList, OptionValue::Times(_)) => true,
            (Kind::User | Kind::Group, OptionValue::Text(_)) => self.expanded,
            (Kind::User | Kind::Group, OptionValue::Ids(ids)) => ids.len() == 1,
            (Kind::UserList | Kind::GroupList, OptionValue::Ids(_)) => true,
            (
                Kind::Text
                | Kind::LogSelector
                | Kind::List
                | Kind::DomainList
                | Kind::HostList
                | Kind::AddressList
                | Kind::LocalPartList
                | Kind::Rewrite,
                OptionValue::Text(_),
            ) => true,
            _ => false,
        }
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

/// The options of an instance of a driver that are set, by name. One that is not there
/// has its record's default.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct DriverOptions(FxHashMap<&'static str, OptionValue>);

impl DriverOptions {
    /// Sets an option.
    pub fn set(&mut self, option: &OptionDef, value: OptionValue) {
        self.0.insert(option.meta.name, value);
    }
    /// The value of a record's option, if it is set.
    pub fn of(&self, option: &OptionDef) -> Option<&OptionValue> {
        self.named(option.meta.name)
    }
    /// The value of an option by name, if it is set.
    pub fn named(&self, name: &str) -> Option<&OptionValue> {
        self.0.get(name)
    }
    /// All that are set, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
    /// Whether an option is set, be it to nothing.
    pub fn is_set<T>(&self, option: DriverOpt<T>) -> bool {
        self.of(option.def()).is_some()
    }
    /// A value, if it is set.
    pub fn get<T: OptionType>(&self, option: DriverOpt<T>) -> Option<T> {
        self.of(option.def()).and_then(T::read)
    }
    /// A value as it is set, or the record's default.
    pub fn get_or_default<T: OptionType>(&self, option: DriverOpt<T>) -> T {
        self.get(option).unwrap_or_else(|| option.default())
    }
    /// A text that is set, be it empty; none where another kind of value is set.
    pub fn text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&Str> {
        match self.of(option.def()) {
            Some(OptionValue::Text(text)) => Some(text),
            _ => None,
        }
    }
    /// A text that is set, and not empty.
    pub fn some_text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&Str> {
        self.text(option).filter(|text| !text.is_empty())
    }
    /// A boolean, if one is set.
    pub fn flag<T: SwitchOption>(&self, option: DriverOpt<T>) -> Option<bool> {
        match self.of(option.def()) {
            Some(OptionValue::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }
    /// Users or groups by number, as far as such are set.
    pub fn ids<T: IdsOption>(&self, option: DriverOpt<T>) -> &[u32] {
        match self.of(option.def()) {
            Some(OptionValue::Ids(ids)) => ids,
            _ => &[],
        }
    }
}
