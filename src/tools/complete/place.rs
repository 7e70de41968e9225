//! What can be typed in a configuration, by the section and the words before the cursor.

use eximious_core::{
    AclOperand, AclOptions, AclTermKind, DriverKind, ListKind, LogSelector, OptionDef, OptionKind,
    OptionPlace, Registry,
};

use super::{Offer, header_names, is_header, kinds_of, names, scan, sorted};
use eximious_stdlib::acl::VERBS;
use eximious_stdlib::options::opt::LOG_SELECTOR;
use eximious_stdlib::options::opt::router::{self, manualroute};

use crate::outline::{Outline, OutlineKind, OutlineSection};
use crate::symbols::SymbolKind;
use crate::tools::check::graph::phase_of;
use crate::tools::check::lints::values;
use crate::tools::check::lints::words::results_of;
use crate::tools::check::uses::{names_router, names_transport};
use crate::words::Kind;

/// Knows the names that a configuration gives.
pub trait KnownNames {
    /// All names of a kind.
    fn names(&self, kind: SymbolKind) -> Vec<String>;

    /// What is in a folder, whose name ends in a slash: files, and folders with a slash behind
    /// them. Nothing, where files can't be seen.
    fn files(&self, folder: &str) -> Vec<String> {
        let _ = folder;
        Vec::new()
    }
}

/// What can be typed at a cursor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Completions {
    /// How many bytes before the cursor are typed already.
    pub typed: usize,
    /// What can stand in their place.
    pub offers: Vec<Offer>,
}

/// Where a cursor stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The section.
    pub section: OutlineSection,
    /// The driver of the instance at hand.
    pub driver: Option<String>,
    /// Whether the ACL at hand has a verb above.
    pub below_verb: bool,
    /// What the logical line says before the cursor.
    pub before: String,
}

impl Cursor {
    /// The cursor at a byte of a physical line, both from 0.
    pub fn find(outline: &Outline, line: u32, column: u32) -> Self {
        let number = outline.line_at(line);
        let found = number.and_then(|number| outline.lines.get(number));
        let end = outline.lines.partition_point(|one| one.first < line);
        let above = end.checked_sub(1).and_then(|number| outline.lines.get(number));
        let owner = match (found, above) {
            (Some(found), _) => found.owner,
            (None, Some(above)) if above.kind == OutlineKind::Label => Some(end - 1),
            (None, Some(above)) => above.owner,
            (None, None) => None,
        };
        let text = found.map_or(&b""[..], |found| {
            &found.text[..found.offset(line, column).unwrap_or(0).min(found.text.len())]
        });
        let is_comment = outline.comments.binary_search(&line).is_ok();
        let text = if is_comment { b"#" } else { text };
        let earlier = &outline.lines[..number.unwrap_or(end).min(outline.lines.len())];
        let mut own = earlier.iter().rev().take_while(|one| one.kind != OutlineKind::Label);
        Self {
            section: found.map_or_else(|| outline.section_at(line), |found| found.section),
            driver: owner
                .and_then(|owner| outline.driver(owner))
                .map(|driver| String::from_utf8_lossy(driver).into_owned()),
            below_verb: own.any(|one| matches!(one.kind, OutlineKind::Verb(_))),
            before: String::from_utf8_lossy(text).into_owned(),
        }
    }
}

/// What can stand at a cursor.
pub fn complete_line(registry: &Registry, cursor: &Cursor, known: &dyn KnownNames) -> Completions {
    let before = cursor.before.as_str();
    let is_included = included(before).is_some();
    let is_part = |c: char| match is_included {
        true => !matches!(c, '/' | ' ' | '\t'),
        false => c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
    };
    let typed = &before[before.trim_end_matches(is_part).len()..];
    // A sign stands before it: `-queue_run`.
    let typed = if is_included { typed } else { typed.trim_start_matches('-') }.len();
    let (head, word) = before.split_at(before.len() - typed);
    let completer = Completer { registry, cursor, known };
    let mut offers = completer.offers(head, word);
    // The name of a header line ends at its colon, and stands in no braces.
    let braced = head.ends_with("${");
    offers.retain(|offer| offer.text.starts_with(word) && !(braced && is_header(&offer.text)));
    Completions { typed, offers: sorted(offers) }
}

/// What is typed of a file that is included.
fn included(before: &str) -> Option<&str> {
    let rest = before.strip_prefix(".include")?;
    let rest = rest.strip_prefix("_if_exists").unwrap_or(rest);
    rest.starts_with([' ', '\t']).then(|| rest.trim_start())
}

/// Header lines that most messages have.
const USUAL: [&str; 14] = [
    "authentication-results",
    "cc",
    "content-type",
    "date",
    "from",
    "in-reply-to",
    "list-id",
    "message-id",
    "received",
    "references",
    "reply-to",
    "subject",
    "to",
    "x-spam-flag",
];
const DIRECTIVES: [&str; 8] = [
    ".elifdef",
    ".elifndef",
    ".else",
    ".endif",
    ".ifdef",
    ".ifndef",
    ".include",
    ".include_if_exists",
];
const SECTIONS: [&str; 6] = ["acl", "authenticators", "retry", "rewrite", "routers", "transports"];

/// Options that are one of few words, and are read so.
const CHOICES: [(&str, &[&str]); 3] = [
    (router::SELF.name(), &["defer", "fail", "freeze", "pass", "reroute:", "send"]),
    (
        manualroute::HOST_FIND_FAILED.name(),
        &["decline", "defer", "fail", "freeze", "ignore", "pass"],
    ),
    (manualroute::HOST_ALL_IGNORED.name(), &["decline", "defer", "fail", "freeze", "pass"]),
];

struct Completer<'c> {
    registry: &'c Registry,
    cursor: &'c Cursor,
    known: &'c dyn KnownNames,
}

impl Completer<'_> {
    /// What can follow `head`; of `word`, only its first letter decides.
    fn offers(&self, head: &str, word: &str) -> Vec<Offer> {
        let macros = || self.own(SymbolKind::Macro);
        if head == "." {
            let words = DIRECTIVES.iter().map(|name| Offer::own(&name[1..], "directive"));
            return words.collect();
        }
        if let Some(folder) = included(head) {
            let files = self.known.files(folder).into_iter();
            return files.map(|name| Offer::own(name, "file")).collect();
        }
        if head.starts_with(".if") || head.starts_with(".elif") {
            return macros();
        }
        if head.starts_with('.') || head.starts_with('#') {
            return Vec::new();
        }
        let (expected, start) = scan(&self.cursor.before).expected(&self.cursor.before);
        let kinds = kinds_of(expected);
        if !kinds.is_empty() && start == head.len() {
            return self.expansion(kinds, word);
        }
        let mut offers = match self.cursor.section {
            OutlineSection::Main => self.main(head),
            OutlineSection::Acl => self.acl(head),
            OutlineSection::Drivers(kind) => self.driver(kind, head),
            OutlineSection::Rules | OutlineSection::Unknown => Vec::new(),
        };
        if head.is_empty() {
            offers.push(Offer::own("begin ", "keyword"));
        }
        if head.trim() == "begin" {
            offers = SECTIONS.iter().map(|name| Offer::own(*name, "section")).collect();
        }
        if word.starts_with(|c: char| c.is_ascii_uppercase()) {
            offers.extend(macros());
        }
        offers
    }

    /// The names that the configuration gives.
    fn own(&self, kind: SymbolKind) -> Vec<Offer> {
        let all = self.known.names(kind).into_iter();
        all.map(|name| Offer::own(name, kind.name())).collect()
    }

    /// Words of an expansion.
    fn expansion(&self, kinds: &[Kind], word: &str) -> Vec<Offer> {
        let mut offers = names(self.registry, kinds, word);
        if kinds.contains(&Kind::Variable) {
            offers.extend(header_names(USUAL.into_iter(), word));
            offers.extend(self.own(SymbolKind::Variable));
        }
        offers
    }

    fn main(&self, head: &str) -> Vec<Offer> {
        let start = head.strip_prefix("hide ").unwrap_or(head);
        if start.trim().is_empty() {
            let mut offers = self.options(self.registry.options_of(OptionPlace::Main));
            offers.extend(ListKind::ALL.iter().map(|kind| Offer::own(kind.word(), "keyword")));
            if head.is_empty() {
                offers.push(Offer::own("hide", "keyword"));
            }
            return offers;
        }
        let Some((name, value)) = start.split_once('=') else { return Vec::new() };
        let mut words = name.split_whitespace();
        let first = words.next().unwrap_or_default();
        let list = first.strip_suffix("_cache").unwrap_or(first);
        if let Some(kind) = ListKind::ALL.into_iter().find(|kind| kind.word() == list) {
            return self.items(kind, value);
        }
        match self.registry.option(OptionPlace::Main, first.as_bytes()) {
            Some(option) => self.value(option, value),
            None => Vec::new(),
        }
    }

    fn driver(&self, kind: DriverKind, head: &str) -> Vec<Offer> {
        let start = head.strip_prefix("hide ").unwrap_or(head);
        let driver = self.cursor.driver.as_deref();
        let driver = driver.and_then(|name| self.registry.driver(kind, name.as_bytes()));
        let driver = driver.map(|driver| driver.meta.name);
        if start.trim().is_empty() {
            let generic = self.registry.options_of(OptionPlace::Generic(kind));
            let own = driver.map(|name| OptionPlace::Driver(kind, name));
            let own = own.into_iter().flat_map(|place| self.registry.options_of(place));
            return self.options(generic.chain(own));
        }
        let Some((name, value)) = start.split_once('=') else { return Vec::new() };
        let name = name.trim();
        if name == "driver" {
            let drivers = self.registry.all_drivers().filter(|driver| driver.kind == kind);
            let offer = |meta: &eximious_core::Meta| Offer {
                text: meta.name.to_owned(),
                kind: "driver",
                summary: meta.summary.to_owned(),
            };
            return drivers.map(|driver| offer(&driver.meta)).collect();
        }
        match self.registry.driver_option(kind, driver, name.as_bytes()) {
            Some(option) => self.value(option, value),
            None => Vec::new(),
        }
    }

    fn options<'o>(&self, options: impl Iterator<Item = &'o OptionDef>) -> Vec<Offer> {
        let offer = |option: &OptionDef| Offer {
            text: option.meta.name.to_owned(),
            kind: "option",
            summary: option.meta.summary.to_owned(),
        };
        options.map(offer).collect()
    }

    /// What an option's value may be.
    fn value(&self, option: &OptionDef, value: &str) -> Vec<Offer> {
        let list = match option.kind {
            OptionKind::DomainList => Some(ListKind::Domain),
            OptionKind::HostList => Some(ListKind::Host),
            OptionKind::AddressList => Some(ListKind::Address),
            OptionKind::LocalPartList => Some(ListKind::LocalPart),
            _ => None,
        };
        if let Some(kind) = list {
            return self.items(kind, value);
        }
        let words = |words: &[&'static str]| {
            words.iter().map(|word| Offer::own(*word, "value")).collect::<Vec<_>>()
        };
        if option.meta.name == LOG_SELECTOR.name() && value.ends_with(['+', '-']) {
            return words(&LogSelector::words().collect::<Vec<_>>());
        }
        let known = values::offered(option.meta.name, value);
        if !known.is_empty() {
            return words(&known);
        }
        if !value.trim().is_empty() {
            return Vec::new();
        }
        if let Some((_, known)) = CHOICES.iter().find(|(name, _)| *name == option.meta.name) {
            return words(known);
        }
        if phase_of(option.meta.name).is_some() {
            return self.own(SymbolKind::Acl);
        }
        if names_transport(option) {
            return self.own(SymbolKind::Instance(DriverKind::Transport));
        }
        if names_router(option) {
            return self.own(SymbolKind::Instance(DriverKind::Router));
        }
        match option.kind {
            OptionKind::Bool | OptionKind::ExpandedBool => {
                ["false", "true"].map(|word| Offer::own(word, "value")).to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// The items of a list: others of its kind after a plus sign, and lookup types where an
    /// item begins.
    fn items(&self, kind: ListKind, value: &str) -> Vec<Offer> {
        if value.ends_with('+') {
            return self.own(SymbolKind::List(kind));
        }
        let begins = value.trim_end_matches([' ', '!', '\t']);
        if !begins.is_empty() && !begins.ends_with(':') {
            return Vec::new();
        }
        names(self.registry, &[Kind::Lookup], "")
    }

    /// Options of what `control` and `verify` name, each behind a slash.
    fn acl_options(&self, term: &str, value: &str) -> Vec<Offer> {
        let mut parts = value.trim_start().split('/');
        let name = parts.next().unwrap_or_default().trim_end();
        // Only where an option begins.
        if parts.next_back().is_none_or(|last| !last.trim().is_empty()) {
            return Vec::new();
        }
        let name = name.split('=').next().unwrap_or(name).trim_end().as_bytes();
        let options = match term {
            "control" => self.registry.acl_control(name).map(|control| control.options),
            _ => self.registry.acl_verify(name).map(|verify| verify.options),
        };
        match options {
            Some(AclOptions::Names(names)) => {
                names.iter().map(|name| Offer::own(*name, "value")).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A statement of an ACL, or a part of one.
    fn acl(&self, head: &str) -> Vec<Offer> {
        let start = head.trim_start_matches('!').trim_start();
        let (verb, rest) = VERBS
            .iter()
            .find_map(|verb| {
                let rest = start.strip_prefix(verb.meta.name)?;
                rest.starts_with([' ', '\t']).then_some((Some(verb.verb), rest))
            })
            .unwrap_or((None, start));
        let term = rest.trim_start().trim_start_matches('!').trim_start();
        if term.is_empty() {
            let negated = rest.contains('!') || head.starts_with('!');
            let mut offers = Vec::new();
            if verb.is_some() || self.cursor.below_verb {
                let kinds: &[Kind] = match negated {
                    true => &[Kind::AclCondition],
                    false => &[Kind::AclCondition, Kind::AclModifier],
                };
                offers.extend(names(self.registry, kinds, ""));
            }
            if verb.is_none() && !negated {
                offers.extend(names(self.registry, &[Kind::AclVerb], ""));
            }
            return offers;
        }
        let name = term.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        let Some(found) = name.and_then(|name| self.registry.acl_term(name.as_bytes())) else {
            return Vec::new();
        };
        let rest = &term[found.meta.name.len().min(term.len())..];
        let Some((_, value)) = rest.split_once('=') else {
            let sets = found.operand == AclOperand::Variable;
            return if sets { self.own(SymbolKind::Variable) } else { Vec::new() };
        };
        let bare = value.trim().is_empty();
        let kinds: &[Kind] = match found.meta.name {
            "acl" if bare => return self.own(SymbolKind::Acl),
            "authenticated" => {
                return self.own(SymbolKind::Instance(DriverKind::Authenticator));
            }
            "control" if bare => &[Kind::AclControl],
            "verify" if bare => &[Kind::AclVerify],
            "control" | "verify" => return self.acl_options(found.meta.name, value),
            name if let Some(known) = results_of(name) => {
                let last = value.trim_end_matches([' ', '\t', '!']);
                let begins = last.is_empty() || last.ends_with(':');
                let known = known.iter().filter(|_| begins);
                return known.map(|word| Offer::own(*word, "value")).collect();
            }
            other => match crate::tools::check::list_of(other) {
                Some(kind) if found.kind == AclTermKind::Condition => {
                    return self.items(kind, value);
                }
                _ => return Vec::new(),
            },
        };
        names(self.registry, kinds, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl KnownNames for Names {
        fn names(&self, kind: SymbolKind) -> Vec<String> {
            vec![format!("own_{}", kind.name())]
        }

        fn files(&self, folder: &str) -> Vec<String> {
            let known = if folder == "/etc/" { &["exim.conf", "mail/"][..] } else { &[] };
            known.iter().map(|name| (*name).to_owned()).collect()
        }
    }

    /// What is offered where `|` stands.
    fn offered(text: &str) -> Vec<String> {
        let (before, after) = text.split_once('|').expect("a cursor");
        let line = before.matches('\n').count() as u32;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let outline = Outline::read([before, after].concat().as_bytes(), None);
        let cursor = Cursor::find(&outline, line, column as u32);
        let found = complete_line(&crate::registry(), &cursor, &Names);
        found.offers.into_iter().map(|offer| offer.text).collect()
    }

    #[test]
    fn words_are_offered_where_they_can_stand() {
        const ACL: &str = "begin acl\nc:\n";
        for (text, wanted) in [
            ("primary_ho|", "primary_hostname"),
            ("do|\n", "domainlist"),
            ("begin r|", "routers"),
            ("hide my|", "mysql_servers"),
            ("acl_smtp_rcpt = |", "own_ACL"),
            ("hostlist a = +|", "own_hostlist"),
            ("domainlist a = ls|", "lsearch"),
            (".inc|", "include"),
            ("queue_only = t|", "true"),
            ("log_selector = +subject -qu|", "queue_run"),
            ("av_scanner = cl|", "clamd"),
            ("dkim_verify_hashes = sha256 : sh|", "sha512"),
            (&format!("{ACL}  warn spf = fail : !soft|"), "softfail"),
            ("begin routers\nr:\n  driver = accept\n  self = s|", "send"),
            ("begin routers\nr:\n  driver = redirect\n  srs = |", "forward"),
            (&format!("{ACL}  de|"), "deny"),
            (&format!("{ACL}  deny ho|"), "hosts"),
            (&format!("{ACL}  deny\n    !ho|"), "hosts"),
            (&format!("{ACL}  warn control = fa|"), "fakereject"),
            (&format!("{ACL}  require verify = rec|"), "recipient"),
            (&format!("{ACL}  require verify = recipient/call|"), "callout="),
            (&format!("{ACL}  require verify = sender/callout=5s/|"), "defer_ok"),
            (&format!("{ACL}  warn control = debug/ta|"), "tag="),
            (".include /etc/exim.c|", "exim.conf"),
            (".include_if_exists /etc/|", "mail/"),
            (&format!("{ACL}  deny acl = |"), "own_ACL"),
            (&format!("{ACL}  deny hosts = a : +|"), "own_hostlist"),
            (&format!("{ACL}  deny condition = ${{if e|"), "eq"),
            (&format!("{ACL}  deny condition = ${{if eq{{$sender_ho|"), "sender_host_address"),
            ("begin routers\nr:\n  driver = man|", "manualroute"),
            ("begin routers\nr:\n  route_l|\n  driver = manualroute\n", "route_list"),
            ("begin routers\nr:\n  driver = accept\n  transport = |", "own_transport"),
            ("begin transports\nt:\n  driver = smtp\n|", "hosts"),
            ("log_file_path = $h_sub|", "h_subject:"),
            ("primary_hostname = $own|", "own_variable"),
        ] {
            let found = offered(text);
            assert!(found.iter().any(|name| name == wanted), "{text}: {found:?}");
        }
        let plain = format!("{ACL}  warn control = queue/x|");
        for text in [
            ".include /none/|",
            &plain,
            "# primary_ho|",
            "primary_hostname = x|",
            "begin acl\nc:\n  ho|",
        ] {
            assert_eq!(offered(text), Vec::<String>::new(), "{text}");
        }
    }
}
