//! What decided.

use eximious::trace::TracePlace;

use crate::record::Fact;
use crate::trace::{TextStyle, lines, on_one_line, summary};
use crate::tree::TraceNode;

/// What a decision is owed to: from the ACL or the address down to the condition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Because {
    /// What was decided: `acl check_rcpt → deny`.
    pub what: String,
    /// Where that stands.
    pub place: Option<TracePlace>,
    /// What it came of, in lines.
    pub parts: Vec<String>,
}

/// What the last ACL, or the last address, that came to an end was decided by; several
/// where one called another.
pub fn why(nodes: &[TraceNode]) -> Vec<Because> {
    let mut found = Vec::new();
    // An address, and those that came of it.
    let routed = |node: &TraceNode| node.is("route", "address");
    let is_session = nodes.iter().any(|node| node.is("acl", "acl") || node.is("smtp", "received"));
    if nodes.iter().any(routed) && !is_session {
        nodes.iter().filter(|node| routed(node)).for_each(|node| explain(node, &mut found));
    } else if let Some(last) = last_decided(nodes) {
        explain(last, &mut found);
    }
    found
}

/// The last ACL with a verdict, or address that was routed, from the outside in.
fn last_decided(nodes: &[TraceNode]) -> Option<&TraceNode> {
    nodes.iter().rev().find_map(|node| {
        let is_acl = node.is("acl", "acl");
        let decided = match is_acl {
            true => node.fact("verdict").is_some() || gave_up(node),
            false => node.is("route", "address"),
        };
        match decided {
            true => Some(node),
            // An ACL that is under way: what it has called.
            false => last_decided(&node.parts),
        }
    })
}

/// Whether an ACL ended because one of its conditions can't be told.
fn gave_up(acl: &TraceNode) -> bool {
    let last = acl.parts.iter().rfind(|part| part.is("acl", "statement"));
    last.is_some_and(|last| matches!(&*last.text("came").display(), "deferred" | "error"))
}

fn explain(node: &TraceNode, found: &mut Vec<Because>) {
    let (what, came) = summary(node);
    if node.is("route", "address") {
        let parts = node.parts.iter().filter(|part| part.is("route", "router")).map(|router| {
            let (what, came) = summary(router);
            let at = router.step.place.as_ref().map(|place| format!("  [line {}]", place.line));
            format!("{what}: {came}{}", at.unwrap_or_default())
        });
        let mut parts: Vec<_> = parts.collect();
        if node.parts.iter().any(|part| part.is("route", "no router left")) {
            parts.push("no router is left".to_owned());
        }
        found.push(Because { what, place: node.step.place.clone(), parts });
        return;
    }
    let statements = || node.parts.iter().filter(|part| part.is("acl", "statement"));
    let came = if came.is_empty() { "defer".to_owned() } else { came };
    let decided = node.text("verdict").display() != "implicit deny";
    let Some(statement) = statements().next_back().filter(|_| decided) else {
        let mut parts: Vec<_> = statements().map(passed).collect();
        parts.push("no statement is left: what none accepts is refused".to_owned());
        found.push(Because { what: format!("{what} → {came}"), place: None, parts });
        return;
    };
    let verb = statement.text("verb").display().into_owned();
    let mut parts = Vec::new();
    for term in statement.parts.iter().filter(|part| part.is("acl", "term")) {
        parts.extend(lines(std::slice::from_ref(term), TextStyle::default()));
    }
    if parts.is_empty() {
        parts.push(format!("{verb} has no conditions"));
    }
    let before: Vec<_> =
        statements().filter(|one| one.step.number < statement.step.number).collect();
    if !before.is_empty() {
        parts.push("before it:".to_owned());
        parts.extend(before.into_iter().map(|one| format!("  {}", passed(one))));
    }
    found.push(Because {
        what: format!("{what} → {came}, by {verb}"),
        place: statement.step.place.clone(),
        parts,
    });
    // A condition that called another ACL: that one decided.
    if let Some(term) = statement.parts.iter().rfind(|part| part.is("acl", "term"))
        && let Some(called) = term.parts.iter().rfind(|part| part.is("acl", "acl"))
    {
        explain(called, found);
    }
}

/// A statement that decided nothing, in a line.
fn passed(statement: &TraceNode) -> String {
    let (verb, came) = summary(statement);
    let at = statement.step.place.as_ref().map_or(0, |place| place.line);
    format!("{verb} (line {at}): {came}{}", failing(statement))
}

/// The condition that a statement failed at.
fn failing(statement: &TraceNode) -> String {
    let term = statement.parts.iter().rfind(|part| part.is("acl", "term"));
    match term.filter(|term| term.fact("holds") == Some(&Fact::Truth(false))) {
        Some(term) => {
            let text = on_one_line(&term.text("text"));
            format!(" at {} = {text}", term.text("term").display())
        }
        None => String::new(),
    }
}
