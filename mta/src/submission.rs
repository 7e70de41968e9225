//! Messages that programs of this system hand in at the standard input
//! (specification 5.2: `-bm`, `-t`).
//!
//! Who has the standard input is [`Outside`]; what the command line asks for is a
//! [`SubmissionRequest`]. [`submit`] takes one message, and says what to write to the standard
//! error and with which status to end. An error is reported there, or in a message
//! to the sender, which is kept in the spool as any other.

mod acl;
mod batch;
mod bound;
mod input;
mod limits;
mod name;
pub(crate) mod own;
mod recipients;
mod report;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use eximious::acl::AclState;
use eximious::rewrite::Rewriter;
use eximious::stdlib::printing::printing;
use eximious::world::LogVoice;
use eximious::{Context, Str, Var, opt, var};

use self::recipients::TypedEnvelope;
use crate::options::NoLimit;
use crate::reception::{
    self, FixedMessage, GatheredMessage, Kept, LoggedHeader, Origin, Parsed, ReadMessage, Way,
    frozen, message_id,
};
use crate::smtp::{
    DsnNotify, EnvelopeSender, Provenance, Received, Recipient, Returned, SmtpServer, SpoolOutcome,
    Submitter,
};
use crate::spool;
use crate::{dsn, logs, options, tally};
use report::Fault;

pub use batch::{BegunMessage, begin, lose, take};
pub(crate) use bound::SizeBound;
pub use input::SubmissionInput;
pub use name::{full_name, wrong_pattern};
pub use own::write_own;

/// How large a message may be where no option says so.
const LARGEST: u64 = 1 << 30;

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct SubmissionRequest {
    /// Who hands the message in.
    pub submitter: Submitter,
    /// `-f`: the sender, as typed.
    pub sender: Option<Vec<u8>>,
    /// The arguments: who gets it, or with `-t` who does not.
    pub arguments: Vec<Vec<u8>>,
    /// `-t`: the header says who gets it.
    pub names_recipients: bool,
    /// The named queue that it comes into, unless an ACL names another one; empty for the
    /// usual one.
    pub queue: Vec<u8>,
    /// Whether a line with nothing but a dot ends it (without `-i`).
    pub dot_ends: bool,
    /// `-oe…`: how errors are reported.
    pub errors: Errors,
    /// `-bnq`: addresses without a domain get none.
    pub leaves_unqualified: bool,
    /// `-G`: the header stays as it is.
    pub leaves_header: bool,
    /// `-N`: its delivery is only pretended.
    pub pretended: bool,
    /// `-oMm`: the message that it is about.
    pub about: Vec<u8>,
    /// `-oDSN`: what is asked of those who deliver it.
    pub reports: DsnRequest,
    /// Whether it is a report of an error.
    pub reports_error: bool,
    /// `-E`: whether it is said to be one, which the spool keeps.
    pub is_error: bool,
    /// Whether it is one of a batch (`-bS`).
    pub batched: bool,
    /// Values that were given (`-oM…`), if they may be.
    pub given: Vec<(Var, Str)>,
}

/// What is asked of those who deliver a message (RFC 3461).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DsnRequest {
    /// What the sender wants to be told of, of each recipient.
    pub notify: DsnNotify,
    /// What a report brings back.
    pub returned: Option<Returned>,
    /// What a report calls the message, as xtext.
    pub envelope_id: Option<Vec<u8>>,
}

/// How errors are reported.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Errors {
    /// On the standard error (`-oep`, `-oeq`).
    Printed,
    /// In a message to the sender; the status says that there was one (`-oem`,
    /// `-oew`).
    #[default]
    Mailed,
    /// In a message to the sender, and then all is well (`-oee`).
    MailedQuietly,
}

/// Who has the standard input.
pub trait Outside {
    /// Reads a piece of the message, as the system's `read` does: how many bytes there are,
    /// 0 at the end. Where there is a time, it is that for all of the message, from the
    /// first piece on.
    ///
    /// # Errors
    /// What the system says; `TimedOut` where it took too long.
    fn read(&mut self, piece: &mut [u8], time: Option<Duration>) -> io::Result<usize>;

    /// `delay` of an ACL: waits.
    fn wait(&mut self, time: Duration);

    /// Has what was written about the message, and is in the spool, delivered before the message
    /// goes on; false where that is to be done later ([`Done::written`]).
    fn deliver(&mut self, _: &mut Context, _: &WrittenMessage) -> bool {
        false
    }
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// The status to end with.
    pub status: u8,
    /// For the standard error.
    pub said: Vec<u8>,
    /// Whether a message is in the spool.
    pub kept: bool,
    /// Whether it waits there, because an ACL wants that.
    pub waits: bool,
    /// The named queue that it is in.
    pub queue: Vec<u8>,
    /// What was written about it, and is to be delivered as well.
    pub written: Vec<WrittenMessage>,
}

/// A message of our own in the spool.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WrittenMessage {
    /// The named queue that it is in.
    pub queue: Vec<u8>,
    /// Its name.
    pub id: Vec<u8>,
}

/// Settles what this host is called while messages come in (`smtp_active_hostname`); false where
/// that can't be expanded, which is logged.
pub fn settle_active_hostname(cx: &mut Context) -> bool {
    options::active_hostname(cx).is_ok()
}

/// Takes a message. The context's values say how it came, as far as that was given
/// (`-oM…`).
pub fn submit(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    request: &SubmissionRequest,
    outside: &mut dyn Outside,
) -> Done {
    let mut submission = Submission::new(server, cx, request, outside);
    let done = match submission.run() {
        Ok(done) => done,
        Err(fault) => submission.report(&fault),
    };
    Done { written: submission.written, ..done }
}

/// A message on its way.
struct Submission<'s> {
    server: &'s Arc<SmtpServer>,
    cx: &'s mut Context,
    request: &'s SubmissionRequest,
    outside: &'s mut dyn Outside,
    state: AclState,
    /// How errors are reported.
    errors: Errors,
    /// Its name, once it has one.
    id: Str,
    /// Whether somebody who is trusted said who sent it.
    sender_set: bool,
    /// What is known of it so far.
    received: Received,
    /// How large it may be.
    limit: u64,
    /// How large it is, if that is too much.
    too_large: Option<u64>,
    /// The envelope before rules for rewriting.
    typed: TypedEnvelope,
    /// What was written about it.
    written: Vec<WrittenMessage>,
}

impl<'s> Submission<'s> {
    fn new(
        server: &'s Arc<SmtpServer>,
        cx: &'s mut Context,
        request: &'s SubmissionRequest,
        outside: &'s mut dyn Outside,
    ) -> Self {
        let mut state = AclState::default();
        state.queue = Str::from(&request.queue[..]);
        // No message is ever sent about another one then.
        let is_wrapped = cx.engine().settings().get(opt::MUA_WRAPPER);
        let errors = if is_wrapped { Errors::Printed } else { request.errors };
        Self {
            errors,
            server,
            cx,
            request,
            outside,
            state,
            id: Str::EMPTY,
            sender_set: false,
            received: Received::default(),
            limit: LARGEST,
            too_large: None,
            typed: TypedEnvelope::default(),
            written: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<Done, Fault> {
        let refused = |said: Vec<u8>| Ok(Done { status: 1, said, ..Done::default() });
        if !settle_active_hostname(self.cx) {
            return refused(Vec::new());
        }
        if let Err(said) = self.take_sender() {
            return refused(said);
        }
        if let Err(why) = spool::space::check(self.cx, 0) {
            self.log(&why);
            return refused(b"exim: insufficient disk space\n".into());
        }
        let limit = self.size_limit()?;
        self.limit = if limit == 0 { LARGEST } else { limit };
        self.introduce();
        let arguments = self.arguments();
        let arguments = match (arguments, self.errors) {
            (Ok(arguments), _) => arguments,
            (Err(fault), Errors::Printed) => return Err(fault),
            (Err(fault), _) => {
                // What comes in is returned as it is.
                self.received.message.body = self.read_for_report()?.into();
                return Err(fault);
            }
        };
        let removes = self.cx.engine().settings().get(opt::EXTRACT_ADDRESSES_REMOVE_ARGUMENTS);
        let mut recipients = Vec::new();
        match self.request.names_recipients && removes {
            true => self.received.not_for = arguments,
            false => recipients = arguments,
        }
        self.begin();
        let mut message = GatheredMessage::new(self.cx, Way::Program, true);
        let queue = self.state.queue.clone();
        let read = self.read(&mut |cx, piece| message.push(cx, queue.bytes(), piece));
        match read {
            Ok(too_large) => self.too_large = too_large,
            Err(why) => {
                self.id = message.name_if_in_body(self.cx);
                return Err(self.unread(&why));
            }
        }
        self.arrive(message.counting_end(!self.request.dot_ends), recipients)
    }

    /// How large a message may be; where that can't be told, none is taken.
    fn size_limit(&mut self) -> Result<u64, Fault> {
        let line = match options::message_size_limit(self.cx) {
            Ok(limit) => return Ok(limit),
            Err(NoLimit::Unexpanded(why)) => {
                [b"failed to expand message_size_limit: ".as_slice(), &why].concat()
            }
            Err(NoLimit::Invalid(why)) => {
                [b"invalid value for message_size_limit: ".as_slice(), &why].concat()
            }
        };
        self.log_panic(&line);
        Err(Fault::Broken)
    }

    /// Who is the sender: whoever hands the message in, unless he may say that it is
    /// somebody else, and does.
    fn take_sender(&mut self) -> Result<(), Vec<u8>> {
        let own = reception::own_address(self.cx, &self.request.submitter.login);
        self.cx.set_var(var::SENDER_ADDRESS, Str::from(own));
        let trusted = self.request.submitter.trusted;
        let given = self.request.sender.as_deref().map(|typed| self.given_sender(typed));
        let given = given.transpose()?;
        if self.request.leaves_header && !trusted {
            return Err(b"exim: permission denied (-G requires a trusted user)\n".to_vec());
        }
        let Some(given) = given else { return Ok(()) };
        if trusted || given.is_empty() || reception::may_be_sender(self.cx, &given) {
            self.cx.set_var(var::SENDER_ADDRESS, given);
            self.sender_set = trusted;
            self.received.provenance.sender_set_untrusted = !trusted;
        }
        if trusted {
            // Whoever may name a sender did not prove to be that.
            for var in [var::AUTHENTICATED_ID, var::AUTHENTICATED_SENDER] {
                self.cx.set_var(var, Str::EMPTY);
            }
        }
        Ok(())
    }

    /// The sender that `-f` says.
    fn given_sender(&mut self, typed: &[u8]) -> Result<Str, Vec<u8>> {
        if typed.is_empty() {
            return Ok(Str::EMPTY);
        }
        let domain = self.cx.value_of(var::QUALIFY_DOMAIN);
        let sender = reception::typed_sender(typed, self.cx.engine().settings(), domain.bytes());
        let said = |why: Vec<u8>| [b"exim: ", &why[..], b"\n"].concat();
        sender.map(Str::tainted).map_err(said)
    }

    /// Sets the values that say how the message came, where nobody said so.
    fn introduce(&mut self) {
        let login = Str::from(self.request.submitter.login.as_slice());
        for (variable, value) in &self.request.given {
            self.cx.set_var(*variable, value.clone());
        }
        if self.cx.value_of(var::SENDER_IDENT).is_empty() {
            self.cx.set_var(var::SENDER_IDENT, login);
        }
        if self.cx.value_of(var::RECEIVED_PROTOCOL).is_empty() {
            self.cx.set_var(var::RECEIVED_PROTOCOL, Str::fixed("local"));
        }
        // A batch was described when it began: HELO in it is of no account.
        if !self.request.batched {
            eximious::client::describe(self.cx);
        }
    }

    fn is_local(&mut self) -> bool {
        self.cx.value_of(var::SENDER_HOST_ADDRESS).is_empty()
    }

    /// A message is there as a whole.
    fn arrive(
        &mut self,
        message: GatheredMessage,
        mut recipients: Vec<Str>,
    ) -> Result<Done, Fault> {
        let began = message.began();
        self.received.began = began;
        let trusted = self.request.submitter.trusted;
        let local = self.is_local();
        let ReadMessage { parsed, stored } = message.finish(self.cx);
        let Parsed { mut message, senders, stray, .. } = parsed;
        let mut came = message.size;
        let (mut stored_id, mut unkept) = (None, None);
        match stored {
            None => {}
            Some(Ok((id, body))) => {
                came += body.size;
                stored_id = Some(id);
                self.received.data = Some(body.attach(&mut message, false));
            }
            Some(Err(why)) => unkept = Some(why),
        }
        let mut nameless = false;
        if let Some(sender) = senders.last().filter(|_| self.request.sender.is_none())
            && let Ok(sender) = reception::qualified_sender(self.cx, sender)
            && (trusted || !sender.is_empty() && reception::may_be_sender(self.cx, &sender))
        {
            self.typed.sender = Some(self.cx.value_of(var::SENDER_ADDRESS));
            self.cx.set_var(var::SENDER_ADDRESS, sender);
            // Whose name was given is not who the line names.
            (self.sender_set, nameless) = (trusted, trusted);
            if trusted {
                self.cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
            }
        }
        if let Some(too_long) = reception::too_long(self.cx, &message, stray) {
            let line = too_long.logged(self.cx);
            self.log(&line);
            self.received.message = limits::cut(message, too_long);
            return Err(Fault::TooLong(too_long));
        }
        if self.too_large.is_some() {
            limits::within(&mut message, self.limit);
        }
        self.id = stored_id.unwrap_or_else(|| message_id(self.cx.engine()));
        self.cx.set_var(var::MESSAGE_EXIM_ID, self.id.clone());
        if let Some(why) = unkept {
            let failure = why.failure(self.cx);
            failure.log(self.cx, &self.id);
            self.received.message = message;
            return Err(Fault::SpoolFailure(failure));
        }
        message.id = self.id.clone();
        message.received = began.seconds;
        let count = message.named(b"Received").count() + 1;
        let user = &self.request.submitter;
        let origin = Origin {
            local,
            smtp: self.request.batched,
            login: user.login.clone(),
            name: if nameless { Vec::new() } else { user.name_beside(self.sender_set) },
            trusted,
            is_error: self.request.is_error,
            qualifies_senders: !self.request.leaves_unqualified,
            qualifies_recipients: !self.request.leaves_unqualified,
            names_recipients: self.request.names_recipients,
            leaves_header: self.request.leaves_header,
            rewrites_sender: true,
            ..Origin::default()
        };
        // Rules for rewriting know no more of it than the header.
        let header_size = came.saturating_sub(message.body.len());
        self.cx.set_var(var::MESSAGE_SIZE, header_size.to_string());
        let server = self.server.clone();
        let rewriter = Rewriter::new(&server.rewrite);
        let controls = &self.state.controls;
        let mut fixing = reception::fix(self.cx, &origin, controls, message);
        let named = fixing.take_named();
        self.check_count(&named)?;
        self.add_named(&named, &mut recipients);
        fixing.expect(recipients.len());
        let old_recipients = self.rewrite(&rewriter, &mut fixing, &mut recipients);
        let tell = logs::main(self.cx, &self.id);
        let fixed = fixing.finish(self.cx, &rewriter, &tell);
        let FixedMessage { message, mut replaced, places, panics, logged, old_senders, .. } = fixed;
        places.tell(&mut replaced, &old_recipients, &old_senders);
        self.typed.sender = self.typed.sender.take().or_else(|| old_senders.into_iter().next());
        panics.iter().for_each(|line| self.log_panic(line));
        self.received.message = message;
        self.received.message.sender = self.cx.value_of(var::SENDER_ADDRESS);
        self.received.replaced = replaced;
        if let Some(size) = self.too_large {
            return Err(self.refuse_size(size, &recipients));
        }
        self.check_recipients(named, &recipients)?;
        // What ACLs see is as it came.
        self.cx.set_var(var::MESSAGE_SIZE, came.to_string());
        self.received.message.recipients.clone_from(&recipients);
        self.add_received()?;
        let notify = self.request.reports.notify;
        let recipient =
            |address: &Str| Recipient { address: address.clone(), notify, ..Recipient::default() };
        self.received.recipients = recipients.iter().map(recipient).collect();
        let message = std::mem::take(&mut self.received.message);
        self.cx.set_message(Some(message));
        self.cx.set_var(var::RECEIVED_COUNT, count.to_string());
        let discarded = self.judge()?;
        self.keep(discarded, logged)
    }

    /// Puts the line there that says how the message came here.
    fn add_received(&mut self) -> Result<(), Fault> {
        let mut message = std::mem::take(&mut self.received.message);
        match reception::received_header(self.cx, &mut message) {
            Ok(Some(line)) => {
                reception::put_first(&mut message, &mut self.received.replaced, line);
            }
            Ok(None) => {}
            Err(why) => {
                self.log_panic(&why);
                return Err(Fault::Broken);
            }
        }
        // What ACLs did so far is done when the next one looks.
        reception::apply_headers(&mut message, &mut self.received.replaced, &mut self.state);
        self.cx.unset_var(var::HEADERS_ADDED);
        message.size = reception::size(&message);
        self.received.message = message;
        Ok(())
    }

    /// Puts the message into the spool, and logs that.
    fn keep(
        &mut self,
        discarded: Option<(&'static str, Str)>,
        logged: LoggedHeader,
    ) -> Result<Done, Fault> {
        let mut message = self.cx.take_message().unwrap_or_default();
        reception::apply_headers(&mut message, &mut self.received.replaced, &mut self.state);
        message.size = reception::size(&message);
        self.cx.set_message(Some(message.clone()));
        let mut addresses = std::iter::once(&message.sender).chain(&message.recipients);
        let utf8 = addresses.any(|address| !address.bytes().is_ascii());
        let mut received = Received {
            id: self.id.clone(),
            sender: EnvelopeSender {
                address: message.sender.clone(),
                utf8,
                returned: self.request.reports.returned,
                envelope_id: self.request.reports.envelope_id.clone(),
                ..EnvelopeSender::default()
            },
            message,
            discarded: discarded.as_ref().map(|(acl, _)| *acl),
            controls: self.state.controls.clone(),
            queue: self.state.queue.clone(),
            submitter: Some(self.request.submitter.clone()),
            provenance: Provenance {
                local: !self.sender_set,
                local_error: self.request.reports_error || self.request.is_error,
                unqualified_senders: !self.request.leaves_unqualified,
                unqualified_recipients: !self.request.leaves_unqualified,
                pretended: self.request.pretended,
                ..self.received.provenance
            },
            ..std::mem::take(&mut self.received)
        };
        if let SpoolOutcome::Failed(failure) = spool::keep(self.cx, &mut received) {
            failure.log(self.cx, &self.id);
            self.received = received;
            return Err(Fault::SpoolFailure(failure));
        }
        let reports = dsn::shown(&received.sender, &received.recipients);
        let kept = Kept {
            pipelining: b"",
            body: None,
            reports: &reports,
            began: received.began,
            sender: self.typed.sender.as_ref().unwrap_or(&received.message.sender).bytes(),
            message: &received.message,
            looks_refused: false,
            judged_for_each: false,
            chunked: false,
            queue: received.queue.bytes(),
            about: &self.request.about,
            header: &logged,
            recipients: &self.typed.recipients,
        };
        let line = reception::logged(self.cx, &kept);
        let waits: Option<&[u8]> = match &self.state {
            state if state.has("freeze") => Some(b"frozen by ACL"),
            state if state.has("queue") || state.has("queue_only") => Some(logs::QUEUED),
            _ => None,
        };
        logs::tell(self.cx, &self.id, LogVoice::Main, &line);
        tally::received(self.cx, received.message.size);
        if !received.recipients.is_empty() {
            let line = reception::in_own_log(&line);
            let lines: Vec<&[u8]> = std::iter::once(&line[..]).chain(waits).collect();
            spool::begin_log(self.cx, received.queue.bytes(), self.id.bytes(), &lines);
        }
        waits.into_iter().for_each(|line| self.log(line));
        if self.cx.engine().world().log.is_broken()
            && spool::take_back(self.cx, received.queue.bytes(), &self.id)
        {
            // Whoever reads the standard error was told.
            return Ok(Done { status: 1, ..Done::default() });
        }
        if received.recipients.is_empty() {
            let (acl, why) = discarded.unwrap_or(("RCPT", Str::EMPTY));
            let colon: &[u8] = if why.is_empty() { b"" } else { b": " };
            let tail = b" ACL discarded recipients)".as_slice();
            let parts = [b"=> blackhole (", acl.as_bytes(), tail, colon, why.bytes()];
            self.log(&parts.concat());
            self.log(b"Completed");
            tally::completed(self.cx, received.began);
            return Ok(Done { status: 1, ..Done::default() });
        }
        let is_own = self.request.reports_error;
        let message = Some(&received.message);
        if let Some(notice) = frozen::notice(self.cx, &self.state, (&self.id, message), is_own) {
            self.write(&notice);
        }
        let waits = received.waits();
        let queue = received.queue.bytes().to_vec();
        Ok(Done { kept: true, waits, queue, ..Done::default() })
    }

    /// A line with the message's name before it. What anybody else says does not break
    /// lines.
    fn log_line(&self, line: &[u8]) -> Vec<u8> {
        logs::named(&self.id, &printing(line, true))
    }

    fn log(&self, line: &[u8]) {
        logs::main(self.cx, &self.id)(line);
    }

    fn log_panic(&self, line: &[u8]) {
        self.cx.engine().world().log.panic(&self.log_line(line));
    }
}
