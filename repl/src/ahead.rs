//! Reads and parses many lines on a thread of its own, ahead of what carries
//! them out.

use std::io::{self, Read};
use std::mem;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use eximious::{Batch, Engine};

use crate::input::Lines;
use crate::reader::{Deed, Reader, Task};

/// How many lines go from one thread to the other at once, at the most.
const LINES: usize = 256;
/// How much text goes, if it is not one line's.
const TEXT: usize = 64 << 10;
/// How many pieces of work there are. The reader waits while all are full.
const PIECES: usize = 8;

/// A line that is ready to be carried out.
pub enum Ready<'b> {
    /// To be expanded: the string with a number.
    Expand(&'b Batch, usize),
    Other(Deed),
}

/// Some lines.
#[derive(Default)]
struct Work {
    strings: Batch,
    /// The lines that are not expanded, each with how many strings stand before
    /// it.
    others: Vec<(usize, Deed)>,
    /// Whether the source is read next, which may take its time.
    waits: bool,
}

/// Reads all that is left of the lines, and calls `carry_out` with each of
/// them in order, on this thread. `wait` is called before the next line may
/// take its time.
pub fn run<R: Read + Send + 'static>(
    lines: Lines<R>,
    reader: Reader,
    engine: Engine,
    mut carry_out: impl FnMut(Ready<'_>) -> io::Result<()>,
    mut wait: impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let e=crate::e;
    let pieces=e("BATCHES",PIECES);
    let (full, filled) = sync_channel(pieces);
    let (empty, emptied) = sync_channel(pieces);
    for _ in 0..pieces {
        // There is room for all of them.
        let _ = empty.send(Work::default());
    }
    // Where this ends early, the thread is not waited for: its source may have
    // nothing to say.
    let thread = thread::spawn(move || Ahead { lines, reader, engine, full, emptied }.run());
    let mut used = Vec::with_capacity(pieces);
    let mut waits = false;
    loop {
        let mut work = match filled.try_recv() {
            Ok(work) => work,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                give_back(&mut used, &empty);
                if waits {
                    wait()?;
                }
                match filled.recv() {
                    Ok(work) => work,
                    Err(_) => break,
                }
            }
        };
        work.carry_out(&mut carry_out)?;
        waits = work.waits;
        used.push(work);
        if used.len() == pieces / 2 {
            give_back(&mut used, &empty);
        }
    }
    match thread.join() {
        Ok(result) => result,
        Err(panic) => resume_unwind(panic),
    }
}

/// Gives back what was carried out: not each by itself, because to wake the
/// reader takes its time.
fn give_back(used: &mut Vec<Work>, empty: &SyncSender<Work>) {
    for work in used.drain(..) {
        // At the end, the reader wants no more of them.
        let _ = empty.send(work);
    }
}

impl Work {
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
    full: SyncSender<Work>,
    emptied: Receiver<Work>,
}

impl<R: Read> Ahead<R> {
    fn run(self) -> io::Result<()> {
        let Self { mut lines, mut reader, engine, full, emptied } = self;
        let take = || -> io::Result<Work> {
            let mut work = emptied.recv().map_err(gone)?;
            work.strings.clear();
            Ok(work)
        };
        let hand_over = |work: &mut Work, waits: bool| -> io::Result<()> {
            work.waits = waits;
            full.send(mem::take(work)).map_err(gone)?;
            *work = take()?;
            Ok(())
        };
        let mut work = take()?;
    let e=crate::e;
    let lines_=e("LINES",LINES);
        while let Some(line) = lines.next(&mut || hand_over(&mut work, true))? {
            match reader.read(line, engine.registry()) {
                Task::Expand(text) => work.strings.parse(&engine, &text),
                Task::Other(deed) => work.others.push((work.strings.len(), deed)),
            }
            let count = work.strings.len() + work.others.len();
            if count >= lines_ || work.strings.text_len() >= TEXT {
                hand_over(&mut work, false)?;
            }
        }
        hand_over(&mut work, false)
    }
}

/// The other end is gone, where something went wrong.
fn gone<E>(_: E) -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}
