//! Messages that are delivered by the threads that were told of them: to hand them on to others
//! costs more than some steps of a delivery. Where one takes longer than a client is to wait,
//! another thread speaks with the client, and the message is in the spool.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::world::HeldMessage;
use eximious_world::deadline::Deadline;
use eximious_world::serving;

use super::STACK;
use super::conversation::Conversation;
use super::couriers::PATIENCE;

/// How often somebody looks for clients that have waited for long.
const PAUSE: Duration = Duration::from_millis(50);

/// For how long somebody looks when none waits.
const IDLE: Duration = Duration::from_secs(10);

/// The clients that wait, whoever came first at the front.
#[derive(Default)]
pub struct WaitingClients(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    clients: VecDeque<(Deadline, Arc<WaitingClient>)>,
    /// Whether there is a thread that looks for those that have waited for long.
    is_watched: bool,
}

/// A client that waits for the delivery of its message, until somebody speaks with it again.
pub struct WaitingClient(Mutex<Option<Paused>>);

/// A conversation, and the message that it waits for.
type Paused = (Box<Conversation>, Arc<dyn HeldMessage>);

impl fmt::Debug for WaitingClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingClients").finish_non_exhaustive()
    }
}

impl WaitingClient {
    /// The conversation, for whoever is the first to go on with it.
    pub fn take(&self) -> Option<Paused> {
        self.locked().take()
    }

    fn is_gone(&self) -> bool {
        self.locked().is_none()
    }

    fn locked(&self) -> MutexGuard<'_, Option<Paused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingClients {
    /// Has a client wait until a message is delivered, or until it has waited for long.
    ///
    /// # Errors
    /// The conversation, where nobody would see that.
    pub fn add(
        self: &Arc<Self>,
        conversation: Box<Conversation>,
        held: Arc<dyn HeldMessage>,
    ) -> Result<Arc<WaitingClient>, Box<Conversation>> {
        let mut waiting = self.locked();
        if !waiting.is_watched {
            let own = self.clone();
            if serving::spawn(STACK, move || own.watch()).is_err() {
                return Err(conversation);
            }
            waiting.is_watched = true;
        }
        let client = Arc::new(WaitingClient(Mutex::new(Some((conversation, held)))));
        waiting.clients.push_back((Deadline::within(PATIENCE), client.clone()));
        Ok(client)
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for clients that have waited for long, until none has come for a while.
    fn watch(self: Arc<Self>) {
        let mut until = Deadline::within(IDLE);
        loop {
            std::thread::sleep(PAUSE);
            self.late().into_iter().for_each(|client| self.go_on(client));
            let mut waiting = self.locked();
            if !waiting.clients.is_empty() {
                until = Deadline::within(IDLE);
            } else if until.left().is_none() {
                waiting.is_watched = false;
                return;
            }
        }
    }

    /// Those that have waited for long; who does not wait any more is forgotten.
    fn late(&self) -> Vec<Arc<WaitingClient>> {
        let mut waiting = self.locked();
        let mut late = Vec::new();
        while let Some((until, client)) = waiting.clients.front() {
            let is_gone = client.is_gone();
            if !is_gone && until.left().is_some() {
                break;
            }
            let client = waiting.clients.pop_front();
            late.extend(client.filter(|_| !is_gone).map(|(_, client)| client));
        }
        late
    }

    /// Has a new thread speak with a client.
    fn go_on(&self, client: Arc<WaitingClient>) {
        let own = client.clone();
        let spawned = serving::spawn(STACK, move || {
            if let Some((conversation, held)) = own.take() {
                conversation.go_on_elsewhere(&*held);
            }
        });
        if spawned.is_err() {
            // There may be a thread later, or the message is delivered.
            self.locked().clients.push_back((Deadline::within(PATIENCE), client));
        }
    }
}
