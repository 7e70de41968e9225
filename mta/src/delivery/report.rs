//! Reports to senders: what could not be delivered (RFC 3464; specification, chapter 50).

use eximious::acl::OwnMessage;
use eximious::stdlib::printing::printing;
use eximious::{Str, opt, var};

use super::attempt::{Attempt, Failed};
use crate::options;
use crate::spool::unfolded;
use crate::submission::own::hand_in;

/// What came of telling somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// A report is in the spool, by this name.
    Sent(Vec<u8>),
    /// Nobody wants to know.
    NotNeeded,
    /// There is nobody to tell: the message is a report itself.
    Nobody,
    /// The report could not be sent now.
    Unsent,
}

/// The failures, by who is told of them; in the order of the first of each.
pub(super) fn by_sender(attempt: &Attempt<'_>, failed: Vec<Failed>) -> Vec<(Str, Vec<Failed>)> {
    let mut all: Vec<(Str, Vec<Failed>)> = Vec::new();
    for one in failed {
        let to = attempt.errors_to(&one.address);
        match all.iter_mut().find(|(other, _)| other.bytes() == to.bytes()) {
            Some((_, failed)) => failed.push(one),
            None => all.push((to, vec![one])),
        }
    }
    all
}

/// Tells somebody of failures.
pub(super) fn send(attempt: &mut Attempt<'_>, to: &Str, failed: &[Failed]) -> Told {
    let asked = |one: &&Failed| !one.address.attached.ignore_errors && attempt.wants_failure(one);
    let failed: Vec<&Failed> = failed.iter().filter(asked).collect();
    if failed.is_empty() {
        return Told::NotNeeded;
    }
    if to.is_empty() {
        return Told::Nobody;
    }
    let mut report = Report { attempt, failed, boundary: Vec::new() };
    let own = OwnMessage { sender: Vec::new(), text: report.letter(to) };
    let about = Str::from(&report.attempt.id[..]);
    let server = report.attempt.deliverer.server.clone();
    let (done, name) = hand_in(&server, &mut report.attempt.cx, &own, &about);
    match done.kept {
        true => Told::Sent(name.bytes().to_vec()),
        false => {
            let line = format!("Child mail process returned status {}", done.status);
            report.attempt.log(line.as_bytes());
            Told::Unsent
        }
    }
}

impl Attempt<'_> {
    /// Whether the sender wants to know of a failure (`NOTIFY`, RFC 3461).
    fn wants_failure(&self, failed: &Failed) -> bool {
        use crate::spool::RecipientDsn;
        let recipient = self.dsn.get(self.tracking.original(failed.node));
        let asked = recipient.and_then(|one| one.more.as_ref()?.reports.as_ref());
        asked.is_none_or(|asked| {
            let flags = asked.flags;
            let any = RecipientDsn::NEVER
                | RecipientDsn::SUCCESS
                | RecipientDsn::FAILURE
                | RecipientDsn::DELAY;
            flags & any == 0 || flags & RecipientDsn::FAILURE != 0
        })
    }
}

/// A report that is written.
struct Report<'r, 'd> {
    attempt: &'r mut Attempt<'d>,
    /// The latest first.
    failed: Vec<&'r Failed>,
    boundary: Vec<u8>,
}

impl Report<'_, '_> {
    /// The report as a message.
    fn letter(&mut self, to: &Str) -> Vec<u8> {
        let now = self.attempt.now();
        let random = self.attempt.cx.engine().world().random.below(1 << 31);
        self.boundary = format!("{now}-eximdsn-{random}").into_bytes();
        let mut text = self.header(to);
        self.part(&mut text, b"text/plain; charset=us-ascii");
        self.notice(&mut text, to);
        self.part(&mut text, b"message/delivery-status");
        self.status(&mut text);
        self.original(&mut text);
        text.extend_from_slice(&[b"\n--", &self.boundary[..], b"--\n"].concat());
        text
    }

    fn part(&self, text: &mut Vec<u8>, kind: &[u8]) {
        let parts = [b"--", &self.boundary[..], b"\nContent-type: ", kind, b"\n\n"];
        text.extend_from_slice(&parts.concat());
    }

    fn header(&mut self, to: &Str) -> Vec<u8> {
        let mut text = b"X-Failed-Recipients: ".to_vec();
        let shown = |one: &&Failed| match one.is_direct {
            true => self.attempt.tracking.original(one.node).to_vec(),
            false => one.address.text.bytes().to_vec(),
        };
        let mut names: Vec<Vec<u8>> = Vec::new();
        for name in self.failed.iter().map(shown) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        text.extend_from_slice(&names.join(&b",\n  "[..]));
        text.extend_from_slice(b"\nAuto-Submitted: auto-replied\n");
        let cx = &mut self.attempt.cx;
        let from = options::expanded(cx, opt::DSN_FROM).unwrap_or_default();
        text.extend_from_slice(&[b"From: ", from.bytes(), b"\nTo: ", to.bytes(), b"\n"].concat());
        let settings = cx.engine().settings();
        let reply_to = settings.get(opt::ERRORS_REPLY_TO);
        if !reply_to.is_empty() {
            text.extend_from_slice(&[b"Reply-To: ", reply_to.bytes(), b"\n"].concat());
        }
        let id = self.attempt.message.named(b"message-id").next();
        if let Some(id) = id.map(|id| id.value().trim_ascii()).filter(|id| !id.is_empty()) {
            text.extend_from_slice(&[b"References: ", id, b"\n"].concat());
        }
        let kind = b"Content-Type: multipart/report; report-type=delivery-status; boundary=";
        text.extend_from_slice(
            &[kind.as_slice(), &self.boundary, b"\nMIME-Version: 1.0\n"].concat(),
        );
        let other = to.bytes() != self.attempt.file().sender;
        let tail: &[u8] = if other { b"" } else { b": returning message to sender" };
        text.extend_from_slice(&[b"Subject: Mail delivery failed", tail, b"\n\n"].concat());
        text
    }

    /// What a person reads.
    fn notice(&mut self, text: &mut Vec<u8>, to: &Str) {
        text.extend_from_slice(
            b"This message was created automatically by mail delivery software.\n\n",
        );
        let is_sender = to.bytes() == self.attempt.file().sender;
        if is_sender {
            text.extend_from_slice(
                b"A message that you sent could not be delivered to one or more of its\n\
                  recipients. This is a permanent error. The following address(es) failed:\n",
            );
        } else {
            let sender = self.attempt.file().sender.clone();
            text.extend_from_slice(b"A message sent by\n\n  <");
            text.extend_from_slice(&printing(&sender, false));
            text.extend_from_slice(
                b">\n\ncould not be delivered to one or more of its recipients. The following\n\
                  address(es) failed:\n",
            );
        }
        text.push(b'\n');
        for one in &self.failed {
            self.failure(text, one);
        }
        text.push(b'\n');
        let outputs = || self.failed.iter().filter(|one| !one.output.is_empty());
        if outputs().next().is_some() {
            text.extend_from_slice(b"The following text was generated during the delivery attempt");
            text.extend_from_slice(if outputs().count() > 1 { b"s:\n" } else { b":\n" });
            for one in outputs() {
                let shown = shown(one);
                text.extend_from_slice(&[b"\n------ ", &shown[..]].concat());
                if one.is_direct {
                    let original = self.attempt.tracking.original(one.node);
                    text.extend_from_slice(&[b"\n       generated by ", original].concat());
                }
                text.extend_from_slice(b" ------\n\n");
                text.extend_from_slice(&one.output);
                if text.last() != Some(&b'\n') {
                    text.push(b'\n');
                }
            }
            text.push(b'\n');
        }
    }

    /// An address, and why it failed.
    fn failure(&self, text: &mut Vec<u8>, one: &Failed) {
        let original = self.attempt.tracking.original(one.node);
        text.extend_from_slice(&[b"  ", &shown(one)[..], b"\n"].concat());
        if one.is_direct {
            text.extend_from_slice(&[b"    generated by ", original, b"\n"].concat());
        } else if original != one.address.text.bytes() {
            let original = printing(original, false);
            text.extend_from_slice(&[b"    (generated from ", &original[..], b")\n"].concat());
        }
        let why = &one.why;
        if one.untold && why.said.is_none() {
            return;
        }
        if let Some(said) = &why.said {
            if !said.is_empty() {
                lines(text, said);
            }
            return;
        }
        if let Some(host) = &why.host {
            let host =
                [b"host ", &host.name[..], format!(" [{}]", host.address).as_bytes()].concat();
            lines(text, &host);
        }
        if why.message.is_empty() {
            return;
        }
        // What a server said stands on lines of its own.
        let message = match memchr::memmem::find(&why.message, b": ") {
            Some(at) if why.host.is_some() => {
                let reply = unfolded(&why.message[at + 2..]);
                [&why.message[..=at], b"\n", &reply[..]].concat()
            }
            _ => why.message.clone(),
        };
        lines(text, &message);
    }

    /// What a program reads.
    fn status(&mut self, text: &mut Vec<u8>) {
        let host = self.attempt.text_of(var::PRIMARY_HOSTNAME);
        text.extend_from_slice(&[b"Reporting-MTA: dns; ", &host[..], b"\n"].concat());
        if let Some(id) = self.attempt.file().text("dsn_envid") {
            text.extend_from_slice(&[b"Original-Envelope-ID: ", id, b"\n"].concat());
        }
        text.push(b'\n');
        let (with, without): (Vec<&&Failed>, Vec<&&Failed>) =
            self.failed.iter().partition(|one| !one.output.is_empty());
        for one in with.into_iter().rev().chain(without.into_iter().rev()) {
            let original = self.attempt.tracking.original(one.node).to_vec();
            text.extend_from_slice(b"Action: failed\n");
            let recipient = self.attempt.dsn.get(&original);
            let asked = recipient.and_then(|one| one.more.as_ref()?.reports.as_ref());
            if let Some(asked) = asked.filter(|asked| !asked.original.is_empty()) {
                let parts = [b"Original-Recipient: ".as_slice(), &asked.original, b"\n"];
                text.extend_from_slice(&parts.concat());
            }
            text.extend_from_slice(&[b"Final-Recipient: rfc822;", &original[..], b"\n"].concat());
            text.extend_from_slice(b"Status: 5.0.0\n");
            if let Some(host) = &one.why.host {
                text.extend_from_slice(&[b"Remote-MTA: dns; ", &host.name[..], b"\n"].concat());
                if let Some(at) = memchr::memmem::find(&one.why.message, b": ") {
                    let reply = unfolded(&one.why.message[at + 2..]);
                    let reply = reply.split(|byte| *byte == b'\n').collect::<Vec<_>>();
                    let reply = reply.join(&b"\n "[..]);
                    let parts = [b"Diagnostic-Code: smtp; ".as_slice(), &reply, b"\n"];
                    text.extend_from_slice(&parts.concat());
                }
            }
            text.push(b'\n');
        }
    }

    /// The message that it is about, or its header.
    fn original(&mut self, text: &mut Vec<u8>) {
        let settings = self.attempt.cx.engine().settings();
        let limit = settings.get(opt::BOUNCE_RETURN_SIZE_LIMIT);
        let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        let wants = settings.get(opt::BOUNCE_RETURN_BODY);
        let returned = settings.get(opt::BOUNCE_RETURN_MESSAGE);
        let asked = self.attempt.file().number("dsn_ret");
        let message = &self.attempt.message;
        let whole = returned && wants && asked != Some(2) && message.body.len() <= limit;
        let kind: &[u8] = if whole { b"message/rfc822" } else { b"text/rfc822-headers" };
        self.part(text, kind);
        if !returned {
            return;
        }
        let sender = self.attempt.file().sender.clone();
        text.extend_from_slice(&[b"Return-path: <", &sender[..], b">\n"].concat());
        let message = &self.attempt.message;
        message.headers.iter().for_each(|header| text.extend_from_slice(&header.line));
        if whole {
            text.push(b'\n');
            text.extend_from_slice(&message.stray);
            // What can't be read can't be shown.
            let body = message.body.whole(limit);
            text.extend_from_slice(&body.unwrap_or_default());
        }
    }
}

/// An address, or `pipe to |command`.
fn shown(failed: &Failed) -> Vec<u8> {
    let text = failed.address.text.bytes();
    let printed = printing(text, false);
    match text.first() {
        Some(b'|') if failed.is_direct => [b"pipe to ", &printed[..]].concat(),
        Some(b'/') if failed.is_direct => [b"save to ", &printed[..]].concat(),
        _ => printed,
    }
}

/// A text, each line of which is indented.
fn lines(text: &mut Vec<u8>, some: &[u8]) {
    for line in some.split(|byte| *byte == b'\n') {
        text.extend_from_slice(&[b"    ", line, b"\n"].concat());
    }
}
