//! Messages that no ACL refused: they are handed over, and when they are in safe hands, the
//! logs and the client are told so.

use eximious::acl::OwnMessage;
use eximious::world::LogLine;
use eximious::{Message, Str};

use super::cutthrough::CutthroughOutcome;
use super::data::SOME;
use super::stage::Stage;
use super::transaction::{DiscardedBy, Envelope, Prdr};
use super::{
    DsnNotify, Event, Provenance, Received, SmtpSession, SpoolFailure, SpoolOutcome, reply,
};
use crate::dsn;
use crate::reception::{self, frozen, size};
use crate::spool::{self, NotKept};
use crate::{logs, tally};

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
    line: LogLine,
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
    /// What is told of it where an ACL has frozen it.
    notice: Option<OwnMessage>,
    /// Whether the logs know of it already.
    is_announced: bool,
}

impl SmtpSession {
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
        let about = (&self.message_id().clone(), Some(&message));
        let notice = frozen::notice(&mut self.cx, &self.acl_state, about, false);
        let arrival = Arrival {
            line,
            size: message.size,
            discarded,
            why,
            said: said.filter(|text| !text.is_empty()),
            chunk_reply: arrived.chunk_reply,
            prdr: envelope.prdr,
            notice,
            is_announced: false,
        };
        self.connection.counts.received += 1;
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
            is_put_off: outcome == CutthroughOutcome::PutOff,
            provenance: Provenance {
                local: self.connection.client.user.as_ref().is_some_and(|user| !user.trusted),
                unqualified_senders: self.connection.permissions.unqualified_senders,
                unqualified_recipients: self.connection.permissions.unqualified_recipients,
                pretended: self.connection.client.pretends,
                local_error: self.connection.client.is_error,
                ..Provenance::default()
            },
            ..Received::default()
        };
        self.events.push_back(Event::Message(Box::new(received)));
        Stage::Deciding(Box::new(arrival))
    }

    /// Writes to the logs that the message has come which the last [`Event::Message`] gave,
    /// before anybody says what becomes of it: it is delivered first, and what is logged of
    /// that stands behind. False where the message is not wanted any more, and nothing is to
    /// be concluded: nobody would hear that it was accepted.
    pub fn announce(&mut self) -> bool {
        let Stage::Deciding(mut arrival) = std::mem::replace(&mut self.stage, Stage::Done) else {
            return false;
        };
        let refused = if self.is_client_gone() {
            Some(self.lose_after_final_dot(arrival.discarded.as_ref(), arrival.why.as_ref()))
        } else {
            self.log_or_refuse(&arrival)
        };
        let goes_on = refused.is_none();
        arrival.is_announced = true;
        self.stage = refused.unwrap_or(Stage::Deciding(arrival));
        goes_on
    }

    /// Writes to the logs that a message has come; what follows where that can't be done, and
    /// the message is taken back.
    fn log_or_refuse(&mut self, arrival: &Arrival) -> Option<Stage> {
        self.log_arrival(arrival, true);
        let is_broken = self.cx.engine().world().log.is_broken();
        (is_broken && self.take_back()).then(|| self.refuse_unlogged())
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

    fn conclude_message(&mut self, mut arrival: Arrival, outcome: &SpoolOutcome) -> Stage {
        let spooled = match outcome {
            SpoolOutcome::Failed(failure) => {
                self.tell_unkept(failure);
                false
            }
            // To write it took its time.
            SpoolOutcome::Spooled
                if !arrival.is_announced
                    && self.is_client_gone()
                    && (arrival.discarded.is_some() || self.take_back()) =>
            {
                return self.lose_after_final_dot(arrival.discarded.as_ref(), arrival.why.as_ref());
            }
            SpoolOutcome::Spooled => {
                if !arrival.is_announced
                    && let Some(refused) = self.log_or_refuse(&arrival)
                {
                    return refused;
                }
                self.accept_message(&arrival);
                self.own.extend(arrival.notice.take());
                self.hand_in_own();
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
        let host = self.connection.host.clone();
        let text = b" Unexpected log failure, please try later - closing connection.";
        self.say(&[b"421 ", host.bytes(), text]);
        self.connection.failed = true;
        self.end_transaction(false);
        self.close()
    }

    /// Takes a message back out of the spool; false where that can't be done.
    fn take_back(&mut self) -> bool {
        let (id, queue) = (self.message_id().clone(), self.acl_state.queue.clone());
        spool::take_back(&mut self.cx, queue.bytes(), &id)
    }

    /// Refuses a message whose body could not be kept as it came.
    pub(super) fn refuse_unkept(&mut self, why: NotKept) -> Stage {
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
        self.tell(&arrival.line);
        tally::received(&mut self.cx, arrival.size);
        let mut lines = vec![reception::in_own_log(&arrival.line)];
        // Where nobody was to get it before it came, the real one does not know who keeps it.
        let (frozen, queued): (&[u8], &[u8]) = match arrival.discarded {
            Some(DiscardedBy::Mail(_) | DiscardedBy::Rcpt) => {
                (b"frozen by NULL", b"no immediate delivery: queued by NULL")
            }
            _ => (b"frozen by ACL", logs::QUEUED),
        };
        if self.acl_state.has("freeze") {
            self.log(frozen);
            lines.push(frozen.into());
        }
        let is_queued = self.acl_state.has("queue") || self.acl_state.has("queue_only");
        if is_queued {
            lines.push(queued.into());
        }
        if arrival.discarded.is_none() && spooled && !self.setup.is_test {
            let (id, queue) = (self.message_id().clone(), self.acl_state.queue.clone());
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            spool::begin_log(&mut self.cx, queue.bytes(), id.bytes(), &lines);
        }
        if is_queued {
            self.log(queued);
        }
        if spooled {
            self.log_delay();
        } else if !is_queued {
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
        if self.fakes_refusal(arrival.discarded.as_ref()) {
            return;
        }
        if let (Some(chunk), None, None) = (&arrival.chunk_reply, &arrival.said, arrival.prdr) {
            self.say(&[chunk.as_bytes()]);
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
    /// which is kept, was refused. Where an ACL threw it away once it was there, long lines
    /// stay as they are.
    fn fakes_refusal(&mut self, discarded: Option<&DiscardedBy>) -> bool {
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
        let text = if control.slashed { text } else { DEFAULT };
        // A code in the text is text.
        let split = match discarded {
            Some(DiscardedBy::Mime | DiscardedBy::Data) => text.to_vec(),
            _ => self.split(text),
        };
        self.say_lines(reply::lines(code, &split, true));
        true
    }

    /// Whoever was told that a message is refused, or will be tried again, is told
    /// nothing of what becomes of it.
    fn suppress_dsn(&mut self) {
        if !self.acl_state.has("fakereject") && !self.acl_state.has("fakedefer") {
            return;
        }
        let Some(envelope) = &mut self.transaction.envelope else { return };
        self.transaction.arrived.reports = Some(dsn::shown(&envelope.sender, &envelope.recipients));
        for recipient in &mut envelope.recipients {
            let failure = recipient.notify.failure;
            recipient.notify = DsnNotify { never: true, failure, ..DsnNotify::default() };
        }
    }

    /// What is logged of a message that is kept: `<= sender H=… P=… S=…`.
    fn arrival_line(&mut self, message: &Message, envelope: &Envelope) -> LogLine {
        let queue = self.acl_state.queue.clone();
        let pipelining = self.shown_pipelining();
        let arrived = &self.transaction.arrived;
        let asked = || dsn::shown(&envelope.sender, &envelope.recipients);
        let reports = arrived.reports.clone().unwrap_or_else(asked);
        let kept = reception::Kept {
            message,
            looks_refused: self.acl_state.has("fakereject"),
            judged_for_each: envelope.is_for_each(),
            chunked: arrived.chunk_reply.is_some(),
            body: envelope.sender.body,
            reports: &reports,
            began: arrived.began,
            sender: envelope.sender.raw.bytes(),
            pipelining: &pipelining,
            queue: queue.bytes(),
            about: &self.connection.client.about,
            header: &arrived.logged,
            recipients: &envelope.said_recipients,
        };
        reception::logged(&mut self.cx, &kept)
    }
}
