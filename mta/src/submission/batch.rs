//! A message of a batch (`-bS`): its commands say who sent it and who gets it, all
//! else is as with any message that a program hands in.

use std::sync::Arc;

use eximious::acl::{AclState, AclVerdict};
use eximious::{AclPhases, Body, Context, Str, opt, var};

use super::report::Fault;
use super::{Done, LARGEST, Outside, Submission, SubmissionRequest};
use crate::batch::{BatchEnvelope, BatchMessage, BatchedSmtp};
use crate::reception::{self, GatheredMessage, TooLong};
use crate::smtp::{SmtpServer, UNKNOWN_SIZE};

/// A message of a batch that has begun.
#[derive(Debug)]
pub struct BegunMessage {
    state: AclState,
    sender_set: bool,
    limit: u64,
    recipients: Vec<Str>,
}

/// Begins a message of a batch, for which its commands have said who gets it
/// (`acl_not_smtp_start`).
///
/// # Errors
/// What is wrong with it, with the code that SMTP has for it.
pub fn begin(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    request: &SubmissionRequest,
    envelope: BatchEnvelope,
    outside: &mut dyn Outside,
) -> Result<BegunMessage, Vec<u8>> {
    let BatchEnvelope { sender, recipients } = envelope;
    if !BatchedSmtp::has_room(cx) {
        return Err(b"452 Space shortage, please try later".into());
    }
    let mut submission = Submission::new(server, cx, request, outside);
    let limit = match submission.size_limit().map_err(|fault| in_smtp(&fault))? {
        0 => LARGEST,
        limit => limit,
    };
    submission.typed.recipients.clone_from(&recipients);
    submission.take_given(sender);
    submission.introduce();
    submission.cx.set_var(var::MESSAGE_EXIM_ID, Str::EMPTY);
    submission.cx.set_var(var::MESSAGE_SIZE, Str::fixed(UNKNOWN_SIZE));
    submission.begin();
    let Submission { state, sender_set, .. } = submission;
    Ok(BegunMessage { state, sender_set, limit, recipients })
}

/// Takes a message of a batch, which has begun: what became of it.
///
/// # Errors
/// What is wrong with it, with the code that SMTP has for it.
pub fn take(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    request: &SubmissionRequest,
    (begun, message): (BegunMessage, BatchMessage),
    outside: &mut dyn Outside,
) -> Result<Done, Vec<u8>> {
    let BatchMessage { text, excess } = message;
    let mut submission = Submission::begun(server, cx, request, &begun, outside);
    submission.state = begun.state;
    submission.limit = begun.limit;
    submission.too_large = excess;
    let done = submission.arrive(text, begun.recipients);
    submission.state.end_message(submission.cx);
    submission.cx.set_message(None);
    reception::forget_matches(submission.cx);
    let written = submission.written;
    done.map(|done| Done { written, ..done }).map_err(|fault| in_smtp(&fault))
}

/// The rest of a message of a batch never comes (`acl_smtp_notquit`).
pub fn lose(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    request: &SubmissionRequest,
    (begun, text): (BegunMessage, GatheredMessage),
    outside: &mut dyn Outside,
) {
    let (mut message, size) = text.so_far(cx);
    message.body = Body::default();
    cx.set_message(Some(message));
    cx.set_var(var::MESSAGE_SIZE, size.to_string());
    cx.set_var(var::RECIPIENTS_COUNT, begun.recipients.len().to_string());
    let mut submission = Submission::begun(server, cx, request, &begun, outside);
    submission.state = begun.state;
    submission.id = submission.cx.value_of(var::MESSAGE_EXIM_ID);
    submission.cx.set_var(var::SMTP_NOTQUIT_REASON, Str::fixed("connection-lost"));
    let result = submission.acl(opt::ACL_SMTP_NOTQUIT, AclPhases::NOTQUIT);
    // What it says otherwise nobody hears.
    if let Some(result) = result.filter(|result| result.verdict == AclVerdict::Error) {
        let why = result.log_message.unwrap_or_default();
        submission.log_panic(&[b"ACL for not-QUIT returned ERROR: ", why.bytes()].concat());
    }
}

impl<'s> Submission<'s> {
    /// One that goes on.
    fn begun(
        server: &'s Arc<SmtpServer>,
        cx: &'s mut Context,
        request: &'s SubmissionRequest,
        begun: &BegunMessage,
        outside: &'s mut dyn Outside,
    ) -> Self {
        let mut submission = Self::new(server, cx, request, outside);
        submission.sender_set = begun.sender_set;
        submission.typed.recipients.clone_from(&begun.recipients);
        submission
    }

    /// The sender that MAIL named, if whoever hands the message in may say so.
    fn take_given(&mut self, sender: Str) {
        let user = &self.request.submitter;
        self.sender_set = user.trusted;
        let sender = match user.trusted || reception::may_be_sender(self.cx, &sender) {
            true => sender,
            false => Str::from(reception::own_address(self.cx, &user.login)),
        };
        self.cx.set_var(var::SENDER_ADDRESS, sender);
    }
}

/// A fault, as SMTP has it.
fn in_smtp(fault: &Fault) -> Vec<u8> {
    match fault {
        Fault::TooLong(TooLong::Header(_)) => b"552 Message header is ridiculously long".into(),
        Fault::TooLong(TooLong::Line(_)) => b"552 A message header line is too long".into(),
        Fault::TooLarge(_) => b"552 Message size exceeds maximum permitted".into(),
        Fault::Judged(said) => [b"550 ", said.as_slice()].concat(),
        Fault::Answered(reply) => reply.clone(),
        Fault::SpoolFailure(failure) => failure.said.clone().into_bytes(),
        _ => b"421 Unexpected failure, please try later".into(),
    }
}
