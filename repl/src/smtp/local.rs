//! `-bs`: an SMTP session at the standard input and output (specification 5.2,
//! 49.4.1). Whoever runs the program is the client, unless the standard input is a
//! connection: then somebody listened for this program, and the other end is. Who hands
//! it in is believed no more for that.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use eximious::{Context, Str, Var, opt, var};
use eximious_mta::delivery::Deliverer;
use eximious_mta::smtp::{Client, Received, SmtpServer, SmtpSession, SpoolOutcome, Submitter};
use eximious_mta::spool;

use super::Onward;
use crate::handover::{DeliveryTime, HandOver, HandedOver};
use crate::pretence::GivenValues;
use crate::refusal::Refusal;
use crate::session::{self, Setup};
use crate::{activity, caller, debug};

/// `-bs`: SMTP is to be spoken with whoever runs the program, or called.
#[derive(Debug)]
pub struct LocalRequest {
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
    /// `-tls-on-connect`: TLS comes first.
    pub begins_with_tls: bool,
    /// `-oMm`: the message that messages are about.
    pub about: Option<Vec<u8>>,
    /// What becomes of messages.
    pub hand_over: HandOver,
}

/// Speaks SMTP until one side has enough, and keeps what messages come.
///
/// # Errors
/// The standard output can't be written.
pub fn run(request: LocalRequest) -> io::Result<Result<ExitCode, Refusal>> {
    let LocalRequest {
        mut setup,
        full_name,
        leaves_unqualified,
        pretends,
        is_error,
        begins_with_tls,
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
    let handed = match super::handed_connection(&cx) {
        Ok(handed) => handed,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(mut user) = caller::sender(&mut cx) else { return Ok(Ok(ExitCode::FAILURE)) };
    let engine = cx.engine();
    user.called = full_name;
    let whose = String::from_utf8_lossy(&user.login).into_owned();
    let what = format!("accepting a local SMTP message from <{whose}>");
    activity::tell_one(engine.settings(), what);
    let mut given = match given.of(&user) {
        Ok(given) => given,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let connection = Str::from(engine.world().host.pid().to_string());
    let config = config.unwrap_or_default();
    let server = Arc::new(SmtpServer::new(&config, engine));
    let deliverer = Deliverer::new(config, engine, server.clone());
    let deliverer = debug::watched(deliverer, &mut cx);
    let runs = hand_over.clone();
    server.run_for_clients(Box::new(move |text, ended| {
        runs.run_for(text)?;
        ended();
        Ok(())
    }));
    let mut client = match handed {
        Some((peer, own)) => {
            // Who is at the other end is seen, and what it speaks.
            given.retain(|(variable, _)| KEPT_OF_HANDED.contains(variable));
            let mut client = Client::handed_on(peer, user).connected_to(own);
            client.synchronizes = true;
            client
        }
        None => {
            let mut client = Client::local(user);
            doubt(&mut given);
            client.address = value(&given, var::SENDER_HOST_ADDRESS);
            client.port = value(&given, var::SENDER_HOST_PORT).unwrap_or(0);
            client.local_address = value(&given, var::RECEIVED_IP_ADDRESS);
            client.local_port = value(&given, var::RECEIVED_PORT);
            client.qualifies_itself = leaves_unqualified;
            client
        }
    };
    client.pretends = pretends;
    client.is_error = is_error;
    client.overrides_queue_only = hand_over.overrides(&cx);
    client.queues_all = hand_over.when == Some(DeliveryTime::Queued);
    client.connection = connection;
    client.begins_with_tls = begins_with_tls;
    client.about = about.unwrap_or_default();
    let mut session = SmtpSession::new(server, cx, client.clone());
    if client.by_inetd {
        session.set_traffic_marker(Some(Box::new(eximious_world::mark_input_traffic)));
        session.set_inlet(Some(Box::new(super::take_at_once)));
    }
    if let Some(user) = &client.user {
        name_sender(session.context(), user);
        match client.by_inetd {
            true => introduce_handed(session.context(), user, given),
            false => introduce(session.context(), user, given),
        }
    }
    let mut out = super::Shared::new(io::stdout());
    let input = super::StandardInput;
    let waits = super::Waits::AsSet;
    let onward =
        super::converse(&mut session, (input, &mut out), waits, &mut |session, received, out| {
            keep(session, (received, out), &deliverer, &hand_over)
        })?;
    Ok(Ok(status(&session, onward)))
}

/// With which status a conversation ends.
pub fn status(session: &SmtpSession, onward: Onward) -> ExitCode {
    match session.has_failed() || onward.is_break() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Keeps a message, and has it delivered, unless it is to wait in the spool. Where it must not
/// wait and can't be delivered (`mua_wrapper`), it is gone: whoever handed it in is told so, and
/// that is the end.
///
/// # Errors
/// The client can't be told that the message was taken.
pub fn keep(
    session: &mut SmtpSession,
    (received, out): (&mut Received, &mut dyn Write),
    deliverer: &Deliverer,
    hand_over: &HandOver,
) -> io::Result<Onward> {
    let taken = spool::keep(session.context(), received);
    session.conclude(&taken);
    let is_wrapped = session.context().engine().settings().get(opt::MUA_WRAPPER);
    if taken == SpoolOutcome::Spooled
        && !session.is_over()
        && !received.recipients.is_empty()
        && !received.is_frozen()
        && (is_wrapped || session.delivers_at_once(received))
    {
        let (queue, id) = (received.queue.bytes(), received.id.bytes());
        let message = HandedOver { queue, id };
        if let Some(words) = hand_over.take(deliverer, session.context(), message, false) {
            // That the message was taken is heard all the same.
            while let Some(reply) = session.next_reply() {
                out.write_all(&reply)?;
            }
            out.flush()?;
            super::say(&[&words[..], b"\n"].concat());
            return Ok(Onward::Break(()));
        }
    }
    Ok(Onward::Continue(()))
}

/// The values that speak of whoever runs the program, and those that were given.
pub fn introduce(cx: &mut Context, user: &Submitter, given: GivenValues) {
    cx.set_var(var::SENDER_IDENT, Str::from(&user.login[..]));
    identify(cx, user);
    for (variable, value) in given {
        // The protocol follows from what the client says.
        if variable != var::RECEIVED_PROTOCOL {
            cx.set_var(variable, Str::tainted(value));
        }
    }
    eximious::client::describe(cx);
}

/// Leaves out that a client that is no host was authenticated, which nobody can say in SMTP.
pub fn doubt(given: &mut GivenValues) {
    if given.iter().all(|(variable, _)| *variable != var::SENDER_HOST_ADDRESS) {
        given.retain(|(variable, _)| *variable != var::SENDER_HOST_AUTHENTICATED);
    }
}

/// What may be said of a client whose connection is handed in.
const KEPT_OF_HANDED: [Var; 3] =
    [var::SENDER_HOST_NAME, var::AUTHENTICATED_ID, var::AUTHENTICATED_SENDER];

/// The same where a connection is handed in.
fn introduce_handed(cx: &mut Context, user: &Submitter, given: GivenValues) {
    identify(cx, user);
    for (variable, value) in given {
        cx.set_var(variable, Str::tainted(value));
    }
    eximious::client::describe(cx);
}

/// Until the client is greeted, a user who may not name other senders is the sender.
fn name_sender(cx: &mut Context, user: &Submitter) {
    if !user.trusted {
        for variable in [var::SENDER_ADDRESS, var::AUTHENTICATED_SENDER] {
            cx.unset_var(variable);
        }
    }
}

/// Says who a user is known to be, which is as good as if it was proved.
fn identify(cx: &mut Context, user: &Submitter) {
    // Whoever may name any sender did not prove to be one.
    let id = if user.trusted { b"" } else { &user.login[..] };
    cx.set_var(var::AUTHENTICATED_ID, Str::from(id));
}

fn value<T: std::str::FromStr>(given: &GivenValues, variable: Var) -> Option<T> {
    let (_, value) = given.iter().find(|(given, _)| *given == variable)?;
    std::str::from_utf8(value).ok()?.parse().ok()
}
