//! eximious's answers.

use eximious::stdlib::message::{End, parse_until};
use eximious::world::World;
use eximious::{Config, Context, Engine, Macros, Str};

/// A conversation: what one line sets, the next one sees.
#[derive(Debug)]
pub struct Ours {
    engine: Engine,
    cx: Context,
}

impl Ours {
    /// With the system as its world.
    pub fn new() -> Self {
        let engine = Engine::builder().world(eximious_world::system()).build();
        let cx = context(&engine);
        Self { engine, cx }
    }

    /// With a configuration, as `-C` reads it.
    pub fn with_config(file: &std::path::Path) -> Self {
        Self::with_config_in(file, eximious_world::system())
    }

    /// With a configuration, in a world of the test's own.
    pub fn with_config_in(file: &std::path::Path, world: World) -> Self {
        let builder = Engine::builder().world(world.clone());
        let name = file.as_os_str().as_encoded_bytes();
        let config = Config::read(name, Macros::default(), &world, builder.registry())
            .expect("a configuration");
        let engine = config.build(builder);
        let cx = context(&engine);
        Self { engine, cx }
    }

    /// With an engine of the test's own.
    pub fn with_engine(engine: Engine) -> Self {
        let cx = context(&engine);
        Self { engine, cx }
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.cx.set_clean(name, value);
    }

    /// With a message, as `-bem` reads it.
    pub fn with_message(file: &std::path::Path) -> Self {
        Self::new().reading(file)
    }

    /// The same with a message.
    pub fn reading(mut self, file: &std::path::Path) -> Self {
        let bytes = std::fs::read(file).expect("a message");
        self.cx.set_message(Some(parse_until(&bytes, End::Dot).0));
        self
    }

    /// The answer to a line, as `-be` prints it, without the last newline.
    pub fn answer(&mut self, line: &[u8]) -> Vec<u8> {
        match self.engine.expand_once(line, &mut self.cx) {
            Ok(value) => value.bytes().to_vec(),
            Err(fail) => [b"Failed: ", fail.message()].concat(),
        }
    }

    /// Begins a conversation.
    pub fn begin(&mut self) {
        self.cx = context(&self.engine);
    }
}

/// What a test of expansions sets up: the caller is the sender.
fn context(engine: &Engine) -> Context {
    let mut cx = engine.context();
    let login = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    let domain = match cx.get("qualify_domain") {
        Some(Ok(domain)) => domain.display().into_owned(),
        _ => String::new(),
    };
    let address = format!("{login}@{domain}");
    cx.set("sender_ident", Str::from(login.as_str()));
    cx.set("authenticated_id", Str::from(login));
    cx.set("sender_address", Str::from(address.as_str()));
    cx.set("authenticated_sender", Str::from(address));
    cx
}

impl Default for Ours {
    fn default() -> Self {
        Self::new()
    }
}
