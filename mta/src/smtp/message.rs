//! DATA: a message comes in, and is judged (specification 44.2.8 to 44.2.10, 49.2).

use eximious::acl::{AclVerdict, HeaderPlace};
use eximious::{AclPhases, Header, LogSelector, Message, Str};

use super::envelope::{Before, Envelope};
use super::reading::{Reading, has_blank_line, longest_line, message_id, parse, size};
use super::session::Stage;
use super::verdict::Refused;
use super::{Event, Received, Session, Standing, Taken};

/// A message that waits for somebody's decision: what is to be said then.
#[derive(Debug)]
pub(super) struct Arrival {
    /// For the log.
    line: Vec<u8>,
    discarded: Option<&'static str>,
    /// What an ACL wants to be said.
    said: Option<Str>,
    /// What is said of the last chunk, where nothing else is.
    chunk: Option<String>,
    judged_for_each: bool,
}

impl Session {
    pub(super) fn data(&mut self, before: Before) {
        self.offers.early_pipelining = false;
        if !self.has_recipient("DATA", before) {
            return;
        }
        if !self.may_send_message() {
            return;
        }
        self.say(&[b"354 Enter message, ending with \".\" on a line by itself"]);
        let limit = self.message_size_limit();
        self.stage = Stage::Data(Reading::new(limit));
    }

    /// Whether the ACL for what comes before a message lets it come.
    pub(super) fn may_send_message(&mut self) -> bool {
        let envelope = self.envelope.as_ref();
        if envelope.is_some_and(|envelope| envelope.too_many) && self.flag("recipients_max_reject")
        {
            self.say(&[b"554 Too many recipients"]);
            self.reset_message();
            return false;
        }
        self.show_recipients();
        let Some(result) = self.acl("acl_smtp_predata", AclPhases::PREDATA) else { return true };
        if result.verdict == AclVerdict::Accept {
            return true;
        }
        let _ = self.refuse(&Refused::new(&[b"DATA"]), result);
        self.reset_message();
        false
    }

    fn show_recipients(&mut self) {
        let Some(envelope) = &self.envelope else { return };
        let recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        let message = Message { recipients, ..Message::default() };
        for (name, value) in eximious::stdlib::message::values(&message) {
            if name.starts_with("recipients") {
                self.cx.set(name, value);
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
        if self.input.ended {
            self.lost_in_message();
            return true;
        }
        false
    }

    pub(super) fn lost_in_message(&mut self) {
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
            self.id = message_id(self.cx.engine().world());
        }
        self.say(&[b"421 Lost incoming connection"]);
        let client = self.shown_client();
        let middle = b" lost while reading message data";
        self.log(&[b"SMTP connection from ", &client[..], middle, place].concat());
        self.close();
    }

    /// A message is there as a whole.
    pub(super) fn received(&mut self, reading: Reading) {
        self.id = message_id(self.cx.engine().world());
        self.cx.set("message_exim_id", self.id.clone());
        let drops_from = self.client_in("ignore_fromline_hosts");
        if reading.is_too_large() {
            self.say(&[b"552 Message size exceeds maximum permitted"]);
            let sender = self.variable("sender_address");
            let client = self.logged_client();
            let tail = format!(
                ": message too big: read={} max={}",
                reading.count - reading.returns,
                reading.limit
            );
            let head = [b"rejected from <", sender.bytes(), b"> "].concat();
            if self.logs(LogSelector::SIZE_REJECT) {
                self.log_rejection(&[&head, &client[..], tail.as_bytes()].concat());
            }
            self.end_transaction(false);
            return;
        }
        let longest = longest_line(&reading.bytes);
        let (mut message, stray) = parse(&reading.bytes, drops_from);
        let Some(envelope) = &self.envelope else { return };
        message.sender = envelope.sender.address.clone();
        message.recipients = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        message.id = self.id.clone();
        message.received = self.cx.engine().world().clock.now().seconds;
        let for_one = match message.recipients.as_slice() {
            [one] => one.clone(),
            _ => Str::EMPTY,
        };
        self.cx.set("received_for", for_one);
        // No blank line stands between the header and a line that is none of it.
        let own_size = size(&message) - u64::from(stray);
        let count = message.named(b"Received").count() + 1;
        if let Some(header) = self.received_header() {
            message.headers.insert(0, header);
        }
        message.size = size(&message);
        self.cx.set_message(Some(message));
        // What ACLs see is as it came.
        self.cx.set("message_size", own_size.to_string());
        self.cx.set("received_count", count.to_string());
        self.cx.set("max_received_linelength", longest.to_string());
        self.judge_message();
    }

    fn judge_message(&mut self) {
        if !self.judge_for_each() {
            return;
        }
        let mut discarded = self.envelope.as_ref().and_then(|envelope| envelope.discarded);
        let mut said = None;
        if let Some(result) = self.acl("acl_smtp_data", AclPhases::DATA) {
            match result.verdict {
                AclVerdict::Accept => said = result.user_message,
                AclVerdict::Discard => {
                    discarded = Some("DATA");
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
        self.hand_over(discarded, said);
    }

    /// `acl_smtp_data_prdr`: each recipient gets a word. False where all are
    /// refused, and the client knows it.
    fn judge_for_each(&mut self) -> bool {
        let Some(envelope) = &self.envelope else { return false };
        let wanted = envelope.sender.per_recipient && envelope.recipients.len() > 1;
        let set = self.cx.engine().settings().options.text("acl_smtp_data_prdr").is_some();
        if !wanted || !set {
            return true;
        }
        let recipients = envelope.recipients.clone();
        self.say(&[b"353 PRDR content analysis beginning"]);
        let mut kept = Vec::new();
        for recipient in recipients {
            let (bytes, taint) = recipient.address.read();
            let (local_part, domain) = eximious::stdlib::address::parts(bytes);
            self.cx.set("local_part", Str::from(local_part).stamped(taint));
            self.cx.set("domain", Str::from(domain).stamped(taint));
            let result = self.acl("acl_smtp_data_prdr", AclPhases::PRDR);
            let Some(result) = result else { return true };
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
        for name in ["local_part", "domain"] {
            self.cx.unset(name);
        }
        let none = kept.is_empty();
        if let Some(envelope) = &mut self.envelope {
            envelope.recipients = kept;
            envelope.judged_for_each = true;
        }
        if none {
            let id = self.id.clone();
            self.say(&[b"550 id=", id.bytes(), b" message rejected for all recipients"]);
            self.end_transaction(false);
        }
        !none
    }

    /// Gives the message to whoever keeps it.
    fn hand_over(&mut self, discarded: Option<&'static str>, said: Option<Str>) {
        self.add_headers();
        let Some(envelope) = self.envelope.take() else { return };
        let message = self.cx.message().cloned().unwrap_or_default();
        let said = said.filter(|text| !text.is_empty());
        let chunked = self.chunks.take().is_some();
        let chunk = self.chunk_reply.take();
        let local = self.client.address.is_none();
        let arrival = Arrival {
            chunk,
            line: self.arrival(&message, &envelope, chunked),
            discarded,
            said,
            judged_for_each: envelope.judged_for_each,
        };
        let received = Received {
            id: self.id.clone(),
            message,
            recipients: envelope.recipients,
            sender: envelope.sender,
            discarded,
            controls: self.acl_state.controls.clone(),
            queue: self.acl_state.queue.clone(),
            chunked,
            judged_for_each: envelope.judged_for_each,
            began: self.cx.engine().world().clock.now(),
            submitter: self.client.user.clone(),
            standing: Standing {
                unqualified_senders: self.may.unqualified_senders || local,
                unqualified_recipients: self.may.unqualified_recipients || local,
                ..Standing::default()
            },
            ..Received::default()
        };
        self.events.push_back(Event::Message(Box::new(received)));
        self.stage = Stage::Deciding(Box::new(arrival));
    }

    /// Puts the header lines of ACLs where they go, and takes others out.
    fn add_headers(&mut self) {
        let Some(mut message) = self.cx.take_message() else { return };
        for name in &self.acl_state.headers_remove {
            let names = eximious::stdlib::lists::elements(name.bytes());
            for name in names {
                message.headers.retain(|header| !header.is(&name));
            }
        }
        for added in &self.acl_state.headers_add {
            let header = Header::new(added.line.bytes());
            let before = |stay: &dyn Fn(&Header) -> bool| {
                message.headers.iter().position(|one| !stay(one)).unwrap_or(message.headers.len())
            };
            let at = match added.place {
                HeaderPlace::Start => 0,
                HeaderPlace::End => message.headers.len(),
                HeaderPlace::AfterReceived => before(&|one| one.is(b"Received")),
                HeaderPlace::StartRfc => before(&|one| {
                    one.is(b"Received") || one.name.to_ascii_lowercase().starts_with(b"resent-")
                }),
            };
            message.headers.insert(at, header);
        }
        message.size = size(&message);
        self.cx.set_message(Some(message));
    }

    /// Says what became of the message that the last [`Event::Message`] gave.
    pub fn conclude(&mut self, taken: &Taken) {
        let Stage::Deciding(arrival) = std::mem::replace(&mut self.stage, Stage::Commands) else {
            return;
        };
        match taken {
            Taken::Later(why) => {
                let client = self.logged_client();
                self.log_rejection(
                    &[&client[..], b" temporarily rejected message: ", why].concat(),
                );
                self.say(&[b"451 Temporary local problem - please try later"]);
            }
            Taken::Yes => {
                self.log(&arrival.line);
                if self.acl_state.has("freeze") {
                    self.log(b"frozen by ACL");
                }
                if self.acl_state.has("queue") || self.acl_state.has("queue_only") {
                    self.log(b"no immediate delivery: queued by ACL");
                } else {
                    self.log_delay();
                }
                if let Some(acl) = arrival.discarded {
                    let tail = b" ACL discarded recipients)".as_slice();
                    self.log(&[b"=> blackhole (", acl.as_bytes(), tail].concat());
                    self.log(b"Completed");
                }
                let id = self.id.clone();
                if let (Some(chunk), None) = (&arrival.chunk, &arrival.said) {
                    self.say(&[chunk.as_bytes()]);
                }
                match &arrival.said {
                    _ if self.fakes_refusal() => {}
                    Some(said) => self.answer(b"250", said.bytes()),
                    None if arrival.judged_for_each => self.say(&[
                        b"250 id=",
                        id.bytes(),
                        b" message accepted for some recipients",
                    ]),
                    None => self.say(&[b"250 OK id=", id.bytes()]),
                }
            }
        }
        self.end_transaction(*taken == Taken::Yes);
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

    /// What is logged of a message that is kept: `<= sender H=… P=… S=…`.
    fn arrival(&mut self, message: &Message, envelope: &Envelope, chunked: bool) -> Vec<u8> {
        let sender = envelope.sender.address.bytes();
        let shown = if sender.is_empty() { b"<>" } else { sender };
        let client = self.logged_client();
        let protocol = self.variable("received_protocol");
        let sign = if self.acl_state.has("fakereject") { b"(= " } else { b"<= " };
        let mut line = [sign, shown, b" ", &client, b" P=", protocol.bytes()].concat();
        if envelope.judged_for_each {
            line.extend_from_slice(b" PRDR");
        }
        if chunked {
            line.extend_from_slice(b" K");
        }
        line.extend_from_slice(format!(" S={}", message.size).as_bytes());
        let queue = self.acl_state.queue.clone();
        if !queue.is_empty() {
            line.extend_from_slice(&[b" Q=", queue.bytes()].concat());
        }
        let id = message.named(b"Message-Id").next().map(|header| header.value().trim_ascii());
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            let id = id.strip_prefix(b"<").unwrap_or(id);
            let id = id.strip_suffix(b">").unwrap_or(id);
            line.extend_from_slice(&[b" id=", id].concat());
        }
        line
    }

    /// The next command may begin another message.
    fn end_transaction(&mut self, kept: bool) {
        // A test goes on naming it in its log lines, as Exim's does.
        if !(kept && self.hurries) {
            self.id = Str::EMPTY;
        }
        if matches!(self.stage, Stage::Done) {
            return;
        }
        self.reset_message();
        self.counts.free.clear();
    }

    /// The header line that says how the message came here.
    fn received_header(&mut self) -> Option<Header> {
        let text = self.expanded("received_header_text")?;
        let text = text.bytes().trim_ascii_end();
        let mut line = text.to_vec();
        if !line.is_empty() && !line.ends_with(b";") {
            line.push(b';');
        }
        line.extend_from_slice(b"\n\t");
        let engine = self.cx.engine().clone();
        let date = engine.expand_once(b"$tod_full", &mut self.cx).unwrap_or_default();
        line.extend_from_slice(date.bytes());
        line.push(b'\n');
        (!text.is_empty()).then(|| Header::new(line))
    }
}
