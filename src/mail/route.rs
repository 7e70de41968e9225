//! Routing: where an address goes (specification, chapters 3 and 15 to 22).
//!
//! [`Routes`] are the routers of a configuration, made ready once. An
//! [`Address`] is offered to one after the other: [`Routes::route`] is one such
//! pass, which ends with a delivery, with other addresses in its place, or with
//! a [`RouteError`]. [`Routes::test`] goes on with what comes of it, as `-bt`,
//! `-bv` and `verify` in an ACL do.

mod accept;
mod address;
mod affix;
mod assign;
mod call;
mod conditions;
mod dnslookup;
mod driver;
mod hosts;
mod ipliteral;
mod iplookup;
mod machine;
mod manualroute;
mod offer;
mod pass;
mod percent;
mod queryprogram;
mod redirect;
mod router;
mod send;
mod test;
mod told;
mod values;

use std::sync::Arc;

use eximious_core::{DriverKind, DriverOpt, Registry, Str, World};

use crate::Config;
use crate::config::ConfigPlaces;
use crate::mail::auth::Authenticators;
use crate::mail::transport::Transport;

pub use address::{
    Address, Affix, Ancestor, Attached, Delivery, DeliveryTarget, FilterPipe, HomeDirectory,
    Identity, Wrong,
};
pub use affix::without as without_affixes;
pub use call::{RouterCall, RouterVerdict, driver};
pub use eximious_stdlib::dns::find::RouteHost;
pub use pass::{ChildAddress, Pass, Renamed, RouteError, RouteNotice, Routed};
pub use percent::{PercentDeferred, innermost};
pub use redirect::forward::{Forwarding, forwarding};
pub use redirect::{NOBODY, direct_target};
pub use test::{Duplicates, Report, Request, Standing};

pub(crate) use assign::{unknown_name, unreadable_name};
pub(crate) use hosts::{read as listed_hosts, shuffle, unresolved};
pub(crate) use machine::unless_forced;
use router::Router;
pub(crate) use router::Text;
pub(crate) use test::NO_HOSTS;

/// The routers of a configuration, made ready to be used. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Routes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    routers: Vec<Router>,
    transports: Vec<Transport>,
    rewrite: Vec<crate::config::RewriteRule>,
    authenticators: Authenticators,
}

/// What an address is routed for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Purpose {
    /// A message is to be delivered.
    Delivery,
    /// `-bt`: what would be done is shown.
    Test,
    /// A recipient is verified: `-bv`, `verify = recipient`, VRFY.
    VerifyRecipient,
    /// A sender is verified: `-bvs`, `verify = sender`.
    VerifySender,
    /// EXPN.
    Expand,
}

impl Purpose {
    /// Whether an address is only looked at.
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyRecipient | Self::VerifySender)
    }

    /// What `$verify_mode` is where an address is verified.
    pub(crate) fn verify_mode(self) -> Option<&'static str> {
        match self {
            Self::Delivery | Self::Test | Self::Expand => None,
            Self::VerifyRecipient => Some("R"),
            Self::VerifySender => Some("S"),
        }
    }
}

impl Routes {
    /// The routers of a configuration, for contexts of the engine whose registry this is.
    pub fn new(config: &Config, registry: &Registry, world: &World) -> Self {
        let place = |name: &Str| config.routers.iter().position(|one| one.name == *name);
        let places = ConfigPlaces::new(config);
        // One without a driver is a fault of the configuration.
        let routers = config.routers.iter().filter_map(|one| Some((one, one.driver.as_ref()?)));
        let routers = routers
            .map(|(one, driver)| Router::new(one, driver, registry, world, &place, &places))
            .collect();
        let transports = config
            .instances(DriverKind::Transport)
            .iter()
            .map(|one| Transport::new(one, registry, world, &places));
        let rewrite = config.rewrite.iter().map(|(rule, _)| rule.clone()).collect();
        let (transports, authenticators) = (transports.collect(), Authenticators::new(config));
        Self(Arc::new(Inner { routers, transports, rewrite, authenticators }))
    }

    /// The name of a router by number.
    pub fn router_name(&self, number: usize) -> &Str {
        static NONE: Str = Str::EMPTY;
        self.0.routers.get(number).map_or(&NONE, |router| &router.name)
    }

    /// Whether a router, by number, is the last to report success (`dsn_lasthop`); what the
    /// system filter delivers has no router.
    pub fn is_last_hop(&self, number: usize) -> bool {
        let router = self.0.routers.get(number);
        router.is_some_and(|router| router.on(eximious_stdlib::options::opt::router::DSN_LASTHOP))
    }

    /// Whether the main log is told nothing of what a router, by number, makes of addresses
    /// (`disable_logging`).
    pub fn router_is_silent(&self, number: usize) -> bool {
        self.router_has(number, eximious_stdlib::options::opt::router::DISABLE_LOGGING)
    }

    /// Whether a router, by number, minds the case of local parts (`caseful_local_part`).
    pub fn router_minds_case(&self, number: usize) -> bool {
        self.router_has(number, eximious_stdlib::options::opt::router::CASEFUL_LOCAL_PART)
    }

    /// Whether what a router, by number, makes of an address is made once and for all
    /// (`one_time`).
    pub fn router_makes_once(&self, number: usize) -> bool {
        self.router_has(number, eximious_stdlib::options::opt::router::redirect::ONE_TIME)
    }

    /// Whether a router's answer holds for other addresses in the same domain, too
    /// (`same_domain_copy_routing`).
    pub fn router_answers_for_domain(&self, number: usize) -> bool {
        use eximious_stdlib::options::opt::router::{dnslookup, manualroute};
        self.router_has(number, dnslookup::SAME_DOMAIN_COPY_ROUTING)
            || self.router_has(number, manualroute::SAME_DOMAIN_COPY_ROUTING)
    }

    /// Whether there is a router of a name that may make a copy on the way (`unseen`).
    pub fn has_copying_router(&self, name: &Str) -> bool {
        let mut routers = self.0.routers.iter();
        routers.any(|one| one.name == *name && one.filter.unseen != Some(false))
    }

    /// Whether retries of what a router, by number, could not decide are for each local part
    /// (`retry_use_local_part`).
    pub fn router_retries_local_parts(&self, number: usize) -> bool {
        self.router_has(number, eximious_stdlib::options::opt::router::RETRY_USE_LOCAL_PART)
    }

    fn router_has(&self, number: usize, option: DriverOpt<bool>) -> bool {
        self.0.routers.get(number).is_some_and(|router| router.on(option))
    }

    /// Whether the main log shows the local part alone of what a router, by number, has delivered
    /// on this host (`log_as_local`).
    pub fn router_logs_as_local(&self, number: usize) -> bool {
        self.router_has(number, eximious_stdlib::options::opt::router::LOG_AS_LOCAL)
    }

    /// Whether retries of local deliveries by a transport, by number, are for each local part
    /// (`retry_use_local_part`).
    pub fn transport_retries_local_parts(&self, number: usize) -> bool {
        let option = eximious_stdlib::options::opt::transport::RETRY_USE_LOCAL_PART;
        self.0.transports.get(number).is_some_and(|transport| transport.on(option))
    }

    /// The name of a transport by number.
    pub fn transport_name(&self, number: usize) -> &Str {
        &self.0.transports[number].name
    }

    /// Whether a transport writes to mailboxes, without a filter or a shadow.
    pub fn only_writes(&self, number: usize) -> bool {
        self.0.transports.get(number).is_some_and(|transport| transport.only_writes())
    }

    /// Whether a transport speaks with other hosts, without a filter or a shadow.
    pub fn only_sends(&self, number: usize) -> bool {
        self.0.transports.get(number).is_some_and(|transport| transport.only_sends())
    }

    /// Whether a transport speaks with other hosts.
    pub fn is_remote(&self, number: usize) -> bool {
        self.0.transports[number].is_remote()
    }

    /// Whether a transport goes to hosts of its own, whatever routers say (`hosts_override`).
    pub fn overrides_hosts(&self, number: usize) -> bool {
        use eximious_stdlib::options::opt::transport::smtp;
        let transport = self.transport_at(number);
        transport.is_remote()
            && transport.some_text(smtp::HOSTS).is_some()
            && transport.on(smtp::HOSTS_OVERRIDE)
    }

    /// By what other hosts are told who this is.
    pub(crate) fn authenticators(&self) -> &Authenticators {
        &self.0.authenticators
    }

    /// All transports.
    pub(crate) fn transports(&self) -> &[Transport] {
        &self.0.transports
    }

    /// A transport by number.
    pub(crate) fn transport_at(&self, number: usize) -> &Transport {
        &self.0.transports[number]
    }

    /// The transport with a name.
    pub(crate) fn transport_named(&self, name: &[u8]) -> Option<&Transport> {
        self.transport(name).map(|number| self.transport_at(number))
    }

    /// The number of the transport with a name.
    pub fn transport(&self, name: &[u8]) -> Option<usize> {
        self.0.transports.iter().position(|one| one.name.bytes() == name)
    }
}

/// Adds the drivers of routers to other words.
pub(crate) fn register(registry: &mut Registry) {
    registry.drivers(driver::DRIVERS.iter().copied());
}
