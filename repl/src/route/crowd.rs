//! Many addresses at once: some threads look at them, and what they say is told in
//! the order of the addresses.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, Scope};

use eximious::world::Log;
use eximious::{Context, LogSelector, World, opt};

use super::{Said, Tester, Told};

/// How many bytes have to be there for threads to be worth their while.
const MANY: usize = 4 << 10;
/// How many addresses a thread takes at once, and how many such pieces there may be
/// that are not told yet.
const PIECE: usize = 16;
const MOST_PIECES: usize = 64;
const MOST_THREADS: usize = 8;

/// Those who look at addresses.
pub(super) struct Crowd<'s, 't> {
    tester: &'t Tester,
    /// Of whoever looks at few of them.
    cx: &'t mut Context,
    scope: &'s Scope<'s, 't>,
    /// Who reads and tells looks at some, too, while it would have to wait.
    own: Option<Helper>,
    gathered: Vec<Vec<u8>>,
    /// Whether what is gathered is to be shared out.
    many: bool,
    /// Whether that may be done at all.
    alone: bool,
    queue: Arc<Queue>,
    /// What will be heard of the pieces that are not told yet, in order.
    untold: VecDeque<Receiver<Vec<Heard>>>,
}

impl<'s, 't> Crowd<'s, 't> {
    pub(super) fn new(tester: &'t Tester, cx: &'t mut Context, scope: &'s Scope<'s, 't>) -> Self {
        // There is one Perl, and what it knows may come of the address before.
        let perl = cx.engine().settings().is_set(opt::PERL_STARTUP);
        // Who is told each step hears of one address after the other.
        let watched = cx.trace().is_watched();
        let alone = perl || watched || thread::available_parallelism().map_or(1, usize::from) < 2;
        Self {
            tester,
            cx,
            scope,
            own: None,
            gathered: Vec::new(),
            many: false,
            alone,
            queue: Arc::default(),
            untold: VecDeque::new(),
        }
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
        if !self.many {
            return self.work(told);
        }
        if self.gathered.len() < PIECE {
            return Ok(());
        }
        self.share_out();
        while self.untold.len() >= MOST_PIECES {
            self.tell_next(told)?;
        }
        Ok(())
    }

    /// Looks at what is gathered, and tells all that is not told yet.
    pub(super) fn work(&mut self, told: &mut Told<'_>) -> io::Result<()> {
        if mem::take(&mut self.many) && !self.gathered.is_empty() {
            self.share_out();
        }
        while !self.untold.is_empty() {
            self.tell_next(told)?;
        }
        let gathered = mem::take(&mut self.gathered);
        gathered.iter().try_for_each(|typed| told.tell(&self.tester.address(self.cx, typed), b"> "))
    }

    /// Makes a piece of what is gathered.
    fn share_out(&mut self) {
        if self.own.is_none() {
            self.call_helpers();
        }
        let (done, heard) = channel();
        self.queue.put(Piece { typed: mem::take(&mut self.gathered), done });
        self.untold.push_back(heard);
    }

    /// Tells what came of the piece that is next, once that is known.
    fn tell_next(&mut self, told: &mut Told<'_>) -> io::Result<()> {
        let Some(next) = self.untold.front() else { return Ok(()) };
        let heard = loop {
            match next.try_recv() {
                Ok(heard) => break heard,
                // Who had the piece is no more: the end of the scope says why.
                Err(TryRecvError::Disconnected) => break Vec::new(),
                Err(TryRecvError::Empty) => match (self.queue.take_now(), &mut self.own) {
                    (Some(piece), Some(own)) => own.look_at(self.tester, &piece),
                    _ => break next.recv().unwrap_or_default(),
                },
            }
        };
        self.untold.pop_front();
        let log = self.cx.engine().world().log.clone();
        for heard in heard {
            heard.logged.iter().for_each(|put| put(&*log));
            told.tell(&heard.said, b"> ")?;
        }
        Ok(())
    }

    fn call_helpers(&mut self) {
        let count = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        for _ in 1..count {
            let (mut helper, queue, tester) =
                (Helper::new(self.cx), self.queue.clone(), self.tester);
            let work = move || {
                while let Some(piece) = queue.take() {
                    helper.look_at(tester, &piece);
                }
            };
            // Where the system has no thread to give, the others do it.
            let _ = thread::Builder::new().spawn_scoped(self.scope, work);
        }
        self.own = Some(Helper::new(self.cx));
    }
}

impl Drop for Crowd<'_, '_> {
    /// Lets the threads go.
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Some addresses, and where to say what came of them.
struct Piece {
    typed: Vec<Vec<u8>>,
    done: Sender<Vec<Heard>>,
}

/// Pieces that nobody has taken yet.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    pieces: VecDeque<Piece>,
    closed: bool,
}

impl Queue {
    fn put(&self, piece: Piece) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pieces.push_back(piece);
        self.changed.notify_one();
    }

    /// The next piece, if there is one.
    fn take_now(&self) -> Option<Piece> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pieces.pop_front()
    }

    /// The next piece, as soon as there is one; nothing once no more will come.
    fn take(&self) -> Option<Piece> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = |waiting: &mut Waiting| waiting.pieces.is_empty() && !waiting.closed;
        let waiting = self.changed.wait_while(waiting, empty);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if waiting.closed { None } else { waiting.pieces.pop_front() }
    }

    fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
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

    fn look_at(&mut self, tester: &Tester, piece: &Piece) {
        let heard = piece.typed.iter().map(|typed| self.address(tester, typed)).collect();
        // Nobody hears it where what is told can't be written.
        let _ = piece.done.send(heard);
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
    fn unselected(&self, by: LogSelector, line: &[u8]) {
        let line = line.to_vec();
        self.push(Box::new(move |log| log.unselected(by, &line)));
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
