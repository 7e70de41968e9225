//! ACLs for messages that programs hand in (specification 44.2.1).

use std::sync::Arc;
use std::time::Duration;

use eximious::acl::{AclHost, AclResult, AclVerdict, Logs, PartsVerdict};
use eximious::world::Log;
use eximious::{AclPhases, Message, Opt, Str, opt, var};

use super::report::Fault;
use super::{Outside, Submission};
use crate::smtp::reply;
use crate::{logs, reception};

/// Who an ACL speaks to.
struct Host<'h> {
    outside: &'h mut dyn Outside,
    log: Arc<dyn Log>,
    id: Str,
}

impl AclHost for Host<'_> {
    fn delay(&mut self, time: Duration, _: bool) {
        self.outside.wait(time);
    }

    fn log_through(&mut self, log: Arc<dyn Log>) {
        self.log = log;
    }

    fn log(&mut self, line: &[u8]) {
        self.log.main(&logs::named(&self.id, line));
    }

    fn log_to(&mut self, which: Logs, line: &[u8]) {
        which.write(&*self.log, &logs::named(&self.id, line), b"");
    }
}

impl Submission<'_> {
    /// `acl_not_smtp_start`: what it says of a message that is not there yet does not
    /// count; what it sets does.
    pub(super) fn begin(&mut self) {
        let mut message = Message::default();
        message.recipients.clone_from(&self.typed.recipients);
        self.cx.set_message(Some(message));
        self.cx.set_var(var::RECEIVED_COUNT, "0");
        let _ = self.acl(opt::ACL_NOT_SMTP_START, AclPhases::NOT_SMTP_START);
    }

    /// `acl_not_smtp_mime`, for each part of the message, and `acl_not_smtp`: which ACL
    /// threw all recipients away, and why.
    pub(super) fn judge(&mut self) -> Result<Option<(&'static str, Str)>, Fault> {
        if self.received.recipients.is_empty() {
            return Ok(None);
        }
        let log = self.cx.engine().world().log.clone();
        let mut host = Host { outside: self.outside, log, id: self.id.clone() };
        self.server.acls.ask_brightmail(self.cx, &mut host, &self.state);
        let judged = self.judge_parts().and_then(|thrown| Ok((thrown, self.judge_whole()?)));
        self.state.end_scan(self.cx);
        judged.map(|(thrown, whole)| thrown.or(whole))
    }

    fn judge_parts(&mut self) -> Result<Option<(&'static str, Str)>, Fault> {
        let Some(text) = self.cx.engine().settings().acl(opt::ACL_NOT_SMTP_MIME) else {
            return Ok(None);
        };
        let log = self.cx.engine().world().log.clone();
        let mut host = Host { outside: self.outside, log, id: self.id.clone() };
        let (acls, phase) = (&self.server.acls, AclPhases::NOT_SMTP_MIME);
        let verdict = acls.check_parts(self.cx, &mut host, &mut self.state, phase, &text);
        // The ACL for the message as a whole sees what this one added.
        if let Some(mut message) = self.cx.take_message() {
            let replaced = &mut self.received.replaced;
            reception::apply_headers(&mut message, replaced, &mut self.state);
            self.cx.set_message(Some(message));
            self.cx.unset_var(var::HEADERS_ADDED);
        }
        match verdict {
            PartsVerdict::Accepted => Ok(None),
            PartsVerdict::Ended(result)
                if self.request.batched && result.verdict != AclVerdict::Discard =>
            {
                Err(self.refused_in_batch(result))
            }
            // Why it does so is not said.
            PartsVerdict::Ended(result) => self
                .settle(result, ("MIME", "non-SMTP MIME"))
                .map(|thrown| thrown.map(|(acl, _)| (acl, Str::EMPTY))),
            PartsVerdict::Uncopied => Err(Fault::Judged(b"temporary local problem".to_vec())),
        }
    }

    fn judge_whole(&mut self) -> Result<Option<(&'static str, Str)>, Fault> {
        self.cx.set_local_message(true);
        let judged = self.acl(opt::ACL_NOT_SMTP, AclPhases::NOT_SMTP);
        self.cx.set_local_message(false);
        match judged {
            Some(result) => self.settle(result, ("non-SMTP", "non-SMTP")),
            None => Ok(None),
        }
    }

    /// What comes of an ACL's verdict: which one threw all recipients away, as is said of
    /// that, and why. It has another name where it refuses.
    fn settle(
        &mut self,
        result: AclResult,
        (thrown_by, acl): (&'static str, &str),
    ) -> Result<Option<(&'static str, Str)>, Fault> {
        let given = |text: Option<Str>| text.filter(|text| !text.is_empty());
        let said = given(result.user_message);
        let logged = given(result.log_message);
        match result.verdict {
            AclVerdict::Accept => Ok(None),
            AclVerdict::Discard => {
                self.received.recipients.clear();
                Ok(Some((thrown_by, logged.or(said).unwrap_or_default())))
            }
            _ => {
                let sender = self.received_sender();
                let logged = logged.or_else(|| said.clone());
                let why = logged.as_ref().map_or(b"NULL".as_slice(), Str::bytes);
                let middle = format!("> rejected by {acl} ACL: ");
                let parts = [b"F=<", sender.bytes(), middle.as_bytes(), why];
                self.log_refusal(&parts.concat(), result.reject_logs);
                let said = said
                    .map_or(b"local configuration problem".to_vec(), |said| said.bytes().to_vec());
                let head = format!("message rejected by {acl} ACL: ");
                let shown = [head.as_bytes(), &said, b"\n"].concat();
                self.cx.engine().world().log.debug(&shown);
                if let Some(message) = self.cx.take_message() {
                    self.received.message = message;
                }
                Err(Fault::Judged(said))
            }
        }
    }

    /// What an ACL for parts says of a message of a batch is said, and logged, as it is in SMTP.
    fn refused_in_batch(&mut self, result: AclResult) -> Fault {
        let given = |text: Option<Str>| text.filter(|text| !text.is_empty());
        let said = given(result.user_message);
        let logged = given(result.log_message).or_else(|| said.clone());
        let why = logged.map_or_else(Vec::new, |why| [b": ", why.bytes()].concat());
        let later = matches!(result.verdict, AclVerdict::Defer | AclVerdict::Error);
        let how: &[u8] = if later { b"temporarily rejected" } else { b"rejected" };
        let (ident, sender) = (self.cx.value_of(var::SENDER_IDENT), self.received_sender());
        let parts: [&[u8]; 7] =
            [b"U=", ident.bytes(), b" F=<", sender.bytes(), b"> ", how, b" during MIME ACL checks"];
        self.log_refusal(&[parts.concat(), why].concat(), result.reject_logs);
        let (code, usual): (&[u8], &[u8]) = match later {
            true => (b"451", b"Temporary local problem - please try later"),
            false => (b"550", b"Administrative prohibition"),
        };
        let said = said.filter(|_| result.verdict != AclVerdict::Error);
        let text = said.as_ref().map_or(usual, Str::bytes);
        let (code, text) = reply::own_code(text)
            .filter(|(own, _)| own.first() == code.first())
            .unwrap_or((code, text));
        Fault::Answered([code, b" ", text].concat())
    }

    /// Logs that an ACL has refused the message, whose header goes to the log of rejections.
    fn log_refusal(&mut self, text: &[u8], logs: Logs) {
        let (line, sender) = (self.log_line(text), self.received_sender());
        let recipients = self.received.recipients.iter().map(|one| one.address.bytes());
        // What ACLs add is not there yet.
        let whose = (sender.bytes(), recipients);
        let header = self.cx.message().map_or_else(Vec::new, |message| {
            reception::rejected(self.cx, message, whose, &self.received.replaced, None)
        });
        logs.write(&*self.cx.engine().world().log, &line, &header);
    }

    fn received_sender(&self) -> Str {
        self.cx.message().map(|message| message.sender.clone()).unwrap_or_default()
    }

    /// Runs the ACL that an option is set to; nothing where it is not set.
    pub(super) fn acl(&mut self, option: Opt<Str>, phase: AclPhases) -> Option<AclResult> {
        let text = self.cx.engine().settings().acl(option)?;
        let log = self.cx.engine().world().log.clone();
        let mut host = Host { outside: self.outside, log, id: self.id.clone() };
        let acls = &self.server.acls;
        Some(acls.check(self.cx, &mut host, &mut self.state, phase, &text))
    }
}
