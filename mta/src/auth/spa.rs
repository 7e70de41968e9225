//! NTLM, as Secure Password Authentication speaks it (specification 40.1).
//!
//! Whatever is wrong, the client is told no more than that it is not believed.

use eximious::auth::ntlm::{self, Challenge};
use eximious::stdlib::base64;

use super::{Driver, Step, Turn, Verdict};

/// How long a client's first message may be. Nothing of it is needed, so nobody
/// looks at it any further.
const LONGEST_FIRST: usize = 1024;

#[derive(Default)]
pub(super) struct Spa {
    /// What was asked; nothing before the client's first message.
    challenge: Option<Challenge>,
}

impl Spa {
    /// Takes the client's first message, and asks.
    fn ask(&mut self, turn: &mut Turn<'_>, line: &[u8]) -> Result<Step, Verdict> {
        let message = base64::decode(line).ok_or(Verdict::Refuse)?;
        if message.is_empty() || message.len() > LONGEST_FIRST {
            return Err(Verdict::Refuse);
        }
        let number = turn.cx.engine().world().random.below(u64::MAX);
        let challenge = number.to_le_bytes();
        self.challenge = Some(challenge);
        Ok(Step::Ask(ntlm::challenge(&challenge)))
    }
}

impl Driver for Spa {
    fn begin(&mut self, turn: &mut Turn<'_>, initial: &[u8]) -> Result<Step, Verdict> {
        match initial {
            b"" => Ok(Step::Tell("NTLM supported")),
            _ => self.ask(turn, initial),
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, line: &[u8]) -> Result<Step, Verdict> {
        let Some(challenge) = self.challenge else { return self.ask(turn, line) };
        let message = base64::decode(line).ok_or(Verdict::Refuse)?;
        let answer = ntlm::parse_authenticate(&message).ok_or(Verdict::Refuse)?;
        turn.give(&answer.user);
        turn.show_debug_text();
        let password = match turn.expand("server_password") {
            None => return Err(Verdict::Refuse),
            Some(Ok(password)) => password,
            Some(Err(fail)) => return Err(Verdict::of(&fail)),
        };
        let proved =
            answer.response.is_some_and(|it| ntlm::proves(&it, password.bytes(), &challenge));
        Ok(Step::Done(match proved {
            true => turn.condition(),
            false => Verdict::Refuse,
        }))
    }

    fn broken(&self) -> Verdict {
        Verdict::Refuse
    }
}
