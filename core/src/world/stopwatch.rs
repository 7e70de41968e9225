//! How long things take.
//!
//! This is the one part of the outside that does not stand in `world/`: a bound on time
//! has to hold in every world, the one that denies everything included, and no answer is
//! made of it.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a stopwatch, not the time")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How long it is since this was asked first.
pub(super) fn elapsed() -> Duration {
    START.elapsed()
}
