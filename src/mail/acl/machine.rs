//! The run of an ACL: statements, verbs, messages (specification 44.8 to 44.12).

use eximious_core::trace::{AclEvent, AclOutcome, Happening};
use eximious_core::{AclPhases, AclVerb, Fail, FailClass, LogSelector, Meta, Str, stack};
use eximious_stdlib::acl::VERBS;
use eximious_stdlib::lists::Answers;
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;

use super::call::AclCall;
use super::words::TermRun;
use super::{AclHost, AclState, Acls, Logs, Named, Statement, ratelimit, takes_message};
use crate::Context;
use crate::config::AclLineTerm;
use crate::engine::RunStop;

/// How deep ACLs may call each other.
const MOST_DEPTH: u32 = 20;
/// How many arguments an ACL may be called with.
pub(super) const MOST_ARGUMENTS: usize = 9;

/// What an ACL says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AclVerdict {
    /// Let it pass.
    Accept,
    /// Let it pass, and throw it away.
    Discard,
    /// Not now.
    Defer,
    /// No.
    Deny,
    /// No, and close the connection.
    Drop,
    /// It can't be run: something is wrong with it. To the client that is as if it
    /// were deferred.
    Error,
}

impl std::fmt::Display for AclVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Accept => "accept",
            Self::Discard => "discard",
            Self::Defer => "defer",
            Self::Deny => "deny",
            Self::Drop => "drop",
            Self::Error => "error",
        })
    }
}

/// What comes of a run.
#[derive(Clone, Debug)]
pub struct AclResult {
    /// What it says.
    pub verdict: AclVerdict,
    /// For the client.
    pub user_message: Option<Str>,
    /// For the logs; not where the client's will do.
    pub log_message: Option<Str>,
    /// Which logs a rejection is written to (`log_reject_target`).
    pub reject_logs: Logs,
}

/// What a condition says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Yes,
    No,
    Later,
    /// It can't be evaluated at all.
    Error,
    /// An ACL that was called says so.
    Drop,
    Discard,
}

impl From<bool> for Answer {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A run of an ACL.
pub(super) struct Run<'r> {
    pub(super) acls: &'r Acls,
    pub(super) cx: &'r mut Context,
    pub(super) host: &'r mut dyn AclHost,
    pub(super) state: &'r mut AclState,
    pub(super) phase: AclPhases,
    /// How deep its steps stand for those who are shown them.
    pub(super) depth: u32,
    /// How many ACLs call each other, up to this one.
    pub(super) level: u32,
    pub(super) reject_logs: Logs,
    /// What the condition at hand has to say to the client, and to the logs.
    pub(super) said: Option<Str>,
    pub(super) logged: Option<Str>,
    /// The verb that the outermost ACL ended with.
    pub(super) ended_by: Option<AclVerb>,
}

impl Acls {
    /// Runs an ACL: what an option such as `acl_smtp_rcpt` is set to, before it is
    /// expanded. That may be a name, a file's name, or the text of an ACL.
    pub fn check(
        &self,
        cx: &mut Context,
        host: &mut dyn AclHost,
        state: &mut AclState,
        phase: AclPhases,
        text: &Str,
    ) -> AclResult {
        // Where it is too deep already, the ACL says so.
        let _level = cx.level();
        cx.memory::<ratelimit::Memory>().end_command();
        // What it is about may be another address.
        cx.swap_answers(Answers::default());
        // What was found out about the one before holds no more.
        [var::ADDRESS_DATA, var::SENDER_ADDRESS_DATA].into_iter().for_each(|var| cx.unset_var(var));
        let before = self.enter(cx, phase, host);
        state.settle_sender_fault();
        let mut run = Run::new(self, cx, host, state, phase);
        let mut verdict = match run.expanded(text) {
            Ok(text) => run.named_or_text(&text),
            // A forced failure means that there is no ACL: the default is to
            // accept where that is the default of the option itself.
            Err(fail) if fail.class() == FailClass::Forced => AclVerdict::Accept,
            Err(fail) => {
                let head = [b"failed to expand ACL string \"", text.bytes(), b"\": "].concat();
                run.logged = Some(Str::from([&head, fail.message()].concat()));
                AclVerdict::Error
            }
        };
        if verdict != AclVerdict::Error && run.ends_wrongly() {
            verdict = AclVerdict::Error;
        }
        let Run { said, logged, reject_logs, .. } = run;
        cx.unset_var(var::ACL_VERIFY_MESSAGE);
        Self::leave(cx, before);
        AclResult { verdict, user_message: said, log_message: logged, reject_logs }
    }
}

impl Run<'_> {
    pub(super) fn expanded(&mut self, text: &Str) -> Result<Str, Fail> {
        let engine = self.cx.engine().clone();
        self.deepen();
        let expanded = engine.expand_once(text.bytes(), self.cx);
        self.gather();
        expanded
    }

    /// Whether the ACL ended with a verb that must not end it; that is noted.
    fn ends_wrongly(&mut self) -> bool {
        let verb = self.ended_by.filter(|verb| *verb != AclVerb::Accept);
        let record = verb.and_then(|verb| VERBS.iter().find(|record| record.verb == verb));
        let Some(record) = record.filter(|record| !record.phases.contains(self.phase)) else {
            return false;
        };
        let line = Str::from(record.refusal(self.phase));
        match self.phase.intersects(AclPhases::QUIT | AclPhases::NOTQUIT) {
            true => self.logged = Some(line),
            false => self.host.log_to(Logs::PANIC, line.bytes()),
        }
        true
    }

    pub(super) fn error(&mut self, message: Vec<u8>) -> AclVerdict {
        self.logged = Some(Str::from(message));
        AclVerdict::Error
    }

    pub(super) fn acl(&mut self, acl: &Named, read: bool) -> AclVerdict {
        if self.level > MOST_DEPTH || stack::is_deep() {
            return self.error(b"ACL nested too deep: possible loop".to_vec());
        }
        if acl.statements.is_empty() && !acl.name.is_empty() && !read {
            self.step(AclEvent::Empty { name: &acl.name });
            return AclVerdict::Deny;
        }
        let begin = Happening::Acl(AclEvent::Begin { name: &acl.name, read });
        let outer = self.cx.trace().begin_at(self.depth, begin);
        self.cx.stop_at(&RunStop::AclBegins { name: &acl.name });
        let verdict = acl.statements.iter().find_map(|statement| self.at_work(acl, statement));
        let verdict = verdict.unwrap_or_else(|| {
            self.step(AclEvent::Verdict { name: &acl.name, verb: None });
            AclVerdict::Deny
        });
        let refuses = !matches!(verdict, AclVerdict::Accept | AclVerdict::Discard);
        self.cx.stop_at(&RunStop::AclEnds { name: &acl.name, refuses });
        self.cx.trace().end(outer);
        verdict
    }

    /// A statement; `None` means that the next one has its turn.
    pub(super) fn statement(&mut self, acl: &Named, statement: &Statement) -> Option<AclVerdict> {
        let verb = statement.written.verb;
        (self.said, self.logged) = (None, None);
        self.cx.forget_complaint();
        let mut texts = Texts::default();
        let mut passed = false;
        let mut answer = Answer::Yes;
        for (number, term) in statement.written.terms.iter().enumerate() {
            if let Some(place) = statement.terms.get(number)
                && self.cx.trace().is_watched()
            {
                self.cx.trace().stand_at(Some(place.clone()));
            }
            let run = term.term.run.get::<TermRun>();
            match run {
                Some(TermRun::Message | TermRun::LogMessage) => {
                    self.step(AclEvent::Text { term: term.term.meta.name, text: &term.text });
                    let kept = match run {
                        Some(TermRun::Message) => &mut texts.message,
                        _ => &mut texts.log,
                    };
                    *kept = Some(term.text.clone());
                }
                Some(TermRun::Endpass) => {
                    self.step(AclEvent::Endpass);
                    passed = true;
                }
                _ => {
                    self.cx.stop_at(&RunStop::Term {
                        name: term.term.meta.name,
                        negated: term.negated,
                        variable: term.variable.as_ref(),
                        text: &term.text,
                    });
                    answer = self.term(term, run);
                }
            }
            if answer != Answer::Yes {
                break;
            }
        }
        if answer == Answer::Discard && !matches!(verb, AclVerb::Accept | AclVerb::Discard) {
            let message = format!(
                "nested ACL returned \"discard\" for \"{}\" command (only allowed with \
                 \"accept\" or \"discard\")",
                verb.name()
            );
            self.logged = Some(Str::from(message));
            answer = Answer::Error;
        }
        let decision = decide(verb, answer, passed);
        let mut warning = None;
        match decision {
            Decision::Warn => warning = Some(self.warning(&texts)),
            // Who threw it away has said why.
            Decision::End(_) if answer == Answer::Discard => {}
            Decision::End(AclVerdict::Accept | AclVerdict::Discard) => {
                // What conditions found out is for refusals; and so is, with `endpass`,
                // the message.
                let found = self.said.take();
                self.logged = None;
                if passed {
                    texts.message = None;
                }
                self.words(&texts, found.clone(), found);
            }
            // Where it is the last one, what it has to say is why nothing accepts.
            Decision::Next if matches!(verb, AclVerb::Accept | AclVerb::Discard) => {
                self.words(&texts, self.said.clone(), self.logged.clone());
            }
            // What a statement has to say is for conditions that can be told.
            Decision::Untold(_) | Decision::Deferred | Decision::Next => {}
            Decision::End(_) | Decision::Passed(_) => {
                self.words(&texts, self.said.clone(), self.logged.clone());
            }
        }
        let came = match answer {
            Answer::Yes => AclOutcome::Holds,
            Answer::No => AclOutcome::Fails,
            Answer::Later => AclOutcome::Deferred,
            Answer::Error => AclOutcome::Error,
            Answer::Drop => AclOutcome::Drop,
            Answer::Discard => AclOutcome::Discard,
        };
        self.step(AclEvent::Ended { verb, came, name: &acl.name });
        match decision {
            Decision::Warn => {
                self.warn(warning.unwrap_or_default());
                // What conditions found out is told.
                (self.said, self.logged) = (None, None);
                None
            }
            Decision::Deferred => {
                self.deferred_warning();
                None
            }
            Decision::Next => {
                // What a warning would have been about is no reason to refuse.
                if verb == AclVerb::Warn {
                    (self.said, self.logged) = (None, None);
                }
                None
            }
            Decision::Untold(verdict) => Some(verdict),
            Decision::End(verdict) => {
                if self.level == 0 {
                    self.ended_by = Some(verb);
                }
                self.step(AclEvent::Verdict { name: &acl.name, verb: Some(verb) });
                Some(verdict)
            }
            Decision::Passed(verdict) => {
                self.step(AclEvent::Denied { verb });
                Some(verdict)
            }
        }
    }

    /// Expands the statement's own messages: they outweigh what a condition had to
    /// say.
    fn words(&mut self, texts: &Texts, said: Option<Str>, logged: Option<Str>) {
        if let Some(text) = &texts.message {
            self.explain(said);
            if let Some(said) = self.worded(text) {
                self.said = Some(said);
            }
        }
        if let Some(text) = &texts.log {
            if logged.is_some() {
                self.explain(logged);
            }
            if let Some(mut line) = self.worded(text) {
                // It adds to what went wrong in itself.
                if let Some(own) = &self.logged {
                    line = Str::from([line.bytes(), b": ", own.bytes()].concat());
                }
                self.logged = Some(line);
            }
        }
        if self.logged.is_none() {
            self.logged = self.said.clone();
        }
    }

    fn worded(&mut self, text: &Str) -> Option<Str> {
        match self.expanded(text) {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(fail) => {
                if fail.class() != FailClass::Forced {
                    let head = b"failed to expand ACL message \"";
                    let line = [head, text.bytes(), b"\": ", fail.message()].concat();
                    self.host.log_to(Logs::PANIC, &line);
                }
                None
            }
        }
    }

    /// Lets a message of the statement say what a condition had to say: one for the
    /// client what was for the client, one for the log what was for the log.
    fn explain(&mut self, what: Option<Str>) {
        self.cx.set_var(var::ACL_VERIFY_MESSAGE, what.unwrap_or_default());
    }

    /// What a `warn` whose conditions hold has to say: to the log, and as a header
    /// line.
    fn warning(&mut self, texts: &Texts) -> (Option<Str>, Option<Str>) {
        self.explain(self.said.clone());
        let message = texts.message.as_ref().and_then(|text| self.worded(text));
        self.explain(self.logged.clone());
        let log = texts.log.as_ref().and_then(|text| self.worded(text));
        (log, message)
    }

    fn warn(&mut self, (log, header): (Option<Str>, Option<Str>)) {
        if let Some(mut line) = log {
            // That the sender could not be verified is no more than a headline.
            if line.bytes().eq_ignore_ascii_case(b"sender verify failed")
                && let Some(fault) = self.state.sender_fault.as_ref()
                && let Some(why) = fault.logged.as_ref().filter(|why| !why.is_empty())
            {
                line = Str::from([line.bytes(), b": ", why].concat());
            }
            let topbit = self.cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
            let shown = printing(line.bytes(), topbit);
            let line = [&*self.client(), b" Warning: ", &shown].concat();
            if !self.state.warned.contains(&line) {
                self.host.log(&line);
                self.state.remember(line);
            }
        }
        if let Some(header) = header {
            if takes_message(self.phase) {
                return self.add_header(&header);
            }
            let line = format!(
                "ACL \"warn\" with \"message\" setting found in a non-message ({}) ACL: cannot \
                 specify header lines here: message ignored",
                self.phase.called()
            );
            self.host.log_to(Logs::PANIC, line.as_bytes());
        }
    }

    /// A `warn` whose conditions can't be told.
    fn deferred_warning(&mut self) {
        if !self.cx.engine().settings().log_selector().contains(LogSelector::ACL_WARN_SKIPPED) {
            return;
        }
        let mut line = self.client();
        line.extend_from_slice(
            b" Warning: ACL \"warn\" statement skipped: condition test deferred",
        );
        if let Some(why) = self.logged.take().or(self.said.take()) {
            line.extend_from_slice(&[b": ", why.bytes()].concat());
        }
        self.host.log(&line);
    }

    /// How the client is named in logs: `H=(helo) [1.2.3.4]`.
    pub(super) fn client(&mut self) -> Vec<u8> {
        crate::mail::client::described(self.cx)
    }

    fn term(&mut self, term: &AclLineTerm, run: Option<&TermRun>) -> Answer {
        let record = &term.term;
        let mut expanded = None;
        if record.expanded {
            match self.expanded(&term.text) {
                Ok(text) => expanded = Some(text),
                // As if it were not there.
                Err(fail) if fail.class() == FailClass::Forced => return Answer::Yes,
                Err(fail) => return self.unexpanded(term.text.bytes(), &fail),
            }
        }
        let outer = self.shown(term, expanded.as_ref());
        let answer = self.answer(term, run, expanded);
        self.cx.trace().end(outer);
        answer
    }

    /// What comes of a text that can't be expanded: of a look-up that has no answer now,
    /// its reason is all that is said.
    pub(super) fn unexpanded(&mut self, text: &[u8], fail: &Fail) -> Answer {
        if let Some(reason) = fail.reason().filter(|reason| !reason.is_empty()) {
            self.logged = Some(Str::from(reason));
            return Answer::Later;
        }
        let head = [b"failed to expand ACL string \"", text, b"\": "].concat();
        self.logged = Some(Str::from([&head, fail.message()].concat()));
        match fail.class() {
            FailClass::Defer => Answer::Later,
            _ => Answer::Error,
        }
    }

    /// What a term says that was expanded, and told.
    fn answer(
        &mut self,
        term: &AclLineTerm,
        run: Option<&TermRun>,
        expanded: Option<Str>,
    ) -> Answer {
        let record = &term.term;
        if !self.permits(record.phases) {
            self.logged = Some(Str::from(record.refusal(self.phase)));
            return Answer::Error;
        }
        // What a list or a route asks for is refused where it is asked for.
        if record.expanded
            && let Err(fail) = self.permitted(&record.meta)
        {
            self.logged = Some(Str::from(fail.message()));
            return Answer::Error;
        }
        let text = expanded.unwrap_or_else(|| term.text.clone());
        self.deepen();
        let answer = match run {
            Some(TermRun::Text(run)) => run(self, &text),
            Some(TermRun::Variable(run)) => run(self, term.variable.as_ref(), &text),
            Some(TermRun::Embedded(run)) => {
                AclCall::run(self, &record.meta, |call| run(call, &text))
            }
            // What others are for is done where the statement ends.
            Some(TermRun::Message | TermRun::LogMessage | TermRun::Endpass) => Answer::Yes,
            None => {
                let name = record.meta.name;
                let message = format!("ACL condition \"{name}\" is not there yet");
                self.logged = Some(Str::from(message));
                Answer::Error
            }
        };
        self.gather();
        match (term.negated, answer) {
            (true, Answer::Yes) => Answer::No,
            (true, Answer::No | Answer::Drop) => Answer::Yes,
            (_, answer) => answer,
        }
    }

    /// Whether the ACL at hand is one of some.
    pub(super) fn permits(&self, phases: AclPhases) -> bool {
        // One that an expansion calls elsewhere is none of them: what is allowed
        // in all but a few is allowed there too.
        match self.phase.is_empty() {
            true => phases.bits().count_ones() * 2 > AclPhases::all().bits().count_ones(),
            false => phases.contains(self.phase),
        }
    }

    /// Whether the policy in force allows what a word does.
    pub(super) fn permitted(&mut self, meta: &Meta) -> Result<(), Fail> {
        if meta.effects.is_empty() {
            return Ok(());
        }
        let refusal = format!("\"{}\" is not permitted here", meta.name);
        self.cx.call(meta, |call| call.permitted(&refusal))
    }

    /// Calls another ACL, with arguments.
    pub(super) fn call(&mut self, name: &Str, arguments: &[Str]) -> AclVerdict {
        let before = var::ACL_ARGS.map(|var| self.cx.value_of(var));
        let before_count = self.cx.value_of(var::ACL_NARG);
        for (index, var) in var::ACL_ARGS.into_iter().enumerate() {
            let value = arguments.get(index).cloned().unwrap_or_default();
            self.cx.set_var(var, value);
        }
        self.cx.set_var(var::ACL_NARG, arguments.len().to_string());
        self.depth += 1;
        self.level += 1;
        let before_depth = std::mem::replace(&mut self.cx.trace().depth, self.depth);
        let verdict = self.named_or_text(name);
        self.cx.trace().depth = before_depth;
        self.depth -= 1;
        self.level -= 1;
        for (var, value) in var::ACL_ARGS.into_iter().zip(before) {
            self.cx.set_var(var, value);
        }
        self.cx.set_var(var::ACL_NARG, before_count);
        verdict
    }
}

/// What comes of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Decision {
    /// The next statement has its turn.
    Next,
    /// The same, after a warning.
    Warn,
    /// The same, after it was noted that nobody could tell whether to warn.
    Deferred,
    /// The ACL ends so.
    End(AclVerdict),
    /// A condition behind `endpass` does not hold.
    Passed(AclVerdict),
    /// A condition can't be told.
    Untold(AclVerdict),
}

fn decide(verb: AclVerb, answer: Answer, passed: bool) -> Decision {
    match answer {
        Answer::Error => return Decision::Untold(AclVerdict::Error),
        Answer::Later if verb == AclVerb::Warn => return Decision::Deferred,
        Answer::Later => return Decision::Untold(AclVerdict::Defer),
        _ => {}
    }
    let holds = matches!(answer, Answer::Yes | Answer::Discard);
    // That an ACL called from here wants the connection closed counts where it
    // refuses.
    let refused = if answer == Answer::Drop { AclVerdict::Drop } else { AclVerdict::Deny };
    match verb {
        AclVerb::Accept if answer == Answer::Yes => Decision::End(AclVerdict::Accept),
        AclVerb::Accept | AclVerb::Discard if holds => Decision::End(AclVerdict::Discard),
        AclVerb::Accept | AclVerb::Discard if passed => Decision::Passed(refused),
        AclVerb::Defer if holds => Decision::End(AclVerdict::Defer),
        AclVerb::Deny if holds => Decision::End(AclVerdict::Deny),
        AclVerb::Drop if holds => Decision::End(AclVerdict::Drop),
        AclVerb::Require if !holds => Decision::End(refused),
        AclVerb::Warn if holds => Decision::Warn,
        _ => Decision::Next,
    }
}

/// The texts that a statement keeps for its end.
#[derive(Default)]
struct Texts {
    message: Option<Str>,
    log: Option<Str>,
}
