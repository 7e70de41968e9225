//! `-bd`, `-bdf`, `-bw`: the daemon (specification 5.2, 13). It takes connections
//! and fills the spool.
//!
//! A connection is a thread; all share one configuration, which never changes.
//! `SIGHUP` reads it anew for the connections that come later: a broken one is
//! told of in the logs, and the old one stays. Where the daemon listens does not
//! change then, as it has no right left to open the ports of the system.
//! `SIGTERM` ends it: nobody is taken any more, whoever sends a message may finish
//! it, and all others are told.

mod ahead;
mod conversation;
mod couriers;
mod interfaces;
mod limits;
mod line;
mod metrics;
mod notes;
mod pid_file;
mod places;
mod runs;
mod service;
mod straight;

use std::cell::Cell;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eximious::debugging::DebugSelector;
use eximious::opt;
use eximious::stdlib::options::server_ids;
use eximious::stdlib::variables::VERSION;
use eximious::world::Log;
use eximious::{Settings, World};
use eximious_world::rights;
use eximious_world::serving::{self, Bell, Listener, Listeners, Peer, Signals, Spare, Woken};

use crate::activity;
use crate::caller;
use crate::configured::Patience;
use crate::handover::DeliveryTime;
use crate::refusal::Refusal;
use crate::usual;
use couriers::{Couriers, QueueTurn};
use interfaces::Interface;
use notes::{Current, Notes};
use places::Places;
pub use runs::DaemonRun;
use service::Service;
pub use service::Source;

/// What the command line says of the daemon.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DaemonRequest {
    /// `-bdf`: it stays where it was started.
    pub foreground: bool,
    /// `-v`: so it does where more is told.
    pub verbose: bool,
    /// `-d`: and where it is told what happens.
    pub debug: Option<DebugSelector>,
    /// `-bw`: whoever starts it listens for it, and how long it waits for a client
    /// until it ends.
    pub inherited: Option<Option<Duration>>,
    /// `-oX`: where it listens.
    pub interfaces: Option<Vec<u8>>,
    /// `-oP`: where its number is written.
    pub pid_file: Option<Vec<u8>>,
    /// `-oY`: nobody tells it or asks it anything.
    pub unnotified: bool,
    /// `-os`: how long a client may be silent.
    pub patience: Patience,
    /// `-tls-on-connect`: TLS comes first at all ports.
    pub begins_with_tls: bool,
    /// `-od…`: when messages are delivered, if that is said.
    pub when: Option<DeliveryTime>,
    /// `-oB`: how many messages go along a connection.
    pub most_messages: Option<i64>,
    /// `-N`: deliveries are only pretended.
    pub pretends: bool,
    /// `-q30m`: which queue is run, how, and how often.
    pub runs: Vec<DaemonRun>,
    /// Without `-bd`: it does nothing else.
    pub only_runs: bool,
    /// `-oMa`, `-oMi`: what is wrong with them.
    pub mistake: Option<Vec<u8>>,
}

/// The stack of a connection's thread: what nests takes no more than a quarter of it
/// (`Limits::stack`), and libraries of the system's have the rest. What was never used
/// takes no memory.
const STACK: usize = 4 << 20;

/// How long a connection may take to end, when the daemon does.
const GRACE: Duration = Duration::from_secs(30);

/// How long to wait where the system can't take another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections are taken from the doors before any of them is served.
const AT_ONCE: usize = 256;

/// What a client is told for whom there is no thread, or no descriptor.
const BUSY: &[u8] = b"421 Too many concurrent SMTP connections; please try again later.\r\n";

/// How much later than another the first run of a queue begins.
const RUNS_APART: Duration = Duration::from_secs(1);

/// At once, and no more.
const NOW: (Duration, Option<Duration>) = (Duration::ZERO, None);

/// How often policies of MTA-STS are looked at.
const POLICIES_EVERY: Duration = Duration::from_secs(3600);

/// How many seconds lie between two complaints about that.
const SELDOM: i64 = 10;

/// Files that are open beside connections; most are messages on their way to the disk.
const OTHER_FILES: u64 = 256 + 1536 + FILES_OF_ONE * line::MOST_LONG as u64;

/// How many are open for a delivery that waits for something.
const FILES_OF_ONE: u64 = 6;

/// Serves until it is told to end.
///
/// # Errors
/// Why it could not begin.
pub fn run(source: Source, request: DaemonRequest) -> Result<ExitCode, Refusal> {
    serving::share_memory();
    let system = eximious_world::system();
    let system = crate::rights::with_lasting_helper(system, |world| source.closed_files(world));
    let service = Service::read(&source, &system, &request, None)?;
    let world = service.engine.world();
    crate::logs::note_call(service.engine.settings(), &*world.host, &*world.log);
    if rights::caller().is_lent_rights {
        let (settings, world) = (service.engine.settings(), service.engine.world());
        if !caller::is_admin(settings, world) {
            return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
        }
        // Ports of the superuser's are opened with its rights.
        rights::take_up();
    }
    if let Some(mistake) = request.mistake {
        return Err(Refusal::Said(mistake));
    }
    if service.engine.settings().get(opt::MUA_WRAPPER) {
        let why = b"Daemon cannot be run when mua_wrapper is set";
        let (settings, world) = (service.engine.settings(), service.engine.world());
        // Whoever looks on is told once.
        match service.debug {
            Some(_) => world.log.dying(why),
            None => crate::logs::kept(settings, world.clone(), true).log.panic(why),
        }
        return Err(Refusal::Said(why.to_vec()));
    }
    // Whoever started it hears of this as long as there is a terminal.
    service.check_log(0)?;
    interfaces::warn_of_certificate(service.engine.settings(), service.engine.world());
    let (listeners, what) = match request.inherited {
        Some(time) => inherited(time, &*service.engine.world().log)?,
        None if request.only_runs => {
            let runs = runs::shown(&request.runs);
            (Listeners::default(), format!("{runs}, not listening for SMTP"))
        }
        None => listen(&service, &request)?,
    };
    let pid_place = pid_file::place(&service, &request)?;
    crate::rights::make_spool(service.engine.settings(), service.engine.world());
    let is_debugged = request.debug.is_some_and(|selector| selector.bits() != 0);
    let foreground = request.foreground || request.verbose || is_debugged;
    if !foreground && request.inherited.is_none() {
        service.check_log(service::started(&what).len())?;
        serving::detach().map_err(|why| said("cannot go on in the background", &why))?;
    }
    let pid_file = pid_place.and_then(|path| pid_file::write(&service, &path));
    let settings = service.engine.settings();
    usual::work_in_spool(settings);
    let world = service.engine.world().clone();
    let (user, group) = server_ids(settings, &*world.users, &*world.host);
    rights::become_user(user, group).map_err(|why| said("cannot give up its rights", &why))?;
    service.check_log(0)?;
    let signals = Signals::new().map_err(|why| said("cannot wait for signals", &why))?;
    let bell = Bell::new().map_err(|why| said("cannot make a bell", &why))?;
    world.spool.delay_logs();
    let started = service::started(&what);
    world.log.main(started.as_bytes());
    if world.log.is_broken() {
        // Where it can be written now, that line alone is lost.
        service.check_log(started.len())?;
    }
    let service = Arc::new(service);
    let couriers = Arc::new(Couriers::default());
    couriers.run_for_clients(&service);
    let mut daemon = Daemon {
        world: system,
        current: Arc::new(Mutex::new(service.clone())),
        couriers,
        service,
        source,
        request,
        listeners,
        what,
        signals,
        bell,
        places: Arc::new(Places::default()),
        notes: Notes::default(),
        spare: Spare::new(),
        complained: Cell::new(0),
    };
    daemon.make_room();
    ahead::begin(&daemon.service, !daemon.request.only_runs);
    daemon.begin_runs();
    daemon.notes = Notes::begin(&daemon.current, &daemon.couriers, &daemon.request);
    let metrics = daemon.service.metrics.as_ref();
    let counters = metrics.and_then(|one| one.serve(&daemon.current, &daemon.places));
    daemon.serve();
    drop(counters);
    daemon.end();
    world.spool.settle_logs();
    world.spool.settle_ahead();
    if let Some(file) = pid_file {
        file.remove();
    }
    Ok(ExitCode::SUCCESS)
}

fn said(what: &str, why: &dyn std::fmt::Display) -> Refusal {
    Refusal::Said(format!("eximious: the daemon {what}: {why}").into_bytes())
}

/// A socket that whoever started this process listens with.
fn inherited(time: Option<Duration>, log: &dyn Log) -> Result<(Listeners, String), Refusal> {
    let listener = Listener::inherited().map_err(|why| {
        // Whoever started it may hear nothing else.
        log.panic(format!("the daemon wants a listening socket as its input: {why}").as_bytes());
        said("wants a listening socket as its input", &why)
    })?;
    let ending = match time {
        Some(time) => format!("terminating after {} seconds", time.as_secs()),
        None => "with no wait timeout".to_owned(),
    };
    Ok((Listeners(vec![listener]), format!("launched with listening socket, {ending}")))
}

/// Opens all sockets; where one is taken, it is tried again for a while.
fn listen(service: &Service, request: &DaemonRequest) -> Result<(Listeners, String), Refusal> {
    let world = service.engine.world();
    let settings = service.engine.settings();
    let wanted = wanted(settings, world, request).map_err(|why| why.refused(&*world.log))?;
    if !world.tls.is_there() {
        interfaces::refuse_tls(&wanted)?;
    }
    let runs = runs::shown(&request.runs);
    let what = match wanted.is_empty() {
        true => format!("{runs}, not listening for SMTP"),
        false => format!("{runs}, listening for {}", interfaces::listed(&wanted)),
    };
    let mut listeners = Listeners::default();
    for interface in &wanted {
        listeners.0.extend(bind(service, request, interface, &wanted)?);
    }
    Ok((listeners, what))
}

/// Where it is to listen.
fn wanted(
    settings: &Settings,
    world: &World,
    request: &DaemonRequest,
) -> Result<Vec<Interface>, interfaces::ListenError> {
    let mut wanted = interfaces::find(settings, request.interfaces.as_deref(), &*world.net)?;
    interfaces::mark_tls(&mut wanted, settings, &*world.net, request.begins_with_tls)?;
    Ok(wanted)
}

fn bind(
    service: &Service,
    request: &DaemonRequest,
    interface: &Interface,
    all: &[Interface],
) -> Result<Option<Listener>, Refusal> {
    let (log, limits) = (&service.engine.world().log, &service.limits);
    let mut tries = service.limits.startup_retries;
    loop {
        let why = match Listener::bind(interface.address(), limits.backlog, limits.no_delay) {
            Ok(listener) => return Ok(Some(listener)),
            Err(why) => why,
        };
        let why = eximious::stdlib::wording::reason(&why);
        // A system without version 6 has the other one.
        let other = all.iter().any(|one| one.is_wildcard() && one.ip.is_ipv4());
        if interface.is_wildcard() && interface.ip.is_ipv6() && other && no_version_6(&why) {
            let line = format!(
                "Failed to create IPv6 socket for wildcard listening ({why}): will use IPv4"
            );
            log.main(line.as_bytes());
            return Ok(None);
        }
        let head = format!(
            "socket bind() to port {} for address {} failed: {why}",
            interface.port,
            interface.shown_address()
        );
        log.main(format!("bind of [{}]:{} failed", interface.ip, interface.port).as_bytes());
        if tries == 0 {
            log.panic(format!("{head}: daemon abandoned").as_bytes());
            return Err(Refusal::Said(Vec::new()));
        }
        let sleep = service.limits.startup_sleep;
        let left = match tries {
            1 => "1 more try".to_owned(),
            left => format!("{left} more tries"),
        };
        let time = eximious::stdlib::interval::written(i32::try_from(sleep.as_secs()).unwrap_or(0));
        let line = format!("{head}: waiting {time} before trying again ({left})");
        log.main(line.as_bytes());
        if tries == service.limits.startup_retries && !request.foreground {
            // Whoever started it waits, too, and may not see the log.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("eximious: {line}\n").as_bytes(),
            );
        }
        tries -= 1;
        std::thread::sleep(sleep);
    }
}

fn no_version_6(why: &str) -> bool {
    why.contains("not supported") || why.contains("Cannot assign requested address")
}

/// Takes out what was handed over.
fn take(handed: &Mutex<Option<Peer>>) -> Option<Peer> {
    handed.lock().unwrap_or_else(PoisonError::into_inner).take()
}

struct Daemon {
    /// The system, before a configuration says where logs are.
    world: World,
    service: Arc<Service>,
    source: Source,
    request: DaemonRequest,
    listeners: Listeners,
    /// What it does, for those who ask.
    what: String,
    signals: Signals,
    bell: Bell,
    places: Arc<Places>,
    couriers: Arc<Couriers>,
    /// The configuration that runs of the queue are made by.
    current: Current,
    notes: Notes,
    spare: Spare,
    /// When it last said that it can take nobody, in seconds.
    complained: Cell<i64>,
}

impl Daemon {
    /// Begins the runs of queues, and what else is done now and then.
    fn begin_runs(&self) {
        let current = self.current.clone();
        let latest =
            move || current.lock().unwrap_or_else(PoisonError::into_inner).deliverer.clone();
        // Without it policies are fetched when mail goes there.
        let _ = self.couriers.refresh_policies(POLICIES_EVERY, latest);
        for (number, one) in (0..).zip(&self.request.runs) {
            self.begin_run(one, (RUNS_APART * number, one.every));
        }
    }

    /// Begins a run of a queue, after a while and each time so much has passed.
    fn begin_run(&self, one: &DaemonRun, when: (Duration, Option<Duration>)) {
        let (current, queue) = (self.current.clone(), one.queue.clone());
        let latest = move || {
            let service = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let place = eximious_mta::spool::place(&service.engine.context(), &queue);
            QueueTurn {
                deliverer: service.deliverer.clone(),
                place: place.unwrap_or_default(),
                most: limits::most_runs(&service, &queue),
            }
        };
        if let Err(why) = self.couriers.run_queue(when, latest, one.made()) {
            let line = format!("the daemon cannot run the queue: {why}");
            self.service.engine.world().log.panic(line.as_bytes());
        }
    }

    /// Takes connections until it is told to end.
    fn serve(&mut self) {
        let idle = self.request.inherited.flatten();
        loop {
            let woken = match self.listeners.wait(&self.signals, idle) {
                Ok(woken) => woken,
                Err(why) => {
                    let line = format!("the daemon cannot wait for connections: {why}");
                    self.service.engine.world().log.panic(line.as_bytes());
                    return;
                }
            };
            let told = self.signals.take();
            if told.end {
                return;
            }
            if told.reload {
                self.reload();
            }
            if told.tell {
                self.tell();
            }
            if told.run {
                // What is run now and then is run now, too.
                self.request.runs.iter().for_each(|one| self.begin_run(one, NOW));
            }
            if woken == Woken::Late && self.places.count() == 0 {
                let line = format!(
                    "{} daemon terminating, inetd wait timeout reached.\n",
                    service::version()
                );
                self.service.engine.world().log.main(line.as_bytes());
                return;
            }
            self.take_all();
        }
    }

    /// Takes who waits at each door. The doors are cleared first: whoever finds no room
    /// there may wait for ever.
    fn take_all(&mut self) {
        let mut failed = None;
        loop {
            let mut arrived = Vec::new();
            for listener in &self.listeners.0 {
                let mut backlog = limits::Backlog::of(&self.service, listener);
                while arrived.len() < AT_ONCE {
                    backlog.iter_mut().for_each(|one| one.tell(&self.service));
                    match listener.accept() {
                        Ok(Some(peer)) => arrived.push(peer),
                        Ok(None) => break,
                        Err(why) => {
                            failed = Some(why);
                            break;
                        }
                    }
                }
            }
            let waiting = !arrived.is_empty();
            arrived.into_iter().for_each(|peer| self.take(peer));
            if let Some(why) = failed {
                self.complain(&why);
                // With the descriptor that was spared, one after the other is told.
                for listener in &self.listeners.0 {
                    while let Some(peer) = self.spare.accept(listener) {
                        peer.dismiss(BUSY);
                        let metrics = self.service.metrics.iter();
                        metrics.for_each(|metrics| metrics.refused("descriptors"));
                    }
                }
                // Asking at once changes nothing.
                self.bell.wait(PAUSE);
                return;
            }
            if !waiting {
                return;
            }
        }
    }

    /// Says that no connection can be taken; not again and again.
    fn complain(&self, why: &std::io::Error) {
        let world = self.service.engine.world();
        let now = world.clock.now().seconds;
        if now.saturating_sub(self.complained.get()) >= SELDOM {
            self.complained.set(now);
            let why = eximious::stdlib::wording::reason(why);
            world.log.panic(format!("accept() failed: {why}").as_bytes());
        }
    }

    /// Takes a connection, or turns it away where there are too many.
    fn take(&self, peer: Peer) {
        let service = &self.service;
        if let Err(refused) = limits::admit(service, &self.places, &peer) {
            peer.dismiss(refused.as_bytes());
            return;
        }
        if let Some(metrics) = &service.metrics {
            metrics.session();
        }
        if service.limits.keep_alive {
            peer.keep_alive();
        }
        let place = self.places.take(peer.remote().ip().to_canonical());
        let (service, bell) = (service.clone(), self.bell.clone());
        let couriers = self.couriers.clone();
        let first = self.request.begins_with_tls;
        // Where there can be no thread, the client is told.
        let handed = Arc::new(Mutex::new(Some(peer)));
        let taken = handed.clone();
        let spawned = serving::spawn(STACK, move || {
            let Some(peer) = take(&taken) else { return };
            place.occupied_by(service.engine.world().host.thread());
            conversation::hold((service, couriers), peer, bell, place, first);
        });
        if let Err(why) = spawned {
            let why = eximious::stdlib::wording::reason(&why);
            let line = format!("daemon: accept process fork failed: {why}");
            self.service.engine.world().log.panic(line.as_bytes());
            if let Some(peer) = take(&handed) {
                peer.dismiss(BUSY);
            }
        }
    }

    /// Reads the configuration anew, for who comes later.
    fn reload(&mut self) {
        let log = self.service.engine.world().log.clone();
        let line = format!("pid {}: SIGHUP received: re-exec daemon", std::process::id());
        log.main(line.as_bytes());
        match Service::read(&self.source, &self.world, &self.request, Some(&self.service)) {
            Ok(service) => {
                self.service = Arc::new(service);
                self.couriers.run_for_clients(&self.service);
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = self.service.clone();
                self.warn_of_moves();
                self.make_room();
                let line = service::started(&self.what);
                self.service.engine.world().log.main(line.as_bytes());
                self.couriers.forget_runs();
                self.begin_runs();
            }
            Err(Refusal::Logged(why) | Refusal::Said(why)) => {
                log.panic(&why);
                log.panic(b"the configuration that was read before stays in force");
            }
        }
    }

    /// Says that it does not listen where the new configuration says.
    fn warn_of_moves(&self) {
        if self.request.inherited.is_some() || self.request.only_runs {
            return;
        }
        let (settings, world) = (self.service.engine.settings(), self.service.engine.world());
        let wanted = wanted(settings, world, &self.request);
        let listed = wanted.map(|wanted| interfaces::listed(&wanted)).unwrap_or_default();
        if !self.what.ends_with(&format!(" for {listed}")) {
            world.log.main(
                b"interfaces and ports changed in the configuration: the daemon goes on \
                  listening where it did, until it is started anew",
            );
        }
    }

    /// Lets as many files be open as there may be connections.
    fn make_room(&self) {
        let most = match self.service.limits.most {
            0 => 1 << 16,
            most => most as u64,
        };
        serving::raise_open_files(most + OTHER_FILES);
    }

    /// Writes down what it does, for those who ask by a signal.
    fn tell(&self) {
        let service = &self.service;
        let what = format!("daemon({VERSION}): {}", self.what);
        let mut text = activity::line(std::process::id(), &what);
        let clients = self.places.all().into_iter();
        let handles = clients.map(|(thread, client)| {
            (thread, format!("handling incoming connection from {client}"))
        });
        for (thread, what) in handles.chain(activity::deliveries(&service.deliverer)) {
            text.push_str(&activity::line(thread, &what));
        }
        activity::write(service.engine.settings(), service.engine.world(), text.as_bytes());
    }

    /// Ends: who is connected is told, or finishes a message.
    fn end(&mut self) {
        self.listeners.0.clear();
        self.notes.end();
        self.bell.ring();
        self.places.wait_until_empty(GRACE);
        self.couriers.end(GRACE);
    }
}

/// The system as a daemon sees it, with the logs of its configuration.
fn world_of(world: &World, log: Arc<dyn eximious::world::Log>) -> World {
    World { log, ..world.clone() }
}
