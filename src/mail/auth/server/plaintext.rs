//! PLAIN and LOGIN: whatever the configuration asks for, judged by a condition
//! (specification 34.3).

use eximious_stdlib::lists;
use eximious_stdlib::options::opt::authenticator::plaintext as opt;

use super::{
    AuthDriver, AuthStep, AuthTurn, AuthVerdict, NUMBERED, decoded, initially_decoded, strings,
};

/// The server's side of the driver `plaintext`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(Plaintext::default())
}

#[derive(Default)]
pub(super) struct Plaintext {
    prompts: Vec<Vec<u8>>,
}

impl Plaintext {
    /// What is asked next: the prompt behind as many as there are values. There
    /// is an end to what one client may say.
    fn next(&self, turn: &mut AuthTurn<'_>) -> AuthStep {
        match self.prompts.get(turn.given()) {
            Some(prompt) if turn.given() < NUMBERED => AuthStep::Ask(prompt.clone()),
            _ => AuthStep::Done(turn.condition()),
        }
    }
}

impl AuthDriver for Plaintext {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        match turn.expand(opt::SERVER_PROMPTS) {
            None => {}
            Some(Ok(list)) => {
                self.prompts = lists::elements(list.bytes()).map(Into::into).collect()
            }
            Some(Err(fail)) => return Err(AuthVerdict::defer(fail.message())),
        }
        match initial {
            b"" => {}
            // What a client says that has nothing to say.
            b"=" => turn.give(b""),
            _ => strings(&initially_decoded(initial)?).for_each(|value| turn.give(value)),
        }
        Ok(self.next(turn))
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        strings(&decoded(line)?).for_each(|value| turn.give(value));
        Ok(self.next(turn))
    }
}
