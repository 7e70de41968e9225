//! MAIL and RCPT: the envelope (specification 44.2.6, 44.2.7, 49.2).

use eximious::acl::{AclResult, AclVerdict};
use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::stdlib::address::{self, Rules};
use eximious::{AclPhases, LogSelector, Str, opt, var};

use super::auth::Claim;
use super::parameters::{self, AuthParam, MailOffers};
use super::ratelimit::Paced;
use super::verdict::{Refused, unset};
use super::{Recipient, Sender, Session, reply};

/// `$message_size` before a message is there, where the client does not say it.
pub(super) const UNKNOWN_SIZE: &str = "-1";

/// A message's envelope, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) sender: Sender,
    pub(super) recipients: Vec<Recipient>,
    /// The same as the client said them, for logs.
    pub(super) said_recipients: Vec<Str>,
    /// How many RCPT commands there were, accepted or not.
    pub(super) asked: i64,
    pub(super) deferred: i64,
    pub(super) failed: i64,
    /// Which ACL threw recipients away.
    pub(super) discarded: Option<&'static str>,
    /// Whether MAIL itself was thrown away, and all recipients with it.
    pub(super) discards_all: bool,
    /// What it had to say of that.
    pub(super) discards_why: Option<Str>,
    /// Whether there were more recipients than are allowed.
    pub(super) too_many: bool,
    /// Whether each recipient was judged alone (PRDR).
    pub(super) judged_for_each: bool,
    /// Whether the message was accepted for each of them.
    pub(super) accepted_by_all: bool,
}

/// What was said to RCPT commands that were refused: if that is the same for all,
/// DATA repeats it.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    said: Option<Vec<u8>>,
    differ: bool,
}

/// What was refused just before: the next command, which was sent with it, can't
/// help being out of order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Before {
    #[default]
    Nothing,
    Mail,
    Rcpt,
}

impl Refusals {
    fn note(&mut self, text: &[u8]) {
        match &self.said {
            None => self.said = Some(text.to_vec()),
            Some(said) if said == text => {}
            Some(_) => self.differ = true,
        }
    }
}

impl Session {
    pub(super) fn mail(&mut self, argument: &[u8]) {
        self.before = Before::Mail;
        self.counts.messages += 1;
        if !self.offers.greeted && self.client_must_greet() {
            let client = self.shown_client();
            self.log_rejection(
                &[b"rejected MAIL from ", &client[..], b": no HELO/EHLO given"].concat(),
            );
            return self.protocol_error(b"503", b"HELO or EHLO required");
        }
        if self.envelope.is_some() {
            return self.protocol_error(b"503", b"sender already given");
        }
        if argument.is_empty() {
            return self.protocol_error(b"501", b"MAIL must have an address operand");
        }
        self.reset_message();
        let most = self.expanded_number(opt::SMTP_ACCEPT_MAX_PER_CONNECTION);
        if most > 0 && self.counts.messages > most {
            let client = self.logged_client();
            let line =
                [b"rejected MAIL command ", &client[..], b": too many messages in one connection"];
            self.log_rejection(&line.concat());
            return self.say(&[b"421 too many messages in this connection"]);
        }
        self.slow_down(Paced::Mail, self.counts.messages);
        let offers = MailOffers {
            per_recipient: self.offers.per_recipient,
            utf8: self.offers.utf8,
            reports: self.offers.reports,
        };
        let mut params = parameters::MailParams::default();
        let text = match self.offers.extended {
            false => Ok(argument),
            true => parameters::mail(argument, offers, &mut params),
        };
        if let Some(AuthParam { given, claimed, before }) = params.auth.take()
            && self.settle_claim(before, given, &claimed) == Claim::Refused
        {
            return;
        }
        let text = match text {
            Ok(text) => text,
            Err(parameters::Wrong(why)) => return self.protocol_error(b"501", why.as_bytes()),
        };
        let rules = self.rules(params.sender.utf8);
        let rules = Rules { null: true, ..rules };
        let Some(found) = self.parse(text, rules) else { return };
        if !self.fits(text, params.sender.size) {
            return;
        }
        let mut address = found;
        if !address.is_empty() && address::find_at(&address).is_none() {
            if !self.may.unqualified_senders {
                self.log_unqualified("sender", text);
                return self.say(&[b"501 ", text, b": sender address must contain a domain"]);
            }
            let domain = self.variable(var::QUALIFY_DOMAIN);
            address.extend_from_slice(&[b"@", domain.bytes()].concat());
        }
        params.sender.said = Str::tainted(address);
        params.sender.address = params.sender.said.clone();
        let utf8 = params.sender.utf8;
        self.show_sender(&params.sender);
        let per_recipient = params.sender.per_recipient;
        self.envelope = Some(Envelope { sender: params.sender, ..Envelope::default() });
        if utf8 {
            self.show_protocol(b"utf8");
        }
        let result = self.acl(opt::ACL_SMTP_MAIL, AclPhases::MAIL);
        let accepts = |result: &AclResult| result.verdict == AclVerdict::Accept;
        if result.as_ref().is_some_and(accepts) && !self.waits_for_acceptance() {
            return;
        }
        let result = result.unwrap_or_else(|| unset(true));
        match result.verdict {
            AclVerdict::Accept | AclVerdict::Discard => {
                if let Some(envelope) = &mut self.envelope
                    && result.verdict == AclVerdict::Discard
                {
                    envelope.discards_all = true;
                    envelope.discards_why = result.log_message;
                    envelope.discarded = Some("MAIL");
                }
                self.before = Before::Nothing;
                match result.user_message.filter(|text| !text.is_empty()) {
                    Some(text) => self.answer(b"250", text.bytes()),
                    None if per_recipient => self.say(&[b"250 OK, PRDR Requested"]),
                    None => self.say(&[b"250 OK"]),
                }
            }
            _ => {
                let _ = self.refuse(&Refused::new(&[b"MAIL ", text]), result);
                self.reset_message();
            }
        }
    }

    fn client_must_greet(&mut self) -> bool {
        self.may.verified_hello || self.client_in(opt::HOSTS_REQUIRE_HELO)
    }

    /// What a command's address is, after rules for rewriting at SMTP time; with
    /// nothing, the client was told what is wrong with it.
    fn parse(&mut self, text: &[u8], rules: Rules) -> Option<Vec<u8>> {
        let given = Str::tainted(text);
        let server = self.server.clone();
        let rewriter = Rewriter::new(&server.rewrite);
        let rewritten = rewriter.address(&mut self.cx, &given, AddressPlace::Smtp).ok().flatten();
        let whole = rewritten.unwrap_or(given);
        match address::parse(whole.bytes(), rules) {
            Ok(found) => Some(found.text),
            Err(why) => {
                let said = [text, b": ", &why.message].concat();
                if self.envelope.is_some() {
                    self.refusals.note(&[b"501 ", &said[..]].concat());
                }
                self.mistake(b"501", &said, &why.message);
                None
            }
        }
    }

    fn rules(&self, utf8: bool) -> Rules {
        let rules = Rules::of(self.cx.engine().settings());
        Rules { utf8_domains: rules.utf8_domains || utf8, ..rules }
    }

    /// Whether a message of this size would be accepted; the client is told so if
    /// not.
    fn fits(&mut self, text: &[u8], size: Option<u64>) -> bool {
        let limit = self.may.send_bytes;
        let Some(size) = size.filter(|size| limit > 0 && *size > limit) else {
            return self.has_space(size.unwrap_or(0));
        };
        self.say(&[b"552 Message size exceeds maximum permitted"]);
        let client = self.logged_client();
        let most = u64::from(i32::MAX.unsigned_abs());
        let shown = if size >= most { format!(">={most}") } else { format!("={size}") };
        let tail = format!(": message too big: size{shown} max={limit}");
        let head = [b"rejected MAIL FROM:", text, b" "].concat();
        let line = [&head, &client[..], tail.as_bytes()].concat();
        self.log_rejection_if(LogSelector::SIZE_REJECT, &line);
        false
    }

    /// Whether there is room for another message; the client is told so if not.
    fn has_space(&mut self, size: u64) -> bool {
        let Err(why) = crate::spool::space::check(&mut self.cx, size) else { return true };
        self.log(&why);
        self.say(&[b"452 Space shortage, please try later"]);
        false
    }

    fn show_sender(&mut self, sender: &Sender) {
        self.cx.set_var(var::SENDER_ADDRESS, sender.address.clone());
        self.cx.set_var(
            var::MESSAGE_SIZE,
            sender.size.map_or(UNKNOWN_SIZE.to_owned(), |size| size.to_string()),
        );
        let requested = if sender.per_recipient { "yes" } else { "no" };
        self.cx.set_var(var::PRDR_REQUESTED, Str::fixed(requested));
        let international = if sender.utf8 { "yes" } else { "no" };
        self.cx.set_var(var::MESSAGE_SMTPUTF8, Str::fixed(international));
    }

    pub(super) fn rcpt(&mut self, argument: &[u8], before: Before) {
        if self.envelope.is_none() {
            let text = b"sender not yet given";
            self.refusals.note(b"503 sender not yet given");
            if self.offers.pipelining && before != Before::Nothing {
                self.before = Before::Rcpt;
                return self.say(&[b"503 ", text]);
            }
            return self.protocol_error(b"503", text);
        }
        self.before = Before::Rcpt;
        if argument.is_empty() {
            self.refusals.note(b"501 RCPT must have an address operand");
            return self.protocol_error(b"501", b"RCPT must have an address operand");
        }
        if let Some(envelope) = &mut self.envelope {
            envelope.asked += 1;
        }
        self.show_counts();
        let asked = self.envelope.as_ref().map_or(0, |envelope| envelope.asked);
        self.slow_down(Paced::Rcpt, asked);
        let reports = self.offers.extended && self.offers.reports;
        let (text, mut recipient) = match parameters::rcpt(argument, reports) {
            Ok(found) => found,
            Err(parameters::Wrong(why)) => {
                self.refusals.note(&[b"501 ", why.as_bytes()].concat());
                return self.protocol_error(b"501", why.as_bytes());
            }
        };
        let utf8 = self.envelope.as_ref().is_some_and(|envelope| envelope.sender.utf8);
        let rules = self.rules(utf8);
        let Some(mut address) = self.parse(text, rules) else {
            return self.count_failure(false);
        };
        if address::find_at(&address).is_none() {
            let postmaster = address.eq_ignore_ascii_case(b"postmaster");
            if !postmaster && !self.may.unqualified_recipients {
                let tail = b": recipient address must contain a domain";
                let said = [b"501 ", text, tail.as_slice()].concat();
                self.refusals.note(&said);
                self.log_unqualified("recipient", text);
                self.say(&[&said]);
                return self.count_failure(false);
            }
            let domain = self.variable(var::QUALIFY_RECIPIENT);
            address.extend_from_slice(&[b"@", domain.bytes()].concat());
        }
        recipient.address = Str::tainted(address);
        if !self.has_room() {
            return;
        }
        self.judge_recipient(recipient, text, argument);
    }

    fn judge_recipient(&mut self, recipient: Recipient, text: &[u8], argument: &[u8]) {
        let discards = self.envelope.as_ref().is_some_and(|envelope| envelope.discards_all);
        self.show_recipient(&recipient.address);
        self.prepare_cutthrough(&recipient);
        let mut result = match discards {
            true => unset(true),
            false => self.acl(opt::ACL_SMTP_RCPT, AclPhases::RCPT).unwrap_or_else(|| self.no_acl()),
        };
        if discards {
            result.verdict = AclVerdict::Discard;
            result.log_message = self.envelope.as_ref().and_then(|one| one.discards_why.clone());
        }
        self.ask_onward(&mut result);
        if result.verdict == AclVerdict::Accept && !self.waits_for_acceptance() {
            return;
        }
        match result.verdict {
            AclVerdict::Accept | AclVerdict::Discard => {
                self.refusals.differ = true;
                self.before = Before::Nothing;
                match result.user_message.as_ref().filter(|text| !text.is_empty()) {
                    Some(said) => self.answer(b"250", said.bytes()),
                    None => self.say(&[b"250 Accepted"]),
                }
                if result.verdict == AclVerdict::Discard {
                    self.discard_recipient(argument, discards, result.log_message);
                } else if let Some(envelope) = &mut self.envelope {
                    envelope.recipients.push(recipient);
                }
            }
            verdict => {
                // What comes of it is not about the recipient.
                self.hide_recipient();
                let refused = Refused::new(&[b"RCPT ", text]).with_sender().of(recipient);
                let said = self.refuse(&refused, result);
                self.refusals.note(&said);
                self.count_failure(matches!(verdict, AclVerdict::Defer | AclVerdict::Error));
            }
        }
        self.hide_recipient();
        self.show_counts();
    }

    /// Says whom ACLs are about.
    pub(super) fn show_recipient(&mut self, address: &Str) {
        let inner = eximious::route::innermost(&mut self.cx, address);
        let (bytes, taint) = inner.read();
        let (local_part, domain) = address::parts(bytes);
        let cased = address::unquote_local_part(local_part);
        let part = cased.to_ascii_lowercase();
        self.acl_state.recipient = Some(inner.clone());
        self.acl_state.cased_local_part = Some(Str::from(cased).stamped(taint));
        self.cx.set_var(var::LOCAL_PART, Str::from(part).stamped(taint));
        self.cx.set_var(var::DOMAIN, Str::from(domain.to_ascii_lowercase()).stamped(taint));
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
        if let Some(envelope) = &mut self.envelope {
            envelope.discarded.get_or_insert(acl);
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

    /// The sender as the client said it, whatever rules for rewriting made of it: logs
    /// of what was refused have that.
    pub(super) fn said_sender(&mut self) -> Str {
        match &self.envelope {
            Some(envelope) => envelope.sender.said.clone(),
            None => self.variable(var::SENDER_ADDRESS),
        }
    }

    /// Whether one more recipient is allowed; the client is told so if not.
    fn has_room(&mut self) -> bool {
        let most = self.expanded_number(opt::RECIPIENTS_MAX);
        let rejects = self.flag(opt::RECIPIENTS_MAX_REJECT);
        let Some(envelope) = &mut self.envelope else { return false };
        // Those that were refused count, too.
        if most <= 0 || envelope.asked <= most {
            return true;
        }
        let first = !std::mem::replace(&mut envelope.too_many, true);
        if first {
            let sender = self.variable(var::SENDER_ADDRESS);
            let client = self.logged_client();
            let head: &[u8] = match rejects {
                true => b"too many recipients: message rejected: sender=<",
                false => b"too many recipients: excess temporarily rejected: sender=<",
            };
            self.log(&[head, sender.bytes(), b"> ", &client].concat());
        }
        let said: &[u8] = match rejects {
            true => b"552 too many recipients",
            false => b"452 too many recipients",
        };
        self.refusals.note(said);
        self.say(&[said]);
        self.count_failure(!rejects);
        false
    }

    fn count_failure(&mut self, for_now: bool) {
        if let Some(envelope) = &mut self.envelope {
            match for_now {
                true => envelope.deferred += 1,
                false => envelope.failed += 1,
            }
        }
        self.show_counts();
    }

    fn show_counts(&mut self) {
        let Some(envelope) = &self.envelope else { return };
        let count = envelope.recipients.len() as i64;
        let values = [
            (var::RCPT_COUNT, envelope.asked),
            (var::RCPT_DEFER_COUNT, envelope.deferred),
            (var::RCPT_FAIL_COUNT, envelope.failed),
            (var::RECIPIENTS_COUNT, count),
        ];
        for (var, value) in values {
            self.cx.set_var(var, value.to_string());
        }
    }

    /// Whether there is a recipient for a message that is to come; the client is
    /// told so if not.
    pub(super) fn has_recipient(&mut self, command: &str, before: Before) -> bool {
        if let Some(envelope) = &self.envelope
            && (!envelope.recipients.is_empty() || envelope.discarded.is_some())
        {
            return true;
        }
        let several = !self.acl_state.has("no_multiline_responses");
        if let (Some(said), false, true) = (&self.refusals.said, self.refusals.differ, several) {
            let mut bytes = b"503-All RCPT commands were rejected with this error:\r\n".to_vec();
            bytes.extend(reply::lines(b"503", said, false));
            self.say_lines(bytes);
        }
        if self.offers.pipelining && before == Before::Rcpt {
            self.say(&[b"503 Valid RCPT command must precede ", command.as_bytes()]);
        } else {
            let text = format!("valid RCPT command must precede {command}");
            self.protocol_error(b"503", text.as_bytes());
        }
        false
    }

    /// Forgets the message at hand.
    pub(super) fn reset_message(&mut self) {
        self.begin_message();
        self.refusals = Refusals::default();
    }

    /// Gets ready for a message.
    pub(super) fn begin_message(&mut self) {
        self.envelope = None;
        self.chunks = None;
        self.only_reset = false;
        self.acl_state.end_message(&mut self.cx);
        self.cx.set_message(None);
        self.cx.forget_lists();
        self.cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
        self.cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
        let variables = [
            var::RCPT_COUNT,
            var::RCPT_DEFER_COUNT,
            var::RCPT_FAIL_COUNT,
            var::RECIPIENTS_COUNT,
            var::PRDR_REQUESTED,
            var::MESSAGE_SMTPUTF8,
            var::MESSAGE_EXIM_ID,
            var::SENDER_ADDRESS_DATA,
            var::ADDRESS_DATA,
            var::DOMAIN_DATA,
            var::LOCAL_PART_DATA,
            var::SENDER_DATA,
            var::RECIPIENT_DATA,
        ];
        for var in variables {
            self.cx.unset_var(var);
        }
        self.cx.set_var(var::MESSAGE_SIZE, Str::fixed(UNKNOWN_SIZE));
        // A test goes on naming the message that was kept last.
        if !self.id.is_empty() {
            self.cx.set_var(var::MESSAGE_EXIM_ID, self.id.clone());
        }
        self.show_protocol(b"");
    }
}
