//! A connection: what is known of it, and whose turn it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use eximious::acl::{AclState, Acls};
use eximious::auth::Authenticators;
use eximious::config::RewriteRule;
use eximious::route::Routes;
use eximious::trace::{Happening, SmtpEvent, SmtpSide};
use eximious::world::Moment;
use eximious::{Config, Context, Engine, Str};

use super::auth::{Attempt, Known};
use super::bdat::Chunk;
use super::data::Arrival;
use super::ehlo::{Advertised, Permissions};
use super::errors::Counts;
use super::etrn::Running;
use super::header::Arrived;
use super::input::{Input, Next};
use super::mail::{Before, Envelope, Refusals};
use super::mail_data::Reading;
use super::sync::Pipelined;
use super::tls::{Secured, Shaking};
use super::{Client, Event};

/// What all connections share: the parts of a configuration.
#[derive(Debug)]
pub struct Server {
    pub(crate) acls: Acls,
    pub(crate) rewrite: Vec<RewriteRule>,
    /// What runs for ETRN.
    pub(crate) running: Running,
    pub(super) authenticators: Authenticators,
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing was said yet.
    Start,
    /// The header of a proxy is expected, since then.
    Proxy(Moment),
    /// TLS begins.
    Shaking(Box<Shaking>),
    /// A command is expected.
    Commands,
    /// The answer to what an authenticator asks.
    Auth(Box<Attempt>),
    /// The lines of a message.
    Data(Reading),
    /// A chunk of a message.
    Chunk(Chunk),
    /// Somebody else decides on a message.
    Deciding(Box<Arrival>),
    /// It is over.
    Done,
}

/// Sends at once what was said so far, and these bytes behind it.
pub type Outlet = Box<dyn FnMut(&[u8]) + Send>;

/// One connection.
pub struct Session {
    pub(super) server: Arc<Server>,
    pub(super) cx: Context,
    pub(super) acl_state: AclState,
    /// What sends at once what was said.
    pub(super) outlet: Option<Outlet>,
    /// Whether this is a test, in which nobody waits.
    pub(super) hurries: bool,
    /// Whether ACLs may ask other hosts.
    pub(super) calls_out: bool,
    pub(super) input: Input,
    /// TLS around it all.
    pub(super) tls: Secured,
    pub(super) events: VecDeque<Event>,
    pub(super) stage: Stage,
    pub(super) client: Client,
    /// The name by which this host goes.
    pub(super) host: Str,
    /// When it began.
    pub(super) began: Moment,
    pub(super) may: Permissions,
    pub(super) offers: Advertised,
    pub(super) known: Known,
    pub(super) counts: Counts,
    /// The last commands, the oldest first.
    pub(super) history: VecDeque<&'static str>,
    /// The command at hand, for logs.
    pub(super) command: Vec<u8>,
    pub(super) envelope: Option<Envelope>,
    pub(super) refusals: Refusals,
    pub(super) before: Before,
    /// The name of the message at hand, or of the last one: log lines begin with
    /// it.
    pub(super) id: Str,
    /// The chunks of the message at hand so far.
    pub(super) chunks: Option<Reading>,
    /// What is to be said of the last chunk.
    pub(super) chunk_reply: Option<String>,
    /// Only RSET is accepted now: chunks were out of order.
    pub(super) only_reset: bool,
    /// How long it waits for a line of the client, once that is known.
    pub(super) patience: Option<Option<Duration>>,
    /// Whether it did not end as it should.
    pub(super) failed: bool,
    /// Whether a proxy did not say who the client is: then nothing is done for it.
    pub(super) proxy_failed: bool,
    /// Which commands came before they were asked for.
    pub(super) pipelined: Pipelined,
    /// Whether the host that is connected may say XCLIENT, once that is known.
    pub(super) names_clients: Option<bool>,
    /// Whether XCLIENT named the client.
    pub(super) was_named: bool,
    /// Whether anything came to its end since then.
    pub(super) progressed: bool,
    /// When the last line ended, or whatever else is waited for began.
    pub(super) waits_since: Moment,
    /// When the message at hand began to come in.
    pub(super) reading_since: Moment,
    /// When all of the message was there.
    pub(super) received_at: Moment,
    /// Whether the message that has arrived is kept as it came.
    pub(super) is_wire: bool,
    /// What is known of the message that has arrived.
    pub(super) arrived: Arrived,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Server {
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
        }
    }
}

impl Session {
    /// A connection that was just made. The context is its own; what is set in it
    /// already stays.
    pub fn new(server: Arc<Server>, cx: Context, client: Client) -> Self {
        let began = cx.engine().world().clock.now();
        let mut session = Self {
            server,
            cx,
            acl_state: AclState::default(),
            outlet: None,
            hurries: false,
            calls_out: true,
            input: Input::default(),
            tls: Secured::default(),
            events: VecDeque::new(),
            stage: Stage::Start,
            client,
            host: Str::EMPTY,
            began,
            may: Permissions::default(),
            offers: Advertised::default(),
            known: Known::default(),
            counts: Counts::default(),
            history: VecDeque::new(),
            command: Vec::new(),
            envelope: None,
            refusals: Refusals::default(),
            before: Before::default(),
            id: Str::EMPTY,
            chunks: None,
            chunk_reply: None,
            only_reset: false,
            patience: None,
            failed: false,
            proxy_failed: false,
            names_clients: None,
            pipelined: Pipelined::default(),
            was_named: false,
            progressed: false,
            waits_since: began,
            reading_since: began,
            received_at: began,
            is_wire: false,
            arrived: Arrived::default(),
        };
        session.server.acls.attach(&mut session.cx);
        session.introduce();
        session
    }

    /// Has what was said sent before other hosts are asked, which may take its time. All
    /// events but those that were not given yet count as said.
    pub fn set_outlet(&mut self, outlet: Option<Outlet>) {
        self.outlet = outlet;
    }

    /// Only tests: delays and runs of the queue are told of, and nothing else is done
    /// for them.
    pub fn only_test(&mut self) {
        self.hurries = true;
        self.calls_out = false;
    }

    /// Lets ACLs ask other hosts, though this is a test.
    pub fn call_out(&mut self) {
        self.calls_out = true;
    }

    /// The values of the conversation.
    pub fn context(&mut self) -> &mut Context {
        &mut self.cx
    }

    /// Takes what came in. It is looked at by and by, in [`Session::next_event`]:
    /// give no more before that has nothing to say.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.take_sealed(bytes);
    }

    /// Nothing more will come in.
    pub fn end_of_input(&mut self) {
        self.end_sealed();
    }

    /// What is to be done next. With nothing, more input is needed, or
    /// [`Session::conclude`], or it is over.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if !self.go_on() {
                self.note_progress();
                return None;
            }
            self.progressed = true;
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
        match &self.stage {
            Stage::Start => {
                self.stage = Stage::Commands;
                self.start();
                true
            }
            Stage::Proxy(_) => self.go_on_proxy(),
            Stage::Shaking(_) => self.go_on_shaking(),
            Stage::Commands => match self.input.line() {
                Next::Line(line) => {
                    self.command_line(&line);
                    true
                }
                Next::TooLong => {
                    self.unknown();
                    true
                }
                Next::More => false,
                Next::End => {
                    match self.chunks.is_some() {
                        true => self.lost_in_message(),
                        false => self.lost(),
                    }
                    true
                }
            },
            Stage::Auth(_) => match self.input.line() {
                Next::Line(line) => {
                    self.go_on_with_auth(Some(&line));
                    true
                }
                Next::More => false,
                Next::TooLong => {
                    self.go_on_with_auth(None);
                    true
                }
                // Whoever is gone has nothing to say.
                Next::End => {
                    self.go_on_with_auth(Some(b""));
                    true
                }
            },
            Stage::Data(_) => self.go_on_reading(),
            Stage::Chunk(_) => self.go_on_chunk(),
            Stage::Deciding(_) | Stage::Done => false,
        }
    }

    /// Says something that needs no thought.
    pub(super) fn say(&mut self, text: &[&[u8]]) {
        let mut bytes = text.concat();
        bytes.extend_from_slice(b"\r\n");
        self.say_lines(bytes);
    }

    pub(super) fn say_lines(&mut self, bytes: Vec<u8>) {
        let sent = SmtpEvent::Sent { side: SmtpSide::Server, text: bytes.trim_ascii_end() };
        self.cx.tell(Happening::Smtp(sent));
        self.send(bytes);
    }

    /// Ends it.
    pub(super) fn close(&mut self) {
        self.acl_state.cutthrough.end(&mut self.cx, "connection closed");
        if self.may.was_greeted {
            self.log_no_mail();
        }
        self.finish_tls();
        self.events.push_back(Event::Close);
        self.stage = Stage::Done;
    }
}
