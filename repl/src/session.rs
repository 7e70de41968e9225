//! One run of `-be`: what lines do to each other.

use std::sync::Arc;

use eximious::acl::Acls;
use eximious::debugging::{DebugOutput, DebugSelector};
use eximious::{
    Config, Context, Engine, ErrorKind, Fail, MacroError, Macros, Settings, Str, World, opt, var,
};

use eximious::world::User;

use eximious_mta::spool::queue;
use eximious_mta::{reception, spool};

use crate::assign::Assignment;
use crate::caller;
use crate::configured::{self, ConfigUse, Patience, SyslogName, Whose};
use crate::debug;
use crate::logs;
use crate::message;
use crate::pretence::Pretence;
use crate::reader::{Deed, Reader, Task};
use crate::refusal::Refusal;
use crate::rights::Rights;
use crate::usual;

/// What a session begins with.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// `-C`: names of configuration files, the first that exists counts.
    pub config: Option<Vec<u8>>,
    /// `-D`: macros.
    pub macros: Macros,
    /// `-oM…`, `-p`: variables and their values.
    pub variables: Pretence,
    /// `-f`: the envelope's sender, as typed.
    pub sender: Option<Vec<u8>>,
    /// `-Mset`: the message of the spool whose values there are.
    pub stored: Option<StoredMessage>,
    /// `-bem`: the file that holds a message.
    pub message: Option<Vec<u8>>,
    /// How a message is read.
    pub reading: message::Reading,
    /// `-v`: more is told.
    pub verbose: bool,
    /// `-d`: what is told of what happens.
    pub debug: Option<DebugSelector>,
    /// Whether what is wrong with the configuration goes to the panic log, too.
    pub keeps_faults: bool,
    /// Whether the main section of the configuration is enough.
    pub only_main: bool,
    /// Whether the configuration may be anybody's, whoever reads it.
    pub of_anybody: bool,
    /// Whether it is a test of a session, whose comments are told, too.
    pub is_test: bool,
    /// Whether it checks something and no more, which may be for administrators
    /// (`commandline_checks_require_admin`).
    pub is_check: bool,
    /// For whom it is done.
    pub whose: Whose,
    /// Whether whoever calls needs a full name, and brings none (`-F`).
    pub needs_name: bool,
    /// Whose rights it has once the configuration is read.
    pub rights: Rights,
    /// `-L`
    pub syslog_name: SyslogName,
    /// `-or`, `-os`
    pub patience: Patience,
}

/// A message of the spool.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// `-qG`: the named queue.
    pub queue: Vec<u8>,
    /// Its name.
    pub id: Vec<u8>,
}

/// An engine with the values that lines have set so far.
pub struct Session {
    engine: Engine,
    cx: Context,
    reader: Reader,
    /// The configuration file, where there is one.
    file: Option<Vec<u8>>,
    /// The configuration, where there is one.
    config: Option<Arc<Config>>,
    /// The sender that was named by `-f`.
    sender: Option<Str>,
    /// What there is to say before the first answer.
    said: Vec<u8>,
}

/// Where lines for logs go.
#[derive(Clone, Copy)]
enum Logs {
    /// Where the world has them.
    Told,
    /// To the files that the configuration asks for.
    Kept,
    /// The same, of a test: they hear nothing of the call itself.
    Tested,
}

impl Logs {
    /// Who is shown what is logged, and a little more, where `-v` says so and nothing more
    /// is wanted; of a test of a session, its comments.
    fn watched_with(self, tests: bool, world: &World) -> Option<Arc<DebugOutput>> {
        (tests || !matches!(self, Self::Told)).then(|| debug::verbose(tests, world))
    }

    /// Tells in them why nothing is done.
    fn told(self, line: &[u8], world: &World) -> Refusal {
        match self {
            Self::Told => Refusal::Logged(line.to_vec()),
            Self::Kept | Self::Tested => {
                world.log.panic(line);
                Refusal::Said(Vec::new())
            }
        }
    }

    /// The world with these logs. Who is told what happens is told of their lines.
    fn settled(self, settings: &Settings, world: World, debug: Option<&Arc<DebugOutput>>) -> World {
        let world = match self {
            Self::Told => world,
            Self::Kept | Self::Tested => {
                // Where somebody listened for the program, it is the client who would hear.
                let is_called = eximious_world::input_connection().is_some();
                // A program that waits for an answer hears nothing else.
                let is_wrapped = settings.get(opt::MUA_WRAPPER);
                logs::kept(settings, world, debug.is_some() || is_called || is_wrapped)
            }
        };
        let is_kept = !matches!(self, Self::Told);
        let world = match debug {
            Some(debug) => {
                let own = is_kept.then(|| world.log.clone());
                World { log: debug.logging(own), ..world }
            }
            None => world,
        };
        if matches!(self, Self::Kept) {
            logs::note_call(settings, &*world.host, &*world.log);
        }
        world
    }
}

/// What came of a line.
pub enum Answer {
    /// The expansion's result.
    Value(Str),
    /// The expansion failed.
    Failed(Fail),
    /// The expansion of a variable's new value failed.
    NotSet(Fail),
    /// The line did something else, and this is to be said of it.
    Said(Vec<u8>),
    /// The line defines no macro, though it begins as if it did: what to log.
    Wrong(Vec<u8>, MacroError),
}

impl Answer {
    /// What came of a string.
    #[inline(always)]
    pub fn of(result: Result<Str, Fail>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(fail) => Self::Failed(fail),
        }
    }
}

impl Session {
    /// Gets ready what is asked for; an error is what to say before giving up.
    pub fn start(setup: Setup, world: World) -> Result<Self, Refusal> {
        Self::start_in(setup, world, Logs::Told)
    }

    /// The same, with the logs that the configuration asks for.
    pub fn start_logging(setup: Setup, world: World) -> Result<Self, Refusal> {
        Self::start_in(setup, world, Logs::Kept)
    }

    /// The same of a test, of whose call nothing is logged.
    pub fn start_tested(setup: Setup, world: World) -> Result<Self, Refusal> {
        Self::start_in(setup, world, Logs::Tested)
    }

    fn start_in(setup: Setup, mut world: World, logs: Logs) -> Result<Self, Refusal> {
        let builder = Engine::builder().world(world.clone()).variables(caller::VARIABLES);
        let mut macros = setup.macros;
        let mut place = None;
        let named = setup.config;
        // Without Exim's own there is still the language, with all its defaults.
        let read = named.is_some() || usual::exists(&world);
        let names = named.unwrap_or_else(|| usual::FILES.to_vec());
        let mut config = None;
        let debug;
        let engine = if read {
            let wanted = ConfigUse {
                keeps: setup.keeps_faults,
                tells_call: setup.keeps_faults,
                only_main: setup.only_main,
                of_anybody: setup.of_anybody,
                whose: setup.whose,
            };
            let read = configured::read(&names, macros, &world, builder.registry(), wanted);
            let mut found = read.map_err(|error| error.refusal(setup.verbose))?;
            if setup.is_check
                && found.settings.get(opt::COMMANDLINE_CHECKS_REQUIRE_ADMIN)
                && !caller::is_admin(&found.settings, &world)
            {
                let why = b"exim: those command-line flags are set to require admin";
                return Err(Refusal::Said(why.to_vec()));
            }
            setup.syslog_name.settle(&mut found.settings, &world)?;
            setup.patience.settle(&mut found.settings);
            debug =
                debug::begin(setup.debug, setup.is_test, &found.settings, &world)?.or_else(|| {
                    if setup.verbose { logs.watched_with(setup.is_test, &world) } else { None }
                });
            // What is logged of a call is the mail server's to write, whoever goes on.
            let is_early = setup.rights == Rights::Caller && !matches!(logs, Logs::Told);
            if is_early {
                world = logs.settled(&found.settings, world, debug.as_ref());
            }
            world = setup.rights.settle(&found.settings, world)?;
            if !is_early {
                world = logs.settled(&found.settings, world, debug.as_ref());
            }
            let builder = builder.world(world.clone());
            found.warnings.iter().for_each(|line| world.log.panic(line));
            let engine = found.build(builder);
            let file = engine.settings().config_file.bytes().to_vec();
            place = Some((file, found.count));
            macros = std::mem::take(&mut found.macros);
            config = Some(Arc::new(found));
            engine
        } else {
            let settings = Settings::default();
            debug = debug::begin(setup.debug, setup.is_test, &settings, &world)?;
            world = setup.rights.settle(&settings, world)?;
            world = Logs::Told.settled(&settings, world, debug.as_ref());
            builder.world(world).build()
        };
        if setup.needs_name
            && caller::user(engine.world()).is_some()
            && let Some(wrong) = eximious_mta::submission::wrong_pattern(&engine)
        {
            let world = engine.world();
            return Err(match logs {
                Logs::Told if setup.keeps_faults => {
                    let kept = logs::kept(engine.settings(), world.clone(), false);
                    Logs::Kept.told(wrong.message(), &kept)
                }
                _ => logs.told(wrong.message(), world),
            });
        }
        let mut cx = engine.context();
        if let Some(debug) = debug {
            if setup.debug.is_some() {
                let file = engine.settings().config_file.bytes();
                debug.say(0, &[b"configuration file is ", file].concat());
            }
            cx.observe(debug);
        }
        cx.start().map_err(|fail| {
            Refusal::Said([b"eximious: ", fail.message().trim_ascii_end()].concat())
        })?;
        if let Some(config) = &config
            && !config.acls.is_empty()
        {
            Acls::attach_later(config.clone(), &mut cx);
        }
        let file = place.as_ref().map(|(file, _): &(Vec<u8>, u32)| file.clone());
        let reader = Reader::new(macros, place);
        let (sender, said) = (None, Vec::new());
        let mut session = Self { engine, cx, reader, file, config, sender, said };
        if let Some(typed) = &setup.sender {
            let sender = session.sender(typed)?;
            let sender = Str::tainted(sender);
            session.cx.set_var(var::SENDER_ADDRESS, sender.clone());
            // Whoever says that it is somebody else did not log in as that.
            session.cx.set_var(var::AUTHENTICATED_ID, Str::EMPTY);
            session.cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
            session.sender = Some(sender);
        }
        if let Some(StoredMessage { queue, id }) = &setup.stored {
            if !caller::is_admin(session.engine.settings(), session.engine.world()) {
                return Err(Refusal::Said(b"exim: permission denied".to_vec()));
            }
            session.said = session.restore(queue, id);
        }
        if let Some(file) = &setup.message {
            session.said = message::load(&mut session, file, &setup.reading)?;
        }
        for (variable, value) in setup.variables.anybodys()? {
            session.cx.set_var(variable, Str::tainted(value));
        }
        Ok(session)
    }

    /// From here on the program works in the spool directory; whoever has none stays.
    pub fn work_in_spool(&self) {
        if self.config.is_some() {
            usual::work_in_spool(self.engine.settings());
        }
    }

    /// `-Mset`: takes over the values of a message of the spool; what there is to say
    /// where that can't be.
    fn restore(&mut self, queue: &[u8], id: &[u8]) -> Vec<u8> {
        let Ok(place) = spool::place(&self.cx, queue) else { return Vec::new() };
        let failed = |what: &[u8]| [b"Failed to load message ", what, id, b"\n"].concat();
        // While it is held, nobody else changes it.
        let taken = self.engine.world().spool.take(&place, id);
        let (mut said, restored) = match taken {
            Ok(Some(_)) => (Vec::new(), spool::restore(&mut self.cx, &place, id).map(|_| ())),
            refused => {
                let line = match refused {
                    Ok(_) => queue::locked(id),
                    Err(_) => [b"Spool file ", id, b"-D not found"].concat(),
                };
                self.engine.world().log.main(&line);
                (failed(b"datafile "), spool::restore_head(&mut self.cx, &place, id))
            }
        };
        if restored.is_err() {
            said.extend(failed(b""));
        }
        said
    }

    /// Hides the configuration's macros, and Exim's own, from whoever does not
    /// administrate; what they define themselves is theirs.
    pub fn hide_macros(&mut self) {
        if !caller::is_admin(self.engine.settings(), self.engine.world()) {
            self.reader.forget_macros();
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The configuration, and the values.
    pub fn parts(&mut self) -> (Option<&Config>, &mut Context) {
        (self.config.as_deref(), &mut self.cx)
    }

    /// The configuration file, where there is one.
    pub fn config_file(&self) -> Option<&[u8]> {
        self.file.as_deref()
    }

    /// The values.
    pub fn context(&mut self) -> &mut Context {
        &mut self.cx
    }

    /// The configuration and the values, for somebody who goes on with them.
    pub fn into_parts(self) -> (Option<Arc<Config>>, Context) {
        (self.config, self.cx)
    }

    /// What there is to say before the first answer.
    pub fn said(&self) -> &[u8] {
        &self.said
    }

    /// Reads a line, or an argument, and carries it out.
    #[inline(always)]
    pub fn answer(&mut self, line: &[u8]) -> Answer {
        match self.reader.read(line, self.engine.registry()) {
            Task::Expand(text) => Answer::of(self.expand(&text)),
            Task::Other(deed) => self.carry_out(deed),
        }
    }

    /// Gives away what reads lines: the session only carries them out then.
    pub fn give_reader(&mut self) -> Reader {
        std::mem::take(&mut self.reader)
    }

    /// Carries out a line that is not parsed.
    #[cold]
    pub fn carry_out(&mut self, deed: Deed) -> Answer {
        match deed {
            Deed::Expand(text) => Answer::of(self.expand(&text)),
            Deed::Set(line) => self.assign(&line),
            Deed::Said(text) => Answer::Said(text),
            Deed::Wrong(complaint, why) => Answer::Wrong(complaint, why),
        }
    }

    fn assign(&mut self, line: &[u8]) -> Answer {
        match Assignment::in_line(line).map(|assignment| assignment.carry_out(self)) {
            Some(Ok(said)) => Answer::Said(said),
            Some(Err(fail)) => Answer::NotSet(fail),
            None => Answer::Said(Vec::new()),
        }
    }

    /// Expands a text.
    pub fn expand(&mut self, text: &[u8]) -> Result<Str, Fail> {
        self.engine.expand_once(text, &mut self.cx)
    }

    /// The value of a text that comes from outside: itself, unless there is
    /// something in it to expand, which is refused.
    pub fn outside(&mut self, text: &[u8]) -> Result<Str, Fail> {
        if !text.iter().any(|c| matches!(c, b'$' | b'\\')) {
            return Ok(Str::tainted(text));
        }
        let message = [b"attempt to expand tainted string '", text, b"'"].concat();
        self.log(&message);
        Err(Fail::error(ErrorKind::Taint, message))
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &[u8], value: Str) {
        self.cx.set(name, value);
    }

    /// Writes a line to the log.
    pub fn log(&self, line: &[u8]) {
        self.engine.world().log.main(line);
    }

    /// The sender that was named by `-f`.
    pub fn given_sender(&self) -> Option<&Str> {
        self.sender.as_ref()
    }

    /// Takes the caller out of the sender's place, unless `-f` put one there.
    pub fn without_sender(&mut self) {
        if self.sender.is_none() {
            self.cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
        }
    }

    /// Whoever runs the program, where the system knows.
    pub fn caller(&self) -> Option<User> {
        caller::user(self.engine.world())
    }

    /// The domain that names of recipients get.
    pub fn recipient_domain(&mut self) -> Vec<u8> {
        match self.expand(b"$qualify_recipient") {
            Ok(domain) => domain.bytes().to_vec(),
            Err(_) => self.engine.world().host.name(),
        }
    }

    /// The domain that local names get.
    pub fn domain(&mut self) -> Vec<u8> {
        match self.expand(b"$qualify_domain") {
            Ok(domain) => domain.bytes().to_vec(),
            Err(_) => self.engine.world().host.name(),
        }
    }

    /// The address in what was typed after `-f`; a name without a domain gets
    /// one.
    fn sender(&mut self, typed: &[u8]) -> Result<Vec<u8>, Refusal> {
        if typed.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        let domain = self.domain();
        reception::typed_sender(typed, self.engine.settings(), &domain)
            .map_err(|why| Refusal::Said([b"exim: ", &why[..]].concat()))
    }
}
