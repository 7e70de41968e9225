//! What goes wrong with a message that a program hands in, and how its sender is told
//! (specification 5.2, `-oep` and its kin).

use std::borrow::Cow;

use eximious::acl::OwnMessage;
use eximious::stdlib::printing::printing;
use eximious::stdlib::references::References;
use eximious::trace::{Happening, SpoolEvent};
use eximious::{Str, opt, var};

use super::bound::SizeBound;
use super::own::{Occasion, hand_in};
use super::{Done, Errors, Submission, WrittenMessage};
use crate::options;
use crate::reception::{self, InvalidAddress, TooLong};
use crate::smtp::SpoolFailure;

/// How much is returned of a message that is not looked at.
const MOST_RETURNED: usize = 64 << 20;

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// An argument is no address; and why.
    Argument(Vec<u8>, Vec<u8>),
    /// There are more recipients than this.
    TooMany(i64),
    /// The header names more recipients than this.
    TooManyNamed(i64),
    /// The header names recipients that are no addresses; whether there are others.
    Named(Vec<InvalidAddress>, bool),
    /// There is no recipient; whether there would be if arguments had not said who
    /// does not get it.
    NoRecipients(bool),
    /// The header is too long.
    TooLong(TooLong),
    /// The message is larger than this.
    TooLarge(u64),
    /// An ACL refused it, with these words.
    Judged(Vec<u8>),
    /// An ACL refused it, and this is how SMTP has it.
    Answered(Vec<u8>),
    /// It could not be put into the spool.
    SpoolFailure(SpoolFailure),
    /// It could not be read.
    Unread(Vec<u8>),
    /// Something in the configuration is wrong; that is logged already.
    Broken,
}

/// How a fault is told.
struct Told {
    /// What a report is about: the end of its subject line.
    subject: &'static str,
    /// What a report says.
    text: Vec<u8>,
    /// What is logged where there is nobody to tell.
    logged: Vec<u8>,
}

impl Submission<'_> {
    /// Tells the sender, and ends.
    pub(super) fn report(&mut self, fault: &Fault) -> Done {
        let printed = |said: &[u8]| Done { status: 1, said: said.to_vec(), ..Done::default() };
        match fault {
            // The panic log was shown.
            Fault::SpoolFailure(failure) if failure.broken => return printed(b""),
            Fault::SpoolFailure(SpoolFailure { why, .. }) | Fault::Unread(why) => {
                return printed(&[b"exim: ", &why[..], b"\n"].concat());
            }
            Fault::Broken => return printed(b""),
            _ => {}
        }
        let why = in_short(fault);
        let prints = self.errors == Errors::Printed;
        let told = match fault {
            // Exim's spelling.
            Fault::TooMany(most) => Some(format!("excess reipients (max {most})").into_bytes()),
            // The panic log has it.
            Fault::NoRecipients(_) | Fault::Named(..) => None,
            _ => Some(why.clone()),
        };
        if let Some(why) = told {
            self.cx.tell(Happening::Spool(SpoolEvent::Rejected { why: &why }));
        }
        if prints {
            return printed(&[b"exim: ", &why[..], b"\n"].concat());
        }
        let otherwise = if matches!(fault, Fault::NoRecipients(_)) { 2 } else { 1 };
        let status = match (self.mail(fault), self.errors) {
            (true, Errors::MailedQuietly) => 0,
            (true, _) => 1,
            (false, _) => otherwise,
        };
        Done { status, ..Done::default() }
    }

    /// Sends a report to the sender; false where that can't be.
    pub(super) fn mail(&mut self, fault: &Fault) -> bool {
        let Some(told) = in_full(fault) else { return false };
        let sender = self.cx.value_of(var::SENDER_ADDRESS);
        // Nobody is told of a report, whoever sends it.
        if sender.is_empty() || self.request.is_error {
            let about = &self.request.about;
            let reference = match about.is_empty() {
                true => Vec::new(),
                false => [b" (R=", about.as_slice(), b")"].concat(),
            };
            let head = b"Error while reading message with no usable sender address".as_slice();
            let mut why = told.logged.clone();
            why.retain(|byte| *byte != b'\n');
            self.log(&[head, &reference, b": ", &why].concat());
            return false;
        }
        let text = self.letter(fault, &told, sender.bytes());
        let own = OwnMessage { sender: Vec::new(), text };
        let done = self.write(&own);
        if !done.kept {
            let line = format!("Child mail process returned status {}", done.status);
            self.log(line.as_bytes());
        }
        done.kept
    }

    /// Puts a message about this one into the spool, which is to be delivered, too.
    pub(super) fn write(&mut self, own: &OwnMessage) -> Done {
        let (about, pretended) = (self.id.bytes(), self.request.pretended);
        let occasion = Occasion { about, pretended, ..Occasion::default() };
        let (done, name) = hand_in(self.server, self.cx, own, occasion);
        if done.kept && !done.waits {
            let written = WrittenMessage { queue: done.queue.clone(), id: name.bytes().to_vec() };
            if !self.outside.deliver(self.cx, &written) {
                self.written.push(written);
            }
        }
        done
    }

    /// Reads what a report of an error shows of a message that is not looked at: all that
    /// comes, as far as anybody keeps it.
    pub(super) fn read_for_report(&mut self) -> Result<Vec<u8>, Fault> {
        let mut text = Vec::new();
        let mut bound = SizeBound::of_body(self.limit);
        let read = self.read_to(false, &mut bound, &mut |_, piece| {
            let room = MOST_RETURNED.saturating_sub(text.len()).min(piece.len());
            text.extend_from_slice(&piece[..room]);
        });
        read.map_err(|why| self.unread(&why))?;
        let first = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
        if self.request.dot_ends {
            // The line that ends it is shown, and the first one is none of those.
            let mut end = first;
            for line in text[first..].split_inclusive(|byte| *byte == b'\n') {
                end += line.len();
                if line.strip_suffix(b"\n").unwrap_or(line) == b"." {
                    break;
                }
            }
            text.truncate(end);
        }
        // Whoever may name a sender is told of by a line before the header, whatever `-f` says.
        if self.request.submitter.trusted
            && let Some(sender) = reception::sender_in_line(self.cx, &text[..first])
        {
            if reception::qualified_sender(self.cx, &sender).is_ok() {
                self.cx.set_var(var::SENDER_ADDRESS, Str::tainted(sender));
            }
            text.drain(..first);
        }
        Ok(text)
    }

    /// The report as a message.
    fn letter(&mut self, fault: &Fault, told: &Told, sender: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let reply_to = self.cx.engine().settings().get(opt::ERRORS_REPLY_TO);
        if !reply_to.is_empty() {
            text.extend_from_slice(&[b"Reply-To: ", reply_to.bytes(), b"\n"].concat());
        }
        let from = options::dsn_from(self.cx);
        let head = [b"Auto-Submitted: auto-replied\nFrom: ", from.bytes(), b"\nTo: ", sender];
        text.extend_from_slice(&head.concat());
        text.push(b'\n');
        // Of a header that was not read to its end, nobody knows which message it is.
        if !matches!(fault, Fault::TooLong(_)) {
            let settings = self.cx.engine().settings();
            let references = References::to(&self.received.message, settings);
            text.extend(references.map(|found| found.line).unwrap_or_default());
        }
        let subject = format!("Subject: Mail failure - {}\n\n", told.subject);
        text.extend_from_slice(subject.as_bytes());
        text.extend_from_slice(&told.text);
        if self.cx.engine().settings().get(opt::BOUNCE_RETURN_MESSAGE) {
            self.copy(fault, &mut text);
        }
        text
    }

    /// Adds what was read of the message.
    fn copy(&mut self, fault: &Fault, text: &mut Vec<u8>) {
        let mut most = self.cx.engine().settings().get(opt::BOUNCE_RETURN_SIZE_LIMIT);
        if let Fault::TooLarge(limit) = fault {
            let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
            most = if most == 0 { limit } else { most.min(limit) };
        }
        let message = &self.received.message;
        let whole = self.cx.engine().settings().get(opt::BOUNCE_RETURN_BODY);
        // A message that nobody looked at is returned as it came.
        let read = !self.id.is_empty();
        let most = usize::try_from(most).ok().filter(|most| *most > 0 && read);
        // More came of a message that is too large than is there.
        let more = most.is_some() && matches!(fault, Fault::TooLarge(_));
        let most = most.unwrap_or(usize::MAX);
        let body = match (whole, more || message.body.len() > most as u64) {
            (false, _) => {
                let tail: &[u8] = b"\n------ This is a copy of the headers that were received \
                    before the error\n       was detected.\n";
                text.extend_from_slice(tail);
                Cow::default()
            }
            (true, cut) => {
                let line = b"\n------ This is a copy of your message, including all the headers.";
                text.extend_from_slice(line);
                match cut {
                    true => text.extend_from_slice(
                        format!(
                            "\n------ No more than {} characters of the body are included.\n",
                            in_kilobytes(most)
                        )
                        .as_bytes(),
                    ),
                    false => text.extend_from_slice(b" ------\n"),
                }
                // What can't be read can't be shown.
                message.body.start(most).unwrap_or_default()
            }
        };
        text.push(b'\n');
        // Lines that were taken out, or replaced, are shown as well.
        let mut gone = self.received.replaced.iter().peekable();
        for (at, header) in message.headers.iter().enumerate() {
            while let Some(one) = gone.next_if(|one| one.before <= at) {
                text.extend_from_slice(&one.header.line);
            }
            text.extend_from_slice(&header.line);
        }
        gone.for_each(|one| text.extend_from_slice(&one.header.line));
        if !matches!(fault, Fault::TooLong(_)) {
            text.push(b'\n');
        }
        text.extend_from_slice(&body);
    }
}

/// A size, in kilobytes where it is so many.
fn in_kilobytes(size: usize) -> String {
    if size.is_multiple_of(1024) { format!("{}K", size / 1024) } else { size.to_string() }
}

/// What is said of a fault on the standard error.
fn in_short(fault: &Fault) -> Vec<u8> {
    match fault {
        Fault::Argument(text, why) => {
            [b"bad recipient address \"", &text[..], b"\": ", why].concat()
        }
        Fault::TooMany(_) => b"too many recipients".to_vec(),
        Fault::TooManyNamed(_) => b"message rejected: too many recipients".to_vec(),
        Fault::Named(wrong, _) => match &wrong[..] {
            [one] => [b"invalid address:  ", &described(one)[..]].concat(),
            _ => {
                [b"invalid addresses:\n".as_slice(), &listed(wrong)].concat().trim_ascii().to_vec()
            }
        },
        Fault::NoRecipients(true) => b"all -t recipients overridden by command line".to_vec(),
        Fault::NoRecipients(false) => b"no recipients in message".to_vec(),
        Fault::TooLong(TooLong::Header(limit)) => {
            format!("message header longer than {limit} characters received: message not accepted")
                .into_bytes()
        }
        Fault::TooLong(TooLong::Line(limit)) => format!(
            "message header line longer than {limit} characters received: message not accepted"
        )
        .into_bytes(),
        Fault::TooLarge(limit) => {
            format!("message rejected: message too big (max={limit})").into_bytes()
        }
        Fault::Judged(why) | Fault::Answered(why) => {
            [b"message rejected by non-SMTP ACL: ", &why[..]].concat()
        }
        Fault::SpoolFailure(SpoolFailure { why, .. }) | Fault::Unread(why) => why.clone(),
        Fault::Broken => Vec::new(),
    }
}

/// What a report says of a fault; nothing where none is sent.
fn in_full(fault: &Fault) -> Option<Told> {
    let told = |subject, text: &[u8], logged: &[u8]| {
        Some(Told { subject, text: text.to_vec(), logged: logged.to_vec() })
    };
    match fault {
        Fault::Argument(argument, why) => {
            let dot: &[u8] = match argument.ends_with(b".") {
                true => b"\nRecipient addresses must not end with a '.' character.\n",
                false => b"",
            };
            let shown = printing(argument, false);
            let text = [
                b"A message that you sent contained a recipient address that was incorrectly\n\
                    constructed:\n\n  ",
                &shown[..],
                b"  ",
                why,
                b"\n",
                dot,
                b"\nThe message has not been delivered to any recipients.\n",
            ];
            let logged = [b"at least one malformed recipient address: ", &shown[..], b" - ", why];
            told("malformed recipient address", &text.concat(), &logged.concat())
        }
        Fault::TooMany(most) | Fault::TooManyNamed(most) => told(
            "too many recipients",
            b"A message that you sent contained more recipients than allowed on this\n\
                system. It was not delivered to any recipients.\n",
            format!("too many recipients (max set to {most})").as_bytes(),
        ),
        Fault::Named(wrong, others) => {
            let first = wrong.first()?;
            let these: &[u8] = match wrong.len() {
                1 => b"This address has been ignored. ",
                _ => b"These addresses have been ignored. ",
            };
            let rest: &[u8] = match others {
                true => {
                    b"The other addresses in the message were\nsyntactically valid and have \
                    been passed on for an attempt at delivery.\n"
                }
                false => {
                    b"There were no other addresses in your\nmessage, and so no attempt at \
                    delivery was possible.\n"
                }
            };
            let head = b"A message that you sent contained one or more recipient addresses that \
                were\nincorrectly constructed:\n\n"
                .as_slice();
            let text = [head, &listed(wrong), b"\n", these, rest].concat();
            let head = b"at least one malformed recipient address: ".as_slice();
            let logged = [head, &first.text, b" - ", &first.why].concat();
            told("malformed recipient address", &text, &logged)
        }
        Fault::NoRecipients(removed) => {
            let text: &[u8] = match removed {
                true => {
                    b"A message that you sent using the -t command line option contained no\n\
                    addresses that were not also on the command line, and were therefore\n\
                    suppressed. This left no recipient addresses, and so no delivery could\n\
                    be attempted.\n"
                }
                false => {
                    b"A message that you sent contained no recipient addresses, and \
                    therefore no\ndelivery could be attempted.\n"
                }
            };
            told("no recipient addresses", text, b"no recipient addresses")
        }
        Fault::TooLong(TooLong::Header(limit)) => told(
            "overlong header section",
            b"A message that you sent contained a header section that was excessively\n\
                long and could not be handled by the mail transmission software. The\n\
                message has not been delivered to any recipients.\n",
            format!("excessively long message header section read (more than {limit} characters)")
                .as_bytes(),
        ),
        Fault::TooLong(TooLong::Line(limit)) => told(
            "overlong header line",
            b"A message that you sent contained a header line that was excessively\n\
                long and could not be handled by the mail transmission software. The\n\
                message has not been delivered to any recipients.\n",
            format!("excessively long message header line read (more than {limit} characters)")
                .as_bytes(),
        ),
        Fault::TooLarge(limit) => told(
            "message too big",
            b"A message that you sent was longer than the maximum size allowed on this\n\
                system. It was not delivered to any recipients.\n",
            format!("message too big (limit set to {limit})").as_bytes(),
        ),
        Fault::Judged(why) | Fault::Answered(why) => {
            let head = b"A message that you sent was rejected by the local scanning code that\n\
                checks incoming messages on this system. The following error was given:\n\n  "
                .as_slice();
            let logged = [b"rejected by non-SMTP ACL: ", &why[..]].concat();
            told("rejected by local scanning code", &[head, why, b"\n"].concat(), &logged)
        }
        Fault::SpoolFailure(_) | Fault::Unread(_) | Fault::Broken => None,
    }
}

/// Each of what is no address, with the reason.
fn listed(wrong: &[InvalidAddress]) -> Vec<u8> {
    let line = |one| [b"  ", &described(one)[..], b"\n"].concat();
    wrong.iter().flat_map(line).collect()
}

/// What is no address, and why, in a line.
fn described(wrong: &InvalidAddress) -> Vec<u8> {
    let why = wrong.why.iter().filter(|byte| **byte != b'\n');
    let text = printing(&wrong.text, false);
    text.iter().chain(b": ").chain(why).copied().collect()
}
