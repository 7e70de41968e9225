//! Callouts: the hosts that take mail for an address are asked whether they would
//! (specification 44.22).

mod cache;
mod params;
mod talk;

use std::net::IpAddr;
use std::time::Duration;

use eximious_core::{Effects, Fail, Meta, Str, TaintRule};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::machine::Run;
use super::{Logs, cutthrough};
use crate::mail::route::{Delivery, NO_HOSTS, RouteHost, Standing, Text};
use crate::mail::smtp_transport::hosts_of;
use crate::mail::transport::Transport;
use cache::Cache;
pub use params::CALLOUT_PARAMETERS;
use params::Sender;
pub(super) use params::{Params, Subject};

static META: Meta = Meta::new(
    "callout",
    Effects::NET.union(Effects::DNS).union(Effects::CLOCK).union(Effects::LOG),
    TaintRule::Tainted,
);

/// What is asked.
struct Callout<'c> {
    params: &'c Params,
    subject: Subject,
    address: Str,
    /// The address as the hosts are told it.
    recipient: Str,
    domain: Str,
    mail_from: Vec<u8>,
    delivery: &'c Delivery,
    /// Whether the connection may be one that is held open, or become one.
    takes_along: bool,
    /// Whether the message may go along it (`control = cutthrough_delivery`).
    delivers: bool,
}

/// What was found out.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) standing: Standing,
    /// For the logs.
    pub(super) logged: Option<Vec<u8>>,
    /// For the client, where the address is refused.
    pub(super) said: Vec<u8>,
    pub(super) failure: Failure,
    /// The last line that was heard of an answer that is no last word.
    pub(super) heard: Option<Vec<u8>>,
}

/// Where it went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// Nowhere, or before anything could be asked.
    None,
    Mail,
    Recipient,
    Postmaster,
    /// Nothing went wrong: all local parts are taken.
    Random,
}

impl Failure {
    /// The word for variables.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Mail => "mail",
            Self::Recipient => "recipient",
            Self::Postmaster => "postmaster",
            Self::Random => "random",
        }
    }
}

impl Called {
    fn fine() -> Self {
        let said = Vec::new();
        Self { standing: Standing::Fine, logged: None, said, failure: Failure::None, heard: None }
    }

    fn random() -> Self {
        Self { failure: Failure::Random, ..Self::fine() }
    }

    fn failed(failure: Failure, logged: Option<Vec<u8>>, said: Vec<u8>) -> Self {
        Self { standing: Standing::Failed, logged, said, failure, heard: None }
    }

    fn later(logged: Option<Vec<u8>>) -> Self {
        Self { standing: Standing::Deferred, logged, ..Self::fine() }
    }

    /// What the client is told of a sender that was refused.
    pub(super) fn told(&self, address: &Str) -> Vec<u8> {
        let (head, tail): (&[u8], &[u8]) = match self.failure {
            Failure::Mail => (
                b"Callback setup failed while verifying",
                b"\nThe initial connection, or a HELO or MAIL FROM:<> command was\n\
                rejected. Refusing MAIL FROM:<> does not help fight spam, disregards\n\
                RFC requirements, and stops you from receiving standard bounce\n\
                messages. This host does not accept mail from domains whose servers\n\
                refuse bounces.",
            ),
            Failure::Postmaster => (
                b"Postmaster verification failed while checking",
                b"\nSeveral RFCs state that you are required to have a postmaster\n\
                mailbox for each mail domain. This host does not accept mail\n\
                from domains whose servers reject the postmaster address.",
            ),
            _ => (b"Verification failed for", b""),
        };
        [head, b" <", address.bytes(), b">\n", &self.said, tail].concat()
    }
}

/// Asks the hosts of a delivery; nothing where nobody can be asked. `alone` says that
/// nothing else came of routing the address.
pub(super) fn call(
    run: &mut Run<'_>,
    params: &Params,
    subject: Subject,
    delivery: &Delivery,
    alone: bool,
) -> Option<Called> {
    let (address, domain) = (delivery.address.text.clone(), delivery.address.domain.clone());
    let transport = delivery.transport.map(|number| run.acls.routes().transport_at(number));
    let recipient = transport
        .map_or_else(|| address.clone(), |transport| transport.recipient(&delivery.address));
    let before = run.cx.value_of(var::VERIFY_MODE);
    let mode = subject.purpose().verify_mode().unwrap_or_default();
    run.cx.set_var(var::VERIFY_MODE, Str::fixed(mode));
    let mail_from = mail_from(run, params, delivery);
    let delivers = alone
        && subject == Subject::Recipient
        && match params.sender {
            Sender::Own => cutthrough::takes(run, false),
            Sender::Transport => cutthrough::takes(run, true),
            Sender::Given | Sender::Postmaster => false,
        };
    let asks_alone = params.hold && params.sender.is_own() && !params.asks_more();
    let holds = subject == Subject::Recipient && asks_alone && cutthrough::holds(run);
    let takes_along = delivers || holds;
    let callout = Callout {
        params,
        subject,
        address,
        recipient,
        domain,
        mail_from,
        delivery,
        takes_along,
        delivers,
    };
    let called = callout.call(run);
    run.cx.set_var(var::VERIFY_MODE, before);
    called
}

fn mail_from(run: &mut Run<'_>, params: &Params, delivery: &Delivery) -> Vec<u8> {
    match params.sender {
        Sender::Given => params.mail_from.clone(),
        Sender::Own => run.cx.value_of(var::SENDER_ADDRESS).bytes().to_vec(),
        Sender::Postmaster => {
            let domain = run.cx.value_of(var::QUALIFY_DOMAIN);
            [b"postmaster@", domain.bytes()].concat()
        }
        Sender::Transport => {
            let acls = run.acls.clone();
            let transport = delivery.transport.map(|number| acls.routes().transport_at(number));
            let own = transport
                .and_then(|transport| transport.text(opt::transport::RETURN_PATH).cloned());
            let replaced = own.and_then(|text| run.expanded(&text).ok());
            replaced.unwrap_or_else(|| run.cx.value_of(var::SENDER_ADDRESS)).bytes().to_vec()
        }
    }
}

impl Callout<'_> {
    fn call(&self, run: &mut Run<'_>) -> Option<Called> {
        let delivery = self.delivery;
        let acls = run.acls.clone();
        // Who names the hosts knows what the router has set, and of the address what the ACL does.
        let own = [var::LOCAL_PART, var::DOMAIN].map(|var| (var, run.cx.value_of(var)));
        run.cx.set_var(var::LOCAL_PART, delivery.address.local_part.clone());
        run.cx.set_var(var::DOMAIN, self.domain.clone());
        for (name, value) in &delivery.address.attached.variables {
            run.cx.set(name, value.clone());
        }
        let mut log = |line: &[u8]| run.host.log_to(Logs::PANIC, line);
        let hosts = hosts_of(run.cx, acls.routes(), delivery, &mut log);
        for (var, value) in own {
            run.cx.set_var(var, value);
        }
        let before = acls.routes().introduce_for_callout(run.cx, delivery);
        let called = self.ask(run, hosts);
        acls.routes().put_back(run.cx, delivery, before);
        called
    }

    /// Asks hosts, where there are any.
    fn ask(&self, run: &mut Run<'_>, hosts: Option<Vec<RouteHost>>) -> Option<Called> {
        let delivery = self.delivery;
        let acls = run.acls.clone();
        let Some(hosts) = hosts else {
            run.cx.tell_callout(NO_HOSTS);
            return None;
        };
        run.cx.tell_callout(b"Attempting full verification using callout");
        if !run.host.calls_out() {
            run.cx.tell_callout(b"... callout omitted by default when host testing");
            run.cx.tell_callout(b"(Use -bhc if you want the callouts to happen.)");
            return None;
        }
        if delivery.transport.is_none() {
            // Nobody says how the hosts are to be spoken to.
            return Some(Called::later(None));
        }
        let now = match clock(run) {
            Ok(now) => now,
            Err(fail) => return Some(Called::later(Some(fail.message().to_vec()))),
        };
        run.flush();
        let mut cache = Cache::new(run, self, now);
        if let Some(called) = cache.look(run, self) {
            run.state.cutthrough.end(run.cx, "cache-hit");
            return Some(called);
        }
        let nobody = cache.tries_random.then(|| self.nobody(run)).flatten();
        let tries_postmaster = cache.tries_postmaster;
        let transport = delivery.transport.map(|number| acls.routes().transport_at(number));
        let timeout = self.params.timeout.unwrap_or_default();
        let longest = self.params.longest.unwrap_or(timeout.saturating_mul(4));
        let began = now;
        let alone = hosts.len() < 2;
        let (mut why, mut heard, mut failure) = (None, None, Failure::None);
        let mut settled = match self.takes_along {
            true => self.go_along(run, transport, &hosts),
            false => None,
        };
        let asked = if settled.is_none() { &hosts[..] } else { &[] };
        for host in asked {
            let Some(address) = host.address else { continue };
            let spent = clock(run).map_or(0, |now| now.saturating_sub(began));
            if Duration::from_secs(u64::try_from(spent).unwrap_or(0)) >= longest {
                run.cx.tell_callout(b"overall timeout for callout exceeded");
                break;
            }
            self.introduce(run, host, address);
            // Each host is asked for all, whatever the one before had no answer to.
            cache.nobody.clone_from(&nobody);
            cache.tries_postmaster = tries_postmaster;
            let called = talk::with(run, self, &mut cache, transport, host, address);
            match called.standing {
                Standing::Deferred => {
                    (why, heard, failure) = (called.logged, called.heard, called.failure);
                    // The next one may take the recipient, and gets the message later.
                    run.state.cutthrough.end(run.cx, "nobody can be asked now");
                }
                _ => {
                    settled = Some(called);
                    break;
                }
            }
        }
        if self.delivers && settled.is_none() {
            run.state.cutthrough.end(run.cx, "nobody can be asked now");
        }
        cache.keep(run);
        // Which of several hosts is to blame is not said.
        Some(settled.unwrap_or_else(|| Called {
            failure,
            heard,
            ..Called::later(why.filter(|_| alone))
        }))
    }

    /// Names the recipient over the connection that is held open, where there is one, and it
    /// leads to one of the hosts; otherwise there is none any more.
    fn go_along(
        &self,
        run: &mut Run<'_>,
        transport: Option<&Transport>,
        hosts: &[RouteHost],
    ) -> Option<Called> {
        for host in hosts {
            if !run.state.cutthrough.is_open() {
                return None;
            }
            let Some(address) = host.address else { continue };
            self.introduce(run, host, address);
            if let Some(called) = talk::along(run, self, transport, host, address) {
                return Some(called);
            }
        }
        if run.state.cutthrough.is_open() {
            run.state.cutthrough.end(run.cx, "different next hop");
        }
        None
    }

    /// A local part that nobody has, at the domain.
    fn nobody(&self, run: &mut Run<'_>) -> Option<Vec<u8>> {
        let text = run.cx.engine().settings().get(opt::CALLOUT_RANDOM_LOCAL_PART);
        match Text::new(text).expand(run.cx) {
            Ok(local_part) => Some([local_part.bytes(), b"@", self.domain.bytes()].concat()),
            Err(fail) => {
                let head = b"failed to expand callout_random_local_part: ";
                run.host.log_to(Logs::PANIC, &[head, fail.message()].concat());
                None
            }
        }
    }

    /// Says in variables who is asked.
    fn introduce(&self, run: &mut Run<'_>, host: &RouteHost, address: IpAddr) {
        run.cx.set_var(var::HOST, self.delivery.host_name(host.name.as_bytes(), address));
        run.cx.set_var(var::HOST_ADDRESS, address.to_string());
        run.cx.set_var(var::HOST_PORT, host.shown_port());
    }

    /// Says in variables that nobody is asked any more.
    fn introduce_nobody(&self, run: &mut Run<'_>) {
        run.cx.set_var(var::HOST, Str::EMPTY);
        run.cx.set_var(var::HOST_ADDRESS, Str::EMPTY);
    }
}

fn clock(run: &mut Run<'_>) -> Result<i64, Fail> {
    run.cx.call(&META, |call| call.clock().map(|clock| clock.now().seconds))
}
