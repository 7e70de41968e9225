//! NTLM, as Secure Password Authentication speaks it (specification 40.1).
//!
//! Whatever is wrong, the client is told no more than that it is not believed.

use crate::mail::auth::ntlm::{self, Challenge};
use eximious_stdlib::base64;
use eximious_stdlib::options::opt::authenticator::spa as opt;

use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict};

/// How long a client's first message may be. Nothing of it is needed, so nobody
/// looks at it any further.
const LONGEST_FIRST: usize = 1024;

/// The server's side of the driver `spa`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(Spa::default())
}

#[derive(Default)]
pub(super) struct Spa {
    /// What was asked; nothing before the client's first message.
    challenge: Option<Challenge>,
}

impl Spa {
    /// Takes the client's first message, and asks.
    fn ask(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let message = base64::decode(line).ok_or(AuthVerdict::Refuse)?;
        if message.is_empty() || message.len() > LONGEST_FIRST {
            return Err(AuthVerdict::Refuse);
        }
        let number = turn.cx.engine().world().random.below(u64::MAX);
        let challenge = number.to_le_bytes();
        self.challenge = Some(challenge);
        Ok(AuthStep::Ask(ntlm::challenge(&challenge)))
    }
}

impl AuthDriver for Spa {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        match initial {
            b"" => Ok(AuthStep::Tell("NTLM supported")),
            _ => self.ask(turn, initial),
        }
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let Some(challenge) = self.challenge else { return self.ask(turn, line) };
        let message = base64::decode(line).ok_or(AuthVerdict::Refuse)?;
        let answer = ntlm::parse_authenticate(&message).ok_or(AuthVerdict::Refuse)?;
        turn.give(&answer.user);
        turn.show_debug_text();
        let password = match turn.expand(opt::SERVER_PASSWORD) {
            None => return Err(AuthVerdict::Refuse),
            Some(Ok(password)) => password,
            Some(Err(fail)) => return Err(AuthVerdict::of(&fail)),
        };
        let proved =
            answer.response.is_some_and(|it| ntlm::proves(&it, password.bytes(), &challenge));
        Ok(AuthStep::Done(match proved {
            true => turn.condition(),
            false => AuthVerdict::Refuse,
        }))
    }

    fn broken(&self) -> AuthVerdict {
        AuthVerdict::Refuse
    }
}
