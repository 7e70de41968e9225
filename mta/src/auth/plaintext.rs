//! PLAIN and LOGIN: whatever the configuration asks for, judged by a condition
//! (specification 34.3).

use eximious::stdlib::lists;

use super::{Driver, NUMBERED, Step, Turn, Verdict, decoded, initially_decoded, strings};

#[derive(Default)]
pub(super) struct Plaintext {
    prompts: Vec<Vec<u8>>,
}

impl Plaintext {
    /// What is asked next: the prompt behind as many as there are values. There
    /// is an end to what one client may say.
    fn next(&self, turn: &mut Turn<'_>) -> Step {
        match self.prompts.get(turn.given()) {
            Some(prompt) if turn.given() < NUMBERED => Step::Ask(prompt.clone()),
            _ => Step::Done(turn.condition()),
        }
    }
}

impl Driver for Plaintext {
    fn begin(&mut self, turn: &mut Turn<'_>, initial: &[u8]) -> Result<Step, Verdict> {
        match turn.expand("server_prompts") {
            None => {}
            Some(Ok(list)) => {
                self.prompts = lists::elements(list.bytes()).map(Into::into).collect()
            }
            Some(Err(fail)) => return Err(Verdict::defer(fail.message())),
        }
        match initial {
            b"" => {}
            // What a client says that has nothing to say.
            b"=" => turn.give(b""),
            _ => strings(&initially_decoded(initial)?).for_each(|value| turn.give(value)),
        }
        Ok(self.next(turn))
    }

    fn answer(&mut self, turn: &mut Turn<'_>, line: &[u8]) -> Result<Step, Verdict> {
        strings(&decoded(line)?).for_each(|value| turn.give(value));
        Ok(self.next(turn))
    }
}
