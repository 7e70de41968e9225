//! A conversation with a client of SMTP, as ACLs see it, without a server around it: what
//! each of them would say, and what decides.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious_core::trace::{
    AclEvent, Happening, TraceEvent, TraceKinds, TraceObserver, TracePlace,
};
use eximious_core::{AclPhases, AclVerb, Message, Opt, Str};
use eximious_stdlib::address;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::acl::{AclHost, AclResult, AclState, AclVerdict, Acls, Logs, PartsVerdict, UNCOPIED};
use super::loaded::Loaded;
use super::{client, route};
use crate::Context;

/// A conversation. Each command sets the values that its ACL may ask for, runs it, and
/// says what comes of it.
#[derive(Debug)]
pub struct Conversation {
    loaded: Loaded,
    cx: Context,
    state: AclState,
    asked: u32,
    accepted: u32,
}

/// What an ACL says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision {
    /// Its verdict; without an ACL, what Exim does then.
    pub verdict: AclVerdict,
    /// For the client.
    pub message: Option<Str>,
    /// For the log, where that says something else.
    pub log_message: Option<Str>,
    /// The lines that were logged on the way.
    pub log: Vec<String>,
    /// The statement that decided; behind it, where its last condition called another
    /// ACL, the one that decided there. Without any, the ACL came to its end, or there
    /// is none.
    pub decided_by: Vec<DecidedBy>,
}

/// A statement that decided.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DecidedBy {
    /// Its verb.
    pub verb: String,
    /// Where that stands.
    pub place: Option<TracePlace>,
    /// The last condition or modifier that was looked at.
    pub term: Option<DecidingTerm>,
}

/// A condition or modifier of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DecidingTerm {
    /// Its name: `hosts`.
    pub name: String,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// What is written behind the equals sign.
    pub text: Str,
    /// Where it stands.
    pub place: Option<TracePlace>,
}

impl Conversation {
    pub(super) fn new(loaded: Loaded, address: IpAddr) -> Self {
        let cx = loaded.context();
        Self::within(loaded, cx, address)
    }

    /// A conversation with a client, in a context that is there already: what is set in it
    /// stays, and who watches it goes on.
    pub fn within(loaded: Loaded, mut cx: Context, address: IpAddr) -> Self {
        let address = address.to_canonical().to_string();
        cx.set_var(var::SENDER_HOST_ADDRESS, Str::tainted(address));
        cx.set_var(var::SENDER_HOST_PORT, Str::fixed("0"));
        cx.set_var(var::RECEIVED_PROTOCOL, Str::fixed("esmtp"));
        client::describe(&mut cx);
        Self { loaded, cx, state: AclState::default(), asked: 0, accepted: 0 }
    }

    /// The values, to look at and to set others: `authenticated_id`, `tls_in_cipher`.
    pub fn context(&mut self) -> &mut Context {
        &mut self.cx
    }

    /// The values, for somebody who goes on with them.
    pub fn into_context(self) -> Context {
        self.cx
    }

    /// What ACLs wanted of the message and the connection so far.
    pub fn state(&self) -> &AclState {
        &self.state
    }

    /// `acl_smtp_connect`: the client is connected.
    pub fn connect(&mut self) -> Decision {
        self.run(opt::ACL_SMTP_CONNECT, AclPhases::CONNECT)
    }

    /// `acl_smtp_helo`: the client greets.
    pub fn helo(&mut self, name: &str) -> Decision {
        self.cx.set_var(var::SENDER_HELO_NAME, Str::tainted(name));
        client::describe(&mut self.cx);
        self.command("EHLO", name.as_bytes());
        self.run(opt::ACL_SMTP_HELO, AclPhases::HELO)
    }

    /// `acl_smtp_mail`: a message begins. An empty sender is that of a bounce.
    pub fn mail(&mut self, sender: &str) -> Decision {
        self.envelope_from(sender);
        self.command("MAIL", format!("FROM:<{sender}>").as_bytes());
        self.run(opt::ACL_SMTP_MAIL, AclPhases::MAIL)
    }

    /// `acl_smtp_rcpt`: a recipient. Where that is not set, nobody may be one.
    pub fn rcpt(&mut self, recipient: &str) -> Decision {
        let Some(text) = self.acl(opt::ACL_SMTP_RCPT) else {
            return Decision::without_acl(AclVerdict::Deny);
        };
        self.rcpt_by(&text, recipient)
    }

    /// `acl_smtp_predata`, `acl_smtp_mime` for each part, and `acl_smtp_data`: the
    /// message. The first that does not accept has the last word.
    pub fn data(&mut self, message: Message) -> Decision {
        self.command("DATA", b"");
        let before = self.run(opt::ACL_SMTP_PREDATA, AclPhases::PREDATA);
        if before.verdict != AclVerdict::Accept {
            return before;
        }
        self.cx.set_message(Some(message));
        let (acls, mut logged) = (self.loaded.acls().clone(), Logged::default());
        acls.ask_brightmail(&mut self.cx, &mut logged, &self.state);
        let mut decision = self.parts();
        if decision.verdict == AclVerdict::Accept {
            let of_parts = decision.log;
            decision = self.run(opt::ACL_SMTP_DATA, AclPhases::DATA);
            decision.log.splice(0..0, of_parts);
        }
        decision.log.splice(0..0, logged.0);
        self.state.end_message(&mut self.cx);
        decision
    }

    /// Runs an ACL, by its name or as a text, as if it were the one of some phase. One for
    /// recipients is asked by [`Conversation::rcpt`] and its likes.
    pub fn ask(&mut self, acl: &Str, phase: AclPhases) -> Decision {
        self.check(acl, phase)
    }

    /// Runs an ACL, by its name or as a text, over a recipient, whatever ACL the options
    /// name for that.
    pub fn rcpt_with(&mut self, acl: &Str, recipient: &str) -> Decision {
        self.rcpt_by(acl, recipient)
    }

    /// A message begins that this address sends, and no ACL is asked about it. An empty one
    /// is that of a bounce.
    pub fn begin_message(&mut self, sender: &str) {
        self.envelope_from(sender);
    }

    /// A message is sent by this address.
    pub(super) fn envelope_from(&mut self, sender: &str) {
        self.state.end_message(&mut self.cx);
        self.cx.set_message(None);
        (self.asked, self.accepted) = (0, 0);
        self.cx.set_var(var::SENDER_ADDRESS, Str::tainted(sender));
    }

    /// Runs an ACL, by its name or text, over a recipient.
    pub(super) fn rcpt_by(&mut self, acl: &Str, recipient: &str) -> Decision {
        self.command("RCPT", format!("TO:<{recipient}>").as_bytes());
        // Whoever asks hears of the address as it stands where that can't be told.
        let inner = route::innermost(&mut self.cx, &Str::tainted(recipient));
        let inner = inner.unwrap_or_else(|_| Str::tainted(recipient));
        let (local_part, domain) = address::parts(inner.bytes());
        let cased = address::unquote_local_part(local_part);
        self.cx.set_var(var::LOCAL_PART, Str::tainted(cased.to_ascii_lowercase()));
        self.cx.set_var(var::DOMAIN, Str::tainted(domain.to_ascii_lowercase()));
        self.state.cased_local_part = Some(Str::tainted(cased));
        self.state.recipient = Some(inner);
        self.asked += 1;
        self.show_counts();
        let decision = self.check(acl, AclPhases::RCPT);
        if decision.verdict == AclVerdict::Accept {
            self.accepted += 1;
        }
        self.show_counts();
        decision
    }

    fn show_counts(&mut self) {
        self.cx.set_var(var::RCPT_COUNT, Str::from(self.asked.to_string()));
        self.cx.set_var(var::RECIPIENTS_COUNT, Str::from(self.accepted.to_string()));
    }

    fn command(&mut self, verb: &str, argument: &[u8]) {
        let line = [verb.as_bytes(), b" ", argument].concat();
        self.cx.set_var(var::SMTP_COMMAND, Str::tainted(line.trim_ascii_end()));
        self.cx.set_var(var::SMTP_COMMAND_ARGUMENT, Str::tainted(argument));
    }

    /// Runs the ACL that an option is set to; without one, everything is accepted.
    fn run(&mut self, option: Opt<Str>, phase: AclPhases) -> Decision {
        match self.acl(option) {
            Some(text) => self.check(&text, phase),
            None => Decision::without_acl(AclVerdict::Accept),
        }
    }

    fn acl(&self, option: Opt<Str>) -> Option<Str> {
        self.loaded.engine().settings().acl(option)
    }

    /// The parts of the message.
    fn parts(&mut self) -> Decision {
        let Some(text) = self.acl(opt::ACL_SMTP_MIME) else {
            return Decision::without_acl(AclVerdict::Accept);
        };
        self.decide(|acls, cx, host, state| {
            let verdict = acls.check_parts(cx, host, state, AclPhases::MIME, &text);
            let (verdict, log_message) = match verdict {
                PartsVerdict::Ended(result) => return result,
                PartsVerdict::Accepted => (AclVerdict::Accept, None),
                PartsVerdict::Uncopied => (AclVerdict::Error, Some(Str::from(UNCOPIED))),
            };
            AclResult { verdict, user_message: None, log_message, reject_logs: Logs::REJECTIONS }
        })
    }

    fn check(&mut self, acl: &Str, phase: AclPhases) -> Decision {
        self.decide(|acls, cx, host, state| acls.check(cx, host, state, phase, acl))
    }

    fn decide(
        &mut self,
        work: impl FnOnce(&Acls, &mut Context, &mut dyn AclHost, &mut AclState) -> AclResult,
    ) -> Decision {
        let acls = self.loaded.acls().clone();
        let witness = Arc::new(Witness::default());
        let observer: Arc<dyn TraceObserver> = witness.clone();
        let mut logged = Logged::default();
        self.cx.trace().observe(observer.clone());
        let result = work(&acls, &mut self.cx, &mut logged, &mut self.state);
        self.cx.trace().forget(&observer);
        let decided_by = witness.seen().decided_by();
        let AclResult { verdict, user_message: message, log_message, .. } = result;
        Decision { verdict, message, log_message, log: logged.0, decided_by }
    }
}

impl Decision {
    fn without_acl(verdict: AclVerdict) -> Self {
        Self { verdict, message: None, log_message: None, log: Vec::new(), decided_by: Vec::new() }
    }
}

/// Who holds the conversation: nobody waits, and lines for logs are kept.
#[derive(Default)]
struct Logged(Vec<String>);

impl AclHost for Logged {
    fn delay(&mut self, _: Duration, _: bool) {}

    fn log(&mut self, line: &[u8]) {
        self.0.push(String::from_utf8_lossy(line).into_owned());
    }

    fn log_to(&mut self, _: Logs, line: &[u8]) {
        AclHost::log(self, line);
    }
}

/// Who sees which statement decides.
#[derive(Default)]
struct Witness(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// The statements at hand, by depth.
    at: Vec<Option<DecidedBy>>,
    /// Those that ended an ACL, by depth.
    ended: Vec<Option<DecidedBy>>,
}

impl Witness {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TraceObserver for Witness {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::ACL
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let Happening::Acl(step) = event.what else { return };
        self.seen().step(step, event.depth as usize, event.place.cloned());
    }
}

impl Seen {
    fn step(&mut self, step: AclEvent<'_>, depth: usize, place: Option<TracePlace>) {
        match step {
            AclEvent::Begin { .. } => self.ended.truncate(depth),
            AclEvent::Statement { verb, .. } => {
                self.ended.truncate(depth);
                *slot(&mut self.at, depth) =
                    Some(DecidedBy { verb: verb_name(verb), place, term: None });
            }
            AclEvent::Term { term, negated, text, .. } => {
                // What was called by the term before decides nothing here.
                self.ended.truncate(depth + 1);
                let (name, text) = (term.to_owned(), text.clone());
                if let Some(statement) = slot(&mut self.at, depth) {
                    statement.term = Some(DecidingTerm { name, negated, text, place });
                }
            }
            AclEvent::Verdict { verb, .. } => {
                let decided = slot(&mut self.at, depth).take();
                *slot(&mut self.ended, depth) = decided.filter(|_| verb.is_some());
            }
            _ => {}
        }
    }

    fn decided_by(&self) -> Vec<DecidedBy> {
        let calls = |last: &DecidedBy| last.term.as_ref().is_some_and(|term| term.name == "acl");
        let mut found: Vec<DecidedBy> = Vec::new();
        for one in self.ended.iter().flatten() {
            if found.last().is_none_or(calls) {
                found.push(one.clone());
            }
        }
        found
    }
}

/// The element of a list that grows as far as it has to.
fn slot<T: Default>(list: &mut Vec<T>, at: usize) -> &mut T {
    if list.len() <= at {
        list.resize_with(at + 1, T::default);
    }
    &mut list[at]
}

fn verb_name(verb: AclVerb) -> String {
    let record = eximious_stdlib::acl::VERBS.iter().find(|record| record.verb == verb);
    record.map_or_else(String::new, |record| record.meta.name.to_owned())
}
