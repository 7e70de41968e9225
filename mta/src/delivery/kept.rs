//! Connections that one courier keeps from message to message, and the messages that wait
//! for them (specification 49.1, `connection_max_messages`, the hints `wait-`). Where messages
//! to the same host follow each other, the connection waits a moment for the next.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::Context;
use eximious::hints::{Waiting, WaitingStanding};
use eximious::smtp_client::{SmtpClient, Timeouts};
use eximious::transport::{Connections, HeldConnection, TakingHost, TurnedConnection};
use eximious::world::SpoolPlace;

use super::retry::store;
use super::{AttemptManner, Attempted, Deliverer};

/// How many connections are kept at the most.
const MOST: usize = 4;

/// How long one is kept for messages of which it is not known where they go.
const LONGEST: Duration = Duration::from_secs(5);

/// The connections of one courier.
#[derive(Debug, Default)]
pub(super) struct KeptConnections {
    held: Mutex<Vec<Kept>>,
    /// Whether messages to the same host follow each other at the moment.
    is_flowing: AtomicBool,
    /// Whether there are messages of which it is not known where they go.
    busy: AtomicBool,
    /// Who has called, and gets mail along its own connection.
    turned: Option<Turned>,
}

/// The connection of somebody who has called.
#[derive(Debug)]
struct Turned {
    from: SocketAddr,
    /// Until it is taken.
    connection: Mutex<Option<TurnedConnection>>,
}

#[derive(Debug)]
struct Kept {
    connection: HeldConnection,
    /// Since when, by the stopwatch.
    since: Duration,
}

/// Whether a connection is one by a transport to a host at this address and port.
fn leads_to(one: &HeldConnection, transport: &[u8], host: &TakingHost) -> bool {
    one.transport() == transport && one.host() == host
}

impl KeptConnections {
    /// With the connection of somebody who has called.
    pub(super) fn turned(from: SocketAddr, connection: TurnedConnection) -> Self {
        let connection = Mutex::new(Some(connection));
        Self { turned: Some(Turned { from, connection }), ..Self::default() }
    }

    fn take_turned(&self) -> Option<TurnedConnection> {
        let connection = &self.turned.as_ref()?.connection;
        connection.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether there is no connection any more, that of a caller included.
    pub(super) fn is_all_gone(&self) -> bool {
        let has_turned = self.turned.as_ref().is_some_and(|turned| {
            turned.connection.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        });
        !has_turned && self.locked().is_empty()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether there are messages of which it is not known where they go.
    pub(super) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
        self.is_flowing.store(false, Ordering::Relaxed);
    }

    /// Whether there is one to a host, by a transport.
    pub(super) fn has(&self, transport: &[u8], host: &str) -> bool {
        self.locked().iter().any(|Kept { connection: one, .. }| {
            one.transport() == transport && one.host().name == host.as_bytes()
        })
    }

    /// Whether there is one by a transport to a host at this address and port.
    pub(super) fn leads_to(&self, transport: &[u8], host: &TakingHost) -> bool {
        self.locked().iter().any(|one| leads_to(&one.connection, transport, host))
    }

    /// Takes the one to a host back, where it has had no more than so many copies.
    fn unused(&self, host: &TakingHost, copies: u32) -> Option<Kept> {
        let mut held = self.locked();
        let is_it = |one: &HeldConnection| one.host() == host && one.copies() == copies;
        let at = held.iter().position(|one| is_it(&one.connection))?;
        Some(held.remove(at))
    }

    fn find(&self, fits: impl Fn(&HeldConnection) -> bool) -> Option<HeldConnection> {
        let mut held = self.locked();
        let at = held.iter().position(|one| fits(&one.connection))?;
        Some(held.remove(at).connection)
    }
}

/// The connections of a courier, as one message sees them.
pub(super) struct MessageConnections<'k> {
    pub(super) deliverer: &'k Deliverer,
    pub(super) kept: &'k KeptConnections,
    pub(super) place: &'k SpoolPlace,
    pub(super) id: &'k [u8],
}

impl Connections for MessageConnections<'_> {
    fn take(&self, transport: &[u8], host: &TakingHost) -> Option<HeldConnection> {
        self.kept.find(|one| leads_to(one, transport, host))
    }

    fn has(&self, transport: &[u8], host: &str) -> bool {
        self.kept.has(transport, host)
    }

    fn wants(&self, cx: &Context, transport: &[u8], host: &TakingHost, alone: bool) -> bool {
        let now = self.deliverer.engine.world().clock.elapsed();
        let flows = &self.deliverer.flows;
        let is_flowing = !alone && flows.goes(self.id, transport, &host.name, now);
        self.kept.is_flowing.store(is_flowing, Ordering::Relaxed);
        if self.kept.locked().len() >= MOST {
            return false;
        }
        // Whoever has had the connection waits for it no longer.
        let standing = |id: &[u8]| match id == self.id {
            true => WaitingStanding::Stale,
            false => standing(self.deliverer, self.place, &BTreeSet::new(), id),
        };
        is_flowing
            || self.kept.busy.load(Ordering::Relaxed)
            || Waiting::is_there(&*store(cx), transport, &host.name, standing).unwrap_or(false)
    }

    fn keep(&self, connection: HeldConnection) {
        let since = self.deliverer.engine.world().clock.elapsed();
        self.kept.locked().push(Kept { connection, since });
    }

    fn is_turned(&self, to: SocketAddr) -> bool {
        self.kept.turned.as_ref().is_some_and(|turned| turned.from == to)
    }

    fn take_turned(&self) -> Option<TurnedConnection> {
        self.kept.take_turned()
    }

    fn most_messages(&self) -> Option<i64> {
        self.deliverer.most_messages
    }
}

impl Deliverer {
    /// Delivers what waits for the hosts of connections that were kept, and ends them; where
    /// there are messages of which it is not known where they go, they stay for a while.
    pub(super) fn use_connections(
        &self,
        kept: &KeptConnections,
        place: &SpoolPlace,
        id: &[u8],
        manner: &AttemptManner,
        stops: &AtomicBool,
    ) {
        if kept.locked().is_empty() {
            return;
        }
        let mut cx = self.context();
        let manner = AttemptManner {
            is_run: true,
            follows: true,
            overrides: manner.overrides,
            ..AttemptManner::default()
        };
        // What was tried once is not tried again because it waits still.
        let mut tried = BTreeSet::from([id.to_vec()]);
        let mut resting = Vec::new();
        while let Some(one) = pop(kept) {
            let connection = &one.connection;
            let next = match stops.load(Ordering::Relaxed) {
                true => None,
                false => Waiting::take(
                    &*store(&cx),
                    connection.transport(),
                    &connection.host().name,
                    |id| standing(self, place, &tried, id),
                )
                .ok()
                .flatten(),
            };
            let Some(id) = next else {
                resting.push(one);
                continue;
            };
            let (host, copies) = (connection.host().clone(), connection.copies());
            kept.locked().push(one);
            tried.insert(id.clone());
            // Who had nothing for it may wait on for long: not all of that kind are tried because
            // somebody has a connection.
            if self.attempt_all(place, &id, &manner, None) == Attempted::Left {
                resting.extend(kept.unused(&host, copies));
            }
        }
        let [busy, flowing, stops] =
            [&kept.busy, &kept.is_flowing, stops].map(|one| one.load(Ordering::Relaxed));
        let rests = (busy || flowing) && !stops;
        let now = self.engine.world().clock.elapsed();
        for one in resting {
            match rests && now.saturating_sub(one.since) < LONGEST {
                true => kept.locked().push(one),
                false => self.hang_up(&mut cx, one),
            }
        }
    }

    /// Ends all connections that are kept.
    pub(super) fn end_connections(&self, kept: &KeptConnections) {
        kept.set_busy(false);
        if let Some(unused) = kept.take_turned() {
            let mut client = SmtpClient::new(unused.stream, Timeouts::default());
            if let Some(tls) = unused.tls {
                client.continue_tls(tls.session);
            }
            client.quit(self.context().trace());
        }
        if kept.locked().is_empty() {
            return;
        }
        let mut cx = self.context();
        while let Some(one) = pop(kept) {
            self.hang_up(&mut cx, one);
        }
    }

    fn hang_up(&self, cx: &mut Context, one: Kept) {
        self.server.acls.routes().hang_up(cx, one.connection);
    }
}

fn pop(kept: &KeptConnections) -> Option<Kept> {
    kept.locked().pop()
}

/// What is to be done about a message that is said to wait.
fn standing(
    deliverer: &Deliverer,
    place: &SpoolPlace,
    but: &BTreeSet<Vec<u8>>,
    id: &[u8],
) -> WaitingStanding {
    if but.contains(id) {
        return WaitingStanding::PassedBy;
    }
    match deliverer.engine.world().spool.size(place, id, b"-H") {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => WaitingStanding::Stale,
        _ => WaitingStanding::Wanted,
    }
}
