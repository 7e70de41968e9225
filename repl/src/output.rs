//! The standard output, in large pieces, and the log that keeps its place
//! among them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use eximious::world::Log;
use eximious::{LogSelector, World};

/// How much is gathered before it is written.
const FULL: usize = 64 * 1024;

/// What is to be written to the standard output.
#[derive(Debug, Default)]
pub struct Output(Mutex<Vec<u8>>);

impl Output {
    /// Adds a text and what ends it; writes when enough has come together.
    pub fn put(&self, text: &[u8], end: &[u8]) -> io::Result<()> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.extend_from_slice(text);
        pending.extend_from_slice(end);
        if pending.len() < FULL { Ok(()) } else { write(&mut pending) }
    }

    /// Writes what is there.
    pub fn flush(&self) -> io::Result<()> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.is_empty() { Ok(()) } else { write(&mut pending) }
    }
}

fn write(pending: &mut Vec<u8>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let result = out.write_all(pending).and_then(|()| out.flush());
    pending.clear();
    result
}

/// Log lines go to the standard error. Whoever sees both there expects them in
/// order.
struct Ordered {
    output: Arc<Output>,
    log: Arc<dyn Log>,
}

impl Ordered {
    fn first(&self) {
        // Where the standard output is closed, the next line finds out.
        let _ = self.output.flush();
    }
}

impl Log for Ordered {
    fn is_broken(&self) -> bool {
        self.log.is_broken()
    }
    fn opens(&self) -> bool {
        self.log.opens()
    }
    fn main(&self, line: &[u8]) {
        self.first();
        self.log.main(line);
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        self.first();
        self.log.selected(by, line);
    }
    fn unselected(&self, by: LogSelector, line: &[u8]) {
        self.first();
        self.log.unselected(by, line);
    }
    fn shows_unselected(&self) -> bool {
        self.log.shows_unselected()
    }
    fn is_one(&self) -> bool {
        self.log.is_one()
    }
    fn panic(&self, line: &[u8]) {
        self.first();
        self.log.panic(line);
    }
    fn panic_alone(&self, line: &[u8]) {
        self.first();
        self.log.panic_alone(line);
    }
    fn debug(&self, text: &[u8]) {
        self.first();
        self.log.debug(text);
    }
}

/// Log lines as they are shown to those who want to see everything: in the place
/// of the time stands the log's name.
struct Shown {
    output: Arc<Output>,
}

impl Shown {
    fn put(&self, head: &[u8], text: &[u8], end: &[u8]) {
        // Where one of the two is closed, there is nobody to tell.
        let _ = self.output.flush();
        let _ = io::stderr().write_all(&[head, text, end].concat());
    }
}

impl Log for Shown {
    fn main(&self, line: &[u8]) {
        self.put(b"LOG: MAIN\n  ", line, b"\n");
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        let word = by.word().unwrap_or_default().as_bytes();
        self.put(&[b"LOG: ", word, b" MAIN\n  "].concat(), line, b"\n");
    }
    fn panic(&self, line: &[u8]) {
        self.put(b"LOG: MAIN PANIC\n  ", line, b"\n");
    }
    fn rejection(&self, line: &[u8]) {
        self.put(b"LOG: MAIN REJECT\n  ", line, b"\n");
    }
    fn selected_rejection(&self, by: LogSelector, line: &[u8], _: &[u8]) {
        let word = by.word().unwrap_or_default().as_bytes();
        self.put(&[b"LOG: ", word, b" MAIN REJECT\n  "].concat(), line, b"\n");
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.put(b"LOG: REJECT\n  ", line, b"\n");
    }
    fn panic_alone(&self, line: &[u8]) {
        self.put(b"LOG: PANIC\n  ", line, b"\n");
    }
    fn debug(&self, text: &[u8]) {
        self.put(b"", text, b"");
    }
}

/// The system, with a log for those who want to see everything.
pub fn shown_world(output: &Arc<Output>) -> World {
    World { log: Arc::new(Shown { output: output.clone() }), ..eximious_world::system() }
}

/// The system, with a log that waits for the output; with `-v`, it shows everything.
pub fn test_world(output: &Arc<Output>, verbose: bool) -> World {
    if verbose { shown_world(output) } else { world(output) }
}

/// The system, with a log that waits for the output.
pub fn world(output: &Arc<Output>) -> World {
    let world = eximious_world::system();
    let log = Arc::new(Ordered { output: output.clone(), log: world.log.clone() });
    World { log, ..world }
}
