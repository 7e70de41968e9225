//! `-bh`: an SMTP session at the standard input and output, as if from a host
//! (specification 5.2). What is done is told on the standard error.

pub mod batch;
pub mod customer;
pub mod local;

use std::io::{self, BufWriter, Read, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use eximious::debugging::{TestComments, indented};
use eximious::stdlib::options::log_options;
use eximious::world::Log;
use eximious::{Context, Str, Var, World, var};
use eximious_mta::smtp::{Client, Event, Received, SmtpServer, SmtpSession, SpoolOutcome};
use eximious_world::TestStamps;

use crate::caller;
use crate::refusal::Refusal;
use crate::session::{self, Setup};

/// How much is read at once: no less than the standard input has room for, so that
/// nothing that was read already waits there while it is asked whether more has come.
const PIECE: usize = 8 * 1024;

/// Ports below this are the superuser's to open.
const FIRST_UNPRIVILEGED: u16 = 1024;

/// `-bh`: SMTP is to be spoken, as if with a host.
#[derive(Debug)]
pub struct HostRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// The host, and its port.
    pub host: SocketAddr,
    /// `-bhc`: ACLs may ask other hosts, though it is a test.
    pub calls_out: bool,
}

/// Who is at the other end of the standard input, and the address here, where it is a
/// connection that somebody took for this program (specification 49.2). At a port that
/// anybody may open, anybody may have called from any address of a network of his own: there
/// the superuser and the mail server's user alone are believed.
fn handed_connection(cx: &Context) -> Result<Option<(SocketAddr, SocketAddr)>, Refusal> {
    let Some((peer, own)) = eximious_world::input_connection() else { return Ok(None) };
    let engine = cx.engine();
    if own.port() >= FIRST_UNPRIVILEGED && !caller::is_server(engine.settings(), engine.world()) {
        let why = b"exim: Permission denied (unprivileged user, unprivileged port)";
        return Err(Refusal::Said(why.to_vec()));
    }
    Ok(Some((peer, own)))
}

/// Speaks SMTP until one side has enough.
///
/// # Errors
/// The standard output can't be written.
pub fn run(request: HostRequest) -> io::Result<Result<ExitCode, Refusal>> {
    let HostRequest { setup, host, calls_out } = request;
    let is_debugged = setup.debug.is_some_and(|selector| selector.bits() != 0);
    let is_watched = setup.verbose || is_debugged;
    let setup = Setup { is_test: true, ..setup };
    let given = |variable: Var| setup.variables.get(variable).map(<[u8]>::to_vec);
    let known = given(var::AUTHENTICATED_ID);
    let ident = given(var::SENDER_IDENT);
    let log = Arc::new(Told::default());
    let world = World { log: log.clone(), ..eximious_world::system() };
    let started = match session::Session::start(setup, world) {
        Ok(started) => started,
        Err(refusal) => return Ok(Err(refusal)),
    };
    started.work_in_spool();
    let (config, mut cx) = started.into_parts();
    let stamps = TestStamps::new(&log_options(cx.engine().settings()));
    // Nobody else sets it.
    let _ = log.0.set(stamps);
    let server = SmtpServer::new(&config.unwrap_or_default(), cx.engine());
    let local_address = cx.value_of(var::RECEIVED_IP_ADDRESS).display().parse().ok();
    let local_port = cx.value_of(var::RECEIVED_PORT).display().parse().ok();
    let address = host.ip().to_canonical();
    let mut client = Client::at(host);
    client.connection = Str::from(cx.engine().world().host.pid().to_string());
    client.local_address = local_address;
    client.local_port = local_port;
    if !is_watched {
        cx.observe(Arc::new(TestComments::new(say)));
    }
    let mut session = SmtpSession::new(Arc::new(server), cx, client);
    // Whoever runs the program is not the client, but may say as whom it is known.
    session.context().set_var(var::AUTHENTICATED_ID, Str::tainted(known.unwrap_or_default()));
    session.only_test();
    if let Some(ident) = ident {
        session.context().set_var(var::SENDER_IDENT, ident);
        eximious::client::describe(session.context());
    }
    if calls_out {
        session.call_out();
    }
    let heading = format!(
        "\n**** SMTP testing session as if from host {address}\n\
         **** but without any ident (RFC 1413) callback.\n\
         **** This is not for real!\n\n"
    );
    let mut out = Shared::new(Headed { heading: Some(heading), out: io::stdout() });
    let input = StandardInput;
    let waits = Waits::ForEver;
    let _ = converse(&mut session, (input, &mut out), waits, &mut |session, received, out| {
        session.conclude(&SpoolOutcome::Spooled);
        while let Some(event) = session.next_reply() {
            out.write_all(&event)?;
        }
        if !received.judged_for_each {
            out.write_all(b"\n**** SMTP testing: that is not a real message id!\n\n")?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    out.flush()?;
    out.writer().get_mut().head()?;
    out.flush()?;
    Ok(Ok(ExitCode::SUCCESS))
}

/// An output with a heading before the first thing that is said: what a proxy says
/// is heard before that.
struct Headed<W> {
    heading: Option<String>,
    out: W,
}

impl<W: Write> Headed<W> {
    fn head(&mut self) -> io::Result<()> {
        match self.heading.take() {
            Some(heading) => self.out.write_all(heading.as_bytes()),
            None => Ok(()),
        }
    }
}

impl<W: Write> Write for Headed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.head()?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What becomes of a message that has come, and whether the conversation goes on behind it.
type Take<'t> =
    &'t mut dyn FnMut(&mut SmtpSession, &mut Received, &mut dyn Write) -> io::Result<Onward>;

/// Whether a conversation goes on.
type Onward = ControlFlow<()>;

/// How long the client may think.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waits {
    /// As long as the options say.
    AsSet,
    /// As long as it likes: it is somebody who types.
    ForEver,
}

/// An output that a session may have flushed. What is said goes out in one piece: the
/// network waits between small ones.
struct Shared<W: Write>(Arc<Mutex<BufWriter<W>>>);

impl<W: Write> Shared<W> {
    fn new(out: W) -> Self {
        Self(Arc::new(Mutex::new(BufWriter::new(out))))
    }

    fn writer(&self) -> MutexGuard<'_, BufWriter<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

/// Where the client is heard.
trait Hears {
    /// Waits for more, for some time; how much it is, and nothing where none came in time.
    fn hear(&mut self, piece: &mut [u8], within: Option<Duration>) -> io::Result<Option<usize>>;
}

/// The standard input.
struct StandardInput;

impl Hears for StandardInput {
    fn hear(&mut self, piece: &mut [u8], within: Option<Duration>) -> io::Result<Option<usize>> {
        match within {
            Some(time) if !eximious_world::input_within(time)? => Ok(None),
            _ => io::stdin().lock().read(piece).map(Some),
        }
    }
}

/// Takes what is at the standard input already, up to some bound; true where nothing more
/// will come.
fn take_at_once(bytes: &mut Vec<u8>) -> bool {
    let mut piece = [0; PIECE];
    match StandardInput.hear(&mut piece, Some(Duration::ZERO)) {
        Ok(Some(0)) => true,
        Ok(Some(count)) => {
            bytes.extend_from_slice(&piece[..count]);
            false
        }
        Ok(None) => false,
        Err(why) => why.kind() != io::ErrorKind::Interrupted,
    }
}

/// Goes between a session and its client; whether it was broken off behind a message.
fn converse<W: Write + Send + 'static>(
    session: &mut SmtpSession,
    (mut input, out): (impl Hears, &mut Shared<W>),
    waits: Waits,
    take: Take<'_>,
) -> io::Result<Onward> {
    let outlet = Shared(out.0.clone());
    session.set_outlet(Some(Box::new(move |bytes| {
        // That nobody listens is found out when more is said.
        let mut out = outlet.writer();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    })));
    let mut piece = [0; PIECE];
    let mut ended = false;
    loop {
        while let Some(event) = session.next_event() {
            match event {
                Event::Reply(bytes) => out.write_all(&bytes)?,
                Event::Message(mut received) => {
                    if take(session, &mut received, out)?.is_break() {
                        return Ok(Onward::Break(()));
                    }
                }
                Event::Delay { time, sends } => {
                    if sends {
                        out.flush()?;
                    }
                    std::thread::sleep(time);
                }
                Event::Close => return out.flush().map(Onward::Continue),
            }
        }
        out.flush()?;
        if ended {
            return Ok(Onward::Continue(()));
        }
        let within = session.read_timeout().filter(|_| waits != Waits::ForEver);
        match input.hear(&mut piece, within) {
            Ok(None) => session.time_out(),
            Ok(Some(0)) => {
                ended = true;
                session.end_of_input();
            }
            Ok(Some(count)) => session.receive(&piece[..count]),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

/// Says something beside the session.
fn say(text: &[u8]) {
    // There is nobody to tell that the standard error is closed.
    let _ = io::stderr().write_all(text);
}

/// Log lines, told as they are; once the configuration is read, with what it wants before
/// them.
#[derive(Default)]
struct Told(OnceLock<TestStamps>);

impl Told {
    fn line(&self, line: &[u8]) {
        let stamp = self.0.get().map(TestStamps::now).unwrap_or_default();
        say(&[b"LOG: ", &stamp[..], line, b"\n"].concat());
    }
}

impl Log for Told {
    fn main(&self, line: &[u8]) {
        self.line(line);
    }
    fn panic(&self, line: &[u8]) {
        self.line(line);
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.line(line);
    }
    fn debug(&self, text: &[u8]) {
        // It ends its line by itself.
        say(&indented(b">>> ", 0, text.strip_suffix(b"\n").unwrap_or(text)));
    }
}
