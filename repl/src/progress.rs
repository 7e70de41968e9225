//! What takes long says so, at a terminal: a line on the standard error, which goes when it
//! is done.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is said anew.
const PAUSE: Duration = Duration::from_millis(250);

/// Something that may take long; it is over when this is dropped.
#[derive(Debug)]
pub struct Progress(Option<(Arc<Shared>, JoinHandle<()>)>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    what: String,
    is_over: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    /// What is done, in words.
    pub fn of(what: impl Into<String>) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let state = Mutex::new(State { what: what.into(), is_over: false });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let own = shared.clone();
        // Where there is no room for a thread, nothing is said.
        let thread = thread::Builder::new().name("progress".to_owned());
        Self(thread.spawn(move || show(&own)).ok().map(|thread| (shared, thread)))
    }

    /// What is done now, or how far it is.
    pub fn say(&self, what: impl FnOnce() -> String) {
        if let Some((shared, _)) = &self.0 {
            shared.state().what = what();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((shared, thread)) = self.0.take() {
            shared.state().is_over = true;
            shared.changed.notify_all();
            let _ = thread.join();
        }
    }
}

fn show(shared: &Shared) {
    let (mut passed, mut pause) = (Duration::ZERO, PATIENCE);
    let mut state = shared.state();
    loop {
        let waited = shared.changed.wait_timeout_while(state, pause, |state| !state.is_over);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let mut err = io::stderr().lock();
        // A terminal that is gone is not told.
        if state.is_over {
            if passed >= PATIENCE {
                let _ = err.write_all(b"\r\x1b[K");
            }
            return;
        }
        passed += pause;
        pause = PAUSE;
        let line = format!("\r{} … {} s\x1b[K", state.what, passed.as_secs());
        let _ = err.write_all(line.as_bytes()).and_then(|()| err.flush());
    }
}
