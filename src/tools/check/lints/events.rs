//! Events that there are not.

use eximious_core::Registry;
use eximious_grammar::expansion::{Arg, Part, Seq, Tree};
use eximious_stdlib::event;
use eximious_stdlib::variables::var::EVENT_NAME;

use crate::tools::check::{Lint, Severity};

/// W220.
pub(super) static UNKNOWN_EVENT: Lint = Lint {
    code: "W220",
    name: "unknown-event",
    severity: Severity::Warning,
    summary: "`$event_name` is compared with a name that no event has.",
    docs: "The condition never holds, and what was to be done on the event is not done. \
           `eximious help events` shows all.",
    bad: "event_action = ${if eq{msg:complet}{$event_name}{${lookup{x}lsearch{/etc/x}}}}\n",
    good: "event_action = ${if eq{msg:complete}{$event_name}{${lookup{x}lsearch{/etc/x}}}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            for condition in tree.conds() {
                let fold = match survey.registry.condition_at(condition.def).meta.name {
                    "eq" => false,
                    "eqi" => true,
                    _ => continue,
                };
                let (left, right) = match tree.view().cond_args(condition) {
                    [Arg::Text(left), Arg::Text(right)] => (*left, *right),
                    _ => continue,
                };
                let is_name = |seq| is_event_name(survey.registry, tree, seq);
                let other = match (is_name(left), is_name(right)) {
                    (true, false) => right,
                    (false, true) => left,
                    _ => continue,
                };
                let Some(word) = tree.view().literal(other) else { continue };
                let is_known = event::ALL.iter().any(|event| match fold {
                    true => word.eq_ignore_ascii_case(event.name.as_bytes()),
                    false => word == event.name.as_bytes(),
                });
                // Whether there is an event at all.
                if is_known || word.is_empty() {
                    continue;
                }
                let shown = String::from_utf8_lossy(word);
                let help = findings.offer("", &shown, event::ALL.iter().map(|event| event.name));
                let message = format!("no event is called \"{shown}\"");
                findings.add_with(text.spot(other.span), message, help);
            }
        }
    },
};

/// Whether a string is the event's name, and nothing else.
fn is_event_name(registry: &Registry, tree: &Tree, seq: Seq) -> bool {
    match tree.view().pieces(seq) {
        [piece] => match piece.part {
            Part::Variable(id) => registry.variable_at(id).meta.name == EVENT_NAME.name(),
            _ => false,
        },
        _ => false,
    }
}
