//! Main options, as a session asks for them.

use eximious::stdlib::lists::ListOutcome;
use eximious::{ErrorKind, Expanded, Fail, Opt, Str, Var, opt};

use super::SmtpSession;
use super::stage::Stage;
use crate::options;

/// What a client is told for whom nothing goes on.
const UNEXPECTED: &str = "Unexpected failure, please try later";

/// A file of a list of hosts, or of a look-up in it, can't be opened.
pub(super) struct Unopened;

impl SmtpSession {
    /// A text, as it is written: what is set, or the default.
    pub(super) fn text(&self, option: Opt<Str>) -> Str {
        self.cx.engine().settings().get(option)
    }

    /// A text, expanded; a failure is logged, and gives nothing.
    pub(super) fn expanded(&mut self, option: Opt<Str>) -> Option<Str> {
        options::expanded(&mut self.cx, option)
    }

    pub(super) fn flag(&self, option: Opt<bool>) -> bool {
        self.cx.engine().settings().get(option)
    }

    pub(super) fn number(&self, option: Opt<i64>) -> i64 {
        self.cx.engine().settings().get(option)
    }

    /// A number that may be made by an expansion.
    pub(super) fn expanded_number(&mut self, option: Opt<Expanded<i64>>) -> i64 {
        options::number(&mut self.cx, option)
    }

    /// Whether the client is in a list of hosts. Of a list that can't be told, it is not.
    ///
    /// # Errors
    /// A file of the list, or one of a look-up in it, can't be opened: nothing goes on. A
    /// look-up that has no answer now is none of these.
    pub(super) fn client_in(&mut self, option: Opt<Str>) -> Result<bool, Stage> {
        self.is_client_listed(option).map_err(|Unopened| self.fail_unexpectedly())
    }

    /// Whether the client may be in a list of hosts: where that can't be told, it is offered
    /// what the list is about.
    ///
    /// # Errors
    /// As of [`SmtpSession::client_in`].
    pub(super) fn client_may_be_in(&mut self, option: Opt<Str>) -> Result<bool, Stage> {
        match self.look_for_client(option) {
            Ok(found) => Ok(!matches!(found, Ok(ListOutcome::Unmatched(_)))),
            Err(Unopened) => Err(self.fail_unexpectedly()),
        }
    }

    /// Whether the client is in a list of hosts. One that makes no sense has nobody in it.
    pub(super) fn is_client_listed(&mut self, option: Opt<Str>) -> Result<bool, Unopened> {
        Ok(matches!(self.look_for_client(option)?, Ok(ListOutcome::Matched(_))))
    }

    /// What a list of hosts says of the client; or why it makes no sense.
    pub(super) fn look_for_client(
        &mut self,
        option: Opt<Str>,
    ) -> Result<Result<ListOutcome, Fail>, Unopened> {
        match self.ask_for_client(option) {
            Err(fail) if matches!(fail.kind(), ErrorKind::Outside | ErrorKind::Lookup) => {
                Err(Unopened)
            }
            found => Ok(found),
        }
    }

    /// Something that the conversation stands on is not there: whatever the client says,
    /// it is to come again.
    pub(super) fn fail_unexpectedly(&mut self) -> Stage {
        self.connection.failed = true;
        if self.setup.is_test {
            return self.close();
        }
        self.acl_state.broken = Some(UNEXPECTED);
        self.reply(&[b"421 ", UNEXPECTED.as_bytes()])
    }

    /// The same, before anybody serves the client: nothing that it says is heard.
    pub(super) fn refuse_unserved(&mut self) -> Stage {
        self.connection.failed = true;
        if !self.setup.is_test {
            self.say(&[b"421 ", UNEXPECTED.as_bytes()]);
        }
        self.close()
    }

    /// What a list of hosts says of the client.
    pub(super) fn ask_for_client(&mut self, option: Opt<Str>) -> Result<ListOutcome, Fail> {
        options::client_in_list(&mut self.cx, option)
    }

    /// A variable's value.
    pub(super) fn variable(&mut self, variable: Var) -> Str {
        self.cx.value_of(variable)
    }

    /// Settles how many recipients a message may have, for all of the session.
    pub(super) fn settle_most_recipients(&mut self) {
        self.connection.permissions.recipients_max = self.expanded_number(opt::RECIPIENTS_MAX);
    }

    /// Settles how large a message may be, for all of the session; where that can't be
    /// said, the client is told so.
    pub(super) fn settle_size_limit(&mut self) -> Result<(), Stage> {
        let line = match options::message_size_limit(&mut self.cx) {
            Ok(limit) => {
                self.connection.permissions.message_size_limit = limit;
                return Ok(());
            }
            Err(why) => why.logged(),
        };
        self.log_panic(&line);
        let why = "Temporary local problem - please try later";
        self.acl_state.broken = Some(why);
        Err(self.reply(&[b"421 ", why.as_bytes()]))
    }
}
