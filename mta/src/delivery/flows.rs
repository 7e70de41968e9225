//! Where messages follow each other: a connection to a host that had one a moment ago waits
//! for the next.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How soon a message has to follow another one to the same host for its connection to wait
/// for a third, and how long that waits.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// How many hosts are remembered before those are forgotten that had their last message
/// longer ago.
const MANY: usize = 256;

/// When, by the stopwatch, the last message went to a host, by a transport: for all threads
/// that deliver by one configuration.
#[derive(Debug, Default)]
pub(super) struct Flows(Mutex<BTreeMap<(Vec<u8>, Vec<u8>), Duration>>);

impl Flows {
    /// Notes that a message goes to a host now. Whether one has gone there a moment ago.
    pub(super) fn goes(&self, transport: &[u8], host: &[u8], now: Duration) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_soon = |when: Duration| now.saturating_sub(when) < SOON;
        if last.len() >= MANY {
            last.retain(|_, when| is_soon(*when));
        }
        let before = last.insert((transport.to_vec(), host.to_vec()), now);
        before.is_some_and(is_soon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_flow_that_follow_each_other_soon() {
        let flows = Flows::default();
        let goes =
            |host: &str, at: u64| flows.goes(b"t", host.as_bytes(), Duration::from_millis(at));
        assert!(!goes("a", 0) && goes("a", 900) && goes("a", 1_800) && !goes("a", 2_800));
        assert!(!goes("b", 2_900) && !flows.goes(b"other", b"b", Duration::from_millis(2_900)));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let flows = Flows::default();
        for host in 0..3 * MANY as u64 {
            flows.goes(b"t", host.to_string().as_bytes(), Duration::from_millis(10 * host));
        }
        assert!(flows.0.lock().expect("it").len() <= MANY);
    }
}
