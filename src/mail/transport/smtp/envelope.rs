//! The envelope: MAIL, RCPT for each recipient, and what goes with them where a host takes many
//! commands at once.

use eximious_core::Str;
use eximious_stdlib::address::in_ascii;
use eximious_stdlib::options::opt::transport::smtp;

use super::international;
use super::session::Attempt;
use super::stop::{RCPT, Stop, number_of, of_message, pipelined, replied};
use crate::mail::smtp_client::{
    Cause, Chunks, MailParams, Protocol, RcptParams, ReplyClass, SentCommand, SmtpCommand,
    SmtpError,
};
use crate::mail::smtp_transport::Opened;
use crate::mail::transport::Outcome;

/// What a host says that has as many recipients as it takes at once (RFC 5321, 4.5.3.1.10).
const TOO_MANY: &[u8] = b"452";

/// What MAIL is to say that is not the message's, and how the transaction goes on.
pub(super) struct MailWishes {
    /// Whether the host is to judge the message for each recipient.
    pub(super) prdr: bool,
    /// Whether the message is the last one, and good-bye goes with it.
    pub(super) leaves: bool,
    /// Whether addresses are sent in ASCII.
    pub(super) converts: bool,
    /// Who submitted it.
    pub(super) auth: Option<Vec<u8>>,
}

/// How much of a message went with the envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Begun {
    Nothing,
    /// It was announced, and the host waits for it.
    Announced,
    /// Its first chunk, which the host has taken.
    Part,
    /// All of it, and the host has not judged it yet.
    Whole,
}

impl Begun {
    /// An error in what is said to the envelope, which is told of what was said last, with how
    /// much of the message the host has.
    fn blamed(self, error: SmtpError, sent: u64) -> SmtpError {
        let said = match self {
            Self::Nothing | Self::Announced => return pipelined(error),
            Self::Part => b"sending data block".to_vec(),
            Self::Whole => b"end of data".to_vec(),
        };
        let command = match error.command {
            SmtpCommand::Rcpt if self == Self::Whole => SmtpCommand::EndOfData,
            command => command,
        };
        pipelined(SmtpError { command, said, ..error }.with_sent(sent))
    }
}

impl Attempt<'_, '_> {
    /// MAIL, and RCPT for each; with a host that takes many commands at once, DATA as well, or
    /// the first of the chunks. Those that it took, and how much of the message it has.
    pub(super) fn envelope(
        &mut self,
        opened: &mut Opened,
        some: &[usize],
        wishes: MailWishes,
        chunks: Option<&mut Chunks<'_>>,
    ) -> Result<(Vec<usize>, Begun), Stop> {
        let client = &mut opened.client;
        let consignment = &self.call.consignment;
        let from = consignment.return_path.clone();
        let addition = self.call.transport.get(smtp::SIZE_ADDITION);
        let message = consignment.message;
        let size = (message.size + message.lines).saturating_add_signed(addition);
        let smtputf8 = international::is_needed(self.call, some);
        let converts = wishes.converts;
        let consignment = &self.call.consignment;
        let from = match converts {
            true => in_ascii(&from),
            false => from,
        };
        let params = MailParams {
            smtputf8: smtputf8 && !converts,
            size: (addition >= 0).then_some(size),
            prdr: wishes.prdr,
            dsn: consignment.reports.mail.clone(),
            auth: wishes.auth,
            ..MailParams::default()
        };
        let ignore_quota = self.endpoint.protocol == Protocol::Lmtp
            && self.call.transport.on(smtp::LMTP_IGNORE_QUOTA);
        let to: Vec<(Str, RcptParams)> = some
            .iter()
            .map(|at| {
                let dsn = consignment.reports.rcpt.get(*at).cloned().unwrap_or_default();
                let to = self.call.recipient(*at);
                let to = if converts { in_ascii(&to) } else { to };
                (to, RcptParams { dsn, ignore_quota })
            })
            .collect();
        let trace = self.call.cx.trace();
        let announced = client.extensions().clone();
        let mail = SentCommand::mail(from.bytes(), &params, &announced);
        let pipelines = client.pipelines();
        let whole = self.call.consignment.whole;
        // To a host that has not said yet what it knows, a chunk may look like commands; one that
        // speaks LMTP may say nothing to a message for nobody.
        let may_chunk = !client.is_unheard() && self.endpoint.protocol != Protocol::Lmtp;
        let goes_on = pipelines && !whole && (chunks.is_none() || may_chunk);
        let mut begun = Begun::Nothing;
        if !pipelines {
            client.ask(trace, mail).map_err(of_message)?;
        } else {
            client.queue(trace, mail);
            for (number, (one, params)) in to.iter().enumerate() {
                let rcpt = SentCommand::rcpt(one.bytes(), params, &announced);
                match number + 1 == to.len() && !goes_on {
                    true => client.send(trace, rcpt).map_err(Stop::Host)?,
                    false => client.queue(trace, rcpt),
                }
            }
            self.call.done.told.extend(some);
            begun = match chunks {
                _ if !goes_on => Begun::Nothing,
                None => {
                    client.send(trace, SentCommand::data()).map_err(Stop::Host)?;
                    Begun::Announced
                }
                Some(chunks) => {
                    if wishes.leaves && chunks.is_one() {
                        client.leave_with_message();
                    }
                    let sent = client.first_chunk(trace, chunks);
                    sent.map_err(|error| Stop::Host(pipelined(error)))?;
                    if chunks.is_one() { Begun::Whole } else { Begun::Part }
                }
            };
            let answer = client.answer(trace);
            self.heard_early(opened)?;
            let (client, trace) = (&mut opened.client, self.call.cx.trace());
            let reply = answer.map_err(|error| of_message(begun.blamed(error, client.sent())))?;
            if !reply.accepts() {
                let error = replied(client, SmtpCommand::Mail, reply);
                // What the host says to the rest is of no interest.
                (0..to.len()).for_each(|_| client.skip_answer(trace));
                let mut waits = false;
                match begun {
                    Begun::Nothing => {}
                    Begun::Announced => {
                        let answer = client.answer(trace);
                        waits = answer.is_ok_and(|reply| !reply.puts_off() && !reply.refuses());
                    }
                    Begun::Part => client.skip_answer(trace),
                    Begun::Whole => drop(client.end_of_data(trace)),
                }
                return Err(Stop::Refused(begun.blamed(error, client.sent()), waits));
            }
        }
        let may_wait = pipelines && !whole;
        let client = &mut opened.client;
        let (mut accepted, mut refused, mut has_decided) = (Vec::new(), Vec::new(), false);
        for (at, (to, params)) in some.iter().zip(&to) {
            if !pipelines {
                self.call.done.told.push(*at);
            }
            let trace = self.call.cx.trace();
            let answer = match pipelines {
                true => client.answer(trace),
                false => client
                    .send(trace, SentCommand::rcpt(to.bytes(), params, &announced))
                    .and_then(|()| client.answer(trace)),
            };
            match answer {
                Ok(reply) if reply.accepts() => {
                    has_decided = true;
                    accepted.push(*at);
                }
                Ok(reply) if may_wait && has_decided && reply.code() == TOO_MANY => {
                    self.once_more.push(*at);
                }
                Ok(reply) => {
                    has_decided |= reply.refuses();
                    let error = replied(client, SmtpCommand::Rcpt, reply);
                    match whole {
                        true => refused.push((*at, self.refused(&error, RCPT))),
                        false => self.note(*at, &error, RCPT),
                    }
                }
                // Nobody gets it, whatever becomes of the rest.
                Err(error) if !refused.is_empty() => {
                    self.settle_refused(some, &refused);
                    return Err(Stop::Host(error));
                }
                Err(error) if error.cause == Cause::Timeout => {
                    // It is the address that the host thinks about for so long.
                    self.note(*at, &error, number_of(&error));
                    return Err(Stop::Recipient(error));
                }
                Err(error) => {
                    return Err(Stop::Host(match pipelines {
                        true => begun.blamed(error, client.sent()),
                        false => error,
                    }));
                }
            }
        }
        if !refused.is_empty() {
            self.settle_refused(some, &refused);
            return Ok((Vec::new(), Begun::Nothing));
        }
        if !matches!(begun, Begun::Announced | Begun::Part) {
            return Ok((accepted, begun));
        }
        let reply = client.answer(self.call.cx.trace());
        if accepted.is_empty() && reply.as_ref().is_err_and(|error| error.cause == Cause::Closed) {
            // It had said enough.
            return Ok((accepted, Begun::Nothing));
        }
        let reply = reply.map_err(|error| of_message(begun.blamed(error, client.sent())))?;
        let wanted = match begun {
            Begun::Part => reply.accepts(),
            _ => reply.class() == ReplyClass::Intermediate,
        };
        if wanted {
            return Ok((accepted, begun));
        }
        if accepted.is_empty() {
            return Ok((accepted, Begun::Nothing));
        }
        Err(Stop::Message(pipelined(replied(client, SmtpCommand::Data, reply))))
    }

    /// Where nobody gets the message because some are refused, the others share the first one's
    /// fate.
    fn settle_refused(&mut self, some: &[usize], refused: &[(usize, Outcome)]) {
        if let Some((_, first)) = refused.first() {
            self.work.settle(some, first);
        }
        refused.iter().for_each(|(at, own)| self.work.settle(&[*at], own));
    }
}
