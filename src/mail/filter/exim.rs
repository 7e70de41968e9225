//! Obeys an Exim filter.

mod commands;
mod conditions;
mod mail;
mod number;
mod personal;
#[cfg(test)]
mod tests;

use eximious_core::trace::TraceKinds;
use eximious_core::{Fail, Str, Var, stack};
use eximious_grammar::filter::{Filter, FilterCommand, FilterWord};
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;

use super::{FilterAction, FilterEnd, FilterObserver, FilterOptions, Filtered, Manner};
use crate::Context;
use crate::engine::Engine;

/// How many commands, tests and addresses a filter may go through.
const MOST_STEPS: u32 = 500_000;
/// How many bytes there may be in all that it wants done; and in what is noted,
/// before notes are left out.
const MOST_BYTES: usize = 64 << 20;

/// Obeys a filter in which nothing is wrong.
pub(super) fn run(
    cx: &mut Context,
    filter: &Filter,
    options: &FilterOptions,
    observer: &mut dyn FilterObserver,
) -> Filtered {
    // Where it is too deep already, the first command says so.
    let _level = cx.level();
    let engine = cx.engine().clone();
    cx.evaluation.refusals = options.forbid.refusals();
    cx.evaluation.scope.clear_captures();
    let this_address = cx.replace_var(var::THISADDRESS, Str::EMPTY);
    // A user does not get to know who else gets the message.
    let hidden = (!options.system).then(|| RECIPIENTS.map(|var| cx.replace_var(var, Str::EMPTY)));
    let left = var::SYSTEM_COUNTERS;
    let absent: Vec<Var> = left.into_iter().filter(|left| !cx.is_set(*left)).collect();
    for counter in var::COUNTERS.iter().chain(&absent) {
        cx.set_var(*counter, Str::fixed("0"));
    }
    let started = engine.world().clock.now().seconds;
    let mut run = Run {
        cx,
        options,
        observer,
        done: Filtered::default(),
        log: None,
        steps: 0,
        bytes: 0,
        noted: 0,
        work: 0,
        wrong: None,
        started,
    };
    let halt = run.commands(&filter.commands, 0).err();
    let Run { cx, mut done, .. } = run;
    done.end = match halt {
        None | Some(Halt::Finish) => FilterEnd::Finished,
        Some(Halt::End(end)) => end,
        Some(Halt::Error(message)) => FilterEnd::Error(message),
    };
    for counter in var::COUNTERS.iter().chain(&absent) {
        cx.unset_var(*counter);
    }
    for (var, value) in RECIPIENTS.into_iter().zip(hidden.into_iter().flatten()) {
        cx.set_var(var, value);
    }
    cx.set_var(var::THISADDRESS, this_address);
    cx.evaluation.scope.clear_captures();
    cx.evaluation.refusals = Vec::new();
    cx.engine = engine;
    done
}

/// What only a system filter may look at.
const RECIPIENTS: [Var; 2] = [var::RECIPIENTS, var::RECIPIENTS_LIST];

/// One run.
struct Run<'r> {
    cx: &'r mut Context,
    options: &'r FilterOptions,
    observer: &'r mut dyn FilterObserver,
    done: Filtered,
    /// The file that `logwrite` writes to.
    log: Option<Str>,
    steps: u32,
    bytes: usize,
    /// How many bytes of notes there are.
    noted: usize,
    /// The steps of all expansions.
    work: u64,
    /// What is wrong in the condition at hand.
    wrong: Option<Halt>,
    started: i64,
}

/// Why a filter goes no further.
enum Halt {
    Finish,
    End(FilterEnd),
    /// What is wrong, in Exim's words.
    Error(Vec<u8>),
}

impl Halt {
    fn error(message: impl Into<Vec<u8>>) -> Self {
        Self::Error(message.into())
    }
}

impl Run<'_> {
    /// Counts a step, so that a filter comes to an end.
    fn step(&mut self) -> Result<(), Halt> {
        if stack::is_deep() {
            return Err(Halt::error("conditions stand in each other too deep"));
        }
        self.steps += 1;
        let engine = self.cx.engine();
        let now = engine.world().clock.now().seconds;
        let limit = engine.0.limits.code.as_secs();
        if self.steps > MOST_STEPS || now.saturating_sub(self.started).max(0) as u64 > limit {
            return Err(Halt::error("the filter takes too long"));
        }
        Ok(())
    }

    /// Notes that something is to be done.
    fn wants(&mut self, depth: u32, action: FilterAction) -> Result<(), Halt> {
        self.bytes += action.size();
        if self.bytes > MOST_BYTES {
            return Err(Halt::error("the filter wants too much done"));
        }
        self.done.significant |= action.manner().is_some_and(|manner| manner.significant);
        self.observer.action(depth, &action);
        self.done.actions.push(action);
        Ok(())
    }

    /// Whether notes are wanted, and there is room for more.
    fn notes(&mut self) -> bool {
        self.noted < MOST_BYTES && self.cx.trace().wants(TraceKinds::FILTER)
    }

    fn note(&mut self, parts: &[&[u8]]) {
        let line = parts.concat();
        self.noted += line.len();
        self.cx.note(TraceKinds::FILTER, &line);
    }

    /// The value of a word in a command.
    fn value(&mut self, word: &FilterWord, command: &str) -> Result<Str, Halt> {
        self.expand(&word.text, &format!("{command} command"))
    }

    /// A text's value; `place` is for the complaint.
    fn expand(&mut self, text: &[u8], place: &str) -> Result<Str, Halt> {
        if !text.iter().any(|c| matches!(c, b'$' | b'\\')) {
            return Ok(Str::from(text));
        }
        let engine: Engine = self.cx.engine().clone();
        let result = engine.expand_once(text, self.cx);
        let limit = engine.0.limits.steps;
        self.work += limit.saturating_sub(self.cx.evaluation.budget.steps_left());
        if self.work > limit {
            // No step is made after this one.
            self.steps = MOST_STEPS;
            return Err(Halt::error("the filter takes too long"));
        }
        result.map_err(|fail: Fail| {
            let head = [b"failed to expand \"", text, b"\" in "].concat();
            Halt::error([&head, place.as_bytes(), b": ", fail.message()].concat())
        })
    }

    /// `$0`, `$1`, … as they are now.
    fn numeric(&self) -> Vec<Str> {
        self.cx.evaluation.scope.all_numeric()
    }

    /// A text as Exim shows it.
    fn shown(&self, text: &Str) -> Vec<u8> {
        printing(text.bytes(), self.cx.engine().settings().get(opt::PRINT_TOPBITCHARS))
    }
}

/// How a command is meant.
fn manner(command: &FilterCommand, significant: bool) -> Manner {
    Manner { significant: command.seen.unwrap_or(significant), silent: command.noerror }
}
