//! What is kept of strings, lists, look-ups, hosts and commands.

use eximious::Str;
use eximious::trace::{
    DnsEvent, DnsOutcome, ExpansionEvent, HostEvent, ListEvent, LookupEvent, ProcessEvent,
    TracePiece,
};

use super::{Fact, Facts, StepRole, Told, bytes, maybe, value};

/// How many records of an answer are kept.
const MOST_RECORDS: usize = 8;

pub(super) fn expansion(event: &ExpansionEvent<'_>) -> Option<Told> {
    let kind = "expansion";
    Some(match *event {
        ExpansionEvent::Begin { source, span, skipped } => {
            let mut facts = vec![("text", bytes(span.of(source)))];
            facts.push(("span", Fact::Span(span.start, span.end)));
            if skipped {
                facts.push(("skipped", Fact::Truth(true)));
            }
            Told::new(kind, "string", StepRole::Opens, facts)
        }
        ExpansionEvent::Piece { source, span, piece, value: came, .. } => {
            let name = match piece {
                TracePiece::Text => "text",
                TracePiece::Variable => "variable",
                TracePiece::Numeric => "numeric",
                TracePiece::Header => "header",
                TracePiece::Operator => "operator",
                TracePiece::Item => "item",
                _ => "piece",
            };
            let mut facts = vec![("text", bytes(span.of(source)))];
            facts.push(("span", Fact::Span(span.start, span.end)));
            maybe(&mut facts, "value", came.map(value));
            Told::new(kind, name, StepRole::Gathers, facts)
        }
        ExpansionEvent::Condition { source, span, holds } => {
            let mut facts = vec![("text", bytes(span.of(source)))];
            facts.push(("span", Fact::Span(span.start, span.end)));
            maybe(&mut facts, "holds", holds.map(Fact::Truth));
            Told::new(kind, "condition", StepRole::Gathers, facts)
        }
        ExpansionEvent::End { value: came, .. } => {
            let mut facts = Facts::new();
            maybe(&mut facts, "value", came.map(value));
            Told::new(kind, "end", StepRole::Closes, facts)
        }
        ExpansionEvent::Failed { fail, .. } => {
            let facts = vec![("failure", bytes(fail.message()))];
            Told::new(kind, "failed", StepRole::Closes, facts)
        }
        _ => return None,
    })
}

pub(super) fn list(event: &ListEvent<'_>) -> Option<Told> {
    let kind = "list";
    Some(match *event {
        ListEvent::Begin { subject, list } => {
            let facts = vec![("subject", bytes(subject)), ("list", bytes(list))];
            Told::new(kind, "list", StepRole::Opens, facts)
        }
        ListEvent::Element { text } => {
            Told::new(kind, "element", StepRole::Stands, vec![("text", bytes(text))])
        }
        ListEvent::End { matches, element, owed, .. } => {
            let mut facts = Facts::new();
            maybe(&mut facts, "matches", matches.map(Fact::Truth));
            maybe(&mut facts, "element", element.map(bytes));
            maybe(&mut facts, "owed", owed.map(bytes));
            Told::new(kind, "end", StepRole::Closes, facts)
        }
        ListEvent::Unset { subject, option } => {
            let mut facts = vec![("subject", bytes(subject))];
            maybe(&mut facts, "list", option.map(|option| bytes(option.as_bytes())));
            Told::new(kind, "unset", StepRole::Stands, facts)
        }
        ListEvent::Forced { list } => {
            Told::new(kind, "forced", StepRole::Stands, vec![("list", bytes(list))])
        }
        ListEvent::SublistBegin { name } => {
            Told::new(kind, "named", StepRole::Opens, vec![("list", bytes(name))])
        }
        ListEvent::SublistEnd { .. } => Told::new(kind, "end", StepRole::Closes, Facts::new()),
        ListEvent::Known { name, matches, .. } => {
            let facts = vec![("list", bytes(name)), ("matches", Fact::Truth(matches))];
            Told::new(kind, "known", StepRole::Stands, facts)
        }
        ListEvent::Ignored { why, .. } => {
            Told::new(kind, "ignored", StepRole::Stands, vec![("why", bytes(why))])
        }
        _ => return None,
    })
}

pub(super) fn lookup(event: &LookupEvent<'_>) -> Option<Told> {
    let name = "lookup";
    Some(match *event {
        LookupEvent::Begin { kind, file, key, .. } => {
            let mut facts = vec![("type", bytes(kind.as_bytes()))];
            maybe(&mut facts, "file", Some(file).filter(|file| !file.is_empty()).map(bytes));
            facts.push(("key", bytes(key)));
            Told::new(name, "lookup", StepRole::Opens, facts)
        }
        LookupEvent::Key { key, cached, .. } => {
            let mut facts = vec![("key", bytes(key))];
            if cached {
                facts.push(("cached", Fact::Truth(true)));
            }
            Told::new(name, "key", StepRole::Stands, facts)
        }
        LookupEvent::Answer { key, found, cached } => {
            let mut facts = vec![("key", bytes(key))];
            match found {
                Ok(found) => maybe(&mut facts, "value", found.map(value)),
                Err(why) => facts.push(("failure", bytes(why))),
            }
            if cached {
                facts.push(("cached", Fact::Truth(true)));
            }
            Told::new(name, "answer", StepRole::Stands, facts)
        }
        LookupEvent::End { found } => {
            Told::new(name, "end", StepRole::Closes, vec![("found", Fact::Truth(found))])
        }
        _ => return None,
    })
}

pub(super) fn dns(event: &DnsEvent<'_>) -> Option<Told> {
    Some(match *event {
        DnsEvent::Begin { name, kind } => {
            let facts = vec![("key", bytes(name.as_bytes())), ("type", bytes(kind.as_bytes()))];
            Told::new("dns", "question", StepRole::Opens, facts)
        }
        DnsEvent::End { name, kind, answer, records, cached } => {
            let answer = match answer {
                DnsOutcome::Found => "found",
                DnsOutcome::NoName => "no such name",
                DnsOutcome::NoData => "no such records",
                DnsOutcome::Later => "no answer now",
                _ => "no answer ever",
            };
            let mut facts = vec![("key", bytes(name.as_bytes())), ("type", bytes(kind.as_bytes()))];
            facts.push(("answer", Fact::Word(answer)));
            facts.push(("records", Fact::Number(records.len() as i64)));
            if !records.is_empty() {
                let shown = records.iter().take(MOST_RECORDS);
                facts.push((
                    "data",
                    Fact::Texts(shown.map(|one| Str::tainted(one.written())).collect()),
                ));
            }
            if cached {
                facts.push(("cached", Fact::Truth(true)));
            }
            Told::new("dns", "question", StepRole::Closes, facts)
        }
        _ => return None,
    })
}

pub(super) fn host(event: &HostEvent<'_>) -> Told {
    let kind = "host";
    let texts = |names: &[String]| Fact::Texts(names.iter().map(|n| Str::from(&n[..])).collect());
    match *event {
        HostEvent::Begin { address } => {
            Told::new(kind, "name wanted", StepRole::Opens, vec![("address", bytes(address))])
        }
        HostEvent::Names { names } => {
            Told::new(kind, "names", StepRole::Stands, vec![("names", texts(names))])
        }
        HostEvent::Addresses { name, addresses } => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let facts = vec![("name", bytes(name)), ("addresses", texts(&addresses))];
            Told::new(kind, "addresses", StepRole::Stands, facts)
        }
        HostEvent::Missing { name, line } => {
            let facts = vec![("name", bytes(name)), ("why", bytes(line))];
            Told::new(kind, "no address", StepRole::Stands, facts)
        }
        HostEvent::Refused { why } => {
            Told::new(kind, "refused", StepRole::Stands, vec![("why", bytes(why))])
        }
        HostEvent::Hello { argument } => {
            Told::new(kind, "hello", StepRole::Stands, vec![("name", bytes(argument))])
        }
        HostEvent::NameWanted { pattern } => {
            Told::new(kind, "name wanted for", StepRole::Stands, vec![("pattern", bytes(pattern))])
        }
        HostEvent::IllegalName => {
            Told::new(kind, "a name that no host can have", StepRole::Stands, Facts::new())
        }
        HostEvent::NoPtr => Told::new(kind, "no answer now", StepRole::Stands, Facts::new()),
        HostEvent::BySystem => {
            Told::new(kind, "the system is asked", StepRole::Stands, Facts::new())
        }
        HostEvent::EmptyName => Told::new(kind, "an empty name", StepRole::Stands, Facts::new()),
        HostEvent::NoName { why } => {
            let name = if why == 1 { "no name" } else { "no name now" };
            Told::new(kind, name, StepRole::Stands, Facts::new())
        }
        HostEvent::Qualified { name } => {
            Told::new(kind, "full name", StepRole::Stands, vec![("name", bytes(name))])
        }
        HostEvent::Local => Told::new(kind, "is this one", StepRole::Stands, Facts::new()),
        HostEvent::LocalFirst => {
            Told::new(kind, "the most preferred is this one", StepRole::Stands, Facts::new())
        }
        HostEvent::LocalRemoved { hosts } => {
            Told::new(kind, "this one goes", StepRole::Stands, vec![("hosts", texts(hosts))])
        }
        HostEvent::Checked { name, addresses, client, later } => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let facts = vec![
                ("name", bytes(name)),
                ("addresses", texts(&addresses)),
                ("client", bytes(client.to_string().as_bytes())),
                ("later", Fact::Truth(later)),
            ];
            Told::new(kind, "is compared", StepRole::Stands, facts)
        }
        HostEvent::HelloIsAddress => {
            Told::new(kind, "hello is its address", StepRole::Stands, Facts::new())
        }
        HostEvent::HelloIsName { alias } => {
            let mut facts = Facts::new();
            maybe(&mut facts, "alias", alias.map(bytes));
            Told::new(kind, "hello is its name", StepRole::Stands, facts)
        }
        HostEvent::HelloResolved { name } => {
            Told::new(kind, "hello is looked up", StepRole::Stands, vec![("name", bytes(name))])
        }
        HostEvent::HelloLeads { name, secure } => {
            let facts = vec![("name", bytes(name)), ("secure", Fact::Truth(secure))];
            Told::new(kind, "hello leads to it", StepRole::Stands, facts)
        }
        HostEvent::HelloForgiven { word } => {
            Told::new(kind, "hello is let pass", StepRole::Stands, vec![("command", bytes(word))])
        }
        // What is new has no words of its own yet.
        _ => Told::new(kind, "step", StepRole::Stands, Facts::new()),
    }
}

pub(super) fn process(event: &ProcessEvent<'_>) -> Option<Told> {
    let kind = "process";
    Some(match *event {
        ProcessEvent::Begin { command } => {
            let words = command.iter().map(|word| Str::from(&word[..])).collect();
            Told::new(kind, "command", StepRole::Opens, vec![("command", Fact::Texts(words))])
        }
        ProcessEvent::End { status, size } => {
            let facts =
                vec![("status", Fact::Number(status.into())), ("bytes", Fact::Number(size as i64))];
            Told::new(kind, "end", StepRole::Closes, facts)
        }
        ProcessEvent::Failed { why } => {
            Told::new(kind, "failed", StepRole::Closes, vec![("failure", bytes(why))])
        }
        _ => return None,
    })
}
