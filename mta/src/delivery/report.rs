//! What senders are told of their messages: what failed, what waits, what arrived
//! (RFC 3461, 3464; specification, chapters 50 and 14).

mod bounce;
mod delay;
mod frozen;
mod notice;
mod success;
mod texts;

use eximious::acl::OwnMessage;
use eximious::stdlib::references::References;
use eximious::{Str, opt, var};

use super::attempt::{Attempt, Undone};
use super::tracking::NodeId;
use crate::options;
use crate::smtp::xtext;
use crate::spool::{RecipientDsn, unfolded};
use crate::submission::Done;
use crate::submission::own::{Occasion, hand_in};

pub(super) use bounce::{Told, by_sender, send, settled};
pub(super) use delay::warn;
pub(super) use frozen::tell_frozen;
pub(super) use notice::notify;
pub(super) use success::{Arrival, Arrived, confirm};

/// The port of SMTP, which goes without saying.
pub(super) const SMTP_PORT: u16 = 25;

/// How much is told of what a host said: lines of a message have an end.
const LONGEST_DETAIL: usize = 900;
/// After how many bytes a line about a failure is broken behind a colon.
const LINE: usize = 45;
/// How long such a line may be: what comes behind it is left out.
const LONGEST_LINE: usize = 254;
/// How much a program reads of what a host said, all its lines together.
const LONGEST_DIAGNOSIS: usize = 951;
/// How long a line may be for others to take it.
const LONGEST_RETURNED: usize = 998;
/// What stands where an envelope's identification is none.
const UNREAD_ENVID: &[u8] = b"X-Original-Envelope-ID: error decoding xtext formatted ENVID\n";
/// What stands where something was left out.
const TRUNCATED: &[u8] = b"[truncated]";

impl Attempt<'_> {
    /// What is asked about an address (RFC 3461): only recipients of the message have
    /// anything that is asked about them, and their copies, none of those that come of them.
    pub(super) fn asked_of(&self, node: NodeId) -> Option<&RecipientDsn> {
        if !self.tracking.stands_for_recipient(node) {
            return None;
        }
        self.asked.get(&self.tracking.root(node))
    }

    /// Whether the sender wants to know of something about an address (`NOTIFY`); where
    /// nothing was asked, of all but success.
    fn wants(&self, node: NodeId, what: i64) -> bool {
        let flags = self.asked_of(node).map_or(0, |asked| asked.flags);
        let any = RecipientDsn::NEVER
            | RecipientDsn::SUCCESS
            | RecipientDsn::FAILURE
            | RecipientDsn::DELAY;
        flags & what != 0 || (flags & any == 0 && what != RecipientDsn::SUCCESS)
    }

    /// Puts a report into the spool: its name there, or where it does not come there, with
    /// which status that ended.
    fn hand_in_report(&mut self, text: Vec<u8>) -> Result<Vec<u8>, u8> {
        let own = OwnMessage { sender: Vec::new(), text };
        let (done, name) = self.hand_in(&own);
        match done.kept {
            true => Ok(name.bytes().to_vec()),
            false => Err(done.status),
        }
    }

    /// Puts a message into the spool that comes of this one, as the server's user: what came of
    /// it, and its name.
    pub(super) fn hand_in(&mut self, own: &OwnMessage) -> (Done, Str) {
        let server = self.deliverer.server.clone();
        let pretended = self.is_pretended();
        let occasion = Occasion { about: &self.id, queue: &self.place.queue, pretended };
        hand_in(&server, &mut self.cx, own, occasion)
    }
}

impl Attempt<'_> {
    /// Whether the message is a report that was made here.
    pub(super) fn is_own_report(&mut self) -> bool {
        self.file().has("localerror")
    }
}

/// The lines before those that a transport has for a warning (`quota_warn_message`): none
/// that stands there, be it in its body.
pub(super) fn warning_header(attempt: &mut Attempt<'_>, text: &[u8]) -> Vec<u8> {
    let mut letter = Letter::new(attempt);
    if !has_line(text, b"reply-to") {
        letter.reply_to();
    }
    letter.put(&[b"Auto-Submitted: auto-replied\n"]);
    if !has_line(text, b"from") {
        letter.from();
    }
    letter.text
}

/// Whether a line begins with a name and a colon.
fn has_line(text: &[u8], name: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let (head, tail) = line.split_at(name.len().min(line.len()));
        head.eq_ignore_ascii_case(name) && tail.trim_ascii_start().starts_with(b":")
    })
}

/// The kind of a part that programs read.
const STATUS: &[u8] = b"message/delivery-status";

/// A report that is written.
struct Letter<'r, 'd> {
    attempt: &'r mut Attempt<'d>,
    boundary: Vec<u8>,
    text: Vec<u8>,
}

impl<'r, 'd> Letter<'r, 'd> {
    fn new(attempt: &'r mut Attempt<'d>) -> Self {
        let now = attempt.now();
        let random = attempt.cx.engine().world().random.below(1 << 31);
        let boundary = format!("{now}-eximdsn-{random}").into_bytes();
        Self { attempt, boundary, text: Vec::new() }
    }

    fn put(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.text.extend_from_slice(part));
    }

    /// Begins a part.
    fn part(&mut self, kind: &[u8]) {
        let boundary = self.boundary.clone();
        self.put(&[b"--", &boundary, b"\nContent-type: ", kind, b"\n\n"]);
    }

    /// The letter as a whole.
    fn end(mut self) -> Vec<u8> {
        let boundary = std::mem::take(&mut self.boundary);
        self.put(&[b"\n--", &boundary, b"--\n"]);
        self.text
    }

    /// `From:`
    fn from(&mut self) {
        let from = options::dsn_from(&mut self.attempt.cx);
        self.put(&[b"From: ", from.bytes(), b"\n"]);
    }

    /// `Reply-To:`, where that is set.
    fn reply_to(&mut self) {
        let reply_to = self.attempt.cx.engine().settings().get(opt::ERRORS_REPLY_TO);
        if !reply_to.is_empty() {
            self.put(&[b"Reply-To: ", reply_to.bytes(), b"\n"]);
        }
    }

    /// `References:`, where the message has a name.
    fn references(&mut self) {
        let settings = self.attempt.cx.engine().settings();
        if let Some(references) = References::to(&self.attempt.message, settings) {
            self.put(&[&references.line]);
        }
    }

    /// That it is a report.
    fn kind(&mut self) {
        let boundary = self.boundary.clone();
        self.put(&[
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=",
            &boundary,
            b"\nMIME-Version: 1.0\n",
        ]);
    }

    /// What a program reads of the message as a whole, as a part of this kind.
    fn status(&mut self, kind: &[u8]) {
        self.part(kind);
        // The name that was this host's when the message came.
        let active = self.attempt.text_of(var::SMTP_ACTIVE_HOSTNAME);
        let own = self.attempt.text_of(var::PRIMARY_HOSTNAME);
        let host = if active.is_empty() { own } else { active };
        self.put(&[b"Reporting-MTA: dns; ", &host, b"\n"]);
        if let Some(id) = self.attempt.file().text("dsn_envid").map(<[u8]>::to_vec) {
            match xtext(&id) {
                Some(_) => self.put(&[b"Original-Envelope-ID: ", &id, b"\n"]),
                None => self.put(&[UNREAD_ENVID]),
            }
        }
        self.put(&[b"\n"]);
    }

    /// `Original-Recipient:`, where the sender gave one.
    fn original_recipient(&mut self, node: NodeId) {
        let asked = self.attempt.asked_of(node).map(|asked| asked.original.clone());
        if let Some(original) = asked.filter(|original| !original.is_empty()) {
            self.put(&[b"Original-Recipient: ", &original, b"\n"]);
        }
    }

    /// What a program reads of an address that has not got the message.
    fn recipient(&mut self, one: &Undone, action: &[u8], status: &[u8]) {
        let original = self.attempt.tracking.original(one.node).to_vec();
        self.original_recipient(one.node);
        self.put(&[b"Action: ", action, b"\nFinal-Recipient: rfc822;", &original]);
        self.put(&[b"\nStatus: ", status, b"\n"]);
        self.diagnosis(one);
        if action == b"failed" && self.attempt.cx.engine().settings().get(opt::BOUNCE_HOST_DETAILS)
        {
            self.host_details(one);
        }
        self.put(&[b"\n"]);
    }

    /// More of the host that an address was refused by.
    fn host_details(&mut self, one: &Undone) {
        let Some(host) = &one.why.host else { return };
        let mut address = format!("[{}]", host.address);
        if host.port != SMTP_PORT {
            address += &format!(":{}", host.port);
        }
        self.put(&[b"Remote-MTA: X-ip; ", address.as_bytes(), b"\n"]);
        let words = one.why.first_words.clone().unwrap_or_default();
        for (name, text) in [
            ("X-Remote-MTA-smtp-greeting", &words.greeting),
            ("X-Remote-MTA-helo-response", &words.hello),
            ("X-Exim-Diagnostic", &one.why.message),
        ] {
            if !text.is_empty() {
                let text = self.attempt.printed(text);
                let text = &text[..text.len().min(LONGEST_DETAIL)];
                self.put(&[name.as_bytes(), b": X-str; ", text, b"\n"]);
            }
        }
    }

    /// Where an address that did not get the message was, and what it heard there.
    fn diagnosis(&mut self, one: &Undone) {
        let Some(host) = &one.why.host else { return };
        self.put(&[b"Remote-MTA: dns; ", &host.name, b"\n"]);
        if let Some(at) = memchr::memmem::find(&one.why.message, b": ") {
            let reply = unfolded(&one.why.message[at + 2..]);
            let reply: Vec<&[u8]> = reply.split(|byte| *byte == b'\n').collect();
            let mut line = [b"Diagnostic-Code: smtp; ", &reply.join(&b"\n "[..])[..]].concat();
            if line.len() > LONGEST_DIAGNOSIS {
                line.truncate(LONGEST_DIAGNOSIS);
                line.extend_from_slice(TRUNCATED);
            }
            self.put(&[&line, b"\n"]);
        }
    }

    /// The header of the message that it is about.
    fn returned_header(&mut self) {
        let sender = self.attempt.file().sender.clone();
        self.put(&[b"Return-path: <", &sender, b">\n"]);
        let headers = self.attempt.message.headers.iter();
        let lines = headers.flat_map(|header| header.line.split_inclusive(|byte| *byte == b'\n'));
        lines.for_each(|line| put_shortened(&mut self.text, line));
    }

    /// An address, and whom it came of.
    fn named(&mut self, one: &Undone) {
        let lines = self.name_lines(one);
        self.put(&[b"  ", &lines.join(&b"\n    "[..]), b"\n"]);
    }

    /// An address, and below it what it came of.
    fn name_lines(&self, one: &Undone) -> Vec<Vec<u8>> {
        let original = self.attempt.tracking.original(one.node).to_vec();
        let mut lines = vec![self.shown(one)];
        if one.is_direct {
            let generator = self.generator(one);
            lines.push([b"generated by ", &self.attempt.printed(&generator)[..]].concat());
            if generator != original {
                let original = self.attempt.printed(&original);
                lines.push([b"(ultimately generated from ", &original[..], b")"].concat());
            }
        } else if !original.eq_ignore_ascii_case(one.address.text.bytes()) {
            let original = self.attempt.printed(&original);
            lines.push([b"(", origin(one), &original, b")"].concat());
        }
        lines
    }

    /// Why an address waits: what was said for the sender, or what a host replied, and nothing
    /// of what is wrong here.
    fn delay_reason(&mut self, one: &Undone) {
        let why = &one.why;
        let heard = why.host.is_some() && is_of_reply(why.number);
        self.reason(one, b"Delay reason: ", if heard { &why.message } else { b"" });
    }

    /// Why an address has not got the message; `head` stands before what was heard, and
    /// `message` is as much of it as the sender may read.
    fn reason(&mut self, one: &Undone, head: &[u8], message: &[u8]) {
        let why = &one.why;
        if one.untold && why.said.is_none() {
            return;
        }
        if let Some(said) = &why.said {
            if said.is_empty() {
                self.host_of(one);
            }
            // What a router has to say may be nothing, but it has said it.
            if !said.is_empty() || why.message.is_empty() {
                self.indented(&broken(&[head, &self.legible(said)].concat()));
            }
            return;
        }
        self.host_of(one);
        if message.is_empty() {
            return;
        }
        let message = match why.host {
            Some(_) => self.legible(&unfolded(message)),
            None => self.legible(message),
        };
        self.indented(&broken(&[head, &message].concat()));
    }

    /// What somebody said, with escapes for what does not print, line by line.
    fn legible(&self, text: &[u8]) -> Vec<u8> {
        let lines = text.split(|byte| *byte == b'\n');
        lines.map(|line| self.attempt.printed(line)).collect::<Vec<_>>().join(&b'\n')
    }

    /// An address, `pipe to |command`, and the like.
    fn shown(&self, one: &Undone) -> Vec<u8> {
        let text = one.address.text.bytes();
        let printed = self.attempt.printed(text);
        match text.first() {
            _ if !one.is_direct => printed,
            Some(b'|') => [b"pipe to ", &printed[..]].concat(),
            Some(b'>') => [b"mail to ", &printed[1..]].concat(),
            // A Sieve filter names a folder.
            _ => [b"save to ", &printed[..]].concat(),
        }
    }

    /// The host that had something to say of an address.
    fn host_of(&mut self, one: &Undone) {
        if let Some(host) = &one.why.host {
            let address = format!(" [{}]", host.address);
            self.indented(&[b"host ", &host.name[..], address.as_bytes()].concat());
        }
    }

    /// Whether it is not to be named (`hide_child_in_errmsg`), and then what is said of it.
    fn is_undisclosed(&mut self, one: &Undone) -> bool {
        if !one.address.attached.hidden {
            return false;
        }
        let original = self.attempt.tracking.original(one.node).to_vec();
        let original = self.attempt.printed(&original);
        let lines = [b"  an undisclosed address\n    (", origin(one), &original, b")\n"];
        self.put(&lines);
        self.host_of(one);
        true
    }

    /// Begins the part that people read (`bounce_charset`).
    fn text_part(&mut self) {
        const USUAL: &[u8] = b"us-ascii";
        let option = opt::BOUNCE_CHARSET;
        let engine = self.attempt.cx.engine().clone();
        let text = engine.settings().get(option);
        let cx = &mut self.attempt.cx;
        let set = match cx.on_behalf_of(option.name(), |cx| engine.expand_once(text.bytes(), cx)) {
            Ok(set) => set.bytes().to_vec(),
            Err(fail) => {
                let head = b"failed to expand bounce_charset: ".as_slice();
                cx.log().panic(&[head, fail.message()].concat());
                USUAL.to_vec()
            }
        };
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+".contains(byte);
        let is_name = !set.is_empty() && set.iter().all(is_plain);
        let set = if is_name { &set[..] } else { USUAL };
        self.part(&[b"text/plain; charset=", set].concat());
    }

    /// A text, each line of which is indented.
    fn indented(&mut self, some: &[u8]) {
        some.split(|byte| *byte == b'\n').for_each(|line| self.put(&[b"    ", line, b"\n"]));
    }
}

/// Adds a line, which ends where it is too long.
fn put_shortened(text: &mut Vec<u8>, line: &[u8]) {
    let own = line.strip_suffix(b"\n").unwrap_or(line);
    text.extend_from_slice(&own[..own.len().min(LONGEST_RETURNED)]);
    text.extend_from_slice(&line[own.len()..]);
}

/// A text with its lines broken behind a colon, where they are long enough. It ends where one is
/// too long; the space behind such a colon counts for the next one.
fn broken(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut count, mut rest) = (0, text.iter().peekable());
    while let Some(byte) = rest.next() {
        out.push(*byte);
        count = if *byte == b'\n' { 0 } else { count + 1 };
        if *byte == b':' && count > LINE && rest.next_if_eq(&&b' ').is_some() {
            out.push(b'\n');
            count = 1;
        }
        if count > LONGEST_LINE {
            out.extend_from_slice(TRUNCATED);
            break;
        }
    }
    out
}

/// How an address came of one of the message's recipients.
fn origin(one: &Undone) -> &'static [u8] {
    let parent = one.address.parent.as_ref();
    match parent.is_some_and(|parent| parent.parent.is_some()) {
        true => b"ultimately generated from ",
        false => b"generated from ",
    }
}

/// Whether an error's number stands for what a host replied: at first, to RCPT, to MAIL, or to
/// the message.
pub(super) fn is_of_reply(number: i32) -> bool {
    matches!(number, 0 | -46..=-44)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_keeps_its_end() {
        let shortened = |length: usize| {
            let mut text = Vec::new();
            put_shortened(&mut text, &[&vec![b'x'; length][..], b"\n"].concat());
            (text.len(), text.ends_with(b"x\n"))
        };
        assert_eq!(shortened(LONGEST_RETURNED), (LONGEST_RETURNED + 1, true));
        assert_eq!(shortened(LONGEST_RETURNED + 1), (LONGEST_RETURNED + 1, true));
    }
}
