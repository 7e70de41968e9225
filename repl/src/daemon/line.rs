//! Who is next of the messages that wait for a delivery, so that nobody's mail waits for others'.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::Ipv6Addr;
use std::time::Duration;

use eximious_world::deadline::Deadline;

/// How many messages are delivered at once, but for those that take long.
pub const MOST_AT_ONCE: usize = 16;

/// A delivery that takes longer than this waits for something: a host that does not answer, a
/// mailbox that is locked, a command. Other messages don't wait for it.
const LONG: Duration = Duration::from_millis(500);

/// How many of these there may be beside the others.
pub const MOST_LONG: usize = 1024;

/// How many may wait for their turn; the others wait for the next run of the queue.
const MOST_WAITING: usize = 20_000;

/// A domain leaves so many times as much of what is free to others as it takes.
const OTHERS: usize = 8;

/// For how many domains it is known that their mail was quick: where two share a place, for the
/// last.
const KNOWN: usize = 1024;

/// The kind of domains whose mail was quick.
const QUICK: usize = 0;

/// Whose a message is, as far as it counts for the order of deliveries.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MessageOwner {
    /// Who has handed it in.
    source: Vec<u8>,
    /// Where it goes: the domain of its first recipient.
    domain: Vec<u8>,
}

impl MessageOwner {
    /// That of a client, by who has logged in, or else by its address, to somebody.
    pub fn of_client(login: &[u8], address: &[u8], recipient: &[u8]) -> Self {
        let network = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
        let source = match network.map(|address: Ipv6Addr| address.segments()) {
            _ if !login.is_empty() => [b"login ", login].concat(),
            // Whoever has one address of these has all that begin as it does.
            Some([a, b, c, d, ..]) => format!("{a:x}:{b:x}:{c:x}:{d:x}").into_bytes(),
            None => address.to_vec(),
        };
        Self::new(source, recipient)
    }

    /// That of a user of this system.
    pub fn of_user(uid: i64, recipient: &[u8]) -> Self {
        Self::new(format!("user {uid}").into_bytes(), recipient)
    }

    fn new(source: Vec<u8>, recipient: &[u8]) -> Self {
        let domain = memchr::memrchr(b'@', recipient).map_or(&b""[..], |at| &recipient[at + 1..]);
        Self { source, domain: domain.to_ascii_lowercase() }
    }
}

/// What waits, and what is being delivered.
///
/// Those who have handed something in take turns, and so do the domains that each of them
/// writes to. What takes long has a number of places. Whoever has messages delivered gets no
/// more of these than are free, and a domain no more than a part of that: however many want
/// more, there is one left for the next who has none. Domains whose mail was quick when there
/// last was some have no part in it: it goes on beside the rest of whoever has handed it in.
#[derive(Debug)]
pub struct DeliveryLine<T> {
    sources: HashMap<Vec<u8>, Source<T>>,
    /// Those of them that have something, in the order in which their turns come.
    turns: VecDeque<Vec<u8>>,
    /// How many wait.
    waiting: usize,
    /// What is being delivered, by numbers in the order in which it began.
    under_way: BTreeMap<u64, MessageOwner>,
    /// Until when some of it does not take long.
    quick: BTreeMap<u64, Deadline>,
    /// How much of it is whose.
    of_source: HashMap<Vec<u8>, usize>,
    /// How much of it goes where.
    of_domain: HashMap<Vec<u8>, usize>,
    /// Domains whose mail did not take long the last time, by their hashes.
    known: Vec<u64>,
    hasher: RandomState,
    /// The number of the next delivery.
    number: u64,
    /// [`LONG`], but for tests.
    within: Duration,
}

/// What somebody has handed in.
#[derive(Debug)]
struct Source<T> {
    domains: HashMap<Vec<u8>, VecDeque<T>>,
    /// Those of them to which something goes, in the order in which their turns come: those whose
    /// mail was quick, and the others.
    turns: [VecDeque<Vec<u8>>; 2],
    waiting: usize,
}

impl<T> Default for Source<T> {
    fn default() -> Self {
        Self { domains: HashMap::new(), turns: Default::default(), waiting: 0 }
    }
}

impl<T> Default for DeliveryLine<T> {
    fn default() -> Self {
        Self::new(LONG)
    }
}

impl<T> DeliveryLine<T> {
    fn new(within: Duration) -> Self {
        Self {
            sources: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            under_way: BTreeMap::new(),
            quick: BTreeMap::new(),
            of_source: HashMap::new(),
            of_domain: HashMap::new(),
            known: vec![0; KNOWN],
            hasher: RandomState::new(),
            number: 0,
            within,
        }
    }

    /// Has something wait; false where too much does already, be it of the same source.
    pub fn add(&mut self, whose: MessageOwner, what: T) -> bool {
        let own = self.sources.get(&whose.source).map_or(0, |own| own.waiting);
        if own >= MOST_WAITING - self.waiting {
            return false;
        }
        let MessageOwner { source, domain } = whose;
        if own == 0 {
            self.turns.push_back(source.clone());
        }
        let kind = self.kind(&domain);
        let own = self.sources.entry(source).or_default();
        let line = own.domains.entry(domain.clone()).or_default();
        if line.is_empty() {
            own.turns[kind].push_back(domain);
        }
        line.push_back(what);
        own.waiting += 1;
        self.waiting += 1;
        true
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Nothing waits any more.
    pub fn clear(&mut self) {
        self.sources.clear();
        self.turns.clear();
        self.waiting = 0;
    }

    /// For how many there is room at this moment: the more take long, the more are tried.
    pub fn room(&mut self) -> usize {
        let long = MOST_LONG - self.free();
        (long + MOST_AT_ONCE.max(long)).min(MOST_AT_ONCE + MOST_LONG)
    }

    /// Whether something is next.
    pub fn can_begin(&mut self) -> bool {
        let free = self.free();
        self.turns.iter().any(|source| self.next_of(source, free).is_some())
    }

    /// What is next, with its number. Nothing where nothing may be, though something waits.
    pub fn begin(&mut self) -> Option<(T, u64)> {
        let free = self.free();
        let mut turns = self.turns.iter().enumerate();
        let found = turns.find_map(|(at, source)| Some((at, self.next_of(source, free)?)));
        let (at, (kind, place)) = found?;
        let source = self.turns.remove(at)?;
        let domain = self.sources.get_mut(&source)?.turns[kind].remove(place)?;
        let kind = self.kind(&domain);
        let own = self.sources.get_mut(&source)?;
        let line = own.domains.get_mut(&domain)?;
        let what = line.pop_front()?;
        match line.is_empty() {
            true => drop(own.domains.remove(&domain)),
            false => own.turns[kind].push_back(domain.clone()),
        }
        own.waiting -= 1;
        match own.waiting {
            0 => drop(self.sources.remove(&source)),
            _ => self.turns.push_back(source.clone()),
        }
        self.waiting -= 1;
        *self.of_source.entry(source.clone()).or_default() += 1;
        *self.of_domain.entry(domain.clone()).or_default() += 1;
        let number = self.number;
        self.number += 1;
        self.quick.insert(number, Deadline::within(self.within));
        self.under_way.insert(number, MessageOwner { source, domain });
        Some((what, number))
    }

    /// A delivery is made.
    pub fn end(&mut self, number: u64) {
        self.free();
        let is_quick = self.quick.remove(&number).is_some();
        if let Some(whose) = self.under_way.remove(&number) {
            self.note(&whose.domain, is_quick);
            take_one(&mut self.of_source, &whose.source);
            take_one(&mut self.of_domain, &whose.domain);
        }
    }

    /// The domain that is next of somebody's: which kind it is of, and its place there. The kinds
    /// take turns, too.
    fn next_of(&self, source: &[u8], free: usize) -> Option<(usize, usize)> {
        let held = |counts: &HashMap<Vec<u8>, usize>, name: &[u8]| {
            counts.get(name).copied().unwrap_or_default()
        };
        let is_within = may_begin(held(&self.of_source, source), free);
        let may = |domain: &Vec<u8>| {
            (is_within || free > 0 && self.is_known(domain))
                && may_begin(held(&self.of_domain, domain) * OTHERS, free)
        };
        let turns = &self.sources.get(source)?.turns;
        let first = usize::from(self.number % 2 == 1);
        let kinds = [first, 1 - first].into_iter().filter(|kind| is_within || *kind == QUICK);
        kinds.filter_map(|kind| Some((kind, turns[kind].iter().position(may)?))).next()
    }

    /// Of which kind a domain is.
    fn kind(&self, domain: &[u8]) -> usize {
        if self.is_known(domain) { QUICK } else { 1 - QUICK }
    }

    /// Notes whether a domain's mail was quick.
    fn note(&mut self, domain: &[u8], is_quick: bool) {
        let hash = self.hasher.hash_one(domain);
        let known = &mut self.known[(hash % KNOWN as u64) as usize];
        match is_quick {
            true => *known = hash,
            false if *known == hash => *known = 0,
            false => {}
        }
    }

    /// Whether a domain's mail was quick the last time.
    fn is_known(&self, domain: &[u8]) -> bool {
        let hash = self.hasher.hash_one(domain);
        self.known[(hash % KNOWN as u64) as usize] == hash
    }

    /// How many places are free for what takes long.
    fn free(&mut self) -> usize {
        while let Some(first) = self.quick.first_entry()
            && first.get().left().is_none()
        {
            let (number, _) = first.remove_entry();
            if let Some(domain) = self.under_way.get(&number).map(|whose| whose.domain.clone()) {
                self.note(&domain, false);
            }
        }
        MOST_LONG.saturating_sub(self.under_way.len() - self.quick.len())
    }
}

/// Whether one more may begin where there are so many, and so many places are free. Where there
/// is none, it may in any case: it may be quick.
fn may_begin(held: usize, free: usize) -> bool {
    held == 0 || held < free
}

/// Counts one less.
fn take_one(counts: &mut HashMap<Vec<u8>, usize>, name: &[u8]) {
    if let Some(count) = counts.get_mut(name) {
        *count -= 1;
        if *count == 0 {
            counts.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(source: &str, to: &str) -> MessageOwner {
        MessageOwner::of_client(b"", source.as_bytes(), to.as_bytes())
    }

    /// One where whatever begins takes long at once, and what of somebody's can begin.
    fn stalled(source: &str, to: impl Fn(usize) -> String) -> (DeliveryLine<&'static str>, usize) {
        let mut line = DeliveryLine::new(Duration::ZERO);
        let added = (0..MOST_WAITING).take_while(|at| line.add(whose(source, &to(*at)), "stuck"));
        assert_eq!(added.count(), MOST_WAITING / 2);
        let begun = std::iter::from_fn(|| line.begin()).count();
        (line, begun)
    }

    #[test]
    fn those_who_hand_something_in_take_turns() {
        let mut line = DeliveryLine::new(LONG);
        for (source, to, what) in [
            ("192.0.2.1", "x@a.test", "1"),
            ("192.0.2.1", "x@a.test", "2"),
            ("192.0.2.1", "y@A.test", "3"),
            ("192.0.2.1", "x@b.test", "4"),
            ("192.0.2.2", "x@a.test", "5"),
        ] {
            assert!(line.add(whose(source, to), what));
        }
        let order: Vec<_> = std::iter::from_fn(|| line.begin()).map(|(what, _)| what).collect();
        assert_eq!(order, ["1", "5", "4", "2", "3"]);
        assert!(line.is_empty() && line.sources.is_empty() && line.turns.is_empty());
    }

    #[test]
    fn a_domain_that_is_slow_has_a_part_of_the_places() {
        let (mut line, begun) = stalled("192.0.2.1", |_| "x@slow.test".into());
        assert_eq!(begun, MOST_LONG.div_ceil(OTHERS + 1));
        // Neither its mail of others nor other mail of the same client is in the way of anything.
        assert!(line.add(whose("192.0.2.2", "x@slow.test"), "other"));
        assert!(line.begin().is_none());
        assert!(line.add(whose("192.0.2.1", "x@quick.test"), "same client"));
        assert_eq!(line.begin().map(|(what, _)| what), Some("same client"));
        line.end(0);
        line.end(1);
        assert!(line.begin().is_some() && line.begin().is_some() && line.begin().is_none());
    }

    #[test]
    fn a_client_whose_mail_is_slow_leaves_places_to_others() {
        let (mut line, begun) = stalled("192.0.2.1", |at| format!("x@slow{at}.test"));
        assert_eq!(begun, MOST_LONG / 2);
        for client in 2..200 {
            let source = format!("192.0.2.{client}");
            assert!((0..50).all(|at| line.add(whose(&source, &format!("x@d{at}.test")), "more")));
        }
        let begun = begun + std::iter::from_fn(|| line.begin()).count();
        assert!(begun <= MOST_LONG + 200, "{begun}");
        assert!(line.add(whose("198.51.100.1", "x@quick.test"), "last"));
        assert_eq!(line.begin().map(|(what, _)| what), Some("last"));
    }

    #[test]
    fn domains_that_are_known_to_be_quick_wait_for_none_of_it() {
        let mut line = DeliveryLine::new(LONG);
        assert!(line.add(whose("192.0.2.1", "x@known.test"), "first"));
        let (_, number) = line.begin().expect("it is next");
        line.end(number);
        line.within = Duration::ZERO;
        for at in 0..1_000 {
            assert!(line.add(whose("192.0.2.1", &format!("x@slow{at}.test")), "stuck"));
        }
        while line.begin().is_some() {}
        assert!(line.add(whose("192.0.2.1", "x@unknown.test"), "unknown"));
        assert!(!line.can_begin());
        assert!(line.add(whose("192.0.2.1", "x@known.test"), "known"));
        assert_eq!(line.begin().map(|(what, _)| what), Some("known"));
        // That one is slow, too.
        assert!(line.add(whose("192.0.2.1", "x@known.test"), "known"));
        assert!(!line.can_begin());
    }

    #[test]
    fn there_is_room_for_twice_as_many_as_take_long() {
        let (mut line, _) = stalled("192.0.2.1", |_| "x@slow.test".into());
        assert_eq!(line.room(), 2 * MOST_LONG.div_ceil(OTHERS + 1));
        for number in 0..MOST_LONG as u64 {
            line.end(number);
        }
        assert_eq!(line.room(), MOST_AT_ONCE);
        assert!(line.of_domain.is_empty() && line.of_source.is_empty());
    }

    #[test]
    fn a_client_is_a_login_an_address_or_a_network() {
        let source =
            |login: &[u8], address: &[u8]| MessageOwner::of_client(login, address, b"x").source;
        assert_eq!(source(b"me", b"192.0.2.1"), source(b"me", b"2001:db8::1"));
        assert_eq!(source(b"", b"2001:db8::1"), source(b"", b"2001:db8:0:0:9::9"));
        assert_ne!(source(b"", b"2001:db8::1"), source(b"", b"2001:db8:0:1::1"));
        assert_ne!(source(b"", b"192.0.2.1"), source(b"", b"192.0.2.2"));
    }
}
