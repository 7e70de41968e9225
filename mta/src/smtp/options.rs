//! Main options, as a session asks for them.

use eximious::Str;
use eximious::stdlib::hosts::Client;
use eximious::stdlib::lists::{Matcher, Outcome, ip};
use eximious::trace::{Happening, ListEvent};

use super::SmtpSession;
use super::stage::Stage;
use crate::options::{self, NoLimit};

impl SmtpSession {
    /// A text, as it is written: what is set, or the default. Empty where there
    /// is none.
    pub(super) fn text(&self, name: &'static str) -> Str {
        options::text(&self.cx, name)
    }

    /// A text, expanded; a failure is logged, and gives nothing.
    pub(super) fn expanded(&mut self, name: &'static str) -> Option<Str> {
        options::expanded(&mut self.cx, name)
    }

    pub(super) fn flag(&self, name: &'static str) -> bool {
        options::flag(&self.cx, name)
    }

    /// A number; some are expanded first.
    pub(super) fn number(&mut self, name: &'static str, default: i64) -> i64 {
        options::number(&mut self.cx, name, default)
    }

    /// Whether the client is in a list of hosts.
    pub(super) fn client_in(&mut self, name: &'static str) -> bool {
        let list = self.text(name);
        let set = self.cx.engine().settings().options.get(name).is_some();
        if list.is_empty() && !set {
            let unset = ListEvent::Unset { subject: b"host", option: Some(name) };
            self.cx.tell(Happening::List(unset));
            return false;
        }
        let text = self.variable("sender_host_address");
        let address = ip::address(text.bytes()).map(|address| (text, address));
        let mut client = Client;
        let mut matcher = Matcher::host(address, &mut client).called(name);
        matches!(self.cx.is_in(&list, &mut matcher), Ok(Outcome::Matched(_)))
    }

    /// A variable's value.
    pub(super) fn variable(&mut self, name: &str) -> Str {
        self.cx.value(name)
    }

    /// Settles how large a message may be, for all of the session; where that can't be
    /// said, the client is told so.
    pub(super) fn settle_size_limit(&mut self) -> Result<(), Stage> {
        let line = match options::message_size_limit(&mut self.cx) {
            Ok(limit) => {
                self.connection.permissions.message_size_limit = limit;
                return Ok(());
            }
            Err(NoLimit::Unexpanded(why)) => {
                [b"unable to expand message_size_limit: ".as_slice(), &why].concat()
            }
            Err(NoLimit::Invalid(why)) => {
                [b"invalid message_size_limit: ".as_slice(), &why].concat()
            }
        };
        self.log_panic(&line);
        let why = "Temporary local problem - please try later";
        self.acl_state.broken = Some(why);
        Err(self.reply(&[b"421 ", why.as_bytes()]))
    }
}
