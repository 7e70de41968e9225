//! The router `accept` (specification, chapter 16).

use eximious_core::DriverDef;

use super::driver::{self, RouterRun};
use super::machine::{Machine, Verdict};
use super::pass::RouteError;
use super::router::Router;
use crate::config::{GoesOn, RouterRules, TransportUse};

/// The driver `accept`.
pub(super) static DRIVER: DriverDef = driver::own(
    "accept",
    "Takes every address that its conditions let in.",
    "16",
    &RouterRun::Own(run),
)
.rules(&RULES);

static RULES: RouterRules = RouterRules {
    transport: TransportUse::Required,
    logs_as_local: true,
    goes_on: GoesOn::Never,
    ..RouterRules::DEFAULT
};

/// Takes every address.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    Ok(Verdict::Accept(Some(machine.delivery(number, router, None)?)))
}
