//! Messages from the standard input (specification 5.2: `-bm`, `-t`).

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use eximious::config::Config;
use eximious::{Context, Str, var};
use eximious_mta::delivery::Deliverer;
use eximious_mta::smtp::SmtpServer;
use eximious_mta::submission::{self, DsnRequest, Errors, Outside, WrittenMessage, submit};
use eximious_world::deadline::Deadline;

use crate::handover::{DeliveryTime, HandOver, HandedOver};
use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use crate::{activity, caller, debug};

/// A message is to be taken from the standard input.
#[derive(Debug)]
pub struct SubmitRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// `-F`: the sender's full name.
    pub full_name: Option<Vec<u8>>,
    /// Recipients, or with `-t`, who is none.
    pub arguments: Vec<Vec<u8>>,
    /// `-t`: the message's header says who gets it.
    pub recipients_in_header: bool,
    /// `-i`: a line of one dot does not end a message.
    pub dot_is_text: bool,
    /// `-bnq`: addresses without a domain get none.
    pub leaves_unqualified: bool,
    /// `-oe…`: how errors of a message are reported.
    pub errors: Errors,
    /// `-E`: it is a report of an error.
    pub is_error: bool,
    /// `-G`: the header of a message stays as it is.
    pub leaves_header: bool,
    /// `-N`: a message's delivery is only pretended.
    pub pretends: bool,
    /// What becomes of it.
    pub hand_over: HandOver,
    /// Whether it is called as `rmail`.
    pub by_rmail: bool,
    /// `-oMm`: the message that a message is about.
    pub about: Option<Vec<u8>>,
    /// `-oDSN`: what is asked of those who deliver a message.
    pub reports: DsnRequest,
}

/// Takes a message, and keeps it in the spool.
pub fn run(mut options: SubmitRequest) -> Result<ExitCode, Refusal> {
    let mut setup = options.setup;
    let given = std::mem::take(&mut setup.variables);
    let sender = setup.sender.take();
    let session = Session::start_logging(setup, options.hand_over.world())?;
    session.work_in_spool();
    let (config, mut cx) = session.into_parts();
    let config = config.unwrap_or_default();
    let Some(mut submitter) = caller::sender(&mut cx) else { return Ok(ExitCode::FAILURE) };
    let connection = cx.engine().world().host.pid().to_string();
    cx.set_var(var::CONNECTION_ID, connection);
    submitter.called = options.full_name;
    let whose = cx.value_of(var::QUALIFY_DOMAIN);
    let whose = [&submitter.login[..], b"@", whose.bytes()].concat();
    let whose = String::from_utf8_lossy(&whose).into_owned();
    let what = format!("accepting a local non-SMTP message from <{whose}>");
    activity::tell_one(cx.engine().settings(), what);
    let given = given.of(&submitter)?.into_iter().map(|(name, value)| (name, Str::tainted(value)));
    let mut given: Vec<_> = given.collect();
    if options.by_rmail && given.iter().all(|(name, _)| *name != var::RECEIVED_PROTOCOL) {
        given.push((var::RECEIVED_PROTOCOL, Str::fixed("local-rmail")));
    }
    let server = Arc::new(SmtpServer::new(&config, cx.engine()));
    let request = submission::SubmissionRequest {
        submitter,
        sender,
        arguments: options.arguments,
        names_recipients: options.recipients_in_header,
        dot_ends: !options.dot_is_text,
        errors: options.errors,
        leaves_unqualified: options.leaves_unqualified,
        is_error: options.is_error,
        leaves_header: options.leaves_header,
        pretended: options.pretends,
        reports: options.reports,
        about: options.about.unwrap_or_default(),
        given,
        ..submission::SubmissionRequest::default()
    };
    let hand_over = &options.hand_over;
    let mut outside = Standard { until: None, hand_over, config: &config, server: &server };
    let done = submit(&server, &mut cx, &request, &mut outside);
    // Where the standard error is closed, the exit status has to do.
    let _ = io::stderr().write_all(&done.said);
    let mut status = done.status;
    if done.kept || !done.written.is_empty() {
        let deliverer = outside.deliverer(&mut cx);
        hand_over.take_written(&deliverer, &cx, &done.written);
        if !done.kept {
            return Ok(ExitCode::from(status));
        }
        let id = cx.value_of(var::MESSAGE_EXIM_ID);
        let message = HandedOver { queue: &done.queue, id: id.bytes() };
        if let Some(words) = hand_over.take(&deliverer, &cx, message, done.waits) {
            let _ = io::stderr().write_all(&[&words[..], b"\n"].concat());
            status = 1;
        }
    }
    Ok(ExitCode::from(status))
}

/// The standard input, until some time, and deliveries.
struct Standard<'s> {
    until: Option<Deadline>,
    hand_over: &'s HandOver,
    config: &'s Arc<Config>,
    server: &'s Arc<SmtpServer>,
}

impl Standard<'_> {
    fn deliverer(&self, cx: &mut Context) -> Deliverer {
        let deliverer = Deliverer::new(self.config.clone(), cx.engine(), self.server.clone());
        debug::watched(deliverer, cx)
    }
}

impl Outside for Standard<'_> {
    fn read(&mut self, piece: &mut [u8], time: Option<Duration>) -> io::Result<usize> {
        if let Some(time) = time {
            let deadline = self.until.get_or_insert_with(|| Deadline::within(time));
            if !eximious_world::input_within(deadline.left().unwrap_or_default())? {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        io::stdin().lock().read(piece)
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn deliver(&mut self, cx: &mut Context, written: &WrittenMessage) -> bool {
        let is_now = self.hand_over.when == Some(DeliveryTime::Foreground);
        if is_now {
            let deliverer = self.deliverer(cx);
            self.hand_over.take_written(&deliverer, cx, std::slice::from_ref(written));
        }
        is_now
    }
}
