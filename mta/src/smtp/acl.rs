//! Runs ACLs for a session.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use eximious::acl::{AclHost, AclResult, AclState, Logs, OwnMessage, PartsVerdict};
use eximious::world::Log;
use eximious::{AclPhases, Context, LogSelector, Opt, Str, opt};

use super::{Event, Outlet, SmtpSession, TrafficMarker};
use crate::logs;
use crate::submission::own::{Occasion, hand_in};

/// Who an ACL speaks to.
struct Host<'h> {
    events: &'h mut VecDeque<Event>,
    outlet: Option<&'h mut Outlet>,
    marker: Option<&'h mut TrafficMarker>,
    is_test: bool,
    calls_out: bool,
    log: Arc<dyn Log>,
    id: Str,
    own: &'h mut Vec<OwnMessage>,
}

impl AclHost for Host<'_> {
    fn delay(&mut self, time: Duration, sends: bool) {
        self.events.push_back(Event::Delay { time, sends });
    }

    fn log_through(&mut self, log: Arc<dyn Log>) {
        self.log = log;
    }

    fn may_mark_traffic(&self) -> Result<(), &'static str> {
        self.marker.as_ref().map(|_| ()).ok_or("Socket operation on non-socket")
    }

    fn mark_traffic(&mut self, class: u8) -> Result<(), String> {
        let Some(marker) = &mut self.marker else { return Ok(()) };
        marker(class).map_err(|why| eximious::stdlib::wording::reason(&why))
    }

    fn calls_out(&self) -> bool {
        self.calls_out
    }

    fn is_test(&self) -> bool {
        self.is_test
    }

    fn flush(&mut self) {
        let Some(outlet) = &mut self.outlet else { return };
        let mut said = Vec::new();
        while let Some(Event::Reply(bytes)) =
            self.events.pop_front_if(|event| matches!(event, Event::Reply(_)))
        {
            said.extend(bytes);
        }
        outlet(&said);
    }

    fn hand_in(&mut self, message: OwnMessage) {
        self.own.push(message);
    }

    fn domains_that_wait(
        &mut self,
        cx: &Context,
        queue: &Str,
    ) -> std::io::Result<BTreeSet<Vec<u8>>> {
        let place = crate::spool::place(cx, queue.bytes());
        let place = place.map_err(|why| std::io::Error::other(why.escape_ascii().to_string()))?;
        crate::delivery::domains_that_wait(cx.engine().world(), &place)
    }

    fn log(&mut self, line: &[u8]) {
        self.log.main(&logs::named(&self.id, line));
    }

    fn log_by_selector(&mut self, wanted: LogSelector, by: LogSelector, line: &[u8]) {
        self.log.by_selector(wanted, by, &logs::named(&self.id, line));
    }

    fn log_to(&mut self, which: Logs, line: &[u8]) {
        let which = if self.is_test { which.shown_once(&*self.log) } else { which };
        which.write(&*self.log, &logs::named(&self.id, line), b"");
    }
}

impl SmtpSession {
    /// Runs the ACL that an option is set to; nothing where it is not set.
    pub(super) fn acl(&mut self, option: Opt<Str>, phase: AclPhases) -> Option<AclResult> {
        let text = self.cx.engine().settings().acl(option)?;
        let server = self.server.clone();
        let (mut host, cx, state) = self.parts();
        let result = server.acls.check(cx, &mut host, state, phase, &text);
        self.hand_in_own();
        Some(result)
    }

    /// Puts the messages into the spool that an ACL had written.
    pub(super) fn hand_in_own(&mut self) {
        let about = self.message_id().clone();
        for message in std::mem::take(&mut self.own) {
            let occasion = Occasion { about: about.bytes(), ..Occasion::default() };
            let (done, _) = hand_in(&self.server, &mut self.cx, &message, occasion);
            if !done.kept {
                let line = format!("a message of our own was not kept: status {}", done.status);
                self.cx.engine().world().log.main(&logs::named(&about, line.as_bytes()));
            }
        }
    }

    /// Has the message looked at before any ACL sees it, where that is wanted.
    pub(super) fn ask_brightmail(&mut self) {
        let server = self.server.clone();
        let (mut host, cx, state) = self.parts();
        server.acls.ask_brightmail(cx, &mut host, state);
    }

    /// Verifies the message's signatures, and runs the ACL for them; nothing comes of it
    /// where the message may go on.
    pub(super) fn check_dkim(&mut self) -> Option<AclResult> {
        let server = self.server.clone();
        let (mut host, cx, state) = self.parts();
        server.acls.check_dkim(cx, &mut host, state)
    }

    /// Runs the ACL for the parts of a message.
    pub(super) fn parts_acl(&mut self) -> PartsVerdict {
        let Some(text) = self.cx.engine().settings().acl(opt::ACL_SMTP_MIME) else {
            return PartsVerdict::Accepted;
        };
        let server = self.server.clone();
        let (mut host, cx, state) = self.parts();
        server.acls.check_parts(cx, &mut host, state, AclPhases::MIME, &text)
    }

    /// Has the host of the recipient at hand asked, which the ACL accepted.
    pub(super) fn cut_through(&mut self) -> Option<AclResult> {
        let server = self.server.clone();
        let (mut host, cx, state) = self.parts();
        server.acls.cut_through(cx, &mut host, state)
    }

    /// Who an ACL speaks to, and what it works on.
    fn parts(&mut self) -> (Host<'_>, &mut Context, &mut AclState) {
        let id = self.message_id().clone();
        let host = Host {
            events: &mut self.events,
            outlet: self.setup.outlet.as_mut(),
            marker: self.setup.marker.as_mut(),
            is_test: self.setup.is_test,
            calls_out: self.setup.calls_out,
            log: self.cx.engine().world().log.clone(),
            id,
            own: &mut self.own,
        };
        (host, &mut self.cx, &mut self.acl_state)
    }
}
