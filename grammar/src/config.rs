//! The configuration's lines.
//!
//! `config.pest` says what forms a logical line takes; this file hands them out
//! as plain values, whose spans lie in the line. Nothing fails: what does not
//! belong is handed out too.

mod plain;

pub use plain::begins_section;

use pest::Parser;
use pest::iterators::Pair;

use crate::Span;

use forms::{Forms, Rule};

/// What the grammar's derivation writes, which has no documentation.
#[allow(missing_docs)]
mod forms {
    #[derive(pest_derive::Parser)]
    #[grammar = "../config.pest"]
    pub(super) struct Forms;
}

/// What stands behind the name of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// Nothing.
    Nothing,
    /// An equals sign, and this value.
    Value(Span),
    /// Something else.
    Junk(Span),
}

/// An option that is set: `[hide] name = value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Whether `hide` stands before it.
    pub hidden: bool,
    /// Its name, as written; it may be empty.
    pub name: Span,
    /// What stands behind it.
    pub after: After,
}

/// A named list: `domainlist name = value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamedListLine {
    /// Whether `hide` stands before it.
    pub hidden: bool,
    /// `domainlist` and the like.
    pub kind: Span,
    /// Whether `_cache` follows the kind.
    pub cached: bool,
    /// Its name; `None` where something else follows the kind.
    pub name: Option<Span>,
    /// What stands behind the name.
    pub after: After,
}

/// A line of the main section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MainLine {
    /// A named list.
    List(NamedListLine),
    /// An option.
    Setting(Setting),
}

/// A line that begins an instance of a driver, or an ACL: `name:`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    /// The name; it may be empty for a driver.
    pub name: Span,
    /// What follows the colon.
    pub junk: Option<Span>,
}

/// A line of the routers, transports or authenticators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DriverLine {
    /// `name:`
    Instance(Label),
    /// An option of the instance at hand.
    Setting(Setting),
}

/// A line of an ACL, or what follows a verb on its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The verb or condition; it may be empty.
    pub word: Span,
    /// All that follows, without the white space before it.
    pub rest: Span,
}

/// A line of the ACLs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclLine {
    /// `name:`
    Label(Label),
    /// A verb or a condition.
    Statement(Statement),
}

/// A rule for rewriting: `pattern replacement flags`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RewriteLine {
    /// What is matched, perhaps in double quotes.
    pub pattern: Span,
    /// What takes its place, perhaps in double quotes.
    pub replacement: Option<Span>,
    /// Flags.
    pub flags: Option<Span>,
}

/// A rule for retries: `pattern error senders=list rules`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryLine {
    /// What is matched, perhaps in double quotes.
    pub pattern: Span,
    /// The error that it is for.
    pub error: Option<Span>,
    /// The list of senders, perhaps in double quotes.
    pub senders: Option<Span>,
    /// The rules.
    pub rules: Span,
}

/// The name of the section that a line begins; `None` where it begins none.
pub fn section(line: &[u8]) -> Option<Span> {
    if !begins_section(line) {
        return None;
    }
    let text = ascii(line);
    let pair = parse(Rule::section, &text)?;
    child(&pair, Rule::value).map(|value| trimmed(line, span(&value)))
}

/// A line of the main section.
pub fn main_line(line: &[u8]) -> MainLine {
    match plain::setting(line) {
        Some(setting) => MainLine::Setting(setting),
        None => any_main_line(line),
    }
}

fn any_main_line(line: &[u8]) -> MainLine {
    let text = ascii(line);
    let Some(pair) = parse(Rule::main_line, &text) else {
        return MainLine::Setting(nothing(line));
    };
    let hidden = child(&pair, Rule::hide).is_some();
    let Some(list) = child(&pair, Rule::named_list) else {
        return MainLine::Setting(setting(line, &pair));
    };
    MainLine::List(NamedListLine {
        hidden,
        kind: child(&list, Rule::list_kind).map_or(Span::new(0, 0), |kind| span(&kind)),
        cached: child(&list, Rule::cache).is_some(),
        name: child(&list, Rule::word).map(|word| span(&word)),
        after: after(&list),
    })
}

/// A line of the routers, transports or authenticators.
pub fn driver_line(line: &[u8]) -> DriverLine {
    if let Some(setting) = plain::setting(line) {
        return DriverLine::Setting(setting);
    }
    plain::label(line).map_or_else(|| any_driver_line(line), DriverLine::Instance)
}

fn any_driver_line(line: &[u8]) -> DriverLine {
    let text = ascii(line);
    let Some(pair) = parse(Rule::driver_line, &text) else {
        return DriverLine::Setting(nothing(line));
    };
    match child(&pair, Rule::instance) {
        Some(instance) => DriverLine::Instance(label(&instance)),
        None => DriverLine::Setting(setting(line, &pair)),
    }
}

/// A line of the ACLs.
pub fn acl_line(line: &[u8]) -> AclLine {
    if plain::is_label(line) { any_acl_line(line) } else { AclLine::Statement(statement(line)) }
}

fn any_acl_line(line: &[u8]) -> AclLine {
    let text = ascii(line);
    let Some(pair) = parse(Rule::acl_line, &text) else {
        let (word, rest) = (Span::new(0, 0), Span::new(0, line.len()));
        return AclLine::Statement(Statement { negated: false, word, rest });
    };
    match child(&pair, Rule::label) {
        Some(name) => AclLine::Label(label(&name)),
        None => AclLine::Statement(statement_of(&child(&pair, Rule::statement).unwrap_or(pair))),
    }
}

/// A verb or a condition, with what follows it.
pub fn statement(line: &[u8]) -> Statement {
    plain::statement(line)
}

/// A rule for rewriting; `None` where the line is empty.
pub fn rewrite_line(line: &[u8]) -> Option<RewriteLine> {
    let text = ascii(line);
    let pair = parse(Rule::rewrite_line, &text)?;
    let mut items = pair.clone().into_inner().filter(|pair| pair.as_rule() == Rule::item);
    Some(RewriteLine {
        pattern: span(&items.next()?),
        replacement: items.next().map(|item| span(&item)),
        flags: child(&pair, Rule::value).map(|value| span(&value)),
    })
}

/// A rule for retries; `None` where the line is empty.
pub fn retry_line(line: &[u8]) -> Option<RetryLine> {
    let text = ascii(line);
    let pair = parse(Rule::retry_line, &text)?;
    let end = Span::new(line.len(), line.len());
    Some(RetryLine {
        pattern: span(&child(&pair, Rule::item)?),
        error: child(&pair, Rule::error).map(|error| span(&error)),
        senders: child(&pair, Rule::senders)
            .and_then(|senders| child(&senders, Rule::item))
            .map(|item| span(&item)),
        rules: child(&pair, Rule::value).map_or(end, |value| span(&value)),
    })
}

/// The line as text whose bytes stand where they stood: no form depends on
/// which byte it is that is not ASCII.
fn ascii(line: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) if text.is_ascii() => text.into(),
        _ => line.iter().map(|c| if c.is_ascii() { char::from(*c) } else { '\x7f' }).collect(),
    }
}

fn parse(rule: Rule, text: &str) -> Option<Pair<'_, Rule>> {
    Forms::parse(rule, text).ok()?.next()
}

fn child<'t>(pair: &Pair<'t, Rule>, rule: Rule) -> Option<Pair<'t, Rule>> {
    pair.clone().into_inner().find(|inner| inner.as_rule() == rule)
}

fn span(pair: &Pair<'_, Rule>) -> Span {
    let span = pair.as_span();
    Span::new(span.start(), span.end())
}

fn after(pair: &Pair<'_, Rule>) -> After {
    for inner in pair.clone().into_inner() {
        match inner.as_rule() {
            Rule::value => return After::Value(span(&inner)),
            Rule::junk => return After::Junk(span(&inner)),
            _ => {}
        }
    }
    After::Nothing
}

fn setting(line: &[u8], pair: &Pair<'_, Rule>) -> Setting {
    let Some(found) = child(pair, Rule::setting) else { return nothing(line) };
    Setting {
        hidden: child(pair, Rule::hide).is_some(),
        name: child(&found, Rule::word).map_or(Span::new(0, 0), |word| span(&word)),
        after: after(&found),
    }
}

fn nothing(line: &[u8]) -> Setting {
    let after = After::Junk(Span::new(0, line.len()));
    Setting { hidden: false, name: Span::new(0, 0), after }
}

fn label(pair: &Pair<'_, Rule>) -> Label {
    let start = pair.as_span().start();
    Label {
        name: child(pair, Rule::name).map_or(Span::new(start, start), |name| span(&name)),
        junk: child(pair, Rule::junk).map(|junk| span(&junk)),
    }
}

fn statement_of(pair: &Pair<'_, Rule>) -> Statement {
    let end = pair.as_span().end();
    Statement {
        negated: child(pair, Rule::negation).is_some(),
        word: child(pair, Rule::word).map_or(Span::new(0, 0), |word| span(&word)),
        rest: child(pair, Rule::value).map_or(Span::new(end, end), |value| span(&value)),
    }
}

/// A span without the white space at its beginning.
fn trimmed(line: &[u8], span: Span) -> Span {
    let text = &line[span.range()];
    let blank = text.iter().take_while(|c| crate::is_space(**c)).count();
    Span::new(span.range().start + blank, span.range().end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, span: Span) -> &str {
        &line[span.range()]
    }

    #[test]
    fn options_and_lists_are_told_apart() {
        let line = "hide  primary_hostname= a b";
        let MainLine::Setting(found) = main_line(line.as_bytes()) else { panic!() };
        assert!(found.hidden);
        assert_eq!(of(line, found.name), "primary_hostname");
        assert!(matches!(found.after, After::Value(value) if of(line, value) == "a b"));
        let line = "domainlist_cache  local  =  @ : b";
        let MainLine::List(found) = main_line(line.as_bytes()) else { panic!() };
        assert!(found.cached && !found.hidden);
        assert_eq!(of(line, found.kind), "domainlist");
        assert_eq!(found.name.map(|name| of(line, name)), Some("local"));
        assert!(matches!(found.after, After::Value(value) if of(line, value) == "@ : b"));
    }

    #[test]
    fn what_does_not_belong_is_handed_out() {
        let MainLine::List(found) = main_line(b"domainlistx = 1") else { panic!() };
        assert_eq!(found.name, None);
        let line = "queue_only maybe";
        let MainLine::Setting(found) = main_line(line.as_bytes()) else { panic!() };
        assert!(matches!(found.after, After::Junk(junk) if of(line, junk) == "maybe"));
        let MainLine::Setting(found) = main_line(b"= x") else { panic!() };
        assert!(found.name.is_empty());
        let MainLine::Setting(found) = main_line(b"\xff\xfe = x") else { panic!() };
        assert!(matches!(found.after, After::Junk(_)));
    }

    #[test]
    fn drivers_have_labels() {
        let line = "r1 : x";
        let DriverLine::Instance(found) = driver_line(line.as_bytes()) else { panic!() };
        assert_eq!(of(line, found.name), "r1");
        assert_eq!(found.junk.map(|junk| of(line, junk)), Some("x"));
        assert!(matches!(driver_line(b"driver = accept"), DriverLine::Setting(_)));
        assert!(matches!(driver_line(b"r-1:"), DriverLine::Setting(_)));
        assert!(matches!(driver_line(b":"), DriverLine::Instance(label) if label.name.is_empty()));
    }

    #[test]
    fn acls_have_labels_and_statements() {
        let line = "! hosts = +local : *";
        let AclLine::Statement(found) = acl_line(line.as_bytes()) else { panic!() };
        assert!(found.negated);
        assert_eq!((of(line, found.word), of(line, found.rest)), ("hosts", "= +local : *"));
        assert!(matches!(acl_line(b"check_rcpt:"), AclLine::Label(_)));
        let line = "accept hosts = :";
        let AclLine::Statement(found) = acl_line(line.as_bytes()) else { panic!() };
        assert_eq!((of(line, found.word), of(line, found.rest)), ("accept", "hosts = :"));
    }

    #[test]
    fn rules_have_items() {
        let line = "\"*@a\\\" b\"  $1@c Ehq  ";
        let found = rewrite_line(line.as_bytes()).unwrap();
        assert_eq!(of(line, found.pattern), "\"*@a\\\" b\"");
        assert_eq!(found.replacement.map(|item| of(line, item)), Some("$1@c"));
        let line = "*  refused_A  senders=\"a : b\" F,1h,2m; G,1h,1m,2";
        let found = retry_line(line.as_bytes()).unwrap();
        assert_eq!(found.error.map(|error| of(line, error)), Some("refused_A"));
        assert_eq!(found.senders.map(|senders| of(line, senders)), Some("\"a : b\""));
        assert_eq!(of(line, found.rules), "F,1h,2m; G,1h,1m,2");
        assert_eq!(rewrite_line(b""), None);
        let found = rewrite_line(b"\"*@a b").unwrap();
        assert_eq!(found.replacement, None);
    }

    /// Lines of a few characters, all of them.
    fn lines() -> Vec<Vec<u8>> {
        let parts: [&[u8]; 13] = [
            b"a",
            b"7",
            b"_",
            b" ",
            b"\t",
            b"=",
            b":",
            b"!",
            b"\xff",
            b"hide",
            b"hostlist",
            b"begin ",
            b"Begin ",
        ];
        let mut all: Vec<Vec<u8>> = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..4 {
            let longer =
                last.iter().flat_map(|line| parts.map(|part| [line.as_slice(), part].concat()));
            last = longer.collect();
            all.extend_from_slice(&last);
        }
        // A logical line has no white space at its ends.
        all.retain(|line| line.trim_ascii() == line);
        all
    }

    #[test]
    fn plain_lines_are_what_the_grammar_says() {
        for line in lines() {
            let shown = String::from_utf8_lossy(&line);
            assert_eq!(main_line(&line), any_main_line(&line), "{shown:?}");
            assert_eq!(driver_line(&line), any_driver_line(&line), "{shown:?}");
            assert_eq!(acl_line(&line), any_acl_line(&line), "{shown:?}");
            if !begins_section(&line) {
                assert_eq!(parse(Rule::section, &ascii(&line)), None, "{shown:?}");
            }
        }
    }

    #[test]
    fn sections_have_names() {
        let line = "begin  routers";
        assert_eq!(section(line.as_bytes()).map(|name| of(line, name)), Some("routers"));
        let line = "BEGIN ACL";
        assert_eq!(section(line.as_bytes()).map(|name| of(line, name)), Some("ACL"));
        assert_eq!(section(b"begins = 1"), None);
    }
}
