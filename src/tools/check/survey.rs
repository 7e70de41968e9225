//! A configuration with each of its texts parsed.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use eximious_core::{
    AclTerm, DriverKind, ListKind, OptionDef, OptionKind, OptionValue, Registry, World,
};
use eximious_grammar::Span;
use eximious_grammar::expansion::{ParseLimits, Tree, parse};

use super::flows::Flows;
use super::graph::AclUse;
use super::{Spot, TargetRelease};
use crate::config::{Acl, AclLineTerm, Config, Instance, SettingUse};

/// How long a text may be that is parsed.
const LONGEST: u32 = 16 << 20;
/// How deep constructs may stand in each other.
const DEEPEST: u32 = 160;

/// What a text is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Use<'c> {
    /// The value of a main option.
    Main(&'c SettingUse),
    /// The value of an instance's option.
    Driver(&'c Instance, &'c SettingUse),
    /// The text of an ACL's condition or modifier.
    Acl(&'c Acl, &'c AclLineTerm),
    /// A named list.
    List(ListKind, &'c [u8]),
    /// What a rewriting rule puts in an address's place.
    Rewrite,
}

/// A text of the configuration.
#[derive(Debug)]
pub struct Text<'c> {
    /// What it is.
    pub of: Use<'c>,
    /// What it says, quotes and escapes read.
    pub text: Vec<u8>,
    /// The number of its logical line.
    pub line: usize,
    /// Where it stands in that line.
    pub span: Span,
    /// The text, parsed, where it is expanded.
    pub tree: Option<Tree>,
    /// What kind of list it is, where it is one.
    pub list: Option<ListKind>,
}

impl Text<'_> {
    /// Where a part of the text stands. Escapes in quotes move what follows
    /// them; the whole text is named then.
    pub fn spot(&self, within: Span) -> Spot {
        let length = self.span.end - self.span.start;
        if length as usize != self.text.len() {
            return Spot::Line(self.line, self.span);
        }
        let start = self.span.start + within.start.min(length);
        let end = self.span.start + within.end.min(length);
        Spot::Line(self.line, Span { start, end: end.max(start) })
    }
    /// The whole text.
    pub fn whole(&self) -> Spot {
        Spot::Line(self.line, self.span)
    }
    /// The option that it is the value of.
    pub fn option(&self) -> Option<&'static OptionDef> {
        match self.of {
            Use::Main(setting) | Use::Driver(_, setting) => Some(setting.option),
            _ => None,
        }
    }
    /// The term that it belongs to.
    pub fn term(&self) -> Option<&AclTerm> {
        match self.of {
            Use::Acl(_, term) => Some(&term.term),
            _ => None,
        }
    }
}

/// A configuration with each of its texts parsed.
pub struct Survey<'c> {
    /// The configuration.
    pub config: &'c Config,
    /// The words.
    pub registry: &'c Registry,
    /// The outside.
    pub world: &'c World,
    /// The release that it is meant for.
    pub target: TargetRelease,
    /// Its texts, in the order of the file's sections.
    pub texts: Vec<Text<'c>>,
    /// Where each ACL is used.
    pub acls: Vec<AclUse>,
    /// The numbers of the ACLs.
    numbers: HashMap<&'c [u8], usize>,
    left_out: OnceCell<HashSet<Vec<u8>>>,
    /// Variables that the configuration sets to text from outside.
    pub(super) flows: OnceCell<Flows>,
}

impl<'c> Survey<'c> {
    /// A configuration with each of its texts parsed, as the newest release has it.
    pub fn of(config: &'c Config, registry: &'c Registry, world: &'c World) -> Self {
        Self::new(config, registry, world, TargetRelease::NEWEST)
    }

    pub(super) fn new(
        config: &'c Config,
        registry: &'c Registry,
        world: &'c World,
        target: TargetRelease,
    ) -> Self {
        let mut survey = Self {
            config,
            registry,
            world,
            target,
            texts: Vec::new(),
            acls: Vec::new(),
            numbers: HashMap::new(),
            left_out: OnceCell::new(),
            flows: OnceCell::new(),
        };
        for setting in &config.main {
            let value = config.settings.value(setting.option.meta.name);
            survey.setting(Use::Main(setting), setting, value);
        }
        for used in &config.list_uses {
            if let Some(list) = config.settings.lists.get(used.kind, &used.name) {
                let of = Use::List(used.kind, &used.name);
                survey.add(of, list.text.bytes(), used.line, used.span, true, Some(used.kind));
            }
        }
        for acl in &config.acls {
            for term in acl.statements.iter().flat_map(|statement| &statement.terms) {
                let list = list_of(term.term.meta.name);
                // Its words are expanded one by one.
                let words = term.term.meta.name == "acl";
                let expanded = term.term.expanded || words || list.is_some();
                let (line, span) = (term.line, term.span);
                survey.add(Use::Acl(acl, term), term.text.bytes(), line, span, expanded, list);
            }
        }
        for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
            for instance in config.instances(kind) {
                for setting in &instance.settings {
                    let value = instance.options.of(setting.option);
                    survey.setting(Use::Driver(instance, setting), setting, value);
                }
            }
        }
        for (rule, line) in &config.rewrite {
            let text = rule.replacement.bytes();
            let whole = &config.lines[*line].text;
            let at = memchr::memmem::find(whole, text).unwrap_or(0);
            survey.add(Use::Rewrite, text, *line, Span::new(at, at + text.len()), true, None);
        }
        let acls = config.acls.iter().enumerate().rev();
        survey.numbers = acls.map(|(number, acl)| (acl.name.bytes(), number)).collect();
        survey.acls = super::graph::uses(&survey);
        survey
    }

    fn setting(&mut self, of: Use<'c>, setting: &SettingUse, value: Option<&'c OptionValue>) {
        let (Some(span), Some(OptionValue::Text(text))) = (setting.value, value) else { return };
        let option = setting.option;
        let list = match option.kind {
            OptionKind::DomainList => Some(ListKind::Domain),
            OptionKind::HostList => Some(ListKind::Host),
            OptionKind::AddressList => Some(ListKind::Address),
            OptionKind::LocalPartList => Some(ListKind::LocalPart),
            _ => None,
        };
        // An option that may be set again keeps all its values in one text.
        let own = &self.config.lines[setting.line].text[span.range()];
        let text = if option.repeated == eximious_core::Repeated::Never || own.starts_with(b"\"") {
            text.bytes()
        } else {
            own
        };
        // What a router's variables are set to is expanded, each by itself.
        let expanded = option.expanded || list.is_some() || option.meta.name == "set";
        self.add(of, text, setting.line, span, expanded, list);
    }

    fn add(
        &mut self,
        of: Use<'c>,
        text: &[u8],
        line: usize,
        span: Span,
        expanded: bool,
        list: Option<ListKind>,
    ) {
        let tree = if expanded { self.parse(text) } else { None };
        self.texts.push(Text { of, text: text.to_vec(), line, span, tree, list });
    }

    /// A text, parsed; `None` where it stands for itself.
    pub(super) fn parse(&self, text: &[u8]) -> Option<Tree> {
        text.iter()
            .any(|c| matches!(c, b'$' | b'\\'))
            .then(|| parse(text, self.registry, ParseLimits { depth: DEEPEST, length: LONGEST }))
    }

    /// The name of an option's setting, where it stands.
    pub fn named(&self, setting: &SettingUse) -> Spot {
        Spot::Line(setting.line, setting.name)
    }

    /// The number of an ACL in the configuration, and in [`Survey::acls`].
    pub(super) fn acl(&self, name: &[u8]) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// Whether a line between `.ifdef` and `.endif` has a name that the
    /// configuration gives.
    pub(super) fn left_out(&self, name: &[u8]) -> bool {
        self.left_out.get_or_init(|| super::names::left_out(self.config)).contains(name)
    }

    /// A whole logical line.
    pub fn line(&self, number: usize) -> Spot {
        let length = self.config.lines.get(number).map_or(0, |line| line.text.len());
        Spot::Line(number, Span::new(0, length))
    }
}

/// What kind of list a condition of ACLs takes.
fn list_of(term: &str) -> Option<ListKind> {
    Some(match term {
        "domains" | "sender_domains" => ListKind::Domain,
        "hosts" => ListKind::Host,
        "local_parts" => ListKind::LocalPart,
        "recipients" | "senders" => ListKind::Address,
        _ => return None,
    })
}
