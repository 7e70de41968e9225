//! `-bS`: messages with SMTP commands before each, at the standard input
//! (specification 49.4.2).

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use eximious::{Str, var};
use eximious_mta::batch::{BatchError, BatchStep, BatchedSmtp};
use eximious_mta::delivery::Deliverer;
use eximious_mta::smtp::SmtpServer;
use eximious_mta::submission::{self, Outside};

use super::{Hears, StandardInput, local};
use crate::handover::{HandOver, HandedOver};
use crate::refusal::Refusal;
use crate::session::{self, Setup};
use crate::{caller, debug};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// `-bS`: messages are to be read with SMTP commands before each.
#[derive(Debug)]
pub struct BatchRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// `-F`: the sender's full name.
    pub full_name: Option<Vec<u8>>,
    /// `-bnq`: addresses without a domain get none.
    pub leaves_unqualified: bool,
    /// `-N`: messages are delivered in pretence only.
    pub pretends: bool,
    /// `-E`: messages are said to be reports of errors.
    pub is_error: bool,
    /// `-oMm`: the message that messages are about.
    pub about: Option<Vec<u8>>,
    /// What becomes of messages.
    pub hand_over: HandOver,
}

/// Takes messages until the batch is over, or something is wrong with it.
///
/// # Errors
/// The standard input can't be read, or the standard output not be written.
pub fn run(request: BatchRequest) -> io::Result<Result<ExitCode, Refusal>> {
    let BatchRequest {
        mut setup,
        full_name,
        leaves_unqualified,
        pretends,
        is_error,
        about,
        mut hand_over,
    } = request;
    let given = std::mem::take(&mut setup.variables);
    let started = match session::Session::start_logging(setup, hand_over.world()) {
        Ok(started) => started,
        Err(refusal) => return Ok(Err(refusal)),
    };
    started.work_in_spool();
    let (config, mut cx) = started.into_parts();
    if let Err(refusal) = super::handed_connection(&cx) {
        return Ok(Err(refusal));
    }
    let engine = cx.engine().clone();
    let Some(mut user) = caller::sender(&mut cx) else { return Ok(Ok(ExitCode::FAILURE)) };
    user.called = full_name;
    let config = config.unwrap_or_default();
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let deliverer = Deliverer::new(config, &engine, server.clone());
    let deliverer = debug::watched(deliverer, &mut cx);
    let mut given = match given.of(&user) {
        Ok(given) => given,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // What comes from elsewhere has to say what it means.
    let is_remote = given.iter().any(|(variable, _)| *variable == var::SENDER_HOST_ADDRESS);
    let leaves_unqualified = leaves_unqualified || is_remote;
    let protocol = given.iter().find(|(variable, _)| *variable == var::RECEIVED_PROTOCOL);
    let protocol = protocol.map(|(_, protocol)| Str::tainted(protocol.clone()));
    cx.set_var(var::RECEIVED_PROTOCOL, protocol.unwrap_or(Str::fixed("local-bsmtp")));
    for var in [var::AUTHENTICATED_ID, var::AUTHENTICATED_SENDER, var::SENDER_ADDRESS] {
        cx.set_var(var, Str::EMPTY);
    }
    cx.set_var(var::CONNECTION_ID, Str::from(engine.world().host.pid().to_string()));
    local::doubt(&mut given);
    // MAIL says nothing of who proved to be the sender, and that counts.
    given.retain(|(variable, _)| *variable != var::AUTHENTICATED_SENDER);
    local::introduce(&mut cx, &user, given);
    let request = submission::SubmissionRequest {
        submitter: user,
        leaves_unqualified,
        batched: true,
        pretended: pretends,
        is_error,
        about: about.unwrap_or_default(),
        ..submission::SubmissionRequest::default()
    };
    if !submission::settle_active_hostname(&mut cx) {
        return Ok(Ok(ExitCode::FAILURE));
    }
    if !BatchedSmtp::has_room(&cx) {
        return Ok(Err(Refusal::Said(b"exim: insufficient disk space".to_vec())));
    }
    let mut batch = BatchedSmtp::new(leaves_unqualified);
    batch.log_begin(&mut cx);
    let mut piece = vec![0; PIECE];
    let mut begun = None;
    loop {
        let wrong = match batch.step(&mut cx) {
            BatchStep::End => {
                batch.log_end(&mut cx);
                return Ok(Ok(ExitCode::SUCCESS));
            }
            BatchStep::Begins(envelope) => {
                match submission::begin(&server, &mut cx, &request, envelope, &mut Here) {
                    Ok(message) => {
                        begun = Some(message);
                        continue;
                    }
                    Err(text) => batch.error(text),
                }
            }
            BatchStep::Lost(wrong, text) => {
                if let Some(begun) = begun.take() {
                    submission::lose(&server, &mut cx, &request, (begun, *text), &mut Here);
                }
                wrong
            }
            BatchStep::Failed(wrong) => wrong,
            BatchStep::More => match StandardInput.hear(&mut piece, batch.read_timeout(&mut cx)) {
                Ok(None) => batch.time_out(&mut cx),
                Ok(Some(0)) => {
                    batch.end_of_input();
                    continue;
                }
                Ok(Some(count)) => {
                    batch.receive(&piece[..count]);
                    continue;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(why),
            },
            BatchStep::Message(message) => {
                let Some(begun) = begun.take() else { continue };
                match submission::take(&server, &mut cx, &request, (begun, message), &mut Here) {
                    Ok(done) => {
                        hand_over.take_written(&deliverer, &cx, &done.written);
                        if done.kept {
                            let id = cx.value_of(var::MESSAGE_EXIM_ID);
                            let message = HandedOver { queue: &done.queue, id: id.bytes() };
                            let refused = hand_over.take_unless(&deliverer, &cx, message, || {
                                batch.log_delay(&cx, id.bytes()) || done.waits
                            });
                            // What can't be delivered is gone, and the rest is not taken.
                            if let Some(words) = refused {
                                super::say(&[&words[..], b"\n"].concat());
                                return Ok(Ok(ExitCode::FAILURE));
                            }
                        }
                        batch.taken();
                        continue;
                    }
                    Err(text) => batch.error(text),
                }
            }
        };
        return give_up(&wrong).map(Ok);
    }
}

/// Says why the batch is given up.
fn give_up(wrong: &BatchError) -> io::Result<ExitCode> {
    io::stderr().write_all(&wrong.explained())?;
    let mut out = io::stdout().lock();
    out.write_all(&wrong.printed())?;
    out.flush()?;
    Ok(ExitCode::from(wrong.status()))
}

/// The message is there already.
struct Here;

impl Outside for Here {
    fn read(&mut self, _: &mut [u8], _: Option<Duration>) -> io::Result<usize> {
        Ok(0)
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}
