//! A connection whose ends change their parts (ATRN, RFC 2645): who was the server is the
//! client now, or the other way round.

use eximious_core::world::{Stream, TlsSession};
use eximious_core::{Str, Var};

use super::Secured;

/// A connection that is there already, and over which this side is to speak as the other did.
pub struct TurnedConnection {
    /// What leads to the other side.
    pub stream: Box<dyn Stream>,
    /// TLS around it, which stays.
    pub tls: Option<TurnedTls>,
}

/// TLS around a connection, as it was begun for the part that this side had before.
pub struct TurnedTls {
    /// TLS itself.
    pub session: Box<dyn TlsSession>,
    /// What is logged of it.
    pub secured: Secured,
    /// What there is to be known of it, in the variables of the client's side
    /// (`$tls_out_cipher` and so on).
    pub values: Vec<(Var, Str)>,
}

impl std::fmt::Debug for TurnedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnedConnection").field("tls", &self.tls).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TurnedTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnedTls").field("secured", &self.secured).finish_non_exhaustive()
    }
}
