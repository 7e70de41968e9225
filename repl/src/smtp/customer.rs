//! `-atrn`: a provider is called, and asked for mail, which it sends over the same
//! connection (specification 49.2.8, RFC 2645).

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::Str;
use eximious::transport::{CalledProvider, NoProvider};
use eximious::world::Stream;
use eximious_mta::delivery::Deliverer;
use eximious_mta::smtp::{Client, SmtpServer, SmtpSession};

use super::local;
use super::{Hears, Shared, Waits};
use crate::caller;
use crate::handover::HandOver;
use crate::refusal::Refusal;
use crate::session::{self, Setup};

/// `-atrn`: mail is to be fetched.
#[derive(Debug)]
pub struct CustomerRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// Who has the mail.
    pub host: Vec<u8>,
    /// For which domains it is asked, separated by commas; for those that the provider knows,
    /// where it is empty.
    pub domains: Vec<u8>,
    /// What becomes of messages.
    pub hand_over: HandOver,
}

/// Calls the provider, and takes what it sends. That there is no mail is no failure.
///
/// # Errors
/// The connection is lost.
pub fn run(request: CustomerRequest) -> io::Result<Result<ExitCode, Refusal>> {
    let CustomerRequest { setup, host, domains, mut hand_over } = request;
    let started = match session::Session::start_logging(setup, hand_over.world()) {
        Ok(started) => started,
        Err(refusal) => return Ok(Err(refusal)),
    };
    started.work_in_spool();
    let (config, mut cx) = started.into_parts();
    let Some(user) = caller::sender(&mut cx) else { return Ok(Ok(ExitCode::FAILURE)) };
    let connection = Str::from(cx.engine().world().host.pid().to_string());
    let config = config.unwrap_or_default();
    let server = Arc::new(SmtpServer::new(&config, cx.engine()));
    let deliverer = Deliverer::new(config, cx.engine(), server.clone());
    let called = match server.call_provider(&mut cx, &host, &domains) {
        Ok(called) => called,
        Err(NoProvider::Later(_)) => return Ok(Ok(ExitCode::SUCCESS)),
        Err(NoProvider::Failed(why)) => {
            let why = String::from_utf8_lossy(&why);
            return Ok(Err(Refusal::of_command(format!("no mail by ATRN: {why}"))));
        }
    };
    let CalledProvider { address, connection: turned, .. } = called;
    let mut client = Client::provider(address, user.clone());
    client.connection = connection;
    let mut session = SmtpSession::new(server, cx, client);
    if let Some(tls) = turned.tls {
        session.go_on_under(tls);
    }
    local::introduce(session.context(), &user, Vec::new());
    let wire = Wire(Arc::new(Mutex::new(turned.stream)));
    let mut out = Shared::new(wire.clone());
    let waits = Waits::AsSet;
    let onward =
        super::converse(&mut session, (wire, &mut out), waits, &mut |session, received, out| {
            local::keep(session, (received, out), &deliverer, &hand_over)
        })?;
    Ok(Ok(local::status(&session, onward)))
}

/// How long the provider may take to read what is said to it.
const LONGEST_WRITE: Duration = Duration::from_secs(5 * 60);

/// The connection, which is read and written by turns.
#[derive(Clone)]
struct Wire(Arc<Mutex<Box<dyn Stream>>>);

impl Wire {
    fn stream(&self) -> MutexGuard<'_, Box<dyn Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.stream();
        stream.set_deadline(LONGEST_WRITE);
        stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

impl Hears for Wire {
    fn hear(&mut self, piece: &mut [u8], within: Option<Duration>) -> io::Result<Option<usize>> {
        let mut stream = self.stream();
        stream.set_deadline(within.unwrap_or(Duration::MAX));
        match stream.read(piece) {
            Err(why) if why.kind() == io::ErrorKind::TimedOut => Ok(None),
            // A provider that is gone has nothing more to say.
            Err(why) if why.kind() == io::ErrorKind::ConnectionReset => Ok(Some(0)),
            heard => heard.map(Some),
        }
    }
}
