//! What is told of a conversation in a file of its own (specification 44.13,
//! `control = debug`).
//!
//! A [`Context`] has a [`Debugging`] from the first time that somebody asks for it.
//! Steps of ACLs, expansions, tests and lines for logs are told to it, and it keeps
//! those that were chosen: in the file, or, until something happens, in memory.

mod selector;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eximious_core::world::{DebugLog, Log};
use eximious_core::{LogSelector, World};
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::visible_spaces;

use crate::Context;

pub use selector::DebugSelector;

/// How much is kept in memory until something happens, at the most.
const MOST_WAITING: usize = 16 << 20;

/// What is told of a conversation. A clone is the same one.
#[derive(Clone)]
pub struct Debugging {
    state: Arc<Mutex<State>>,
    /// Where lines were written to before they were told here, too.
    log: Arc<dyn Log>,
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
pub(crate) struct Start<'s> {
    /// What the file's name ends with.
    pub(crate) tag: &'s [u8],
    pub(crate) selector: DebugSelector,
    /// How much is kept in memory, where it waits.
    pub(crate) waits: Option<usize>,
    pub(crate) on_panic: bool,
}

/// A text's lines, each as deep as the step that it is about. Every fourth column has
/// a mark, so that the eye finds what stands in what.
pub fn indented(head: &[u8], depth: u32, text: &[u8]) -> Vec<u8> {
    let mut head = head.to_vec();
    for column in 1..=depth {
        let sign: &[u8] = if column % 4 == 0 { "╎".as_bytes() } else { b" " };
        head.extend_from_slice(sign);
    }
    let mut out = Vec::with_capacity(head.len() + text.len() + 1);
    for line in text.split(|byte| *byte == b'\n') {
        for part in [&head[..], line, b"\n"] {
            out.extend_from_slice(part);
        }
    }
    out
}

impl std::fmt::Debug for Debugging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Debugging")
    }
}

impl Context {
    /// Tells something, if it is asked for. Its lines are not ended yet.
    pub fn debug(&mut self, what: DebugSelector, text: &[u8]) {
        self.debug_at(what, 0, text);
    }

    pub(crate) fn debug_at(&mut self, what: DebugSelector, depth: u32, text: &[u8]) {
        if let Some(debugging) = self.debugging.clone()
            && debugging.tells(what)
        {
            debugging.put(self, &indented(b"", depth, text));
        }
    }

    /// What is told, and the file's name, once something was told.
    pub fn debug_log(&self) -> Option<(DebugSelector, Vec<u8>)> {
        let state = self.debugging.as_ref()?.state();
        match (&state.open, &state.stopped) {
            (Some(open), _) => Some((open.selector, open.file.name().to_vec())),
            (None, Some(name)) => Some((DebugSelector::NONE, name.clone())),
            (None, None) => None,
        }
    }

    /// Whether something is told now.
    pub fn is_debugged(&self) -> bool {
        self.debugging.as_ref().is_some_and(|debugging| debugging.state().open.is_some())
    }

    /// Whether something of these is told now.
    pub(crate) fn debugs(&self, what: DebugSelector) -> bool {
        self.debugging.as_ref().is_some_and(|debugging| debugging.tells(what))
    }

    /// A text as it is told: its spaces and tabs can be seen, unless that is not wanted.
    pub(crate) fn shown_in_debug<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        if self.debugs(DebugSelector::NO_UTF8) {
            return Cow::Borrowed(text);
        }
        let shown = visible_spaces(text);
        match memchr::memchr(b'\t', &shown) {
            None => shown,
            Some(_) => {
                let parts: Vec<&[u8]> = shown.split(|byte| *byte == b'\t').collect();
                Cow::Owned(parts.join("␉".as_bytes()))
            }
        }
    }

    /// Begins to tell, if nothing is told yet; nothing happens where nobody keeps
    /// logs.
    pub(crate) fn start_debugging(&mut self, start: Start<'_>) -> Result<(), Vec<u8>> {
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
        Ok(())
    }

    /// Tells no more; the file may have been for nothing.
    pub(crate) fn stop_debugging(&mut self, removes: bool) {
        let Some(debugging) = &self.debugging else { return };
        let open = debugging.state().open.take();
        let Some(open) = open else { return };
        if removes {
            open.file.remove();
        }
        debugging.state().stopped = Some(open.file.name().to_vec());
    }

    /// Something happened: what waited is written, and what follows at once.
    pub(crate) fn trigger_debugging(&mut self) {
        if let Some(debugging) = &self.debugging {
            debugging.state().trigger();
        }
    }

    /// A line in the panic log is what is waited for.
    pub(crate) fn trigger_debugging_on_panic(&mut self) {
        if let Some(debugging) = &self.debugging {
            debugging.state().on_panic = true;
        }
    }

    /// What is told of this conversation; whatever is told to others is told to it,
    /// too, from here on.
    fn debugging(&mut self) -> Debugging {
        if let Some(debugging) = &self.debugging {
            return debugging.clone();
        }
        let log = self.engine().world().log.clone();
        let debugging = Debugging { state: Arc::default(), log };
        self.debugging = Some(debugging.clone());
        let stamps = Stamps::of(self);
        let told = Arc::new(Told { debugging: debugging.clone(), stamps: stamps.clone() });
        let world = World { log: told, ..self.engine.world().clone() };
        self.engine = self.engine.with_world(world);
        let (own, before) = (debugging.clone(), self.replace_trace(None));
        self.replace_trace(Some(Arc::new(move |depth, text| {
            if let Some(before) = &before {
                before(depth, text);
            }
            if own.tells(DebugSelector::TESTS) {
                own.write(&stamps, &indented(b"", depth, text));
            }
        })));
        debugging
    }
}

impl Debugging {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something of these is told.
    fn tells(&self, what: DebugSelector) -> bool {
        self.state().open.as_ref().is_some_and(|open| open.selector.has(what))
    }

    fn put(&self, cx: &Context, lines: &[u8]) {
        self.write(&Stamps::of(cx), lines);
    }

    fn write(&self, stamps: &Stamps, lines: &[u8]) {
        let mut state = self.state();
        let Some(open) = &mut state.open else { return };
        let lines = stamps.stamped(open.selector, lines);
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
struct Stamps {
    world: World,
    zone: Option<String>,
}

impl Stamps {
    fn of(cx: &Context) -> Self {
        let engine = cx.engine();
        let zone = engine.settings().given(opt::TIMEZONE).map(|zone| zone.display().into_owned());
        Self { world: engine.world().clone(), zone }
    }

    fn stamped(&self, selector: DebugSelector, lines: &[u8]) -> Vec<u8> {
        let mut head = String::new();
        if selector.has(DebugSelector::TIMESTAMP) {
            let clock = &self.world.clock;
            let now = clock.civil(clock.now(), self.zone.as_deref());
            head = format!("{:02}:{:02}:{:02} ", now.hour, now.minute, now.second);
        }
        if selector.has(DebugSelector::PID) {
            head.push_str(&format!("{} ", self.world.host.pid()));
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

/// The logs, each line of which is told, too.
struct Told {
    debugging: Debugging,
    stamps: Stamps,
}

impl Told {
    fn tell(&self, names: &str, line: &[u8]) {
        let text = [b"LOG: ", names.as_bytes(), b"\n  ", line].concat();
        self.debugging.write(&self.stamps, &indented(b"", 0, &text));
    }

    fn panicked(&self) {
        let mut state = self.debugging.state();
        if state.on_panic {
            state.trigger();
        }
    }
}

impl Log for Told {
    fn main(&self, line: &[u8]) {
        self.tell("MAIN", line);
        self.debugging.log.main(line);
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        self.tell(&[by.word().unwrap_or_default(), " MAIN"].concat(), line);
        self.debugging.log.selected(by, line);
    }
    fn panic(&self, line: &[u8]) {
        self.panicked();
        self.tell("MAIN PANIC", line);
        self.debugging.log.panic(line);
    }
    fn panic_alone(&self, line: &[u8]) {
        self.panicked();
        self.tell("PANIC", line);
        self.debugging.log.panic_alone(line);
    }
    fn rejection(&self, line: &[u8]) {
        self.tell("MAIN REJECT", line);
        self.debugging.log.rejection(line);
    }
    fn rejected_message(&self, line: &[u8], header: &[u8]) {
        self.tell("MAIN REJECT", line);
        self.debugging.log.rejected_message(line, header);
    }
    fn rejected_message_alone(&self, line: &[u8], header: &[u8]) {
        self.tell("REJECT", line);
        self.debugging.log.rejected_message_alone(line, header);
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.tell("REJECT", line);
        self.debugging.log.rejection_alone(line);
    }
    fn debug(&self, text: &[u8]) {
        self.debugging.log.debug(text);
    }
}
