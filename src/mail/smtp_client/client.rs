//! A client: commands, in the order of the protocol, and what came of them.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::Trace;
use eximious_core::trace::{Happening, SmtpEvent, SmtpSide};
use eximious_core::world::{Dialing, Net, Stream, TlsBinding, TlsSession};

use super::{
    Cause, ConnectionTrouble, Extensions, Hello, MailParams, RcptParams, Reply, SentCommand,
    SmtpCommand, SmtpConnection, SmtpError,
};

/// How long a farewell is waited for at the most.
const FAREWELL: Duration = Duration::from_secs(1);

/// How much is kept of what was said, in short.
const LONGEST_LOG: usize = 4096;

/// Where a server is, from where it is spoken to, and what.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Endpoint {
    /// The address of this host that the connection comes from, where it matters.
    pub interface: Option<IpAddr>,
    /// The server's port.
    pub port: u16,
    /// What it speaks.
    pub protocol: Protocol,
}

/// What a server speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Protocol {
    /// SMTP.
    #[default]
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
    /// SMTP, under TLS from the start.
    Smtps,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
            Self::Smtps => "smtps",
        })
    }
}

/// How long things may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// A command, and its reply as a whole.
    pub command: Duration,
    /// A piece of a message.
    pub data: Duration,
    /// The answer to a whole message.
    pub last: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Self { command: minutes(5), data: minutes(5), last: minutes(10) }
    }
}

/// The last command that was answered, or was to be, and what was heard.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exchange {
    /// The command, as errors tell of it.
    pub said: Vec<u8>,
    /// The lines of the reply, or of what no reply was.
    pub heard: Vec<u8>,
}

/// A client of an SMTP or LMTP server.
#[derive(Debug)]
pub struct SmtpClient {
    pub(super) connection: SmtpConnection,
    pub(super) timeouts: Timeouts,
    pub(super) extensions: Extensions,
    pub(super) hello: Option<Hello>,
    pub(super) binding: Option<TlsBinding>,
    pub(super) pipelines: bool,
    /// Commands that are not sent yet.
    unsent: Vec<u8>,
    /// Commands that are not answered yet.
    unanswered: VecDeque<SentCommand>,
    last: Exchange,
    /// What was said and heard, in short.
    log: Vec<u8>,
    /// Whether it is told how much is sent at once.
    tells_flushes: bool,
    /// The first lines of the server's greeting, and of its answer to this side's.
    first_lines: [Vec<u8>; 2],
    /// Whether what the server says first, or to a greeting, is still to be heard, though
    /// commands were said after it.
    greets_early: bool,
    /// What it said then.
    early_replies: Vec<(SmtpCommand, Reply)>,
    /// How the last chunk was announced: `BDAT 344 LAST`.
    pub(super) announced: String,
    /// Whether good-bye is said with the message at hand, or was.
    pub(super) leaves: bool,
    /// Why nothing more can be heard.
    broken: Option<Cause>,
    /// How many recipients the server has taken for the message at hand.
    pub(super) accepted: usize,
    /// How much of that message was sent.
    pub(super) sent: u64,
    /// Whether that is judged for each of them.
    pub(super) prdr: bool,
}

impl SmtpClient {
    /// Connects to a server. What it says first is what [`SmtpClient::banner`] hears.
    ///
    /// # Errors
    /// The connection can't be made within the time.
    pub fn connect(
        net: &dyn Net,
        to: SocketAddr,
        how: &Dialing,
        within: Duration,
        timeouts: Timeouts,
    ) -> io::Result<Self> {
        Ok(Self::new(net.dial(to, how, within)?, timeouts))
    }

    /// A client over a stream that leads to a server.
    pub fn new(stream: Box<dyn Stream>, timeouts: Timeouts) -> Self {
        let first = SentCommand::wait(SmtpCommand::Connect, b"initial connection");
        Self {
            connection: SmtpConnection::new(stream, timeouts.command),
            timeouts,
            extensions: Extensions::default(),
            hello: None,
            binding: None,
            pipelines: false,
            unsent: Vec::new(),
            unanswered: VecDeque::from([first]),
            last: Exchange::default(),
            log: Vec::new(),
            tells_flushes: true,
            first_lines: Default::default(),
            greets_early: false,
            early_replies: Vec::new(),
            leaves: false,
            broken: None,
            accepted: 0,
            sent: 0,
            announced: String::new(),
            prdr: false,
        }
    }

    /// Says whether it is told how much is sent at once, which says something as long as
    /// commands may wait for others.
    pub fn tell_flushes(&mut self, tells: bool) {
        self.tells_flushes = tells;
    }

    /// This side's address and port.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.connection.local_address()
    }

    /// What the server announced, in answer to the last greeting.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// How the server was greeted last.
    pub fn hello_said(&self) -> Option<Hello> {
        self.hello
    }

    /// Gives other times from now on.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
        self.connection.set_timeout(timeouts.command);
    }

    /// Commands are sent together where that may be and the server announced it.
    pub fn use_pipelining(&mut self, wanted: bool) {
        self.pipelines = wanted && self.extensions.pipelining;
    }

    /// Whether commands are sent together.
    pub fn pipelines(&self) -> bool {
        self.pipelines
    }

    /// The last exchange.
    pub fn last(&self) -> &Exchange {
        &self.last
    }

    /// The first line of the server's greeting, and that of its answer to this side's last
    /// one; empty where there was none.
    pub fn first_lines(&self) -> &[Vec<u8>; 2] {
        &self.first_lines
    }

    /// What the server says first.
    ///
    /// # Errors
    /// It does not say yes.
    pub fn banner(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        let reply = self.answer(trace)?;
        self.first_lines[0] = first_line(&reply);
        done(reply, SmtpCommand::Connect, &self.last.said)
    }

    /// Greets the server by a name; what it announces counts from now on.
    ///
    /// # Errors
    /// It does not say yes.
    pub fn hello(
        &mut self,
        trace: &mut Trace,
        hello: Hello,
        name: &[u8],
    ) -> Result<Reply, SmtpError> {
        let line = [hello.name().as_bytes(), b" ", name].concat();
        // What a server says before it closes is more than that it is closed.
        let _ = self.send(trace, SentCommand::new(SmtpCommand::Hello, line));
        let reply = self.answer(trace)?;
        self.first_lines[1] = first_line(&reply);
        self.hello = Some(hello);
        self.pipelines = false;
        self.extensions = match hello.is_extended() && reply.accepts() {
            true => Extensions::read(&reply),
            false => Extensions::default(),
        };
        done(reply, SmtpCommand::Hello, &self.last.said)
    }

    /// Greets the server by a name, and waits for nothing: what it announced another time, the
    /// text of its answer then, counts for now. The greeting goes with the next command
    /// (`PIPECONNECT`), and what the server says to it, and what it says first, is heard before
    /// that one's answer ([`SmtpClient::take_early_replies`]).
    pub fn hello_early(&mut self, trace: &mut Trace, hello: Hello, name: &[u8], known: &[u8]) {
        let line = [hello.name().as_bytes(), b" ", name].concat();
        self.queue(trace, SentCommand::new(SmtpCommand::Hello, line));
        self.hello = Some(hello);
        self.extensions = Extensions::read_text(known);
        self.pipelines = false;
        self.greets_early = true;
    }

    /// Whether what the server says first, or to a greeting, is still to be heard, though
    /// it was greeted.
    pub fn is_unheard(&self) -> bool {
        self.greets_early
    }

    /// What the server said first, and to a greeting that it was not waited for, as far as
    /// that was heard since the last call.
    pub fn take_early_replies(&mut self) -> Vec<(SmtpCommand, Reply)> {
        std::mem::take(&mut self.early_replies)
    }

    /// Greets the server, and does so in the old way where it does not know the new one.
    ///
    /// # Errors
    /// It says yes to neither.
    pub fn ehlo(
        &mut self,
        trace: &mut Trace,
        protocol: Protocol,
        name: &[u8],
    ) -> Result<Reply, SmtpError> {
        let hello = Hello::first(protocol == Protocol::Lmtp, false);
        match (self.hello(trace, hello, name), hello.fallback()) {
            (Err(error), Some(old)) if error.reply().is_some() => self.hello(trace, old, name),
            (answer, _) => answer,
        }
    }

    /// As [`SmtpConnection::into_parts`].
    pub fn into_parts(self) -> (Box<dyn Stream>, Option<Box<dyn TlsSession>>) {
        self.connection.into_parts()
    }

    /// Asks for the mail of some domains, separated by commas; with an empty text, for that of
    /// those that the server knows (RFC 2645). With a yes, the server is the client from
    /// now on ([`SmtpClient::into_parts`]).
    ///
    /// # Errors
    /// The server does not say yes.
    pub fn atrn(&mut self, trace: &mut Trace, domains: &[u8]) -> Result<Reply, SmtpError> {
        let line = [b"ATRN ", domains].concat();
        self.ask(trace, SentCommand::new(SmtpCommand::Atrn, line.trim_ascii_end()))
    }

    /// Begins a message.
    ///
    /// # Errors
    /// The server does not say yes.
    pub fn mail(
        &mut self,
        trace: &mut Trace,
        from: &[u8],
        params: &MailParams,
    ) -> Result<Reply, SmtpError> {
        self.ask(trace, SentCommand::mail(from, params, &self.extensions))
    }

    /// Names a recipient.
    ///
    /// # Errors
    /// The server does not say yes.
    pub fn rcpt(
        &mut self,
        trace: &mut Trace,
        to: &[u8],
        params: &RcptParams,
    ) -> Result<Reply, SmtpError> {
        self.ask(trace, SentCommand::rcpt(to, params, &self.extensions))
    }

    /// Forgets the message at hand.
    ///
    /// # Errors
    /// The server does not say yes.
    pub fn rset(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        self.ask(trace, SentCommand::new(SmtpCommand::Rset, *b"RSET"))
    }

    /// Ends the session, and waits a little for the server to agree.
    pub fn quit(&mut self, trace: &mut Trace) {
        if self.send(trace, SentCommand::new(SmtpCommand::Quit, *b"QUIT")).is_ok() {
            self.connection.hurry(FAREWELL);
            let _ = self.answer(trace);
        }
        self.close(trace);
    }

    /// The same, also of a server that took too long to answer something else.
    pub fn quit_in_any_case(&mut self, trace: &mut Trace) {
        self.broken.take_if(|cause| *cause == Cause::Timeout);
        self.quit(trace);
    }

    /// Ends the session of a delivery: says good-bye, unless that was said with the message
    /// ([`SmtpClient::leave_with_message`]), and that nothing more will come, and waits a
    /// little for the server to agree.
    pub fn leave(&mut self, trace: &mut Trace) {
        if !self.leaves && self.say_farewell(trace).is_err() {
            return self.close(trace);
        }
        self.connection.hurry(FAREWELL);
        self.expect(SentCommand::wait(SmtpCommand::Quit, b"QUIT"));
        let _ = self.answer(trace);
        self.close(trace);
    }

    /// The next message is the last one, and good-bye is said with it, where commands may be
    /// sent together.
    pub fn leave_with_message(&mut self) {
        self.leaves = self.pipelines;
    }

    /// Whether good-bye was said, or is said with the message at hand.
    pub fn leaves(&self) -> bool {
        self.leaves
    }

    pub(super) fn say_farewell(&mut self, trace: &mut Trace) -> Result<(), Cause> {
        if self.connection.is_secured() {
            let quit = SmtpEvent::Sent { side: SmtpSide::Client, text: b"QUIT" };
            trace.tell(Happening::Smtp(quit));
            self.note(b"QUIT");
            return self.put(b"QUIT\r\n");
        }
        trace.tell(Happening::Smtp(SmtpEvent::Step { text: b"  SMTP+> QUIT" }));
        self.note(b"QUIT+");
        self.put(b"QUIT\r\n")?;
        if self.connection.finish_writing() {
            trace.tell(Happening::Smtp(SmtpEvent::Step { text: b"  SMTP(shutdown)>>" }));
        }
        Ok(())
    }

    /// Ends the session, and waits for nothing.
    pub fn abandon(&mut self, trace: &mut Trace) {
        let heard = self.last.heard.clone();
        let _ = self.send(trace, SentCommand::new(SmtpCommand::Quit, *b"QUIT"));
        self.last.heard = heard;
        self.close(trace);
    }

    /// Closes the connection without a word.
    pub fn close(&mut self, trace: &mut Trace) {
        self.connection.finish();
        trace.tell(Happening::Smtp(SmtpEvent::Closed { history: &self.log }));
    }

    /// Says a command, and waits for its answer.
    ///
    /// # Errors
    /// The server does not say yes.
    pub fn ask(&mut self, trace: &mut Trace, request: SentCommand) -> Result<Reply, SmtpError> {
        let command = request.command;
        self.send(trace, request)?;
        let reply = self.answer(trace)?;
        done(reply, command, &self.last.said)
    }

    /// Keeps a command until another one is sent.
    pub fn queue(&mut self, trace: &mut Trace, request: SentCommand) {
        self.hold(trace, &request);
        self.unanswered.push_back(request);
    }

    /// The same of one whose answer is that to something else.
    pub(super) fn hold(&mut self, trace: &mut Trace, request: &SentCommand) {
        trace.tell(Happening::Smtp(SmtpEvent::Held { text: &request.shown }));
        self.note(&[request.verb(), b"|"].concat());
        self.unsent.extend_from_slice(&request.line);
        self.unsent.extend_from_slice(b"\r\n");
    }

    /// Sends a command, and those that were kept before it.
    ///
    /// # Errors
    /// They can't be sent.
    pub fn send(&mut self, trace: &mut Trace, request: SentCommand) -> Result<(), SmtpError> {
        trace.tell(Happening::Smtp(SmtpEvent::Sent {
            side: SmtpSide::Client,
            text: &request.shown,
        }));
        self.note(request.verb());
        self.last = Exchange { said: request.blamed().to_vec(), heard: Vec::new() };
        self.unsent.extend_from_slice(&request.line);
        self.unsent.extend_from_slice(b"\r\n");
        if self.tells_flushes {
            trace.tell(Happening::Smtp(SmtpEvent::Flushed { count: self.unsent.len() }));
        }
        let bytes = std::mem::take(&mut self.unsent);
        let sent = self.put(&bytes).map_err(|cause| error(&request, cause));
        self.unanswered.push_back(request);
        sent
    }

    /// As [`SmtpConnection::want_whole_replies`].
    pub fn want_whole_replies(&mut self) {
        self.connection.want_whole_replies();
    }

    /// As [`SmtpConnection::write_error`].
    pub fn write_error(&self) -> Option<i32> {
        self.connection.write_error()
    }

    /// Forgets what the server said before it was asked, where everything is answered.
    pub fn forget_early(&mut self) {
        if self.unanswered.is_empty() {
            self.connection.forget_early();
        }
    }

    /// The answer to the first command that has none yet, whatever it is; but for greetings
    /// that were not waited for.
    ///
    /// # Errors
    /// There is none, or the server does not want to be greeted.
    pub fn answer(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        if self.greets_early {
            self.hear_greetings(trace)?;
        }
        self.next_answer(trace)
    }

    /// Hears what the server says first, and to greetings that were not waited for. Where it
    /// says no to the latter it may still take what came with it.
    fn hear_greetings(&mut self, trace: &mut Trace) -> Result<(), SmtpError> {
        self.greets_early = false;
        let last = self.last.said.clone();
        while let Some(first) = self.unanswered.front()
            && matches!(first.command, SmtpCommand::Connect | SmtpCommand::Hello)
        {
            let command = first.command;
            let reply = match self.next_answer(trace) {
                Ok(reply) => reply,
                // What was said last is what nobody answers.
                Err(error) => return Err(SmtpError { said: last, ..error }),
            };
            let at = usize::from(command == SmtpCommand::Hello);
            self.first_lines[at] = first_line(&reply);
            self.early_replies.push((command, reply.clone()));
            match command {
                SmtpCommand::Hello if reply.accepts() => {
                    self.extensions = Extensions::read(&reply);
                    self.pipelines &= self.extensions.pipelining;
                }
                SmtpCommand::Connect if !reply.accepts() => {
                    let cause = Cause::Replied(reply);
                    // No answer to what came after it means anything.
                    self.broken = Some(cause.clone());
                    return Err(SmtpError { command, said: last, cause });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn next_answer(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        let Some(request) = self.unanswered.pop_front() else {
            let (command, cause) = (SmtpCommand::Quit, Cause::NothingAsked);
            return Err(SmtpError { command, said: Vec::new(), cause });
        };
        self.last.said = request.blamed().to_vec();
        if let Some(cause) = &self.broken {
            return Err(error(&request, cause.clone()));
        }
        let reply = self.connection.reply();
        let text = match &reply {
            Ok(reply) => reply.text(),
            Err(ConnectionTrouble::Malformed(text) | ConnectionTrouble::Broken(text, _)) => text,
            Err(_) => b"",
        };
        if !text.is_empty() {
            trace.tell(Happening::Smtp(SmtpEvent::Received { side: SmtpSide::Client, text }));
            let code = text.get(..4).unwrap_or(text);
            let code = code.strip_suffix(b" ").unwrap_or(code).to_vec();
            self.last.heard = text.to_vec();
            self.note(&code);
        }
        let reply = reply.map_err(|trouble| {
            let error = error(&request, trouble);
            if matches!(error.cause, Cause::Timeout | Cause::Closed | Cause::Broken(..)) {
                self.broken = Some(error.cause.clone());
            }
            error
        })?;
        match request.command {
            SmtpCommand::Mail => (self.accepted, self.prdr) = (0, request.prdr && reply.accepts()),
            SmtpCommand::Rcpt => self.accepted += usize::from(reply.accepts()),
            SmtpCommand::Rset | SmtpCommand::Hello => (self.accepted, self.prdr) = (0, false),
            _ => {}
        }
        Ok(reply)
    }

    /// The answer to a command that is of no interest any more, but comes first. The
    /// exchange before it is still the last one.
    pub fn skip_answer(&mut self, trace: &mut Trace) {
        let last = self.last.clone();
        let _ = self.answer(trace);
        self.last = last;
    }

    /// Sends nothing, and waits for something all the same.
    pub(super) fn expect(&mut self, request: SentCommand) {
        self.unanswered.push_back(request);
    }

    /// Sends bytes, and the commands that were kept before them.
    pub(super) fn put_with_held(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        let mut all = std::mem::take(&mut self.unsent);
        if all.is_empty() {
            return self.put(bytes);
        }
        all.extend_from_slice(bytes);
        self.put(&all)
    }

    /// Sends bytes, as far as anybody can hear them.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        match &self.broken {
            Some(cause) => Err(cause.clone()),
            None => self.connection.send(bytes).map_err(Cause::from),
        }
    }

    pub(super) fn note(&mut self, word: &[u8]) {
        if self.log.len() > LONGEST_LOG {
            return;
        }
        if !self.log.is_empty() {
            self.log.push(b':');
        }
        self.log.extend_from_slice(word);
    }
}

pub(super) fn error(request: &SentCommand, cause: impl Into<Cause>) -> SmtpError {
    SmtpError { command: request.command, said: request.blamed().to_vec(), cause: cause.into() }
}

fn first_line(reply: &Reply) -> Vec<u8> {
    let text = reply.text();
    text.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec()
}

/// A reply that says yes.
fn done(reply: Reply, command: SmtpCommand, said: &[u8]) -> Result<Reply, SmtpError> {
    match reply.accepts() {
        true => Ok(reply),
        false => Err(SmtpError { command, said: said.to_vec(), cause: Cause::Replied(reply) }),
    }
}
