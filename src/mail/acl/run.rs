//! What a run of an ACL begins with.

use std::time::Duration;

use eximious_core::AclPhases;

use super::machine::Run;
use super::{AclHost, AclState, Acls, Logs};
use crate::Context;

impl<'r> Run<'r> {
    pub(super) fn new(
        acls: &'r Acls,
        cx: &'r mut Context,
        host: &'r mut dyn AclHost,
        state: &'r mut AclState,
        phase: AclPhases,
    ) -> Self {
        Self {
            acls,
            cx,
            host,
            state,
            phase,
            depth: 0,
            level: 0,
            reject_logs: Logs::REJECTIONS,
            said: None,
            logged: None,
            ended_by: None,
        }
    }

    /// Waits; a test does not.
    pub(super) fn delay(&mut self, time: Duration, sends: bool) {
        match self.host.is_test() {
            true => self.note(b"delay skipped in -bh checking mode"),
            false => self.host.delay(time, sends),
        }
    }

    /// Before a wait for other hosts: the client is not kept waiting for what was said
    /// already (`control = no_callout_flush`).
    pub(super) fn flush(&mut self) {
        if !self.state.has("no_callout_flush") {
            self.host.flush();
        }
    }
}
