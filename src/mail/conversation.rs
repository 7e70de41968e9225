//! A conversation with a client of SMTP, as ACLs see it, without a server around it: what
//! each of them would say, and what decides.

use std::net::IpAddr;
use std::time::Duration;

use eximious_core::{AclPhases, AclVerb, Message, OptionValue, Str};
use eximious_stdlib::address;
use eximious_stdlib::variables::var;

use super::acl::{AclHost, AclResult, AclState, AclStep, AclVerdict, Logs};
use super::loaded::Loaded;
use super::{client, route};
use crate::{Config, Context};

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
    pub place: LinePlace,
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
    pub place: LinePlace,
}

/// A line of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LinePlace {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

impl std::fmt::Display for LinePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Conversation {
    pub(super) fn new(loaded: Loaded, address: IpAddr) -> Self {
        let mut cx = loaded.context();
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

    /// What ACLs wanted of the message and the connection so far.
    pub fn state(&self) -> &AclState {
        &self.state
    }

    /// `acl_smtp_connect`: the client is connected.
    pub fn connect(&mut self) -> Decision {
        self.run("acl_smtp_connect", AclPhases::CONNECT)
    }

    /// `acl_smtp_helo`: the client greets.
    pub fn helo(&mut self, name: &str) -> Decision {
        self.cx.set_var(var::SENDER_HELO_NAME, Str::tainted(name));
        client::describe(&mut self.cx);
        self.command("EHLO", name.as_bytes());
        self.run("acl_smtp_helo", AclPhases::HELO)
    }

    /// `acl_smtp_mail`: a message begins. An empty sender is that of a bounce.
    pub fn mail(&mut self, sender: &str) -> Decision {
        self.envelope_from(sender);
        self.command("MAIL", format!("FROM:<{sender}>").as_bytes());
        self.run("acl_smtp_mail", AclPhases::MAIL)
    }

    /// `acl_smtp_rcpt`: a recipient. Where that is not set, nobody may be one.
    pub fn rcpt(&mut self, recipient: &str) -> Decision {
        let Some(text) = self.option("acl_smtp_rcpt") else {
            return Decision::without_acl(AclVerdict::Deny);
        };
        self.rcpt_by(&text, recipient)
    }

    /// `acl_smtp_predata` and `acl_smtp_data`: the message. The first that does not
    /// accept has the last word.
    pub fn data(&mut self, message: Message) -> Decision {
        self.command("DATA", b"");
        let before = self.run("acl_smtp_predata", AclPhases::PREDATA);
        if before.verdict != AclVerdict::Accept {
            return before;
        }
        self.cx.set_message(Some(message));
        let decision = self.run("acl_smtp_data", AclPhases::DATA);
        self.state.end_message(&mut self.cx);
        decision
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
        let inner = route::innermost(&mut self.cx, &Str::tainted(recipient));
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
    fn run(&mut self, option: &str, phase: AclPhases) -> Decision {
        match self.option(option) {
            Some(text) => self.check(&text, phase),
            None => Decision::without_acl(AclVerdict::Accept),
        }
    }

    fn option(&self, name: &str) -> Option<Str> {
        match self.loaded.engine().settings().options.get(name) {
            Some(OptionValue::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    fn check(&mut self, acl: &Str, phase: AclPhases) -> Decision {
        let acls = self.loaded.acls().clone();
        let mut host = Witness::of(self.loaded.config());
        let result = acls.check(&mut self.cx, &mut host, &mut self.state, phase, acl);
        host.decision(result)
    }
}

impl Decision {
    fn without_acl(verdict: AclVerdict) -> Self {
        Self { verdict, message: None, log_message: None, log: Vec::new(), decided_by: Vec::new() }
    }
}

/// Who sees an ACL run: nobody waits, and lines for logs are kept.
struct Witness<'c> {
    config: &'c Config,
    log: Vec<String>,
    /// The statements at hand, by depth.
    at: Vec<Option<DecidedBy>>,
    /// Those that ended an ACL, by depth.
    ended: Vec<Option<DecidedBy>>,
}

impl<'c> Witness<'c> {
    fn of(config: &'c Config) -> Self {
        Self { config, log: Vec::new(), at: Vec::new(), ended: Vec::new() }
    }

    fn decision(self, result: AclResult) -> Decision {
        let mut decided_by: Vec<DecidedBy> = Vec::new();
        for one in self.ended {
            let calls =
                |last: &DecidedBy| last.term.as_ref().is_some_and(|term| term.name == "acl");
            match one {
                Some(one) if decided_by.last().is_none_or(calls) => decided_by.push(one),
                _ => break,
            }
        }
        Decision {
            verdict: result.verdict,
            message: result.user_message,
            log_message: result.log_message,
            log: self.log,
            decided_by,
        }
    }

    /// Where a term stands: its statement's line is known.
    fn place_of(&self, statement: &LinePlace, name: &str, text: &Str) -> LinePlace {
        let place = |line: usize| {
            let line = self.config.lines.get(line)?;
            let file = self.config.sources.file(line.file)?;
            let file = String::from_utf8_lossy(&file.name).into_owned();
            Some(LinePlace { file, line: line.number })
        };
        let statements = self.config.acls.iter().flat_map(|acl| &acl.statements);
        let mut own = statements.filter(|one| place(one.line).as_ref() == Some(statement));
        let term = own.find_map(|one| {
            one.terms.iter().find(|term| term.term.meta.name == name && term.text == *text)
        });
        term.and_then(|term| place(term.line)).unwrap_or_else(|| statement.clone())
    }
}

/// The element of a list that grows as far as it has to.
fn slot<T: Default>(list: &mut Vec<T>, at: u32) -> &mut T {
    let at = at as usize;
    if list.len() <= at {
        list.resize_with(at + 1, T::default);
    }
    &mut list[at]
}

impl AclHost for Witness<'_> {
    fn delay(&mut self, _: Duration, _: bool) {}

    fn step(&mut self, step: &AclStep<'_>) {
        match *step {
            AclStep::Begin { depth, .. } => self.ended.truncate(depth as usize),
            AclStep::Statement { depth, verb, place } => {
                self.ended.truncate(depth as usize);
                let (verb, place) = (verb_name(verb), line_place(place));
                *slot(&mut self.at, depth) = Some(DecidedBy { verb, place, term: None });
            }
            AclStep::Term { depth, term, negated, text, .. } => {
                let Some(Some(statement)) = self.at.get(depth as usize) else { return };
                let name = term.meta.name;
                let place = self.place_of(&statement.place.clone(), name, text);
                let (name, text) = (name.to_owned(), text.clone());
                let term = DecidingTerm { name, negated, text, place };
                if let Some(statement) = slot(&mut self.at, depth) {
                    statement.term = Some(term);
                }
                // What was called by the term before decides nothing here.
                self.ended.truncate(depth as usize + 1);
            }
            AclStep::Verdict { depth, verb, .. } => {
                let decided = slot(&mut self.at, depth).take();
                *slot(&mut self.ended, depth) = decided.filter(|_| verb.is_some());
            }
            _ => {}
        }
    }

    fn log(&mut self, line: &[u8]) {
        self.log.push(String::from_utf8_lossy(line).into_owned());
    }

    fn log_to(&mut self, _: Logs, line: &[u8]) {
        AclHost::log(self, line);
    }
}

fn verb_name(verb: AclVerb) -> String {
    let record = eximious_stdlib::acl::VERBS.iter().find(|record| record.verb == verb);
    record.map_or_else(String::new, |record| record.meta.name.to_owned())
}

/// `exim.conf 12`.
fn line_place(text: &[u8]) -> LinePlace {
    let text = String::from_utf8_lossy(text);
    let (file, line) = text.rsplit_once(' ').unwrap_or((&text, ""));
    LinePlace { file: file.to_owned(), line: line.parse().unwrap_or(0) }
}
