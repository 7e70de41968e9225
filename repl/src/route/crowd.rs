//! Many addresses at once: some threads look at them, and what they say is told in
//! the order of the addresses.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use eximious::world::Log;
use eximious::{Context, LogSelector, World};

use super::{Said, Tester, Told};

/// How many bytes have to be there for threads to be worth their while.
const MANY: usize = 4 << 10;
/// How many addresses are gathered at the most, and how many a thread takes at once.
const ROUND: usize = 1024;
const PIECE: usize = 16;
const MOST_THREADS: usize = 8;

/// Those who look at addresses.
pub(super) struct Crowd<'t> {
    tester: &'t Tester,
    /// Of whoever looks at few of them.
    cx: &'t mut Context,
    helpers: Vec<Helper>,
    gathered: Vec<Vec<u8>>,
    /// Whether what is gathered is to be shared out.
    many: bool,
    /// Whether that may be done at all.
    alone: bool,
}

impl<'t> Crowd<'t> {
    pub(super) fn new(tester: &'t Tester, cx: &'t mut Context) -> Self {
        // There is one Perl, and what it knows may come of the address before.
        let alone = cx.engine().settings().options.get("perl_startup").is_some();
        let (helpers, gathered) = (Vec::new(), Vec::new());
        Self { tester, cx, helpers, gathered, many: false, alone }
    }

    /// Takes an address; `ready` is how many bytes are known to stand behind it.
    pub(super) fn add(
        &mut self,
        typed: &[u8],
        ready: usize,
        told: &mut Told<'_>,
    ) -> io::Result<()> {
        self.many |= ready >= MANY && !self.alone;
        self.gathered.push(typed.to_vec());
        if !self.many || self.gathered.len() >= ROUND {
            return self.work(told);
        }
        Ok(())
    }

    /// Looks at what is gathered.
    pub(super) fn work(&mut self, told: &mut Told<'_>) -> io::Result<()> {
        let gathered = mem::take(&mut self.gathered);
        let many = mem::take(&mut self.many) && gathered.len() > PIECE;
        if many {
            self.call_helpers();
        }
        if !many || self.helpers.len() < 2 {
            return gathered
                .iter()
                .try_for_each(|typed| told.tell(&self.tester.address(self.cx, typed), b"> "));
        }
        let pieces: Vec<&[Vec<u8>]> = gathered.chunks(PIECE).collect();
        let next = AtomicUsize::new(0);
        let done: Vec<Mutex<Vec<Heard>>> = pieces.iter().map(|_| Mutex::default()).collect();
        let tester = self.tester;
        let work = |helper: &mut Helper| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(piece) = pieces.get(number) else { break };
                let heard = piece.iter().map(|typed| helper.address(tester, typed)).collect();
                *done[number].lock().unwrap_or_else(PoisonError::into_inner) = heard;
            }
        };
        thread::scope(|scope| {
            let (own, others) = self.helpers.split_at_mut(1);
            let work = &work;
            for helper in others {
                // Where the system has no thread to give, the others do it.
                let _ = thread::Builder::new().spawn_scoped(scope, move || work(helper));
            }
            own.iter_mut().for_each(work);
        });
        let log = self.cx.engine().world().log.clone();
        for heard in done {
            for heard in heard.into_inner().unwrap_or_else(PoisonError::into_inner) {
                heard.logged.iter().for_each(|put| put(&*log));
                told.tell(&heard.said, b"> ")?;
            }
        }
        Ok(())
    }

    fn call_helpers(&mut self) {
        if !self.helpers.is_empty() {
            return;
        }
        let count = thread::available_parallelism().map_or(1, |count| count.get());
        for _ in 0..count.min(MOST_THREADS) {
            self.helpers.push(Helper::new(self.cx));
        }
    }
}

/// What came of an address, and what was logged on the way.
struct Heard {
    said: Said,
    logged: Vec<Logged>,
}

/// Puts a line where it belongs.
type Logged = Box<dyn Fn(&dyn Log) + Send>;

/// Has values of its own, and a log that is told to others later.
struct Helper {
    cx: Context,
    log: Arc<Held>,
}

impl Helper {
    fn new(cx: &mut Context) -> Self {
        let log = Arc::new(Held::default());
        let world = World { log: log.clone(), ..cx.engine().world().clone() };
        Self { cx: cx.sibling(world), log }
    }

    fn address(&mut self, tester: &Tester, typed: &[u8]) -> Heard {
        let said = tester.address(&mut self.cx, typed);
        let logged = mem::take(&mut *self.log.0.lock().unwrap_or_else(PoisonError::into_inner));
        Heard { said, logged }
    }
}

/// Lines for logs, in order.
#[derive(Default)]
struct Held(Mutex<Vec<Logged>>);

impl Held {
    fn hold(&self, put: fn(&dyn Log, &[u8]), line: &[u8]) {
        let line = line.to_vec();
        self.push(Box::new(move |log| put(log, &line)));
    }

    fn push(&self, put: Logged) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(put);
    }
}

impl Log for Held {
    fn main(&self, line: &[u8]) {
        self.hold(|log, line| log.main(line), line);
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        let line = line.to_vec();
        self.push(Box::new(move |log| log.selected(by, &line)));
    }
    fn panic(&self, line: &[u8]) {
        self.hold(|log, line| log.panic(line), line);
    }
    fn panic_alone(&self, line: &[u8]) {
        self.hold(|log, line| log.panic_alone(line), line);
    }
    fn rejection(&self, line: &[u8]) {
        self.hold(|log, line| log.rejection(line), line);
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.hold(|log, line| log.rejection_alone(line), line);
    }
    fn debug(&self, text: &[u8]) {
        self.hold(|log, text| log.debug(text), text);
    }
}
