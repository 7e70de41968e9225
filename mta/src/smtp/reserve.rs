//! Places that are kept for some hosts (specification 14: `smtp_accept_reserve`,
//! `smtp_load_reserve`, `smtp_reserve_hosts`), and messages that would have to wait
//! in the queue (`smtp_accept_queue` and its kin).

use eximious::trace::TraceKinds;
use eximious::{Context, LogSelector, Opt, opt};

use super::stage::Stage;
use super::{Received, SmtpSession};
use crate::delivery::QueueFiles;
use crate::logs::hundredths;

impl SmtpSession {
    /// Whether there is a place for the client; it is told so if not. Nobody but a
    /// daemon counts.
    pub(super) fn check_reserve(&mut self) -> Result<(), Stage> {
        let Some(count) = self.connection.client.count else { return Ok(()) };
        let most = self.number(opt::SMTP_ACCEPT_MAX);
        let reserve = self.number(opt::SMTP_ACCEPT_RESERVE);
        let others = i64::try_from(count).unwrap_or(i64::MAX) - 1;
        let crowded = most > 0 && reserve > 0 && others + 1 > most - reserve;
        let busy = self.load_beyond(opt::SMTP_LOAD_RESERVE);
        if (!crowded && busy.is_none()) || self.client_in(opt::SMTP_RESERVE_HOSTS)? {
            return Ok(());
        }
        let (said, why) = match busy {
            Some(load) => ("Too much load", format!(" and load average = {}", hundredths(load))),
            None => (
                "Too many concurrent SMTP connections",
                format!(": connected={others} max={most} reserve={reserve}"),
            ),
        };
        let host = self.connection.host.clone();
        if self.tells(LogSelector::CONNECTION_REJECT) {
            let client = self.shown_client();
            let head = b"temporarily refused connection from ".as_slice();
            let line = [head, &client, b": not in reserve list", why.as_bytes()].concat();
            self.log_if(LogSelector::CONNECTION_REJECT, &line);
        }
        self.say(&[b"421 ", host.bytes(), b": ", said.as_bytes(), b"; please try again later"]);
        Err(self.close())
    }

    /// The load of the system, in thousandths.
    fn load_average(&mut self) -> i64 {
        let load = self.cx.engine().world().host.load();
        if self.cx.trace().wants(TraceKinds::LOAD) {
            let text = format!("system load average = {load}");
            self.cx.note(TraceKinds::LOAD, text.as_bytes());
        }
        load
    }

    /// The load of the system, where it is beyond what an option allows. Who allows any does
    /// not look, unless somebody watches.
    fn load_beyond(&mut self, option: Opt<i64>) -> Option<i64> {
        let most = self.cx.engine().settings().given(option);
        if most.is_none() && !self.cx.trace().wants(TraceKinds::LOAD) {
            return None;
        }
        Some(self.load_average()).filter(|load| most.is_some_and(|most| *load > most))
    }

    /// Says why a message that was kept is not delivered at once.
    pub(super) fn log_delay(&mut self) {
        // In a test, none is delivered ever.
        if self.setup.is_test {
            return;
        }
        if let Some(why) = self.why_delayed()
            && self.logs(LogSelector::DELAY_DELIVERY)
        {
            self.log(format!("no immediate delivery: {why}").as_bytes());
        }
    }

    /// Why a message that was kept is not delivered at once, unless all messages wait. Where
    /// an ACL wants it, there may be another reason, too.
    fn why_delayed(&mut self) -> Option<String> {
        if self.all_wait() {
            return None;
        }
        let connected =
            i64::try_from(self.connection.client.count.unwrap_or(0)).unwrap_or(i64::MAX);
        let queue_beyond = self.number(opt::SMTP_ACCEPT_QUEUE);
        let load = self.load_beyond(opt::QUEUE_ONLY_LOAD);
        let is_loaded = self.connection.counts.met_load || load.is_some();
        self.connection.counts.met_load = is_loaded && self.flag(opt::QUEUE_ONLY_LOAD_LATCH);
        if queue_beyond > 0 && connected > queue_beyond {
            Some(format!("too many connections ({connected}, max {queue_beyond})"))
        } else if is_loaded {
            let load = load.unwrap_or_else(|| self.load_average());
            Some(format!("load average {}", hundredths(load)))
        } else {
            beyond_connection(&self.cx, self.connection.counts.received)
        }
    }

    /// Whether all messages wait, by `queue_only`, `queue_only_file` or the command line.
    fn all_wait(&mut self) -> bool {
        self.flag(opt::QUEUE_ONLY) && !self.connection.client.overrides_queue_only
            || self.connection.client.queues_all
            || QueueFiles::found(self.cx.engine()).all
    }

    /// Whether a delivery is tried at once of a message that was just kept. Of one that is
    /// frozen, too: that is told.
    pub fn delivers_at_once(&mut self, received: &Received) -> bool {
        !received.is_queued() && self.may_deliver(received)
    }

    /// Whether a message that an ACL has put into the queue is routed at once, and delivered as
    /// far as no other host has to be asked (`control = queue/first_pass_route`).
    pub fn routes_at_once(&mut self, received: &Received) -> bool {
        received.is_routed_first() && self.may_deliver(received)
    }

    fn may_deliver(&mut self, received: &Received) -> bool {
        !self.all_wait() && !received.is_put_off && self.why_delayed().is_none()
    }
}

/// Why the last one of so many messages of a connection waits, where that is too many
/// (`smtp_accept_queue_per_connection`).
pub(crate) fn beyond_connection(cx: &Context, received: i64) -> Option<String> {
    let each = cx.engine().settings().get(opt::SMTP_ACCEPT_QUEUE_PER_CONNECTION);
    (each > 0 && received > each)
        .then(|| format!("more than {each} messages received in one connection"))
}
