//! What an ACL's verdict means for the client, and what is logged of it
//! (specification 44.8, 44.10).

use eximious::acl::{AclResult, AclVerdict};
use eximious::route::PercentDeferred;
use eximious::trace::{AclEvent, Happening};
use eximious::world::LogPart;
use eximious::{LogSelector, Str, opt, var};

use super::logging::End;
use super::stage::Stage;
use super::{Recipient, SmtpSession, reply};
use crate::{dsn, logs, reception};

/// How many bytes of what a client says are named in logs as refused.
const SHOWN: usize = 100;

/// What is said where an ACL can't tell, and does not say why.
const LATER: &[u8] = b"Temporary local problem - please try later";

/// What was refused.
pub(super) struct Refused {
    /// As it is named in logs: `RCPT <a@b>`.
    pub(super) what: Vec<u8>,
    /// Whether the sender is named, too.
    pub(super) with_sender: bool,
    /// Whether the main log may have it.
    pub(super) main_log: bool,
    /// The code of a refusal.
    pub(super) code: &'static str,
    /// The one recipient that it is about.
    pub(super) recipient: Option<Recipient>,
    /// Whether the client has no name any more once that is told.
    pub(super) forgets_helo: bool,
    /// Whether the client has said nothing that could be answered.
    pub(super) is_silent: bool,
}

impl Refused {
    pub(super) fn new(parts: &[&[u8]]) -> Self {
        let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..part.len().min(SHOWN)]).collect();
        let what = parts.concat();
        Self {
            what,
            with_sender: false,
            main_log: true,
            code: "550",
            recipient: None,
            forgets_helo: false,
            is_silent: false,
        }
    }

    /// A message, once it is there.
    pub(super) fn message() -> Self {
        Self::new(&[b"after DATA"])
    }

    /// A message, by the ACL for one of its signatures.
    pub(super) fn dkim() -> Self {
        Self::new(&[b"DKIM "])
    }

    /// A part of a message.
    pub(super) fn in_mime() -> Self {
        Self::new(&[b"during MIME ACL checks"])
    }

    pub(super) fn with_sender(mut self) -> Self {
        self.with_sender = true;
        self
    }

    /// What nobody asked for, and nobody is told of.
    pub(super) fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    pub(super) fn forgets_helo(mut self) -> Self {
        self.forgets_helo = true;
        self
    }

    pub(super) fn of(mut self, recipient: Recipient) -> Self {
        self.recipient = Some(recipient);
        self
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }
}

/// The result of an ACL that is not set.
pub(super) fn unset(accepts: bool) -> AclResult {
    AclResult {
        verdict: if accepts { AclVerdict::Accept } else { AclVerdict::Deny },
        user_message: None,
        log_message: None,
        reject_logs: eximious::acl::Logs::REJECTIONS,
    }
}

/// What comes of it that nobody can tell now whom a recipient is about.
pub(super) fn undecided(_: PercentDeferred) -> AclResult {
    let why = Str::fixed(PercentDeferred::LOGGED);
    AclResult { verdict: AclVerdict::Error, log_message: Some(why), ..unset(false) }
}

impl SmtpSession {
    /// What comes of it that there is no ACL for what needs one.
    pub(super) fn no_acl(&mut self) -> AclResult {
        self.cx.tell(Happening::Acl(AclEvent::Missing));
        self.acl_state.settle_sender_fault();
        unset(false)
    }

    /// Says something to the client, with the code of the text's own choice where
    /// it begins with one.
    pub(super) fn answer(&mut self, code: &'static [u8], text: &[u8]) {
        let (code, text, _) = self.coded(code, text);
        let split = self.split(&text);
        self.say_lines(reply::lines(&code, &split, true));
    }

    /// A text in lines that are not too long; of some clients' one line is all that
    /// they can read.
    pub(super) fn split(&self, text: &[u8]) -> Vec<u8> {
        let mut lines = reply::split(text);
        if self.acl_state.has("no_multiline_responses") {
            let end = memchr::memchr(b'\n', &lines).unwrap_or(lines.len());
            lines.truncate(end);
        }
        lines
    }

    /// The code and the text of an answer. A code of the text's own must begin
    /// with the same digit, unless the answer is that nothing can be said (252, of VRFY);
    /// the last value says that it did not.
    pub(super) fn coded(&mut self, code: &'static [u8], text: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
        let Some((own, rest)) = reply::own_code(text) else {
            return (code.to_vec(), text.to_vec(), false);
        };
        if own.first() == code.first() || code == b"252" {
            return (own.to_vec(), rest.to_vec(), false);
        }
        let head = b"configured error code starts with incorrect digit (expected ";
        let digit = &code[..1];
        self.log_panic(&[head.as_slice(), digit, b") in \"", text, b"\""].concat());
        let plain = rest.to_vec();
        (code.to_vec(), plain, true)
    }

    /// Tells the client that an ACL refused something, and writes that to the
    /// logs. What is said of a recipient is kept for DATA.
    pub(super) fn refuse(&mut self, refused: &Refused, result: AclResult) -> Stage {
        if let Some(why) = self.acl_state.broken {
            let line = [b"421 ", why.as_bytes(), b"\r\n"].concat();
            self.say_refused(refused, line);
            self.note_refusal(refused, why.as_bytes());
            return Stage::COMMANDS;
        }
        let for_now = matches!(result.verdict, AclVerdict::Defer | AclVerdict::Error);
        let code = if for_now { "451" } else { refused.code };
        let told = self.tell_sender_fault(code, for_now);
        let mut logged = result.log_message;
        let said = &result.user_message;
        match said {
            Some(said) => {
                // VRFY has what code it likes, whatever the verdict.
                let is_free = refused.code == "252" && reply::own_code(said.bytes()).is_some();
                let expected = if is_free { refused.code } else { code };
                let (own, text, wrong) = self.coded(expected.as_bytes(), said.bytes());
                if wrong && logged.as_ref().is_some_and(|line| line.bytes() == said.bytes()) {
                    logged = Some(Str::from([&own, b" ".as_slice(), &text].concat()));
                }
                let text = match result.verdict {
                    AclVerdict::Error => LATER.to_vec(),
                    _ => self.split(&text),
                };
                self.say_refused(refused, reply::lines(&own, &text, true));
                self.note_refusal(refused, told.as_ref().unwrap_or(&text));
            }
            None => {
                let text = match for_now {
                    true => LATER.to_vec(),
                    false => b"Administrative prohibition".to_vec(),
                };
                self.say_refused(refused, reply::lines(code.as_bytes(), &text, true));
                self.note_refusal(refused, &text);
            }
        }
        let mut line = eximious::client::described_in_parts(&mut self.cx);
        line.append(&logs::security(&mut self.cx));
        if refused.with_sender {
            // Of a message that is here, what rules for rewriting made of it is told, and
            // not what submission mode did.
            let given = self.transaction.arrived.given_sender.clone();
            let sender = match (refused.recipient.is_some(), given) {
                (true, _) => self.said_sender(),
                (false, Some(given)) => given,
                (false, None) => self.variable(var::SENDER_ADDRESS),
            };
            line.field("F", [b"<", sender.bytes(), b">"].concat());
            line.push(LogPart::Field, reception::authenticated(&mut self.cx));
        }
        line.words(&logs::judged(&mut self.cx));
        line.words(&self.logged_reports(refused));
        line.push(LogPart::Mark, if for_now { " temporarily" } else { "" });
        line.push(LogPart::Words, b" ");
        line.push(LogPart::Event, b"rejected");
        line.push(LogPart::What, [b" ", &refused.what[..]].concat());
        if let Some(logged) = &logged {
            // One line is what a log wants.
            let first = logged.bytes().split(|byte| *byte == b'\n').next().unwrap_or_default();
            line.push(LogPart::Reason, [b": ", first].concat());
        }
        let line = logs::in_writing(self.message_id(), &line);
        let header = self.rejected_header();
        let mut reject_logs = result.reject_logs;
        reject_logs.main &= refused.main_log;
        let log = &*self.cx.engine().world().log;
        let which = if self.setup.is_test { reject_logs.shown_once(log) } else { reject_logs };
        which.tell(log, &line, &header);
        if result.verdict == AclVerdict::Drop {
            self.log_end(End::Closed("closed by DROP in ACL"));
            // The real one fails where a message was there.
            self.connection.failed |= self.transaction.id.is_some();
            self.run_notquit("acl-drop", None);
        }
        if refused.forgets_helo {
            self.set_helo_name(Str::EMPTY);
        }
        match result.verdict {
            AclVerdict::Drop => self.close(),
            _ => Stage::COMMANDS,
        }
    }

    fn say_refused(&mut self, refused: &Refused, lines: Vec<u8>) {
        if !refused.is_silent {
            self.say_lines(lines);
        }
    }

    fn note_refusal(&mut self, refused: &Refused, said: &[u8]) {
        if refused.recipient.is_some() {
            self.transaction.refusals.note(said);
        }
    }

    /// ` DSN=…`: the reports that were asked for, where that is logged.
    fn logged_reports(&self, refused: &Refused) -> Vec<u8> {
        let Some(envelope) = &self.transaction.envelope else { return Vec::new() };
        let recipients = match &refused.recipient {
            Some(own) => std::slice::from_ref(own),
            None => &envelope.recipients,
        };
        match self.logs(LogSelector::DSN) {
            true => dsn::shown(&envelope.sender, recipients),
            false => Vec::new(),
        }
    }

    /// Says once why the sender could not be verified, before it is said that
    /// something is refused; what a client was told of one that can't be verified now.
    fn tell_sender_fault(&mut self, code: &'static str, for_now: bool) -> Option<Vec<u8>> {
        let is_one_line = self.acl_state.has("no_multiline_responses");
        let fault = self.acl_state.sender_fault.as_mut()?;
        if std::mem::replace(&mut fault.told, true) {
            return None;
        }
        let fault = fault.clone();
        if !for_now && !is_one_line && !fault.said.is_empty() {
            let text = reply::split(&fault.said);
            self.say_lines(reply::lines(code.as_bytes(), &text, false));
        }
        let details = for_now && !is_one_line && self.flag(opt::SMTP_RETURN_ERROR_DETAILS);
        let told = fault.logged.clone().filter(|_| details);
        if let Some(why) = &told {
            self.say_lines(reply::lines(code.as_bytes(), why, false));
        }
        let client = self.logged_client();
        let word: &[u8] = if fault.deferred { b"defer" } else { b"fail" };
        let address = fault.address.bytes();
        let mut parts = vec![&client[..], b" sender verify ", word, b" for <", address, b">"];
        if let Some(why) = &fault.logged {
            parts.extend([b": ".as_slice(), why]);
        }
        if fault.deferred || self.logs(LogSelector::SENDER_VERIFY_FAIL) {
            self.log_rejection(&parts.concat());
        }
        told
    }
}
