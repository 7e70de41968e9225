//! Connections that stay open from one statement to the next.

use std::sync::Mutex;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use eximious_core::world::Server;

/// How many connections stay open.
const KEPT: usize = 16;
/// How long a connection stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// Statements after which a session is what it was before.
const HARMLESS: &[&[u8]] = &[
    b"DELETE",
    b"DESC",
    b"DESCRIBE",
    b"EXPLAIN",
    b"INSERT",
    b"REPLACE",
    b"SELECT",
    b"SHOW",
    b"UPDATE",
    b"VALUES",
    b"WITH",
];

/// Connections that nobody uses just now.
pub struct Pool<C>(Mutex<Vec<Kept<C>>>);

struct Kept<C> {
    server: Server,
    connection: C,
    since: Instant,
    /// The thread that changed the session (`SET`, `BEGIN`): what it set is
    /// for itself to see, and for nobody else.
    owner: Option<ThreadId>,
}

impl<C> Default for Pool<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> Pool<C> {
    /// A connection that is good still, and whether its session belongs to this
    /// thread.
    pub fn take(&self, server: &Server, good: impl Fn(&C) -> bool) -> Option<(C, bool)> {
        let here = std::thread::current().id();
        let mut kept = self.0.lock().ok()?;
        kept.retain(|kept| kept.since.elapsed() < IDLE && good(&kept.connection));
        let is = |owner: Option<ThreadId>| {
            move |kept: &Kept<C>| kept.owner == owner && kept.server == *server
        };
        let own = kept.iter().rposition(is(Some(here)));
        let at = own.or_else(|| kept.iter().rposition(is(None)))?;
        Some((kept.swap_remove(at).connection, own.is_some()))
    }

    /// Keeps a connection for the next statement.
    pub fn keep(&self, server: &Server, connection: C, own: bool) {
        let Ok(mut kept) = self.0.lock() else { return };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let owner = own.then(|| std::thread::current().id());
        let server = server.clone();
        kept.push(Kept { server, connection, since: Instant::now(), owner });
    }
}

/// Whether a statement may leave its session changed.
pub fn changes_session(statement: &[u8]) -> bool {
    let text = statement.trim_ascii();
    let text = text.strip_suffix(b";").unwrap_or(text);
    let end = text.iter().position(|c| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    text.contains(&b';') || !HARMLESS.iter().any(|word| word.eq_ignore_ascii_case(&text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_session() {
        for statement in ["select 1", " SELECT 1; ", "update t set a=1", "with x as (select 1)"] {
            assert!(!changes_session(statement.as_bytes()), "{statement}");
        }
        for statement in ["set x=1", "begin", "select 1; set x=1", "", "(select 1)", "selection"] {
            assert!(changes_session(statement.as_bytes()), "{statement}");
        }
    }
}
