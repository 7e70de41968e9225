//! Runs of queues that a daemon begins now and then (`-q30m`).

use std::time::Duration;

use eximious_mta::delivery::QueueRun;

/// Runs of a queue that the daemon begins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DaemonRun {
    /// The named queue.
    pub queue: Vec<u8>,
    /// What is run.
    pub run: QueueRun,
    /// How often; nothing for once.
    pub every: Option<Duration>,
}

/// `-q30m`, or that there are none.
pub fn shown(all: &[DaemonRun]) -> String {
    let runs: Vec<String> = all.iter().map(DaemonRun::shown).collect();
    match runs.is_empty() {
        true => "no queue runs".to_owned(),
        false => runs.join(" "),
    }
}

impl DaemonRun {
    /// The run as a daemon makes it: one for messages that are asked for has one pass.
    pub fn made(&self) -> QueueRun {
        let run = self.run.clone();
        let selects = run.recipient.is_some() || run.sender.is_some();
        QueueRun { two_passes: run.two_passes && !selects, ..run }
    }

    /// `-qqGslow/1h30m`: what is run, and how often.
    fn shown(&self) -> String {
        let passes = if self.run.two_passes { "q" } else { "" };
        let queue = match String::from_utf8_lossy(&self.queue) {
            name if name.is_empty() => String::new(),
            name => format!("G{name}/"),
        };
        let every = self.every.map_or(0, |every| every.as_secs());
        let every = i32::try_from(every).unwrap_or(i32::MAX);
        format!("-q{passes}{queue}{}", eximious::stdlib::interval::written(every))
    }
}
