//! Counters for Prometheus (`metrics_listen`): what the daemon tells of itself at `/metrics`.
//!
//! What happens to messages comes from the one stream of events; sessions are counted where
//! they are taken or turned away, and messages that wait when somebody asks. Hosts are named
//! by whoever has a domain: only those that were seen last have lines of their own, and the
//! counts of the others go to `other`, so that no sum ever grows less.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eximious::trace::{
    DeliveryOutcome, Happening, TallyEvent, TraceEvent, TraceKinds, TraceObserver,
};
use eximious::world::Moment;
use eximious::world::spool::is_message_id;
use eximious::{Engine, Settings, opt};
use eximious_mta::spool::queue::Stored;
use eximious_world::deadline::Deadline;
use eximious_world::serving::{PagePlace, PageServer};
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

use super::interfaces::ListenError;
use super::places::Places;
use super::service::Service;
use crate::refusal::Refusal;

/// The form of the page: Prometheus's text.
const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How many hosts have counts of their own.
const MOST_HOSTS: usize = 200;

/// How many names of queues or protocols are told apart.
const MOST_NAMES: usize = 100;

/// Whatever has no name of its own.
const OTHER: &str = "other";

/// How old what is known of the queues may be; and how often that may be found out, by the
/// time that it takes.
const FRESH: Duration = Duration::from_secs(5);
const SELDOM: u32 = 20;

/// For how many seconds messages are here: the bounds that are told apart.
const WAITED: [f64; 13] = [
    0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 172_800.0, 432_000.0,
];

/// Where counters are asked for, if anywhere.
///
/// # Errors
/// That is no place for them.
pub fn place(settings: &Settings) -> Result<Option<PagePlace>, ListenError> {
    let text = settings.get(opt::METRICS_LISTEN);
    if text.is_empty() {
        return Ok(None);
    }
    PagePlace::parse(text.bytes()).map(Some).map_err(|why| {
        let head = b"metrics_listen = \"".as_slice();
        let tail = format!("\": {why}");
        ListenError::Configured([head, text.bytes(), tail.as_bytes()].concat())
    })
}

/// All that is counted.
pub struct Metrics {
    place: PagePlace,
    registry: Registry,
    received: IntCounterVec,
    received_bytes: IntCounter,
    addresses: IntCounterVec,
    waited: Histogram,
    sessions: IntGauge,
    sessions_begun: IntCounter,
    refused: IntCounterVec,
    queued: IntGaugeVec,
    hosts: Mutex<Hosts>,
    protocols: Mutex<Vec<String>>,
    /// How old what is known of the queues may be.
    known: Mutex<Option<Deadline>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The hosts that have counts of their own.
#[derive(Debug, Default)]
struct Hosts {
    seen: HashMap<String, HostCounts>,
    turn: u64,
}

/// Which counts a host has.
#[derive(Debug, Default)]
struct HostCounts {
    /// When it was seen last.
    turn: u64,
    /// Transports, and what came of them.
    labels: Vec<(String, &'static str)>,
}

impl Metrics {
    /// Nothing is counted yet.
    ///
    /// # Errors
    /// Two counters have a name in common.
    pub fn new(place: PagePlace, begin: Moment) -> Result<Self, Refusal> {
        Self::empty(place, begin).map_err(|why| {
            Refusal::Said(format!("eximious: the daemon can't count: {why}").into_bytes())
        })
    }

    fn empty(place: PagePlace, begin: Moment) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let options = HistogramOpts::new(
            "eximious_queue_time_seconds",
            "How long messages were here that are done with.",
        );
        let waited = Histogram::with_opts(options.buckets(WAITED.to_vec()))?;
        registry.register(Box::new(waited.clone()))?;
        let sessions = IntGauge::new("eximious_smtp_sessions", "Clients that are connected.")?;
        registry.register(Box::new(sessions.clone()))?;
        let options = Opts::new("eximious_queue_messages", "Messages in the spool.");
        let queued = IntGaugeVec::new(options, &["queue", "state"])?;
        registry.register(Box::new(queued.clone()))?;
        let options = Opts::new("eximious_build_info", "The program.")
            .const_label("version", env!("CARGO_PKG_VERSION"))
            .const_label("exim", eximious::stdlib::variables::VERSION);
        let build = IntGauge::with_opts(options)?;
        build.set(1);
        registry.register(Box::new(build))?;
        let name = "eximious_start_time_seconds";
        let started = Gauge::new(name, "When the daemon began, in seconds since 1970.")?;
        started.set(f64::from(u32::try_from(begin.seconds).unwrap_or(0)));
        registry.register(Box::new(started))?;
        Ok(Self {
            place,
            received: counters(
                "eximious_messages_received_total",
                "Messages that came to the daemon.",
                &["protocol"],
            )?,
            received_bytes: counter(
                "eximious_messages_received_bytes_total",
                "The bytes of messages that came to the daemon.",
            )?,
            addresses: counters(
                "eximious_deliveries_total",
                "What the daemon's deliveries to addresses came to.",
                &["transport", "host", "outcome"],
            )?,
            sessions_begun: counter("eximious_smtp_sessions_total", "Clients that were taken.")?,
            refused: counters(
                "eximious_smtp_sessions_refused_total",
                "Clients that were turned away.",
                &["reason"],
            )?,
            waited,
            sessions,
            queued,
            hosts: Mutex::default(),
            protocols: Mutex::default(),
            known: Mutex::default(),
            registry,
        })
    }

    /// Answers whoever asks, about a daemon that serves by this configuration now; nobody is
    /// told where that can't be, which the log says.
    pub fn serve(
        self: &Arc<Self>,
        current: &Arc<Mutex<Arc<Service>>>,
        places: &Arc<Places>,
    ) -> Option<PageServer> {
        let (own, current, places) = (self.clone(), current.clone(), places.clone());
        let latest = move || current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let log = latest().engine.world().log.clone();
        let maker = move |path: &str| match path {
            "/metrics" => Some((TYPE, own.page(&latest().engine, places.count()).ok()?)),
            _ => None,
        };
        match PageServer::begin(&self.place, Arc::new(maker)) {
            Ok(server) => Some(server),
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                log.panic(format!("cannot tell counters at {}: {why}", self.place).as_bytes());
                None
            }
        }
    }

    /// A client was taken.
    pub fn session(&self) {
        self.sessions_begun.inc();
    }

    /// A client was turned away.
    pub fn refused(&self, reason: &str) {
        self.refused.with_label_values(&[reason]).inc();
    }

    /// The page: with so many who are connected, and the queues of an engine's spool.
    ///
    /// # Errors
    /// What is counted can't be written.
    fn page(&self, engine: &Engine, sessions: usize) -> prometheus::Result<Vec<u8>> {
        self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none_or(|until| until.left().is_none()) {
            let clock = &engine.world().clock;
            let began = clock.elapsed();
            self.look_at_queues(engine);
            let took = clock.elapsed().saturating_sub(began);
            *known = Some(Deadline::within(FRESH.max(took * SELDOM)));
        }
        drop(known);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    /// Counts messages that wait.
    fn look_at_queues(&self, engine: &Engine) {
        let (world, cx) = (engine.world(), engine.context());
        let mut found: HashMap<String, [i64; 2]> = HashMap::new();
        for queue in queues(engine) {
            let Ok(place) = eximious_mta::spool::place(&cx, &queue) else { continue };
            let Ok(entries) = world.spool.entries(&place) else { continue };
            let mut name = String::from_utf8_lossy(&queue).into_owned();
            if found.len() >= MOST_NAMES {
                name = OTHER.to_owned();
            }
            let states = found.entry(name).or_default();
            for entry in entries.iter().filter(|entry| is_message_id(&entry.id)) {
                let stored = Stored::read(world, &place, &entry.id);
                // One that is gone meanwhile waits no longer.
                let Ok(stored) = stored else { continue };
                states[usize::from(stored.file.has("frozen"))] += 1;
            }
        }
        self.queued.reset();
        for (queue, states) in found {
            for (state, count) in ["waiting", "frozen"].iter().zip(states) {
                self.queued.with_label_values(&[queue.as_str(), state]).set(count);
            }
        }
    }

    fn count_message(&self, protocol: &[u8], size: u64) {
        let protocol = String::from_utf8_lossy(protocol).into_owned();
        let mut all = self.protocols.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = all.contains(&protocol);
        if !is_known && all.len() < MOST_NAMES {
            all.push(protocol.clone());
        }
        let shown = if is_known || all.contains(&protocol) { &protocol } else { OTHER };
        self.received.with_label_values(&[shown]).inc();
        self.received_bytes.inc_by(size);
    }

    fn count_address(&self, transport: &[u8], host: Option<&[u8]>, outcome: DeliveryOutcome) {
        let outcome = match outcome {
            DeliveryOutcome::Delivered => "delivered",
            DeliveryOutcome::Deferred => "deferred",
            DeliveryOutcome::Failed => "failed",
        };
        let transport = String::from_utf8_lossy(transport).into_owned();
        let host = host.map(|host| String::from_utf8_lossy(host).to_lowercase());
        let host = host.unwrap_or_default();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if !host.is_empty() {
            if !hosts.seen.contains_key(&host) && hosts.seen.len() >= MOST_HOSTS {
                self.fold(&mut hosts);
            }
            hosts.turn += 1;
            let turn = hosts.turn;
            let own = hosts.seen.entry(host.clone()).or_default();
            own.turn = turn;
            if !own.labels.iter().any(|(by, came)| *by == transport && *came == outcome) {
                own.labels.push((transport.clone(), outcome));
            }
        }
        // Under the lock, so that what is folded is all that was counted.
        self.addresses.with_label_values(&[&transport, &host, outcome]).inc();
    }

    /// Takes its own counts from the host that was not seen for the longest time.
    fn fold(&self, hosts: &mut Hosts) {
        let oldest = hosts.seen.iter().min_by_key(|(_, own)| own.turn);
        let Some(oldest) = oldest.map(|(host, _)| host.clone()) else { return };
        let Some(counts) = hosts.seen.remove(&oldest) else { return };
        for (transport, outcome) in counts.labels {
            let own = [transport.as_str(), oldest.as_str(), outcome];
            let count = self.addresses.with_label_values(&own).get();
            let others = [transport.as_str(), OTHER, outcome];
            self.addresses.with_label_values(&others).inc_by(count);
            // A line that was not there is none to take away.
            let _ = self.addresses.remove_label_values(&own);
        }
    }
}

impl TraceObserver for Metrics {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::TALLY
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let Happening::Tally(tally) = event.what else { return };
        match tally {
            TallyEvent::Received { protocol, size } => self.count_message(protocol, size),
            TallyEvent::Address { transport, host, outcome } => {
                self.count_address(transport, host, outcome);
            }
            TallyEvent::Completed { waited } => self.waited.observe(waited.as_secs_f64()),
            _ => {}
        }
    }
}

/// The queues of a spool: the one without a name, and directories that have messages.
fn queues(engine: &Engine) -> Vec<Vec<u8>> {
    /// How many files a spool directory may have.
    const MOST: usize = 10_000;
    const KIND: u32 = 0o170_000;
    const DIRECTORY: u32 = 0o040_000;
    let files = &engine.world().files;
    let spool = engine.settings().get(opt::SPOOL_DIRECTORY);
    let mut all = vec![Vec::new()];
    let mut names = files.names(spool.bytes(), MOST).unwrap_or_default();
    names.sort_unstable();
    all.extend(names.into_iter().filter(|name| {
        let input = [spool.bytes(), b"/", name, b"/input"].concat();
        files.stat(&input, true).is_ok_and(|found| found.mode & KIND == DIRECTORY)
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_many_add_up() {
        let place = PagePlace::parse(b"/x").unwrap();
        let metrics = Metrics::new(place, Moment::default()).unwrap();
        let count = |host: &str, outcome| {
            metrics.count_address(b"t", Some(host.as_bytes()), outcome);
        };
        for number in 0..1_000 {
            count(&format!("h\"{number}\n.test"), DeliveryOutcome::Deferred);
            // Whoever is seen all the time keeps its own.
            count("Mine.test", DeliveryOutcome::Delivered);
        }
        count("h\"0\n.test", DeliveryOutcome::Deferred);
        let mut text = Vec::new();
        TextEncoder::new().encode(&metrics.registry.gather(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> =
            text.lines().filter(|line| line.starts_with("eximious_deliveries_total{")).collect();
        assert_eq!(lines.len(), MOST_HOSTS + 1);
        let values = lines.iter().map(|line| line.rsplit_once(' ').unwrap().1);
        assert_eq!(values.map(|value| value.parse::<u64>().unwrap()).sum::<u64>(), 2_001);
        let has = |line: &str| assert!(lines.iter().any(|one| one.contains(line)), "{line} {text}");
        has(r#"host="mine.test",outcome="delivered",transport="t"} 1000"#);
        has(r#"host="other",outcome="deferred",transport="t"} 802"#);
        has(r#"host="h\"999\n.test""#);
    }
}
