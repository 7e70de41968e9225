//! `AUTH` (RFC 4954): the client's side of an authenticator, over a connection.

use std::sync::Arc;

use super::{Cause, Reply, SentCommand, SmtpClient, SmtpCommand, SmtpError};
use crate::Context;
use crate::mail::auth::Authenticator;
use crate::mail::auth::client::{AuthOutcome, Login, Move};

/// How many times a server may ask for more.
const MOST_TURNS: usize = 64;

impl SmtpClient {
    /// Proves to the server who this is, by an authenticator; how that ended, and what the
    /// server said last, if it was asked.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn auth(
        &mut self,
        cx: &mut Context,
        authenticator: &Arc<Authenticator>,
    ) -> Result<(Login, AuthOutcome, Option<Reply>), SmtpError> {
        let (mut login, mut next) = Login::begin(cx, authenticator, self.binding.clone());
        let mut last = None;
        for _ in 0..MOST_TURNS {
            let line = match next {
                Move::Say(line) => line,
                Move::Done(outcome) => return Ok((login, outcome, last)),
            };
            let request = SentCommand::secret(SmtpCommand::Auth, line, login.shown());
            let answer = match self.send(cx.trace(), request) {
                Ok(()) => self.answer(cx.trace()),
                Err(error) => Err(error),
            };
            let reply = match (answer, login.end()) {
                (Ok(reply), _) => reply,
                // Whether the connection is of use still shows with what is said next, if
                // anything is.
                (Err(error), Some(ends))
                    if error.cause != Cause::Timeout || matches!(ends, AuthOutcome::Failed(_)) =>
                {
                    let ends = ends.clone();
                    return Ok((login, ends, None));
                }
                (Err(error), _) => return Err(error),
            };
            let code = std::str::from_utf8(reply.code()).ok().and_then(|code| code.parse().ok());
            next = login.hear(cx, code.unwrap_or_default(), reply.last_text());
            last = Some(reply);
        }
        Ok((login, AuthOutcome::Later, last))
    }
}
