//! What connections share: a configuration, made ready.

use std::sync::Arc;

use eximious::debugging::DebugOutput;
use eximious::stdlib::options::{log_options, server_ids};
use eximious::stdlib::variables::VERSION;
use eximious::{Config, Engine, Macros, World, opt};
use eximious_mta::delivery::{Deliverer, RemoteManner};
use eximious_mta::smtp::SmtpServer;
use eximious_world::{LogFiles, rights};

use super::DaemonRequest;
use super::limits::ConnectionLimits;
use super::metrics::{self, Metrics};
use crate::configured::{self, ConfigUse, SyslogName, Whose};
use crate::debug;
use crate::handover::DeliveryTime;
use crate::refusal::Refusal;
use crate::usual;

/// Where the configuration is read from, each time.
#[derive(Debug)]
pub struct Source {
    names: Vec<u8>,
    /// `-D`: names and values.
    macros: Vec<(Vec<u8>, Vec<u8>)>,
    syslog_name: SyslogName,
}

impl Source {
    /// As the command line says.
    pub fn new(config: Option<Vec<u8>>, macros: &Macros, syslog_name: SyslogName) -> Self {
        let names = config.as_deref().map_or_else(|| usual::FILES.to_vec(), usual::absolute);
        let macros = macros.iter();
        let macros = macros.map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        Self { names, macros, syslog_name }
    }

    /// The files of the configuration that are not for everybody, as far as it can be read.
    pub fn closed_files(&self, world: &World) -> Vec<Vec<u8>> {
        let builder = Engine::builder();
        let found = Config::read_all(&self.names, self.macros(), world, builder.registry());
        let Ok(found) = found else { return Vec::new() };
        let is_closed = |name: &Vec<u8>| {
            world.files.stat(name, true).is_ok_and(|about| about.mode & OPEN_TO_ALL == 0)
        };
        found.sources.files().iter().map(|file| file.name.clone()).filter(is_closed).collect()
    }

    fn macros(&self) -> Macros {
        let mut macros = Macros::new();
        for (name, value) in &self.macros {
            macros.set(name, value);
        }
        macros
    }
}

/// Room for what stands before a line in a log.
const STAMPS: usize = 64;

/// What lets everybody read a file.
const OPEN_TO_ALL: u32 = 0o004;

/// A configuration, made ready.
#[derive(Debug)]
pub struct Service {
    /// The engine.
    pub engine: Engine,
    /// The parts that SMTP needs.
    pub server: Arc<SmtpServer>,
    /// What delivers.
    pub deliverer: Deliverer,
    /// What becomes of deliveries to other hosts when a message has come.
    pub remote: RemoteManner,
    /// Whether messages are delivered at once in spite of `queue_only`: the command line says
    /// when they are.
    pub overrides: bool,
    /// What is allowed.
    pub limits: ConnectionLimits,
    /// The logs.
    pub logs: Arc<LogFiles>,
    /// What tells what happens, where that was asked for.
    pub debug: Option<Arc<DebugOutput>>,
    /// Whether deliveries are only pretended, be it by who comes later.
    pub pretends: bool,
    /// What is counted, where that was asked for.
    pub metrics: Option<Arc<Metrics>>,
}

impl Service {
    /// Reads the configuration; its faults go to the panic log, unless there was one before,
    /// and so somebody else who tells of them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(
        source: &Source,
        world: &World,
        request: &DaemonRequest,
        before: Option<&Self>,
    ) -> Result<Self, Refusal> {
        let builder = Engine::builder();
        let macros = source.macros();
        let first = before.is_none();
        let whose = if rights::caller().is_lent_rights { Whose::Admins } else { Whose::Anybody };
        let wanted = ConfigUse { keeps: first, tells_call: first, whose, ..ConfigUse::default() };
        let found = configured::read(&source.names, macros, world, builder.registry(), wanted);
        let mut found = found.map_err(|why| why.refusal(false))?;
        source.syslog_name.settle(&mut found.settings, world)?;
        let overrides = match request.when {
            // No option stands above this one.
            Some(DeliveryTime::Queued) => {
                found.settings.set(opt::QUEUE_ONLY, true);
                false
            }
            when => when.is_some() && found.settings.get(opt::QUEUE_ONLY_OVERRIDE),
        };
        request.patience.settle(&mut found.settings);
        let owner = server_ids(&found.settings, &*world.users, &*world.host);
        let files = LogFiles::new(&log_options(&found.settings), owner);
        let debug = debug::begin_daemon(request, &found.settings, world)?;
        // Whoever is told of all lines isn't shown those of the panic log again.
        let logs = Arc::new(if debug.is_some() { files.silent() } else { files });
        let mut world = super::world_of(world, logs.clone());
        if let Some(debug) = &debug {
            world.log = debug.logging(Some(world.log));
        }
        found.warnings.iter().for_each(|line| world.log.panic(line));
        let place = metrics::place(&found.settings).map_err(|why| match before {
            None => why.refused(&*world.log),
            Some(_) => Refusal::Logged(why.line()),
        })?;
        // Counts go on, and where they are asked for stays.
        let metrics = match before {
            Some(before) => before.metrics.clone(),
            None => {
                place.map(|place| Metrics::new(place, world.clock.now())).transpose()?.map(Arc::new)
            }
        };
        let engine = found.build(builder.world(world));
        let server = Arc::new(SmtpServer::new(&found, &engine));
        let limits = ConnectionLimits::of(engine.settings());
        let deliverer = Deliverer::new(Arc::new(found), &engine, server.clone())
            .with_most_messages(request.most_messages)
            .pretending(request.pretends);
        let deliverer = match &metrics {
            Some(metrics) => deliverer.observed(metrics.clone()),
            None => deliverer,
        };
        let deliverer = match &debug {
            Some(debug) => deliverer.observed(debug.clone()),
            None => deliverer,
        };
        let remote = match request.when {
            Some(DeliveryTime::RemoteQueued) => RemoteManner::Queued,
            _ => RemoteManner::Made,
        };
        Ok(Self {
            engine,
            server,
            deliverer,
            remote,
            overrides,
            limits,
            logs,
            debug,
            pretends: request.pretends,
            metrics,
        })
    }

    /// Looks whether the main log is there, with room for a line of so many bytes, if any.
    ///
    /// # Errors
    /// It is not.
    pub fn check_log(&self, room: usize) -> Result<(), Refusal> {
        let (does, room) = if room == 0 { ("open", 0) } else { ("write", room + STAMPS) };
        let said = |why| format!("the daemon cannot {does} the main log: {why}");
        self.logs.probe(room).map_err(|why| Refusal::of_command(said(why)))
    }
}

/// What this program calls itself in logs: what `-bV` calls it.
pub fn version() -> String {
    format!("exim {VERSION}")
}

/// The line that says that a daemon runs, and what it does.
pub fn started(what: &str) -> String {
    format!("{} daemon started: pid={}, {what}", version(), std::process::id())
}
