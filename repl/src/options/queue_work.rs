//! Options that deliver messages of the spool, or change them: `-q`, `-M` and its kin.

use std::time::Duration;

use eximious::stdlib::interval::seconds;
use eximious_mta::delivery::{Handling, QueueRun};

use super::given::Asked;
use super::values::message_id;
use super::{Parser, Stop};
use crate::daemon;
use crate::deliver::DeliveryWork;

impl Parser<'_> {
    /// `-q…`: a run of the queue, or with an option that lists it, which queue.
    pub(super) fn run_queue(&mut self, arg: &[u8], value: &[u8]) -> Result<(), Stop> {
        let mut rest = value;
        let run = self.queue_run();
        let flag = |rest: &mut &[u8], letter: u8| match rest.strip_prefix(&[letter]) {
            Some(others) => {
                *rest = others;
                true
            }
            None => false,
        };
        run.two_passes |= flag(&mut rest, b'q');
        run.first_only |= flag(&mut rest, b'i');
        run.forced |= flag(&mut rest, b'f');
        run.frozen |= flag(&mut rest, b'f');
        run.local_only |= flag(&mut rest, b'l');
        if let Some(queue) = rest.strip_prefix(b"G") {
            let end = queue.iter().position(|byte| *byte == b'/').unwrap_or(queue.len());
            self.given.queue = queue[..end].to_vec();
            rest = queue.get(end + 1..).unwrap_or_default();
        }
        if rest.is_empty() {
            return Ok(());
        }
        let time = seconds(rest).and_then(|time| u64::try_from(time).ok());
        let Some(time) = time else {
            return Err(Stop::exim([b"bad time value ", rest, b": abandoned"].concat()));
        };
        if time > 0 {
            let (queue, run) = (self.given.queue.clone(), std::mem::take(&mut self.given.run));
            let (written, every) = (arg.to_vec(), Duration::from_secs(time));
            self.given.daemon.runs.push(daemon::DaemonRun { written, queue, run, every });
            if self.action == Some(Asked::Deliver) {
                self.action = Some(Asked::Runner);
            }
        }
        Ok(())
    }

    /// The run of the queue that is asked for, if nothing else is.
    pub(super) fn queue_run(&mut self) -> &mut QueueRun {
        if self.action.is_none() {
            self.action = Some(Asked::Deliver);
        }
        &mut self.given.run
    }

    /// `-M` and its kin: messages by their names, and what else belongs to each.
    pub(super) fn handle(&mut self, name: &str, first: &[u8]) -> Result<(), Stop> {
        let mut ids = match name {
            "-MG" => Vec::new(),
            _ => vec![message_id(name, first)?],
        };
        let rest: Vec<Vec<u8>> = std::mem::take(&mut self.args).to_vec();
        let missing = |what: &str| {
            let text = format!("exim: no {what} given after {name} option");
            Stop(text.into_bytes())
        };
        let work = match name {
            "-Mmd" | "-Mar" if rest.is_empty() => return Err(missing("addresses")),
            "-MG" if rest.is_empty() => return Err(missing("message ids")),
            "-Mmd" => DeliveryWork::Handle(ids, Handling::Mark(rest)),
            "-Mar" => DeliveryWork::Handle(ids, Handling::Add(rest)),
            "-Mes" => match &rest[..] {
                [sender] => DeliveryWork::Handle(ids, Handling::Sender(sender.clone())),
                [] => return Err(missing("address")),
                _ => {
                    let text = b"exim: only one sender address can be given after -Mes option";
                    return Err(Stop(text.to_vec()));
                }
            },
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
        self.action = Some(Asked::Deliver);
        Ok(())
    }
}
