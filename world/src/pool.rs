//! Connections to servers that stay open from one lookup to the next.

use std::sync::Mutex;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// How many connections stay open.
const KEPT: usize = 16;
/// How long a connection stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// Connections that nobody uses just now.
pub struct Pool<S, C>(Mutex<Vec<Kept<S, C>>>);

struct Kept<S, C> {
    server: S,
    connection: C,
    since: Instant,
    /// The thread that changed the session (`SET`, `BEGIN`, `SELECT`): what it
    /// set is for itself to see, and for nobody else.
    owner: Option<ThreadId>,
}

impl<S, C> Default for Pool<S, C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Clone + PartialEq, C> Pool<S, C> {
    /// A connection that is good still, and whether its session belongs to this
    /// thread.
    pub fn take(&self, server: &S, good: impl Fn(&C) -> bool) -> Option<(C, bool)> {
        self.take_best(server, good, |_| true)
    }

    /// The same, and rather one that is better than others.
    pub fn take_best(
        &self,
        server: &S,
        good: impl Fn(&C) -> bool,
        better: impl Fn(&C) -> bool,
    ) -> Option<(C, bool)> {
        // Dropped behind the lock: connections may want to say goodbye.
        let gone: Vec<Kept<S, C>>;
        let here = std::thread::current().id();
        let mut kept = self.0.lock().ok()?;
        let lost = |kept: &mut Kept<S, C>| kept.since.elapsed() >= IDLE || !good(&kept.connection);
        gone = kept.extract_if(.., lost).collect();
        let newest = |owner: Option<ThreadId>| {
            let is = move |kept: &Kept<S, C>| kept.owner == owner && kept.server == *server;
            let best = kept.iter().rposition(|kept| is(kept) && better(&kept.connection));
            best.or_else(|| kept.iter().rposition(is))
        };
        let own = newest(Some(here));
        let at = own.or_else(|| newest(None))?;
        let taken = kept.swap_remove(at).connection;
        drop(kept);
        drop(gone);
        Some((taken, own.is_some()))
    }

    /// Keeps a connection for the next lookup; for this thread alone, where its
    /// session is not what it was when it was new.
    pub fn keep(&self, server: &S, connection: C, own: bool) {
        let owner = own.then(|| std::thread::current().id());
        let new = Kept { server: server.clone(), connection, since: Instant::now(), owner };
        let Ok(mut kept) = self.0.lock() else { return };
        let oldest = (kept.len() >= KEPT).then(|| kept.remove(0));
        kept.push(new);
        drop(kept);
        drop(oldest);
    }
}
