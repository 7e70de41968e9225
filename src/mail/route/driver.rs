//! The drivers of routers: what each runs, and all of them.

use eximious_core::{Closure, DriverDef, DriverKind, Fail, Runs};

use super::call::{RouterCall, RouterVerdict};
use super::machine::{Machine, Verdict};
use super::pass::RouteError;
use super::router::Router;
use super::{accept, dnslookup, ipliteral, iplookup, manualroute, queryprogram, redirect};

/// All drivers of routers. Each stands in the file of its name.
pub(super) static DRIVERS: &[&DriverDef] = &[
    &accept::DRIVER,
    &dnslookup::DRIVER,
    &ipliteral::DRIVER,
    &iplookup::DRIVER,
    &manualroute::DRIVER,
    &queryprogram::DRIVER,
    &redirect::DRIVER,
];

/// What a router does with addresses that its conditions let in.
#[derive(Clone, Debug)]
pub(super) enum RouterRun {
    /// One of ours, which gets the number of the router.
    Own(fn(&mut Machine<'_>, usize, &Router) -> Result<Verdict, RouteError>),
    /// An embedder's.
    Embedded(Closure<EmbeddedRouter>),
}

/// What an embedder's router does.
pub(super) type EmbeddedRouter =
    dyn Fn(&mut RouterCall<'_>) -> Result<RouterVerdict, Fail> + Send + Sync;

/// The record of a driver of ours.
pub(super) const fn own(
    name: &'static str,
    summary: &'static str,
    source: &'static str,
    run: &'static RouterRun,
) -> DriverDef {
    DriverDef::new(DriverKind::Router, name, summary, source, Runs::of(run))
}

impl Machine<'_> {
    /// Lets the router at hand look at the address.
    pub(super) fn drive(&mut self, number: usize, router: &Router) -> Result<Verdict, RouteError> {
        match &router.run {
            Some(RouterRun::Own(run)) => run(self, number, router),
            Some(RouterRun::Embedded(run)) => self.drive_embedded(number, router, &**run),
            None => {
                let driver = router.driver.meta.name;
                Err(RouteError::new(format!("the router driver \"{driver}\" is not there yet")))
            }
        }
    }
}
