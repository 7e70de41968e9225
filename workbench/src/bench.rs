//! A configuration on the bench: conversations, addresses and ACLs by hand, each recorded,
//! and held up where somebody wants it.

use std::net::SocketAddr;
use std::sync::Arc;

use eximious::acl::AclVerdict;
use eximious::route::{Purpose, Report, Request, RouteError, Routes};
use eximious::{
    AclPhases, Config, Context, Conversation, Decision, Engine, Fail, Loaded, Opt, Str, World, opt,
};
use eximious_mta::smtp::SmtpServer;

use crate::debugger::{Breakpoints, Debugger, Front, Resume, StopPlaces};
use crate::dialogue::{ClientDialogue, LogLines, Said};
use crate::record::{RecordLimits, Recording};
use crate::tree::{self, TraceNode};

/// A configuration on the bench.
pub struct Bench {
    loaded: Loaded,
    log: Arc<LogLines>,
    server: Arc<SmtpServer>,
    recording: Arc<Recording>,
    debugger: Option<Arc<Debugger>>,
    talk: Option<ClientDialogue>,
    /// How the next run begins.
    begins: Resume,
}

/// A line of a session, and what came of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionLine {
    /// What the client said: with a message, all its lines.
    pub line: Vec<u8>,
    /// What the server said.
    pub said: Said,
    /// What was logged.
    pub log: Vec<Str>,
}

impl SessionLine {
    /// What passed, line by line: `C: …`, `S: …`, `LOG: …`.
    pub fn lines(&self) -> Vec<String> {
        let line = String::from_utf8_lossy(&self.line);
        let reply = String::from_utf8_lossy(&self.said.reply);
        let client = line.lines().map(|line| format!("C: {line}"));
        let server = reply.lines().map(|line| format!("S: {line}"));
        let log = self.log.iter().map(|line| format!("LOG: {}", line.display()));
        client.chain(server).chain(log).collect()
    }
}

/// What an ACL is asked about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AclQuestion {
    /// The ACL's name, or its text.
    pub acl: Str,
    /// The client's address and port.
    pub client: SocketAddr,
    /// The name that the client gives itself; empty for none.
    pub helo: String,
    /// The sender of the envelope; empty for a bounce.
    pub sender: String,
    /// The recipient, where it is about one.
    pub recipient: Option<String>,
}

impl AclQuestion {
    /// A question about nobody in particular: a local client, a bounce, no recipient.
    pub fn new(acl: impl Into<Str>) -> Self {
        let client = SocketAddr::from(([127, 0, 0, 1], 0));
        let (helo, sender) = (String::new(), String::new());
        Self { acl: acl.into(), client, helo, sender, recipient: None }
    }
}

impl Bench {
    /// A configuration, with an engine whose world is the one outside; where its log lines
    /// went, they are kept here.
    pub fn new(config: Config, engine: &Engine) -> Self {
        let log = Arc::new(LogLines::default());
        let world = World { log: log.clone(), ..engine.world().clone() };
        let engine = engine.with_world(world);
        let server = Arc::new(SmtpServer::new(&config, &engine));
        Self {
            loaded: engine.load(config),
            log,
            server,
            recording: Arc::new(Recording::new(RecordLimits::default())),
            debugger: None,
            talk: None,
            begins: Resume::Continue,
        }
    }

    /// The configuration, made ready.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Lines for logs since the last time.
    pub fn log_lines(&self) -> Vec<Str> {
        self.log.take()
    }

    /// From here on, runs are held up where the breakpoints say so, and this front is asked.
    pub fn debug_with(&mut self, front: Box<dyn Front>) -> Arc<Debugger> {
        let debugger = Arc::new(Debugger::new(front, self.recording.clone()));
        let places = Arc::new(StopPlaces::of(self.loaded.config()));
        debugger.change(|points| points.know(places));
        self.debugger = Some(debugger.clone());
        debugger
    }

    /// Changes where runs are held up; nothing, where nobody is asked.
    pub fn debug_points(&self, work: impl FnOnce(&mut Breakpoints)) {
        if let Some(debugger) = &self.debugger {
            debugger.change(work);
        }
    }

    /// The next run begins so: with [`Resume::Step`], it is held up at its first step.
    pub fn begin_with(&mut self, resume: Resume) {
        self.begins = resume;
    }

    /// What the last run did.
    pub fn happened(&self) -> Vec<TraceNode> {
        tree::grow(self.recording.since(0))
    }

    /// Whether all of it is there.
    pub fn is_complete(&self) -> bool {
        !self.recording.is_full()
    }

    /// A context beside another one, with its message, the outside of the bench and its
    /// witnesses.
    pub fn context(&mut self, like: &Context) -> Context {
        self.on_bench(Context::sibling_with_message, like)
    }

    fn on_bench(&mut self, beside: fn(&Context, World) -> Context, like: &Context) -> Context {
        let world = self.loaded.engine().world().clone();
        let mut cx = beside(like, world);
        self.loaded.acls().attach(&mut cx);
        self.watch(&mut cx);
        cx
    }

    fn watch(&mut self, cx: &mut Context) {
        match &self.debugger {
            Some(debugger) => debugger.attach(cx),
            None => cx.observe(self.recording.clone()),
        }
    }

    /// A run begins: what the one before did is forgotten.
    pub fn begin_run(&mut self) {
        self.recording.take();
        if let Some(debugger) = &self.debugger {
            debugger.begin(std::mem::take(&mut self.begins));
        }
    }

    /// The conversation at hand.
    pub fn talk(&mut self) -> Option<&mut ClientDialogue> {
        self.talk.as_mut()
    }

    /// A client connects; a conversation before that is over. The values of the context go
    /// with it.
    pub fn connect(&mut self, like: &Context, client: SocketAddr) -> Said {
        self.begin_run();
        self.talk = None;
        // A message is what the client will send.
        let cx = self.on_bench(Context::sibling, like);
        let (talk, said) = ClientDialogue::with(self.server.clone(), cx, client);
        self.talk = Some(talk).filter(|talk| !talk.is_over());
        said
    }

    /// A whole session: the client's lines, each with what came of it. The first is the
    /// greeting, for no line at all. A message is one line, with its lines.
    pub fn session(
        &mut self,
        like: &Context,
        client: SocketAddr,
        script: &[u8],
    ) -> Vec<SessionLine> {
        let mut all = Vec::new();
        self.session_told(like, client, script, &mut |line| all.push(line));
        all
    }

    /// As [`Bench::session`]; each line is told as soon as it is answered.
    pub fn session_told(
        &mut self,
        like: &Context,
        client: SocketAddr,
        script: &[u8],
        tell: &mut dyn FnMut(SessionLine),
    ) {
        let said = self.connect(like, client);
        tell(SessionLine { line: Vec::new(), said, log: self.log_lines() });
        let mut pending = Vec::new();
        // A client that says nothing says no empty line either.
        let text = script.strip_suffix(b"\n").unwrap_or(script);
        let lines = (!script.is_empty()).then(|| text.split(|c| *c == b'\n'));
        for line in lines.into_iter().flatten() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(talk) = self.talk.as_mut() else { break };
            pending.extend_from_slice(&[line, b"\n"].concat());
            let said = talk.say(line);
            if said.reply.is_empty() && !talk.is_over() {
                continue;
            }
            let line = std::mem::take(&mut pending);
            tell(SessionLine { line, said, log: self.log_lines() });
        }
        if let Some(mut talk) = self.talk.take().filter(|talk| !talk.is_over()) {
            let said = talk.end();
            tell(SessionLine { line: pending, said, log: self.log_lines() });
        }
    }

    /// The client says a line; nothing, where there is no conversation.
    pub fn say(&mut self, line: &[u8]) -> Option<Said> {
        self.converse(|talk| talk.say(line))
    }

    /// The client sends a message; nothing, where there is no conversation.
    pub fn data(&mut self, message: &[u8]) -> Option<Said> {
        self.converse(|talk| talk.data(message))
    }

    /// The client goes away; nothing, where there is no conversation.
    pub fn hang_up(&mut self) -> Option<Said> {
        let said = self.converse(ClientDialogue::end);
        self.talk = None;
        said
    }

    fn converse(&mut self, work: impl FnOnce(&mut ClientDialogue) -> Said) -> Option<Said> {
        let mut talk = self.talk.take()?;
        self.begin_run();
        let said = work(&mut talk);
        self.talk = Some(talk).filter(|talk| !talk.is_over());
        Some(said)
    }

    /// Expands a text, with all that happens recorded.
    ///
    /// # Errors
    /// What the expansion fails with.
    pub fn expand(&mut self, like: &Context, text: &[u8]) -> Result<Str, Fail> {
        self.begin_run();
        let mut cx = self.context(like);
        let engine = cx.engine().clone();
        engine.expand_once(text, &mut cx)
    }

    /// What becomes of an address, and of those that it is redirected to (`-bt`).
    pub fn route(&mut self, like: &Context, address: &[u8]) -> Vec<Fate> {
        self.begin_run();
        let mut cx = self.context(like);
        fates(self.loaded.routes(), &mut cx, address)
    }

    /// What an ACL says. It runs in the phase whose option names it; otherwise as if it
    /// were asked about a recipient, where there is one, and about a message where there
    /// is none. The context's message is there, unless the ACL has its turn before that.
    pub fn ask_acl(&mut self, like: &Context, question: &AclQuestion) -> Decision {
        self.begin_run();
        let cx = self.context(like);
        question_asked(&self.loaded, cx, question).0
    }
}

/// Asks an ACL, as [`Bench::ask_acl`] does; the context is given back.
pub(crate) fn question_asked(
    loaded: &Loaded,
    cx: Context,
    question: &AclQuestion,
) -> (Decision, Context) {
    let named = phase_of(loaded, &question.acl);
    let phase = named.unwrap_or(match question.recipient {
        Some(_) => AclPhases::RCPT,
        None => AclPhases::DATA,
    });
    let sees_message = named.is_none_or(|phase| phase.intersects(WITH_MESSAGE));
    let message = cx.message().filter(|_| sees_message).cloned();
    let mut talk = Conversation::within(loaded.clone(), cx, question.client.ip());
    let port = question.client.port().to_string();
    talk.context().set_var(eximious::var::SENDER_HOST_PORT, Str::from(port));
    if !question.helo.is_empty() {
        let name = Str::tainted(question.helo.as_bytes());
        talk.context().set_var(eximious::var::SENDER_HELO_NAME, name);
    }
    let before_mail = AclPhases::CONNECT | AclPhases::HELO | AclPhases::AUTH;
    if !phase.intersects(before_mail) {
        // What who asks has set stays, though a message begins.
        let own = talk.context().family(b"acl_m");
        talk.begin_message(&question.sender);
        for (name, value) in own {
            talk.context().set(name, value);
        }
    }
    if message.is_some() || talk.context().message().is_some() {
        talk.context().set_message(message);
    }
    let decision = match &question.recipient {
        Some(recipient) if phase == AclPhases::RCPT => talk.rcpt_with(&question.acl, recipient),
        _ => talk.ask(&question.acl, phase),
    };
    (decision, talk.into_context())
}

/// Which phase an ACL belongs to: that of the option that names it.
fn phase_of(loaded: &Loaded, acl: &Str) -> Option<AclPhases> {
    let named = |option: Opt<Str>| {
        let text = loaded.engine().settings().text(option);
        text.is_some_and(|text| text.bytes() == acl.bytes())
    };
    PHASES.iter().find(|(option, _)| named(*option)).map(|(_, phase)| *phase)
}

/// The phases in which there is a message.
const WITH_MESSAGE: AclPhases = AclPhases::MIME.union(AclPhases::DATA);

/// What becomes of an address, and of those that it is redirected to (`-bt`).
pub(crate) fn fates(routes: &Routes, cx: &mut Context, address: &[u8]) -> Vec<Fate> {
    let (address, typed) = match routes.read(cx, address, Purpose::Test) {
        Ok((address, typed, _)) => (address, typed),
        Err(why) => {
            let why = format!("syntax error: {}", String::from_utf8_lossy(&why));
            let address = String::from_utf8_lossy(address).into_owned();
            return vec![Fate { address, outcome: FateKind::Fails(why) }];
        }
    };
    let mut request = Request::new(address, Purpose::Test);
    (request.typed, request.whole) = (typed, true);
    let mut fates = Vec::new();
    routes.test(cx, &request, &mut |report| fates.extend(Fate::of(report, routes)));
    fates
}

/// Options that name ACLs, and when they run.
const PHASES: [(Opt<Str>, AclPhases); 9] = [
    (opt::ACL_SMTP_CONNECT, AclPhases::CONNECT),
    (opt::ACL_SMTP_HELO, AclPhases::HELO),
    (opt::ACL_SMTP_MAIL, AclPhases::MAIL),
    (opt::ACL_SMTP_RCPT, AclPhases::RCPT),
    (opt::ACL_SMTP_PREDATA, AclPhases::PREDATA),
    (opt::ACL_SMTP_MIME, AclPhases::MIME),
    (opt::ACL_SMTP_DATA, AclPhases::DATA),
    (opt::ACL_SMTP_QUIT, AclPhases::QUIT),
    (opt::ACL_SMTP_NOTQUIT, AclPhases::NOTQUIT),
];

/// What becomes of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Fate {
    /// The address; a file or a command, where one is delivered to.
    pub address: String,
    /// What becomes of it.
    pub outcome: FateKind,
}

/// What may become of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FateKind {
    /// It is delivered.
    Delivered {
        /// The router's name.
        router: String,
        /// The transport's name; none, where the router only verifies.
        transport: Option<String>,
        /// The hosts to try, in order.
        hosts: Vec<String>,
    },
    /// It is thrown away.
    Discarded,
    /// It can't be delivered, and why.
    Fails(String),
    /// It can't be said now, and why.
    Defers(String),
}

impl Fate {
    fn of(report: &Report<'_>, routes: &Routes) -> Option<Self> {
        let because = |error: &RouteError| {
            String::from_utf8_lossy(error.shown().unwrap_or_default()).into_owned()
        };
        let (address, outcome) = match report {
            Report::Failed(address, error) => (address, FateKind::Fails(because(error))),
            Report::Deferred(address, error) => (address, FateKind::Defers(because(error))),
            Report::Discarded(address) => (address, FateKind::Discarded),
            Report::Delivered(delivery) | Report::Direct(delivery) => {
                let transport = delivery.transport.map(|number| routes.transport_name(number));
                let transport = transport.map(|name| name.display().into_owned());
                let router = routes.router_name(delivery.router).display().into_owned();
                let hosts = delivery.hosts.iter().map(|host| match &host.address {
                    Some(address) => format!("{} [{address}]", host.name),
                    None => host.name.clone(),
                });
                let hosts = hosts.collect();
                (&&delivery.address, FateKind::Delivered { router, transport, hosts })
            }
            _ => return None,
        };
        Some(Self { address: address.text.display().into_owned(), outcome })
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)?;
        match &self.outcome {
            FateKind::Delivered { router, transport, hosts } => {
                let transport = transport.as_deref().unwrap_or("unset");
                write!(f, ": router = {router}, transport = {transport}")?;
                hosts.iter().try_for_each(|host| write!(f, ", host {host}"))
            }
            FateKind::Discarded => f.write_str(" is discarded"),
            FateKind::Fails(why) => write!(f, " is undeliverable: {why}"),
            FateKind::Defers(why) => write!(f, " cannot be resolved at this time: {why}"),
        }
    }
}

/// What a verdict is called.
pub fn verdict_word(verdict: AclVerdict) -> &'static str {
    match verdict {
        AclVerdict::Accept => "accept",
        AclVerdict::Deny => "deny",
        AclVerdict::Discard => "discard",
        AclVerdict::Drop => "drop",
        AclVerdict::Defer => "defer",
        _ => "error",
    }
}
