//! The router `accept` (specification, chapter 16).

use super::machine::{Machine, Verdict};
use super::pass::RouteError;
use super::router::Router;

/// Takes every address.
pub(super) fn run(
    machine: &mut Machine<'_>,
    number: usize,
    router: &Router,
) -> Result<Verdict, RouteError> {
    Ok(Verdict::Accept(Some(machine.delivery(number, router, None)?)))
}
