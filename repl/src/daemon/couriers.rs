//! Threads that deliver what comes in, and run the queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::world::SpoolPlace;
use eximious_mta::delivery::{AttemptManner, Deliverer, QueueRun, RemoteManner};
use eximious_world::deadline::Deadline;
use eximious_world::serving;

use super::STACK;
use super::service::Service;

/// How many messages are delivered at once.
const MOST_AT_ONCE: usize = 16;

/// How many may wait for that; the others wait for the next run of the queue.
const MOST_WAITING: usize = 10_000;

/// Whoever delivers, for all connections of a daemon.
#[derive(Debug, Default)]
pub struct Couriers {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether what is at hand is the last.
    ends: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Order>,
    /// How many threads there are, and how many of them have nothing to do.
    threads: usize,
    idle: usize,
}

/// A message to be delivered.
#[derive(Debug)]
struct Order {
    deliverer: Deliverer,
    place: SpoolPlace,
    id: Vec<u8>,
    remote: RemoteManner,
}

impl Couriers {
    /// Has a message delivered as soon as there is somebody to do it.
    pub fn deliver(self: &Arc<Self>, service: &Service, place: SpoolPlace, id: Vec<u8>) {
        let mut state = self.locked();
        if state.waiting.len() >= MOST_WAITING {
            return;
        }
        let (deliverer, remote) = (service.deliverer.clone(), service.remote);
        state.waiting.push_back(Order { deliverer, place, id, remote });
        if state.idle < state.waiting.len() && state.threads < MOST_AT_ONCE {
            let own = self.clone();
            state.threads += 1;
            if serving::spawn(STACK, move || own.work()).is_err() {
                // The others do it, or the next run of the queue does.
                state.threads -= 1;
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Runs the queue, now and each time so much has passed.
    pub fn run_queue(
        self: &Arc<Self>,
        every: Option<Duration>,
        deliverer: impl Fn() -> (Deliverer, SpoolPlace) + Send + 'static,
        run: QueueRun,
    ) -> std::io::Result<()> {
        let own = self.clone();
        own.locked().threads += 1;
        let spawned = serving::spawn(STACK, move || {
            loop {
                let next = every.map(Deadline::within);
                let (deliverer, place) = deliverer();
                deliverer.run_queue(&place, &run, &own.ends);
                if !next.is_some_and(|next| own.wait_until(next)) {
                    break;
                }
            }
            own.leave();
        });
        if spawned.is_err() {
            self.leave();
        }
        spawned
    }

    /// Lets everybody finish the message at hand, and no more.
    pub fn end(&self, within: Duration) {
        self.ends.store(true, Ordering::Relaxed);
        self.changed.notify_all();
        let until = Deadline::within(within);
        let mut state = self.locked();
        state.waiting.clear();
        while state.threads > 0 {
            let Some(left) = until.left() else { return };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self) {
        self.locked().threads -= 1;
        self.changed.notify_all();
    }

    fn work(&self) {
        while let Some(order) = self.next() {
            let manner = AttemptManner { remote: order.remote, ..AttemptManner::default() };
            order.deliverer.deliver_all(&order.place, &order.id, &manner);
        }
        self.leave();
    }

    /// What to do next; nothing where it is over.
    fn next(&self) -> Option<Order> {
        let mut state = self.locked();
        loop {
            if self.ends.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(order) = state.waiting.pop_front() {
                return Some(order);
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Waits; false where it is over.
    fn wait_until(&self, until: Deadline) -> bool {
        let mut state = self.locked();
        loop {
            if self.ends.load(Ordering::Relaxed) {
                return false;
            }
            let Some(left) = until.left() else { return true };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
