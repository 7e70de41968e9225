//! DATA: a message comes in, and is judged (specification 44.2.8 to 44.2.10, 49.2).

use eximious::acl::AclVerdict;
use eximious::stdlib::printing::printing;
use eximious::{AclPhases, LogSelector, Message, Str, opt, var};

use super::cutthrough::Went;
use super::mail::{Before, Envelope};
use super::mail_data::Reading;
use super::session::Stage;
use super::verdict::{Refused, unset};
use super::{Event, Notify, Received, Recipient, Session, Standing, Taken};
use crate::reception::{self, Parsed, Way, has_blank_line, message_id, parse, size};
use crate::{dsn, spool};

/// A message that waits for somebody's decision: what is to be said then.
#[derive(Debug)]
pub(super) struct Arrival {
    /// For the log.
    line: Vec<u8>,
    discarded: Option<&'static str>,
    /// Why, where an ACL says so.
    why: Option<Str>,
    /// What an ACL wants to be said.
    said: Option<Str>,
    /// What is said of the last chunk, where nothing else is.
    chunk: Option<String>,
    judged_for_each: bool,
    accepted_by_all: bool,
}

/// What is said where not all recipients were accepted.
const SOME: &[u8] = b" message accepted for some recipients";

impl Session {
    pub(super) fn data(&mut self, before: Before) {
        self.offers.early_pipelining = false;
        if !self.has_recipient("DATA", before) {
            return;
        }
        if !self.may_send_message() {
            return;
        }
        let mut said = None;
        self.show_recipients();
        if let Some(result) = self.acl(opt::ACL_SMTP_PREDATA, AclPhases::PREDATA) {
            if result.verdict != AclVerdict::Accept {
                let _ = self.refuse(&Refused::new(&[b"DATA"]), result);
                return;
            }
            said = result.user_message.filter(|text| !text.is_empty());
        }
        match said {
            Some(said) => self.answer(b"354", said.bytes()),
            None => self.say(&[b"354 Enter message, ending with \".\" on a line by itself"]),
        }
        let limit = self.may.send_bytes;
        self.stage = Stage::Data(Reading::new(limit));
        self.reading_since = self.cx.engine().world().clock.now();
    }

    /// Whether there are not too many recipients.
    pub(super) fn may_send_message(&mut self) -> bool {
        let envelope = self.envelope.as_ref();
        if envelope.is_some_and(|envelope| envelope.too_many)
            && self.flag(opt::RECIPIENTS_MAX_REJECT)
        {
            self.say(&[b"554 Too many recipients"]);
            self.reset_message();
            return false;
        }
        true
    }

    fn show_recipients(&mut self) {
        let Some(envelope) = &self.envelope else { return };
        let recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        let message = Message { recipients, ..Message::default() };
        for (var, value) in eximious::stdlib::message::values(&message) {
            if var.name().starts_with("recipients") {
                self.cx.set_var(var, value);
            }
        }
    }

    /// Reads on; false where more input is needed.
    pub(super) fn go_on_reading(&mut self) -> bool {
        let Stage::Data(reading) = &mut self.stage else { return false };
        if self.input.rest().is_empty() && !self.input.ended {
            return false;
        }
        loop {
            let rest = self.input.rest();
            if rest.is_empty() {
                break;
            }
            let (count, ended) = reading.take(rest);
            self.progressed |= count > 0 && rest[count - 1] == b'\n';
            self.input.take(count);
            if ended {
                let Stage::Data(reading) = std::mem::replace(&mut self.stage, Stage::Commands)
                else {
                    return false;
                };
                self.received(reading);
                return true;
            }
            if count == 0 {
                break;
            }
        }
        self.ask_of_from_line(false);
        if self.input.ended {
            self.lost_in_message();
            return true;
        }
        false
    }

    /// Asks what becomes of a line `From …` before the header, as soon as it can be
    /// told that there is one.
    pub(super) fn ask_of_from_line(&mut self, ended: bool) {
        let reading = match &self.stage {
            Stage::Data(reading) => Some(reading),
            _ => self.chunks.as_ref(),
        };
        let ready = reading.is_some_and(|reading| {
            let there = ended && !reading.bytes.is_empty();
            reading.drops_from.is_none() && (there || reading.has_first_line())
        });
        if !ready {
            return;
        }
        let headed = reading.is_some_and(Reading::has_header);
        let drops = headed && self.client_in(opt::IGNORE_FROMLINE_HOSTS);
        let reading = match &mut self.stage {
            Stage::Data(reading) => Some(reading),
            _ => self.chunks.as_mut(),
        };
        if let Some(reading) = reading {
            reading.drops_from = Some(drops);
        }
    }

    pub(super) fn lost_in_message(&mut self) {
        self.ask_of_from_line(true);
        let bytes = match &self.stage {
            Stage::Data(reading) => reading.bytes.as_slice(),
            _ => self.chunks.as_ref().map_or(&[][..], |chunks| &chunks.bytes),
        };
        let in_body = has_blank_line(bytes);
        let place: &[u8] = match in_body {
            true => b"",
            false if bytes.ends_with(b"\n") => b" (after header)",
            false => b" (header)",
        };
        if in_body {
            self.id = message_id(self.cx.engine());
        }
        let client = self.shown_client();
        let middle = b" lost while reading message data";
        self.log(&[b"SMTP connection from ", &client[..], middle, place].concat());
        self.not_quit("connection-lost", Some((b"421", b"Lost incoming connection")));
        self.failed = true;
        self.close();
    }

    /// A message is there as a whole.
    pub(super) fn received(&mut self, reading: Reading) {
        let drops_from = match reading.drops_from {
            Some(drops) => drops,
            None if self.client.address.is_none() => self.flag(opt::IGNORE_FROMLINE_LOCAL),
            None => reading.has_header() && self.client_in(opt::IGNORE_FROMLINE_HOSTS),
        };
        self.received_at = self.cx.engine().world().clock.now();
        self.id = message_id(self.cx.engine());
        self.cx.set_var(var::MESSAGE_EXIM_ID, self.id.clone());
        if reading.is_too_large() {
            self.say(&[b"552 Message size exceeds maximum permitted"]);
            let sender = self.variable(var::SENDER_ADDRESS);
            let client = self.logged_client();
            let read = reading.count - reading.returns;
            let tail = format!(": message too big: read={read} max={}", reading.limit);
            let head = [b"rejected from <", sender.bytes(), b"> "].concat();
            let line = [&head, &client[..], tail.as_bytes()].concat();
            self.log_rejection_if(LogSelector::SIZE_REJECT, &line);
            self.end_transaction(false);
            return;
        }
        let parsed = parse(&reading.bytes, Way::Smtp, drops_from, &mut self.cx);
        let wire = reading.wire;
        drop(reading.bytes);
        let Parsed { mut message, senders, blank, stray } = parsed;
        self.is_wire = wire.is_some();
        // Its lines are not looked at.
        if let Some(body) = wire {
            message.body = body;
        }
        if !self.has_fit_header(&message, stray) {
            return;
        }
        self.rewrite_recipients();
        let Some(envelope) = &self.envelope else { return };
        message.recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        message.id = self.id.clone();
        message.received = self.cx.engine().world().clock.now().seconds;
        let for_one = match message.recipients.as_slice() {
            [one] => one.clone(),
            _ => Str::EMPTY,
        };
        self.cx.set_var(var::RECEIVED_FOR, for_one);
        // A blank line that is not there is not counted.
        let own_size = size(&message) - u64::from(!blank);
        let count = message.named(b"Received").count() + 1;
        let message = self.fix_up(message, &senders);
        let mut message = self.add_received(message);
        message.size = size(&message);
        self.cx.set_message(Some(message));
        // What ACLs see is as it came.
        self.cx.set_var(var::MESSAGE_SIZE, own_size.to_string());
        self.cx.set_var(var::RECEIVED_COUNT, count.to_string());
        self.judge_message();
    }

    fn judge_message(&mut self) {
        if !self.judge_for_each() {
            return;
        }
        let mut discarded = self.envelope.as_ref().and_then(|envelope| envelope.discarded);
        let (mut said, mut why) = (None, None);
        // A message that nobody gets is nobody's business.
        let gets = self.envelope.as_ref().is_some_and(|envelope| !envelope.recipients.is_empty());
        let result = gets.then(|| self.acl(opt::ACL_SMTP_DATA, AclPhases::DATA)).flatten();
        if let Some(result) = result {
            match result.verdict {
                AclVerdict::Accept => said = result.user_message,
                AclVerdict::Discard => {
                    discarded = Some("DATA");
                    why = result.log_message;
                    said = result.user_message;
                    if let Some(envelope) = &mut self.envelope {
                        envelope.recipients.clear();
                    }
                }
                _ => {
                    let refused = Refused::new(&[b"after DATA"]).with_sender();
                    let _ = self.refuse(&refused, result);
                    self.end_transaction(false);
                    return;
                }
            }
        }
        if self.envelope.as_ref().is_some_and(|envelope| envelope.recipients.is_empty()) {
            discarded = discarded.or(Some("RCPT"));
        } else {
            discarded = None;
        }
        self.hand_over(discarded, said, why);
    }

    /// `acl_smtp_data_prdr`: each recipient gets a word. False where all are
    /// refused, and the client knows it.
    fn judge_for_each(&mut self) -> bool {
        let Some(envelope) = &self.envelope else { return false };
        let wanted = envelope.sender.per_recipient && envelope.recipients.len() > 1;
        if !wanted {
            return true;
        }
        let recipients = envelope.recipients.clone();
        self.say(&[b"353 PRDR content analysis beginning"]);
        let (mut kept, mut refused, mut all) = (Vec::new(), 0, true);
        let asked = recipients.len();
        for recipient in recipients {
            let bytes = recipient.address.bytes();
            self.show_recipient(&recipient.address);
            let result = self.acl(opt::ACL_SMTP_DATA_PRDR, AclPhases::PRDR);
            let result = result.unwrap_or_else(|| unset(true));
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
        if let Some(envelope) = &mut self.envelope {
            envelope.recipients = kept;
            envelope.judged_for_each = true;
            envelope.accepted_by_all = all;
        }
        if none {
            let id = self.id.clone();
            match refused == asked {
                true => {
                    self.say(&[b"550 id=", id.bytes(), b" message rejected for all recipients"])
                }
                false => self.say(&[b"250 id=", id.bytes(), SOME]),
            }
            self.end_transaction(false);
        }
        !none
    }

    /// Gives the message to whoever keeps it.
    fn hand_over(&mut self, discarded: Option<&'static str>, said: Option<Str>, why: Option<Str>) {
        let went = match discarded {
            None => self.go_onward(),
            Some(_) => Went::Nowhere,
        };
        self.hush_reports();
        if went == Went::Refused {
            return self.end_transaction(false);
        }
        let Some(envelope) = self.envelope.take() else { return };
        let mut message = self.cx.take_message().unwrap_or_default();
        reception::apply_headers(&mut message, &mut self.arrived.replaced, &mut self.acl_state);
        message.size = size(&message);
        let said = said.filter(|text| !text.is_empty());
        let chunked = self.chunks.take().is_some();
        let chunk = self.chunk_reply.take();
        let arrival = Arrival {
            chunk,
            line: self.arrival(&message, &envelope, chunked),
            discarded,
            why: why.filter(|why| !why.is_empty()),
            said,
            judged_for_each: envelope.judged_for_each,
            accepted_by_all: envelope.accepted_by_all,
        };
        if went == Went::Onward {
            self.stage = Stage::Deciding(Box::new(arrival));
            return self.conclude(&Taken::Onward);
        }
        let received = Received {
            id: self.id.clone(),
            message,
            recipients: envelope.recipients,
            sender: envelope.sender,
            discarded,
            controls: self.acl_state.controls.clone(),
            queue: self.acl_state.queue.clone(),
            chunked,
            wire: self.is_wire,
            judged_for_each: envelope.judged_for_each,
            began: self.reading_since,
            submitter: self.client.user.clone(),
            replaced: std::mem::take(&mut self.arrived.replaced),
            standing: Standing {
                local: self.client.user.as_ref().is_some_and(|user| !user.trusted),
                unqualified_senders: self.may.unqualified_senders,
                unqualified_recipients: self.may.unqualified_recipients,
                ..Standing::default()
            },
            ..Received::default()
        };
        self.events.push_back(Event::Message(Box::new(received)));
        self.stage = Stage::Deciding(Box::new(arrival));
    }

    /// Says what became of the message that the last [`Event::Message`] gave.
    pub fn conclude(&mut self, taken: &Taken) {
        let Stage::Deciding(arrival) = std::mem::replace(&mut self.stage, Stage::Commands) else {
            return;
        };
        match taken {
            Taken::Later(failure) => {
                failure.log(&self.cx, &self.id);
                self.say(&[failure.said.as_bytes()]);
                if failure.broken {
                    self.acl_state.broken = Some("Unexpected failure, please try later");
                    self.failed = true;
                }
            }
            Taken::Yes | Taken::Onward => {
                self.log(&arrival.line);
                let mut lines = vec![printing(&arrival.line, true)];
                if self.acl_state.has("freeze") {
                    self.log(b"frozen by ACL");
                    lines.push(b"frozen by ACL".into());
                }
                let kept = *taken == Taken::Yes;
                if arrival.discarded.is_none() && kept && !self.hurries {
                    let (id, queue) = (self.id.clone(), self.acl_state.queue.clone());
                    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
                    spool::begin_log(&mut self.cx, queue.bytes(), id.bytes(), &lines);
                }
                if self.acl_state.has("queue") || self.acl_state.has("queue_only") {
                    self.log(b"no immediate delivery: queued by ACL");
                } else if kept {
                    self.log_delay();
                } else {
                    self.log(b"Completed");
                }
                if let Some(acl) = arrival.discarded {
                    let tail = b" ACL discarded recipients)".as_slice();
                    let mut line = [b"=> blackhole (", acl.as_bytes(), tail].concat();
                    if let Some(why) = &arrival.why {
                        line.extend_from_slice(&[b": ", why.bytes()].concat());
                    }
                    self.log(&line);
                    self.log(b"Completed");
                }
                let id = self.id.clone();
                if let (Some(chunk), None, false) =
                    (&arrival.chunk, &arrival.said, arrival.judged_for_each)
                {
                    self.say(&[chunk.as_bytes()]);
                }
                match &arrival.said {
                    _ if self.fakes_refusal() => {}
                    Some(said) => self.answer(b"250", said.bytes()),
                    None if arrival.judged_for_each => {
                        let tail =
                            if arrival.accepted_by_all { b" message accepted" } else { SOME };
                        self.say(&[b"250 id=", id.bytes(), tail]);
                    }
                    None => self.say(&[b"250 OK id=", id.bytes()]),
                }
            }
        }
        self.end_transaction(*taken == Taken::Yes && arrival.discarded.is_none());
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
        let text = if text.is_empty() { DEFAULT.to_vec() } else { text.to_vec() };
        self.answer(code, &text);
        true
    }

    /// Whoever was told that a message is refused, or will be tried again, is told
    /// nothing of what becomes of it.
    fn hush_reports(&mut self) {
        if !self.acl_state.has("fakereject") && !self.acl_state.has("fakedefer") {
            return;
        }
        let recipients = self.envelope.iter_mut().flat_map(|envelope| &mut envelope.recipients);
        for recipient in recipients {
            let failure = recipient.notify.failure;
            recipient.notify = Notify { never: true, failure, ..Notify::default() };
        }
    }

    /// What is logged of a message that is kept: `<= sender H=… P=… S=…`.
    fn arrival(&mut self, message: &Message, envelope: &Envelope, chunked: bool) -> Vec<u8> {
        let queue = self.acl_state.queue.clone();
        let given_id = self.arrived.given_id.take();
        let pipelining = self.shown_pipelining();
        let reports = dsn::shown(&envelope.sender, &envelope.recipients);
        let kept = reception::Kept {
            message,
            looks_refused: self.acl_state.has("fakereject"),
            judged_for_each: envelope.judged_for_each,
            chunked,
            body: envelope.sender.body,
            reports: &reports,
            began: self.reading_since,
            sender: envelope.sender.said.bytes(),
            pipelining: &pipelining,
            queue: queue.bytes(),
            about: b"",
            given_id: given_id.as_deref(),
            recipients: &envelope.said_recipients,
        };
        reception::logged(&mut self.cx, &kept)
    }

    /// The next command may begin another message.
    pub(super) fn end_transaction(&mut self, kept: bool) {
        // A test goes on naming it in its log lines, as Exim's does.
        if !(kept && self.hurries) {
            self.id = Str::EMPTY;
        }
        if matches!(self.stage, Stage::Done) {
            return;
        }
        self.reset_message();
        self.cx.forget_lookups();
        self.counts.free.clear();
    }
}
