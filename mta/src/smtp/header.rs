//! What is done to the header of a message that came by SMTP, before it is judged.

use eximious::rewrite::Rewriter;
use eximious::{Message, Str, var};

use super::SmtpSession;
use super::stage::Stage;
use crate::logs;
use crate::reception::{self, FixedMessage, FixingMessage, Origin, TooLong};

impl SmtpSession {
    /// Whether a header is not too long; the client is told so if it is.
    pub(super) fn check_header(&mut self, message: &Message, stray: u64) -> Result<(), Stage> {
        let Some(too_long) = reception::too_long(&mut self.cx, message, stray) else {
            return Ok(());
        };
        self.transaction.id = Some(Str::EMPTY);
        match too_long {
            TooLong::Header(_) => self.say(&[b"552 Message header is ridiculously long"]),
            TooLong::Line(_) => self.say(&[b"552 A message header line is too long"]),
        }
        let line = too_long.logged(&mut self.cx);
        self.log(&line);
        self.end_transaction(false);
        Err(Stage::COMMANDS)
    }

    /// Applies the rules for rewriting to the recipients. As they were before, logs name
    /// them (specification 53.15, `received_recipients`).
    fn rewrite_recipients(&mut self, fixing: &mut FixingMessage<'_>) {
        let server = self.server.clone();
        let rewriter = Rewriter::new(&server.rewrite);
        let Some(envelope) = &mut self.transaction.envelope else { return };
        let said = envelope.recipients.iter().map(|one| one.address.clone());
        envelope.said_recipients = said.collect();
        let addresses = envelope.recipients.iter_mut().map(|one| &mut one.address);
        let rewritten = fixing.seen(&mut self.cx, &rewriter, |cx| {
            reception::rewrite_recipients(cx, &rewriter, addresses)
        });
        rewritten.faults.iter().for_each(|fail| self.log(fail.message()));
        self.transaction.arrived.old_recipients = rewritten.old;
    }

    /// Makes a message what it has to be, and rewrites its envelope. `senders` are those that
    /// lines before the header name.
    pub(super) fn fix_up(&mut self, message: Message, senders: &[Vec<u8>]) -> Message {
        let user = self.connection.client.user.clone();
        let local = self.connection.client.address.is_none();
        let handed_on = self.connection.client.by_inetd;
        let trusted = user.as_ref().is_none_or(|user| user.trusted);
        if let Some(sender) = senders.last().filter(|_| trusted)
            && let Ok(sender) = reception::qualified_sender(&mut self.cx, sender)
        {
            self.cx.set_var(var::SENDER_ADDRESS, sender);
        }
        let sender = self.variable(var::SENDER_ADDRESS);
        if (local || handed_on)
            && let Some(user) = &user
            && !user.trusted
            && !reception::may_be_sender(&mut self.cx, &sender)
        {
            let own = reception::own_address(&mut self.cx, &user.login);
            let own = Str::tainted(own);
            if let Some(envelope) = &mut self.transaction.envelope {
                envelope.sender.raw = own.clone();
            }
            self.cx.set_var(var::SENDER_ADDRESS, own);
        }
        let user = user.unwrap_or_default();
        let rewritten = self.acl_state.sender_is_rewritten();
        let said = self.transaction.envelope.as_ref().map(|envelope| envelope.sender.said.clone());
        let said = said.unwrap_or_default();
        let origin = Origin {
            is_error: self.connection.client.is_error,
            local,
            handed_on,
            smtp: true,
            name: user.name_beside(trusted),
            login: user.login,
            trusted,
            qualifies_senders: self.connection.permissions.unqualified_senders,
            qualifies_recipients: self.connection.permissions.unqualified_recipients,
            names_recipients: false,
            leaves_header: false,
            rewrites_sender: !rewritten,
            said_sender: rewritten.then_some(said),
        };
        let server = self.server.clone();
        let rewriter = Rewriter::new(&server.rewrite);
        let controls = &self.acl_state.controls;
        let tell = logs::main(&self.cx, self.message_id());
        let mut fixing = reception::fix(&mut self.cx, &origin, controls, message);
        fixing.expect(self.transaction.envelope.as_ref().map_or(0, |one| one.recipients.len()));
        self.rewrite_recipients(&mut fixing);
        let fixed = fixing.finish(&mut self.cx, &rewriter, &tell);
        let FixedMessage { mut message, mut replaced, places, old_senders, panics, logged, .. } =
            fixed;
        self.transaction.arrived.given_sender = fixed.given_sender;
        let old_recipients = std::mem::take(&mut self.transaction.arrived.old_recipients);
        places.tell(&mut replaced, &old_recipients, &old_senders);
        panics.iter().for_each(|line| self.log_panic(line));
        self.transaction.arrived.replaced = replaced;
        self.transaction.arrived.logged = logged;
        let sender = self.variable(var::SENDER_ADDRESS);
        message.sender = sender.clone();
        if let Some(envelope) = &mut self.transaction.envelope {
            envelope.sender.address = sender;
        }
        message
    }

    /// Puts the line there that says how the message came here.
    ///
    /// # Errors
    /// What it says can't be told, and the message, which would not be known again if it came
    /// back, is not taken.
    pub(super) fn add_received(&mut self, mut message: Message) -> Result<Message, Stage> {
        let line = match reception::received_header(&mut self.cx, &mut message) {
            Ok(line) => line,
            Err(why) => {
                self.log_panic(&why);
                self.end_transaction(false);
                return Err(self.fail_unexpectedly());
            }
        };
        if let Some(line) = line {
            reception::put_first(&mut message, &mut self.transaction.arrived.replaced, line);
        }
        // What ACLs did so far is done when the next one looks.
        let replaced = &mut self.transaction.arrived.replaced;
        reception::apply_headers(&mut message, replaced, &mut self.acl_state);
        self.cx.unset_var(var::HEADERS_ADDED);
        Ok(message)
    }
}
