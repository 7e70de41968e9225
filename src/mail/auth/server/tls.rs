//! The driver tls: a client's certificate takes the place of AUTH (specification,
//! chapter 42).

use eximious_stdlib::options::opt::authenticator::tls as opt;

use super::{AuthTurn, AuthVerdict, external};

/// What is thought of a client that has just begun to speak TLS.
pub fn verdict(turn: &mut AuthTurn<'_>) -> AuthVerdict {
    turn.forget();
    // An older name of the first.
    match turn.expand(opt::SERVER_PARAM) {
        Some(Ok(value)) => turn.give_as(1, value),
        Some(Err(fail)) => return AuthVerdict::of(&fail),
        None => {}
    }
    let params = [opt::SERVER_PARAM1, opt::SERVER_PARAM2, opt::SERVER_PARAM3];
    let given = usize::from(turn.given() > 0);
    match external::expand_params(turn, given + 1, &params[given..]) {
        Ok(()) => turn.condition(),
        Err(verdict) => verdict,
    }
}
