//! Batches: messages with SMTP commands before each, from a program of this system
//! (`-bS`; specification 49.4.2). Nobody answers; an error ends it all.
//!
//! Bytes go in, and [`BatchedSmtp::step`] says what there is: a message that begins, all of it,
//! or the end. Whoever has the bytes has [`crate::submission::begin`] begin it, and gives it to
//! [`crate::submission::take`].

mod error;
#[cfg(test)]
mod tests;
mod text;

use std::time::Duration;

use eximious::stdlib::address::{self, Rules};
use eximious::stdlib::lists::ListOutcome;
use eximious::world::Moment;
use eximious::{Context, LogSelector, Str, opt, var};
use memchr::memchr;

use self::text::BatchText;
use crate::reception::{BodyBegun, GatheredMessage, message_id};
use crate::smtp::beyond_connection;
use crate::{logs, options, spool};

pub use error::BatchError;

/// How long a command is at the most.
const MAX_COMMAND: usize = 16 * 1024;
/// How large a message may be where no option says so.
const MAX_SIZE: u64 = 1 << 30;

/// A batch, as far as it has come in.
#[derive(Debug, Default)]
pub struct BatchedSmtp {
    input: Vec<u8>,
    /// What of it was looked at.
    at: usize,
    ended: bool,
    /// Whether unqualified addresses are refused (`-bnq`).
    leaves_unqualified: bool,
    /// How many lines there were.
    lines: u64,
    /// In which line the transaction began.
    began: u64,
    /// How many messages there were.
    messages: u64,
    /// How many commands there were that bring no mail nearer.
    nonmail: i64,
    /// Whether those are limited, once that was asked.
    limits_nonmail: Option<bool>,
    /// How large a message may be, or 0, once that was asked.
    size_limit: Option<u64>,
    /// Whether there was a MAIL.
    said_mail: bool,
    /// When the batch began.
    opened: Moment,
    /// How long more of it is waited for, once that is known.
    patience: Option<Option<Duration>>,
    sender: Option<Str>,
    recipients: Vec<Str>,
    /// The message at hand, without the dots that were put before dots.
    text: Option<BatchText>,
}

/// What there is.
#[derive(Debug)]
pub enum BatchStep {
    /// Nothing, before more comes in.
    More,
    /// A message begins.
    Begins(BatchEnvelope),
    /// The message that began is there.
    Message(BatchMessage),
    /// The batch is over.
    End,
    /// The input ended within the message that began ([`crate::submission::lose`]).
    Lost(BatchError, Box<GatheredMessage>),
    /// Something is wrong, and the rest of the batch of no use.
    Failed(BatchError),
}

/// Who sent a message of a batch, and who gets it.
#[derive(Debug)]
pub struct BatchEnvelope {
    /// What MAIL said.
    pub sender: Str,
    /// What RCPT commands said.
    pub recipients: Vec<Str>,
}

/// A message of a batch.
#[derive(Debug)]
pub struct BatchMessage {
    /// The message.
    pub text: GatheredMessage,
    /// How large it is, a line's end counting as one byte, where that is too much: not all of
    /// it is in the text then.
    pub excess: Option<u64>,
}

impl BatchedSmtp {
    /// A batch that begins.
    pub fn new(leaves_unqualified: bool) -> Self {
        Self { leaves_unqualified, ..Self::default() }
    }

    /// Whether there is room for what may come; the log is told where there is not.
    pub fn has_room(cx: &Context) -> bool {
        let found = spool::space::check(cx, 0);
        found.map_err(|why| cx.engine().world().log.main(&why)).is_ok()
    }

    /// Tells the log of a batch that begins, where that is wanted (`smtp_connection`).
    pub fn log_begin(&mut self, cx: &mut Context) {
        self.opened = cx.engine().world().clock.now();
        let by = LogSelector::SMTP_CONNECTION;
        let (log, wanted) =
            (cx.engine().world().log.clone(), cx.engine().settings().log_selector());
        if log.hears(wanted, by) {
            let line = [b"SMTP connection".as_slice(), &connection(cx)].concat();
            log.by_selector(wanted, by, &line);
        }
    }

    /// Settles how large a message may be, for all of the batch. Where that can't be said,
    /// nothing of it is taken.
    fn settle_size_limit(&mut self, cx: &mut Context) -> Result<(), BatchError> {
        if self.size_limit.is_none() {
            let limit = options::message_size_limit(cx).map_err(|why| {
                cx.engine().world().log.panic(&why.logged());
                self.error(b"421 Temporary local problem - please try later".to_vec())
            })?;
            self.size_limit = Some(limit);
        }
        Ok(())
    }

    /// Tells the log of a batch that has come to its end, where nothing was in it and that
    /// is wanted (`smtp_no_mail`).
    pub fn log_end(&self, cx: &mut Context) {
        let selector = cx.engine().settings().log_selector();
        if !self.said_mail && selector.contains(LogSelector::SMTP_NO_MAIL) {
            let line = logs::no_mail(cx, self.opened);
            cx.engine().world().log.main(&line);
        }
    }

    /// Tells the log of a message that waits since too many came before it
    /// (`smtp_accept_queue_per_connection`); whether it does.
    pub fn log_delay(&self, cx: &Context, id: &[u8]) -> bool {
        let count = i64::try_from(self.messages + 1).unwrap_or(i64::MAX);
        let Some(why) = beyond_connection(cx, count) else { return false };
        let line = format!("no immediate delivery: {why}");
        logs::by_selector(cx, &Str::from(id), LogSelector::DELAY_DELIVERY, line.as_bytes());
        true
    }

    /// Takes what came in.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(bytes);
    }

    /// Nothing more will come in.
    pub fn end_of_input(&mut self) {
        self.ended = true;
    }

    /// What there is next. A message must be taken before this is asked again.
    pub fn step(&mut self, cx: &mut Context) -> BatchStep {
        if let Err(wrong) = self.settle_size_limit(cx) {
            return BatchStep::Failed(wrong);
        }
        loop {
            let Some(line) = self.line() else {
                self.part_of_line(cx);
                return self.starved(cx);
            };
            if self.text.is_some() {
                match self.text_line(cx, &line) {
                    Some(message) => return BatchStep::Message(message),
                    None => continue,
                }
            }
            let shown = line.trim_ascii_end();
            cx.set_var(var::SMTP_COMMAND, Str::tainted(shown));
            match self.command(cx, shown) {
                Ok(None) => {}
                Ok(Some(step)) => return step,
                Err(text) => {
                    let printing = |byte: &u8| if *byte == 0 { b'?' } else { *byte };
                    let command = Some(shown.iter().map(printing).collect());
                    return BatchStep::Failed(BatchError { command, ..self.error(text) });
                }
            }
        }
    }

    /// A message was taken.
    pub fn taken(&mut self) {
        self.messages += 1;
        self.reset();
    }

    /// How long more of it is waited for; without a time, for ever. Where nothing comes in that
    /// time, [`BatchedSmtp::time_out`] says what is wrong.
    pub fn read_timeout(&mut self, cx: &mut Context) -> Option<Duration> {
        *self.patience.get_or_insert_with(|| options::smtp_receive_timeout(cx))
    }

    /// Nothing came in time, which is logged where that is wanted
    /// (`lost_incoming_connection`).
    pub fn time_out(&mut self, cx: &mut Context) -> BatchError {
        let Some(mut text) = self.text.take() else {
            let line = logs::command_timeout(cx, b"", self.opened);
            logs::by_selector(cx, &Str::EMPTY, LogSelector::LOST_INCOMING_CONNECTION, &line);
            return self.error(b"421 SMTP command timeout".into());
        };
        text.message.push(cx, b"", &self.input[self.at..]);
        // Lines of a body count where it has come to its end.
        self.lines = text.before + text.message.header_lines(cx);
        let id = text.message.name_if_in_body(cx);
        let sender = self.sender.clone().unwrap_or_default();
        let line = logs::data_timeout(cx, sender.bytes(), self.opened);
        logs::by_selector(cx, &id, LogSelector::LOST_INCOMING_CONNECTION, &line);
        self.error(b"421 SMTP incoming data timeout - message abandoned".into())
    }

    /// What is wrong with the message at hand.
    pub fn error(&self, text: Vec<u8>) -> BatchError {
        let Self { began, lines, messages, .. } = *self;
        BatchError { text, command: None, began, line: lines, messages }
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.began = self.lines;
    }

    /// The next line, with its newline.
    fn line(&mut self) -> Option<Vec<u8>> {
        let rest = &self.input[self.at..];
        let end = memchr(b'\n', rest)?;
        let line = rest[..=end].to_vec();
        self.at += end + 1;
        self.lines += 1;
        Some(line)
    }

    /// There is no whole line.
    fn starved(&mut self, cx: &mut Context) -> BatchStep {
        let length = self.input.len() - self.at;
        match &mut self.text {
            None if length > MAX_COMMAND => {
                BatchStep::Failed(self.error(b"500 Command unrecognized".into()))
            }
            // What is begun and never ended is no command.
            None if self.ended => BatchStep::End,
            Some(_) if self.ended => self.end_within(cx),
            _ => BatchStep::More,
        }
    }

    /// The input ends within a message.
    fn end_within(&mut self, cx: &mut Context) -> BatchStep {
        let Some(mut text) = self.text.take() else { return BatchStep::End };
        text.take_last(cx, &self.input[self.at..], self.lines);
        // What is wrong was found before.
        if text.is_refused(cx) {
            return BatchStep::Message(self.whole_message(cx, text));
        }
        // In a body, the end counts as that of a line, and so does, once more, a line
        // that ended the header and is none of it.
        let begun = text.message.body_begun(cx);
        self.lines += match begun {
            None => 0,
            Some(BodyBegun::Blank) => 1,
            Some(BodyBegun::Stray) => 2,
        };
        log_lost(cx, &text.message, begun.is_some());
        let wrong = self.error(b"421 Lost incoming connection".into());
        BatchStep::Lost(wrong, Box::new(text.message))
    }

    /// Takes the beginning of a line of a message that is too long to wait for its end.
    fn part_of_line(&mut self, cx: &mut Context) {
        let Some(text) = &mut self.text else { return };
        let part = &self.input[self.at..];
        if part.len() > MAX_COMMAND {
            text.take(cx, part, self.lines);
            self.at = self.input.len();
        }
    }

    /// A line of a message: the message, if it is its last one. Whoever takes it sees whether it
    /// is too large.
    fn text_line(&mut self, cx: &mut Context, line: &[u8]) -> Option<BatchMessage> {
        let text = self.text.as_mut()?;
        if !text.take(cx, line, self.lines - 1) {
            return None;
        }
        let text = self.text.take()?;
        Some(self.whole_message(cx, text))
    }

    /// The message that is there as a whole, or of which nothing more is wanted.
    fn whole_message(&mut self, cx: &mut Context, text: BatchText) -> BatchMessage {
        let lines = text.refused_at(cx);
        self.lines = lines.unwrap_or_else(|| text.ended_at(cx, self.lines));
        let excess = text.excess();
        BatchMessage { text: text.message, excess }
    }

    /// Whether a command that brings no mail nearer is one too many of those
    /// (`smtp_accept_max_nonmail`): it is not known then.
    fn is_beyond_nonmail(&mut self, cx: &mut Context) -> bool {
        let limited = *self.limits_nonmail.get_or_insert_with(|| {
            let found = options::client_in_list(cx, opt::SMTP_ACCEPT_MAX_NONMAIL_HOSTS);
            !matches!(found, Ok(ListOutcome::Unmatched(_)))
        });
        self.nonmail += i64::from(limited);
        self.nonmail > cx.engine().settings().get(opt::SMTP_ACCEPT_MAX_NONMAIL)
    }

    /// Obeys a command; what there is then, if there is something.
    fn command(&mut self, cx: &mut Context, line: &[u8]) -> Result<Option<BatchStep>, Vec<u8>> {
        const IDLE: [&[u8]; 5] = [b"NOOP", b"HELP", b"VRFY", b"EXPN", b"ETRN"];
        if line.contains(&0) {
            return Err(b"501 Unexpected NULL in SMTP command".into());
        }
        let begins = |word: &[u8]| {
            let head = line.get(..word.len())?;
            let rest = &line[word.len()..];
            let ends = word.ends_with(b":") || rest.first().is_none_or(u8::is_ascii_whitespace);
            (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_ascii())
        };
        let alone = |word: &[u8]| match begins(word) {
            Some(rest) if !rest.is_empty() => Err(b"501 Unexpected argument data".to_vec()),
            found => Ok(found.is_some()),
        };
        if let Some(address) = begins(b"MAIL FROM:") {
            self.said_mail = true;
            return self.mail(cx, address).map(|()| None);
        }
        if let Some(address) = begins(b"RCPT TO:") {
            return self.rcpt(cx, address).map(|()| None);
        }
        if alone(b"DATA")? {
            let Some(sender) = self.sender.clone() else {
                return Err(b"503 MAIL FROM:<sender> command must precede DATA".into());
            };
            if self.recipients.is_empty() {
                return Err(b"503 RCPT TO:<recipient> must precede DATA".into());
            }
            let limit = self.size_limit.filter(|limit| *limit > 0).unwrap_or(MAX_SIZE);
            self.text = Some(BatchText::new(cx, limit, self.lines));
            let recipients = self.recipients.clone();
            return Ok(Some(BatchStep::Begins(BatchEnvelope { sender, recipients })));
        }
        if alone(b"QUIT")? {
            return Ok(Some(BatchStep::End));
        }
        if alone(b"RSET")? {
            self.reset();
            return Ok(None);
        }
        if let Some(name) = begins(b"HELO").or_else(|| begins(b"EHLO")) {
            cx.set_var(var::SENDER_HELO_NAME, Str::tainted(name));
            // It is of no account to how the client is described.
            self.reset();
            return Ok(None);
        }
        if IDLE.iter().any(|word| begins(word).is_some()) && !self.is_beyond_nonmail(cx) {
            self.began = self.lines;
            return Ok(None);
        }
        Err(b"500 Command unrecognized".into())
    }

    fn mail(&mut self, cx: &mut Context, text: &[u8]) -> Result<(), Vec<u8>> {
        if self.sender.is_some() {
            return Err(b"503 Sender already given".into());
        }
        if text.is_empty() {
            return Err(b"501 MAIL FROM must have an address operand".into());
        }
        let sender = self.address(cx, text, true)?;
        self.sender = Some(sender);
        Ok(())
    }

    fn rcpt(&mut self, cx: &mut Context, text: &[u8]) -> Result<(), Vec<u8>> {
        if self.sender.is_none() {
            return Err(b"503 No sender yet given".into());
        }
        if text.is_empty() {
            return Err(b"501 RCPT TO must have an address operand".into());
        }
        let most = options::number(cx, opt::RECIPIENTS_MAX);
        if most > 0 && self.recipients.len() as i64 >= most {
            let rejects = cx.engine().settings().get(opt::RECIPIENTS_MAX_REJECT);
            let code = if rejects { "552" } else { "452" };
            return Err(format!("{code} too many recipients").into_bytes());
        }
        let recipient = self.address(cx, text, false)?;
        self.recipients.push(recipient);
        Ok(())
    }

    /// An address, with a domain.
    fn address(&self, cx: &mut Context, text: &[u8], is_sender: bool) -> Result<Str, Vec<u8>> {
        let rules = Rules { null: is_sender, ..Rules::of(cx.engine().settings()) };
        let parsed = address::parse(text, rules);
        let found = parsed.map_err(|why| [b"501 ".as_slice(), &why.message].concat())?;
        let mut address = found.text;
        if found.domain.is_none() && !address.is_empty() {
            let (who, variable) = match is_sender {
                true => ("sender", var::QUALIFY_DOMAIN),
                false => ("recipient", var::QUALIFY_RECIPIENT),
            };
            if self.leaves_unqualified {
                return Err(format!("501 {who} address must contain a domain").into_bytes());
            }
            let domain = cx.value_of(variable);
            address.extend_from_slice(&[b"@", domain.bytes()].concat());
        }
        Ok(Str::tainted(address))
    }
}

/// ` from user`, as the logs name a program that hands a batch in.
fn connection(cx: &mut Context) -> Vec<u8> {
    let user = cx.value_of(var::SENDER_IDENT);
    logs::connection(cx, user.bytes())
}

/// Logs that a message has no end.
fn log_lost(cx: &mut Context, message: &GatheredMessage, in_body: bool) {
    let connection = connection(cx);
    let mut line = Vec::new();
    if in_body {
        let id = message_id(cx.engine());
        line.extend_from_slice(&[id.bytes(), b" "].concat());
        cx.set_var(var::MESSAGE_EXIM_ID, id);
    }
    line.extend_from_slice(&logs::lost_in_message(&connection, in_body, message.head()));
    cx.engine().world().log.main(&line);
}
