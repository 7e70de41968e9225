//! One connection, from the greeting to the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious::transport::TurnedConnection;
use eximious::world::{HeldMessage, SpoolError, SpoolPlace};
use eximious::{Str, var};
use eximious_mta::delivery::{AttemptManner, Courier, RemoteManner};
use eximious_mta::smtp::{Awaited, Client, Event, Received, SmtpSession, SpoolOutcome};
use eximious_mta::spool::HeldDelivery;
use eximious_world::deadline::Deadline;
use eximious_world::serving::{Bell, Heard, Peer};

use super::couriers::{Couriers, StraightTurn};
use super::line::MessageOwner;
use super::places::ConnectionSlot;
use super::service::Service;

/// How much is read at once.
const PIECE: usize = 8 * 1024;
/// How much more of a message is read at once, where there is more.
const MUCH: usize = 56 * 1024;

/// How much is gathered before it is sent.
const FULL: usize = 16 * 1024;

/// How long a client may take to read, where it may be silent for ever.
const LONGEST_WRITE: Duration = Duration::from_secs(5 * 60);

/// How long a message may take that is on its way when the daemon ends.
const LAST_MESSAGE: Duration = Duration::from_secs(20);

/// Speaks SMTP with a client until one side has enough.
pub fn hold(
    (service, couriers): (Arc<Service>, Arc<Couriers>),
    peer: Peer,
    bell: Bell,
    place: ConnectionSlot,
    begins_with_tls: bool,
) {
    let mut cx = service.engine.context();
    if let Some(debug) = &service.debug {
        cx.observe(debug.clone());
    }
    if let Some(metrics) = &service.metrics {
        cx.observe(metrics.clone());
    }
    if let Err(fail) = cx.start() {
        service.engine.world().log.panic(fail.message());
        return peer.dismiss(b"421 Service not available; please try again later.\r\n");
    }
    // What comes over the network comes from nobody of this system.
    let (uid, gid) = service.engine.world().host.ids();
    cx.set_var(var::ORIGINATOR_UID, uid.to_string());
    cx.set_var(var::ORIGINATOR_GID, gid.to_string());
    cx.set_var(var::SMTP_COUNT_AT_CONNECTION_START, place.count().to_string());
    let (remote, local) = (peer.remote(), peer.local());
    let mut client = Client::at(remote).connected_to(local);
    client.count = Some(place.count());
    // No two that are open have the same, and lines of logs have it too.
    client.connection = Str::from(place.thread().to_string());
    client.synchronizes = true;
    client.pretends = service.pretends;
    client.overrides_queue_only = service.overrides;
    client.begins_with_tls = begins_with_tls;
    let mut session = SmtpSession::new(service.server.clone(), cx, client);
    let peer = Arc::new(peer);
    let marked = peer.clone();
    session.serve_customers();
    session.set_traffic_marker(Some(Box::new(move |class| marked.mark_traffic(class))));
    let heard = peer.clone();
    session.set_inlet(Some(Box::new(move |bytes| take_at_once(&heard, bytes))));
    let words = Arc::new(Mutex::new(Words::new(peer.clone())));
    let outlet = words.clone();
    session.set_outlet(Some(Box::new(move |bytes| {
        let mut words = locked(&outlet);
        words.add(bytes);
        words.send();
    })));
    let mut conversation = Box::new(Conversation {
        session,
        service,
        couriers,
        place,
        peer,
        bell,
        words,
        called: Str::EMPTY,
        is_ending: false,
        last_words: None,
        window: Vec::new(),
        courier: None,
    });
    // Whoever speaks before the greeting is found out by it.
    conversation.hear_what_is_there();
    conversation.go_on();
}

/// One with a client, whichever thread speaks.
pub(super) struct Conversation {
    session: SmtpSession,
    service: Arc<Service>,
    couriers: Arc<Couriers>,
    place: ConnectionSlot,
    peer: Arc<Peer>,
    bell: Bell,
    /// What the client is told.
    words: Arc<Mutex<Words>>,
    /// What the client has called itself, as far as those know who ask.
    called: Str,
    /// Whether nothing more will come.
    is_ending: bool,
    /// Until when the message that is on its way may come, once the daemon ends.
    last_words: Option<Deadline>,
    /// Where a large message comes in, until it is there.
    window: Vec<u8>,
    /// Who delivers messages for this thread.
    courier: Option<Courier>,
}

/// A message that is held, and where it would wait.
struct Held {
    place: SpoolPlace,
    id: Vec<u8>,
    whose: MessageOwner,
    delivery: HeldDelivery,
}

/// Takes what is there already, up to some bound; true where nothing more will come.
fn take_at_once(peer: &Peer, bytes: &mut Vec<u8>) -> bool {
    let mut piece = [0; PIECE];
    match peer.read_at_once(&mut piece) {
        Ok(Heard::Bytes(count)) => {
            bytes.extend_from_slice(&piece[..count]);
            false
        }
        Ok(Heard::Late | Heard::Stopped) => false,
        Ok(Heard::End) | Err(_) => true,
    }
}

/// What a client is told.
struct Words {
    peer: Arc<Peer>,
    /// What is to be sent.
    pending: Vec<u8>,
    /// How long the client may take to read it.
    within: Duration,
    /// Whether nothing reaches the client any more.
    gone: bool,
}

impl Words {
    fn new(peer: Arc<Peer>) -> Self {
        Self { peer, pending: Vec::new(), within: LONGEST_WRITE, gone: false }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= FULL {
            self.send();
        }
    }

    /// Sends what was said so far.
    fn send(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        if !self.gone {
            self.gone = self.peer.write(&self.pending, self.within).is_err();
        }
        self.pending.clear();
        if self.pending.capacity() > FULL {
            self.pending.shrink_to(0);
        }
    }
}

/// Only one thread speaks: whatever became of another's, the words are whole.
fn locked(words: &Mutex<Words>) -> MutexGuard<'_, Words> {
    words.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be done next.
enum Next {
    Listen,
    /// This thread delivers a message.
    Deliver(Box<Held>, StraightTurn),
    Over,
}

impl Conversation {
    /// Speaks with the client until it is over, or until somebody else does.
    fn go_on(mut self: Box<Self>) {
        loop {
            match self.answer() {
                Next::Listen if !self.is_ending => {
                    self.tell_client();
                    self.listen();
                }
                Next::Deliver(held, turn) => match self.deliver(*held, &turn) {
                    Some(same) => self = same,
                    None => return,
                },
                Next::Listen | Next::Over => break,
            }
        }
        if let Some((customer, tls)) = self.session.take_customer()
            && let Ok(stream) = self.peer.stream()
        {
            let connection = TurnedConnection { stream, tls };
            self.couriers.serve(&self.service, customer, connection);
        }
        self.peer.finish();
    }

    /// Goes on in this thread, as the one that had a message to deliver is not done with it.
    pub fn go_on_elsewhere(mut self: Box<Self>, held: &dyn HeldMessage) {
        self.place.occupied_by(self.service.engine.world().host.thread());
        self.couriers.rush();
        self.conclude(held);
        self.go_on();
    }

    /// Has those who ask see who the client is, once it calls itself by another name.
    fn tell_client(&mut self) {
        let cx = self.session.context();
        let now = cx.value_of(var::SENDER_HELO_NAME);
        if now != self.called {
            self.called = now;
            let client = eximious::client::plainly_described(cx);
            self.place.describe(String::from_utf8_lossy(&client).into_owned());
        }
    }

    /// Holds a message that can be delivered at once, and is put into the spool only where
    /// that takes longer. Nothing where it is to be kept there.
    fn hold_message(&mut self, received: &mut Received) -> Option<Held> {
        // Who watches sees each step by itself.
        let may_wait = self.service.debug.is_none() && !self.is_ending;
        if !may_wait || !self.couriers.are_quick() || received.is_frozen() {
            return None;
        }
        let cx = self.session.context();
        let place = eximious_mta::spool::place(cx, received.queue.bytes()).ok()?;
        let delivery = eximious_mta::spool::hold(cx, received)?;
        let whose = self.whose(received);
        Some(Held { place, id: received.id.bytes().to_vec(), whose, delivery })
    }

    /// Whose a message is.
    fn whose(&mut self, received: &Received) -> MessageOwner {
        let cx = self.session.context();
        let login = cx.value_of(var::AUTHENTICATED_ID);
        let address = cx.value_of(var::SENDER_HOST_ADDRESS);
        let first = received.recipients.first();
        let to = first.map(|first| first.address.bytes()).unwrap_or_default();
        MessageOwner::of_client(login.bytes(), address.bytes(), to)
    }

    /// What the client hears of a message that was held.
    fn conclude(&mut self, held: &dyn HeldMessage) {
        let delivered = held.settled(Duration::ZERO).map(drop);
        self.conclude_with(delivered);
    }

    fn conclude_with(&mut self, delivered: Result<(), SpoolError>) {
        let outcome = eximious_mta::spool::settled(self.session.context(), delivered);
        self.session.conclude(&outcome);
    }

    /// Has somebody else deliver a message that is held, and waits for that.
    fn await_delivery(&mut self, Held { place, id, whose, delivery }: Held) {
        let delivered = self.couriers.deliver_held(&self.service, (place, id, whose), delivery);
        self.conclude_with(delivered);
    }

    /// Delivers a message, and goes on with the conversation, unless somebody else has done so
    /// because it took long.
    fn deliver(mut self: Box<Self>, held: Held, turn: &StraightTurn) -> Option<Box<Self>> {
        let courier = self.courier.take();
        let courier = courier.unwrap_or_else(|| Courier::new(&self.service.deliverer));
        let message = held.delivery.message.clone();
        let manner = AttemptManner { remote: self.service.remote, ..AttemptManner::default() };
        let waiting = self.couriers.waiting_clients.clone();
        let client = match waiting.add(self, message.clone()) {
            Ok(client) => client,
            Err(mut same) => {
                same.await_delivery(held);
                return Some(same);
            }
        };
        let Held { place, id, delivery, .. } = held;
        courier.deliver_held((&place, &id), Some(delivery), &manner, false, turn.stops());
        if courier.patience().is_some() {
            // This thread does not wait for messages that go the same way.
            courier.rest();
        }
        let (mut same, _) = client.take()?;
        same.courier = Some(courier);
        same.conclude(&*message);
        Some(same)
    }

    /// Keeps a message, and has it delivered, unless it is to wait in the spool. What this thread
    /// is to deliver, if there is something.
    fn keep(&mut self, received: &mut Received) -> Option<(Held, StraightTurn)> {
        self.window = Vec::new();
        let at_once = self.session.delivers_at_once(received);
        if at_once && let Some(held) = self.hold_message(received) {
            if !self.session.announce() {
                return None;
            }
            let is_here = received.recipients.first().is_some_and(|first| {
                received.recipients.len() == 1
                    && self.service.deliverer.is_likely_here(&first.address)
            });
            if is_here && let Some(turn) = self.couriers.begin_straight() {
                return Some((held, turn));
            }
            self.await_delivery(held);
            return None;
        }
        let cx = self.session.context();
        let taken = match at_once || received.is_routed_first() {
            true => eximious_mta::spool::keep(cx, received),
            false => eximious_mta::spool::keep_queued(cx, received),
        };
        self.session.conclude(&taken);
        let kept = taken == SpoolOutcome::Spooled && !self.session.is_over();
        if !kept || received.recipients.is_empty() {
            return None;
        }
        let remote = if at_once && self.session.delivers_at_once(received) {
            self.service.remote
        } else if self.session.routes_at_once(received) {
            RemoteManner::Queued
        } else {
            return None;
        };
        let whose = self.whose(received);
        let cx = self.session.context();
        if let Ok(place) = eximious_mta::spool::place(cx, received.queue.bytes()) {
            let message = (place, received.id.bytes().to_vec(), whose);
            self.couriers.deliver(&self.service, message, remote);
        }
        None
    }

    /// Does all that the session asks for.
    fn answer(&mut self) -> Next {
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Reply(bytes) => locked(&self.words).add(&bytes),
                Event::Message(mut received) => {
                    if let Some((held, turn)) = self.keep(&mut received) {
                        return Next::Deliver(Box::new(held), turn);
                    }
                }
                Event::Delay { time, sends } => {
                    if sends {
                        self.send();
                    }
                    self.peer.wait(time, &self.bell);
                }
                Event::Close => {
                    self.send();
                    return Next::Over;
                }
            }
        }
        self.send();
        let gone = locked(&self.words).gone;
        if gone { self.over() } else { Next::Listen }
    }

    /// The client is gone, which the session has to know.
    fn over(&mut self) -> Next {
        self.is_ending = true;
        self.session.end_of_input();
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Close => break,
                Event::Message(mut received) => {
                    // Nobody waits for what becomes of it.
                    self.keep(&mut received);
                }
                Event::Reply(_) | Event::Delay { .. } => {}
            }
        }
        Next::Over
    }

    /// Sends what was said so far.
    fn send(&mut self) {
        let within = self.session.receive_timeout().unwrap_or(LONGEST_WRITE);
        let mut words = locked(&self.words);
        words.within = within;
        words.send();
    }

    /// Waits for the client.
    fn listen(&mut self) {
        let mut piece = [0; PIECE];
        let awaited = self.session.awaits();
        let (until, bell) = match awaited {
            // A message that is on its way may come, though the daemon ends.
            Awaited::Message if self.bell.was_rung() => {
                let last = self.last_words.get_or_insert_with(|| Deadline::within(LAST_MESSAGE));
                (Some(*last), None)
            }
            // A piece of a line brings no more time for the rest of it.
            Awaited::Message | Awaited::Command => {
                (self.session.read_timeout().map(Deadline::within), Some(&self.bell))
            }
        };
        match self.peer.read(&mut piece, until, bell) {
            Ok(Heard::Bytes(count)) => {
                self.session.receive(&piece[..count]);
                if count == PIECE {
                    self.hear_what_is_there();
                }
            }
            Ok(Heard::Stopped) if awaited == Awaited::Message => {}
            Ok(Heard::Stopped) => self.session.shut_down(),
            Ok(Heard::Late) if self.last_words.is_some() => self.session.shut_down(),
            Ok(Heard::Late) => self.session.time_out(),
            ended @ (Ok(Heard::End) | Err(_)) => {
                match ended {
                    Err(why) => self.session.input_failed(&why),
                    Ok(_) => self.session.end_of_input(),
                }
                self.is_ending = true;
            }
        }
    }

    /// Takes what is there already, up to some bound; nothing is waited for.
    fn hear_what_is_there(&mut self) {
        let is_much = self.session.awaits() == Awaited::Message;
        self.window.resize(if is_much { MUCH } else { PIECE }, 0);
        let count = self.peer.read_more(&mut self.window);
        if count > 0 {
            self.session.receive(&self.window[..count]);
        }
        if !is_much {
            self.window = Vec::new();
        }
    }
}
