//! A mail transaction (RFC 5321, 3.3): what MAIL begins, and what RSET, EHLO, a refusal
//! or the end of a message ends. All of it goes at once.

use eximious::world::{Moment, SpoolData};
use eximious::{Context, Str, Var, var};

use super::mail_data::MailData;
use super::memory::Charge;
use super::ratelimit::Pace;
use super::{EnvelopeSender, Recipient, Replaced, SmtpSession};
use crate::reception::{self, LoggedHeader};

/// `$message_size` before a message is there, where the client does not say it.
pub(crate) const UNKNOWN_SIZE: &str = "-1";

/// What is known of the message at hand.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// What MAIL began.
    pub(super) envelope: Option<Envelope>,
    /// RCPT commands, also before MAIL.
    pub(super) asked: AskedRecipients,
    pub(super) refusals: Refusals,
    /// The chunks of the message so far, once there was one.
    pub(super) chunks: Option<Box<MailData>>,
    /// Only RSET is accepted now: chunks were out of order.
    pub(super) only_rset: bool,
    /// Something about the message can't be told: it is refused when it is there.
    pub(super) is_untold: bool,
    /// The name of the message, once all of it is there; an empty one where it has none
    /// after all.
    pub(super) id: Option<Str>,
    /// What is known of the message once all of it is there.
    pub(super) arrived: Arrived,
    /// What it takes of the memory that all share.
    pub(super) charge: Charge,
}

/// A message's envelope, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) sender: EnvelopeSender,
    pub(super) recipients: Vec<Recipient>,
    /// The same as the client said them, for logs.
    pub(super) said_recipients: Vec<Str>,
    /// Which ACL threw recipients away.
    pub(super) discarded: Option<DiscardedBy>,
    /// Whether a recipient was thrown away.
    pub(super) recipient_discarded: bool,
    /// Whether there were more recipients than are allowed.
    pub(super) too_many: bool,
    /// What each recipient was judged to get, where each was judged alone (PRDR).
    pub(super) prdr: Option<Prdr>,
}

/// How many RCPT commands there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AskedRecipients {
    /// Accepted or not.
    pub(super) all: i64,
    pub(super) deferred: i64,
    pub(super) failed: i64,
}

/// Which ACL threw recipients away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum DiscardedBy {
    /// That of MAIL threw all of them away; what it had to say of that.
    Mail(Option<Str>),
    Rcpt,
    Dkim,
    Mime,
    Data,
}

/// How it went where each recipient was judged alone (PRDR).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prdr {
    /// Whether the message was accepted for each of them.
    pub(super) accepted_by_all: bool,
}

/// What was said to RCPT commands that were refused: if that is the same for all,
/// DATA repeats it.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub(super) said: Option<Vec<u8>>,
    pub(super) differ: bool,
}

/// What is known of a message that has arrived.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// When it began to come in.
    pub(super) began: Moment,
    /// When all of it was there.
    pub(super) received_at: Moment,
    /// Whether it is kept as it came.
    pub(super) is_wire: bool,
    /// What is to be said of the last chunk, where it came in chunks.
    pub(super) chunk_reply: Option<String>,
    /// The header lines that were taken out, or replaced.
    pub(super) replaced: Vec<Replaced>,
    /// The sender in whose place submission mode has put another.
    pub(super) given_sender: Option<Str>,
    /// Recipients as they were before rules rewrote them, until the header tells of them.
    pub(super) old_recipients: Vec<Str>,
    /// The reports that were asked for, as logs tell it, where other ones will be sent.
    pub(super) reports: Option<Vec<u8>>,
    /// What is logged of its header.
    pub(super) logged: LoggedHeader,
    /// The data file of the spool, where its body is there already.
    pub(super) data: Option<Box<dyn SpoolData>>,
}

impl DiscardedBy {
    /// As logs name it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Mail(_) => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Dkim => "DKIM",
            Self::Mime => "MIME",
            Self::Data => "DATA",
        }
    }
}

impl Envelope {
    /// Whether MAIL itself was thrown away, and all recipients with it.
    pub(super) fn discards_all(&self) -> bool {
        matches!(self.discarded, Some(DiscardedBy::Mail(_)))
    }

    /// Whether logs say that each recipient was judged alone: where none is left, too, of
    /// those that were to be.
    pub(super) fn is_for_each(&self) -> bool {
        self.prdr.is_some() || (self.sender.prdr && self.recipients.is_empty())
    }
}

impl Refusals {
    pub(super) fn note(&mut self, text: &[u8]) {
        match &self.said {
            None => self.said = Some(text.to_vec()),
            Some(said) if said == text => {}
            Some(_) => self.differ = true,
        }
    }
}

impl SmtpSession {
    /// The name of the message at hand; log lines begin with it.
    pub(super) fn message_id(&self) -> &Str {
        self.transaction.id.as_ref().unwrap_or(&self.connection.last_id)
    }

    /// Drops the transaction at hand, and what was noted of it elsewhere.
    pub(super) fn drop_transaction(&mut self) {
        self.transaction = Transaction::default();
        self.acl_state.end_message(&mut self.cx);
        clear_values(&mut self.cx);
        self.connection.counts.rcpt_pace = Pace::default();
        if !self.connection.last_id.is_empty() {
            self.cx.set_var(var::MESSAGE_EXIM_ID, self.connection.last_id.clone());
        }
        self.show_protocol(b"");
    }

    /// The message at hand is done with, and the next command may begin another one.
    pub(super) fn end_transaction(&mut self, kept: bool) {
        let id = self.transaction.id.take();
        self.connection.last_id = id.filter(|_| kept && self.setup.is_test).unwrap_or_default();
        self.drop_transaction();
        self.cx.forget_lookups();
        self.connection.counts.free.clear();
    }
}

/// Takes the message at hand out of the values of the conversation.
fn clear_values(cx: &mut Context) {
    const OF_MESSAGE: [Var; 23] = [
        var::RCPT_COUNT,
        var::RCPT_DEFER_COUNT,
        var::RCPT_FAIL_COUNT,
        var::RECIPIENTS_COUNT,
        var::RECIPIENT_VERIFY_FAILURE,
        var::PRDR_REQUESTED,
        var::MESSAGE_SMTPUTF8,
        var::MESSAGE_EXIM_ID,
        var::SENDER_ADDRESS_DATA,
        var::RETURN_PATH,
        var::ADDRESS_DATA,
        var::DOMAIN_DATA,
        var::LOCAL_PART_DATA,
        var::SENDER_DATA,
        var::RECIPIENT_DATA,
        var::CALLOUT_ADDRESS,
        var::MALWARE_NAME,
        var::SENDING_IP_ADDRESS,
        var::DNSLIST_DOMAIN,
        var::DNSLIST_MATCHED,
        var::SENDER_RATE,
        var::SENDER_RATE_LIMIT,
        var::SENDER_RATE_PERIOD,
    ];
    cx.set_message(None);
    reception::forget_matches(cx);
    cx.forget_lists();
    cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
    cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
    OF_MESSAGE.into_iter().for_each(|var| cx.unset_var(var));
    cx.set_var(var::MESSAGE_SIZE, Str::fixed(UNKNOWN_SIZE));
}
