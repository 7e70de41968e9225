//! The options of the configuration's main section that expansions see.

use std::collections::BTreeMap;

use crate::world::{Host, Users};
use crate::{LogSelector, Options, Str};

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

/// Main options, with the defaults of the specification (chapter 14).
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// `primary_hostname`; `None` asks the host.
    pub primary_hostname: Option<Str>,
    /// `qualify_domain`; `None` is the primary host name.
    pub qualify_domain: Option<Str>,
    /// `qualify_recipient`; `None` is the qualify domain.
    pub qualify_recipient: Option<Str>,
    /// `spool_directory`.
    pub spool_directory: Str,
    /// `headers_charset`.
    pub headers_charset: Str,
    /// `check_rfc2047_length`.
    pub check_rfc2047_length: bool,
    /// `allow_utf8_domains`.
    pub allow_utf8_domains: bool,
    /// `allow_domain_literals`.
    pub allow_domain_literals: bool,
    /// `strip_trailing_dot`.
    pub strip_trailing_dot: bool,
    /// `print_topbitchars`.
    pub print_topbitchars: bool,
    /// `timezone`.
    pub timezone: Option<Str>,
    /// `perl_startup`.
    pub perl_startup: Option<Str>,
    /// `perl_at_start`.
    pub perl_at_start: bool,
    /// `perl_taintmode`.
    pub perl_taintmode: bool,
    /// `sqlite_dbfile`.
    pub sqlite_dbfile: Option<Str>,
    /// `sqlite_lock_timeout`, seconds.
    pub sqlite_lock_timeout: u64,
    /// `keep_environment`.
    pub keep_environment: Str,
    /// `add_environment`.
    pub add_environment: Str,
    /// `message_body_visible`, bytes.
    pub message_body_visible: usize,
    /// `message_body_newlines`.
    pub message_body_newlines: bool,
    /// `bounce_return_size_limit`, bytes.
    pub bounce_return_size_limit: u64,
    /// `localhost_number`.
    pub localhost_number: Str,
    /// `smtp_active_hostname`.
    pub smtp_active_hostname: Str,
    /// `exim_version`, where it is overridden.
    pub exim_version: Str,
    /// `exim_path`.
    pub exim_path: Str,
    /// `exim_user`, a name or a number; `None` is the packaged user, where
    /// there is one, or the process's.
    pub exim_user: Option<Str>,
    /// `exim_group`, a name or a number; `None` is the packaged user's.
    pub exim_group: Option<Str>,
    /// `log_file_path`.
    pub log_file_path: Str,
    /// `log_selector`: what is logged.
    pub log_selector: LogSelector,
    /// `strict_acl_vars`.
    pub strict_acl_vars: bool,
    /// `spf_guess`.
    pub spf_guess: Str,
    /// The configuration file of RADIUS clients, which Exim is told when it is
    /// built (`RADIUS_CONFIG_FILE`).
    pub radius_config_file: Str,
    /// The file that the configuration was read from.
    pub config_file: Str,
    /// All other main options that are set.
    pub options: Options,
    /// Named lists.
    pub lists: NamedLists,
}

impl Settings {
    /// The numbers of `exim_user` and `exim_group`; neither follows from the other.
    /// Without them they are the packaged user's, where there is one, or those of
    /// this process.
    pub fn server_ids(&self, users: &dyn Users, host: &dyn Host) -> (u32, u32) {
        // Where the user database can't be read, the process's own numbers do.
        let find = |name: &[u8]| users.user(name).ok().flatten().map(|user| (user.uid, user.gid));
        let packaged = || find(b"Debian-exim").unwrap_or_else(|| host.ids());
        let number =
            |text: &Str| -> Option<u32> { std::str::from_utf8(text.bytes()).ok()?.parse().ok() };
        let user = self.exim_user.as_ref();
        let uid = user.and_then(|user| number(user).or_else(|| Some(find(user.bytes())?.0)));
        let named = |name: &Str| users.group(name.bytes()).ok().flatten().map(|group| group.gid);
        let group = self.exim_group.as_ref();
        let gid = group.and_then(|group| number(group).or_else(|| named(group)));
        match (uid, gid) {
            (Some(uid), Some(gid)) => (uid, gid),
            (uid, gid) => {
                let packaged = packaged();
                (uid.unwrap_or(packaged.0), gid.unwrap_or(packaged.1))
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            primary_hostname: None,
            qualify_domain: None,
            qualify_recipient: None,
            spool_directory: Str::fixed("/var/spool/exim4"),
            headers_charset: Str::fixed("UTF-8"),
            check_rfc2047_length: true,
            allow_utf8_domains: false,
            allow_domain_literals: false,
            strip_trailing_dot: false,
            print_topbitchars: false,
            timezone: None,
            perl_startup: None,
            perl_at_start: false,
            perl_taintmode: false,
            sqlite_dbfile: None,
            sqlite_lock_timeout: 5,
            keep_environment: Str::EMPTY,
            add_environment: Str::EMPTY,
            message_body_visible: 500,
            message_body_newlines: false,
            bounce_return_size_limit: 100 * 1024,
            localhost_number: Str::EMPTY,
            smtp_active_hostname: Str::EMPTY,
            exim_version: Str::EMPTY,
            exim_path: Str::fixed("/usr/sbin/exim4"),
            exim_user: None,
            exim_group: None,
            log_file_path: Str::fixed("/var/log/exim4/%slog"),
            log_selector: LogSelector::default(),
            strict_acl_vars: false,
            spf_guess: Str::fixed("v=spf1 a/24 mx/24 ptr ?all"),
            radius_config_file: Str::fixed("/etc/radiusclient/radiusclient.conf"),
            config_file: Str::EMPTY,
            options: Options::default(),
            lists: NamedLists::default(),
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
