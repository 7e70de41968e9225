//! Reports of what could not be delivered.

use std::sync::Arc;

use eximious::report_copies::copies_for;
use eximious::returned::Oversize;
use eximious::{Str, opt, var};

use super::texts::Texts;
use super::{Letter, STATUS, origin};
use crate::delivery::attempt::{Attempt, Undone};
use crate::delivery::log::Subject;
use crate::spool::RecipientDsn;

/// How many recipients one header line of a report names (specification 49.2).
const MOST_NAMED: usize = 50;

/// What came of telling somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::delivery) enum Told {
    /// A report is in the spool, by this name.
    Sent(Vec<u8>),
    /// Nobody wants to know.
    NotNeeded,
    /// There is nobody to tell: the message is a report itself.
    Nobody,
    /// The report could not be put into the spool: with which status that ended.
    Unsent(u8),
}

/// The failures, by who is told of them; in the order of the first of each.
pub(in crate::delivery) fn by_sender(
    attempt: &Attempt<'_>,
    failed: Vec<Undone>,
) -> Vec<(Str, Vec<Undone>)> {
    let mut all: Vec<(Str, Vec<Undone>)> = Vec::new();
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
pub(in crate::delivery) fn send(attempt: &mut Attempt<'_>, to: &Str, failed: &[Undone]) -> Told {
    let mut told = Vec::new();
    let counts = |one: &&Undone| !one.address.attached.ignore_errors;
    if to.is_empty() {
        // What was asked counts where there is somebody to tell.
        return match failed.iter().any(|one| counts(&one)) {
            true => Told::Nobody,
            false => Told::NotNeeded,
        };
    }
    for one in failed.iter().filter(counts) {
        if attempt.wants(one.node, RecipientDsn::FAILURE) {
            told.push(one);
            continue;
        }
        let subject = Subject::undelivered(&one.address, None, one.is_direct);
        let address = attempt.named_with_parent(&subject);
        let why = b": error ignored: RFC 3461 DSN, failure notify not requested".as_slice();
        attempt.log(&[&address[..], why].concat());
    }
    if told.is_empty() {
        return Told::NotNeeded;
    }
    let copies = copies_for(&mut attempt.cx, to).unwrap_or_else(|fail| {
        attempt.cx.log().panic(fail.message());
        Str::EMPTY
    });
    attempt.cx.set_var(var::BOUNCE_RECIPIENT, to.clone());
    let texts = Texts::read(&mut attempt.cx, opt::BOUNCE_MESSAGE_FILE, "error");
    let international = attempt.file().has("smtputf8");
    let mut letter = Letter::new(attempt);
    letter.bounce_header(&told, to, &copies, &texts);
    letter.text_part();
    letter.bounce_notice(&told, to, &texts);
    letter.status(if international { b"message/global-delivery-status" } else { STATUS });
    letter.failures(&told);
    // Exim has no place for it, either, but finds what is wrong with it.
    let _ = texts.item(&mut letter.attempt.cx, 3, "copy");
    letter.returned(international);
    let text = letter.end();
    attempt.cx.set_var(var::BOUNCE_RECIPIENT, Str::EMPTY);
    attempt.hand_in_report(text).map_or_else(Told::Unsent, Told::Sent)
}

impl Letter<'_, '_> {
    fn bounce_header(&mut self, failed: &[&Undone], to: &Str, copies: &Str, texts: &Texts) {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for one in failed.iter().filter(|one| !one.address.attached.hidden) {
            let name = match one.is_direct {
                true => self.attempt.printed(&self.generator(one)),
                false => self.attempt.printed(one.address.text.bytes()),
            };
            names.push(name);
        }
        for some in names.chunks(MOST_NAMED) {
            self.put(&[b"X-Failed-Recipients: ", &some.join(&b",\n  "[..]), b"\n"]);
        }
        self.reply_to();
        self.put(&[b"Auto-Submitted: auto-replied\n"]);
        self.from();
        self.put(&[b"To: ", to.bytes(), b"\n"]);
        self.references();
        self.kind();
        if !copies.is_empty() {
            self.put(&[b"Bcc: ", copies.bytes(), b"\n"]);
        }
        match texts.item(&mut self.attempt.cx, 0, "header") {
            Some(own) => self.put(&[own.bytes(), b"\n"]),
            None => {
                let other = to.bytes() != self.attempt.file().sender;
                let tail: &[u8] = if other { b"" } else { b": returning message to sender" };
                self.put(&[b"Subject: Mail delivery failed", tail, b"\n\n"]);
            }
        }
    }

    /// What a person reads.
    fn bounce_notice(&mut self, failed: &[&Undone], to: &Str, texts: &Texts) {
        match texts.item(&mut self.attempt.cx, 1, "intro") {
            Some(own) => self.put(&[own.bytes()]),
            None => self.bounce_opening(to),
        }
        self.put(&[b"\n"]);
        for one in failed {
            self.failure(one);
        }
        self.put(&[b"\n"]);
        // Whether it is of use or not, what is wrong with it is found.
        let generated = texts.item(&mut self.attempt.cx, 2, "generated text");
        let outputs = outputs(failed);
        if outputs.is_empty() {
            return;
        }
        match generated {
            Some(own) => self.put(&[own.bytes()]),
            None => {
                let is_one = outputs.iter().flatten().count() == 1;
                let end: &[u8] = if is_one { b":\n" } else { b"s:\n" };
                let head = b"The following text was generated during the delivery attempt";
                self.put(&[head, end]);
            }
        }
        for those in outputs {
            self.put(&[b"\n"]);
            for one in &those {
                let lines = match one.address.attached.hidden {
                    true => {
                        let original =
                            self.attempt.printed(self.attempt.tracking.original(one.node));
                        let origin = [b"(", origin(one), &original, b")"].concat();
                        vec![b"an undisclosed address".to_vec(), origin]
                    }
                    false => self.name_lines(one),
                };
                self.put(&[b"------ ", &lines.join(&b"\n       "[..]), b" ------\n"]);
            }
            self.put(&[b"\n", &those[0].output]);
        }
        self.put(&[b"\n"]);
    }

    fn bounce_opening(&mut self, to: &Str) {
        let own = self.attempt.cx.engine().settings().get(opt::BOUNCE_MESSAGE_TEXT);
        self.put(&[b"This message was created automatically by mail delivery software.\n"]);
        self.put(&[own.bytes(), b"\n"]);
        let sender = self.attempt.file().sender.clone();
        match to.bytes() == sender {
            true => self
                .put(&[b"A message that you sent could not be delivered to one or more of its\n\
                  recipients. This is a permanent error. The following address(es) failed:\n"]),
            false => self.put(&[
                b"A message sent by\n\n  <",
                &self.attempt.printed(&sender),
                b">\n\ncould not be delivered to one or more of its recipients. The following\n\
                  address(es) failed:\n",
            ]),
        }
    }

    /// The address that a file or a command came of.
    pub(super) fn generator(&self, one: &Undone) -> Vec<u8> {
        match &one.address.parent {
            Some(parent) => parent.text.bytes().to_vec(),
            None => self.attempt.tracking.original(one.node).to_vec(),
        }
    }

    /// An address, and why it failed.
    fn failure(&mut self, one: &Undone) {
        if self.is_undisclosed(one) {
            return;
        }
        self.named(one);
        self.reason(one, b"", &one.why.message);
    }

    /// What a program reads of each address.
    fn failures(&mut self, failed: &[&Undone]) {
        for one in settled(failed.iter().copied()) {
            self.recipient(one, b"failed", b"5.0.0");
        }
    }

    /// The message that it is about, or its header; an international one is of a kind of its
    /// own (RFC 6533).
    fn returned(&mut self, international: bool) {
        let settings = self.attempt.cx.engine().settings();
        let longest = settings.get(opt::BOUNCE_RETURN_LINESIZE_LIMIT);
        let wants = settings.get(opt::BOUNCE_RETURN_BODY);
        let returned = settings.get(opt::BOUNCE_RETURN_MESSAGE);
        let asked = self.attempt.file().number("dsn_ret");
        let lines = self.attempt.file().number("max_received_linelength").unwrap_or(0);
        let message = &self.attempt.message;
        let wanted = returned && wants && asked != Some(2);
        let is_too_large = wanted && (Oversize::of(message, settings).is_some() || lines > longest);
        let whole = wanted && !is_too_large;
        // Who asked for all of it is told that it is not there.
        let is_kept_back = is_too_large || (returned && !wants && asked == Some(1));
        let kind: &[u8] = match (whole, international) {
            (true, true) => b"message/global",
            (true, false) => b"message/rfc822",
            (false, true) => b"message/global-headers",
            (false, false) => b"text/rfc822-headers",
        };
        self.part(kind);
        if !returned {
            return;
        }
        self.returned_header();
        if is_kept_back {
            self.put(&[
                b"X-Exim-DSN-Information: Due to administrative limits only headers are returned\n",
            ]);
        }
        self.put(&[b"\n"]);
        if whole {
            let message = &self.attempt.message;
            self.text.extend_from_slice(&message.stray);
            // What can't be read can't be shown.
            let body = message.body.whole(u64::MAX);
            self.text.extend_from_slice(&body.unwrap_or_default());
        }
    }
}

/// Those that a report tells of in the order in which they are done with: those of whom a
/// command wrote something before the others, and who was told of last first.
pub(in crate::delivery) fn settled<'u>(
    failed: impl IntoIterator<Item = &'u Undone>,
) -> Vec<&'u Undone> {
    let failed: Vec<&Undone> = failed.into_iter().collect();
    let mut all: Vec<&Undone> = outputs(&failed).into_iter().rev().flatten().collect();
    all.extend(failed.into_iter().rev().filter(|one| one.output.is_empty()));
    all
}

/// Those of whom a command wrote something, by what it wrote: those of one delivery together.
fn outputs<'u>(failed: &[&'u Undone]) -> Vec<Vec<&'u Undone>> {
    let mut all: Vec<Vec<&Undone>> = Vec::new();
    for one in failed.iter().filter(|one| !one.output.is_empty()) {
        match all.iter_mut().find(|those| Arc::ptr_eq(&those[0].output, &one.output)) {
            Some(those) => those.push(one),
            None => all.push(vec![one]),
        }
    }
    all
}
