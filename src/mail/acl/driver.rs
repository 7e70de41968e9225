//! A conversation for tests: ACLs run in a world that stands beside them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious_core::trace::{AclEvent, Happening, TraceEvent, TraceKinds, TraceObserver};
use eximious_core::world::{Fixture, Log};
use eximious_core::{AclPhases, Str, World};

use super::{AclHost, AclResult, AclState, Acls, Logs};
use crate::config::Config;
use crate::mail::route::Routes;
use crate::{Context, Engine, Macros};

/// A conversation.
pub(super) struct Driver {
    fixture: Fixture,
    pub(super) cx: Context,
    acls: Acls,
    pub(super) state: AclState,
    host: Host,
    phase: AclPhases,
    written: Arc<Written>,
    notes: Arc<Notes>,
}

/// Logs that keep what is written there.
#[derive(Default)]
struct Written(Mutex<Vec<String>>);

impl Log for Written {
    fn main(&self, line: &[u8]) {
        self.0.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
    }

    fn panic(&self, line: &[u8]) {
        self.main(line);
    }

    fn debug(&self, _: &[u8]) {}
}

#[derive(Default)]
struct Host {
    logged: Vec<String>,
}

/// What runs noted on the way.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl TraceObserver for Notes {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::ACL
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        if let Happening::Acl(AclEvent::Note { text }) = event.what {
            self.0.lock().unwrap().push(String::from_utf8_lossy(text).into_owned());
        }
    }
}

impl AclHost for Host {
    fn delay(&mut self, _: Duration, _: bool) {}

    fn log(&mut self, line: &[u8]) {
        self.logged.push(String::from_utf8_lossy(line).into_owned());
    }

    fn log_to(&mut self, _: Logs, line: &[u8]) {
        self.log(line);
    }
}

impl Driver {
    /// In a configuration without anything.
    pub(super) fn new() -> Self {
        Self::with("")
    }

    /// In this configuration.
    pub(super) fn with(config: &str) -> Self {
        let text = format!("spool_directory = /spool\nprimary_hostname = me.example\n{config}\n");
        let fixture = Fixture::new().file("/c", text);
        let written = Arc::new(Written::default());
        let world = World { log: written.clone(), ..fixture.world() };
        let registry = Engine::builder().registry().clone();
        let config = Config::read(b"/c", Macros::default(), &world, &registry)
            .unwrap_or_else(|error| panic!("{error}"));
        let engine = config.build(Engine::builder().world(world));
        let routes = Routes::new(&config, engine.registry(), engine.world());
        let acls = Acls::new(&config, routes);
        let (mut cx, state) = (engine.context(), AclState::default());
        let notes = Arc::new(Notes::default());
        cx.observe(notes.clone());
        let (host, phase) = (Host::default(), AclPhases::RCPT);
        Self { fixture, cx, acls, state, host, phase, written, notes }
    }

    /// With these names in the DNS.
    pub(super) fn zone(mut self, text: &str) -> Self {
        self.fixture = self.fixture.zone(text);
        self
    }

    /// With a variable of this value.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.cx.set(name, Str::tainted(value.as_bytes()));
        self
    }

    /// With this file.
    pub(super) fn file(mut self, path: &str, contents: &str) -> Self {
        self.fixture = self.fixture.file(path, contents);
        self
    }

    /// What is in a file.
    pub(super) fn contents(&self, path: &str) -> String {
        let files = self.fixture.world().files;
        let contents = files.read(path.as_bytes(), 1 << 20).unwrap();
        String::from_utf8_lossy(&contents).into_owned()
    }

    /// In this kind of ACL.
    pub(super) fn at(mut self, phase: AclPhases) -> Self {
        self.phase = phase;
        self
    }

    /// Lets expansions call the ACLs of the configuration.
    pub(super) fn attach(&mut self) {
        self.acls.attach(&mut self.cx);
    }

    /// Runs the text of an ACL, and says what comes of it.
    pub(super) fn check(&mut self, acl: &str) -> AclResult {
        self.host = Host::default();
        self.notes.0.lock().unwrap().clear();
        let text = Str::from(acl.replace('$', "\\$"));
        self.acls.check(&mut self.cx, &mut self.host, &mut self.state, self.phase, &text)
    }

    /// As [`Driver::check`]: the verdict's name.
    pub(super) fn run(&mut self, acl: &str) -> String {
        format!("{:?}", self.check(acl).verdict)
    }

    /// What the last run says to the logs in the end.
    #[track_caller]
    pub(super) fn fails(&mut self, acl: &str, message: &str) {
        let result = self.check(acl);
        let logged = result.log_message.unwrap_or_default();
        assert_eq!(logged.display(), message, "{acl}");
    }

    /// The lines that the last run logged.
    pub(super) fn logged(&self) -> Vec<String> {
        self.host.logged.clone()
    }

    /// The lines that expansions logged so far.
    pub(super) fn written(&self) -> Vec<String> {
        self.written.0.lock().unwrap().clone()
    }

    /// What the last run noted on the way.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.0.lock().unwrap().clone()
    }

    /// What the world was asked for, the configuration apart.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut asked = self.fixture.asked();
        asked.retain(|what| !what.ends_with("/c"));
        asked
    }
}
