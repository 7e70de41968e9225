//! `lmtp`: to a command or a socket of this system, by LMTP (specification, chapter 28; RFC
//! 2033).

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious_core::world::{Dialogue, LocalPeer, PeerOrder, PipeFault, Stream};
use eximious_core::{Effects, ErrorKind, Meta, Str, TaintRule};
use eximious_stdlib::options::opt::transport::lmtp as opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::filter::BROKEN;
use super::local::{Trouble, no_rights};
use super::outgoing::unwritten;
use super::smtp::retry_error;
use super::{Delivered, Outcome, Outgoing, TransportCall, Undelivered};
use crate::config::{TransportRules, user_has_group};
use crate::mail::smtp_client::{
    Cause, Hello, MailParams, RcptParams, ReplyClass, SmtpClient, SmtpCommand, SmtpError, Timeouts,
};

static META: Meta =
    Meta::new("lmtp", Effects::RUN.union(Effects::NET).union(Effects::HOST), TaintRule::Result);

/// What holds of instances.
pub(super) static RULES: TransportRules = TransportRules {
    check: |transport| {
        if transport.set(opt::COMMAND) == transport.set(opt::SOCKET) {
            let message = "one (and only one) of command or socket must be set for the";
            return Err(transport.wrong_for(message));
        }
        user_has_group(transport)
    },
    ..TransportRules::DEFAULT
};

/// Numbers of errors that are none of the system's, as the log has them.
const UNKNOWN: i32 = -1;
const MALFORMED: i32 = -19;
const RCPT: i32 = -44;
const MAIL: i32 = -45;
const DATA: i32 = -46;

/// The umask of a command: as that of `pipe`, whose default it is. Exim has none at all here,
/// but a file that everybody may write to is nothing that a command should make unasked.
const UMASK: u32 = 0o22;

/// What is said of a command that says nothing, or is none.
const SILENT: &[u8] = b"LMTP connection closed after initial connection";

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    let mut outcomes = vec![None; call.consignment.deliveries.len()];
    let rest = deliver(call, &mut outcomes).err().unwrap_or_else(|| {
        let why = "LMTP: an address has no answer";
        Trouble::Deferred(Undelivered::new(UNKNOWN, why))
    });
    let rest = Outcome::from(rest);
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| rest.clone())).collect()
}

/// Delivers; what comes of those of which nothing is said is the error.
fn deliver(call: &mut TransportCall<'_>, outcomes: &mut [Option<Outcome>]) -> Result<(), Trouble> {
    let later = Trouble::Deferred;
    let filter = call.filter("")?;
    let order = order(call)?;
    let denied = call.cx.call(&META, |call| {
        call.processes()?;
        call.net().map(|_| ())
    });
    denied.map_err(|fail| later(Undelivered::new(UNKNOWN, fail.message())))?;
    let processes = call.cx.engine().world().processes.clone();
    let dialogue =
        processes.converse(&order).map_err(|fault| later(nobody(call, &order, fault)))?;
    let mut outgoing = call.outgoing().map_err(|why| later(unwritten(b"", &why)))?;
    outgoing.set_filter(filter);
    speak(call, dialogue, &outgoing, order.timeout, outcomes)
}

/// Whom to speak with.
fn order(call: &mut TransportCall<'_>) -> Result<PeerOrder, Trouble> {
    let transport = call.transport;
    let peer = match transport.text(opt::SOCKET).cloned() {
        Some(text) => {
            let path = call.expand(&text, opt::SOCKET.name(), "socket setting")?;
            LocalPeer::Socket(path.bytes().to_vec())
        }
        None => LocalPeer::Command {
            argv: words(call)?,
            environment: Vec::new(),
            directory: call.directory.clone(),
            umask: UMASK,
            writes: true,
        },
    };
    let (user, timeout) = (call.consignment.user.clone(), transport.get(opt::TIMEOUT));
    Ok(PeerOrder { user, peer, timeout })
}

/// The words of the command.
fn words(call: &mut TransportCall<'_>) -> Result<Vec<Vec<u8>>, Trouble> {
    let owner = format!("{} transport", call.transport.name.display());
    let line = call.transport.text(opt::COMMAND).cloned().unwrap_or_default();
    let words = call.command_words(&line, &owner).map_err(|fail| {
        let why = Undelivered::new(UNKNOWN, fail.message());
        match fail.kind() == ErrorKind::Taint {
            // The sender is told no reason.
            true => Trouble::Failed(Undelivered { number: 0, said: Some(Vec::new()), ..why }),
            false => Trouble::Deferred(why.panicking()),
        }
    })?;
    if words.is_empty() {
        return Err(Undelivered::new(UNKNOWN, SILENT).into());
    }
    Ok(words)
}

/// Why nobody is there.
fn nobody(call: &TransportCall<'_>, order: &PeerOrder, fault: PipeFault) -> Undelivered {
    let name = call.transport.name.bytes();
    let is_untried = matches!(fault, PipeFault::Untried(_));
    let text = match (&fault, &order.peer) {
        // A command that can't be is one that says nothing.
        (PipeFault::Execute(_), _) => SILENT.to_vec(),
        (PipeFault::Rights(error) | PipeFault::Untried(error), _) => {
            no_rights(&order.user, error).into_bytes()
        }
        (PipeFault::Directory(_), _) => {
            let parts = [b"failed to chdir to ", &call.directory[..]];
            return Undelivered::new(0, parts.concat());
        }
        (PipeFault::Start(error), LocalPeer::Socket(path)) => {
            let head = [b"Failed to connect to socket ", &path[..], b" for ", name].concat();
            [&head[..], b" transport: ", wording::reason(error).as_bytes()].concat()
        }
        (PipeFault::Start(error) | PipeFault::Message(error, _), _) => {
            let parts = [b"Failed to create child process for ", name, b" transport: "];
            [&parts.concat(), wording::reason(error).as_bytes()].concat()
        }
        (PipeFault::Timeout(_), _) => b"LMTP timeout after initial connection".to_vec(),
    };
    Undelivered { is_untried, ..Undelivered::new(UNKNOWN, text) }
}

/// Speaks LMTP; what comes of the addresses that are still open where it breaks off is the
/// error.
fn speak(
    call: &mut TransportCall<'_>,
    dialogue: Box<dyn Dialogue>,
    outgoing: &Outgoing<'_>,
    timeout: Duration,
    outcomes: &mut [Option<Outcome>],
) -> Result<(), Trouble> {
    let timeouts = Timeouts { command: timeout, data: timeout, last: timeout };
    let dialogue = Lent(Arc::new(Mutex::new(dialogue)));
    let mut client = SmtpClient::new(Box::new(dialogue.clone()), timeouts);
    client.want_whole_replies();
    let done = transact(call, &mut client, outgoing, outcomes);
    let trace = call.cx.trace();
    match &done {
        Err(error) if error.ends_connection() => client.close(trace),
        // Where answers to the message are missing, that is all the same.
        _ => client.quit_in_any_case(trace),
    }
    if done.is_ok() && call.transport.text(opt::COMMAND).is_some() {
        // What a command does after the farewell is a part of its work, which may take long.
        let all = outcomes.iter().enumerate();
        let arrived = all.filter(|(_, one)| matches!(one, Some(Outcome::Delivered(_))));
        let arrived: Vec<usize> = arrived.map(|(at, _)| at).collect();
        if !arrived.is_empty() {
            (call.consignment.keep)(&arrived);
        }
        dialogue.locked().end(timeout);
    }
    if let (Err(_), Some(fault)) = (&done, outgoing.filter_fault()) {
        return Err(Trouble::Deferred(match fault.is_timeout() {
            true => Undelivered::new(UNKNOWN, "LMTP timeout after sending data block"),
            // There is nothing that it was sent after: so Exim has it.
            false if fault.is_cut() => Undelivered::new(BROKEN, "NULL: Broken pipe"),
            false => fault.told("transport filter", b""),
        }));
    }
    if let (Err(SmtpError { cause: Cause::Closed, .. }), Some(number)) =
        (&done, client.write_error())
    {
        let why = Undelivered::new(number, format!("Error {number}"));
        return Err(Trouble::Deferred(Undelivered { panics: true, ..why }));
    }
    // Of who it is that fails, the sender is told nothing but that.
    done.map_err(|error| trouble(&error, Some(Vec::new())))
}

/// A dialogue that a client speaks along, and that is ended by whoever began it.
#[derive(Clone)]
struct Lent(Arc<Mutex<Box<dyn Dialogue>>>);

impl Lent {
    fn locked(&self) -> MutexGuard<'_, Box<dyn Dialogue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Lent {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.locked().read(into)
    }
}

impl Write for Lent {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.locked().write(from)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.locked().flush()
    }
}

impl Stream for Lent {
    fn finish_writing(&mut self) -> io::Result<()> {
        self.locked().finish_writing()
    }
    fn set_deadline(&mut self, within: Duration) {
        self.locked().set_deadline(within);
    }
    fn local_address(&self) -> Option<std::net::SocketAddr> {
        self.locked().local_address()
    }
}

fn transact(
    call: &mut TransportCall<'_>,
    client: &mut SmtpClient,
    outgoing: &Outgoing<'_>,
    outcomes: &mut [Option<Outcome>],
) -> Result<(), SmtpError> {
    let name = call.cx.value_of(var::PRIMARY_HOSTNAME);
    client.banner(call.cx.trace())?;
    client.hello(call.cx.trace(), Hello::Lhlo, name.bytes())?;
    let from = call.consignment.return_path.clone();
    client.mail(call.cx.trace(), from.bytes(), &MailParams::default())?;
    let ignore_quota = call.transport.on(opt::IGNORE_QUOTA);
    let params = RcptParams { ignore_quota, ..RcptParams::default() };
    let mut taken = Vec::new();
    for at in 0..outcomes.len() {
        let to: Str = call.recipient(at);
        call.done.told.push(at);
        match client.rcpt(call.cx.trace(), to.bytes(), &params) {
            Ok(_) => taken.push(at),
            Err(error) if error.reply().is_some() => {
                outcomes[at] = Some(trouble(&error, None).into());
            }
            Err(error) => {
                // What was said to others before counts no more.
                outcomes.fill(None);
                return Err(error);
            }
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    client.data(call.cx.trace())?;
    let sent = client.send_message(call.cx.trace(), &mut outgoing.reader())?;
    let verdicts = call.verdicts(client, &taken);
    for (at, verdict) in taken.into_iter().zip(verdicts.recipients) {
        outcomes[at] = Some(match verdict {
            Ok(reply) => {
                let (confirmation, size) = (Some(reply.text().to_vec()), Some(sent));
                Outcome::Delivered(Delivered { confirmation, size, ..Delivered::default() })
            }
            Err(error) => trouble(&error, None).into(),
        });
    }
    Ok(())
}

/// What an error means for an address; `said` is what the sender is told, where that is not
/// all of it.
fn trouble(error: &SmtpError, said: Option<Vec<u8>>) -> Trouble {
    let after = |head: &str| [head.as_bytes(), b" after ", &error.said].concat();
    let with = |head: &str, text: &[u8]| [&after(head)[..], b": ", text].concat();
    let (number, message) = match &error.cause {
        Cause::Replied(reply) => {
            let number = match error.command {
                SmtpCommand::Rcpt => RCPT,
                _ if reply.class() != ReplyClass::Transient => UNKNOWN,
                SmtpCommand::Mail => MAIL,
                SmtpCommand::Data | SmtpCommand::EndOfData => DATA,
                _ => UNKNOWN,
            };
            let lines = reply.text().split(|byte| *byte == b'\n');
            let lines: Vec<Vec<u8>> = lines.map(|line| printing(line, false)).collect();
            (number, with("LMTP error", &lines.join(&b'\n')))
        }
        Cause::Timeout => (UNKNOWN, after("LMTP timeout")),
        Cause::Malformed(text) => {
            let number = match error.command {
                SmtpCommand::EndOfData => UNKNOWN,
                _ => MALFORMED,
            };
            (number, with("Malformed LMTP response", &printing(text, false)))
        }
        Cause::Source(why) => (UNKNOWN, with("message can't be read", why.as_bytes())),
        _ => (UNKNOWN, after("LMTP connection closed")),
    };
    let error_of = retry_error(error);
    let why = |number, message| Undelivered {
        said,
        error: error_of,
        ..Undelivered::new(number, message)
    };
    match error.is_permanent() {
        true => Trouble::Failed(why(0, message)),
        false => Trouble::Deferred(why(number, message)),
    }
}
