//! What is logged of a message that is kept (specification 53.9).

use eximious::opt;
use eximious::stdlib::address::{self, Rules};
use eximious::stdlib::printing::printing;
use eximious::stdlib::rfc2047;
use eximious::world::{LogLine, LogPart, Moment};
use eximious::{Context, Header, LogSelector, Message, Str, var};

use super::{Identification, LoggedHeader};
use crate::smtp::BodyBytes;

/// How much of a subject is logged.
const LONGEST_SUBJECT: usize = 100;

/// A message that is kept.
#[derive(Debug)]
pub struct Kept<'a> {
    /// It.
    pub message: &'a Message,
    /// Whether the client was told that it is refused.
    pub looks_refused: bool,
    /// Whether each recipient was judged alone.
    pub judged_for_each: bool,
    /// Whether it came in chunks.
    pub chunked: bool,
    /// Which bytes it was announced to have.
    pub body: Option<BodyBytes>,
    /// ` DSN=…`: the reports that were asked for; empty where there are none.
    pub reports: &'a [u8],
    /// When it began to come in.
    pub began: Moment,
    /// Its sender, as that was said.
    pub sender: &'a [u8],
    /// How the client sent its commands, where that is of interest: `L`, `L.-`.
    pub pipelining: &'a [u8],
    /// The named queue that it goes to; empty for the usual one.
    pub queue: &'a [u8],
    /// The message that it is about (`-oMm`).
    pub about: &'a [u8],
    /// What is logged of its header.
    pub header: &'a LoggedHeader,
    /// Who gets it, as that was said.
    pub recipients: &'a [Str],
}

/// A line as it stands in the message's own log.
pub fn in_own_log(line: &LogLine) -> Vec<u8> {
    printing(line.open_text(), true)
}

/// What the main log says of a message that is kept, without its name before it:
/// `<= sender H=… P=… S=…`.
pub fn logged(cx: &mut Context, kept: &Kept<'_>) -> LogLine {
    let sender = kept.message.sender.bytes();
    let sender = if sender.is_empty() { b"<>" } else { sender };
    let mut line = LogLine::of(if kept.looks_refused { "(=" } else { "<=" });
    line.push(LogPart::Words, b" ");
    line.push(LogPart::Address, sender);
    if !kept.about.is_empty() {
        line.field("R", kept.about);
    }
    line.push(LogPart::Words, b" ");
    line.append(&eximious::client::described_in_parts(cx));
    let protocol = cx.value_of(var::RECEIVED_PROTOCOL);
    if !protocol.is_empty() {
        line.field("P", protocol.bytes());
    }
    if !kept.pipelining.is_empty() {
        line.words(kept.pipelining);
    }
    line.words(&crate::logs::judged(cx));
    line.append(&crate::logs::security(cx));
    let wanted = cx.engine().settings().log_selector();
    let by = authenticated(cx);
    if !by.is_empty() {
        line.push(LogPart::Field, &by);
        let claimed = cx.value_of(var::AUTHENTICATED_SENDER);
        if wanted.contains(LogSelector::SMTP_MAILAUTH) && !claimed.is_empty() {
            line.push(LogPart::More, [b":", claimed.bytes()].concat());
        }
    }
    if wanted.contains(LogSelector::PROXY) {
        let proxy = cx.value_of(var::PROXY_LOCAL_ADDRESS);
        if !proxy.is_empty() {
            line.field("PRX", proxy.bytes());
        }
    }
    if kept.judged_for_each {
        line.words(b"PRDR");
    }
    if kept.chunked {
        line.words(b"K");
    }
    let size = kept.message.size + excess_digits(kept.message);
    line.field("S", size.to_string());
    if wanted.contains(LogSelector::DKIM) {
        let domain = cx.signed_by();
        if !domain.is_empty() {
            line.field("DKIM", &domain);
        }
    }
    if cx.has_good_chain() {
        line.words(b"ARC");
    }
    if wanted.contains(LogSelector::EIGHT_BIT_MIME) {
        line.words(match kept.body {
            None => b" M8S=0",
            Some(BodyBytes::Seven) => b" M8S=7",
            Some(BodyBytes::Eight) => b" M8S=8",
        });
    }
    if wanted.contains(LogSelector::DSN) {
        line.words(kept.reports);
    }
    if wanted.contains(LogSelector::RECEIVE_TIME) {
        let took = crate::logs::lasted(cx, kept.began);
        line.field("RT", took);
    }
    if !kept.queue.is_empty() {
        line.field("Q", kept.queue);
    }
    let (mark, id): (&str, Option<&[u8]>) = match &kept.header.identity {
        _ if !wanted.contains(LogSelector::MSG_ID) => ("", None),
        Identification::Given(id) => ("id", Some(id)),
        Identification::Made(id) if wanted.contains(LogSelector::MSG_ID_CREATED) => {
            ("id*", Some(id))
        }
        _ => ("", None),
    };
    let rules = Rules { literals: true, ..Rules::of(cx.engine().settings()) };
    // What is no identification is not named.
    if let Some(id) = id.and_then(|id| address::parse(id, rules).ok()) {
        let bytes_print = cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
        line.field(mark, printing(&id.text, bytes_print));
    }
    let subjects = kept.message.named(b"subject").map(|header| header.value().trim_ascii());
    let subjects = subjects.filter(|subject| !subject.is_empty()).collect::<Vec<_>>();
    if wanted.contains(LogSelector::SUBJECT) && kept.header.has_subject {
        let settings = cx.engine().settings();
        let charset = settings.get(opt::HEADERS_CHARSET);
        let charset = charset.bytes();
        let (length_counts, bytes_print) =
            (settings.get(opt::CHECK_RFC2047_LENGTH), settings.get(opt::PRINT_TOPBITCHARS));
        let subject = subjects.join(&b'\n');
        let decoded = rfc2047::decode(subject.trim_ascii(), Some(charset), length_counts);
        let mut text = Vec::with_capacity(LONGEST_SUBJECT);
        for byte in decoded.text.iter().take(LONGEST_SUBJECT) {
            if matches!(byte, b'"' | b'\\') {
                text.push(b'\\');
            }
            text.push(*byte);
        }
        line.field("T", [b"\"", &printing(&text, bytes_print)[..], b"\""].concat());
    }
    line.close();
    if wanted.contains(LogSelector::RECEIVED_SENDER) {
        line.push(LogPart::Sender, [b" from <", kept.sender, b">"].concat());
    }
    if wanted.contains(LogSelector::RECEIVED_RECIPIENTS) && !kept.recipients.is_empty() {
        line.push(LogPart::Words, b" for");
        for recipient in kept.recipients {
            line.push(LogPart::Recipient, [b" ", recipient.bytes()].concat());
        }
    }
    line
}

/// By how much Exim's sizes are too large, which come of the spool's file, with five bytes less
/// for each header line: its length may have more than three digits there.
fn excess_digits(message: &Message) -> u64 {
    let digits = |header: &Header| u64::from(header.line.len().max(1).ilog10() + 1);
    message.headers.iter().map(|header| digits(header).saturating_sub(3)).sum()
}

/// ` A=authenticator:who`, where the client is authenticated.
pub fn authenticated(cx: &mut Context) -> Vec<u8> {
    let by = cx.value_of(var::SENDER_HOST_AUTHENTICATED);
    if by.is_empty() {
        return Vec::new();
    }
    let id = cx.value_of(var::AUTHENTICATED_ID);
    let colon: &[u8] = if id.is_empty() { b"" } else { b":" };
    [b" A=", by.bytes(), colon, id.bytes()].concat()
}
