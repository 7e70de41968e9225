//! Reads and parses many lines on a thread of its own, ahead of what carries
//! them out.

use std::io::{self, Read};
use std::mem;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use eximious::{Batch, Engine};

use crate::input::Lines;
use crate::reader::{Deed, Reader, Task};

/// How many lines go from one thread to the other at once, at the most.
const LINES: usize = 256;
/// How many bytes of text go, where it is not a single line that has more.
const TEXT: usize = 64 << 10;
/// How many loads there are: the reader waits while all of them are full. So
/// many that a load's memory has left the other processor's own cache when it
/// is written again: to take it away from there would cost more than to parse.
const LOADS: usize = 16;

/// A line that is ready to be carried out.
pub enum Ready<'b> {
    /// To be expanded: the string with a number.
    Expand(&'b Batch, usize),
    /// Something else.
    Other(Deed),
}

/// Some lines.
#[derive(Default)]
struct Load {
    strings: Batch,
    /// The lines that are not expanded, each with how many strings stand before
    /// it.
    others: Vec<(usize, Deed)>,
    /// Whether the source is read next, which may take its time.
    waits: bool,
}

/// A thread that will read lines.
pub struct Thread<R> {
    start: SyncSender<Ahead<R>>,
    handle: JoinHandle<io::Result<()>>,
}

impl<R: Read + Send + 'static> Thread<R> {
    /// Starts the thread; fails where the system has none to give.
    pub fn start() -> io::Result<Self> {
        let (start, started) = sync_channel::<Ahead<R>>(1);
        let work = move || started.recv().map_or(Ok(()), Ahead::run);
        Ok(Self { start, handle: thread::Builder::new().spawn(work)? })
    }

    /// Has all that is left of the lines read, and calls `carry_out` with each
    /// of them in order, on the thread that calls this. `wait` is called before
    /// the next line may take its time.
    pub fn run(
        self,
        lines: Lines<R>,
        reader: Reader,
        engine: Engine,
        mut carry_out: impl FnMut(Ready<'_>) -> io::Result<()>,
        mut wait: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        let (full, filled) = sync_channel(LOADS);
        let (empty, emptied) = sync_channel(LOADS);
        let mut used: Vec<Load> = (0..LOADS).map(|_| Load::default()).collect();
        give_back(&mut used, &empty);
        // The thread waits for this and for nothing else.
        let _ = self.start.send(Ahead { lines, reader, engine, full, emptied });
        let mut waits = false;
        loop {
            let mut load = match filled.try_recv() {
                Ok(load) => load,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    give_back(&mut used, &empty);
                    if waits {
                        wait()?;
                    }
                    match filled.recv() {
                        Ok(load) => load,
                        Err(_) => break,
                    }
                }
            };
            load.carry_out(&mut carry_out)?;
            waits = load.waits;
            used.push(load);
            if used.len() == LOADS / 2 {
                give_back(&mut used, &empty);
            }
        }
        // Where this ends earlier, nobody waits for the thread: its source may
        // have nothing to say.
        match self.handle.join() {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Gives back what was carried out: not each load by itself, because to wake
/// the reader takes its time.
fn give_back(used: &mut Vec<Load>, empty: &SyncSender<Load>) {
    for load in used.drain(..) {
        // At the end, the reader wants no more of them.
        let _ = empty.send(load);
    }
}

impl Load {
    #[inline(always)]
    fn carry_out(
        &mut self,
        carry_out: &mut impl FnMut(Ready<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut others = self.others.drain(..).peekable();
        for number in 0..self.strings.len() {
            while let Some((_, deed)) = others.next_if(|(before, _)| *before == number) {
                carry_out(Ready::Other(deed))?;
            }
            carry_out(Ready::Expand(&self.strings, number))?;
        }
        others.try_for_each(|(_, deed)| carry_out(Ready::Other(deed)))
    }
}

/// The end that reads.
struct Ahead<R> {
    lines: Lines<R>,
    reader: Reader,
    engine: Engine,
    full: SyncSender<Load>,
    emptied: Receiver<Load>,
}

impl<R: Read> Ahead<R> {
    fn run(self) -> io::Result<()> {
        let Self { mut lines, mut reader, engine, full, emptied } = self;
        let next = || -> io::Result<Load> {
            let mut load = emptied.recv().map_err(gone)?;
            load.strings.clear();
            Ok(load)
        };
        let hand_over = |load: &mut Load, waits: bool| -> io::Result<()> {
            load.waits = waits;
            full.send(mem::take(load)).map_err(gone)?;
            *load = next()?;
            Ok(())
        };
        let mut load = next()?;
        while let Some(line) = lines.next(&mut || hand_over(&mut load, true))? {
            let mut long = false;
            match reader.read(line, engine.registry()) {
                // Macros have blown it up: one tree of it is enough.
                Task::Expand(text) if text.len() > TEXT => {
                    long = true;
                    load.others.push((load.strings.len(), Deed::Expand(text.into_owned())));
                }
                Task::Expand(text) => load.strings.parse(&engine, &text),
                Task::Other(deed) => load.others.push((load.strings.len(), deed)),
            }
            let count = load.strings.len() + load.others.len();
            if count >= LINES || load.strings.text_len() >= TEXT || long {
                hand_over(&mut load, false)?;
            }
        }
        load.waits = false;
        full.send(load).map_err(gone)
    }
}

/// The other end is gone, where something went wrong.
fn gone<E>(_: E) -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}
