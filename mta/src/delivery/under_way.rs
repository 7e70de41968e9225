//! What threads deliver at this moment, for who asks what a program does (`exiwhat`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eximious::transport::TakingHost;
use eximious::world::World;

use super::routing::Planned;

/// What threads are at, in the order in which they began it.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<(u64, BTreeMap<u64, Doing>)>);

/// What a thread is at.
#[derive(Debug)]
struct Doing {
    /// The thread's number.
    thread: u32,
    what: Vec<u8>,
    /// Whether it is a run of a queue, within which others stand.
    is_run: bool,
}

/// Something that is being done, until this is dropped.
#[derive(Debug)]
pub(super) struct OneUnderWay {
    all: Arc<UnderWay>,
    number: u64,
}

impl UnderWay {
    /// This thread runs a queue.
    pub(super) fn run(self: &Arc<Self>, world: &World) -> OneUnderWay {
        self.begin(Doing { is_run: true, ..Doing::of(world, b"running queue".to_vec()) })
    }

    /// This thread delivers a message.
    pub(super) fn delivery(self: &Arc<Self>, world: &World, id: &[u8]) -> OneUnderWay {
        self.begin(Doing::of(world, [b"delivering ", id].concat()))
    }

    /// This thread waits for others, who deliver a message to other hosts.
    pub(super) fn wait(self: &Arc<Self>, world: &World, id: &[u8]) -> OneUnderWay {
        let tail = b": waiting for a remote delivery subprocess to finish";
        self.begin(Doing::of(world, [b"delivering ", id, tail].concat()))
    }

    fn begin(self: &Arc<Self>, doing: Doing) -> OneUnderWay {
        let mut locked = self.locked();
        locked.0 += 1;
        let number = locked.0;
        locked.1.insert(number, doing);
        drop(locked);
        OneUnderWay { all: self.clone(), number }
    }

    /// What each thread is at, by its number: the innermost, and with it the run that it is of.
    pub(super) fn all(&self) -> BTreeMap<u32, Vec<u8>> {
        let mut all: BTreeMap<u32, (bool, Vec<u8>)> = BTreeMap::new();
        for doing in self.locked().1.values() {
            let (of_run, what) = all.entry(doing.thread).or_default();
            *what = match *of_run {
                true => [b"running queue: ", &doing.what[..]].concat(),
                false => doing.what.clone(),
            };
            *of_run |= doing.is_run;
        }
        all.into_iter().map(|(thread, (_, what))| (thread, what)).collect()
    }

    fn locked(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Doing>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doing {
    fn of(world: &World, what: Vec<u8>) -> Self {
        Self { thread: world.host.thread(), what, is_run: false }
    }
}

impl OneUnderWay {
    /// It goes to a host by now.
    pub(super) fn goes_to(&self, id: &[u8], host: &TakingHost, planned: &[Planned]) {
        let address = format!(" [{}]", host.address);
        let to = [b" to ", &host.name[..], address.as_bytes()].concat();
        if let Some(doing) = self.all.locked().1.get_mut(&self.number) {
            doing.what = [b"delivering ", id, &to, &whom(planned)].concat();
        }
    }
}

/// ` (a@b.test, ...)`: whom a delivery is for.
fn whom(planned: &[Planned]) -> Vec<u8> {
    let first = planned.first().map(|one| one.delivery.address.text.bytes()).unwrap_or_default();
    let others: &[u8] = if planned.len() > 1 { b", ..." } else { b"" };
    [b" (", first, others, b")"].concat()
}

impl Drop for OneUnderWay {
    fn drop(&mut self) {
        self.all.locked().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_at_one_thing() {
        let all = Arc::new(UnderWay::default());
        let doing = |thread, what: &str, is_run| Doing { thread, what: what.into(), is_run };
        let shown = || all.all().into_values().collect::<Vec<_>>().join(&b'|');
        let run = all.begin(doing(7, "running queue", true));
        assert_eq!(shown(), b"running queue");
        let one = all.begin(doing(7, "delivering A", false));
        let other = all.begin(doing(8, "delivering B", false));
        assert_eq!(shown(), b"running queue: delivering A|delivering B");
        let inner = all.begin(doing(8, "delivering B to h [192.0.2.1] (x@b.test)", false));
        drop(one);
        assert_eq!(shown(), b"running queue|delivering B to h [192.0.2.1] (x@b.test)");
        drop((inner, run));
        assert_eq!(shown(), b"delivering B");
        drop(other);
        assert!(all.all().is_empty());
    }
}
