//! DATA: a message comes in, and is judged (specification 44.2.8 to 44.2.10, 49.2).

use eximious::acl::{AclVerdict, DkimArrival};
use eximious::stdlib::number::decimal;
use eximious::{AclPhases, LogSelector, Message, Str, opt, var};

use super::accepted::Judged;
use super::logging::End;
use super::mail_data::{MailData, Rest, Useless};
use super::options::Unopened;
use super::stage::{Handled, LastRejected, Progress, Stage};
use super::transaction::{Arrived, DiscardedBy, Prdr};
use super::verdict::{Refused, undecided, unset};
use super::{Recipient, SmtpSession};
use crate::logs;
use crate::reception::{
    Parsed, Way, body_begun, longest_header, message_id, parse, parse_coming, size,
};

/// What is said where not all recipients were accepted.
pub(super) const SOME: &[u8] = b" message accepted for some recipients";

impl SmtpSession {
    /// Whether the body of a message has begun.
    pub(super) fn has_begun(&mut self, data: &MailData) -> bool {
        let drops_from = data.drops_from == Some(true);
        data.id().is_some() || body_begun(&data.bytes, drops_from, &mut self.cx).is_some()
    }

    pub(super) fn data(&mut self, last: LastRejected) -> Handled {
        self.connection.advertised.early_pipelining = false;
        self.requires_recipient("DATA", last)?;
        self.requires_few_recipients()?;
        let mut said = None;
        self.show_recipients();
        if let Some(result) = self.acl(opt::ACL_SMTP_PREDATA, AclPhases::PREDATA) {
            if result.verdict != AclVerdict::Accept {
                return Err(self.refuse(&Refused::new(&[b"DATA"]), result));
            }
            said = result.user_message.filter(|text| !text.is_empty());
            self.check_sync_of_message()?;
        }
        match said {
            Some(said) => self.answer(b"354", said.bytes()),
            None => self.say(&[b"354 Enter message, ending with \".\" on a line by itself"]),
        }
        Ok(Stage::Data(Box::new(self.begin_mail_data())))
    }

    /// A message begins to come in, and logs name no earlier one any more.
    pub(super) fn begin_mail_data(&mut self) -> MailData {
        self.connection.last_id = Str::EMPTY;
        self.cx.unset_var(var::MESSAGE_EXIM_ID);
        let limit = self.connection.permissions.message_size_limit;
        MailData::new(limit, self.setup.window, self.now())
    }

    /// Whether there are not too many recipients; the client is told so if there are.
    pub(super) fn requires_few_recipients(&mut self) -> Result<(), Stage> {
        let too_many = self.transaction.envelope.as_ref().is_some_and(|one| one.too_many);
        if !too_many || !self.flag(opt::RECIPIENTS_MAX_REJECT) {
            return Ok(());
        }
        self.say(&[b"554 Too many recipients"]);
        self.drop_transaction();
        Err(Stage::COMMANDS)
    }

    fn show_recipients(&mut self) {
        let Some(envelope) = &self.transaction.envelope else { return };
        let recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        let mut message = Message::default();
        message.recipients = recipients;
        for (var, value) in eximious::stdlib::message::values(&message) {
            if var.name().starts_with("recipients") {
                self.cx.set_var(var, value);
            }
        }
    }

    /// Reads on.
    pub(super) fn go_on_data(&mut self, mut data: Box<MailData>) -> Progress {
        if self.input.rest().is_empty() && !self.input.ended {
            return Progress::Wait(Stage::Data(data));
        }
        loop {
            let rest = self.input.rest();
            if rest.is_empty() {
                break;
            }
            let (count, ended) = data.take(rest);
            self.connection.read_timer.progressed |= count > 0 && rest[count - 1] == b'\n';
            self.input.take(count);
            if ended {
                return Progress::Next(self.received(*data, None));
            }
            self.make_room(&mut data);
            if count == 0 {
                break;
            }
        }
        self.settle_from_line(&mut data, false);
        if !self.input.ended {
            return Progress::Wait(Stage::Data(data));
        }
        // Of what is too large, the end is nobody's concern.
        match data.is_too_large() && self.has_begun(&data) {
            true => Progress::Next(self.received(*data, None)),
            false => Progress::Next(self.connection_lost_in_message(*data)),
        }
    }

    /// Asks what becomes of a line `From …` before the header, as soon as it can be
    /// told that there is one.
    pub(super) fn settle_from_line(&mut self, data: &mut MailData, ended: bool) {
        let there = ended && data.bytes.contains(&b'\n');
        if data.drops_from.is_none() && (there || data.has_first_line()) {
            data.drops_from = Some(self.drops_from(data));
        }
    }

    /// Whether a line `From …` before the header is dropped. Where that can't be told, nothing
    /// goes on when all of the message is there.
    fn drops_from(&mut self, data: &MailData) -> bool {
        if !data.has_header() {
            return false;
        }
        self.is_client_listed(opt::IGNORE_FROMLINE_HOSTS).unwrap_or_else(|Unopened| {
            self.transaction.is_untold = true;
            false
        })
    }

    /// A message that does not come to its end has a name where its body began; whether
    /// it did.
    pub(super) fn name_if_in_body(&mut self, data: &MailData) -> bool {
        let id = match data.id() {
            Some(id) => Some(id.clone()),
            None => self.has_begun(data).then(|| {
                // It has one name, however often it is asked for.
                let known = self.transaction.id.take();
                known.unwrap_or_else(|| message_id(self.cx.engine()))
            }),
        };
        let in_body = id.is_some();
        if let Some(id) = &id {
            self.cx.set_var(var::MESSAGE_EXIM_ID, id.clone());
        }
        self.transaction.id = id.or(self.transaction.id.take());
        in_body
    }

    /// The client is gone before all of a message was there.
    pub(super) fn connection_lost_in_message(&mut self, mut data: MailData) -> Stage {
        self.settle_from_line(&mut data, true);
        let in_body = self.name_if_in_body(&data);
        self.log_broken_tls();
        if let Some(why) = self.broken_by().filter(|_| !in_body && !data.bytes.is_empty()) {
            return self.abandon_broken(&data, &why);
        }
        let connection = self.connection();
        let line = logs::lost_in_message(&connection, in_body, &data.bytes);
        // Either selector has it.
        let wanted = [LogSelector::LOST_INCOMING_CONNECTION, LogSelector::SMTP_CONNECTION];
        let wanted = wanted.into_iter().find(|one| self.tells(*one));
        wanted.into_iter().for_each(|one| self.log_if(one, &line));
        self.run_notquit("connection-lost", Some((b"421", b"Lost incoming connection")));
        self.connection.failed = true;
        self.close()
    }

    /// The connection broke in a message's header: the message is given up, and then the
    /// connection.
    fn abandon_broken(&mut self, data: &MailData, why: &str) -> Stage {
        let id = data.id().cloned().unwrap_or_else(|| message_id(self.cx.engine()));
        self.transaction.id = Some(id);
        let client = self.variable(var::SENDER_FULLHOST);
        let head =
            format!("Message abandoned: Input read error ({why}) while receiving message from ");
        self.log(&[head.as_bytes(), client.bytes()].concat());
        self.drop_transaction();
        self.run_notquit("connection-lost", Some((b"421", b"Lost incoming connection")));
        self.log_end(End::Lost);
        self.connection.failed = true;
        self.close()
    }

    /// A message is there as a whole; how large its last chunk is, where it came in chunks.
    pub(super) fn received(&mut self, data: MailData, chunk: Option<u64>) -> Stage {
        let drops_from = match data.drops_from {
            Some(drops) => drops,
            None if self.connection.client.address.is_none() => {
                self.flag(opt::IGNORE_FROMLINE_LOCAL)
            }
            None => self.drops_from(&data),
        };
        if self.transaction.is_untold {
            self.drop_transaction();
            return self.fail_unexpectedly();
        }
        let received_at = self.now();
        let id = data.id().cloned().unwrap_or_else(|| message_id(self.cx.engine()));
        self.cx.set_var(var::MESSAGE_EXIM_ID, id.clone());
        self.transaction.id = Some(id.clone());
        self.transaction.arrived = Arrived {
            began: data.began,
            received_at,
            is_wire: data.is_wire(),
            ..Arrived::default()
        };
        if data.is_too_large() {
            return self.refuse_size(&data, drops_from);
        }
        if matches!(data.rest, Rest::Nowhere(Useless::NoMemory)) {
            let stage = self.tell_of_shortage();
            self.end_transaction(false);
            return stage;
        }
        let parsed = parse_coming(&data.bytes, data.coming, drops_from, &mut self.cx);
        let Parsed { mut message, senders, blank, mut stray } = parsed;
        drop(data.bytes);
        match data.rest {
            Rest::Memory => {}
            Rest::Spool(body) => match body.finish() {
                Ok(left) => {
                    let is_wire = self.transaction.arrived.is_wire;
                    let file = left.attach(&mut message, is_wire);
                    self.transaction.arrived.data = Some(file);
                }
                Err(why) => return self.refuse_unkept(why),
            },
            Rest::Nowhere(_) => stray = stray.saturating_add(longest_header(&self.cx)),
        }
        if let Err(stage) = self.check_header(&message, stray) {
            return stage;
        }
        message.id = id;
        message.received = self.now().seconds;
        // A blank line that is not there is not counted.
        let own_size = size(&message) - u64::from(!blank);
        self.transaction.arrived.chunk_reply = chunk.map(|size| {
            // What is counted is the message as it would go out again.
            format!("250- {size} byte chunk, total {}", own_size + message.lines)
        });
        let count = message.named(b"Received").count() + 1;
        DkimArrival::note(&mut self.cx, &message);
        // Rules for rewriting know no more of it than the header.
        let header_size = own_size.saturating_sub(message.body.len());
        self.cx.set_var(var::MESSAGE_SIZE, decimal(header_size));
        let mut message = self.fix_up(message, &senders);
        let Some(envelope) = &self.transaction.envelope else { return Stage::COMMANDS };
        message.recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        // What ACLs see is as it came.
        self.cx.set_var(var::MESSAGE_SIZE, decimal(own_size));
        let mut message = match self.add_received(message) {
            Ok(message) => message,
            Err(stage) => return stage,
        };
        message.size = size(&message);
        self.cx.set_message(Some(message));
        self.cx.set_var(var::RECEIVED_COUNT, decimal(count));
        self.run_data_acl()
    }

    /// Tells the client that a message is too large. The log of rejections has its header as
    /// it would have been kept.
    fn refuse_size(&mut self, data: &MailData, drops_from: bool) -> Stage {
        self.say(&[b"552 Message size exceeds maximum permitted"]);
        let sender = self.variable(var::SENDER_ADDRESS);
        let client = eximious::client::described_alone(&mut self.cx);
        let read = data.count - data.returns;
        let tail = format!(": message too big: read={read} max={}", data.limit);
        let head = [b"rejected from <", sender.bytes(), b"> "].concat();
        let line = [&head, &client[..], tail.as_bytes()].concat();
        self.show_refused(data.whole_header(), drops_from);
        self.log_rejection_if(LogSelector::SIZE_REJECT, &line);
        self.end_transaction(false);
        Stage::COMMANDS
    }

    /// Shows the logs what is refused, of which the header is there: as it would have been
    /// kept.
    pub(super) fn show_refused(&mut self, header: &[u8], drops_from: bool) {
        let Parsed { mut message, senders, .. } =
            parse(header, Way::Smtp, drops_from, &mut self.cx);
        message.id = self.message_id().clone();
        message.received = self.now().seconds;
        let message = self.fix_up(message, &senders);
        self.cx.set_message(Some(message));
    }

    fn run_data_acl(&mut self) -> Stage {
        let stage = self.judge_message();
        self.acl_state.end_scan(&mut self.cx);
        stage
    }

    fn judge_message(&mut self) -> Stage {
        self.ask_brightmail();
        let (mut said, mut why) = match self.run_dkim_acl() {
            Ok(thrown) => thrown,
            Err(stage) => return stage,
        };
        if let Err(stage) = self.run_mime_acl() {
            return stage;
        }
        if let Err(stage) = self.run_prdr() {
            return stage;
        }
        let envelope = self.transaction.envelope.as_ref();
        let mut discarded = envelope.and_then(|envelope| envelope.discarded.clone());
        // A message that nobody gets is nobody's business.
        let gets = self
            .transaction
            .envelope
            .as_ref()
            .is_some_and(|envelope| !envelope.recipients.is_empty());
        let result = gets.then(|| self.acl(opt::ACL_SMTP_DATA, AclPhases::DATA)).flatten();
        if let Some(result) = result {
            match result.verdict {
                AclVerdict::Accept => said = result.user_message,
                AclVerdict::Discard => {
                    discarded = Some(DiscardedBy::Data);
                    why = result.log_message;
                    said = result.user_message;
                    if let Some(envelope) = &mut self.transaction.envelope {
                        envelope.recipients.clear();
                    }
                }
                _ => {
                    let refused = Refused::message().with_sender();
                    self.acl_state.end_scan(&mut self.cx);
                    let stage = self.refuse(&refused, result);
                    self.end_transaction(false);
                    return stage;
                }
            }
        }
        if self.transaction.envelope.as_ref().is_some_and(|envelope| envelope.recipients.is_empty())
        {
            discarded = discarded.or(Some(DiscardedBy::Rcpt));
        } else {
            discarded = None;
        }
        let why = why.filter(|why| !why.is_empty());
        Stage::Judged(Box::new(Judged { discarded, said, why }))
    }

    /// `acl_smtp_data_prdr`: each recipient gets a word. Where all are refused, the
    /// client knows it then.
    fn run_prdr(&mut self) -> Result<(), Stage> {
        let Some(envelope) = &self.transaction.envelope else { return Err(Stage::COMMANDS) };
        if !envelope.sender.prdr {
            return Ok(());
        }
        if envelope.recipients.len() < 2 {
            // Nobody is judged alone, so that what comes must not rely on it.
            self.cx.set_var(var::PRDR_REQUESTED, Str::fixed("no"));
            return Ok(());
        }
        let recipients = envelope.recipients.clone();
        self.say(&[b"353 PRDR content analysis beginning"]);
        let (mut kept, mut refused, mut all) = (Vec::new(), 0, true);
        let asked = recipients.len();
        for (index, recipient) in recipients.iter().enumerate() {
            let bytes = recipient.address.bytes();
            let result = match self.show_recipient(&recipient.address) {
                Err(deferred) => undecided(deferred),
                Ok(()) => {
                    let result = self.acl(opt::ACL_SMTP_DATA_PRDR, AclPhases::PRDR);
                    result.unwrap_or_else(|| unset(true))
                }
            };
            refused +=
                usize::from(!matches!(result.verdict, AclVerdict::Accept | AclVerdict::Defer));
            all &= result.verdict == AclVerdict::Accept;
            let shown = [b"PRDR R=<".as_slice(), bytes, b"> "].concat();
            let (code, word): (&'static [u8], &[u8]) = match result.verdict {
                AclVerdict::Accept | AclVerdict::Discard => (b"250", b"acceptance"),
                AclVerdict::Deny | AclVerdict::Drop | AclVerdict::Error => (b"550", b"refusal"),
                AclVerdict::Defer => (b"450", b"temporary refusal"),
            };
            let line = [&shown[..], word].concat();
            let said = result.user_message.filter(|text| !text.is_empty());
            self.answer(code, said.as_ref().map_or(&line[..], |text| text.bytes()));
            match result.log_message.filter(|text| !text.is_empty()).or(said) {
                Some(text) => self.log(&[b"PRDR ", bytes, b" ", text.bytes()].concat()),
                None => self.log(&line),
            }
            if result.verdict == AclVerdict::Accept {
                kept.push(recipient.clone());
            } else if let Some(mut message) = self.cx.take_message() {
                // Whoever comes next sees those who are left.
                let left = kept.iter().chain(&recipients[index + 1..]);
                message.recipients = left.map(|one: &Recipient| one.address.clone()).collect();
                self.cx.set_message(Some(message));
            }
        }
        self.hide_recipient();
        let none = kept.is_empty();
        if let Some(envelope) = &mut self.transaction.envelope {
            envelope.recipients = kept;
            envelope.prdr = Some(Prdr { accepted_by_all: all });
        }
        if !none {
            return Ok(());
        }
        let id = self.message_id().clone();
        match refused == asked {
            true => self.say(&[b"550 id=", id.bytes(), b" message rejected for all recipients"]),
            false => self.say(&[b"250 id=", id.bytes(), SOME]),
        }
        self.end_transaction(false);
        Err(Stage::COMMANDS)
    }
}
