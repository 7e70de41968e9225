//! Who is connected.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The places that are taken.
#[derive(Debug, Default)]
pub struct Places {
    taken: Mutex<Taken>,
    /// Told when the last one goes.
    empty: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    count: usize,
    hosts: HashMap<IpAddr, usize>,
    /// Threads, and whom each serves.
    threads: BTreeMap<u32, String>,
}

/// A place that is taken; it is free again when this goes.
#[derive(Debug)]
pub struct ConnectionSlot {
    places: Arc<Places>,
    host: IpAddr,
    count: usize,
    thread: Mutex<Option<u32>>,
}

impl Places {
    /// How many are taken.
    pub fn count(&self) -> usize {
        self.lock().count
    }

    /// How many a host has.
    pub fn of(&self, host: IpAddr) -> usize {
        self.lock().hosts.get(&host).copied().unwrap_or(0)
    }

    /// Takes one for a host.
    pub fn take(self: &Arc<Self>, host: IpAddr) -> ConnectionSlot {
        let mut taken = self.lock();
        taken.count += 1;
        *taken.hosts.entry(host).or_default() += 1;
        let count = taken.count;
        drop(taken);
        ConnectionSlot { places: self.clone(), host, count, thread: Mutex::new(None) }
    }

    /// Which thread serves whom.
    pub fn all(&self) -> BTreeMap<u32, String> {
        self.lock().threads.clone()
    }

    /// Waits until all are free, but not longer than some time.
    pub fn wait_until_empty(&self, time: Duration) {
        let waited = self.empty.wait_timeout_while(self.lock(), time, |taken| taken.count > 0);
        drop(waited);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    /// How many were taken, with this one, when it was.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Notes which thread serves it, from now on.
    pub fn occupied_by(&self, thread: u32) {
        let mut own = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let before = own.replace(thread);
        let threads = &mut self.places.lock().threads;
        let client = before.and_then(|before| threads.remove(&before));
        threads.insert(thread, client.unwrap_or_else(|| format!("[{}]", self.host)));
    }

    /// Which thread serves it; 0 where none does yet.
    pub fn thread(&self) -> u32 {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(0)
    }

    /// Notes what is known of the client by now: `name (helo) [1.2.3.4]`.
    pub fn describe(&self, client: String) {
        let thread = self.thread();
        if let Some(known) = self.places.lock().threads.get_mut(&thread) {
            *known = client;
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let thread = *self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.places.lock();
        taken.count -= 1;
        if let Some(count) = taken.hosts.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                taken.hosts.remove(&self.host);
            }
        }
        if let Some(thread) = thread {
            taken.threads.remove(&thread);
        }
        if taken.count == 0 {
            self.places.empty.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_for_all_and_for_each_host() {
        let places = Arc::new(Places::default());
        let (one, other) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let first = places.take(one);
        let second = places.take(one);
        let third = places.take(other);
        second.occupied_by(7);
        assert_eq!((first.count(), third.count(), places.of(one)), (1, 3, 2));
        assert_eq!(places.all().into_iter().collect::<Vec<_>>(), [(7, "[192.0.2.1]".to_owned())]);
        second.describe("(h) [192.0.2.1]".to_owned());
        assert_eq!(
            (second.thread(), third.thread(), &*places.all()[&7]),
            (7, 0, "(h) [192.0.2.1]")
        );
        second.occupied_by(8);
        let all = places.all().into_iter().collect::<Vec<_>>();
        assert_eq!(all, [(8, "(h) [192.0.2.1]".to_owned())]);
        drop((first, second));
        assert_eq!((places.count(), places.of(one), places.of(other)), (1, 0, 1));
        assert!(places.all().is_empty());
        drop(third);
        places.wait_until_empty(Duration::from_secs(60));
    }
}
