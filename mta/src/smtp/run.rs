//! Runs ACLs for a session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use eximious::acl::{AclHost, AclResult, AclStep, Logs, Watch};
use eximious::world::Log;
use eximious::{AclPhases, Str};

use super::{Event, Session};

/// Who an ACL speaks to.
struct Host<'h> {
    events: &'h mut VecDeque<Event>,
    watch: Option<&'h Watch>,
    hurries: bool,
    calls_out: bool,
    /// How deep the ACL at hand is called.
    depth: u32,
    log: Arc<dyn Log>,
    id: Str,
}

impl Host<'_> {
    fn line(&self, line: &[u8]) -> Vec<u8> {
        match self.id.is_empty() {
            true => line.to_vec(),
            false => [self.id.bytes(), b" ", line].concat(),
        }
    }
}

impl AclHost for Host<'_> {
    fn delay(&mut self, time: Duration) {
        if !self.hurries {
            self.events.push_back(Event::Delay(time));
            return;
        }
        let text = b"delay skipped in -bh checking mode".as_slice();
        self.step(&AclStep::Note { depth: self.depth, text });
    }

    fn step(&mut self, step: &AclStep<'_>) {
        if let AclStep::Term { depth, .. } = step {
            self.depth = *depth;
        }
        if let Some(watch) = self.watch {
            watch(step);
        }
    }

    fn watch(&self) -> Option<Watch> {
        self.watch.cloned()
    }

    fn calls_out(&self) -> bool {
        self.calls_out
    }

    fn log(&mut self, line: &[u8]) {
        self.log.main(&self.line(line));
    }

    fn log_to(&mut self, logs: Logs, line: &[u8]) {
        write(&*self.log, shown_once(logs, self.hurries), &self.line(line), b"");
    }
}

/// A test shows a line once, whatever logs it is for.
pub(super) fn shown_once(logs: Logs, hurries: bool) -> Logs {
    match hurries && (logs.main || logs.reject || logs.panic) {
        true => Logs::MAIN,
        false => logs,
    }
}

/// Writes a line to some of the logs; that of rejections has a message's header
/// behind it.
pub(crate) fn write(log: &dyn Log, logs: Logs, line: &[u8], header: &[u8]) {
    match (logs.main, logs.reject) {
        (true, true) => log.rejected_message(line, header),
        (true, false) if logs.panic => return log.panic(line),
        (true, false) => log.main(line),
        (false, true) => log.rejection_alone(line),
        (false, false) => {}
    }
    if logs.panic {
        log.panic_alone(line);
    }
}

impl Session {
    /// Runs the ACL that an option is set to; nothing where it is not set.
    pub(super) fn acl(&mut self, option: &'static str, phase: AclPhases) -> Option<AclResult> {
        let text = self.text(option);
        if text.is_empty() {
            return None;
        }
        let log = self.cx.engine().world().log.clone();
        let server = self.server.clone();
        let mut host = Host {
            events: &mut self.events,
            watch: self.watch.as_ref(),
            hurries: self.hurries,
            calls_out: self.calls_out,
            depth: 0,
            log,
            id: self.id.clone(),
        };
        Some(server.acls.check(&mut self.cx, &mut host, &mut self.acl_state, phase, &text))
    }
}
