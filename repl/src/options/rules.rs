//! Which options there are, and what each takes.

use eximious::debugging::DebugSelector;
use eximious::{Var, var};

/// What follows an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Takes {
    /// Nothing: the whole argument is the name.
    Nothing,
    /// What is attached to it, if anything.
    Attached,
    /// The next argument.
    Next(Missing),
    /// What is attached to it, or the next argument.
    Value(Missing),
}

/// What Exim says where the next argument is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// `exim abandoned: …`.
    Abandoned,
    /// `exim: … expected after …`.
    Expected(&'static str),
    /// `exim: bad item for: …`.
    BadItem,
    /// `exim: no message ids given after … option`.
    Messages,
}

/// What an option does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// Nothing, to an expansion.
    Ignore,
    /// What it asks for is not to be had, and why; it would win over `-be`, or not.
    Later(&'static str, bool),
    /// It sets a variable.
    Variable(Var),
    /// Something of its own.
    Own,
}

/// An option.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) then: Then,
}

/// The rule for an argument, and what is attached to the name in it.
pub(super) fn find(arg: &[u8]) -> Option<(&'static Rule, &[u8])> {
    let exact = RULES.iter().find(|rule| rule.name.as_bytes() == arg);
    if let Some(rule) = exact {
        return Some((rule, b""));
    }
    RULES
        .iter()
        .filter(|rule| matches!(rule.takes, Takes::Attached | Takes::Value(_)))
        .filter_map(|rule| Some((rule, arg.strip_prefix(rule.name.as_bytes())?)))
        .max_by_key(|(rule, _)| rule.name.len())
}

/// What `-d…` selects.
pub(super) fn debugging(text: &[u8]) -> Result<DebugSelector, Vec<u8>> {
    let text = text.strip_prefix(b"d").unwrap_or(text);
    match DebugSelector::USUAL.changed(text) {
        (selector, None) => Ok(selector),
        (_, Some(why)) => Err(why),
    }
}

const fn ignored(name: &'static str, takes: Takes) -> Rule {
    Rule { name, takes, then: Then::Ignore }
}

const fn later(name: &'static str, takes: Takes, what: &'static str) -> Rule {
    Rule { name, takes, then: Then::Later(what, true) }
}

const fn own(name: &'static str, takes: Takes) -> Rule {
    Rule { name, takes, then: Then::Own }
}

const fn variable(name: &'static str, variable: Var) -> Rule {
    Rule { name, takes: Takes::Next(Missing::Expected("data")), then: Then::Variable(variable) }
}

const NOTHING: Takes = Takes::Nothing;
const ATTACHED: Takes = Takes::Attached;
const ABANDONED: Missing = Missing::Abandoned;
const STRING: Missing = Missing::Expected("string");
const FILE: Missing = Missing::Expected("file name");

const RECEIVING: &str = "does not go with what else is asked for";
pub(super) const QUEUE: &str = "is for processes that Exim starts by itself, and there are none";

static RULES: &[Rule] = &[
    own("--help", NOTHING),
    own("--version", NOTHING),
    own("-C", Takes::Value(ABANDONED)),
    own("-D", ATTACHED),
    own("-F", Takes::Value(ABANDONED)),
    own("-bF", Takes::Next(FILE)),
    own("-bI:", ATTACHED),
    own("-Mset", Takes::Next(Missing::Messages)),
    own("-Mvb", Takes::Next(Missing::Messages)),
    own("-Mvc", Takes::Next(Missing::Messages)),
    own("-Mvh", Takes::Next(Missing::Messages)),
    own("-Mvl", Takes::Next(Missing::Messages)),
    own("-bP", NOTHING),
    own("-bp", NOTHING),
    own("-bpa", NOTHING),
    own("-bpc", NOTHING),
    own("-bpi", NOTHING),
    own("-bpr", NOTHING),
    own("-bpra", NOTHING),
    own("-bpri", NOTHING),
    own("-bpru", NOTHING),
    own("-bpu", NOTHING),
    own("-q", ATTACHED),
    own("-bV", NOTHING),
    own("-bd", NOTHING),
    own("-bdf", NOTHING),
    own("-be", NOTHING),
    own("-bem", Takes::Next(ABANDONED)),
    own("-bh", Takes::Next(ABANDONED)),
    own("-bhc", Takes::Next(ABANDONED)),
    own("-bf", Takes::Next(FILE)),
    own("-bfd", Takes::Next(STRING)),
    own("-bfl", Takes::Next(STRING)),
    own("-bfp", Takes::Next(STRING)),
    own("-bfs", Takes::Next(STRING)),
    own("-bm", NOTHING),
    own("-bnq", NOTHING),
    own("-brt", NOTHING),
    own("-brw", NOTHING),
    own("-bt", NOTHING),
    own("-bv", NOTHING),
    own("-bvs", NOTHING),
    own("-bw", ATTACHED),
    own("-d", ATTACHED),
    own("-f", Takes::Value(ABANDONED)),
    own("-h", Takes::Value(ABANDONED)),
    own("-i", NOTHING),
    own("-n", ATTACHED),
    own("-oB", ATTACHED),
    own("-oDSN", Takes::Next(ABANDONED)),
    own("-oMm", Takes::Next(Missing::Expected("data"))),
    own("-oP", Takes::Next(ABANDONED)),
    own("-oX", Takes::Next(ABANDONED)),
    own("-oi", NOTHING),
    own("-oitrue", NOTHING),
    own("-or", ATTACHED),
    own("-os", ATTACHED),
    own("-p", Takes::Value(Missing::BadItem)),
    own("-r", Takes::Value(ABANDONED)),
    own("-t", NOTHING),
    own("-ti", NOTHING),
    own("-v", NOTHING),
    own("-z", Takes::Value(FILE)),
    variable("-oMa", var::SENDER_HOST_ADDRESS),
    variable("-oMaa", var::SENDER_HOST_AUTHENTICATED),
    variable("-oMai", var::AUTHENTICATED_ID),
    variable("-oMas", var::AUTHENTICATED_SENDER),
    variable("-oMi", var::RECEIVED_IP_ADDRESS),
    variable("-oMr", var::RECEIVED_PROTOCOL),
    variable("-oMs", var::SENDER_HOST_NAME),
    variable("-oMt", var::SENDER_IDENT),
    ignored("-Ac", NOTHING),
    ignored("-Am", NOTHING),
    ignored("-B", Takes::Value(STRING)),
    own("-E", ATTACHED),
    own("-G", ATTACHED),
    own("-L", Takes::Value(ABANDONED)),
    own("-N", NOTHING),
    ignored("-O", Takes::Value(STRING)),
    ignored("-U", ATTACHED),
    ignored("-X", Takes::Value(STRING)),
    ignored("-dropcr", NOTHING),
    ignored("-dp", Takes::Value(ABANDONED)),
    own("-ee", NOTHING),
    own("-em", NOTHING),
    own("-ep", NOTHING),
    own("-eq", NOTHING),
    own("-ew", NOTHING),
    ignored("-m", NOTHING),
    own("-oA", Takes::Value(STRING)),
    own("-oPX", NOTHING),
    own("-oY", NOTHING),
    own("-odb", NOTHING),
    own("-odf", NOTHING),
    own("-odi", NOTHING),
    own("-odq", NOTHING),
    own("-odqs", NOTHING),
    own("-oee", NOTHING),
    own("-oem", NOTHING),
    own("-oep", NOTHING),
    own("-oeq", NOTHING),
    own("-oew", NOTHING),
    // Delivery with debugging, once; there is nothing of it left.
    ignored("-odd", NOTHING),
    ignored("-om", NOTHING),
    ignored("-oo", NOTHING),
    own("-ov", NOTHING),
    ignored("-pd", NOTHING),
    ignored("-ps", NOTHING),
    own("-tls-on-connect", NOTHING),
    ignored("-x", NOTHING),
    Rule { name: "-bS", takes: NOTHING, then: Then::Later(RECEIVING, false) },
    Rule { name: "-bs", takes: NOTHING, then: Then::Later(RECEIVING, false) },
    own("-M", Takes::Next(Missing::Messages)),
    later("-MC", NOTHING, QUEUE),
    later("-MCA", NOTHING, QUEUE),
    later("-MCD", NOTHING, QUEUE),
    later("-MCG", Takes::Next(Missing::BadItem), QUEUE),
    later("-MCK", NOTHING, QUEUE),
    later("-MCL", NOTHING, QUEUE),
    later("-MCP", NOTHING, QUEUE),
    later("-MCQ", NOTHING, QUEUE),
    later("-MCS", NOTHING, QUEUE),
    later("-MCT", NOTHING, QUEUE),
    ignored("-MCd", Takes::Next(ABANDONED)),
    later("-MCp", NOTHING, QUEUE),
    later("-MCq", Takes::Next(ABANDONED), QUEUE),
    later("-MCr", Takes::Next(ABANDONED), QUEUE),
    later("-MCs", Takes::Next(ABANDONED), QUEUE),
    later("-MCt", Takes::Next(ABANDONED), QUEUE),
    own("-MG", Takes::Next(Missing::BadItem)),
    own("-Mar", Takes::Next(Missing::Messages)),
    own("-Mc", Takes::Next(Missing::Messages)),
    own("-Mes", Takes::Next(Missing::Messages)),
    own("-Mf", Takes::Next(Missing::Messages)),
    own("-Mg", Takes::Next(Missing::Messages)),
    own("-Mmad", Takes::Next(Missing::Messages)),
    own("-Mmd", Takes::Next(Missing::Messages)),
    own("-Mrm", Takes::Next(Missing::Messages)),
    own("-Mt", Takes::Next(Missing::Messages)),
    own("-R", Takes::Value(Missing::Expected("string"))),
    own("-S", Takes::Value(Missing::Expected("string"))),
    own("-atrn", Takes::Next(Missing::Expected("host and domainlist"))),
    own("-bi", NOTHING),
    own("-bmalware", Takes::Next(ABANDONED)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_counts() {
        assert_eq!(find(b"-oMaa").unwrap().0.name, "-oMaa");
        assert_eq!(find(b"-dp5").unwrap().0.name, "-dp");
        assert_eq!(find(b"-d+all").unwrap(), (find(b"-d").unwrap().0, b"+all".as_slice()));
        assert_eq!(find(b"-bex"), None);
        assert_eq!(find(b"-"), None);
    }

    impl PartialEq for Rule {
        fn eq(&self, other: &Self) -> bool {
            self.name == other.name
        }
    }

    #[test]
    fn each_option_is_explained_or_not_there_yet() {
        let explained: Vec<&str> = crate::switches::names().collect();
        for rule in RULES {
            let later = matches!(rule.then, Then::Later(_, true)) || rule.name == "-MCd";
            // Those that report errors come with and without an `o`.
            let short = ["-ee", "-em", "-ep", "-eq", "-ew"].contains(&rule.name);
            let attached = rule.takes == Takes::Attached;
            let found = explained
                .iter()
                .any(|name| *name == rule.name || (attached && name.starts_with(rule.name)));
            assert!(found || later || short, "{}", rule.name);
        }
        // What ends the options is none.
        for name in explained.into_iter().filter(|name| *name != "--") {
            assert!(find(name.as_bytes()).is_some(), "{name}");
        }
    }

    #[test]
    fn debugging_names_selectors() {
        for text in ["", "d", "+all", "-all+expand", "=0x10"] {
            assert!(debugging(text.as_bytes()).is_ok(), "{text}");
        }
        let why = debugging(b"+foo").unwrap_err();
        assert_eq!(why, b"unknown debug_selector setting: +foo");
        let why = debugging(b"x").unwrap_err();
        assert_eq!(why, b"malformed debug_selector setting: + or - expected but found \"x\"");
    }
}
