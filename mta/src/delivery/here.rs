//! Which domains' mail came into mailboxes here, as far as that was seen.

use std::sync::atomic::{AtomicBool, Ordering};

/// How many domains are told apart.
const MANY: usize = 1024;

/// What became of the last short message to a domain. Two domains may share a place: it is a
/// guess, by which nothing is decided but who makes a delivery.
#[derive(Debug)]
pub(super) struct HereDomains([AtomicBool; MANY]);

impl Default for HereDomains {
    fn default() -> Self {
        Self([const { AtomicBool::new(false) }; MANY])
    }
}

impl HereDomains {
    /// Notes whether a message to an address came into a mailbox here.
    pub(super) fn note(&self, address: &[u8], is_here: bool) {
        let place = self.place(address);
        // Most often nothing is new, and others read it.
        if place.load(Ordering::Relaxed) != is_here {
            place.store(is_here, Ordering::Relaxed);
        }
    }

    /// Whether the last one did, as far as it is known.
    pub(super) fn has(&self, address: &[u8]) -> bool {
        self.place(address).load(Ordering::Relaxed)
    }

    fn place(&self, address: &[u8]) -> &AtomicBool {
        let domain = memchr::memrchr(b'@', address).map_or(address, |at| &address[at + 1..]);
        // FNV-1a.
        let hash = domain.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        &self.0[(hash % MANY as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_to_a_domain_counts() {
        let here = HereDomains::default();
        assert!(!here.has(b"a@l.test"));
        here.note(b"a@l.test", true);
        assert!(here.has(b"\"b@c\"@L.test") && !here.has(b"a@r.test"));
        here.note(b"other@l.test", false);
        assert!(!here.has(b"a@l.test"));
    }
}
