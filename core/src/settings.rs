//! The options of the configuration's main section that expansions see.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::trace::TracePlace;
use crate::{LogSelector, Opt, OptionDef, OptionKind, OptionType, OptionValue, Registry, Str};

/// What a named list holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ListKind {
    /// `addresslist`.
    Address,
    /// `domainlist`.
    Domain,
    /// `hostlist`.
    Host,
    /// `localpartlist`.
    LocalPart,
}

/// Named lists, by kind and name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NamedLists([BTreeMap<Vec<u8>, Entry>; ListKind::ALL.len()]);

/// A list, and whether all its elements are names and patterns of names.
#[derive(Clone, PartialEq, Debug)]
struct Entry {
    list: NamedList,
    of_names: bool,
}

impl NamedLists {
    /// The list of a name.
    pub fn get(&self, kind: ListKind, name: &[u8]) -> Option<&NamedList> {
        self.0[kind as usize].get(name).map(|entry| &entry.list)
    }

    /// Whether what is in a list is settled by its text: its elements are names and
    /// patterns of names, neither other lists, nor files, nor lookups.
    pub fn is_of_names(&self, kind: ListKind, name: &[u8]) -> bool {
        self.0[kind as usize].get(name).is_some_and(|entry| entry.of_names)
    }

    /// Adds a list, or replaces the one of its name.
    pub fn insert(&mut self, kind: ListKind, name: impl Into<Vec<u8>>, mut list: NamedList) {
        list.text = list.text.looked_through_for_expansion();
        let of_names = is_of_names(list.text.bytes());
        self.0[kind as usize].insert(name.into(), Entry { list, of_names });
    }

    /// The names of the lists of a kind, sorted.
    pub fn names(&self, kind: ListKind) -> impl ExactSizeIterator<Item = &[u8]> {
        self.0[kind as usize].keys().map(Vec::as_slice)
    }
}

/// Whether a list holds no more than letters, digits and what stands in names, negations
/// and asterisks; `@` alone is the name of this host. One of separators alone is none.
fn is_of_names(text: &[u8]) -> bool {
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"-_.:!* \t@".contains(c);
    let at = |rest: &[u8]| matches!(rest.trim_ascii_start().first(), None | Some(b':'));
    let ats = text.iter().enumerate().filter(|(_, c)| **c == b'@');
    text.iter().all(plain)
        && (text.trim_ascii().is_empty() || text.iter().any(|c| !b": \t".contains(c)))
        && ats.map(|(place, _)| &text[place + 1..]).all(at)
}

impl ListKind {
    /// All of them, by their words.
    pub const ALL: [Self; 4] = [Self::Address, Self::Domain, Self::Host, Self::LocalPart];

    /// The word that begins a definition: `domainlist`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Address => "addresslist",
            Self::Domain => "domainlist",
            Self::Host => "hostlist",
            Self::LocalPart => "localpartlist",
        }
    }

    /// What it is a list of, as messages call it: `domain`, `local part`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Host => "host",
            Self::LocalPart => "local part",
        }
    }
}

impl std::fmt::Display for ListKind {
    /// How it is written in a configuration: `domainlist`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A named list: `domainlist local = a : b`.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedList {
    /// Its text, as written after the equals sign.
    pub text: Str,
    /// Whether `hide` stands before it.
    pub hidden: bool,
    /// Whether its answers may be kept although it is expanded
    /// (`domainlist_cache`).
    pub cached: bool,
}

impl NamedList {
    /// A list with neither `hide` nor `_cache`.
    pub fn new(text: Str) -> Self {
        Self { text, hidden: false, cached: false }
    }
}

/// Main options (specification, chapter 14): what the configuration sets, and for all
/// else the defaults of the records.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where each main option's value lies in `values`, plus one.
    slots: Vec<u16>,
    values: Vec<(&'static str, OptionValue)>,
    /// What `log_selector` comes to: it is asked for with each line of a log.
    log_selector: LogSelector,
    /// The configuration file of RADIUS clients, which Exim is told when it is
    /// built (`RADIUS_CONFIG_FILE`).
    pub radius_config_file: Str,
    /// The file that the configuration was read from.
    pub config_file: Str,
    /// How many lines it has; 0 where there is none.
    pub config_lines: u32,
    /// Named lists.
    pub lists: NamedLists,
    /// Where each option is set, for whoever is told what happens.
    places: Arc<BTreeMap<&'static str, Arc<TracePlace>>>,
}

/// Why an option can't be set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum OptionError {
    /// There is none of this name.
    Unknown,
    /// Its values are of another kind.
    Kind,
}

impl std::fmt::Display for OptionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no main option has this name",
            Self::Kind => "the option's values are of another kind",
        })
    }
}

impl std::error::Error for OptionError {}

impl Settings {
    /// The value of an option: what is set, or the default.
    #[inline]
    pub fn get<T: OptionType>(&self, option: Opt<T>) -> T {
        self.given(option).unwrap_or_else(|| option.default())
    }

    /// What an option is set to, if it is set.
    #[inline]
    pub fn given<T: OptionType>(&self, option: Opt<T>) -> Option<T> {
        T::read(&self.values.get(self.place(option.id())?)?.1)
    }

    /// What a text is set to, if it is set and not empty.
    pub fn text(&self, option: Opt<Str>) -> Option<Str> {
        self.given(option).filter(|text| !text.is_empty())
    }

    /// What names an ACL: what is set, be it nothing, which denies; else the default. Without
    /// either, there is none to run.
    pub fn acl(&self, option: Opt<Str>) -> Option<Str> {
        self.given(option).or_else(|| Some(option.default()).filter(|text| !text.is_empty()))
    }

    /// Whether an option is set, be it to nothing.
    pub fn is_set<T: OptionType>(&self, option: Opt<T>) -> bool {
        self.place(option.id()).is_some()
    }

    /// Sets an option.
    pub fn set<T: OptionType>(&mut self, option: Opt<T>, value: impl Into<T>) {
        self.store(option.id(), option.def(), value.into().kept());
    }

    /// What an option of any name is set to, if it is set.
    pub fn value(&self, name: &str) -> Option<&OptionValue> {
        self.values.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Sets an option of any name.
    ///
    /// # Errors
    /// There is none, or its values are of another kind.
    pub fn set_value(
        &mut self,
        registry: &Registry,
        name: &[u8],
        value: OptionValue,
    ) -> Result<(), OptionError> {
        let (id, option) = registry.main_option(name).ok_or(OptionError::Unknown)?;
        if !option.takes(&value) {
            return Err(OptionError::Kind);
        }
        self.store(id, option, value);
        Ok(())
    }

    /// Says where options are set, by their names.
    pub fn set_places(&mut self, places: BTreeMap<&'static str, Arc<TracePlace>>) {
        self.places = Arc::new(places);
    }

    /// Where an option of any name is set, as far as that is known.
    pub fn place_of(&self, name: &str) -> Option<&Arc<TracePlace>> {
        self.places.get(name)
    }

    /// All options that are set, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &OptionValue)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// What `log_selector` comes to: what is logged.
    #[inline]
    pub fn log_selector(&self) -> LogSelector {
        self.log_selector
    }

    #[inline]
    fn place(&self, id: u16) -> Option<usize> {
        usize::from(*self.slots.get(usize::from(id))?).checked_sub(1)
    }

    fn store(&mut self, id: u16, option: &OptionDef, value: OptionValue) {
        if option.kind == OptionKind::LogSelector
            && let OptionValue::Text(text) = &value
        {
            // What is wrong with it is told of elsewhere.
            self.log_selector = LogSelector::parse(text.bytes()).unwrap_or_default();
        }
        match self.place(id) {
            Some(place) => self.values[place].1 = value,
            None => {
                let id = usize::from(id);
                if self.slots.len() <= id {
                    self.slots.resize(id + 1, 0);
                }
                self.values.push((option.meta.name, value));
                self.slots[id] = self.values.len() as u16;
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            values: Vec::new(),
            log_selector: LogSelector::default(),
            radius_config_file: Str::fixed("/etc/radiusclient/radiusclient.conf"),
            config_file: Str::EMPTY,
            config_lines: 0,
            lists: NamedLists::default(),
            places: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_which_lists_are_of_names() {
        let is_of_names = |text: &'static str| {
            let mut lists = NamedLists::default();
            lists.insert(ListKind::Domain, "x", NamedList::new(Str::fixed(text)));
            lists.is_of_names(ListKind::Domain, b"x")
        };
        for text in ["", "  ", "a.b", "@", " @ : *.a-b_c : !x", "*", "a : @"] {
            assert!(is_of_names(text), "{text}");
        }
        for text in
            [" : ", "+y", "a : /file", "lsearch;x", "^a", "@[]", "@mx_any", "<, a", "$d", "\\N"]
        {
            assert!(!is_of_names(text), "{text}");
        }
    }
}
