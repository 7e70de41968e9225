//! What is told of a conversation in a file of its own (specification 44.13,
//! `control = debug`).
//!
//! A [`Context`] has a [`Debugging`] from the first time that somebody asks for it. It
//! watches what happens, and hears of lines for logs; it keeps what was chosen: in the
//! file, or, until something else happens, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eximious_core::World;
use eximious_core::trace::{TraceEvent, TraceKinds, TraceObserver};
use eximious_core::world::{DebugLog, Log};
use eximious_stdlib::options::opt;

use super::tee::Tee;
use super::{DebugLine, DebugSelector, DebugWriter, indented, indented_plainly};
use crate::Context;

/// How much is kept in memory until something happens, at the most.
const MOST_WAITING: usize = 16 << 20;

/// What a context keeps of it.
#[derive(Default)]
struct Kept(Option<Debugging>);

/// What is told of a conversation. A clone is the same one.
#[derive(Clone)]
struct Debugging {
    state: Arc<Mutex<State>>,
    /// Where lines were written to before they were told here, too.
    log: Arc<dyn Log>,
    stamps: Stamps,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    /// The name of the file before that. Whoever delivers a message finds it in the
    /// spool, whatever became of it.
    stopped: Option<Vec<u8>>,
    /// Whether a line in the panic log ends the waiting.
    on_panic: bool,
}

struct Open {
    file: Arc<dyn DebugLog>,
    selector: DebugSelector,
    waiting: Option<Waiting>,
}

/// Lines that wait for something to happen.
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    size: usize,
    most: usize,
}

/// How it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DebugStart<'s> {
    /// What the file's name ends with.
    pub(crate) tag: &'s [u8],
    pub(crate) selector: DebugSelector,
    /// How much is kept in memory, where it waits.
    pub(crate) waits: Option<usize>,
    pub(crate) on_panic: bool,
}

impl Context {
    /// What is told, and the file's name, once something was told.
    pub fn debug_log(&mut self) -> Option<(DebugSelector, Vec<u8>)> {
        let debugging = self.memory::<Kept>().0.clone()?;
        let state = debugging.state();
        match (&state.open, &state.stopped) {
            (Some(open), _) => Some((open.selector, open.file.name().to_vec())),
            (None, Some(name)) => Some((DebugSelector::NONE, name.clone())),
            (None, None) => None,
        }
    }

    /// Whether something is told now.
    pub(crate) fn is_debugged(&mut self) -> bool {
        let debugging = self.memory::<Kept>().0.as_ref();
        debugging.is_some_and(|debugging| debugging.state().open.is_some())
    }

    /// Begins to tell, if nothing is told yet; nothing happens where nobody keeps
    /// logs.
    pub(crate) fn start_debugging(&mut self, start: DebugStart<'_>) -> Result<(), Vec<u8>> {
        let debugging = self.debugging();
        if debugging.state().open.is_some() {
            debugging.state().on_panic |= start.on_panic;
            return Ok(());
        }
        let Some(opened) = debugging.log.open_debug_log(start.tag) else { return Ok(()) };
        let waiting = start.waits.filter(|most| *most > 0).map(|most| Waiting {
            lines: VecDeque::new(),
            size: 0,
            most: most.min(MOST_WAITING),
        });
        let mut state = debugging.state();
        state.open = Some(Open { file: opened?, selector: start.selector, waiting });
        state.on_panic = start.on_panic;
        drop(state);
        // What proves who a client is stands in no file.
        let kinds = (start.selector.kinds() - TraceKinds::AUTH) | TraceKinds::CONCEALED;
        let observer: Arc<dyn TraceObserver> = Arc::new(Watcher { debugging, kinds });
        self.memory::<Watching>().0 = Some(observer.clone());
        self.observe(observer);
        Ok(())
    }

    /// Tells no more; the file may have been for nothing.
    pub(crate) fn stop_debugging(&mut self, removes: bool) {
        if let Some(observer) = self.memory::<Watching>().0.take() {
            self.trace.forget(&observer);
        }
        let Some(debugging) = &self.memory::<Kept>().0 else { return };
        let open = debugging.state().open.take();
        let Some(open) = open else { return };
        if removes {
            open.file.remove();
        }
        debugging.state().stopped = Some(open.file.name().to_vec());
    }

    /// Something happened: what waited is written, and what follows at once.
    pub(crate) fn trigger_debugging(&mut self) {
        if let Some(debugging) = &self.memory::<Kept>().0 {
            debugging.state().trigger();
        }
    }

    /// A line in the panic log is what is waited for.
    pub(crate) fn trigger_debugging_on_panic(&mut self) {
        if let Some(debugging) = &self.memory::<Kept>().0 {
            debugging.state().on_panic = true;
        }
    }

    /// What is told of this conversation; lines for logs are told to it, too, from here on.
    fn debugging(&mut self) -> Debugging {
        if let Some(debugging) = &self.memory::<Kept>().0 {
            return debugging.clone();
        }
        let engine = self.engine();
        let zone = engine.settings().given(opt::TIMEZONE).map(|zone| zone.display().into_owned());
        let (world, log) = (engine.world().clone(), engine.world().log.clone());
        let stamps = Stamps::new(&world, zone);
        let debugging = Debugging { state: Arc::default(), log, stamps };
        self.memory::<Kept>().0 = Some(debugging.clone());
        let world = World { log: Arc::new(debugging.tee()), ..world };
        self.engine = self.engine.with_world(world);
        debugging
    }
}

/// Whether something was told in a file of its own, now or before.
pub(crate) fn is_logged(cx: &mut Context) -> bool {
    cx.memory::<Kept>().0.is_some()
}

/// Who watches as long as something is told.
#[derive(Default)]
struct Watching(Option<Arc<dyn TraceObserver>>);

struct Watcher {
    debugging: Debugging,
    kinds: TraceKinds,
}

impl TraceObserver for Watcher {
    fn kinds(&self) -> TraceKinds {
        self.kinds
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let selector = self.debugging.state().open.as_ref().map(|open| open.selector);
        let Some(selector) = selector else { return };
        let mut put = |line: DebugLine<'_>| {
            if selector.has(line.by) {
                self.debugging.write(line.depth, line.text);
            }
        };
        super::write(event, &mut DebugWriter::new(selector, &mut put));
    }
}

impl Debugging {
    /// The logs, of which each line is told, too.
    fn tee(&self) -> Tee {
        let (told, own) = (self.clone(), self.clone());
        let tell = move |line: &[u8]| told.write(0, line);
        let panicked = move || {
            let mut state = own.state();
            if state.on_panic {
                state.trigger();
            }
        };
        Tee { tell: Box::new(tell), panicked: Box::new(panicked), log: Some(self.log.clone()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, depth: u32, text: &[u8]) {
        let mut state = self.state();
        let Some(open) = &mut state.open else { return };
        let lines = match open.selector.has(DebugSelector::NO_UTF8) {
            true => indented_plainly(depth, text),
            false => indented(b"", depth, text),
        };
        let lines = self.stamps.stamped(open.selector, &lines);
        match &mut open.waiting {
            Some(waiting) => waiting.put(&lines),
            None => open.file.write(&lines),
        }
    }
}

impl State {
    fn trigger(&mut self) {
        let Some(open) = &mut self.open else { return };
        if let Some(waiting) = open.waiting.take() {
            open.file.write(&waiting.lines.into_iter().flatten().collect::<Vec<u8>>());
        }
    }
}

impl Waiting {
    /// Newer lines displace the oldest.
    fn put(&mut self, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.size += line.len();
            self.lines.push_back(line.to_vec());
            while self.size > self.most
                && let Some(oldest) = self.lines.pop_front()
            {
                self.size -= oldest.len();
            }
        }
    }
}

/// What may stand before each line.
#[derive(Clone)]
pub(super) struct Stamps {
    world: World,
    zone: Option<String>,
}

impl Stamps {
    pub(super) fn new(world: &World, zone: Option<String>) -> Self {
        Self { world: world.clone(), zone }
    }

    pub(super) fn stamped(&self, selector: DebugSelector, lines: &[u8]) -> Vec<u8> {
        let mut head = String::new();
        if selector.has(DebugSelector::TIMESTAMP) {
            let clock = &self.world.clock;
            let now = clock.civil(clock.now(), self.zone.as_deref());
            head = format!("{:02}:{:02}:{:02} ", now.hour, now.minute, now.second);
        }
        if selector.has(DebugSelector::PID) {
            head.push_str(&format!("{:>5} ", self.world.host.pid()));
        }
        if head.is_empty() {
            return lines.to_vec();
        }
        let stamped = lines
            .split_inclusive(|byte| *byte == b'\n')
            .flat_map(|line| [head.as_bytes(), line])
            .collect::<Vec<_>>();
        stamped.concat()
    }
}
