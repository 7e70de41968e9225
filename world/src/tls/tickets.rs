//! Keys of session tickets: they change by the hour, and those of the hour before are still
//! taken (RFC 5077, section 5.5).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use eximious_core::world::TlsFault;
use eximious_openssl::{TicketKey, TicketKeys};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use super::made::contents;
use super::session::words;

/// How long keys are used for new tickets, in seconds.
const HOUR: u64 = 60 * 60;

/// The fewest bytes that a secret has.
const SHORTEST: usize = 32;

/// Keys of how many hours are remembered: this one, the one before and the next.
const MOST: usize = 3;

/// The most that is read of one.
const LONGEST: u64 = 4096;

/// Where keys come from.
#[derive(Default)]
pub struct Tickets {
    /// What is known to this process only.
    own: Mutex<Option<Arc<Hourly>>>,
}

/// Keys that are made of a secret and of the hour.
struct Hourly {
    secret: Vec<u8>,
    /// Those that were made, with their hours: each handshake asks for some.
    made: Mutex<Vec<(u64, TicketKey)>>,
}

impl Tickets {
    /// The keys that come of a file, or those that go with this process.
    pub fn keys(&self, secret: Option<&[u8]>) -> Result<Arc<dyn TicketKeys>, TlsFault> {
        if let Some(path) = secret {
            let fault = |why: String| TlsFault::new("tls_ticket_secret_file", why);
            let secret = contents(path, LONGEST).map_err(fault)?;
            if secret.len() < SHORTEST {
                return Err(fault(format!("a secret has at least {SHORTEST} bytes")));
            }
            return Ok(Arc::new(Hourly::new(secret)));
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = &*own {
            return Ok(keys.clone());
        }
        let mut secret = vec![0; SHORTEST];
        openssl::rand::rand_bytes(&mut secret)
            .map_err(|errors| TlsFault::new("RAND_bytes", words(&errors)))?;
        let keys = Arc::new(Hourly::new(secret));
        *own = Some(keys.clone());
        Ok(keys)
    }
}

impl Hourly {
    fn new(secret: Vec<u8>) -> Self {
        Self { secret, made: Mutex::default() }
    }

    fn of(&self, hour: u64) -> Option<TicketKey> {
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = all.iter().find(|(of, _)| *of == hour) {
            return Some(key.clone());
        }
        let key = self.make(hour)?;
        // Those of other hours are not asked for any more, but by chance.
        all.truncate(MOST - 1);
        all.insert(0, (hour, key.clone()));
        Some(key)
    }

    fn make(&self, hour: u64) -> Option<TicketKey> {
        let made = |what: &[u8]| -> Result<[u8; 32], ErrorStack> {
            let key = PKey::hmac(&self.secret)?;
            let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
            let mut out = [0; 32];
            signer.update(what)?;
            signer.update(&hour.to_be_bytes())?;
            signer.sign(&mut out)?;
            Ok(out)
        };
        let name = made(b"name").ok()?;
        Some(TicketKey {
            name: name.first_chunk().copied()?,
            cipher: made(b"cipher").ok()?,
            seal: made(b"seal").ok()?,
        })
    }
}

fn this_hour() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / HOUR)
}

impl TicketKeys for Hourly {
    fn current(&self) -> Option<TicketKey> {
        self.of(this_hour())
    }

    fn named(&self, name: &[u8; 16]) -> Option<(TicketKey, bool)> {
        let now = this_hour();
        // Who shares the secret may have a clock that is a little ahead.
        let hours = [(now, false), (now.saturating_sub(1), true), (now + 1, false)];
        let mut found = hours.into_iter().filter_map(|(hour, old)| Some((self.of(hour)?, old)));
        found.find(|(key, _)| key.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_by_the_hour() {
        let keys = Hourly::new(vec![7; 32]);
        let now = this_hour();
        let names: Vec<_> = (now - 2..now + 3).map(|hour| keys.of(hour).unwrap().name).collect();
        let known: Vec<_> =
            names.iter().map(|name| keys.named(name).map(|(_, renews)| renews)).collect();
        // An hour may end meanwhile.
        let expected = [None, Some(true), Some(false), Some(false), None];
        assert!(this_hour() != now || known == expected, "{known:?}");
        let others = Hourly::new(vec![8; 32]);
        assert_eq!(others.named(&names[2]).map(|found| found.1), None);
    }

    #[test]
    fn a_secret_is_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, [1; 31]).unwrap();
        let path = path.as_os_str().as_encoded_bytes();
        let fault = Tickets::default().keys(Some(path)).err().expect("too short");
        assert_eq!(fault.why, "a secret has at least 32 bytes");
        std::fs::write(folder.path().join("secret"), [1; 32]).unwrap();
        let tickets = Tickets::default();
        let name = |keys: Arc<dyn TicketKeys>| keys.current().unwrap().name;
        let shared = name(tickets.keys(Some(path)).unwrap());
        assert_eq!(shared, name(Tickets::default().keys(Some(path)).unwrap()));
        let own = name(tickets.keys(None).unwrap());
        assert_eq!(own, name(tickets.keys(None).unwrap()));
        assert_ne!(own, name(Tickets::default().keys(None).unwrap()));
    }
}
