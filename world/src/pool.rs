//! Connections to servers that stay open from one lookup to the next.

use std::sync::Mutex;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use eximious_core::world::Server;

/// How many connections stay open.
const KEPT: usize = 16;
/// How long a connection stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// Connections that nobody uses just now.
pub struct Pool<C>(Mutex<Vec<Kept<C>>>);

struct Kept<C> {
    server: Server,
    connection: C,
    since: Instant,
    /// The thread that changed the session (`SET`, `BEGIN`, `SELECT`): what it
    /// set is for itself to see, and for nobody else.
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

    /// Keeps a connection for the next lookup; for this thread alone, where its
    /// session is not what it was when it was new.
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
