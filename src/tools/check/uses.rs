//! Where names stand that a configuration gives: lists, ACLs, instances of drivers.

use eximious_core::{DriverKind, ListKind, OptionDef, OptionKind, Str};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Part, Seq, Tree};
use eximious_stdlib::options::opt::router;

use super::graph::{acl_named, acls_called, phase_of};
use super::items::{Item, items, split, split_on};
use super::survey::list_of;
use super::{Spot, Survey, Text};
use crate::config::rewrite_rules;

/// Is told of the name of a list, of which kinds it may be, and where it stands.
pub(in crate::tools) type ListFound<'f> = &'f mut dyn FnMut(&[ListKind], &[u8], Spot);
/// Is told of a name, and where it stands.
pub(in crate::tools) type NameFound<'f> = &'f mut dyn FnMut(&[u8], Spot);

/// All kinds of lists.
pub(super) const KINDS: [ListKind; 4] =
    [ListKind::Address, ListKind::Domain, ListKind::Host, ListKind::LocalPart];

/// Where lists are named.
pub(in crate::tools) fn of_lists(survey: &Survey<'_>, found: ListFound<'_>) {
    for text in &survey.texts {
        if let Some(kind) = text.list {
            for item in items(&text.text, text.tree.as_ref()) {
                listed(kind, &item, &|span| text.spot(span), found);
            }
            chosen(survey, text, &mut |list, start| {
                for item in split(list) {
                    listed(kind, &item, &|span| text.spot(shifted(span, start)), found);
                }
            });
        }
        for rule in route_rules(text) {
            let (domain, at) = &rule[0];
            for item in split(domain).iter().take(1) {
                let spot = |span| text.spot(shifted(span, *at));
                listed(ListKind::Domain, item, &spot, found);
            }
        }
        if let Some(tree) = &text.tree {
            in_expansion(survey, text, tree, found);
        }
        if text.option().is_some_and(|option| phase_of(option.meta.name).is_some()) {
            in_statements(survey, text, &text.text, 0, found);
            chosen(survey, text, &mut |literal, at| {
                in_statements(survey, text, literal, at, found);
            });
        }
        let rewrites = text.option().is_some_and(|option| option.kind == OptionKind::Rewrite);
        let rules = if rewrites { rewrite_rules(&text.text) } else { Ok(Vec::new()) };
        for rule in rules.unwrap_or_default() {
            pattern(survey, &rule.pattern, text.line, found);
        }
    }
    for (rule, line) in &survey.config.rewrite {
        pattern(survey, &rule.pattern, *line, found);
    }
    for (rule, line) in &survey.config.retry {
        pattern(survey, &rule.pattern, *line, found);
    }
    for (rule, line) in &survey.config.retry {
        senders(survey, rule.senders.as_ref(), *line, found);
    }
}

/// The senders that a rule for retries is for.
fn senders(survey: &Survey<'_>, list: Option<&Str>, line: usize, found: ListFound<'_>) {
    let Some(list) = list.map(Str::bytes).filter(|list| !list.contains(&b'$')) else { return };
    let text = &survey.config.lines[line].text;
    let Some(start) = memchr::memmem::find(text, list) else { return };
    for item in split(list) {
        let spot = |span| Spot::Line(line, shifted(span, start));
        listed(ListKind::Address, &item, &spot, found);
    }
}

/// A part of a text that begins at an offset.
fn shifted(span: Span, start: usize) -> Span {
    Span::new(start + span.start as usize, start + span.end as usize)
}

/// What a string can come to as a whole, as far as that is written in it: itself, or the
/// branches of an item that chooses between them.
pub(super) fn outcomes(
    survey: &Survey<'_>,
    tree: &Tree,
    seq: Seq,
    found: &mut dyn FnMut(Seq, &[u8]),
) {
    if let Some(literal) = tree.view().literal(seq) {
        return found(seq, literal);
    }
    let pieces = tree.view().pieces(seq).iter().map(|piece| piece.part);
    let mut parts = pieces.filter(|part| match part {
        Part::Text(span) => !tree.view().text(*span).trim_ascii().is_empty(),
        _ => true,
    });
    let (Some(Part::Item(id)), None) = (parts.next(), parts.next()) else { return };
    let call = tree.view().call(id);
    let name = survey.registry.item_at(call.def).meta.name;
    if matches!(name, "extract" | "if" | "listextract" | "lookup") {
        let args = tree.view().call_args(call);
        // The branches of `extract` are told from its arguments by their number alone.
        let mut left =
            if name == "extract" { arguments_of_extract(tree, args) } else { usize::MAX };
        for arg in args {
            match arg {
                Arg::Yes(seq) | Arg::No(seq) => outcomes(survey, tree, *seq, found),
                Arg::Text(seq) if left == 0 => outcomes(survey, tree, *seq, found),
                Arg::Text(_) => left -= 1,
                _ => {}
            }
        }
    }
}

/// How many strings stand before the branches of `extract`: three, where the first is the
/// number of a field. One that is expanded may be either, and no branch is told then.
fn arguments_of_extract(tree: &Tree, args: &[Arg]) -> usize {
    if matches!(args.first(), Some(Arg::Word(_))) {
        return 2;
    }
    let Some(Arg::Text(key)) = args.first() else { return usize::MAX };
    let Some(key) = tree.view().literal(*key).map(<[u8]>::trim_ascii) else { return usize::MAX };
    let digits = key.strip_prefix(b"-").unwrap_or(key);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_number { 3 } else { 2 }
}

/// The branches that a text may come to as a whole, word for word, and where each begins.
fn chosen(survey: &Survey<'_>, text: &Text<'_>, found: &mut dyn FnMut(&[u8], usize)) {
    let Some(tree) = &text.tree else { return };
    if tree.view().literal(tree.root).is_some() {
        return;
    }
    outcomes(survey, tree, tree.root, &mut |seq, literal| {
        if literal == seq.span.of(tree.source()) {
            found(literal, seq.span.start as usize);
        }
    });
}

/// Lists in an ACL that stands in an option itself, or in a branch of it.
fn in_statements(
    survey: &Survey<'_>,
    text: &Text<'_>,
    acl: &[u8],
    start: usize,
    found: ListFound<'_>,
) {
    let word = acl.trim_ascii_start().split(|c| !c.is_ascii_alphabetic()).next();
    if word.and_then(eximious_core::AclVerb::of).is_none() {
        return;
    }
    let statements = crate::config::acl_statements(acl, survey.registry).unwrap_or_default();
    for term in statements.iter().flat_map(|statement| &statement.terms) {
        let list = term.text.bytes();
        let kind = list_of(term.term.meta.name);
        let at = memchr::memmem::find(acl, list);
        let (Some(kind), Some(at)) = (kind, at) else { continue };
        for item in items(list, survey.parse(list).as_ref()) {
            listed(kind, &item, &|span| text.spot(shifted(span, start + at)), found);
        }
    }
}

/// An item that names a list.
fn listed(kind: ListKind, item: &Item, spot: &dyn Fn(Span) -> Spot, found: ListFound<'_>) {
    let at = item.span.start as usize;
    let whole = spot(Span::new(at, at + item.text.len()));
    if let Some(name) = item.named() {
        found(&[kind], name, whole);
    } else if kind == ListKind::Address && item.plain() {
        // The domain of an address may be a list of domains.
        let domain = item.text.rsplit(|c| *c == b'@').next().unwrap_or_default();
        let domain = Item { text: domain.to_vec(), ..item.clone() };
        if let Some(name) = domain.named() {
            found(&[ListKind::Domain], name, whole);
        }
    }
}

/// The pattern of a rule: `+name`, `*@+name`, `user@+name`.
fn pattern(survey: &Survey<'_>, pattern: &Str, line: usize, found: ListFound<'_>) {
    let whole = pattern.bytes();
    let (kinds, name): (&[ListKind], _) = match memchr::memrchr(b'@', whole) {
        Some(at) => (&[ListKind::Domain], &whole[at + 1..]),
        None => (&[ListKind::Domain, ListKind::Address], whole),
    };
    let item = Item { text: name.to_vec(), negated: false, span: Span::new(0, name.len()) };
    if let Some(name) = item.named() {
        let text = &survey.config.lines[line].text;
        let at = memchr::memmem::find(text, &item.text).unwrap_or(0);
        let spot = Spot::Line(line, Span::new(at, at + item.text.len()));
        found(kinds, name, spot);
    }
}

/// Lists in conditions, and the name after `listnamed`.
fn in_expansion(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, found: ListFound<'_>) {
    for condition in tree.conds() {
        let kind = match survey.registry.condition_at(condition.def).meta.name {
            "match_address" => ListKind::Address,
            "match_domain" => ListKind::Domain,
            "match_ip" => ListKind::Host,
            "match_local_part" => ListKind::LocalPart,
            _ => continue,
        };
        let Some(Arg::Text(seq)) = tree.view().cond_args(condition).get(1) else { continue };
        let source = seq.span.of(tree.source());
        let literal = tree.view().literal(*seq).is_some_and(|literal| literal == source);
        for item in split(source).iter().filter(|_| literal) {
            let spot = |span| text.spot(shifted(span, seq.span.start as usize));
            listed(kind, item, &spot, found);
        }
    }
    for op in tree.ops() {
        let name = op.name.of(tree.source());
        let Some(sign) = name.strip_prefix(b"listnamed") else { continue };
        let Some(list) = tree.view().literal(op.arg) else { continue };
        let list = list.trim_ascii();
        let list = list.strip_prefix(b"+").unwrap_or(list);
        let one: &[ListKind] = match sign {
            b"_a" => &[ListKind::Address],
            b"_d" => &[ListKind::Domain],
            b"_h" => &[ListKind::Host],
            b"_l" => &[ListKind::LocalPart],
            _ => &KINDS,
        };
        found(one, list, text.spot(op.arg.span));
    }
}

/// Where ACLs are named; one whose text is expanded first is none.
pub(in crate::tools) fn of_acls(survey: &Survey<'_>, found: NameFound<'_>) {
    for text in &survey.texts {
        let option = text.option().map_or("", |option| option.meta.name);
        let names_acl =
            phase_of(option).is_some() || text.term().is_some_and(|t| t.meta.name == "acl");
        let mut named = |text: &[u8], spot: Spot| {
            let Some(name) = acl_named(text) else { return };
            // A file, or statements in the option itself.
            let verb = eximious_core::AclVerb::of(name).is_some();
            if !name.starts_with(b"/") && !verb && !text.contains(&b'\n') {
                found(name, spot);
            }
        };
        if names_acl && let Some(name) = acl_named(&text.text) {
            let at = text.text.iter().take_while(|c| c.is_ascii_whitespace()).count();
            // What stands behind it is for that ACL.
            named(&text.text, text.spot(Span::new(at, at + name.len())));
        } else if names_acl {
            chosen(survey, text, &mut |literal, at| {
                named(literal, text.spot(Span::new(at, at + literal.len())));
            });
        }
        if let Some(tree) = &text.tree {
            for first in acls_called(survey, tree) {
                if let Some(name) = tree.view().literal(first) {
                    let name = name.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
                    found(name.unwrap_or_default(), text.spot(first.span));
                }
            }
        }
    }
}

/// Where transports are named.
pub(in crate::tools) fn of_transports(survey: &Survey<'_>, found: NameFound<'_>) {
    const OPTIONS: [&[u8]; 6] =
        [b"bydns", b"byname", b"ipv4_only", b"ipv4_prefer", b"no_randomize", b"randomize"];
    for text in &survey.texts {
        for rule in route_rules(text) {
            let words = rule.iter().skip(2).filter(|(word, _)| !word.contains(&b'$'));
            for (word, at) in words.filter(|(word, _)| !OPTIONS.contains(&word.as_slice())) {
                found(word, text.spot(Span::new(*at, at + word.len())));
            }
        }
        let Some(option) = text.option() else { continue };
        if !names_transport(option) {
            continue;
        }
        if !text.text.contains(&b'$') && !text.text.is_empty() {
            found(&text.text, text.whole());
        }
        chosen(survey, text, &mut |name, at| {
            if !name.is_empty() {
                found(name, text.spot(Span::new(at, at + name.len())));
            }
        });
    }
}

/// Where authenticators are named: in lists of those that a client may have used. Case does
/// not count there.
pub(in crate::tools) fn of_authenticators(survey: &Survey<'_>, found: NameFound<'_>) {
    for text in &survey.texts {
        if text.term().is_none_or(|term| term.meta.name != "authenticated") {
            continue;
        }
        for item in items(&text.text, text.tree.as_ref()) {
            let name = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
            if item.text.iter().all(name) {
                let start = item.span.start as usize;
                found(&item.text, text.spot(Span::new(start, start + item.text.len())));
            }
        }
    }
}

/// Where routers are named by other routers.
fn of_routers(survey: &Survey<'_>, found: NameFound<'_>) {
    for text in &survey.texts {
        if text.option().is_some_and(names_router) && !text.text.is_empty() {
            found(&text.text, text.whole());
        }
    }
}

/// Where instances of drivers are named.
pub(in crate::tools) fn of_instances(
    survey: &Survey<'_>,
    found: &mut dyn FnMut(DriverKind, &[u8], Spot),
) {
    of_routers(survey, &mut |name, spot| found(DriverKind::Router, name, spot));
    of_transports(survey, &mut |name, spot| found(DriverKind::Transport, name, spot));
    of_authenticators(survey, &mut |name, spot| found(DriverKind::Authenticator, name, spot));
}

/// The lists of hosts in a `route_list`, which are expanded one by one, and where they stand.
pub(super) fn route_hosts(text: &Text<'_>) -> impl Iterator<Item = (Vec<u8>, Span)> {
    // Where the rules have a separator of their own, nobody knows here where they end.
    let rules = if text.text.starts_with(b"<") { Vec::new() } else { route_rules(text) };
    rules.into_iter().filter_map(|rule| {
        let (hosts, at) = rule.into_iter().nth(1)?;
        let span = Span::new(at, at + hosts.len());
        Some((hosts, span))
    })
}

/// The rules of a `route_list`, none of them empty: the words of each, and where
/// they begin.
fn route_rules(text: &Text<'_>) -> Vec<Vec<(Vec<u8>, usize)>> {
    if text.option().is_none_or(|option| !router::manualroute::ROUTE_LIST.is(option)) {
        return Vec::new();
    }
    let rules = split_on(&text.text, b';').into_iter().map(|rule| {
        let from = rule.span.start as usize;
        let (mut words, mut at) = (Vec::new(), 0);
        while at < rule.text.len() {
            let rest = &rule.text[at..];
            let quoted =
                rest.starts_with(b"\"").then(|| memchr::memchr(b'"', &rest[1..])).flatten();
            let length = match quoted {
                Some(end) => end + 2,
                None => rest.iter().take_while(|c| !c.is_ascii_whitespace()).count(),
            };
            let word = rest[..length].trim_ascii();
            let bare = word.strip_prefix(b"\"").and_then(|word| word.strip_suffix(b"\""));
            if length > 0 {
                words.push((bare.unwrap_or(word).to_vec(), from + at));
            }
            at += length.max(1);
        }
        words
    });
    rules.filter(|rule: &Vec<_>| !rule.is_empty()).collect()
}

/// Whether an option holds the name of a transport.
pub(in crate::tools) fn names_transport(option: &OptionDef) -> bool {
    let name = option.meta.name;
    router::TRANSPORT.is(option)
        || (name.ends_with("_transport") && option.kind == OptionKind::Text)
}

/// Whether an option holds the name of a router.
pub(in crate::tools) fn names_router(option: &OptionDef) -> bool {
    router::PASS_ROUTER.is(option) || router::REDIRECT_ROUTER.is(option)
}
