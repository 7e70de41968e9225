//! Where text from outside goes: through items and operators, and through the
//! variables that the configuration sets.

use std::collections::HashMap;

use eximious_core::{DriverOpt, Str, TaintRule, VariableSource};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, OpNode, Part, Piece, Seq, Tree};
use eximious_stdlib::options::opt::{router, transport::smtp};

use super::items::split;
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
    Reader::new(survey, flows, b"").tainted(tree, seq)
}

/// The first part of a query that carries text from outside and is not quoted for the query's
/// lookup type.
pub(super) fn unquoted(
    survey: &Survey<'_>,
    tree: &Tree,
    seq: Seq,
    lookup: u16,
) -> Option<(String, Span)> {
    let flows = survey.flows.get_or_init(|| flows(survey));
    let reader = Reader { query: Some(lookup), ..Reader::new(survey, flows, b"") };
    reader.tainted(tree, seq)
}

/// What a part of a string carries from outside; in a query, what is not quoted for its type.
pub(super) fn piece_tainted(
    survey: &Survey<'_>,
    tree: &Tree,
    piece: &Piece,
    query: Option<u16>,
) -> Option<(String, Span)> {
    let flows = survey.flows.get_or_init(|| flows(survey));
    Reader { query, ..Reader::new(survey, flows, b"") }.piece(tree, piece)
}

/// What `${quote_TYPE:…}` names behind the underscore.
pub(super) fn quoted_for<'t>(tree: &'t Tree, op: &OpNode) -> &'t [u8] {
    let parameters = tree.view().text(op.name).get(op.base as usize..).unwrap_or_default();
    parameters.strip_prefix(b"_").unwrap_or(parameters)
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
            let reader = Reader::new(survey, &flows, name);
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

/// The name of what comes from outside, and where it stands.
type Origin = (String, Span);

struct Reader<'s, 'c> {
    survey: &'s Survey<'c>,
    flows: &'s Flows,
    /// The variable that is being looked at.
    own: &'s [u8],
    /// The lookup type whose query this is: what is quoted for another is not safe in it.
    query: Option<u16>,
    /// What `$item` and `$value` carry from outside here.
    item: Option<Origin>,
    value: Option<Origin>,
}

impl<'s, 'c> Reader<'s, 'c> {
    fn new(survey: &'s Survey<'c>, flows: &'s Flows, own: &'s [u8]) -> Self {
        Self { survey, flows, own, query: None, item: None, value: None }
    }

    /// The same, where `$item` and `$value` are others.
    fn within(&self, item: Option<Origin>, value: Option<Origin>) -> Self {
        let Self { survey, flows, own, query, .. } = *self;
        Self { survey, flows, own, query, item, value }
    }

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
                // These are made of what comes from outside.
                let made = match name {
                    "item" => return self.item.clone(),
                    "value" => return self.value.clone(),
                    "local_part_prefix" => self.has_wildcards(router::LOCAL_PART_PREFIX),
                    "local_part_suffix" => self.has_wildcards(router::LOCAL_PART_SUFFIX),
                    _ => matches!(name, "sender_address_domain" | "sender_address_local_part"),
                };
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
                    TaintRule::Quoted => self.quoted(tree, op),
                    TaintRule::Clean | TaintRule::Tainted => None,
                }
            }
            Part::Item(id) => {
                let call = tree.view().call(*id);
                let args = tree.view().call_args(call);
                let def = &registry.item_at(call.def).meta;
                match def.taint {
                    TaintRule::Arguments => {
                        args.iter().find_map(|arg| self.branch(tree, arg, true))
                    }
                    TaintRule::Result => self.result(tree, def.name, args),
                    TaintRule::Clean | TaintRule::Tainted | TaintRule::Quoted => None,
                }
            }
            _ => None,
        }
    }

    /// What comes from outside and is quoted for another lookup type than the query's.
    fn quoted(&self, tree: &Tree, op: &OpNode) -> Option<Origin> {
        let registry = self.survey.registry;
        let wanted = self.query?;
        let by = registry.quoted_lookup(quoted_for(tree, op))?;
        if registry.quotes_alike(by, wanted) {
            return None;
        }
        let (name, _) = self.tainted(tree, op.arg)?;
        let (name, kind) = (name.trim_end_matches(','), registry.lookup_at(by).meta.name);
        Some((format!("{name}, quoted for {kind},"), op.span))
    }

    /// What an item makes of its arguments, where only some of them come out.
    fn result(&self, tree: &Tree, item: &str, args: &[Arg]) -> Option<Origin> {
        let texts = args.iter().filter_map(|arg| match arg {
            Arg::Text(seq) => Some(*seq),
            _ => None,
        });
        let texts: Vec<Seq> = texts.collect();
        let text = |number: usize| texts.get(number).and_then(|seq| self.tainted(tree, *seq));
        match item {
            "filter" | "imapfolder" | "sort" | "tr" => text(0),
            "sg" => {
                // Where all of it is replaced, nothing of it is left.
                let written = |number: usize| {
                    texts.get(number).map_or(&[][..], |seq| seq.span.of(tree.source()))
                };
                let is_all = |any: &str| memchr::memmem::find(written(1), any.as_bytes()).is_some();
                let kept = written(2).contains(&b'$') || ![".*", ".+"].into_iter().any(is_all);
                if kept { text(0) } else { None }
            }
            "listquote" => text(1),
            "map" => self.within(text(0), self.value.clone()).tainted(tree, *texts.get(1)?),
            "reduce" => self.within(text(0), text(1)).tainted(tree, *texts.get(2)?),
            "extract" => {
                // With a number, there is one argument more; the branches come behind them.
                let form = args.iter().any(|arg| matches!(arg, Arg::Word(_)));
                let key = tree.view().literal(*texts.first()?)?.trim_ascii();
                let digits = key.strip_prefix(b"-").unwrap_or(key);
                let is_number = digits.iter().all(u8::is_ascii_digit);
                let fixed = if is_number && !form { 3 } else { 2 };
                let found = text(fixed - 1);
                match texts.get(fixed..) {
                    Some(branches @ [_, ..]) => {
                        let inner = self.within(self.item.clone(), found);
                        branches.iter().find_map(|seq| inner.tainted(tree, *seq))
                    }
                    _ => found,
                }
            }
            "listextract" => {
                let found = text(1);
                match args.iter().any(|arg| matches!(arg, Arg::Yes(_))) {
                    true => self.within(self.item.clone(), found).branches(tree, args),
                    false => found,
                }
            }
            "if" => self.branches(tree, args),
            // What they find has rules of its own.
            _ => self.within(self.item.clone(), None).branches(tree, args),
        }
    }

    fn branches(&self, tree: &Tree, args: &[Arg]) -> Option<Origin> {
        args.iter().find_map(|arg| self.branch(tree, arg, false))
    }

    /// Whether each affix that routers take off has a wildcard in it: what that stands for is
    /// the client's.
    fn has_wildcards(&self, affix: DriverOpt<Str>) -> bool {
        let routers = self.survey.config.routers.iter();
        let mut affixes = routers.filter_map(|router| router.options.text(affix)).peekable();
        affixes.peek().is_some()
            && affixes.all(|affix| split(affix.bytes()).iter().all(|one| one.text.contains(&b'*')))
    }

    /// An argument whose text becomes part of a result.
    fn branch(&self, tree: &Tree, arg: &Arg, all: bool) -> Option<Origin> {
        match arg {
            Arg::Yes(seq) | Arg::No(seq) => self.tainted(tree, *seq),
            Arg::Text(seq) if all => self.tainted(tree, *seq),
            _ => None,
        }
    }
}
