//! What happens to a message on arrival (specification, chapter 48): header lines
//! that only the last host may add go, those that every message has are put there,
//! the sender of a local message is checked, addresses get domains and are
//! rewritten.
//!
//! It is the same for all messages, whether they come by SMTP or from a program; how
//! they came ([`Origin`]) says what of it is done.

mod addresses;
mod dots;
mod envelope;
pub(crate) mod frozen;
mod gathered;
mod headers;
mod line_ends;
mod lines;
mod log;
pub(crate) mod message_id;
mod parse;
mod received;
mod recipients;
mod rejected;
mod sender;
mod stored_body;
mod told;

use std::collections::BTreeMap;

use eximious::acl::Control;
use eximious::rewrite::Rewriter;
use eximious::stdlib::address::Rules;
use eximious::stdlib::number::decimal;
use eximious::{Context, FailClass, Message, Opt, Str, opt, var};

use crate::smtp::Replaced;
use lines::Lines;
use sender::Author;

pub(crate) use dots::{Dots, Dotted, whole_lines};
pub use envelope::{
    RewrittenRecipients, may_be_sender, own_address, qualified_sender, read_typed_sender,
    rewrite_recipients, rewrite_sender, sender_in_line, typed_sender,
};
pub use gathered::GatheredMessage;
pub(crate) use gathered::ReadMessage;
pub(crate) use headers::longest_header;
pub use headers::{TooLong, apply_headers, put_first, too_long};
pub(crate) use line_ends::{LineEnds, Newlines};
pub use log::{Kept, authenticated, in_own_log, logged};
pub use message_id::message_id;
pub(crate) use parse::{BodyBegun, Coming, body_begun, end_of_header, parse_coming};
pub use parse::{Parsed, Way, parse, size};
pub use received::received_header;
pub use recipients::{HeaderRecipients, InvalidAddress};
pub(crate) use rejected::rejected;
pub(crate) use stored_body::StoredBody;
pub use told::RewrittenPlaces;

/// How a message came, as far as its header hangs on that.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Whether it came from a user of this system, and not from a host.
    pub local: bool,
    /// Whether it came from a host whose connection such a user handed on.
    pub handed_on: bool,
    /// Whether it came by SMTP.
    pub smtp: bool,
    /// The login name of the user who runs the program.
    pub login: Vec<u8>,
    /// The name that stands before an address that is made of it; none where the
    /// sender may be somebody else.
    pub name: Vec<u8>,
    /// Whether that user may say who sent a message.
    pub trusted: bool,
    /// Whether it is said to be a report of an error (`-E`): it is that user's own, where it
    /// answers nobody.
    pub is_error: bool,
    /// Whether addresses of senders in the header get domains.
    pub qualifies_senders: bool,
    /// Whether addresses of recipients in the header get domains.
    pub qualifies_recipients: bool,
    /// Whether the header says who gets the message (`-t`).
    pub names_recipients: bool,
    /// Whether nothing is put into the header that is missing there (`-G`).
    pub leaves_header: bool,
    /// Whether the rules for rewriting are applied to the sender, too.
    pub rewrites_sender: bool,
    /// The sender as it was said, where it was rewritten before.
    pub said_sender: Option<Str>,
}

/// `control = submission`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Submission {
    /// Whether the Sender line stays as it is, and the sender too.
    pub retains_sender: bool,
    /// The domain of an address that is made; an empty one where that is made
    /// of nothing but the name that was proved.
    pub domain: Option<Vec<u8>>,
    /// The name that stands before it, where one is given.
    pub name: Option<Vec<u8>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct FixedMessage {
    /// The message.
    pub message: Message,
    /// The header lines that were taken out of it, or replaced.
    pub replaced: Vec<Replaced>,
    /// Where lines stand that keep what was rewritten.
    pub places: RewrittenPlaces,
    /// The sender as it was before each change that rules made.
    pub old_senders: Vec<Str>,
    /// The sender in whose place submission mode has put another.
    pub given_sender: Option<Str>,
    /// What is wrong with the configuration: for the log of such things, too.
    pub panics: Vec<Vec<u8>>,
    /// What is logged of its header.
    pub logged: LoggedHeader,
}

/// What logs tell of a header when a message comes in, whatever ACLs make of that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoggedHeader {
    /// How the message is identified.
    pub identity: Identification,
    /// Whether it came with a subject.
    pub has_subject: bool,
}

/// What a line Message-ID has, as logs tell that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Identification {
    /// Nothing is told.
    #[default]
    Untold,
    /// What it came with, as it stood there.
    Given(Vec<u8>),
    /// What was made for it.
    Made(Vec<u8>),
}

impl Submission {
    /// As a control's options have it.
    pub fn of(options: &[u8]) -> Self {
        let mut submission = Self::default();
        let mut rest = options;
        while !rest.is_empty() {
            if let Some(name) = rest.strip_prefix(b"name=") {
                // The name is all that is left, slashes included.
                submission.name = Some(name.to_vec());
                break;
            }
            let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
            let word = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            if word == b"sender_retain" {
                submission.retains_sender = true;
            } else if let Some(domain) = word.strip_prefix(b"domain=") {
                submission.domain = Some(domain.to_vec());
            }
        }
        submission
    }
}

/// A message that becomes what it has to be: its envelope is not rewritten yet, nor are the
/// addresses in its header.
pub struct FixingMessage<'o> {
    message: Message,
    lines: Lines,
    origin: &'o Origin,
    submission: Option<Submission>,
    /// What names of lines begin with that a message has which was sent again.
    prefix: &'static str,
    /// Whether what is missing is added.
    completes: bool,
    /// Whether it is checked who wrote it.
    checks: bool,
    panics: Vec<Vec<u8>>,
    named: HeaderRecipients,
    /// How many recipients it has.
    recipients: usize,
    logged: LoggedHeader,
}

/// Begins to make a message what it has to be.
pub fn fix<'o>(
    cx: &mut Context,
    origin: &'o Origin,
    controls: &BTreeMap<&'static str, Control>,
    mut message: Message,
) -> FixingMessage<'o> {
    let mut lines = Lines::new(std::mem::take(&mut message.headers));
    for (option, name) in [
        (opt::RETURN_PATH_REMOVE, "return-path"),
        (opt::DELIVERY_DATE_REMOVE, "delivery-date"),
        (opt::ENVELOPE_TO_REMOVE, "envelope-to"),
    ] {
        if cx.engine().settings().get(option) {
            lines.strike(name);
        }
    }
    let resent = lines.standing().any(|line| {
        let name = line.name();
        name.len() > 7 && name[..7].eq_ignore_ascii_case(b"resent-")
    });
    let prefix = if resent { "Resent-" } else { "" };
    let given_id = format!("{prefix}message-id");
    let given_id = lines.standing().find(|line| line.is(&given_id));
    let given_id = given_id.map(|line| line.header.value().trim_ascii().to_vec());
    let has_subject = lines.standing().any(|line| line.is("subject"));
    let mut identity = given_id.map_or(Identification::Untold, Identification::Given);
    let submission = controls.get("submission").map(|set| Submission::of(set.options.bytes()));
    let fixes = !controls.contains_key("suppress_local_fixups");
    let completes = (origin.local && fixes || submission.is_some()) && !origin.leaves_header;
    let author = Author { origin, submission: submission.as_ref(), prefix };
    if origin.local && !origin.smtp {
        author.complete_login(cx, &mut lines);
    }
    let checks = match origin.local {
        true => completes && !origin.trusted,
        false => completes || origin.handed_on && fixes && !origin.trusted,
    };
    let retains = submission.as_ref().is_some_and(|submission| submission.retains_sender)
        || cx.engine().settings().get(opt::LOCAL_SENDER_RETAIN);
    if checks && !retains {
        lines.strike(&format!("{prefix}sender"));
    }
    let named = match origin.names_recipients {
        true => {
            let rules = Rules { utf8_domains: true, ..Rules::of(cx.engine().settings()) };
            recipients::take(&mut lines, resent, rules)
        }
        false => HeaderRecipients::default(),
    };
    if named.addresses.iter().any(|address| !address.is_ascii()) {
        cx.set_var(var::MESSAGE_SMTPUTF8, Str::fixed("yes"));
    }
    let mut panics = Vec::new();
    if completes && identity == Identification::Untold {
        message.headers = shown(&lines);
        let (text, back) = identification(cx, message, &mut panics);
        message = back;
        match resent {
            true => lines.push_front("Resent-Message-Id", &text),
            false => {
                lines.push("Message-Id", &text);
                identity = Identification::Made(text);
            }
        }
    }
    // For recipients that rules rewrote.
    lines.mark();
    let logged = LoggedHeader { identity, has_subject };
    FixingMessage {
        message,
        lines,
        origin,
        submission,
        prefix,
        completes,
        checks,
        panics,
        named,
        recipients: 0,
        logged,
    }
}

impl FixingMessage<'_> {
    /// Who gets it, where the header says so.
    pub fn take_named(&mut self) -> HeaderRecipients {
        std::mem::take(&mut self.named)
    }

    /// Says how many recipients it has.
    pub fn expect(&mut self, recipients: usize) {
        self.recipients = recipients;
    }

    /// Does something while its header can be seen, where rules for rewriting may look.
    pub fn seen<T>(
        &mut self,
        cx: &mut Context,
        rewriter: &Rewriter<'_>,
        work: impl FnOnce(&mut Context) -> T,
    ) -> T {
        if rewriter.flags().is_empty() {
            return work(cx);
        }
        self.message.headers = shown(&self.lines);
        while_seen(cx, &mut self.message, self.recipients, work)
    }

    /// Makes the message what it has to be, once its recipients are what they will be. The
    /// sender is that of `$sender_address`, which may be another one then. What is wrong
    /// with addresses is told, to be logged.
    pub fn finish(
        mut self,
        cx: &mut Context,
        rewriter: &Rewriter<'_>,
        tell: &dyn Fn(&[u8]),
    ) -> FixedMessage {
        let (origin, prefix) = (self.origin, self.prefix);
        let (mut own_sender, mut old_senders, mut given_sender) = (None, Vec::new(), None);
        let author = Author { origin, submission: self.submission.as_ref(), prefix };
        if self.completes {
            author.add_from(cx, &mut self.lines);
        }
        let compares = cx.engine().settings().get(opt::LOCAL_FROM_CHECK)
            && self.submission.as_ref().is_none_or(|submission| !submission.retains_sender);
        if self.checks && compares {
            own_sender = author.check(cx, &mut self.lines);
        }
        match own_sender {
            Some(sender) => given_sender = Some(author.replace_sender(cx, sender)),
            None if origin.rewrites_sender => {
                match self.seen(cx, rewriter, |cx| envelope::rewrite_sender(cx, rewriter)) {
                    Ok(old) => old_senders = old,
                    Err(fail) => tell(fail.message()),
                }
            }
            None => {}
        }
        // For the sender.
        self.lines.mark();
        let mut lines = std::mem::take(&mut self.lines);
        match rewriter.flags().is_empty() {
            true => addresses::complete(cx, rewriter, origin, &mut lines, tell),
            false => {
                self.message.headers = shown(&lines);
                while_seen(cx, &mut self.message, self.recipients, |cx| {
                    addresses::complete(cx, rewriter, origin, &mut lines, tell);
                });
            }
        }
        if self.completes && !lines.has(&format!("{prefix}date")) {
            let date = cx.value_of(var::TOD_FULL);
            match prefix.is_empty() {
                true => lines.push("Date", date.bytes()),
                false => lines.push_front("Resent-Date", date.bytes()),
            }
        }
        let (headers, mut replaced) = lines.split();
        let places = RewrittenPlaces::take(&mut replaced);
        let Self { mut message, panics, logged, .. } = self;
        message.headers = headers;
        FixedMessage { message, replaced, places, old_senders, given_sender, panics, logged }
    }
}

/// Does something while a message can be seen, and how many get it, but not who: that is no
/// business of the others.
fn while_seen<T>(
    cx: &mut Context,
    message: &mut Message,
    recipients: usize,
    work: impl FnOnce(&mut Context) -> T,
) -> T {
    cx.set_message(Some(std::mem::take(message)));
    cx.set_var(var::RECIPIENTS_COUNT, decimal(recipients));
    let done = work(cx);
    *message = cx.take_message().unwrap_or_default();
    done
}

/// The header lines as they are by now, for who looks at them.
fn shown(lines: &Lines) -> Vec<eximious::Header> {
    lines.standing().map(|line| line.header.clone()).collect()
}

/// Forgets what expressions have matched in a message (`regex`).
pub(crate) fn forget_matches(cx: &mut Context) {
    let groups = [var::REGEX1, var::REGEX2, var::REGEX3, var::REGEX4, var::REGEX5, var::REGEX6];
    let more = [var::REGEX7, var::REGEX8, var::REGEX9, var::REGEX_MATCH_STRING];
    groups.into_iter().chain(more).for_each(|var| cx.unset_var(var));
}

/// What stands in a Message-Id line: `<Eid@host>`, with what options add.
fn identification(
    cx: &mut Context,
    message: Message,
    panics: &mut Vec<Vec<u8>>,
) -> (Vec<u8>, Message) {
    let id = message.id.clone();
    cx.set_message(Some(message));
    let mut text = [b"<E", id.bytes()].concat();
    if let Some(more) = option_text(cx, opt::MESSAGE_ID_HEADER_TEXT, panics) {
        text.push(b'.');
        text.extend(more.iter().map(|c| if is_atom(*c) { *c } else { b'-' }));
    }
    text.push(b'@');
    match option_text(cx, opt::MESSAGE_ID_HEADER_DOMAIN, panics) {
        Some(domain) => {
            let plain = |c: &u8| if is_domain(*c) { *c } else { b'-' };
            text.extend(domain.iter().map(plain));
        }
        None => text.extend_from_slice(cx.value_of(var::PRIMARY_HOSTNAME).bytes()),
    }
    text.push(b'>');
    (text, cx.take_message().unwrap_or_default())
}

/// What an option is expanded to, if that is something.
fn option_text(cx: &mut Context, option: Opt<Str>, panics: &mut Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let text = cx.engine().settings().text(option)?;
    let engine = cx.engine().clone();
    match engine.expand_option(option, cx) {
        Ok(value) => Some(value.bytes().to_vec()).filter(|value| !value.is_empty()),
        Err(fail) if fail.class() == FailClass::Forced => None,
        Err(fail) => {
            let head =
                [b"expansion of \"", text.bytes(), b"\" (", option.name().as_bytes()].concat();
            panics.push([&head, b") failed: ".as_slice(), fail.message()].concat());
            None
        }
    }
}

/// What an atom of an address is made of (RFC 5322).
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}
