//! What a run of an ACL tells of its steps.

use eximious_core::Str;
use eximious_core::trace::{AclEvent, Happening, TraceKinds, TraceParent};
use eximious_stdlib::at_work::ConfigWorker;
use eximious_stdlib::variables::var;

use super::machine::{AclVerdict, Run};
use super::{Named, Statement};
use crate::config::AclLineTerm;
use crate::engine::RunStop;

impl Run<'_> {
    /// Tells a step.
    pub(super) fn step(&mut self, step: AclEvent<'_>) {
        self.cx.trace().tell_at(self.depth, Happening::Acl(step));
    }

    pub(super) fn note(&mut self, text: &[u8]) {
        self.step(AclEvent::Note { text });
    }

    /// Something of a list in the DNS, in Exim's words.
    pub(super) fn note_dnsbl(&mut self, text: &[u8]) {
        self.cx.note(TraceKinds::DNSBL, text);
    }

    /// As [`Run::told`], with the statement for what is at work.
    pub(super) fn at_work(&mut self, acl: &Named, statement: &Statement) -> Option<AclVerdict> {
        let name = Str::fixed(statement.written.verb.name());
        let (place, line) = (statement.place.clone(), statement.line);
        let before = self.cx.set_at_work(Some(ConfigWorker { role: "ACL", name, place, line }));
        let verdict = self.told(acl, statement);
        // Of an ACL that it calls, the first statement knows what was found out in it.
        self.cx.unset_var(var::ACL_VERIFY_MESSAGE);
        self.cx.set_at_work(before);
        verdict
    }

    /// As [`Run::statement`]; whoever watches hears where it stands, and what is a part of
    /// it.
    fn told(&mut self, acl: &Named, statement: &Statement) -> Option<AclVerdict> {
        if !self.cx.trace().is_watched() {
            return self.statement(acl, statement);
        }
        let before = self.cx.trace().stand_at(Some(statement.place.clone()));
        let shown = statement.shown();
        let begin = AclEvent::Statement { verb: statement.written.verb, place: &shown };
        let outer = self.cx.trace().begin_at(self.depth, Happening::Acl(begin));
        self.cx.stop_at(&RunStop::Statement { verb: statement.written.verb });
        let verdict = self.statement(acl, statement);
        self.cx.trace().end(outer);
        self.cx.trace().stand_at(before);
        verdict
    }

    /// Tells of a term: what follows is a part of it.
    pub(super) fn shown(&mut self, term: &AclLineTerm, expanded: Option<&Str>) -> TraceParent {
        let step = AclEvent::Term {
            term: term.term.meta.name,
            negated: term.negated,
            variable: term.variable.as_ref(),
            text: &term.text,
            expanded,
        };
        self.cx.trace().begin_at(self.depth, Happening::Acl(step))
    }
}
