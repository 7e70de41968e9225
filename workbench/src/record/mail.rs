//! What is kept of ACLs, routing, callouts, SMTP and hints.

use eximious::trace::{
    AclEvent, AclOutcome, AuthEvent, CalloutEvent, HintEvent, RewriteEvent, RouteEvent, SmtpEvent,
    SmtpSide,
};
use eximious::{AclVerb, Str};

use super::{Fact, Facts, StepRole, Told, bytes, maybe, value};

pub(super) fn acl(event: &AclEvent<'_>) -> Option<Told> {
    let kind = "acl";
    Some(match *event {
        AclEvent::Begin { name, .. } => {
            Told::new(kind, "acl", StepRole::Opens, vec![("acl", value(name))])
        }
        AclEvent::Statement { verb, .. } => {
            Told::new(kind, "statement", StepRole::Opens, vec![("verb", Fact::Word(verb.name()))])
        }
        AclEvent::Text { term, text } => {
            let facts = vec![("term", bytes(term.as_bytes())), ("text", value(text))];
            Told::new(kind, "text", StepRole::Stands, facts)
        }
        AclEvent::Endpass => {
            Told::new(kind, "term", StepRole::Gathers, vec![("term", Fact::Word("endpass"))])
        }
        AclEvent::Term { term, negated, variable, text, expanded } => {
            let mut facts = vec![("term", bytes(term.as_bytes()))];
            if negated {
                facts.push(("negated", Fact::Truth(true)));
            }
            maybe(&mut facts, "variable", variable.map(value));
            facts.push(("text", value(text)));
            maybe(&mut facts, "expanded", expanded.map(value));
            Told::new(kind, "term", StepRole::Gathers, facts)
        }
        AclEvent::Note { text } => {
            Told::new(kind, "note", StepRole::Stands, vec![("text", bytes(text))])
        }
        AclEvent::Ended { came, .. } => {
            let came = match came {
                AclOutcome::Holds => "holds",
                AclOutcome::Fails => "fails",
                AclOutcome::Deferred => "deferred",
                AclOutcome::Error => "error",
                AclOutcome::Drop => "drop",
                AclOutcome::Discard => "discard",
            };
            Told::new(kind, "ended", StepRole::Closes, vec![("came", Fact::Word(came))])
        }
        AclEvent::Denied { .. } => {
            Told::new(kind, "denied", StepRole::Closes, vec![("denied", Fact::Truth(true))])
        }
        AclEvent::Verdict { verb, .. } => {
            // What is required and does not hold is refused.
            let word = match verb {
                None => "implicit deny",
                Some(AclVerb::Require) => "deny",
                Some(verb) => verb.name(),
            };
            Told::new(kind, "verdict", StepRole::Closes, vec![("verdict", Fact::Word(word))])
        }
        AclEvent::Empty { name } => {
            Told::new(kind, "empty", StepRole::Stands, vec![("acl", value(name))])
        }
        AclEvent::Missing => Told::new(kind, "missing", StepRole::Stands, Facts::new()),
        _ => return None,
    })
}

pub(super) fn route(event: &RouteEvent<'_>) -> Option<Told> {
    let kind = "route";
    let of = |name, router: &[u8]| {
        Told::new(kind, name, StepRole::Stands, vec![("router", bytes(router))])
    };
    Some(match *event {
        RouteEvent::Verifying { address } => {
            Told::new(kind, "verifying", StepRole::Stands, vec![("address", bytes(address))])
        }
        RouteEvent::Considering { address } => {
            Told::new(kind, "considering", StepRole::Stands, vec![("address", bytes(address))])
        }
        RouteEvent::Begin { address } => {
            Told::new(kind, "address", StepRole::Opens, vec![("address", bytes(address))])
        }
        RouteEvent::Router { router, local_part, domain } => {
            let facts = vec![
                ("router", bytes(router)),
                ("local_part", bytes(local_part)),
                ("domain", bytes(domain)),
            ];
            Told::new(kind, "router", StepRole::Opens, facts)
        }
        RouteEvent::Checking { option, text } => {
            let mut facts = vec![("option", bytes(option.as_bytes()))];
            maybe(&mut facts, "text", text.map(bytes));
            Told::new(kind, "precondition", StepRole::Stands, facts)
        }
        RouteEvent::Skipped { why, .. } => {
            let facts = vec![("came", Fact::Word("skipped")), ("why", bytes(why))];
            Told::new(kind, "skipped", StepRole::Closes, facts)
        }
        RouteEvent::Calling { router } => of("runs", router),
        RouteEvent::Rerouted { address } => {
            Told::new(kind, "rerouted", StepRole::Stands, vec![("address", bytes(address))])
        }
        RouteEvent::Failed { .. } => {
            Told::new(kind, "failed", StepRole::Closes, vec![("came", Fact::Word("fails"))])
        }
        RouteEvent::Declined { .. } => {
            Told::new(kind, "declined", StepRole::Closes, vec![("came", Fact::Word("declines"))])
        }
        RouteEvent::Passed { .. } => {
            Told::new(kind, "passed", StepRole::Closes, vec![("came", Fact::Word("passes"))])
        }
        RouteEvent::Deferred { message, .. } => {
            let mut facts = vec![("came", Fact::Word("defers"))];
            maybe(&mut facts, "why", message.map(bytes));
            Told::new(kind, "deferred", StepRole::Closes, facts)
        }
        RouteEvent::Routed { unseen, transport, .. } => {
            let mut facts = vec![("came", Fact::Word("takes it"))];
            if unseen {
                facts.push(("unseen", Fact::Truth(true)));
            }
            maybe(&mut facts, "transport", transport.map(bytes));
            Told::new(kind, "routed", StepRole::Closes, facts)
        }
        RouteEvent::NoMore => Told::new(kind, "no more", StepRole::Stands, Facts::new()),
        RouteEvent::NoRouters => Told::new(kind, "no router left", StepRole::Stands, Facts::new()),
        RouteEvent::Generated { router, address } => {
            let facts = vec![("router", bytes(router)), ("address", bytes(address))];
            Told::new(kind, "generated", StepRole::Stands, facts)
        }
        _ => return None,
    })
}

pub(super) fn rewrite(event: &RewriteEvent<'_>) -> Told {
    let facts = vec![
        ("from", bytes(event.from)),
        ("to", bytes(event.to)),
        ("part", bytes(event.part.as_bytes())),
        ("rule", Fact::Number(event.rule as i64)),
    ];
    Told::new("rewrite", "rewritten", StepRole::Stands, facts)
}

pub(super) fn callout(event: &CalloutEvent<'_>) -> Option<Told> {
    let facts = match *event {
        CalloutEvent::Cache { text, key } => {
            vec![("text", bytes(text.as_bytes())), ("key", bytes(key))]
        }
        CalloutEvent::Note { text } => vec![("text", bytes(text))],
        _ => return None,
    };
    Some(Told::new("callout", "step", StepRole::Stands, facts))
}

pub(super) fn smtp(event: &SmtpEvent<'_>) -> Option<Told> {
    let line = |name: &'static str, side: SmtpSide, text: &[u8]| {
        let side = match side {
            SmtpSide::Server => "server",
            SmtpSide::Client => "client",
        };
        let facts = vec![("side", Fact::Word(side)), ("text", bytes(text))];
        Told::new("smtp", name, StepRole::Stands, facts)
    };
    Some(match *event {
        SmtpEvent::Received { side, text } => line("received", side, text),
        SmtpEvent::Sent { side, text } => line("sent", side, text),
        SmtpEvent::Step { text } => {
            Told::new("smtp", "step", StepRole::Stands, vec![("text", bytes(text))])
        }
        _ => return None,
    })
}

pub(super) fn hint(event: &HintEvent<'_>) -> Option<Told> {
    let of = |name: &'static str, space: &str, key: &[u8]| {
        let facts = vec![("space", bytes(space.as_bytes())), ("key", bytes(key))];
        Told::new("hint", name, StepRole::Stands, facts)
    };
    Some(match *event {
        HintEvent::Read { space, key, age } => {
            let mut told = of("read", space, key);
            maybe(&mut told.facts, "age", age.map(Fact::Number));
            told
        }
        HintEvent::Write { space, key } => of("kept", space, key),
        HintEvent::Failed { space, why } => {
            let facts = vec![("space", bytes(space.as_bytes())), ("why", bytes(why.as_bytes()))];
            Told::new("hint", "failed", StepRole::Stands, facts)
        }
        _ => return None,
    })
}

pub(super) fn auth(event: &AuthEvent<'_>) -> Option<Told> {
    let facts = match *event {
        AuthEvent::Condition { authenticator } => vec![("authenticator", bytes(authenticator))],
        AuthEvent::Value { name, value } => {
            vec![("variable", bytes(name.as_bytes())), ("value", Fact::Text(Str::tainted(value)))]
        }
        AuthEvent::Expanded { value } => vec![("expanded", bytes(value))],
        AuthEvent::Failed { why } => vec![("failure", bytes(why))],
        AuthEvent::Note { text } => vec![("text", bytes(text))],
        _ => return None,
    };
    Some(Told::new("auth", "step", StepRole::Stands, facts))
}
