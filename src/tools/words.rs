//! All records of the registry in one view.

use eximious_core::{
    AclControl, AclOptions, AclPhases, AclTerm, AclTermKind, AclVerb, AclVerbDef, AclVerify,
    DriverKind, Effects, Example, Meta, OptionDef, OptionPlace, Registry, TaintRule,
};
use eximious_grammar::expansion::{VariableName, Vocabulary};
use eximious_stdlib::acl;

/// What kind of word a record is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `${name{…}}`
    Item,
    /// `${name:…}`
    Operator,
    /// What `${if` asks.
    Condition,
    /// `$name`
    Variable,
    /// A lookup type.
    Lookup,
    /// An option of the main section.
    MainOption,
    /// An option of routers.
    RouterOption,
    /// An option of transports.
    TransportOption,
    /// An option of authenticators.
    AuthenticatorOption,
    /// What begins a statement of an ACL.
    AclVerb,
    /// A condition of ACLs.
    AclCondition,
    /// A modifier of ACLs.
    AclModifier,
    /// What `control` may name.
    AclControl,
    /// What `verify` may name.
    AclVerify,
}

impl Kind {
    /// What strings are made of.
    pub const EXPANSION: [Self; 5] =
        [Self::Item, Self::Operator, Self::Condition, Self::Variable, Self::Lookup];
    /// What a configuration sets.
    pub const OPTIONS: [Self; 4] =
        [Self::MainOption, Self::RouterOption, Self::TransportOption, Self::AuthenticatorOption];

    /// What ACLs are made of.
    pub const ACL: [Self; 5] =
        [Self::AclVerb, Self::AclCondition, Self::AclModifier, Self::AclControl, Self::AclVerify];

    /// All kinds: of expansions, of options, of ACLs.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::EXPANSION.into_iter().chain(Self::OPTIONS).chain(Self::ACL)
    }

    /// What one of them is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Operator => "operator",
            Self::Condition => "condition",
            Self::Variable => "variable",
            Self::Lookup => "lookup",
            Self::MainOption => "main option",
            Self::RouterOption => "router option",
            Self::TransportOption => "transport option",
            Self::AuthenticatorOption => "authenticator option",
            Self::AclVerb => "acl verb",
            Self::AclCondition => "acl condition",
            Self::AclModifier => "acl modifier",
            Self::AclControl => "acl control",
            Self::AclVerify => "acl verify",
        }
    }

    /// What several of them are called.
    pub fn names(self) -> String {
        match self {
            Self::AclVerify => self.name().to_owned(),
            _ => format!("{}s", self.name()),
        }
    }

    /// By name, in the plural or not; `options` are those of all places, `acl`
    /// is all that stands in ACLs.
    pub fn named(name: &str) -> Vec<Self> {
        let name = name.replace(['-', '_'], " ");
        let name = name.strip_suffix('s').unwrap_or(&name);
        let groups: [(&str, &[Self]); 2] = [("option", &Self::OPTIONS), ("acl", &Self::ACL)];
        let group = groups.iter().find(|(group, _)| *group == name).map(|(_, kinds)| *kinds);
        Self::all()
            .filter(|kind| kind.name() == name || group.is_some_and(|kinds| kinds.contains(kind)))
            .collect()
    }

    fn of_option(place: OptionPlace) -> Self {
        match place {
            OptionPlace::Main => Self::MainOption,
            OptionPlace::Generic(kind) | OptionPlace::Driver(kind, _) => match kind {
                DriverKind::Router => Self::RouterOption,
                DriverKind::Transport => Self::TransportOption,
                DriverKind::Authenticator => Self::AuthenticatorOption,
            },
        }
    }
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Word<'r> {
    /// What kind of word it is.
    pub kind: Kind,
    /// What it says of itself.
    pub meta: &'r Meta,
    /// What it says besides.
    pub more: More<'r>,
}

/// What the record of a kind of word has besides what all have.
#[derive(Clone, Copy, Debug)]
pub enum More<'r> {
    /// Nothing: a word of expansions.
    Expansion,
    /// An option.
    Option(&'r OptionDef),
    /// A verb of ACLs.
    Verb(&'r AclVerbDef),
    /// A condition or modifier.
    Term(&'r AclTerm),
    /// What `control` may name.
    Control(&'r AclControl),
    /// What `verify` may name.
    Verify(&'r AclVerify),
}

impl Word<'_> {
    /// The driver that has an option to itself.
    pub fn driver(&self) -> Option<&'static str> {
        match self.more {
            More::Option(OptionDef { place: OptionPlace::Driver(_, driver), .. }) => Some(driver),
            _ => None,
        }
    }

    /// The ACLs in which a word of ACLs is allowed.
    pub fn phases(&self) -> Option<AclPhases> {
        match self.more {
            More::Verb(verb) => Some(verb.phases),
            More::Term(term) => Some(term.phases),
            More::Control(control) => Some(control.phases),
            More::Verify(verify) => Some(verify.phases),
            _ => None,
        }
    }

    /// What a page says of it in a line each: a label, and a text that is not empty.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let own = match self.more {
            More::Option(option) => option_facts(option),
            More::Expansion => expansion_facts(self),
            More::Verb(_) | More::Term(_) | More::Control(_) | More::Verify(_) => acl_facts(self),
        };
        let meta = self.meta;
        let gone = match meta.until {
            "" => String::new(),
            until => format!("with {until}"),
        };
        let common = [
            ("Since", meta.since.to_owned()),
            ("Gone", gone),
            ("Needs", meta.needs.to_owned()),
            ("Source", meta.source.to_owned()),
        ];
        own.into_iter().chain(common).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// What may follow the name of a control or verification after a slash.
    pub fn acl_options(&self) -> Option<AclOptions> {
        match self.more {
            More::Control(control) => Some(control.options),
            More::Verify(verify) => Some(verify.options),
            _ => None,
        }
    }
}

/// The grammar's own word, which needs no record to be carried out.
static NEGATION: Meta = Meta::new("!", Effects::NONE, TaintRule::Clean)
    .syntax("!<condition>")
    .summary("The condition after it does not hold.")
    .docs("White space may stand between the two, and `!!` is as good as nothing.")
    .examples(&[Example::new("${if !eq{a}{b}{yes}{no}}", "yes")])
    .source("specification 11.7");

/// All records, by kind, each kind in the order of its names.
pub fn all(registry: &Registry) -> Vec<Word<'_>> {
    Kind::all().flat_map(|kind| of(registry, kind)).collect()
}

/// The records of a kind, in the order of their names.
pub fn of(registry: &Registry, kind: Kind) -> Vec<Word<'_>> {
    let mut metas: Vec<&Meta> = match kind {
        Kind::Item => registry.all_items().map(|r| &r.meta).collect(),
        Kind::Operator => registry.all_operators().map(|r| &r.meta).collect(),
        Kind::Condition => registry.all_conditions().map(|r| &r.meta).collect(),
        Kind::Variable => registry.all_variables().map(|r| &r.meta).collect(),
        Kind::Lookup => registry.all_lookups().map(|r| &r.meta).collect(),
        _ if Kind::ACL.contains(&kind) => return of_acl(registry, kind),
        // These are in order already: those that all drivers have, then each driver's own.
        _ => {
            let own = registry.all_options().filter(|o| Kind::of_option(o.place) == kind);
            return own.map(|o| Word { kind, meta: &o.meta, more: More::Option(o) }).collect();
        }
    };
    if kind == Kind::Condition {
        metas.push(&NEGATION);
    }
    metas.sort_by_key(|meta| meta.name);
    metas.into_iter().map(|meta| Word { kind, meta, more: More::Expansion }).collect()
}

/// The records of a kind of word of ACLs, in the order of their names.
fn of_acl(registry: &Registry, kind: Kind) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = match kind {
        Kind::AclVerb => acl::VERBS
            .iter()
            .map(|verb| Word { kind, meta: &verb.meta, more: More::Verb(verb) })
            .collect(),
        Kind::AclControl => registry
            .all_acl_controls()
            .map(|control| Word { kind, meta: &control.meta, more: More::Control(control) })
            .collect(),
        Kind::AclVerify => registry
            .all_acl_verifies()
            .map(|verify| Word { kind, meta: &verify.meta, more: More::Verify(verify) })
            .collect(),
        _ => registry
            .all_acl_terms()
            .filter(|term| (term.kind == AclTermKind::Condition) == (kind == Kind::AclCondition))
            .map(|term| Word { kind, meta: &term.meta, more: More::Term(term) })
            .collect(),
    };
    words.sort_by_key(|word| word.meta.name);
    words
}

/// The records with a name, or with another name for the same; `$name`,
/// `${name`, `name:` and the like will do.
pub fn named<'r>(registry: &'r Registry, name: &str) -> Vec<Word<'r>> {
    let name = name.trim_start_matches(['$', '{']).trim_end_matches([':', '{', '}']);
    let bytes = name.as_bytes();
    let mut found: Vec<Word<'_>> = all(registry)
        .into_iter()
        .filter(|word| word.meta.name == name || word.meta.aliases.contains(&name))
        .collect();
    let mut add = |kind, meta: &'r Meta| {
        if !found.iter().any(|word| word.kind == kind) {
            found.push(Word { kind, meta, more: More::Expansion });
        }
    };
    if let Some((id, _)) = registry.operator(bytes) {
        add(Kind::Operator, &registry.operator_at(id).meta);
    }
    if let VariableName::Known(id) | VariableName::Family(id) = registry.variable(bytes) {
        add(Kind::Variable, &registry.variable_at(id).meta);
    }
    found
}

/// The names of effects, in small letters.
pub fn effects(effects: Effects) -> Vec<String> {
    effects.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect()
}

/// The name of a taint rule.
pub fn taint(rule: TaintRule) -> &'static str {
    match rule {
        TaintRule::Arguments => "arguments",
        TaintRule::Clean => "clean",
        TaintRule::Tainted => "tainted",
        TaintRule::Result => "result",
        TaintRule::Quoted => "quoted",
    }
}

fn expansion_facts(word: &Word<'_>) -> Vec<(&'static str, String)> {
    let effects = effects(word.meta.effects);
    let effects = if effects.is_empty() { "none".to_owned() } else { effects.join(", ") };
    vec![("Effects", effects), ("Taint", taint_of(word).to_owned())]
}

fn option_facts(option: &OptionDef) -> Vec<(&'static str, String)> {
    let expanded = if option.expanded { ", expanded" } else { "" };
    let default = match option.default {
        Some(text) => text.escape_debug().to_string().replace("\\\"", "\"").replace("\\\\", "\\"),
        None => "unset".to_owned(),
    };
    let varies = if option.varies { ", or as other things say" } else { "" };
    vec![
        ("Type", format!("{}{expanded}", option.kind.name())),
        ("Default", format!("{default}{varies}")),
    ]
}

fn acl_facts(word: &Word<'_>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let More::Term(term) = word.more {
        let negated = if term.kind == AclTermKind::Condition { "yes, by !" } else { "no" };
        facts.push(("Negated", negated.to_owned()));
        if term.verbs.len() < AclVerb::ALL.len() {
            let verbs: Vec<&str> = term.verbs.iter().map(|verb| verb.name()).collect();
            facts.push(("Verbs", verbs.join(", ")));
        }
    }
    if let Some(AclOptions::Names(names)) = word.acl_options() {
        facts.push(("Options", names.join(", ")));
    }
    if let Some(phases) = word.phases() {
        facts.push(("ACLs", acls(phases)));
    }
    facts
}

/// The options of ACLs, or of those that are missing where most are there.
fn acls(phases: AclPhases) -> String {
    let names = |phases: AclPhases| phases.options().collect::<Vec<_>>().join(", ");
    let others = phases.complement();
    if others.is_empty() {
        "all".to_owned()
    } else if others.iter().count() < phases.iter().count() {
        format!("all but {}", names(others))
    } else {
        names(phases)
    }
}

/// How a page says it.
fn taint_of(word: &Word<'_>) -> &'static str {
    match taint(word.meta.taint) {
        "arguments" => "as its arguments",
        "clean" => "never",
        "tainted" => "always",
        "quoted" => "as its arguments, quoted for the lookup that it names",
        _ => "as what it returns",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_they_are_written() {
        let registry = crate::registry();
        for name in ["substr", "${substr", "substr_1_2:", "substr_0"] {
            let found = named(&registry, name);
            assert!(found.iter().any(|word| word.kind == Kind::Operator), "{name}");
        }
        assert_eq!(named(&registry, "$pid")[0].kind, Kind::Variable);
        assert_eq!(named(&registry, "acl_m_whatever")[0].kind, Kind::Variable);
        assert!(named(&registry, "no_such_word").is_empty());
    }
}
