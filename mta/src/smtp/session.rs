//! A session: the connection, the transaction over it, and whose turn it is.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, OnceLock};

use eximious::acl::{AclState, Acls, OwnMessage};
use eximious::auth::Authenticators;
use eximious::config::RewriteRule;
use eximious::route::Routes;
use eximious::stdlib::wording::reason;
use eximious::trace::{Happening, SmtpEvent, SmtpSide};
use eximious::transport::{CalledProvider, NoProvider, TurnedTls};
use eximious::{Config, Context, Engine};

use super::connection::Connection;
use super::etrn::{QueueRuns, Running, StartRun};
use super::final_dot::Inlet;
use super::input::{Input, Next};
use super::stage::{Progress, Stage};
use super::transaction::Transaction;
use super::{Client, Event};

/// What all connections share: the parts of a configuration.
#[derive(Debug)]
pub struct SmtpServer {
    pub(crate) acls: Acls,
    pub(crate) rewrite: Vec<RewriteRule>,
    /// What runs for ETRN.
    pub(crate) running: Running,
    /// What runs the queue for a client that asks for its mail.
    pub(super) queue_runs: QueueRuns,
    pub(super) authenticators: Authenticators,
    /// How much memory transactions may take together, once somebody asked.
    pub(super) memory: OnceLock<Option<u64>>,
}

/// Sends at once what was said so far, and these bytes behind it.
pub type Outlet = Box<dyn FnMut(&[u8]) + Send>;

/// Marks the packets of a connection: with this octet of theirs, TOS or traffic class.
pub type TrafficMarker = Box<dyn FnMut(u8) -> std::io::Result<()> + Send>;

/// One connection, with what comes over it.
pub struct SmtpSession {
    pub(super) server: Arc<SmtpServer>,
    pub(super) setup: Setup,
    pub(super) cx: Context,
    pub(super) acl_state: AclState,
    pub(super) input: Input,
    pub(super) events: VecDeque<Event>,
    pub(super) connection: Connection,
    pub(super) transaction: Transaction,
    /// Messages that the ACL at hand had written.
    pub(super) own: Vec<OwnMessage>,
    /// While a handler has it, it is [`Stage::Done`] here.
    pub(super) stage: Stage,
}

/// What whoever runs a session wants of it.
pub(super) struct Setup {
    /// What sends at once what was said.
    pub(super) outlet: Option<Outlet>,
    /// What reads what has come already, where the client may be gone.
    pub(super) inlet: Option<Inlet>,
    /// What marks the connection's packets, where it has some.
    pub(super) marker: Option<TrafficMarker>,
    /// Whether this is a test, in which nobody waits.
    pub(super) is_test: bool,
    /// Whether ACLs may ask other hosts.
    pub(super) calls_out: bool,
    /// How much of a message is in memory before its body goes to the spool.
    pub(super) window: usize,
}

/// How much of a message is in memory before its body goes to the spool, unless
/// somebody says otherwise.
const WINDOW: usize = 64 * 1024;

impl std::fmt::Debug for SmtpSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpSession").field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl SmtpServer {
    /// The parts of a configuration that an SMTP server needs.
    pub fn new(config: &Config, engine: &Engine) -> Self {
        let routes = Routes::new(config, engine.registry(), engine.world());
        let rewrite = config.rewrite.iter().map(|(rule, _)| rule.clone()).collect();
        let authenticators = Authenticators::new(config);
        Self {
            acls: Acls::new(config, routes),
            rewrite,
            authenticators,
            running: Running::default(),
            queue_runs: QueueRuns::default(),
            memory: OnceLock::new(),
        }
    }

    /// Calls a provider for mail, as [`Routes::call_provider`] does.
    ///
    /// # Errors
    /// Why there is no mail.
    pub fn call_provider(
        &self,
        cx: &mut Context,
        host: &[u8],
        domains: &[u8],
    ) -> Result<CalledProvider, NoProvider> {
        self.acls.attach(cx);
        self.acls.routes().call_provider(cx, host, domains)
    }

    /// Says what runs the queue for a client that asks for its mail (ETRN). It stays what
    /// was said first.
    pub fn run_for_clients(&self, start: Box<StartRun>) {
        self.queue_runs.set(start);
    }
}

impl SmtpSession {
    /// A connection that was just made. The context is its own; what is set in it
    /// already stays.
    pub fn new(server: Arc<SmtpServer>, cx: Context, client: Client) -> Self {
        let began = cx.engine().world().clock.now();
        let mut session = Self {
            server,
            setup: Setup {
                outlet: None,
                inlet: None,
                marker: None,
                is_test: false,
                calls_out: true,
                window: WINDOW,
            },
            cx,
            acl_state: AclState::default(),
            input: Input::default(),
            events: VecDeque::new(),
            connection: Connection::new(client, began),
            transaction: Transaction::default(),
            own: Vec::new(),
            stage: Stage::Start,
        };
        session.server.acls.attach(&mut session.cx);
        session.set_client_variables();
        session
    }

    /// Has what was said sent before other hosts are asked, which may take its time. All
    /// events but those that were not given yet count as said.
    pub fn set_outlet(&mut self, outlet: Option<Outlet>) {
        self.setup.outlet = outlet;
    }

    /// Has packets to the client marked (`control = dscp`); without, that is left out, as
    /// where there is no socket.
    pub fn set_traffic_marker(&mut self, marker: Option<TrafficMarker>) {
        self.setup.marker = marker;
    }

    /// The connection is under TLS already: this side has begun that, as a client.
    pub fn go_on_under(&mut self, tls: TurnedTls) {
        self.continue_tls(tls);
    }

    /// Only tests: delays and runs of the queue are told of, and nothing else is done
    /// for them.
    pub fn only_test(&mut self) {
        self.setup.is_test = true;
        self.setup.calls_out = false;
    }

    /// Has the bodies of messages go to the spool where they have more than so many
    /// bytes, 64 KiB by default. Where there is no spool, they are in memory.
    pub fn set_window(&mut self, bytes: usize) {
        self.setup.window = bytes;
    }

    /// Lets ACLs ask other hosts, though this is a test.
    pub fn call_out(&mut self) {
        self.setup.calls_out = true;
    }

    /// The values of the conversation.
    pub fn context(&mut self) -> &mut Context {
        &mut self.cx
    }

    /// The values of the conversation, for somebody who goes on with them.
    pub fn into_context(self) -> Context {
        self.cx
    }

    /// Whether the conversation did not end as it should: the client went away, or
    /// made too many mistakes.
    pub fn has_failed(&self) -> bool {
        self.connection.failed
    }

    /// Whether it is over, but for events that were not given yet.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// Takes what came in. It is looked at by and by, in [`SmtpSession::next_event`]:
    /// give no more before that has nothing to say.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.take_input(bytes);
    }

    /// Nothing more will come in.
    pub fn end_of_input(&mut self) {
        self.end_input();
    }

    /// Nothing more can be read, which the logs say with the reason.
    pub fn input_failed(&mut self, why: &io::Error) {
        self.connection.broken_by = Some(reason(why));
        self.end_input();
    }

    /// What is to be done next. With nothing, more input is needed, or
    /// [`SmtpSession::conclude`], or it is over.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if !self.go_on() {
                self.note_progress();
                return None;
            }
            self.connection.read_timer.progressed = true;
        }
    }

    /// What is to be sent next, of all that was said already.
    pub fn next_reply(&mut self) -> Option<Vec<u8>> {
        match self.events.pop_front()? {
            Event::Reply(bytes) => Some(bytes),
            other => {
                self.events.push_front(other);
                None
            }
        }
    }

    /// Does the next thing; false where there is nothing to do.
    fn go_on(&mut self) -> bool {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        let (stage, done) = match self.advance(stage) {
            Progress::Next(stage) => (stage, true),
            Progress::Wait(stage) => (stage, false),
        };
        self.stage = stage;
        done
    }

    fn advance(&mut self, stage: Stage) -> Progress {
        match stage {
            Stage::Start => Progress::Next(self.start()),
            Stage::Proxy(began) => self.go_on_proxy(began),
            Stage::TlsHandshake(handshake) => self.go_on_handshake(handshake),
            Stage::Commands(last) => match self.input.line() {
                Next::Line(line) => Progress::Next(self.command_line(&line, last)),
                Next::TooLong(head) => Progress::Next(self.long_command(&head).after(last)),
                Next::More => Progress::Wait(Stage::Commands(last)),
                Next::End => Progress::Next(match self.transaction.chunks.take() {
                    Some(data) => self.connection_lost_in_message(*data),
                    None => self.connection_lost(),
                }),
            },
            Stage::Auth(attempt) => match self.input.line() {
                Next::Line(line) => Progress::Next(self.go_on_auth(*attempt, Some(&line))),
                Next::More => Progress::Wait(Stage::Auth(attempt)),
                Next::TooLong(_) => Progress::Next(self.go_on_auth(*attempt, None)),
                // Whoever is gone has nothing to say.
                Next::End => Progress::Next(self.go_on_auth(*attempt, Some(b""))),
            },
            Stage::Data(data) => self.go_on_data(data),
            Stage::Chunk(chunk) => self.go_on_chunk(chunk),
            Stage::Judged(judged) => Progress::Next(self.hand_over(*judged)),
            Stage::Deciding(_) | Stage::Done => Progress::Wait(stage),
        }
    }

    /// Says something that needs no thought.
    pub(super) fn say(&mut self, text: &[&[u8]]) {
        let mut bytes = text.concat();
        bytes.extend_from_slice(b"\r\n");
        self.say_lines(bytes);
    }

    /// The same, where the next command is all that can follow.
    pub(super) fn reply(&mut self, text: &[&[u8]]) -> Stage {
        self.say(text);
        Stage::COMMANDS
    }

    pub(super) fn say_lines(&mut self, bytes: Vec<u8>) {
        let sent = SmtpEvent::Sent { side: SmtpSide::Server, text: bytes.trim_ascii_end() };
        self.cx.tell(Happening::Smtp(sent));
        self.send(bytes);
    }

    /// Ends it, and leaves the connection to somebody else.
    pub(super) fn leave_connection(&mut self) {
        self.acl_state.cutthrough.end(&mut self.cx, "connection closed");
        self.events.push_back(Event::Close);
    }

    /// Ends it.
    pub(super) fn close(&mut self) -> Stage {
        self.acl_state.cutthrough.end(&mut self.cx, "connection closed");
        if self.connection.banner_sent {
            self.log_no_mail();
        }
        self.finish_tls();
        self.events.push_back(Event::Close);
        Stage::Done
    }
}
