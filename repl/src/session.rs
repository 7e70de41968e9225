//! One run of `-be`: what lines do to each other.

use eximious::acl::Acls;
use eximious::route::Routes;
use eximious::stdlib::address::{self, Rules};
use eximious::{
    Config, ConfigError, Context, Engine, ErrorKind, Fail, MacroError, Settings, Str, World, var,
};

use eximious::world::User;

use eximious_mta::spool;

use crate::assign::Assignment;
use crate::caller;
use crate::logs;
use crate::message;
use crate::options::Options;
use crate::reader::{Deed, Reader, Task};
use crate::usual;

/// An engine with the values that lines have set so far.
pub struct Session {
    engine: Engine,
    cx: Context,
    reader: Reader,
    /// The configuration file, where there is one.
    file: Option<Vec<u8>>,
    /// The configuration, where there is one.
    config: Option<Config>,
    /// The sender that was named by `-f`.
    sender: Option<Str>,
    /// What there is to say before the first answer.
    said: Vec<u8>,
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
    /// Gets ready what the options ask for; an error is what to say before
    /// giving up.
    pub fn start(options: &mut Options, world: World) -> Result<Self, Refusal> {
        Self::start_in(options, world, |_, world| world)
    }

    /// The same, with the logs that the configuration asks for.
    pub fn start_logging(options: &mut Options, world: World) -> Result<Self, Refusal> {
        Self::start_in(options, world, logs::kept)
    }

    /// The same, where whatever goes to a log is shown, too.
    pub fn start_shown(options: &mut Options, world: World) -> Result<Self, Refusal> {
        Self::start_in(options, world, logs::kept_and_shown)
    }

    fn start_in(
        options: &mut Options,
        mut world: World,
        settle: fn(&Settings, World) -> World,
    ) -> Result<Self, Refusal> {
        let builder = Engine::builder().world(world.clone()).variables(caller::VARIABLES);
        let mut macros = std::mem::take(&mut options.macros);
        let mut place = None;
        let named = options.config.take();
        // Without Exim's own there is still the language, with all its defaults.
        let read = named.is_some() || usual::exists(&world);
        let names = named.unwrap_or_else(|| usual::FILES.to_vec());
        let mut config = None;
        let engine = if read {
            let read = Config::read(&names, macros, &world, builder.registry());
            let mut found = read.map_err(|error| Refusal::of(&error, options.verbose))?;
            world = settle(&found.settings, world);
            let builder = builder.world(world.clone());
            found.warnings.iter().for_each(|line| world.log.panic(line));
            let engine = found.build(builder);
            let file = engine.settings().config_file.bytes().to_vec();
            place = Some((file, found.count));
            macros = std::mem::take(&mut found.macros);
            config = Some(found);
            engine
        } else {
            builder.build()
        };
        let mut cx = engine.context();
        cx.start().map_err(|fail| {
            Refusal::Said([b"eximious: ", fail.message().trim_ascii_end()].concat())
        })?;
        if let Some(config) = &config
            && !config.acls.is_empty()
        {
            let routes = Routes::new(config, engine.registry(), engine.world());
            Acls::new(config, routes).attach(&mut cx);
        }
        let file = place.as_ref().map(|(file, _): &(Vec<u8>, u32)| file.clone());
        let reader = Reader::new(macros, place);
        let (sender, said) = (None, Vec::new());
        let mut session = Self { engine, cx, reader, file, config, sender, said };
        if let Some(typed) = &options.sender {
            let sender = session.sender(typed)?;
            let sender = Str::tainted(sender);
            session.cx.set_var(var::SENDER_ADDRESS, sender.clone());
            // Whoever says that it is somebody else did not log in as that.
            session.cx.set_var(var::AUTHENTICATED_ID, Str::EMPTY);
            session.cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
            session.sender = Some(sender);
        }
        if let Some(id) = options.stored.take() {
            session.said = session.restore(&options.queue, &id);
        }
        if let Some(file) = options.message.take() {
            session.said = message::load(&mut session, &file, options)?;
        }
        for (variable, value) in options.variables.drain(..) {
            session.cx.set_var(variable, Str::tainted(value));
        }
        Ok(session)
    }

    /// `-Mset`: takes over the values of a message of the spool; what there is to say
    /// where that can't be.
    fn restore(&mut self, queue: &[u8], id: &[u8]) -> Vec<u8> {
        let Ok(place) = spool::place(&self.cx, queue) else { return Vec::new() };
        if spool::restore(&mut self.cx, &place, id).is_ok() {
            return Vec::new();
        }
        let without_data = self.engine.world().spool.size(&place, id, b"-D").is_err();
        let missing = match without_data {
            true => [b"Failed to load message datafile ".as_slice(), id, b"\n"].concat(),
            false => Vec::new(),
        };
        [&missing, b"Failed to load message ".as_slice(), id, b"\n"].concat()
    }

    /// Hides the configuration's macros, and Exim's own, from whoever does not
    /// administrate; what they define themselves is theirs.
    pub fn hide_macros(&mut self) {
        if !caller::administrates(self.engine.world()) {
            self.reader.forget_macros();
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The configuration, and the values.
    pub fn parts(&mut self) -> (Option<&Config>, &mut Context) {
        (self.config.as_ref(), &mut self.cx)
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
    pub fn into_parts(self) -> (Option<Config>, Context) {
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
        let rules = Rules { null: true, ..Rules::default() };
        match address::parse(typed, rules) {
            Ok(address) if address.domain.is_none() && !address.text.is_empty() => {
                Ok([address.local_part(), b"@", &self.domain()].concat())
            }
            Ok(address) => Ok(address.text),
            Err(why) => {
                let parts = [b"exim: bad -f address \"", typed, b"\": ", &why.message];
                Err(Refusal::Said(parts.concat()))
            }
        }
    }
}

/// Why a session can't begin.
#[derive(Debug)]
pub enum Refusal {
    /// For the standard error, as it is.
    Said(Vec<u8>),
    /// For the log.
    Logged(Vec<u8>),
}

impl Refusal {
    /// A mistake in a configuration: as the log has it, or as Exim shows it to who
    /// wants to see all, or where the log would be in the way.
    pub fn of(error: &ConfigError, shown: bool) -> Self {
        let text = error.text();
        if !shown {
            return Self::Logged(text);
        }
        let logs = match error.in_configuration() {
            true if error.is_of_definition() => "PANIC",
            true => "PANIC DIE",
            false => "MAIN PANIC DIE",
        };
        let mut out = format!("LOG: {logs}").into_bytes();
        for line in text.split(|c| *c == b'\n') {
            out.push(b'\n');
            if !line.is_empty() {
                out.extend_from_slice(b"  ");
                out.extend_from_slice(line.strip_prefix(b"  ").unwrap_or(line));
            }
        }
        Self::Said(out)
    }
}

impl From<ConfigError> for Refusal {
    fn from(why: ConfigError) -> Self {
        Self::of(&why, false)
    }
}
