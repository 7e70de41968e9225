//! Options that deliver messages of the spool, or change them: `-q`, `-M` and its kin.

use std::time::Duration;

use eximious::stdlib::interval::seconds;
use eximious::world::spool::is_message_id;
use eximious_mta::delivery::{Handling, QueueRun, QueueText};

use super::given::Asked;
use super::rules::Missing;
use super::values::{message_id, missing_value, no_longer};
use super::{Parser, Stop};
use crate::daemon::DaemonRun;
use crate::deliver::DeliveryWork;

impl Parser<'_> {
    /// `-q…`: a run of the queue, or with an option that lists it, which queue.
    pub(super) fn run_queue(&mut self, arg: &[u8], value: &[u8]) -> Result<(), Stop> {
        let mut rest = value;
        let mut run = QueueRun::default();
        let flag = |rest: &mut &[u8], letter: u8| match rest.strip_prefix(&[letter]) {
            Some(others) => {
                *rest = others;
                true
            }
            None => false,
        };
        run.two_passes |= flag(&mut rest, b'q');
        // As Sendmail has it: `-qR`, `-qS`.
        if let [which @ (b'R' | b'S'), flags @ ..] = rest {
            if let Some(last) = self.last_run() {
                last.two_passes = run.two_passes;
            }
            let text = match flags {
                [] => self
                    .next()
                    .cloned()
                    .ok_or_else(|| missing_value(Missing::Expected("string"), &[b'-', *which]))?
                    .into(),
                flags => self.select(&[b"-", rest].concat(), flags)?,
            };
            self.run_for(*which, text);
            return Ok(());
        }
        run.first_only |= flag(&mut rest, b'i');
        run.forced |= flag(&mut rest, b'f');
        run.frozen |= flag(&mut rest, b'f');
        run.local_only |= flag(&mut rest, b'l');
        if let Some(queue) = rest.strip_prefix(b"G") {
            let end = queue.iter().position(|byte| *byte == b'/').unwrap_or(queue.len());
            no_longer(&queue[..end], 64, "-q*G<name>")?;
            self.given.queue = queue[..end].to_vec();
            rest = queue.get(end + 1..).unwrap_or_default();
        }
        // A queue that was named is the one of what follows, too.
        let queue = self.given.queue.clone();
        if rest.is_empty() {
            self.read_range(arg)?;
            self.given.runs.push(DaemonRun { queue, run, every: None });
            return Ok(());
        }
        let is_named = !queue.is_empty();
        if is_named && self.given.runs.iter().any(|other| other.queue == queue) {
            return Err(Stop::exim("queue-runner specified more than once"));
        }
        let time = seconds(rest).and_then(|time| u64::try_from(time).ok());
        let Some(time) = time.filter(|time| *time > 0) else {
            return Err(Stop::exim([b"bad time value ", arg, b": abandoned"].concat()));
        };
        self.given.runs.push(DaemonRun { queue, run, every: Some(Duration::from_secs(time)) });
        Ok(())
    }

    /// `-R`, `-S` by themselves: the run that was asked for last has one pass then.
    pub(super) fn select_for(&mut self, which: u8, arg: &[u8], value: &[u8]) -> Result<(), Stop> {
        let text = self.select(arg, value)?;
        if let Some(run) = self.last_run() {
            run.two_passes = false;
        }
        self.run_for(which, text);
        Ok(())
    }

    /// All runs are for messages that have a text in their recipients, or in
    /// their sender.
    fn run_for(&mut self, which: u8, text: QueueText) {
        let given = &mut self.given;
        let part = if which == b'R' { &mut given.run_recipient } else { &mut given.run_sender };
        *part = Some(text);
    }

    /// The run that was asked for last; without any, one that begins now.
    fn last_run(&mut self) -> Option<&mut QueueRun> {
        if self.given.runs.is_empty() {
            let queue = self.given.queue.clone();
            self.given.runs.push(DaemonRun { queue, ..DaemonRun::default() });
        }
        self.given.runs.last_mut().map(|last| &mut last.run)
    }

    /// `-R`, `-S`, with their letters: which messages a run is for.
    fn select(&mut self, arg: &[u8], value: &[u8]) -> Result<QueueText, Stop> {
        let letters = value.strip_prefix(b"r").unwrap_or(value);
        let is_flags = arg.len() > 2 && !value.is_empty() && b"ff".starts_with(letters);
        if !is_flags {
            return Ok(value.to_vec().into());
        }
        let missing = || missing_value(Missing::Expected("string"), &arg[..2]);
        let text = self.next().ok_or_else(missing)?.clone();
        if let Some(run) = self.last_run() {
            run.forced |= !letters.is_empty();
            run.frozen |= letters.len() > 1;
        }
        Ok(QueueText { text, is_pattern: value.starts_with(b"r") })
    }

    /// The messages right behind `-q` that the run is to begin and to end with. Those of an
    /// earlier one stay, where it has none.
    fn read_range(&mut self, arg: &[u8]) -> Result<(), Stop> {
        let Some(first) = self.args.first().filter(|next| !next.starts_with(b"-")) else {
            return Ok(());
        };
        if !is_message_id(first) {
            return Err(match self.is_implied {
                true => Stop::incompatible(),
                false => Stop::abandoned(arg),
            });
        }
        let first = self.next().cloned();
        let is_pair = self.args.first().is_some_and(|next| is_message_id(next));
        let last = if is_pair { self.next().cloned() } else { None };
        self.given.run_range = (first, last);
        Ok(())
    }

    /// A run takes nothing beside.
    pub(super) fn check_range(&self) -> Result<(), Stop> {
        let is_run = self.action == Some(Asked::Deliver) && self.given.work.is_none();
        match is_run && !self.args.is_empty() {
            true => Err(Stop::incompatible()),
            false => Ok(()),
        }
    }

    /// `-M` and its kin: messages by their names, and what else belongs to each.
    pub(super) fn handle(&mut self, name: &str, first: &[u8]) -> Result<(), Stop> {
        let mut ids = match name {
            "-MG" => Vec::new(),
            _ => vec![message_id(name, first)?],
        };
        let rest: Vec<Vec<u8>> = std::mem::take(&mut self.args).to_vec();
        let work = match name {
            "-MG" if rest.is_empty() => {
                return Err(Stop::exim("no message ids given after -MG option"));
            }
            "-Mmd" => DeliveryWork::Handle(ids, Handling::Mark(rest)),
            "-Mar" => DeliveryWork::Handle(ids, Handling::Add(rest)),
            "-Mes" => DeliveryWork::Handle(ids, Handling::Sender(rest)),
            _ => {
                for id in &rest {
                    ids.push(message_id(name, id)?);
                }
                match name {
                    "-MG" => DeliveryWork::Handle(ids, Handling::Requeue(first.to_vec())),
                    "-Mg" => DeliveryWork::GiveUp(ids),
                    "-Mf" => DeliveryWork::Handle(ids, Handling::Freeze),
                    "-Mt" => DeliveryWork::Handle(ids, Handling::Thaw),
                    "-Mrm" => DeliveryWork::Handle(ids, Handling::Remove),
                    "-Mmad" => DeliveryWork::Handle(ids, Handling::MarkAll),
                    _ => DeliveryWork::Deliver(ids, name == "-Mc"),
                }
            }
        };
        self.given.work = Some(work);
        self.asked.push(Asked::Deliver);
        Ok(())
    }
}
