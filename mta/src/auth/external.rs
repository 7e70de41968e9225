//! EXTERNAL: the client says who it is, and something else proves it
//! (specification 41.2).

use super::{Driver, Step, Turn, Verdict, decoded, initially_decoded, strings};

pub(super) struct External;

impl External {
    fn judge(turn: &mut Turn<'_>, said: &[u8]) -> Result<Step, Verdict> {
        strings(said).for_each(|value| turn.give(value));
        expand_params(turn, 2)?;
        Ok(Step::Done(turn.condition()))
    }
}

/// Expands `server_param2` and further into `$auth2` and further, as far as they
/// are set without a gap.
pub(super) fn expand_params(turn: &mut Turn<'_>, from: usize) -> Result<(), Verdict> {
    let options = ["server_param1", "server_param2", "server_param3"];
    for (index, option) in options.iter().enumerate().skip(from - 1) {
        match turn.expand(option) {
            None => break,
            Some(Ok(value)) => turn.give_as(index + 1, value),
            Some(Err(fail)) => return Err(Verdict::of(&fail)),
        }
    }
    Ok(())
}

impl Driver for External {
    fn begin(&mut self, turn: &mut Turn<'_>, initial: &[u8]) -> Result<Step, Verdict> {
        match initial {
            b"" => Ok(Step::Ask(Vec::new())),
            b"=" => Self::judge(turn, b""),
            _ => Self::judge(turn, &initially_decoded(initial)?),
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, line: &[u8]) -> Result<Step, Verdict> {
        Self::judge(turn, &decoded(line)?)
    }
}
