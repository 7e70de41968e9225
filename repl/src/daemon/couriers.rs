//! Threads that deliver what comes in, and run the queue.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::transport::TurnedConnection;
use eximious::world::{SpoolError, SpoolPlace};
use eximious_mta::delivery::{
    AttemptManner, Courier, Customer, Deliverer, QueueRun, QueueText, RemoteManner,
};
use eximious_mta::spool::HeldDelivery;
use eximious_world::deadline::Deadline;
use eximious_world::serving;

use super::STACK;
use super::line::{DeliveryLine, MOST_AT_ONCE, MessageOwner};
use super::service::Service;
use super::straight::WaitingClients;

/// How often somebody looks for deliveries that take long, while messages wait for a thread.
const PAUSE: Duration = Duration::from_millis(100);

/// For how long somebody looks when none waits.
const CALM: Duration = Duration::from_secs(10);

/// Whoever delivers, for all connections of a daemon.
#[derive(Debug, Default)]
pub struct Couriers {
    state: Mutex<State>,
    changed: Condvar,
    /// How many runs of queues are under way, whichever queues they are of.
    runs: AtomicUsize,
    /// How often the runs that a daemon begins now and then were given up for others.
    rounds: AtomicUsize,
    /// Whether what is at hand is the last.
    ends: AtomicBool,
    /// Until when no client waits for a delivery.
    rushed: Mutex<Option<Deadline>>,
    /// The clients whose messages are delivered by the threads that speak with them.
    pub(super) waiting_clients: Arc<WaitingClients>,
}

#[derive(Debug, Default)]
struct State {
    line: DeliveryLine<Order>,
    /// How many threads there are.
    threads: usize,
    /// How many of them deliver what waits.
    workers: usize,
    /// Whether there is a thread that looks whether more are needed.
    is_watched: bool,
    /// How many others deliver what they were told by a client.
    straight: usize,
    /// Those that have nothing to do. Whoever came last is the first to have something again:
    /// connections that it has may be there still.
    idle: Vec<Arc<Condvar>>,
}

/// How long a client waits for the delivery of its message before that is put into the spool.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// For how long none waits once it came to that.
const RUSH: Duration = Duration::from_secs(10);

/// What a run of the queue is made by.
#[derive(Debug)]
pub struct QueueTurn {
    /// Who delivers.
    pub deliverer: Deliverer,
    /// The queue.
    pub place: SpoolPlace,
    /// How many runs of queues there may be at once; nothing for any number.
    pub most: Option<usize>,
}

/// Leave to deliver a message, until this goes.
#[derive(Debug)]
pub struct StraightTurn(Arc<Couriers>);

impl StraightTurn {
    /// What says that it is enough.
    pub fn stops(&self) -> &AtomicBool {
        &self.0.ends
    }
}

impl Drop for StraightTurn {
    fn drop(&mut self) {
        self.0.locked().straight -= 1;
        if self.0.ends.load(Ordering::Relaxed) {
            self.0.changed.notify_all();
        }
    }
}

/// A message to be delivered.
#[derive(Debug)]
struct Order {
    deliverer: Deliverer,
    place: SpoolPlace,
    id: Vec<u8>,
    held: Option<HeldDelivery>,
    remote: RemoteManner,
}

/// A message for one that delivers.
struct Work {
    order: Order,
    /// Whether there is more.
    more: bool,
    /// What it has in [`State::line`].
    number: u64,
}

impl State {
    /// Whether one more may deliver what waits, and would have something.
    fn has_room(&mut self) -> bool {
        self.workers < self.line.room() && self.line.can_begin()
    }
}

impl Couriers {
    /// Whether messages are delivered so soon that a client may wait for it.
    pub fn are_quick(&self) -> bool {
        let rushed = self.rushed.lock().unwrap_or_else(PoisonError::into_inner);
        rushed.is_none_or(|until| until.left().is_none()) && !self.ends.load(Ordering::Relaxed)
    }

    /// Has a message delivered that is not in the spool, and waits for it, for a moment: then it
    /// is in the spool, and delivered as others are.
    ///
    /// # Errors
    /// It can't be kept, and is gone.
    pub fn deliver_held(
        self: &Arc<Self>,
        service: &Service,
        (place, id, whose): (SpoolPlace, Vec<u8>, MessageOwner),
        held: HeldDelivery,
    ) -> Result<(), SpoolError> {
        let message = held.message.clone();
        self.enqueue(service, (place, id, whose), service.remote, Some(held));
        if !message.settled(PATIENCE)? {
            self.rush();
        }
        Ok(())
    }

    /// Has no client wait for a while.
    pub fn rush(&self) {
        let mut rushed = self.rushed.lock().unwrap_or_else(PoisonError::into_inner);
        *rushed = Some(Deadline::within(RUSH));
    }

    /// Leave for another thread to deliver one message; none where enough is delivered already.
    pub fn begin_straight(self: &Arc<Self>) -> Option<StraightTurn> {
        let mut state = self.locked();
        if state.straight >= MOST_AT_ONCE || self.ends.load(Ordering::Relaxed) {
            return None;
        }
        state.straight += 1;
        Some(StraightTurn(self.clone()))
    }

    /// Has a message of the spool delivered as soon as there is somebody to do it.
    pub fn deliver(
        self: &Arc<Self>,
        service: &Service,
        message: (SpoolPlace, Vec<u8>, MessageOwner),
        remote: RemoteManner,
    ) {
        self.enqueue(service, message, remote, None);
    }

    fn enqueue(
        self: &Arc<Self>,
        service: &Service,
        (place, id, whose): (SpoolPlace, Vec<u8>, MessageOwner),
        remote: RemoteManner,
        held: Option<HeldDelivery>,
    ) {
        let mut state = self.locked();
        let deliverer = service.deliverer.clone();
        if !state.line.add(whose, Order { deliverer, place, id, held, remote }) {
            return;
        }
        if let Some(seat) = state.idle.pop() {
            // Whoever wakes up finds it unlocked.
            drop(state);
            seat.notify_one();
        } else if state.has_room() {
            self.add_worker(state);
        } else {
            self.have_watched(state);
        }
    }

    /// Has somebody look whether more are needed, while something waits.
    fn have_watched(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.line.is_empty() || std::mem::replace(&mut state.is_watched, true) {
            return;
        }
        drop(state);
        let own = self.clone();
        if self.spawn(move || own.watch()).is_err() {
            self.locked().is_watched = false;
        }
    }

    /// Begins a thread that delivers what waits.
    fn add_worker(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        state.workers += 1;
        drop(state);
        let own = self.clone();
        if self.spawn(move || own.work()).is_err() {
            // The others do it, or the next run of the queue does.
            self.locked().workers -= 1;
        }
    }

    /// Sees to it that messages don't wait for those whose delivery takes long.
    fn watch(self: &Arc<Self>) {
        let mut until = Deadline::within(CALM);
        loop {
            std::thread::sleep(PAUSE);
            let mut state = self.locked();
            if !state.line.is_empty() {
                until = Deadline::within(CALM);
            }
            if until.left().is_none() || self.ends.load(Ordering::Relaxed) {
                state.is_watched = false;
                return;
            }
            for _ in 0..MOST_AT_ONCE {
                if !state.has_room() {
                    break;
                }
                self.add_worker(state);
                state = self.locked();
            }
        }
    }

    /// Runs the queue, after a while and each time so much has passed, whether the runs before have
    /// ended or not; but only so many at once as may be then.
    pub fn run_queue(
        self: &Arc<Self>,
        (after, every): (Duration, Option<Duration>),
        turn: impl Fn() -> QueueTurn + Send + 'static,
        run: QueueRun,
    ) -> std::io::Result<()> {
        let own = self.clone();
        let round = self.rounds.load(Ordering::Relaxed);
        self.spawn(move || {
            if !own.wait_until(Deadline::within(after), round) {
                return;
            }
            loop {
                let next = every.map(Deadline::within);
                let QueueTurn { deliverer, place, most } = turn();
                let one_more = |now| most.is_none_or(|most| now < most).then_some(now + 1);
                let (seen, set) = (Ordering::Relaxed, Ordering::Relaxed);
                if own.runs.fetch_update(set, seen, one_more).is_ok() {
                    let (runs, run) = (own.clone(), run.clone());
                    let spawned = own.spawn(move || {
                        // What is wrong with it is logged.
                        let _ = deliverer.run_queue(&place, &run, &runs.ends);
                        runs.runs.fetch_sub(1, Ordering::Relaxed);
                    });
                    if spawned.is_err() {
                        // The next one may have more luck.
                        own.runs.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                if !next.is_some_and(|next| own.wait_until(next, round)) {
                    break;
                }
            }
        })
    }

    /// Fetches policies of MTA-STS anew, at once and each time so much has passed.
    pub fn refresh_policies(
        self: &Arc<Self>,
        every: Duration,
        deliverer: impl Fn() -> Deliverer + Send + 'static,
    ) -> std::io::Result<()> {
        let own = self.clone();
        let round = self.rounds.load(Ordering::Relaxed);
        self.spawn(move || {
            loop {
                deliverer().refresh_policies(&own.ends);
                if !own.wait_until(Deadline::within(every), round) {
                    break;
                }
            }
        })
    }

    /// Begins a thread that is waited for in the end.
    fn spawn(self: &Arc<Self>, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        self.locked().threads += 1;
        let own = self.clone();
        let spawned = serving::spawn(STACK, move || {
            work();
            own.leave();
        });
        if spawned.is_err() {
            self.leave();
        }
        spawned
    }

    /// Has the queue run for clients of a service that ask for their mail.
    pub fn run_for_clients(self: &Arc<Self>, service: &Arc<Service>) {
        let (own, served) = (Arc::downgrade(self), Arc::downgrade(service));
        service.server.run_for_clients(Box::new(move |text, ended| {
            let over = || std::io::Error::from(std::io::ErrorKind::Interrupted);
            let (Some(own), Some(service)) = (own.upgrade(), served.upgrade()) else {
                return Err(over());
            };
            let place = eximious_mta::spool::place(&service.engine.context(), b"");
            let place = place.map_err(|_| over())?;
            let text = QueueText { text: text.to_vec(), is_pattern: false };
            let run = QueueRun { recipient: Some(text), ..QueueRun::default() };
            let runs = own.clone();
            own.spawn(move || {
                // There is no pattern that could be wrong.
                let _ = service.deliverer.run_queue(&place, &run, &runs.ends);
                ended();
            })
        }));
    }

    /// Sends somebody who has called what waits for them, along their own connection.
    pub fn serve(&self, service: &Service, customer: Customer, connection: TurnedConnection) {
        let place = eximious_mta::spool::place(&service.engine.context(), customer.queue.bytes());
        match place {
            Ok(place) => {
                service.deliverer.serve_customer(&place, customer, connection, &self.ends);
            }
            Err(why) => service.engine.world().log.panic(&why),
        }
    }

    /// Lets everybody finish the message at hand, and no more.
    pub fn end(&self, within: Duration) {
        self.ends.store(true, Ordering::Relaxed);
        self.changed.notify_all();
        let until = Deadline::within(within);
        let mut state = self.locked();
        state.line.clear();
        state.idle.drain(..).for_each(|seat| seat.notify_one());
        while state.threads + state.straight > 0 {
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

    fn work(self: &Arc<Self>) {
        let mut courier: Option<Courier> = None;
        let mut done = None;
        while let Some(Work { order, more, number }) = self.next(&mut courier, done) {
            let manner = AttemptManner { remote: order.remote, ..AttemptManner::default() };
            let own = courier.take().filter(|one| one.is_of(&order.deliverer));
            let own = own.unwrap_or_else(|| Courier::new(&order.deliverer));
            let message = (&order.place, &order.id[..]);
            own.deliver_held(message, order.held, &manner, more, &self.ends);
            courier = Some(own);
            done = Some(number);
        }
    }

    /// What to do next for one that is done with something; nothing where it is over, or others
    /// are enough. Whoever has to wait for it rests, where it has connections after a moment.
    fn next(self: &Arc<Self>, courier: &mut Option<Courier>, done: Option<u64>) -> Option<Work> {
        let patience = courier.as_ref().and_then(Courier::patience).map(Deadline::within);
        let seat = Arc::new(Condvar::new());
        let mut state = self.locked();
        if let Some(number) = done {
            state.line.end(number);
        }
        loop {
            if self.ends.load(Ordering::Relaxed) {
                state.workers -= 1;
                return None;
            }
            let needed = state.line.room();
            if state.workers <= needed
                && let Some((order, number)) = state.line.begin()
            {
                return Some(Work { order, more: !state.line.is_empty(), number });
            }
            if state.workers > MOST_AT_ONCE {
                state.workers -= 1;
                self.have_watched(state);
                return None;
            }
            // What may not begin yet may do so once others are done.
            let pause = (!state.line.is_empty()).then_some(PAUSE);
            let left = patience.and_then(Deadline::left);
            if left.is_none()
                && let Some(resting) = courier.take()
            {
                drop(state);
                drop(resting);
                state = self.locked();
                continue;
            }
            state.idle.push(seat.clone());
            state = match left.into_iter().chain(pause).min() {
                Some(left) => {
                    let waited = seat.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => seat.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.idle.retain(|one| !Arc::ptr_eq(one, &seat));
        }
    }

    /// Begins no run any more that was asked for until now.
    pub fn forget_runs(&self) {
        let state = self.locked();
        self.rounds.fetch_add(1, Ordering::Relaxed);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits; false where it is over, or the round is.
    fn wait_until(&self, until: Deadline, round: usize) -> bool {
        let mut state = self.locked();
        loop {
            if self.ends.load(Ordering::Relaxed) || self.rounds.load(Ordering::Relaxed) != round {
                return false;
            }
            let Some(left) = until.left() else { return true };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
