//! Options, as code of ours names them: a handle knows the type of what is read, and the
//! default that stands in the record.

use std::marker::PhantomData;
use std::time::Duration;

use crate::var::is_same;
use crate::{DriverKind, OptionDef, OptionKind, OptionPlace, OptionValue, Str};

/// A main option: `settings.get(opt::RECIPIENTS_MAX)`. Made in constants, so that a name
/// that no record has, or a type that its values don't have, does not compile.
#[derive(Debug)]
pub struct Opt<T> {
    /// Its number among the main options, as a registry counts them that begins with the
    /// tables it was found in.
    id: u16,
    def: &'static OptionDef,
    preset: Preset,
    of: PhantomData<fn() -> T>,
}

/// An option of drivers: `router.text(opt::HEADERS_ADD)`. Made in constants, as those of
/// main options are.
#[derive(Debug)]
pub struct DriverOpt<T> {
    def: &'static OptionDef,
    preset: Preset,
    of: PhantomData<fn() -> T>,
}

/// The value of an option that is not set.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Preset {
    /// There is none.
    None,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(i64),
    /// Text; also that of lists of numbers, and of names of users.
    Text(&'static str),
}

/// What is read out of an option.
pub trait OptionType: Sized {
    /// The kinds of options whose values it has.
    const KINDS: &'static [OptionKind];
    /// The value of an option that is set; `None` where it is of another type.
    fn read(value: &OptionValue) -> Option<Self>;
    /// The value of one that is not set.
    fn preset(preset: Preset) -> Self;
    /// As it is kept.
    fn kept(self) -> OptionValue;
}

/// What may be written as a text: texts and lists, and what may be made of an expansion.
pub trait TextOption: OptionType {}
impl TextOption for Str {}
impl<T> TextOption for Expanded<T> where Self: OptionType {}

/// What may be written as yes or no.
pub trait SwitchOption: OptionType {}
impl SwitchOption for bool {}
impl SwitchOption for Expanded<bool> {}

/// What may be written as users or groups.
pub trait IdsOption: OptionType {}
impl IdsOption for Ids {}
impl IdsOption for Expanded<Ids> {}

/// A value that may be written as a text which is expanded when it is needed.
#[derive(Clone, PartialEq, Debug)]
pub enum Expanded<T> {
    /// It stands there.
    Value(T),
    /// It is made of this text.
    Text(Str),
}

impl<T> Expanded<T> {
    /// What stands there, if it needs no expansion.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Text(_) => None,
        }
    }
}

/// Intervals, in seconds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Times(pub Vec<i64>);

/// Users or groups, by number.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ids(pub Vec<u32>);

// Handles are copied whatever they are of.
impl<T> Clone for Opt<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Opt<T> {}
impl<T> Clone for DriverOpt<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for DriverOpt<T> {}

impl<T: OptionType> Opt<T> {
    /// The main option of a name, in tables of main options that each have another one.
    ///
    /// # Panics
    /// No record has the name, or its values are of another type.
    pub const fn named(tables: &[&'static [OptionDef]], name: &str) -> Self {
        let (mut id, mut table) = (0, 0);
        while table < tables.len() {
            let mut row = 0;
            while row < tables[table].len() {
                let def = &tables[table][row];
                if is_same(def.meta.name, name) {
                    assert!(matches!(def.place, OptionPlace::Main), "it is no main option");
                    assert!(has_kind(T::KINDS, def.kind), "its values are of another type");
                    return Self { id, def, preset: def.preset(), of: PhantomData };
                }
                (id, row) = (id + 1, row + 1);
            }
            table += 1;
        }
        panic!("no main option has this name");
    }

    /// Its number among the main options.
    pub const fn id(self) -> u16 {
        self.id
    }
    /// Its record.
    pub const fn def(self) -> &'static OptionDef {
        self.def
    }
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.def.meta.name
    }
    /// Its value where it is not set: the record's, or what is nothing for its type.
    pub fn default(self) -> T {
        T::preset(self.preset)
    }
}

impl<T: OptionType> DriverOpt<T> {
    /// The option of a name that all drivers of a kind have, or, where a driver is named,
    /// of that driver, in tables of options.
    ///
    /// # Panics
    /// No record of that place has the name, or its values are of another type.
    pub const fn named(
        tables: &[&'static [OptionDef]],
        kind: DriverKind,
        driver: Option<&str>,
        name: &str,
    ) -> Self {
        let mut table = 0;
        while table < tables.len() {
            let mut row = 0;
            while row < tables[table].len() {
                let def = &tables[table][row];
                if is_same(def.meta.name, name) && stands(def.place, kind, driver) {
                    assert!(has_kind(T::KINDS, def.kind), "its values are of another type");
                    return Self { def, preset: def.preset(), of: PhantomData };
                }
                row += 1;
            }
            table += 1;
        }
        panic!("no option of this place has this name");
    }

    /// Its value where it is not set: the record's, or what is nothing for its type.
    pub fn default(self) -> T {
        T::preset(self.preset)
    }
}

impl<T> DriverOpt<T> {
    /// Its record.
    pub const fn def(self) -> &'static OptionDef {
        self.def
    }
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.def.meta.name
    }
    /// Whether a record is its own, or another one of its name and place.
    pub fn is(self, def: &OptionDef) -> bool {
        let same = || def.meta.name == self.def.meta.name && def.place == self.def.place;
        std::ptr::eq(self.def, def) || same()
    }
}

/// Whether a place is that of all drivers of a kind, or of one of them.
const fn stands(place: OptionPlace, kind: DriverKind, driver: Option<&str>) -> bool {
    match (place, driver) {
        (OptionPlace::Generic(own), None) => own as u8 == kind as u8,
        (OptionPlace::Driver(own, name), Some(driver)) => {
            own as u8 == kind as u8 && is_same(name, driver)
        }
        _ => false,
    }
}

const fn has_kind(kinds: &[OptionKind], kind: OptionKind) -> bool {
    let mut at = 0;
    while at < kinds.len() {
        if kinds[at] as u8 == kind as u8 {
            return true;
        }
        at += 1;
    }
    false
}

impl OptionDef {
    /// The value of one that is not set.
    pub const fn preset(&self) -> Preset {
        let Some(text) = self.default else { return Preset::None };
        match self.kind {
            OptionKind::Bool | OptionKind::ExpandedBool => Preset::Flag(is_same(text, "true")),
            // What is a text all the same.
            OptionKind::Integer | OptionKind::Size if self.expanded => Preset::Text(text),
            OptionKind::Integer | OptionKind::Size => Preset::Number(number(text, 10, 1)),
            OptionKind::Kilobytes => Preset::Number(number(text, 10, 1024)),
            OptionKind::Octal => Preset::Number(number(text, 8, 1)),
            OptionKind::Fixed => Preset::Number(1000 * number(text, 10, 1)),
            OptionKind::Time | OptionKind::ExpandedTime => Preset::Number(interval(text)),
            _ => Preset::Text(text),
        }
    }
}

/// A number of a record; without a letter it counts as it is, and with one, in units.
const fn number(text: &str, base: i64, unit: i64) -> i64 {
    let text = text.as_bytes();
    let negative = !text.is_empty() && text[0] == b'-';
    let (mut value, mut at) = (0, if negative { 1 } else { 0 });
    while at < text.len() && text[at].is_ascii_digit() {
        value = value * base + (text[at] - b'0') as i64;
        at += 1;
    }
    if at == text.len() {
        return if negative { -value } else { value };
    }
    assert!(at + 1 == text.len(), "a default is no number");
    let factor = match text[at] {
        b'K' => 1 << 10,
        b'M' => 1 << 20,
        b'G' => 1 << 30,
        _ => panic!("a default is no number"),
    };
    value * factor / unit
}

/// An interval of a record, in seconds.
const fn interval(text: &str) -> i64 {
    let text = text.as_bytes();
    let (mut whole, mut value, mut at) = (0, 0, 0);
    while at < text.len() {
        let unit = match text[at] {
            digit @ b'0'..=b'9' => {
                value = value * 10 + (digit - b'0') as i64;
                at += 1;
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => panic!("a default is no interval"),
        };
        (whole, value, at) = (whole + value * unit, 0, at + 1);
    }
    assert!(value == 0, "a default has no unit");
    whole
}

impl OptionType for bool {
    const KINDS: &'static [OptionKind] = &[OptionKind::Bool];
    #[inline]
    fn read(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
    #[inline]
    fn preset(preset: Preset) -> Self {
        matches!(preset, Preset::Flag(true))
    }
    fn kept(self) -> OptionValue {
        OptionValue::Flag(self)
    }
}

impl OptionType for i64 {
    const KINDS: &'static [OptionKind] = &[
        OptionKind::Integer,
        OptionKind::Size,
        OptionKind::Kilobytes,
        OptionKind::Octal,
        OptionKind::Fixed,
    ];
    fn read(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Number(number) => Some(*number),
            _ => None,
        }
    }
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Number(number) => number,
            _ => 0,
        }
    }
    fn kept(self) -> OptionValue {
        OptionValue::Number(self)
    }
}

/// A negative interval is none.
impl OptionType for Duration {
    const KINDS: &'static [OptionKind] = &[OptionKind::Time];
    fn read(value: &OptionValue) -> Option<Self> {
        Some(Self::from_secs(u64::try_from(i64::read(value)?).unwrap_or(0)))
    }
    fn preset(preset: Preset) -> Self {
        Self::from_secs(u64::try_from(i64::preset(preset)).unwrap_or(0))
    }
    fn kept(self) -> OptionValue {
        OptionValue::Number(i64::try_from(self.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Text and lists as they are written.
impl OptionType for Str {
    const KINDS: &'static [OptionKind] = &[
        OptionKind::Text,
        OptionKind::LogSelector,
        OptionKind::List,
        OptionKind::DomainList,
        OptionKind::HostList,
        OptionKind::AddressList,
        OptionKind::LocalPartList,
        OptionKind::Rewrite,
    ];
    #[inline]
    fn read(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Text(text) => Self::fixed(text),
            _ => Self::EMPTY,
        }
    }
    fn kept(self) -> OptionValue {
        OptionValue::Text(self)
    }
}

impl OptionType for Times {
    const KINDS: &'static [OptionKind] = &[OptionKind::TimeList];
    fn read(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Times(times) => Some(Self(times.clone())),
            _ => None,
        }
    }
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Text(text) => Self(text.split(':').map(interval).collect()),
            _ => Self::default(),
        }
    }
    fn kept(self) -> OptionValue {
        OptionValue::Times(self.0)
    }
}

/// Names in a default are nobody's here: only the system knows their numbers.
impl OptionType for Ids {
    const KINDS: &'static [OptionKind] =
        &[OptionKind::User, OptionKind::Group, OptionKind::UserList, OptionKind::GroupList];
    fn read(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Ids(ids) => Some(Self(ids.clone())),
            _ => None,
        }
    }
    fn preset(_: Preset) -> Self {
        Self::default()
    }
    fn kept(self) -> OptionValue {
        OptionValue::Ids(self.0)
    }
}

/// What is true of all values that may be expanded.
macro_rules! expanded {
    ($($type:ty: $($kind:ident)*;)*) => {$(
        impl OptionType for Expanded<$type> {
            const KINDS: &'static [OptionKind] = &[$(OptionKind::$kind),*];
            fn read(value: &OptionValue) -> Option<Self> {
                match value {
                    OptionValue::Text(text) => Some(Self::Text(text.clone())),
                    _ => <$type>::read(value).map(Self::Value),
                }
            }
            fn preset(preset: Preset) -> Self {
                match preset {
                    Preset::Text(text) => Self::Text(Str::fixed(text)),
                    _ => Self::Value(<$type>::preset(preset)),
                }
            }
            fn kept(self) -> OptionValue {
                match self {
                    Self::Value(value) => value.kept(),
                    Self::Text(text) => OptionValue::Text(text),
                }
            }
        }
    )*};
}

expanded! {
    bool: ExpandedBool;
    i64: Text Integer Size;
    Duration: ExpandedTime;
    Ids: User Group;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_as_their_kinds_are_written() {
        let preset =
            |kind, text| OptionDef::new(OptionPlace::Main, "x", kind).default(text).preset();
        for (kind, text, wanted) in [
            (OptionKind::Integer, "50", 50),
            (OptionKind::Integer, "-1", -1),
            (OptionKind::Size, "100K", 102_400),
            (OptionKind::Kilobytes, "10M", 10_240),
            (OptionKind::Kilobytes, "10", 10),
            (OptionKind::Octal, "0660", 0o660),
            (OptionKind::Fixed, "1", 1000),
            (OptionKind::Time, "1h30m", 5400),
            (OptionKind::ExpandedTime, "5m", 300),
            (OptionKind::Time, "0s", 0),
        ] {
            assert_eq!(preset(kind, text), Preset::Number(wanted), "{text}");
        }
        assert_eq!(preset(OptionKind::Bool, "false"), Preset::Flag(false));
        assert_eq!(Times::preset(preset(OptionKind::TimeList, "1h:1d")), Times(vec![3600, 86_400]));
    }
}
