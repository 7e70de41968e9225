//! Sieve filters: what a script wants done with the message of a context (RFC
//! 5228 and the extensions that Exim has; the document about filters, chapter 2).
//!
//! Exim reads a script and obeys it at the same time. So does this: the commands
//! before a mistake are done, unless `stop` came first, and then the message is
//! kept.

mod actions;
mod body;
mod compare;
mod conditions;
mod notify;
mod vacation;

use std::collections::HashSet;

use eximious_core::trace::TraceKinds;
use eximious_core::{Str, stack};
use eximious_grammar::sieve::{Dialect, If, Script, SieveCommand, SieveLimits, parse};

use super::{FilterAction, FilterEnd, Filtered, Manner};
use crate::Context;

/// How much a script may look at: bytes that are compared, header lines that are
/// gone through.
const MOST_WORK: u64 = 1 << 26;

/// What the router says (specification, chapter 22), and what bounds a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SieveOptions {
    /// The mailbox of `keep`: `sieve_inbox`.
    pub inbox: Str,
    /// What `:user` stands for in the envelope: `sieve_useraddress`.
    pub user_address: Option<Str>,
    /// What `:detail` stands for in the envelope: `sieve_subaddress`.
    pub sub_address: Option<Str>,
    /// Where it is remembered who had an answer: `sieve_vacation_directory`.
    /// Without it there is no `vacation`, except in a test.
    pub vacation_directory: Option<Str>,
    /// Who is named in notifications: `sieve_enotify_mailto_owner`. Without it
    /// there is no `enotify`.
    pub notify_owner: Option<Str>,
    /// Whether nothing will be done with the result.
    pub test: bool,
    /// How far a script may go.
    pub limits: SieveLimits,
    /// How much it may look at.
    pub work: u64,
}

impl Default for SieveOptions {
    fn default() -> Self {
        Self {
            inbox: Str::from("inbox"),
            user_address: None,
            sub_address: None,
            vacation_directory: None,
            notify_owner: None,
            test: false,
            limits: SieveLimits::default(),
            work: MOST_WORK,
        }
    }
}

impl SieveOptions {
    /// The words that a script may use.
    pub fn dialect(&self) -> Dialect {
        Dialect {
            notify: self.notify_owner.as_ref().is_some_and(|owner| !owner.is_empty()),
            vacation: self.test || self.vacation_directory.is_some(),
        }
    }
}

/// Obeys a script.
///
/// A mistake in it is [`FilterEnd::Error`], `… in line N`; what was wanted before
/// it is done nevertheless, and the message is kept.
pub fn run(cx: &mut Context, text: &[u8], options: &SieveOptions) -> Filtered {
    // Where it is too deep already, the first command says so.
    let _level = cx.level();
    let script = parse(text, options.dialect(), options.limits);
    let mut run = Run::new(cx, &script, options);
    let directory = options.vacation_directory.as_ref();
    if let Some(directory) = directory.filter(|directory| directory.taint().is_tainted()) {
        run.cx.log().panic(&eximious_stdlib::wording::tainted("dirname", directory.bytes()));
        run.keep(true);
        let (actions, significant, end) = (run.actions, false, FilterEnd::Finished);
        return Filtered { actions, significant, end, counters: [0; 10] };
    }
    let end = match run.block(&script.commands, true) {
        Ok(()) | Err(Halt::Stop) => FilterEnd::Finished,
        Err(Halt::Fault(message)) => {
            run.kept = true;
            FilterEnd::Error(message)
        }
    };
    if run.kept {
        run.keep(true);
    }
    let significant = !run.kept;
    Filtered { actions: run.actions, significant, end, counters: [0; 10] }
}

/// Why a script is not obeyed any further.
#[derive(Debug)]
enum Halt {
    /// `stop`
    Stop,
    /// It is wrong: Exim's words, with the line.
    Fault(Vec<u8>),
}

/// A script that is being obeyed.
struct Run<'r> {
    cx: &'r mut Context,
    script: &'r Script,
    options: &'r SieveOptions,
    actions: Vec<FilterAction>,
    /// What was done already, so that it is done once.
    done: HashSet<(Kind, Vec<u8>)>,
    /// Whether the message is kept because nothing else was said.
    kept: bool,
    /// Whether `vacation` was met.
    vacation: bool,
    work: u64,
}

/// Kinds of actions that are done once for each target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    FileInto,
    Redirect,
    Notify,
}

impl<'r> Run<'r> {
    fn new(cx: &'r mut Context, script: &'r Script, options: &'r SieveOptions) -> Self {
        let (actions, done) = (Vec::new(), HashSet::new());
        let (kept, vacation, work) = (true, false, options.work);
        Self { cx, script, options, actions, done, kept, vacation, work }
    }

    /// Goes through commands. What is not obeyed is looked at too: some mistakes
    /// count anyway.
    fn block(&mut self, commands: &[SieveCommand], obeyed: bool) -> Result<(), Halt> {
        for command in commands {
            self.spend(1)?;
            match command {
                SieveCommand::If(command) => self.branch(command, obeyed)?,
                SieveCommand::Vacation(vacation) => self.vacation(vacation, obeyed)?,
                SieveCommand::Notify(notify) => self.notify(notify, obeyed)?,
                SieveCommand::Fault => return Err(self.fault()),
                _ if !obeyed => {}
                SieveCommand::Stop => return Err(Halt::Stop),
                SieveCommand::Keep => self.keep(false),
                SieveCommand::Discard => self.discard(),
                SieveCommand::Redirect { address, copy } => self.redirect(&address.bytes, *copy),
                SieveCommand::FileInto { folder, copy } => self.file_into(&folder.bytes, *copy),
            }
        }
        Ok(())
    }

    fn branch(&mut self, command: &If, obeyed: bool) -> Result<(), Halt> {
        let mut wanted = obeyed;
        for (number, arm) in command.arms.iter().enumerate() {
            let holds = self.test(&arm.test, wanted)?;
            if obeyed {
                let word: &[u8] = if number == 0 { b"if" } else { b"elsif" };
                let holds: &[u8] = if holds { b" true" } else { b" false" };
                self.note(&[word, holds]);
            }
            self.block(&arm.block, wanted && holds)?;
            wanted &= !holds;
        }
        self.block(&command.otherwise, wanted)
    }

    /// What is wrong with the script where it can't be read any further.
    fn fault(&self) -> Halt {
        match &self.script.fault {
            Some(fault) => wrong(fault.message.as_bytes(), fault.line),
            None => Halt::Stop,
        }
    }

    /// Tells what looks on; the parts are put together only where it wants notes.
    fn note(&mut self, parts: &[&[u8]]) {
        if self.notes() {
            let line = parts.concat();
            let lines: Vec<&[u8]> = line.split(|byte| *byte == b'\n').collect();
            self.cx.note(TraceKinds::FILTER, &[b" ", &lines.join(&b"\n "[..])[..]].concat());
        }
    }

    /// Whether notes are wanted.
    fn notes(&mut self) -> bool {
        self.cx.trace().wants(TraceKinds::FILTER)
    }

    /// Pays for work.
    fn spend(&mut self, work: usize) -> Result<(), Halt> {
        if stack::is_deep() {
            return Err(Halt::Fault(b"nesting too deep".to_vec()));
        }
        match self.work.checked_sub(work as u64) {
            Some(left) => {
                self.work = left;
                Ok(())
            }
            None => Err(Halt::Fault(b"too much work".to_vec())),
        }
    }
}

/// Something wrong in a line.
fn wrong(message: &[u8], line: u32) -> Halt {
    Halt::Fault([message, format!(" in line {line}").as_bytes()].concat())
}

/// How an action without doubt is meant.
fn meant(copy: bool) -> Manner {
    Manner { significant: !copy, silent: false }
}
