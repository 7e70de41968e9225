//! How many may be connected, wait, or run the queue (specification 14, `smtp_accept_max`
//! and its kin).

use std::net::SocketAddr;
use std::time::Duration;

use eximious::stdlib::ports;
use eximious::{FailClass, LogSelector, Settings, Str, opt, var};
use eximious_mta::smtp::is_used_up;
use eximious_world::serving::{Listener, Peer};

use super::places::Places;
use super::service::Service;

/// What is allowed, as the options say.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// `smtp_accept_max`: how many at once; zero for any number.
    pub most: usize,
    /// `smtp_connect_backlog`; as many as the system allows where it is not set, because
    /// a client that finds no room waits for ever.
    pub backlog: i32,
    /// `tcp_nodelay`
    pub no_delay: bool,
    /// `smtp_accept_keepalive`
    pub keep_alive: bool,
    /// `daemon_startup_retries`
    pub startup_retries: u32,
    /// `daemon_startup_sleep`
    pub startup_sleep: Duration,
    /// `smtp_load_reserve`, times 1000, where nobody is exempt.
    load: Option<i64>,
}

impl ConnectionLimits {
    /// As a configuration says.
    pub fn of(settings: &Settings) -> Self {
        let reserved = settings.text(opt::SMTP_RESERVE_HOSTS).is_some();
        Self {
            most: usize::try_from(settings.get(opt::SMTP_ACCEPT_MAX)).unwrap_or(0),
            backlog: match settings.is_set(opt::SMTP_CONNECT_BACKLOG) {
                true => i32::try_from(settings.get(opt::SMTP_CONNECT_BACKLOG)).unwrap_or(i32::MAX),
                false => i32::MAX,
            },
            no_delay: settings.get(opt::TCP_NODELAY),
            keep_alive: settings.get(opt::SMTP_ACCEPT_KEEPALIVE),
            startup_retries: u32::try_from(settings.get(opt::DAEMON_STARTUP_RETRIES)).unwrap_or(0),
            startup_sleep: settings.get(opt::DAEMON_STARTUP_SLEEP),
            load: settings.given(opt::SMTP_LOAD_RESERVE).filter(|_| !reserved),
        }
    }
}

/// Whether a connection may be taken; if not, what the client is told.
///
/// # Errors
/// There are too many, or there is too much to do.
pub fn admit(service: &Service, places: &Places, peer: &Peer) -> Result<(), &'static str> {
    let limits = &service.limits;
    if limits.most > 0 && places.count() >= limits.most {
        refused(service, peer, "connections", "too many connections");
        return Err("421 Too many concurrent SMTP connections; please try again later.\r\n");
    }
    let host = peer.remote().ip().to_canonical();
    if let Some(most) = most_of_host(service, peer)
        && most > 0
        && places.of(host) >= most
    {
        refused(service, peer, "connections_of_host", "too many connections from that IP address");
        return Err("421 Too many concurrent SMTP connections from this IP address; \
                    please try again later.\r\n");
    }
    if is_used_up(&*service.engine.world().host) {
        refused(service, peer, "memory", "memory shortage");
        return Err("421 Too much load; please try again later.\r\n");
    }
    if let Some(most) = limits.load {
        let load = service.engine.world().host.load();
        if load > most {
            let (whole, parts) = (load / 1000, load % 1000 / 10);
            refused(service, peer, "load", &format!("load average = {whole}.{parts:02}"));
            return Err("421 Too much load; please try again later.\r\n");
        }
    }
    Ok(())
}

/// How many runs of a queue there are at once where nobody can tell.
const DEFAULT_RUNS: Option<usize> = Some(5);

/// `smtp_accept_max_per_host`, for this client.
fn most_of_host(service: &Service, peer: &Peer) -> Option<usize> {
    let text = service.engine.settings().text(opt::SMTP_ACCEPT_MAX_PER_HOST)?;
    let number = |text: &Str| std::str::from_utf8(text.bytes().trim_ascii()).ok()?.parse().ok();
    // Most often it is a number, and nothing has to be made ready for that.
    if let Some(number) = number(&text) {
        return Some(number);
    }
    let mut cx = service.engine.context();
    let host = peer.remote().ip().to_canonical();
    cx.set_var(var::SENDER_HOST_ADDRESS, host.to_string());
    cx.set_var(var::SENDER_HOST_PORT, peer.remote().port().to_string());
    let line = match service.engine.expand_option(opt::SMTP_ACCEPT_MAX_PER_HOST, &mut cx) {
        Ok(value) if value.bytes().trim_ascii().is_empty() => return None,
        Ok(value) => match number(&value) {
            Some(number) => return Some(number),
            None => {
                let rest = value.bytes().trim_ascii_start();
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let head = format!(
                    "expansion of smtp_accept_max_per_host for [{host}] contains non-digit: "
                );
                [head.as_bytes(), &rest[digits..]].concat()
            }
        },
        Err(fail) if fail.class() == FailClass::Forced => return None,
        Err(fail) => {
            let head = format!("expansion of smtp_accept_max_per_host failed for [{host}]: ");
            [head.as_bytes(), fail.message()].concat()
        }
    };
    service.engine.world().log.panic(&line);
    None
}

/// How many connections wait at a door (`smtp_backlog_monitor`).
#[derive(Debug)]
pub struct Backlog {
    place: SocketAddr,
    count: u32,
    /// How many may.
    most: u32,
}

impl Backlog {
    /// Counts them, where somebody wants to know.
    pub fn of(service: &Service, listener: &Listener) -> Option<Self> {
        let most = service.engine.settings().get(opt::SMTP_BACKLOG_MONITOR);
        let most = u32::try_from(most).ok().filter(|most| *most > 0)?;
        Some(Self { place: listener.address()?, count: listener.backlog()?, most })
    }

    /// Logs that too many wait, before the next one is taken.
    pub fn tell(&mut self, service: &Service) {
        if self.count > self.most {
            let place = format!("[{}]:{}", self.place.ip(), self.place.port());
            let line = format!("listen backlog {} I={place}", self.count);
            service.engine.world().log.main(line.as_bytes());
        }
        self.count = self.count.saturating_sub(1);
    }
}

/// `queue_run_max`, for a queue; nothing for any number.
pub fn most_runs(service: &Service, queue: &[u8]) -> Option<usize> {
    let mut cx = service.engine.context();
    cx.set_var(var::QUEUE_NAME, queue);
    let line = match service.engine.expand_option(opt::QUEUE_RUN_MAX, &mut cx) {
        Ok(value) => match std::str::from_utf8(value.bytes().trim_ascii()).unwrap_or("").parse() {
            Ok(most) => return Some(most).filter(|most| *most > 0),
            Err(_) => [b"invalid integer \"", value.bytes(), b"\" for queue_run_max"].concat(),
        },
        Err(fail) => [b"failed to expand queue_run_max: ", fail.message()].concat(),
    };
    service.engine.world().log.panic(&line);
    DEFAULT_RUNS
}

fn refused(service: &Service, peer: &Peer, reason: &str, why: &str) {
    if let Some(metrics) = &service.metrics {
        metrics.refused(reason);
    }
    let selector = service.engine.settings().log_selector();
    if !selector.contains(LogSelector::CONNECTION_REJECT) {
        return;
    }
    let mut line = format!("Connection from [{}]", peer.remote().ip().to_canonical());
    if selector.contains(LogSelector::INCOMING_PORT) {
        line.push_str(&format!(":{}", peer.remote().port()));
    }
    if selector.contains(LogSelector::INCOMING_INTERFACE) {
        let local = peer.local();
        line.push_str(&format!(" I=[{}]", local.ip().to_canonical()));
        if ports::is_logged(service.engine.settings(), local.port()) {
            line.push_str(&format!(":{}", local.port()));
        }
    }
    line.push_str(&format!(" refused: {why}"));
    service.engine.world().log.main(line.as_bytes());
}
