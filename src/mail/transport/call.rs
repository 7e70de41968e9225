//! What a transport is asked, and what it answers.

use std::io::ErrorKind;

use eximious_core::trace::{DeliveryEvent, Happening, TraceKinds};
use eximious_core::world::{LocalUser, MailboxCover, SpoolError, SpoolStep};
use eximious_core::{FailClass, Message, Str};
use eximious_stdlib::address::last_at;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport as opt;

use super::Transport;
use super::directory;
use super::driver::Deliver;
use super::limits::hinder;
use super::local::{HEADERS, UNKNOWN};
use super::outcome::{Outcome, TakingHost, Undelivered};
use super::smtp::{Connections, NoConnections};
use crate::Context;
use crate::acl::OwnMessage;
use crate::mail::route::{Address, Delivery, Routes};
use crate::mail::smtp_client::{SmtpClient, Verdicts};

/// A message that is to go by one transport to one or more addresses at once. The
/// variables of the context speak of the message and of these addresses.
#[derive(Debug)]
pub(crate) struct TransportCall<'c> {
    /// The variables.
    pub(crate) cx: &'c mut Context,
    /// The transport, with its options.
    pub(crate) transport: &'c Transport,
    /// All of them.
    pub(crate) routes: &'c Routes,
    /// What goes where.
    pub(crate) consignment: Consignment<'c>,
    /// What is to be told beside the outcomes.
    pub(crate) done: Delivering,
    /// Whether another transport has delivered it, and this one's output is nobody's
    /// concern.
    pub(crate) is_shadow: bool,
    /// Where a local transport runs.
    pub(super) directory: Vec<u8>,
}

/// What there is to deliver, whatever transport it goes by.
#[derive(Clone)]
pub struct Consignment<'c> {
    /// The message as it is in the spool, header lines in their order.
    pub message: &'c Message,
    /// Where it goes: at least one, and all by the same transport.
    pub deliveries: &'c [&'c Delivery],
    /// The envelope's sender as it leaves (`$return_path`).
    pub return_path: Str,
    /// Who is told of failures: the envelope's sender, unless a router says otherwise
    /// (`errors_to`).
    pub errors_to: Str,
    /// The user that a local delivery runs as.
    pub user: LocalUser,
    /// When this delivery began, in seconds since 1970.
    pub now: i64,
    /// Whether a host may be tried now.
    pub may_try: &'c dyn Fn(&TakingHost) -> HostStanding,
    /// Whether the time for the message has run out by the rules for a host, so that the host does
    /// not count among those that were tried (`hosts_max_try`).
    pub is_overdue: &'c dyn Fn(&TakingHost) -> bool,
    /// Puts a message of the transport's own into the spool, as a user of this system: its
    /// header says who gets it. The status that a program would have that does so: 0 where
    /// it is there, 2 where nobody would get it.
    pub hand_in: &'c dyn Fn(&mut Context, &LocalUser, OwnMessage) -> u8,
    /// Puts the message into another spool's directory, for these addresses alone
    /// (`queuefile`).
    pub hand_over: &'c dyn Fn(&[u8]) -> Result<(), SpoolError>,
    /// Notes that addresses, by their places, have got it, before there is an outcome for all:
    /// others are waited for, or are still to be tried. They may be noted already.
    pub keep: &'c dyn Fn(&[usize]),
    /// What has it delivered again where a power failure takes it from a mailbox.
    pub cover: Option<&'c dyn MailboxCover>,
    /// What is asked of those who take it, where they can do it (RFC 3461): a space before
    /// each parameter of MAIL, and of RCPT for each address.
    pub reports: DsnRequests,
    /// Connections to hosts that others had before, and will have then.
    pub connections: &'c dyn Connections,
    /// Whether addresses are to be sent in ASCII, where the transport does not say.
    pub downconversion: Downconversion,
    /// Whether all addresses get it, in one copy, or none does (`mua_wrapper`).
    pub whole: bool,
    /// Whether its size is known to be right ([`Routes::refuses_size`]).
    pub measured: bool,
}

/// Whether addresses beyond ASCII are sent in ASCII (specification 60.1,
/// `control = utf8_downconvert`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Downconversion {
    /// They are not.
    #[default]
    Never,
    /// They are to hosts that don't take others.
    Needed,
    /// They are to all.
    Always,
}

/// What reports are asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DsnRequests {
    /// ` RET=… ENVID=…`
    pub mail: Vec<u8>,
    /// ` NOTIFY=… ORCPT=…` of each address; none where nothing is asked.
    pub rcpt: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Consignment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let to = self.deliveries.iter().map(|one| one.address.text.display().to_string());
        write!(f, "{} to {}", self.message.id.display(), to.collect::<Vec<_>>().join(", "))
    }
}

/// Whether a host may be tried, by what is remembered of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HostStanding {
    /// It may be tried.
    Due,
    /// It may be tried, though it has been failing for too long: it is not among those that are
    /// counted (`hosts_max_try`).
    Overdue,
    /// The time for that has not come.
    Waits,
    /// It has not come for this message, whatever the host does with others.
    MessageWaits,
    /// It failed just now, for others who are to get the message.
    FailedNow,
    /// Its time has not come, either, and the host has been failing for so long that there is no
    /// hope left.
    GivenUp {
        /// Whether it was tried since the message came.
        tried: bool,
    },
}

/// What came of a consignment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Delivering {
    /// What came of each address, in their order.
    pub outcomes: Vec<Outcome>,
    /// The hosts that failed, or failed for this message, whatever others made of it.
    pub failed_hosts: Vec<FailedHost>,
    /// Whether a router found the hosts: neither does the transport's option name them, nor do
    /// they stand in for others.
    pub routed: bool,
    /// The hosts that were of use.
    pub good_hosts: Vec<TakingHost>,
    /// What hosts that did not take recipients for now said of them, each with its
    /// delivery's place.
    pub refused: Vec<(usize, Undelivered)>,
    /// The hosts that the message waits for, by their names.
    pub awaited_hosts: Vec<Vec<u8>>,
    /// Whether a host was passed by that may be tried again, at another time.
    pub passed_by: bool,
    /// The addresses that no host has taken and that others stand in for (`fallback_hosts`),
    /// with these: they are to be delivered once more, behind all others.
    pub stand_ins: Vec<StandIn>,
    /// Lines for the message's own log, which the main log has already.
    pub message_log: Vec<Vec<u8>>,
    /// What a command wrote that the sender is to see.
    pub output: Vec<u8>,
    /// Which addresses somebody was told, in what speaks or writes SMTP.
    pub told: Vec<usize>,
}

/// Hosts that stand in for those of an address.
#[derive(Clone, PartialEq, Debug)]
pub struct StandIn {
    /// The place of the address's delivery.
    pub at: usize,
    /// The hosts.
    pub hosts: Vec<RouteHost>,
    /// Whether they have an order by chance already.
    pub shuffled: bool,
}

impl StandIn {
    /// The delivery as it is made then.
    pub fn delivery(self, before: &Delivery) -> Delivery {
        let Self { hosts, shuffled, .. } = self;
        let fallback_hosts = Vec::new();
        Delivery { hosts, shuffled, fallback_hosts, stands_in: true, ..before.clone() }
    }
}

/// A host that failed.
#[derive(Clone, PartialEq, Debug)]
pub struct FailedHost {
    /// The host.
    pub host: TakingHost,
    /// Why.
    pub why: Undelivered,
    /// Whether it failed for this message alone.
    pub for_message: bool,
}

impl<'c> TransportCall<'c> {
    /// What a server makes of the message that was sent, for these addresses. Those that have
    /// got it are noted before it is waited for what becomes of others.
    pub(super) fn verdicts(&mut self, client: &mut SmtpClient, accepted: &[usize]) -> Verdicts {
        let keep = self.consignment.keep;
        client.end_of_data_with(self.cx.trace(), &mut |so_far| {
            let pairs = accepted.iter().zip(so_far).filter(|(_, verdict)| verdict.is_ok());
            let arrived: Vec<usize> = pairs.map(|(at, _)| *at).collect();
            if !arrived.is_empty() {
                keep(&arrived);
            }
        })
    }

    /// Writes a line to the main log, which a transport may be told to keep silent to
    /// (`disable_logging`).
    pub(super) fn log(&mut self, line: &[u8]) {
        if !self.transport.on(opt::DISABLE_LOGGING) {
            self.cx.log().main(line);
        }
    }

    /// Delivers by a transport. `None` where its driver delivers nothing yet.
    pub(super) fn run(
        cx: &'c mut Context,
        transport: &'c Transport,
        routes: &'c Routes,
        consignment: Consignment<'c>,
        is_shadow: bool,
    ) -> Option<Delivering> {
        let (driver, run) = transport.delivers()?;
        let before = cx.set_at_work(Some(transport.worker()));
        let done = Delivering::default();
        let directory = Vec::new();
        let mut call = Self { cx, transport, routes, consignment, done, is_shadow, directory };
        call.print_debug();
        let count = call.consignment.deliveries.len();
        // Whoever asked before, and a shadow, need not be kept from it here.
        let asks = !call.consignment.measured && !is_shadow;
        let size = call.consignment.message.size;
        let hindered = asks.then(|| hinder(call.cx, transport, size)).flatten();
        let settled = hindered.or_else(|| call.settle());
        // What is expanded for a local transport is expanded there.
        let directory = Some(call.directory.clone()).filter(|place| !place.is_empty());
        let place = call.cx.set_directory(directory);
        let outcomes = match settled {
            Some(outcome) => vec![outcome; count],
            None => {
                if transport.writes_smtp() {
                    call.done.told = (0..count).collect();
                }
                match run {
                    Deliver::Own(run) => run(&mut call),
                    Deliver::Embedded(run) => call.deliver_embedded(&driver.meta, &**run),
                }
            }
        };
        call.cx.set_directory(place);
        call.cx.set_at_work(before);
        Some(Delivering { outcomes, ..call.done })
    }

    /// `debug_print`, for those who look on.
    fn print_debug(&mut self) {
        if !self.cx.trace().wants(TraceKinds::DELIVERY) {
            return;
        }
        let Some(text) = self.transport.expand_some(self.cx, opt::DEBUG_PRINT) else { return };
        let text = text.map_or_else(
            |fail| {
                let written = self.transport.text(opt::DEBUG_PRINT).map_or(&b""[..], Str::bytes);
                let head = [b"failed to expand debug_output \"", written, b"\": "].concat();
                [&head[..], fail.message()].concat()
            },
            |text| text.bytes().to_vec(),
        );
        self.cx.tell(Happening::Delivery(DeliveryEvent::Printed { text: &text }));
    }

    /// Finds the directory that a local transport runs in; what comes of the delivery where it
    /// can't.
    fn settle(&mut self) -> Option<Outcome> {
        if self.transport.is_remote() {
            return None;
        }
        match directory::settle(self) {
            Ok(directory) => {
                self.directory = directory;
                None
            }
            Err(why) => Some(Outcome::Deferred(why)),
        }
    }

    /// An address as whoever takes the message is told it.
    pub(crate) fn recipient(&self, at: usize) -> Str {
        self.consignment.recipient(self.transport, at)
    }
}

/// The status where a message can't be sent.
const NOT_SENT: u8 = 1;

impl<'c> Consignment<'c> {
    /// A message that goes to some addresses as its envelope has it: for no user, at no
    /// time that is known, to any host, without reports, from no spool, and where no message
    /// of its own is sent.
    pub fn new(message: &'c Message, deliveries: &'c [&'c Delivery]) -> Self {
        Self {
            message,
            deliveries,
            return_path: message.sender.clone(),
            errors_to: message.sender.clone(),
            user: LocalUser::default(),
            now: 0,
            may_try: &|_| HostStanding::Due,
            is_overdue: &|_| false,
            hand_in: &|_, _, _| NOT_SENT,
            hand_over: &|directory| {
                let (step, file) = (SpoolStep::Directory, directory.to_vec());
                Err(SpoolError { step, file, why: ErrorKind::Unsupported.into() })
            },
            keep: &|_| {},
            cover: None,
            reports: DsnRequests::default(),
            connections: &NoConnections,
            downconversion: Downconversion::Never,
            whole: false,
            measured: false,
        }
    }

    /// An address as whoever takes the message is told it.
    pub(super) fn recipient(&self, transport: &Transport, at: usize) -> Str {
        transport.recipient(&self.deliveries[at].address)
    }
}

impl Transport {
    /// Whether whoever takes the message is told of an address what routers took off.
    pub(crate) fn tells_affixes(&self) -> bool {
        self.on(opt::RCPT_INCLUDE_AFFIXES)
    }

    /// An address as whoever takes the message is told it: with affixes only where
    /// `rcpt_include_affixes` says so.
    pub(crate) fn recipient(&self, address: &Address) -> Str {
        match self.tells_affixes() {
            true => address.text.clone(),
            false => without_affixes(address),
        }
    }
}

/// An address without its affixes.
fn without_affixes(address: &Address) -> Str {
    let (text, taint) = address.text.read();
    let (prefix, suffix) = (address.prefix.text.bytes(), address.suffix.text.bytes());
    if prefix.is_empty() && suffix.is_empty() {
        return address.text.clone();
    }
    let (local_part, domain) = text.split_at(last_at(text));
    let local_part = local_part.get(prefix.len()..).unwrap_or(local_part);
    let end = local_part.len().saturating_sub(suffix.len());
    Str::from([&local_part[..end], domain].concat()).stamped(taint)
}

impl Routes {
    /// An address as a transport, by its number, tells it: with affixes only where that speaks
    /// or writes SMTP, `rcpt_include_affixes` says so, and somebody was told it.
    pub fn recipient_by(&self, number: usize, address: &Address, is_told: bool) -> Str {
        let transport = self.transport_at(number);
        match is_told {
            true => transport.recipient(address),
            false => without_affixes(address),
        }
    }

    /// The sender that a transport, by its number, puts in the place of the one at hand
    /// (`return_path`); `None` where it leaves that.
    ///
    /// # Errors
    /// It can't be said now; of a local transport, the panic log has it then.
    pub fn return_path(&self, cx: &mut Context, number: usize) -> Result<Option<Str>, Undelivered> {
        let transport = self.transport_at(number);
        match transport.expand(cx, opt::RETURN_PATH) {
            None => Ok(None),
            Some(Ok(path)) => Ok(Some(path)),
            Some(Err(fail)) if fail.class() == FailClass::Forced => Ok(None),
            Some(Err(fail)) => {
                let written = transport.text(opt::RETURN_PATH).map_or(&b""[..], Str::bytes);
                let head = [b"Failed to expand return path \"", written, b"\""].concat();
                let (number, place) = match transport.is_remote() {
                    true => (UNKNOWN, Vec::new()),
                    false => (HEADERS, [b" in ", transport.name.bytes(), b" transport"].concat()),
                };
                let parts = [&head[..], &place, b": ", fail.message()];
                let why = Undelivered::new(number, parts.concat());
                if !transport.is_remote() {
                    cx.log().panic(&why.message);
                }
                Err(Undelivered { panics: transport.is_remote(), ..why })
            }
        }
    }

    /// What comes of a delivery by a transport, by its number, whose message has so many bytes,
    /// where that is not made because of them (`message_size_limit`).
    pub fn refuses_size(&self, cx: &mut Context, number: usize, size: u64) -> Option<Outcome> {
        hinder(cx, self.transport_at(number), size)
    }

    /// Delivers by a transport, by its number; an outcome for each address, in their
    /// order. `None` where its driver delivers nothing yet.
    pub fn deliver(
        &self,
        cx: &mut Context,
        number: usize,
        consignment: Consignment<'_>,
    ) -> Option<Delivering> {
        let transport = self.transport_at(number);
        let shadowed = (!transport.is_remote()).then(|| consignment.clone());
        let mut done = TransportCall::run(cx, transport, self, consignment, false)?;
        let shadow = shadowed.and_then(|one| self.cast_shadow(cx, number, &one, &done.outcomes));
        for outcome in &mut done.outcomes {
            if let Outcome::Delivered(delivered) = outcome {
                delivered.shadow.clone_from(&shadow);
            }
        }
        Some(done)
    }
}
