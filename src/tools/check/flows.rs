//! Where text from outside goes: through items and operators, and through the
//! variables that the configuration sets.

use std::collections::HashMap;

use eximious_core::{DriverOpt, Str, TaintRule, VariableSource};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Part, Piece, Seq, Tree};
use eximious_stdlib::options::opt::{router, transport::smtp};

use super::survey::{Survey, Text, Use};

/// Variables that carry text from outside wherever they are set, and where
/// that comes from.
pub(super) type Flows = HashMap<Vec<u8>, String>;

/// How often text is followed from one variable to the next.
const DEEPEST: usize = 8;

/// The first part of a string that carries text from outside: its name, and
/// where it stands.
pub(super) fn tainted(survey: &Survey<'_>, tree: &Tree, seq: Seq) -> Option<(String, Span)> {
    let flows = survey.flows.get_or_init(|| flows(survey));
    Reader { survey, flows, own: b"" }.tainted(tree, seq)
}

/// All parts of a string that carry text from outside.
pub(super) fn all_tainted(survey: &Survey<'_>, tree: &Tree, seq: Seq) -> Vec<(String, Span)> {
    let flows = survey.flows.get_or_init(|| flows(survey));
    let reader = Reader { survey, flows, own: b"" };
    tree.view().pieces(seq).iter().filter_map(|piece| reader.piece(tree, piece)).collect()
}

/// What is set to text from outside, in all places where it is set.
fn flows(survey: &Survey<'_>) -> Flows {
    let mut set: HashMap<&[u8], Vec<&Text<'_>>> = HashMap::new();
    for text in &survey.texts {
        if let Some(name) = variable(text) {
            set.entry(name).or_default().push(text);
        }
    }
    let mut flows = Flows::new();
    for _ in 0..DEEPEST {
        let mut found = Vec::new();
        for (name, texts) in set.iter().filter(|(name, _)| !flows.contains_key(**name)) {
            // What it is made of itself is as tainted as it is.
            let reader = Reader { survey, flows: &flows, own: name };
            let origins: Option<Vec<String>> =
                texts.iter().map(|text| reader.origin(text)).collect();
            let origin = origins.into_iter().flatten().find(|origin| !origin.is_empty());
            found.extend(origin.map(|origin| (name.to_vec(), origin)));
        }
        if found.is_empty() {
            break;
        }
        flows.extend(found);
    }
    flows
}

/// Options of transports that set the variables of their names.
const SIGNING: [DriverOpt<Str>; 2] = [smtp::DKIM_DOMAIN, smtp::DKIM_SELECTOR];

/// The variable that a text sets.
fn variable<'t>(text: &'t Text<'_>) -> Option<&'t [u8]> {
    match text.of {
        Use::Acl(_, term) => term.variable.as_ref().map(|name| name.bytes()),
        Use::Driver(_, setting) if router::ADDRESS_DATA.is(setting.option) => Some(b"address_data"),
        // What signs says in which domain.
        Use::Driver(_, setting) if SIGNING.iter().any(|one| one.is(setting.option)) => {
            Some(setting.option.meta.name.as_bytes())
        }
        Use::Driver(_, setting) if router::SET.is(setting.option) => {
            let end = memchr::memchr(b'=', &text.text)?;
            Some(text.text[..end].trim_ascii())
        }
        _ => None,
    }
}

struct Reader<'s, 'c> {
    survey: &'s Survey<'c>,
    flows: &'s Flows,
    /// The variable that is being looked at.
    own: &'s [u8],
}

impl Reader<'_, '_> {
    /// The name of what a text carries from outside; empty where that is the
    /// variable itself.
    fn origin(&self, text: &Text<'_>) -> Option<String> {
        let tree = text.tree.as_ref()?;
        let (name, _) = self.tainted(tree, tree.root)?;
        Some(match name.split_once(", set from ") {
            Some((_, first)) => first.trim_end_matches(',').to_owned(),
            None => name,
        })
    }

    fn tainted(&self, tree: &Tree, seq: Seq) -> Option<(String, Span)> {
        tree.view().pieces(seq).iter().find_map(|piece| self.piece(tree, piece))
    }

    fn piece(&self, tree: &Tree, Piece { part, span }: &Piece) -> Option<(String, Span)> {
        let registry = self.survey.registry;
        match part {
            Part::Variable(id) => {
                let variable = registry.variable_at(*id);
                let name = variable.meta.name;
                if name.as_bytes() == self.own {
                    return Some((String::new(), *span));
                }
                if let Some(origin) = self.flows.get(name.as_bytes()) {
                    return Some((format!("${name}, set from {origin},"), *span));
                }
                // Two are made of a variable that comes from outside.
                let made = matches!(name, "sender_address_domain" | "sender_address_local_part");
                // Elsewhere than in a transport, they are a signature's.
                let own = SIGNING.iter().any(|option| option.name() == name)
                    && !self.survey.config.transports.is_empty();
                let stamped = !own
                    && (made || variable.meta.taint == TaintRule::Tainted)
                    && !matches!(variable.source, VariableSource::Family(_));
                stamped.then(|| (format!("${name}"), *span))
            }
            Part::Family(_, name) => {
                let name = tree.view().text(*name);
                if name == self.own {
                    return Some((String::new(), *span));
                }
                let origin = self.flows.get(name)?;
                let name = String::from_utf8_lossy(name);
                Some((format!("${name}, set from {origin},"), *span))
            }
            Part::Header(_, name) => {
                let name = String::from_utf8_lossy(tree.view().text(*name)).into_owned();
                Some((format!("$h_{name}:"), *span))
            }
            Part::Operator(id) => {
                let op = tree.view().op(*id);
                match registry.operator_at(op.def?).meta.taint {
                    TaintRule::Arguments | TaintRule::Result => self.tainted(tree, op.arg),
                    TaintRule::Clean | TaintRule::Tainted | TaintRule::Quoted => None,
                }
            }
            Part::Item(id) => {
                let call = tree.view().call(*id);
                let all = match registry.item_at(call.def).meta.taint {
                    TaintRule::Arguments => true,
                    TaintRule::Result => false,
                    TaintRule::Clean | TaintRule::Tainted | TaintRule::Quoted => return None,
                };
                tree.view().call_args(call).iter().find_map(|arg| self.branch(tree, arg, all))
            }
            _ => None,
        }
    }

    /// An argument whose text becomes part of a result.
    fn branch(&self, tree: &Tree, arg: &Arg, all: bool) -> Option<(String, Span)> {
        match arg {
            Arg::Yes(seq) | Arg::No(seq) => self.tainted(tree, *seq),
            Arg::Text(seq) if all => self.tainted(tree, *seq),
            _ => None,
        }
    }
}
