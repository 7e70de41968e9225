//! RCPT: who gets the message (specification 44.2.7, 49.2).

use std::borrow::Cow;

use eximious::acl::AclVerdict;
use eximious::route::PercentDeferred;
use eximious::stdlib::address;
use eximious::stdlib::number::decimal;
use eximious::{AclPhases, Str, opt, var};

use super::parameters;
use super::ratelimit::Paced;
use super::stage::{Handled, LastRejected, Stage};
use super::transaction::{DiscardedBy, Envelope};
use super::verdict::{Refused, undecided, unset};
use super::{Recipient, SmtpSession, reply};

impl SmtpSession {
    pub(super) fn rcpt(&mut self, argument: &[u8], last: LastRejected) -> Handled {
        self.transaction.asked.all += i64::from(!argument.is_empty());
        let Some(envelope) = &self.transaction.envelope else {
            if !argument.is_empty() {
                self.count_failure(false);
            }
            let text = b"sender not yet given";
            self.transaction.refusals.note(b"503 sender not yet given");
            if self.connection.advertised.pipelining && last != LastRejected::Nothing {
                return Err(self.reply(&[b"503 ", text]));
            }
            // What follows it is out of order by itself.
            return Ok(self.protocol_error(b"503", text));
        };
        if argument.is_empty() {
            self.transaction.asked.all += 1;
            self.count_failure(false);
            self.transaction.refusals.note(b"501 RCPT must have an address operand");
            return Err(self.syntax_error(b"501", b"RCPT must have an address operand"));
        }
        let utf8 = envelope.sender.utf8;
        self.show_counts();
        self.slow_down(Paced::Rcpt, self.transaction.asked.all)?;
        let (text, recipient) = self.read_recipient(argument, utf8)?;
        self.check_count()?;
        self.check_memory_of_recipient(recipient.address.bytes())
            .inspect_err(|_| self.count_failure(true))?;
        self.judge_recipient(recipient, &text, argument)
    }

    /// Reads what RCPT says: its text without parameters, and the recipient.
    fn read_recipient<'t>(
        &mut self,
        argument: &'t [u8],
        utf8: bool,
    ) -> Result<(Cow<'t, [u8]>, Recipient), Stage> {
        let esmtp = self.connection.advertised.esmtp;
        let dsn = esmtp && self.connection.advertised.dsn;
        let found = parameters::rcpt(argument, esmtp, dsn).map_err(|wrong| {
            let why = wrong.0.as_bytes();
            self.transaction.refusals.note(&[b"501 ", why].concat());
            self.syntax_error(b"501", why)
        });
        let (text, mut recipient) = found?;
        let rules = self.address_rules(utf8);
        let mut address = self.parse_address(&text, rules).inspect_err(|_| {
            self.count_failure(false);
        })?;
        if address::find_at(&address).is_none() {
            let postmaster = address.eq_ignore_ascii_case(b"postmaster");
            if !postmaster && !self.connection.permissions.unqualified_recipients {
                let tail = b": recipient address must contain a domain";
                let said = [b"501 ", &text[..], tail.as_slice()].concat();
                self.transaction.refusals.note(&said);
                self.log_unqualified("recipient", &text);
                self.say(&[&said]);
                self.count_failure(false);
                return Err(Stage::COMMANDS);
            }
            let domain = self.variable(var::QUALIFY_RECIPIENT);
            address.extend_from_slice(&[b"@", domain.bytes()].concat());
        }
        recipient.address = Str::tainted(address);
        Ok((text, recipient))
    }

    fn judge_recipient(&mut self, recipient: Recipient, text: &[u8], argument: &[u8]) -> Handled {
        let discards = self.transaction.envelope.as_ref().is_some_and(Envelope::discards_all);
        let shown = self.show_recipient(&recipient.address);
        self.prepare_cutthrough(&recipient);
        let mut result = match (discards, shown) {
            (true, _) => unset(true),
            (false, Err(deferred)) => undecided(deferred),
            (false, Ok(())) => {
                self.acl(opt::ACL_SMTP_RCPT, AclPhases::RCPT).unwrap_or_else(|| self.no_acl())
            }
        };
        if discards {
            result.verdict = AclVerdict::Discard;
            result.log_message = self.reason_of_mail();
        }
        self.call_out_for_cutthrough(&mut result);
        if result.verdict == AclVerdict::Accept {
            self.check_sync_of_acceptance()?;
        }
        let handled = match result.verdict {
            AclVerdict::Accept | AclVerdict::Discard => {
                self.transaction.refusals.differ = true;
                match result.user_message.as_ref().filter(|text| !text.is_empty()) {
                    Some(said) => self.answer(b"250", said.bytes()),
                    None => self.say(&[b"250 Accepted"]),
                }
                if result.verdict == AclVerdict::Discard {
                    self.discard_recipient(argument, discards, result.log_message);
                } else if let Some(envelope) = &mut self.transaction.envelope {
                    envelope.recipients.push(recipient);
                }
                Ok(Stage::COMMANDS)
            }
            verdict @ (AclVerdict::Deny
            | AclVerdict::Drop
            | AclVerdict::Defer
            | AclVerdict::Error) => {
                // What comes of it is not about the recipient.
                self.hide_recipient();
                let refused = Refused::new(&[b"RCPT ", text]).with_sender().of(recipient);
                let stage = self.refuse(&refused, result);
                self.count_failure(matches!(verdict, AclVerdict::Defer | AclVerdict::Error));
                Err(stage)
            }
        };
        self.hide_recipient();
        self.show_counts();
        handled
    }

    /// What the ACL for MAIL had to say of it that it threw all recipients away.
    fn reason_of_mail(&self) -> Option<Str> {
        match &self.transaction.envelope.as_ref()?.discarded {
            Some(DiscardedBy::Mail(why)) => why.clone(),
            _ => None,
        }
    }

    /// Says whom ACLs are about; an error says that this can't be told now.
    pub(super) fn show_recipient(&mut self, address: &Str) -> Result<(), PercentDeferred> {
        let inner = eximious::route::innermost(&mut self.cx, address);
        let (inner, told) = match inner {
            Ok(inner) => (inner, Ok(())),
            Err(deferred) => (address.clone(), Err(deferred)),
        };
        let (bytes, taint) = inner.read();
        let (local_part, domain) = address::parts(bytes);
        let cased = address::unquote_local_part(local_part);
        let part = cased.to_ascii_lowercase();
        self.acl_state.recipient = Some(inner.clone());
        self.acl_state.cased_local_part = Some(Str::from(cased).stamped(taint));
        self.cx.set_var(var::LOCAL_PART, Str::from(part).stamped(taint));
        self.cx.set_var(var::DOMAIN, Str::from(domain.to_ascii_lowercase()).stamped(taint));
        self.cx.unset_var(var::DOMAIN_DATA);
        told
    }

    /// They are about nobody any more.
    pub(super) fn hide_recipient(&mut self) {
        self.acl_state.recipient = None;
        self.acl_state.cased_local_part = None;
        for var in [var::LOCAL_PART, var::DOMAIN] {
            self.cx.unset_var(var);
        }
    }

    fn discard_recipient(&mut self, argument: &[u8], by_mail: bool, why: Option<Str>) {
        let acl = if by_mail { "MAIL" } else { "RCPT" };
        if let Some(envelope) = &mut self.transaction.envelope {
            envelope.discarded.get_or_insert(DiscardedBy::Rcpt);
            envelope.recipient_discarded = true;
        }
        let client = self.logged_client();
        let sender = self.said_sender();
        let mut line = [&client, b" F=<".as_slice(), sender.bytes(), b"> RCPT ", argument].concat();
        line.extend_from_slice(&[b": discarded by ", acl.as_bytes(), b" ACL"].concat());
        if let Some(why) = why.filter(|why| !why.is_empty()) {
            line.extend_from_slice(&[b": ", why.bytes()].concat());
        }
        self.log_rejection(&line);
    }

    /// Whether one more recipient is allowed; the client is told so if not.
    fn check_count(&mut self) -> Result<(), Stage> {
        let most = self.connection.permissions.recipients_max;
        let rejects = self.flag(opt::RECIPIENTS_MAX_REJECT);
        let Some(envelope) = &mut self.transaction.envelope else { return Ok(()) };
        // Those that were refused count, too.
        if most <= 0 || self.transaction.asked.all <= most {
            return Ok(());
        }
        let first = !std::mem::replace(&mut envelope.too_many, true);
        if first {
            let sender = self.variable(var::SENDER_ADDRESS);
            let client = self.logged_client();
            let head: &[u8] = match rejects {
                true => b"too many recipients: message rejected: sender=<",
                false => b"too many recipients: excess temporarily rejected: sender=<",
            };
            self.log_rejection(&[head, sender.bytes(), b"> ", &client].concat());
        }
        let said: &[u8] = match rejects {
            true => b"552 too many recipients",
            false => b"452 too many recipients",
        };
        self.transaction.refusals.note(said);
        self.say(&[said]);
        self.count_failure(!rejects);
        Err(Stage::COMMANDS)
    }

    fn count_failure(&mut self, for_now: bool) {
        match for_now {
            true => self.transaction.asked.deferred += 1,
            false => self.transaction.asked.failed += 1,
        }
        self.show_counts();
    }

    fn show_counts(&mut self) {
        let envelope = self.transaction.envelope.as_ref();
        let count = envelope.map_or(0, |envelope| envelope.recipients.len() as i64);
        let asked = self.transaction.asked;
        let values = [
            (var::RCPT_COUNT, asked.all),
            (var::RCPT_DEFER_COUNT, asked.deferred),
            (var::RCPT_FAIL_COUNT, asked.failed),
            (var::RECIPIENTS_COUNT, count),
        ];
        for (var, value) in values {
            self.cx.set_var(var, decimal(value));
        }
    }

    /// Whether there is a recipient for a message that is to come; the client is
    /// told so if not.
    pub(super) fn requires_recipient(
        &mut self,
        command: &str,
        last: LastRejected,
    ) -> Result<(), Stage> {
        if let Some(envelope) = &self.transaction.envelope
            && (!envelope.recipients.is_empty() || envelope.recipient_discarded)
        {
            return Ok(());
        }
        let several = !self.acl_state.has("no_multiline_responses");
        let refusals = &self.transaction.refusals;
        if let (Some(said), false, true) = (&refusals.said, refusals.differ, several) {
            let mut bytes = b"503-All RCPT commands were rejected with this error:\r\n".to_vec();
            bytes.extend(reply::lines(b"503", said, false));
            self.say_lines(bytes);
        }
        if self.connection.advertised.pipelining && last == LastRejected::Rcpt {
            let head = b"503 Valid RCPT command must precede ";
            return Err(self.reply(&[head, command.as_bytes()]));
        }
        let text = format!("valid RCPT command must precede {command}");
        Err(self.protocol_error(b"503", text.as_bytes()))
    }
}
