//! ETRN: a client wants messages that wait to be sent (RFC 1985, specification 49.2.5).
//!
//! `smtp_etrn_command` says what is run then. Without it, that is a run of the queue for
//! recipients that have the argument in them, which whoever serves begins.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use eximious::acl::AclVerdict;
use eximious::opt;
use eximious::trace::TraceKinds;
use eximious::{AclPhases, LogSelector, Str, launch, var};

use super::SmtpSession;
use super::stage::{Handled, Stage};
use super::verdict::Refused;

/// The arguments of those commands that run (`smtp_etrn_serialize`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<HashSet<Vec<u8>>>>);

impl Running {
    /// Notes one; false where it runs already.
    fn begin(&self, argument: &[u8]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(argument.to_vec())
    }

    fn end(&self, argument: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(argument);
    }
}

/// Begins a run of the queue for messages with a recipient that has this text in it, and
/// does not wait for its end; what it is handed is called then.
pub type StartRun = dyn Fn(&[u8], Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync;

/// What begins such runs, once somebody said so.
#[derive(Default)]
pub(super) struct QueueRuns(OnceLock<Box<StartRun>>);

impl std::fmt::Debug for QueueRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("QueueRuns").field(&self.0.get().is_some()).finish()
    }
}

impl QueueRuns {
    pub(super) fn set(&self, start: Box<StartRun>) {
        let _ = self.0.set(start);
    }
}

impl SmtpSession {
    pub(super) fn etrn(&mut self, argument: &[u8]) -> Handled {
        if self.transaction.envelope.is_some() {
            let text = b"ETRN is not permitted inside a transaction";
            return Err(self.protocol_error(b"503", text));
        }
        let client = self.shown_client();
        let line = [b"ETRN ", argument, b" received from ", &client].concat();
        self.log_if(LogSelector::ETRN, &line);
        let result = self.acl(opt::ACL_SMTP_ETRN, AclPhases::ETRN).unwrap_or_else(|| self.no_acl());
        if result.verdict != AclVerdict::Accept {
            let refused = Refused::new(&[b"ETRN ", argument]).code("458");
            return Err(self.refuse(&refused, result));
        }
        let line = self.text(opt::SMTP_ETRN_COMMAND);
        // An empty one is one, and can't be executed.
        let runs_queue = !self.cx.engine().settings().is_set(opt::SMTP_ETRN_COMMAND);
        if runs_queue && argument.first() != Some(&b'#') {
            return Err(self.syntax_error(b"501", b"argument must begin with #"));
        }
        let words = match self.etrn_words(&line, argument) {
            Ok(words) => words,
            Err(why) => {
                self.log_panic(&[b"failed to set up ETRN command: ", &why[..]].concat());
                return Err(self.reply(&[b"458 Internal failure"]));
            }
        };
        let shown = if runs_queue { b"exim -R" } else { line.bytes() };
        self.cx.note(TraceKinds::RECEIVE, &[b"ETRN command is: ", shown].concat());
        if self.setup.is_test {
            self.cx.note(TraceKinds::RECEIVE, b"ETRN command execution skipped");
        } else if runs_queue {
            self.run_queue(argument)?;
        } else if !self.run_etrn(&line, &words, argument) {
            return Err(self.reply(&[b"458 Already processing ", argument]));
        }
        match result.user_message.filter(|text| !text.is_empty()) {
            Some(text) => self.answer(b"250", text.bytes()),
            None => self.say(&[b"250 OK"]),
        }
        Ok(Stage::COMMANDS)
    }

    /// Has the queue run for recipients that have the argument in them.
    fn run_queue(&mut self, argument: &[u8]) -> Result<(), Stage> {
        let server = self.server.clone();
        let Some(start) = server.queue_runs.0.get() else {
            self.log_panic(b"ETRN can't be served: messages are not delivered by this server");
            let text = b"458 Unable to queue messages: there are no queue runs";
            return Err(self.reply(&[text]));
        };
        let text = argument.strip_prefix(b"#").unwrap_or(argument);
        let Some(ended) = self.begin_etrn(argument) else {
            return Err(self.reply(&[b"458 Already processing ", text]));
        };
        if let Err(why) = start(text, ended) {
            let why = eximious::stdlib::wording::reason(&why);
            self.log_panic(&[b"queue run for ETRN failed: ", why.as_bytes()].concat());
            server.running.end(argument);
            return Err(self.reply(&[b"458 Unable to queue messages"]));
        }
        Ok(())
    }

    /// Notes what runs, unless the same does already and no other is to run then. What is
    /// returned is to be called at its end.
    fn begin_etrn(&mut self, argument: &[u8]) -> Option<Box<dyn FnOnce() + Send>> {
        let serialized = self.flag(opt::SMTP_ETRN_SERIALIZE);
        let (running, own) = (self.server.running.clone(), argument.to_vec());
        if serialized && !running.begin(argument) {
            return None;
        }
        Some(Box::new(move || {
            if serialized {
                running.end(&own);
            }
        }))
    }

    fn etrn_words(&mut self, line: &Str, argument: &[u8]) -> Result<Vec<Str>, Vec<u8>> {
        self.cx.set_var(var::DOMAIN, Str::tainted(argument));
        let words = launch::words(&mut self.cx, line, "ETRN processing");
        self.cx.unset_var(var::DOMAIN);
        words.map_err(|fail| fail.message().to_vec())
    }

    /// Starts the command; false where one for the same argument runs, and no other is to
    /// run then. That it can't be executed is for the log alone.
    fn run_etrn(&mut self, line: &Str, words: &[Str], argument: &[u8]) -> bool {
        let Some(ended) = self.begin_etrn(argument) else { return false };
        if let Err(why) = launch::start(&mut self.cx, words, ended) {
            let head = [b"exec of \"", line.bytes(), b"\" (ETRN) failed: "].concat();
            self.log_panic(&[&head, why.as_bytes()].concat());
            self.server.running.end(argument);
        }
        true
    }
}
