//! Batches: messages with SMTP commands before each, from a program of this system
//! (`-bS`; specification 49.4.2). Nobody answers; an error ends it all.
//!
//! Bytes go in, and [`BatchedSmtp::step`] says what there is: a message, or the end.
//! Whoever has the bytes gives a message to [`crate::submission::take`].

use std::time::Duration;

use eximious::stdlib::address::{self, Rules};
use eximious::world::Moment;
use eximious::{Context, LogSelector, Str, opt, var};
use memchr::memchr;

use crate::reception::{BodyBegun, Dots, Dotted, GatheredMessage, Way, message_id};
use crate::smtp::beyond_connection;
use crate::{logs, options};

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

/// A message that comes in.
#[derive(Debug)]
struct BatchText {
    message: GatheredMessage,
    /// How large it may be.
    limit: u64,
    /// How large it is, a line's end counting as one byte.
    size: u64,
    /// Whether what came last is a return, which may be a line's end together with a newline.
    ends_in_return: bool,
    /// How many lines there were when it was, which is where the error is told to be.
    over: Option<u64>,
    dots: Dots,
    /// How many lines there were before it.
    before: u64,
}

/// What there is.
#[derive(Debug)]
pub enum BatchStep {
    /// Nothing, before more comes in.
    More,
    /// A message.
    Message(BatchMessage),
    /// The batch is over.
    End,
    /// Something is wrong, and the rest of the batch of no use.
    Failed(BatchError),
}

/// A message of a batch.
#[derive(Debug)]
pub struct BatchMessage {
    /// What MAIL said.
    pub sender: Str,
    /// What RCPT commands said.
    pub recipients: Vec<Str>,
    /// The message.
    pub text: GatheredMessage,
    /// How large it is, a line's end counting as one byte; of one that is too large, not all is
    /// in the text.
    pub size: u64,
}

/// Why a batch is given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchError {
    /// What is wrong, with the code that SMTP has for it.
    pub text: Vec<u8>,
    /// The command that it is about, if it is one.
    pub command: Option<Vec<u8>>,
    began: u64,
    line: u64,
    messages: u64,
}

impl BatchError {
    /// What is said of it on the standard output.
    pub fn printed(&self) -> Vec<u8> {
        let numbers = format!(
            "\nTransaction started in line {}\nError detected in line {}\n",
            self.began, self.line
        );
        let mut said = [self.text.as_slice(), numbers.as_bytes()].concat();
        if let Some(command) = &self.command {
            said.extend_from_slice(&[command, b"\n".as_slice()].concat());
        }
        said
    }

    /// What is said of it on the standard error.
    pub fn explained(&self) -> Vec<u8> {
        let head = b"An error was detected while processing a file of BSMTP input.\n\
            The error message was:\n\n  ";
        let numbers = format!(
            "\n\nThe SMTP transaction started in line {}.\nThe error was detected in line {}.\n",
            self.began, self.line
        );
        let mut said = [head.as_slice(), &self.text, numbers.as_bytes()].concat();
        if let Some(command) = &self.command {
            let head = b"The SMTP command at fault was:\n\n   ".as_slice();
            said.extend_from_slice(&[head, command, b"\n\n"].concat());
        }
        let were = if self.messages == 1 { " was" } else { "s were" };
        let tail = format!(
            "{} previous message{were} successfully processed.\nThe rest of the batch was abandoned.\n",
            self.messages
        );
        said.extend_from_slice(tail.as_bytes());
        said
    }

    /// The status to end with.
    pub fn status(&self) -> u8 {
        if self.messages > 0 { 1 } else { 2 }
    }
}

impl BatchedSmtp {
    /// A batch that begins.
    pub fn new(leaves_unqualified: bool) -> Self {
        Self { leaves_unqualified, ..Self::default() }
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
            match self.command(cx, shown) {
                Ok(false) => {}
                Ok(true) => return BatchStep::End,
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
            Some(text) if self.ended && text.over.is_some() => {
                text.size += length as u64;
                self.whole_message().map_or(BatchStep::End, BatchStep::Message)
            }
            Some(text) if self.ended => {
                text.message.push(cx, b"", &self.input[self.at..]);
                // In a body, the end counts as that of a line, and so does, once more, a line
                // that ended the header and is none of it.
                let begun = text.message.body_begun(cx);
                self.lines += match begun {
                    None => 0,
                    Some(BodyBegun::Blank) => 1,
                    Some(BodyBegun::Stray) => 2,
                };
                log_lost(cx, &text.message, begun.is_some());
                BatchStep::Failed(self.error(b"421 Lost incoming connection".into()))
            }
            _ => BatchStep::More,
        }
    }

    /// Takes the beginning of a line of a message that is too long to wait for its end.
    fn part_of_line(&mut self, cx: &mut Context) {
        let Some(text) = &mut self.text else { return };
        let part = &self.input[self.at..];
        if part.len() > MAX_COMMAND {
            text.take(cx, part, self.lines + 1);
            self.at = self.input.len();
        }
    }

    /// A line of a message: the message, if it is its last one. Whoever takes it sees whether it
    /// is too large.
    fn text_line(&mut self, cx: &mut Context, line: &[u8]) -> Option<BatchMessage> {
        let text = self.text.as_mut()?;
        if !text.take(cx, line, self.lines) {
            return None;
        }
        self.whole_message()
    }

    /// The message that is there as a whole, or is too large, and nothing more of it comes.
    fn whole_message(&mut self) -> Option<BatchMessage> {
        let BatchText { message: text, size, over, .. } = self.text.take()?;
        self.lines = over.unwrap_or(self.lines);
        let (sender, recipients) = (self.sender.clone()?, self.recipients.clone());
        Some(BatchMessage { sender, recipients, text, size })
    }

    /// Obeys a command; true where it ends the batch.
    fn command(&mut self, cx: &mut Context, line: &[u8]) -> Result<bool, Vec<u8>> {
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
            return self.mail(cx, address).map(|()| false);
        }
        if let Some(address) = begins(b"RCPT TO:") {
            return self.rcpt(cx, address).map(|()| false);
        }
        if alone(b"DATA")? {
            if self.sender.is_none() {
                return Err(b"503 MAIL FROM:<sender> command must precede DATA".into());
            }
            if self.recipients.is_empty() {
                return Err(b"503 RCPT TO:<recipient> must precede DATA".into());
            }
            let limit = self.size_limit.filter(|limit| *limit > 0).unwrap_or(MAX_SIZE);
            let drops_from = cx.engine().settings().get(opt::IGNORE_FROMLINE_LOCAL);
            let message = GatheredMessage::new(cx, Way::Smtp, drops_from);
            let (dots, before) = (Dots::new(), self.lines);
            self.text = Some(BatchText {
                message,
                limit,
                size: 0,
                ends_in_return: false,
                over: None,
                dots,
                before,
            });
            return Ok(false);
        }
        if alone(b"QUIT")? {
            return Ok(true);
        }
        if alone(b"RSET")? {
            self.reset();
            return Ok(false);
        }
        if let Some(name) = begins(b"HELO").or_else(|| begins(b"EHLO")) {
            cx.set_var(var::SENDER_HELO_NAME, Str::tainted(name));
            // It is of no account to how the client is described.
            self.reset();
            return Ok(false);
        }
        if IDLE.iter().any(|word| begins(word).is_some()) {
            self.began = self.lines;
            return Ok(false);
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

impl BatchText {
    /// Takes a line, or a part of one, the last of so many; whether it ends the message.
    fn take(&mut self, cx: &mut Context, line: &[u8], lines: u64) -> bool {
        match self.dots.take(line) {
            Dotted::End => true,
            Dotted::Text(text, _) => {
                if self.over.is_none() {
                    self.message.push(cx, b"", text);
                }
                let returns = text.ends_with(b"\r\n") || self.ends_in_return && text == b"\n";
                self.ends_in_return = text.ends_with(b"\r");
                self.size += text.len() as u64 - u64::from(returns);
                let is_over = self.size > self.limit;
                self.over = self.over.or(is_over.then_some(lines));
                false
            }
        }
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
    let world = cx.engine().world();
    let mut line = Vec::new();
    if in_body {
        line.extend_from_slice(&[message_id(cx.engine()).bytes(), b" "].concat());
    }
    line.extend_from_slice(&logs::lost_in_message(&connection, in_body, message.head()));
    world.log.main(&line);
}

#[cfg(test)]
mod tests {
    use eximious::Engine;

    use super::*;

    /// The messages of a batch, and what ended it.
    fn read(text: &str) -> (Vec<BatchMessage>, BatchStep) {
        let mut cx = Engine::builder().build().context();
        let mut batch = BatchedSmtp::new(false);
        let mut messages = Vec::new();
        let mut rest = text.as_bytes().chunks(7);
        loop {
            match batch.step(&mut cx) {
                BatchStep::Message(message) => {
                    messages.push(message);
                    batch.taken();
                }
                BatchStep::More => match rest.next() {
                    Some(piece) => batch.receive(piece),
                    None => batch.end_of_input(),
                },
                end => return (messages, end),
            }
        }
    }

    #[test]
    fn each_message_has_its_envelope() {
        let (messages, end) = read(
            "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nrcpt to: e@f\r\nDATA\r\n\
             Subject: x\r\n\r\n..\r\n.\r\n\
             VRFY x\nMAIL FROM:<>\nRCPT TO:<c@d>\nDATA\n.x\n.\nQUIT\nFOO\n",
        );
        assert!(matches!(end, BatchStep::End));
        let [first, second] = &messages[..] else { panic!("{messages:?}") };
        let to: Vec<&[u8]> = first.recipients.iter().map(Str::bytes).collect();
        assert_eq!(
            (first.sender.bytes(), &to[..]),
            (b"a@b".as_slice(), &[b"c@d".as_slice(), b"e@f"][..])
        );
        assert_eq!(first.text.head(), b"Subject: x\r\n\r\n.\r\n");
        assert_eq!(
            (second.sender.bytes(), second.text.head()),
            (b"".as_slice(), b"x\n".as_slice())
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, said, status) in [
            (
                "FOO\n",
                "500 Command unrecognized\nTransaction started in line 0\nError detected in line 1\nFOO\n",
                2,
            ),
            (
                "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n.\nDATA\n",
                "503 MAIL FROM:<sender> command must precede DATA\nTransaction started in line 5\nError detected in line 6\nDATA\n",
                1,
            ),
            (
                "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n",
                "421 Lost incoming connection\nTransaction started in line 0\nError detected in line 4\n",
                2,
            ),
            (
                "RSET\nMAIL FROM:<a\0b>\n",
                "501 Unexpected NULL in SMTP command\nTransaction started in line 1\nError detected in line 2\nMAIL FROM:<a?b>\n",
                2,
            ),
        ] {
            let (_, BatchStep::Failed(wrong)) = read(text) else { panic!("{text}") };
            assert_eq!(String::from_utf8(wrong.printed()).unwrap(), said);
            assert_eq!(wrong.status(), status, "{text}");
        }
    }

    #[test]
    fn what_does_not_come_in_time_is_told() {
        let (command, data) =
            ("421 SMTP command timeout", "421 SMTP incoming data timeout - message abandoned");
        for (text, said, line) in [
            ("", command, 0),
            ("MAIL FROM:<a@b>\nRCPT T", command, 1),
            ("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n", data, 4),
            ("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n\nb\nb", data, 5),
            ("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\ny\n", data, 4),
        ] {
            let mut cx = Engine::builder().build().context();
            let mut batch = BatchedSmtp::new(false);
            batch.receive(text.as_bytes());
            assert!(matches!(batch.step(&mut cx), BatchStep::More), "{text}");
            let wrong = batch.time_out(&mut cx);
            assert_eq!((&wrong.text[..], wrong.line), (said.as_bytes(), line), "{text}");
            assert_eq!((wrong.command.as_ref(), wrong.status()), (None, 2));
        }
    }

    #[test]
    fn cve_2020_28020_a_command_has_an_end() {
        let (_, BatchStep::Failed(wrong)) = read(&"x".repeat(100_000)) else { panic!() };
        assert_eq!(wrong.text, b"500 Command unrecognized");
    }
}
