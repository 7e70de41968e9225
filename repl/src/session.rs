//! One run of `-be`: what lines do to each other.

use std::sync::Arc;

use eximious::stdlib::address::{self, Rules};
use eximious::{
    Config, ConfigError, Context, Engine, ErrorKind, Fail, MacroError, Macros, Str, World,
};

use crate::assign::Assignment;
use crate::message;
use crate::options::Options;

/// An engine with the values that lines have set so far.
pub struct Session {
    engine: Engine,
    cx: Context,
    macros: Macros,
    /// The configuration file and its number of lines: Exim names them when
    /// something is wrong with a macro.
    place: Option<(Vec<u8>, u32)>,
    login: Vec<u8>,
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

impl Session {
    /// Gets ready what the options ask for; an error is what to say before
    /// giving up.
    pub fn start(options: &mut Options, world: World) -> Result<Self, Refusal> {
        let builder = Engine::builder().world(world.clone());
        let mut macros = std::mem::take(&mut options.macros);
        let mut place = None;
        let engine = match options.config.take() {
            None => builder.build(),
            Some(names) => {
                let config = Config::read(&names, macros, &world.files, builder.registry())?;
                let engine = config.build(builder)?;
                let file = engine.settings().config_file.bytes().to_vec();
                place = Some((file, config.lines));
                macros = config.macros;
                engine
            }
        };
        let cx = engine.context();
        let login = login(&world);
        let mut session = Self { engine, cx, macros, place, login, said: Vec::new() };
        session.caller(options)?;
        if let Some(file) = options.message.take() {
            session.said = message::load(&mut session, &file, options)?;
        }
        for (name, value) in options.variables.drain(..) {
            session.cx.set(name, Str::tainted(value));
        }
        Ok(session)
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The values.
    pub fn context(&mut self) -> &mut Context {
        &mut self.cx
    }

    /// What there is to say before the first answer.
    pub fn said(&self) -> &[u8] {
        &self.said
    }

    /// The login name of whoever runs the program.
    pub fn login(&self) -> &[u8] {
        &self.login
    }

    /// Carries out a line, or an argument.
    pub fn answer(&mut self, line: &[u8]) -> Answer {
        let registry = self.engine.registry();
        let line = match self.macros.apply(line, registry) {
            Ok(line) => line,
            Err(why) => return self.complaint(why),
        };
        if Macros::is_definition(&line) {
            return match self.macros.define(&line, registry) {
                // Exim names the newest one, whichever it was.
                Ok(()) => {
                    let name = self.macros.newest().unwrap_or_default();
                    Answer::Said([b"Defined macro '", name, b"'"].concat())
                }
                Err(why) => self.complaint(why),
            };
        }
        if let Some(assignment) = Assignment::in_line(&line) {
            return match assignment.carry_out(self) {
                Ok(said) => Answer::Said(said),
                Err(fail) => Answer::NotSet(fail),
            };
        }
        match self.engine.expand_once(&line, &mut self.cx) {
            Ok(value) => Answer::Value(value),
            Err(fail) => Answer::Failed(fail),
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

    fn complaint(&self, why: MacroError) -> Answer {
        let error = match &self.place {
            Some((file, lines)) if why.names_line() => ConfigError::at(*lines, file, why.message()),
            _ => ConfigError::somewhere(why.message()),
        };
        Answer::Wrong(error.text(), why)
    }

    /// Whoever runs the program is the sender, unless `-f` says otherwise.
    fn caller(&mut self, options: &mut Options) -> Result<(), Refusal> {
        let domain = self.domain();
        let address = [self.login.as_slice(), b"@", &domain].concat();
        self.cx.set("sender_ident", self.login.clone());
        self.cx.set("authenticated_id", self.login.clone());
        self.cx.set("authenticated_sender", address.clone());
        let sender = match &options.sender {
            None => Str::from(address),
            Some(typed) => Str::tainted(sender(typed, &domain)?),
        };
        self.cx.set("sender_address", sender);
        Ok(())
    }

    /// The domain that local names get.
    pub fn domain(&mut self) -> Vec<u8> {
        match self.expand(b"$qualify_domain") {
            Ok(domain) => domain.bytes().to_vec(),
            Err(_) => self.engine.world().host.name(),
        }
    }
}

/// The address in what was typed after `-f`; a name without a domain gets one.
fn sender(typed: &[u8], domain: &[u8]) -> Result<Vec<u8>, Refusal> {
    if typed.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let rules = Rules { null: true, ..Rules::default() };
    match address::parse(typed, rules) {
        Ok(address) if address.domain.is_none() && !address.text.is_empty() => {
            Ok([address.local_part(), b"@", domain].concat())
        }
        Ok(address) => Ok(address.text),
        Err(why) => {
            let parts = [b"exim: bad -f address \"", typed, b"\": ", &why.message];
            Err(Refusal::Said(parts.concat()))
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

impl From<ConfigError> for Refusal {
    fn from(why: ConfigError) -> Self {
        Self::Logged(why.text())
    }
}

/// The login name of whoever runs the program, as the password file says.
fn login(world: &World) -> Vec<u8> {
    let (uid, _) = world.host.ids();
    let number = uid.to_string();
    let passwords: Arc<[u8]> = world.files.read(b"/etc/passwd", 1 << 24).unwrap_or_default();
    let found = passwords.split(|c| *c == b'\n').find_map(|line| {
        let mut fields = line.split(|c| *c == b':');
        let name = fields.next()?;
        (fields.nth(1)? == number.as_bytes()).then_some(name)
    });
    found.map_or_else(|| number.clone().into_bytes(), <[u8]>::to_vec)
}
