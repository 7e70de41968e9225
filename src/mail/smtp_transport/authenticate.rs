//! Proves to a host who this is (specification 30.4, `hosts_try_auth` and
//! `hosts_require_auth`; 33).

use eximious_core::Str;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::printing::printing;

use super::{CLOSED, NotOpen, Peer};
use crate::mail::auth::client::AuthOutcome;
use crate::mail::smtp_client::{Cause, SmtpClient, SmtpCommand, SmtpError};

/// A host does not know this one, and has to. Errors that are none of the system's have such
/// numbers in the log.
pub(crate) const AUTH_FAILED: i32 = -42;
/// It can't be said who this is.
const AUTH_PROBLEM: i32 = -48;

/// As whom a host knows this one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Authenticated {
    /// The name of the authenticator.
    pub(crate) by: Str,
    /// `client_set_id`
    pub(crate) id: Option<Str>,
}

impl Peer<'_> {
    /// Proves who this is by the first authenticator that the host takes, if options want
    /// that.
    pub(super) fn authenticate(
        &mut self,
        client: &mut SmtpClient,
    ) -> Result<Option<Authenticated>, NotOpen> {
        let offered = client.extensions().auth.join(&b' ');
        let requires = self.demanded(smtp::HOSTS_REQUIRE_AUTH);
        let requires = requires.map_err(|why| self.untold(client, why))?;
        if offered.is_empty() {
            return match requires {
                true => Err(self.unproven(client, "server did not advertise AUTH support")),
                false => Ok(None),
            };
        }
        if !requires && !self.listed(smtp::HOSTS_TRY_AUTH) {
            return Ok(None);
        }
        let authenticators = self.authenticators.clone();
        let (mut from, mut failed) = (0, false);
        while let Some((next, one)) = authenticators.client(self.cx, &offered, from) {
            from = next;
            let done = client.auth(self.cx, one);
            let (login, outcome, reply) = done.map_err(|error| self.refused(client, error))?;
            let heard = reply.as_ref().map(|reply| printing(reply.text(), false));
            let mut own = None;
            if outcome == AuthOutcome::Refused {
                own = self.event("auth:fail", reply.as_ref().map_or(b"", |reply| reply.text()));
            }
            failed = true;
            let what: (&[u8], Vec<u8>) = match outcome {
                AuthOutcome::Accepted => {
                    let id = login.id(self.cx).filter(|id| !id.is_empty());
                    return Ok(Some(Authenticated { by: one.name().clone(), id }));
                }
                AuthOutcome::Refused => (b"failed", heard.unwrap_or_default()),
                AuthOutcome::Cancelled(why) if why.is_empty() => continue,
                AuthOutcome::Cancelled(why) => (b"cancelled authentication", why),
                AuthOutcome::Failed(why) => {
                    client.abandon(self.cx.trace());
                    self.event(CLOSED, b"");
                    return Err(NotOpen::Unproven(AUTH_PROBLEM, why));
                }
                AuthOutcome::Later => {
                    let said = client.last().said.clone();
                    let cause = reply.map_or(Cause::NothingAsked, Cause::Replied);
                    let error = SmtpError { command: SmtpCommand::Auth, said, cause };
                    return Err(self.refused(client, error));
                }
            };
            let host = format!(" H={} [{}] ", self.host.name, self.address);
            let parts = [one.name().bytes(), b" authenticator ", what.0, host.as_bytes(), &what.1];
            // Who is told may have words of its own.
            let line = own.map_or_else(|| parts.concat(), |own| own.bytes().to_vec());
            self.cx.log().main(&line);
        }
        match (requires, failed) {
            (false, _) => Ok(None),
            (true, true) => Err(self.unproven(client, "authentication attempt(s) failed")),
            (true, false) => Err(self.unproven(client, "no common mechanisms were found")),
        }
    }

    fn unproven(&mut self, client: &mut SmtpClient, why: &str) -> NotOpen {
        client.abandon(self.cx.trace());
        self.event(CLOSED, b"");
        NotOpen::Unproven(AUTH_FAILED, format!("authentication required but {why}").into_bytes())
    }
}
