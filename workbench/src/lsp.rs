//! The server of the Language Server Protocol.
//!
//! It takes a [`Connection`], over which messages come and go, and a world: of that, it reads
//! files and asks for users; it writes nothing. What an editor has open counts in the place
//! of what the disk has.

mod actions;
mod completion;
mod diagnostics;
mod formatting;
mod hover;
mod navigation;
mod outline;
mod overlay;
mod project;
mod rename;
mod roots;
mod server;
mod signature;
mod text;
mod tokens;

use eximious::World;

pub use lsp_server::{Connection, Message};
pub use text::address_of;

/// What a server is told before a client says anything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LspSettings {
    /// The main file of the configuration.
    pub main: Option<Vec<u8>>,
    /// Macros, as `-D` gives them.
    pub macros: Vec<(Vec<u8>, Vec<u8>)>,
}

/// How a conversation with a client ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LspEnd {
    /// It said that it would go.
    Orderly,
    /// It is gone.
    Abrupt,
}

/// Serves a client until it goes.
pub fn serve(connection: &Connection, world: &World, settings: LspSettings) -> LspEnd {
    server::Server::new(connection, world, settings).run()
}
