//! Access control lists: what they say of a client, a command, a message
//! (specification, chapter 44).
//!
//! [`Acls`] are those of a configuration. [`Acls::check`] runs one over the
//! values of a conversation and touches nothing of the conversation itself: what
//! it wants done stands in an [`AclState`], and whoever holds the conversation
//! ([`AclHost`]) waits where it has to wait, and writes to the logs. Each step is
//! told to whoever watches the context ([`Context::observe`](crate::Context::observe)).
//!
//! Who has a conversation, and wants no state machine of it, asks a
//! [`Conversation`](crate::Conversation), which sets what each ACL needs:
//!
//! ```
//! use eximious::{Config, Engine, acl::AclVerdict};
//!
//! let config = Config::parse(
//!     "acl_smtp_rcpt = check\n\
//!      begin acl\n\
//!      check:\n  \
//!        deny !domains = example.com\n       \
//!             message = no relay for $domain\n  \
//!        accept\n",
//! )?;
//! let loaded = Engine::builder().build().load(config);
//! let acl = loaded.acl("check").unwrap();
//! let refused = acl.rcpt("192.0.2.1".parse().unwrap(), "a@example.org", "b@example.net");
//! assert_eq!(refused.verdict, AclVerdict::Deny);
//! assert_eq!(refused.message.unwrap().display(), "no relay for example.net");
//! let passed = acl.rcpt("192.0.2.1".parse().unwrap(), "a@example.org", "b@example.com");
//! assert_eq!(passed.verdict, AclVerdict::Accept);
//! # Ok::<(), eximious::ConfigError>(())
//! ```

mod arc;
mod atrn;
mod brightmail;
mod call;
mod callout;
mod conditions;
mod content;
mod controls;
mod cutthrough;
mod dcc;
mod dkim;
mod dmarc;
mod dnslists;
#[cfg(test)]
mod driver;
mod foresight;
mod headers;
mod lists;
mod machine;
mod modifiers;
mod named;
mod nested;
mod ratelimit;
mod run;
mod scanners;
mod seen;
mod spf;
mod state;
mod told;
mod udpsend;
mod verify;
mod words;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use eximious_core::trace::TracePlace;
use eximious_core::world::{Log, LogLine, LogVoice};
use eximious_core::{AclPhases, AclTerm, LogSelector, Registry, Str};

use crate::config::{Acl, AclStatement, ConfigPlaces};
use crate::mail::route::Routes;
use crate::{Config, Context};

pub use crate::mail::smtp_transport::Secured;
pub use atrn::WaitingDomains;
pub use call::{AclCall, VerifyAsked, condition, control, modifier, verification};
pub use callout::CALLOUT_PARAMETERS;
pub use content::PartsVerdict;
pub(crate) use content::UNCOPIED;
pub use controls::TRAFFIC_CLASSES;
pub use cutthrough::{Cutthrough, Onward, OnwardOutcome, OnwardRecipient, Reports};
pub use dkim::DkimArrival;
pub use headers::{AddedHeader, HeaderPlace};
pub use machine::{AclResult, AclVerdict};
pub use scanners::{SCANNERS, Scanner};
pub use state::{AclState, Control, SenderFault};
pub use verify::quota::QUOTA_PARAMETERS;

/// The ACLs of a configuration, and what they stand on. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Acls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    named: Vec<Named>,
    routes: Routes,
    /// Where the configuration ends: there an ACL stands that is none of it.
    end: Arc<TracePlace>,
}

/// An ACL, made ready.
#[derive(Debug)]
struct Named {
    name: Str,
    statements: Vec<Statement>,
}

/// A statement, and where it stands.
#[derive(Debug)]
struct Statement {
    written: AclStatement,
    place: Arc<TracePlace>,
    /// The line that Exim names: the last one of those that the verb's is continued on.
    line: u32,
    /// Where the texts of its conditions and modifiers stand; none, where that is not
    /// known.
    terms: Vec<Arc<TracePlace>>,
}

/// A message that the server writes itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnMessage {
    /// Its envelope's sender; empty for one that nobody answers.
    pub sender: Vec<u8>,
    /// Its header and body.
    pub text: Vec<u8>,
}

/// Who holds the conversation that an ACL is about.
pub trait AclHost {
    /// `delay`: waits. What is to be sent is sent before, unless that is not wanted
    /// (`control = no_delay_flush`).
    fn delay(&mut self, time: Duration, sends: bool);

    /// Lines for the logs go there from here on.
    fn log_through(&mut self, log: Arc<dyn Log>) {
        let _ = log;
    }

    /// Whether what is sent to the client can be marked (`control = dscp`).
    ///
    /// # Errors
    /// Why not: there is no connection that anybody could mark.
    fn may_mark_traffic(&self) -> Result<(), &'static str> {
        Err("Socket operation on non-socket")
    }

    /// `control = dscp`: marks what is sent to the client; `class` is the whole octet of an
    /// IP packet, TOS or traffic class.
    ///
    /// # Errors
    /// What the system says.
    fn mark_traffic(&mut self, class: u8) -> Result<(), String> {
        let _ = class;
        Ok(())
    }

    /// Whether other hosts are asked (`verify` with `callout`): tests ask nobody,
    /// unless they are told to.
    fn calls_out(&self) -> bool {
        true
    }

    /// Whether this is a test, in which no message goes anywhere.
    fn is_test(&self) -> bool {
        false
    }

    /// Other hosts are asked, which may take its time: what was said to the client so
    /// far is to be sent.
    fn flush(&mut self) {}

    /// A message of the server's own, which goes into the spool as a local program's does:
    /// its header says who gets it. Who has no spool leaves it.
    fn hand_in(&mut self, message: OwnMessage) {
        let _ = message;
    }

    /// The domains, in lower case, of all recipients that wait in a queue.
    ///
    /// # Errors
    /// There is no queue, or it can't be read.
    fn domains_that_wait(&mut self, cx: &Context, queue: &Str) -> io::Result<BTreeSet<Vec<u8>>> {
        let _ = (cx, queue);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A line for the main log.
    fn log(&mut self, line: &[u8]);

    /// The same, if the selectors that are wanted have this one.
    fn log_by_selector(&mut self, wanted: LogSelector, by: LogSelector, line: &[u8]) {
        if wanted.contains(by) {
            self.log(line);
        }
    }

    /// A line for some of the logs.
    fn log_to(&mut self, logs: Logs, line: &[u8]);
}

/// Which logs a line is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the log of that name")]
pub struct Logs {
    pub main: bool,
    pub reject: bool,
    pub panic: bool,
}

impl Logs {
    /// Where rejections are noted, if nobody says otherwise.
    pub const REJECTIONS: Self = Self { main: true, reject: true, panic: false };
    /// The main log.
    pub const MAIN: Self = Self { main: true, reject: false, panic: false };
    /// The main and the panic log.
    pub const PANIC: Self = Self { main: true, reject: false, panic: true };

    /// Writes a line there; the log of rejections has a message's header behind it.
    pub fn write(self, log: &dyn Log, line: &[u8], header: &[u8]) {
        self.tell(log, &LogLine::plain(line), header);
    }

    /// The same of a line that knows its parts.
    pub fn tell(self, log: &dyn Log, line: &LogLine, header: &[u8]) {
        if log.is_one() && (self.main || self.reject || self.panic) {
            return log.told(LogVoice::Main, line);
        }
        match (self.main, self.reject) {
            (true, true) => log.told_rejection(line, header),
            (true, false) if self.panic => return log.told(LogVoice::Panic, line),
            (true, false) => log.told(LogVoice::Main, line),
            (false, true) => log.rejected_message_alone(line.text(), header),
            (false, false) => {}
        }
        if self.panic {
            log.panic_alone(line.text());
        }
    }

    /// The same for a line that the main log has because `log_selector` has a word.
    pub fn write_selected(self, by: LogSelector, log: &dyn Log, line: &[u8], header: &[u8]) {
        match self {
            Self { main: true, reject: true, panic: false } => {
                log.selected_rejection(by, line, header);
            }
            Self { main: true, reject: false, panic: false } => log.selected(by, line),
            Self { main: false, reject: true, panic: false } => {
                log.unselected_rejection(by, line, header);
            }
            _ => self.write(log, line, header),
        }
    }

    /// A test shows a line once, whatever logs it is for; who looks on is shown which they are.
    pub fn shown_once(self, log: &dyn Log) -> Self {
        match !log.shows_unselected() && (self.main || self.reject || self.panic) {
            true => Self::MAIN,
            false => self,
        }
    }
}

impl Acls {
    /// The ACLs of a configuration.
    pub fn new(config: &Config, routes: Routes) -> Self {
        let places = ConfigPlaces::new(config);
        let named = config.acls.iter().map(|acl| Named::new(acl, &places)).collect();
        let end = config.sources.file(0).map_or_else(TracePlace::default, |file| {
            let lines = file.text.split_inclusive(|byte| *byte == b'\n').count();
            TracePlace::new(&file.name[..], u32::try_from(lines).unwrap_or(u32::MAX))
        });
        Self(Arc::new(Inner { named, routes, end: Arc::new(end) }))
    }

    /// The routers that `verify` asks.
    pub fn routes(&self) -> &Routes {
        &self.0.routes
    }

    fn named(&self, name: &[u8]) -> Option<&Named> {
        self.0.named.iter().find(|one| one.name.bytes() == name)
    }

    /// An ACL from a text that stands where a name may stand, too, or from a file,
    /// whose name it has.
    fn parse(&self, name: Str, text: &[u8], registry: &Registry) -> Result<Named, Vec<u8>> {
        let statements = crate::config::acl_statements(text, registry)?;
        let statements = statements
            .into_iter()
            .map(|written| {
                let place = self.0.end.clone();
                Statement { line: place.line, place, written, terms: Vec::new() }
            })
            .collect();
        Ok(Named { name, statements })
    }
}

impl Named {
    fn new(acl: &Acl, places: &ConfigPlaces<'_>) -> Self {
        let statements = acl.statements.iter().map(|written| Statement {
            place: Arc::new(places.of(written.line, 0)),
            line: places.config.lines.get(written.line).map_or(0, |line| line.number),
            terms: places.of_terms(&written.terms),
            written: written.clone(),
        });
        Self { name: acl.name.clone(), statements: statements.collect() }
    }
}

impl Statement {
    /// Where it stands, as Exim says it: `exim.conf 12`.
    fn shown(&self) -> Vec<u8> {
        match self.line {
            0 => Vec::new(),
            line => [self.place.file.bytes(), b" ", line.to_string().as_bytes()].concat(),
        }
    }
}

/// Adds the words of ACLs to others.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .acl_terms(words::TERMS.iter().copied())
        .acl_controls(words::CONTROLS.iter().copied())
        .acl_verifies(words::VERIFIES.iter().copied());
}

/// A condition or modifier of ours, by name.
pub(crate) fn own_term(name: &[u8]) -> Option<&'static AclTerm> {
    words::TERMS.iter().copied().find(|term| term.meta.name.as_bytes() == name)
}

/// Whether an ACL is about a message that is being received.
fn takes_message(phase: AclPhases) -> bool {
    phase.intersects(
        AclPhases::MAIL
            | AclPhases::RCPT
            | AclPhases::PREDATA
            | AclPhases::DATA
            | AclPhases::PRDR
            | AclPhases::MIME
            | AclPhases::DKIM
            | AclPhases::NOT_SMTP
            | AclPhases::NOT_SMTP_MIME,
    )
}
