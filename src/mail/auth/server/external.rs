//! EXTERNAL: the client says who it is, and something else proves it
//! (specification 41.2).

use eximious_core::{DriverOpt, Str};
use eximious_stdlib::options::opt::authenticator::external as opt;

use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict, decoded, initially_decoded, strings};

/// The server's side of the driver `external`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(External)
}

pub(super) struct External;

impl External {
    fn judge(turn: &mut AuthTurn<'_>, said: &[u8]) -> Result<AuthStep, AuthVerdict> {
        strings(said).for_each(|value| turn.give(value));
        expand_params(turn, 2, &[opt::SERVER_PARAM2, opt::SERVER_PARAM3])?;
        Ok(AuthStep::Done(turn.condition()))
    }
}

/// Expands options into `$auth2` and further, or from another number on, as far as they
/// are set without a gap.
pub(super) fn expand_params(
    turn: &mut AuthTurn<'_>,
    from: usize,
    options: &[DriverOpt<Str>],
) -> Result<(), AuthVerdict> {
    for (number, option) in (from..).zip(options) {
        match turn.expand(*option) {
            None => break,
            Some(Ok(value)) => turn.give_as(number, value),
            Some(Err(fail)) => return Err(AuthVerdict::of(&fail)),
        }
    }
    Ok(())
}

impl AuthDriver for External {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        match initial {
            b"" => Ok(AuthStep::Ask(Vec::new())),
            b"=" => Self::judge(turn, b""),
            _ => Self::judge(turn, &initially_decoded(initial)?),
        }
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        Self::judge(turn, &decoded(line)?)
    }
}
