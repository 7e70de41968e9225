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

/// Which message has gone last to which host, by which transport: for all threads that deliver
/// by one configuration.
#[derive(Debug, Default)]
pub(super) struct Flows(Mutex<BTreeMap<Way, Last>>);

/// A transport and a host, by their names.
type Way = (Vec<u8>, Vec<u8>);

/// The last message to a host.
#[derive(Debug)]
struct Last {
    id: Vec<u8>,
    /// When, by the stopwatch.
    when: Duration,
    /// Whether it has followed another one.
    follows: bool,
}

impl Flows {
    /// Notes that a message goes to a host now, however often it is said. Whether another one
    /// has gone there a moment ago.
    pub(super) fn goes(&self, id: &[u8], transport: &[u8], host: &[u8], now: Duration) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_soon = |last: &Last| now.saturating_sub(last.when) < SOON;
        if all.len() >= MANY {
            all.retain(|_, last| is_soon(last));
        }
        let key = (transport.to_vec(), host.to_vec());
        let before = all.get(&key);
        let follows = match before {
            Some(last) if last.id == id => last.follows,
            _ => before.is_some_and(is_soon),
        };
        all.insert(key, Last { id: id.to_vec(), when: now, follows });
        follows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_flow_that_follow_each_other_soon() {
        let flows = Flows::default();
        let goes =
            |id: u8, host: &[u8], at: u64| flows.goes(&[id], b"t", host, Duration::from_millis(at));
        assert!(!goes(1, b"a", 0) && goes(2, b"a", 900) && goes(3, b"a", 1_800));
        assert!(!goes(4, b"a", 2_800) && !goes(5, b"b", 2_900));
        assert!(!flows.goes(&[6], b"other", b"b", Duration::from_millis(2_900)));
        // The same message, asked twice.
        assert!(!goes(7, b"c", 0) && !goes(7, b"c", 1) && goes(8, b"c", 2) && goes(8, b"c", 3));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let flows = Flows::default();
        for host in 0..3 * MANY as u64 {
            let now = Duration::from_millis(10 * host);
            flows.goes(b"id", b"t", host.to_string().as_bytes(), now);
        }
        assert!(flows.0.lock().expect("it").len() <= MANY);
    }
}
