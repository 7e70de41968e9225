//! DATA: a message comes in, and is judged (specification 44.2.8 to 44.2.10, 49.2).

use eximious::acl::{AclVerdict, DkimArrival};
use eximious::{AclPhases, LogSelector, Message, Str, opt, var};

use super::cutthrough::CutthroughOutcome;
use super::large::Coming;
use super::mail_data::{MailData, Rest, Useless};
use super::stage::{Handled, LastRejected, Progress, Stage};
use super::transaction::{Arrived, DiscardedBy, Envelope, Prdr};
use super::verdict::{Refused, undecided, unset};
use super::{
    DsnNotify, Event, Provenance, Received, Recipient, SmtpSession, SpoolFailure, SpoolOutcome,
    reply,
};
use crate::dsn;
use crate::reception::{
    self, ArrivalLine, Parsed, Way, has_blank_line, longest_header, message_id, parse, size,
};
use crate::spool::{self, NotKept};
use crate::tally;

/// A message that no ACL refused.
#[derive(Debug)]
pub(super) struct Judged {
    /// Which ACL threw all recipients away.
    pub(super) discarded: Option<DiscardedBy>,
    /// What an ACL wants to be said.
    pub(super) said: Option<Str>,
    /// Why recipients were thrown away, where an ACL says so.
    pub(super) why: Option<Str>,
}

/// A message that waits for somebody's decision: what is to be said then.
#[derive(Debug)]
pub(super) struct Arrival {
    /// For the log.
    line: ArrivalLine,
    /// The message's size.
    size: u64,
    discarded: Option<DiscardedBy>,
    /// Why, where an ACL says so.
    why: Option<Str>,
    /// What an ACL wants to be said.
    said: Option<Str>,
    /// What is said of the last chunk, where nothing else is.
    chunk_reply: Option<String>,
    prdr: Option<Prdr>,
}

/// What is said where not all recipients were accepted.
const SOME: &[u8] = b" message accepted for some recipients";

impl SmtpSession {
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
        }
        match said {
            Some(said) => self.answer(b"354", said.bytes()),
            None => self.say(&[b"354 Enter message, ending with \".\" on a line by itself"]),
        }
        Ok(Stage::Data(Box::new(self.begin_mail_data())))
    }

    /// A message begins to come in.
    pub(super) fn begin_mail_data(&self) -> MailData {
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
            self.make_room(&mut data, Coming::Lines);
            if count == 0 {
                break;
            }
        }
        self.settle_from_line(&mut data, false);
        match self.input.ended {
            true => Progress::Next(self.connection_lost_in_message(*data)),
            false => Progress::Wait(Stage::Data(data)),
        }
    }

    /// Asks what becomes of a line `From …` before the header, as soon as it can be
    /// told that there is one.
    pub(super) fn settle_from_line(&mut self, data: &mut MailData, ended: bool) {
        let there = ended && !data.bytes.is_empty();
        if data.drops_from.is_none() && (there || data.has_first_line()) {
            let drops = data.has_header() && self.client_in(opt::IGNORE_FROMLINE_HOSTS);
            data.drops_from = Some(drops);
        }
    }

    /// A message that does not come to its end has a name where its body began; whether
    /// it did.
    pub(super) fn name_if_in_body(&mut self, data: &MailData) -> bool {
        let id = match data.id() {
            Some(id) => Some(id.clone()),
            None => has_blank_line(&data.bytes).then(|| message_id(self.cx.engine())),
        };
        let in_body = id.is_some();
        self.transaction.id = id.or(self.transaction.id.take());
        in_body
    }

    /// The client is gone before all of a message was there.
    pub(super) fn connection_lost_in_message(&mut self, mut data: MailData) -> Stage {
        self.settle_from_line(&mut data, true);
        let in_body = self.name_if_in_body(&data);
        let place: &[u8] = match in_body {
            true => b"",
            false if data.bytes.ends_with(b"\n") => b" (after header)",
            false => b" (header)",
        };
        self.log_broken_tls();
        let client = self.shown_client();
        let middle = b" lost while reading message data";
        self.log(&[b"SMTP connection from ", &client[..], middle, place].concat());
        self.run_notquit("connection-lost", Some((b"421", b"Lost incoming connection")));
        self.connection.failed = true;
        self.close()
    }

    /// A message is there as a whole; what is to be said of its last chunk, where it
    /// came in chunks.
    pub(super) fn received(&mut self, data: MailData, chunk_reply: Option<String>) -> Stage {
        let drops_from = match data.drops_from {
            Some(drops) => drops,
            None if self.connection.client.address.is_none() => {
                self.flag(opt::IGNORE_FROMLINE_LOCAL)
            }
            None => data.has_header() && self.client_in(opt::IGNORE_FROMLINE_HOSTS),
        };
        let received_at = self.now();
        let id = data.id().cloned().unwrap_or_else(|| message_id(self.cx.engine()));
        self.cx.set_var(var::MESSAGE_EXIM_ID, id.clone());
        self.transaction.id = Some(id.clone());
        self.transaction.arrived = Arrived {
            began: data.began,
            received_at,
            is_wire: data.is_wire(),
            chunk_reply,
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
        let parsed = parse(&data.bytes, Way::Smtp, drops_from, &mut self.cx);
        let Parsed { mut message, senders, blank, mut stray } = parsed;
        drop(data.bytes);
        match data.rest {
            Rest::Memory => {
                // Its lines are not looked at.
                if let Some(body) = data.wire {
                    message.body = body.into();
                }
            }
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
        self.rewrite_recipients();
        let Some(envelope) = &self.transaction.envelope else { return Stage::COMMANDS };
        message.recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        message.id = id;
        message.received = self.now().seconds;
        let for_one = match message.recipients.as_slice() {
            [one] => one.clone(),
            _ => Str::EMPTY,
        };
        self.cx.set_var(var::RECEIVED_FOR, for_one);
        // A blank line that is not there is not counted.
        let own_size = size(&message) - u64::from(!blank);
        let count = message.named(b"Received").count() + 1;
        DkimArrival::note(&mut self.cx, &message);
        let message = self.fix_up(message, &senders);
        let mut message = self.add_received(message);
        message.size = size(&message);
        self.cx.set_message(Some(message));
        // What ACLs see is as it came.
        self.cx.set_var(var::MESSAGE_SIZE, own_size.to_string());
        self.cx.set_var(var::RECEIVED_COUNT, count.to_string());
        self.run_data_acl()
    }

    /// Tells the client that a message is too large. The log of rejections has its header as
    /// it would have been kept.
    fn refuse_size(&mut self, data: &MailData, drops_from: bool) -> Stage {
        self.say(&[b"552 Message size exceeds maximum permitted"]);
        let sender = self.variable(var::SENDER_ADDRESS);
        let client = self.logged_client();
        let read = data.count - data.returns;
        let tail = format!(": message too big: read={read} max={}", data.limit);
        let head = [b"rejected from <", sender.bytes(), b"> "].concat();
        let line = [&head, &client[..], tail.as_bytes()].concat();
        let parsed = parse(&data.bytes, Way::Smtp, drops_from, &mut self.cx);
        let Parsed { mut message, senders, .. } = parsed;
        self.rewrite_recipients();
        message.id = self.message_id().clone();
        message.received = self.now().seconds;
        let message = self.fix_up(message, &senders);
        self.cx.set_message(Some(message));
        self.log_rejection_if(LogSelector::SIZE_REJECT, &line);
        self.end_transaction(false);
        Stage::COMMANDS
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
        let wanted = envelope.sender.prdr && envelope.recipients.len() > 1;
        if !wanted {
            return Ok(());
        }
        let recipients = envelope.recipients.clone();
        self.say(&[b"353 PRDR content analysis beginning"]);
        let (mut kept, mut refused, mut all) = (Vec::new(), 0, true);
        let asked = recipients.len();
        for recipient in recipients {
            let bytes = recipient.address.bytes();
            let result = match self.show_recipient(&recipient.address) {
                Err(deferred) => undecided(deferred),
                Ok(()) => {
                    let result = self.acl(opt::ACL_SMTP_DATA_PRDR, AclPhases::PRDR);
                    result.unwrap_or_else(|| unset(true))
                }
            };
            refused += usize::from(matches!(result.verdict, AclVerdict::Deny | AclVerdict::Drop));
            all &= matches!(result.verdict, AclVerdict::Accept | AclVerdict::Discard);
            let shown = [b"PRDR R=<".as_slice(), bytes, b"> "].concat();
            let (code, word): (&'static [u8], &[u8]) = match result.verdict {
                AclVerdict::Accept | AclVerdict::Discard => (b"250", b"acceptance"),
                AclVerdict::Deny | AclVerdict::Drop => (b"550", b"refusal"),
                AclVerdict::Defer | AclVerdict::Error => (b"450", b"temporary refusal"),
            };
            match result.user_message.filter(|text| !text.is_empty()) {
                Some(text) => {
                    self.answer(code, text.bytes());
                    self.log(&[b"PRDR ", bytes, b" ", text.bytes()].concat());
                }
                None => {
                    let line = [&shown[..], word].concat();
                    self.answer(code, &line);
                    self.log(&line);
                }
            }
            if result.verdict == AclVerdict::Accept {
                kept.push(recipient);
            }
        }
        self.hide_recipient();
        let none = kept.is_empty();
        if let Some(mut message) = self.cx.take_message() {
            message.recipients = kept.iter().map(|one: &Recipient| one.address.clone()).collect();
            self.cx.set_message(Some(message));
        }
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

    /// Gives the message to whoever keeps it, unless the client is gone.
    pub(super) fn hand_over(&mut self, judged: Judged) -> Stage {
        if self.is_client_gone() {
            return self.lose_after_final_dot(judged.discarded.as_ref(), judged.why.as_ref());
        }
        let Judged { discarded, said, why } = judged;
        let outcome = match discarded {
            None => self.deliver_cutthrough(),
            Some(_) => CutthroughOutcome::NotSent,
        };
        self.suppress_dsn();
        if outcome == CutthroughOutcome::Refused {
            self.end_transaction(false);
            return Stage::COMMANDS;
        }
        let Some(envelope) = self.transaction.envelope.take() else { return Stage::COMMANDS };
        let mut message = self.cx.take_message().unwrap_or_default();
        let replaced = &mut self.transaction.arrived.replaced;
        reception::apply_headers(&mut message, replaced, &mut self.acl_state);
        message.size = size(&message);
        let line = self.arrival_line(&message, &envelope);
        let arrived = std::mem::take(&mut self.transaction.arrived);
        let chunked = arrived.chunk_reply.is_some();
        let acl_name = discarded.as_ref().map(DiscardedBy::name);
        let arrival = Arrival {
            line,
            size: message.size,
            discarded,
            why,
            said: said.filter(|text| !text.is_empty()),
            chunk_reply: arrived.chunk_reply,
            prdr: envelope.prdr,
        };
        if outcome == CutthroughOutcome::Delivered {
            return self.conclude_message(arrival, &SpoolOutcome::CutThrough);
        }
        let received = Received {
            id: self.message_id().clone(),
            message,
            recipients: envelope.recipients,
            sender: envelope.sender,
            discarded: acl_name,
            controls: self.acl_state.controls.clone(),
            queue: self.acl_state.queue.clone(),
            chunked,
            wire: arrived.is_wire,
            judged_for_each: envelope.prdr.is_some(),
            began: arrived.began,
            submitter: self.connection.client.user.clone(),
            replaced: arrived.replaced,
            data: arrived.data,
            provenance: Provenance {
                local: self.connection.client.user.as_ref().is_some_and(|user| !user.trusted),
                unqualified_senders: self.connection.permissions.unqualified_senders,
                unqualified_recipients: self.connection.permissions.unqualified_recipients,
                ..Provenance::default()
            },
            ..Received::default()
        };
        self.events.push_back(Event::Message(Box::new(received)));
        Stage::Deciding(Box::new(arrival))
    }

    /// Says what became of the message that the last [`Event::Message`] gave. A message with
    /// which the conversation ends ([`SmtpSession::is_over`]) was taken back out of the spool:
    /// the client was not told that it is there.
    pub fn conclude(&mut self, outcome: &SpoolOutcome) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Deciding(arrival) => self.conclude_message(*arrival, outcome),
            other => other,
        };
    }

    fn conclude_message(&mut self, arrival: Arrival, outcome: &SpoolOutcome) -> Stage {
        let spooled = match outcome {
            SpoolOutcome::Failed(failure) => {
                self.tell_unkept(failure);
                false
            }
            // To write it took its time.
            SpoolOutcome::Spooled if self.is_client_gone() => {
                if arrival.discarded.is_none() {
                    self.take_back();
                }
                return self.lose_after_final_dot(arrival.discarded.as_ref(), arrival.why.as_ref());
            }
            SpoolOutcome::Spooled => {
                self.log_arrival(&arrival, true);
                if self.cx.engine().world().log.is_broken() {
                    return self.refuse_unlogged();
                }
                self.accept_message(&arrival);
                true
            }
            SpoolOutcome::CutThrough => {
                self.log_arrival(&arrival, false);
                self.accept_message(&arrival);
                false
            }
        };
        self.end_transaction(spooled && arrival.discarded.is_none());
        Stage::COMMANDS
    }

    /// Refuses a message of which the main log does not know, as Exim does.
    fn refuse_unlogged(&mut self) -> Stage {
        self.take_back();
        let host = self.connection.host.clone();
        let text = b" Unexpected log failure, please try later - closing connection.";
        self.say(&[b"421 ", host.bytes(), text]);
        self.connection.failed = true;
        self.end_transaction(false);
        self.close()
    }

    /// Takes a message back out of the spool.
    fn take_back(&mut self) {
        let (id, queue) = (self.message_id().clone(), self.acl_state.queue.clone());
        spool::take_back(&mut self.cx, queue.bytes(), &id);
    }

    /// Refuses a message whose body could not be kept as it came.
    fn refuse_unkept(&mut self, why: NotKept) -> Stage {
        let failure = why.failure(&mut self.cx);
        self.tell_unkept(&failure);
        self.end_transaction(false);
        Stage::COMMANDS
    }

    /// Tells the client and the logs that a message can't be kept.
    fn tell_unkept(&mut self, failure: &SpoolFailure) {
        failure.log(&self.cx, self.message_id());
        self.say(&[failure.said.as_bytes()]);
        if failure.broken {
            self.acl_state.broken = Some("Unexpected failure, please try later");
            self.connection.failed = true;
        }
    }

    /// Writes to the logs that a message is in safe hands.
    fn log_arrival(&mut self, arrival: &Arrival, spooled: bool) {
        self.log(&arrival.line.main);
        tally::received(&mut self.cx, arrival.size);
        let mut lines = vec![arrival.line.own()];
        if self.acl_state.has("freeze") {
            self.log(b"frozen by ACL");
            lines.push(b"frozen by ACL".into());
        }
        if arrival.discarded.is_none() && spooled && !self.setup.is_test {
            let (id, queue) = (self.message_id().clone(), self.acl_state.queue.clone());
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            spool::begin_log(&mut self.cx, queue.bytes(), id.bytes(), &lines);
        }
        if self.acl_state.has("queue") || self.acl_state.has("queue_only") {
            self.log(b"no immediate delivery: queued by ACL");
        } else if spooled {
            self.log_delay();
        } else {
            self.log_completion();
        }
        if let Some(acl) = &arrival.discarded {
            self.log_discarding(acl, arrival.why.as_ref());
        }
    }

    /// Writes to the log which ACL threw the recipients away, and that nothing is left.
    pub(super) fn log_discarding(&mut self, acl: &DiscardedBy, why: Option<&Str>) {
        let tail = b" ACL discarded recipients)".as_slice();
        let mut line = [b"=> blackhole (", acl.name().as_bytes(), tail].concat();
        if let Some(why) = why {
            line.extend_from_slice(&[b": ", why.bytes()].concat());
        }
        self.log(&line);
        self.log_completion();
    }

    /// Tells the client that its message is in safe hands.
    fn accept_message(&mut self, arrival: &Arrival) {
        if let (Some(chunk), None, None) = (&arrival.chunk_reply, &arrival.said, arrival.prdr) {
            self.say(&[chunk.as_bytes()]);
        }
        if self.fakes_refusal() {
            return;
        }
        let id = self.message_id().clone();
        match (&arrival.said, arrival.prdr) {
            (_, Some(Prdr { accepted_by_all: true })) => {
                self.say(&[b"250 id=", id.bytes(), b" message accepted"]);
            }
            (_, Some(Prdr { accepted_by_all: false })) => {
                self.say(&[b"250 id=", id.bytes(), SOME]);
            }
            (Some(said), None) => self.answer(b"250", said.bytes()),
            (None, None) => self.say(&[b"250 OK id=", id.bytes()]),
        }
    }

    /// `control = fakereject` and `fakedefer`: the client is told that the message,
    /// which is kept, was refused.
    fn fakes_refusal(&mut self) -> bool {
        const DEFAULT: &[u8] = b"Your message has been rejected but is being kept for \
            evaluation.\nIf it was a legitimate message, it may still be delivered to the \
            target recipient(s).";
        let controls = &self.acl_state.controls;
        let (control, code) = match (controls.get("fakereject"), controls.get("fakedefer")) {
            (Some(control), _) => (control, b"550"),
            (None, Some(control)) => (control, b"450"),
            (None, None) => return false,
        };
        let text = control.options.bytes();
        let text = if text.is_empty() { DEFAULT } else { text };
        // A code in the text is text.
        let split = self.split(text);
        self.say_lines(reply::lines(code, &split, true));
        true
    }

    /// Whoever was told that a message is refused, or will be tried again, is told
    /// nothing of what becomes of it.
    fn suppress_dsn(&mut self) {
        if !self.acl_state.has("fakereject") && !self.acl_state.has("fakedefer") {
            return;
        }
        let recipients =
            self.transaction.envelope.iter_mut().flat_map(|envelope| &mut envelope.recipients);
        for recipient in recipients {
            let failure = recipient.notify.failure;
            recipient.notify = DsnNotify { never: true, failure, ..DsnNotify::default() };
        }
    }

    /// What is logged of a message that is kept: `<= sender H=… P=… S=…`.
    fn arrival_line(&mut self, message: &Message, envelope: &Envelope) -> ArrivalLine {
        let queue = self.acl_state.queue.clone();
        let pipelining = self.shown_pipelining();
        let reports = dsn::shown(&envelope.sender, &envelope.recipients);
        let arrived = &self.transaction.arrived;
        let kept = reception::Kept {
            message,
            looks_refused: self.acl_state.has("fakereject"),
            judged_for_each: envelope.is_for_each(),
            chunked: arrived.chunk_reply.is_some(),
            body: envelope.sender.body,
            reports: &reports,
            began: arrived.began,
            sender: envelope.sender.said.bytes(),
            pipelining: &pipelining,
            queue: queue.bytes(),
            about: b"",
            given_id: arrived.given_id.as_deref(),
            recipients: &envelope.said_recipients,
        };
        reception::logged(&mut self.cx, &kept)
    }
}
