//! A message of a batch (`-bS`): its commands say who sent it and who gets it, all
//! else is as with any message that a program hands in.

use std::sync::Arc;

use eximious::{Context, Str, var};

use super::report::Fault;
use super::{Done, LARGEST, Outside, Submission, SubmissionRequest};
use crate::batch::BatchMessage;
use crate::reception::{self, TooLong};
use crate::smtp::{SmtpServer, UNKNOWN_SIZE};
use crate::spool;

/// Takes a message of a batch: what became of it.
///
/// # Errors
/// What is wrong with it, with the code that SMTP has for it.
pub fn take(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    request: &SubmissionRequest,
    batched: BatchMessage,
    outside: &mut dyn Outside,
) -> Result<Done, Vec<u8>> {
    let BatchMessage { sender, recipients, text, size } = batched;
    if let Err(why) = spool::space::check(cx, 0) {
        cx.engine().world().log.main(&why);
        return Err(b"452 Space shortage, please try later".into());
    }
    let mut submission = Submission::new(server, cx, request, outside);
    submission.limit = match submission.size_limit().map_err(|fault| in_smtp(&fault))? {
        0 => LARGEST,
        limit => limit,
    };
    submission.too_large = (size > submission.limit).then_some(size);
    submission.typed.recipients.clone_from(&recipients);
    submission.take_given(sender);
    submission.introduce();
    submission.cx.set_var(var::MESSAGE_SIZE, Str::fixed(UNKNOWN_SIZE));
    submission.begin();
    let done = submission.arrive(text, recipients);
    submission.state.end_message(submission.cx);
    submission.cx.set_message(None);
    reception::forget_matches(submission.cx);
    let written = submission.written;
    done.map(|done| Done { written, ..done }).map_err(|fault| in_smtp(&fault))
}

impl Submission<'_> {
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
