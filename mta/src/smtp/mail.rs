//! MAIL: a transaction begins (specification 44.2.6, 49.2).

use eximious::acl::{AclResult, AclVerdict};
use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::stdlib::address::{self, Rules};
use eximious::{AclPhases, LogSelector, Str, opt, var};

use super::parameters::{self, AuthParam, MailOffers, MailParams};
use super::ratelimit::Paced;
use super::stage::{Handled, Stage};
use super::transaction::{DiscardedBy, Envelope, UNKNOWN_SIZE};
use super::verdict::{Refused, unset};
use super::{EnvelopeSender, SmtpSession};

/// The largest size that is told: a number of Exim's.
const MOST_SHOWN: u64 = i32::MAX as u64;

impl SmtpSession {
    pub(super) fn mail(&mut self, argument: &[u8]) -> Handled {
        self.connection.counts.messages += 1;
        if !self.connection.advertised.helo_accepted && self.requires_helo()? {
            let client = self.shown_client();
            self.log_rejection(
                &[b"rejected MAIL from ", &client[..], b": no HELO/EHLO given"].concat(),
            );
            return Err(self.protocol_error(b"503", b"HELO or EHLO required"));
        }
        if self.transaction.envelope.is_some() {
            return Err(self.protocol_error(b"503", b"sender already given"));
        }
        if argument.is_empty() {
            // It counts as one that is out of place.
            return Err(self.protocol_error(b"501", b"MAIL must have an address operand"));
        }
        let most = self.most_messages();
        if most > 0 && self.connection.counts.messages > most {
            let client = self.logged_client();
            let line =
                [b"rejected MAIL command ", &client[..], b": too many messages in one connection"];
            self.log_rejection(&line.concat());
            return Err(self.reply(&[b"421 too many messages in this connection"]));
        }
        self.drop_transaction();
        self.slow_down(Paced::Mail, self.connection.counts.messages)?;
        let (text, sender) = self.read_sender(argument)?;
        self.judge_sender(text, sender)
    }

    /// Reads what MAIL says: its text without parameters, and the sender.
    fn read_sender<'t>(&mut self, argument: &'t [u8]) -> Result<(&'t [u8], EnvelopeSender), Stage> {
        let offers = MailOffers {
            eight_bit: self.flag(opt::ACCEPT_8BITMIME),
            prdr: self.connection.advertised.prdr,
            smtputf8: self.connection.advertised.smtputf8,
            dsn: self.connection.advertised.dsn,
        };
        let mut params = MailParams::default();
        let text = match self.connection.advertised.esmtp {
            false => Ok(argument),
            true => parameters::mail(argument, offers, &mut params),
        };
        for AuthParam { given, claimed, before } in params.auth {
            self.check_auth_parameter(before, given, &claimed)?;
        }
        let text = text.map_err(|wrong| self.syntax_error(b"501", wrong.0.as_bytes()))?;
        let mut sender = params.sender;
        let rules = Rules { null: true, ..self.address_rules(sender.utf8) };
        let mut address = self.parse_address(text, rules)?;
        self.check_size(&address, sender.size)?;
        sender.raw = Str::tainted(&address[..]);
        if !address.is_empty() && address::find_at(&address).is_none() {
            if !self.connection.permissions.unqualified_senders {
                self.log_unqualified("sender", text);
                let tail = b": sender address must contain a domain";
                return Err(self.reply(&[b"501 ", text, tail]));
            }
            let domain = self.variable(var::QUALIFY_DOMAIN);
            address.extend_from_slice(&[b"@", domain.bytes()].concat());
        }
        sender.said = Str::tainted(address);
        sender.address = sender.said.clone();
        Ok((text, sender))
    }

    fn judge_sender(&mut self, text: &[u8], sender: EnvelopeSender) -> Handled {
        self.show_sender(&sender);
        let (utf8, prdr) = (sender.utf8, sender.prdr);
        self.transaction.envelope = Some(Envelope { sender, ..Envelope::default() });
        if utf8 {
            self.show_protocol(b"utf8");
        }
        let result = self.acl(opt::ACL_SMTP_MAIL, AclPhases::MAIL);
        let accepts = |result: &AclResult| result.verdict == AclVerdict::Accept;
        if result.as_ref().is_some_and(accepts) {
            self.check_sync_of_acceptance()?;
        }
        let result = result.unwrap_or_else(|| unset(true));
        match result.verdict {
            AclVerdict::Accept | AclVerdict::Discard => {
                if let Some(envelope) = &mut self.transaction.envelope
                    && result.verdict == AclVerdict::Discard
                {
                    envelope.discarded = Some(DiscardedBy::Mail(result.log_message));
                }
                let text = result.user_message.filter(|text| !text.is_empty());
                let text = text.unwrap_or_else(|| Str::from("OK"));
                let requested: &[u8] = if prdr { b", PRDR Requested" } else { b"" };
                self.answer(b"250", &[text.bytes(), requested].concat());
                Ok(Stage::COMMANDS)
            }
            AclVerdict::Deny | AclVerdict::Drop | AclVerdict::Defer | AclVerdict::Error => {
                let stage = self.refuse(&Refused::new(&[b"MAIL ", text]), result);
                self.drop_transaction();
                Err(stage)
            }
        }
    }

    fn requires_helo(&mut self) -> Result<bool, Stage> {
        match self.connection.permissions.verify_helo {
            true => Ok(true),
            false => self.client_in(opt::HOSTS_REQUIRE_HELO),
        }
    }

    /// What a command's address is, after rules for rewriting at SMTP time.
    ///
    /// # Errors
    /// It is none, and the client was told so.
    pub(super) fn parse_address(&mut self, text: &[u8], rules: Rules) -> Result<Vec<u8>, Stage> {
        let given = Str::tainted(text);
        let server = self.server.clone();
        let rewriter = Rewriter::new(&server.rewrite);
        let rewritten = rewriter.address(&mut self.cx, &given, AddressPlace::Smtp).ok().flatten();
        let whole = rewritten.unwrap_or(given);
        address::parse(whole.bytes(), rules).map(|found| found.text).map_err(|why| {
            let said = [text, b": ", &why.message].concat();
            if self.transaction.envelope.is_some() {
                self.transaction.refusals.note(&[b"501 ", &said[..]].concat());
            }
            self.syntax_error_as(b"501", &said, &why.message)
        })
    }

    /// What an address may be made of.
    pub(super) fn address_rules(&self, utf8: bool) -> Rules {
        let rules = Rules::of(self.cx.engine().settings());
        Rules { utf8_domains: rules.utf8_domains || utf8, ..rules }
    }

    /// Whether a message of this size would be accepted; the client is told so if
    /// not.
    fn check_size(&mut self, address: &[u8], size: Option<u64>) -> Result<(), Stage> {
        let limit = self.connection.permissions.message_size_limit;
        let Some(size) = size.filter(|size| limit > 0 && *size > limit) else {
            self.check_memory()?;
            return self.check_space(size.unwrap_or(0));
        };
        self.say(&[b"552 Message size exceeds maximum permitted"]);
        let client = self.logged_client();
        let shown = match size >= MOST_SHOWN {
            true => format!(">={MOST_SHOWN}"),
            false => format!("={size}"),
        };
        let tail = format!(": message too big: size{shown} max={limit}");
        let head = [b"rejected MAIL FROM:<", address, b"> "].concat();
        let line = [&head, &client[..], tail.as_bytes()].concat();
        self.log_rejection_if(LogSelector::SIZE_REJECT, &line);
        Err(Stage::COMMANDS)
    }

    /// Whether there is space for another message; the client is told so if not.
    fn check_space(&mut self, size: u64) -> Result<(), Stage> {
        crate::spool::space::check(&self.cx, size).map_err(|why| {
            self.log(&why);
            self.reply(&[b"452 Space shortage, please try later"])
        })
    }

    fn show_sender(&mut self, sender: &EnvelopeSender) {
        self.cx.set_var(var::SENDER_ADDRESS, sender.address.clone());
        self.cx.set_var(
            var::MESSAGE_SIZE,
            sender.size.map_or(UNKNOWN_SIZE.to_owned(), |size| size.min(MOST_SHOWN).to_string()),
        );
        let requested = if sender.prdr { "yes" } else { "no" };
        self.cx.set_var(var::PRDR_REQUESTED, Str::fixed(requested));
        let international = if sender.utf8 { "yes" } else { "no" };
        self.cx.set_var(var::MESSAGE_SMTPUTF8, Str::fixed(international));
    }

    /// The sender as the client said it, whatever rules for rewriting made of it: logs
    /// of what was refused have that.
    pub(super) fn said_sender(&mut self) -> Str {
        match &self.transaction.envelope {
            Some(envelope) => envelope.sender.said.clone(),
            None => self.variable(var::SENDER_ADDRESS),
        }
    }
}
