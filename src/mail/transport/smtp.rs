//! `smtp`: to other hosts, by SMTP or LMTP (specification, chapter 30).

mod arc;
mod dkim;
mod hosts;
mod rules;
mod session;
mod signing;

use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;

use super::{Outcome, Outgoing, TakingHost, TransportCall, Undelivered};
pub(super) use rules::RULES;
use session::Attempt;

/// How many hosts were to be tried, and none might be.
const NOT_YET: i32 = -54;
/// Something about the delivery makes no sense.
const UNKNOWN: i32 = -1;

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    let count = call.consignment.deliveries.len();
    let all = |why: Undelivered| vec![Outcome::Deferred(why); count];
    let mut outgoing = match call.outgoing() {
        Ok(outgoing) => outgoing,
        Err(why) => return all(Undelivered::new(UNKNOWN, why)),
    };
    if let Err(why) = signing::sign(call, &mut outgoing) {
        return all(why);
    }
    match hosts::of(call) {
        Ok(hosts) => Work::new(count).run(call, &outgoing, &hosts),
        Err(why) => all(why),
    }
}

/// What is to be done, and what was done.
struct Work {
    /// What came of each address, as far as that is known.
    outcomes: Vec<Option<Outcome>>,
    /// Why those that are left are deferred: of each, what was heard last.
    troubles: Vec<Option<Undelivered>>,
    /// Whether a host was passed by because its time has not come.
    waits: bool,
    /// How many were tried.
    tried: i64,
}

impl Work {
    fn new(count: usize) -> Self {
        Self { outcomes: vec![None; count], troubles: vec![None; count], waits: false, tried: 0 }
    }

    /// The addresses of which nothing is known yet.
    fn left(&self) -> Vec<usize> {
        (0..self.outcomes.len()).filter(|at| self.outcomes[*at].is_none()).collect()
    }

    fn run(
        mut self,
        call: &mut TransportCall<'_>,
        outgoing: &Outgoing<'_>,
        hosts: &hosts::Hosts,
    ) -> Vec<Outcome> {
        for list in [&hosts.first, &hosts.fallback] {
            self.try_each(call, outgoing, list);
        }
        let domain = call.consignment.deliveries[0].address.domain.clone();
        let nothing = match self.waits {
            true => {
                let head: &[u8] = b"retry time not reached for any host for '";
                Undelivered::new(NOT_YET, [head, domain.bytes(), b"'"].concat())
            }
            false => Undelivered::new(UNKNOWN, "all hosts are unusable"),
        };
        let troubles = self.troubles.into_iter();
        let left = |trouble: Option<Undelivered>| {
            Outcome::Deferred(trouble.unwrap_or_else(|| nothing.clone()))
        };
        self.outcomes
            .into_iter()
            .zip(troubles)
            .map(|(outcome, trouble)| outcome.unwrap_or_else(|| left(trouble)))
            .collect()
    }

    fn try_each(
        &mut self,
        call: &mut TransportCall<'_>,
        outgoing: &Outgoing<'_>,
        hosts: &[RouteHost],
    ) {
        let transport = call.transport;
        let most = [smtp::HOSTS_MAX_TRY, smtp::HOSTS_MAX_TRY_HARDLIMIT];
        let [most, limit] = most.map(|option| transport.get(option));
        for host in hosts {
            let left = self.left();
            if left.is_empty() || self.tried >= most.min(limit) {
                return;
            }
            let Some(address) = host.address else {
                let why = format!("host lookup for {} did not complete", host.name);
                self.defer(&left, &Undelivered::new(UNKNOWN, why));
                continue;
            };
            let (endpoint, wrong) =
                crate::mail::smtp_transport::endpoint(call.cx, Some(transport), host, address);
            if let Some(why) = wrong {
                self.defer(&left, &Undelivered::new(UNKNOWN, why));
                continue;
            }
            let taking = TakingHost {
                name: host.name.clone().into_bytes(),
                address,
                port: endpoint.port,
                is_mx: host.mx.is_some(),
            };
            if !(call.consignment.may_try)(&taking) {
                self.waits = true;
                continue;
            }
            self.tried += 1;
            let log = call.cx.log();
            let mut attempt = Attempt {
                call: &mut *call,
                outgoing,
                host,
                taking,
                endpoint,
                work: &mut *self,
                log: Box::new(move |line| log.panic(line)),
            };
            attempt.run(&left);
        }
    }

    /// That addresses are deferred, unless another host takes them.
    fn defer(&mut self, which: &[usize], why: &Undelivered) {
        which.iter().for_each(|at| self.troubles[*at] = Some(why.clone()));
    }

    fn settle(&mut self, which: &[usize], outcome: &Outcome) {
        which.iter().for_each(|at| self.outcomes[*at] = Some(outcome.clone()));
    }
}

/// How many recipients a transaction has at the most; nothing where there is no limit.
///
/// # Errors
/// The option makes no sense: Exim's words.
fn most_recipients(call: &mut TransportCall<'_>) -> Result<Option<usize>, Vec<u8>> {
    let Some(text) = call.transport.expand_some(call.cx, smtp::MAX_RCPT) else { return Ok(None) };
    let text = text.map_err(|fail| fail.message().to_vec())?;
    let number = std::str::from_utf8(text.bytes()).ok().and_then(|text| text.trim().parse().ok());
    match number {
        Some(0) => Ok(None),
        Some(number) => Ok(Some(number)),
        None => Err([b"invalid integer \"", text.bytes(), b"\" for max_rcpt"].concat()),
    }
}
