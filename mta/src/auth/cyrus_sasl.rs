//! Cyrus SASL speaks the mechanism and knows the users (specification, chapter
//! 36).

use eximious::stdlib::base64;
use eximious::world::{SaslError, SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslStep};

use super::{AuthDriver, AuthServer, AuthStep, AuthTurn, AuthVerdict, decoded, gsasl};

/// The server's side of the driver `cyrus_sasl`.
pub(super) static SERVER: AuthServer =
    AuthServer { driver: "cyrus_sasl", start: || Box::new(CyrusSasl::default()) };

#[derive(Default)]
pub(super) struct CyrusSasl {
    session: Option<Box<dyn SaslSession>>,
    mechanism: String,
    /// Whether the library has no more questions, and the client's last line is
    /// still to come.
    ends: bool,
}

impl AuthDriver for CyrusSasl {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let start = gsasl::start(turn, SaslLibrary::Cyrus)?;
        let sasl = turn.cx.engine().world().sasl.clone();
        let session = sasl.start(&start).map_err(|error| gsasl::unavailable(&start, error))?;
        self.mechanism = String::from_utf8_lossy(&start.mechanism).into_owned();
        self.session = Some(session);
        match initial {
            b"" => self.step(turn, None),
            _ => {
                let said = base64::decode(initial).ok_or(AuthVerdict::NotBase64)?;
                self.step(turn, Some(&said))
            }
        }
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let said = decoded(line)?;
        match self.ends {
            true if said.is_empty() => self.conclude(turn),
            true => Err(AuthVerdict::Refuse),
            false => self.step(turn, Some(&said)),
        }
    }
}

impl CyrusSasl {
    fn step(
        &mut self,
        turn: &mut AuthTurn<'_>,
        said: Option<&[u8]>,
    ) -> Result<AuthStep, AuthVerdict> {
        let Some(session) = &mut self.session else { return Err(AuthVerdict::Refuse) };
        match session.step(said, &mut |_, _| SaslReply::Nothing) {
            Ok(SaslStep::More(asked)) => Ok(AuthStep::Ask(asked)),
            Ok(SaslStep::Done(said)) if said.is_empty() => self.conclude(turn),
            Ok(SaslStep::Done(said)) => {
                self.ends = true;
                Ok(AuthStep::Ask(said))
            }
            Err(SaslError::Refused(why)) => {
                if let Some(user) = session.get(SaslProperty::AuthId) {
                    turn.give(&user);
                }
                let name = turn.authenticator.name().display().into_owned();
                let mechanism = &self.mechanism;
                let line = format!(
                    "{name} authenticator ({mechanism}): Cyrus SASL permanent failure: {why}"
                );
                turn.cx.engine().world().log.rejection_alone(line.as_bytes());
                Err(AuthVerdict::Refuse)
            }
            Err(SaslError::Malformed(_)) => Err(AuthVerdict::Unexpected),
            Err(error) => Err(gsasl::of(error)),
        }
    }

    /// The library is content.
    fn conclude(&mut self, turn: &mut AuthTurn<'_>) -> Result<AuthStep, AuthVerdict> {
        let user = self.session.as_ref().and_then(|session| session.get(SaslProperty::AuthId));
        turn.give(&user.ok_or(AuthVerdict::Refuse)?);
        Ok(AuthStep::Done(turn.condition()))
    }
}
